//! Lengths of time, as people write them: `24h`.

use std::fmt;
use std::str::FromStr;

use gik_core::{Error, Result, StepUnit};

/// A length of time in whole minutes, at least one.
///
/// # Examples
/// ```
/// use gik_analysis::accumulation::Period;
///
/// let day: Period = "24h".parse()?;
/// assert_eq!((day, day.to_string()), ("1d".parse()?, "24 h".to_owned()));
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    minutes: u32,
}

/// Longer than any forecast.
const LONGEST: u32 = 366 * 24 * 60;

impl Period {
    /// So many hours.
    #[must_use]
    pub const fn hours(hours: u16) -> Self {
        let minutes = hours as u32 * 60;
        Self { minutes: if minutes == 0 { 60 } else { minutes } }
    }

    /// Minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// How many steps of this unit it is; none when that is no whole number.
    #[must_use]
    pub fn steps(self, unit: StepUnit) -> Option<u32> {
        let seconds = i64::from(self.minutes) * 60;
        if seconds % unit.seconds() != 0 {
            return None;
        }
        u32::try_from(seconds / unit.seconds()).ok()
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text.trim().get(digits.len()..).unwrap_or_default().trim();
        let factor = match unit {
            "" | "h" | "hour" | "hours" => Some(60),
            "d" | "day" | "days" => Some(1440),
            "min" | "minutes" => Some(1),
            _ => None,
        };
        let minutes = factor.and_then(|factor| digits.parse::<u32>().ok()?.checked_mul(factor));
        match minutes {
            Some(minutes) if (1..=LONGEST).contains(&minutes) => Ok(Self { minutes }),
            _ => Err(Error::argument(
                format!("window '{text}'"),
                "is no length of time; write 24h, 3h, 5d or 30min",
            )),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minutes.is_multiple_of(60) {
            write!(f, "{} h", self.minutes / 60)
        } else {
            write!(f, "{} min", self.minutes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        let minutes = |text: &str| text.parse::<Period>().map(Period::minutes).ok();
        assert_eq!(
            ["24h", "24", "1d", "90min", "6 hours"].map(minutes),
            [Some(1440), Some(1440), Some(1440), Some(90), Some(360)]
        );
        for text in ["", "h", "0h", "-3h", "24x", "1.5h", "99999999d"] {
            assert_eq!(minutes(text), None, "{text}");
        }
        let half = "90min".parse::<Period>().unwrap();
        assert_eq!((half.steps(StepUnit::Hours), half.steps(StepUnit::Minutes)), (None, Some(90)));
    }
}
