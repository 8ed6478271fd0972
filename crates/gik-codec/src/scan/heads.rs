//! Finding the messages of a file: where each begins and how long it is.
//!
//! A message says where it ends, and so where the next begins: a chain, of which each link is
//! a request. Over a network a file of 173 messages would take 173 round trips one after the
//! other. So several walkers follow the chain, from the first byte and from messages found
//! by searching for one ahead. What those find counts only if the chain from the first byte
//! arrives there: bytes that look like a message within another's data are passed over.
//!
//! Where someone knows offsets already, from an index, walkers start at those: hints, which are
//! believed no more than what a search finds.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use gik_core::{Error, ErrorKind, Result, SourceReader};
use memchr::memmem;
use url::Url;

/// Octets of section 0, and with them those of section 1 that tell a message from chance.
const INDICATOR: usize = 16;
const LIKENESS: usize = 21;
/// Bytes asked for at the beginning of a message: its sections 0 to 6, without a bitmap, have
/// some 250; small messages that follow come along.
pub(super) const WINDOW: u64 = 1024;
/// Walkers at the same time, where each request takes its time.
const WALKERS: usize = 4;
/// Walkers that start at hints.
const HINTED_WALKERS: usize = 24;
/// Stretches below which searching ahead does not pay.
const WORTH_SEARCHING: u64 = 6 << 20;
/// Bytes of a request that searches, at most: a thousandth of the file.
const PIECE: u64 = 128 << 10;
/// Of a file's bytes this part may be spent on searching ahead.
const SEARCH_SHARE: u64 = 58;
/// What of them must be left to begin another search: on average one takes as much.
const SEARCH_LEAST: u64 = 200;
/// How far the next message is searched for behind bytes that are none.
const JUNK_LIMIT: u64 = 4 << 20;
/// Likewise at a file's beginning: what starts otherwise is another kind of file.
const PREAMBLE_LIMIT: u64 = 64 << 10;
/// More messages than any product has in a file.
const MESSAGE_LIMIT: usize = 1 << 20;

/// The file that is scanned.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'f> {
    pub(super) reader: &'f SourceReader,
    pub(super) url: &'f Url,
    pub(super) size: u64,
}

impl File<'_> {
    /// The bytes from `offset` on, `count` or as many as there are.
    pub(super) async fn read(&self, offset: u64, count: u64) -> Result<Bytes> {
        let end = offset.saturating_add(count).min(self.size);
        if offset >= end {
            return Err(Error::truncated(count, 0).at(offset));
        }
        self.reader.range(self.url, offset..end).await
    }

    /// Whether a request takes long beside what it brings.
    fn is_remote(&self) -> bool {
        self.url.scheme() != "file"
    }
}

/// A message, by its indicator section.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) edition: u8,
    pub(super) discipline: u8,
    /// Its first bytes, as many as are known already.
    pub(super) bytes: Bytes,
}

/// What lies at a place of the chain.
#[derive(Debug, Clone)]
pub(super) enum Link {
    Message(Head),
    /// Bytes that are no message, up to `end`.
    Junk {
        offset: u64,
        end: u64,
    },
    /// A message that ends after the file.
    Cut {
        offset: u64,
        length: u64,
    },
}

impl Link {
    fn end(&self) -> Option<u64> {
        match self {
            Self::Message(head) => Some(head.offset + head.length),
            Self::Junk { end, .. } => Some(*end),
            Self::Cut { .. } => None,
        }
    }
}

/// A request, or the few of a search.
#[derive(Debug, Clone, Copy)]
enum Task {
    /// Reads the links at this place. A guess that is none is let go.
    Walk { at: u64, is_guess: bool },
    /// Looks for a message within a stretch.
    Search { from: u64, to: u64, limit: u64 },
    /// Looks for the next message behind bytes that are none.
    Resume { at: u64 },
}

/// What came of it.
enum Outcome {
    Walked { at: u64, is_guess: bool, links: Vec<(u64, Link)>, next: Next },
    Searched { from: u64, found: Option<u64>, read: u64 },
    Resumed { at: u64, found: Option<u64> },
}

enum Next {
    At(u64),
    Junk(u64),
    End,
}

/// The links from the first byte to the last, in their order. `hints` are offsets at which
/// messages may begin.
pub(super) async fn walk(file: &File<'_>, hints: &[u64]) -> Result<Vec<Link>> {
    let mut chain = Chain::new(file);
    let mut tasks = FuturesUnordered::new();
    for task in chain.start(hints) {
        tasks.push(perform(file, task));
    }
    loop {
        while let Some(outcome) = tasks.next().await {
            for task in chain.take(outcome?, tasks.len())? {
                tasks.push(perform(file, task));
            }
        }
        // A walker may have relied on what another only guessed.
        match chain.gap() {
            Some(at) => tasks.push(perform(file, Task::Walk { at, is_guess: false })),
            None => return Ok(chain.in_order()),
        }
    }
}

struct Chain {
    size: u64,
    links: BTreeMap<u64, Link>,
    /// Where walkers are.
    walking: BTreeSet<u64>,
    /// Where searches began that are under way.
    searching: BTreeSet<u64>,
    /// Bytes that searches may still read.
    budget: u64,
}

impl Chain {
    fn new(file: &File<'_>) -> Self {
        Self {
            size: file.size,
            links: BTreeMap::new(),
            walking: BTreeSet::new(),
            searching: BTreeSet::new(),
            budget: if file.is_remote() { file.size / SEARCH_SHARE } else { 0 },
        }
    }

    fn start(&mut self, hints: &[u64]) -> Vec<Task> {
        let mut tasks: Vec<Task> = self.walk_at(0, false).into_iter().collect();
        if !hints.is_empty() {
            let apart = hints.len().div_ceil(HINTED_WALKERS).max(1);
            let starts = hints.iter().step_by(apart);
            tasks.extend(starts.filter_map(|&at| self.walk_at(at, true)));
            return tasks;
        }
        while tasks.len() < WALKERS && self.budget > 0 && self.size > WORTH_SEARCHING {
            let part = self.size / WALKERS as u64;
            let from = part * tasks.len() as u64;
            self.searching.insert(from);
            let limit = self.budget / (WALKERS as u64 - 1);
            tasks.push(Task::Search { from, to: self.size, limit });
        }
        tasks
    }

    fn take(&mut self, outcome: Outcome, under_way: usize) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        match outcome {
            Outcome::Walked { at, is_guess, links, next } => {
                self.walking.remove(&at);
                self.links.extend(links);
                match next {
                    Next::At(next) => tasks.extend(self.walk_at(next, is_guess)),
                    Next::Junk(at) if !is_guess => tasks.push(Task::Resume { at }),
                    Next::Junk(_) | Next::End => {}
                }
            }
            Outcome::Searched { from, found, read } => {
                self.searching.remove(&from);
                self.budget = self.budget.saturating_sub(read);
                tasks.extend(found.and_then(|found| self.walk_at(found, true)));
            }
            Outcome::Resumed { at, found } => {
                self.links.insert(at, Link::Junk { offset: at, end: found.unwrap_or(self.size) });
                tasks.extend(found.and_then(|found| self.walk_at(found, false)));
            }
        }
        if self.links.len() > MESSAGE_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "number of messages in a file",
                limit: MESSAGE_LIMIT as u64,
                found: self.links.len() as u64,
            }));
        }
        if tasks.is_empty() && under_way < WALKERS {
            tasks.extend(self.search());
        }
        Ok(tasks)
    }

    /// Walks on at a place, unless it is known or another walker is there.
    fn walk_at(&mut self, at: u64, is_guess: bool) -> Option<Task> {
        let is_new = at < self.size && !self.links.contains_key(&at) && self.walking.insert(at);
        is_new.then_some(Task::Walk { at, is_guess })
    }

    /// Searches in the middle of the longest stretch that a walker has before it.
    fn search(&mut self) -> Option<Task> {
        if self.budget < (self.size / SEARCH_LEAST).max(PIECE) || !self.searching.is_empty() {
            return None;
        }
        let longest = self.walking.iter().map(|&at| {
            let after = at + 1..;
            let next = [
                self.links.range(after.clone()).next().map(|(&at, _)| at),
                self.walking.range(after.clone()).next().copied(),
                self.searching.range(after).next().copied(),
            ];
            (at, next.into_iter().flatten().min().unwrap_or(self.size))
        });
        let (at, end) = longest.max_by_key(|(at, end)| end - at)?;
        if end - at < WORTH_SEARCHING {
            return None;
        }
        let from = at + (end - at) / 2;
        self.searching.insert(from);
        Some(Task::Search { from, to: end, limit: self.budget })
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

async fn perform(file: &File<'_>, task: Task) -> Result<Outcome> {
    match task {
        Task::Walk { at, is_guess } => step(file, at, is_guess).await,
        Task::Search { from, to, limit } => {
            let (found, read) = search(file, from, limit.min(to.saturating_sub(from))).await?;
            Ok(Outcome::Searched { from, found, read })
        }
        Task::Resume { at } => {
            let limit = if at == 0 { PREAMBLE_LIMIT } else { JUNK_LIMIT };
            let (found, _) = search(file, at, limit).await?;
            if at == 0 && found.is_none() {
                let expected = "a GRIB message, which begins with 'GRIB'";
                let start = file.read(0, 4).await?.escape_ascii().to_string();
                return Err(Error::malformed("file", expected, start).at(0));
            }
            Ok(Outcome::Resumed { at, found })
        }
    }
}

/// Reads at `at`, and takes all messages that begin in what came.
async fn step(file: &File<'_>, at: u64, is_guess: bool) -> Result<Outcome> {
    let bytes = file.read(at, WINDOW).await?;
    let mut links = Vec::new();
    let mut position = 0_usize;
    let next = loop {
        let offset = at + position as u64;
        if offset >= file.size {
            break Next::End;
        }
        let rest = bytes.slice(position.min(bytes.len())..);
        if rest.len() < INDICATOR && offset + (INDICATOR as u64) <= file.size && position > 0 {
            break Next::At(offset);
        }
        let Some(head) = Head::read(offset, rest) else { break Next::Junk(offset) };
        let Some(end) = offset.checked_add(head.length).filter(|&end| end <= file.size) else {
            links.push((offset, Link::Cut { offset, length: head.length }));
            break Next::End;
        };
        links.push((offset, Link::Message(head)));
        match usize::try_from(end - at) {
            Ok(next) if next < bytes.len() => position = next,
            _ => break Next::At(end),
        }
    };
    Ok(Outcome::Walked { at, is_guess, links, next })
}

impl Head {
    /// Section 0 (edition 2) or its counterpart of edition 1.
    pub(super) fn read(offset: u64, bytes: Bytes) -> Option<Self> {
        let section = bytes.first_chunk::<INDICATOR>()?;
        let &[b'G', b'R', b'I', b'B', a, b, discipline, edition, ref length @ ..] = section else {
            return None;
        };
        let length = match edition {
            1 => u64::from(u32::from_be_bytes([0, a, b, discipline])),
            _ => u64::from_be_bytes(*length),
        };
        (length >= INDICATOR as u64).then_some(Self { offset, length, edition, discipline, bytes })
    }
}

/// The first message that begins within `limit` bytes from `from` on, and the bytes read.
async fn search(file: &File<'_>, from: u64, limit: u64) -> Result<(Option<u64>, u64)> {
    let end = from.saturating_add(limit).min(file.size);
    let piece = (file.size >> 10).clamp(PIECE >> 3, PIECE);
    let (mut at, mut read) = (from, 0);
    while at < end {
        // Pieces overlap by what tells a message from chance.
        let bytes = file.read(at, piece.min(end - at) + LIKENESS as u64).await?;
        read += bytes.len() as u64;
        if let Some(found) = find(&bytes, at, file.size) {
            return Ok((Some(found), read));
        }
        at += piece;
    }
    Ok((None, read))
}

/// Where the first message begins in `bytes`, which lie at `base` of a file of `size` bytes.
fn find(bytes: &[u8], base: u64, size: u64) -> Option<u64> {
    memmem::find_iter(bytes, b"GRIB")
        .find(|&position| {
            let looks = bytes.get(position..).and_then(|bytes| bytes.first_chunk::<LIKENESS>());
            let Some(&[_, _, _, _, _, _, _, 2, ref rest @ ..]) = looks else { return false };
            let (length, section) = rest.split_at(8);
            let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |n, &it| n << 8 | u64::from(it));
            let (section_length, section_number) = section.split_at(4);
            let ends = (base + position as u64).checked_add(number(length));
            ends.is_some_and(|end| end <= size)
                && number(length) > LIKENESS as u64
                && (21..=1000).contains(&number(section_length))
                && section_number == [1]
        })
        .map(|position| base + position as u64)
}
