//! Fetching, decoding and reducing, all at the same time.
//!
//! Neither of zarrs' own ways of reading does this: its asynchronous one decodes on one task,
//! its synchronous one keeps as few requests under way as there are cores. Here messages are
//! fetched ahead as far as memory allows, each is decoded and handed on by whichever core is
//! free, and nothing of it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::StoredArray;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::chunks::ChunkPart;

/// Requests under way at the same time: enough to hide the latency of a bucket.
const IN_FLIGHT: usize = 64;

/// Permits count memory in units of so many bytes.
const UNIT: usize = 1024;

/// A message longer than so many bytes for each of its values is damage: plain double
/// precision takes 8.
const BYTES_PER_VALUE: u64 = 16;
/// Sections other than the values, lists of points among them.
const BYTES_BESIDE: u64 = 1 << 20;

/// How long one message may take to come, with all tries.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages in a row that did not come before the rest is given up: a source that is gone would
/// take hours otherwise.
const GIVE_UP_AFTER: usize = 2 * IN_FLIGHT;

/// Called with the number of messages done and their total.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What one message comes to: its wanted values, none when it is missing.
pub(crate) type Outcome = Result<Option<Vec<f32>>>;

/// Takes what was read, on any thread. An error ends the work.
pub(crate) type Consume<T> = dyn Fn(T, Outcome) -> Result<()> + Send + Sync;

/// Reads `parts` in their order, as far as that goes with many under way, and hands each to
/// `consume` with the tag that came with it. `memory` is how many bytes messages under way
/// may take; `extra` what `consume` keeps for each.
pub(crate) async fn stream<T: Send + 'static>(
    array: &StoredArray,
    parts: impl ExactSizeIterator<Item = (ChunkPart, T)>,
    (memory, extra): (usize, usize),
    progress: Progress<'_>,
    consume: Arc<Consume<T>>,
) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let decoders = Arc::new(Semaphore::new(cores));
    let capacity = (memory / UNIT).clamp(1, Semaphore::MAX_PERMITS);
    let budget = Arc::new(Semaphore::new(capacity));
    let total = parts.len();
    let mut done = 0;
    progress(done, total);
    let failures = Arc::new(AtomicUsize::new(0));
    let mut under_way = JoinSet::new();
    for (part, tag) in parts {
        let mut finished = |outcome| {
            done += 1;
            progress(done, total);
            finish(outcome)
        };
        while let Some(outcome) = under_way.try_join_next() {
            finished(outcome)?;
        }
        while under_way.len() >= IN_FLIGHT {
            let Some(outcome) = under_way.join_next().await else { break };
            finished(outcome)?;
        }
        if failures.load(Ordering::Relaxed) >= GIVE_UP_AFTER {
            return Err(gave_up(total - done));
        }
        let needed = match array.encoded_length(&part.indices()).await {
            Ok(Some(length)) => match checked(array, &part, length) {
                Ok(length) => length,
                Err(error) => {
                    consume(tag, Err(error))?;
                    done += 1;
                    continue;
                }
            },
            Ok(None) => {
                consume(tag, Ok(None))?;
                done += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        // Whole bands are decoded, then picked from.
        let needed = needed + part.decoded() * 8 + extra;
        let permits = u32::try_from((needed / UNIT + 1).min(capacity)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&budget).acquire_many_owned(permits).await.map_err(closed)?;
        let (decoders, failures) = (Arc::clone(&decoders), Arc::clone(&failures));
        let task = Task { array: array.clone(), part, permit, decoders, failures };
        under_way.spawn(task.run(tag, Arc::clone(&consume)));
    }
    while let Some(outcome) = under_way.join_next().await {
        finish(outcome)?;
        done += 1;
        progress(done, total);
    }
    Ok(())
}

/// A message's length in bytes, if it can be one.
fn checked(array: &StoredArray, part: &ChunkPart, length: u64) -> Result<usize> {
    let shape = array.chunk_shape(&part.indices())?;
    let values = shape.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
    let limit = values.saturating_mul(BYTES_PER_VALUE).saturating_add(BYTES_BESIDE);
    if length > limit {
        let what = "length of a message in bytes";
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found: length })
            .in_url(array.chunk_place(&part.indices())));
    }
    crate::axes::to_usize(length)
}

/// The values, unless one is infinite: a damaged scale makes such, and they would count as rain.
fn finite(values: Vec<f32>, array: &StoredArray, indices: &[u64]) -> Result<Vec<f32>> {
    if values.iter().any(|value| value.is_infinite()) {
        let error = Error::malformed("values of a message", "finite numbers", "infinite ones");
        return Err(error.in_url(array.chunk_place(indices)));
    }
    Ok(values)
}

fn silent(array: &StoredArray, indices: &[u64]) -> Error {
    let text = format!("no answer within {} s", PATIENCE.as_secs());
    Error::new(ErrorKind::Io { retryable: true })
        .with_source(std::io::Error::other(text))
        .in_url(array.chunk_place(indices))
}

fn gave_up(left: usize) -> Error {
    let text = format!(
        "the source stopped answering: {GIVE_UP_AFTER} messages in a row did not come; {left} more \
         were not tried"
    );
    Error::new(ErrorKind::Io { retryable: true }).with_source(std::io::Error::other(text))
}

fn finish(outcome: Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    outcome.map_err(|error| lost(&error))?
}

fn lost(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Contained { what: "decoding thread", message: error.to_string() })
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err hands over")]
fn closed(error: tokio::sync::AcquireError) -> Error {
    Error::new(ErrorKind::Contained { what: "decoding thread", message: error.to_string() })
}

/// One message on its way.
struct Task {
    array: StoredArray,
    part: ChunkPart,
    /// Its share of the memory, given back when it is done.
    permit: OwnedSemaphorePermit,
    decoders: Arc<Semaphore>,
    /// Messages in a row that did not come.
    failures: Arc<AtomicUsize>,
}

impl Task {
    async fn run<T: Send + 'static>(self, tag: T, consume: Arc<Consume<T>>) -> Result<()> {
        let Self { array, part, permit, decoders, failures } = self;
        let indices = part.indices();
        let fetched = match tokio::time::timeout(PATIENCE, array.fetch(&indices)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(silent(&array, &indices)),
        };
        match &fetched {
            Err(error) if matches!(error.kind(), ErrorKind::Io { .. }) => {
                failures.fetch_add(1, Ordering::Relaxed);
            }
            _ => failures.store(0, Ordering::Relaxed),
        }
        let core = decoders.acquire_owned().await.map_err(closed)?;
        tokio::task::spawn_blocking(move || {
            let outcome = match fetched {
                Ok(Some(bytes)) => {
                    let decoded = array.decode(&indices, bytes, &part.ranges());
                    decoded.and_then(|it| Ok(Some(finite(part.pick(it), &array, &indices)?)))
                }
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            let outcome = consume(tag, outcome);
            drop((core, permit));
            outcome
        })
        .await
        .map_err(|error| lost(&error))?
    }
}
