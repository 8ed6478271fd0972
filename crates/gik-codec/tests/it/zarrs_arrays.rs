//! Arrays of zarrs whose chunks are messages.

use std::sync::Arc;

use gik_codec::{CodecConfiguration, GribMessageCodec};
use gik_core::{CodecRegistration, Quantity};
use serde_json::{Value, json};
use zarrs::array::codec::api::CodecOptions;
use zarrs::array::{Array, ArrayMetadata};
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

use crate::fixtures::{assert_same, expected, message};

/// A codec as another crate would register it.
static OTHER: GribMessageCodec = GribMessageCodec::new("test_gribberish", "gik-codec-tests");

gik_core::inventory::submit! { CodecRegistration(&OTHER) }

/// Two crates that took the same name.
static FIRST: GribMessageCodec = GribMessageCodec::new("test_twice", "one-crate");
static SECOND: GribMessageCodec = GribMessageCodec::new("test_twice", "one-crate");

gik_core::inventory::submit! { CodecRegistration(&FIRST) }
gik_core::inventory::submit! { CodecRegistration(&SECOND) }

/// An array of 2 × 8 × 12 in chunks of one field, the first of which is stored.
fn array(data_type: &str, codec: &Value, name: &str) -> Result<Array<MemoryStore>, String> {
    let metadata = json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": [2, 8, 12],
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 8, 12]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": if data_type == "int32" { json!(0) } else { json!("NaN") },
        "codecs": [codec],
    });
    let metadata: ArrayMetadata = serde_json::from_value(metadata).unwrap();
    let store = Arc::new(MemoryStore::new());
    store.set(&StoreKey::new("field/c/0/0/0").unwrap(), message(name).into()).unwrap();
    Array::new_with_metadata(store, "/field", metadata).map_err(|error| error.to_string())
}

#[test]
fn double_and_single_precision() {
    let codec = json!({"name": "gribberish", "configuration": {"var": "t"}});
    let field = expected("simple_bitmap");
    let doubles = array("float64", &codec, "simple_bitmap").unwrap();
    let values: Vec<f64> = doubles.retrieve_array_subset(&doubles.subset_all()).unwrap();
    assert_same("first chunk", &values[..96], &field);
    assert!(values[96..].iter().all(|value| value.is_nan()), "an absent chunk is missing");

    let singles = array("float32", &codec, "simple_bitmap").unwrap();
    let values: Vec<f32> = singles.retrieve_chunk(&[0, 0, 0]).unwrap();
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    let rounded: Vec<f64> = field.iter().map(|value| f64::from(*value as f32)).collect();
    assert_same("single precision", &values, &rounded);
}

#[test]
fn part_of_a_chunk() {
    let array = array("float64", &json!("gribberish"), "simple").unwrap();
    let values: Vec<f64> = array.retrieve_array_subset(&[0..1, 2..4, 3..5]).unwrap();
    let field = expected("simple");
    assert_eq!(values, [field[27], field[28], field[39], field[40]]);
}

#[test]
fn elements_that_are_no_rectangle() {
    let array = array("float64", &json!("gribberish"), "simple").unwrap();
    let decoder = array.partial_decoder(&[0, 0, 0]).unwrap();
    let field = expected("simple");
    let wanted = [[0, 5, 11], [0, 2, 0], [0, 2, 1], [0, 7, 3]].map(Vec::from);
    let decoded = decoder.partial_decode(&wanted, &CodecOptions::default()).unwrap();
    let bytes = decoded.into_fixed().unwrap();
    let values: Vec<_> = bytes.as_chunks().0.iter().map(|&it| f64::from_ne_bytes(it)).collect();
    assert_eq!(values, [field[71], field[24], field[25], field[87]]);
    // The other chunk is not there.
    let decoder = array.partial_decoder(&[1, 0, 0]).unwrap();
    let decoded = decoder.partial_decode(&wanted, &CodecOptions::default()).unwrap();
    let bytes = decoded.into_fixed().unwrap();
    assert!(bytes.as_chunks().0.iter().all(|&it| f64::from_ne_bytes(it).is_nan()));
    assert_eq!(bytes.len(), 32);
}

#[test]
fn codecs_of_other_crates_by_their_name() {
    let codec = json!({"name": "test_gribberish", "configuration": {"north_up": true}});
    let array = array("float64", &codec, "simple_south_up").unwrap();
    let values: Vec<f64> = array.retrieve_chunk(&[0, 0, 0]).unwrap();
    let rows = expected("simple_south_up");
    assert_eq!(values[..12], rows[84..]);
}

#[test]
fn metadata_comes_back_as_it_was() {
    for codec in [
        json!({"name": "gribberish", "configuration": {"var": "tp"}}),
        json!({"name": "test_gribberish", "configuration": {
            "var": "longitude", "adjust_longitude_range": true, "north_up": false
        }}),
    ] {
        let array = array("float32", &codec, "simple").unwrap();
        let metadata = serde_json::to_value(array.metadata()).unwrap();
        assert_eq!(metadata["codecs"], json!([codec]));
        let rebuilt = serde_json::to_value(array.metadata_opt(&Default::default())).unwrap();
        assert_eq!(rebuilt["codecs"], json!([codec]));
        assert_eq!(CodecConfiguration::from_json(&codec).unwrap().to_json(), codec);
    }
}

#[test]
fn wrong_configurations() {
    let unknown = json!({"name": "gribberish", "configuration": {"steps": [1]}});
    let error = array("float32", &unknown, "simple").unwrap_err();
    let text = "unknown key 'steps'; known are var, adjust_longitude_range, north_up";
    assert!(error.contains(text), "{error}");
    let wrong = json!({"name": "gribberish", "configuration": {"north_up": "yes"}});
    let error = CodecConfiguration::from_json(&wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "configuration of codec 'gribberish': 'north_up' must be true or false, not \"yes\""
    );
    let error = CodecConfiguration::from_json(&json!({"name": "grib"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown codec 'grib'; this build has: gribberish, hrrr_gribberish, test_gribberish, \
         test_twice"
    );
    let error = CodecConfiguration::from_json(&json!("test_twice")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the codec id 'test_twice' is registered twice, by one-crate and by one-crate; drop one \
         of them"
    );
    assert!(CodecConfiguration::from_json(&json!({"name": 3})).is_err());
    let latitude = json!({"name": "gribberish", "configuration": {"var": "latitude"}});
    let latitude = CodecConfiguration::from_json(&latitude).unwrap();
    assert_eq!(latitude.options().quantity, Quantity::Latitude);
}

#[test]
fn data_types_and_encoding() {
    let codec = json!({"name": "gribberish", "configuration": {"var": "t"}});
    let integers = array("int32", &codec, "simple").unwrap();
    let error = integers.retrieve_chunk::<Vec<i32>>(&[0, 0, 0]).unwrap_err().to_string();
    assert!(error.contains("int32") && error.contains("float32 and float64"), "{error}");
    let doubles = array("float64", &codec, "simple").unwrap();
    let error = doubles.store_chunk(&[1, 0, 0], vec![1.0_f64; 96]).unwrap_err().to_string();
    assert!(error.contains("the codec 'gribberish' is read-only"), "{error}");
}

#[test]
fn damage_is_reported_with_its_place() {
    let codec = json!({"name": "gribberish"});
    let array = array("float64", &codec, "ccsds_plateaus").unwrap();
    let error = array.retrieve_chunk::<Vec<f64>>(&[0, 0, 0]).unwrap_err().to_string();
    assert!(error.contains("codec 'gribberish': number of grid points"), "{error}");
    assert!(error.contains("found 2000 (50 rows of 40 points) [at byte 37]"), "{error}");
}
