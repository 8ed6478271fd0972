//! Faults on demand: which requests go wrong, how, and how many did.
//!
//! A [`Faults`] is a set of [`Rule`]s shared by a server (or a
//! [`FaultyStore`](crate::store::FaultyStore)) and the test, which may change them while
//! requests run. Everything is reproducible: counting rules count, and probabilities are
//! drawn from the seed and the request itself (kind, path, range, and how often it was
//! tried before), so that the same requests fail in whatever order they arrive.
//!
//! ```
//! use std::time::Duration;
//! use gik_testkit::counters::Operation;
//! use gik_testkit::faults::{Fault, Faults, Rule};
//!
//! let faults = Faults::seeded(7);
//! faults.add(Rule::new(Fault::SlowDown { retry_after: None }).on_path(".idx").first_of_each(2));
//! faults.add(Rule::new(Fault::Drop).on(Operation::Get).with_probability(0.05));
//! faults.add(Rule::new(Fault::Latency(Duration::from_millis(20))));
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::counters::{Operation, Request};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer starts later. Latencies of several rules add up.
    Latency(Duration),
    /// `503 Service Unavailable` with S3's `SlowDown` body.
    SlowDown {
        /// Seconds for a `Retry-After` header; `None` sends no such header, as S3.
        retry_after: Option<u64>,
    },
    /// There is no room: `507 Insufficient Storage` as `MinIO` says it, `ENOSPC` of a wrapped store.
    /// For writes.
    Full,
    /// The connection ends before a response, and nothing was done.
    Drop,
    /// The request is carried out, and the connection ends before a response: the client
    /// cannot know that its write happened.
    LoseAnswer,
    /// The body ends after so many bytes, while its header promised more. A body that is
    /// not longer than that arrives whole, and is not counted as cut.
    CutBody {
        /// Bytes that still arrive.
        after: u64,
    },
    /// The body trickles.
    SlowBody {
        /// Bytes of body each second; 0 counts as 1.
        bytes_per_second: u64,
    },
    /// No answer, ever: until the client gives up or the server stops.
    Hang,
}

/// Which of the requests that a rule matches it acts on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Always,
    First(u64),
    FirstOfEach(u64),
    Every(u64),
    Probability(f64),
}

/// A fault and the requests that meet it.
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    when: When,
    path: Option<String>,
    operation: Option<Operation>,
}

impl Rule {
    /// This fault on every request, until narrowed.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, when: When::Always, path: None, operation: None }
    }

    /// Only requests whose path (see [`Request::path`]) contains `part`.
    #[must_use]
    pub fn on_path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Only requests of this kind.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only the first `n` matching requests: a burst.
    #[must_use]
    pub fn first(mut self, n: u64) -> Self {
        self.when = When::First(n);
        self
    }

    /// The first `n` tries of each distinct request: everything fails, then succeeds.
    #[must_use]
    pub fn first_of_each(mut self, n: u64) -> Self {
        self.when = When::FirstOfEach(n);
        self
    }

    /// Every `n`-th matching request: the `n`-th, the `2n`-th and so on; never for 0.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.when = When::Every(n);
        self
    }

    /// Each try of a matching request with probability `p`, from 0 (never) to 1 (always).
    #[must_use]
    pub fn with_probability(mut self, p: f64) -> Self {
        self.when = When::Probability(p);
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.operation.is_none_or(|operation| operation == request.operation)
            && self.path.as_ref().is_none_or(|part| request.path.contains(part))
    }
}

/// How many faults were injected so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injected {
    /// Requests whose answer was delayed.
    pub delayed: u64,
    /// 503 answers.
    pub slow_downs: u64,
    /// Connections ended before a response, with nothing done.
    pub dropped: u64,
    /// Requests carried out without telling the client.
    pub answers_lost: u64,
    /// Bodies that ended early.
    pub cut: u64,
    /// Bodies that trickled.
    pub slowed: u64,
    /// Requests left without an answer.
    pub hung: u64,
}

#[derive(Debug, Default)]
struct Tally {
    delayed: AtomicU64,
    slow_downs: AtomicU64,
    dropped: AtomicU64,
    answers_lost: AtomicU64,
    cut: AtomicU64,
    slowed: AtomicU64,
    hung: AtomicU64,
}

/// A rule with its memory.
#[derive(Debug)]
struct Armed {
    rule: Rule,
    number: u64,
    seen: u64,
    tries: HashMap<String, u64>,
}

#[derive(Debug, Default)]
struct Rules {
    armed: Vec<Armed>,
    added: u64,
}

#[derive(Debug, Default)]
struct Inner {
    seed: u64,
    rules: Mutex<Rules>,
    tally: Tally,
}

/// Shared rules and the count of what they did; clones are the same set.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Inner>);

impl Faults {
    /// No rule yet, seed 0.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// No rule yet; probabilities will be drawn from `seed`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Inner { seed, ..Inner::default() }))
    }

    /// Adds a rule; it counts from here. Of several rules that refuse an answer to one
    /// request, the first added wins.
    pub fn add(&self, rule: Rule) {
        let mut rules = self.lock();
        let number = rules.added;
        rules.added += 1;
        rules.armed.push(Armed { rule, number, seen: 0, tries: HashMap::new() });
    }

    /// Removes all rules; requests that are delayed, slowed or hanging stay so.
    pub fn clear(&self) {
        self.lock().armed.clear();
    }

    /// What was injected so far, by rules that are gone too.
    #[must_use]
    pub fn injected(&self) -> Injected {
        let Tally { delayed, slow_downs, dropped, answers_lost, cut, slowed, hung } = &self.0.tally;
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Injected {
            delayed: read(delayed),
            slow_downs: read(slow_downs),
            dropped: read(dropped),
            answers_lost: read(answers_lost),
            cut: read(cut),
            slowed: read(slowed),
            hung: read(hung),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rules> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about a request, once, and counts everything but cuts: those are counted
    /// where they happen, by [`count_cut`](Self::count_cut).
    pub(crate) fn plan(&self, request: &Request) -> Plan {
        let mut plan = Plan::default();
        for armed in &mut self.lock().armed {
            if armed.rule.matches(request) && armed.strikes(request, self.0.seed) {
                plan.include(armed.rule.fault);
            }
        }
        if plan.answer != Answer::Serve {
            // There is no body of the object to spoil.
            (plan.cut_after, plan.bytes_per_second) = (None, None);
        }
        let tally = &self.0.tally;
        let count = |count: &AtomicU64, happens: bool| {
            count.fetch_add(u64::from(happens), Ordering::SeqCst);
        };
        count(&tally.delayed, !plan.latency.is_zero());
        count(&tally.slow_downs, matches!(plan.answer, Answer::SlowDown { .. }));
        count(&tally.dropped, plan.answer == Answer::Drop);
        count(&tally.answers_lost, plan.answer == Answer::Lose);
        count(&tally.hung, plan.answer == Answer::Hang);
        count(&tally.slowed, plan.bytes_per_second.is_some());
        plan
    }

    pub(crate) fn count_cut(&self) {
        self.0.tally.cut.fetch_add(1, Ordering::SeqCst);
    }
}

impl Armed {
    fn strikes(&mut self, request: &Request, seed: u64) -> bool {
        self.seen += 1;
        match self.rule.when {
            When::Always => true,
            When::First(n) => self.seen <= n,
            When::Every(n) => n != 0 && self.seen.is_multiple_of(n),
            When::FirstOfEach(n) => self.try_of(&identity(request)) < n,
            When::Probability(p) => {
                let identity = identity(request);
                let tried = self.try_of(&identity);
                draw(&[seed, self.number, tried], &identity) < p
            }
        }
    }

    /// How often this very request came before.
    fn try_of(&mut self, identity: &str) -> u64 {
        let tries = self.tries.entry(identity.to_owned()).or_insert(0);
        *tries += 1;
        *tries - 1
    }
}

/// What makes a request the same request when it is tried again.
fn identity(request: &Request) -> String {
    format!("{} {} {}", request.operation, request.path, request.detail)
}

/// A number from 0 to below 1 that depends on the arguments alone: FNV-1a over them,
/// then the finaliser of `SplitMix64`, so that similar paths give unrelated numbers.
fn draw(numbers: &[u64], text: &str) -> f64 {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).chain(text.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let upper_half = u32::try_from((hash ^ (hash >> 31)) >> 32).unwrap_or(u32::MAX);
    f64::from(upper_half) / (f64::from(u32::MAX) + 1.0)
}

/// How a request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As without faults.
    #[default]
    Serve,
    SlowDown {
        retry_after: Option<u64>,
    },
    Full,
    Drop,
    /// Carry out, then drop.
    Lose,
    Hang,
}

/// Everything decided about one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) latency: Duration,
    pub(crate) answer: Answer,
    pub(crate) cut_after: Option<u64>,
    pub(crate) bytes_per_second: Option<u64>,
}

impl Plan {
    fn include(&mut self, fault: Fault) {
        let mut answer = |answer: Answer| {
            if self.answer == Answer::Serve {
                self.answer = answer;
            }
        };
        match fault {
            Fault::Latency(latency) => self.latency = self.latency.saturating_add(latency),
            Fault::SlowDown { retry_after } => answer(Answer::SlowDown { retry_after }),
            Fault::Full => answer(Answer::Full),
            Fault::Drop => answer(Answer::Drop),
            Fault::LoseAnswer => answer(Answer::Lose),
            Fault::Hang => answer(Answer::Hang),
            Fault::CutBody { after } => {
                self.cut_after = Some(self.cut_after.map_or(after, |other| other.min(after)));
            }
            Fault::SlowBody { bytes_per_second: rate } => {
                let rate = rate.max(1);
                self.bytes_per_second =
                    Some(self.bytes_per_second.map_or(rate, |other| other.min(rate)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Fault = Fault::SlowDown { retry_after: None };

    fn get(path: &str) -> Request {
        Request::new(Operation::Get, path, "")
    }

    /// Which of `paths`, in order, are answered with anything but the object.
    fn refused(faults: &Faults, paths: &[&str]) -> Vec<bool> {
        paths.iter().map(|path| faults.plan(&get(path)).answer != Answer::Serve).collect()
    }

    #[test]
    fn counting_rules_count() {
        let paths = ["a", "b", "a", "b", "a", "b"];
        let check = |rule: Rule, expected: [bool; 6]| {
            let faults = Faults::none();
            faults.add(rule);
            assert_eq!(refused(&faults, &paths), expected);
            let count = expected.iter().filter(|&&refused| refused).count();
            assert_eq!(faults.injected().slow_downs, u64::try_from(count).unwrap());
        };
        let rule = || Rule::new(DOWN);
        check(rule(), [true; 6]);
        check(rule().first(2), [true, true, false, false, false, false]);
        check(rule().on_path("b").first(2), [false, true, false, true, false, false]);
        check(rule().first_of_each(1), [true, true, false, false, false, false]);
        check(rule().every(3), [false, false, true, false, false, true]);
        check(rule().every(0), [false; 6]);
        check(rule().on(Operation::Head), [false; 6]);
        check(rule().with_probability(0.0), [false; 6]);
        check(rule().with_probability(1.0), [true; 6]);
    }

    #[test]
    fn probabilities_depend_on_seed_and_request_not_on_order() {
        let names: Vec<String> = (0..2000).map(|n| format!("b/k{n}")).collect();
        let run = |seed: u64, backwards: bool| {
            let faults = Faults::seeded(seed);
            faults.add(Rule::new(Fault::Drop).with_probability(0.1));
            let mut order: Vec<&str> = names.iter().map(String::as_str).collect();
            if backwards {
                order.reverse();
            }
            let mut failing: Vec<&str> = order
                .iter()
                .zip(refused(&faults, &order))
                .filter_map(|(name, refused)| refused.then_some(*name))
                .collect();
            failing.sort_unstable();
            failing.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let failing = run(1, false);
        assert!((150..250).contains(&failing.len()), "{}", failing.len());
        assert_eq!(failing, run(1, true));
        assert_ne!(failing, run(2, false));
    }

    #[test]
    fn faults_combine_and_the_first_refusal_wins() {
        let faults = Faults::none();
        for fault in [
            Fault::Latency(Duration::from_millis(5)),
            Fault::Latency(Duration::from_millis(7)),
            Fault::CutBody { after: 9 },
            Fault::CutBody { after: 4 },
            Fault::SlowBody { bytes_per_second: 0 },
        ] {
            faults.add(Rule::new(fault));
        }
        let expected = Plan {
            latency: Duration::from_millis(12),
            answer: Answer::Serve,
            cut_after: Some(4),
            bytes_per_second: Some(1),
        };
        assert_eq!(faults.plan(&get("a")), expected);
        faults.add(Rule::new(Fault::Drop));
        faults.add(Rule::new(Fault::Hang));
        let refused = Plan { answer: Answer::Drop, latency: expected.latency, ..Plan::default() };
        assert_eq!(faults.plan(&get("a")), refused);
        faults.clear();
        assert_eq!(faults.plan(&get("a")), Plan::default());
        let injected = Injected { delayed: 2, slowed: 1, dropped: 1, ..Injected::default() };
        assert_eq!(faults.injected(), injected);
    }
}
