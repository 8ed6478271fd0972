//! Over which windows messages extend: what they show, and what a row says.

use std::collections::{BTreeMap, BTreeSet};

use gik_core::{StepUnit, VariableRow, Window, WindowRule};

/// After how many minutes centres begin to count anew: NAM after 3 and 12 hours, GFS and GEFS
/// after 6. A window from the start that is longer than all of them is of a run total.
const BUCKETS: [u32; 3] = [180, 360, 720];
/// What stands between the rules of a row that may follow any of them.
const OR: &str = " or ";
/// Steps, in hours, up to which one is looked for that would tell rules apart.
const LAST_STEP: u32 = 240;

/// Messages of one array among those that differ in nothing but their windows.
#[derive(Debug, PartialEq)]
pub(super) struct Series {
    /// The rules that all its windows follow: one if the files tell, several if they do not, none
    /// if the windows follow no rule or there are none.
    pub(super) rules: Vec<WindowRule>,
    /// Its windows, by file. Those at the reference time, which are empty, are of every series.
    pub(super) windows: BTreeMap<usize, Window>,
}

impl Series {
    /// What a row says of it.
    pub(super) fn words(&self) -> String {
        self.rules.iter().map(WindowRule::to_string).collect::<Vec<_>>().join(OR)
    }
}

/// The series that the windows of some files, each with all that it has of one field, make up.
///
/// A rule holds if each file has a window that follows it. Rules that pick the same windows of
/// all files are of one series: these files do not tell which of them it is.
pub(super) fn series(files: &BTreeMap<usize, Vec<Window>>) -> Vec<Series> {
    let instants = files.values().flatten().all(|window| window.statistic().is_none());
    let later: Vec<(usize, &Vec<Window>)> = files
        .iter()
        .filter(|(_, windows)| windows.iter().any(|window| window.end_seconds() > 0))
        .map(|(&file, windows)| (file, windows))
        .collect();
    let first = |file: usize| files.get(&file).and_then(|windows| windows.first().copied());
    let empty: BTreeMap<usize, Window> = files
        .keys()
        .filter(|file| !later.iter().any(|(other, _)| other == *file))
        .filter_map(|&file| Some((file, first(file)?)))
        .collect();
    if instants || later.is_empty() {
        let windows = files.keys().filter_map(|&file| Some((file, first(file)?))).collect();
        return vec![Series { rules: Vec::new(), windows }];
    }
    let mut found = Vec::<Series>::new();
    for rule in candidates(&later) {
        let pick = |&(file, windows): &(usize, &Vec<Window>)| {
            windows.iter().find(|window| holds(rule, window)).map(|&window| (file, window))
        };
        let Some(windows) = later.iter().map(pick).collect::<Option<BTreeMap<_, _>>>() else {
            continue;
        };
        match found.iter_mut().find(|series| series.windows == windows) {
            Some(series) => series.rules.push(rule),
            None => found.push(Series { rules: vec![rule], windows }),
        }
    }
    // What picks nothing that others do not pick, too, is there by chance.
    for number in (0..found.len()).rev() {
        let others = |file: &usize, window: &Window| {
            let mut others = found.iter().enumerate().filter(|(other, _)| *other != number);
            others.any(|(_, series)| series.windows.get(file) == Some(window))
        };
        let is_covered = found
            .get(number)
            .is_some_and(|series| series.windows.iter().all(|(file, window)| others(file, window)));
        if is_covered {
            found.remove(number);
        }
    }
    found.extend(others(&later, &found));
    for series in &mut found {
        series.rules = told(&series.rules, &series.windows);
        series.windows.extend(&empty);
    }
    found
}

/// The windows that no series has, in their order.
fn others(files: &[(usize, &Vec<Window>)], found: &[Series]) -> Vec<Series> {
    let mut others = Vec::<Series>::new();
    for &(file, windows) in files {
        let is_left = |window: &&Window| {
            !found.iter().any(|series| series.windows.get(&file) == Some(*window))
        };
        for (number, &window) in windows.iter().filter(is_left).enumerate() {
            if number == others.len() {
                others.push(Series { rules: Vec::new(), windows: BTreeMap::new() });
            }
            if let Some(series) = others.get_mut(number) {
                series.windows.insert(file, window);
            }
        }
    }
    others
}

/// Rules that some window may follow, the simplest first.
fn candidates(files: &[(usize, &Vec<Window>)]) -> Vec<WindowRule> {
    let lengths: BTreeSet<u32> = files
        .iter()
        .flat_map(|(_, windows)| windows.iter())
        .filter_map(|window| u32::try_from(window.length_seconds() / 60).ok())
        .filter(|&minutes| minutes > 0)
        .collect();
    let mut list = vec![WindowRule::SinceStart];
    list.extend(lengths.into_iter().map(|minutes| WindowRule::Last { minutes }));
    list.extend(BUCKETS.map(|minutes| WindowRule::SinceMultiple { minutes }));
    list
}

/// Without the bucket of a length where all windows have it: at the multiples of its length,
/// where all of them end, it is the same.
fn told(rules: &[WindowRule], windows: &BTreeMap<usize, Window>) -> Vec<WindowRule> {
    let is_other = |rule: &&WindowRule| match **rule {
        WindowRule::SinceMultiple { minutes } => {
            let length = i64::from(minutes) * 60;
            let ends_there = windows.values().all(|window| window.end_seconds() % length == 0);
            !(ends_there && rules.contains(&WindowRule::Last { minutes }))
        }
        _ => true,
    };
    rules.iter().filter(is_other).copied().collect()
}

/// The first step, in hours, that tells some of these rules apart, and the first that tells all:
/// among the multiples of `apart` after `last`.
pub(super) fn telling_steps(rules: &[WindowRule], last: u32, apart: u32) -> Option<(u32, u32)> {
    let starts = |step: u32| -> BTreeSet<Option<u32>> {
        rules.iter().map(|rule| rule.start(step, StepUnit::Hours)).collect()
    };
    let apart = apart.max(1);
    let steps = || (last + 1..=last + LAST_STEP).filter(|step| step.is_multiple_of(apart));
    let some = steps().find(|&step| starts(step).len() > 1)?;
    Some((some, steps().find(|&step| starts(step).len() == rules.len())?))
}

fn holds(rule: WindowRule, window: &Window) -> bool {
    let (start, end) = (window.start_seconds(), window.end_seconds());
    let minutes = |seconds: i64| u32::try_from(seconds / 60).ok().filter(|_| seconds % 60 == 0);
    let expected = minutes(end).and_then(|end| rule.start(end, StepUnit::Minutes));
    expected.is_some() && expected == minutes(start)
}

/// The rules that the windows of a row may follow, in the words of a template or of the
/// compiled-in tables; none where any window is the row's.
pub(super) fn rules(row: &VariableRow) -> Vec<WindowRule> {
    let minutes = |minutes| vec![WindowRule::Last { minutes }];
    match row.fact("period") {
        "run" => vec![WindowRule::SinceStart],
        "hour" => minutes(60),
        "quarter" => minutes(15),
        "5min" => minutes(5),
        _ => row.fact("window").split(OR).filter_map(|text| text.parse().ok()).collect(),
    }
}

/// Whether a window may be one of a row. An empty one is of any.
pub(super) fn fits(rules: &[WindowRule], window: &Window) -> bool {
    window.end_seconds() == 0
        || window.statistic().is_none()
        || rules.is_empty()
        || rules.iter().any(|rule| holds(*rule, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The series of files of these windows, in words: `rules: windows`.
    fn found(files: &[&[&str]]) -> Vec<String> {
        let files = files.iter().map(|windows| {
            windows.iter().map(|text| format!("{text} fcst").parse().unwrap()).collect()
        });
        let words = |series: &Series| {
            let windows: Vec<String> = series
                .windows
                .values()
                .map(|it| it.to_string().replace(" hour acc fcst", ""))
                .collect();
            let rules = series
                .words()
                .replace("since the last multiple of ", "bucket ")
                .replace(" before the step", "")
                .replace("since the start of the forecast", "run");
            format!("{rules}: {}", windows.join(" "))
        };
        series(&files.enumerate().collect()).iter().map(words).collect()
    }

    #[test]
    fn buckets_are_told_by_the_first_after_the_first() {
        let (f0, f3, f6) = (["0-0 day acc"], ["0-3 hour acc"], ["0-6 hour acc"]);
        let (f9, f12) = (["6-9 hour acc"], ["6-12 hour acc"]);
        assert_eq!(found(&[&f3, &f6]), ["run or bucket 6 hours or bucket 12 hours: 0-3 0-6"]);
        assert_eq!(found(&[&f3, &f6, &f9]), ["bucket 6 hours: 0-3 0-6 6-9"]);
        assert_eq!(found(&[&f3, &f12]), ["bucket 6 hours: 0-3 6-12"]);
        assert_eq!(
            found(&[&f0, &f9]),
            ["over the last 3 hours or bucket 6 hours: 0-0 day acc fcst 6-9"]
        );
        assert_eq!(found(&[&f0, &f12]), ["over the last 6 hours: 0-0 day acc fcst 6-12"]);
        assert_eq!(found(&[&f3, &["0-15 hour acc"]]), ["run: 0-3 0-15"]);
        assert_eq!(found(&[&f0]), [": 0-0 day acc fcst"]);
    }

    #[test]
    fn run_totals_and_hours_are_two_series() {
        let (f1, f2) = (["0-1 hour acc"], ["0-2 hour acc", "1-2 hour acc"]);
        let f14 = ["0-14 hour acc", "13-14 hour acc"];
        let open =
            "run or over the last hour or bucket 3 hours or bucket 6 hours or bucket 12 hours";
        assert_eq!(found(&[&f1]), [format!("{open}: 0-1")]);
        let open = "run or bucket 3 hours or bucket 6 hours or bucket 12 hours";
        assert_eq!(
            found(&[&f1, &f2]),
            [format!("{open}: 0-1 0-2"), "over the last hour: 0-1 1-2".to_owned()]
        );
        assert_eq!(found(&[&f1, &f14]), ["run: 0-1 0-14", "over the last hour: 0-1 13-14"]);
        // GFS: a bucket beside the total, one message up to its end.
        let (f6, f14) = (["0-6 hour acc"], ["0-14 hour acc", "12-14 hour acc"]);
        let f9 = ["0-9 hour acc", "6-9 hour acc"];
        assert_eq!(
            found(&[&f6, &f9, &f14]),
            ["run: 0-6 0-9 0-14", "bucket 6 hours: 0-6 6-9 12-14"]
        );
    }

    #[test]
    fn what_follows_no_rule_is_kept_apart() {
        let (f6, f9) = (["0-6 hour acc"], ["2-9 hour acc", "1-9 hour acc"]);
        assert_eq!(found(&[&f6, &f9]), [": 0-6 2-9", ": 1-9"]);
    }

    #[test]
    fn the_steps_that_tell_are_named() {
        let hours = |hours: u32| WindowRule::SinceMultiple { minutes: hours * 60 };
        let rules = [WindowRule::SinceStart, hours(6), hours(12)];
        assert_eq!(telling_steps(&rules, 6, 3), Some((9, 21)));
        assert_eq!(telling_steps(&[WindowRule::SinceStart, hours(12)], 7, 1), Some((13, 13)));
        assert_eq!(telling_steps(&rules[..1], 6, 3), None);
    }
}
