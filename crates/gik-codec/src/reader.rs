//! The bounds-checked cursor: the only code that touches wire bytes by position.
//!
//! GRIB2 is big-endian and counts octets from 1. Negative integers have their first bit
//! set and the magnitude in the others (regulation 92.1.5); they are not two's complement.

use gik_core::{Error, Result};

/// Reads big-endian numbers from a slice and knows where in the message it lies.
#[derive(Debug, Clone)]
pub struct ByteReader<'a> {
    bytes: &'a [u8],
    position: usize,
    base: u64,
}

impl<'a> ByteReader<'a> {
    /// A reader of `bytes`, whose first byte lies at `base` in the message: what the
    /// offsets of errors count from.
    #[must_use]
    pub fn new(bytes: &'a [u8], base: u64) -> Self {
        Self { bytes, position: 0, base }
    }

    /// The offset in the message of the next byte.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.base.saturating_add(self.position as u64)
    }

    /// The number of bytes left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// When fewer are left; the reader then stays where it is.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.position.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.position..end));
        let Some(taken) = taken else {
            return Err(Error::truncated(count as u64, self.remaining() as u64).at(self.offset()));
        };
        self.position = self.position.saturating_add(count);
        Ok(taken)
    }

    /// A reader of the next `count` bytes, which this one goes past.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn part(&mut self, count: usize) -> Result<Self> {
        let base = self.offset();
        Ok(Self::new(self.take(count)?, base))
    }

    /// Goes on at octet `number` of these bytes, counted from 1 as in the standard's tables.
    ///
    /// # Errors
    /// When there are not that many octets.
    pub fn seek_octet(&mut self, number: usize) -> Result<()> {
        let position = number.saturating_sub(1);
        if position > self.bytes.len() {
            return Err(Error::truncated(number as u64, self.bytes.len() as u64).at(self.base));
        }
        self.position = position;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// One octet.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two octets, unsigned.
    ///
    /// # Errors
    /// At the end.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four octets, unsigned.
    ///
    /// # Errors
    /// At the end.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight octets, unsigned.
    ///
    /// # Errors
    /// At the end.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Two octets, sign and magnitude.
    ///
    /// # Errors
    /// At the end.
    pub fn signed16(&mut self) -> Result<i16> {
        let raw = self.u16()?;
        let magnitude = (raw & 0x7fff).cast_signed();
        Ok(if raw & 0x8000 == 0 { magnitude } else { -magnitude })
    }

    /// Four octets, sign and magnitude.
    ///
    /// # Errors
    /// At the end.
    pub fn signed32(&mut self) -> Result<i32> {
        let raw = self.u32()?;
        let magnitude = (raw & 0x7fff_ffff).cast_signed();
        Ok(if raw & 0x8000_0000 == 0 { magnitude } else { -magnitude })
    }

    /// `count` octets (at most 7), unsigned.
    ///
    /// # Errors
    /// At the end, or when `count` is above 7.
    pub fn unsigned(&mut self, count: usize) -> Result<u64> {
        if count > 7 {
            return Err(Error::unsupported("integer wider than 7 octets", count.to_string())
                .at(self.offset()));
        }
        Ok(self.take(count)?.iter().fold(0, |sum, &byte| (sum << 8) | u64::from(byte)))
    }

    /// `count` octets (at most 7), sign and magnitude.
    ///
    /// # Errors
    /// At the end, or when `count` is above 7.
    pub fn signed(&mut self, count: usize) -> Result<i64> {
        let raw = self.unsigned(count)?;
        let sign = match count {
            0 => return Ok(0),
            count => 1_u64 << (8 * count - 1),
        };
        let magnitude = (raw & (sign - 1)).cast_signed();
        Ok(if raw & sign == 0 { magnitude } else { -magnitude })
    }

    /// Four octets, IEEE 754 single precision.
    ///
    /// # Errors
    /// At the end.
    pub fn f32(&mut self) -> Result<f32> {
        Ok(f32::from_be_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_the_first_bit() {
        let bytes = [0x80, 0x01, 0x80, 0, 0, 0x02, 0x7f, 0xff, 0x81, 0x00, 0x03];
        let mut reader = ByteReader::new(&bytes, 0);
        assert_eq!(reader.signed16().unwrap(), -1);
        assert_eq!(reader.signed32().unwrap(), -2);
        assert_eq!(reader.signed16().unwrap(), 0x7fff);
        assert_eq!(reader.signed(3).unwrap(), -0x1_0003);
        assert_eq!(reader.signed(0).unwrap(), 0);
    }

    #[test]
    fn errors_say_where_and_how_much() {
        let mut reader = ByteReader::new(&[1, 2, 3], 100);
        assert_eq!(reader.u16().unwrap(), 0x0102);
        let error = reader.u32().unwrap_err();
        assert_eq!(error.to_string(), "truncated: 4 bytes needed, 1 there [at byte 102]");
        assert_eq!(reader.u8().unwrap(), 3);
        assert_eq!(reader.take(usize::MAX).unwrap_err().offset(), Some(103));
        assert!(reader.seek_octet(5).is_err());
        reader.seek_octet(2).unwrap();
        assert_eq!(reader.part(2).unwrap().offset(), 101);
    }
}
