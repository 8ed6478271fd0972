//! The library behind the `gik` command: models, building, reading.
//!
#![doc = include_str!("../../../README.md")]

#[cfg(feature = "ecmwf")]
pub use gik_ecmwf as ecmwf;
#[cfg(feature = "gefs")]
pub use gik_gefs as gefs;
#[cfg(feature = "hrrr")]
pub use gik_hrrr as hrrr;
pub use {
    gik_analysis as analysis, gik_codec as codec, gik_core as core, gik_icechunk as icechunk,
};

mod backfill;
mod build;
mod deadline;
mod exceedance;
mod explain;
#[cfg(feature = "legacy")]
mod export;
#[cfg(feature = "legacy")]
mod import;
mod losses;
mod memory;
mod source;
pub mod template;
mod update;
mod validate;
#[cfg(feature = "legacy")]
mod whole;

pub use backfill::{Backfilled, BackfilledRun, Range, Shard, backfill};
pub use build::{Built, Job, build, build_with, nothing_json, peak_memory};
pub use deadline::{read_within, scan_within, within};
pub use exceedance::{Destination, Probabilities, exceedance};
pub use explain::explain;
#[cfg(feature = "legacy")]
pub use export::{Export, ExportFormat, Exported, export};
#[cfg(feature = "legacy")]
pub use gik_legacy as legacy;
#[cfg(feature = "legacy")]
pub use import::{ImportFrom, ImportJob, Imported, import};
pub use losses::{losses_json, negative_json};
pub use memory::Memory;
pub use source::{Source, open_file, public_places, source_url};
pub use update::{Follow, Progress, Updated, newest_run, update};
pub use validate::{ArrayState, Cell, RunState, Validation, validate};
#[cfg(feature = "legacy")]
pub use whole::whole_file;

use gik_core::{ModelPlugin, Registry, Result};

/// The models this build was made with.
pub const PLUGINS: &[&ModelPlugin] = &[
    #[cfg(feature = "gefs")]
    &gik_gefs::PLUGIN,
    #[cfg(feature = "ecmwf")]
    &gik_ecmwf::PLUGIN,
    #[cfg(feature = "hrrr")]
    &gik_hrrr::PLUGIN,
];

/// The models this build was made with, and those of other linked crates.
///
/// # Errors
/// When two plug-ins claim one id.
pub fn registry() -> Result<Registry> {
    Registry::new(PLUGINS)
}
