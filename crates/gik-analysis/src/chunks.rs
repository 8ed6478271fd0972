//! Which chunks the wanted points lie in, and where in each.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use gik_core::Result;
use gik_icechunk::StoredArray;

use crate::axes::{Axis, to_usize};

/// Along one dimension: the points wanted of one chunk.
#[derive(Debug)]
struct Slab {
    chunk: u64,
    /// The smallest part of the chunk that has all of them.
    part: Range<usize>,
    /// As (position in the chunk, position in the result).
    points: Vec<(usize, usize)>,
}

impl Slab {
    fn new(chunk: u64, inside: usize, outside: usize) -> Self {
        Self { chunk, part: inside..inside + 1, points: vec![(inside, outside)] }
    }

    fn add(&mut self, inside: usize, outside: usize) {
        self.part = self.part.start.min(inside)..self.part.end.max(inside + 1);
        self.points.push((inside, outside));
    }
}

/// All wanted chunks of an array: for each dimension the slabs, in the order of the result.
#[derive(Debug)]
pub(crate) struct Chunks {
    slabs: Vec<Vec<Arc<Slab>>>,
    /// The lengths of the result.
    pub(crate) lengths: Vec<usize>,
}

impl Chunks {
    /// The chunks that hold the wanted points of `axes`.
    pub(crate) fn new(array: &StoredArray, axes: &[Axis]) -> Result<Self> {
        let shape = array.chunk_shape(&vec![0; axes.len()])?;
        let mut slabs = Vec::new();
        for (axis, length) in axes.iter().zip(shape) {
            slabs.push(along(&axis.indices, to_usize(length)?.max(1)));
        }
        Ok(Self { slabs, lengths: axes.iter().map(|axis| axis.indices.len()).collect() })
    }

    /// The same chunks for a result that has all points along one dimension in one place.
    pub(crate) fn collapsed(mut self, dimension: usize) -> Self {
        for slab in self.slabs.get_mut(dimension).into_iter().flatten() {
            let points = slab.points.iter().map(|&(inside, _)| (inside, 0)).collect();
            *slab = Arc::new(Slab { chunk: slab.chunk, part: slab.part.clone(), points });
        }
        if let Some(length) = self.lengths.get_mut(dimension) {
            *length = 1;
        }
        self
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.slabs.iter().fold(1, |count, slabs| count.saturating_mul(slabs.len()))
    }

    /// Points of the result; the largest number if there are more.
    pub(crate) fn points(&self) -> usize {
        self.lengths.iter().fold(1, |count, &length| count.saturating_mul(length))
    }

    /// The chunk at a position in C order.
    pub(crate) fn get(&self, mut position: usize) -> ChunkPart {
        let mut slabs = Vec::new();
        for along in self.slabs.iter().rev() {
            let length = along.len().max(1);
            slabs.extend(along.get(position % length).cloned());
            position /= length;
        }
        slabs.reverse();
        ChunkPart { slabs }
    }
}

/// The slabs of one dimension, in the order in which the result needs them.
fn along(indices: &[usize], length: usize) -> Vec<Arc<Slab>> {
    let mut slabs = Vec::<Slab>::new();
    let mut places = HashMap::<u64, usize>::new();
    for (outside, &index) in indices.iter().enumerate() {
        let (chunk, inside) = ((index / length) as u64, index % length);
        let next = slabs.len();
        let place = *places.entry(chunk).or_insert(next);
        match slabs.get_mut(place) {
            Some(slab) => slab.add(inside, outside),
            None => slabs.push(Slab::new(chunk, inside, outside)),
        }
    }
    slabs.into_iter().map(Arc::new).collect()
}

/// One chunk to read: its place in the grid, and what is wanted of it along each dimension.
#[derive(Debug, Clone)]
pub(crate) struct ChunkPart {
    slabs: Vec<Arc<Slab>>,
}

impl ChunkPart {
    /// Its place in the chunk grid.
    pub(crate) fn indices(&self) -> Vec<u64> {
        self.slabs.iter().map(|slab| slab.chunk).collect()
    }

    /// The smallest part that has all that is wanted, along each dimension.
    pub(crate) fn ranges(&self) -> Vec<Range<usize>> {
        self.slabs.iter().map(|slab| slab.part.clone()).collect()
    }

    /// The number of wanted points.
    pub(crate) fn count(&self) -> usize {
        self.slabs.iter().map(|slab| slab.points.len()).product()
    }

    /// The number of points in [`ranges`](Self::ranges).
    pub(crate) fn decoded(&self) -> usize {
        self.slabs.iter().map(|slab| slab.part.len()).product()
    }

    /// The wanted points: `f(position in the decoded part, position in the result)` for each.
    /// `lengths` are those of the result.
    pub(crate) fn for_each(&self, lengths: &[usize], mut f: impl FnMut(usize, usize)) {
        fn descend(
            slabs: &[Arc<Slab>],
            lengths: &[usize],
            from: usize,
            to: usize,
            f: &mut impl FnMut(usize, usize),
        ) {
            let (Some((slab, slabs)), Some((&length, lengths))) =
                (slabs.split_first(), lengths.split_first())
            else {
                f(from, to);
                return;
            };
            for &(inside, outside) in &slab.points {
                let from = from * slab.part.len() + inside - slab.part.start;
                descend(slabs, lengths, from, to * length + outside, f);
            }
        }
        descend(&self.slabs, lengths, 0, 0, &mut f);
    }

    /// The wanted points of a decoded part, in the order of [`for_each`](Self::for_each).
    pub(crate) fn pick(&self, decoded: Vec<f32>) -> Vec<f32> {
        // The usual case: all that was decoded is wanted, in its order.
        if self.count() == decoded.len() && self.slabs.iter().all(|slab| is_in_order(slab)) {
            return decoded;
        }
        let mut picked = Vec::with_capacity(self.count());
        self.for_each(&vec![1; self.slabs.len()], |from, _| {
            picked.push(decoded.get(from).copied().unwrap_or(f32::NAN));
        });
        picked
    }
}

fn is_in_order(slab: &Slab) -> bool {
    slab.points.is_sorted_by(|a, b| a.0 < b.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_across_the_grids_edge_lies_in_one_chunk_in_two_parts() {
        let slabs = along(&[70, 71, 0, 1], 72);
        assert_eq!(slabs.len(), 1);
        assert_eq!((slabs[0].part.clone(), slabs[0].points[2]), (0..72, (0, 2)));
        let part = ChunkPart { slabs };
        let decoded = (0_u8..72).map(f32::from).collect();
        assert_eq!(part.pick(decoded), [70.0, 71.0, 0.0, 1.0]);
    }

    #[test]
    fn chunks_come_in_the_order_of_the_result() {
        let chunks = Chunks {
            slabs: vec![along(&[3, 1], 1), along(&[0, 1, 2, 3, 4], 2)],
            lengths: vec![2, 5],
        };
        assert_eq!(chunks.count(), 6);
        let order: Vec<Vec<u64>> = (0..6).map(|at| chunks.get(at).indices()).collect();
        assert_eq!(order, [[3, 0], [3, 1], [3, 2], [1, 0], [1, 1], [1, 2]]);
        let mut places = Vec::new();
        chunks.get(5).for_each(&chunks.lengths, |from, to| places.push((from, to)));
        assert_eq!(places, [(0, 9)]);
    }

    #[test]
    fn as_many_chunks_as_points_take_no_longer() {
        // A second for a million of them would be quadratic no more.
        assert_eq!(along(&(0..1_000_000).collect::<Vec<_>>(), 1).len(), 1_000_000);
    }
}
