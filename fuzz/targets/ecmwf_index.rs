//! ECMWF's `.index`: any bytes give entries and diagnostics, and each line the same entry by
//! itself as among others.
#![no_main]

use gik_index::ecmwf::{self, DIAGNOSTICS_KEPT};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let index = ecmwf::parse(bytes);
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let told = index.entries.len() + index.diagnostics.len() + index.diagnostics_left_off;
    assert!(told <= lines.len());
    assert!(index.diagnostics.len() <= DIAGNOSTICS_KEPT);
    for diagnostic in &index.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
    }
    let _ = index.end();
    // What a line is read as does not depend on what was remembered of the lines before.
    for entry in &index.entries {
        assert!(entry.length > 0);
        let line = lines[entry.line as usize - 1];
        let alone = ecmwf::parse(line);
        let mut expected = entry.clone();
        expected.line = 1;
        assert_eq!(alone.entries, [expected]);
    }
});
