//! Manifests to Icechunk repositories, and repositories opened for reading.
//!
//! Any [`ManifestStore`](gik_core::ManifestStore) becomes a repository of ordinary Zarr v3
//! metadata, native coordinate chunks and virtual references; runs are added to one that is there
//! ([`Writer`]). A repository is opened with the places its references may reach named explicitly ([`Repository::open`]).
//! This crate knows no model.

mod axis;
mod config;
mod container;
mod fault;
mod housekeeping;
mod location;
mod lock;
mod manifest;
mod opened;
mod present;
mod repository;
mod staged;
mod stored;
mod stored_array;
mod transaction;
mod versions;
mod write;

pub use container::{Access, Container};
pub use housekeeping::Removed;
pub use location::{S3Settings, StoreLocation};
pub use manifest::Selection;
pub use opened::Opened;
pub use present::{RunPart, StoredReference};
pub use repository::{Commit, ManifestFile, Repository};
pub use stored_array::StoredArray;
pub use transaction::Changes;
pub use write::{WriteOptions, Writer, Written};
