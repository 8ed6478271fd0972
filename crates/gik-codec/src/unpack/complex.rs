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

use std::ops::Range;

use gik_core::Result;

use super::Payload;
use crate::bits::{integers, window};
use crate::reader::ByteReader;
use crate::representation::{ComplexPacking, MAX_BITS};
use crate::scale::{MISSING_INTEGER, Scaling, Value};
use crate::vector::{Kernel, fastest};

/// Integers that are unpacked, summed and scaled while they are in the nearest cache.
const BLOCK: usize = 1024;
/// Integers that are unpacked together. A group's last ones may go past its end, where
/// those of the next group take their place.
const LANES: usize = 8;
/// Groups that are described at once.
const GROUPS: usize = 64;

/// The values `wanted` of `values`. Groups after them are not looked at.
pub(super) fn unpack<T: Value>(
    mut data: Payload<'_>,
    packing: &ComplexPacking,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    let differences = Differences::read(&mut data, packing)?;
    let groups = u64::from(packing.groups);
    if groups > values as u64 {
        let expected = format!("at most the {values} values");
        return Err(data.malformed("number of groups", expected, &groups));
    }
    let groups = Groups {
        references: data.split_bits(groups, u64::from(packing.bits))?,
        widths: data.split_bits(groups, u64::from(packing.width_bits))?,
        lengths: data.split_bits(groups, u64::from(packing.length_bits))?,
        packing,
    };
    let complex = Complex { groups, packed: data.bytes, differences, values, wanted, out };
    fastest(complex).map_err(|stop| match stop {
        Stop::Width(width) => {
            let expected = format!("at most {MAX_BITS} bits");
            data.malformed("width of a group", expected, &width)
        }
        Stop::Truncated(bits) => data.truncated(bits.div_ceil(8)),
        Stop::Lengths(sum) => data.malformed(
            "lengths of the groups",
            format!("a sum of {values}, the number of values"),
            &sum.map_or("more".to_owned(), |sum| sum.to_string()),
        ),
    })
}

/// What is wrong with the groups.
enum Stop {
    /// One has this width.
    Width(u32),
    /// They need this many bits, which are not there.
    Truncated(u64),
    /// They have this many values; `None` is more than there should be.
    Lengths(Option<usize>),
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

/// The descriptions of the groups.
#[derive(Debug, Clone, Copy)]
struct Groups<'a> {
    references: &'a [u8],
    widths: &'a [u8],
    lengths: &'a [u8],
    packing: &'a ComplexPacking,
}

/// The next groups, as many as are described at once.
struct Batch {
    references: [u32; GROUPS],
    widths: [u32; GROUPS],
    lengths: [u32; GROUPS],
}

/// Goes through the groups and unpacks their integers.
struct Cursor<'a> {
    groups: Groups<'a>,
    packed: &'a [u8],
    /// What is added to each integer besides its group's reference.
    minimum: i64,
    /// The field's values, and those of the groups described so far.
    values: usize,
    described: usize,
    /// The end of the groups described so far.
    described_bits: u64,
    batch: Batch,
    /// Groups in the batch, and those of them that are unpacked.
    count: usize,
    done: usize,
    /// Groups before the end of the batch.
    next: usize,
    /// The first bit of the next integer.
    bit: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    fn new(groups: Groups<'a>, packed: &'a [u8], minimum: i64, values: usize) -> Self {
        let none = [0; GROUPS];
        Self {
            groups,
            packed,
            minimum,
            values,
            described: 0,
            described_bits: 0,
            batch: Batch { references: none, widths: none, lengths: none },
            count: 0,
            done: 0,
            next: 0,
            bit: 0,
        }
    }

    /// Describes the next groups and holds them against the number of values and the bits
    /// that are there; `false` when there are no more groups.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "lengths are checked: longer ones than 32 bits are refused, and their sum is at \
                  most the number of values"
    )]
    fn describe(&mut self) -> Result<bool, Stop> {
        let Groups { references, widths, lengths, packing } = self.groups;
        let first = self.next;
        self.count = GROUPS.min(packing.groups as usize - first);
        self.done = 0;
        self.next += self.count;
        if self.count == 0 {
            return Ok(false);
        }
        let Batch { references: into_references, widths: into_widths, lengths: into_lengths } =
            &mut self.batch;
        let start = |bits: u8| first * usize::from(bits);
        integers(references, start(packing.bits), u32::from(packing.bits), into_references);
        let bits = packing.width_bits;
        integers(widths, start(bits), u32::from(bits), into_widths);
        let bits = packing.length_bits;
        integers(lengths, start(bits), u32::from(bits), into_lengths);

        let into_widths = into_widths.get_mut(..self.count).unwrap_or_default();
        let into_lengths = into_lengths.get_mut(..self.count).unwrap_or_default();

        let mut widest = 0;
        for width in into_widths.iter_mut() {
            *width = width.saturating_add(u32::from(packing.width_reference));
            widest = widest.max(*width);
        }
        if widest > u32::from(MAX_BITS) {
            return Err(Stop::Width(widest));
        }
        let last = into_lengths.last_mut().filter(|_| self.next == packing.groups as usize);
        // The last group's length is in section 5; what stands here means nothing.
        if let Some(last) = last {
            *last = 0;
        }
        let mut longest = 0;
        for length in into_lengths.iter_mut() {
            let whole = u64::from(*length) * u64::from(packing.length_increment)
                + u64::from(packing.length_reference);
            longest = longest.max(whole);
            *length = whole as u32;
        }
        if self.next == packing.groups as usize
            && let Some(last) = into_lengths.last_mut()
        {
            *last = packing.last_length;
        }
        if longest > u64::from(u32::MAX) {
            return Err(Stop::Lengths(None));
        }
        let (mut values, mut bits) = (0, 0);
        for (&length, &width) in into_lengths.iter().zip(into_widths.iter()) {
            values += u64::from(length);
            bits += u64::from(length) * u64::from(width);
        }
        if values > (self.values - self.described) as u64 {
            return Err(Stop::Lengths(None));
        }
        self.described += values as usize;
        self.described_bits += bits;
        if self.described_bits > self.packed.len() as u64 * 8 {
            return Err(Stop::Truncated(self.described_bits));
        }
        Ok(true)
    }

    /// Fills the block as far as there are groups; the number of integers that are there.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "not more than a length of 32 bits")]
    fn fill<const MISSING: u8>(&mut self, block: &mut [i64; BLOCK + LANES]) -> Result<usize, Stop> {
        let mut filled = 0;
        while filled < BLOCK {
            if self.done == self.count && !self.describe()? {
                break;
            }
            let Batch { references, widths, lengths } = &mut self.batch;
            let groups = self.done..self.count;
            let groups = (references.get(groups.clone()).unwrap_or_default().iter())
                .zip(widths.get(groups.clone()).unwrap_or_default())
                .zip(lengths.get_mut(groups).unwrap_or_default());
            let mut bit = self.bit;
            for ((&reference, &width), length) in groups {
                let count = (*length as usize).min(BLOCK - filled);
                let lanes = block.get_mut(filled..filled + count.next_multiple_of(LANES));
                let lanes = lanes.unwrap_or_default().as_chunks_mut().0;
                let group = Group { reference, width };
                unpack_group::<MISSING>(
                    self.packed,
                    bit,
                    group,
                    self.groups.packing.bits,
                    self.minimum,
                    lanes,
                );
                bit += count * width as usize;
                filled += count;
                *length -= count as u32;
                if *length > 0 {
                    break;
                }
                self.done += 1;
            }
            self.bit = bit;
        }
        Ok(filled)
    }

    /// Goes past whole batches of groups before value `value`; the number of values that
    /// these have.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "bits of a slice in memory")]
    fn skip_before(&mut self, value: usize) -> Result<usize, Stop> {
        let mut skipped = 0;
        while self.describe()? && self.described <= value {
            skipped = self.described;
            self.bit = self.described_bits as usize;
            self.done = self.count;
        }
        Ok(skipped)
    }
}

#[derive(Debug, Clone, Copy)]
struct Group {
    reference: u32,
    width: u32,
}

struct Complex<'a, 'b, T> {
    groups: Groups<'a>,
    packed: &'a [u8],
    differences: Differences,
    values: usize,
    wanted: Range<usize>,
    out: &'b mut [T],
}

impl<T: Value> Kernel for Complex<'_, '_, T> {
    type Output = Result<(), Stop>;

    #[inline(always)]
    fn run(self) -> Result<(), Stop> {
        // Missing value management (code table 5.5).
        match self.groups.packing.missing_management {
            0 => self.ordered::<0>(),
            1 => self.ordered::<1>(),
            _ => self.ordered::<2>(),
        }
    }
}

impl<T: Value> Complex<'_, '_, T> {
    #[inline(always)]
    fn ordered<const MISSING: u8>(self) -> Result<(), Stop> {
        match self.differences {
            Differences::None => self.unpack::<MISSING, _>(Plain, 0),
            Differences::First { first, minimum } => {
                let sums = FirstOrder { first: Some(first), last: 0 };
                self.unpack::<MISSING, _>(sums, minimum)
            }
            Differences::Second { first, second, minimum } => {
                let sums = SecondOrder { first: [first, second], seen: 0, last: 0, step: 0 };
                self.unpack::<MISSING, _>(sums, minimum)
            }
        }
    }

    /// Block by block: the groups' integers, then sums of differences, then values.
    #[inline(always)]
    fn unpack<const MISSING: u8, S: Sums>(self, mut sums: S, minimum: i64) -> Result<(), Stop> {
        let Self { groups, packed, values, wanted, out, .. } = self;
        let scaling = groups.packing.scaling;
        let end = wanted.end;
        let mut cursor = Cursor::new(groups, packed, minimum, values);
        let mut position = 0;
        if S::SKIPS {
            position = cursor.skip_before(wanted.start)?;
        }
        let mut output = Output { scaling, missing: MISSING != 0, position, wanted, out };
        let mut block = [0_i64; BLOCK + LANES];
        while output.position < end {
            let filled = cursor.fill::<MISSING>(&mut block)?;
            if filled == 0 {
                return Err(Stop::Lengths(Some(cursor.described)));
            }
            output.take::<MISSING, S>(&mut sums, block.get_mut(..filled).unwrap_or_default());
        }
        // The last groups may have more values than there should be.
        if end == values {
            while cursor.describe()? {}
        }
        Ok(())
    }
}

/// Where the wanted values go.
struct Output<'a, T> {
    scaling: Scaling,
    missing: bool,
    /// The number of values before the block.
    position: usize,
    wanted: Range<usize>,
    out: &'a mut [T],
}

impl<T: Value> Output<'_, T> {
    #[inline(always)]
    fn take<const MISSING: u8, S: Sums>(&mut self, sums: &mut S, block: &mut [i64]) {
        sums.undo::<MISSING>(block);
        let start = self.position;
        self.position += block.len();
        let lead = self.wanted.start.saturating_sub(start);
        let end = self.wanted.end.saturating_sub(start).min(block.len());
        let target = (start + lead).saturating_sub(self.wanted.start);
        if let (Some(integers), Some(out)) = (block.get(lead..end), self.out.get_mut(target..)) {
            self.scaling.apply_signed(integers, self.missing, out);
        }
    }
}

/// Unpacks a group's integers from bit `bit` on.
#[inline(always)]
fn unpack_group<const MISSING: u8>(
    packed: &[u8],
    bit: usize,
    group: Group,
    bits: u8,
    minimum: i64,
    lanes: &mut [[i64; LANES]],
) {
    let base = i64::from(group.reference) + minimum;
    match group.width {
        0 if MISSING != 0 => {
            // The reference stands for each value, also for a missing one.
            let value = present::<MISSING>(group.reference, u32::from(bits), minimum);
            lanes.as_flattened_mut().fill(value);
        }
        // Of a window 57 bits are sure to be there.
        0..=7 => unpack_lanes::<MISSING, 8>(packed, bit, group.width, base, lanes),
        8..=14 => unpack_lanes::<MISSING, 4>(packed, bit, group.width, base, lanes),
        15..=28 => unpack_lanes::<MISSING, 2>(packed, bit, group.width, base, lanes),
        _ => unpack_lanes::<MISSING, 1>(packed, bit, group.width, base, lanes),
    }
}

/// By how many bits to shift a window so that its first, second … integer is lowest, for
/// each width. With a width of 0 it is by 64, which is by none; no bit is then kept.
const SHIFTS: [[u64; LANES]; MAX_BITS as usize + 1] = shifts();

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which checks it")]
const fn shifts() -> [[u64; LANES]; MAX_BITS as usize + 1] {
    let mut shifts = [[0; LANES]; MAX_BITS as usize + 1];
    let mut width = 0;
    while width < shifts.len() {
        let mut lane = 0;
        while lane < LANES && (lane + 1) * width <= 64 {
            shifts[width][lane] = (64 - (lane + 1) as u64 * width as u64) % 64;
            lane += 1;
        }
        width += 1;
    }
    shifts
}

/// Unpacks lanes from windows of `EACH` integers.
#[inline(always)]
fn unpack_lanes<const MISSING: u8, const EACH: usize>(
    packed: &[u8],
    mut bit: usize,
    width: u32,
    base: i64,
    lanes: &mut [[i64; LANES]],
) {
    let ones = (1_u64 << width) - 1;
    let shifts = SHIFTS.get(width as usize).copied().unwrap_or_default();
    for lane in lanes {
        for part in lane.as_chunks_mut::<EACH>().0 {
            let window = window(packed, bit);
            for (value, shift) in part.iter_mut().zip(shifts) {
                #[expect(clippy::cast_possible_truncation, reason = "of at most 32 bits")]
                let integer = (window >> (shift % 64) & ones) as u32;
                *value = if MISSING == 0 {
                    base + i64::from(integer)
                } else {
                    present::<MISSING>(integer, width, base)
                };
            }
            bit += EACH * width as usize;
        }
    }
}

/// The integer and what is added to it, or the mark of a missing value: for an integer of
/// all ones (primary) or one less (secondary, code table 5.5).
#[inline(always)]
fn present<const MISSING: u8>(integer: u32, bits: u32, base: i64) -> i64 {
    let ones = (1_u64 << bits) - 1;
    let integer = u64::from(integer);
    let missing = integer == ones || MISSING == 2 && ones > 0 && integer == ones - 1;
    if missing { MISSING_INTEGER } else { integer.cast_signed() + base }
}

/// From differences to values.
trait Sums {
    /// Whether a value does not depend on those before it.
    const SKIPS: bool;

    fn undo<const MISSING: u8>(&mut self, block: &mut [i64]);
}

struct Plain;

impl Sums for Plain {
    const SKIPS: bool = true;

    #[inline(always)]
    fn undo<const MISSING: u8>(&mut self, _: &mut [i64]) {}
}

struct FirstOrder {
    /// The first value, until it has been met.
    first: Option<i64>,
    last: i64,
}

impl Sums for FirstOrder {
    const SKIPS: bool = false;

    #[inline(always)]
    fn undo<const MISSING: u8>(&mut self, block: &mut [i64]) {
        let mut start = 0;
        if let Some(first) = self.first {
            start = replace_first::<MISSING>(block, 0, first);
            if start > 0 {
                self.last = first;
                self.first = None;
            }
        }
        let mut last = self.last;
        for_each_present::<MISSING>(block, start, |value| {
            last = last.wrapping_add(*value);
            *value = last;
        });
        self.last = last;
    }
}

struct SecondOrder {
    first: [i64; 2],
    /// How many of the first values have been met.
    seen: usize,
    last: i64,
    /// The last value less the one before.
    step: i64,
}

impl Sums for SecondOrder {
    const SKIPS: bool = false;

    #[inline(always)]
    fn undo<const MISSING: u8>(&mut self, block: &mut [i64]) {
        let mut start = 0;
        while let Some(&first) = self.first.get(self.seen) {
            start = replace_first::<MISSING>(block, start, first);
            if start == 0 {
                return;
            }
            self.step = first.wrapping_sub(self.last);
            self.last = first;
            self.seen += 1;
        }
        let (mut last, mut step) = (self.last, self.step);
        for_each_present::<MISSING>(block, start, |value| {
            step = step.wrapping_add(*value);
            last = last.wrapping_add(step);
            *value = last;
        });
        (self.last, self.step) = (last, step);
    }
}

/// Puts `first` in place of the first value from `start` on that is not missing; where the
/// next one is, 0 if there is none.
#[inline(always)]
fn replace_first<const MISSING: u8>(block: &mut [i64], start: usize, first: i64) -> usize {
    let mut values = block.iter_mut().enumerate().skip(start);
    let place = values.find(|(_, value)| MISSING == 0 || **value != MISSING_INTEGER);
    place.map_or(0, |(index, value)| {
        *value = first;
        index + 1
    })
}

#[inline(always)]
fn for_each_present<const MISSING: u8>(
    block: &mut [i64],
    start: usize,
    mut each: impl FnMut(&mut i64),
) {
    // By eights, so that counting costs little beside the sums.
    let block = block.get_mut(start..).unwrap_or_default();
    let (eights, rest) = block.as_chunks_mut::<8>();
    for eight in eights {
        for value in eight {
            if MISSING == 0 || *value != MISSING_INTEGER {
                each(value);
            }
        }
    }
    for value in rest {
        if MISSING == 0 || *value != MISSING_INTEGER {
            each(value);
        }
    }
}
