//! The demo bundle: a small run as one tar file.

use std::io::{self, Write};

use gik_core::{Error, Result};

use super::product::Product;
use super::run::{Detail, GefsRun};
use gik_core::ReferenceTime;

/// 2025-01-06 00 UTC.
const DEMO_TIME: ReferenceTime = ReferenceTime::from_seconds(1_736_121_600);

/// The variables of the demo bundle.
pub const DEMO_VARIABLES: [&str; 2] = ["tp", "t2m"];

/// The run of the demo bundle: 2025-01-06 00z, control and four members, 24 hours, on the
/// full 0.25° grid, packed coarsely.
#[must_use]
pub fn demo_run() -> GefsRun {
    GefsRun::new(DEMO_TIME).product(Product::S).members(0..=4).steps(0..=24).detail(Detail::Coarse)
}

/// The demo bundle, the same bytes each time.
///
/// # Errors
/// None that the generator does not have.
pub fn demo_bundle() -> Result<Vec<u8>> {
    let mut files = Vec::new();
    for file in demo_run().files(&DEMO_VARIABLES)? {
        let file = file?;
        files.push((format!("{}.idx", file.path), file.index.into_bytes()));
        files.push((file.path, file.data));
    }
    files.sort();
    let mut out = Vec::new();
    write_tar(&mut out, &files, DEMO_TIME)
        .map_err(|error| Error::argument("tar", error.to_string()))?;
    Ok(out)
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
