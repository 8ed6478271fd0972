//! Template 7.41: an image in the PNG format, a pixel for each value.
//!
//! Values of 1, 2, 4, 8 and 16 bits are grey, those of 24 bits red, green and blue, those
//! of 32 bits with alpha; a value is the pixel's bits in their order.

use std::ops::Range;

use gik_core::{Error, ErrorKind, Result};
use png::{BitDepth, ColorType, DecodeOptions, Decoder, Limits, Transformations};

use super::Payload;
use crate::bits::BitReader;
use crate::scale::{Scaling, Value};

const WHAT: &str = "PNG image";

pub(super) fn unpack<T: Value>(
    data: Payload<'_>,
    scaling: Scaling,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    let failed = |error: png::DecodingError| {
        data.malformed(WHAT, "one that can be decoded", &"damage").with_source(error)
    };
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let cursor = std::io::Cursor::new(data.bytes);
    let mut decoder = Decoder::new_with_options(cursor, options);
    decoder.set_transformations(Transformations::IDENTITY);
    // Rows are decoded one by one: what is needed is a few of them and a window of 32 KiB.
    decoder.set_limits(Limits { bytes: values.saturating_mul(16).saturating_add(1 << 20) });

    let header = decoder.read_header_info().map_err(failed)?;
    let (width, height) = header.size();
    if u64::from(width) * u64::from(height) != values as u64 {
        let expected = format!("{values} pixels, one for each value");
        return Err(data.malformed(WHAT, expected, &format_args!("{width} × {height}")));
    }
    if header.interlaced {
        return Err(data.unsupported(WHAT, "interlaced"));
    }
    let depth = match header.bit_depth {
        BitDepth::One => 1,
        BitDepth::Two => 2,
        BitDepth::Four => 4,
        BitDepth::Eight => 8,
        BitDepth::Sixteen => 16,
    };
    let bits = match (header.color_type, depth) {
        (ColorType::Grayscale, depth) => depth,
        (ColorType::Rgb, 8) => 24,
        (ColorType::Rgba, 8) => 32,
        (color, depth) => {
            return Err(data.unsupported(WHAT, format!("{color:?} with {depth} bits a sample")));
        }
    };

    let mut reader = decoder.read_info().map_err(failed)?;
    let width = width as usize;
    for row in 0..height as usize {
        let decoded = reader.next_row().map_err(failed)?;
        let Some(pixels) = decoded else {
            return Err(data.malformed(WHAT, format!("{height} rows"), &"fewer"));
        };
        let mut pixels = BitReader::new(pixels.data());
        for index in row * width..(row + 1) * width {
            let Some(integer) = pixels.read(bits) else {
                return Err(Error::new(ErrorKind::Contained {
                    what: "png",
                    message: "a row is shorter than its header says".to_owned(),
                }));
            };
            let place = index.checked_sub(wanted.start).and_then(|index| out.get_mut(index));
            if let Some(value) = place {
                *value = T::from_f64(scaling.apply(f64::from(integer)));
            }
        }
    }
    // To the end, so that checksums are compared.
    reader.finish().map_err(failed)
}
