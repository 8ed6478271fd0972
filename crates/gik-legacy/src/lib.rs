//! Kerchunk and Grib-Index-Kerchunk references, in and out of gik's manifests.
//!
//! Every format that is read or written here holds the same thing: a map from Zarr v2 keys to
//! metadata, bytes, or a range of a file. [`ReferenceSet`] is that map. Readers make one of
//! `[key, value]` parquet, kerchunk JSON and kerchunk parquet; it becomes a
//! [`ManifestStore`](gik_core::ManifestStore) laid out as a freshly built one, and one of any
//! manifest is written back in each of these formats.

mod from_manifest;
pub mod kerchunk;
mod longitudes;
mod reference_set;
mod url_text;
mod zarr_v2;

pub use reference_set::{ReferenceSet, Value};
