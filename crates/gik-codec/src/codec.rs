//! The codec: a message's bytes into the caller's array.

use gik_core::{
    CodecInfo, CodecRegistration, DecodeOptions, GribCodec, Quantity, Result, ValueBuffer,
};

use crate::bitmap::Bitmap;
use crate::coordinates::{arrange, coordinates};
use crate::grid::GridDefinition;
use crate::message::Message;
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
            ValueBuffer::F32(out) => decode(message, options, out),
            ValueBuffer::F64(out) => decode(message, options, out),
        }
    }
}

fn decode<T: Value>(message: &[u8], options: &DecodeOptions, out: &mut [T]) -> Result<()> {
    let field = Message::read(message)?.only_field()?;
    if options.quantity != Quantity::Data {
        return coordinates(&field.grid, options, out);
    }
    let grid = GridDefinition::read(&field.grid)?;
    grid.check_points(&field.grid, out.len())?;
    grid.check_scan(&field.grid)?;

    let bitmap = Bitmap::of(&field, out.len())?;
    let values = bitmap.map_or(out.len(), |bitmap| bitmap.ones());
    let representation = DataRepresentation::read(&field.representation)?;
    let packed = match out.get_mut(..values) {
        Some(packed) if u64::from(representation.values) == values as u64 => packed,
        _ => {
            let what = "number of values";
            let expected = match bitmap {
                Some(_) => format!("{values}, the points that the bitmap marks"),
                None => format!("{values}, the points of the grid"),
            };
            return Err(field.representation.malformed(6, what, expected, &representation.values));
        }
    };
    unpack(&representation.packing, &field.data, packed)?;
    if let Some(bitmap) = bitmap {
        bitmap.spread(out);
    }
    arrange(&field.grid, &grid, options, out)
}
