//! GRIB index files to typed entries.
//!
//! Beside each GRIB file on a public bucket lies a text file that says where its messages
//! begin and what they are about. This crate reads that text; it opens nothing and knows no
//! model. [`noaa`] reads NOAA's `.idx`, the inventory that wgrib2 writes, [`ecmwf`] the JSON
//! lines of ECMWF's `.index`. [`overlapping`] finds lines that claim the same bytes.

pub mod ecmwf;
pub mod noaa;

mod overlap;

pub use overlap::overlapping;
