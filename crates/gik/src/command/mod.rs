//! What the `gik` command does with its arguments.

mod backfill;
mod build;
mod coordinate;
mod demo;
mod exceedance;
mod expire;
mod export;
mod history;
mod import;
mod info;
mod job;
mod lost;
mod models;
mod output;
mod read;
mod scan;
mod tag;
mod template;
mod update;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gik::core::ErrorKind;
use gik::icechunk::{S3Settings, StoreLocation};

/// Virtual Zarr stores of weather forecasts, from their index files alone.
#[derive(Debug, Parser)]
#[command(name = "gik", version, about, long_about = None, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the models of this build, their products and where their files lie.
    Models(models::Models),
    /// Build the store of a run, or add the run to a store.
    Build(build::Build),
    /// Add a run to a store while it is being published.
    Update(update::Update),
    /// Add many runs to a store.
    Backfill(backfill::Backfill),
    /// Show what is in a store.
    Info(info::Info),
    /// Show the commits of a store.
    History(history::History),
    /// Name a state of a store for good.
    Tag(tag::Tag),
    /// Check that a store has what it should have, and that it can be read.
    Validate(validate::Validate),
    /// Forget old states of a store, and remove what only they needed.
    Expire(expire::Expire),
    /// Read a part of a variable into a file, or show it.
    Read(read::Read),
    /// Map how probable it is that totals, of rain in 24 hours say, reach thresholds.
    Exceedance(exceedance::ExceedanceMaps),
    /// List the messages of a GRIB2 file, from their headers alone.
    Scan(scan::Scan),
    /// Write a store's references for other programs: kerchunk's formats, or the tables of the
    /// Grib-Index-Kerchunk workflow.
    Export(export::Export),
    /// Learn what a product holds from its files, for products without a model.
    Template(template::Templates),
    /// Bring references of Grib-Index-Kerchunk and kerchunk files into a store.
    Import(import::Import),
    /// Build, read and draw a small bundled run, without a network.
    Demo(demo::Demo),
}

impl Command {
    /// Threads that wait for files or decode what they read, at most. Those that decode are two
    /// for each core: one decodes while the other reads. More of them hand the pages of messages
    /// to one another, which costs a third of the time. Others wait for many small files, which
    /// may lie on a server.
    fn waiting_threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self {
            Self::Read(_) | Self::Exceedance(_) => cores * 2,
            _ => 512,
        }
    }
}

/// How a command ended. The numbers are documented and stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    /// Done, but something is missing.
    Incomplete,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const INCOMPLETE: u8 = 3;

pub(crate) fn main() -> ExitCode {
    // Parsing errors end the program with the code for usage, help with 0.
    let arguments = Arguments::parse();
    // Icechunk says only through `tracing` that a setting is deprecated or unsafe.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::ERROR)
        .without_time()
        .init();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(arguments.command.waiting_threads())
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(arguments.command));
            // A thread that waits for a folder or a name server must not outlive a deadline.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(INCOMPLETE),
        Err(error) => {
            output::error(&error);
            ExitCode::from(if is_usage(&error) { USAGE } else { FAILED })
        }
    }
}

async fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Models(command) => command.run(),
        Command::Build(command) => command.run().await,
        Command::Update(command) => command.run().await,
        Command::Backfill(command) => command.run().await,
        Command::Info(command) => command.run().await,
        Command::History(command) => command.run().await,
        Command::Tag(command) => command.run().await,
        Command::Validate(command) => command.run().await,
        Command::Expire(command) => command.run().await,
        Command::Read(command) => command.run().await,
        Command::Exceedance(command) => command.run().await,
        Command::Scan(command) => command.run().await,
        Command::Export(command) => command.run().await,
        Command::Template(command) => command.run().await,
        Command::Import(command) => command.run().await,
        Command::Demo(command) => command.run().await,
    }
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.downcast_ref::<gik::core::Error>().is_some_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::InvalidArgument { .. }
                | ErrorKind::UnknownPlugin { .. }
                | ErrorKind::AlreadyExists { .. }
        )
    })
}

/// A store that exists, and what of the places it refers to may be read.
#[derive(Debug, clap::Args)]
struct StoreArguments {
    /// The store: a path, file:// or s3:// (endpoint, region and credentials from the usual
    /// AWS variables).
    store: StoreLocation,
    /// A place that the store's references may be read from, beside the models' public
    /// buckets. Repeat it for several.
    #[arg(long, value_name = "URL|PATH")]
    allow: Vec<String>,
}

/// A state of a store, to be read.
#[derive(Debug, clap::Args)]
struct StateArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// An earlier state: a tag, the id of a commit (see gik history), or a time in UTC like
    /// 2025-01-06T12.
    #[arg(long, value_name = "TAG|ID|TIME")]
    at: Option<String>,
}

impl StateArguments {
    async fn open(&self) -> gik::core::Result<gik::icechunk::Opened> {
        self.of(&self.store.open().await?).await
    }

    async fn of(
        &self,
        repository: &gik::icechunk::Repository,
    ) -> gik::core::Result<gik::icechunk::Opened> {
        match &self.at {
            Some(version) => repository.at(version).await,
            None => repository.main().await,
        }
    }
}

impl StoreArguments {
    async fn open(&self) -> gik::core::Result<gik::icechunk::Repository> {
        let mut allowed = gik::public_places(&gik::registry()?);
        for place in &self.allow {
            allowed.push(gik::source_url(place)?.into());
        }
        gik::icechunk::Repository::open(&self.store, &s3_settings(), &allowed).await
    }
}

/// How the store's bucket is reached.
fn s3_settings() -> S3Settings {
    S3Settings::from_variables(|name| std::env::var(name).ok())
}
