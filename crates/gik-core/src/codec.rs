//! What a decoder of GRIB messages promises.

use std::fmt::Debug;

use crate::Result;

/// Which values a message is decoded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quantity {
    /// The field itself.
    #[default]
    Data,
    /// The latitude of each grid point, in degrees north.
    Latitude,
    /// The longitude of each grid point, in degrees east.
    Longitude,
}

/// How a message's grid is laid out in the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DecodeOptions {
    /// The values wanted.
    pub quantity: Quantity,
    /// Turn a global grid of 0…360° so that longitudes run −180…180°; other grids stay.
    pub adjust_longitude_range: bool,
    /// Reorder rows so that the first is the northernmost; does nothing where it is already.
    pub north_up: bool,
}

/// The caller's array, one element a grid point, in C order.
#[derive(Debug)]
pub enum ValueBuffer<'a> {
    /// Single precision, the double value rounded to nearest.
    F32(&'a mut [f32]),
    /// Double precision.
    F64(&'a mut [f64]),
}

impl ValueBuffer<'_> {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a codec is called and understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodecInfo {
    /// The name in Zarr metadata, for example `gribberish`.
    pub id: &'static str,
    /// The crate it comes from, for error messages.
    pub crate_name: &'static str,
}

impl CodecInfo {
    /// A codec called `id` in Zarr metadata, from the crate `crate_name`.
    #[must_use]
    pub const fn new(id: &'static str, crate_name: &'static str) -> Self {
        Self { id, crate_name }
    }
}

/// Decodes one GRIB message into a buffer that the caller has sized from the Zarr chunk.
///
/// # Contract
/// - Whatever the bytes are, the answer is the buffer filled or an error: no panic, no
///   endless loop, no allocation beyond a small multiple of the buffer and the message.
/// - A message whose grid has another number of points than the buffer has elements is an
///   error. After an error the buffer's content is unspecified.
/// - Points that the message marks as missing become NaN.
/// - Bytes after the message's end (section 8) are ignored.
/// - It blocks: the caller owns the threads.
pub trait GribCodec: Debug + Send + Sync + 'static {
    /// What the codec is called.
    fn info(&self) -> CodecInfo;

    /// Decodes `message` into `out`.
    ///
    /// # Errors
    /// When the message is not GRIB, is damaged, uses a template this codec cannot decode,
    /// or has another number of points than `out`; the offset counts from the message's
    /// first byte.
    fn decode_into(
        &self,
        message: &[u8],
        options: &DecodeOptions,
        out: ValueBuffer<'_>,
    ) -> Result<()>;
}

/// A codec's entry in the list that `inventory` collects from the linked crates.
///
/// A crate offers a codec with
/// `gik_core::inventory::submit! { gik_core::CodecRegistration(&CODEC) }`.
#[derive(Debug)]
pub struct CodecRegistration(pub &'static dyn GribCodec);

inventory::collect!(CodecRegistration);

/// The codecs of the crates linked into this program, in no particular order.
pub fn linked_codecs() -> impl Iterator<Item = &'static dyn GribCodec> {
    inventory::iter::<CodecRegistration>.into_iter().map(|registration| registration.0)
}
