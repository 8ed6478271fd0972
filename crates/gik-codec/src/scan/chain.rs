//! Following the chain of a file's messages from several places at once.
//!
//! A message says where it ends, and so where the next begins: a chain, of which each link is
//! a request. Over a network a file of 173 messages would take 173 round trips one after the
//! other. So several walkers follow the chain, from the first byte and from messages found
//! ahead. What those find counts only if the chain from the first byte arrives there: bytes
//! that look like a message within another's data are passed over.
//!
//! Ahead, walkers start at
//!
//! - offsets that someone knows already, from an index: hints;
//! - places where a search found a message. One reads as much as a message is long, on average,
//!   and all of them together with the headers less than [`SHARE`] of the file: so they are few,
//!   and begin where most of the chain is left to follow;
//! - places where a message would end if it were as long as others of the file: simple packing
//!   gives all fields of a grid the same length.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gik_core::{Error, ErrorKind, Result};

use super::heads::{File, Link, Next, PIECE, WINDOW, find_next, search_piece, step};

/// Walkers at the beginning, where each request takes its time.
const WALKERS: u64 = 4;
/// Walkers that start at hints, and those up to which others are guessed.
const MANY_WALKERS: usize = 64;
/// One of so many bytes of a file is read, if messages have to be searched for.
const SHARE: u64 = 51;
/// Stretches below which searching ahead does not pay.
const WORTH_SEARCHING: u64 = 6 << 20;
/// Likewise messages that a walker has before it.
const LINKS_WORTH_SEARCHING: u64 = 6;
/// Pieces that searches read, at least.
const PIECE_LEAST: u64 = 16 << 10;
/// The length of messages before any was met.
const USUAL_LENGTH: u64 = 1 << 20;
/// Messages over which a walker's pace is averaged.
const MEMORY: u64 = 8;
/// Lengths that occur often: how many of them are tried, and from which one on. Shorter
/// messages come along with those before them.
const REPEATED: usize = 4;
const REPEATED_LEAST: u64 = 8 << 10;
/// More messages than any product has in a file.
const MESSAGE_LIMIT: usize = 1 << 20;

/// A request.
#[derive(Debug, Clone, Copy)]
enum Task {
    /// Reads the links at this place. A guess that is none is let go.
    Walk { at: u64, window: u64, is_guess: bool },
    /// Looks for a message in a piece of the search that began at `from`.
    Search { from: u64, at: u64, length: u64 },
    /// Looks for the next message behind bytes that are none.
    Resume { at: u64 },
}

/// What came of it.
enum Outcome {
    Walked { at: u64, is_guess: bool, links: Vec<(u64, Link)>, next: Next },
    Searched { from: u64, end: u64, found: Option<u64> },
    Resumed { at: u64, found: Option<u64> },
}

/// The links from the first byte to the last, in their order. `hints` are offsets at which
/// messages may begin.
pub(super) async fn walk(file: &File<'_>, hints: &[u64]) -> Result<Vec<Link>> {
    let mut chain = Chain::new(file.size, file.is_remote());
    let mut tasks = FuturesUnordered::new();
    for task in chain.start(hints) {
        tasks.push(perform(file, task));
    }
    loop {
        while let Some(outcome) = tasks.next().await {
            for task in chain.take(outcome?)? {
                tasks.push(perform(file, task));
            }
        }
        // A walker may have relied on what another only guessed.
        match chain.gap() {
            Some(at) => {
                tasks.push(perform(file, Task::Walk { at, window: WINDOW, is_guess: false }));
            }
            None => return Ok(chain.in_order()),
        }
    }
}

async fn perform(file: &File<'_>, task: Task) -> Result<Outcome> {
    match task {
        Task::Walk { at, window, is_guess } => {
            let (links, next) = step(file, at, window).await?;
            Ok(Outcome::Walked { at, is_guess, links, next })
        }
        Task::Search { from, at, length } => {
            let found = search_piece(file, at, length).await?;
            Ok(Outcome::Searched { from, end: at.saturating_add(length), found })
        }
        Task::Resume { at } => Ok(Outcome::Resumed { at, found: find_next(file, at).await? }),
    }
}

/// What is known of a file's messages, and what is being asked.
struct Chain {
    size: u64,
    links: BTreeMap<u64, Link>,
    /// The bytes of all messages among them.
    walked: u64,
    /// Where walkers are, and how long the messages behind them are on average.
    walking: BTreeMap<u64, u64>,
    /// Where searches began: what lies from there to the next message is one message's.
    searched: BTreeSet<u64>,
    searches: u64,
    /// How often messages have this length.
    lengths: BTreeMap<u64, u32>,
    /// Bytes that were asked for.
    asked: u64,
    /// Bytes that may be, searches among them.
    allowed: u64,
}

impl Chain {
    fn new(size: u64, is_remote: bool) -> Self {
        Self {
            size,
            links: BTreeMap::new(),
            walked: 0,
            walking: BTreeMap::new(),
            searched: BTreeSet::new(),
            searches: 0,
            lengths: BTreeMap::new(),
            asked: 0,
            // Where a request costs nothing nothing is gained by guessing.
            allowed: if is_remote { size / SHARE } else { 0 },
        }
    }

    fn start(&mut self, hints: &[u64]) -> Vec<Task> {
        let mut tasks: Vec<Task> = self.walk_at(0, USUAL_LENGTH, None, false).into_iter().collect();
        if !hints.is_empty() {
            let apart = hints.len().div_ceil(MANY_WALKERS).max(1);
            let starts = hints.iter().step_by(apart);
            tasks.extend(starts.filter_map(|&at| self.walk_at(at, USUAL_LENGTH, None, true)));
            return tasks;
        }
        if self.size > WORTH_SEARCHING {
            let part = self.size / WALKERS;
            tasks.extend((1..WALKERS).filter_map(|number| self.search_from(part * number)));
        }
        tasks
    }

    fn take(&mut self, outcome: Outcome) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        match outcome {
            Outcome::Walked { at, is_guess, links, next } => {
                let mut pace = self.walking.remove(&at).unwrap_or(USUAL_LENGTH);
                let mut last = None;
                for (offset, link) in links {
                    if let Link::Message(head) = &link {
                        last = Some(head.length);
                        pace = pace - pace / MEMORY + head.length / MEMORY;
                        if !self.links.contains_key(&offset) {
                            self.walked = self.walked.saturating_add(head.length);
                            *self.lengths.entry(head.length).or_default() += 1;
                        }
                    }
                    self.links.insert(offset, link);
                }
                match next {
                    Next::At(next) => {
                        if let Some(task) = self.walk_at(next, pace, last, is_guess) {
                            tasks.push(task);
                            tasks.extend(self.guess_behind(next, pace, last));
                        }
                    }
                    Next::Junk(at) if !is_guess => tasks.push(Task::Resume { at }),
                    Next::Junk(_) | Next::End => {}
                }
            }
            Outcome::Searched { from, end, found } => {
                let task = match found {
                    Some(found) => {
                        self.searches -= 1;
                        self.walk_at(found, USUAL_LENGTH, None, true)
                    }
                    None => {
                        let task = self.piece(from, end);
                        self.searches -= u64::from(task.is_none());
                        task
                    }
                };
                tasks.extend(task);
            }
            Outcome::Resumed { at, found } => {
                self.links.insert(at, Link::Junk { offset: at, end: found.unwrap_or(self.size) });
                tasks
                    .extend(found.and_then(|found| self.walk_at(found, USUAL_LENGTH, None, false)));
            }
        }
        if self.links.len() > MESSAGE_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "number of messages in a file",
                limit: MESSAGE_LIMIT as u64,
                found: self.links.len() as u64,
            }));
        }
        tasks.extend(self.search());
        Ok(tasks)
    }

    /// Walks on at a place, unless it is known or another walker is there. `last` is the length
    /// of the message before it.
    fn walk_at(&mut self, at: u64, pace: u64, last: Option<u64>, is_guess: bool) -> Option<Task> {
        if at >= self.size || self.links.contains_key(&at) || self.walking.contains_key(&at) {
            return None;
        }
        self.walking.insert(at, pace);
        // Small messages are seldom alone.
        let is_small = last.is_some_and(|length| length < 4 * WINDOW_OF_SMALL);
        let window = if is_small { WINDOW_OF_SMALL } else { WINDOW };
        self.asked += window;
        Some(Task::Walk { at, window, is_guess })
    }

    /// Walks at the places where the message at `at` would end if it were as long as others.
    fn guess_behind(&mut self, at: u64, pace: u64, last: Option<u64>) -> Vec<Task> {
        let mut often: Vec<(u32, u64)> = self
            .lengths
            .range(REPEATED_LEAST..)
            .filter(|(_, count)| **count > 1)
            .map(|(&length, &count)| (count, length))
            .collect();
        often.sort_unstable_by(|a, b| b.cmp(a));
        often.truncate(REPEATED);
        let mut tasks = Vec::new();
        for (_, length) in often {
            if self.left() > WINDOW && self.walking.len() < MANY_WALKERS {
                tasks.extend(self.walk_at(at.saturating_add(length), pace, last, true));
            }
        }
        tasks
    }

    /// What may still be asked for, beyond the headers that are left.
    fn left(&self) -> u64 {
        let count = self.links.len() as u64 + 4;
        let length = (self.walked.saturating_add(4 * USUAL_LENGTH) / count).max(1);
        let headers = (self.size.saturating_sub(self.walked) / length).saturating_mul(WINDOW);
        self.allowed.saturating_sub(self.asked).saturating_sub(headers)
    }

    fn search_from(&mut self, from: u64) -> Option<Task> {
        let task = self.piece(from, from)?;
        self.searched.insert(from);
        self.searches += 1;
        Some(task)
    }

    /// The next piece of a search that found nothing so far, unless it has become needless or
    /// nothing is left to spend.
    fn piece(&mut self, from: u64, at: u64) -> Option<Task> {
        let before = self.links.range(..from).next_back().and_then(|(_, link)| link.end());
        if before.is_some_and(|end| end > from) {
            return None;
        }
        let length = (self.size >> 10).clamp(PIECE_LEAST, PIECE).min(self.left());
        let length = length.min(self.end_of_stretch(at).saturating_sub(at));
        if length < PIECE_LEAST {
            return None;
        }
        self.asked += length;
        Some(Task::Search { from, at, length })
    }

    /// Where what is known after a place begins.
    fn end_of_stretch(&self, at: u64) -> u64 {
        let after = at.saturating_add(1)..;
        let next = [
            self.links.range(after.clone()).next().map(|(&at, _)| at),
            self.walking.range(after.clone()).next().map(|(&at, _)| at),
            self.searched.range(after).next().copied(),
        ];
        next.into_iter().flatten().min().unwrap_or(self.size)
    }

    /// Searches in the middle of the stretch on which a walker has the most messages before it,
    /// one at a time.
    fn search(&mut self) -> Option<Task> {
        if self.searches > 0 || self.left() < PIECE_LEAST {
            return None;
        }
        let stretches = self.walking.iter().map(|(&at, &pace)| {
            let length = self.end_of_stretch(at) - at;
            (length / pace.max(1), at, length)
        });
        let (links, at, length) = stretches.max()?;
        if links < LINKS_WORTH_SEARCHING || length < 4 * PIECE {
            return None;
        }
        self.search_from(at + length / 2)
    }

    /// The first place that the chain from the first byte arrives at without a link there.
    fn gap(&self) -> Option<u64> {
        let mut at = 0;
        while at < self.size {
            match self.links.get(&at).map(Link::end) {
                None => return Some(at),
                Some(Some(end)) if end > at => at = end,
                Some(_) => break,
            }
        }
        None
    }

    /// The links of the chain, which has no gap.
    fn in_order(mut self) -> Vec<Link> {
        let mut links = Vec::with_capacity(self.links.len());
        let mut at = 0;
        while let Some(link) = self.links.remove(&at) {
            at = link.end().unwrap_or(at);
            links.push(link);
        }
        links
    }
}

/// Bytes asked for behind a small message: those that follow come along.
const WINDOW_OF_SMALL: u64 = 4096;
