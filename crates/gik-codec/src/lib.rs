//! Decodes GRIB2 messages, as a codec of Zarr arrays whose chunks are messages.
//!
//! - [`GribMessageCodec`] implements [`gik_core::GribCodec`]; [`GRIBBERISH`] is the one
//!   called `gribberish`, like the Python codec that reads the same stores.
//! - [`CodecConfiguration`] reads the codec's entry in a `zarr.json`.
//! - Linking this crate makes the codecs of all linked crates known to `zarrs`.
//! - [`Message`] and what it is made of read messages without decoding them.
//! - [`scan`](mod@scan) lists the messages of a file by its headers, over a network too.
//!
//! # Packings
//!
//! | template | packing | by |
//! |---|---|---|
//! | 5.0 | simple | this crate |
//! | 5.2, 5.3 | complex, with spatial differencing and missing values | this crate |
//! | 5.4 | IEEE numbers | this crate |
//! | 5.40 | JPEG 2000 | OpenJPEG, through `gribberish` |
//! | 5.41 | PNG | `png` |
//! | 5.42 | CCSDS | this crate |
//!
//! Messages of edition 1 are decoded where they are in simple packing, in the order of their
//! rows; their coordinates are not.
//!
//! Values in double precision are those of ecCodes, to the last bit; missing points are
//! NaN. Latitudes and longitudes are given for grids of latitude and longitude (3.0),
//! Mercator (3.10), polar stereographic (3.20) and Lambert (3.30).
//!
//! Bytes are not trusted: whatever they are, the answer is the array filled or an error,
//! in bounded time and memory.
//!
//! # Examples
//!
//! ```
//! use gik_codec::GRIBBERISH;
//! use gik_core::{DecodeOptions, GribCodec, ValueBuffer};
//!
//! let message = include_bytes!("../tests/fixtures/simple.grib2");
//! let mut values = vec![0.0_f32; 12 * 8];
//! GRIBBERISH.decode_into(message, &DecodeOptions::default(), ValueBuffer::F32(&mut values))?;
//! assert_eq!(values[0], 270.0);
//! # Ok::<(), gik_core::Error>(())
//! ```

mod bitmap;
mod bits;
mod codec;
mod configuration;
mod coordinates;
mod edition1;
mod grid;
mod grid_message;
mod header;
mod message;
mod projection;
mod reader;
mod representation;
mod scale;
pub mod scan;
mod unpack;
mod vector;
mod zarrs;

pub use bitmap::Bitmap;
pub use codec::{GRIBBERISH, GribMessageCodec};
pub use configuration::CodecConfiguration;
pub use grid::{GridDefinition, GridShape, ScanMode};
pub use grid_message::{grid_message, grid_of_section};
pub use message::{Field, Fields, Message, Section};
pub use reader::ByteReader;
pub use representation::{CcsdsPacking, ComplexPacking, DataRepresentation, Packing};
pub use scale::Scaling;
