//! Arrays of numbers whose chunks lie in the references themselves.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{GzDecoder, ZlibDecoder};
use gik_core::{CoordinateValues, Error, ErrorKind, Result};
use serde_json::Value as Json;

use crate::Value;
use crate::zarr_v2::{ZarrArray, chunk_index};

/// Elements of a coordinate: the latitudes of the finest grids have two million.
const ELEMENTS: u64 = 1 << 24;

/// Elements in any case, and for each byte that is there: the others are missing, or packed.
const ELEMENTS_IN_ANY_CASE: u64 = 1 << 16;
const ELEMENTS_PER_BYTE: u64 = 64;

/// An element type of NumPy.
#[derive(Clone, Copy)]
struct Kind {
    letter: char,
    size: usize,
    big: bool,
}

/// The values of an array in C order. Chunks that are missing have the fill value.
///
/// # Errors
/// When the array is no array of numbers, too large, or a chunk is not of its size: the error, and
/// the chunk's part of the key.
pub(super) fn values<'v>(
    array: &ZarrArray,
    chunks: impl Iterator<Item = (&'v str, &'v Value)>,
) -> Result<CoordinateValues, (Option<&'v str>, Error)> {
    let whole_array = |error: Error| (None, error);
    let kind = kind(&array.dtype).map_err(whole_array)?;
    let count = array.shape.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
    let of_chunk = array.chunks.iter().fold(1_u64, |count, &length| count.saturating_mul(length));
    let grid = array.grid();
    let there: Vec<(&str, u64, &Bytes)> = chunks
        .filter_map(|(id, value)| match value {
            Value::Inline(bytes) => Some((id, chunk_index(&grid, id)?, bytes)),
            Value::Metadata(_) | Value::Range { .. } | Value::Whole { .. } => None,
        })
        .collect();
    let bytes: u64 = there.iter().map(|(.., bytes)| bytes.len() as u64).sum();
    let limit = bytes.saturating_mul(ELEMENTS_PER_BYTE).clamp(ELEMENTS_IN_ANY_CASE, ELEMENTS);
    let found = count.max(of_chunk);
    if found > limit {
        let what = "number of elements in the references themselves";
        return Err(whole_array(Error::new(ErrorKind::LimitExceeded { what, limit, found })));
    }
    let size = usize::try_from(of_chunk).unwrap_or(usize::MAX).saturating_mul(kind.size);
    let mut decoded = Vec::new();
    for (id, index, bytes) in there {
        let bytes = decode(array, bytes, size).map_err(|error| (Some(id), error))?;
        decoded.push((index, bytes));
    }
    let is_whole = matches!(kind.letter, 'i' | 'u' | 'b');
    let fill = &array.fill_value;
    if is_whole {
        let fill = fill.as_i64().or_else(|| fill.as_bool().map(i64::from)).unwrap_or_default();
        let mut values = vec![fill; usize::try_from(count).unwrap_or_default()];
        place(array, &decoded, kind, &mut values, whole).map_err(whole_array)?;
        return Ok(CoordinateValues::Int64(values));
    }
    let fill = match fill.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        _ => fill.as_f64().unwrap_or(f64::NAN),
    };
    let mut values = vec![fill; usize::try_from(count).unwrap_or_default()];
    place(array, &decoded, kind, &mut values, real).map_err(whole_array)?;
    Ok(CoordinateValues::Float64(values))
}

/// Puts the elements of chunks where they belong.
fn place<T>(
    array: &ZarrArray,
    chunks: &[(u64, Bytes)],
    kind: Kind,
    values: &mut [T],
    element: fn(Kind, &[u8]) -> Option<T>,
) -> Result<()> {
    let grid = array.grid();
    for (index, bytes) in chunks {
        let chunk = unravel(&grid, *index);
        for (number, bytes) in (0_u64..).zip(bytes.chunks_exact(kind.size)) {
            let within = unravel(&array.chunks, number);
            let mut flat = Some(0_u64);
            for axis in 0..grid.len() {
                let of = |list: &[u64]| list.get(axis).copied().unwrap_or_default();
                let at = of(&chunk) * of(&array.chunks) + of(&within);
                let length = of(&array.shape);
                flat = flat.filter(|_| at < length).map(|flat| flat * length + at);
            }
            let slot = flat.and_then(|it| values.get_mut(usize::try_from(it).ok()?));
            if let Some(slot) = slot {
                *slot = element(kind, bytes).ok_or_else(|| {
                    Error::malformed("element of an array", "a number of 64 bits", "a larger one")
                })?;
            }
        }
    }
    Ok(())
}

fn unravel(shape: &[u64], index: u64) -> Vec<u64> {
    let mut rest = index;
    let mut at: Vec<u64> = shape
        .iter()
        .rev()
        .map(|&length| {
            let length = length.max(1);
            let position = rest % length;
            rest /= length;
            position
        })
        .collect();
    at.reverse();
    at
}

fn kind(dtype: &str) -> Result<Kind> {
    let unsupported = || Error::unsupported("element type in the references", dtype);
    let mut letters = dtype.chars();
    let (order, letter) = (letters.next(), letters.next());
    let size = letters.as_str().parse::<usize>().map_err(|_| unsupported())?;
    let big = match order {
        Some('<') => false,
        Some('>') => true,
        Some('|') if size == 1 => false,
        _ => return Err(unsupported()),
    };
    match (letter, size) {
        (Some(letter @ ('i' | 'u')), 1 | 2 | 4 | 8)
        | (Some(letter @ 'f'), 4 | 8)
        | (Some(letter @ 'b'), 1) => Ok(Kind { letter, size, big }),
        _ => Err(unsupported()),
    }
}

/// The 8 bytes of an element, the lowest first, filled up with 0.
fn word(kind: Kind, bytes: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    let mut fill = |bytes: &mut dyn Iterator<Item = &u8>| {
        word.iter_mut().zip(bytes).for_each(|(slot, &byte)| *slot = byte);
    };
    if kind.big {
        fill(&mut bytes.iter().rev())
    } else {
        fill(&mut bytes.iter())
    }
    word
}

fn whole(kind: Kind, bytes: &[u8]) -> Option<i64> {
    let number = u64::from_le_bytes(word(kind, bytes));
    if kind.letter != 'i' {
        return i64::try_from(number).ok();
    }
    // The sign is that of the highest bit.
    let unused = 64 - 8 * u32::try_from(kind.size).ok()?;
    Some(number.cast_signed().checked_shl(unused)? >> unused)
}

fn real(kind: Kind, bytes: &[u8]) -> Option<f64> {
    let word = word(kind, bytes);
    if kind.size == 8 {
        return Some(f64::from_le_bytes(word));
    }
    let [a, b, c, d, ..] = word;
    Some(f32::from_le_bytes([a, b, c, d]).into())
}

/// The plain bytes of a chunk, which must be `size` of them.
fn decode(array: &ZarrArray, bytes: &Bytes, size: usize) -> Result<Bytes> {
    if !array.filters.is_empty() {
        let found = Json::from(array.filters.clone()).to_string();
        return Err(Error::unsupported("filter of an array", found));
    }
    let id = array.compressor.as_ref().map(|it| it.get("id").and_then(Json::as_str));
    let decoded = match id {
        None => bytes.clone(),
        Some(Some("zlib")) => inflate(ZlibDecoder::new(bytes.as_ref()), size)?,
        Some(Some("gzip")) => inflate(GzDecoder::new(bytes.as_ref()), size)?,
        Some(_) => {
            let found = array.compressor.clone().unwrap_or_default().to_string();
            return Err(Error::unsupported("compressor of an array", found));
        }
    };
    if decoded.len() != size {
        let found = decoded.len().to_string();
        return Err(Error::mismatch("bytes of a chunk", size.to_string(), found));
    }
    Ok(decoded)
}

/// What is packed, and not more than a byte beyond what should be.
fn inflate(packed: impl Read, size: usize) -> Result<Bytes> {
    let mut bytes = Vec::new();
    let limit = (size as u64).saturating_add(1);
    packed.take(limit).read_to_end(&mut bytes).map_err(|error| {
        Error::malformed("compressed chunk", "zlib or gzip", error.to_string()).with_source(error)
    })?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_all_types() {
        let check = |dtype: &str, bytes: &[u8], expected: f64| {
            let kind = kind(dtype).unwrap();
            let value = if kind.letter == 'f' {
                real(kind, bytes)
            } else {
                whole(kind, bytes).map(|it| f64::from(i32::try_from(it).unwrap()))
            };
            assert_eq!(value, Some(expected), "{dtype}");
        };
        check("<f8", &2.5_f64.to_le_bytes(), 2.5);
        check(">f8", &2.5_f64.to_be_bytes(), 2.5);
        check("<f4", &(-2.5_f32).to_le_bytes(), -2.5);
        check("<i8", &(-3_i64).to_le_bytes(), -3.0);
        check(">i4", &(-3_i32).to_be_bytes(), -3.0);
        check("<i2", &(-3_i16).to_le_bytes(), -3.0);
        check("|i1", &[0xFD], -3.0);
        check("|u1", &[0xFD], 253.0);
        check("<u2", &[0xFF, 0xFF], 65_535.0);
        check("|b1", &[1], 1.0);
        assert_eq!(whole(kind("<u8").unwrap(), &[0xFF; 8]), None);
        for wrong in ["", "<", "f8", "<f2", "<c8", "|O", "|S5", "<M8[ns]", "<i3", "|i8", "<é8"] {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
    }
}
