//! Messages to values, whole and in part, with all options: an answer or an error, within the memory
//! that the chunk's shape and the message allow. libFuzzer watches the time.
#![no_main]

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, GribCodec, GridRegion, Quantity, ValueBuffer};
use gik_fuzz::peak;
use libfuzzer_sys::fuzz_target;

/// Larger grids cost time and find nothing more.
const MAX_POINTS: usize = 1 << 16;
/// What decoding may allocate beyond twice the chunk and the message: as in the codec's
/// tests of damaged messages, where it is explained.
const FIXED: usize = 48 << 10;

/// As many elements as the message's grid has for this quantity.
fn elements(message: &[u8], quantity: Quantity) -> usize {
    // Also the points of the seeds of edition 1.
    let fallback = if message.get(7) == Some(&1) { 63 } else { 96 };
    let Ok(field) = Message::read(message).and_then(|message| message.only_field()) else {
        return fallback;
    };
    let Ok(grid) = GridDefinition::read(&field.grid) else { return fallback };
    let count = match (quantity, grid.shape, grid.template) {
        (Quantity::Latitude, Some(shape), 0) => shape.rows,
        (Quantity::Longitude, Some(shape), 0) => shape.columns,
        _ => grid.points,
    };
    match count as usize {
        count if count > MAX_POINTS => fallback,
        count => count,
    }
}

/// Rows and columns of the message's grid.
fn shape_of(message: &[u8], quantity: Quantity) -> Option<[usize; 2]> {
    if quantity != Quantity::Data {
        return None;
    }
    let field = Message::read(message).ok()?.only_field().ok()?;
    let shape = GridDefinition::read(&field.grid).ok()?.shape?;
    Some([shape.rows as usize, shape.columns as usize])
}

fuzz_target!(|message: &[u8]| {
    for quantity in [Quantity::Data, Quantity::Latitude, Quantity::Longitude] {
        let elements = elements(message, quantity);
        let mut singles = vec![0.0_f32; elements];
        let mut doubles = vec![0.0_f64; elements];
        for (adjust_longitude_range, north_up) in [(false, false), (true, true)] {
            let options = DecodeOptions {
                quantity,
                adjust_longitude_range,
                north_up,
                ..DecodeOptions::default()
            };
            let (single, allocated) =
                peak(|| GRIBBERISH.decode_into(message, &options, ValueBuffer::F32(&mut singles)));
            let limit = FIXED + message.len() + 2 * size_of::<f32>() * elements;
            assert!(allocated <= limit, "{options:?}: {allocated} bytes for {elements} elements");
            let double = GRIBBERISH.decode_into(message, &options, ValueBuffer::F64(&mut doubles));
            assert_eq!(single.is_ok(), double.is_ok(), "{options:?}");
            // The middle third of the rows and columns, where the points are in rows.
            let shape = [1, elements];
            let shape = shape_of(message, quantity).filter(|it| it[0] * it[1] == elements).unwrap_or(shape);
            let part = |length: usize| length / 3..length - length / 3;
            let region = GridRegion { shape, rows: part(shape[0]), columns: part(shape[1]) };
            let mut part = vec![0.0_f64; region.rows.len() * region.columns.len()];
            let partial =
                GRIBBERISH.decode_region_into(message, &options, &region, ValueBuffer::F64(&mut part));
            if double.is_ok() {
                partial.unwrap();
                let mut expected = vec![0.0_f64; part.len()];
                region.copy_from(&doubles, 0, &mut expected);
                for (found, expected) in part.iter().zip(&expected) {
                    assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
                }
            }
            if single.is_ok() {
                for (single, double) in singles.iter().zip(&doubles) {
                    let rounded = *double as f32;
                    assert!(
                        single.to_bits() == rounded.to_bits()
                            || single.is_nan() && rounded.is_nan()
                    );
                }
            }
        }
    }
});
