//! Icechunk's errors as ours.

use std::fmt::Display;

use gik_core::{Error, ErrorKind};
use icechunk::repository::{RepositoryError, RepositoryErrorKind};
use icechunk::session::{SessionError, SessionErrorKind};
use icechunk::store::{StoreError, StoreErrorKind};

/// An Icechunk failure while doing something to the repository at `place`.
///
/// Icechunk's own text has a span trace of many lines below the message: only the kind is
/// kept.
pub(crate) fn io(place: &dyn Display, kind: &(impl Display + ?Sized)) -> Error {
    let text = kind.to_string();
    let cause = text.split("\n\ncontext:").next().unwrap_or_default().trim().to_owned();
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
