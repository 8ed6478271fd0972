//! Totals as they grow, message by message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gik_core::{Error, ErrorKind, Result};

use super::{Clipped, clip_noise};
use crate::pipeline::Outcome;

/// One member's total over one window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemberTotal {
    /// Position among [`Accumulation::windows`].
    pub(crate) window: usize,
    /// Position among the members.
    pub(crate) member: usize,
    /// In C order over the region.
    pub(crate) values: Vec<f32>,
    /// What was raised to zero.
    pub(crate) clipped: Clipped,
}

/// What was lost and what was raised to zero on the way.
#[derive(Debug, Default)]
pub struct Losses {
    /// Totals of one member over one window that lack a message.
    pub totals: u64,
    /// Messages that are not in the store.
    pub missing: u64,
    /// Messages that could not be fetched or decoded.
    pub damaged: u64,
    /// Why not, of the first of them.
    pub errors: Vec<Error>,
    /// Values below zero that were raised to it, over all totals.
    pub clipped: Clipped,
    /// Results of a statistic over members that are of fewer members than the others.
    pub uneven: u64,
}

/// Errors kept.
const ERRORS: usize = 10;

impl Losses {
    fn merge(&mut self, clipped: Clipped) {
        self.clipped.count += clipped.count;
        self.clipped.lowest = self.clipped.lowest.min(clipped.lowest);
    }

    /// The values of a message. One that is missing or damaged is counted, and has none.
    ///
    /// # Errors
    /// When the place was not allowed: nothing can be read then, and going on would say so for
    /// every message.
    pub(crate) fn note(&mut self, outcome: Outcome) -> Result<Option<Vec<f32>>> {
        match outcome {
            Ok(Some(values)) => return Ok(Some(values)),
            Ok(None) => self.missing += 1,
            Err(error) if *error.kind() == ErrorKind::Denied => return Err(error),
            Err(error) => {
                self.damaged += 1;
                if self.errors.len() < ERRORS {
                    self.errors.push(error);
                }
            }
        }
        Ok(None)
    }

    /// Fails where of `wanted` messages none could be read, and one was damaged: the first reason
    /// is the one to report.
    pub(crate) fn checked(mut self, wanted: u64) -> Result<Self> {
        if self.damaged > 0 && self.damaged + self.missing >= wanted && !self.errors.is_empty() {
            return Err(self.errors.swap_remove(0));
        }
        Ok(self)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.totals += other.totals;
        self.missing += other.missing;
        self.damaged += other.damaged;
        self.uneven += other.uneven;
        let room = ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
        self.merge(other.clipped);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Positions of a member and a window.
type MemberWindow = (usize, usize);

/// A total that still lacks messages.
pub(super) struct Open {
    left: usize,
    sums: Vec<f64>,
    lost: bool,
}

/// Totals as they grow.
pub(super) struct Sums {
    pub(super) uses: HashMap<usize, Vec<(usize, f64)>>,
    /// Messages of each window.
    pub(super) terms: HashMap<usize, usize>,
    pub(super) factor: f64,
    /// Whether the amount cannot be negative, as rain.
    pub(super) clips: bool,
    pub(super) open: Mutex<HashMap<MemberWindow, Arc<Mutex<Open>>>>,
    pub(super) losses: Mutex<Losses>,
    pub(super) reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
}

impl Sums {
    /// Adds a message to the totals that it is part of.
    pub(super) fn take(&self, member: usize, step: usize, outcome: Outcome) -> Result<()> {
        let values = match outcome {
            Ok(Some(values)) => Some(values),
            lost => lock(&self.losses).note(lost)?,
        };
        for &(window, sign) in self.uses.get(&step).into_iter().flatten() {
            self.add(member, window, sign, values.as_deref());
        }
        Ok(())
    }

    fn add(&self, member: usize, window: usize, sign: f64, values: Option<&[f32]>) {
        let left = self.terms.get(&window).copied().unwrap_or(1);
        let total = {
            let mut open = lock(&self.open);
            let total = open.entry((member, window)).or_insert_with(|| {
                Arc::new(Mutex::new(Open { left, sums: Vec::new(), lost: false }))
            });
            Arc::clone(total)
        };
        let mut total = lock(&total);
        total.left = total.left.saturating_sub(1);
        match values {
            Some(values) if !total.lost => {
                if total.sums.is_empty() {
                    total.sums = values.iter().map(|&value| sign * f64::from(value)).collect();
                } else {
                    for (sum, &value) in total.sums.iter_mut().zip(values) {
                        *sum += sign * f64::from(value);
                    }
                }
            }
            Some(_) => {}
            None => {
                total.lost = true;
                total.sums = Vec::new();
            }
        }
        if total.left > 0 {
            return;
        }
        lock(&self.open).remove(&(member, window));
        let sums = std::mem::take(&mut total.sums);
        if total.lost {
            lock(&self.losses).totals += 1;
            return;
        }
        drop(total);
        let (values, clipped) = finished(sums, self.factor, self.clips);
        if clipped.count > 0 {
            lock(&self.losses).merge(clipped);
        }
        (self.reduce)(MemberTotal { window, member, values, clipped });
    }
}

/// Sums in single precision and the units asked for; none below zero of what cannot be.
fn finished(sums: Vec<f64>, factor: f64, clips: bool) -> (Vec<f32>, Clipped) {
    #[expect(clippy::cast_possible_truncation, reason = "amounts are f32 at both ends")]
    let mut values: Vec<f32> = sums.into_iter().map(|sum| (sum * factor) as f32).collect();
    let clipped = if clips { clip_noise(&mut values) } else { Clipped::default() };
    (values, clipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_negative_is_raised_to_zero() {
        let (rain, clipped) = finished(vec![-0.001, 2.0], 1000.0, true);
        assert_eq!((rain, clipped), (vec![0.0, 2000.0], Clipped { count: 1, lowest: -1.0 }));
        let (flux, clipped) = finished(vec![-3.5e6, 2.0], 1.0, false);
        assert_eq!((flux, clipped), (vec![-3.5e6, 2.0], Clipped::default()));
    }
}
