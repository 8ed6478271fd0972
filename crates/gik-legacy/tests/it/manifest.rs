//! References as manifests without a model.

use gik_core::{Chunk, DataType};
use gik_legacy::kerchunk::read_json;
use serde_json::json;

/// The references of a small dataset; `change` may spoil them.
fn document(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut refs = json!({
        ".zgroup": "{\"zarr_format\": 2}",
        ".zattrs": "{\"title\": \"x\"}",
        "t2m/.zarray": {"zarr_format": 2, "shape": [2, 3, 4], "chunks": [1, 3, 4], "dtype": "<f8",
            "fill_value": "NaN", "order": "C", "compressor": null,
            "filters": [{"id": "grib", "var": "2t", "dtype": "float64"}]},
        "t2m/.zattrs": {"_ARRAY_DIMENSIONS": ["time", "latitude", "longitude"], "units": "K"},
        "t2m/0.0.0": ["s3://bucket/a b", 10, 20],
        "t2m/9.0.0": ["s3://bucket/outside", 10, 20],
        "time/.zarray": {"zarr_format": 2, "shape": [2], "chunks": [1], "dtype": ">i4",
            "fill_value": null, "order": "C", "compressor": null, "filters": null},
        "time/.zattrs": {"_ARRAY_DIMENSIONS": ["time"]},
        "time/0": "base64:AAAABw==",
        "time/1": "base64:AAAACA==",
        "latitude/.zarray": {"zarr_format": 2, "shape": [3], "chunks": [3], "dtype": "<f8",
            "fill_value": 7.5, "order": "C", "compressor": null, "filters": null},
        "latitude/.zattrs": {"_ARRAY_DIMENSIONS": ["latitude"]},
        "longitude/.zarray": {"zarr_format": 2, "shape": [4], "chunks": [4], "dtype": "<f4",
            "fill_value": null, "order": "C", "filters": null, "compressor": {"id": "zlib", "level": 1}},
        "longitude/.zattrs": {"_ARRAY_DIMENSIONS": ["longitude"]},
        // zlib of 0, 90, 180, 270 as single precision.
        "longitude/0": "base64:eAFjYACBLU4MDCbODAztzgANQgI4",
    });
    change(&mut refs);
    json!({"version": 1, "refs": refs}).to_string()
}

fn inline(chunk: &Chunk<'_>) -> Vec<f64> {
    let Chunk::Inline(bytes) = chunk else { panic!("{chunk:?}") };
    bytes.chunks_exact(8).map(|it| f64::from_le_bytes(it.try_into().unwrap())).collect()
}

#[test]
fn a_flat_dataset_becomes_a_manifest() {
    let manifest = read_json(&document(|_| {})).unwrap().to_manifest().unwrap();
    let group = &manifest.group;
    assert_eq!(group.attributes.get("title"), Some(&json!("x")));
    let names: Vec<_> = group.data.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, group.coordinates.len()), (vec!["t2m"], 3));
    let t2m = group.array("t2m").unwrap();
    assert_eq!(t2m.metadata.data_type, DataType::Float64);
    assert_eq!(t2m.metadata.dimension_names, ["time", "latitude", "longitude"]);
    assert_eq!(
        t2m.metadata.codecs,
        json!([{"name": "gribberish", "configuration": {"var": "2t", "adjust_longitude_range": true}}])
    );
    let Chunk::Virtual(entry) = t2m.chunks.get(0) else { panic!() };
    assert_eq!((entry.offset, entry.length.get()), (10, 20));
    assert_eq!(manifest.sources.get(entry.source).unwrap().url, "s3://bucket/a%20b");
    assert_eq!((t2m.chunks.virtual_count(), manifest.sources.len()), (1, 1));
    let time = group.array("time").unwrap();
    let Chunk::Inline(bytes) = time.chunks.get(0) else { panic!() };
    assert_eq!(bytes.as_ref(), [7_i64.to_le_bytes(), 8_i64.to_le_bytes()].concat());
    // A chunk that is missing has the fill value; longitudes are those that the codec makes.
    assert_eq!(inline(&group.array("latitude").unwrap().chunks.get(0)), [7.5; 3]);
    assert_eq!(
        inline(&group.array("longitude").unwrap().chunks.get(0)),
        [-180.0, -90.0, 0.0, 90.0]
    );
}

/// Checks that the spoiled dataset is refused with words that say where.
#[track_caller]
fn refused(says: &[&str], change: impl FnOnce(&mut serde_json::Value)) {
    let error = read_json(&document(change)).unwrap().to_manifest().unwrap_err().to_string();
    for part in says {
        assert!(error.contains(part), "no {part:?} in {error}");
    }
}

#[test]
fn what_no_store_can_have_is_refused_by_its_key() {
    refused(&["t2m/.zarray", "blosc"], |it| {
        it["t2m/.zarray"]["compressor"] = json!({"id": "blosc"})
    });
    refused(&["t2m/.zarray", "<f2"], |it| it["t2m/.zarray"]["dtype"] = json!("<f2"));
    refused(&["t2m/.zarray", "F"], |it| it["t2m/.zarray"]["order"] = json!("F"));
    refused(&["t2m/0.0.0", "whole file"], |it| it["t2m/0.0.0"] = json!(["s3://b/a"]));
    refused(&["t2m/0.0.0", "absolute"], |it| it["t2m/0.0.0"] = json!(["a/b", 1, 2]));
    refused(&["t2m/0.0.0", "length"], |it| {
        it["t2m/0.0.0"] = json!(["s3://b/a", 1, 5_000_000_000_u64])
    });
    refused(&["_ARRAY_DIMENSIONS"], |it| it["time/.zattrs"] = json!({}));
    refused(&["_ARRAY_DIMENSIONS"], |it| it["t2m/.zattrs"]["_ARRAY_DIMENSIONS"] = json!(["time"]));
    refused(&["time/.zarray", "|S3"], |it| it["time/.zarray"]["dtype"] = json!("|S3"));
    refused(&["time/0", "bytes of a chunk"], |it| it["time/0"] = json!("base64:AAAA"));
    refused(&["longitude/0", "compressed"], |it| it["longitude/0"] = json!("junk"));
    refused(&["longitude/0", "lz4"], |it| {
        it["longitude/.zarray"]["compressor"] = json!({"id": "lz4"});
    });
    // Sizes that the file dictates are not allocated.
    let huge = json!([1_u64 << 40, 3, 4]);
    refused(&["number of chunks"], |it| it["t2m/.zarray"]["shape"] = huge);
    let long = json!([1_u64 << 40]);
    refused(&["number of"], |it| {
        it["latitude/.zarray"]["shape"] = long.clone();
        it["latitude/.zarray"]["chunks"] = long;
    });
    // A group in a group is no flat dataset.
    refused(&["group"], |it| {
        let array = it["t2m/.zarray"].clone();
        it["a/t2m/.zarray"] = array;
    });
}

#[test]
fn references_of_nothing_are_refused() {
    let set = read_json("{\"a/0\": [\"s3://b/k\", 1, 2]}").unwrap();
    assert!(set.to_manifest().unwrap_err().to_string().contains(".zarray"));
}
