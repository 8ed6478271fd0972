//! ECMWF `.index`: one JSON object a line, in the keys of MARS, ECMWF's archive.
//!
//! # Grammar
//! ```text
//! {"domain":"g","date":"20250930","time":"0000","expver":"0001","class":"od","type":"pf",
//!  "stream":"enfo","step":"135","levtype":"sfc","number":"29","param":"2t",
//!  "_offset":1091287200,"_length":659210}
//! ```
//! Keys come in any order. Values are strings or integers, whichever: `"time":"0000"` and
//! `"time":0` are the same. `levelist` is there on pressure levels (`pl`) and in the soil
//! (`sol`) only, `number` for perturbed members only; a `step` may be a range (`"0-24"`);
//! early files lack `type`, archives in the form of MARS lack date, time and stream. Keys
//! that are not known are passed over. Messages lie in the file in no order, but
//! `_offset` and `_length` are exact.
//!
//! # What is wrong with an index
//! [`parse`] never refuses a whole file: a line that cannot be used leaves a
//! [`LineDiagnostic`] and no entry.
//!
//! # Units
//! Offsets and lengths are bytes from the start of the GRIB file, steps are hours.
//!
//! # Examples
//! ```
//! use gik_index::ecmwf::{self, FieldType, LevelType};
//!
//! let text = br#"{"date":"20250930","time":"0000","type":"pf","stream":"enfo","step":"135","levtype":"sfc","number":"29","param":"2t","_offset":1091287200,"_length":659210}
//! {"type": "cf", "param": "z", "step": 0, "levtype": "pl", "_offset": 0, "_length": 2076642, "levelist": 500}
//! "#;
//! let index = ecmwf::parse(text);
//! assert!(index.diagnostics.is_empty());
//!
//! let member = &index.entries[0];
//! assert_eq!((&*member.param, member.number), ("2t", Some(29)));
//! assert_eq!(member.reference_time, Some("2025-09-30T00".parse()?));
//! let control = &index.entries[1];
//! assert_eq!((control.field_type, control.number), (Some(FieldType::Control), None));
//! assert_eq!((control.level_type, control.level), (Some(LevelType::Pressure), Some(500)));
//! # Ok::<(), gik_core::Error>(())
//! ```

use memchr::memchr;

mod diagnostic;
mod entry;
mod flat;
mod line;
mod scalar;

pub use diagnostic::{LineDiagnostic, LineProblem};
pub use entry::{Entry, FieldType, LevelType, Steps};

/// How many [`Index::diagnostics`] are kept: more would tell no more, and a file that is no
/// index at all must not cost memory.
pub const DIAGNOSTICS_KEPT: usize = 100;

/// A parsed index file, borrowing its text.
#[derive(Debug, Clone, Default)]
pub struct Index<'a> {
    /// The messages, in the order of the lines.
    pub entries: Vec<Entry<'a>>,
    /// What is wrong with single lines, in their order; the first [`DIAGNOSTICS_KEPT`].
    pub diagnostics: Vec<LineDiagnostic>,
    /// How many diagnostics beyond those were left off.
    pub diagnostics_left_off: usize,
    truncated: bool,
}

impl Index<'_> {
    /// Whether the last line is cut: it has no newline and is no whole object. Such a line
    /// gives no entry; what followed it is missing, too.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The end of the message that lies last in the file, in bytes: the size of the data file
    /// when the index is whole. 0 without entries.
    #[must_use]
    pub fn end(&self) -> u64 {
        let ends = self.entries.iter().map(|entry| entry.offset.saturating_add(entry.length));
        ends.max().unwrap_or_default()
    }
}

/// Parses a whole index file.
///
/// Work is linear in the number of bytes. Nothing is allocated for a line but its place in
/// [`Index::entries`], which borrow `bytes`: only a name that JSON escapes is copied.
#[must_use]
pub fn parse(bytes: &[u8]) -> Index<'_> {
    // Real lines have 200 bytes and more; this is only a first guess that saves most growing.
    let mut index = Index { entries: Vec::with_capacity(bytes.len() / 200), ..Index::default() };
    let whole = str::from_utf8(bytes).ok();
    let mut memo = line::Memo::default();
    // Some tools begin UTF-8 text with a byte order mark.
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let (mut start, mut number) = (mark, 0_u32);
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        number = number.saturating_add(1);
        let newline = memchr(b'\n', rest);
        let length = newline.unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default();
        if !raw.trim_ascii().is_empty() {
            // Cutting checked text at an ASCII byte needs no second check of its bytes.
            let text = match whole {
                Some(whole) => whole.get(start..start + length),
                None => str::from_utf8(raw).ok(),
            };
            let entry = match text {
                Some(text) => line::parse(text, number, &mut memo),
                None => Err(LineProblem::NotText),
            };
            match entry {
                Ok(entry) => index.entries.push(entry),
                Err(LineProblem::NotJson(_) | LineProblem::NotText) if newline.is_none() => {
                    index.truncated = true;
                    index.diagnose(number, start, LineProblem::Truncated);
                }
                Err(problem) => index.diagnose(number, start, problem),
            }
        }
        // Both lie within `bytes`.
        start += length + 1;
    }
    index
}

impl Index<'_> {
    #[cold]
    fn diagnose(&mut self, line: u32, byte: usize, problem: LineProblem) {
        if self.diagnostics.len() < DIAGNOSTICS_KEPT {
            self.diagnostics.push(LineDiagnostic { line, byte, problem });
        } else {
            self.diagnostics_left_off += 1;
        }
    }
}
