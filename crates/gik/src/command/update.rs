//! `gik update`.

use std::time::Duration;

use gik::core::{Layout, ReferenceTime};
use gik::{Follow, Progress};

use super::job::{JobArguments, Span};
use super::{Outcome, output};

#[derive(Debug, clap::Args)]
pub(super) struct Update {
    /// The model: see gik models.
    model: String,
    #[command(flatten)]
    job: JobArguments,
    /// The run, like 2025-01-06T00; without it the newest of the last 48 hours that has begun to be
    /// published or, if none has, the one that should have.
    #[arg(long)]
    run: Option<ReferenceTime>,
    /// Wait for files that are not there yet, until the run is complete or the deadline passes.
    #[arg(long)]
    watch: bool,
    /// The time between two looks at the source.
    #[arg(long, default_value_t = Span(Duration::from_secs(5)), value_parser = Span::pause)]
    interval: Span,
    /// When to give up, counted from the start of the command, whatever is waited for. A commit
    /// that was begun before has a minute more.
    #[arg(long, default_value_t = Span(Duration::from_secs(86_400)))]
    deadline: Span,
}

impl Update {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let started = std::time::Instant::now();
        let registry = gik::registry()?;
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        let now = ReferenceTime::from_seconds(i64::try_from(seconds).unwrap_or_default());
        let mut job = self.job.job(&self.model, self.run.unwrap_or(now), Layout::Forecast)?;
        if self.run.is_none() {
            let newest = gik::newest_run(&registry, &job, now);
            job.request.reference_time = gik::within(Some(self.deadline.0), newest).await?;
        }
        let deadline = self.deadline.0.saturating_sub(started.elapsed());
        let follow = Follow { watch: self.watch, interval: self.interval.0, deadline };
        let bar = output::progress_bar("files in the store");
        let time = job.request.reference_time;
        let progress = |progress: Progress| {
            output::advance(&bar)(progress.files, progress.of);
            if let Some(trouble) = &progress.trouble {
                bar.suspend(|| output::remark(&format!("{time}: {trouble}; trying again")));
            }
            if progress.committed > 0 && !self.job.json {
                bar.suspend(|| {
                    output::remark(&format!(
                        "{time}: {} references added, {} of {} files in",
                        output::count(progress.committed),
                        output::count(progress.files as u64),
                        output::count(progress.of as u64)
                    ));
                });
            }
        };
        let updated = gik::update(&registry, &job, follow, &progress).await;
        bar.finish_and_clear();
        let updated = updated?;
        let report = &updated.report;
        if self.job.json {
            output::print_json(&updated.to_json(&job.store.to_string()))?;
        } else {
            output::problems(report);
            output::print(&format!(
                "{}: {} {} {}\n  {} of {} files, {} of {} references; {} of these were there \
                 before, {} commits, {:.1} s",
                job.store,
                updated.run.model,
                updated.run.product,
                updated.run.reference_time,
                output::count(report.files_used),
                output::count(report.files_expected),
                output::count(report.references),
                output::count(report.references_expected),
                output::count(updated.found),
                output::count(updated.commits),
                updated.total_seconds,
            ))?;
        }
        Ok(if report.is_complete() { Outcome::Complete } else { Outcome::Incomplete })
    }
}
