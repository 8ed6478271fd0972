//! Scanning: every field, from headers alone, whatever lies between and behind the messages.

use std::sync::Arc;

use gik_codec::scan::{Scan, scan};
use gik_core::{ErrorKind, ObjectStoreRegistry, Result, SourceReader};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use url::Url;

use crate::fixtures::{self, message};

/// Scans bytes as if they lay on a server, whose requests take their time.
fn scan_bytes(bytes: Vec<u8>, hints: &[u64]) -> (Result<Scan>, u64) {
    let size = bytes.len() as u64;
    let work = async {
        let store = InMemory::new();
        store.put(&"x.grib2".into(), bytes.into()).await.unwrap();
        let root = Url::parse("https://server.example/").unwrap();
        let mut stores = ObjectStoreRegistry::default();
        stores.register(&root, Arc::new(store)).unwrap();
        let reader = SourceReader::new(stores);
        let found = scan(&reader, &root.join("x.grib2").unwrap(), size, hints).await;
        (found, reader.range_bytes())
    };
    futures::executor::block_on(work)
}

/// A message that says that it is longer, filled with zeros in its data section.
fn stretched(name: &str, length: usize) -> Vec<u8> {
    let mut bytes = message(name);
    let extra = length - bytes.len();
    bytes.truncate(bytes.len() - 4);
    // Section 7 is the last: its length follows from those before it.
    let mut at = 16;
    loop {
        let section = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if bytes[at + 4] == 7 {
            let longer = u32::try_from(section + extra).unwrap();
            bytes[at..at + 4].copy_from_slice(&longer.to_be_bytes());
            break;
        }
        at += section;
    }
    bytes.resize(bytes.len() + extra, 0);
    bytes.extend(b"7777");
    let total = (bytes.len() as u64).to_be_bytes();
    bytes[8..16].copy_from_slice(&total);
    bytes
}

/// A message of two fields: the second has sections 4 to 7 of its own.
fn with_submessage() -> Vec<u8> {
    let mut bytes = message("simple");
    let mut at = 16;
    while bytes[at + 4] != 4 {
        at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    let again = bytes[at..].to_vec();
    bytes.truncate(bytes.len() - 4);
    bytes.extend(again);
    let total = (bytes.len() as u64).to_be_bytes();
    bytes[8..16].copy_from_slice(&total);
    bytes
}

#[test]
fn real_messages_are_what_eccodes_says() {
    let (found, _) = scan_bytes(message("gefs_soilw"), &[]);
    let found = found.unwrap();
    assert_eq!((found.messages, found.fields.len(), found.problems.len()), (1, 1, 0));
    let field = &found.fields[0];
    assert_eq!(
        field.to_wgrib2(None),
        "1:0:d=2025010100:SOILW:0-0.1 m below ground:3 hour fcst:ENS=low-res ctl"
    );
    assert_eq!(field.grid.shape, Some([361, 720]));
    assert_eq!((field.packing.template, field.packing.has_bitmap), (3, true));
    assert_eq!(
        (field.grid_type(), field.packing_type()),
        (Some("regular_ll"), Some("grid_complex_spatial_differencing"))
    );

    let (found, _) = scan_bytes(message("s2s_ten_messages"), &[]);
    let found = found.unwrap();
    let texts: Vec<&str> = found.fields.iter().map(|field| field.qualifiers.as_str()).collect();
    assert_eq!((texts.len(), texts[0], texts[2]), (10, "ens mean", "1% level"));
    assert_eq!(found.fields[0].window.unwrap().to_string(), "0-1 day min fcst");
}

#[test]
fn submessages_are_listed_each() {
    let bytes = [with_submessage(), message("simple")].concat();
    let first = with_submessage().len() as u64;
    let found = scan_bytes(bytes, &[]).0.unwrap();
    let places: Vec<_> =
        found.fields.iter().map(|it| (it.message, it.submessage, it.offset)).collect();
    assert_eq!(places, [(1, Some(1), 0), (1, Some(2), 0), (2, None, first)]);
    assert!(found.to_wgrib2(|_| None).lines().nth(1).unwrap().starts_with("1.2:0:d="));
}

#[test]
fn damage_costs_what_it_touches() {
    let one = message("simple");
    let junk = vec![b'G'; 3000];
    let mut broken = message("complex");
    broken[16 + 21 + 4] = 9; // the number of section 3
    let edition1 = fixtures::bytes("ecmwf_soil.grib1");
    let mut bytes = [one.clone(), junk, broken, one.clone(), edition1].concat();
    let cut = message("complex");
    bytes.extend(&cut[..cut.len() - 10]);
    let found = scan_bytes(bytes, &[]).0.unwrap();
    assert_eq!(found.fields.len(), 2);
    let text = found.problems.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n");
    for part in ["no GRIB message", "cannot be used", "edition 1", "cut, or still being written"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The index keeps the places of what could not be used: they end the messages before.
    let index = found.to_wgrib2(|_| None);
    assert!(index.lines().any(|line| line.starts_with(&format!("0:{}:unusable", one.len()))));
}

#[test]
fn what_is_no_grib_file_is_refused() {
    for bytes in [vec![0; 100], vec![b'x'; 1 << 20], b"GRI".to_vec()] {
        let error = scan_bytes(bytes, &[]).0.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
        assert_eq!(error.url(), Some("https://server.example/x.grib2"));
    }
    assert!(scan_bytes(Vec::new(), &[]).0.is_err());
}

/// Of 40 MB less than two hundredths are read, with hints much less; the answer is the same.
#[test]
fn little_is_read_and_hints_change_nothing() {
    let names = ["simple", "complex", "second_order", "ccsds_8"];
    let mut bytes = Vec::new();
    let mut offsets = Vec::new();
    for number in 0..60_usize {
        offsets.push(bytes.len() as u64);
        let name = names[number % names.len()];
        match number % 5 {
            0 => bytes.extend(message(name)),
            some => bytes.extend(stretched(name, 300_000 * some + 1117 * number)),
        }
    }
    let size = bytes.len() as u64;
    let (plain, read) = scan_bytes(bytes.clone(), &[]);
    let plain = plain.unwrap();
    assert_eq!(plain.fields.iter().map(|it| it.offset).collect::<Vec<_>>(), offsets);
    assert!(read * 45 < size, "{read} of {size}");
    let (hinted, read) = scan_bytes(bytes.clone(), &offsets);
    assert_eq!(hinted.unwrap(), plain);
    assert!(read * 200 < size, "{read} of {size}");
    // Hints that are wrong, by one, past the end, within data.
    let wrong: Vec<u64> = offsets.iter().map(|offset| offset + 1).chain([size, u64::MAX]).collect();
    assert_eq!(scan_bytes(bytes, &wrong).0.unwrap(), plain);
}

/// A message within the data of another is none of the file's.
#[test]
fn messages_within_data_are_passed_over() {
    let mut outer = stretched("simple", 30 << 20);
    let inner = message("complex");
    for place in [7 << 20, 14 << 20, 15 << 20, 22 << 20] {
        outer[place..place + inner.len()].copy_from_slice(&inner);
    }
    let length = outer.len() as u64;
    let bytes = [outer, message("simple")].concat();
    for hints in [&[][..], &[7 << 20, 14 << 20]] {
        let found = scan_bytes(bytes.clone(), hints).0.unwrap();
        let offsets: Vec<u64> = found.fields.iter().map(|field| field.offset).collect();
        assert_eq!((offsets, found.problems.len()), (vec![0, length], 0));
    }
}

/// What is hidden between bytes that are none is found, and the bytes are read a few times for each
/// message there can be: found by fuzzing.
#[test]
fn many_messages_between_junk_are_not_read_over_and_over() {
    // Section 0, the first octets of section 1, and a byte that belongs to nothing.
    let mut tiny = b"GRIB\0\0\0\x02\0\0\0\0\0\0\0\x16".to_vec();
    tiny.extend(b"\0\0\0\x15\x01\0x");
    let bytes = tiny.repeat(5000);
    let size = bytes.len() as u64;
    let (found, read) = scan_bytes(bytes, &[]);
    let found = found.unwrap();
    assert_eq!(found.problems.len(), 100, "no section 1 is whole: each is a problem");
    assert!(read <= 64 * 1024 + 40 * size, "{read} of {size}");
}

/// A message that is cut short is not read on in the next one, whatever came in one request: found
/// by fuzzing.
#[test]
fn a_message_ends_where_it_says() {
    let whole = message("simple");
    // Between the length of section 3 and its number.
    let length = 16 + 21 + 4;
    let mut short = whole[..length].to_vec();
    short[8..16].copy_from_slice(&(length as u64).to_be_bytes());
    let bytes = [short, whole].concat();
    for hints in [&[][..], &[length as u64]] {
        let found = scan_bytes(bytes.clone(), hints).0.unwrap();
        let problems: Vec<_> = found.problems.iter().map(|it| it.text.as_str()).collect();
        let text = format!(
            "message 1 cannot be used: truncated: 5 bytes needed, 4 there [at byte {}]",
            length - 4
        );
        assert_eq!(problems, [text]);
        assert_eq!(found.fields.len(), 1);
    }
}
