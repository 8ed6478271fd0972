//! Reads bit fields, first bit first, as GRIB2 packs them.

/// The 64 bits from bit `position` on, of which the first 57 are the stream's; zeros past
/// its end.
#[inline(always)]
pub(crate) fn window(bytes: &[u8], position: usize) -> u64 {
    let byte = position / 8;
    let word = bytes.get(byte..byte + 8).and_then(<[u8]>::first_chunk::<8>);
    let word = word.map_or_else(|| last_word(bytes, byte), |&word| u64::from_be_bytes(word));
    word << (position % 8)
}

/// The last bytes, from `start` on, in the upper part of a word.
#[cold]
fn last_word(bytes: &[u8], start: usize) -> u64 {
    let rest = bytes.get(start..).unwrap_or_default();
    let mut word = [0; 8];
    for (target, byte) in word.iter_mut().zip(rest) {
        *target = *byte;
    }
    u64::from_be_bytes(word)
}

/// The integer of `width` bits (at most 32) at bit `position`; zeros past the end.
#[inline(always)]
pub(crate) fn integer(bytes: &[u8], position: usize, width: u32) -> u32 {
    // Two shifts, for a width of 0 would be a shift by all 64 bits.
    let word = window(bytes, position) >> 1 >> (63 - (width & 63));
    #[expect(clippy::cast_possible_truncation, reason = "a width is at most 32 bits")]
    let integer = word as u32;
    integer
}

/// Integers of `width` bits (at most 32) each, the first of them at bit `position`; zeros
/// past the end.
#[inline(always)]
pub(crate) fn integers(bytes: &[u8], position: usize, width: u32, out: &mut [u32]) {
    match width {
        // Of a window 57 bits are sure to be there.
        0..=7 => from_windows::<8>(bytes, position, width, out),
        8..=14 => from_windows::<4>(bytes, position, width, out),
        15..=28 => from_windows::<2>(bytes, position, width, out),
        _ => from_windows::<1>(bytes, position, width, out),
    }
}

#[inline(always)]
fn from_windows<const EACH: usize>(bytes: &[u8], mut position: usize, width: u32, out: &mut [u32]) {
    let ones = (1_u64 << width) - 1;
    let (parts, rest) = out.as_chunks_mut::<EACH>();
    for part in parts {
        let window = window(bytes, position);
        for (value, index) in part.iter_mut().zip(1_u32..) {
            // With a width of 0 the shift is by 64 bits, and no bit is kept.
            #[expect(clippy::cast_possible_truncation, reason = "of at most 32 bits")]
            let integer = (window.wrapping_shr(64 - width * index) & ones) as u32;
            *value = integer;
        }
        position += EACH * width as usize;
    }
    for value in rest {
        *value = integer(bytes, position, width);
        position += width as usize;
    }
}

/// Finds the next `count` bits that are set from bit `start` on, and writes to `ends` where
/// the bit after each is, counted from the first bit of the byte of `start`. `ends` has room
/// for 64 more, which may be written too. `None` where there are fewer.
#[inline(always)]
pub(crate) fn set_bits(bytes: &[u8], start: usize, count: usize, ends: &mut [u32]) -> Option<()> {
    let mut byte = start / 8;
    let lead = start % 8;
    // A word's first bit is put lowest: taking the lowest set bit away is one operation.
    let mut word = word_at(bytes, byte)?.reverse_bits() >> lead << lead;
    let mut after = 1_u32;
    let mut found = 0;
    loop {
        let here = word.count_ones() as usize;
        let room = ends.get_mut(found..found + 64)?.as_chunks_mut::<8>().0;
        let wanted = here.min(count - found);
        for eight in room.iter_mut().take(wanted.div_ceil(8)) {
            for end in eight {
                *end = word.trailing_zeros() + after;
                word &= word.wrapping_sub(1);
            }
        }
        found += here;
        if found >= count {
            return Some(());
        }
        byte += 8;
        after = after.checked_add(64).filter(|&after| after < u32::MAX / 2)?;
        word = word_at(bytes, byte)?.reverse_bits();
    }
}

/// The 64 bits from byte `byte` on, zeros past the end; `None` where nothing is left.
#[inline(always)]
fn word_at(bytes: &[u8], byte: usize) -> Option<u64> {
    let rest = bytes.get(byte..)?;
    match rest.first_chunk::<8>() {
        Some(&word) => Some(u64::from_be_bytes(word)),
        None if rest.is_empty() => None,
        None => Some(last_word(bytes, byte)),
    }
}

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
        fn integers_anywhere(
            bytes in prop::collection::vec(any::<u8>(), 0..20),
            position in 0_usize..160,
            width in 0_u32..=32,
        ) {
            let mut longer = bytes.clone();
            longer.resize(40, 0);
            prop_assert_eq!(Some(integer(&bytes, position, width)), naive(&longer, position, width));
        }

        #[test]
        fn set_bits_one_by_one(
            bytes in prop::collection::vec(
                prop_oneof![Just(0_u8), Just(0_u8), Just(0xff_u8), any::<u8>()], 0..60),
            start in 0_usize..480,
            count in 1_usize..=64,
        ) {
            let is_set = |bit: usize| bytes[bit / 8] >> (7 - bit % 8) & 1 == 1;
            let all: Vec<_> = (start..bytes.len() * 8)
                .filter(|&bit| is_set(bit))
                .map(|bit| u32::try_from(bit + 1 - start / 8 * 8).unwrap())
                .take(count)
                .collect();
            let mut ends = [0; 128];
            let found = set_bits(&bytes, start, count, &mut ends);
            prop_assert_eq!(found.is_some(), all.len() == count);
            if found.is_some() {
                prop_assert_eq!(&ends[..count], all.as_slice());
            }
        }
    }
}
