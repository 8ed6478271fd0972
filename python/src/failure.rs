//! Errors as the package's exceptions, which `gik/errors.py` defines.

use gik::core::{Error, ErrorKind, NothingFound};
use gik::icechunk::StoreLocation;
use pyo3::PyErr;

mod python {
    //! The exceptions.

    pyo3::import_exception!(gik.errors, AccessError);
    pyo3::import_exception!(gik.errors, ArgumentError);
    pyo3::import_exception!(gik.errors, Error);
    pyo3::import_exception!(gik.errors, GribError);
    pyo3::import_exception!(gik.errors, InputOutputError);
    pyo3::import_exception!(gik.errors, MismatchError);
    pyo3::import_exception!(gik.errors, NotFoundError);
}

/// The exception of an error: its text is that of the command.
pub(crate) fn exception(error: &Error) -> PyErr {
    with_report(error, None)
}

/// The exception of a build's error: where a run had nothing, with the report on its files.
pub(crate) fn build_exception(error: &Error, store: &StoreLocation) -> PyErr {
    let nothing = NothingFound::of(error);
    with_report(error, nothing.map(|nothing| gik::nothing_json(nothing, store).to_string()))
}

fn with_report(error: &Error, report: Option<String>) -> PyErr {
    let arguments = (gik::explain(error), error.url().map(str::to_owned), error.offset(), report);
    match error.kind() {
        ErrorKind::InvalidArgument { .. }
        | ErrorKind::UnknownPlugin { .. }
        | ErrorKind::AlreadyExists { .. } => python::ArgumentError::new_err(arguments),
        ErrorKind::NotFound => python::NotFoundError::new_err(arguments),
        ErrorKind::Io { .. } => python::InputOutputError::new_err(arguments),
        ErrorKind::Denied => python::AccessError::new_err(arguments),
        ErrorKind::Mismatch { .. } => python::MismatchError::new_err(arguments),
        ErrorKind::Truncated { .. }
        | ErrorKind::Malformed { .. }
        | ErrorKind::Unsupported { .. }
        | ErrorKind::LimitExceeded { .. }
        | ErrorKind::Contained { .. } => python::GribError::new_err(arguments),
        _ => python::Error::new_err(arguments),
    }
}

/// What a codec could not decode.
pub(crate) fn grib_error(codec: &str, error: &Error) -> PyErr {
    let text = format!("codec '{codec}': {}", gik::explain(error));
    let url = error.url().map(str::to_owned);
    python::GribError::new_err((text, url, error.offset(), None::<String>))
}

/// A wrong argument that only the package has.
pub(crate) fn argument(argument: &str, reason: &str) -> PyErr {
    exception(&Error::argument(argument, reason))
}
