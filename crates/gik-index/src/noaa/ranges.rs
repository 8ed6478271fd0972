//! Where messages end.

use std::num::NonZeroU64;

use super::Index;

/// The bytes of one message in its GRIB file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageRange {
    /// The first byte.
    pub offset: u64,
    /// The number of bytes; none if the index and the size do not tell.
    pub length: Option<NonZeroU64>,
}

impl Index<'_> {
    /// The range of each entry, in the order of [`Index::entries`].
    ///
    /// A message ends where the next one begins, whatever the order of the lines; the last
    /// ends with the file, whose size is `object_size`. Submessages share the range of
    /// their message. Lines that gave no entry still end the message before them, if their
    /// offset could be read.
    ///
    /// There is no length where it would be a guess: for the last message without a size,
    /// for the last one of a truncated index, and for messages that would reach past the
    /// end of the file (see [`IndexProblem::PastEnd`](super::IndexProblem::PastEnd)). Where
    /// an index leaves messages out, the range before them covers them, too; a GRIB2
    /// message says in its first section where it ends, so it can still be decoded.
    #[must_use]
    pub fn ranges(&self, object_size: Option<u64>) -> Vec<MessageRange> {
        let range = |offset: u64, next: Option<u64>| {
            let end = match next {
                Some(next) => {
                    Some(next).filter(|&next| object_size.is_none_or(|size| next <= size))
                }
                None => object_size.filter(|_| !self.is_truncated()),
            };
            let length = end.and_then(|end| end.checked_sub(offset)).and_then(NonZeroU64::new);
            MessageRange { offset, length }
        };
        let ascending = self.entries.is_sorted_by_key(|entry| entry.offset);
        if ascending && self.boundaries.is_empty() {
            let mut ranges = Vec::with_capacity(self.entries.len());
            let mut next = None;
            let mut current = None;
            for entry in self.entries.iter().rev() {
                if current != Some(entry.offset) {
                    next = current;
                    current = Some(entry.offset);
                }
                ranges.push(range(entry.offset, next));
            }
            ranges.reverse();
            return ranges;
        }
        let mut starts: Vec<u64> = self.entries.iter().map(|entry| entry.offset).collect();
        starts.extend(&self.boundaries);
        starts.sort_unstable();
        starts.dedup();
        self.entries
            .iter()
            .map(|entry| {
                let after = starts.partition_point(|&start| start <= entry.offset);
                range(entry.offset, starts.get(after).copied())
            })
            .collect()
    }
}
