//! Template 7.42: CCSDS 121.0-B lossless compression (the extended Rice algorithm), as
//! libaec writes it.
//!
//! Samples come in blocks, blocks in reference sample intervals. A block begins with the
//! identifier of its option:
//!
//! | identifier | next bit | samples |
//! |---|---|---|
//! | 0 | 0 | one or more blocks of zeros, their number in unary |
//! | 0 | 1 | second extension: pairs of samples as one number in unary |
//! | all ones | | uncompressed |
//! | other, k + 1 | | split: the high parts in unary, then the k low bits of each |
//!
//! With preprocessing, an interval's first sample is itself and the others are mapped
//! differences from the sample before (CCSDS 121.0-B, section 4).

use std::ops::Range;

use gik_core::Result;

use super::Payload;
use crate::bits::{integer, integers, set_bits, window};
use crate::representation::CcsdsPacking;
use crate::scale::{Scaling, Value};
use crate::vector::{Kernel, fastest};

/// Options mask: samples are signed.
const SIGNED: u8 = 1;
/// Options mask: differences are coded.
const PREPROCESS: u8 = 8;
/// Options mask: few identifiers, for samples of up to 4 bits.
const RESTRICTED: u8 = 16;
/// Options mask: intervals begin at whole bytes.
const PAD_INTERVALS: u8 = 32;

/// The standard's longest reference sample interval, in blocks.
const MAX_INTERVAL: u16 = 4096;
/// A number of zero blocks that means: to the end of the segment or interval.
const REMAINDER: u32 = 5;
/// Blocks of a segment.
const SEGMENT: usize = 64;
/// The greatest number that codes blocks of zeros: no more than a segment has.
const MAX_ZERO_BLOCKS: u32 = 64;
/// The greatest number that codes a pair in the second extension.
const MAX_PAIR: u32 = 90;

/// The longest block.
const MAX_BLOCK: usize = 64;

/// The values `wanted` of `values`. What follows them is not looked at.
pub(super) fn unpack<T: Value>(
    data: Payload<'_>,
    packing: &CcsdsPacking,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    let coder = Coder::new(data, packing, values)?;
    fastest(Ccsds { coder, scaling: packing.scaling, values, wanted, out }).map_err(|samples| {
        let found = format!("damage or the end after {samples} samples");
        data.malformed("CCSDS data", "a complete block", &found)
    })
}

struct Ccsds<'a, 'b, T> {
    coder: Coder<'a>,
    scaling: Scaling,
    values: usize,
    wanted: Range<usize>,
    out: &'b mut [T],
}

impl<T: Value> Kernel for Ccsds<'_, '_, T> {
    /// After how many samples of the field there is no complete block.
    type Output = Result<(), usize>;

    /// Interval by interval: samples, then sums of their differences, then values.
    #[inline(always)]
    fn run(mut self) -> Result<(), usize> {
        let mut position = 0;
        let mut out = self.out;
        while position < self.wanted.end {
            let samples = match self.coder.interval(self.values - position) {
                Ok(()) => self.coder.samples.get_mut(..self.coder.filled).unwrap_or_default(),
                Err(samples) => return Err(position + samples),
            };
            let lead = self.wanted.start.saturating_sub(position);
            position += samples.len();
            if lead >= samples.len() {
                continue;
            }
            if self.coder.options & PREPROCESS != 0 {
                undo_differences(samples, self.coder.width);
            }
            let samples = samples.get(lead..).unwrap_or_default();
            let (now, later) = out.split_at_mut(samples.len().min(out.len()));
            self.scaling.apply_unsigned(samples, now);
            out = later;
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Coder<'a> {
    bytes: &'a [u8],
    /// The next bit of `bytes`.
    bit: usize,
    /// Bits of a sample.
    width: u32,
    identifier_width: u32,
    block: usize,
    /// Samples of an interval, never many more than the field has.
    capacity: usize,
    /// Blocks of an interval.
    blocks: usize,
    options: u8,
    /// Room for an interval, and how many samples of it are there.
    samples: Vec<u32>,
    filled: usize,
}

impl<'a> Coder<'a> {
    fn new(data: Payload<'a>, packing: &CcsdsPacking, values: usize) -> Result<Self> {
        let width = u32::from(packing.bits);
        let options = packing.options;
        if options & SIGNED != 0 {
            let what = "CCSDS compression option";
            return Err(data.unsupported(what, "signed samples, which GRIB never has"));
        }
        let block = usize::from(packing.block_size);
        if !matches!(block, 8 | 16 | 32 | 64) {
            let what = "CCSDS block size";
            return Err(data.malformed(what, "8, 16, 32 or 64 samples", &block));
        }
        let blocks = packing.reference_interval;
        if blocks == 0 || blocks > MAX_INTERVAL {
            let what = "CCSDS reference sample interval";
            return Err(data.malformed(what, format!("1 to {MAX_INTERVAL} blocks"), &blocks));
        }
        let identifier_width = match width {
            1 | 2 if options & RESTRICTED != 0 => 1,
            3 | 4 if options & RESTRICTED != 0 => 2,
            _ if options & RESTRICTED != 0 => {
                let what = "CCSDS restricted options";
                return Err(data.malformed(what, "samples of at most 4 bits", &width));
            }
            1..=8 => 3,
            9..=16 => 4,
            _ => 5,
        };
        let blocks = usize::from(blocks);
        // The last interval ends with the field, filled up to a whole block.
        let capacity = (blocks * block).min(values.next_multiple_of(block));
        let mut samples = Vec::new();
        if samples.try_reserve_exact(capacity).is_err() {
            return Err(data.malformed("CCSDS interval", "one that fits memory", &capacity));
        }
        samples.resize(capacity, 0);
        let bytes = data.bytes;
        Ok(Self {
            bytes,
            bit: 0,
            width,
            identifier_width,
            block,
            capacity,
            blocks,
            options,
            samples,
            filled: 0,
        })
    }

    /// Reads the samples of the next interval, as many as it has or the field still needs,
    /// not yet summed. An error tells after how many of them there is no complete block.
    #[inline(always)]
    fn interval(&mut self, needed: usize) -> Result<(), usize> {
        self.filled = 0;
        let wanted = needed.min(self.blocks * self.block);
        while self.filled < wanted {
            let before = self.filled;
            self.next_block(wanted).ok_or(before)?;
        }
        if self.options & PAD_INTERVALS != 0 {
            self.bit = self.bit.next_multiple_of(8);
        }
        Ok(())
    }

    /// The places of the next `count` samples.
    #[inline(always)]
    fn next_samples(&mut self, count: usize) -> Option<&mut [u32]> {
        let places = self.samples.get_mut(self.filled..self.filled + count)?;
        self.filled += count;
        Some(places)
    }

    /// The next `width` bits (at most 32) as an unsigned number.
    #[inline(always)]
    fn read(&mut self, width: u32) -> Option<u32> {
        let start = self.skip(width as usize)?;
        Some(integer(self.bytes, start, width))
    }

    /// Goes past `count` bits, which must be there; where they begin.
    #[inline(always)]
    fn skip(&mut self, count: usize) -> Option<usize> {
        let start = self.bit;
        let end = start.checked_add(count)?;
        if end > self.bytes.len() * 8 {
            return None;
        }
        self.bit = end;
        Some(start)
    }

    /// The number of zero bits before the next one bit, at most `limit`; goes past both.
    #[inline(always)]
    fn read_unary(&mut self, limit: u32) -> Option<u32> {
        // No limit is above 90, less than two windows.
        let mut zeros = window(self.bytes, self.bit).leading_zeros();
        if zeros >= 57 {
            zeros = 57 + window(self.bytes, self.bit + 57).leading_zeros();
        }
        if zeros > limit {
            return None;
        }
        self.skip(zeros as usize + 1)?;
        Some(zeros)
    }

    /// Appends the samples of a block, or of several blocks of zeros, of which no more
    /// than `wanted` are kept.
    #[inline(always)]
    fn next_block(&mut self, wanted: usize) -> Option<()> {
        let identifier = self.read(self.identifier_width)?;
        let referenced = self.filled == 0 && self.options & PREPROCESS != 0;
        let uncompressed = (1 << self.identifier_width) - 1;
        // An uncompressed block has the reference among its samples. With identifiers of
        // one bit there is no other option but it and identifier 0.
        if identifier == uncompressed {
            return self.uncompressed();
        }
        let zeros = identifier == 0 && self.read(1)? == 0;
        if referenced {
            let reference = self.read(self.width)?;
            *self.next_samples(1)?.first_mut()? = reference;
        }
        let first = usize::from(referenced);
        if zeros {
            self.zero_blocks(first, wanted)
        } else if identifier == 0 {
            self.second_extension(first)
        } else {
            self.split(first, identifier - 1)
        }
    }

    #[inline(always)]
    fn uncompressed(&mut self) -> Option<()> {
        let bits = self.skip(self.block * self.width as usize)?;
        let (bytes, width) = (self.bytes, self.width);
        integers(bytes, bits, width, self.next_samples(self.block)?);
        Some(())
    }

    #[inline(always)]
    fn zero_blocks(&mut self, first: usize, wanted: usize) -> Option<()> {
        let block = self.filled / self.block;
        let count = match self.read_unary(MAX_ZERO_BLOCKS)?.checked_add(1)? {
            REMAINDER => (self.blocks - block).min(SEGMENT - block % SEGMENT),
            count if count > REMAINDER => count as usize - 1,
            count => count as usize,
        };
        if block + count > self.blocks {
            return None;
        }
        // Zeros cost no input: what lies after the field's end is not written.
        let end = (self.filled - first).checked_add(count * self.block)?;
        let end = end.min(wanted.next_multiple_of(self.block)).min(self.capacity);
        self.next_samples(end.saturating_sub(self.filled))?.fill(0);
        Some(())
    }

    #[inline(always)]
    fn second_extension(&mut self, first: usize) -> Option<()> {
        let mut index = first;
        while index < self.block {
            let (one, two) = *PAIRS.get(self.read_unary(MAX_PAIR)? as usize)?;
            // Of the first pair only the second is left where there is a reference.
            if index.is_multiple_of(2) {
                *self.next_samples(1)?.first_mut()? = u32::from(one);
                index += 1;
            }
            *self.next_samples(1)?.first_mut()? = u32::from(two);
            index += 1;
        }
        Some(())
    }

    /// The high parts in unary, then the `low` bits of each.
    #[inline(always)]
    fn split(&mut self, first: usize, low: u32) -> Option<()> {
        let count = self.block - first;
        // Where the first code begins, and where each ends.
        let mut ends = [0_u32; 1 + MAX_BLOCK + 64];
        let (begin, codes) = ends.split_first_mut()?;
        #[expect(clippy::cast_possible_truncation, reason = "below 8")]
        let lead = (self.bit % 8) as u32;
        *begin = lead;
        set_bits(self.bytes, self.bit, count, codes)?;
        self.bit = self.bit / 8 * 8 + *ends.get(count)? as usize;
        let lows = self.skip(count * low as usize)?;

        let bytes = self.bytes;
        let samples = self.next_samples(count)?;
        let greatest = u32::MAX >> low;
        let mut fits = true;
        let (before, after) = (ends.get(..count)?, ends.get(1..=count)?);
        for ((sample, &before), &after) in samples.iter_mut().zip(before).zip(after) {
            let high = after.wrapping_sub(before).wrapping_sub(1);
            fits &= high <= greatest;
            *sample = high << low;
        }
        if low > 0 {
            let mut parts = [0_u32; MAX_BLOCK];
            let parts = parts.get_mut(..count)?;
            integers(bytes, lows, low, parts);
            for (sample, part) in samples.iter_mut().zip(parts) {
                *sample |= *part;
            }
        }
        fits.then_some(())
    }
}

/// The pairs of samples of the second extension, by the number that codes them.
const PAIRS: [(u8, u8); MAX_PAIR as usize + 1] = pairs();

/// Pairs are counted along the diagonals of equal sum: a sum of s has s + 1 of them.
#[expect(clippy::indexing_slicing, reason = "run by the compiler, which checks it")]
const fn pairs() -> [(u8, u8); MAX_PAIR as usize + 1] {
    let mut pairs = [(0, 0); MAX_PAIR as usize + 1];
    let (mut sum, mut second) = (0, 0);
    let mut coded = 0;
    while coded < pairs.len() {
        pairs[coded] = (sum - second, second);
        if second == sum {
            (sum, second) = (sum + 1, 0);
        } else {
            second += 1;
        }
        coded += 1;
    }
    pairs
}

/// Samples that are summed together where none of them can be near an end of the range.
const STRIDE: usize = 16;
/// The widest samples of which the sizes of [`STRIDE`] differences are summed in 32 bits.
const STRIDE_WIDTH: u32 = 24;
/// Strides that are looked at before any of them is summed, so that the first is done on
/// many samples at once and the second, of which each needs the one before, with nothing
/// else between.
const STRIDES: usize = 32;

/// From mapped differences to samples, in place.
#[inline(always)]
fn undo_differences(samples: &mut [u32], width: u32) {
    let greatest = u32::MAX >> (32 - width);
    let Some((&mut first, rest)) = samples.split_first_mut() else {
        return;
    };
    let mut last = first;
    let (strides, rest) = rest.as_chunks_mut::<STRIDE>();
    for strides in strides.chunks_mut(STRIDES) {
        let mut reaches = [0; STRIDES];
        for (stride, reach) in strides.iter_mut().zip(&mut reaches) {
            *reach = unmap(stride);
        }
        for (stride, &reach) in strides.iter_mut().zip(&reaches) {
            // However the differences are signed, no sample gets as near to an end as one
            // of them is large: each then has both signs.
            if width <= STRIDE_WIDTH && reach <= last.min(greatest.wrapping_sub(last)) {
                for sample in stride {
                    last = last.wrapping_add(*sample);
                    *sample = last;
                }
            } else {
                for sample in stride {
                    last = following(last, map(*sample), greatest);
                    *sample = last;
                }
            }
        }
    }
    for sample in rest {
        last = following(last, *sample, greatest);
        *sample = last;
    }
}

/// From mapped to signed differences; how far the samples can get from the one before, and
/// the largest difference beyond that.
#[inline(always)]
fn unmap(stride: &mut [u32; STRIDE]) -> u32 {
    let (mut sum, mut all) = (0_u32, 0_u32);
    for sample in stride {
        let size = difference_size(*sample);
        all |= size;
        sum = sum.wrapping_add(size);
        *sample = difference(*sample);
    }
    // Sizes of more than STRIDE_WIDTH bits, which are damage, could overflow the sum. All
    // bits that any size has are no smaller than the largest of them.
    if all >> STRIDE_WIDTH == 0 { sum + all } else { u32::MAX }
}

/// The sample after `last`. Around that there is room for differences of either sign up to
/// the nearer end of the range; beyond, only one sign is left.
#[inline(always)]
fn following(last: u32, mapped: u32, greatest: u32) -> u32 {
    let room = last.min(greatest.wrapping_sub(last));
    if difference_size(mapped) > room {
        if last <= greatest / 2 { mapped } else { greatest ^ mapped }
    } else {
        last.wrapping_add(difference(mapped))
    }
}

#[inline(always)]
fn difference_size(mapped: u32) -> u32 {
    (mapped >> 1) + (mapped & 1)
}

/// An even number is a positive difference, an odd one a negative one.
#[inline(always)]
fn difference(mapped: u32) -> u32 {
    (mapped >> 1) ^ (mapped & 1).wrapping_neg()
}

/// The number that stands for a difference.
#[inline(always)]
fn map(difference: u32) -> u32 {
    (difference << 1) ^ (difference.cast_signed() >> 31).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_along_diagonals() {
        assert_eq!(&PAIRS[..6], [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]);
        assert_eq!(PAIRS[90], (0, 12));
    }

    #[test]
    fn strides_are_as_one_by_one() {
        let mut number = 7_u32;
        for width in [1, 2, 5, 8, 12, 16, 24, 25, 31, 32] {
            let greatest = u32::MAX >> (32 - width);
            for spread in [1, 3, 20, 3000, u32::MAX] {
                let mut samples = Vec::new();
                for _ in 0..500 {
                    number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    samples.push((number >> 3).checked_rem(spread).unwrap_or(number) & greatest);
                }
                samples[0] = greatest / 2;
                let mut last = samples[0];
                let mut expected = vec![last];
                for &mapped in &samples[1..] {
                    last = following(last, mapped, greatest);
                    expected.push(last);
                }
                undo_differences(&mut samples, width);
                assert_eq!(samples, expected, "{width} bits, {spread}");
            }
        }
    }

    #[test]
    fn differences_fold_at_the_ends() {
        // 4 bits, from 14: +1 (2), then 0 (0), −1 (1), and −9, which only fits downwards.
        let mut samples = [14, 2, 0, 1, 9];
        undo_differences(&mut samples, 4);
        assert_eq!(samples, [14, 15, 15, 14, 6]);
    }
}
