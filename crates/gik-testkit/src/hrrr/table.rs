//! The table `messages.tsv`: one row a message, in the order of the files.

use std::sync::OnceLock;

use crate::grib::Surface;

/// Over what a statistic extends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// An instant.
    None,
    /// Since the start of the run.
    Run,
    Minutes(u32),
}

/// A message: its words in the index, its codes in GRIB.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) product: &'static str,
    pub(super) name: &'static str,
    pub(super) abbreviation: &'static str,
    pub(super) level: &'static str,
    /// wgrib2's word and code table 4.10.
    pub(super) statistic: Option<(&'static str, u8)>,
    pub(super) period: Period,
    /// Whether it is in the files from hour 2 on only: before it is another message's.
    pub(super) is_later: bool,
    /// Length of a real message.
    pub(super) bytes: u64,
    /// Discipline, category, number.
    pub(super) code: [u8; 3],
    pub(super) surfaces: [Surface; 2],
}

/// All lines of all products.
pub(super) fn lines() -> &'static [Line] {
    static LINES: OnceLock<Vec<Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = include_str!("messages.tsv").lines();
        lines.filter(|line| !line.starts_with('#')).filter_map(row).collect()
    })
}

fn row(text: &'static str) -> Option<Line> {
    let mut columns = text.split('\t');
    let mut next = || columns.next();
    let (product, name) = (next()?, next()?);
    let (abbreviation, level) = (next()?, next()?);
    let statistic = match next()? {
        "ave" => Some(("ave", 0)),
        "acc" => Some(("acc", 1)),
        "max" => Some(("max", 2)),
        "min" => Some(("min", 3)),
        _ => None,
    };
    let period = match next()? {
        "run" => Period::Run,
        "hour" => Period::Minutes(60),
        "quarter" => Period::Minutes(15),
        "5min" => Period::Minutes(5),
        _ => Period::None,
    };
    let is_later = next()? == "later";
    let bytes = next()?.parse().ok()?;
    let mut code = || next()?.parse::<u8>().ok();
    let code = [code()?, code()?, code()?];
    let mut surface = || {
        Some(Surface {
            kind: next()?.parse().ok()?,
            factor: next()?.parse().ok()?,
            value: next()?.parse().ok()?,
        })
    };
    let surfaces = [surface()?, surface()?];
    Some(Line {
        product,
        name,
        abbreviation,
        level,
        statistic,
        period,
        is_later,
        bytes,
        code,
        surfaces,
    })
}

impl Line {
    /// The interval that ends at `minutes` after the reference time, in minutes.
    pub(super) fn start(&self, minutes: u32) -> u32 {
        match self.period {
            Period::None => minutes,
            Period::Run => 0,
            Period::Minutes(length) => minutes.saturating_sub(length),
        }
    }

    /// The sixth field of an index line: `anl`, `9 hour fcst`, `8-9 hour acc fcst`.
    pub(super) fn spelling(&self, minutes: u32) -> String {
        let is_subhourly = self.product == "subh";
        let Some((word, _)) = self.statistic else {
            return match minutes {
                0 => "anl".to_owned(),
                minutes if is_subhourly => format!("{minutes} min fcst"),
                minutes => format!("{} hour fcst", minutes / 60),
            };
        };
        let start = self.start(minutes);
        // wgrib2 takes the largest unit in which start and length are whole numbers.
        let (unit, length) = [("day", 1440), ("hour", 60), ("min", 1)]
            .into_iter()
            .find(|(_, length)| {
                start.is_multiple_of(*length) && (minutes - start).is_multiple_of(*length)
            })
            .unwrap_or(("min", 1));
        format!("{}-{} {unit} {word} fcst", start / length, minutes / length)
    }
}
