//! Kerchunk's JSON and parquet: what kerchunk wrote is read, what is written is read back, and
//! what is hostile is refused.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gik_legacy::kerchunk::{is_parquet_folder, read_json, read_parquet, write_json, write_parquet};
use gik_legacy::{ReferenceSet, Value, inputs};
use serde_json::json;

use crate::fixture;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kerchunk").join(name)
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name).to_vec()).unwrap()
}

/// The chunks, and the metadata as values.
fn content(set: &ReferenceSet) -> Vec<(String, Result<serde_json::Value, Value>)> {
    let entries = set.entries.iter().map(|(key, value)| {
        let value = match value {
            Value::Metadata(text) => {
                let mut document = gik_legacy::parse_json(text).unwrap();
                // Its last digits depend on who wrote it.
                document.as_object_mut().unwrap().remove("GRIB_missingValue");
                Ok(document)
            }
            other => Err(other.clone()),
        };
        (key.clone(), value)
    });
    entries.collect()
}

/// Checks that both hold the same; the text names the first key that differs.
#[track_caller]
fn assert_same(found: &ReferenceSet, expected: &ReferenceSet, what: &str) {
    // Parquet has no place for a scalar's key that ends with a slash.
    let keys = |set: &ReferenceSet| -> Vec<_> {
        content(set).into_iter().filter(|(key, _)| !key.ends_with('/')).collect()
    };
    let (found, expected) = (keys(found), keys(expected));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found == expected, "{what}: {} and {}", found.0, expected.0);
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

const TP: &str = "tp/accum/surface/tp";

#[test]
fn what_kerchunk_wrote_is_read() {
    let set = read_json(&text("kerchunk/gep01.json")).unwrap();
    let first = Value::Range {
        url: "s3://noaa-gefs-pds/gefs.20250106/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.f003"
            .into(),
        offset: 25_324,
        length: 10_493,
    };
    assert_eq!(set.entries.get(&format!("{TP}/0.0.0")), None);
    assert_eq!(set.entries.get(&format!("{TP}/1.0.0")), Some(&first));
    let ranges = |set: &ReferenceSet| {
        set.entries.values().filter(|it| matches!(it, Value::Range { .. })).count()
    };
    assert_eq!(ranges(&set), 19);
    for name in ["gep01.fastparquet.parq", "gep01.pyarrow.parq"] {
        assert!(is_parquet_folder(&folder(name)));
        let other = read_parquet(&folder(name)).unwrap();
        assert_same(&other, &set, name);
    }
}

#[test]
fn what_is_written_is_read_back() {
    let set = read_json(&text("kerchunk/gep01.json")).unwrap();
    let mut bytes = Vec::new();
    write_json(&set, &mut bytes).unwrap();
    assert_eq!(read_json(std::str::from_utf8(&bytes).unwrap()).unwrap(), set);
    for record_size in [1, 3, 32, 10_000] {
        let dir = tempfile::tempdir().unwrap();
        write_parquet(&set, dir.path(), record_size, &|_, _| {}).unwrap();
        assert_same(&read_parquet(dir.path()).unwrap(), &set, &record_size.to_string());
        // Chunks 1 to 9 of 81 are there; files of nothing but missing ones are not.
        let files = std::fs::read_dir(dir.path().join(TP)).unwrap().count();
        assert_eq!(
            files,
            [(1, 9), (3, 4), (32, 1), (10_000, 1)]
                .into_iter()
                .find(|it| it.0 == record_size)
                .unwrap()
                .1
        );
    }
}

#[test]
fn templates_and_generators_are_expanded() {
    // The example of kerchunk's specification.
    let set = read_json(
        r#"{
        "version": 1,
        "templates": {"u": "server.domain/path", "f": "{{c}}"},
        "gen": [{
            "key": "/gen_key{{i}}", "url": "http://{{u}}_{{i}}",
            "offset": "{{(i + 1) * 1000}}", "length": "1000", "dimensions": {"i": {"stop": 5}}
        }, {
            "key": "whole/{{'%02d' % i}}.{{j}}", "url": "http://{{u}}/{{j}}",
            "dimensions": {"i": {"start": 1, "stop": 8, "step": 3}, "j": [7, 9]}
        }],
        "refs": {
            "key0": "data",
            "key1": ["http://target_url", 10000, 100],
            "key2": ["http://{{u}}", 10000, 100],
            "key3": ["http://{{f(c='text')}}", 10000, 100],
            "key4": ["http://target_url"],
            "a/.zattrs": {"braces": "{{kept}}"}
        }}"#,
    )
    .unwrap();
    let range = |url: &str, offset, length| Value::Range { url: url.into(), offset, length };
    let whole = |url: &str| Value::Whole { url: url.into() };
    let expected = [
        ("a/.zattrs", Value::Metadata(r#"{"braces":"{{kept}}"}"#.into())),
        ("gen_key0", range("http://server.domain/path_0", 1000, 1000)),
        ("gen_key1", range("http://server.domain/path_1", 2000, 1000)),
        ("gen_key2", range("http://server.domain/path_2", 3000, 1000)),
        ("gen_key3", range("http://server.domain/path_3", 4000, 1000)),
        ("gen_key4", range("http://server.domain/path_4", 5000, 1000)),
        ("key0", Value::Inline("data".into())),
        ("key1", range("http://target_url", 10_000, 100)),
        ("key2", range("http://server.domain/path", 10_000, 100)),
        ("key3", range("http://text", 10_000, 100)),
        ("key4", whole("http://target_url")),
        ("whole/01.7", whole("http://server.domain/path/7")),
        ("whole/01.9", whole("http://server.domain/path/9")),
        ("whole/04.7", whole("http://server.domain/path/7")),
        ("whole/04.9", whole("http://server.domain/path/9")),
        ("whole/07.7", whole("http://server.domain/path/7")),
        ("whole/07.9", whole("http://server.domain/path/9")),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value));
    assert_eq!(set.entries.into_iter().collect::<Vec<_>>(), expected);
    // Without templates braces are what they are, and come back.
    let braces = read_json(r#"{"version": 1, "refs": {"a/0": ["s3://b/{{k", 1, 2]}}"#).unwrap();
    assert_eq!(braces.entries.get("a/0"), Some(&range("s3://b/{{k", 1, 2)));
    let mut bytes = Vec::new();
    write_json(&braces, &mut bytes).unwrap();
    assert_eq!(read_json(std::str::from_utf8(&bytes).unwrap()).unwrap(), braces);
    // Version 0: nothing around the references.
    let bare = read_json(r#"{"key1": ["http://u", 1, 2], ".zgroup": "{}"}"#).unwrap();
    assert_eq!(bare.entries.get("key1"), Some(&range("http://u", 1, 2)));
}

/// Checks that the text is refused with words that say where.
#[track_caller]
fn refused(text: &str, says: &[&str]) {
    let started = Instant::now();
    let error = read_json(text).unwrap_err().to_string();
    for part in says {
        assert!(error.contains(part), "no {part:?} in {error:.300} of {text:.100}");
    }
    // Nothing is counted up: a minute would be a hang.
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn hostile_json_is_refused() {
    refused("", &["JSON"]);
    refused("[]", &["an object"]);
    refused(&"[".repeat(1_000_000), &["JSON"]);
    refused(&format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000)), &["JSON"]);
    refused(r#"{"version": 2, "refs": {}}"#, &["version", "2"]);
    refused(r#"{"version": 1}"#, &["refs"]);
    refused(r#"{"version": 1, "refs": {"a/0": 7}}"#, &["a/0"]);
    refused(r#"{"version": 1, "refs": {"a/0": ["u", -1, 5]}}"#, &["a/0"]);
    refused(r#"{"version": 1, "refs": {"a/0": [null, 1, 5]}}"#, &["a/0"]);
    refused(r#"{"version": 1, "refs": {"a/0": "base64:!"}}"#, &["a/0", "base64"]);
    refused(r#"{"version": 1, "templates": {}, "refs": {"a/0": ["{{x}}", 1, 5]}}"#, &["a/0", "x"]);
    refused(r#"{"version": 1, "templates": {}, "refs": {"a/0": ["{{u", 1, 5]}}"#, &["a/0", "}}"]);
    refused(
        r#"{"version": 1, "templates": {"f": "{% for %}{{c}}"}, "refs": {}}"#,
        &["templates.f"],
    );
    refused(r#"{"version": 1, "templates": {"f": 1}, "refs": {}}"#, &["templates.f"]);
    // A template that would call itself.
    refused(
        r#"{"version": 1, "templates": {"f": "{{f(c=c)}}"}, "refs": {"a/0": ["{{f(c='x')}}", 0, 1]}}"#,
        &["a/0"],
    );
    let generator = |dimensions: &str| {
        format!(
            r#"{{"version": 1, "refs": {{}}, "gen": [{{"key": "k{{{{i}}}}", "url": "u", "offset": "0",
            "length": "1", "dimensions": {dimensions}}}]}}"#
        )
    };
    refused(&generator(r#"{"i": {"stop": 1000000000000}}"#), &["gen[0]", "1000000000000"]);
    let many: Vec<String> = ('a'..='p').map(|it| format!(r#""{it}": {{"stop": 1000}}"#)).collect();
    refused(&generator(&format!("{{{}}}", many.join(","))), &["gen[0]"]);
    refused(&generator(r#"{"i": {"stop": 5, "step": 0}}"#), &["gen[0]", "step"]);
    refused(&generator(r#"{"i": {"start": 5}}"#), &["gen[0]"]);
    refused(&generator(r#"{"i": "abc"}"#), &["gen[0]"]);
    refused(&generator("[]"), &["gen[0]"]);
    refused(&generator(r#"{"i": {"stop": 3}}"#).replace("\"0\"", "\"{{-1}}\""), &["gen[0]"]);
    refused(&generator(r#"{"i": {"stop": 3}}"#).replace("\"length\"", "\"size\""), &["gen[0]"]);
    refused(&generator(r#"{"i": {"stop": 3}}"#).replace("u\"", "{{i / 2}}\""), &["gen[0]", "//"]);
}

/// A directory of kerchunk parquet with this `.zmetadata`.
fn directory(metadata: &serde_json::Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".zmetadata"), metadata.to_string()).unwrap();
    dir
}

fn array(shape: &[u64], chunks: &[u64]) -> serde_json::Value {
    json!({"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "<f4", "order": "C",
        "fill_value": "NaN", "filters": [{"id": "grib", "var": "a"}], "compressor": null})
}

#[test]
fn hostile_parquet_is_refused() {
    let says = |dir: &Path, parts: &[&str]| {
        let error = read_parquet(dir).unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "no {part:?} in {error}");
        }
    };
    says(Path::new("/no/such/folder"), &[".zmetadata"]);
    let huge = json!({"record_size": u64::MAX, "metadata": {}});
    says(directory(&huge).path(), &[".zmetadata", "record_size"]);
    says(directory(&json!({"record_size": 0, "metadata": {}})).path(), &["record_size"]);
    says(directory(&json!({"record_size": 10})).path(), &["metadata"]);
    for name in ["../a", "/a", "a/../../b", "a\\b"] {
        let metadata =
            json!({"record_size": 10, "metadata": {format!("{name}/.zarray"): array(&[1], &[1])}});
        says(directory(&metadata).path(), &["name of an array"]);
    }
    let good = json!({"record_size": 10, "metadata": {
        "a/.zarray": array(&[u64::MAX, u64::MAX, 3], &[1, 1, 3]), "a/.zattrs": {}}});
    // A shape that nothing can hold costs nothing to read: only files that are there are.
    let dir = directory(&good);
    assert_eq!(read_parquet(dir.path()).unwrap().entries.len(), 2);
    std::fs::create_dir(dir.path().join("a")).unwrap();
    let record = dir.path().join("a/refs.0.parq");
    std::fs::write(&record, b"PAR1 no parquet PAR1").unwrap();
    says(dir.path(), &["refs.0.parq"]);
    // A table of other columns.
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gefs/gep01_20250106_00z.parquet"),
        &record,
    )
    .unwrap();
    says(dir.path(), &["refs.0.parq", "path", "key"]);
}

#[test]
fn names_that_lead_out_of_the_folder_are_not_written() {
    let mut set = ReferenceSet::default();
    set.entries.insert("../a/.zarray".into(), Value::Metadata(array(&[1], &[1]).to_string()));
    set.entries.insert("../a/0".into(), Value::Inline("x".into()));
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert!(write_parquet(&set, &inner, 10, &|_, _| {}).is_err());
    assert!(!dir.path().join("a").exists());
}

/// Files as they are put on servers: packed with gzip.
#[test]
fn packed_json_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let packed = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        let mut to = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::fast(),
        );
        to.write_all(content).unwrap();
        to.finish().unwrap();
        inputs(&[path.display().to_string()]).unwrap().remove(0)
    };
    let plain = text("kerchunk/gep01.json");
    let set = packed("a.json.gz", plain.as_bytes()).kerchunk().unwrap().unwrap();
    assert_same(&set, &read_json(&plain).unwrap(), "packed");
    // A file that expands a thousandfold is no set of references.
    let mut bomb = vec![b' '; 64 << 20];
    bomb[0] = b'{';
    let error = packed("b.json.gz", &bomb).kerchunk().unwrap_err().to_string();
    assert!(error.contains("size of the unpacked file") && error.contains("b.json.gz"), "{error}");
    // What else is packed is no JSON.
    assert_eq!(packed("c.json.gz", b"TAR").kerchunk().unwrap(), None);
}
