//! GRIB2 messages for tests and benches: the encoder that real files cannot replace,
//! because a test must know every value that a message holds.
//!
//! A [`Message`] (discipline, time, grid, product, packing) turns a field of `f32`, NaN
//! where there is no value, into the bytes of sections 0 to 8. What a decoder must give
//! back is defined by [`Quantised`]: integers `X`, a reference value `R` and two scale
//! factors, and the value `(X × 2^E + R) × 10^-D` of each point.
//!
//! | section | written |
//! |---|---|
//! | 1 | centre 7 (NCEP), sub-centre 2, tables 2 and 1 |
//! | 3 | template 3.0 on a sphere of 6 371 229 m (shape 6), scanning mode 0 |
//! | 4 | templates 4.0, 4.1, 4.8 and 4.11, by what the [`Product`] holds |
//! | 5, 7 | templates 5.0, 5.3 (first or second order) and 5.42, by the [`Packing`] |
//! | 6 | a bitmap when a value is missing |
//!
//! The standard is WMO Manual on Codes, volume I.2, FM 92 GRIB edition 2.
//!
//! ```
//! use gik_testkit::grib::{Message, Packing, Product, RegularGrid, Surface};
//!
//! let message = Message {
//!     discipline: 0,
//!     reference: "2025-01-06T00".parse()?,
//!     grid: RegularGrid::new(3, 2, 10_000_000, 20_000_000, 500_000),
//!     product: Product::instant(0, 0, Surface::height(2), 6),
//!     packing: Packing::complex(1),
//! };
//! let encoded = message.encode(&[280.0, 280.5, f32::NAN, 281.04, 281.0, 282.0])?;
//! assert_eq!(&encoded.bytes[..4], b"GRIB");
//! let values = encoded.values();
//! assert!((values[3] - 281.0).abs() < 1e-9 && values[2].is_nan());
//! # Ok::<(), gik_core::Error>(())
//! ```

mod bits;
mod ccsds;
mod complex;
mod grid;
mod message;
mod product;
mod quantise;

pub use grid::RegularGrid;
pub(crate) use message::time_octets;
pub use message::{Encoded, Message, renumber};
pub use product::{Ensemble, Product, Statistic, Surface, Window};
pub use quantise::{Packing, Precision, Quantised, Template};

#[cfg(test)]
mod tests;
