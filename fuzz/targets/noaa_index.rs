//! NOAA's `.idx`: any bytes give entries and diagnostics, and ranges within the file.
#![no_main]

use gik_index::noaa::{self, Expectations};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let index = noaa::parse(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').count();
    assert!(index.entries.len() <= lines);
    for diagnostic in &index.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
    }
    for entry in &index.entries {
        for qualifier in entry.qualifiers() {
            let _ = format!("{qualifier:?}");
        }
        let _ = entry.member();
        if let Some(level) = entry.level.value {
            assert_eq!(level.to_string().parse().ok(), Some(level));
        }
    }
    let size = u64::from(u16::MAX);
    let ranges = index.ranges(Some(size));
    assert_eq!(ranges.len(), index.entries.len());
    for range in ranges {
        if let Some(length) = range.length {
            assert!(range.offset.checked_add(length.get()).is_some_and(|end| end <= size));
        }
    }
    let _ = index.ranges(None);
    for problem in index.check(&Expectations::default()) {
        assert!(!problem.to_string().is_empty());
    }
});
