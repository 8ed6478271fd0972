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
                Ok(samples) => samples,
                Err(samples) => return Err(position + samples),
            };
            let lead = self.wanted.start.saturating_sub(position);
            position += samples.len();
            if lead >= samples.len() {
                continue;
            }
            if self.coder.options & PREPROCESS != 0 {
                undo_differences(&mut self.coder.samples, self.coder.width);
            }
            let samples = self.coder.samples.get(lead..).unwrap_or_default();
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
    samples: Vec<u32>,
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
        let bytes = data.bytes;
        Ok(Self { bytes, bit: 0, width, identifier_width, block, capacity, blocks, options, samples })
    }

    /// The samples of the next interval, as many as it has or the field still needs, not
    /// yet summed. An error tells after how many of them there is no complete block.
    #[inline(always)]
    fn interval(&mut self, needed: usize) -> Result<&[u32], usize> {
        self.samples.clear();
        let wanted = needed.min(self.blocks * self.block);
        while self.samples.len() < wanted {
            let before = self.samples.len();
            self.next_block(wanted).ok_or(before)?;
        }
        if self.options & PAD_INTERVALS != 0 {
            self.bit = self.bit.next_multiple_of(8);
        }
        Ok(&self.samples)
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
        // No limit is above 64, less than two windows.
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
        let referenced = self.samples.is_empty() && self.options & PREPROCESS != 0;
        let uncompressed = (1 << self.identifier_width) - 1;
        // An uncompressed block has the reference among its samples. With identifiers of
        // one bit there is no other option but it and identifier 0.
        if identifier == uncompressed {
            return self.uncompressed();
        }
        let zeros = identifier == 0 && self.read(1)? == 0;
        if referenced {
            let reference = self.read(self.width)?;
            self.samples.push(reference);
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
        let old = self.samples.len();
        self.samples.resize(old + self.block, 0);
        integers(self.bytes, bits, self.width, self.samples.get_mut(old..)?);
        Some(())
    }

    fn zero_blocks(&mut self, first: usize, wanted: usize) -> Option<()> {
        let block = self.samples.len() / self.block;
        let count = match self.read_unary(MAX_ZERO_BLOCKS)?.checked_add(1)? {
            REMAINDER => (self.blocks - block).min(SEGMENT - block % SEGMENT),
            count if count > REMAINDER => count as usize - 1,
            count => count as usize,
        };
        if block + count > self.blocks {
            return None;
        }
        let end = (self.samples.len() - first).checked_add(count * self.block)?;
        // Zeros cost no input: what lies after the field's end is not written.
        let end = end.min(wanted.next_multiple_of(self.block)).min(self.capacity);
        self.samples.resize(end.max(self.samples.len()), 0);
        Some(())
    }

    fn second_extension(&mut self, first: usize) -> Option<()> {
        let mut index = first;
        while index < self.block {
            let coded = self.read_unary(MAX_PAIR)?;
            let (sum, second) = pair(coded);
            if index.is_multiple_of(2) {
                self.samples.push(sum - second);
                index += 1;
            }
            self.samples.push(second);
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
        *begin = (self.bit % 8) as u32;
        set_bits(self.bytes, self.bit, count, codes)?;
        self.bit = self.bit / 8 * 8 + *ends.get(count)? as usize;
        let lows = self.skip(count * low as usize)?;

        let old = self.samples.len();
        self.samples.resize(old + count, 0);
        let samples = self.samples.get_mut(old..)?;
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
            integers(self.bytes, lows, low, parts);
            for (sample, part) in samples.iter_mut().zip(parts) {
                *sample |= *part;
            }
        }
        fits.then_some(())
    }
}

/// The sum of two samples and the second of them, from the number that codes the pair.
fn pair(coded: u32) -> (u32, u32) {
    // Pairs are counted along the diagonals of equal sum: a sum of s has s + 1 of them.
    let (mut sum, mut start) = (0, 0);
    while start + sum < coded {
        start += sum + 1;
        sum += 1;
    }
    (sum, coded - start)
}

/// From mapped differences to samples, in place.
#[inline(always)]
fn undo_differences(samples: &mut [u32], width: u32) {
    let greatest = u32::MAX >> (32 - width);
    let Some((&mut first, rest)) = samples.split_first_mut() else {
        return;
    };
    let mut last = first;
    for sample in rest {
        let mapped = *sample;
        // Around the sample before there is room for differences of either sign up to the
        // nearer end of the range; beyond, only one sign is left, and that is rare.
        let room = last.min(greatest.wrapping_sub(last));
        let half = (mapped >> 1) + (mapped & 1);
        last = if half > room {
            if last <= greatest / 2 { mapped } else { greatest ^ mapped }
        } else {
            last.wrapping_add((mapped >> 1) ^ (mapped & 1).wrapping_neg())
        };
        *sample = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_along_diagonals() {
        let all: Vec<_> = (0..=MAX_PAIR).map(pair).collect();
        assert_eq!(&all[..6], [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]);
        assert_eq!(all[90], (12, 12));
        assert!(all.iter().all(|&(sum, second)| second <= sum && sum <= 12));
    }

    #[test]
    fn differences_fold_at_the_ends() {
        // 4 bits, from 14: +1 (2), then 0 (0), −1 (1), and −9, which only fits downwards.
        let mut samples = [14, 2, 0, 1, 9];
        undo_differences(&mut samples, 4);
        assert_eq!(samples, [14, 15, 15, 14, 6]);
    }
}
