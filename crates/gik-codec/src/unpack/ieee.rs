//! Template 7.4: IEEE floating-point numbers, not packed at all.

use std::ops::Range;

use gik_core::Result;

use super::Payload;
use crate::scale::Value;

pub(super) fn unpack<T: Value>(
    mut data: Payload<'_>,
    precision: u8,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    match precision {
        1 => {
            let packed = data.split_bits(values as u64, 32)?.as_chunks().0;
            for (value, &octets) in out.iter_mut().zip(packed.get(wanted).unwrap_or_default()) {
                *value = T::from_f64(f64::from(f32::from_be_bytes(octets)));
            }
        }
        2 => {
            let packed = data.split_bits(values as u64, 64)?.as_chunks().0;
            for (value, &octets) in out.iter_mut().zip(packed.get(wanted).unwrap_or_default()) {
                *value = T::from_f64(f64::from_be_bytes(octets));
            }
        }
        other => {
            let what = "precision of floating-point numbers (code table 5.7)";
            return Err(data.unsupported(what, other.to_string()));
        }
    }
    Ok(())
}
