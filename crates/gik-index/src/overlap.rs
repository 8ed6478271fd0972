//! Messages that claim the same bytes of a file.

use std::ops::Range;

/// Which of these byte ranges are doubtful because they overlap another; positions in
/// `ranges`, ascending.
///
/// Messages lie side by side in a file. Where two claim the same bytes, at least one of their
/// index lines is wrong, and reading the wrong one gives another message's values. Both are
/// doubtful, unless one of them alone overlaps more: a single damaged length costs its own
/// message and not all those that it reaches over.
///
/// Work is linear in the number of ranges but for sorting them. An index in which more pairs
/// overlap than it has lines is damaged beyond such distinctions: all that overlap are
/// doubtful.
///
/// # Examples
/// ```
/// // The second line repeats the offset of the first.
/// assert_eq!(gik_index::overlapping(&[0..100, 0..80, 100..200]), [0, 1]);
/// // One length is far too large.
/// assert_eq!(gik_index::overlapping(&[0..100, 100..900, 200..300, 300..400]), [1]);
/// ```
#[must_use]
pub fn overlapping(ranges: &[Range<u64>]) -> Vec<usize> {
    let at = |position: usize| ranges.get(position).cloned().unwrap_or_default();
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_unstable_by_key(|&position| (at(position).start, at(position).end));

    let mut pairs = Vec::new();
    // Ranges that may reach over the next one.
    let mut open = Vec::<usize>::new();
    for &position in &order {
        let range = at(position);
        open.retain(|&other| at(other).end > range.start);
        pairs.extend(open.iter().map(|&other| (other, position)));
        if pairs.len() > ranges.len() {
            return all_overlapping(&order, &at);
        }
        open.push(position);
    }
    let mut count = vec![0_u32; ranges.len()];
    for position in pairs.iter().flat_map(|&(a, b)| [a, b]) {
        if let Some(count) = count.get_mut(position) {
            *count += 1;
        }
    }
    let count = |position: usize| count.get(position).copied().unwrap_or_default();
    let mut doubtful: Vec<usize> = pairs
        .iter()
        .flat_map(|&(a, b)| [(a, b), (b, a)])
        .filter(|&(one, other)| count(one) >= count(other))
        .map(|(one, _)| one)
        .collect();
    doubtful.sort_unstable();
    doubtful.dedup();
    doubtful
}

/// All that overlap another, by one pass in each direction.
fn all_overlapping(order: &[usize], at: &impl Fn(usize) -> Range<u64>) -> Vec<usize> {
    let mut doubtful = Vec::new();
    // The range that ends last of those before.
    let mut last: Option<usize> = None;
    for &position in order {
        if let Some(before) = last
            && at(before).end > at(position).start
        {
            doubtful.extend([before, position]);
        }
        if last.is_none_or(|before| at(before).end < at(position).end) {
            last = Some(position);
        }
    }
    doubtful.sort_unstable();
    doubtful.dedup();
    doubtful
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_overlap() {
        assert_eq!(overlapping(&[200..300, 0..100, 100..200]), [0; 0]);
        assert_eq!(overlapping(&[]), [0; 0]);
        // Nor do ranges with holes between them.
        assert_eq!(overlapping(&[500..600, 0..1]), [0; 0]);
    }

    #[test]
    fn a_pair_is_doubtful_as_a_whole() {
        assert_eq!(overlapping(&[0..100, 100..201, 200..300]), [1, 2]);
        assert_eq!(overlapping(&[0..100, 200..300, 0..100, 100..200]), [0, 2]);
    }

    #[test]
    fn one_that_reaches_over_many_is_alone_to_blame() {
        let mut ranges: Vec<_> = (0..50).map(|it| it * 10..it * 10 + 10).collect();
        ranges.insert(7, 0..500);
        assert_eq!(overlapping(&ranges), [7]);
    }

    #[test]
    fn a_heap_on_one_place_takes_no_longer() {
        let mut ranges = vec![5..10; 200_000];
        ranges.push(20..30);
        assert_eq!(overlapping(&ranges).len(), 200_000);
        // A chain of overlaps, each with the next: its ends overlap less than their neighbours.
        let ranges: Vec<_> = (0..100_000).map(|it| it * 10..it * 10 + 15).collect();
        assert_eq!(overlapping(&ranges).len(), 99_998);
    }
}
