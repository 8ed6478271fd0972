//! `gik validate`.

use std::path::PathBuf;

use gik::analysis::completeness_png;
use gik::core::UNKNOWN_PREFIX;
use gik::{RunState, Validation};

use super::{Outcome, StateArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct Validate {
    #[command(flatten)]
    state: StateArguments,
    /// Messages of each variable to decode: the first, the last, and some between.
    #[arg(long, default_value_t = 3)]
    sample: usize,
    /// A picture of what is there (.png): a row for each run and member, a column for each step.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        if let Some(path) = &self.output
            && path.extension().is_none_or(|ending| ending != "png")
        {
            return Err(gik::core::Error::argument(
                path.display().to_string(),
                "is no picture that can be drawn; give a name that ends with .png",
            )
            .into());
        }
        let repository = self.state.store.open().await?;
        let opened = self.state.of(&repository).await?;
        let history = repository.history_of(&opened, usize::MAX).await?;
        let bar = output::progress_bar("variables");
        let registry = gik::registry()?;
        let done =
            gik::validate(&registry, &opened, &history, self.sample, &output::advance(&bar)).await;
        bar.finish_and_clear();
        let done = done?;
        if let Some(path) = &self.output {
            let title = format!("{}: references there", self.state.store.store);
            let png = completeness_png(&title, &rows(&done), &done.steps)?;
            std::fs::write(path, png)
                .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        }
        if self.json {
            output::print_json(&done.to_json(&self.state.store.store.to_string()))?;
        } else {
            self.show(&done)?;
        }
        Ok(if done.is_complete() { Outcome::Complete } else { Outcome::Incomplete })
    }

    fn show(&self, done: &Validation) -> anyhow::Result<()> {
        for text in &done.unreadable {
            output::remark(&format!("cannot be read as it should: {text}"));
        }
        for text in &done.holes {
            output::remark(&format!("missing: {text}"));
        }
        if done.runs.iter().any(|run| run.expected.is_none()) {
            output::remark(
                "what some runs should have is not known: no model of this build and no commit \
                 says it; members are compared with each other only",
            );
        }
        let mut rows = vec![["run", "there", "expected", ""].map(str::to_owned).to_vec()];
        for run in &done.runs {
            let missing = run.expected.map_or(0, |expected| expected.saturating_sub(run.there));
            rows.push(vec![
                run.time.to_string(),
                output::count(run.there),
                run.expected.map(output::count).unwrap_or_default(),
                match (run.is_complete(), run.there) {
                    (true, _) => "complete".to_owned(),
                    (false, 0) => "empty".to_owned(),
                    (false, _) => {
                        format!("{} missing", output::count(missing.max(run.holes)))
                    }
                },
            ]);
        }
        output::print(&output::table(&rows))?;
        let unknown: u64 = done.runs.iter().map(|run| run.unknown).sum();
        if unknown > 0 {
            output::remark(&format!(
                "{} references more are to messages that the model's table does not know: \
                 {UNKNOWN_PREFIX}…",
                output::count(unknown)
            ));
        }
        let complete = done.runs.iter().filter(|run| run.is_complete()).count();
        output::print(&format!(
            "\n{}: {complete} of {} runs complete, {} messages decoded, {} not as they should be",
            self.state.store.store,
            done.runs.len(),
            output::count(done.decoded),
            done.unreadable.len(),
        ))?;
        Ok(())
    }
}

/// A row for each run and member: its name, and for each step the share of what should be there;
/// none where nothing should.
fn rows(done: &Validation) -> Vec<(String, Vec<Option<f64>>)> {
    let mut rows = Vec::new();
    for run in &done.runs {
        for (row, counts) in run.counts.iter().enumerate() {
            let member = done.members.as_ref().and_then(|members| members.get(row));
            let name = match member {
                Some(member) => format!("{} {member}", run.time),
                None => run.time.to_string(),
            };
            let most = counts.iter().copied().max().unwrap_or_default();
            let share = |step: usize, there: u64| share_of(run, row, step, there, most);
            let shares = counts.iter().enumerate().map(|(step, &there)| share(step, there));
            rows.push((name, shares.collect()));
        }
    }
    rows
}

#[expect(clippy::cast_precision_loss, reason = "counts of references of one file")]
fn share_of(run: &RunState, row: usize, step: usize, there: u64, most: u64) -> Option<f64> {
    let (wanted, there) = match &run.cells {
        Some(cells) => {
            let cell = cells.get(row)?.get(step)?;
            (u64::from(cell.wanted), u64::from(cell.wanted - cell.missing))
        }
        // A model that is not known: as much as the fullest step.
        None => (most, there),
    };
    (wanted > 0).then(|| (there as f64 / wanted as f64).min(1.0))
}
