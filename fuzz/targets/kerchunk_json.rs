//! Kerchunk's JSON: any text is read or refused; what is read comes back from what is written, and
//! becomes a manifest or is refused without taking much memory.
#![no_main]

use gik_fuzz::peak;
use gik_legacy::kerchunk::{read_json_limited, write_json};
use libfuzzer_sys::fuzz_target;

/// A short text can ask for many references, and for a million chunks of which none is there:
/// 16 bytes each.
const MEMORY: usize = 128 << 20;
/// References where some are generated: two million would take more than a second.
const LIMIT: u64 = 10_000;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (read, taken) = peak(|| read_json_limited(text, LIMIT));
    assert!(taken < MEMORY, "{taken} bytes to read");
    let set = match read {
        Ok(set) => set,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut written = Vec::new();
    write_json(&set, &mut written).unwrap();
    assert_eq!(read_json_limited(std::str::from_utf8(&written).unwrap(), LIMIT).unwrap(), set);
    let (made, taken) = peak(|| set.to_manifest());
    assert!(taken < MEMORY, "{taken} bytes for a manifest");
    if let Err(error) = made {
        assert!(!error.to_string().is_empty());
    }
});
