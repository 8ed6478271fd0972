//! The columns of a parquet file, whoever wrote it.
//!
//! pandas has written the same tables with several engines: text is `string`, `large_string`,
//! `string_view` or a dictionary of these, and a column of nothing but nulls has a type of its
//! own. In parquet all of these are byte arrays, or nulls of some type: a column is asked for by
//! its name and by what is wanted of it, and its own type is of no account.

mod pages;
mod thrift;

use bytes::Bytes;
use gik_core::{Error, ErrorKind, Result, contain};
use parquet::basic::{Repetition, Type};
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};

/// The most rows that are read.
pub const ROWS_LIMIT: u64 = 2_000_000;
/// The most bytes of the values of a column, and of its pages once they are decompressed.
pub const COLUMN_LIMIT: u64 = 256 << 20;
/// The longest footer that is read: what it describes takes some hundred times its length in
/// memory. Real ones have a few kilobytes.
const FOOTER_LIMIT: u64 = 1 << 20;
/// How deep the structures of a footer may be nested: those of columns are eight deep.
const FOOTER_DEPTH: u8 = 16;
/// Rows read at once.
const BATCH: usize = 8192;

/// An open parquet file. Columns are read when they are asked for.
///
/// Sizes are checked before anything is allocated for them, and a panic of the parquet library
/// becomes an error.
pub struct Table {
    file: Bytes,
    reader: SerializedFileReader<Bytes>,
    names: Vec<String>,
    rows: usize,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("names", &self.names).field("rows", &self.rows).finish()
    }
}

impl Table {
    /// Opens a file of which these are the bytes.
    ///
    /// # Errors
    /// When it is no parquet file, or has more than [`ROWS_LIMIT`] rows.
    pub fn open(file: Bytes) -> Result<Self> {
        check_footer(&file)?;
        let reader = contained(|| SerializedFileReader::new(file.clone()))?;
        let metadata = reader.metadata();
        let names = (metadata.file_metadata().schema_descr().columns().iter())
            .map(|column| column.path().string())
            .collect();
        let mut rows: u64 = 0;
        for group in metadata.row_groups() {
            let count = u64::try_from(group.num_rows()).map_err(|_| {
                Error::malformed("parquet file", "rows", format!("{} of them", group.num_rows()))
            })?;
            rows = rows.saturating_add(count);
        }
        limited("number of rows", ROWS_LIMIT, rows)?;
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(Self { file, reader, names, rows })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The names of the columns, those of nested ones with dots, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Whether there is a column of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|other| other == name)
    }

    /// A column of text or bytes, row by row; `None` where it is null.
    ///
    /// # Errors
    /// When there is no such column, it holds something else, its values take more than
    /// [`COLUMN_LIMIT`] bytes, or the file is damaged.
    pub fn bytes(&self, name: &str) -> Result<Vec<Option<Bytes>>> {
        let column = self.column(name)?;
        match self.physical_type(column) {
            Type::BYTE_ARRAY => {
                self.read::<ByteArrayType, _>(column, ByteArray::len, Bytes::from_owner)
            }
            Type::FIXED_LEN_BYTE_ARRAY => self.read::<FixedLenByteArrayType, _>(
                column,
                |it| it.len(),
                |it| Bytes::from_owner(ByteArray::from(it)),
            ),
            other => self.nulls(column, other, "text or bytes"),
        }
    }

    /// A column of text, row by row; `None` where it is null.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when a row is no UTF-8; the text says which.
    pub fn text(&self, name: &str) -> Result<Vec<Option<String>>> {
        let rows = (0_u64..).zip(self.bytes(name)?);
        let text = |(row, bytes): (u64, Option<Bytes>)| {
            let text = bytes.map(|bytes| String::from_utf8(bytes.to_vec()));
            text.transpose().map_err(|error| {
                let what = format!("row {row} of column '{name}'");
                Error::mismatch(what, "text in UTF-8", "other bytes").with_source(error)
            })
        };
        rows.map(text).collect()
    }

    /// A column of integers, row by row; `None` where it is null. Dates and times are counts of
    /// whatever unit they were written in.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn integers(&self, name: &str) -> Result<Vec<Option<i64>>> {
        let column = self.column(name)?;
        match self.physical_type(column) {
            Type::INT64 => self.read::<Int64Type, _>(column, |_| 0, |it| it),
            Type::INT32 => self.read::<Int32Type, _>(column, |_| 0, i64::from),
            other => self.nulls(column, other, "integers"),
        }
    }

    /// A column of numbers, row by row; `None` where it is null. Integers beyond 2⁵³ are rounded.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub fn doubles(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let column = self.column(name)?;
        match self.physical_type(column) {
            Type::DOUBLE => self.read::<DoubleType, _>(column, |_| 0, |it| it),
            Type::FLOAT => self.read::<FloatType, _>(column, |_| 0, f64::from),
            Type::INT64 => self.read::<Int64Type, _>(column, |_| 0, |it| it as f64),
            Type::INT32 => self.read::<Int32Type, _>(column, |_| 0, f64::from),
            other => self.nulls(column, other, "numbers"),
        }
    }

    /// The position of a column.
    fn column(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|other| other == name).ok_or_else(|| {
            let found = match self.names.is_empty() {
                true => "none".to_owned(),
                false => self.names.iter().take(20).cloned().collect::<Vec<_>>().join(", "),
            };
            Error::mismatch("columns", format!("'{name}' among them"), found)
        })
    }

    fn physical_type(&self, column: usize) -> Type {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        schema.column(column).physical_type()
    }

    /// The rows of a column that holds something else than what was asked for: no error where
    /// all of them are null.
    fn nulls<R: Clone>(&self, column: usize, found: Type, wanted: &str) -> Result<Vec<Option<R>>> {
        let are_null = match found {
            Type::BOOLEAN => self.are_null::<BoolType>(column),
            Type::INT32 => self.are_null::<Int32Type>(column),
            Type::INT64 => self.are_null::<Int64Type>(column),
            Type::FLOAT => self.are_null::<FloatType>(column),
            Type::DOUBLE => self.are_null::<DoubleType>(column),
            Type::BYTE_ARRAY => self.are_null::<ByteArrayType>(column),
            Type::FIXED_LEN_BYTE_ARRAY => self.are_null::<FixedLenByteArrayType>(column),
            Type::INT96 => Ok(false),
        };
        if are_null? {
            return Ok(vec![None; self.rows]);
        }
        Err(Error::mismatch(self.title(column), wanted, format!("values of type {found}")))
    }

    fn are_null<T: DataType>(&self, column: usize) -> Result<bool> {
        let rows = self.read::<T, _>(column, |_| 0, |_| ())?;
        Ok(rows.iter().all(Option::is_none))
    }

    fn title(&self, column: usize) -> String {
        format!("column '{}'", self.names.get(column).map_or("", String::as_str))
    }

    /// A column, row by row. `length` is what a value counts for in [`COLUMN_LIMIT`].
    fn read<T: DataType, R>(
        &self,
        column: usize,
        length: impl Fn(&T::T) -> usize,
        convert: impl Fn(T::T) -> R,
    ) -> Result<Vec<Option<R>>> {
        let metadata = self.reader.metadata();
        let schema = metadata.file_metadata().schema_descr().column(column);
        if schema.max_rep_level() > 0 || schema.max_def_level() > 1 {
            return Err(Error::mismatch(self.title(column), "values", "lists or structures"));
        }
        let is_optional = schema.self_type().get_basic_info().repetition() != Repetition::REQUIRED;
        let mut rows: Vec<Option<R>> = Vec::new();
        let (mut total, mut pages) = (0_u64, COLUMN_LIMIT);
        for group in 0..metadata.num_row_groups() {
            let chunk = contained(|| {
                let chunk = metadata.row_group(group).column(column);
                let (start, length) = chunk.byte_range();
                self.file.get_bytes(start, usize::try_from(length).unwrap_or(usize::MAX))
            })?;
            pages::check(&chunk, &mut pages)?;
            let mut reader: ColumnReaderImpl<T> = contained(|| {
                let group = self.reader.get_row_group(group)?;
                Ok(get_typed_column_reader::<T>(group.get_column_reader(column)?))
            })?;
            loop {
                let (mut values, mut levels) = (Vec::new(), Vec::new());
                let levels_wanted = is_optional.then_some(&mut levels);
                let (read, ..) =
                    contained(|| reader.read_records(BATCH, levels_wanted, None, &mut values))?;
                if read == 0 {
                    break;
                }
                total += values.iter().map(|value| length(value) as u64).sum::<u64>();
                limited("size of a column's values", COLUMN_LIMIT, total)?;
                let mut values = values.into_iter().map(&convert);
                match is_optional {
                    true => rows.extend(
                        levels.iter().map(|&level| if level > 0 { values.next() } else { None }),
                    ),
                    false => rows.extend(values.map(Some)),
                }
                limited("number of rows", self.rows as u64, rows.len() as u64)?;
            }
        }
        if rows.len() != self.rows {
            return Err(Error::mismatch(
                self.title(column),
                format!("{} rows", self.rows),
                rows.len().to_string(),
            ));
        }
        Ok(rows)
    }
}

/// Checks that the file ends as parquet files do (Parquet format, "File format"), how long its
/// footer is, and that it is one (`parquet.thrift`, `FileMetaData`).
fn check_footer(file: &Bytes) -> Result<()> {
    let malformed = |found: &str| Error::malformed("parquet file", "PAR1 at both ends", found);
    if file.is_empty() {
        return Err(malformed("an empty file"));
    }
    let Some((_, tail)) = file.split_last_chunk::<8>() else {
        return Err(malformed("a few bytes"));
    };
    let [a, b, c, d, magic @ ..] = *tail;
    if magic != *b"PAR1" || !file.starts_with(b"PAR1") {
        return Err(malformed("other bytes: it is something else, or was cut off"));
    }
    let length = u32::from_le_bytes([a, b, c, d]);
    limited("length of the footer", FOOTER_LIMIT, u64::from(length))?;
    let end = file.len() - 8;
    let footer = end.checked_sub(usize::try_from(length).unwrap_or(usize::MAX));
    let mut footer = footer.and_then(|start| file.get(start..end)).unwrap_or_default();
    thrift::skip(&mut footer, thrift::STRUCT, FOOTER_DEPTH)
        .ok_or_else(|| Error::malformed("parquet file", "a footer", "other bytes at its end"))
}

fn limited(what: &'static str, limit: u64, found: u64) -> Result<()> {
    if found > limit {
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found }));
    }
    Ok(())
}

fn contained<R>(read: impl FnOnce() -> Result<R, ParquetError>) -> Result<R> {
    contain("the parquet reader", read)?.map_err(|error| {
        Error::malformed("parquet file", "a readable one", error.to_string()).with_source(error)
    })
}
