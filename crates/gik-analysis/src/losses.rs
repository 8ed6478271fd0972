//! What a read did not get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::StoredArray;

/// Errors kept.
const ERRORS: usize = 10;

/// Messages that a read wanted and did not get. What they would have filled is NaN: a damaged
/// file costs its own messages, not the read.
///
/// # Examples
/// Whoever wants all or nothing says so:
/// ```
/// use gik_analysis::{Query, read_field};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let (rain, losses) = read_field(&store, "tp", &Query::default(), &|_, _| {}).await?;
/// assert_eq!((rain.shape(), losses.messages), (vec![1, 3, 4, 2, 3], 12));
/// losses.none()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Losses {
    /// Messages that were wanted.
    pub messages: u64,
    /// Those that are not in the store. What a model does not publish is none of them: totals
    /// at the first step, levels that a variable does not have.
    pub missing: u64,
    /// Those that could not be fetched or decoded.
    pub damaged: u64,
    /// Why not, of the first of them.
    pub errors: Vec<Error>,
}

impl Losses {
    /// Whether all that was wanted is there.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.missing == 0 && self.damaged == 0
    }

    /// Makes any loss an error: the first reason, or how many messages are missing.
    ///
    /// # Errors
    /// When [`is_none`](Self::is_none) is false.
    pub fn none(self) -> Result<()> {
        if self.is_none() {
            return Ok(());
        }
        match self.errors.into_iter().next() {
            Some(error) => Err(error),
            None => Err(Error::mismatch(
                "messages in the store",
                self.messages.to_string(),
                self.messages.saturating_sub(self.missing).to_string(),
            )),
        }
    }

    /// Fails where nothing could be read: the first reason is the one to report.
    pub(crate) fn not_all(self) -> Result<Self> {
        if self.damaged > 0 && self.damaged + self.missing >= self.messages {
            return self.none().map(|()| Self::default());
        }
        Ok(self)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.missing += other.missing;
        self.damaged += other.damaged;
        let room = ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
    }
}

/// What is lost while messages come in, from any thread. A message that is read several times,
/// in parts, is one.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    lost: Mutex<Lost>,
}

#[derive(Debug, Default)]
struct Lost {
    /// By their place in the chunk grid, in C order.
    missing: BTreeSet<u64>,
    damaged: BTreeMap<u64, Option<Error>>,
}

impl Tally {
    /// What a message came to, its loss noted.
    ///
    /// # Errors
    /// When a place was not allowed: nothing can be read then, and going on would say so for
    /// every message.
    pub(crate) fn take<T>(&self, place: u64, outcome: Result<Option<T>>) -> Result<Option<T>> {
        match outcome {
            Ok(None) => {
                lock(&self.lost).missing.insert(place);
                Ok(None)
            }
            Err(error) if *error.kind() == ErrorKind::Denied => Err(error),
            Err(error) => {
                let mut lost = lock(&self.lost);
                let kept = lost.damaged.len() < ERRORS;
                lost.damaged.entry(place).or_insert_with(|| kept.then_some(error));
                Ok(None)
            }
            found => found,
        }
    }

    /// The places of messages that are not in the store.
    pub(crate) fn missing(&self) -> Vec<u64> {
        lock(&self.lost).missing.iter().copied().collect()
    }

    /// The losses among `messages`, of which `missing` are not in the store.
    pub(crate) fn losses(&self, messages: u64, missing: u64) -> Losses {
        let damaged = std::mem::take(&mut lock(&self.lost).damaged);
        Losses {
            messages,
            missing,
            damaged: damaged.len() as u64,
            errors: damaged.into_values().flatten().collect(),
        }
    }
}

/// The place of a chunk in an array's chunk grid, in C order.
pub(crate) fn place_of(array: &StoredArray, indices: &[u64]) -> u64 {
    let grid = array.grid();
    grid.iter()
        .zip(indices)
        .fold(0, |place, (&length, &index)| place.saturating_mul(length).saturating_add(index))
}

/// The indices of the chunk at a place as [`place_of`] has it.
pub(crate) fn indices(array: &StoredArray, mut place: u64) -> Vec<u64> {
    let mut indices: Vec<u64> = array
        .grid()
        .iter()
        .rev()
        .map(|&length| {
            let index = place % length.max(1);
            place /= length.max(1);
            index
        })
        .collect();
    indices.reverse();
    indices
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lost_twice_is_one() {
        let tally = Tally::default();
        for _ in 0..2 {
            assert_eq!(tally.take::<u8>(3, Ok(None)).unwrap(), None);
            let damaged = Error::malformed("section", "7", "8");
            assert_eq!(tally.take::<u8>(4, Err(damaged)).unwrap(), None);
        }
        assert_eq!(tally.take(5, Ok(Some(1))).unwrap(), Some(1));
        assert!(tally.take::<u8>(6, Err(Error::new(ErrorKind::Denied))).is_err());
        let losses = tally.losses(4, tally.missing().len() as u64);
        assert_eq!((losses.missing, losses.damaged, losses.errors.len()), (1, 1, 1));
        assert!(losses.none().unwrap_err().to_string().contains("section"));
    }

    #[test]
    fn nothing_read_is_an_error_and_nothing_there_is_not() {
        let losses = |missing, damaged| Losses {
            messages: 2,
            missing,
            damaged,
            errors: (0..damaged).map(|_| Error::malformed("section", "7", "8")).collect(),
        };
        assert!(losses(1, 1).not_all().is_err() && losses(0, 2).not_all().is_err());
        assert!(losses(2, 0).not_all().is_ok() && losses(0, 1).not_all().is_ok());
        assert!(losses(1, 0).none().unwrap_err().to_string().contains("expected 2, found 1"));
    }
}
