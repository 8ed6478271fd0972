//! Where the window of a step begins.

use std::fmt;
use std::str::FromStr;

use super::Statistic;
use crate::{Attributes, Error, Result, StepUnit};

/// Over which leads the values of an array extend, as a rule for all its steps.
///
/// A model states it in its variable table, and the array's `cell_methods` carry it in the
/// words of [`Display`](fmt::Display), as a comment: `step: sum (comment: since the start of
/// the forecast)`. Who adds up rain reads it back with [`of_attributes`](Self::of_attributes).
///
/// # Examples
/// ```
/// use gik_core::{StepUnit, WindowRule};
///
/// let gefs: WindowRule = "since the last multiple of 6 hours before the step".parse()?;
/// assert_eq!(gefs.start(9, StepUnit::Hours), Some(6));
/// assert_eq!(gefs.start(12, StepUnit::Hours), Some(6));
/// let hourly: WindowRule = "over the last hour".parse()?;
/// assert_eq!(hourly.start(45, StepUnit::Minutes), None);
/// assert_eq!(hourly.start(90, StepUnit::Minutes), Some(30));
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowRule {
    /// From the start of the forecast: totals that grow.
    SinceStart,
    /// From the last multiple of so many minutes before the step: counting starts anew there.
    SinceMultiple {
        /// Minutes, at least 1.
        minutes: u32,
    },
    /// From so many minutes before the step.
    Last {
        /// Minutes, at least 1.
        minutes: u32,
    },
}

const START: &str = "since the start of the forecast";
const MULTIPLE: (&str, &str) = ("since the last multiple of ", " before the step");
const LAST: &str = "over the last ";

impl WindowRule {
    /// The rule and statistic that an array's attributes state; nothing where they state
    /// none, as for instants.
    #[must_use]
    pub fn of_attributes(attributes: &Attributes) -> Option<(Statistic, Self)> {
        let methods = attributes.get("cell_methods")?.as_str()?;
        // `step: sum (comment: …)`, after the methods of other dimensions perhaps.
        let (before, rest) = methods.split_once(" (comment: ")?;
        let rule = rest.split_once(')')?.0.parse().ok()?;
        let word = before.rsplit(' ').next()?;
        let statistic = Statistic::all().find(|it| it.cell_method() == Some(word))?;
        Some((statistic, rule))
    }

    /// The lead at which the window of a step begins, in the unit of the step; nothing where
    /// it would begin before the forecast does or is no whole number.
    #[must_use]
    pub fn start(self, step: u32, unit: StepUnit) -> Option<u32> {
        let per_minute = |minutes: u32| {
            let seconds = i64::from(minutes) * 60;
            let units = u32::try_from(seconds / unit.seconds()).ok()?;
            (seconds % unit.seconds() == 0 && units > 0).then_some(units)
        };
        match self {
            Self::SinceStart => Some(0),
            Self::SinceMultiple { minutes } => {
                let length = per_minute(minutes)?;
                Some(step.saturating_sub(1) / length * length)
            }
            Self::Last { minutes } => step.checked_sub(per_minute(minutes)?),
        }
    }
}

/// `6 hours`, `hour`, `15 minutes`.
fn period(text: &str) -> Option<u32> {
    let (count, unit) = text.split_once(' ').unwrap_or(("1", text));
    let factor = match unit {
        "hour" | "hours" => 60,
        "minute" | "minutes" => 1,
        _ => return None,
    };
    count.parse::<u32>().ok()?.checked_mul(factor).filter(|&minutes| minutes > 0)
}

fn period_text(minutes: u32, one: &str) -> String {
    match (minutes, minutes % 60) {
        (60, _) => format!("{one}hour"),
        (1, _) => format!("{one}minute"),
        (_, 0) => format!("{} hours", minutes / 60),
        _ => format!("{minutes} minutes"),
    }
}

impl FromStr for WindowRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rule = if text == START {
            Some(Self::SinceStart)
        } else if let Some(rest) = text.strip_prefix(MULTIPLE.0) {
            let minutes = rest.strip_suffix(MULTIPLE.1).and_then(period);
            minutes.map(|minutes| Self::SinceMultiple { minutes })
        } else {
            let minutes = text.strip_prefix(LAST).and_then(period);
            minutes.map(|minutes| Self::Last { minutes })
        };
        rule.ok_or_else(|| {
            Error::malformed(
                "window of a variable",
                format!("'{START}', '{}6 hours{}' or '{LAST}3 hours'", MULTIPLE.0, MULTIPLE.1),
                text,
            )
        })
    }
}

/// In words, as in the comment of `cell_methods`.
impl fmt::Display for WindowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SinceStart => f.write_str(START),
            Self::SinceMultiple { minutes } => {
                write!(f, "{}{}{}", MULTIPLE.0, period_text(*minutes, "1 "), MULTIPLE.1)
            }
            Self::Last { minutes } => write!(f, "{LAST}{}", period_text(*minutes, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "since the start of the forecast",
            "since the last multiple of 6 hours before the step",
            "since the last multiple of 15 minutes before the step",
            "since the last multiple of 1 hour before the step",
            "over the last 3 hours",
            "over the last hour",
            "over the last 15 minutes",
        ] {
            assert_eq!(text.parse::<WindowRule>().unwrap().to_string(), text);
        }
        for text in
            ["", "over the last", "over the last 0 hours", "since the previous post-processing"]
        {
            assert!(text.parse::<WindowRule>().is_err(), "{text}");
        }
        assert!("over the last 99999999999 hours".parse::<WindowRule>().is_err());
    }

    #[test]
    fn where_windows_begin() {
        let hours =
            |rule: &str, step| rule.parse::<WindowRule>().unwrap().start(step, StepUnit::Hours);
        let gefs = "since the last multiple of 6 hours before the step";
        let steps = [0, 3, 6, 9, 12, 240, 246];
        assert_eq!(steps.map(|it| hours(gefs, it)), [0, 0, 0, 6, 6, 234, 240].map(Some));
        assert_eq!(hours("over the last 3 hours", 2), None);
        assert_eq!(hours("over the last 15 minutes", 2), None);
        assert_eq!(hours("since the start of the forecast", 360), Some(0));
    }

    #[test]
    fn attributes_say_statistic_and_rule() {
        let of = |methods: &str| {
            WindowRule::of_attributes(json!({"cell_methods": methods}).as_object().unwrap())
        };
        let last = Some((Statistic::Maximum, WindowRule::Last { minutes: 360 }));
        assert_eq!(of("step: maximum (comment: over the last 6 hours)"), last);
        let sum = of("area: mean time: sum (comment: since the start of the forecast)");
        assert_eq!(sum, Some((Statistic::Accumulation, WindowRule::SinceStart)));
        assert_eq!(of("step: sum"), None);
        assert_eq!(of("step: sum (comment: as it comes)"), None);
    }
}
