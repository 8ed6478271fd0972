//! Bytes of a file that no line of its index tells of.
//!
//! Messages lie side by side in ECMWF's files, from the first byte to the last. Where bytes are
//! left over, a line is lost, or a length is too small: nothing else shows either, for the lines
//! that are there are in order.

use std::ops::Range;

/// What the lines of an index tell of the bytes of their file.
#[derive(Debug)]
pub(crate) struct Coverage {
    size: u64,
    /// The bytes of messages, in no order.
    told: Vec<Range<u64>>,
    /// Where messages begin whose length is in doubt.
    begun: Vec<u64>,
    /// Lines of which nobody knows where their messages lie.
    displaced: usize,
}

impl Coverage {
    /// Of a file of `size` bytes, with no line yet.
    pub(crate) fn of_file(size: u64, lines: usize) -> Self {
        Self { size, told: Vec::with_capacity(lines), begun: Vec::new(), displaced: 0 }
    }

    /// A line tells of these bytes.
    pub(crate) fn tell(&mut self, message: Range<u64>) {
        if message.end <= self.size {
            self.told.push(message);
        } else {
            self.doubt(message.start);
        }
    }

    /// A line tells of a message here, and its length is in doubt.
    pub(crate) fn doubt(&mut self, start: u64) {
        if start < self.size {
            self.begun.push(start);
        } else {
            self.displace(1);
        }
    }

    /// So many lines may tell of any place.
    pub(crate) const fn displace(&mut self, lines: usize) {
        self.displaced += lines;
    }

    /// The stretches that no line tells of.
    pub(crate) fn gaps(mut self) -> Gaps {
        self.told.sort_unstable_by_key(|message| message.start);
        self.begun.sort_unstable();
        let (mut ranges, mut end) = (Vec::new(), 0);
        let file_end = self.size..self.size;
        for message in self.told.into_iter().chain([file_end]) {
            // A message whose length is in doubt takes what begins with it.
            if end < message.start && self.begun.binary_search(&end).is_err() {
                ranges.push(end..message.start);
            }
            end = end.max(message.end);
        }
        Gaps { is_explained: ranges.len() <= self.displaced, ranges }
    }
}

/// Stretches of a file that no line of its index tells of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// In the order of the file, none of them empty.
    ranges: Vec<Range<u64>>,
    /// Whether there are no more of them than lines that may tell of any place, which are
    /// reported for themselves.
    pub(crate) is_explained: bool,
}

impl Gaps {
    pub(crate) fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// The bytes of all together.
    pub(crate) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|gap| gap.end - gap.start).sum()
    }

    /// The end of the gap that starts here.
    pub(crate) fn end_of(&self, start: u64) -> Option<u64> {
        let position = self.ranges.binary_search_by_key(&start, |gap| gap.start).ok()?;
        self.ranges.get(position).map(|gap| gap.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(told: &[Range<u64>], begun: &[u64], displaced: usize) -> Gaps {
        let mut coverage = Coverage::of_file(100, told.len());
        told.iter().cloned().for_each(|it| coverage.tell(it));
        begun.iter().for_each(|&it| coverage.doubt(it));
        coverage.displace(displaced);
        coverage.gaps()
    }

    #[test]
    fn gaps_are_before_between_and_after() {
        let found = gaps(&[50..60, 10..20, 20..30, 12..15], &[], 0);
        assert_eq!((found.ranges(), found.is_explained), (&[0..10, 30..50, 60..100][..], false));
        assert_eq!((found.bytes(), found.end_of(30), found.end_of(31)), (70, Some(50), None));
        assert_eq!(gaps(&[0..40, 40..100], &[], 0), Gaps { ranges: vec![], is_explained: true });
        assert_eq!(gaps(&[], &[], 0).ranges(), [0..100]);
    }

    #[test]
    fn doubtful_lines_explain_as_many_gaps_as_there_are() {
        assert_eq!(gaps(&[0..40, 60..100], &[40], 0).ranges(), [0..0; 0]);
        assert_eq!(gaps(&[0..40, 60..100], &[41], 0).ranges(), [40..60]);
        assert!(gaps(&[0..40, 60..100], &[], 1).is_explained);
        assert!(gaps(&[0..40, 60..100, 800..900], &[], 0).is_explained);
        assert!(!gaps(&[0..40, 60..90], &[], 1).is_explained);
        // It begins in the file and ends after it.
        assert_eq!(gaps(&[0..40, 40..900], &[], 0).ranges(), [0..0; 0]);
    }
}
