//! A region is that part of the whole, whatever the packing.

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, ErrorKind, GribCodec, GridRegion, Quantity, ValueBuffer};

use crate::allocations::peak;
use crate::fixtures::{GENERATED, MATRIX, assert_same, decode_with, matrix, message};

/// Rows and columns of the message's grid.
fn shape(message: &[u8]) -> [usize; 2] {
    let field = Message::read(message).unwrap().only_field().unwrap();
    let grid = GridDefinition::read(&field.grid).unwrap();
    grid.shape.map_or([1, grid.points as usize], |it| [it.rows as usize, it.columns as usize])
}

fn decode_region(message: &[u8], options: &DecodeOptions, region: &GridRegion) -> Vec<f64> {
    let mut values = vec![-1.0; region.rows.len() * region.columns.len()];
    GRIBBERISH.decode_region_into(message, options, region, ValueBuffer::F64(&mut values)).unwrap();
    values
}

fn check(name: &str, message: &[u8], options: &DecodeOptions) {
    let shape @ [rows, columns] = shape(message);
    let whole = decode_with(message, options, rows * columns).unwrap();
    let third = |length: usize| length / 3..length - length / 4;
    for region in [
        GridRegion { shape, rows: 0..rows, columns: 0..columns },
        GridRegion { shape, rows: third(rows), columns: 0..columns },
        GridRegion { shape, rows: third(rows), columns: third(columns) },
        GridRegion { shape, rows: 0..1, columns: 0..1 },
        GridRegion { shape, rows: rows - 1..rows, columns: columns / 2..columns },
        GridRegion { shape, rows: 1..1, columns: 0..columns },
        GridRegion { shape, rows: 0..rows, columns: columns..columns },
    ] {
        let mut expected = Vec::new();
        for row in region.rows.clone() {
            expected.extend(&whole[row * columns..][region.columns.clone()]);
        }
        let found = decode_region(message, options, &region);
        assert_same(&format!("{name}, {region:?}"), &found, &expected);
    }
}

const TURNED: DecodeOptions = DecodeOptions {
    quantity: Quantity::Data,
    adjust_longitude_range: true,
    north_up: true,
    steps: None,
};

#[test]
fn of_each_packing() {
    for name in GENERATED {
        check(name, &message(name), &DecodeOptions::default());
        check(name, &message(name), &TURNED);
    }
    for name in ["gefs_soilw", "gfswave_jpeg2000", "hrrr_constant"] {
        check(name, &message(name), &DecodeOptions::default());
    }
}

#[test]
fn of_each_scanning_mode_width_and_bitmap() {
    for case in MATRIX.iter().flat_map(|file| matrix(file)) {
        check(&case.name, &case.bytes, &DecodeOptions::default());
    }
}

#[test]
fn of_coordinates() {
    let message = message("simple");
    for (quantity, length) in [(Quantity::Latitude, 8), (Quantity::Longitude, 12)] {
        let options = DecodeOptions { quantity, ..TURNED };
        let whole = decode_with(&message, &options, length).unwrap();
        let region = GridRegion { shape: [1, length], rows: 0..1, columns: 2..7 };
        assert_same("coordinates", &decode_region(&message, &options, &region), &whole[2..7]);
    }
}

#[test]
fn another_shape_than_the_message() {
    // The same points as one row of all: nothing is known of rows then.
    let message = message("simple");
    let whole = decode_with(&message, &DecodeOptions::default(), 96).unwrap();
    let region = GridRegion { shape: [1, 96], rows: 0..1, columns: 10..50 };
    let found = decode_region(&message, &DecodeOptions::default(), &region);
    assert_same("one row", &found, &whole[10..50]);
    // Another number of points: an error, and nothing allocated for them.
    let region = GridRegion { shape: [1 << 20, 1 << 20], rows: 5..6, columns: 0..4 };
    for quantity in [Quantity::Data, Quantity::Latitude] {
        let options = DecodeOptions { quantity, ..DecodeOptions::default() };
        let mut out = [0.0_f32; 4];
        let out = ValueBuffer::F32(&mut out);
        let (result, allocated) =
            peak(|| GRIBBERISH.decode_region_into(&message, &options, &region, out));
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch { .. }), "{error}");
        assert!(allocated < 4096, "{allocated}");
    }
}

#[test]
fn outside_of_the_chunk() {
    let message = message("simple");
    let check = |region: GridRegion, expected: &str| {
        let mut out = [0.0_f64; 6];
        let out = ValueBuffer::F64(&mut out);
        let options = DecodeOptions::default();
        let error = GRIBBERISH.decode_region_into(&message, &options, &region, out).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(
        GridRegion { shape: [8, 12], rows: 6..9, columns: 0..2 },
        "region of a chunk: expected within 8 rows of 12 columns, found rows 6..9, columns 0..2",
    );
    check(
        GridRegion { shape: [8, 12], rows: 0..2, columns: 0..2 },
        "elements of a region: expected 6, found 2 × 2",
    );
}

#[test]
fn what_is_after_the_region_is_not_needed() {
    // The last octets of section 7 are random: rows before them are what they were.
    let mut damaged = message("second_order");
    let shape @ [rows, columns] = shape(&damaged);
    let whole = decode_with(&damaged, &DecodeOptions::default(), rows * columns).unwrap();
    let end = damaged.len() - 4;
    for octet in &mut damaged[end - 8..end] {
        *octet ^= 0x5a;
    }
    let region = GridRegion { shape, rows: 0..3, columns: 0..columns };
    let found = decode_region(&damaged, &DecodeOptions::default(), &region);
    assert_same("rows before", &found, &whole[..3 * columns]);
}
