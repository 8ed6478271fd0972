//! The message reader, and messages that are refused.

use gik_codec::{DataRepresentation, GridDefinition, Message, Packing};
use gik_core::{DecodeOptions, ErrorKind};

use crate::fixtures::{decode, decode_with, expected, message};

fn check_error(message: &[u8], points: usize, expected: &str) {
    let error = decode(message, points).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn sections_are_found_and_understood() {
    let bytes = message("gefs_soilw");
    let read = Message::read(&bytes).unwrap();
    assert_eq!(read.discipline(), 2);
    assert_eq!(read.total_length(), 95343);
    let field = read.only_field().unwrap();
    assert_eq!(field.identification.offset, 16);
    assert_eq!(field.product_template().unwrap(), 1);
    let grid = GridDefinition::read(&field.grid).unwrap();
    let shape = grid.shape.unwrap();
    assert_eq!((grid.template, grid.points, shape.columns, shape.rows), (0, 259_920, 720, 361));
    assert!(!shape.scan.rows_northward() && !shape.scan.alternates());
    let representation = DataRepresentation::read(&field.representation).unwrap();
    assert_eq!((representation.template, representation.values), (3, 87979));
    let Packing::Complex(packing) = representation.packing else {
        panic!("{representation:?}");
    };
    assert_eq!((packing.bits, packing.groups, packing.order), (11, 2259, 2));
    assert_eq!(packing.scaling.decimal, 0.001);
}

#[test]
fn unknown_editions_are_refused() {
    let mut other = message("simple");
    other[7] = 3;
    check_error(
        &other,
        96,
        "unsupported GRIB edition: 3; this codec reads editions 1 and 2 [at byte 7]",
    );
}

#[test]
fn what_is_not_grib_is_malformed() {
    check_error(
        b"<?xml version='1.0'?><Error/>",
        16,
        "malformed message: expected a GRIB message, which begins with 'GRIB', found <?xm \
         [at byte 0]",
    );
    check_error(b"", 16, "truncated: 4 bytes needed, 0 there [at byte 0]");
}

#[test]
fn fewer_bytes_than_the_message_has() {
    let message = message("simple");
    let half = &message[..message.len() / 2];
    check_error(half, 96, "truncated: 323 bytes needed, 161 there [at byte 0]");
}

#[test]
fn bytes_after_the_end_are_ignored() {
    let mut longer = message("simple");
    longer.extend(b"GRIB and more");
    assert_eq!(decode(&longer, 96).unwrap(), expected("simple"));
}

#[test]
fn another_grid_than_the_chunk() {
    check_error(
        &message("simple"),
        97,
        "number of grid points of the message and the chunk: expected 97, found 96 (8 rows of 12 \
         points) [at byte 37]",
    );
}

#[test]
fn several_fields_are_ambiguous() {
    let message = message("submessages");
    let error = decode(&message, 96).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported { .. }), "{error}");
    let fields: Vec<_> =
        Message::read(&message).unwrap().fields().collect::<Result<_, _>>().unwrap();
    let [first, second] = fields.as_slice() else { panic!("{} fields", fields.len()) };
    assert_eq!(first.grid, second.grid);
    assert!(first.data.offset < second.product.offset);
    // The second field's bitmap is the first one's.
    assert_eq!(second.bitmap.bytes[5], 254);
    assert_eq!(second.defined_bitmap, Some(first.bitmap));
}

/// Sets one octet, counted from 1, of the section.
fn with_octet(name: &str, section: u8, octet: usize, value: u8) -> Vec<u8> {
    let mut message = message(name);
    let field = Message::read(&message).unwrap().only_field().unwrap();
    let section = match section {
        3 => field.grid,
        5 => field.representation,
        6 => field.bitmap,
        _ => field.data,
    };
    let at = usize::try_from(section.offset).unwrap() + octet - 1;
    message[at] = value;
    message
}

#[test]
fn unknown_templates_are_named() {
    check_error(
        &with_octet("simple", 5, 11, 200),
        96,
        "unsupported data representation template (code table 5.0): 5.200; known are 5.0, 5.2, \
         5.3, 5.4, 5.40, 5.41, 5.42 [at byte 152]",
    );
    check_error(
        &with_octet("simple", 6, 6, 3),
        96,
        "unsupported bitmap predefined by the centre (code table 6.0): 3 [at byte 169]",
    );
    check_error(
        &with_octet("simple", 6, 6, 254),
        96,
        "malformed bitmap indicator: expected a bitmap defined before in the message, found 254, \
         and none is [at byte 169]",
    );
}

#[test]
fn rows_times_columns_must_be_the_points() {
    check_error(
        &with_octet("simple", 3, 34, 13),
        96,
        "malformed number of points: expected 13 × 8, found 96 [at byte 43]",
    );
}

#[test]
fn totals_are_checked_before_unpacking() {
    // The length of the last group, which others have been seen to allocate.
    check_error(
        &with_octet("second_order", 5, 43, 0x7f),
        96,
        "malformed lengths of the groups: expected a sum of 96, the number of values, found more \
         [at byte 244]",
    );
    check_error(
        &with_octet("simple", 5, 20, 13),
        96,
        "truncated: 156 bytes needed, 144 there [at byte 175]",
    );
    check_error(
        &with_octet("simple_bitmap", 6, 7, 0xff),
        96,
        "malformed number of values: expected 72, the points that the bitmap marks, found 70 \
         [at byte 148]",
    );
}

#[test]
fn grids_without_projection_still_give_data() {
    // Template 3.1, a rotated grid, whose values lie in rows like those of 3.0.
    let mut rotated = with_octet("simple", 3, 14, 1);
    assert_eq!(decode(&rotated, 96).unwrap(), expected("simple"));
    let options = DecodeOptions { north_up: true, ..DecodeOptions::default() };
    let error = decode_with(&rotated, &options, 96).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unsupported coordinates of grid definition template (code table 3.1): 3.1 [at byte 49]"
    );
    // Template 3.101, which has no rows.
    rotated[37 + 13] = 101;
    assert_eq!(decode(&rotated, 96).unwrap(), expected("simple"));
}
