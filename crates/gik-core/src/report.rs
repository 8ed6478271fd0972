//! What a build found wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::{Error, Run};

/// What is wrong, by how an operator would react to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// The data file or its index is not there: not published yet, or lost.
    MissingFile,
    /// The file could not be read.
    Unreadable,
    /// The index is not about this file: another run, member or step, or older than it.
    WrongIndex,
    /// The index points past the end of its file.
    PastEnd,
    /// The index ends early.
    Truncated,
    /// Messages that the file should have are not in its index.
    MissingMessage,
    /// Messages that the index lists more than once: the first counts, and whether that is the
    /// right one nobody can tell.
    DuplicateMessage,
    /// Messages that claim the same bytes of the file: at least one line of each pair is wrong.
    Overlap,
    /// Bytes of the file that no line of the index tells of: lines are lost, or lengths are too
    /// small.
    Uncovered,
    /// A line of the index is damaged, and nobody can tell what it was about.
    DamagedLine,
    /// A line of the index cannot be used.
    BadLine,
    /// Messages whose grid is not the model's.
    OtherGrid,
    /// Messages over other windows than the table says, or that it cannot tell apart.
    OtherWindow,
    /// Messages that the model's table does not know.
    UnknownMessage,
    /// The index was missing or wrong, and the headers of the file were read in its place.
    Scanned,
}

impl Problem {
    /// Whether it leaves a hole in the store, or a doubtful chunk. Unknown messages do not:
    /// nobody asked for them. Nor does an odd line by itself, where the index's table says what
    /// a file must have: the message that it costs is reported as missing.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        !matches!(self, Self::UnknownMessage | Self::BadLine | Self::Scanned)
    }

    /// The name in `--json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingFile => "missing_file",
            Self::Unreadable => "unreadable",
            Self::WrongIndex => "wrong_index",
            Self::PastEnd => "past_end",
            Self::Truncated => "truncated",
            Self::MissingMessage => "missing_message",
            Self::DuplicateMessage => "duplicate_message",
            Self::Overlap => "overlap",
            Self::Uncovered => "uncovered",
            Self::DamagedLine => "damaged_line",
            Self::BadLine => "bad_line",
            Self::OtherGrid => "other_grid",
            Self::OtherWindow => "other_window",
            Self::UnknownMessage => "unknown_message",
            Self::Scanned => "scanned",
        }
    }

    /// What to call it in a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MissingFile => "missing files",
            Self::Unreadable => "unreadable files",
            Self::WrongIndex => "indexes that are not about their file",
            Self::PastEnd => "indexes that point past the end of their file",
            Self::Truncated => "truncated indexes",
            Self::MissingMessage => "files that lack messages",
            Self::DuplicateMessage => "files that list messages more than once",
            Self::Overlap => "files with messages that overlap",
            Self::Uncovered => "files with bytes that no index line tells of",
            Self::DamagedLine => "files with damaged index lines",
            Self::BadLine => "files with unusable index lines",
            Self::OtherGrid => "files with messages on another grid than the model's",
            Self::OtherWindow => "files with messages over windows that the table does not tell",
            Self::UnknownMessage => "files with messages outside the model's table",
            Self::Scanned => "files read by their headers, for want of a right index",
        }
    }
}

/// One thing wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of thing.
    pub problem: Problem,
    /// The file.
    pub url: String,
    /// What exactly, for a person.
    pub text: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.text)
    }
}

/// That no file of a run contributed a single reference: the source of the error of
/// [`build_manifest`](crate::build_manifest).
#[derive(Debug, Clone, PartialEq)]
pub struct NothingFound {
    /// The run.
    pub run: Run,
    /// What is wrong with its files.
    pub report: Report,
}

impl NothingFound {
    /// What an error says of it, if it is its source.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }
}

impl std::error::Error for NothingFound {}

impl fmt::Display for NothingFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, report } = self;
        let files = report.files_expected;
        let subject = format!("{} {} {}", run.model, run.product, run.reference_time);
        if report.lines > 0 && !report.diagnostics.iter().any(|it| it.problem.is_loss()) {
            let names: Names = run.variables.iter().cloned().collect();
            return write!(
                f,
                "the {files} files of {subject} were read; none has a message of {names} at these \
                 steps"
            );
        }
        write!(f, "none of the {files} files of {subject} could be used")?;
        // What is wrong with a file says more than what it therefore lacks, and either more than
        // that the source was given up.
        let rank = |it: &&Diagnostic| {
            let is_cause = it.problem.is_loss() && it.problem != Problem::MissingMessage;
            (it.url == run.root.as_str(), !is_cause)
        };
        match report.diagnostics.iter().min_by_key(rank) {
            Some(first) => write!(f, "; first {first}"),
            None => Ok(()),
        }
    }
}

/// How many things there are, and what the first few are called: enough for a diagnostic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    count: usize,
    first: Vec<String>,
}

impl Names {
    /// Names kept.
    const KEPT: usize = 8;

    /// Counts one more; its name is asked for only if it is kept.
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(name());
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.add(|| name));
        all
    }
}

/// `a, b, c and 5 more`
impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            rest => write!(f, " and {rest} more"),
        }
    }
}

/// What building a run's manifest came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Files the run should have.
    pub files_expected: u64,
    /// Files that contributed references.
    pub files_used: u64,
    /// References the run should have, and those it may have and does.
    pub references_expected: u64,
    /// References there are.
    pub references: u64,
    /// Arrays of messages that the model's table does not know: those of files that were read
    /// by their headers.
    pub unknown_arrays: u64,
    /// Index lines parsed.
    pub lines: u64,
    /// Bytes read, of indexes and, where those are missing, of headers.
    pub index_bytes: u64,
    /// Requests made to the source, each page of a listing counted once.
    pub requests: u64,
    /// Seconds spent on listing folders.
    pub list_seconds: f64,
    /// Seconds from the first index requested to the last one parsed.
    pub read_seconds: f64,
    /// Of these, seconds spent on parsing and matching, on one core.
    pub parse_seconds: f64,
    /// What is wrong, ordered by file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Whether every reference that should be there is.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.references >= self.references_expected
            && !self.diagnostics.iter().any(|diagnostic| diagnostic.problem.is_loss())
    }

    /// The number of files with each problem.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Problem, u64> {
        let mut files = BTreeMap::<Problem, BTreeSet<&str>>::new();
        for diagnostic in &self.diagnostics {
            files.entry(diagnostic.problem).or_default().insert(&diagnostic.url);
        }
        files.into_iter().map(|(problem, files)| (problem, files.len() as u64)).collect()
    }
}
