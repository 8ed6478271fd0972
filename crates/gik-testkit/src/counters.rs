//! What was asked of a server or a wrapped store: every request, the bytes, and how
//! many requests were under way at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The kind of a request, in the words of S3. A plain web server only knows
/// [`Get`](Self::Get) and [`Head`](Self::Head).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An object or a range of it.
    Get,
    /// The metadata of an object.
    Head,
    /// One page of a listing; of a wrapped store: one whole listing.
    List,
    /// An object in one request.
    Put,
    /// A server-side copy (or rename, of a wrapped store).
    Copy,
    /// One object away.
    Delete,
    /// Many objects away in one request.
    DeleteMany,
    /// Any step of a multipart upload.
    Multipart,
    /// Anything about a bucket but listing it.
    Bucket,
    /// What the server does not know.
    Other,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One request as rules and counters see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// What was asked for.
    pub operation: Operation,
    /// Of which object, percent-decoded: `bucket/key` of an S3 server, the path below
    /// the root of a web server, the location in a wrapped store. A listing has its
    /// prefix here.
    pub path: String,
    /// What tells apart two requests for one path: the `Range` header, or where a page
    /// of a listing starts. Empty without either.
    pub detail: String,
}

impl Request {
    pub(crate) fn new(
        operation: Operation,
        path: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { operation, path: path.into(), detail: detail.into() }
    }

    /// The bytes of the range that is asked for; 0 without one that has an end.
    fn range_bytes(&self) -> u64 {
        let range = self.detail.strip_prefix("bytes=").and_then(|it| it.split_once('-'));
        let length = range.and_then(|(first, last)| {
            let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
            last.checked_sub(first)?.checked_add(1)
        });
        length.unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Inner {
    log: Mutex<Vec<Request>>,
    sent: AtomicU64,
    received: AtomicU64,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    asked: AtomicU64,
    peak_asked: AtomicU64,
}

/// A shared, live view on what was asked; clones see the same numbers.
#[derive(Clone, Debug, Default)]
pub struct Counters(Arc<Inner>);

impl Counters {
    /// All requests so far, those with an injected fault included.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.count(|_| true)
    }

    /// Requests of this kind.
    #[must_use]
    pub fn of(&self, operation: Operation) -> usize {
        self.count(|request| request.operation == operation)
    }

    /// Requests whose path contains `part`.
    #[must_use]
    pub fn on(&self, part: &str) -> usize {
        self.count(|request| request.path.contains(part))
    }

    /// Requests that `which` accepts.
    pub fn count(&self, which: impl Fn(&Request) -> bool) -> usize {
        self.lock().iter().filter(|&request| which(request)).count()
    }

    /// A copy of the log, in order of arrival.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        self.lock().clone()
    }

    /// Bytes of bodies handed out.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Bytes of bodies that came in, as their requests announced them.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// Requests that are being answered now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::SeqCst)
    }

    /// The largest number of requests that were being answered at one time.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        self.0.peak.load(Ordering::SeqCst)
    }

    /// The largest number of bytes of ranges that were being answered at one time.
    #[must_use]
    pub fn peak_range_bytes(&self) -> u64 {
        self.0.peak_asked.load(Ordering::SeqCst)
    }

    /// Starts from zero; requests under way stay in [`in_flight`](Self::in_flight).
    pub fn reset(&self) {
        self.lock().clear();
        self.0.sent.store(0, Ordering::Relaxed);
        self.0.received.store(0, Ordering::Relaxed);
        self.0.peak.store(self.in_flight(), Ordering::SeqCst);
        self.0.peak_asked.store(self.0.asked.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Request>> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs a request; it is under way until the returned value is dropped.
    pub(crate) fn begin(&self, request: Request) -> UnderWay {
        let bytes = request.range_bytes();
        self.lock().push(request);
        let now = self.0.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.peak.fetch_max(now, Ordering::SeqCst);
        let asked = self.0.asked.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.0.peak_asked.fetch_max(asked, Ordering::SeqCst);
        UnderWay { counters: self.clone(), bytes }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct UnderWay {
    counters: Counters,
    /// Of the range that was asked for.
    bytes: u64,
}

impl UnderWay {
    pub(crate) fn sent(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.counters.0.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.counters.0.received.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.counters.0.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.counters.0.asked.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_kind_path_and_concurrency() {
        let counters = Counters::default();
        let first = counters.begin(Request::new(Operation::Get, "b/a.idx", ""));
        let second = counters.begin(Request::new(Operation::Head, "b/a.grib2", ""));
        second.sent(3);
        second.received(4);
        drop((first, second));
        let third = counters.begin(Request::new(Operation::Get, "b/b.idx", "bytes=0-3"));
        drop(counters.begin(Request::new(Operation::Get, "b/b.idx", "bytes=4-9")));
        drop(third);
        drop(counters.begin(Request::new(Operation::Get, "b/b.idx", "bytes=-7")));
        assert_eq!(counters.peak_range_bytes(), 10);
        assert_eq!(counters.requests(), 5);
        assert_eq!(counters.of(Operation::Get), 4);
        assert_eq!(counters.on(".idx"), 4);
        assert_eq!((counters.in_flight(), counters.peak_in_flight()), (0, 2));
        assert_eq!((counters.bytes_sent(), counters.bytes_received()), (3, 4));
        assert_eq!(counters.log()[2].detail, "bytes=0-3");
        counters.reset();
        assert_eq!(
            (counters.requests(), counters.bytes_sent(), counters.peak_in_flight()),
            (0, 0, 0)
        );
    }
}
