//! Reference times and lead times as people write them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use crate::{Error, Result};

/// The initialisation time of a forecast, in UTC, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceTime(i64);

impl ReferenceTime {
    /// From seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The calendar date and time of day.
    #[must_use]
    pub fn civil(self) -> NaiveDateTime {
        // Every value that `FromStr` yields lies within chrono's range.
        DateTime::from_timestamp(self.0, 0).unwrap_or_default().naive_utc()
    }

    /// The hour of the day, 0…23.
    #[must_use]
    pub fn hour(self) -> u32 {
        self.civil().hour()
    }

    /// The date as `YYYYMMDD`, as the buckets write it.
    #[must_use]
    pub fn yyyymmdd(self) -> String {
        self.civil().format("%Y%m%d").to_string()
    }
}

impl fmt::Display for ReferenceTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        if civil.second() != 0 || civil.minute() != 0 {
            write!(f, "{}", civil.format("%Y-%m-%dT%H:%M:%S"))
        } else {
            write!(f, "{}", civil.format("%Y-%m-%dT%H"))
        }
    }
}

impl FromStr for ReferenceTime {
    type Err = Error;

    /// Accepts `2025-01-06T00`, `2025-01-06T00:00`, `2025-01-06T00:00:00`, each with or
    /// without a closing `Z`, and `2025010600`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::argument(
                format!("run '{text}'"),
                "is no date and hour; write it like 2025-01-06T00 (UTC)",
            )
        };
        let bare = text.strip_suffix('Z').unwrap_or(text);
        if bare.len() == 10 && bare.bytes().all(|byte| byte.is_ascii_digit()) {
            let (date, hour) = bare.split_at(8);
            let date = NaiveDate::parse_from_str(date, "%Y%m%d").map_err(|_| wrong())?;
            let hour = hour.parse().map_err(|_| wrong())?;
            return civil(date, hour, 0, 0).ok_or_else(wrong);
        }
        let (date, clock) = bare.split_once(['T', ' ']).ok_or_else(wrong)?;
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").map_err(|_| wrong())?;
        let mut parts = clock.split(':');
        let mut part = |required: bool| match parts.next() {
            Some(digits) if digits.len() == 2 => digits.parse::<u32>().map_err(|_| wrong()),
            Some(_) => Err(wrong()),
            None if required => Err(wrong()),
            None => Ok(0),
        };
        let (hour, minute, second) = (part(true)?, part(false)?, part(false)?);
        if parts.next().is_some() {
            return Err(wrong());
        }
        civil(date, hour, minute, second).ok_or_else(wrong)
    }
}

fn civil(date: NaiveDate, hour: u32, minute: u32, second: u32) -> Option<ReferenceTime> {
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    Some(ReferenceTime(date.and_time(time).and_utc().timestamp()))
}

/// The unit in which a product counts its steps, and in which people name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepUnit {
    /// Whole hours.
    Hours,
    /// Minutes, of sub-hourly products.
    Minutes,
}

impl StepUnit {
    /// The name in CF `units`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hours => "hours",
            Self::Minutes => "minutes",
        }
    }

    /// Seconds in one of it.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hours => 3600,
            Self::Minutes => 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_time() {
        for text in [
            "2025-01-06T06",
            "2025-01-06T06Z",
            "2025-01-06T06:00",
            "2025-01-06 06:00:00Z",
            "2025010606",
        ] {
            let time: ReferenceTime = text.parse().unwrap();
            assert_eq!(time.seconds(), 1_736_143_200, "{text}");
            assert_eq!(time.to_string(), "2025-01-06T06");
            assert_eq!((time.yyyymmdd().as_str(), time.hour()), ("20250106", 6));
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in
            ["", "2025-01-06", "2025-02-30T00", "2025-01-06T24", "2025-01-06T6", "20250106T00", "x"]
        {
            let error = text.parse::<ReferenceTime>().unwrap_err().to_string();
            assert!(error.contains("2025-01-06T00"), "{error}");
        }
    }
}
