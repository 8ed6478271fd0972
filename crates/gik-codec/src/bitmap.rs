//! Section 6: which points have a value.

use gik_core::Result;

use crate::message::{Field, Section};
use crate::scale::Value;

/// One bit a grid point, first bit first; set where there is a value.
#[derive(Debug, Clone, Copy)]
pub struct Bitmap<'a> {
    bits: &'a [u8],
    points: usize,
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

    fn read(section: &Section<'a>, points: usize) -> Result<Self> {
        let mut reader = section.at_octet(7)?;
        let bits = reader.take(points.div_ceil(8))?;
        let mut ones: usize = bits.iter().map(|byte| byte.count_ones() as usize).sum();
        // The padding after the last point does not count.
        let used = points % 8;
        if used > 0
            && let Some(&last) = bits.last()
        {
            ones = ones.saturating_sub((last & (0xff >> used)).count_ones() as usize);
        }
        Ok(Self { bits, points, ones })
    }

    /// The number of points that have a value.
    #[must_use]
    pub fn ones(&self) -> usize {
        self.ones
    }

    /// Moves the first [`ones`](Self::ones) elements of `out` to their points and marks
    /// the others missing. `out` has an element for each point.
    pub(crate) fn spread<T: Value>(&self, out: &mut [T]) {
        // From the end, a value never lands on one that is still to be moved: of the points
        // up to and including any one, no more have a value than there are points.
        let mut source = self.ones;
        for point in (0..self.points.min(out.len())).rev() {
            let byte = self.bits.get(point / 8).copied().unwrap_or(0);
            let value = if byte >> (7 - point % 8) & 1 == 1 && source > 0 {
                source -= 1;
                out.get(source).copied().unwrap_or(T::MISSING)
            } else {
                T::MISSING
            };
            if let Some(target) = out.get_mut(point) {
                *target = value;
            }
        }
    }
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
        bitmap.spread(&mut out);
        let nan = f64::NAN;
        let expected = [nan, 1.0, 2.0, nan, nan, 3.0, nan, 4.0, 5.0, nan];
        assert_eq!(out.map(f64::to_bits), expected.map(f64::to_bits));
        assert!(Bitmap::read(&section, 17).is_err());
    }
}
