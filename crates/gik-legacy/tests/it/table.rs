//! Columns of parquet files of several writers, and of files that are none.

use std::sync::Arc;

use bytes::Bytes;
use gik_core::ErrorKind;
use gik_legacy::Table;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::fixture;

fn properties() -> WriterPropertiesBuilder {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    WriterProperties::builder()
        .set_compression(zstd)
        .set_statistics_enabled(EnabledStatistics::None)
}

/// A file of one text column `key`, of which `null` rows come after the others.
fn written(values: &[ByteArray], nulls: usize, properties: WriterProperties) -> Bytes {
    let schema = parse_message_type("message m { optional binary key (STRING); }").unwrap();
    let mut file = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> = (0..values.len() + nulls).map(|i| (i < values.len()).into()).collect();
    column.typed::<ByteArrayType>().write_batch(values, Some(&levels), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    file.into()
}

#[test]
fn columns_of_pyarrow_are_read() {
    let table = Table::open(fixture("gefs/gep01_20250106_00z.parquet")).unwrap();
    assert_eq!((table.rows(), table.names().collect::<Vec<_>>()), (304, vec!["key", "value"]));
    let (keys, values) = (table.text("key").unwrap(), table.bytes("value").unwrap());
    let at = keys.iter().position(|key| key.as_deref() == Some("tp/accum/surface/tp/1.0.0"));
    let value = values[at.unwrap()].as_ref().unwrap();
    assert!(value.ends_with(b"f003\", 25324, 10493]"), "{value:?}");
    let error = table.integers("key").unwrap_err().to_string();
    assert!(error.contains("column 'key': expected integers"), "{error}");
    let error = table.bytes("reference").unwrap_err().to_string();
    assert!(error.contains("'reference' among them, found key, value"), "{error}");
}

#[test]
fn columns_of_fastparquet_are_read() {
    let table = Table::open(fixture("gfs_mapping.fastparquet.parquet")).unwrap();
    assert_eq!(table.rows(), 11);
    let attributes = table.text("attrs").unwrap();
    assert_eq!(attributes[0].as_deref(), Some("PRMSL:mean sea level:21 hour fcst:"));
    let offsets = table.integers("offset_idx").unwrap();
    assert_eq!(offsets[..2], [Some(0), Some(986_627)]);
    assert!(table.bytes("inline_value").unwrap().iter().all(Option::is_none));
}

#[test]
fn nulls_are_of_any_type() {
    let schema = parse_message_type("message m { optional int32 raw (UNKNOWN); }").unwrap();
    let mut file = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[], Some(&[0; 5]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let table = Table::open(file.into()).unwrap();
    assert_eq!(table.bytes("raw").unwrap(), [const { None }; 5]);
    assert_eq!(table.integers("raw").unwrap(), [None; 5]);
    assert_eq!(table.doubles("raw").unwrap(), [None; 5]);
}

#[test]
fn a_million_rows_are_read_as_one_value() {
    let value = ByteArray::from(vec![b'x'; 200]);
    let file = written(&vec![value; 1_000_000], 1000, properties().build());
    assert!(file.len() < 10_000);
    let rows = Table::open(file).unwrap().bytes("key").unwrap();
    assert_eq!(rows.len(), 1_001_000);
    assert_eq!((rows[0].as_ref().unwrap().len(), &rows[1_000_500]), (200, &None));
}

#[test]
fn what_would_not_fit_is_refused() {
    let limit = |file: Bytes| {
        let error = Table::open(file).and_then(|table| table.bytes("key")).unwrap_err();
        match error.kind() {
            ErrorKind::LimitExceeded { what, .. } => *what,
            other => panic!("{other}"),
        }
    };
    let half_a_megabyte = ByteArray::from(vec![b'x'; 1 << 19]);
    // One value, many times: a few kilobytes of file.
    let file = written(&vec![half_a_megabyte.clone(); 600], 0, properties().build());
    assert!(file.len() < 10_000, "{}", file.len());
    assert_eq!(limit(file), "size of a column's values");
    // Pages that decompress to more than what is read.
    let plain = properties().set_dictionary_enabled(false).build();
    let file = written(&vec![half_a_megabyte.clone(); 600], 0, plain);
    assert!(file.len() < 1_000_000, "{}", file.len());
    assert_eq!(limit(file), "size of a column's pages");
    // No values, but many rows.
    assert_eq!(limit(written(&[], 3_000_000, properties().build())), "number of rows");
    // Each value repeats the one before it.
    let repeating =
        properties().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY).build();
    let file = written(&vec![half_a_megabyte; 20], 0, repeating);
    let error = Table::open(file).and_then(|table| table.bytes("key")).unwrap_err();
    assert_eq!(error.to_string(), "unsupported parquet encoding: DELTA_BYTE_ARRAY");
}

#[test]
fn what_is_no_parquet_is_an_error() {
    for bytes in [&b""[..], b"PAR1", b"PAR1PAR1", b"key,value\na,b\n", b"PAR1\xff\xff\xff\xffPAR1"]
    {
        assert!(Table::open(Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
    }
}

/// Reads all that a file has, whatever comes of it.
fn read_all(file: Vec<u8>) -> bool {
    let Ok(table) = Table::open(file.into()) else { return false };
    let names: Vec<String> = table.names().map(str::to_owned).collect();
    names.iter().all(|name| {
        let text = table.bytes(name).is_ok();
        (text | table.integers(name).is_ok()) | table.doubles(name).is_ok()
    })
}

#[test]
fn damaged_files_neither_panic_nor_hang() {
    for name in ["gfs_mapping.fastparquet.parquet", "ecmwf/control.indexmethod.parquet"] {
        let file = fixture(name).to_vec();
        assert!(read_all(file.clone()));
        for end in (0..file.len()).step_by(37) {
            assert!(!read_all(file[..end].to_vec()));
        }
        for at in (0..file.len()).step_by(2) {
            for value in [0x7f, 0xff, file[at].wrapping_add(1)] {
                let mut damaged = file.clone();
                damaged[at] = value;
                read_all(damaged);
            }
        }
    }
}

/// A list of two billion booleans, in a field that nobody knows, keeps the parquet library busy for
/// seconds and takes a few bytes: found by fuzzing.
#[test]
fn lists_that_take_no_bytes_are_refused() {
    let footer = [0x79, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
    let mut file = b"PAR1".to_vec();
    file.extend(footer);
    file.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    file.extend(b"PAR1");
    let error = Table::open(file.into()).unwrap_err().to_string();
    assert!(error.contains("a footer"), "{error}");
}
