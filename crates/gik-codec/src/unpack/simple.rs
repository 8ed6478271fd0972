//! Template 7.0: integers of one width, without gaps.

use std::ops::Range;

use gik_core::Result;

use super::Payload;
use crate::bits::integer;
use crate::scale::{Scaling, Value};
use crate::vector::{Kernel, fastest};

/// Integers that are unpacked, then scaled, while they are in the nearest cache.
const BLOCK: usize = 1024;

/// The values `wanted` of `values`, each of `bits` bits.
pub(super) fn unpack<T: Value>(
    mut data: Payload<'_>,
    scaling: Scaling,
    bits: u8,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    let packed = data.split_bits(values as u64, u64::from(bits))?;
    fastest(Simple { packed, bits: usize::from(bits), first: wanted.start, scaling, out });
    Ok(())
}

struct Simple<'a, 'b, T> {
    packed: &'a [u8],
    bits: usize,
    first: usize,
    scaling: Scaling,
    out: &'b mut [T],
}

impl<T: Value> Kernel for Simple<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut block = [[0_u32; 8]; BLOCK / 8];
        // Eight integers fill whole bytes: the start is put at a multiple of eight.
        let mut lead = self.first % 8;
        let mut rest = self.packed.get(self.first / 8 * self.bits..).unwrap_or_default();
        let mut out = self.out;
        while !out.is_empty() {
            integers(rest, self.bits, &mut block);
            let ready = block.as_flattened().get(lead..).unwrap_or_default();
            let count = ready.len().min(out.len());
            let (now, later) = out.split_at_mut(count);
            self.scaling.apply_unsigned(ready, now);
            out = later;
            lead = 0;
            rest = rest.get(BLOCK / 8 * self.bits..).unwrap_or_default();
        }
    }
}

/// Unpacks as many integers as there are; others become zero or keep what they were.
#[inline(always)]
fn integers(bytes: &[u8], bits: usize, block: &mut [[u32; 8]]) {
    macro_rules! of_width {
        ($($width:literal)*) => {
            match bits {
                $($width => eights::<$width>(bytes, block),)*
                _ => {}
            }
        };
    }
    of_width!(
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    );
}

#[inline(always)]
fn eights<const BITS: u32>(mut bytes: &[u8], block: &mut [[u32; 8]]) {
    let width = BITS as usize;
    for eight in block {
        // The last integer's word goes seven bytes further.
        if let Some(window) = bytes.get(..width + 8) {
            for (index, value) in eight.iter_mut().enumerate() {
                *value = integer(window, index * width, BITS);
            }
        } else {
            for (index, value) in eight.iter_mut().enumerate() {
                *value = integer(bytes, index * width, BITS);
            }
        }
        bytes = bytes.get(width..).unwrap_or_default();
    }
}
