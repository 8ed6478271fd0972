//! Template 7.0: integers of one width, without gaps.

use gik_core::Result;

use super::Payload;
use crate::bits::BitReader;
use crate::scale::{Scaling, Value};

pub(super) fn unpack<T: Value>(
    mut data: Payload<'_>,
    scaling: Scaling,
    bits: u8,
    out: &mut [T],
) -> Result<()> {
    let packed = data.split_bits(out.len() as u64, u64::from(bits))?;
    let mut reader = BitReader::new(packed);
    for value in out {
        // `split_bits` made sure of all of them.
        let integer = reader.read(u32::from(bits)).unwrap_or(0);
        *value = T::from_f64(scaling.apply(f64::from(integer)));
    }
    Ok(())
}
