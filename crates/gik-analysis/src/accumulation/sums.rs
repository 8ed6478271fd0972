//! Totals as they grow, message by message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gik_core::Result;

use super::Negative;
use super::noise::{clip, largest, noise};
use crate::Losses;
use crate::losses::{Tally, lock};
use crate::pipeline::{Decoded, Outcome};

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

/// What totals came to, besides their values.
#[derive(Debug, Default)]
pub struct Account {
    /// Messages that were needed and are not there.
    pub losses: Losses,
    /// Totals of one member over one window that lack a message.
    pub totals: u64,
    /// For each window, over its members, what was below zero in an amount that cannot be.
    pub negative: Vec<Negative>,
}

impl Account {
    /// Whether all totals are there, and none is wrong.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.totals == 0 && self.negative().wrong.count == 0
    }

    /// What was below zero, over all windows.
    #[must_use]
    pub fn negative(&self) -> Negative {
        self.negative.iter().fold(Negative::default(), |all, it| all.and(*it))
    }

    /// Adds what came of further windows.
    pub(crate) fn add(&mut self, other: Self) {
        self.losses.add(other.losses);
        self.totals += other.totals;
        self.negative.extend(other.negative);
    }

    /// Fails where nothing could be read.
    pub(crate) fn not_all(mut self) -> Result<Self> {
        self.losses = self.losses.not_all()?;
        Ok(self)
    }
}

/// Positions of a member and a window.
type MemberWindow = (usize, usize);

/// A total that still lacks messages.
pub(super) struct Open {
    left: usize,
    sums: Vec<f64>,
    /// How far packing may have taken it off.
    noise: f64,
    lost: bool,
}

/// Totals as they grow.
pub(super) struct Sums {
    pub(super) uses: HashMap<usize, Vec<(usize, f64)>>,
    /// Messages of each window.
    pub(super) terms: HashMap<usize, usize>,
    pub(super) factor: f64,
    pub(super) never_negative: bool,
    pub(super) open: Mutex<HashMap<MemberWindow, Arc<Mutex<Open>>>>,
    pub(super) tally: Tally,
    /// Totals that lack a message.
    pub(super) lacking: Mutex<u64>,
    /// By window.
    pub(super) negative: Mutex<HashMap<usize, Negative>>,
    pub(super) reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
}

/// A message's member and step, and its place in the chunk grid.
pub(super) type Origin = (usize, usize, u64);

impl Sums {
    /// Adds a message to the totals that it is part of.
    pub(super) fn take(&self, (member, step, place): Origin, outcome: Outcome) -> Result<()> {
        let message = self.tally.take(place, outcome)?;
        let uses = self.uses.get(&step).into_iter().flatten();
        let off = match &message {
            Some(message) if self.never_negative => {
                noise(message.quantum, largest(&message.values))
            }
            _ => 0.0,
        };
        for &(window, sign) in uses {
            self.add((member, window), sign, message.as_ref().map(|message| (message, off)));
        }
        Ok(())
    }

    fn add(&self, at: MemberWindow, sign: f64, message: Option<(&Decoded, f64)>) {
        let (member, window) = at;
        let left = self.terms.get(&window).copied().unwrap_or(1);
        let total = {
            let mut open = lock(&self.open);
            let total = open.entry(at).or_insert_with(|| {
                Arc::new(Mutex::new(Open { left, sums: Vec::new(), noise: 0.0, lost: false }))
            });
            Arc::clone(total)
        };
        let mut total = lock(&total);
        total.left = total.left.saturating_sub(1);
        match message {
            Some((message, off)) if !total.lost => {
                total.noise += off;
                let values = &message.values;
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
        lock(&self.open).remove(&at);
        let sums = std::mem::take(&mut total.sums);
        let noise = total.noise;
        if total.lost {
            *lock(&self.lacking) += 1;
            return;
        }
        drop(total);
        let values = self.finished(sums, window, noise);
        (self.reduce)(MemberTotal { window, member, values });
    }

    /// Sums in single precision and the units asked for.
    fn finished(&self, sums: Vec<f64>, window: usize, noise: f64) -> Vec<f32> {
        let factor = self.factor;
        #[expect(clippy::cast_possible_truncation, reason = "amounts are f32 at both ends")]
        let mut values: Vec<f32> = sums.into_iter().map(|sum| (sum * factor) as f32).collect();
        if self.never_negative {
            let found = clip(&mut values, noise * factor);
            let mut negative = lock(&self.negative);
            let all = negative.entry(window).or_default();
            *all = all.and(found);
        }
        values
    }

    /// What came of the totals over these windows, all of `messages` taken.
    pub(super) fn account(&self, windows: std::ops::Range<usize>, messages: u64) -> Account {
        let missing = self.tally.missing().len() as u64;
        let negative = lock(&self.negative);
        Account {
            losses: self.tally.losses(messages, missing),
            totals: *lock(&self.lacking),
            negative: windows.map(|at| negative.get(&at).copied().unwrap_or_default()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The total of one window, of two terms that are added and subtracted.
    fn total(never_negative: bool, terms: [[f32; 3]; 2]) -> (Vec<f32>, Account) {
        let values = Arc::new(Mutex::new(Vec::new()));
        let reduce = {
            let values = Arc::clone(&values);
            move |total: MemberTotal| *lock(&values) = total.values
        };
        let sums = Sums {
            uses: HashMap::from([(0, vec![(0, -1.0)]), (1, vec![(0, 1.0)])]),
            terms: HashMap::from([(0, 2)]),
            factor: 1024.0,
            never_negative,
            open: Mutex::default(),
            tally: Tally::default(),
            lacking: Mutex::new(0),
            negative: Mutex::default(),
            reduce: Arc::new(reduce),
        };
        for (step, values) in terms.into_iter().enumerate() {
            let message = Decoded { values: values.to_vec(), quantum: 1e-4 };
            sums.take((0, step, step as u64), Ok(Some(message))).unwrap();
        }
        let values = std::mem::take(&mut *lock(&values));
        (values, sums.account(0..1, 2))
    }

    const UNIT: f32 = 1.0 / 1024.0;
    const TERMS: [[f32; 3]; 2] =
        [[2.0 * UNIT, 2.0 * UNIT, 50.0 * UNIT], [4.0 * UNIT, 1.875 * UNIT, 20.0 * UNIT]];

    #[test]
    fn amounts_of_either_sign_are_left_alone() {
        let (values, account) = total(false, TERMS);
        assert_eq!(values, [2.0, -0.125, -30.0]);
        assert_eq!((account.negative(), account.is_complete()), (Negative::default(), true));
    }

    #[test]
    fn noise_is_told_from_what_is_wrong() {
        let (values, account) = total(true, TERMS);
        assert_eq!(values[..2], [2.0, 0.0]);
        assert!(values[2].is_nan() && !account.is_complete());
        let negative = account.negative();
        assert_eq!((negative.noise.count, negative.wrong.count), (1, 1));
        assert_eq!((negative.noise.lowest, negative.wrong.lowest), (-0.125, -30.0));
    }
}
