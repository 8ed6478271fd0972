//! Files: what a field becomes on disk.

mod csv;
pub(crate) mod netcdf;
mod npy;
mod zarr;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use gik_core::{Error, ErrorKind, Result};

use crate::{Field, Map};

/// The files that [`write_field`] can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NumPy's array file, version 1.0: little-endian `f4` in C order, values only.
    Npy,
    /// A table: a row per point with its coordinates (times in ISO 8601), then the value;
    /// what is missing is empty. RFC 4180.
    Csv,
    /// CF `NetCDF` in the classic 64-bit-offset format, which every `NetCDF` reader opens.
    NetCdf,
    /// A Zarr v3 store in a folder, uncompressed.
    Zarr,
    /// A map of a field that has one value per latitude and longitude.
    Png,
}

impl Format {
    /// The format that a file's extension names, whatever its case.
    ///
    /// # Errors
    /// For any other extension; the text lists those there are.
    pub fn of_path(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "npy" => Ok(Self::Npy),
            "csv" => Ok(Self::Csv),
            "nc" => Ok(Self::NetCdf),
            "zarr" => Ok(Self::Zarr),
            "png" => Ok(Self::Png),
            _ => Err(Error::argument(
                format!("output '{}'", path.display()),
                "its extension names no format; use .npy, .nc, .csv, .zarr or .png",
            )),
        }
    }
}

/// Writes `field` to `path` in the format of its extension, in place of what was there.
///
/// The file appears complete or not at all: it is written beside its place and then renamed.
///
/// # Errors
/// If the extension names no format, the format cannot hold the field (a map of a field with
/// more than two dimensions, a variable too large for `NetCDF`), or writing fails.
///
/// # Examples
/// ```
/// use gik_analysis::{Field, write_field};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let rain = Field::new("tp", [("step", 2)], vec![0.5, 3.25])?;
/// write_field(&rain, &folder.join("rain.csv"))?;
/// assert_eq!(std::fs::read_to_string(folder.join("rain.csv")).unwrap(), "step,tp\n0,0.5\n1,3.25\n");
/// # Ok::<(), gik_core::Error>(())
/// ```
pub fn write_field(field: &Field, path: &Path) -> Result<()> {
    match Format::of_path(path)? {
        Format::Npy => write_atomically(path, |out| npy::write(field, out)),
        Format::Csv => write_atomically(path, |out| csv::write(field, out)),
        Format::NetCdf => {
            // Planned before the file is touched: what cannot be written is known by then.
            let plan = netcdf::Plan::new(field)?;
            write_atomically(path, |out| plan.write(out))
        }
        Format::Zarr => zarr::write(field, path),
        Format::Png => Map::new(field, None)?.write_png(path),
    }
}

/// Runs `write` on a temporary sibling of `path` and renames that to `path`; removes it if
/// anything fails. The error names `path`.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write(write)?;
    file.commit()
}

/// Whether a file can be made at `path`, as far as its name tells.
///
/// # Errors
/// When its folder is not there, or it is a folder.
pub fn check_output(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
        && !parent.is_dir()
    {
        return Err(Error::argument(
            format!("output '{}'", path.display()),
            format!("there is no directory '{}'; create it first", parent.display()),
        ));
    }
    if path.is_dir() || path.file_name().is_none() {
        return Err(Error::argument(
            format!("output '{}'", path.display()),
            "is a directory; name a file",
        ));
    }
    Ok(())
}

/// A file that is written beside its place, and appears there whole or not at all.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    committed: bool,
}

impl AtomicFile {
    /// Begins a file that will appear at `path`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        check_output(path)?;
        let temporary = sibling(path);
        let file = File::create_new(&temporary).map_err(|error| failed(path, error))?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), temporary, out, committed: false })
    }

    /// Writes a part of it.
    pub(crate) fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<()> {
        write(&mut self.out).map_err(|error| failed(&self.path, error))
    }

    /// Puts it in its place.
    pub(crate) fn commit(mut self) -> Result<()> {
        let result = (|| {
            self.out.flush()?;
            // Else a crash soon after could leave an empty file under the final name.
            self.out.get_ref().sync_all()?;
            fs::rename(&self.temporary, &self.path)
        })();
        self.committed = result.is_ok();
        result.map_err(|error| failed(&self.path, error))
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing can be done if this fails too; the first error is the one to report.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// An error of writing to `path`.
pub(crate) fn failed(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        _ => ErrorKind::Io { retryable: false },
    };
    Error::new(kind).in_url(path.display().to_string()).with_source(error)
}

/// A name in the directory of `path` that no other writer uses.
pub(crate) fn sibling(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{number}.part", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn extensions() {
        assert_eq!(Format::of_path(Path::new("a/b.NC")).unwrap(), Format::NetCdf);
        assert_eq!(Format::of_path(Path::new("b.tar.npy")).unwrap(), Format::Npy);
        for path in ["b", "b.nc4", "nc", ".png"] {
            let error = Format::of_path(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("use .npy, .nc, .csv, .zarr or .png"), "{error}");
        }
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv");
        fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert!(error.to_string().contains("out.csv"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["out.csv"]);

        write_atomically(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["out.csv"]);
    }

    #[test]
    fn errors_say_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &Path| write_atomically(path, |_| Ok(())).unwrap_err().to_string();
        assert!(write(&directory.path().join("no/x.csv")).contains("create it first"));
        assert!(write(directory.path()).contains("name a file"));
    }

    #[test]
    fn every_format_is_written() {
        let axis = |name| {
            crate::Coordinate::axis(name, crate::CoordinateValues::Float64(vec![1.0, 2.0, 3.0]))
        };
        let field = Field::new("x", [("latitude", 3), ("longitude", 3)], vec![0.5; 9])
            .and_then(|field| field.with_coordinate(axis("latitude")))
            .and_then(|field| field.with_coordinate(axis("longitude")))
            .unwrap();
        let directory = tempfile::tempdir().unwrap();
        for (name, magic) in [
            ("x.npy", &b"\x93NUMPY"[..]),
            ("x.csv", b"latitude,"),
            ("x.nc", b"CDF\x02"),
            ("x.png", b"\x89PNG"),
        ] {
            let path = directory.path().join(name);
            write_field(&field, &path).unwrap();
            assert!(fs::read(&path).unwrap().starts_with(magic), "{name}");
        }
        assert_eq!(names(directory.path()).len(), 4);
    }
}
