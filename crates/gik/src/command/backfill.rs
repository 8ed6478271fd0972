//! `gik backfill`.

use gik::core::{Layout, ReferenceTime};
use gik::{BackfilledRun, Range, Shard};

use super::job::{JobArguments, Span};
use super::{Outcome, output};

#[derive(Debug, clap::Args)]
pub(super) struct Backfill {
    /// The model: see gik models.
    model: String,
    #[command(flatten)]
    job: JobArguments,
    /// The first run, like 2025-01-01T00.
    #[arg(long)]
    from: ReferenceTime,
    /// The last run.
    #[arg(long)]
    to: ReferenceTime,
    /// Runs whose indexes are read at the same time.
    #[arg(long, default_value_t = 4)]
    jobs: usize,
    /// This program's part of the runs, where several fill one store on S3 together: 2/8 is
    /// the second of eight.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Stop reading after this time, like 2h, commit what was read, and name the runs that were
    /// not reached.
    #[arg(long, value_name = "SPAN")]
    deadline: Option<Span>,
}

impl Backfill {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let registry = gik::registry()?;
        let job = self.job.job(&self.model, self.from, Layout::Forecast)?;
        let range = Range {
            from: self.from,
            to: self.to,
            shard: self.shard.unwrap_or_default(),
            jobs: self.jobs.max(1),
            deadline: self.deadline.map(|span| span.0),
        };
        let bar = output::progress_bar("runs");
        let done = gik::backfill(&registry, &job, &range, &output::advance(&bar)).await;
        bar.finish_and_clear();
        let done = done?;
        let is_complete = done.runs.iter().all(BackfilledRun::is_complete);
        if self.job.json {
            output::print_json(&done.to_json(&job.store.to_string()))?;
            return Ok(if is_complete { Outcome::Complete } else { Outcome::Incomplete });
        }
        for run in done.runs.iter().filter(|run| !run.is_complete()) {
            match (&run.error, &run.report) {
                (Some(error), _) => output::remark(&format!("{}: {error}", run.time)),
                (None, Some(report)) => {
                    output::remark(&format!("{}:", run.time));
                    output::problems(report);
                }
                (None, None) => {}
            }
        }
        let count = |wanted: fn(&&BackfilledRun) -> bool| {
            output::count(done.runs.iter().filter(wanted).count() as u64)
        };
        output::print(&format!(
            "{}: {} runs, {} complete, {} of these were there before\n  {} references added, {} \
             replaced, {} commits, {:.1} s",
            job.store,
            output::count(done.runs.len() as u64),
            count(|run| run.is_complete()),
            count(|run| run.was_there),
            output::count(done.changes.added),
            output::count(done.changes.replaced),
            output::count(done.commits),
            done.total_seconds,
        ))?;
        Ok(if is_complete { Outcome::Complete } else { Outcome::Incomplete })
    }
}
