//! The one error type of the workspace.
//!
//! An [`Error`] says what kind of thing went wrong (to react to), where (url and
//! byte), and what caused it. Its text ends with the place, so that a log line is
//! enough to find the file: `… [in s3://bucket/key at byte 1234]`.

use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible function of the workspace.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync + 'static>;

/// What went wrong, by how a caller would react to it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object does not exist: wait for it, or go on without it.
    #[error("not found")]
    NotFound,
    /// Reading or writing failed. `retryable`: trying again later may help.
    #[error("input or output failed")]
    Io {
        /// Whether the same request may succeed later.
        retryable: bool,
    },
    /// Fewer bytes than the format promises.
    #[error("truncated: {needed} bytes needed, {have} there")]
    Truncated {
        /// Bytes that the format asks for.
        needed: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// Bytes or text that break the format's rules.
    #[error("malformed {what}: expected {expected}, found {found}")]
    Malformed {
        /// The part of the format, in the standard's words.
        what: &'static str,
        /// What the format allows.
        expected: String,
        /// What was there instead.
        found: String,
    },
    /// Valid, but not something this build can process.
    #[error("unsupported {what}: {value}")]
    Unsupported {
        /// The code table or feature, for example `data representation template (code table 5.0)`.
        what: &'static str,
        /// The value met.
        value: String,
    },
    /// The input asks for more than the caller allows.
    #[error("{what} is {found}, more than the limit of {limit}")]
    LimitExceeded {
        /// What is limited.
        what: &'static str,
        /// The limit in force.
        limit: u64,
        /// What the input asks for.
        found: u64,
    },
    /// A bug in a dependency showed on this input; it was contained.
    #[error("{what} failed on this input: {message}")]
    Contained {
        /// The component that failed.
        what: &'static str,
        /// What it said.
        message: String,
    },
    /// An argument of the caller is wrong; the text says what would be right.
    #[error("{argument}: {reason}")]
    InvalidArgument {
        /// The argument as the user named it.
        argument: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Something that must not exist does.
    #[error("{what} already exists: {hint}")]
    AlreadyExists {
        /// What exists.
        what: String,
        /// What to do about it.
        hint: String,
    },
    /// Two descriptions of one thing disagree (a store and a run, an index and its file).
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// What was compared.
        what: String,
        /// The expectation.
        expected: String,
        /// The reality.
        found: String,
    },
    /// No plug-in of this id.
    #[error("unknown {role} '{id}'; this build has: {available}")]
    UnknownPlugin {
        /// `model` or `codec`.
        role: &'static str,
        /// The id asked for.
        id: String,
        /// The ids there are, comma separated.
        available: String,
    },
    /// Two plug-ins claim one id.
    #[error(
        "the {role} id '{id}' is registered twice, by {first} and by {second}; drop one of them"
    )]
    DuplicatePlugin {
        /// `model` or `codec`.
        role: &'static str,
        /// The id.
        id: String,
        /// The crate that came first.
        first: String,
        /// The crate that came second.
        second: String,
    },
    /// The store refuses: credentials, permissions, or a place that was not authorised.
    #[error("not allowed")]
    Denied,
    /// The caller's deadline passed before the work was done.
    #[error("the deadline of {seconds} s has passed; {hint}")]
    DeadlinePassed {
        /// The time that was given, in seconds.
        seconds: u64,
        /// What is in the store then, and how to go on.
        hint: &'static str,
    },
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    url: Option<String>,
    offset: Option<u64>,
    source: Option<Source>,
}

/// An error with a kind, a place and a cause.
#[derive(Debug)]
pub struct Error(Box<Inner>);

impl Error {
    /// An error of this kind, without a place or cause yet.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, url: None, offset: None, source: None }))
    }

    /// Bytes or text that break the format's rules.
    pub fn malformed(
        what: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::Malformed { what, expected: expected.into(), found: found.into() })
    }

    /// Fewer bytes than the format promises.
    #[must_use]
    pub fn truncated(needed: u64, have: u64) -> Self {
        Self::new(ErrorKind::Truncated { needed, have })
    }

    /// Valid, but not something this build can process.
    pub fn unsupported(what: &'static str, value: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported { what, value: value.into() })
    }

    /// A wrong argument: `reason` says what would be right.
    pub fn argument(argument: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument { argument: argument.into(), reason: reason.into() })
    }

    /// Two descriptions of one thing disagree.
    pub fn mismatch(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::Mismatch {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        })
    }

    /// The kind, to react to.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The object in which it happened.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The byte at which it happened, counted from the start of the object.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Io { retryable: true })
    }

    /// Adds the object's url; the innermost one stays.
    #[must_use]
    pub fn in_url(mut self, url: impl Into<String>) -> Self {
        if self.0.url.is_none() {
            self.0.url = Some(url.into());
        }
        self
    }

    /// Adds `base` to the byte offset, as the error travels out of a nested reader
    /// whose first byte lies at `base`.
    #[must_use]
    pub fn at(mut self, base: u64) -> Self {
        self.0.offset = Some(self.0.offset.unwrap_or(0).saturating_add(base));
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind)?;
        match (&self.0.url, self.0.offset) {
            (Some(url), Some(offset)) => write!(f, " [in {url} at byte {offset}]"),
            (Some(url), None) => write!(f, " [in {url}]"),
            (None, Some(offset)) => write!(f, " [at byte {offset}]"),
            (None, None) => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Os;
        let kind = match &error {
            Os::NotFound { .. } => ErrorKind::NotFound,
            Os::PermissionDenied { .. } | Os::Unauthenticated { .. } => ErrorKind::Denied,
            Os::NotSupported { .. } | Os::NotImplemented { .. } => ErrorKind::Unsupported {
                what: "operation of this object store",
                value: error.to_string(),
            },
            // What is left has been retried by the store itself and is transport trouble.
            _ => ErrorKind::Io { retryable: true },
        };
        Self::new(kind).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_with_the_place() {
        let error = Error::truncated(16, 3).at(4).at(100).in_url("s3://b/k").in_url("outer");
        assert_eq!(
            error.to_string(),
            "truncated: 16 bytes needed, 3 there [in s3://b/k at byte 104]"
        );
        assert_eq!(error.offset(), Some(104));
        assert!(!error.is_retryable());
    }

    #[test]
    fn one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
