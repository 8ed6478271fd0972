//! The message reader and all that is read from sections without decoding.
#![no_main]

use gik_codec::{Bitmap, DataRepresentation, GridDefinition, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::read(bytes) else { return };
    assert!(message.total_length() <= bytes.len() as u64);
    let mut end = 0;
    for field in message.fields() {
        let Ok(field) = field else { break };
        // Fields follow each other, within the message.
        assert!(field.data.offset >= end);
        end = field.data.offset + field.data.bytes.len() as u64;
        assert!(end <= message.total_length());
        let _ = field.product_template();
        let _ = DataRepresentation::read(&field.representation);
        if let Ok(grid) = GridDefinition::read(&field.grid) {
            if let Some(shape) = grid.shape {
                let points = u64::from(shape.columns) * u64::from(shape.rows);
                assert_eq!(points, u64::from(grid.points));
            }
            if let Ok(Some(bitmap)) = Bitmap::of(&field, grid.points as usize) {
                assert!(bitmap.ones() <= grid.points as usize);
            }
        }
    }
    let _ = message.only_field();
});
