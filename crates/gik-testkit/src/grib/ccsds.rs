//! Sections 5 and 7 of template 5.42: CCSDS 121.0-B-3, lossless data compression, as far as
//! an encoder must: every block in the best of zero block, split samples and no compression.
//! The second extension, which only saves space, is left to others.

use super::bits::BitWriter;
use super::quantise::Quantised;

/// Samples of a block (octet 23), and blocks between two reference samples (octets 24, 25).
const BLOCK: usize = 32;
const BLOCKS: u16 = 128;
/// Blocks that one code of zero blocks may span.
const SEGMENT: usize = 64;
/// Octet 22: preprocessed, most significant bit first, samples of three octets allowed.
const FLAGS: u8 = 0b1110;

/// Octets 20 to 25 of section 5.
pub(super) fn octets(bits: u32) -> Vec<u8> {
    let [high, low] = BLOCKS.to_be_bytes();
    let [.., bits] = bits.to_be_bytes();
    let block = u8::try_from(BLOCK).unwrap_or(u8::MAX);
    vec![bits, 0, FLAGS, block, high, low]
}

/// Section 7: nothing for samples without bits.
pub(super) fn pack(quantised: &Quantised) -> Vec<u8> {
    let width = quantised.bits;
    let samples = &quantised.integers;
    let mut out = BitWriter::with_capacity(samples.len() * width as usize / 8 + 8);
    if width == 0 {
        return out.finish();
    }
    let interval = BLOCK * usize::from(BLOCKS);
    for samples in samples.chunks(interval) {
        let mut residuals = residuals(samples, width);
        // The last block is filled with samples that repeat the one before.
        residuals.resize(residuals.len().next_multiple_of(BLOCK), 0);
        let blocks: Vec<&[u32]> = residuals.chunks(BLOCK).collect();
        let mut number = 0;
        while let Some(&block) = blocks.get(number) {
            // The first sample of an interval is written as it is.
            let reference = samples.first().filter(|_| number == 0).copied();
            let segment = SEGMENT - number % SEGMENT;
            let run = blocks.iter().skip(number).take(segment);
            let zeros = run.take_while(|block| block.iter().all(|&it| it == 0)).count();
            if zeros > 0 {
                let is_rest = zeros == segment || number + zeros == blocks.len();
                // Longer runs inside a segment are cut: no codes of their own are needed then.
                let zeros = if is_rest { zeros } else { zeros.min(4) };
                write_zeros(&mut out, zeros, reference, width);
                number += zeros;
            } else {
                write_block(&mut out, block, reference, width);
                number += 1;
            }
        }
    }
    out.finish()
}

/// Differences of each sample from the one before, folded into numbers of the same width
/// (section 4.3 of the standard); 0 for the first.
fn residuals(samples: &[u32], width: u32) -> Vec<u32> {
    let largest = u32::MAX >> (32 - width);
    let pairs = samples.iter().zip(samples.iter().skip(1));
    let folded = pairs.map(|(&before, &sample)| {
        // The room below or above, whichever is smaller: as far as both signs occur.
        let room = before.min(largest - before);
        let (up, distance) = (sample >= before, sample.abs_diff(before));
        match distance {
            distance if distance > room => room + distance,
            distance if up => 2 * distance,
            distance => 2 * distance - 1,
        }
    });
    let first = samples.first().map(|_| 0);
    first.into_iter().chain(folded).collect()
}

/// The width of a block's option.
const fn option_bits(width: u32) -> u32 {
    match width {
        ..=8 => 3,
        9..=16 => 4,
        _ => 5,
    }
}

/// So many zeros, and a one.
fn write_unary(out: &mut BitWriter, mut zeros: u32) {
    while zeros >= 32 {
        out.put(0, 32);
        zeros -= 32;
    }
    out.put(1, zeros + 1);
}

/// Blocks of nothing but zeros: up to four, or the rest of a segment, for which the fifth code
/// stands.
fn write_zeros(out: &mut BitWriter, blocks: usize, reference: Option<u32>, width: u32) {
    out.put(0, option_bits(width) + 1);
    write_reference(out, reference, width);
    let blocks = u32::try_from(blocks).unwrap_or_default();
    write_unary(out, blocks.saturating_sub(1).min(4));
}

/// A block in the option that takes the fewest bits.
fn write_block(out: &mut BitWriter, block: &[u32], reference: Option<u32>, width: u32) {
    let option_bits = option_bits(width);
    let uncompressed = (1_u32 << option_bits) - 1;
    let block = block.get(usize::from(reference.is_some())..).unwrap_or_default();
    let count = block.len() as u64;
    let cost = |split: u32| {
        block.iter().map(|&it| u64::from(it >> split) + 1 + u64::from(split)).sum::<u64>()
    };
    let splits = 0..(uncompressed - 1).min(width);
    let best = splits.map(|split| (cost(split), split)).min();
    match best.filter(|&(cost, _)| cost < count * u64::from(width)) {
        Some((_, split)) => {
            out.put(u64::from(split + 1), option_bits);
            write_reference(out, reference, width);
            for &sample in block {
                write_unary(out, sample >> split);
            }
            for &sample in block {
                out.put(u64::from(sample) & ((1 << split) - 1), split);
            }
        }
        None => {
            out.put(u64::from(uncompressed), option_bits);
            write_reference(out, reference, width);
            for &sample in block {
                out.put(u64::from(sample), width);
            }
        }
    }
}

fn write_reference(out: &mut BitWriter, reference: Option<u32>, width: u32) {
    if let Some(sample) = reference {
        out.put(u64::from(sample), width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grib::bits::width_of;

    #[test]
    fn residuals_fold_both_signs_into_the_width() {
        // Around 5 there are five on each side; beyond, only larger ones are left.
        assert_eq!(residuals(&[5, 6], 4), [0, 2]);
        assert_eq!(residuals(&[5, 4], 4), [0, 1]);
        assert_eq!(residuals(&[5, 0], 4), [0, 9]);
        assert_eq!(residuals(&[5, 10], 4), [0, 10]);
        assert_eq!(residuals(&[5, 11], 4), [0, 11]);
        assert_eq!(residuals(&[5, 15], 4), [0, 15]);
        assert_eq!(residuals(&[15, 0], 4), [0, 15]);
        assert_eq!(width_of(u64::from(residuals(&[u32::MAX, 0], 32)[1])), 32);
    }
}
