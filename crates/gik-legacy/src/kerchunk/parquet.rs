//! Kerchunk's directory of parquet, as fsspec's `LazyReferenceMapper` reads it.
//!
//! `.zmetadata` has all metadata and the record size N; `ARRAY/refs.R.parq` has chunks R·N to
//! R·N + N - 1 in C order, a row each: `path`, `offset`, `size`, and `raw` for bytes that lie in
//! it. A chunk that is missing has neither path nor bytes, one that is a whole file has size 0. A
//! file of nothing but missing chunks is not written.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use gik_core::{Error, ErrorKind, Result};
use parquet::basic::Compression;
use parquet::data_type::ByteArray;
use serde_json::{Map, Value as Json, json};

use crate::columns::{Column, Values, write};
use crate::zarr_v2::{ZarrArray, chunk_id, chunk_index};
use crate::{ReferenceSet, Table, Value, parse_json};

/// The largest `.zmetadata`, in bytes.
const METADATA_LIMIT: u64 = 64 << 20;
/// The largest file of a record, in bytes.
const RECORD_LIMIT: u64 = 256 << 20;
/// References in a record, at most.
const RECORD_SIZE_LIMIT: u64 = 100_000_000;

/// Whether a folder is such a directory.
#[must_use]
pub fn is_parquet_folder(folder: &Path) -> bool {
    folder.join(".zmetadata").is_file()
}

/// Reads a directory, whatever wrote it: with fastparquet or pyarrow, with urls in a dictionary,
/// with columns of nothing but nulls left out. Record files that are not there are missing
/// chunks; rows beyond the end of an array are padding.
///
/// # Errors
/// When `.zmetadata` or a file is none of kerchunk's; the text names the file and the row.
pub fn read_parquet(folder: &Path) -> Result<ReferenceSet> {
    let path = folder.join(".zmetadata");
    let bytes = read(&path, METADATA_LIMIT)?;
    let in_file = |error: Error| error.in_url(path.display().to_string());
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| in_file(Error::malformed(".zmetadata", "text in UTF-8", "other bytes")))?;
    let document = parse_json(text).map_err(in_file)?;
    let record_size = document.get("record_size").and_then(Json::as_u64);
    let record_size =
        record_size.filter(|size| (1..=RECORD_SIZE_LIMIT).contains(size)).ok_or_else(|| {
            let found = document.get("record_size").cloned().unwrap_or_default().to_string();
            in_file(Error::malformed("record_size", "1 to 100,000,000", found))
        })?;
    let metadata = document.get("metadata").and_then(Json::as_object).ok_or_else(|| {
        in_file(Error::malformed(".zmetadata", "an object under metadata", "none"))
    })?;
    let mut set = ReferenceSet::default();
    for (key, value) in metadata {
        let value = Value::of_json(key, value).map_err(in_file)?;
        set.entries.insert(key.clone(), value);
        let Some(name) = key.strip_suffix("/.zarray") else { continue };
        check_name(name).map_err(in_file)?;
        let array = match metadata.get(key) {
            Some(Json::String(text)) => ZarrArray::parse(&parse_json(text).map_err(in_file)?),
            Some(document) => ZarrArray::parse(document),
            None => continue,
        };
        let array = array.map_err(|error| in_file(error.in_url(key.clone())))?;
        for (record, path) in records(&folder.join(name))? {
            let first = record.checked_mul(record_size);
            read_record(&mut set, &path, name, &array, first)
                .map_err(|error| error.in_url(path.display().to_string()))?;
        }
    }
    Ok(set)
}

/// The files `refs.N.parq` of an array, with their numbers.
fn records(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    // An array of nothing but missing chunks has no folder.
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|it| it.strip_prefix("refs.")?.strip_suffix(".parq"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

fn read_record(
    set: &mut ReferenceSet,
    path: &Path,
    name: &str,
    array: &ZarrArray,
    first: Option<u64>,
) -> Result<()> {
    let table = Table::open(read(path, RECORD_LIMIT)?.into())?;
    let grid = array.grid();
    let count = array.chunk_count();
    if !table.has("path") && !table.has("raw") {
        let found: Vec<&str> = table.names().collect();
        let expected = "the columns path, offset, size, raw";
        return Err(Error::malformed("file of references", expected, found.join(", ")));
    }
    let nothing = || vec![None; table.rows()];
    let paths = if table.has("path") { table.text("path")? } else { nothing() };
    let raws = if table.has("raw") { table.bytes("raw")? } else { vec![None; table.rows()] };
    let numbers = |name: &str| {
        if table.has(name) { table.integers(name) } else { Ok(vec![None; table.rows()]) }
    };
    let (offsets, sizes) = (numbers("offset")?, numbers("size")?);
    // The same url again and again is held once.
    let mut urls: HashMap<String, Arc<str>> = HashMap::new();
    let rows = paths.into_iter().zip(raws).zip(offsets.into_iter().zip(sizes));
    for (row, ((path, raw), (offset, size))) in (0_u64..).zip(rows) {
        let index = first.and_then(|first| first.checked_add(row)).filter(|&it| it < count);
        let Some(index) = index else { break };
        let value = match (raw, path) {
            (Some(bytes), _) => Value::Inline(bytes),
            (None, Some(path)) if !path.is_empty() => {
                let url = match urls.get(&path) {
                    Some(url) => Arc::clone(url),
                    None => Arc::clone(urls.entry(path.clone()).or_insert(path.into())),
                };
                let number = |value: Option<i64>| u64::try_from(value.unwrap_or_default());
                match (number(offset), number(size)) {
                    (Ok(0), Ok(0)) => Value::Whole { url },
                    (Ok(offset), Ok(length)) if length > 0 => Value::Range { url, offset, length },
                    _ => {
                        let found = format!("{offset:?}, {size:?} in row {row}");
                        let expected = "an offset from 0 and a size from 1";
                        return Err(Error::malformed("reference", expected, found));
                    }
                }
            }
            _ => continue,
        };
        set.entries.insert(format!("{name}/{}", chunk_id(&grid, index)), value);
    }
    Ok(())
}

/// Refuses names of arrays that lead out of the folder.
fn check_name(name: &str) -> Result<()> {
    let is_plain = !name.contains('\\')
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && !name.is_empty() {
        return Ok(());
    }
    Err(Error::malformed("name of an array", "a path within the folder", name))
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(path, error))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| failed(path, error))?;
    if bytes.len() as u64 > limit {
        let what = "size of a file of references in bytes";
        let found = path.metadata().map_or(limit + 1, |it| it.len());
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found })
            .in_url(path.display().to_string()));
    }
    Ok(bytes)
}

/// Writes references into `folder`, which is there, with `record_size` of them in a file.
/// `progress` is called with the number of arrays done and their total.
///
/// # Errors
/// When metadata in the set is none of Zarr v2, or the folder cannot be written.
pub fn write_parquet(
    set: &ReferenceSet,
    folder: &Path,
    record_size: u32,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<()> {
    let mut metadata = Map::new();
    let mut arrays = BTreeMap::new();
    for (key, value) in &set.entries {
        let Value::Metadata(text) = value else { continue };
        let document = parse_json(text).map_err(|error| error.in_url(key.clone()))?;
        if let Some(array) = key.strip_suffix("/.zarray") {
            let parsed = ZarrArray::parse(&document).map_err(|error| error.in_url(key.clone()))?;
            arrays.insert(array, parsed);
        }
        metadata.insert(key.clone(), document);
    }
    let document = json!({"metadata": Json::Object(metadata), "record_size": record_size});
    let path = folder.join(".zmetadata");
    std::fs::write(&path, document.to_string()).map_err(|error| failed(&path, error))?;
    for (done, (name, array)) in arrays.iter().enumerate() {
        progress(done, arrays.len());
        write_array(set, folder, name, array, record_size.max(1).into())?;
    }
    progress(arrays.len(), arrays.len());
    Ok(())
}

fn write_array(
    set: &ReferenceSet,
    folder: &Path,
    name: &str,
    array: &ZarrArray,
    record_size: u64,
) -> Result<()> {
    check_name(name)?;
    let grid = array.grid();
    let mut records: BTreeMap<u64, Vec<(u64, &Value)>> = BTreeMap::new();
    let prefix = format!("{name}/");
    let chunks =
        set.entries.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
    for (key, value) in chunks {
        // A key that ends with a slash has no place here; others are of nested arrays.
        let id = key.strip_prefix(&prefix).filter(|id| !id.is_empty()).unwrap_or(".");
        if let Some(index) = chunk_index(&grid, id) {
            records.entry(index / record_size).or_default().push((index % record_size, value));
        }
    }
    if records.is_empty() {
        return Ok(());
    }
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    for (record, chunks) in records {
        let rows = record_size.min(array.chunk_count() - record * record_size);
        let path = folder.join(format!("refs.{record}.parq"));
        let to = File::create(&path).map_err(|error| failed(&path, error))?;
        let columns = columns(rows, &chunks)?;
        write(&columns, Compression::ZSTD(Default::default()), BufWriter::new(to))
            .map_err(|error| error.in_url(path.display().to_string()))?;
    }
    Ok(())
}

/// The rows of a record.
fn columns(rows: u64, chunks: &[(u64, &Value)]) -> Result<[Column; 4]> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let (mut path, mut raw) = (vec![None; rows], vec![None; rows]);
    let (mut offset, mut size) = (vec![0_i64; rows], vec![0_i64; rows]);
    for (row, value) in chunks {
        let row = usize::try_from(*row).unwrap_or(usize::MAX);
        let (Some(path), Some(raw), Some(offset), Some(size)) =
            (path.get_mut(row), raw.get_mut(row), offset.get_mut(row), size.get_mut(row))
        else {
            continue;
        };
        let number = |number: u64| {
            i64::try_from(number).map_err(|_| {
                Error::mismatch("offset of a reference", "less than 2^63", number.to_string())
            })
        };
        match value {
            Value::Metadata(text) => *raw = Some(ByteArray::from(text.clone().into_bytes())),
            Value::Inline(bytes) => *raw = Some(ByteArray::from(bytes.clone())),
            Value::Whole { url } => *path = Some(ByteArray::from(&**url)),
            Value::Range { url, offset: first, length } => {
                *path = Some(ByteArray::from(&**url));
                *offset = number(*first)?;
                *size = number(*length)?;
            }
        }
    }
    Ok([
        Column { name: "path", values: Values::Text(path) },
        Column { name: "offset", values: Values::Integers(offset) },
        Column { name: "size", values: Values::Integers(size) },
        Column { name: "raw", values: Values::Bytes(raw) },
    ])
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io { retryable: false })
        .with_source(error)
        .in_url(path.display().to_string())
}
