//! `gik build`.

use std::sync::atomic::{AtomicBool, Ordering};

use gik::core::{Error, Layout, NothingFound, ReferenceTime};
use gik::icechunk::StoreLocation;
use gik::template::Template;

use super::job::{JobArguments, Span};
use super::{Outcome, output, template};

#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// The model: see gik models. Without it, --template.
    #[arg(required_unless_present = "template", conflicts_with = "template")]
    model: Option<String>,
    /// Build a product that no model knows, as a template describes it: see gik template.
    #[arg(long, value_name = "FILE")]
    template: Option<String>,
    #[command(flatten)]
    job: JobArguments,
    /// The initialisation time in UTC, like 2025-01-06T00.
    #[arg(long)]
    run: ReferenceTime,
    /// How the run is laid out: forecast is (time, member, step, …) and grows run by run,
    /// run is (member, time, …) with the valid time.
    #[arg(long, default_value_t = Layout::Forecast)]
    layout: Layout,
    /// Give up after this time, like 10m, whatever is waited for; the store has all of the run
    /// then, or nothing of it.
    #[arg(long, value_name = "SPAN")]
    deadline: Option<Span>,
}

impl Build {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let registry = gik::registry()?;
        let model = self.model.as_deref().unwrap_or_default();
        let job = self.job.job(model, self.run, self.layout)?;
        let bar = output::progress_bar("reading indexes");
        let advance = output::advance(&bar);
        let has_answer = AtomicBool::new(false);
        let progress = |done, total| {
            has_answer.store(true, Ordering::Relaxed);
            advance(done, total);
        };
        let deadline = self.deadline.map(|span| span.0);
        let template = self.template.as_deref().map(template::read).transpose()?;
        let parser = template.map(Template::parser).transpose()?;
        let work = async {
            match &parser {
                Some(parser) => gik::build_with(parser, &job, &progress).await,
                None => gik::build(&registry, &job, &progress).await,
            }
        };
        let work = gik::within(deadline, work);
        let place = job.request.source.as_ref().map_or("the public bucket", |url| url.as_str());
        let has_answer = || has_answer.load(Ordering::Relaxed);
        let built = output::patiently(place, has_answer, work).await;
        bar.finish_and_clear();
        let built = built.inspect_err(|error| self.explain(error, &job.store))?;
        let complete = built.report.is_complete();
        if self.job.json {
            output::print_json(&built.to_json(&job.store))?;
        } else {
            output::problems(&built.report);
            output::print(&summary(&built, &job.store))?;
        }
        Ok(if complete { Outcome::Complete } else { Outcome::Incomplete })
    }

    /// Says what is wrong with the files of a run that has nothing.
    fn explain(&self, error: &Error, store: &StoreLocation) {
        let Some(nothing) = NothingFound::of(error) else { return };
        if self.job.json {
            // The error follows on stderr, whether anybody reads this or not.
            let _ = output::print_json(&gik::nothing_json(nothing, store));
        } else {
            output::problems(&nothing.report);
        }
    }
}

/// What was built, on a few lines.
pub(super) fn summary(built: &gik::Built, store: &StoreLocation) -> String {
    let (run, report) = (&built.run, &built.report);
    let members = run.members.as_ref().map_or(1, Vec::len);
    let mut text = format!(
        "{store}: {} {} {}\n  {members} members × {} steps × {} variables, {} references of {} \
         files\n  {} index lines, {} kB, {} requests, {:.2} s",
        run.model,
        run.product,
        run.reference_time,
        run.steps.len(),
        run.variables.len(),
        output::count(report.references),
        output::count(report.files_used),
        output::count(report.lines),
        output::count(report.index_bytes.div_ceil(1000)),
        output::count(report.requests),
        built.total_seconds,
    );
    if report.unknown_arrays > 0 {
        text.push_str(&format!(
            "\n  {} arrays of messages that the model's table does not know: param_…",
            output::count(report.unknown_arrays)
        ));
    }
    let changes = built.written.changes;
    if !changes.any() {
        text.push_str("\n  all of it was there already; nothing was written");
    } else if changes.unchanged > 0 {
        text.push_str(&format!(
            "\n  {} references added, {} replaced, {} were there already",
            output::count(changes.added),
            output::count(changes.replaced),
            output::count(changes.unchanged)
        ));
    }
    if !report.is_complete() {
        let missing = report.references_expected.saturating_sub(report.references);
        let expected = output::count(report.references_expected);
        text.push_str(&match missing {
            0 => format!(
                "\n  incomplete: all {expected} references that must be there are; of what else \
                 the files may have, something is damaged or doubtful"
            ),
            _ => format!(
                "\n  incomplete: {} of {expected} references are missing and read as NaN",
                output::count(missing)
            ),
        });
    }
    text
}
