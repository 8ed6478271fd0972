//! Indexes in wgrib2's form, and data files of nothing but the right size.

use std::fmt::Write as _;
use std::path::Path;

use gik_core::{ReferenceTime, Result};

use super::hash;
use super::run::GefsRun;
use super::table::Line;
use super::window;
use crate::generated::{Counts, write, write_sparse};

/// What [`GefsRun::write_indexes`] does about the data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFiles {
    /// Files of the right size without content: a listing shows their true sizes, and the
    /// disk holds nothing.
    Sparse,
    /// No data files.
    Absent,
}

/// Appends the line of one message.
pub(super) fn write_line(
    out: &mut String,
    (number, offset): (usize, u64),
    reference: ReferenceTime,
    line: &Line,
    (member, step): (u8, u32),
) {
    let time = window::spelling(line.statistic, window::start(step), step);
    let (date, hour) = (reference.civil().format("%Y%m%d"), reference.hour());
    let (var, level) = (line.var, line.level);
    // Writing to a string cannot fail.
    let _ = match member {
        0 => writeln!(
            out,
            "{number}:{offset}:d={date}{hour:02}:{var}:{level}:{time}:ENS=low-res ctl"
        ),
        _ => {
            writeln!(out, "{number}:{offset}:d={date}{hour:02}:{var}:{level}:{time}:ENS=+{member}")
        }
    };
}

impl GefsRun {
    /// The full index of a file and the size of the data file that it describes.
    ///
    /// Every message has the length of a real one, up to 15 % more or less.
    #[must_use]
    pub fn index(&self, member: u8, step: u32) -> (String, u64) {
        let lines = self.product.lines();
        let mut text = String::with_capacity(lines.len() * 80);
        let mut offset = 0;
        let here = lines.iter().filter(|line| line.occurs_at(step));
        for (number, line) in (1..).zip(here) {
            write_line(&mut text, (number, offset), self.reference, line, (member, step));
            let seed = [u64::from(member), u64::from(step), number as u64];
            // 0.85 to 1.15 in steps of a thousandth; the smallest real message has 206 bytes.
            let thousandths = 850 + hash::bits(&seed) % 301;
            offset += (line.bytes * thousandths / 1000).max(206);
        }
        (text, offset)
    }

    /// Writes the full index of every file below `bucket`, and data files as asked.
    ///
    /// # Errors
    /// A folder or file cannot be written.
    pub fn write_indexes(&self, bucket: &Path, data: DataFiles) -> Result<Counts> {
        let mut counts = Counts::default();
        for (member, step) in self.targets() {
            let path = bucket.join(self.path(member, step));
            let (text, size) = self.index(member, step);
            counts.files += 1;
            counts.messages += text.lines().count() as u64;
            counts.bytes += size;
            write(&path.with_added_extension("idx"), text.as_bytes())?;
            if data == DataFiles::Sparse {
                write_sparse(&path, size)?;
            }
        }
        Ok(counts)
    }
}
