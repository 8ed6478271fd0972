//! Local time, as people name it: `Africa/Nairobi`, `+3`, `UTC`.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
use gik_core::{Error, Result};

/// A time zone.
///
/// # Examples
/// ```
/// let nairobi: gik_analysis::Zone = "Africa/Nairobi".parse()?;
/// assert_eq!(nairobi.text(1_736_121_600, "%a %H:%M"), "Mon 03:00");
/// assert_eq!(nairobi.name(1_736_121_600), "EAT");
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Kind::Named(Tz::UTC));

    fn local(self, seconds: i64) -> NaiveDateTime {
        let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
        let offset = match self.0 {
            Kind::Named(zone) => zone.offset_from_utc_datetime(&utc).fix(),
            Kind::Fixed(offset) => offset,
        };
        utc + chrono::Duration::seconds(i64::from(offset.local_minus_utc()))
    }

    /// A time in seconds since 1970 as text, in chrono's notation.
    #[must_use]
    pub fn text(self, seconds: i64, format: &str) -> String {
        self.local(seconds).format(format).to_string()
    }

    /// The zone's short name at that time: `EAT`, `UTC`, `UTC+3`.
    #[must_use]
    pub fn name(self, seconds: i64) -> String {
        let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
        match self.0 {
            Kind::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&utc);
                match offset.abbreviation() {
                    Some(name) if name.starts_with(|c: char| c.is_alphabetic()) => name.to_owned(),
                    _ => offset_name(offset.fix()),
                }
            }
            Kind::Fixed(offset) => offset_name(offset),
        }
    }
}

fn offset_name(offset: FixedOffset) -> String {
    let minutes = offset.local_minus_utc() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".into(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

impl FromStr for Zone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(zone) = text.parse::<Tz>() {
            return Ok(Self(Kind::Named(zone)));
        }
        let offset = text.strip_prefix("UTC").unwrap_or(text);
        let seconds = || {
            let negative = offset.starts_with(['-', '−']);
            let digits = offset.strip_prefix(['+', '-', '−'])?;
            let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
            let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
            if !(0..=14).contains(&hours) || !(0..60).contains(&minutes) {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            FixedOffset::east_opt(if negative { -seconds } else { seconds })
        };
        seconds().map(|offset| Self(Kind::Fixed(offset))).ok_or_else(|| {
            Error::argument(
                format!("time zone '{text}'"),
                "is not known; write a name like Africa/Nairobi, or +3",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets() {
        let at = |zone: &str| {
            let zone: Zone = zone.parse().unwrap();
            format!("{} {}", zone.text(1_736_121_600, "%H:%M"), zone.name(1_736_121_600))
        };
        assert_eq!(at("UTC"), "00:00 UTC");
        assert_eq!(at("Africa/Addis_Ababa"), "03:00 EAT");
        assert_eq!(at("+3"), "03:00 UTC+3");
        assert_eq!(at("UTC-03:30"), "20:30 UTC−3:30");
        assert_eq!(at("America/New_York"), "19:00 EST");
        assert_eq!(at("Asia/Dubai"), "04:00 UTC+4");
        for text in ["", "Nairobi", "+99", "3", "+3:99", "+-3"] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }
}
