//! Totals over a period, out of the windows that a model publishes.
//!
//! Models accumulate rain and fluxes over windows that overlap. GEFS begins anew every six
//! hours (0–3, 0–6, 6–9, 6–12 …), ECMWF counts from the start (0–3, 0–6, 0–9 …), HRRR does
//! both by the hour. Adding all of them counts rain twice; taking the wrong ones leaves a gap.
//!
//! Hours are the nodes of a graph and each window is an edge between its ends, which may be
//! walked forwards (added) or backwards (subtracted): 3–6 is −(0–3) + (0–6). A total from one
//! hour to another is a walk between them; [`plan`] finds the shortest, with the fewest
//! subtractions among those of one length, since each term adds packing error. If there is
//! no walk then windows are missing, and there is no total: never a smaller one.
//!
//! All hours may as well be minutes, if all are.

mod field;
mod job;
mod noise;
mod period;
mod plan;
mod stored;
mod sums;
mod windows;

use gik_core::{Error, Result};

pub use field::accumulate;
pub use job::{Accumulation, Request};
pub use noise::{BelowZero, Negative};
pub use period::Period;
pub use plan::{MissingWindows, Plan, Span, Term, plan};
pub use sums::Account;
pub(crate) use sums::MemberTotal;
pub use windows::{Alignment, Window, windows};

/// One window of one member: what accumulated from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket<'a> {
    /// When it accumulated.
    pub span: Span,
    /// The amounts, one per grid point.
    pub values: &'a [f32],
    /// The least difference between two amounts that their packing can hold (a message's
    /// `2^E·10^-D`); 0 for numbers that were not packed.
    pub quantum: f64,
}

/// A total over a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Total {
    /// The amounts, one per grid point; NaN where one of the windows has NaN.
    pub values: Vec<f32>,
    /// The windows it was made of.
    pub terms: Vec<Term>,
    /// What was below zero: noise, which was raised to 0, and what is wrong, which is NaN.
    pub negative: Negative,
}

/// The total from `from` to `to` of an amount that cannot be negative, such as rain.
///
/// # Errors
/// If the windows do not add up to that period (the text names the missing ones), or the
/// buckets used have different lengths.
///
/// # Examples
/// ```
/// use gik_analysis::accumulation::{Bucket, Span, total};
///
/// let (a, b, c, d) = ([1.0], [3.0], [0.5], [4.0]);
/// let quantum = 0.01;
/// let buckets = [
///     Bucket { span: Span::new(0, 3), values: &a, quantum },
///     Bucket { span: Span::new(0, 6), values: &b, quantum },
///     Bucket { span: Span::new(6, 9), values: &c, quantum },
///     Bucket { span: Span::new(6, 12), values: &d, quantum },
/// ];
/// assert_eq!(total(&buckets, Span::new(0, 12))?.values, [7.0]);
/// assert_eq!(total(&buckets, Span::new(3, 9))?.values, [2.5]);
/// # Ok::<(), gik_core::Error>(())
/// ```
pub fn total(buckets: &[Bucket<'_>], period: Span) -> Result<Total> {
    let spans: Vec<Span> = buckets.iter().map(|bucket| bucket.span).collect();
    let plan = plan(&spans, period)?;
    let mut values = plan.sum(|index| buckets.get(index).map(|bucket| bucket.values))?;
    let used = plan.terms().iter().filter_map(|term| buckets.get(term.index));
    let noise = used.map(|it| noise::noise(it.quantum, noise::largest(it.values))).sum();
    let negative = noise::clip(&mut values, noise);
    Ok(Total { values, terms: plan.into_terms(), negative })
}

impl Plan {
    /// Adds up the windows of the plan. `values` yields the amounts of the window at an index
    /// of the list that the plan was made from; it is asked once per term.
    ///
    /// Sums are made in `f64`, so that the order of the terms does not show.
    ///
    /// # Errors
    /// If `values` has none for a window, or fewer or more than for another window.
    pub fn sum<'a>(&self, values: impl Fn(usize) -> Option<&'a [f32]>) -> Result<Vec<f32>> {
        let mut sums: Vec<f64> = Vec::new();
        for (position, term) in self.terms().iter().enumerate() {
            let amounts = values(term.index).ok_or_else(|| {
                let span = term.span;
                Error::mismatch("windows of a total", format!("values of {span}"), "none")
            })?;
            if position == 0 {
                sums = vec![0.0; amounts.len()];
            } else if sums.len() != amounts.len() {
                return Err(Error::mismatch(
                    format!("grid points of the window {}", term.span),
                    sums.len().to_string(),
                    amounts.len().to_string(),
                ));
            }
            let sign = if term.subtracted { -1.0 } else { 1.0 };
            for (sum, &amount) in sums.iter_mut().zip(amounts) {
                *sum += sign * f64::from(amount);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "amounts are f32 at both ends")]
        Ok(sums.into_iter().map(|sum| sum as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rain of `hour` millimetres in each hour, over a span.
    fn rain(span: Span) -> f32 {
        (span.start..span.end).map(|hour| f32::from(u16::try_from(hour).unwrap())).sum()
    }

    fn amounts(spans: &[(u32, u32)]) -> Vec<(Span, Vec<f32>)> {
        spans.iter().map(|&(a, b)| (Span::new(a, b), vec![rain(Span::new(a, b)), 0.0])).collect()
    }

    fn total_of(amounts: &[(Span, Vec<f32>)], from: u32, to: u32) -> Result<Total> {
        let buckets: Vec<Bucket<'_>> = amounts
            .iter()
            .map(|(span, values)| Bucket { span: *span, values, quantum: 0.125 })
            .collect();
        total(&buckets, Span::new(from, to))
    }

    const GEFS: [(u32, u32); 8] =
        [(0, 3), (0, 6), (6, 9), (6, 12), (12, 15), (12, 18), (18, 21), (18, 24)];

    #[test]
    fn gefs_day_is_its_four_six_hour_windows() {
        let total = total_of(&amounts(&GEFS), 0, 24).unwrap();
        assert_eq!(total.values, [rain(Span::new(0, 24)), 0.0]);
        let used: Vec<usize> = total.terms.iter().map(|term| term.index).collect();
        assert_eq!(used, [1, 3, 5, 7]);
        assert!(total.terms.iter().all(|term| !term.subtracted));
    }

    #[test]
    fn every_period_of_gefs_that_has_windows_has_its_rain() {
        let amounts = amounts(&GEFS);
        for from in (0..24).step_by(3) {
            for to in (from + 3..=24).step_by(3) {
                let total = total_of(&amounts, from, to).unwrap();
                assert_eq!(total.values[0], rain(Span::new(from, to)), "{from}–{to}");
            }
        }
    }

    #[test]
    fn noise_is_clipped_and_counted_and_nan_stays() {
        let since_start = [
            (Span::new(0, 24), vec![5.0, 1.0, f32::NAN, 2.0, 0.0, 3.0]),
            (Span::new(0, 48), vec![9.0, 0.75, 3.0, 2.0, f32::NAN, 1.0]),
        ];
        let total = total_of(&since_start, 24, 48).unwrap();
        assert_eq!(total.values[..2], [4.0, 0.0]);
        assert!([2, 4, 5].iter().all(|&at: &usize| total.values[at].is_nan()));
        assert_eq!(total.negative.noise, BelowZero { count: 1, lowest: -0.25 });
        // Two terms, four quanta each, explain one millimetre, and not two.
        assert_eq!(total.negative.wrong, BelowZero { count: 1, lowest: -2.0 });
    }

    #[test]
    fn missing_windows_are_an_error_with_their_names() {
        let mut without = amounts(&GEFS);
        without.remove(3);
        let error = total_of(&without, 0, 24).unwrap_err().to_string();
        assert_eq!(
            error,
            "windows that add up to 0–24: expected some that span 9–12, found only 0–3, 0–6, 6–9, \
             12–15, 12–18, 18–21, 18–24"
        );
    }

    #[test]
    fn windows_of_different_grids() {
        let amounts = [(Span::new(0, 6), vec![1.0]), (Span::new(6, 12), vec![1.0, 2.0])];
        let error = total_of(&amounts, 0, 12).unwrap_err().to_string();
        assert!(error.contains("window 6–12: expected 1, found 2"), "{error}");
    }
}
