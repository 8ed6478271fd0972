//! Template 7.40: a JPEG 2000 codestream (ISO/IEC 15444-1), decoded by OpenJPEG through
//! `gribberish`.
//!
//! OpenJPEG is C and takes sizes from the codestream. The codestream's structure is
//! therefore walked before: what it declares must be the values' number, of one
//! component, and its parameters those that cost no more than that. It must also be
//! complete, for gribberish answers a read past the end with nothing instead of an end,
//! and OpenJPEG then asks forever.

use std::fmt;
use std::ops::Range;

use gik_core::{Error, Result, contain};

use super::Payload;
use crate::reader::ByteReader;
use crate::scale::{Scaling, Value};

const WHAT: &str = "JPEG 2000 codestream";

/// Tiles, for each of which OpenJPEG allocates some kilobytes.
const MAX_TILES: u64 = 64;
/// Quality layers; one is what GRIB needs.
const MAX_LAYERS: u16 = 64;
/// The least exponent of a precinct's size; the default is 15.
const MIN_PRECINCT: u8 = 7;
/// Bits of a sample that survive in a signed 32-bit integer.
const MAX_PRECISION: u8 = 30;
/// EOC, a few times.
const END_PADDING: [u8; 8] = [0xff, 0xd9, 0xff, 0xd9, 0xff, 0xd9, 0xff, 0xd9];

mod marker {
    pub(super) const START_OF_CODESTREAM: u16 = 0xff4f;
    pub(super) const CAPABILITIES: u16 = 0xff50;
    pub(super) const SIZE: u16 = 0xff51;
    pub(super) const CODING_STYLE: u16 = 0xff52;
    pub(super) const TILE_PART_LENGTHS: u16 = 0xff55;
    pub(super) const PACKET_LENGTHS_MAIN: u16 = 0xff57;
    pub(super) const PACKET_LENGTHS_TILE: u16 = 0xff58;
    pub(super) const QUANTIZATION: u16 = 0xff5c;
    pub(super) const QUANTIZATION_COMPONENT: u16 = 0xff5d;
    pub(super) const REGISTRATION: u16 = 0xff63;
    pub(super) const COMMENT: u16 = 0xff64;
    pub(super) const START_OF_TILE_PART: u16 = 0xff90;
    pub(super) const START_OF_DATA: u16 = 0xff93;
    pub(super) const END_OF_CODESTREAM: u16 = 0xffd9;
}

pub(super) fn unpack<T: Value>(
    data: Payload<'_>,
    scaling: Scaling,
    values: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    check_codestream(data, values as u64)?;
    let message = plain_message(data, values)?;
    let decoded = contain("the JPEG 2000 decoder of gribberish", || {
        let message = gribberish::message::Message::from_data(&message, 0);
        message.map(|message| message.data())
    })?;
    let integers = match decoded {
        Some(Ok(integers)) => integers,
        Some(Err(error)) => {
            let error =
                data.malformed(WHAT, "one that can be decoded", &"damage").with_source(error);
            return Err(error);
        }
        None => return Err(data.malformed(WHAT, "one that can be decoded", &"damage")),
    };
    if integers.len() != values {
        return Err(data.malformed(WHAT, format!("{values} samples"), &integers.len()));
    }
    for (value, &integer) in out.iter_mut().zip(integers.get(wanted).unwrap_or_default()) {
        *value = T::from_f64(scaling.apply(integer));
    }
    Ok(())
}

/// A message of the codestream alone, with R, E and D zero, so that what comes back are
/// the integers, and with nothing else in it to misunderstand.
fn plain_message(data: Payload<'_>, values: usize) -> Result<Vec<u8>> {
    let too_big = |_| data.malformed(WHAT, "at most 2^32 values and bytes", &values);
    let values = u32::try_from(values).map_err(too_big)?.to_be_bytes();
    let data_length = data.bytes.len() + END_PADDING.len();
    let section_length = u32::try_from(data_length + 5).map_err(too_big)?.to_be_bytes();
    let mut message = Vec::new();
    if message.try_reserve_exact(data_length + 72).is_err() {
        return Err(data.malformed(WHAT, "one that fits memory", &data.bytes.len()));
    }
    let total = (16 + 14 + 23 + 6 + 5 + data_length + 4) as u64;
    message.extend(b"GRIB\0\0\0\x02");
    message.extend(total.to_be_bytes());
    // Section 3: the number of points.
    message.extend([0, 0, 0, 14, 3, 0]);
    message.extend(values);
    message.extend([0, 0, 0, 0]);
    // Section 5: template 40; the number of bits only has to differ from zero.
    message.extend([0, 0, 0, 23, 5]);
    message.extend(values);
    message.extend([0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 255]);
    // Section 6: no bitmap.
    message.extend([0, 0, 0, 6, 6, 255]);
    message.extend(section_length);
    message.push(7);
    message.extend(data.bytes);
    // Whatever OpenJPEG may still look for behind the end, it finds the end.
    message.extend(END_PADDING);
    // gribberish leaves out a section that ends where the bytes end.
    message.extend(b"7777\0");
    Ok(message)
}

/// Walks the codestream's markers.
fn check_codestream(data: Payload<'_>, values: u64) -> Result<()> {
    let mut reader = ByteReader::new(data.bytes, data.offset);
    let start = reader.u16()?;
    if start != marker::START_OF_CODESTREAM {
        return Err(malformed(&reader, "one that begins with SOC", &hex(start)));
    }
    let size = reader.u16()?;
    if size != marker::SIZE {
        return Err(malformed(&reader, "SIZ after SOC", &hex(size)));
    }
    check_size(segment(&mut reader)?, values)?;
    let mut styled = false;
    loop {
        match reader.u16()? {
            marker::START_OF_TILE_PART => break,
            marker::CODING_STYLE => {
                check_coding_style(segment(&mut reader)?)?;
                styled = true;
            }
            marker::CAPABILITIES
            | marker::TILE_PART_LENGTHS
            | marker::PACKET_LENGTHS_MAIN
            | marker::QUANTIZATION
            | marker::QUANTIZATION_COMPONENT
            | marker::REGISTRATION
            | marker::COMMENT => {
                segment(&mut reader)?;
            }
            other => return Err(unsupported(&reader, other)),
        }
    }
    if !styled {
        return Err(malformed(&reader, "COD in the main header", &"none"));
    }
    check_tile_parts(&mut reader)
}

/// The parameters of a marker segment.
fn segment<'a>(reader: &mut ByteReader<'a>) -> Result<ByteReader<'a>> {
    let length = usize::from(reader.u16()?);
    let Some(length) = length.checked_sub(2) else {
        return Err(malformed(reader, "marker segments of 2 octets or more", &length));
    };
    reader.part(length)
}

/// SIZ: one component without subsampling, as many samples as there are values.
fn check_size(mut reader: ByteReader<'_>, values: u64) -> Result<()> {
    reader.u16()?;
    let (width, height) = (u64::from(reader.u32()?), u64::from(reader.u32()?));
    let origin = (reader.u32()?, reader.u32()?);
    let (tile_width, tile_height) = (u64::from(reader.u32()?), u64::from(reader.u32()?));
    let tile_origin = (reader.u32()?, reader.u32()?);
    if width * height != values || origin != (0, 0) {
        let found = format!("{width} × {height} from {origin:?}");
        return Err(malformed(&reader, format!("{values} samples, one for each value"), &found));
    }
    let tiles = match (tile_width, tile_height) {
        (0, _) | (_, 0) => 0,
        _ => width.div_ceil(tile_width) * height.div_ceil(tile_height),
    };
    if !(1..=MAX_TILES).contains(&tiles) || tile_origin != (0, 0) {
        let found = format!("{tiles} from {tile_origin:?}");
        return Err(malformed(&reader, format!("1 to {MAX_TILES} tiles"), &found));
    }
    let components = reader.u16()?;
    let depth = reader.u8()?;
    let subsampling = (reader.u8()?, reader.u8()?);
    if components != 1 || subsampling != (1, 1) || depth >= MAX_PRECISION {
        let expected =
            format!("one component of unsigned integers of at most {MAX_PRECISION} bits");
        let found = format!("{components}, Ssiz {depth}, subsampling {subsampling:?}");
        return Err(malformed(&reader, expected, &found));
    }
    Ok(())
}

/// COD: nothing that makes OpenJPEG keep more than a few bytes a sample.
fn check_coding_style(mut reader: ByteReader<'_>) -> Result<()> {
    let style = reader.u8()?;
    reader.u8()?;
    let layers = reader.u16()?;
    if layers > MAX_LAYERS {
        return Err(malformed(&reader, format!("at most {MAX_LAYERS} quality layers"), &layers));
    }
    reader.u8()?;
    let levels = reader.u8()?;
    reader.take(4)?;
    if style & 1 != 0 {
        for _ in 0..=levels {
            let exponents = reader.u8()?;
            if (exponents & 15).min(exponents >> 4) < MIN_PRECINCT {
                let expected = format!("precincts of 2^{MIN_PRECINCT} samples or more");
                return Err(malformed(&reader, expected, &hex(u16::from(exponents))));
            }
        }
    }
    Ok(())
}

/// From behind the first SOT to EOC: tile-parts that stay with the main header's style.
fn check_tile_parts(reader: &mut ByteReader<'_>) -> Result<()> {
    loop {
        // A tile-part's length counts from its SOT marker, which has been read.
        let left = reader.remaining();
        let mut header = segment(reader)?;
        header.u16()?;
        let length = header.u32()?;
        loop {
            match reader.u16()? {
                marker::START_OF_DATA => break,
                marker::QUANTIZATION
                | marker::QUANTIZATION_COMPONENT
                | marker::PACKET_LENGTHS_TILE
                | marker::COMMENT => {
                    segment(reader)?;
                }
                other => return Err(unsupported(reader, other)),
            }
        }
        if length == 0 {
            // The last tile-part, to the end.
            let rest = reader.take(reader.remaining())?;
            if !rest.ends_with(&marker::END_OF_CODESTREAM.to_be_bytes()) {
                return Err(malformed(reader, "EOC at the end", &"none"));
            }
            return Ok(());
        }
        let read = left - reader.remaining() + 2;
        let rest = usize::try_from(length).ok().and_then(|length| length.checked_sub(read));
        let Some(rest) = rest else {
            return Err(malformed(reader, "tile-parts longer than their header", &length));
        };
        reader.take(rest)?;
        match reader.u16()? {
            marker::END_OF_CODESTREAM => return Ok(()),
            marker::START_OF_TILE_PART => {}
            other => return Err(malformed(reader, "SOT or EOC after a tile-part", &hex(other))),
        }
    }
}

fn hex(marker: u16) -> String {
    format!("{marker:#06x}")
}

fn malformed(
    reader: &ByteReader<'_>,
    expected: impl Into<String>,
    found: &dyn fmt::Display,
) -> Error {
    Error::malformed(WHAT, expected, found.to_string()).at(reader.offset())
}

fn unsupported(reader: &ByteReader<'_>, marker: u16) -> Error {
    Error::unsupported("marker in a JPEG 2000 codestream", hex(marker)).at(reader.offset())
}
