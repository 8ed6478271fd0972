//! Writing parquet files of a few columns of text, bytes and integers, as pandas does.

use std::io::Write;
use std::sync::Arc;

use gik_core::{Error, ErrorKind, Result};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{
    SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter,
};
use parquet::schema::parser::parse_message_type;
use serde_json::json;

/// A column and its values, one a row.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) values: Values,
}

/// The values of a column.
pub(crate) enum Values {
    Text(Vec<Option<ByteArray>>),
    Bytes(Vec<Option<ByteArray>>),
    Integers(Vec<i64>),
}

impl Values {
    /// The type in parquet's own words, and what pandas and NumPy call it.
    const fn names(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Text(_) => ("optional binary", " (UTF8)", "unicode", "object"),
            Self::Bytes(_) => ("optional binary", "", "bytes", "object"),
            Self::Integers(_) => ("required int64", "", "int64", "int64"),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(values) | Self::Bytes(values) => values.len(),
            Self::Integers(values) => values.len(),
        }
    }
}

/// Writes columns of equal length as one row group.
///
/// # Errors
/// When `to` cannot be written.
pub(crate) fn write(
    columns: &[Column],
    compression: Compression,
    to: impl Write + Send,
) -> Result<()> {
    written(columns, compression, to)
        .map_err(|error| Error::new(ErrorKind::Io { retryable: false }).with_source(error))
}

fn written(
    columns: &[Column],
    compression: Compression,
    to: impl Write + Send,
) -> parquet::errors::Result<()> {
    let mut schema = "message schema {".to_owned();
    for column in columns {
        let (kind, annotation, ..) = column.values.names();
        schema.push_str(&format!(" {kind} {}{annotation};", column.name));
    }
    schema.push_str(" }");
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![KeyValue::new("pandas".to_owned(), pandas(columns))]))
        .build();
    let schema = Arc::new(parse_message_type(&schema)?);
    let mut file = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for column in columns {
        match &column.values {
            Values::Text(values) | Values::Bytes(values) => {
                let levels: Vec<i16> = values.iter().map(|it| i16::from(it.is_some())).collect();
                let there: Vec<ByteArray> = values.iter().flatten().cloned().collect();
                write_column::<ByteArrayType, _>(&mut group, &there, Some(&levels))?;
            }
            Values::Integers(values) => write_column::<Int64Type, _>(&mut group, values, None)?,
        }
    }
    group.close()?;
    file.close()?;
    Ok(())
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> parquet::errors::Result<()> {
    let missing = || ParquetError::General("a column of the schema is not there".to_owned());
    let mut column: SerializedColumnWriter<'_> = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// What pandas says about a frame whose index is the number of the row.
fn pandas(columns: &[Column]) -> String {
    let rows = columns.first().map_or(0, |column| column.values.len());
    let list: Vec<_> = columns
        .iter()
        .map(|column| {
            let (.., pandas_type, numpy_type) = column.values.names();
            json!({
                "name": column.name,
                "field_name": column.name,
                "pandas_type": pandas_type,
                "numpy_type": numpy_type,
                "metadata": null,
            })
        })
        .collect();
    json!({
        "index_columns": [
            {"kind": "range", "name": null, "start": 0, "stop": rows, "step": 1},
        ],
        "column_indexes": [{
            "name": null,
            "field_name": null,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }],
        "columns": list,
        "creator": {"library": "gik", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.3.0",
    })
    .to_string()
}
