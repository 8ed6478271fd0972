//! Fetching, decoding and reducing, all at the same time.
//!
//! Neither of zarrs' own ways of reading does this: its asynchronous one decodes on one task,
//! its synchronous one keeps as few requests under way as there are cores. Here messages are
//! fetched ahead as far as memory allows, each is decoded and handed on by whichever core is
//! free, and nothing of it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gik_codec::{DataRepresentation, Message};
use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::StoredArray;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::chunks::ChunkPart;

/// Requests under way at the same time: enough to hide the latency of a bucket.
const IN_FLIGHT: usize = 64;

/// A fetch that failed after so many seconds was not answered, in spite of being tried again and
/// again.
const UNANSWERED: std::time::Duration = std::time::Duration::from_secs(20);

/// After so many of them without a single answer, the rest is not tried: each would take
/// minutes.
const GIVE_UP: usize = 16;

/// Permits count memory in units of so many bytes.
const UNIT: usize = 1024;

/// A message longer than so many bytes for each of its values is damage: plain double
/// precision takes 8.
const BYTES_PER_VALUE: u64 = 16;
/// Sections other than the values, lists of points among them.
const BYTES_BESIDE: u64 = 1 << 20;

/// Called with the number of messages done and their total.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What was wanted of a message.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// The wanted values.
    pub(crate) values: Vec<f32>,
    /// The least difference between two values that its packing can hold; 0 for numbers that
    /// are not packed.
    pub(crate) quantum: f64,
}

/// What one message comes to; nothing when it is missing.
pub(crate) type Outcome = Result<Option<Decoded>>;

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
    let unanswered = Arc::new(AtomicUsize::new(0));
    let total = parts.len();
    let mut done = 0;
    progress(done, total);
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
        let task = Task {
            array: array.clone(),
            part,
            permit,
            decoders: Arc::clone(&decoders),
            unanswered: Arc::clone(&unanswered),
        };
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

/// A missing value is NaN. An infinite one is damage, of a scale factor say, and would count as
/// more than any threshold.
fn finite(array: &StoredArray, indices: &[u64], values: Vec<f32>) -> Result<Vec<f32>> {
    if values.iter().any(|value| value.is_infinite()) {
        let error = Error::malformed("values of the message", "finite numbers", "infinite ones");
        return Err(error.in_url(array.chunk_place(indices)));
    }
    Ok(values)
}

/// The quantum of a message's packing. What is no GRIB message is not packed.
fn quantum(bytes: &[u8]) -> f64 {
    let field = Message::read(bytes).and_then(|message| message.only_field());
    let packing = field.and_then(|field| DataRepresentation::read(&field.representation));
    packing.map_or(0.0, |it| it.packing.quantum())
}

/// What `request`, a fetch of a message, comes to, unless the server has stopped answering.
async fn fetch<T>(
    request: impl Future<Output = Result<T>>,
    place: impl FnOnce() -> String,
    unanswered: &AtomicUsize,
) -> Result<T> {
    if unanswered.load(Ordering::Relaxed) >= GIVE_UP {
        let text = format!("not tried: {GIVE_UP} requests before it were not answered");
        return Err(Error::new(ErrorKind::Io { retryable: true })
            .in_url(place())
            .with_source(std::io::Error::other(text)));
    }
    let started = tokio::time::Instant::now();
    let fetched = request.await;
    if fetched.is_ok() {
        unanswered.store(0, Ordering::Relaxed);
    } else if started.elapsed() >= UNANSWERED {
        unanswered.fetch_add(1, Ordering::Relaxed);
    }
    fetched
}

/// One message on its way.
struct Task {
    array: StoredArray,
    part: ChunkPart,
    /// Its share of the memory, given back when it is done.
    permit: OwnedSemaphorePermit,
    decoders: Arc<Semaphore>,
    /// Fetches without an answer since the last that had one.
    unanswered: Arc<AtomicUsize>,
}

impl Task {
    async fn run<T: Send + 'static>(self, tag: T, consume: Arc<Consume<T>>) -> Result<()> {
        let Self { array, part, permit, decoders, unanswered } = self;
        let indices = part.indices();
        let place = || array.chunk_place(&indices);
        let fetched = fetch(array.fetch(&indices), place, &unanswered).await;
        let bytes = match fetched {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return consume(tag, Ok(None)),
            Err(error) => return consume(tag, Err(error)),
        };
        let core = decoders.acquire_owned().await.map_err(closed)?;
        let (here, at) = (array.clone(), indices.clone());
        let decoding = tokio::task::spawn_blocking(move || {
            let quantum = quantum(&bytes);
            let decoded = here.decode(&at, bytes, &part.ranges());
            let values = decoded.and_then(|it| finite(&here, &at, part.pick(it)));
            let done = match values {
                Ok(values) => Ok(consume(tag, Ok(Some(Decoded { values, quantum })))),
                Err(error) => Err((consume, tag, error)),
            };
            drop((core, permit));
            done
        });
        match decoding.await.map_err(|error| lost(&error))? {
            Ok(outcome) => outcome,
            // Where the message lies may have to be read, which is not for a decoding thread.
            Err((consume, tag, error)) => consume(tag, Err(array.traced(&indices, error).await)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that is tried for so long and fails.
    async fn failing(tried: &AtomicUsize, seconds: u64) -> Result<()> {
        tried.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        Err(Error::new(ErrorKind::Io { retryable: true }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up() {
        let (tried, unanswered) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let place = || "store/tp/c/0".to_owned();
        // One that is refused at once has been answered, and one answer makes up for all.
        for _ in 0..20 {
            assert!(fetch(failing(&tried, 1), place, &unanswered).await.is_err());
        }
        for _ in 0..GIVE_UP - 1 {
            assert!(fetch(failing(&tried, 60), place, &unanswered).await.is_err());
        }
        assert!(fetch(async { Ok(()) }, place, &unanswered).await.is_ok());
        assert_eq!(tried.swap(0, Ordering::Relaxed), 20 + GIVE_UP - 1);
        let mut said = String::new();
        for _ in 0..100 {
            let error = fetch(failing(&tried, 60), place, &unanswered).await.unwrap_err();
            said = format!(
                "{error}: {}",
                std::error::Error::source(&error).map_or(String::new(), ToString::to_string)
            );
        }
        assert_eq!(tried.load(Ordering::Relaxed), 16);
        assert!(said.contains("not tried: 16 requests before it were not answered"), "{said}");
        assert!(said.contains("store/tp/c/0"), "{said}");
    }
}
