//! What the `gik` command does with its arguments.

mod build;
mod demo;
mod info;
mod models;
mod output;
mod read;
mod scan;
mod template;

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
    /// Build the store of a run.
    Build(build::Build),
    /// Show what is in a store.
    Info(info::Info),
    /// Read a part of a variable into a file, or show it.
    Read(read::Read),
    /// List the messages of a GRIB2 file, from their headers alone.
    Scan(scan::Scan),
    /// Learn what a product holds from its files, for products without a model.
    Template(template::Templates),
    /// Build, read and draw a small bundled run, without a network.
    Demo(demo::Demo),
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
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(arguments.command)));
    match outcome {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(INCOMPLETE),
        // Whoever reads our output has seen enough: `gik info … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
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
        Command::Info(command) => command.run().await,
        Command::Read(command) => command.run().await,
        Command::Scan(command) => command.run().await,
        Command::Template(command) => command.run().await,
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

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
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
