//! Values are those of ecCodes.

use std::fs;
use std::path::Path;

use gik_codec::{GRIBBERISH, Message};
use gik_core::{DecodeOptions, GribCodec, ValueBuffer};

use crate::fixtures::{GENERATED, assert_same, bytes, decode, expected, message};

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
        let expected = expected(name);
        let mut values = vec![0.0_f32; expected.len()];
        let options = DecodeOptions::default();
        GRIBBERISH.decode_into(&message(name), &options, ValueBuffer::F32(&mut values)).unwrap();
        for (index, (value, expected)) in values.iter().zip(&expected).enumerate() {
            let expected = *expected as f32;
            let same = *value == expected || value.is_nan() && expected.is_nan();
            assert!(same, "{name}: point {index} is {value}, not {expected}");
        }
    }
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

/// `digests.txt` says how; see `generate.py`.
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
