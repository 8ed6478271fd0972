//! Reads bit fields, first bit first, as GRIB2 packs them.

/// A cursor over bits. Reading past the end answers `None`.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    /// Bytes not yet in `window`.
    rest: &'a [u8],
    /// The next bits, the first one topmost; those below `filled` are zero or repeat
    /// the start of `rest`.
    window: u64,
    filled: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, window: 0, filled: 0 }
    }

    /// Fills the window with at least 57 bits, or with what is left.
    #[inline]
    fn refill(&mut self) {
        if let Some(&word) = self.rest.first_chunk::<8>() {
            self.window |= u64::from_be_bytes(word) >> self.filled;
            let bytes = (64 - self.filled) / 8;
            self.rest = self.rest.get(bytes as usize..).unwrap_or_default();
            self.filled += 8 * bytes;
        } else {
            while self.filled <= 56
                && let Some((&byte, rest)) = self.rest.split_first()
            {
                // The bits below `filled` may hold a copy of this byte already.
                let shift = 56 - self.filled;
                self.window = (self.window & !(0xff << shift)) | (u64::from(byte) << shift);
                self.rest = rest;
                self.filled += 8;
            }
        }
    }

    #[inline]
    fn skip_filled(&mut self, count: u32) {
        // `count` may be all 64 bits, by which a shift is not defined.
        self.window = self.window.checked_shl(count).unwrap_or(0);
        self.filled -= count;
    }

    /// The next `width` bits (at most 32) as an unsigned number.
    #[inline]
    pub(crate) fn read(&mut self, width: u32) -> Option<u32> {
        if width == 0 {
            return Some(0);
        }
        if self.filled < width {
            self.refill();
            if self.filled < width || width > 32 {
                return None;
            }
        }
        let value = u32::try_from(self.window >> (64 - width)).ok();
        self.skip_filled(width);
        value
    }

    /// The number of zero bits before the next one bit, both of which are gone past; at
    /// most `limit` zeros.
    #[inline]
    pub(crate) fn read_unary(&mut self, limit: u32) -> Option<u32> {
        let mut zeros = 0_u32;
        loop {
            if self.filled == 0 {
                self.refill();
                if self.filled == 0 {
                    return None;
                }
            }
            let leading = self.window.leading_zeros().min(self.filled);
            zeros += leading;
            if zeros > limit {
                return None;
            }
            if leading < self.filled {
                self.skip_filled(leading + 1);
                return Some(zeros);
            }
            self.skip_filled(leading);
        }
    }

    /// Goes on at the next whole byte.
    pub(crate) fn align(&mut self) {
        // Whole bytes are added to the window, so what is filled tells the phase.
        self.skip_filled(self.filled % 8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(bytes: &[u8], position: usize, width: u32) -> Option<u32> {
        let mut value = 0_u64;
        for bit in position..position + width as usize {
            let byte = *bytes.get(bit / 8)?;
            value = (value << 1) | u64::from(byte >> (7 - bit % 8) & 1);
        }
        Some(u32::try_from(value).unwrap())
    }

    proptest! {
        #[test]
        fn reads_as_bit_by_bit(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            widths in prop::collection::vec(0_u32..=32, 0..40),
        ) {
            let mut reader = BitReader::new(&bytes);
            let mut position = 0;
            for width in widths {
                let expected = naive(&bytes, position, width);
                prop_assert_eq!(reader.read(width), expected);
                if expected.is_none() {
                    break;
                }
                position += width as usize;
            }
        }

        #[test]
        fn unary_and_alignment(
            runs in prop::collection::vec((0_u32..200, any::<bool>()), 0..20),
        ) {
            let mut bits = Vec::new();
            for &(zeros, align) in &runs {
                bits.extend(std::iter::repeat_n(false, zeros as usize));
                bits.push(true);
                if align {
                    bits.resize(bits.len().next_multiple_of(8), true);
                }
            }
            bits.resize(bits.len().next_multiple_of(8), false);
            let bytes: Vec<u8> = bits
                .chunks(8)
                .map(|byte| byte.iter().fold(0, |sum, &bit| sum << 1 | u8::from(bit)))
                .collect();
            let mut reader = BitReader::new(&bytes);
            for (zeros, align) in runs {
                prop_assert_eq!(reader.read_unary(1000), Some(zeros));
                if align {
                    reader.align();
                }
            }
            prop_assert_eq!(reader.read_unary(1000), None);
        }
    }

    #[test]
    fn unary_stops_at_the_limit() {
        assert_eq!(BitReader::new(&[0, 0, 1]).read_unary(22), None);
        assert_eq!(BitReader::new(&[0, 0, 1]).read_unary(23), Some(23));
    }
}
