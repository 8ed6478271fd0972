//! Tables of two columns in all their layouts, held against what their writers put in.

use std::collections::BTreeSet;

use bytes::Bytes;
use gik_legacy::{KeyValueFile, ReferenceSet, Value};

use crate::fixture;
use crate::written::kv;

fn read(name: &str) -> KeyValueFile {
    let file = KeyValueFile::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((&file.problems[..], file.problem_count), (&[][..], 0), "{name}");
    file
}

fn ranges(set: &ReferenceSet) -> usize {
    set.entries.values().filter(|value| matches!(value, Value::Range { .. })).count()
}

/// The first numbers of the chunks of an array that are references.
fn numbers(set: &ReferenceSet, path: &str) -> Vec<u32> {
    let ids = set.below(path).filter(|(_, value)| matches!(value, Value::Range { .. }));
    let first = |key: &str| key[path.len()..].split('.').next().unwrap().parse().unwrap();
    let numbers: BTreeSet<u32> = ids.map(|(key, _)| first(key)).collect();
    numbers.into_iter().collect()
}

fn range(set: &ReferenceSet, key: &str) -> (String, u64, u64) {
    match &set.entries[key] {
        Value::Range { url, offset, length } => (url.to_string(), *offset, *length),
        other => panic!("{key}: {other:?}"),
    }
}

const GEFS: &str = "s3://noaa-gefs-pds/gefs.20250106/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25";

#[test]
fn a_member_of_gefs() {
    let file = read("gefs/gep01_20250106_00z.parquet");
    assert_eq!((file.rows, file.slashes, ranges(&file.references)), (304, 8, 79));
    let set = &file.references;
    assert_eq!(numbers(set, "tp/accum/surface/tp/"), (1..=9).collect::<Vec<_>>());
    let t2m = "t2m/instant/heightAboveGround/t2m/";
    assert_eq!(numbers(set, t2m), (0..=9).collect::<Vec<_>>());
    let expected = (format!("{GEFS}.f003"), 25_324, 10_493);
    assert_eq!(range(set, "tp/accum/surface/tp/1.0.0"), expected);
    assert_eq!(range(set, &format!("{t2m}0.0.0")), (format!("{GEFS}.f000"), 12_645, 2529));
    // What was under a key that ends with a slash is the first chunk.
    assert!(set.entries.keys().all(|key| !key.ends_with('/')));
    let level = &set.entries["t2m/instant/heightAboveGround/heightAboveGround/0"];
    assert_eq!(level, &Value::Inline(Bytes::copy_from_slice(&1.0_f64.to_le_bytes())));
}

#[test]
fn a_member_that_lacks_a_step() {
    let file = read("gefs/gep02_20250106_00z.parquet");
    assert_eq!((file.rows, ranges(&file.references)), (296, 71));
    for array in ["tp/accum/surface/tp/", "t2m/instant/heightAboveGround/t2m/"] {
        assert!(!numbers(&file.references, array).contains(&4), "{array}");
    }
}

#[test]
fn two_rows_hold_a_store_as_python_prints_it() {
    let file = read("gefs/gep02_old2row.par");
    let rows = read("gefs/gep02_20250106_00z.parquet").references;
    assert_eq!((file.junk, ranges(&file.references)), (1, 71));
    for (key, value) in &rows.entries {
        match value {
            Value::Range { .. } => {
                assert_eq!(file.references.entries.get(key), Some(value), "{key}")
            }
            Value::Inline(_) => assert!(file.references.entries.contains_key(key), "{key}"),
            _ => {}
        }
    }
}

#[test]
fn members_of_ecmwf_by_way_of_the_template() {
    for (name, rows, references) in [("control", 746, 27), ("ens_01", 746, 27), ("ens_13", 743, 24)]
    {
        let file = read(&format!("ecmwf/fast/stage3_{name}_final.parquet"));
        assert_eq!(
            (file.rows, file.junk, ranges(&file.references)),
            (rows, 2, references),
            "{name}"
        );
    }
    let set = read("ecmwf/fast/stage3_control_final.parquet").references;
    let url = "s3://ecmwf-forecasts/20260106/00z/ifs/0p25/enfo/20260106000000-24h-enfo-ef";
    assert_eq!(range(&set, "step_024/tp/sfc/control/0.0.0"), (url.to_owned(), 0, 10_878));
}

#[test]
fn members_of_ecmwf_by_way_of_two_scanned_files() {
    for (name, rows, references) in
        [("control", 1399, 242), ("ens_01", 1399, 242), ("ens_13", 988, 35)]
    {
        let file = read(&format!("ecmwf/zip/stage3_{name}_final.parquet"));
        assert_eq!((file.rows, ranges(&file.references)), (rows, references), "{name}");
    }
    let set = read("ecmwf/zip/stage3_ens_01_final.parquet").references;
    // Whole messages stand in the place of references.
    let inline = set.entries.values().filter(|value| match value {
        Value::Inline(bytes) => bytes.starts_with(b"GRIB"),
        _ => false,
    });
    assert!(inline.count() > 0);
}

#[test]
fn the_column_may_be_called_reference() {
    let file = read("ecmwf/control.indexmethod.parquet");
    assert!(file.junk > 0 && ranges(&file.references) > 0);
}

#[test]
fn rows_that_cannot_be_used_are_told_and_the_rest_is_read() {
    let rows: &[(&str, &[u8])] = &[
        ("a/0", br#"["s3://b/k", 1, 2]"#),
        ("a/1", br#"["s3://b/k", -1, 2]"#),
        ("a/2", b"base64:?"),
        ("a/.zattrs", b"\xff"),
        ("a/3", b"\xff\xfe"),
        ("a/0", br#"["s3://b/k", 3, 4]"#),
    ];
    let file = KeyValueFile::read(kv(rows)).unwrap();
    assert_eq!((file.rows, file.problem_count), (6, 3));
    assert!(file.problems[0].starts_with("row 1, key 'a/1'"), "{:?}", file.problems);
    assert!(file.problems[1].starts_with("row 2, key 'a/2'"), "{:?}", file.problems);
    assert!(file.problems[2].starts_with("row 3, key 'a/.zattrs'"), "{:?}", file.problems);
    // The last of two rows with one key counts.
    assert_eq!(range(&file.references, "a/0"), ("s3://b/k".to_owned(), 3, 4));
    assert_eq!(file.references.entries["a/3"], Value::Inline(Bytes::from_static(b"\xff\xfe")));
}

#[test]
fn a_million_rows_of_junk_are_passed_over() {
    let rows: Vec<(String, &[u8])> =
        (0..1_000_000).map(|row| (format!("junk{row}/0"), &b"base64:?"[..])).collect();
    let rows: Vec<(&str, &[u8])> = rows.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let file = KeyValueFile::read(kv(&rows)).unwrap();
    assert_eq!((file.rows, file.problem_count), (1_000_000, 1_000_000));
    assert!(file.problems.len() < 100 && file.references.entries.is_empty());
}

#[test]
fn other_tables_are_refused_with_their_columns() {
    let error = KeyValueFile::read(fixture("gfs_mapping.fastparquet.parquet")).unwrap_err();
    assert!(error.to_string().contains("gik import --template"), "{error}");
    let error = KeyValueFile::read(Bytes::from_static(b"key,value\n")).unwrap_err();
    assert!(error.to_string().contains("malformed parquet file"), "{error}");
    for store in ["{'a': spam}", "[1, 2]", "{\"a\": ", "not a dictionary"] {
        let rows: &[(&str, &[u8])] = &[("refs", store.as_bytes()), ("version", b"1")];
        assert!(KeyValueFile::read(kv(rows)).is_err(), "{store}");
    }
    let rows: &[(&str, &[u8])] = &[
        (
            "refs",
            br#"{"refs": {"a/0": ["s3://b/k", NaN, 2], "b/.zarray":
        {"fill_value": NaN}}, "version": 1}"#,
        ),
        ("version", b"1"),
    ];
    let file = KeyValueFile::read(kv(rows)).unwrap();
    assert_eq!((file.rows, file.problem_count), (2, 1));
    assert_eq!(file.references.object("b/.zarray").unwrap()["fill_value"], "NaN");
}
