//! Times of CF coordinates, `units = "<unit> since <date>"`, as calendar dates.
//!
//! CF conventions §4.4; the calendars that equal ISO 8601's for every date after 1582.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::Coordinate;

/// Calendars in which a modern date is what ISO 8601 takes it for.
const CALENDARS: [&str; 3] = ["standard", "gregorian", "proleptic_gregorian"];

/// How the numbers of a coordinate count time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeUnits {
    seconds_per_unit: f64,
    epoch: NaiveDateTime,
}

impl TimeUnits {
    /// The units of a coordinate that holds times; `None` for one that does not.
    pub(crate) fn of(coordinate: &Coordinate) -> Option<Self> {
        let calendar = coordinate.text("calendar").unwrap_or("standard");
        if !CALENDARS.contains(&calendar.to_ascii_lowercase().as_str()) {
            return None;
        }
        Self::parse(coordinate.text("units")?)
    }

    fn parse(units: &str) -> Option<Self> {
        let (unit, epoch) = units.split_once(" since ")?;
        let seconds_per_unit = match unit.trim() {
            "seconds" | "second" | "s" => 1.0,
            "minutes" | "minute" | "min" => 60.0,
            "hours" | "hour" | "h" => 3600.0,
            "days" | "day" | "d" => 86400.0,
            _ => return None,
        };
        let epoch = epoch.trim().trim_end_matches('Z').trim_end_matches(" UTC");
        let (date, clock) = epoch.split_once(['T', ' ']).unwrap_or((epoch, "00:00:00"));
        let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        let clock = ["%H:%M:%S%.f", "%H:%M"]
            .iter()
            .find_map(|form| chrono::NaiveTime::parse_from_str(clock, form).ok())?;
        Some(Self { seconds_per_unit, epoch: date.and_time(clock) })
    }

    /// The time that `value` stands for, to the second.
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, chrono then refuses")]
    pub(crate) fn time(&self, value: f64) -> Option<DateTime<Utc>> {
        if !value.is_finite() {
            return None;
        }
        let seconds = (value * self.seconds_per_unit).round() as i64;
        let seconds = self.epoch.and_utc().timestamp().checked_add(seconds)?;
        DateTime::from_timestamp(seconds, 0)
    }

    /// ISO 8601, in UTC: `2025-01-06T00:00:00Z`.
    pub(crate) fn iso(&self, value: f64) -> Option<String> {
        Some(self.time(value)?.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_as_they_are_written() {
        let iso = |units: &str, value: f64| TimeUnits::parse(units)?.iso(value);
        let expected = Some("2025-01-06T06:00:00Z".to_owned());
        assert_eq!(iso("seconds since 1970-01-01", 1_736_143_200.0), expected);
        assert_eq!(iso("seconds since 1970-01-01T00:00:00Z", 1_736_143_200.0), expected);
        assert_eq!(iso("seconds since 1970-01-01 00:00:00 UTC", 1_736_143_200.0), expected);
        assert_eq!(iso("hours since 2025-01-06 00:00", 6.0), expected);
        assert_eq!(iso("days since 2025-01-01", 5.25), expected);
        assert_eq!(iso("minutes since 2025-01-06T05:30:00.0", 30.0), expected);
        assert_eq!(iso("seconds since 1970-01-01", f64::NAN), None);
        assert_eq!(iso("seconds since 1970-01-01", 1e300), None);
    }

    #[test]
    fn what_is_no_time() {
        for units in ["hours", "K", "months since 2000-01-01", "days since yesterday", ""] {
            assert_eq!(TimeUnits::parse(units), None, "{units}");
        }
        let noleap = Coordinate::scalar("time", crate::CoordinateValues::Int64(vec![0]))
            .with_attribute("units", "days since 2000-01-01")
            .with_attribute("calendar", "noleap");
        assert_eq!(TimeUnits::of(&noleap), None);
    }
}
