//! The headers of one message whose place is known.

use bytes::Bytes;
use futures::FutureExt;
use gik_core::{Error, ObjectStoreRegistry, Result, SourceReader};
use url::Url;

use super::heads::{File, Head, WINDOW};
use super::{ScannedField, field};

/// What the headers of the message of `length` bytes at `offset` of the file `url` say of its
/// fields: one, for a message without submessages. Reads the first kilobyte, as a rule.
///
/// # Errors
/// When no such message begins there, its length is another, it is of edition 1, damaged, or
/// cannot be read.
pub async fn scan_message(
    reader: &SourceReader,
    url: &Url,
    offset: u64,
    length: u64,
) -> Result<Vec<ScannedField>> {
    let in_file = |error: Error| error.in_url(url.as_str());
    let size = offset.saturating_add(length);
    let file = File { reader, url, size };
    let bytes = file.read(offset, WINDOW).await.map_err(in_file)?;
    described(&file, offset, length, bytes).await.map_err(in_file)
}

/// What the headers of a message of which these are all the bytes say of its fields.
///
/// # Errors
/// As [`scan_message`].
pub fn scan_bytes(message: &Bytes) -> Result<Vec<ScannedField>> {
    // Nothing is asked of it: all bytes are there.
    let reader = SourceReader::new(ObjectStoreRegistry::default());
    let url = Url::parse("memory:///")
        .map_err(|error| Error::argument("memory:///", "is no url").with_source(error))?;
    let length = message.len() as u64;
    let file = File { reader: &reader, url: &url, size: length };
    let fields = described(&file, 0, length, message.clone()).now_or_never();
    fields.unwrap_or_else(|| Err(Error::truncated(length.saturating_add(1), length)))
}

async fn described(
    file: &File<'_>,
    offset: u64,
    length: u64,
    bytes: Bytes,
) -> Result<Vec<ScannedField>> {
    let found = bytes.slice(..bytes.len().min(4));
    let Some(head) = Head::read(offset, bytes) else {
        let expected = "a GRIB message, which begins with 'GRIB'";
        return Err(
            Error::malformed("message", expected, found.escape_ascii().to_string()).at(offset)
        );
    };
    if head.edition != 2 {
        return Err(Error::unsupported("GRIB edition", head.edition.to_string()).at(offset));
    }
    if head.length != length {
        let found = head.length.to_string();
        return Err(Error::mismatch("length of the message", length.to_string(), found).at(offset));
    }
    field::fields(file, &head, 1).await
}
