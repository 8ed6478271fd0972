//! The codec: a message's bytes into the caller's array.

use std::ops::Range;

use gik_core::{
    CodecInfo, CodecRegistration, DecodeOptions, Error, GribCodec, GridRegion, Quantity, Result,
    ValueBuffer,
};

use crate::bitmap::Bitmap;
use crate::coordinates::{Arrangement, check_coordinates, coordinates};
use crate::edition1::{self, Message1};
use crate::grid::{GridDefinition, GridShape};
use crate::header;
use crate::message::{Field, Message};
use crate::representation::DataRepresentation;
use crate::scale::Value;
use crate::unpack::unpack;

/// The codec of GRIB2 messages, under the name that it is given.
///
/// All names decode alike. A crate that has its own registers it with
/// `static CODEC: GribMessageCodec = GribMessageCodec::new("my_gribberish", "my-crate");`
/// and [`gik_core::CodecRegistration`].
#[derive(Debug, Clone, Copy)]
pub struct GribMessageCodec {
    info: CodecInfo,
}

impl GribMessageCodec {
    /// The codec called `id` in Zarr metadata, of the crate `crate_name`.
    #[must_use]
    pub const fn new(id: &'static str, crate_name: &'static str) -> Self {
        Self { info: CodecInfo::new(id, crate_name) }
    }

    /// The same, whose `var` may also be `time`, `step` or a type of level.
    #[must_use]
    pub const fn with_coordinates(id: &'static str, crate_name: &'static str) -> Self {
        Self { info: CodecInfo::new(id, crate_name).with_coordinates() }
    }
}

/// The codec called `gribberish`, which the Python package of that name reads too.
pub static GRIBBERISH: GribMessageCodec = GribMessageCodec::new("gribberish", "gik-codec");

gik_core::inventory::submit! { CodecRegistration(&GRIBBERISH) }

impl GribCodec for GribMessageCodec {
    fn info(&self) -> CodecInfo {
        self.info
    }

    fn decode_into(
        &self,
        message: &[u8],
        options: &DecodeOptions,
        out: ValueBuffer<'_>,
    ) -> Result<()> {
        match out {
            ValueBuffer::F32(out) => decode(message, options, None, out),
            ValueBuffer::F64(out) => decode(message, options, None, out),
        }
    }

    fn decode_region_into(
        &self,
        message: &[u8],
        options: &DecodeOptions,
        region: &GridRegion,
        out: ValueBuffer<'_>,
    ) -> Result<()> {
        region.check(out.len())?;
        match out {
            ValueBuffer::F32(out) => decode(message, options, Some(region), out),
            ValueBuffer::F64(out) => decode(message, options, Some(region), out),
        }
    }
}

/// Decodes the chunk, or a region of it, into `out`.
fn decode<T: Value>(
    message: &[u8],
    options: &DecodeOptions,
    region: Option<&GridRegion>,
    out: &mut [T],
) -> Result<()> {
    if edition1::edition(message) == Some(1) {
        return decode_edition1(message, options, region, out);
    }
    let field = Message::read(message)?.only_field()?;
    if !options.quantity.is_of_points() {
        let count = region.map_or(out.len(), |region| region.shape.iter().product());
        let first = region.map_or(0, |region| region.columns.start);
        return header::values(&field, options, count, first, out);
    }
    let Some(region) = region else {
        return decode_whole(&field, options, out);
    };
    // Rows can be left out where the message has them one after the other, and as many as
    // the chunk.
    if options.quantity == Quantity::Data
        && let Some(shape) = GridDefinition::read(&field.grid)?.shape
        && !shape.scan.columns_consecutive()
        && [shape.rows, shape.columns].map(|length| length as usize) == region.shape
    {
        return decode_rows(&field, shape, options, region, out);
    }
    let [rows, columns] = region.shape;
    let points = rows.saturating_mul(columns);
    // Before anything is allocated for them: they are those of the message.
    if options.quantity == Quantity::Data {
        GridDefinition::read(&field.grid)?.check_points(&field.grid, points)?;
    } else {
        check_coordinates(&field.grid, options, points)?;
    }
    let mut whole = vec![T::MISSING; points];
    decode_whole(&field, options, &mut whole)?;
    region.copy_from(&whole, 0, out);
    Ok(())
}

/// Decodes a message of edition 1, as it is: without coordinates there is nothing to turn it
/// by.
fn decode_edition1<T: Value>(
    message: &[u8],
    options: &DecodeOptions,
    region: Option<&GridRegion>,
    out: &mut [T],
) -> Result<()> {
    if *options != DecodeOptions::default() {
        let what = "GRIB edition 1 in this layout";
        let value = "only its data in the message's order, without turning or flipping";
        return Err(Error::unsupported(what, value).at(7));
    }
    let message = Message1::read(message)?;
    let Some(region) = region else {
        message.decode(out.len(), 0..out.len(), out)?;
        message.shape.rows_in_order(0, out);
        return Ok(());
    };
    let [rows, columns] = region.shape;
    let points = message.check_points(rows.saturating_mul(columns))?;
    let mut whole = vec![T::MISSING; points];
    message.decode(points, 0..points, &mut whole)?;
    message.shape.rows_in_order(0, &mut whole);
    region.copy_from(&whole, 0, out);
    Ok(())
}

fn decode_whole<T: Value>(field: &Field<'_>, options: &DecodeOptions, out: &mut [T]) -> Result<()> {
    if options.quantity != Quantity::Data {
        return coordinates(&field.grid, options, out);
    }
    let grid = GridDefinition::read(&field.grid)?;
    grid.check_points(&field.grid, out.len())?;
    let arrangement = Arrangement::new(&field.grid, &grid, options)?;
    decode_points(field, out.len(), 0..out.len(), out)?;
    if let Some(shape) = grid.shape {
        shape.rows_in_order(0, out);
    }
    arrangement.apply(out);
    Ok(())
}

/// Decodes the rows of a region, whole, and keeps its columns.
fn decode_rows<T: Value>(
    field: &Field<'_>,
    shape: GridShape,
    options: &DecodeOptions,
    region: &GridRegion,
    out: &mut [T],
) -> Result<()> {
    let grid = GridDefinition::read(&field.grid)?;
    let arrangement = Arrangement::new(&field.grid, &grid, options)?;
    let [rows, columns] = region.shape;
    let first = if arrangement.flips() { rows - region.rows.end } else { region.rows.start };
    let points = first * columns..(first + region.rows.len()) * columns;
    let decode = |band: &mut [T]| {
        decode_points(field, rows * columns, points.clone(), band)?;
        shape.rows_in_order(first, band);
        arrangement.apply(band);
        Ok(())
    };
    if region.columns.len() == columns {
        return decode(out);
    }
    let mut band = vec![T::MISSING; points.len()];
    decode(&mut band)?;
    region.copy_from(&band, region.rows.start, out);
    Ok(())
}

/// Decodes the values of the points `wanted` of `points`, in the message's order.
fn decode_points<T: Value>(
    field: &Field<'_>,
    points: usize,
    wanted: Range<usize>,
    out: &mut [T],
) -> Result<()> {
    let bitmap = Bitmap::of(field, points)?;
    let values = bitmap.map_or(points, |bitmap| bitmap.ones());
    let representation = DataRepresentation::read(&field.representation)?;
    if u64::from(representation.values) != values as u64 {
        let what = "number of values";
        let expected = match bitmap {
            Some(_) => format!("{values}, the points that the bitmap marks"),
            None => format!("{values}, the points of the grid"),
        };
        return Err(field.representation.malformed(6, what, expected, &representation.values));
    }
    let packing = &representation.packing;
    let Some(bitmap) = bitmap else {
        return unpack(packing, &field.data, values, wanted, out);
    };
    let first = bitmap.ones_before(wanted.start);
    let end = bitmap.ones_before(wanted.end);
    if let Some(packed) = out.get_mut(..end - first) {
        unpack(packing, &field.data, values, first..end, packed)?;
    }
    bitmap.spread(wanted, out);
    Ok(())
}
