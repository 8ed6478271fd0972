//! Which windows to add and subtract.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;

use gik_core::Error;

/// A span of time, in hours (or minutes) from the start of the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Its first moment.
    pub start: u32,
    /// Its last moment.
    pub end: u32,
}

impl Span {
    /// From `start` to `end`.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.start, self.end)
    }
}

/// A window in a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Where it stands in the list of windows given.
    pub index: usize,
    /// Its span.
    pub span: Span,
    /// Whether it is subtracted instead of added.
    pub subtracted: bool,
}

/// The windows whose sum, with their signs, is the total over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    terms: Vec<Term>,
}

impl Plan {
    /// The windows with their signs, at least one.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The windows with their signs.
    #[must_use]
    pub fn into_terms(self) -> Vec<Term> {
        self.terms
    }
}

/// Why there is no total: windows that would be needed are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingWindows {
    /// The period asked for.
    pub period: Span,
    /// Spans that would join what there is, in order. Where a model counts from the start,
    /// a window from there to a span's end serves as well.
    pub missing: Vec<Span>,
    /// The windows there are.
    pub available: Vec<Span>,
}

impl fmt::Display for MissingWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(self.clone()).fmt(f)
    }
}

impl std::error::Error for MissingWindows {}

impl From<MissingWindows> for Error {
    fn from(missing: MissingWindows) -> Self {
        let found = match missing.available.as_slice() {
            [] => "none".into(),
            spans => format!("only {}", join(spans)),
        };
        Self::mismatch(
            format!("windows that add up to {}", missing.period),
            format!("some that span {}", join(&missing.missing)),
            found,
        )
    }
}

fn join(spans: &[Span]) -> String {
    spans.iter().map(Span::to_string).collect::<Vec<_>>().join(", ")
}

/// The cost of a walk: windows, then subtractions among them.
type Cost = (u32, u32);

/// Finds the windows that make up `period`; see the module's documentation.
///
/// Windows without length are ignored; of two with one span the first is taken. The result
/// does not depend on the order of the windows otherwise.
///
/// # Errors
/// If no sum of the windows is the total over the period, or that does not end after it starts.
pub fn plan(windows: &[Span], period: Span) -> Result<Plan, MissingWindows> {
    let mut first: BTreeMap<Span, usize> = BTreeMap::new();
    for (index, &span) in windows.iter().enumerate() {
        if span.start < span.end {
            first.entry(span).or_insert(index);
        }
    }
    let mut edges: BTreeMap<u32, Vec<(u32, Term)>> = BTreeMap::new();
    for (&span, &index) in &first {
        let added = Term { index, span, subtracted: false };
        edges.entry(span.start).or_default().push((span.end, added));
        edges.entry(span.end).or_default().push((span.start, Term { subtracted: true, ..added }));
    }
    let terms = if period.start < period.end { shortest(&edges, period) } else { None };
    terms.map(|terms| Plan { terms }).ok_or_else(|| MissingWindows {
        period,
        missing: gaps(&edges, period),
        available: first.into_keys().collect(),
    })
}

/// Dijkstra's walk from the start of the period to its end.
fn shortest(edges: &BTreeMap<u32, Vec<(u32, Term)>>, period: Span) -> Option<Vec<Term>> {
    let mut best: BTreeMap<u32, (Cost, Option<(u32, Term)>)> = BTreeMap::new();
    best.insert(period.start, ((0, 0), None));
    let mut queue = BinaryHeap::from([Reverse(((0, 0), period.start))]);
    while let Some(Reverse((cost, hour))) = queue.pop() {
        if hour == period.end {
            break;
        }
        if best.get(&hour).is_some_and(|(known, _)| *known < cost) {
            continue;
        }
        for &(next, term) in edges.get(&hour).into_iter().flatten() {
            let next_cost = (cost.0 + 1, cost.1 + u32::from(term.subtracted));
            if best.get(&next).is_none_or(|(known, _)| next_cost < *known) {
                best.insert(next, (next_cost, Some((hour, term))));
                queue.push(Reverse((next_cost, next)));
            }
        }
    }
    let mut terms = Vec::new();
    let mut hour = period.end;
    while let (_, Some((previous, term))) = best.get(&hour)? {
        terms.push(*term);
        hour = *previous;
    }
    terms.reverse();
    Some(terms)
}

/// Spans between neighbouring hours that would join the start of the period to its end.
fn gaps(edges: &BTreeMap<u32, Vec<(u32, Term)>>, period: Span) -> Vec<Span> {
    if period.start >= period.end {
        return vec![period];
    }
    // Each hour's group: those that windows join already.
    let mut group: BTreeMap<u32, u32> = BTreeMap::new();
    let ends = [period.start, period.end];
    let hours: BTreeSet<u32> = edges.keys().copied().chain(ends).collect();
    for &hour in &hours {
        if group.contains_key(&hour) {
            continue;
        }
        let mut open = vec![hour];
        while let Some(reached) = open.pop() {
            if group.insert(reached, hour).is_none() {
                open.extend(edges.get(&reached).into_iter().flatten().map(|(next, _)| *next));
            }
        }
    }
    let mut missing = Vec::new();
    let mut previous: Option<u32> = None;
    for &hour in hours.range(period.start..=period.end) {
        let from = previous.replace(hour);
        let (Some(from), Some(&here)) = (from, group.get(&hour)) else { continue };
        let Some(&there) = group.get(&from) else { continue };
        if here != there && group.get(&period.start) != group.get(&period.end) {
            missing.push(Span::new(from, hour));
            // Joined from here on.
            group.values_mut().filter(|value| **value == here).for_each(|value| *value = there);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(u32, u32)]) -> Vec<Span> {
        pairs.iter().map(|&(start, end)| Span::new(start, end)).collect()
    }

    /// The plan as `+0–6 -0–3`.
    fn text(windows: &[Span], from: u32, to: u32) -> String {
        match plan(windows, Span::new(from, to)) {
            Ok(plan) => plan
                .terms()
                .iter()
                .map(|term| format!("{}{}", if term.subtracted { '-' } else { '+' }, term.span))
                .collect::<Vec<_>>()
                .join(" "),
            Err(missing) => format!("missing {}", join(&missing.missing)),
        }
    }

    #[test]
    fn gefs() {
        let windows =
            spans(&[(0, 3), (0, 6), (6, 9), (6, 12), (12, 15), (12, 18), (18, 21), (18, 24)]);
        assert_eq!(text(&windows, 0, 24), "+0–6 +6–12 +12–18 +18–24");
        assert_eq!(text(&windows, 3, 6), "-0–3 +0–6");
        assert_eq!(text(&windows, 6, 9), "+6–9");
        assert_eq!(text(&windows, 3, 15), "-0–3 +0–6 +6–12 +12–15");
        assert_eq!(text(&windows, 6, 6), "missing 6–6");
        assert_eq!(text(&windows, 0, 25), "missing 24–25");
        assert_eq!(text(&windows, 1, 24), "missing 1–3");
    }

    #[test]
    fn a_missing_window_is_made_of_others_or_missed() {
        // f012 is lost, but someone kept the second half.
        let derivable = spans(&[(0, 6), (6, 9), (9, 12), (12, 18), (18, 24)]);
        assert_eq!(text(&derivable, 0, 24), "+0–6 +6–9 +9–12 +12–18 +18–24");
        let lost = spans(&[(0, 3), (0, 6), (6, 9), (12, 15), (12, 18), (18, 21), (18, 24)]);
        assert_eq!(text(&lost, 0, 24), "missing 9–12");
        let two_lost = spans(&[(0, 3), (0, 6), (6, 9), (12, 15), (18, 21), (18, 24)]);
        assert_eq!(text(&two_lost, 0, 24), "missing 9–12, 15–18");
        assert_eq!(text(&[], 0, 24), "missing 0–24");
        assert_eq!(
            plan(&[], Span::new(0, 6)).unwrap_err().to_string(),
            "windows that add up to 0–6: expected some that span 0–6, found none"
        );
    }

    #[test]
    fn hrrr_run_totals_need_one_subtraction() {
        let mut windows: Vec<Span> = (1..=24).map(|hour| Span::new(0, hour)).collect();
        windows.extend((2..=24).map(|hour| Span::new(hour - 1, hour)));
        assert_eq!(text(&windows, 0, 24), "+0–24");
        assert_eq!(text(&windows, 6, 12), "-0–6 +0–12");
        assert_eq!(text(&windows, 11, 12), "+11–12");
        // Two terms either way: adding beats subtracting.
        assert_eq!(text(&windows, 10, 12), "+10–11 +11–12");
        // Hours 7 to 12 by the hour when the run total at 12 is not there.
        windows.retain(|span| *span != Span::new(0, 12));
        assert_eq!(text(&windows, 6, 12), "-0–6 +0–11 +11–12");
    }

    #[test]
    fn ecmwf_since_the_start() {
        let windows = spans(&[(0, 0), (0, 24), (0, 27), (0, 48), (0, 51)]);
        assert_eq!(text(&windows, 24, 48), "-0–24 +0–48");
        assert_eq!(text(&windows, 27, 51), "-0–27 +0–51");
        assert_eq!(text(&windows, 0, 24), "+0–24");
        assert_eq!(text(&windows, 30, 48), "missing 30–48");
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let windows = spans(&[(6, 12), (0, 6), (6, 12), (0, 6)]);
        let plan = plan(&windows, Span::new(0, 12)).unwrap();
        let indices: Vec<usize> = plan.terms().iter().map(|term| term.index).collect();
        assert_eq!(indices, [1, 0]);
        assert_eq!(text(&windows, 12, 0), "missing 12–0");
    }
}
