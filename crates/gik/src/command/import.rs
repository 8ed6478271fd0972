//! `gik import`.

use std::path::PathBuf;

use gik::core::{ReferenceTime, Selection};
use gik::icechunk::StoreLocation;
use gik::legacy::{Finding, Findings, ImportRequest};
use gik::{ImportFrom, ImportJob};

use super::{Outcome, output, s3_settings};

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// Files, folders, or patterns with *: [key, value] parquet of Grib-Index-Kerchunk, and zip
    /// and tar.gz archives of it; kerchunk JSON and directories of kerchunk parquet.
    #[arg(required_unless_present = "template", conflicts_with = "template")]
    files: Vec<String>,
    /// A template archive of Grib-Index-Kerchunk, or a folder with what is in one: of each line of
    /// the indexes of --run it says which array it is about.
    #[arg(long, value_name = "ARCHIVE", requires = "run_time")]
    template: Option<PathBuf>,
    /// The run whose indexes are read with --template, in UTC, like 2025-01-06T00.
    #[arg(long = "run", id = "run_time", value_name = "RUN", requires = "template")]
    run: Option<ReferenceTime>,
    /// The store, created or added to: a path, file:// or s3:// (endpoint, region and
    /// credentials from the usual AWS variables).
    #[arg(long)]
    store: StoreLocation,
    /// The model; told by the urls without it.
    #[arg(long)]
    model: Option<String>,
    /// The product, where the files are of several.
    #[arg(long)]
    product: Option<String>,
    /// Members, like 0-30; those that the files have without it.
    #[arg(long)]
    members: Option<Selection>,
    /// Steps, like 0-240; those that the files have without it.
    #[arg(long)]
    steps: Option<Selection>,
    /// Array names, like tp,t2m; those that the files have without it.
    #[arg(long, value_delimiter = ',')]
    variables: Option<Vec<String>>,
    /// Read the header of each message that is referred to, and put the reference where that
    /// says.
    #[arg(long)]
    verify: bool,
    /// A mirror with the bucket's layout below it, to which the references shall point: a path,
    /// s3://, https:// or http://.
    #[arg(long, value_name = "URL|PATH")]
    source: Option<String>,
    /// Print one line of JSON about what was done.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let registry = gik::registry()?;
        let job = ImportJob {
            from: match (&self.template, self.run) {
                (Some(archive), Some(run)) => {
                    ImportFrom::Template { archive: archive.clone(), run }
                }
                _ => ImportFrom::Files(self.files.clone()),
            },
            request: ImportRequest {
                model: self.model.clone(),
                product: self.product.clone(),
                members: self.members.clone(),
                steps: self.steps.clone(),
                variables: self.variables.clone(),
                source: self.source.as_deref().map(gik::source_url).transpose()?,
            },
            verify: self.verify,
            store: self.store.clone(),
            s3: s3_settings(),
        };
        let bar = output::progress_bar("files");
        let advance = |what: &'static str, done, total| {
            bar.set_message(what);
            output::advance(&bar)(done, total);
        };
        let done = gik::import(&registry, &job, &advance).await;
        bar.finish_and_clear();
        let done = done?;
        if self.json {
            output::print_json(&done.to_json(&job.store))?;
        } else {
            remarks(&done.findings);
            output::print(&summary(&done, &job.store))?;
        }
        Ok(if done.is_complete() { Outcome::Complete } else { Outcome::Incomplete })
    }
}

/// What was wrong, what is lost by it first.
fn remarks(findings: &Findings) {
    let mut all: Vec<(Finding, u64, &[String])> = findings.iter().collect();
    all.sort_by_key(|&(finding, ..)| !finding.is_loss());
    for (finding, count, places) in all {
        output::remark(&format!("{} {}:", output::count(count), finding.title()));
        for place in places {
            output::remark(&format!("  {place}"));
        }
        let rest = count.saturating_sub(places.len() as u64);
        if rest > 0 {
            output::remark(&format!("  … and {} more", output::count(rest)));
        }
    }
}

fn summary(done: &gik::Imported, store: &StoreLocation) -> String {
    let (Some(first), Some(last)) = (done.runs.first(), done.runs.last()) else {
        return format!(
            "{store}: {} references of {} files of kerchunk, as they are\n  {} added, {} replaced, {} \
             were there already, {:.2} s",
            output::count(done.imported),
            output::count(done.files),
            output::count(done.changes.added),
            output::count(done.changes.replaced),
            output::count(done.changes.unchanged),
            done.total_seconds,
        );
    };
    let span = match done.runs.len() {
        1 => first.reference_time.to_string(),
        runs => format!(
            "{} to {} ({} runs)",
            first.reference_time,
            last.reference_time,
            output::count(runs as u64)
        ),
    };
    let mut text = format!(
        "{store}: {} {} {span}\n  {} members × {} steps × {} variables, {} of {} references of {} \
         files\n  {} added, {} replaced, {} were there already, {:.2} s",
        first.model,
        first.product,
        first.members.as_ref().map_or(1, Vec::len),
        first.steps.len(),
        first.variables.len(),
        output::count(done.imported),
        output::count(done.references),
        output::count(done.files),
        output::count(done.changes.added),
        output::count(done.changes.replaced),
        output::count(done.changes.unchanged),
        done.total_seconds,
    );
    if !done.is_complete() {
        text.push_str("\n  incomplete: see above what was left out");
    }
    text
}
