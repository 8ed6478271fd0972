//! `gik export`.

use std::path::PathBuf;

use gik::core::{ReferenceTime, Selection};
use gik::{ExportFormat, Exported};

use super::{Outcome, StateArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    state: StateArguments,
    /// The format: parquet is a [key, value] table for each member, as the Grib-Index-Kerchunk
    /// scripts read it; kerchunk-json and kerchunk-parquet are read by fsspec and VirtualiZarr.
    #[arg(long, value_name = "parquet|kerchunk-json|kerchunk-parquet")]
    format: ExportFormat,
    /// One run, by its initialisation time in UTC, like 2025-01-06T00; all without it.
    #[arg(long)]
    run: Option<ReferenceTime>,
    /// Members, like 0-30 or 0,5,10-14; 0 is the control. All without it.
    #[arg(long)]
    members: Option<Selection>,
    /// Array names, like tp,t2m; all without it.
    #[arg(long, value_delimiter = ',')]
    variables: Option<Vec<String>>,
    /// With --format parquet: a bare NaN as fill value, levels also under keys that end with /,
    /// and of pressure levels the flat keys of 700 hPa.
    #[arg(long)]
    compat_legacy: bool,
    /// With --format kerchunk-parquet: references in a file; 10,000 without it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    record_size: Option<u32>,
    /// The file to write (kerchunk-json; parquet of one member and run: .parquet), or the folder.
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Print one line of JSON about what was written.
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let repository = self.state.store.open().await?;
        let opened = self.state.of(&repository).await?;
        let export = gik::Export {
            format: self.format,
            run: self.run,
            members: self.members.clone(),
            variables: self.variables.clone(),
            compat_legacy: self.compat_legacy,
            record_size: self.record_size,
            output: self.output.clone(),
        };
        let bar = output::progress_bar("writing references");
        let exported = gik::export(&repository, &opened, &export, &output::advance(&bar)).await;
        bar.finish_and_clear();
        let exported = exported?;
        if self.json {
            output::print_json(&exported.to_json(&export))?;
        } else {
            output::print(&self.summary(&exported))?;
        }
        Ok(Outcome::Complete)
    }

    fn summary(&self, exported: &Exported) -> String {
        let files = match exported.files.as_slice() {
            [_] => String::new(),
            files => format!(" in {} files", output::count(files.len() as u64)),
        };
        format!(
            "{}: {} references of {} variables{files}, {:.2} s",
            self.output.display(),
            output::count(exported.references),
            output::count(exported.arrays),
            exported.total_seconds,
        )
    }
}
