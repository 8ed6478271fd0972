//! Stores as `HRRRParser` writes them: coordinates are decoded from messages, too.

use std::sync::Arc;

use gik_codec::{CodecConfiguration, GribMessageCodec};
use gik_core::{CodecRegistration, ValueBuffer};
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayBytes, ArrayMetadata};
use zarrs::storage::store::MemoryStore;
use zarrs::storage::{StoreKey, WritableStorageTraits};

use crate::fixtures::message;

/// The codec that the model crate registers; this crate does not know that one.
static HRRR: GribMessageCodec =
    GribMessageCodec::with_coordinates("hrrr_gribberish", "gik-codec-tests");

gik_core::inventory::submit! { CodecRegistration(&HRRR) }

fn configuration(var: &str, steps: u32) -> CodecConfiguration {
    let entry = json!({"name": "hrrr_gribberish", "configuration": {"var": var, "steps": steps}});
    CodecConfiguration::from_json(&entry).unwrap()
}

fn decode(name: &str, var: &str, steps: u32) -> Result<Vec<f64>, String> {
    let mut out = vec![f64::NAN; steps as usize];
    let configuration = configuration(var, steps);
    let buffer = ValueBuffer::F64(&mut out);
    let decoded =
        configuration.codec().decode_into(&message(name), configuration.options(), buffer);
    decoded.map(|()| out).map_err(|error| error.to_string())
}

/// `dataDate` and `dataTime`, `validityDate` and `validityTime` less these, and the scaled value
/// of the first surface, by ecCodes 2.50.0.
#[test]
fn times_steps_and_levels_are_those_of_eccodes() {
    for (name, reference, step, level, value) in [
        // 2023-07-22T06, 2025-01-01T00, 2023-01-04T18.
        ("hrrr_constant", 1_690_005_600.0, 3600.0, "sfc", 0.0),
        ("gefs_soilw", 1_735_689_600.0, 10_800.0, "depth_bls", 0.0),
        ("gfs_constant", 1_672_855_200.0, 669_600.0, "isobar", 70.0),
    ] {
        assert_eq!(decode(name, "time", 1).unwrap(), [reference], "{name}");
        assert_eq!(decode(name, "step", 1).unwrap(), [step], "{name}");
        assert_eq!(decode(name, level, 1).unwrap(), [value], "{name}");
    }
    // With several steps it is their number that counts, not the message.
    let hours = decode("gfs_constant", "step", 3).unwrap();
    assert_eq!(hours, [0.0, 3600.0, 7200.0]);
    // The wrong number of elements is an error, whatever `steps` says.
    assert!(decode("gfs_constant", "time", 2).unwrap_err().contains("expected 2, found 1"));
}

#[test]
fn levels_of_height_and_of_intervals() {
    // Ten messages of which ecCodes reads the first as 2 m above ground, 0 to 24 hours.
    let all = message("s2s_ten_messages");
    let length = u64::from_be_bytes(all[8..16].try_into().unwrap()) as usize;
    for (var, expected) in [("time", 1_773_792_000.0), ("step", 86_400.0), ("hag", 2.0)] {
        let mut out = [f64::NAN];
        let configuration = configuration(var, 1);
        let buffer = ValueBuffer::F64(&mut out);
        let codec = configuration.codec();
        codec.decode_into(&all[..length], configuration.options(), buffer).unwrap();
        assert_eq!(out, [expected], "{var}");
    }
}

/// An array with one chunk stored, as VirtualiZarr describes it: no dictionary of attributes is
/// left out, integers stand for `NaT`.
fn array(
    var: &str,
    data_type: &Value,
    (shape, chunk): (&[u64], &[u64]),
    dimensions: &[&str],
    (steps, key): (u32, &str),
) -> Array<MemoryStore> {
    let is_time = data_type.is_object();
    let metadata = json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": shape,
        "data_type": data_type,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": if is_time { json!(i64::MIN) } else { json!(0.0) },
        "codecs": [configuration(var, steps).to_json()],
        "attributes": {},
        "dimension_names": dimensions,
        "storage_transformers": [],
    });
    let metadata: ArrayMetadata = serde_json::from_value(metadata).unwrap();
    let store = Arc::new(MemoryStore::new());
    let key = StoreKey::new(format!("{var}/{key}")).unwrap();
    store.set(&key, message("hrrr_constant").into()).unwrap();
    Array::new_with_metadata(store, &format!("/{var}"), metadata).unwrap()
}

fn integers(array: &Array<MemoryStore>) -> Vec<i64> {
    let bytes: ArrayBytes<'_> = array.retrieve_array_subset(&array.subset_all()).unwrap();
    let bytes = bytes.into_fixed().unwrap();
    bytes.as_chunks().0.iter().map(|&it| i64::from_ne_bytes(it)).collect()
}

#[test]
fn zarrs_reads_a_store_of_hrrrparser() {
    let times =
        |name: &str| json!({"name": name, "configuration": {"unit": "s", "scale_factor": 1}});
    let file = (&[1_u64][..], &[1_u64][..]);
    let time = array("time", &times("numpy.datetime64"), file, &["time"], (1, "c/0"));
    assert_eq!(integers(&time), [1_690_005_600]);
    let step = array("step", &times("numpy.timedelta64"), file, &["step"], (1, "c/0"));
    assert_eq!(integers(&step), [3600]);
    let all = (&[18_u64][..], &[18_u64][..]);
    let steps = array("step", &times("numpy.timedelta64"), all, &["step"], (18, "c/0"));
    assert_eq!(integers(&steps), (0..18).map(|hour| hour * 3600).collect::<Vec<i64>>());

    let level = array("sfc", &json!("float64"), file, &["sfc"], (1, "c/0"));
    let values: Vec<f64> = level.retrieve_array_subset(&level.subset_all()).unwrap();
    assert_eq!(values, [0.0]);

    let plane = (&[1059_u64, 1799][..], &[1059_u64, 1799][..]);
    let first = |var: &str| -> f64 {
        let places = array(var, &json!("float64"), plane, &["y", "x"], (1, "c/0/0"));
        places.retrieve_array_subset::<Vec<f64>>(&[0..1, 0..1]).unwrap()[0]
    };
    // By ecCodes, which counts from 0 to 360°.
    assert!((first("latitude") - 21.138_123).abs() < 1e-9);
    assert!((first("longitude") - (237.280_472 - 360.0)).abs() < 1e-9);

    // The file's step is there, the others are not; ecCodes decodes it to zeros.
    let dimensions = ["time", "step", "sfc", "y", "x"];
    let field = (&[1_u64, 3, 1, 1059, 1799][..], &[1_u64, 1, 1, 1059, 1799][..]);
    let values = array("cfrzr_sfc", &json!("float64"), field, &dimensions, (1, "c/0/1/0/0/0"));
    let values: Vec<f64> = values.retrieve_chunk(&[0, 1, 0, 0, 0]).unwrap();
    assert_eq!((values.len(), values.iter().all(|&value| value == 0.0)), (1059 * 1799, true));
}
