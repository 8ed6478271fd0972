//! Which totals a forecast's steps yield.

use gik_core::{Error, ErrorKind, Result, StepUnit, WindowRule};

use super::{MissingWindows, Period, Plan, Span, plan};

/// Where totals begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// One after the other, the first from this lead on (in the unit of the steps): with 0
    /// and 24 hours these are the days of the forecast.
    From(u32),
    /// At every step at which one ends: they overlap.
    Sliding,
}

impl Default for Alignment {
    fn default() -> Self {
        Self::From(0)
    }
}

/// A total over a period, and how it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From when to when, in the unit of the steps.
    pub span: Span,
    /// The steps whose windows are added and subtracted, by their position among all steps;
    /// or what is missing.
    pub plan: Result<Plan, MissingWindows>,
}

/// More steps, or totals of them, are no forecast.
const LIMIT: usize = 4096;

/// All totals over `period` that fit between the first and the last step.
///
/// # Errors
/// When there is none: the period is longer than the forecast, or no sum of the steps'
/// windows is one. One that lacks windows among others that do not is kept, without a plan.
pub fn windows(
    steps: &[u32],
    unit: StepUnit,
    rule: WindowRule,
    period: Period,
    alignment: Alignment,
) -> Result<Vec<Window>> {
    let argument = || format!("window {period}");
    let length = period.steps(unit).ok_or_else(|| {
        let reason = format!("is no whole number of {}, the unit of the steps", unit.name());
        Error::argument(argument(), reason)
    })?;
    let spans: Vec<Span> =
        steps.iter().map(|&step| Span::new(rule.start(step, unit).unwrap_or(step), step)).collect();
    let last = steps.iter().copied().max().unwrap_or(0);
    let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let periods: Vec<Span> = match alignment {
        Alignment::From(from) => (0..=LIMIT as u64)
            .map(|number| u64::from(from) + number * u64::from(length))
            .map_while(|start| {
                let end = u32::try_from(start + u64::from(length)).ok()?;
                (end <= last).then(|| Span::new(end - length, end))
            })
            .collect(),
        Alignment::Sliding => {
            let mut ends = steps.to_vec();
            ends.sort_unstable();
            ends.dedup();
            let start = |end: u32| end.checked_sub(length).filter(|&start| start >= first);
            ends.into_iter().filter_map(|end| Some(Span::new(start(end)?, end))).collect()
        }
    };
    if steps.len() > LIMIT || periods.len() > LIMIT {
        return Err(Error::new(ErrorKind::LimitExceeded {
            what: "number of steps or windows (choose fewer with --sel step=first:last)",
            limit: LIMIT as u64,
            found: steps.len().max(periods.len()) as u64,
        }));
    }
    let all = periods.into_iter().map(|span| Window { span, plan: plan(&spans, span) });
    let mut windows: Vec<Window> = all.collect();
    if alignment == Alignment::Sliding {
        // Periods that begin between two steps are none that anyone asked for.
        windows.retain(|window| window.plan.is_ok());
    }
    if windows.iter().any(|window| window.plan.is_ok()) {
        // What lies before the first step that was chosen nobody asked for.
        let chosen = steps.iter().copied().min().unwrap_or(0);
        let asked = |window: &Window| window.plan.is_ok() || window.span.start >= chosen;
        let leading = windows.iter().take_while(|window| !asked(window)).count();
        return Ok(windows.split_off(leading));
    }
    match windows.into_iter().find_map(|window| window.plan.err()) {
        Some(missing) => Err(missing.into()),
        None => Err(Error::argument(
            argument(),
            format!("fits no steps; they reach from {first} to {last} {}", unit.name()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GEFS: WindowRule = WindowRule::SinceMultiple { minutes: 360 };

    fn spans(windows: &[Window]) -> Vec<(u32, u32)> {
        windows.iter().map(|window| (window.span.start, window.span.end)).collect()
    }

    fn used(window: &Window) -> Vec<usize> {
        window.plan.as_ref().unwrap().terms().iter().map(|term| term.index).collect()
    }

    #[test]
    fn days_of_gefs_are_four_windows_of_eight() {
        let steps: Vec<u32> = (0..=240).step_by(3).collect();
        let day = Period::hours(24);
        let days = windows(&steps, StepUnit::Hours, GEFS, day, Alignment::default()).unwrap();
        assert_eq!(days.len(), 10);
        assert_eq!(used(&days[1]), [10, 12, 14, 16]);
        let later = windows(&steps, StepUnit::Hours, GEFS, day, Alignment::From(6)).unwrap();
        assert_eq!(spans(&later)[..2], [(6, 30), (30, 54)]);
        // Beyond 240 h the steps are 6 apart.
        let long: Vec<u32> = steps.iter().copied().chain((246..=384).step_by(6)).collect();
        let days = windows(&long, StepUnit::Hours, GEFS, day, Alignment::default()).unwrap();
        assert_eq!((days.len(), used(&days[15])), (16, vec![101, 102, 103, 104]));
    }

    #[test]
    fn sliding_totals_of_the_ecmwf_ensemble() {
        let steps: Vec<u32> = (0..=144).step_by(3).chain((150..=360).step_by(6)).collect();
        let day = Period::hours(24);
        let rule = WindowRule::SinceStart;
        let all = windows(&steps, StepUnit::Hours, rule, day, Alignment::Sliding).unwrap();
        assert_eq!((steps.len(), all.len()), (85, 77));
        assert_eq!(spans(&all)[..2], [(0, 24), (3, 27)]);
        let days = windows(&steps, StepUnit::Hours, rule, day, Alignment::default()).unwrap();
        assert_eq!(days.len(), 15);
        assert_eq!(used(&days[0]), [8]);
    }

    #[test]
    fn a_missing_step_makes_its_day_missing() {
        let steps: Vec<u32> = (0..=48).step_by(3).filter(|&step| step != 12).collect();
        let day = Period::hours(24);
        let days = windows(&steps, StepUnit::Hours, GEFS, day, Alignment::default()).unwrap();
        assert_eq!(days[0].plan.as_ref().unwrap_err().missing, [Span::new(9, 12)]);
        assert!(days[1].plan.is_ok());
        let error = windows(&[0, 3], StepUnit::Hours, GEFS, day, Alignment::default());
        assert!(error.unwrap_err().to_string().contains("reach from 0 to 3 hours"));
        let half = "90min".parse().unwrap();
        assert!(windows(&steps, StepUnit::Hours, GEFS, half, Alignment::default()).is_err());
        let none = windows(&[12, 24], StepUnit::Hours, GEFS, day, Alignment::default());
        assert!(none.unwrap_err().to_string().contains("some that span"));
    }

    #[test]
    fn what_lies_before_the_chosen_steps_is_not_asked_for() {
        let steps: Vec<u32> = (24..=48).step_by(3).collect();
        let of = |hours, rule| {
            let period = Period::hours(hours);
            windows(&steps, StepUnit::Hours, rule, period, Alignment::default()).unwrap()
        };
        assert_eq!(spans(&of(24, GEFS)), [(24, 48)]);
        // A total since the start says what fell on the first day, too.
        assert_eq!(spans(&of(24, WindowRule::SinceStart)), [(0, 24), (24, 48)]);
        assert_eq!(spans(&of(3, GEFS))[..2], [(24, 27), (27, 30)]);
    }

    #[test]
    fn sub_hourly_windows() {
        let steps: Vec<u32> = (15..=120).step_by(15).collect();
        let rule = WindowRule::Last { minutes: 15 };
        let hour = Period::hours(1);
        let hours = windows(&steps, StepUnit::Minutes, rule, hour, Alignment::default()).unwrap();
        assert_eq!(spans(&hours), [(0, 60), (60, 120)]);
        assert_eq!(used(&hours[1]), [4, 5, 6, 7]);
    }

    #[test]
    fn a_hostile_number_of_steps_is_refused() {
        let steps: Vec<u32> = (0..10_000).collect();
        let hour = Period::hours(1);
        let rule = WindowRule::SinceStart;
        let all = windows(&steps, StepUnit::Hours, rule, hour, Alignment::default());
        assert!(all.unwrap_err().to_string().contains("more than the limit"));
    }
}
