//! The files that a person names: files, folders, patterns; and what is in them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::read::GzDecoder;
use gik_core::{Error, ErrorKind, Result};

use crate::archive::{ENTRY_LIMIT, EXPANSION_LIMIT, SMALL, each_entry, in_file};
use crate::{KeyValueFile, ReferenceSet, kerchunk};

/// Files in a folder and the folders below it, at most.
const FILES_LIMIT: usize = 1_000_000;
/// How deep folders are looked into.
const DEPTH: u32 = 16;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    path: PathBuf,
}

/// What a file holds.
#[derive(Debug)]
pub enum Held {
    /// A table.
    Table(Box<KeyValueFile>, String),
    /// Many, in an archive that is read when they are asked for.
    Archive(PathBuf),
}

/// The files that `arguments` name, in the order of their names.
///
/// # Errors
/// When one names nothing.
pub fn inputs(arguments: &[String]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for argument in arguments {
        let before = files.len();
        let path = Path::new(argument);
        if kerchunk::is_parquet_folder(path) {
            files.push(InputFile { path: path.to_owned() });
        } else if path.is_dir() {
            walk(path, DEPTH, &mut files)?;
        } else if path.exists() {
            files.push(InputFile { path: path.to_owned() });
        } else {
            expand(argument, &mut files)?;
        }
        if files.len() == before {
            let reason =
                "names no file, folder of .parquet or .json files, or pattern that any file fits";
            return Err(Error::argument(format!("'{argument}'"), reason));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    Ok(files)
}

fn expand(pattern: &str, files: &mut Vec<InputFile>) -> Result<()> {
    let paths = glob::glob(pattern).map_err(|error| {
        Error::argument(format!("'{pattern}'"), "is no pattern").with_source(error)
    })?;
    for path in paths.flatten() {
        if path.is_dir() && !kerchunk::is_parquet_folder(&path) {
            walk(&path, DEPTH, files)?;
        } else {
            files.push(InputFile { path });
        }
    }
    Ok(())
}

fn walk(folder: &Path, depth: u32, files: &mut Vec<InputFile>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| in_file(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| in_file(folder, error))?.path();
        // Links are not followed: they may lead back.
        if path.is_symlink() && path.is_dir() {
            continue;
        }
        if kerchunk::is_parquet_folder(&path) {
            files.push(InputFile { path });
        } else if path.is_dir() {
            if let Some(deeper) = depth.checked_sub(1) {
                walk(&path, deeper, files)?;
            }
        } else if is_input(&path) {
            files.push(InputFile { path });
        }
        if files.len() > FILES_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "number of files in a folder",
                limit: FILES_LIMIT as u64,
                found: files.len() as u64,
            })
            .in_url(folder.display().to_string()));
        }
    }
    Ok(())
}

/// How files packed with gzip begin (RFC 1952 §2.3.1).
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether a file packed with gzip is JSON and no archive.
fn is_packed_json(path: &Path) -> bool {
    let mut first = [0; 1];
    let read = File::open(path).map(GzDecoder::new).and_then(|mut it| it.read_exact(&mut first));
    read.is_ok() && first == *b"{"
}

/// What is in a file packed with gzip, which is no longer than what is read.
fn unpack(path: &Path) -> Result<Bytes> {
    let packed = read_file(path)?;
    let limit = (packed.len() as u64).saturating_mul(EXPANSION_LIMIT).clamp(SMALL, ENTRY_LIMIT);
    let mut bytes = Vec::new();
    let read = GzDecoder::new(packed.as_ref()).take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| in_file(path, error))?;
    if bytes.len() as u64 > limit {
        let (what, found) = ("size of the unpacked file", bytes.len() as u64);
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found })
            .in_url(path.display().to_string()));
    }
    Ok(bytes.into())
}

fn is_input(path: &Path) -> bool {
    path.to_str().is_some_and(|name| is_table(name) || is_archive(name) || is_json(name))
}

pub(crate) fn is_table(name: &str) -> bool {
    [".parquet", ".par"].iter().any(|ending| name.ends_with(ending))
}

fn is_json(name: &str) -> bool {
    [".json", ".json.gz"].iter().any(|ending| name.ends_with(ending))
}

fn is_archive(name: &str) -> bool {
    [".zip", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending))
}

/// The tables in a folder and those below it, in the order of their names.
pub(crate) fn tables_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    walk(folder, DEPTH, &mut files)?;
    let mut paths: Vec<PathBuf> = files.into_iter().map(|file| file.path).collect();
    paths.retain(|path| path.to_str().is_some_and(is_table));
    paths.sort();
    Ok(paths)
}

/// The bytes of a file that is no longer than what is read.
pub(crate) fn read_file(path: &Path) -> Result<Bytes> {
    let file = File::open(path).map_err(|error| in_file(path, error))?;
    let mut bytes = Vec::new();
    file.take(ENTRY_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| in_file(path, error))?;
    if bytes.len() as u64 > ENTRY_LIMIT {
        return Err(Error::new(ErrorKind::LimitExceeded {
            what: "size of the file",
            limit: ENTRY_LIMIT,
            found: bytes.len() as u64,
        })
        .in_url(path.display().to_string()));
    }
    Ok(bytes.into())
}

impl InputFile {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path as text.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.path.to_string_lossy()
    }

    /// The references of a file or directory of kerchunk's; none of another kind.
    ///
    /// # Errors
    /// When it is one that cannot be read.
    pub fn kerchunk(&self) -> Result<Option<ReferenceSet>> {
        if kerchunk::is_parquet_folder(&self.path) {
            return kerchunk::read_parquet(&self.path).map(Some);
        }
        let mut first = [0; 2];
        let mut file = File::open(&self.path).map_err(|error| in_file(&self.path, error))?;
        let read = file.read(&mut first).map_err(|error| in_file(&self.path, error))?;
        let is_packed = read == 2 && first == GZIP && is_packed_json(&self.path);
        let is_json = self.path.extension().is_some_and(|ending| ending == "json");
        let is_references = is_packed || is_json || (read > 0 && first.starts_with(b"{"));
        if !is_references {
            return Ok(None);
        }
        let bytes = if is_packed { unpack(&self.path)? } else { read_file(&self.path)? };
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Error::malformed("kerchunk JSON", "text in UTF-8", "other bytes").in_url(self.name())
        })?;
        kerchunk::read_json(text).map(Some).map_err(|error| in_json(&self.path, error))
    }

    /// Reads it; archives are only looked at.
    ///
    /// # Errors
    /// When it cannot be read, or is of no known kind.
    pub fn read(&self) -> Result<Held> {
        let name = self.name().into_owned();
        if let Some(set) = self.kerchunk()? {
            return Ok(Held::Table(Box::new(KeyValueFile::of_references(set)), name));
        }
        let mut magic = [0; 2];
        let mut file = File::open(&self.path).map_err(|error| in_file(&self.path, error))?;
        let read = file.read(&mut magic).map_err(|error| in_file(&self.path, error))?;
        if read == 2 && (magic == *b"PK" || magic == GZIP) {
            return Ok(Held::Archive(self.path.clone()));
        }
        let table = KeyValueFile::read(read_file(&self.path)?);
        Ok(Held::Table(Box::new(table.map_err(|error| error.in_url(name.clone()))?), name))
    }
}

/// The error with the file before the key, which is its place.
fn in_json(path: &Path, error: Error) -> Error {
    Error::new(error.kind().clone())
        .in_url(match error.url() {
            Some(key) => format!("{}: {key}", path.display()),
            None => path.display().to_string(),
        })
        .with_source(error)
}

impl Held {
    /// Calls `take` with each table and its name.
    ///
    /// # Errors
    /// When an archive cannot be read, or is hostile; and what `take` says.
    pub fn each(
        &mut self,
        take: &mut dyn FnMut(&str, Result<&KeyValueFile>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Table(table, name) => take(name, Ok(table)),
            Self::Archive(path) => {
                let archive = path.display().to_string();
                each_entry(path, &is_table, &mut |name, bytes| {
                    let name = format!("{archive}!{name}");
                    match KeyValueFile::read(bytes) {
                        Ok(table) => take(&name, Ok(&table)),
                        Err(error) => take(&name, Err(error)),
                    }
                })
            }
        }
    }
}
