//! Generated files on disk: written with their indexes, or packed into a demo bundle.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use gik_core::{Error, ErrorKind, ReferenceTime, Result};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Data files, each with an index (also where the data files were left out).
    pub files: u64,
    /// Messages in them, which is lines in the indexes.
    pub messages: u64,
    /// Length of the data files together, in bytes.
    pub bytes: u64,
}

/// A generated data file and its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// Path of the data file below the bucket.
    pub path: String,
    /// Path of the index below the bucket.
    pub index_path: String,
    /// Member, 0 the control; none where a file holds several, and in models without members.
    pub member: Option<u8>,
    /// Step in hours.
    pub step: u32,
    /// GRIB messages, one after the other.
    pub data: Vec<u8>,
    /// The index, one line a message.
    pub index: String,
}

impl RunFile {
    /// Writes both files below `bucket` and counts them.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub(crate) fn write(&self, bucket: &Path, counts: &mut Counts) -> Result<()> {
        write(&bucket.join(&self.path), &self.data)?;
        write(&bucket.join(&self.index_path), self.index.as_bytes())?;
        counts.files += 1;
        counts.messages += self.index.lines().count() as u64;
        counts.bytes += self.data.len() as u64;
        Ok(())
    }
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<()> {
    make_folder(path)?;
    fs::write(path, content).map_err(|error| io_error(path, error))
}

/// Writes a file of this size without content, and the folders above it.
pub(crate) fn write_sparse(path: &Path, size: u64) -> Result<()> {
    make_folder(path)?;
    File::create(path).and_then(|file| file.set_len(size)).map_err(|error| io_error(path, error))
}

fn make_folder(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(|error| io_error(folder, error)),
        None => Ok(()),
    }
}

/// An error of writing, with the path.
pub(crate) fn io_error(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io { retryable: false })
        .in_url(path.display().to_string())
        .with_source(error)
}

/// Files and their indexes as one tar archive, ordered by path: the same bytes each time.
pub(crate) fn bundle(
    run: impl IntoIterator<Item = Result<RunFile>>,
    time: ReferenceTime,
) -> Result<Vec<u8>> {
    let mut files = Vec::new();
    for file in run {
        let file = file?;
        files.push((file.index_path, file.index.into_bytes()));
        files.push((file.path, file.data));
    }
    files.sort();
    let mut out = Vec::new();
    write_tar(&mut out, &files, time).map_err(|error| Error::argument("tar", error.to_string()))?;
    Ok(out)
}

/// A range on the command line of a generator: `3` or `0-50`.
///
/// # Errors
/// When it is neither; the text names the option, `name`.
pub fn parse_range<T: FromStr + Copy>(name: &str, text: &str) -> Result<RangeInclusive<T>> {
    let wrong = || Error::argument(format!("{name} {text}"), "must be a number or A-B");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Ok(first.parse().map_err(|_| wrong())?..=last.parse().map_err(|_| wrong())?)
}

/// Writes files, as (path, content), as an uncompressed tar archive (POSIX ustar), all
/// with the modification time `time`, mode 644 and no owner.
///
/// # Errors
/// The writer fails, or a path is longer than the 100 octets of a header.
pub fn write_tar(
    out: &mut impl Write,
    files: &[(String, Vec<u8>)],
    time: ReferenceTime,
) -> io::Result<()> {
    for (path, content) in files {
        out.write_all(&header(path, content.len(), time)?)?;
        out.write_all(content)?;
        let padding = content.len().next_multiple_of(512) - content.len();
        out.write_all(&vec![0; padding])?;
    }
    out.write_all(&[0; 1024])
}

/// A header block: fields of fixed width, numbers in octal.
fn header(path: &str, length: usize, time: ReferenceTime) -> io::Result<Vec<u8>> {
    if path.len() > 100 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("path too long: {path}")));
    }
    let mut head = Vec::with_capacity(512);
    let mut field = |text: &str, width: usize| {
        head.extend(text.bytes());
        head.resize(head.len() + width - text.len(), 0);
    };
    field(path, 100);
    field("0000644", 8);
    field("0000000", 8);
    field("0000000", 8);
    field(&format!("{length:011o}"), 12);
    field(&format!("{:011o}", time.seconds()), 12);
    field("        ", 8); // the checksum counts as blanks
    field("0", 1); // an ordinary file
    field("", 100);
    field("ustar", 6);
    field("00", 2);
    field("", 512 - 265);
    let sum: u64 = head.iter().map(|&byte| u64::from(byte)).sum();
    let checksum = format!("{sum:06o}\0 ");
    for (byte, digit) in head.iter_mut().skip(148).zip(checksum.bytes()) {
        *byte = digit;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_headers_have_the_checksum_of_the_standard() {
        let time = "2025-01-06T00".parse().unwrap();
        let mut out = Vec::new();
        write_tar(&mut out, &[("a/b".to_owned(), b"hello".to_vec())], time).unwrap();
        assert_eq!(out.len(), 512 + 512 + 1024);
        assert_eq!(&out[..4], b"a/b\0");
        assert_eq!(&out[124..136], b"00000000005\0");
        assert_eq!(&out[257..265], b"ustar\x0000");
        let blank: u32 =
            (0..512).map(|i| if (148..156).contains(&i) { 32 } else { u32::from(out[i]) }).sum();
        assert_eq!(&out[148..156], format!("{blank:06o}\0 ").as_bytes());
        assert_eq!(&out[512..517], b"hello");
        let long = vec![("x".repeat(101), Vec::new())];
        assert!(write_tar(&mut Vec::new(), &long, time).is_err());
    }
}
