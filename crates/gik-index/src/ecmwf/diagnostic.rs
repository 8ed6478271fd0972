//! What is wrong with single lines.

use std::fmt;

use gik_core::Problem;

/// A line that gives no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDiagnostic {
    /// The line in the index, from 1.
    pub line: u32,
    /// The first byte of the line, counted from the start of the index.
    pub byte: usize,
    /// What is wrong.
    pub problem: LineProblem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineProblem {
    /// The line holds bytes that are no UTF-8.
    NotText,
    /// The line is no JSON object; what the parser says.
    NotJson(String),
    /// The line lacks this key.
    MissingKey(&'static str),
    /// The value of this key is not what it should be.
    BadValue(&'static str),
    /// This key is there twice.
    RepeatedKey(&'static str),
    /// The last line is cut.
    Truncated,
}

impl LineProblem {
    /// What it is in a build's report.
    #[must_use]
    pub const fn kind(&self) -> Problem {
        match self {
            Self::Truncated => Problem::Truncated,
            _ => Problem::DamagedLine,
        }
    }
}

impl fmt::Display for LineDiagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (byte {} of the index): {}", self.line, self.byte, self.problem)
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("is no UTF-8 text; its message is left out"),
            Self::NotJson(reason) => write!(f, "is no JSON object ({reason}); left out"),
            Self::MissingKey(key) => write!(f, "has no \"{key}\"; left out"),
            Self::BadValue(key) => {
                let example = match *key {
                    "date" => "\"20250106\"",
                    "time" => "\"0600\"",
                    "step" => "\"6\" or \"0-24\"",
                    "levtype" => "\"pl\"",
                    "levelist" => "\"500\"",
                    "number" => "\"29\"",
                    "_offset" | "_length" => "a whole number of bytes",
                    _ => "a string",
                };
                write!(f, "the value of \"{key}\" is not like {example}; left out")
            }
            Self::RepeatedKey(key) => write!(f, "has \"{key}\" twice; left out"),
            Self::Truncated => {
                f.write_str("is cut: the index ends early, and fetching it again may help")
            }
        }
    }
}
