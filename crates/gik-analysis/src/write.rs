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

/// The longest table, in lines: some hundred megabytes.
const ROWS: usize = 5_000_000;

/// Writes `field` to `path` in the format of its extension, in place of what was there.
///
/// The file appears complete or not at all: it is written beside its place and then renamed.
///
/// # Errors
/// If the extension names no format, the format cannot hold the field (a map of a field with
/// more than two dimensions, a table of millions of lines, a variable too large for
/// `NetCDF`), or writing fails.
///
/// # Examples
/// ```
/// use gik_analysis::{Coordinate, CoordinateValues, Field, write_field};
///
/// let steps = Coordinate::axis("step", CoordinateValues::Int64(vec![6, 12]));
/// let rain = Field::new("tp", [("step", 2)], vec![0.5, 4.0])?.with_coordinate(steps)?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("rain.csv");
/// write_field(&rain, &path)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "step,tp\r\n6,0.5\r\n12,4\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_field(field: &Field, path: &Path) -> Result<()> {
    match Format::of_path(path)? {
        Format::Npy => write_atomically(path, |out| npy::write(field, out)),
        Format::Csv if field.values().len() > ROWS => Err(Error::argument(
            format!("output '{}'", path.display()),
            format!("would have {} lines; choose less, or write .nc or .npy", field.values().len()),
        )),
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
    // A file would take the place of a device or a pipe.
    if path.exists() && !path.is_file() {
        return Err(Error::argument(
            format!("output '{}'", path.display()),
            "is a device or a pipe; name a file",
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
        sweep(path);
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

/// What a writer of `path` left that was stopped, is nobody's: nothing was written to it for so
/// long.
const LEFT: std::time::Duration = std::time::Duration::from_secs(3600);

/// Removes what writers of `path` left that were stopped. Whatever cannot be removed stays.
fn sweep(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name().to_string_lossy().into_owned();
        let number = found
            .strip_prefix(&format!(".{name}."))
            .and_then(|rest| rest.strip_suffix(".part"))
            .and_then(|rest| rest.split_once('-'));
        let is_ours = number.is_some_and(|(process, count)| {
            process.parse::<u32>().is_ok() && count.parse::<u32>().is_ok()
        });
        let age =
            entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > LEFT) {
            let _ = fs::remove_file(entry.path());
        }
    }
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
    fn what_a_stopped_writer_left_is_removed_when_it_is_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let old = std::time::SystemTime::now() - 2 * LEFT;
        for (name, time) in [
            (".x.nc.17-0.part", old),
            (".x.nc.18-0.part", std::time::SystemTime::now()),
            (".y.nc.17-0.part", old),
            (".x.nc.mine.part", old),
        ] {
            let file = File::create(path(name)).unwrap();
            file.set_modified(time).unwrap();
        }
        write_atomically(&path("x.nc"), |out| out.write_all(b"new")).unwrap();
        let mut left = names(directory.path());
        left.sort();
        assert_eq!(left, [".x.nc.18-0.part", ".x.nc.mine.part", ".y.nc.17-0.part", "x.nc"]);
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
