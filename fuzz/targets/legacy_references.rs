//! References of the older workflow: any bytes as a table of keys and values, as JSON and as a
//! Python literal give references or an error, and what a value is read as does not allocate
//! beyond what is there.
#![no_main]

use bytes::Bytes;
use gik_fuzz::peak;
use gik_legacy::{KeyValueFile, Table, Value, parse_json, parse_python, strict_json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        // What was read is strict JSON from then on.
        if parse_json(text).is_ok() {
            assert!(serde_json::from_str::<serde_json::Value>(&strict_json(text)).is_ok());
        }
        let _ = parse_python(text);
        for key in ["a/0", "a/.zarray"] {
            let (value, used) = peak(|| Value::of_text(key, text));
            assert!(used <= 64 * bytes.len() + (64 << 10), "{used} bytes");
            if let Ok(Value::Range { offset, length, .. }) = value {
                assert!(offset.checked_add(length).is_some() && length > 0);
            }
        }
    }
    let file = Bytes::copy_from_slice(bytes);
    if let Ok(table) = Table::open(file.clone()) {
        let names: Vec<String> = table.names().map(str::to_owned).collect();
        for name in names {
            for rows in [table.integers(&name).map(|it| it.len()), table.bytes(&name).map(|it| it.len())]
            {
                assert!(rows.is_err() || rows.is_ok_and(|rows| rows == table.rows()));
            }
        }
    }
    if let Ok(read) = KeyValueFile::read(file) {
        assert!(read.references.entries.len() as u64 <= read.rows);
        assert!(read.references.entries.keys().all(|key| !key.ends_with('/')));
    }
});
