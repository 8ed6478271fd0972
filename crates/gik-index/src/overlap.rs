//! Messages that claim the same bytes of a file.

use std::ops::Range;

/// Which of these byte ranges are doubtful because they overlap another; positions in
/// `ranges`, ascending.
///
/// Messages lie side by side in a file. Where two claim the same bytes, at least one of their
/// index lines is wrong, and reading the wrong one gives another message's values. Both are
/// doubtful, unless one of them overlaps more others: a damaged length costs its own message
/// and not all those that it reaches over. So the ranges that overlap the most others are left
/// out first, and what overlaps is counted anew among the rest.
///
/// Overlaps are counted, never listed, and each round but the last few halves the greatest
/// count: for n ranges the work is that of sorting them log n times at worst, and of sorting
/// them once where none overlap.
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
    let mut left: Vec<(usize, Range<u64>)> =
        ranges.iter().cloned().enumerate().filter(|(_, range)| !range.is_empty()).collect();
    left.sort_unstable_by_key(|(_, range)| range.start);
    if is_disjoint(&left) {
        return Vec::new();
    }
    let mut doubtful = Vec::new();
    loop {
        let mut counted = count_overlaps(left);
        // What overlaps nothing now never will.
        counted.retain(|&(count, _)| count > 0);
        let Some(worst) = counted.iter().map(|&(count, _)| count).max() else { break };
        // Where many lines are damaged, those nearly as bad as the worst go with it: there
        // would be as many rounds as different counts otherwise. Small counts are told apart,
        // for that is what messages have that a few long ones reach over.
        let limit = if worst < TOLD_APART { worst } else { worst / 2 + 1 };
        left = Vec::with_capacity(counted.len());
        for (count, entry) in counted {
            if count >= limit {
                doubtful.push(entry.0);
            } else {
                left.push(entry);
            }
        }
    }
    doubtful.sort_unstable();
    doubtful
}

/// Counts from which on those of more than half the greatest are left out with it.
const TOLD_APART: usize = 16;

/// Whether ranges in the order of their starts do not overlap.
fn is_disjoint(ordered: &[(usize, Range<u64>)]) -> bool {
    ordered.is_sorted_by(|(_, before), (_, after)| before.end <= after.start)
}

/// With how many of the others each of these ranges overlaps; none of them is empty.
fn count_overlaps(ranges: Vec<(usize, Range<u64>)>) -> Vec<(usize, (usize, Range<u64>))> {
    let mut starts: Vec<u64> = ranges.iter().map(|(_, range)| range.start).collect();
    let mut ends: Vec<u64> = ranges.iter().map(|(_, range)| range.end).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    let count = |range: &Range<u64>| {
        // Of those that start before its end, all but those that end before its start.
        let begun = starts.partition_point(|&start| start < range.end);
        let over = ends.partition_point(|&end| end <= range.start);
        // It is among them itself.
        begun - over - 1
    };
    ranges.into_iter().map(|entry| (count(&entry.1), entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_overlap() {
        assert_eq!(overlapping(&[200..300, 0..100, 100..200]), [0; 0]);
        assert_eq!(overlapping(&[]), [0; 0]);
        // Nor do ranges with holes between them, or those without a byte.
        assert_eq!(overlapping(&[500..600, 0..1]), [0; 0]);
        assert_eq!(overlapping(&[0..10, 5..5, 5..5]), [0; 0]);
    }

    #[test]
    fn a_pair_is_doubtful_as_a_whole() {
        assert_eq!(overlapping(&[0..100, 100..201, 200..300]), [1, 2]);
        assert_eq!(overlapping(&[0..100, 200..300, 0..100, 100..200]), [0, 2]);
        assert_eq!(overlapping(&[0..100, 10..80]), [0, 1]);
        // Also where a long one reaches over one of them.
        assert_eq!(overlapping(&[0..15, 10..20, 18..60, 20..30, 30..40, 40..60]), [0, 1, 2]);
    }

    #[test]
    fn those_that_reach_over_many_are_alone_to_blame() {
        let whole: Vec<_> = (0..5000_u64).map(|it| it * 10..it * 10 + 10).collect();
        for long in [&[7_usize][..], &[7, 9], &[7, 4000], &[100, 101, 102], &[5, 1000, 2500]] {
            let mut ranges = whole.clone();
            for (number, &position) in (0..).zip(long) {
                ranges[position].end += 25_000 - 4_000 * number;
            }
            assert_eq!(overlapping(&ranges), long);
            // Ten times as long.
            let mut ranges = whole.clone();
            for &position in long {
                ranges[position].end += 90;
            }
            assert_eq!(overlapping(&ranges), long);
            // And a copied offset elsewhere.
            ranges[4500] = ranges[3000].clone();
            let pair = [long, &[3000, 4500]].concat();
            assert_eq!(overlapping(&ranges), {
                let mut all = pair;
                all.sort_unstable();
                all
            });
        }
    }

    #[test]
    fn hostile_ranges_take_no_longer() {
        let mut ranges = vec![5..10; 200_000];
        ranges.push(20..30);
        assert_eq!(overlapping(&ranges).len(), 200_000);
        // A chain of overlaps, each with the next: its ends overlap less than their neighbours.
        let ranges: Vec<_> = (0..100_000).map(|it| it * 10..it * 10 + 15).collect();
        assert_eq!(overlapping(&ranges).len(), 99_998);
        // As many different counts as ranges.
        let ranges: Vec<_> = (0..200_000).map(|it| it..200_000 + it * it).collect();
        assert!(overlapping(&ranges).len() > 190_000);
        let ranges: Vec<_> =
            (0..200_000_u64).map(|it| it * 10..it * 10 + 1 + it % 447 * it).collect();
        let kept = ranges.len() - overlapping(&ranges).len();
        assert!((1..100_000).contains(&kept), "{kept}");
    }

    #[test]
    fn what_is_left_does_not_overlap() {
        let mut seed = 1_u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        for _ in 0..500 {
            let ranges: Vec<_> = (0..30)
                .map(|_| {
                    let start = random(200);
                    start..start + random(20)
                })
                .collect();
            let doubtful = overlapping(&ranges);
            let left: Vec<_> =
                (0..30).filter(|it| !doubtful.contains(it)).map(|it| &ranges[it]).collect();
            for (number, a) in left.iter().enumerate() {
                for b in &left[number + 1..] {
                    let both = a.start.max(b.start)..a.end.min(b.end);
                    assert!(a.is_empty() || b.is_empty() || both.is_empty(), "{a:?} {b:?}");
                }
            }
            assert!(doubtful.iter().all(|&it| !ranges[it].is_empty()));
        }
    }
}
