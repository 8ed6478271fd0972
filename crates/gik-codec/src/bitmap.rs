//! Section 6: which points have a value.

use std::ops::Range;

use gik_core::Result;

use crate::message::{Field, Section};
use crate::scale::Value;

/// One bit a grid point, first bit first; set where there is a value.
#[derive(Debug, Clone, Copy)]
pub struct Bitmap<'a> {
    bits: &'a [u8],
    ones: usize,
}

impl<'a> Bitmap<'a> {
    /// The bitmap that applies to a field of `points` grid points, if any (code table 6.0).
    ///
    /// # Errors
    /// When section 6 is shorter than the grid needs, refers to a bitmap that the message
    /// does not define, or to one that the originating centre predefined.
    pub fn of(field: &Field<'a>, points: usize) -> Result<Option<Self>> {
        let section = &field.bitmap;
        match section.at_octet(6)?.u8()? {
            255 => Ok(None),
            0 => Self::read(section, points).map(Some),
            254 => match &field.defined_bitmap {
                Some(defined) => Self::read(defined, points).map(Some),
                None => {
                    let expected = "a bitmap defined before in the message";
                    Err(section.malformed(6, "bitmap indicator", expected, &"254, and none is"))
                }
            },
            centre => {
                let what = "bitmap predefined by the centre (code table 6.0)";
                Err(section.unsupported(6, what, centre.to_string()))
            }
        }
    }

    /// Reads a bitmap that begins in octet 7, in both editions.
    pub(crate) fn read(section: &Section<'a>, points: usize) -> Result<Self> {
        let mut reader = section.at_octet(7)?;
        let bits = reader.take(points.div_ceil(8))?;
        let ones = ones(bits, points);
        Ok(Self { bits, ones })
    }

    /// The number of points that have a value.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.ones
    }

    /// The number of points before point `point` that have a value.
    #[must_use]
    pub fn ones_before(&self, point: usize) -> usize {
        ones(self.bits, point)
    }

    /// Moves the first elements of `out`, the values there are of the points `points`, to
    /// their points, and marks the others missing. `out` has an element for each point.
    pub(crate) fn spread<T: Value>(&self, points: Range<usize>, out: &mut [T]) {
        // From the end, a value never lands on one that is still to be moved: of the points
        // up to and including any one, no more have a value than there are points.
        let mut source = self.ones_before(points.end) - self.ones_before(points.start);
        let mut end = points.end;
        while end > points.start {
            let byte = (end - 1) / 8;
            let start = (byte * 8).max(points.start);
            let bits = self.bits.get(byte).copied().unwrap_or(0);
            let target = start - points.start..end - points.start;
            match (target.len(), bits) {
                (8, 0) => {
                    if let Some(target) = out.get_mut(target) {
                        target.fill(T::MISSING);
                    }
                }
                (8, 0xff) => {
                    source = source.saturating_sub(8);
                    if target.end <= out.len() {
                        out.copy_within(source..source + 8, target.start);
                    }
                }
                _ => {
                    for point in (start..end).rev() {
                        let present = bits >> (7 - point % 8) & 1 == 1;
                        source = source.saturating_sub(usize::from(present));
                        let value = out.get(source).copied().unwrap_or(T::MISSING);
                        if let Some(target) = out.get_mut(point - points.start) {
                            *target = if present { value } else { T::MISSING };
                        }
                    }
                }
            }
            end = start;
        }
    }
}

/// The bits that are set among the first `count`.
fn ones(bits: &[u8], count: usize) -> usize {
    let (whole, rest) = bits.split_at(bits.len().min(count / 8));
    let (words, tail) = whole.as_chunks();
    let mut ones: usize =
        words.iter().map(|&word| u64::from_be_bytes(word).count_ones() as usize).sum();
    ones += tail.iter().map(|byte| byte.count_ones() as usize).sum::<usize>();
    // The padding after the last point does not count.
    let last = rest.first().copied().unwrap_or(0);
    ones + (last & !(0xff >> (count % 8))).count_ones() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_move_to_their_points() {
        let bytes = [0, 0, 0, 8, 6, 0, 0b0110_0101, 0b1011_1111];
        let section = Section { number: 6, offset: 0, bytes: &bytes };
        let bitmap = Bitmap::read(&section, 10).unwrap();
        assert_eq!(bitmap.ones(), 5);
        let mut out = [1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        bitmap.spread(0..10, &mut out);
        let nan = f64::NAN;
        let expected = [nan, 1.0, 2.0, nan, nan, 3.0, nan, 4.0, 5.0, nan];
        assert_eq!(out.map(f64::to_bits), expected.map(f64::to_bits));
        assert!(Bitmap::read(&section, 17).is_err());
    }

    #[test]
    fn a_part_is_that_part_of_the_whole() {
        let bytes: Vec<u8> = (0..40_u32)
            .map(|byte| match byte % 5 {
                0 => 0,
                1 | 4 => 0xff,
                _ => byte.wrapping_mul(2_654_435_761).to_be_bytes()[1],
            })
            .collect();
        let section = [&[0; 6], bytes.as_slice()].concat();
        let section = Section { number: 6, offset: 0, bytes: &section };
        let bitmap = Bitmap::read(&section, 317).unwrap();
        let values: Vec<f64> = (0_u32..).take(bitmap.ones()).map(f64::from).collect();
        let spread = |points: Range<usize>| {
            let first = bitmap.ones_before(points.start);
            let mut out = vec![-1.0; points.len()];
            let count = bitmap.ones_before(points.end) - first;
            out[..count].copy_from_slice(&values[first..first + count]);
            bitmap.spread(points, &mut out);
            out.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        let whole = spread(0..317);
        let naive: Vec<bool> = (0..317).map(|it| bytes[it / 8] >> (7 - it % 8) & 1 == 1).collect();
        for (found, present) in whole.iter().zip(&naive) {
            assert_eq!(!f64::from_bits(*found).is_nan(), *present);
        }
        for (start, end) in [(0, 1), (3, 3), (3, 29), (8, 64), (40, 317), (100, 101), (120, 200)] {
            assert_eq!(spread(start..end), whole[start..end]);
        }
    }
}
