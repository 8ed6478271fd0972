//! NOAA `.idx`: one line a message, as `wgrib2 -s` writes it.
//!
//! # Grammar
//! ```text
//! line  := message ["." submessage] ":" offset ":" time ":" variable ":" level ":" window
//!          (":" qualifier)* [":"]
//! time  := "d=" YYYYMMDDHH [MM] | "D=" YYYYMMDDHHMMSS
//! ```
//! Fields hold no colons. Lines may end with CRLF, may be blank, may lack the closing colon,
//! and need not be sorted by offset. Messages of one offset are submessages that share a
//! range. No field pair identifies a message: keys repeat, and all entries are kept.
//!
//! # What is wrong with an index
//! [`parse`] never refuses a whole file. A line that cannot be used leaves a
//! [`LineDiagnostic`]; a level or window that is not understood leaves one too, but its
//! entry stays, with the text and without the typed value. [`Index::check`] compares the
//! whole with what its file should be about.
//!
//! # Units
//! Offsets and lengths are bytes from the start of the GRIB file.
//!
//! # Examples
//! ```
//! use gik_core::{Level, Statistic};
//! use gik_index::noaa;
//!
//! let text = b"1:0:d=2026082800:VIS:surface:3 hour fcst:ENS=+1\n\
//!              2:41034:d=2026082800:APCP:surface:0-3 hour acc fcst:ENS=+1\n";
//! let index = noaa::parse(text);
//! assert!(index.diagnostics.is_empty());
//!
//! let rain = &index.entries[1];
//! assert_eq!(rain.variable.text, "APCP");
//! assert_eq!(rain.level.value, Some("surface".parse::<Level>()?));
//! assert_eq!(rain.window.value.unwrap().statistic(), Some(Statistic::Accumulation));
//!
//! let ranges = index.ranges(Some(50_000));
//! assert_eq!((ranges[1].offset, ranges[1].length.unwrap().get()), (41_034, 8_966));
//! # Ok::<(), gik_core::Error>(())
//! ```

use memchr::memchr;

mod bounds;
mod check;
mod diagnostic;
mod entry;
mod line;
mod member;
mod qualifier;
mod ranges;

pub use bounds::{Bounds, Limit};
pub use check::{Expectations, IndexProblem, Lines};
pub use diagnostic::{Field, LineDiagnostic, LineProblem};
pub use entry::{Entry, ParameterCode, ParameterTable, Typed, Variable};
pub use member::{Derived, Member, MemberSpec};
pub use qualifier::{Event, Qualifier, Qualifiers};
pub use ranges::MessageRange;

/// A parsed index file, borrowing its text.
#[derive(Debug, Clone, Default)]
pub struct Index<'a> {
    /// The messages, in the order of the lines.
    pub entries: Vec<Entry<'a>>,
    /// What is wrong with single lines, in their order; the first [`DIAGNOSTICS_KEPT`].
    pub diagnostics: Vec<LineDiagnostic<'a>>,
    /// How many diagnostics beyond those were left off.
    pub diagnostics_left_off: usize,
    /// Offsets of lines that gave no entry: they end the message before them all the same.
    boundaries: Vec<u64>,
    /// The number of the last line, if it is cut.
    cut: Option<usize>,
    /// Whether the last line ends without a newline.
    unterminated: bool,
}

/// How many [`Index::diagnostics`] are kept: more would tell no more, and a file that is no
/// index at all must not cost memory.
pub const DIAGNOSTICS_KEPT: usize = 100;

impl Index<'_> {
    /// Whether the last line is cut: it has no newline and is not complete. Such a line
    /// gives no entry; what followed it is missing, too.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.cut.is_some()
    }
}

/// Parses a whole index file.
///
/// Work is linear in the number of bytes, and nothing is allocated for a line but its place
/// in [`Index::entries`]: the entries borrow `bytes`.
#[must_use]
pub fn parse(bytes: &[u8]) -> Index<'_> {
    // Real lines are longer; this is only a first guess that saves most growing.
    let mut index = Index { entries: Vec::with_capacity(bytes.len() / 56), ..Index::default() };
    let whole = str::from_utf8(bytes).ok();
    let mut memo = line::Memo::default();
    let (mut start, mut number) = (0_usize, 0_usize);
    while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
        number += 1;
        let newline = memchr(b'\n', rest);
        let length = newline.unwrap_or(rest.len());
        let raw = rest.get(..length).unwrap_or_default();
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        if !raw.trim_ascii().is_empty() {
            // Cutting checked text at an ASCII byte needs no second check of its bytes.
            let text = match whole {
                Some(whole) => whole.get(start..start + raw.len()),
                None => str::from_utf8(raw).ok(),
            };
            index.add_line(number, start, text.ok_or(raw), newline.is_some(), &mut memo);
        }
        // Both lie within `bytes`.
        start += length + 1;
    }
    index
}

impl<'a> Index<'a> {
    fn add_line(
        &mut self,
        number: usize,
        byte: usize,
        text: Result<&'a str, &'a [u8]>,
        terminated: bool,
        memo: &mut line::Memo<'a>,
    ) {
        let raw = text.map_or_else(|raw| raw, str::as_bytes);
        let entry = match text {
            Ok(text) => line::parse(text, number, memo),
            Err(_) => Err(LineProblem::NotText),
        };
        self.unterminated = !terminated;
        if !terminated && !entry.as_ref().is_ok_and(Entry::is_complete) {
            self.cut = Some(number);
            self.boundaries.extend(line::offset(raw));
            self.diagnose(number, byte, LineProblem::Truncated);
            return;
        }
        match entry {
            Ok(entry) => {
                if entry.level.value.is_none() {
                    self.diagnose(number, byte, LineProblem::UnknownLevel(entry.level.text));
                }
                if entry.window.value.is_none() {
                    self.diagnose(number, byte, LineProblem::UnusableWindow(entry.window.text));
                }
                self.entries.push(entry);
            }
            Err(problem) => {
                self.boundaries.extend(line::offset(raw));
                self.diagnose(number, byte, problem);
            }
        }
    }

    #[cold]
    fn diagnose(&mut self, line: usize, byte: usize, problem: LineProblem<'a>) {
        if self.diagnostics.len() < DIAGNOSTICS_KEPT {
            self.diagnostics.push(LineDiagnostic { line, byte, problem });
        } else {
            self.diagnostics_left_off += 1;
        }
    }
}
