//! Archives of parquet files: zip, and tar compressed with gzip.
//!
//! What an archive says of its entries is not believed: an entry is read until it is longer than
//! it may be, and its name is checked though nothing is written to it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path};

use bytes::Bytes;
use flate2::read::GzDecoder;
use gik_core::{Error, ErrorKind, Result};

use crate::inputs::GZIP;

/// The longest entry that is read.
pub(crate) const ENTRY_LIMIT: u64 = 256 << 20;
/// What all entries of an archive may come to.
const ARCHIVE_LIMIT: u64 = 16 << 30;
/// How many times its own length an archive may expand to: parquet is compressed already.
pub(crate) const EXPANSION_LIMIT: u64 = 200;
/// What may be expanded in any case.
pub(crate) const SMALL: u64 = 16 << 20;
/// Entries of an archive.
const ENTRIES_LIMIT: u64 = 1_000_000;

/// What an archive has given so far, and may give.
struct Budget {
    left: u64,
    limit: u64,
    entries: u64,
}

impl Budget {
    fn of(archive: &Path) -> Result<Self> {
        let length = std::fs::metadata(archive).map_err(|error| in_file(archive, error))?.len();
        let limit = length.saturating_mul(EXPANSION_LIMIT).clamp(SMALL, ARCHIVE_LIMIT);
        Ok(Self { left: limit, limit, entries: 0 })
    }

    /// Reads an entry, or passes over it where nobody wants it: what it expands to counts all
    /// the same.
    fn take(&mut self, name: &str, size: u64, entry: &mut dyn Read) -> Result<Bytes> {
        check_name(name)?;
        self.entries += 1;
        limited("number of entries of an archive", ENTRIES_LIMIT, self.entries)?;
        let limit = self.left.min(ENTRY_LIMIT);
        let mut bytes = Vec::new();
        let read = entry.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| {
            Error::malformed("archive", "a readable entry", error.to_string()).with_source(error)
        })?;
        let length = bytes.len() as u64;
        if length > limit {
            let (what, limit, found) = match limit < ENTRY_LIMIT {
                true => {
                    let found = self.limit - self.left + length;
                    ("size of an archive's entries", self.limit, found)
                }
                false => ("size of an entry", limit, length),
            };
            return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found }));
        }
        if length < size {
            return Err(Error::truncated(size, length));
        }
        self.left -= length;
        Ok(bytes.into())
    }
}

/// Calls `take` with the name and the bytes of each file in an archive whose name `wants`.
///
/// # Errors
/// When it is no archive, an entry has a name that climbs out of its folder, or expands to more
/// than it may: the text names the entry. What `take` says.
pub(crate) fn each_entry(
    archive: &Path,
    wants: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&str, Bytes) -> Result<()>,
) -> Result<()> {
    let mut file = File::open(archive).map_err(|error| in_file(archive, error))?;
    let mut magic = [0; 4];
    let is_read = file.read_exact(&mut magic).is_ok();
    let is_zip = is_read && magic.starts_with(b"PK");
    let is_packed = is_read && magic.starts_with(&GZIP);
    if !(is_zip || is_packed) {
        let found = format!("a file that begins with '{}'", magic.escape_ascii());
        return Err(Error::mismatch("archive", "zip, or tar packed with gzip", found)
            .in_url(archive.display().to_string()));
    }
    let mut budget = Budget::of(archive)?;
    let file = File::open(archive).map_err(|error| in_file(archive, error))?;
    let at = |name: &str, error: Error| error.in_url(format!("{}!{name}", archive.display()));
    let unreadable = |error: &dyn std::fmt::Display| {
        let found = error.to_string().replace(|it: char| it.is_control(), "\u{fffd}");
        Error::malformed("archive", "zip, or tar packed with gzip", found)
            .in_url(archive.display().to_string())
    };
    if is_zip {
        let mut zip =
            zip::ZipArchive::new(BufReader::new(file)).map_err(|error| unreadable(&error))?;
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(|error| unreadable(&error))?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            if entry.is_dir() {
                check_name(&name).map_err(|error| at(&name, error))?;
                continue;
            }
            let bytes =
                budget.take(&name, entry.size(), &mut entry).map_err(|error| at(&name, error))?;
            if wants(&name) {
                take(&name, bytes).map_err(|error| at(&name, error))?;
            }
        }
        return Ok(());
    }
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    for entry in tar.entries().map_err(|error| unreadable(&error))? {
        let mut entry = entry.map_err(|error| unreadable(&error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() {
            check_name(&name).map_err(|error| at(&name, error))?;
            continue;
        }
        let bytes =
            budget.take(&name, entry.size(), &mut entry).map_err(|error| at(&name, error))?;
        if wants(&name) {
            take(&name, bytes).map_err(|error| at(&name, error))?;
        }
    }
    Ok(())
}

/// Checks that a name stays in its folder.
fn check_name(name: &str) -> Result<()> {
    let is_inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    // Names from Windows have its separators and drives.
    let slashed = name.replace('\\', "/");
    if name.is_empty() || name.contains(':') || !Path::new(&slashed).components().all(is_inside) {
        return Err(Error::malformed(
            "archive",
            "names within its folder",
            format!("'{}'", name.escape_debug()),
        ));
    }
    Ok(())
}

fn limited(what: &'static str, limit: u64, found: u64) -> Result<()> {
    if found > limit {
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found }));
    }
    Ok(())
}

pub(crate) fn in_file(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Io { retryable: false },
    };
    Error::new(kind).with_source(error).in_url(path.display().to_string())
}
