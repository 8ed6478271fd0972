//! What a decoder of GRIB messages promises.

use std::fmt::Debug;
use std::ops::Range;

use crate::{Error, Result};

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
    /// The reference time, in seconds since 1970: one value.
    ReferenceTime,
    /// The lead, in seconds after the reference time: one value, or all hours of a run (see
    /// [`DecodeOptions::steps`]).
    Step,
    /// The value of the first fixed surface, in the unit of code table 4.5; 0 where it has none:
    /// one value.
    Level,
}

impl Quantity {
    /// Whether there is a value for each grid point, or each row or column of the grid.
    #[must_use]
    pub const fn is_of_points(self) -> bool {
        matches!(self, Self::Data | Self::Latitude | Self::Longitude)
    }
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
    /// For [`Quantity::Step`]: how many steps the coordinate has. Unless it is one, the values are
    /// 0, 1, 2 … hours, whatever the message is.
    pub steps: Option<u32>,
}

/// A rectangle of a chunk's last two dimensions, the rows and columns of its grid. All
/// other dimensions of the chunk have length 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRegion {
    /// The whole chunk's rows and columns.
    pub shape: [usize; 2],
    /// The rows wanted.
    pub rows: Range<usize>,
    /// The columns wanted.
    pub columns: Range<usize>,
}

impl GridRegion {
    /// Holds the ranges against the shape.
    ///
    /// # Errors
    /// When a range goes outside of the shape or ends before it starts, or `elements` is
    /// not the number of elements wanted.
    pub fn check(&self, elements: usize) -> Result<()> {
        let [rows, columns] = self.shape;
        let inside = |range: &Range<usize>, length| range.start <= range.end && range.end <= length;
        if !inside(&self.rows, rows) || !inside(&self.columns, columns) {
            let found = format!("rows {:?}, columns {:?}", self.rows, self.columns);
            let expected = format!("within {rows} rows of {columns} columns");
            return Err(Error::mismatch("region of a chunk", expected, found));
        }
        let wanted = self.rows.len().checked_mul(self.columns.len());
        if wanted != Some(elements) {
            let found = format!("{} × {}", self.rows.len(), self.columns.len());
            return Err(Error::mismatch("elements of a region", elements.to_string(), found));
        }
        Ok(())
    }

    /// Copies the region from `whole`, the chunk in C order, or from `whole`'s rows of it.
    pub fn copy_from<T: Copy>(&self, whole: &[T], first_row: usize, out: &mut [T]) {
        let [_, columns] = self.shape;
        if columns == 0 || self.columns.is_empty() {
            return;
        }
        let rows = whole.chunks_exact(columns).skip(self.rows.start.saturating_sub(first_row));
        for (target, row) in out.chunks_exact_mut(self.columns.len()).zip(rows) {
            if let Some(part) = row.get(self.columns.clone()) {
                target.copy_from_slice(part);
            }
        }
    }
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
    /// Whether `var` may also name time, step or a type of level, and `steps` be there: as the
    /// codec of `HRRRParser` has it.
    pub has_coordinates: bool,
}

impl CodecInfo {
    /// A codec called `id` in Zarr metadata, from the crate `crate_name`.
    #[must_use]
    pub const fn new(id: &'static str, crate_name: &'static str) -> Self {
        Self { id, crate_name, has_coordinates: false }
    }

    /// The same with coordinates of time, step and level.
    #[must_use]
    pub const fn with_coordinates(mut self) -> Self {
        self.has_coordinates = true;
        self
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

    /// Decodes only a region of the chunk into `out`, one element for each of the region's
    /// points. The values are those that [`decode_into`](Self::decode_into) would have put
    /// there.
    ///
    /// By itself this decodes the whole chunk; a codec that can do with less overrides it.
    /// Damage in a part that is not needed may then go unnoticed.
    ///
    /// # Errors
    /// As for `decode_into`, and when the region does not fit its shape or `out`.
    fn decode_region_into(
        &self,
        message: &[u8],
        options: &DecodeOptions,
        region: &GridRegion,
        out: ValueBuffer<'_>,
    ) -> Result<()> {
        region.check(out.len())?;
        match out {
            ValueBuffer::F32(out) => {
                let mut whole = whole_chunk(region)?;
                self.decode_into(message, options, ValueBuffer::F32(&mut whole))?;
                region.copy_from(&whole, 0, out);
            }
            ValueBuffer::F64(out) => {
                let mut whole = whole_chunk(region)?;
                self.decode_into(message, options, ValueBuffer::F64(&mut whole))?;
                region.copy_from(&whole, 0, out);
            }
        }
        Ok(())
    }
}

/// An array for the whole chunk.
fn whole_chunk<T: Default + Clone>(region: &GridRegion) -> Result<Vec<T>> {
    let [rows, columns] = region.shape;
    let mut whole = Vec::new();
    match rows.checked_mul(columns) {
        Some(elements) if whole.try_reserve_exact(elements).is_ok() => {
            whole.resize(elements, T::default());
            Ok(whole)
        }
        _ => Err(Error::argument("chunk", format!("{rows} × {columns} values do not fit memory"))),
    }
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
