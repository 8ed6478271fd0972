//! Sections 5 and 7 of template 5.3: differences along the scan, cut into groups.
//!
//! A group stores its smallest value once and the others as distances of the fewest bits
//! that hold them all: none where the group is constant, as differences are wherever the
//! field is constant or linear. Groups cost a reference, a width and a length each; the
//! cut weighs this against the bits that it saves.

use gik_core::{Error, Result};

use super::bits::{BitWriter, width_of};
use super::quantise::Quantised;

/// Runs of equal values at least this long start as a group of their own.
const RUN: usize = 6;
/// Other values start in groups of this length.
const BLOCK: usize = 6;
/// Bits of a group's length that are tried; the smallest message wins.
const LENGTH_BITS: [u32; 9] = [3, 4, 5, 6, 7, 8, 10, 13, 20];

/// Consecutive values and what they need.
#[derive(Debug, Clone, Copy)]
struct Group {
    length: usize,
    low: u32,
    high: u32,
}

impl Group {
    fn width(self) -> u32 {
        width_of(u64::from(self.high - self.low))
    }

    fn bits(self) -> u64 {
        u64::from(self.width()) * self.length as u64
    }

    fn join(self, other: Self) -> Self {
        Self {
            length: self.length + other.length,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// Octets 20 to 49 of section 5 and the content of section 7.
///
/// The integers are not empty.
pub(super) fn pack(quantised: &Quantised, order: u8) -> Result<(Vec<u8>, Vec<u8>)> {
    let differences = Differences::new(&quantised.integers, order)?;
    let pieces = pieces(&differences.values);
    let varies = quantised.bits > 0;
    let reference_bits = width_of(u64::from(pieces.iter().map(|p| p.high).max().unwrap_or(0)));
    let layout = LENGTH_BITS
        .iter()
        .map(|&bits| Layout::new(merge(&pieces, bits, reference_bits), varies))
        .min_by_key(|layout| layout.size)
        .unwrap_or_else(|| Layout::new(pieces.clone(), varies));

    let narrow = |number: u64, what| {
        u32::try_from(number).map_err(|_| Error::argument(what, "does not fit 32 bits"))
    };
    let octet = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let mut section5 = Vec::with_capacity(30);
    section5.push(octet(layout.reference_bits));
    section5.extend([0, 1, 0]); // floating point; general group splitting; no value missing
    section5.extend(9.999e20_f32.to_be_bytes());
    section5.extend([0xff; 4]);
    section5.extend(narrow(layout.groups.len() as u64, "number of groups")?.to_be_bytes());
    section5.push(octet(layout.least_width));
    section5.push(octet(layout.width_bits));
    section5.extend(narrow(layout.least_length as u64, "group length")?.to_be_bytes());
    section5.push(1);
    section5.extend(narrow(layout.last_length as u64, "group length")?.to_be_bytes());
    section5.push(octet(layout.length_bits));
    section5.extend([order, octet(differences.octets)]);
    Ok((section5, layout.write(&differences)))
}

/// What spatial differencing leaves (note 1 of template 7.3).
#[derive(Debug)]
struct Differences {
    /// The first `order` integers, then the smallest difference: the extra descriptors.
    descriptors: Vec<i64>,
    /// Octets of each.
    octets: u32,
    /// 0 for the first `order` points, then difference minus the smallest.
    values: Vec<u32>,
}

impl Differences {
    fn new(integers: &[u32], order: u8) -> Result<Self> {
        if !matches!(order, 1 | 2) {
            return Err(Error::argument("order of the differences", "must be 1 or 2"));
        }
        let first = usize::from(order).min(integers.len());
        let raw = || {
            integers.windows(usize::from(order) + 1).map(|window| match *window {
                [a, b] => i64::from(b) - i64::from(a),
                [a, b, c] => i64::from(c) - 2 * i64::from(b) + i64::from(a),
                _ => 0,
            })
        };
        let (mut low, mut high) = (0, 0);
        if integers.len() > first {
            (low, high) = raw().fold((i64::MAX, i64::MIN), |(low, high), difference| {
                (low.min(difference), high.max(difference))
            });
        }
        let mut descriptors: Vec<i64> =
            integers.iter().take(first).map(|&integer| i64::from(integer)).collect();
        descriptors.resize(usize::from(order), 0);
        descriptors.push(low);
        // One bit for the sign; the largest integer decides as well, because a decoder may
        // hold it in as many octets.
        let widest = descriptors.iter().map(|number| number.unsigned_abs()).max().unwrap_or(0);
        let octets = (width_of(widest) + 1).div_ceil(8);
        let range = u32::try_from(high - low).ok().filter(|range| *range < 1 << 31);
        let (Some(_), true) = (range, octets <= 4) else {
            return Err(Error::argument(
                "precision",
                "spatial differences need more than 31 bits; take a coarser step",
            ));
        };
        let mut values = Vec::with_capacity(integers.len());
        values.resize(first, 0);
        values.extend(raw().map(|difference| u32::try_from(difference - low).unwrap_or(0)));
        Ok(Self { descriptors, octets, values })
    }
}

/// The finest cut considered: long constant runs, and short blocks between them.
fn pieces(values: &[u32]) -> Vec<Group> {
    let mut pieces = Vec::with_capacity(values.len() / BLOCK + 16);
    let mut open: Option<Group> = None;
    for run in values.chunk_by(|a, b| a == b) {
        let Some(&value) = run.first() else { continue };
        let group = Group { length: run.len(), low: value, high: value };
        if run.len() >= RUN {
            pieces.extend(open.take());
            pieces.push(group);
            continue;
        }
        let joined = open.map_or(group, |open| open.join(group));
        if joined.length >= BLOCK {
            pieces.push(joined);
            open = None;
        } else {
            open = Some(joined);
        }
    }
    pieces.extend(open);
    pieces
}

/// Joins neighbours as long as this saves bits and lengths fit `length_bits`.
fn merge(pieces: &[Group], length_bits: u32, reference_bits: u32) -> Vec<Group> {
    let longest = 1_usize << length_bits;
    let width_bits = width_of(u64::from(reference_bits));
    let overhead = u64::from(reference_bits + width_bits + length_bits);
    let mut groups: Vec<Group> = Vec::with_capacity(pieces.len());
    let mut push = |mut group: Group| {
        while let Some(&last) = groups.last() {
            let joined = last.join(group);
            if joined.length > longest || joined.bits() > last.bits() + group.bits() + overhead {
                break;
            }
            groups.pop();
            group = joined;
        }
        groups.push(group);
    };
    for &piece in pieces {
        let mut rest = piece;
        while rest.length > longest {
            push(Group { length: longest, ..rest });
            rest.length -= longest;
        }
        push(rest);
    }
    groups
}

/// Groups and the numbers of template 5.3 that follow from them.
#[derive(Debug)]
struct Layout {
    groups: Vec<Group>,
    reference_bits: u32,
    least_width: u32,
    width_bits: u32,
    least_length: usize,
    length_bits: u32,
    last_length: usize,
    /// Bits of section 7, but for the padding.
    size: u64,
}

impl Layout {
    /// `varies`: whether the field is not constant. Decoders take references of zero bits as
    /// the sign of a constant field, so that one bit is spent where zero would do for the
    /// differences of, say, a linear one.
    fn new(groups: Vec<Group>, varies: bool) -> Self {
        let highest = groups.iter().map(|group| group.low).max().unwrap_or(0);
        let widths = || groups.iter().map(|group| group.width());
        let least_width = widths().min().unwrap_or(0);
        let width_bits = width_of(u64::from(widths().max().unwrap_or(0) - least_width));
        // The last group's length is given apart: it bounds nothing.
        let last_length = groups.last().map_or(0, |group| group.length);
        let lengths = || groups.iter().rev().skip(1).map(|group| group.length);
        let least_length = lengths().min().unwrap_or(last_length);
        let longest = lengths().max().unwrap_or(last_length);
        let length_bits = width_of((longest - least_length) as u64);
        let reference_bits = width_of(u64::from(highest)).max(u32::from(varies));
        let head = u64::from(reference_bits + width_bits + length_bits);
        let size =
            groups.len() as u64 * head + groups.iter().map(|group| group.bits()).sum::<u64>();
        Self {
            groups,
            reference_bits,
            least_width,
            width_bits,
            least_length,
            length_bits,
            last_length,
            size,
        }
    }

    /// The content of section 7.
    fn write(&self, differences: &Differences) -> Vec<u8> {
        let capacity = usize::try_from(self.size / 8).unwrap_or(0) + 64;
        let mut out = BitWriter::with_capacity(capacity);
        for &number in &differences.descriptors {
            let sign = u64::from(number < 0);
            out.put(sign, 1);
            out.put(number.unsigned_abs(), differences.octets * 8 - 1);
        }
        for group in &self.groups {
            out.put(u64::from(group.low), self.reference_bits);
        }
        out.align();
        for group in &self.groups {
            out.put(u64::from(group.width() - self.least_width), self.width_bits);
        }
        out.align();
        let mut lengths = self.groups.iter().peekable();
        while let Some(group) = lengths.next() {
            let last = lengths.peek().is_none();
            let length = if last { 0 } else { group.length - self.least_length };
            out.put(length as u64, self.length_bits);
        }
        out.align();
        let mut rest = differences.values.as_slice();
        for group in &self.groups {
            let (values, after) = rest.split_at_checked(group.length).unwrap_or((rest, &[]));
            rest = after;
            let width = group.width();
            if width > 0 {
                for &value in values {
                    out.put(u64::from(value - group.low), width);
                }
            }
        }
        out.finish()
    }
}
