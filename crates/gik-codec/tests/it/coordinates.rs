//! Latitudes, longitudes, and the layouts that follow from them.

use gik_core::{DecodeOptions, Quantity};

use crate::fixtures::{assert_same, decode_with, expected, message};

const LATITUDE: DecodeOptions =
    DecodeOptions { quantity: Quantity::Latitude, adjust_longitude_range: false, north_up: false };
const LONGITUDE: DecodeOptions = DecodeOptions { quantity: Quantity::Longitude, ..LATITUDE };
const DATA: DecodeOptions = DecodeOptions { quantity: Quantity::Data, ..LATITUDE };
const NORTHWARD: [f64; 8] = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0];

fn southward() -> Vec<f64> {
    NORTHWARD.into_iter().rev().collect()
}

#[test]
fn of_rows_and_columns() {
    let message = message("simple");
    assert_same("latitude", &decode_with(&message, &LATITUDE, 8).unwrap(), &southward());
    let eastward: Vec<_> = (0..12).map(|column| 30.0 * f64::from(column)).collect();
    assert_same("longitude", &decode_with(&message, &LONGITUDE, 12).unwrap(), &eastward);
    let error = decode_with(&message, &LONGITUDE, 96).unwrap_err();
    assert_eq!(
        error.to_string(),
        "number of coordinates of the message and the chunk: expected 96, found 12 [at byte 37]"
    );
}

#[test]
fn longitudes_turn_with_the_values() {
    let message = message("simple");
    let turned = DecodeOptions { adjust_longitude_range: true, ..LONGITUDE };
    let westward: Vec<_> = (-6..6).map(|column| 30.0 * f64::from(column)).collect();
    assert_same("longitude", &decode_with(&message, &turned, 12).unwrap(), &westward);

    let turned = DecodeOptions { adjust_longitude_range: true, ..DATA };
    let values = decode_with(&message, &turned, 96).unwrap();
    let mut rows = expected("simple");
    rows.chunks_mut(12).for_each(|row| row.rotate_left(6));
    assert_same("values", &values, &rows);
    let untouched = DecodeOptions { adjust_longitude_range: true, ..LATITUDE };
    assert_same("latitude", &decode_with(&message, &untouched, 8).unwrap(), &southward());
}

#[test]
fn north_goes_up_with_the_values() {
    let message = message("simple_south_up");
    assert_same("latitude", &decode_with(&message, &LATITUDE, 8).unwrap(), &NORTHWARD);
    let flipped = DecodeOptions { north_up: true, ..LATITUDE };
    assert_same("latitude", &decode_with(&message, &flipped, 8).unwrap(), &southward());

    let flipped = DecodeOptions { north_up: true, ..DATA };
    let values = decode_with(&message, &flipped, 96).unwrap();
    let rows = expected("simple_south_up");
    let reversed: Vec<_> = rows.chunks(12).rev().flatten().copied().collect();
    assert_same("values", &values, &reversed);

    // A grid that has the north up already stays.
    let message = crate::fixtures::message("simple");
    assert_same("values", &decode_with(&message, &flipped, 96).unwrap(), &expected("simple"));
}

#[test]
fn the_order_of_points_does_not_move_rows_and_columns() {
    let mut message = message("simple");
    let eastward: Vec<_> = (0..12).map(|column| 30.0 * f64::from(column)).collect();
    for scan in [0x10, 0x20, 0x30] {
        // Octet 72 of section 3, which begins after 16 + 21 octets.
        message[37 + 71] = scan;
        let name = format!("{scan:#04x}");
        assert_same(&name, &decode_with(&message, &LATITUDE, 8).unwrap(), &southward());
        assert_same(&name, &decode_with(&message, &LONGITUDE, 12).unwrap(), &eastward);
        let mut rows = decode_with(&message, &DATA, 96).unwrap();
        rows.chunks_mut(12).for_each(|row| row.rotate_left(6));
        let turned = DecodeOptions { adjust_longitude_range: true, ..DATA };
        assert_same(&name, &decode_with(&message, &turned, 96).unwrap(), &rows);
    }
}

#[test]
fn of_each_point_of_a_projected_grid() {
    // Index, latitude and longitude by ecCodes 2.50.0 (the keys `latitudes`, `longitudes`).
    const POINTS: [(usize, f64, f64); 5] = [
        (0, 21.138123000000004, 237.28047200000003),
        (1798, 21.140546625419148, 287.71028150897075),
        (952_000, 36.87332751169715, 243.136139423686),
        (1_903_342, 47.83862349881542, 225.90452026573686),
        (1_905_140, 47.84219502248866, 299.0828072281622),
    ];
    let (columns, rows) = (1799, 1059);
    let message = message("hrrr_constant");
    let latitudes = decode_with(&message, &LATITUDE, columns * rows).unwrap();
    let longitudes = decode_with(&message, &LONGITUDE, columns * rows).unwrap();
    for (index, latitude, longitude) in POINTS {
        let error = (latitudes[index] - latitude).abs();
        assert!(error < 1e-12, "latitude {index} off by {error}");
        // ecCodes counts from 0 to 360°, gribberish from −180 to 180°.
        let error = (longitudes[index] - longitude).rem_euclid(360.0);
        assert!(error.min(360.0 - error) < 1e-12, "longitude {index} off by {error}");
    }
    let flipped = DecodeOptions { north_up: true, ..LATITUDE };
    let flipped = decode_with(&message, &flipped, columns * rows).unwrap();
    assert_eq!(flipped[..columns], latitudes[columns * (rows - 1)..]);
    assert_eq!(flipped[columns * (rows - 1)..], latitudes[..columns]);
}
