//! The messages of `tests/fixtures` and what ecCodes decodes them to;
//! `cargo xtask fixtures` makes them.

use std::fs;
use std::path::PathBuf;

use gik_codec::GRIBBERISH;
use gik_core::{DecodeOptions, GribCodec, Result, ValueBuffer};

/// Generated messages that hold one field, each with a file of values.
pub(crate) const GENERATED: &[&str] = &[
    "all_missing",
    "all_missing_jpeg2000",
    "ccsds_1",
    "ccsds_12",
    "ccsds_16",
    "ccsds_20",
    "ccsds_24",
    "ccsds_3",
    "ccsds_31",
    "ccsds_4",
    "ccsds_8",
    "ccsds_bitmap",
    "ccsds_plateaus",
    "ccsds_zero_bits",
    "complex",
    "complex_missing",
    "complex_missing_both",
    "complex_packed",
    "differenced_packed",
    "first_order",
    "first_order_missing",
    "ieee32",
    "ieee64",
    "jpeg2000",
    "jpeg2000_bitmap",
    "png_1",
    "png_16",
    "png_2",
    "png_24",
    "png_32",
    "png_4",
    "png_8",
    "second_order",
    "second_order_large_first",
    "second_order_missing",
    "second_order_missing_both",
    "simple",
    "simple_24_bits",
    "simple_32_bits",
    "simple_7_bits",
    "simple_bitmap",
    "simple_south_up",
    "simple_zero_bits",
];

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file)
}

/// The bytes of a fixture.
pub(crate) fn bytes(file: &str) -> Vec<u8> {
    fs::read(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The message `name.grib2`.
pub(crate) fn message(name: &str) -> Vec<u8> {
    bytes(&format!("{name}.grib2"))
}

/// The values of `name.f64`.
pub(crate) fn expected(name: &str) -> Vec<f64> {
    let bytes = bytes(&format!("{name}.f64"));
    bytes.as_chunks().0.iter().map(|&octets| f64::from_le_bytes(octets)).collect()
}

/// Files of `matrix`, in which packings are crossed with bits, missing values, bitmaps and
/// scanning modes.
pub(crate) const MATRIX: &[&str] =
    &["ccsds", "complex_0", "complex_1", "complex_2", "images", "scans", "simple"];

/// A message of the matrix.
#[derive(Debug)]
pub(crate) struct Case {
    /// What is special in it.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Vec<f64>,
}

/// The messages of one of [`MATRIX`], without a gap between them.
pub(crate) fn matrix(file: &str) -> Vec<Case> {
    let messages = bytes(&format!("matrix/{file}.grib2"));
    let values = expected(&format!("matrix/{file}"));
    let table = String::from_utf8(bytes(&format!("matrix/{file}.txt"))).unwrap();
    let (mut end, mut last) = (0, 0);
    let mut cases = Vec::new();
    for line in table.lines() {
        let columns: Vec<_> = line.splitn(5, ' ').collect();
        let [start, length, first, count, name] = columns.try_into().unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap();
        assert_eq!((number(start), number(first)), (end, last), "{file}: {line}");
        let (start, first) = (end, last);
        end += number(length);
        last += number(count);
        cases.push(Case {
            name: format!("{file}, {name}"),
            bytes: messages[start..end].to_vec(),
            expected: values[first..last].to_vec(),
        });
    }
    assert_eq!((end, last), (messages.len(), values.len()), "{file}");
    cases
}

/// Decodes with default options.
pub(crate) fn decode(message: &[u8], points: usize) -> Result<Vec<f64>> {
    decode_with(message, &DecodeOptions::default(), points)
}

pub(crate) fn decode_with(
    message: &[u8],
    options: &DecodeOptions,
    points: usize,
) -> Result<Vec<f64>> {
    let mut values = vec![0.0; points];
    GRIBBERISH.decode_into(message, options, ValueBuffer::F64(&mut values))?;
    Ok(values)
}

/// Equal to the last bit, any NaN being like any other.
pub(crate) fn assert_same(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(same, "{name}: point {index} is {found:?}, not {expected:?}");
    }
}
