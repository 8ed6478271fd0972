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

    fn from_f64(value: f64) -> Self {
        value
    }
}

impl Value for f32 {
    const MISSING: Self = Self::NAN;

    #[expect(clippy::cast_possible_truncation, reason = "single precision was asked for")]
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
    #[inline]
    pub(crate) fn apply(&self, packed: f64) -> f64 {
        (packed * self.binary + self.reference) * self.decimal
    }
}

/// `base` to the power `exponent` by repeated multiplication or division, as ecCodes does
/// it: 10^-D is then the same double, and every value too.
fn power(base: f64, exponent: i16) -> f64 {
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
    fn reference_must_be_a_number() {
        let mut octets = f32::NAN.to_be_bytes().to_vec();
        octets.extend([0; 4]);
        let error = Scaling::read(&mut ByteReader::new(&octets, 11)).unwrap_err();
        assert_eq!(error.offset(), Some(11));
    }
}
