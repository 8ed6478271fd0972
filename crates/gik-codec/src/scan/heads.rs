//! Reading where messages begin and how long they are: section 0 of each.

use bytes::Bytes;
use gik_core::{Error, Result, SourceReader};
use memchr::memmem;
use url::Url;

/// Octets of section 0, and with them those of section 1 that tell a message from chance.
const INDICATOR: usize = 16;
const LIKENESS: usize = 21;
/// Bytes asked for at the beginning of a message: its sections 0 to 6, without a bitmap, have
/// some 250.
pub(super) const WINDOW: u64 = 384;
/// Bytes of a request that searches, at most.
pub(super) const PIECE: u64 = 160 << 10;
/// Bytes of the first request behind bytes that are none: a file in which they are many and few at
/// a time is not read over and over.
const FIRST_PIECE: u64 = 256;
/// How far the next message is searched for behind bytes that are none.
const JUNK_LIMIT: u64 = 4 << 20;
/// Likewise at a file's beginning: what starts otherwise is another kind of file.
const PREAMBLE_LIMIT: u64 = 64 << 10;

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
    pub(super) fn is_remote(&self) -> bool {
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
    /// Where the next link begins, unless the file ends before.
    pub(super) fn end(&self) -> Option<u64> {
        match self {
            Self::Message(head) => Some(head.offset + head.length),
            Self::Junk { end, .. } => Some(*end),
            Self::Cut { .. } => None,
        }
    }
}

/// What comes after the links that a walker found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Next {
    /// What has to be asked for at this place.
    At(u64),
    /// Bytes that are no message.
    Junk(u64),
    /// Nothing.
    End,
}

/// Reads `window` bytes at `at`, and takes all messages that begin in what came.
pub(super) async fn step(
    file: &File<'_>,
    at: u64,
    window: u64,
) -> Result<(Vec<(u64, Link)>, Next)> {
    let bytes = file.read(at, window).await?;
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
    Ok((links, next))
}

impl Head {
    /// Section 0 (edition 2) or its counterpart of edition 1.
    pub(super) fn read(offset: u64, mut bytes: Bytes) -> Option<Self> {
        let section = bytes.first_chunk::<INDICATOR>()?;
        let &[b'G', b'R', b'I', b'B', a, b, discipline, edition, ref length @ ..] = section else {
            return None;
        };
        let length = match edition {
            1 => u64::from(u32::from_be_bytes([0, a, b, discipline])),
            _ => u64::from_be_bytes(*length),
        };
        // What came along is the next message's.
        let own = usize::try_from(length).map_or(bytes.len(), |own| own.min(bytes.len()));
        bytes.truncate(own);
        (length >= INDICATOR as u64).then_some(Self { offset, length, edition, discipline, bytes })
    }
}

/// The first message that begins within `length` bytes from `at` on.
pub(super) async fn search_piece(file: &File<'_>, at: u64, length: u64) -> Result<Option<u64>> {
    // Pieces overlap by what tells a message from chance.
    let bytes = file.read(at, length + LIKENESS as u64).await?;
    Ok(find(&bytes, at, file.size))
}

/// The next message behind bytes that are none, if there is one near.
///
/// # Errors
/// When nothing near the beginning of the file is a message: it is another kind of file.
pub(super) async fn find_next(file: &File<'_>, from: u64) -> Result<Option<u64>> {
    let limit = if from == 0 { PREAMBLE_LIMIT } else { JUNK_LIMIT };
    let end = from.saturating_add(limit).min(file.size);
    let mut at = from;
    let mut piece = FIRST_PIECE;
    while at < end {
        let length = piece.min(end - at);
        piece = PIECE.min(piece * 2);
        if let Some(found) = search_piece(file, at, length).await? {
            return Ok(Some(found));
        }
        at += length;
    }
    if from == 0 {
        let expected = "a GRIB message, which begins with 'GRIB'";
        let start = file.read(0, 4).await?.escape_ascii().to_string();
        return Err(Error::malformed("file", expected, start).at(0));
    }
    Ok(None)
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
