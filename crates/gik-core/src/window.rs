//! Windows: the lead, or the interval of leads, that a field is about.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::{Error, Result};

mod rule;
mod statistic;

#[cfg(test)]
mod tests;

pub use rule::WindowRule;
pub use statistic::Statistic;

/// When a field is valid, relative to the reference time: an instant at one lead, or an
/// interval with the statistic taken over it.
///
/// # Units
/// Seconds since the reference time, never negative.
///
/// # Spelling
/// [`FromStr`] and [`Display`](fmt::Display) use wgrib2's: `anl`, `9 hour fcst`,
/// `0-3 hour acc fcst`. wgrib2 writes an interval in the largest unit, up to days, that
/// divides both its start and its length (so `0-1 day acc fcst` but `6-30 hour acc fcst`,
/// and `0-0 day max fcst` for an empty one); it writes an instant in the unit of its
/// message, which a parsed window therefore remembers (`540 min fcst`). Equality and
/// hash ignore that unit.
///
/// Averages over several runs (`240@3 hour ave(anl),missing=0`), mixed units and months or
/// years, whose length in seconds depends on the date, are not windows of one run: they do
/// not parse.
///
/// # Examples
/// ```
/// use gik_core::{Statistic, Window};
///
/// let rain: Window = "6-9 hour acc fcst".parse()?;
/// assert_eq!(rain.statistic(), Some(Statistic::Accumulation));
/// assert_eq!((rain.start_seconds(), rain.end_seconds()), (6 * 3600, 9 * 3600));
/// assert_eq!(rain, Window::interval(Statistic::Accumulation, 6 * 3600, 9 * 3600)?);
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Window {
    start: i64,
    end: i64,
    statistic: Option<Statistic>,
    /// In which an instant is written.
    unit: Unit,
}

/// Units whose length is fixed, code table 4.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

impl Unit {
    /// The largest first.
    const ALL: [Self; 4] = [Self::Day, Self::Hour, Self::Minute, Self::Second];

    const fn seconds(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86400,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Second => "sec",
            Self::Minute => "min",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// Why a text is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unknown,
    Backwards,
    BeforeStart,
    TooLong,
    Calendar,
}

impl Fault {
    const fn expected(self) -> &'static str {
        match self {
            Self::Unknown => {
                "a forecast time of one run as wgrib2 spells it, like '0-3 hour acc fcst'"
            }
            Self::Backwards => "an interval that ends after it starts",
            Self::BeforeStart => "a time that is not before the reference time",
            Self::TooLong => "a time within 64 bits of seconds",
            Self::Calendar => "a unit of fixed length (sec, min, hour, day)",
        }
    }
}

impl Window {
    /// The analysis: the instant of the reference time.
    pub const ANALYSIS: Self = Self { start: 0, end: 0, statistic: None, unit: Unit::Hour };

    /// An instant, `lead` seconds after the reference time.
    ///
    /// # Errors
    /// When the lead is negative.
    pub fn instant(lead: i64) -> Result<Self> {
        // Never days: wgrib2 writes them only if a message is coded in days, and none is.
        let [_, finer @ ..] = Unit::ALL;
        let unit = finer.into_iter().find(|unit| lead % unit.seconds() == 0);
        let unit = unit.unwrap_or(Unit::Second);
        let window = Self { start: lead, end: lead, statistic: None, unit };
        window.checked().map_err(|fault| fault.error(&format!("{lead} s")))
    }

    /// The interval from `start` to `end`, both in seconds after the reference time.
    ///
    /// # Errors
    /// When the start is negative or the end lies before it.
    pub fn interval(statistic: Statistic, start: i64, end: i64) -> Result<Self> {
        let window = Self { start, end, statistic: Some(statistic), unit: Unit::Hour };
        window.checked().map_err(|fault| fault.error(&format!("{start} to {end} s")))
    }

    fn checked(self) -> Result<Self, Fault> {
        if self.start < 0 {
            Err(Fault::BeforeStart)
        } else if self.end < self.start {
            Err(Fault::Backwards)
        } else {
            Ok(self)
        }
    }

    /// Reads wgrib2's spelling; nothing if this is no window of one run. [`FromStr`] does
    /// the same with an error that says why; this one allocates nothing.
    #[must_use]
    pub fn from_wgrib2(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }

    fn read(text: &str) -> Result<Self, Fault> {
        if text == "anl" {
            return Ok(Self::ANALYSIS);
        }
        let (start, rest) = number(text)?;
        let (end, rest) = match rest.strip_prefix('-') {
            Some(rest) => {
                let (end, rest) = number(rest)?;
                (Some(end), rest)
            }
            None => (None, rest),
        };
        let rest = rest.strip_prefix(' ').ok_or(Fault::Unknown)?;
        let (word, rest) = rest.split_once(' ').ok_or(Fault::Unknown)?;
        let Some(unit) = Unit::ALL.into_iter().find(|unit| unit.word() == word) else {
            let calendar = ["month", "year", "decade", "normal", "century"];
            return Err(if calendar.contains(&word) { Fault::Calendar } else { Fault::Unknown });
        };
        let statistic = match (end, rest) {
            (None, "fcst") => None,
            (Some(_), rest) => {
                let word = rest.strip_suffix(" fcst").ok_or(Fault::Unknown)?;
                Some(Statistic::from_wgrib2(word).ok_or(Fault::Unknown)?)
            }
            _ => return Err(Fault::Unknown),
        };
        let seconds = |count: i64| count.checked_mul(unit.seconds()).ok_or(Fault::TooLong);
        let start = seconds(start)?;
        let end = end.map_or(Ok(start), seconds)?;
        Self { start, end, statistic, unit }.checked()
    }

    /// The statistic over the interval; none for an instant.
    #[must_use]
    pub const fn statistic(&self) -> Option<Statistic> {
        self.statistic
    }

    /// Where it starts, in seconds after the reference time. An instant starts and ends
    /// at its lead.
    #[must_use]
    pub const fn start_seconds(&self) -> i64 {
        self.start
    }

    /// Where it ends, in seconds after the reference time: the lead of its message.
    #[must_use]
    pub const fn end_seconds(&self) -> i64 {
        self.end
    }

    /// Seconds from start to end; 0 for instants.
    #[must_use]
    pub const fn length_seconds(&self) -> i64 {
        // Neither end is negative, so this cannot overflow.
        self.end - self.start
    }

    /// ecCodes' `stepType`: `instant`, `accum`, `avg`, `max`, `min`, ….
    #[must_use]
    pub fn step_type(&self) -> &'static str {
        self.statistic.map_or("instant", Statistic::step_type)
    }

    /// The method in CF's `cell_methods`, without the dimension: `point`, `sum`, `mean`,
    /// `maximum`, …. None for statistics that CF has no word for.
    #[must_use]
    pub fn cell_method(&self) -> Option<&'static str> {
        self.statistic.map_or(Some("point"), Statistic::cell_method)
    }
}

/// A whole number at the start of `text`, and what follows it.
fn number(text: &str) -> Result<(i64, &str), Fault> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut value = 0_i64;
    let mut count = 0;
    for byte in digits.bytes().take_while(u8::is_ascii_digit) {
        let digit = i64::from(byte - b'0');
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or(Fault::TooLong)?;
        count += 1;
    }
    match digits.get(count..) {
        Some(rest) if count > 0 => Ok((if negative { -value } else { value }, rest)),
        _ => Err(Fault::Unknown),
    }
}

impl Fault {
    fn error(self, found: &str) -> Error {
        Error::malformed("forecast time", self.expected(), found)
    }
}

impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).map_err(|fault| fault.error(text))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statistic {
            None if self.end == 0 => f.write_str("anl"),
            None => write!(f, "{} {} fcst", self.end / self.unit.seconds(), self.unit.word()),
            Some(statistic) => {
                let divides = |unit: &Unit| {
                    self.start % unit.seconds() == 0 && self.end % unit.seconds() == 0
                };
                let unit = Unit::ALL.into_iter().find(divides).unwrap_or(Unit::Second);
                let (start, end) = (self.start / unit.seconds(), self.end / unit.seconds());
                write!(f, "{start}-{end} {} {statistic} fcst", unit.word())
            }
        }
    }
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        (self.start, self.end, self.statistic) == (other.start, other.end, other.statistic)
    }
}

impl Eq for Window {}

impl Hash for Window {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.start, self.end, self.statistic).hash(state);
    }
}
