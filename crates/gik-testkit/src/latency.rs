//! Bodies over time: what a [`Plan`] makes of a stream of bytes.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, TryStreamExt as _, stream};

use crate::counters::UnderWay;
use crate::faults::{Faults, Plan};

/// A slow body arrives in so many pieces each second.
const TICKS_PER_SECOND: u64 = 50;

/// What was handed out before a cut gets this long to leave through the socket.
const LINGER: Duration = Duration::from_millis(10);

struct Flow<S> {
    body: S,
    ahead: Bytes,
    sent: u64,
    plan: Plan,
    faults: Faults,
    request: UnderWay,
}

/// The body as the plan lets it through: cut, slowed and counted. A cut body ends with
/// the error that `cut` makes. `request` is under way until the stream is dropped.
pub(crate) fn shape<S, E>(
    body: S,
    plan: Plan,
    faults: Faults,
    request: UnderWay,
    cut: impl Fn() -> E,
) -> impl Stream<Item = Result<Bytes, E>>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let flow = Flow { body, ahead: Bytes::new(), sent: 0, plan, faults, request };
    stream::try_unfold((flow, cut), |(mut flow, cut)| async move {
        match flow.next().await? {
            Piece::Bytes(bytes) => Ok(Some((bytes, (flow, cut)))),
            Piece::End => Ok(None),
            Piece::Cut => Err(cut()),
        }
    })
}

enum Piece {
    Bytes(Bytes),
    End,
    Cut,
}

impl<S, E> Flow<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    async fn next(&mut self) -> Result<Piece, E> {
        while self.ahead.is_empty() {
            match self.body.try_next().await? {
                Some(bytes) => self.ahead = bytes,
                None => return Ok(Piece::End),
            }
        }
        let mut take = self.ahead.len();
        if let Some(limit) = self.plan.cut_after {
            let left = limit.saturating_sub(self.sent);
            if left == 0 {
                tokio::time::sleep(LINGER).await;
                self.faults.count_cut();
                return Ok(Piece::Cut);
            }
            take = take.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        if let Some(rate) = self.plan.bytes_per_second {
            take = take.min(tick_of(rate));
            tokio::time::sleep(time_for(take, rate)).await;
        }
        let piece = self.ahead.split_to(take);
        self.sent = self.sent.saturating_add(wide(take));
        self.request.sent(take);
        Ok(Piece::Bytes(piece))
    }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Bytes of one tick, at least one.
fn tick_of(bytes_per_second: u64) -> usize {
    usize::try_from((bytes_per_second / TICKS_PER_SECOND).max(1)).unwrap_or(usize::MAX)
}

fn time_for(bytes: usize, bytes_per_second: u64) -> Duration {
    Duration::from_nanos(wide(bytes).saturating_mul(1_000_000_000) / bytes_per_second.max(1))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Instant;

    use super::*;
    use crate::counters::{Counters, Operation, Request};

    /// The body `abcdefgh` in two chunks through a plan: what arrived, whether it broke.
    async fn through(plan: Plan) -> (Vec<u8>, bool, u64, Counters) {
        let (faults, counters) = (Faults::none(), Counters::default());
        let request = counters.begin(Request::new(Operation::Get, "k", ""));
        let chunks = [&b"abcde"[..], b"fgh"].map(|chunk| Ok(Bytes::from_static(chunk)));
        let body = shape(stream::iter(chunks), plan, faults.clone(), request, || {
            io::Error::from(io::ErrorKind::ConnectionReset)
        });
        let mut body = std::pin::pin!(body);
        let mut arrived = Vec::new();
        let broken = loop {
            match body.try_next().await {
                Ok(Some(bytes)) => arrived.extend_from_slice(&bytes),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        (arrived, broken, faults.injected().cut, counters)
    }

    #[tokio::test]
    async fn bodies_are_cut_where_the_plan_says() {
        let cases = [(None, "abcdefgh", false), (Some(0), "", true), (Some(3), "abc", true)];
        let more = [(Some(5), "abcde", true), (Some(8), "abcdefgh", false)];
        for (cut_after, expected, broken) in cases.into_iter().chain(more) {
            let plan = Plan { cut_after, ..Plan::default() };
            let (arrived, was_broken, cuts, counters) = through(plan).await;
            assert_eq!(arrived, expected.as_bytes());
            assert_eq!((was_broken, cuts), (broken, u64::from(broken)));
            assert_eq!(counters.bytes_sent(), expected.len() as u64);
        }
    }

    #[tokio::test]
    async fn slow_bodies_arrive_whole_and_late() {
        let start = Instant::now();
        let plan = Plan { bytes_per_second: Some(100), ..Plan::default() };
        let (arrived, broken, ..) = through(plan).await;
        assert_eq!((&arrived[..], broken), (&b"abcdefgh"[..], false));
        assert!(start.elapsed() >= Duration::from_millis(75));
    }
}
