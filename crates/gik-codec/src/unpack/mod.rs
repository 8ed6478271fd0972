//! Section 7: from packed to plain values.
//!
//! Each unpacker first proves from the parameters that what it is about to read is there
//! and fills `out` exactly, and only then reads it. None allocates what the input asks
//! for: `out` has been sized by the caller, and the parameters are held against it.

mod ccsds;
mod complex;
mod ieee;
mod jpeg2000;
mod png;
mod simple;

use std::fmt;
use std::ops::Range;

use gik_core::{Error, Result};

use crate::message::Section;
use crate::representation::Packing;
use crate::scale::{Scaling, Value};

/// Unpacks the values `wanted` of the section's `values` into `out`, which has an element
/// for each of them.
pub(crate) fn unpack<T: Value>(
    packing: &Packing,
    section: &Section<'_>,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    // All points missing: there is nothing to read, and encoders differ in what they write.
    if out.is_empty() {
        return Ok(());
    }
    let data = Payload { bytes: section.from_octet(6), offset: section.offset.saturating_add(5) };
    match *packing {
        Packing::Simple { scaling, bits: 0 }
        | Packing::Jpeg2000 { scaling, bits: 0 }
        | Packing::Png { scaling, bits: 0 } => {
            constant(scaling, out);
            Ok(())
        }
        Packing::Ccsds(packing) if packing.bits == 0 => {
            constant(packing.scaling, out);
            Ok(())
        }
        Packing::Complex(packing) if packing.groups == 0 => {
            constant(packing.scaling, out);
            Ok(())
        }
        Packing::Simple { scaling, bits } => {
            simple::unpack(data, scaling, bits, values, wanted, out)
        }
        Packing::Complex(packing) => complex::unpack(data, &packing, values, wanted, out),
        Packing::Ieee { precision } => ieee::unpack(data, precision, values, wanted, out),
        Packing::Jpeg2000 { scaling, .. } => jpeg2000::unpack(data, scaling, values, wanted, out),
        Packing::Png { scaling, .. } => png::unpack(data, scaling, values, wanted, out),
        Packing::Ccsds(packing) => ccsds::unpack(data, &packing, values, wanted, out),
    }
}

/// A constant field is the reference value itself. The formula would have it divided by
/// 10^D; NCEP's encoder does not multiply it, and decoders everywhere follow.
fn constant<T: Value>(scaling: Scaling, out: &mut [T]) {
    out.fill(T::from_f64(scaling.reference));
}

/// The packed bytes and where they lie in the message.
#[derive(Debug, Clone, Copy)]
struct Payload<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Payload<'a> {
    /// Splits off `count` elements of `bits` bits each, padded to a whole byte.
    fn split_bits(&mut self, count: u64, bits: u64) -> Result<&'a [u8]> {
        let needed = count.saturating_mul(bits).div_ceil(8);
        let split = usize::try_from(needed).ok().and_then(|at| self.bytes.split_at_checked(at));
        let Some((part, rest)) = split else {
            return Err(self.truncated(needed));
        };
        self.bytes = rest;
        self.offset = self.offset.saturating_add(needed);
        Ok(part)
    }

    fn truncated(&self, needed: u64) -> Error {
        Error::truncated(needed, self.bytes.len() as u64).at(self.offset)
    }

    fn malformed(
        &self,
        what: &'static str,
        expected: impl Into<String>,
        found: &dyn fmt::Display,
    ) -> Error {
        Error::malformed(what, expected, found.to_string()).at(self.offset)
    }

    fn unsupported(&self, what: &'static str, value: impl Into<String>) -> Error {
        Error::unsupported(what, value).at(self.offset)
    }
}
