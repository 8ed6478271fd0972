//! Section 4: level, window, member, and what else tells fields apart.

use std::fmt::Write;

use gik_core::{Decimal, FixedSurface, Level, Result, Statistic, Window};

use crate::message::Section;

/// What section 4 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) template: u16,
    pub(crate) category: u8,
    pub(crate) number: u8,
    /// None where the template has no fixed surfaces, or is not known here.
    pub(crate) level: Option<Level>,
    /// None where the time is no window of one run.
    pub(crate) window: Option<Window>,
    pub(crate) member: Option<Member>,
    /// What else there is, in wgrib2's words, colon separated.
    pub(crate) qualifiers: String,
}

/// A member of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Type of ensemble forecast (code table 4.6): 0 and 1 are controls.
    pub kind: u8,
    /// The perturbation number.
    pub number: u8,
    /// Forecasts in the ensemble, as the producer writes it.
    pub size: u8,
}

impl Member {
    /// The number as stores count: 0 for a control.
    #[must_use]
    pub fn position(&self) -> u32 {
        if matches!(self.kind, 0 | 1) { 0 } else { self.number.into() }
    }
}

/// What stands before the interval of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    /// Octets 35–37.
    Ensemble,
    /// Octets 35–36.
    Derived,
    /// Octets 35–47.
    Probability,
    /// Octet 35.
    Percentile,
}

impl Part {
    const fn octets(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Ensemble => 3,
            Self::Derived => 2,
            Self::Probability => 13,
            Self::Percentile => 1,
        }
    }
}

/// Templates that are template 4.0 with something after it: how many octets are inserted
/// before the generating process (constituents and aerosols), what follows, and whether an
/// interval does.
const TEMPLATES: &[(u16, usize, Part, bool)] = &[
    (0, 0, Part::Nothing, false),
    (1, 0, Part::Ensemble, false),
    (2, 0, Part::Derived, false),
    (5, 0, Part::Probability, false),
    (6, 0, Part::Percentile, false),
    (8, 0, Part::Nothing, true),
    (9, 0, Part::Probability, true),
    (10, 0, Part::Percentile, true),
    (11, 0, Part::Ensemble, true),
    (12, 0, Part::Derived, true),
    (15, 0, Part::Nothing, false),
    (40, 2, Part::Nothing, false),
    (41, 2, Part::Ensemble, false),
    (42, 2, Part::Nothing, true),
    (43, 2, Part::Ensemble, true),
    (48, 24, Part::Nothing, false),
];

impl Product {
    /// Reads section 4.
    ///
    /// # Errors
    /// When it is too short for its template.
    pub(crate) fn read(section: &Section<'_>) -> Result<Self> {
        let template = section.at_octet(8)?.u16()?;
        let mut reader = section.at_octet(10)?;
        let (category, number) = (reader.u8()?, reader.u8()?);
        let mut product = Self {
            template,
            category,
            number,
            level: None,
            window: None,
            member: None,
            qualifiers: String::new(),
        };
        let known = TEMPLATES.iter().find(|(known, ..)| *known == template);
        let Some(&(_, shift, part, has_interval)) = known else { return Ok(product) };
        product.level = Some(level(section, shift)?);
        let after = 35 + shift;
        product.read_part(section, after, part)?;
        let interval = has_interval.then_some(after + part.octets());
        product.window = window(section, shift, interval)?;
        Ok(product)
    }

    fn read_part(&mut self, section: &Section<'_>, octet: usize, part: Part) -> Result<()> {
        let mut reader = section.at_octet(octet)?;
        let text = &mut self.qualifiers;
        // Writing to a string does not fail.
        let _ = match part {
            Part::Nothing => Ok(()),
            Part::Ensemble => {
                let (kind, number, size) = (reader.u8()?, reader.u8()?, reader.u8()?);
                self.member = Some(Member { kind, number, size });
                match kind {
                    0 => write!(text, "ENS=hi-res ctl"),
                    1 => write!(text, "ENS=low-res ctl"),
                    2 => write!(text, "ENS=-{number}"),
                    3 => write!(text, "ENS=+{number}"),
                    // Multi-model members, which ECMWF and others write: wgrib2's words.
                    4 => write!(text, "MM-ENS={number}"),
                    _ => write!(text, "ENS=? table4.6={kind} pert={number}"),
                }
            }
            Part::Derived => match reader.u8()? {
                0 => write!(text, "ens mean"),
                1 => write!(text, "wt ens mean"),
                2 | 3 => write!(text, "ens std dev"),
                4 | 5 => write!(text, "ens spread"),
                other => write!(text, "ens derived={other}"),
            },
            Part::Probability => {
                let (number, count, event) = (reader.u8()?, reader.u8()?, reader.u8()?);
                let lower = decimal(reader.u8()?, reader.u32()?);
                let upper = decimal(reader.u8()?, reader.u32()?);
                let (lower, upper) = (lower.unwrap_or_default(), upper.unwrap_or_default());
                let written = match event {
                    0 => write!(text, "prob <{lower}"),
                    1 => write!(text, "prob >{upper}"),
                    2 => write!(text, "prob >={lower} <{upper}"),
                    3 => write!(text, "prob >{lower}"),
                    4 => write!(text, "prob <{upper}"),
                    5 => write!(text, "prob ={lower}"),
                    other => write!(text, "prob ?? (code table 4.9={other})"),
                };
                written.and_then(|()| write!(text, ":prob fcst {number}/{count}"))
            }
            Part::Percentile => write!(text, "{}% level", reader.u8()?),
        };
        Ok(())
    }
}

fn level(section: &Section<'_>, shift: usize) -> Result<Level> {
    let mut reader = section.at_octet(23 + shift)?;
    let mut surface = || -> Result<FixedSurface> {
        let kind = reader.u8()?;
        Ok(FixedSurface::new(kind, decimal(reader.u8()?, reader.u32()?)))
    };
    let first = surface()?;
    Ok(Level::new(first, Some(surface()?)))
}

/// A scaled value: sign and magnitude both; none where one of them is missing.
fn decimal(factor: u8, value: u32) -> Option<Decimal> {
    if factor == u8::MAX || value == u32::MAX {
        return None;
    }
    let power = (factor & 0x7f).cast_signed();
    let power = if factor & 0x80 == 0 { -power } else { power };
    let magnitude = (value & 0x7fff_ffff).cast_signed();
    Some(Decimal::new(if value & 0x8000_0000 == 0 { magnitude } else { -magnitude }, power))
}

/// A unit of time (code table 4.4) of fixed length: its seconds, and wgrib2's word where an
/// instant is written in it.
const UNITS: &[(u8, i64, &str)] = &[
    (0, 60, "min"),
    (1, 3600, "hour"),
    (2, 86400, "day"),
    (10, 3 * 3600, ""),
    (11, 6 * 3600, ""),
    (12, 12 * 3600, ""),
    (13, 1, "sec"),
];

fn unit(code: u8) -> Option<(i64, &'static str)> {
    UNITS.iter().find(|(known, ..)| *known == code).map(|&(_, seconds, word)| (seconds, word))
}

fn window(section: &Section<'_>, shift: usize, interval: Option<usize>) -> Result<Option<Window>> {
    let mut reader = section.at_octet(18 + shift)?;
    let (unit_code, count) = (reader.u8()?, i64::from(reader.signed32()?));
    let Some((seconds, word)) = unit(unit_code) else { return Ok(None) };
    let start = count * seconds;
    let Some(octet) = interval else {
        // Read from its spelling, an instant keeps the unit of its message.
        let spelled = (count != 0 && !word.is_empty()).then(|| format!("{count} {word} fcst"));
        let spelled = spelled.and_then(|text| Window::from_wgrib2(&text));
        return Ok(spelled.or_else(|| Window::instant(start).ok()));
    };
    // After the end of the interval come the number of ranges, the missing values, and of
    // each range statistic, type of increment, unit and length.
    let mut reader = section.at_octet(octet + 7)?;
    let ranges = reader.u8()?;
    reader.u32()?;
    let (statistic, _increment) = (reader.u8()?, reader.u8()?);
    let (unit_code, length) = (reader.u8()?, i64::from(reader.u32()?));
    let (Some(statistic), Some((seconds, _))) =
        (Statistic::from_code(statistic).filter(|_| ranges == 1), unit(unit_code))
    else {
        return Ok(None);
    };
    Ok(Window::interval(statistic, start, start + length * seconds).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_values() {
        assert_eq!(decimal(0, 2).unwrap().to_f64(), 2.0);
        assert_eq!(decimal(2, 10).unwrap().to_f64(), 0.1);
        assert_eq!(decimal(0x82, 7).unwrap().to_f64(), 700.0);
        assert_eq!(decimal(0, 0x8000_0003).unwrap().to_f64(), -3.0);
        assert_eq!((decimal(255, 0), decimal(0, u32::MAX)), (None, None));
    }
}
