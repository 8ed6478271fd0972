//! NOAA's High-Resolution Rapid Refresh (HRRR), as NOAA publishes it on
//! `s3://noaa-hrrr-bdp-pds`: urls, runs, variables, grids and attributes.
//!
//! | product | holds | steps |
//! |---|---|---|
//! | `wrfsfc` | surface and near-surface fields | 0…18 h, at 00, 06, 12, 18z 0…48 h |
//! | `wrfprs` | pressure levels, and most of `wrfsfc` | likewise |
//! | `wrfnat` | hybrid levels, and most of `wrfsfc` | likewise |
//! | `wrfsubh` | some of `wrfsfc` | each 15 minutes to 18 h |
//!
//! Each with `-ak` is the one over Alaska. The contiguous states lie on a Lambert grid, Alaska
//! on a polar stereographic one; winds are relative to them.
//!
//! The key of a message is its abbreviation, level, statistic *and period*: of one variable there
//! are instants, sums since the start of the run and sums over the last hour. Array names and
//! what belongs to them are data: see the tables in `tables/`.

mod config;
mod files;
mod period;
mod refs;
mod schema;
mod vars;

use std::sync::Arc;

use async_trait::async_trait;
use gik_codec::GribMessageCodec;
use gik_core::{
    CodecRegistration, Expected, FileReferences, Grid, ManifestGroup, ModelPlugin,
    ModelRegistration, Parser, ParserInfo, Result, Run, RunRequest, SchemaOptions, SourceFile,
    SourceReader,
};
use url::Url;

/// The model's entry in the registry.
pub static PLUGIN: ModelPlugin = ModelPlugin {
    id: config::ID,
    crate_name: env!("CARGO_PKG_NAME"),
    parser: || Arc::new(HrrrParser),
};

/// The model's Zarr codec: `gribberish` under the id, and with the configuration, that the
/// Python package `HRRRParser` writes.
pub static CODEC: GribMessageCodec =
    GribMessageCodec::with_coordinates(config::CODEC, env!("CARGO_PKG_NAME"));

gik_core::inventory::submit! { ModelRegistration(&PLUGIN) }
gik_core::inventory::submit! { CodecRegistration(&CODEC) }

/// Answers for HRRR.
#[derive(Debug, Clone, Copy, Default)]
pub struct HrrrParser;

#[async_trait]
impl Parser for HrrrParser {
    fn info(&self) -> &'static ParserInfo {
        &config::INFO
    }

    fn run(&self, request: &RunRequest) -> Result<Run> {
        config::run(request)
    }

    fn request_of_url(&self, url: &Url) -> Result<RunRequest> {
        files::request_of_url(url)
    }

    fn template(&self, product: &str) -> Option<&'static str> {
        vars::template(product)
    }

    fn schema(&self, run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
        schema::group(run, options)
    }

    fn grid(&self, run: &Run) -> Result<Grid> {
        schema::grid(run)
    }

    fn sources(&self, run: &Run) -> Result<Vec<SourceFile>> {
        files::sources(run)
    }

    fn expected(&self, run: &Run) -> Result<Vec<Expected>> {
        files::expected(run)
    }

    async fn references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences> {
        let file = reader.read(source).await?;
        refs::references(run, source, &file)
    }

    async fn scanned_references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences> {
        refs::scanned_references(run, source, reader).await
    }
}
