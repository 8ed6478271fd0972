//! Thrift's compact protocol, as far as the structures of parquet use it.

/// Types of the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
pub(super) const STRUCT: u8 = 12;

/// Calls `read` with each field of a structure; it must move behind the field's value.
pub(super) fn fields(
    bytes: &mut &[u8],
    mut read: impl FnMut(&mut &[u8], i64, u8) -> Option<()>,
) -> Option<()> {
    let mut id: i64 = 0;
    loop {
        let head = byte(bytes)?;
        if head & 0xf == 0 {
            return Some(());
        }
        id = match head >> 4 {
            0 => zigzag(bytes)?,
            difference => id.checked_add(i64::from(difference))?,
        };
        read(bytes, id, head & 0xf)?;
    }
}

/// Moves behind the value of a field; none when it ends before, is nested deeper than `depth`, or is
/// of a kind that no structure of parquet has.
pub(super) fn skip(bytes: &mut &[u8], kind: u8, depth: u8) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        TRUE | FALSE => Some(()),
        BYTE => byte(bytes).map(|_| ()),
        4..=I64 => varint(bytes).map(|_| ()),
        DOUBLE => pass(bytes, 8),
        BINARY => {
            let length = varint(bytes)?;
            pass(bytes, length)
        }
        LIST | SET => {
            let head = byte(bytes)?;
            let count = if head >> 4 == 15 { varint(bytes)? } else { u64::from(head >> 4) };
            match head & 0xf {
                // The parquet library takes them for as short as the fields, which are none long:
                // so many as the count says, two billions of them. There are none in parquet.
                TRUE | FALSE => None,
                kind => (0..count).try_for_each(|_| skip(bytes, kind, depth)),
            }
        }
        STRUCT => fields(bytes, |bytes, _, kind| skip(bytes, kind, depth)),
        // Maps, which parquet has none of.
        _ => None,
    }
}

fn byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(first)
}

fn pass(bytes: &mut &[u8], count: u64) -> Option<()> {
    *bytes = bytes.get(usize::try_from(count).ok()?..)?;
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let next = byte(bytes)?;
        value |= u64::from(next & 0x7f) << shift;
        if next < 0x80 {
            return Some(value);
        }
    }
    None
}

pub(super) fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    let value = varint(bytes)?;
    let half = i64::try_from(value >> 1).ok()?;
    Some(if value & 1 == 0 { half } else { -1 - half })
}
