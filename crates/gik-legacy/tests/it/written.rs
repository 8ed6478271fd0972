//! Files that tests write: tables of two columns, and archives.

use std::sync::Arc;

use bytes::Bytes;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// A table of keys and values.
pub(crate) fn kv(rows: &[(&str, &[u8])]) -> Bytes {
    let schema = "message m { optional binary key (STRING); optional binary value; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let levels = vec![1; rows.len()];
    let mut write = |values: Vec<ByteArray>| {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
    };
    write(rows.iter().map(|(key, _)| ByteArray::from(*key)).collect());
    write(rows.iter().map(|(_, value)| ByteArray::from(value.to_vec())).collect());
    group.close().unwrap();
    writer.close().unwrap();
    file.into()
}
