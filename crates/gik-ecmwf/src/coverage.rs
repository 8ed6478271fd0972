//! Bytes of a file that no line of its index tells of.
//!
//! Messages lie side by side in ECMWF's files, from the first byte to the last. Where bytes are
//! left over, a line is lost, or a length is too small: nothing else shows either, for the lines
//! that are there are in order.

use std::collections::HashMap;
use std::ops::Range;

/// What the lines of an index tell of the bytes of their file.
#[derive(Debug)]
pub(crate) struct Coverage {
    size: u64,
    /// The bytes of messages, in no order.
    told: Vec<Range<u64>>,
    /// Where messages begin whose length is in doubt.
    begun: Vec<u64>,
    /// The lengths of messages that lie elsewhere than their lines say, where nothing else is
    /// reported of them.
    displaced: Vec<u64>,
    /// Lines that are reported, and may tell of any place.
    reported: usize,
}

impl Coverage {
    /// Of a file of `size` bytes, with no line yet.
    pub(crate) fn of_file(size: u64, lines: usize) -> Self {
        let told = Vec::with_capacity(lines);
        Self { size, told, begun: Vec::new(), displaced: Vec::new(), reported: 0 }
    }

    /// A line tells of these bytes. `is_reported`: the line is, for another reason.
    pub(crate) fn tell(&mut self, message: Range<u64>, is_reported: bool) {
        if message.end <= self.size {
            self.told.push(message);
        } else {
            self.doubt(message, is_reported);
        }
    }

    /// A line tells of a message that starts there, and its length is in doubt.
    pub(crate) fn doubt(&mut self, message: Range<u64>, is_reported: bool) {
        if message.start < self.size {
            self.begun.push(message.start);
        } else {
            self.displace(message, is_reported);
        }
    }

    /// A line tells of a message that may lie elsewhere.
    pub(crate) fn displace(&mut self, message: Range<u64>, is_reported: bool) {
        if is_reported {
            self.reported += 1;
        } else {
            self.displaced.push(message.end - message.start);
        }
    }

    /// So many lines more are reported, and may tell of any place.
    pub(crate) const fn excuse(&mut self, lines: usize) {
        self.reported += lines;
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
        let mut displaced = HashMap::<u64, usize>::new();
        for length in self.displaced {
            *displaced.entry(length).or_default() += 1;
        }
        ranges.retain(|gap| match displaced.get_mut(&(gap.end - gap.start)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        Gaps { is_explained: ranges.len() <= self.reported, ranges }
    }
}

/// Stretches of a file that no line of its index tells of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gaps {
    /// In the order of the file, none of them empty.
    ranges: Vec<Range<u64>>,
    /// Whether there are no more of them than lines that are reported and may tell of any
    /// place.
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

    fn coverage(told: &[Range<u64>]) -> Coverage {
        let mut coverage = Coverage::of_file(100, told.len());
        told.iter().cloned().for_each(|it| coverage.tell(it, false));
        coverage
    }

    fn bounds(gaps: &Gaps) -> Vec<(u64, u64)> {
        gaps.ranges().iter().map(|gap| (gap.start, gap.end)).collect()
    }

    #[test]
    fn gaps_are_before_between_and_after() {
        let found = coverage(&[50..60, 10..20, 20..30, 12..15]).gaps();
        assert_eq!(bounds(&found), [(0, 10), (30, 50), (60, 100)]);
        assert_eq!((found.bytes(), found.is_explained), (70, false));
        assert_eq!((found.end_of(30), found.end_of(31)), (Some(50), None));
        let whole = coverage(&[0..40, 40..100]).gaps();
        assert_eq!(whole, Gaps { ranges: vec![], is_explained: true });
        assert_eq!(bounds(&coverage(&[]).gaps()), [(0, 100)]);
    }

    #[test]
    fn lines_in_doubt_tell_of_what_begins_with_them() {
        for (start, left) in [(40, &[][..]), (41, &[(40, 60)])] {
            let mut coverage = coverage(&[0..40, 60..100]);
            coverage.doubt(start..start + 1, false);
            assert_eq!(bounds(&coverage.gaps()), left);
        }
        // It begins in the file and ends after it.
        assert_eq!(bounds(&coverage(&[0..40, 40..900]).gaps()), []);
    }

    #[test]
    fn displaced_lines_tell_of_gaps_of_their_length() {
        assert_eq!(bounds(&coverage(&[0..40, 60..100, 800..820]).gaps()), []);
        assert_eq!(bounds(&coverage(&[0..40, 60..100, 800..821]).gaps()), [(40, 60)]);
    }

    #[test]
    fn reported_lines_explain_as_many_gaps_as_they_are() {
        for (lines, is_explained) in [(0, false), (1, false), (2, true)] {
            let mut coverage = coverage(&[0..40, 60..90]);
            coverage.excuse(lines);
            let gaps = coverage.gaps();
            assert_eq!((gaps.ranges().len(), gaps.is_explained), (2, is_explained));
        }
    }
}
