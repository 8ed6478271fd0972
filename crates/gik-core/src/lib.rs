//! Contracts of gik: what a model's plug-in answers ([`Parser`]), what a decoder promises
//! ([`GribCodec`]), how both are found ([`Registry`]), and the manifest of a virtual store
//! ([`ManifestStore`]) that passes between them.
//!
//! The core knows no model, no host and no storage format: it depends on `object_store`'s
//! traits and nothing that opens a connection.

mod array;
mod build;
mod codec;
mod contain;
mod error;
mod forecast;
mod grid;
mod level;
mod manifest;
mod offer;
mod parser;
mod projection;
mod registry;
mod report;
mod run;
mod stores;
mod time;
mod unknown;
mod variables;
mod window;

pub use array::{
    ArrayMetadata, Attributes, CoordinateValues, DataType, coordinate_array, group_json,
};
pub use build::{BuildOptions, Headers, build_files, build_files_until, build_manifest, parse};
pub use codec::{
    CodecInfo, CodecRegistration, DecodeOptions, GribCodec, GridRegion, Quantity, ValueBuffer,
    linked_codecs,
};
pub use contain::contain;
pub use error::{Error, ErrorKind, Result};
pub use forecast::{DataVariable, ForecastSchema, Layout, LevelCoordinate, SchemaOptions};
pub use grid::{Grid, LatLonGrid, MapProjection, ProjectedGrid, degrees};
#[doc(hidden)]
pub use inventory;
pub use level::{Decimal, FixedSurface, Level};
pub use manifest::{
    Chunk, ChunkEntry, ChunkManifest, ManifestArray, ManifestGroup, ManifestStore, SourceId,
    SourceObject, SourceTable,
};
pub use offer::{Offer, join_url, parsed_once, steps_of};
pub use parser::{
    Expected, FileReferences, Host, Parser, ParserInfo, Product, Reference, SourceFile,
};
pub use projection::{Ellipsoid, Projection, wrap_longitude};
pub use registry::{ModelPlugin, ModelRegistration, Registry};
pub use report::{Diagnostic, Names, NothingFound, Problem, Report};
pub use run::{Run, RunRequest, Selection};
pub use stores::{IndexedFile, ObjectInfo, ObjectStoreRegistry, SourceReader};
pub use time::{ReferenceTime, StepUnit};
pub use unknown::{UNKNOWN_PREFIX, UnknownMessage};
pub use variables::{Leads, Place, TableVariable, VariableRow, VariableTable};
pub use window::{Statistic, Window, WindowRule};
