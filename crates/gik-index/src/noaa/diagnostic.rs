//! What is wrong with single lines.

use std::fmt;

use gik_core::{Problem, Window};

/// A line, or part of it, that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDiagnostic<'a> {
    /// The line in the index, from 1.
    pub line: usize,
    /// The first byte of the line, counted from the start of the index.
    pub byte: usize,
    /// What is wrong.
    pub problem: LineProblem<'a>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineProblem<'a> {
    /// The line holds bytes that are no UTF-8. It gives no entry.
    NotText,
    /// The line ends before this field. It gives no entry.
    MissingField(Field),
    /// The field is not what it should be. The line gives no entry.
    BadField(Field, &'a str),
    /// The level is none that wgrib2 writes. The entry has it as text only.
    UnknownLevel(&'a str),
    /// The window is corrupt or not one of a single run. The entry has it as text only.
    UnusableWindow(&'a str),
    /// The last line is cut. It gives no entry.
    Truncated,
}

/// A field that every line must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `n` or `n.m`.
    Message,
    /// The byte offset.
    Offset,
    /// `d=…`.
    Time,
    /// The abbreviation.
    Variable,
    /// The level.
    Level,
    /// The forecast time.
    Window,
}

impl LineProblem<'_> {
    /// Whether the line has an entry all the same.
    #[must_use]
    pub const fn keeps_entry(self) -> bool {
        matches!(self, Self::UnknownLevel(_) | Self::UnusableWindow(_))
    }

    /// What it is in a build's report.
    #[must_use]
    pub const fn kind(self) -> Problem {
        match self {
            Self::Truncated => Problem::Truncated,
            _ => Problem::BadLine,
        }
    }
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Message => "message number",
            Self::Offset => "byte offset",
            Self::Time => "reference time",
            Self::Variable => "variable",
            Self::Level => "level",
            Self::Window => "forecast time",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::Message => "12 or 12.1",
            Self::Offset => "a whole number",
            Self::Time => "d=2025010600",
            Self::Variable => "APCP",
            Self::Level => "surface",
            Self::Window => "0-3 hour acc fcst",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for LineDiagnostic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (byte {} of the index): {}", self.line, self.byte, self.problem)
    }
}

impl fmt::Display for LineProblem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotText => f.write_str("is no UTF-8 text; its message is left out"),
            Self::MissingField(field) => {
                write!(f, "ends before the {field} (like {}); left out", field.example())
            }
            Self::BadField(field, text) => {
                let example = field.example();
                write!(f, "the {field} is {}, not like {example}; left out", Excerpt(text))
            }
            Self::UnknownLevel(text) => write!(f, "unknown level {}", Excerpt(text)),
            Self::UnusableWindow(text) => {
                // Asked again for the reason only, so that parsing allocates nothing.
                let reason = match text.parse::<Window>() {
                    Err(error) => match error.kind() {
                        gik_core::ErrorKind::Malformed { expected, .. } => expected.clone(),
                        _ => error.to_string(),
                    },
                    Ok(_) => String::new(),
                };
                write!(f, "the forecast time {} is not {reason}", Excerpt(text))
            }
            Self::Truncated => f.write_str("the index ends in the middle of this line"),
        }
    }
}

/// Text from outside, fit for a log: quoted, escaped, and not endless.
pub(super) struct Excerpt<'a>(pub(super) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let mut characters = self.0.chars();
        f.write_str("'")?;
        for character in characters.by_ref().take(SHOWN) {
            write!(f, "{}", character.escape_debug())?;
        }
        f.write_str(if characters.next().is_some() { "…'" } else { "'" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let text = |problem| LineDiagnostic { line: 7, byte: 420, problem }.to_string();
        assert_eq!(
            text(LineProblem::UnusableWindow("10815--2147472656 min acc fcst")),
            "line 7 (byte 420 of the index): the forecast time '10815--2147472656 min acc \
             fcst' is not an interval that ends after it starts"
        );
        assert_eq!(
            text(LineProblem::BadField(Field::Time, "d=2025\u{1b}[31m")),
            "line 7 (byte 420 of the index): the reference time is 'd=2025\\u{1b}[31m', not \
             like d=2025010600; left out"
        );
        assert_eq!(
            text(LineProblem::MissingField(Field::Window)),
            "line 7 (byte 420 of the index): ends before the forecast time (like 0-3 hour acc \
             fcst); left out"
        );
        let long = "x".repeat(1000);
        assert!(text(LineProblem::UnknownLevel(&long)).len() < 120);
    }
}
