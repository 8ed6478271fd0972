//! Whether an index is about the file it lies beside.

use std::fmt;

use gik_core::{Diagnostic, Error, Problem, ReferenceTime, Result};

use super::diagnostic::Excerpt;
use super::member::MemberSpec;
use super::{Entry, Index};

/// What a file should be about, from its url and its size. What is none is not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expectations {
    /// The reference time of every message.
    pub reference_time: Option<ReferenceTime>,
    /// The member that every message is of.
    pub member: Option<MemberSpec>,
    /// The lead of every message, in seconds: where its window ends. `anl` is lead 0.
    pub lead_seconds: Option<i64>,
    /// The first of several leads in one file, as in HRRR's sub-hourly files; only
    /// [`lead_seconds`](Self::lead_seconds) if none.
    pub first_lead_seconds: Option<i64>,
    /// The size of the GRIB file in bytes.
    pub object_size: Option<u64>,
}

/// Something wrong with an index as a whole.
///
/// # What it costs
/// [`is_about_another_file`](Self::is_about_another_file) tells the problems after which no
/// line of the index can be trusted (wrong run, member or lead, an offset past the end:
/// files were swapped, or the GRIB file was replaced after the index was written) from those
/// that cost what they say: a truncated index lacks its last messages, a first offset other
/// than 0 its first ones, and an index out of order costs nothing, since
/// [`Index::ranges`] sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexProblem<'a> {
    /// There is no entry.
    Empty,
    /// The last line is cut.
    Truncated {
        /// Its number.
        line: usize,
    },
    /// Messages of another run.
    WrongRun {
        /// The run that was asked for.
        expected: ReferenceTime,
        /// The run of the first such message.
        found: ReferenceTime,
        /// Which lines.
        lines: Lines,
    },
    /// Messages of another member.
    WrongMember {
        /// The member that was asked for.
        expected: MemberSpec,
        /// The qualifiers of the first such message.
        found: &'a str,
        /// Which lines.
        lines: Lines,
    },
    /// Messages of another lead.
    WrongLead {
        /// The first and last lead that was asked for, in seconds.
        expected: (i64, i64),
        /// The lead of the first such message, in seconds.
        found: i64,
        /// Which lines.
        lines: Lines,
    },
    /// Messages that begin at or after the end of the file.
    PastEnd {
        /// Where the first such message begins.
        offset: u64,
        /// The size of the file.
        size: u64,
        /// Which lines.
        lines: Lines,
    },
    /// No message begins at byte 0.
    StartsLate {
        /// Where the first one begins.
        offset: u64,
    },
    /// A line whose offset is less than that of the line before it.
    OutOfOrder {
        /// The first such line.
        line: usize,
    },
}

/// The lines that a problem concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// The first one's number.
    pub first: usize,
    /// How many they are.
    pub count: usize,
    /// How many lines gave an entry.
    pub of: usize,
}

impl IndexProblem<'_> {
    /// Whether the index describes another file than the one it lies beside, so that none
    /// of its ranges can be trusted.
    #[must_use]
    pub const fn is_about_another_file(&self) -> bool {
        matches!(
            self,
            Self::WrongRun { .. }
                | Self::WrongMember { .. }
                | Self::WrongLead { .. }
                | Self::PastEnd { .. }
        )
    }

    /// What it is in a build's report.
    #[must_use]
    pub const fn kind(&self) -> Problem {
        match self {
            Self::WrongRun { .. } | Self::WrongMember { .. } | Self::WrongLead { .. } => {
                Problem::WrongIndex
            }
            Self::PastEnd { .. } => Problem::PastEnd,
            Self::Empty | Self::Truncated { .. } => Problem::Truncated,
            Self::StartsLate { .. } => Problem::MissingMessage,
            Self::OutOfOrder { .. } => Problem::BadLine,
        }
    }
}

impl<'a> Index<'a> {
    /// What is wrong with the index at `url`, and with its lines.
    ///
    /// # Errors
    /// When it is about another file than the one it lies beside.
    pub fn problems(&self, expected: &Expectations, url: &str) -> Result<Vec<Diagnostic>> {
        let mut found = Vec::new();
        let mut report = |problem, text: String| {
            found.push(Diagnostic { problem, url: url.to_owned(), text });
        };
        for problem in self.check(expected) {
            if problem.is_about_another_file() {
                let error = match problem {
                    IndexProblem::PastEnd { offset, size, .. } => Error::truncated(offset, size),
                    _ => Error::mismatch("index", "one about its file", "another"),
                };
                let cause = std::io::Error::other(problem.to_string());
                return Err(error.with_source(cause).in_url(url));
            }
            report(problem.kind(), problem.to_string());
        }
        for diagnostic in &self.diagnostics {
            // A cut last line is in the check already.
            if diagnostic.problem.kind() == Problem::BadLine {
                report(Problem::BadLine, diagnostic.to_string());
            }
        }
        Ok(found)
    }

    /// Compares the index with what its file should be about. Each kind of problem is
    /// reported once, with the first line that has it and the number of lines that do.
    /// Single lines that cannot be used are in [`Index::diagnostics`].
    #[must_use]
    pub fn check(&self, expected: &Expectations) -> Vec<IndexProblem<'a>> {
        let mut problems = Vec::new();
        if let Some(line) = self.cut {
            problems.push(IndexProblem::Truncated { line });
        } else if self.entries.is_empty() {
            problems.push(IndexProblem::Empty);
        }
        // An index cut right after a field has a last line that looks complete but says
        // less than the others: that is no reason to distrust them.
        let last = self.entries.last().filter(|last| {
            self.unterminated && expected.member.is_some_and(|member| last.member() != Some(member))
        });
        problems.extend(last.map(|last| IndexProblem::Truncated { line: last.line }));
        let entries = match self.entries.split_last() {
            Some((_, others)) if last.is_some() => others,
            _ => &self.entries,
        };

        problems.extend(wrong_run(entries, expected));
        problems.extend(wrong_member(entries, expected));
        problems.extend(wrong_lead(entries, expected));
        problems.extend(past_end(entries, expected));
        let starts = self.entries.iter().map(|entry| entry.offset);
        problems.extend(
            starts
                .chain(self.boundaries.iter().copied())
                .min()
                .filter(|&offset| offset > 0)
                .map(|offset| IndexProblem::StartsLate { offset }),
        );
        let mut pairs = self.entries.iter().zip(self.entries.iter().skip(1));
        problems.extend(
            pairs
                .find(|(before, after)| after.offset < before.offset)
                .map(|(_, after)| IndexProblem::OutOfOrder { line: after.line }),
        );
        problems
    }
}

/// The first entry that is wrong, and which ones are.
fn wrong<'e, 'a>(
    entries: &'e [Entry<'a>],
    mut is_wrong: impl FnMut(&Entry<'a>) -> bool,
) -> Option<(&'e Entry<'a>, Lines)> {
    let mut wrong = entries.iter().filter(|entry| is_wrong(entry));
    let first = wrong.next()?;
    let count = 1 + wrong.count();
    Some((first, Lines { first: first.line, count, of: entries.len() }))
}

fn wrong_run<'a>(entries: &[Entry<'a>], expected: &Expectations) -> Option<IndexProblem<'a>> {
    let run = expected.reference_time?;
    let (entry, lines) = wrong(entries, |entry| entry.reference_time != run)?;
    Some(IndexProblem::WrongRun { expected: run, found: entry.reference_time, lines })
}

fn wrong_member<'a>(entries: &[Entry<'a>], expected: &Expectations) -> Option<IndexProblem<'a>> {
    let member = expected.member?;
    // Nearly all lines have the qualifiers of the line before them.
    let mut seen: Option<(&str, bool)> = None;
    let (entry, lines) = wrong(entries, |entry| match seen {
        Some((text, is_wrong)) if text == entry.qualifiers => is_wrong,
        _ => {
            let is_wrong = entry.member() != Some(member);
            seen = Some((entry.qualifiers, is_wrong));
            is_wrong
        }
    })?;
    Some(IndexProblem::WrongMember { expected: member, found: entry.qualifiers, lines })
}

fn wrong_lead<'a>(entries: &[Entry<'a>], expected: &Expectations) -> Option<IndexProblem<'a>> {
    let last = expected.lead_seconds?;
    let first = expected.first_lead_seconds.unwrap_or(last);
    let lead = |entry: &Entry<'a>| entry.window.value.map(|window| window.end_seconds());
    let (entry, lines) =
        wrong(entries, |entry| lead(entry).is_some_and(|lead| !(first..=last).contains(&lead)))?;
    Some(IndexProblem::WrongLead { expected: (first, last), found: lead(entry)?, lines })
}

fn past_end<'a>(entries: &[Entry<'a>], expected: &Expectations) -> Option<IndexProblem<'a>> {
    let size = expected.object_size?;
    let (entry, lines) = wrong(entries, |entry| entry.offset >= size)?;
    Some(IndexProblem::PastEnd { offset: entry.offset, size, lines })
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} lines, the first is line {}", self.count, self.of, self.first)
    }
}

impl fmt::Display for IndexProblem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the index has no usable line"),
            Self::Truncated { line } => {
                write!(f, "the index is cut off in line {line}; read it again once it is complete")
            }
            Self::WrongRun { expected, found, lines } => {
                write!(f, "the index is about the run of {found}, not {expected} ({lines})")
            }
            Self::WrongMember { expected, found: "", lines } => {
                write!(f, "the index names no ensemble member where {expected} should be ({lines})")
            }
            Self::WrongMember { expected, found, lines } => {
                write!(f, "the index is about {}, not {expected} ({lines})", Excerpt(found))
            }
            Self::WrongLead { expected: (first, last), found, lines } => {
                write!(f, "the index is about lead {}, not {}", Lead(*found), Lead(*last))?;
                if first != last {
                    write!(f, " or down to {}", Lead(*first))?;
                }
                write!(f, " ({lines})")
            }
            Self::PastEnd { offset, size, lines } => write!(
                f,
                "the index points to byte {offset} of a file of {size} bytes ({lines}); the \
                 file was replaced after its index was written, or is still being written"
            ),
            Self::StartsLate { offset } => {
                write!(
                    f,
                    "the index begins at byte {offset} of its file and leaves out what is before"
                )
            }
            Self::OutOfOrder { line } => {
                write!(f, "the index is out of order from line {line} on; ranges are sorted")
            }
        }
    }
}

/// A lead as people say it.
struct Lead(i64);

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            lead if lead % 3600 == 0 => write!(f, "{} h", lead / 3600),
            lead if lead % 60 == 0 => write!(f, "{} min", lead / 60),
            lead => write!(f, "{lead} s"),
        }
    }
}
