//! What the pages of a column say of their sizes, before the parquet library believes it.
//!
//! A page's header is a structure in Thrift's compact protocol (Parquet format, `parquet.thrift`,
//! `PageHeader`) that tells how long the page is once it is decompressed: that much is allocated,
//! whatever is there. And in one of the encodings each value may repeat all of the one before it,
//! so that a page of some kilobytes holds gigabytes.

use gik_core::{Error, ErrorKind, Result};

use super::thrift::{I64, STRUCT, fields, skip, zigzag};

/// The encoding in which values repeat what they share with the value before
/// (`parquet.thrift`, `Encoding`). Writers use it only when they are told to.
const DELTA_BYTE_ARRAY: i64 = 7;

/// Checks the pages of a column chunk: what they decompress to is taken off `budget`.
pub(super) fn check(mut chunk: &[u8], budget: &mut u64) -> Result<()> {
    while !chunk.is_empty() {
        let header = PageHeader::read(&mut chunk).ok_or_else(|| {
            Error::malformed("parquet file", "the header of a page", "other bytes")
        })?;
        let size = u64::try_from(header.decompressed).unwrap_or(u64::MAX);
        *budget = budget.checked_sub(size).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded {
                what: "size of a column's pages",
                limit: *budget,
                found: size,
            })
        })?;
        if header.encoding == Some(DELTA_BYTE_ARRAY) {
            return Err(Error::unsupported("parquet encoding", "DELTA_BYTE_ARRAY"));
        }
        let length = usize::try_from(header.compressed).unwrap_or(usize::MAX);
        chunk = chunk
            .get(length..)
            .ok_or_else(|| Error::truncated(length as u64, chunk.len() as u64))?;
    }
    Ok(())
}

/// The fields of a page's header that matter here.
#[derive(Debug, Default)]
struct PageHeader {
    /// Field 2.
    decompressed: i64,
    /// Field 3.
    compressed: i64,
    /// Field 2 of field 5, or field 4 of field 8: headers of data pages, version 1 and 2.
    encoding: Option<i64>,
}

impl PageHeader {
    /// How deep the structures in it may be nested: these are two deep.
    const DEPTH: u8 = 8;

    /// Reads a header and moves `bytes` behind it.
    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut header = Self::default();
        fields(bytes, |bytes, field, kind| match (field, kind) {
            (2, 4..=I64) => zigzag(bytes).map(|size| header.decompressed = size),
            (3, 4..=I64) => zigzag(bytes).map(|size| header.compressed = size),
            (5 | 8, STRUCT) => {
                let wanted = if field == 5 { 2 } else { 4 };
                fields(bytes, |bytes, field, kind| match (field == wanted, kind) {
                    (true, 4..=I64) => zigzag(bytes).map(|code| header.encoding = Some(code)),
                    _ => skip(bytes, kind, Self::DEPTH),
                })
            }
            _ => skip(bytes, kind, Self::DEPTH),
        })?;
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of version 1 with `length` bytes, and an encoding.
    fn page(length: u8, decompressed: &[u8], encoding: u8) -> Vec<u8> {
        let mut page = vec![0x15, 0, 0x15];
        page.extend(decompressed);
        page.extend([0x15, length * 2, 0x2c, 0x15, 2, 0x15, encoding * 2, 0, 0]);
        page.extend(vec![7; usize::from(length)]);
        page
    }

    #[test]
    fn sizes_of_all_pages_add_up() {
        let chunk = [page(3, &[20], 0), page(5, &[40], 0)].concat();
        let mut budget = 30;
        check(&chunk, &mut budget).unwrap();
        assert_eq!(budget, 0);
        assert!(check(&chunk, &mut 29).is_err());
    }

    #[test]
    fn what_a_page_may_not_say_is_refused() {
        let huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
        assert!(check(&page(3, &huge, 0), &mut 1_000_000).is_err());
        assert!(check(&page(3, &[1], 0), &mut 1_000_000).is_err());
        assert!(check(&page(3, &[20], 7), &mut 1_000_000).is_err());
        assert!(check(&page(3, &[20], 0)[..12], &mut 1_000_000).is_err());
        assert!(check(&[0xff; 40], &mut 1_000_000).is_err());
    }
}
