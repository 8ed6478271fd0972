//! Templates 7.2 and 7.3: groups of values, each with its own reference and width, and
//! with spatial differencing (regulation 92.9.4, notes of the templates).
//!
//! ```text
//! extra descriptors   template 7.3 only: first value(s), then the overall minimum
//! group references    groups × bits,        padded to a whole byte
//! group widths        groups × width_bits,  padded to a whole byte
//! group lengths       groups × length_bits, padded to a whole byte
//! values              each group: length × width bits
//! ```

use gik_core::Result;

use super::Payload;
use crate::bits::BitReader;
use crate::reader::ByteReader;
use crate::representation::{ComplexPacking, MAX_BITS};
use crate::scale::{Scaling, Value};

pub(super) fn unpack<T: Value>(
    mut data: Payload<'_>,
    packing: &ComplexPacking,
    out: &mut [T],
) -> Result<()> {
    let differences = Differences::read(&mut data, packing)?;
    let groups = u64::from(packing.groups);
    if groups > out.len() as u64 {
        let expected = format!("at most the {} values", out.len());
        return Err(data.malformed("number of groups", expected, &groups));
    }
    let groups = Groups {
        references: BitReader::new(data.split_bits(groups, u64::from(packing.bits))?),
        widths: BitReader::new(data.split_bits(groups, u64::from(packing.width_bits))?),
        lengths: BitReader::new(data.split_bits(groups, u64::from(packing.length_bits))?),
        left: packing.groups,
        packing: *packing,
    };
    check_totals(data, groups.clone(), out.len() as u64)?;

    let values = BitReader::new(data.bytes);
    let missing = Missing(packing.missing_management);
    match differences {
        Differences::None => fill(groups, values, missing, packing, out, |value| value),
        Differences::First { first, minimum } => {
            let mut last = None;
            fill(groups, values, missing, packing, out, |value| {
                let value = match last {
                    None => first,
                    Some(last) => value.wrapping_add(minimum).wrapping_add(last),
                };
                last = Some(value);
                value
            });
        }
        Differences::Second { first, second, minimum } => {
            // The two values before, and how many there have been, up to two.
            let (mut before, mut last, mut seen) = (first, second, 0_u8);
            fill(groups, values, missing, packing, out, |value| match seen {
                0 => {
                    seen = 1;
                    first
                }
                1 => {
                    seen = 2;
                    second
                }
                _ => {
                    let step = last.wrapping_sub(before);
                    let value = value.wrapping_add(minimum).wrapping_add(last).wrapping_add(step);
                    (before, last) = (last, value);
                    value
                }
            });
        }
    }
    Ok(())
}

/// The extra descriptors of spatial differencing.
#[derive(Debug, Clone, Copy)]
enum Differences {
    None,
    First { first: i64, minimum: i64 },
    Second { first: i64, second: i64, minimum: i64 },
}

impl Differences {
    fn read(data: &mut Payload<'_>, packing: &ComplexPacking) -> Result<Self> {
        let octets = usize::from(packing.descriptor_octets);
        let count = match packing.order {
            0 => return Ok(Self::None),
            order => u64::from(order) + 1,
        };
        let offset = data.offset;
        let part = data.split_bits(count, 8 * octets as u64)?;
        let mut reader = ByteReader::new(part, offset);
        // The first values are counted from the field's minimum and never negative; some
        // encoders use the bit of the sign. The minimum of the differences has a sign.
        let first = reader.unsigned(octets)?.cast_signed();
        if packing.order == 1 {
            return Ok(Self::First { first, minimum: reader.signed(octets)? });
        }
        let second = reader.unsigned(octets)?.cast_signed();
        Ok(Self::Second { first, second, minimum: reader.signed(octets)? })
    }
}

/// Walks the groups' descriptions.
#[derive(Debug, Clone)]
struct Groups<'a> {
    references: BitReader<'a>,
    widths: BitReader<'a>,
    lengths: BitReader<'a>,
    left: u32,
    packing: ComplexPacking,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    reference: u32,
    width: u64,
    length: u64,
}

impl Iterator for Groups<'_> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        let packing = &self.packing;
        self.left = self.left.checked_sub(1)?;
        let reference = self.references.read(u32::from(packing.bits))?;
        let width = self.widths.read(u32::from(packing.width_bits))?;
        let length = self.lengths.read(u32::from(packing.length_bits))?;
        let length = match self.left {
            0 => u64::from(packing.last_length),
            _ => {
                u64::from(length) * u64::from(packing.length_increment)
                    + u64::from(packing.length_reference)
            }
        };
        Some(Group {
            reference,
            width: u64::from(width) + u64::from(packing.width_reference),
            length,
        })
    }
}

/// Proves that the groups hold exactly `values` values and that their bits are there.
fn check_totals(data: Payload<'_>, groups: Groups<'_>, values: u64) -> Result<()> {
    let (mut length, mut bits) = (0_u64, 0_u64);
    for group in groups {
        if group.width > u64::from(MAX_BITS) {
            let expected = format!("at most {MAX_BITS} bits");
            return Err(data.malformed("width of a group", expected, &group.width));
        }
        // Neither can overflow: a length is below 2^41, a width at most 32, and the sum
        // of lengths is held against the number of values each time.
        length += group.length;
        bits += group.length * group.width;
        if length > values {
            break;
        }
    }
    if length != values {
        return Err(data.malformed(
            "lengths of the groups",
            format!("a sum of {values}, the number of values"),
            &if length > values { "more".to_owned() } else { length.to_string() },
        ));
    }
    let needed = bits.div_ceil(8);
    if needed > data.bytes.len() as u64 {
        return Err(data.truncated(needed));
    }
    Ok(())
}

/// Missing value management (code table 5.5): which packed integers mean no value.
#[derive(Debug, Clone, Copy)]
struct Missing(u8);

impl Missing {
    /// Whether `integer`, packed in `bits` bits, is all ones (primary), or one less
    /// (secondary).
    fn is(self, integer: u32, bits: u32) -> bool {
        let all_ones = u32::MAX.checked_shr(32 - bits).unwrap_or(0);
        match self.0 {
            0 => false,
            1 => integer == all_ones,
            _ => integer == all_ones || Some(integer) == all_ones.checked_sub(1),
        }
    }
}

/// Reads the groups' values; `undo` turns a difference into a value and is called for
/// those that are not missing, in order.
fn fill<T: Value>(
    groups: Groups<'_>,
    mut values: BitReader<'_>,
    missing: Missing,
    packing: &ComplexPacking,
    mut out: &mut [T],
    mut undo: impl FnMut(i64) -> i64,
) {
    let scaling = packing.scaling;
    for group in groups {
        // The totals were checked: lengths fit `out`, widths are at most 32, and the bits
        // are there.
        let length = usize::try_from(group.length).unwrap_or(usize::MAX).min(out.len());
        let (chunk, rest) = out.split_at_mut(length);
        out = rest;
        let reference = i64::from(group.reference);
        let width = u32::try_from(group.width).unwrap_or(0);
        if width == 0 {
            // The reference stands for each value, also for a missing one.
            if missing.is(group.reference, u32::from(packing.bits)) {
                chunk.fill(T::MISSING);
            } else {
                for value in chunk {
                    *value = scaled(scaling, undo(reference));
                }
            }
        } else {
            for value in chunk {
                let integer = values.read(width).unwrap_or(0);
                *value = if missing.is(integer, width) {
                    T::MISSING
                } else {
                    scaled(scaling, undo(reference.wrapping_add(i64::from(integer))))
                };
            }
        }
    }
}

#[inline]
#[expect(
    clippy::cast_precision_loss,
    reason = "packed integers of 32 bits and their differences stay far below 2^53; a damaged \
              message may go beyond, and its values mean nothing"
)]
fn scaled<T: Value>(scaling: Scaling, integer: i64) -> T {
    T::from_f64(scaling.apply(integer as f64))
}
