//! NOAA's Global Ensemble Forecast System (GEFS, version 12), as NOAA publishes it on
//! `s3://noaa-gefs-pds`: urls, runs, members, variables and attributes.
//!
//! | product | grid | members | steps |
//! |---|---|---|---|
//! | `pgrb2sp25` | 0.25° | control and 30 | 0…240 h by 3 |
//! | `pgrb2ap5`, `pgrb2bp5` | 0.5° | control and 30 | 0…240 h by 3, …384 h by 6; at 00z …840 h by 6 |
//! | `pgrb2abp5` | both of these | | levels that lie in either file form one array |
//!
//! Array names and what belongs to them are data: see the tables in `tables/`.

mod config;
mod files;
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
    parser: || Arc::new(GefsParser),
};

/// The model's Zarr codec, the same as `gribberish` under another id.
pub static CODEC: GribMessageCodec = GribMessageCodec::new(config::CODEC, env!("CARGO_PKG_NAME"));

gik_core::inventory::submit! { ModelRegistration(&PLUGIN) }
gik_core::inventory::submit! { CodecRegistration(&CODEC) }

/// The hours over which the sums, means and extremes of a step extend: they start anew 0, 6,
/// 12 and 18 hours after each reference time.
///
/// # Examples
/// ```
/// // Rain at 3 h and at 6 h overlap: a day's total is that of 6, 12, 18 and 24 h.
/// assert_eq!(gik_gefs::bucket(3), (0, 3));
/// assert_eq!(gik_gefs::bucket(6), (0, 6));
/// assert_eq!(gik_gefs::bucket(9), (6, 9));
/// ```
#[must_use]
pub const fn bucket(step: u32) -> (u32, u32) {
    (step.saturating_sub(1) / 6 * 6, step)
}

/// Answers for GEFS.
#[derive(Debug, Clone, Copy, Default)]
pub struct GefsParser;

#[async_trait]
impl Parser for GefsParser {
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
