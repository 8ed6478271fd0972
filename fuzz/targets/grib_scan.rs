//! Scanning: a file of any bytes, as one at hand and as one that is far away.
#![no_main]

use std::sync::Arc;

use gik_codec::scan::{Scan, scan};
use gik_core::{ObjectStoreRegistry, SourceReader};
use libfuzzer_sys::fuzz_target;
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutPayload};
use url::Url;

/// Scans the bytes below `root`; how many were read.
fn scan_below(root: &str, bytes: &[u8], hints: &[u64]) -> (Option<Scan>, u64) {
    futures::executor::block_on(async {
        let store = InMemory::new();
        let payload = PutPayload::from(bytes.to_vec());
        store.put(&"x".into(), payload).await.expect("memory holds it");
        let root = Url::parse(root).expect("a url");
        let mut stores = ObjectStoreRegistry::default();
        stores.register(&root, Arc::new(store)).expect("a prefix");
        let reader = SourceReader::new(stores);
        let url = root.join("x").expect("a url");
        let found = scan(&reader, &url, bytes.len() as u64, hints).await;
        (found.ok(), reader.range_bytes())
    })
}

fuzz_target!(|bytes: &[u8]| {
    let (near, read) = scan_below("file:///f/", bytes, &[]);
    // Whatever the bytes say, they are read a few times at most for each message there can be.
    assert!(read <= 64 * 1024 + 40 * bytes.len() as u64, "{read} of {}", bytes.len());
    // Where walkers start changes nothing.
    let hints: Vec<u64> =
        bytes.iter().take(8).map(|&it| u64::from(it) * bytes.len() as u64 / 200).collect();
    let (far, _) = scan_below("http://h/", bytes, &hints);
    assert_eq!(near, far);
    let Some(found) = near else { return };
    // Messages and what is none follow each other and cover the file.
    let mut places: Vec<(u64, u64)> = found.problems.iter().map(|it| (it.offset, it.length)).collect();
    places.extend(found.fields.iter().map(|it| (it.offset, it.length)));
    places.sort_unstable();
    places.dedup();
    if found.problems.len() < 100 {
        let mut end = 0;
        for (offset, length) in places {
            assert_eq!(offset, end);
            end = offset.saturating_add(length);
        }
        assert!(end >= bytes.len() as u64);
    }
    let index = found.to_wgrib2(|_| None);
    assert_eq!(index.lines().count(), found.fields.len() + found.problems.len());
    let _ = found.to_json().to_string();
    for field in &found.fields {
        if let Some(name) = field.name_of_numbers() {
            assert!(name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_'));
        }
    }
});
