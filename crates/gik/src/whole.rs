//! Files and folders that are there as a whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use gik_core::{Error, ErrorKind, Result};

/// Writes a file beside its place, and puts it there when it is whole.
///
/// # Errors
/// When something else than a file is there, it cannot be written, and those of `write`; what was
/// there stays as it was.
pub fn whole_file(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    // A rename would put a file in the place of a device or a link, which others rely on.
    if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(Error::argument(
            format!("output '{}'", path.display()),
            "is no file but a folder, a link or a device; name a file",
        ));
    }
    let beside = beside(path)?;
    let written = File::create(&beside).map_err(|error| failed(path, error)).and_then(|to| {
        let mut to = BufWriter::new(to);
        write(&mut to).map_err(|error| error.in_url(path.display().to_string()))?;
        let to = to.into_inner().map_err(|error| failed(path, error.into_error()))?;
        to.sync_all().map_err(|error| failed(path, error))
    });
    let placed =
        written.and_then(|()| std::fs::rename(&beside, path).map_err(|error| failed(path, error)));
    if placed.is_err() {
        // The failure is what is reported.
        let _ = std::fs::remove_file(&beside);
    }
    placed
}

/// Likewise a folder, which must not be there, or be empty.
///
/// # Errors
/// When it is there, cannot be written, and those of `write`.
pub(crate) fn whole_folder(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let beside = beside(path)?;
    let written = std::fs::create_dir_all(&beside)
        .map_err(|error| failed(path, error))
        .and_then(|()| write(&beside))
        .and_then(|()| check_absent(path))
        .and_then(|()| std::fs::rename(&beside, path).map_err(|error| failed(path, error)));
    if written.is_err() {
        let _ = std::fs::remove_dir_all(&beside);
    }
    written
}

/// A name beside `path`, on the same disk.
fn beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        Error::argument(format!("output '{}'", path.display()), "names no file or folder")
    })?;
    let name = format!(".{}.gik-{}", name.to_string_lossy(), std::process::id());
    Ok(path.with_file_name(name))
}

/// Refuses a place that has something.
///
/// # Errors
/// When it has.
pub(crate) fn check_absent(path: &Path) -> Result<()> {
    // An empty folder is replaced by what is renamed to it.
    let is_empty = || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !path.exists() || is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::AlreadyExists {
        what: "the output".to_owned(),
        hint: "name another folder, or remove it first".to_owned(),
    })
    .in_url(path.display().to_string()))
}

/// What became of writing `path`.
pub(crate) fn failed(path: &Path, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::NotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Io { retryable: false },
    };
    Error::new(kind).with_source(error).in_url(path.display().to_string())
}
