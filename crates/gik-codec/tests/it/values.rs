//! Values are those of ecCodes.

use std::fs;
use std::path::Path;

use gik_codec::{GRIBBERISH, Message};
use gik_core::{DecodeOptions, GribCodec, ValueBuffer};

use crate::fixtures::{GENERATED, MATRIX, assert_same, bytes, decode, expected, matrix, message};

#[test]
fn double_precision_is_equal_to_the_last_bit() {
    for name in GENERATED {
        let expected = expected(name);
        assert_same(name, &decode(&message(name), expected.len()).unwrap(), &expected);
    }
}

#[test]
fn single_precision_is_rounded_from_double() {
    for name in GENERATED {
        check_single(name, &message(name), &expected(name));
    }
}

fn check_single(name: &str, message: &[u8], expected: &[f64]) {
    let mut values = vec![0.0_f32; expected.len()];
    let options = DecodeOptions::default();
    let decoded = GRIBBERISH.decode_into(message, &options, ValueBuffer::F32(&mut values));
    decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
    for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
        let expected = *expected as f32;
        let same = value.to_bits() == expected.to_bits() || value.is_nan() && expected.is_nan();
        assert!(same, "{name}: point {index} is {value}, not {expected}");
    }
}

/// All that is wrong in a file of the matrix, so that one case does not hide another.
fn check_matrix(file: &str) {
    let cases = matrix(file);
    let mut wrong = Vec::new();
    for case in &cases {
        let values = match decode(&case.bytes, case.expected.len()) {
            Ok(values) => values,
            Err(error) => {
                wrong.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        let differs = values.iter().zip(&case.expected).position(|(found, expected)| {
            found.to_bits() != expected.to_bits() && !(found.is_nan() && expected.is_nan())
        });
        match differs {
            Some(point) => {
                let (found, expected) = (values[point], case.expected[point]);
                wrong.push(format!("{}: point {point} is {found:?}, not {expected:?}", case.name));
            }
            None => check_single(&case.name, &case.bytes, &case.expected),
        }
    }
    let (count, of) = (wrong.len(), cases.len());
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{count} of {of} messages:\n{}", wrong.join("\n"));
}

#[test]
fn simple_packing_of_all_widths() {
    check_matrix("simple");
}

#[test]
fn all_scanning_modes() {
    check_matrix("scans");
}

#[test]
fn complex_packing() {
    check_matrix("complex_0");
}

#[test]
fn first_order_differences() {
    check_matrix("complex_1");
}

#[test]
fn second_order_differences() {
    check_matrix("complex_2");
}

#[test]
fn ccsds_with_all_options() {
    check_matrix("ccsds");
}

#[test]
fn images() {
    check_matrix("images");
}

/// Rows and columns of `simple`'s values in the order of the array, if its points were
/// stored as `scan` says.
fn arranged(scan: u8) -> Vec<f64> {
    let (columns, rows) = (12, 8);
    let stored = expected("simple");
    let mut array = vec![0.0; stored.len()];
    for (index, value) in stored.into_iter().enumerate() {
        let by_columns = scan & 0x20 != 0;
        let line_length = if by_columns { rows } else { columns };
        let (line, mut place) = (index / line_length, index % line_length);
        if scan & 0x10 != 0 && line % 2 == 1 {
            place = line_length - 1 - place;
        }
        let (row, column) = if by_columns { (place, line) } else { (line, place) };
        array[row * columns + column] = value;
    }
    array
}

#[test]
fn points_are_where_the_scanning_mode_says() {
    let mut message = message("simple");
    let grid = Message::read(&message).unwrap().only_field().unwrap().grid.offset;
    let octet = usize::try_from(grid).unwrap() + 71;
    for scan in (0..=0xf0).step_by(0x10) {
        // Rows that are offset by half a step hold as many points as others.
        for offset in [0, 0x08, 0x04, 0x02] {
            message[octet] = scan | offset;
            let values = decode(&message, 96);
            let values = values.unwrap_or_else(|error| panic!("{:#04x}: {error}", scan | offset));
            assert_same(&format!("{:#04x}", scan | offset), &values, &arranged(scan));
        }
    }
    // Rows of different lengths have no rectangle: the message's order.
    message[octet] = 0x01;
    assert_same("0x01", &decode(&message, 96).unwrap(), &expected("simple"));
}

#[test]
fn every_file_of_the_matrix_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/matrix");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, MATRIX);
}

#[test]
fn every_generated_message_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "f64"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "submessages")
        .collect();
    files.sort();
    assert_eq!(files, GENERATED);
}

/// `digests.txt` says how; see `tests/generate/generate.py`.
fn digest(values: &[f64]) -> u64 {
    values.iter().zip(0_u64..).fold(0, |sum, (value, index)| {
        let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
        sum.wrapping_add(bits.wrapping_mul(2 * index + 1))
    })
}

#[test]
fn operational_messages() {
    let digests = String::from_utf8(bytes("digests.txt")).unwrap();
    for line in digests.lines() {
        let columns: Vec<_> = line.split(' ').collect();
        let [name, number, points, missing, sum] = columns.try_into().unwrap();
        let file = message(name);
        let mut rest = file.as_slice();
        for _ in 0..number.parse().unwrap() {
            let length = Message::read(rest).unwrap().total_length();
            rest = &rest[usize::try_from(length).unwrap()..];
        }
        let values = decode(rest, points.parse().unwrap()).unwrap();
        let nans = values.iter().filter(|value| value.is_nan()).count();
        assert_eq!(nans.to_string(), missing, "{line}");
        assert_eq!(format!("{:016x}", digest(&values)), sum, "{line}");
    }
    assert_eq!(digests.lines().count(), 14);
}
