//! Icechunk's errors as ours.

use std::fmt::Display;

use gik_core::{Error, ErrorKind};
use icechunk::repository::{RepositoryError, RepositoryErrorKind};
use icechunk::session::{SessionError, SessionErrorKind};
use icechunk::store::{StoreError, StoreErrorKind};

/// What systems and servers say when a disk is full: Icechunk hands on the text alone.
const FULL: [&str; 4] =
    ["No space left on device", "Disk quota exceeded", "StorageFull", "Insufficient Storage"];

/// An Icechunk failure while doing something to the repository at `place`.
///
/// Icechunk's own text has a span trace of many lines below the message: only the kind is
/// kept.
pub(crate) fn io(place: &dyn Display, kind: &(impl Display + ?Sized)) -> Error {
    let text = kind.to_string();
    let mut cause = text.split("\n\ncontext:").next().unwrap_or_default().trim().to_owned();
    if FULL.iter().any(|part| cause.contains(part)) {
        cause.push_str(
            "; there is no room left to write. What was committed stays as it was: make room, \
             then run this again",
        );
    }
    Error::new(ErrorKind::Io { retryable: false })
        .with_source(std::io::Error::other(cause))
        .in_url(place.to_string())
}

pub(crate) fn repository(place: &dyn Display, error: &RepositoryError) -> Error {
    match &error.kind {
        RepositoryErrorKind::RepositoryDoesntExist => {
            Error::new(ErrorKind::NotFound).in_url(place.to_string()).with_source(
                std::io::Error::other("there is no Icechunk repository; build one with gik build"),
            )
        }
        RepositoryErrorKind::ParentDirectoryNotClean => Error::new(ErrorKind::AlreadyExists {
            what: "something at this place".to_owned(),
            hint: "a repository can only be created where nothing is".to_owned(),
        })
        .in_url(place.to_string()),
        kind => io(place, kind),
    }
}

pub(crate) fn session(place: &dyn Display, error: &SessionError) -> Error {
    match &error.kind {
        SessionErrorKind::RepositoryError(inner) => io(place, inner),
        kind => io(place, kind),
    }
}

pub(crate) fn store(place: &dyn Display, error: &StoreError) -> Error {
    match &error.kind {
        StoreErrorKind::SessionError(inner) => io(place, inner),
        kind => io(place, kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_one() {
        let told = |text: &str| {
            let error = io(&"store", text);
            std::error::Error::source(&error).map(ToString::to_string).unwrap()
        };
        let full = told("cannot write: No space left on device (os error 28)\n\ncontext:\n  0: x");
        assert!(full.contains("(os error 28); there is no room left"), "{full}");
        assert!(full.contains("make room, then run this again"), "{full}");
        assert_eq!(told("connection reset"), "connection reset");
    }
}
