//! ECMWF's open data (IFS and AIFS, deterministic, ensemble and waves), as ECMWF publishes
//! them on `s3://ecmwf-forecasts`: urls, runs, members, variables and attributes.
//!
//! | product | what | members | steps |
//! |---|---|---|---|
//! | `enfo` | IFS ensemble | control and 50 | 0…144 h by 3, at 00 and 12z …360 h by 6 |
//! | `oper` | IFS high resolution (`scda` at 06 and 18z until cycle 50r1) | | as `enfo`; before cycle 49r1 (2024-11-12T06) …240 h, at 06 and 18z …90 h |
//! | `waef` | waves of the ensemble | control and 50 | as `enfo` |
//! | `wave` | waves of the high resolution (`scwv` likewise) | | as `oper` |
//! | `aifs-single` | AIFS | | 0…360 h by 6 |
//! | `aifs-ens` | AIFS ensemble, from 2025-07-02 | control and 50 | 0…360 h by 6 |
//!
//! One file holds all members of a step: its index is read once for all of them. Since cycle
//! 50r1 (2026-05-12T06) the ensembles' files lack the control, which is the high-resolution
//! forecast's file of the same step.
//!
//! Array names and what belongs to them are data: see the tables in `tables/`.

mod collect;
mod config;
mod coverage;
mod eras;
mod files;
mod refs;
mod scanned;
mod schema;
mod subject;
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
    parser: || Arc::new(EcmwfParser),
};

/// The model's Zarr codec, the same as `gribberish` under another id.
pub static CODEC: GribMessageCodec = GribMessageCodec::new(config::CODEC, env!("CARGO_PKG_NAME"));

gik_core::inventory::submit! { ModelRegistration(&PLUGIN) }
gik_core::inventory::submit! { CodecRegistration(&CODEC) }

/// Answers for ECMWF's open data.
#[derive(Debug, Clone, Copy, Default)]
pub struct EcmwfParser;

#[async_trait]
impl Parser for EcmwfParser {
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
        scanned::references(run, source, reader).await
    }
}
