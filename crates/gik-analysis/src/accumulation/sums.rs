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
}

/// Errors kept.
const ERRORS: usize = 10;

impl Losses {
    fn merge(&mut self, clipped: Clipped) {
        self.clipped.count += clipped.count;
        self.clipped.lowest = self.clipped.lowest.min(clipped.lowest);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.totals += other.totals;
        self.missing += other.missing;
        self.damaged += other.damaged;
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
    pub(super) open: Mutex<HashMap<MemberWindow, Arc<Mutex<Open>>>>,
    pub(super) losses: Mutex<Losses>,
    pub(super) reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
}

impl Sums {
    /// Adds a message to the totals that it is part of.
    pub(super) fn take(&self, member: usize, step: usize, outcome: Outcome) -> Result<()> {
        let values = match outcome {
            Ok(Some(values)) => Some(values),
            Ok(None) => {
                lock(&self.losses).missing += 1;
                None
            }
            // Nothing can be read then; going on would say so for every message.
            Err(error) if *error.kind() == ErrorKind::Denied => return Err(error),
            Err(error) => {
                let mut losses = lock(&self.losses);
                losses.damaged += 1;
                if losses.errors.len() < ERRORS {
                    losses.errors.push(error);
                }
                None
            }
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
        let (values, clipped) = finished(sums, self.factor);
        if clipped.count > 0 {
            lock(&self.losses).merge(clipped);
        }
        (self.reduce)(MemberTotal { window, member, values });
    }
}

/// Sums in single precision and the units asked for, none of them below zero.
fn finished(sums: Vec<f64>, factor: f64) -> (Vec<f32>, Clipped) {
    #[expect(clippy::cast_possible_truncation, reason = "amounts are f32 at both ends")]
    let mut values: Vec<f32> = sums.into_iter().map(|sum| (sum * factor) as f32).collect();
    let clipped = clip_noise(&mut values);
    (values, clipped)
}
