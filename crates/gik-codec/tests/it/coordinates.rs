//! Latitudes, longitudes, and the layouts that follow from them.

use gik_codec::Message;
use gik_core::{DecodeOptions, Quantity};

use crate::fixtures::{assert_same, bytes, decode_with, expected, message};

const LATITUDE: DecodeOptions = DecodeOptions {
    quantity: Quantity::Latitude,
    adjust_longitude_range: false,
    north_up: false,
    steps: None,
};
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

#[test]
fn projections_are_those_of_eccodes() {
    const POINTS: usize = 7 * 5;
    let messages = bytes("projections/projections.grib2");
    let coordinates = expected("projections/projections");
    let table = String::from_utf8(bytes("projections/projections.txt")).unwrap();
    let mut lines = 0;
    for (line, coordinates) in table.lines().zip(coordinates.chunks(2 * POINTS)) {
        let columns: Vec<_> = line.splitn(3, ' ').collect();
        let [start, length, name] = columns.try_into().unwrap();
        let start: usize = start.parse().unwrap();
        let message = &messages[start..start + length.parse::<usize>().unwrap()];
        let (latitudes, longitudes) = coordinates.split_at(POINTS);
        for (options, expected) in [(LATITUDE, latitudes), (LONGITUDE, longitudes)] {
            let found = decode_with(message, &options, POINTS).unwrap();
            for (found, expected) in found.iter().zip(expected) {
                let error = (found - expected + 180.0).rem_euclid(360.0) - 180.0;
                assert!(error.abs() < 1e-9, "{name}: {found}, not {expected}");
                assert!((-180.0..180.0).contains(found), "{name}: {found}");
            }
        }
        lines += 1;
    }
    assert_eq!(lines, coordinates.len() / 2 / POINTS);
}

#[test]
fn projected_rows_may_go_south_and_west() {
    // From the last row's first point, rows go south, and from the first row's last point
    // columns go west: the same points, but for the rounding of the first to a microdegree.
    let messages = bytes("projections/projections.grib2");
    let length = usize::try_from(Message::read(&messages).unwrap().total_length()).unwrap();
    let message = &messages[..length];
    let field = Message::read(message).unwrap().only_field().unwrap();
    let grid = usize::try_from(field.grid.offset).unwrap();
    let latitudes = decode_with(message, &LATITUDE, 35).unwrap();
    let longitudes = decode_with(message, &LONGITUDE, 35).unwrap();
    for (scan, corner) in [(0x00, 28), (0xc0, 6), (0x80, 34)] {
        let mut other = message.to_vec();
        let degrees = |value: f64| ((value * 1e6).round().abs() as u32).to_be_bytes();
        let longitude = degrees(longitudes[corner].rem_euclid(360.0));
        other[grid + 38..grid + 42].copy_from_slice(&degrees(latitudes[corner]));
        other[grid + 42..grid + 46].copy_from_slice(&longitude);
        other[grid + 64] = scan;
        for (options, expected) in [(LATITUDE, &latitudes), (LONGITUDE, &longitudes)] {
            let mut found = decode_with(&other, &options, 35).unwrap();
            if scan & 0x40 == 0 {
                found = found.chunks(7).rev().flatten().copied().collect();
            }
            if scan & 0x80 != 0 {
                found.chunks_mut(7).for_each(<[f64]>::reverse);
            }
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{scan:#x}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn damaged_projections_are_refused() {
    let messages = bytes("projections/projections.grib2");
    let field = Message::read(&messages).unwrap().only_field().unwrap();
    let grid = usize::try_from(field.grid.offset).unwrap();
    let check = |octet: usize, bytes: &[u8], expected: &str| {
        let mut other = messages.clone();
        other[grid + octet - 1..grid + octet - 1 + bytes.len()].copy_from_slice(bytes);
        let error = decode_with(&other, &LATITUDE, 35).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(15, &[9], "unsupported shape of the Earth (code table 3.2): 9");
    check(15, &[1, 0, 0, 0, 0, 0], "expected a sphere or nearly, found axes of 0 m and 0 m");
    check(66, &[0; 8], "projected grid");
}
