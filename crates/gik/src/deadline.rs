//! When work has to end, whatever it waits for.

use std::time::{Duration, Instant};

use gik_core::{Error, ErrorKind, Result};

/// A commit that was begun before a deadline may take so much longer: what was read is not
/// thrown away.
const GRACE: Duration = Duration::from_secs(60);

/// A moment at which work has to end; never, without one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    started: Instant,
    limit: Option<Duration>,
}

impl Deadline {
    /// So long from now.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self { started: Instant::now(), limit }
    }

    /// The time that is left.
    pub(crate) fn left(&self) -> Option<Duration> {
        Some(self.limit?.saturating_sub(self.started.elapsed()))
    }

    /// What `work` comes to, or nothing when the deadline passes before: it is given up then,
    /// wherever it is.
    pub(crate) async fn reading<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match self.left() {
            Some(left) => tokio::time::timeout(left, work).await.ok(),
            None => Some(work.await),
        }
    }

    /// What `work`, a commit, comes to. It has a minute more than all else.
    ///
    /// # Errors
    /// Those of `work`, and [`DeadlinePassed`](ErrorKind::DeadlinePassed).
    pub(crate) async fn committing<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(left) = self.left() else { return work.await };
        match tokio::time::timeout(left.saturating_add(GRACE), work).await {
            Ok(done) => done,
            Err(_) => Err(passed(
                self.limit.unwrap_or_default(),
                "the store does not answer; what was committed stays, and running this again \
                 adds the rest",
            )),
        }
    }
}

/// What `work` comes to if it ends within `limit`; it is given up otherwise, wherever it is. A
/// commit is made as a whole or not at all, whenever it is given up.
///
/// # Errors
/// Those of `work`, and [`DeadlinePassed`](ErrorKind::DeadlinePassed).
pub async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let hint = "the store has all of this or nothing, as gik history says; run it again, with more \
                time or with fewer members, steps or variables";
    limited(limit, hint, work).await
}

/// What `work`, which reads a file that it writes nothing of, comes to if it ends within `limit`.
///
/// # Errors
/// Those of `work`, and [`DeadlinePassed`](ErrorKind::DeadlinePassed).
pub async fn scan_within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    limited(limit, "the file was not read to its end; give it more time", work).await
}

/// As [`within`], of work that reads a store and writes files: these are written as a whole or
/// not at all.
///
/// # Errors
/// Those of `work`, and [`DeadlinePassed`](ErrorKind::DeadlinePassed).
pub async fn read_within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let hint = "nothing was written; run it again, with more time or with fewer members, steps or \
                a smaller region";
    limited(limit, hint, work).await
}

async fn limited<T>(
    limit: Option<Duration>,
    hint: &'static str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = limit else { return work.await };
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(passed(limit, hint)),
    }
}

fn passed(limit: Duration, hint: &'static str) -> Error {
    Error::new(ErrorKind::DeadlinePassed { seconds: limit.as_secs(), hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn never() -> Result<()> {
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_ends_is_given_up() {
        let limit = Some(Duration::from_secs(5));
        let error = within(limit, never()).await.unwrap_err();
        assert!(error.to_string().contains("deadline of 5 s has passed"), "{error}");
        let error = read_within(limit, never()).await.unwrap_err();
        assert!(error.to_string().contains("nothing was written"), "{error}");
        let deadline = Deadline::after(limit);
        assert!(deadline.reading(never()).await.is_none());
        let error = deadline.committing(never()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::DeadlinePassed { seconds: 5, .. }), "{error}");
    }

    #[tokio::test]
    async fn without_a_limit_work_is_waited_for() {
        assert!(within(None, async { Ok(()) }).await.is_ok());
        let forever = Deadline::after(Some(Duration::MAX));
        assert_eq!(forever.reading(async { 1 }).await, Some(1));
        assert!(forever.committing(async { Ok(()) }).await.is_ok());
        assert_eq!(Deadline::after(None).left(), None);
    }
}
