//! Messages of GRIB edition 1 against ecCodes.

use gik_codec::GRIBBERISH;
use gik_core::{DecodeOptions, GribCodec, GridRegion, ValueBuffer};

use crate::fixtures::{assert_same, bytes, decode, decode_with, expected};

const SHAPE: [usize; 2] = [7, 9];
const POINTS: usize = 7 * 9;

#[test]
fn values_and_regions_are_those_of_eccodes() {
    let messages = bytes("edition1/edition1.grib1");
    let values = expected("edition1/edition1");
    let table = String::from_utf8(bytes("edition1/edition1.txt")).unwrap();
    assert_eq!(table.lines().count(), values.len() / POINTS);
    for (line, expected) in table.lines().zip(values.chunks(POINTS)) {
        let columns: Vec<_> = line.splitn(3, ' ').collect();
        let [start, length, name] = columns.try_into().unwrap();
        let start: usize = start.parse().unwrap();
        let message = &messages[start..start + length.parse::<usize>().unwrap()];
        assert_same(name, &decode(message, POINTS).unwrap(), expected);

        let region = GridRegion { shape: SHAPE, rows: 2..5, columns: 3..9 };
        let mut found = vec![0.0; 18];
        let options = DecodeOptions::default();
        GRIBBERISH
            .decode_region_into(message, &options, &region, ValueBuffer::F64(&mut found))
            .unwrap();
        let mut part = vec![0.0; 18];
        region.copy_from(expected, 0, &mut part);
        assert_same(name, &found, &part);
    }
}

#[test]
fn archived_messages() {
    let file = bytes("ecmwf_soil.grib1");
    let first: Vec<f64> = (0..16).map(f64::from).collect();
    assert_same("soil", &decode(&file, 16).unwrap(), &first);
}

#[test]
fn what_is_not_done_is_said() {
    let file = bytes("ecmwf_soil.grib1");
    let error = decode(&file, 17).unwrap_err().to_string();
    assert_eq!(
        error,
        "number of grid points of the message and the chunk: expected 17, found 16 [at byte 92]"
    );
    let turned = DecodeOptions { adjust_longitude_range: true, ..DecodeOptions::default() };
    let error = decode_with(&file, &turned, 16).unwrap_err().to_string();
    assert!(error.starts_with("unsupported GRIB edition 1 in this layout"), "{error}");
    // Complex packing.
    let mut complex = file.clone();
    complex[92 + 3] |= 0x40;
    let error = decode(&complex, 16).unwrap_err().to_string();
    assert!(error.contains("unsupported GRIB edition 1 packing (code table 11)"), "{error}");
}
