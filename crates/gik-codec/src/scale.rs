//! From packed integers to values: `(R + X·2^E)·10^-D` (regulation 92.9.4).

use gik_core::{Error, Result};

use crate::reader::ByteReader;

/// A floating-point number of the caller's buffer.
pub(crate) trait Value: Copy {
    const MISSING: Self;

    fn from_f64(value: f64) -> Self;
}

impl Value for f64 {
    const MISSING: Self = Self::NAN;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
}

impl Value for f32 {
    const MISSING: Self = Self::NAN;

    #[expect(clippy::cast_possible_truncation, reason = "single precision was asked for")]
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as Self
    }
}

/// Reference value and scale factors, ready for use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// R.
    pub reference: f64,
    /// 2^E.
    pub binary: f64,
    /// 10^-D.
    pub decimal: f64,
}

impl Scaling {
    /// Octets 12–19 of section 5, common to all packings of grid points.
    pub(crate) fn read(reader: &mut ByteReader<'_>) -> Result<Self> {
        let offset = reader.offset();
        let reference = f64::from(reader.f32()?);
        if !reference.is_finite() {
            let found = reference.to_string();
            return Err(Error::malformed("reference value", "a finite number", found).at(offset));
        }
        let binary = reader.signed16()?;
        let decimal = reader.signed16()?;
        Ok(Self { reference, binary: power(2.0, binary), decimal: power(10.0, -decimal) })
    }

    /// The value of a packed integer.
    #[inline(always)]
    pub(crate) fn apply(&self, packed: f64) -> f64 {
        (packed * self.binary + self.reference) * self.decimal
    }
}

impl Scaling {
    /// The values of unsigned integers.
    #[inline(always)]
    pub(crate) fn apply_unsigned<T: Value>(&self, packed: &[u32], out: &mut [T]) {
        for (value, &integer) in out.iter_mut().zip(packed) {
            *value = T::from_f64(self.apply(f64::from(integer)));
        }
    }

    /// The values of signed integers, of which [`MISSING_INTEGER`] stands for none.
    ///
    /// They are right below 2^51 in size, which packed integers of 32 bits and their
    /// differences never come near; a damaged message may go beyond, and its values mean
    /// nothing.
    #[inline(always)]
    pub(crate) fn apply_signed<T: Value>(&self, packed: &[i64], missing: bool, out: &mut [T]) {
        if missing {
            for (value, &integer) in out.iter_mut().zip(packed) {
                let scaled = T::from_f64(self.apply(small_integer(integer)));
                *value = if integer == MISSING_INTEGER { T::MISSING } else { scaled };
            }
        } else {
            for (value, &integer) in out.iter_mut().zip(packed) {
                *value = T::from_f64(self.apply(small_integer(integer)));
            }
        }
    }
}

/// Marks a missing value among integers.
pub(crate) const MISSING_INTEGER: i64 = i64::MIN;

/// An integer below 2^51 in size as a double, in two operations that processors do on many
/// numbers at once: added to the bits of 1.5·2^52 it is the lowest part of the mantissa.
#[inline(always)]
fn small_integer(integer: i64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    f64::from_bits(SHIFT.to_bits().wrapping_add(integer.cast_unsigned())) - SHIFT
}

/// `base` to the power `exponent` by repeated multiplication or division, as ecCodes does
/// it: 10^-D is then the same double, and every value too.
pub(crate) fn power(base: f64, exponent: i16) -> f64 {
    let mut power = 1.0;
    for _ in 0..exponent.unsigned_abs() {
        if exponent < 0 {
            power /= base;
        } else {
            power *= base;
        }
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(power(2.0, -3), 0.125);
        assert_eq!(power(10.0, 2), 100.0);
        assert_eq!(power(10.0, -1), 0.1);
        assert_eq!(power(2.0, 0), 1.0);
        assert_eq!(power(2.0, i16::MIN + 1), 0.0);
        assert_eq!(power(2.0, i16::MAX), f64::INFINITY);
    }

    #[test]
    fn small_integers_are_exact() {
        for integer in [0, 1, -1, 12_345, i32::MIN, i32::MAX] {
            assert_eq!(small_integer(i64::from(integer)), f64::from(integer));
        }
        assert_eq!(small_integer(-(1 << 40)), -(2_f64.powi(40)));
        assert_eq!(small_integer((1 << 51) - 1), 2_f64.powi(51) - 1.0);
        assert_eq!(small_integer(1 - (1 << 51)), 1.0 - 2_f64.powi(51));
    }

    #[test]
    fn reference_must_be_a_number() {
        let mut octets = f32::NAN.to_be_bytes().to_vec();
        octets.extend([0; 4]);
        let error = Scaling::read(&mut ByteReader::new(&octets, 11)).unwrap_err();
        assert_eq!(error.offset(), Some(11));
    }
}
