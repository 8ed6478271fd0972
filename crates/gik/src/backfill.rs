//! Many runs into one store.

use std::collections::HashSet;
use std::str::FromStr;
use std::time::{Duration, Instant};

use futures::StreamExt;
use gik_core::{
    BuildOptions, CoordinateValues, Error, ErrorKind, ManifestStore, Parser, ReferenceTime,
    Registry, Report, Result, Run, RunRequest, SourceReader, SourceTable, build_manifest,
};
use gik_icechunk::{Changes, Opened, Repository, WriteOptions, Writer};
use serde_json::{Value, json};

use crate::build::Job;
use crate::build::damaged;
use crate::deadline::Deadline;
use crate::update::{damaged_in, references_of, told};
use crate::{Source, peak_memory};

/// Which runs are wanted: those that start within a range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first one, or a time before it.
    pub from: ReferenceTime,
    /// The last one, or a time after it.
    pub to: ReferenceTime,
    /// The part of them that is this program's.
    pub shard: Shard,
    /// Runs whose indexes are read at the same time, at least 1.
    pub jobs: usize,
    /// When to stop reading, counted from the start. What was read by then is committed, which may
    /// take a minute more.
    pub deadline: Option<Duration>,
}

/// One of several programs that fill a store together: runs in a row, a part for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Default for Shard {
    fn default() -> Self {
        Self { number: 1, of: 1 }
    }
}

impl FromStr for Shard {
    type Err = Error;

    /// `2/8`: the second of eight.
    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').and_then(|(number, of)| {
            Some(Self { number: number.trim().parse().ok()?, of: of.trim().parse().ok()? })
        });
        numbers.filter(|it| 0 < it.number && it.number <= it.of).ok_or_else(|| {
            Error::argument(
                format!("shard '{text}'"),
                "is none; write 1/8, 2/8 … 8/8 for the parts of eight programs",
            )
        })
    }
}

/// What became of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct BackfilledRun {
    /// The run.
    pub time: ReferenceTime,
    /// Whether all of it was in the store before: its indexes were not read then.
    pub was_there: bool,
    /// What its files came to; none where no file could be used, or it was there.
    pub report: Option<Report>,
    /// Why no file could be used, or the run was not reached.
    pub error: Option<String>,
}

impl BackfilledRun {
    /// Whether all of the run is in the store.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.was_there || self.report.as_ref().is_some_and(Report::is_complete)
    }
}

/// What a back-fill came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfilled {
    /// The runs of the range and shard, in their order.
    pub runs: Vec<BackfilledRun>,
    /// What was written.
    pub changes: Changes,
    /// Commits that were made.
    pub commits: u64,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

impl Backfilled {
    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, store: &str) -> Value {
        let runs: Vec<Value> = self
            .runs
            .iter()
            .map(|run| {
                let report = run.report.as_ref();
                json!({
                    "run": run.time.to_string(),
                    "complete": run.is_complete(),
                    "was_there": run.was_there,
                    "references": report.map(|it| it.references),
                    "references_expected": report.map(|it| it.references_expected),
                    "error": run.error,
                })
            })
            .collect();
        json!({
            "store": store,
            "complete": self.runs.iter().all(BackfilledRun::is_complete),
            "references": {
                "written": self.changes.added + self.changes.replaced,
                "unchanged": self.changes.unchanged,
            },
            "commits": self.commits,
            "seconds": self.total_seconds,
            "peak_memory_bytes": peak_memory(),
            "runs": runs,
        })
    }
}

/// References that are gathered before they are committed: manifests are rewritten once for
/// many runs, and all is held in about 200 MB.
const REFERENCES_PER_COMMIT: u64 = 500_000;
/// Indexes read at the same time by all runs together.
const INDEXES: usize = 64;
/// How long a commit waits for another writer of a local store.
const PATIENCE: Duration = Duration::from_secs(600);

/// Adds the runs of a range to a store, many in a commit. Runs that are there with all that they
/// should have are left out, so that a back-fill that was interrupted goes on where it was.
/// `progress` is called with the runs done and their total.
///
/// With several shards the whole range is entered along `time` first: the shards then write
/// disjoint runs and none moves those of another. Until they are written they read NaN.
///
/// # Errors
/// When the request is wrong, a run does not fit the store, or the store cannot be written, or
/// not within a minute after the deadline. What was committed stays. Runs that the deadline kept
/// from being read are no error: each says so.
pub async fn backfill(
    registry: &Registry,
    job: &Job,
    range: &Range,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Backfilled> {
    let started = Instant::now();
    let deadline = Deadline::after(range.deadline);
    let parser = registry.get(&job.model)?.as_ref();
    let all = runs(parser, &job.request, range)?;
    let part = all.len().div_ceil(range.shard.of).max(1);
    let own: Vec<&Run> = all.iter().skip(part * (range.shard.number - 1)).take(part).collect();

    let mut total = Backfilled {
        runs: Vec::new(),
        changes: Changes::default(),
        commits: 0,
        total_seconds: 0.0,
    };
    if range.shard.of > 1 {
        deadline.committing(reserve(parser, job, &all, &mut total)).await?;
    }
    let there = &deadline.committing(There::open(job)).await?;
    let mut batch = Batch {
        job,
        product: all.first().map_or("", |run| run.product),
        since: started,
        runs: Vec::new(),
        references: 0,
        refused: Vec::new(),
    };
    let options = BuildOptions { concurrency: INDEXES.div_ceil(range.jobs.max(1)), ..job.options };
    let reads = own.iter().map(|run| async move {
        match there.has(parser, run).await {
            Ok(true) => None,
            Ok(false) => Some(read(parser, job, run, &options).await),
            Err(error) => Some(Err(error)),
        }
    });
    let mut reads = futures::stream::iter(reads).buffered(range.jobs.max(1));
    while let Some(Some(outcome)) = deadline.reading(reads.next()).await {
        let Some(run) = own.get(total.runs.len()) else { break };
        let mut done = BackfilledRun {
            time: run.reference_time,
            was_there: outcome.is_none(),
            report: None,
            error: None,
        };
        match outcome {
            None => {}
            Some(Ok((manifest, report, container))) => {
                let damaged = damaged(&report).into_iter().map(str::to_owned).collect();
                done.report = Some(report);
                let time = run.reference_time;
                batch.add(ReadRun { time, manifest, container, damaged });
                if batch.references >= REFERENCES_PER_COMMIT {
                    deadline.committing(batch.commit(&mut total)).await?;
                }
            }
            Some(Err(error)) => {
                done.error = Some(told(&error));
            }
        }
        total.runs.push(done);
        progress(total.runs.len(), own.len());
    }
    drop(reads);
    deadline.committing(batch.commit(&mut total)).await?;
    if let (false, true, Some((_, error))) =
        (total.changes.any(), batch.refused.len() == own.len(), batch.refused.pop())
    {
        return Err(error);
    }
    for (time, error) in batch.refused {
        for run in total.runs.iter_mut().filter(|run| run.time == time) {
            (run.report, run.error) = (None, Some(told(&error)));
        }
    }
    for run in own.iter().skip(total.runs.len()) {
        let limit = range.deadline.unwrap_or_default().as_secs();
        total.runs.push(BackfilledRun {
            time: run.reference_time,
            was_there: false,
            report: None,
            error: Some(format!(
                "was not reached before the deadline of {limit} s; run this again"
            )),
        });
    }
    total.total_seconds = started.elapsed().as_secs_f64();
    Ok(total)
}

/// The runs of the model in the range.
fn runs(parser: &dyn Parser, request: &RunRequest, range: &Range) -> Result<Vec<Run>> {
    if range.from > range.to {
        return Err(Error::argument(
            format!("runs from {} to {}", range.from, range.to),
            "run backwards; exchange them",
        ));
    }
    let (first, last) = (range.from.seconds(), range.to.seconds());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(i64::MAX, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    if last > now {
        return Err(Error::argument(
            format!("runs until {}", range.to),
            "reach into the future; name a last run that has been",
        ));
    }
    let (mut runs, mut refusal) = (Vec::new(), None);
    for seconds in (first..=last).step_by(3600) {
        let mut request = request.clone();
        request.reference_time = ReferenceTime::from_seconds(seconds);
        match parser.run(&request) {
            Ok(run) => runs.push(run),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    match (runs.is_empty(), refusal) {
        (true, Some(error)) => Err(error),
        _ => Ok(runs),
    }
}

type Read = (ManifestStore, Report, gik_icechunk::Container);

async fn read(parser: &dyn Parser, job: &Job, run: &Run, options: &BuildOptions) -> Result<Read> {
    let source = match &job.request.source {
        Some(root) => Source::named(parser, root, &job.s3)?,
        None => Source::public(parser, &run.root)?,
    };
    let mut reader = SourceReader::new(source.stores);
    let (manifest, report) = build_manifest(parser, run, options, &mut reader, &|_, _| {}).await?;
    Ok((manifest, report, source.container))
}

/// What is in the store when a back-fill begins; nothing where there is none.
struct There(Option<(Repository, Opened, HashSet<String>)>);

impl There {
    async fn open(job: &Job) -> Result<Self> {
        let repository = match Repository::open(&job.store, &job.s3, &[]).await {
            Ok(repository) => repository,
            Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Self(None)),
            Err(error) => return Err(error),
        };
        let opened = repository.main().await?;
        let damaged = damaged_in(&repository.history_of(&opened, usize::MAX).await?);
        Ok(Self(Some((repository, opened, damaged))))
    }

    /// Whether it has all of a run that it should have.
    async fn has(&self, parser: &dyn Parser, run: &Run) -> Result<bool> {
        let Some((repository, opened, damaged)) = &self.0 else { return Ok(false) };
        let there = references_of(repository, opened, run).await?;
        let sources = parser.sources(run)?;
        Ok(there.is_some_and(|there| {
            let is_in = |source: &gik_core::SourceFile| {
                let count = there.get(source.data.as_str()).copied().unwrap_or_default();
                count >= u64::from(source.expected)
                    && !damaged.contains(source.data.as_str())
                    && !damaged.contains(source.index.as_str())
            };
            !there.is_empty() && sources.iter().all(is_in)
        }))
    }
}

/// The runs along `time` that a store has.
async fn times_in(job: &Job) -> Result<Vec<i64>> {
    let repository = match Repository::open(&job.store, &job.s3, &[]).await {
        Ok(repository) => repository,
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let opened = repository.main().await?;
    if !opened.array_names().await?.iter().any(|name| name == "time") {
        return Ok(Vec::new());
    }
    match opened.array("time").await?.coordinate().await? {
        CoordinateValues::Int64(times) => Ok(times),
        CoordinateValues::Float64(_) => Ok(Vec::new()),
    }
}

/// Enters all runs along `time`, without references; those that are there stay as they are.
async fn reserve(
    parser: &dyn Parser,
    job: &Job,
    runs: &[Run],
    total: &mut Backfilled,
) -> Result<()> {
    let there = times_in(job).await?;
    let runs: Vec<&Run> =
        runs.iter().filter(|run| !there.contains(&run.reference_time.seconds())).collect();
    let mut manifests = Vec::with_capacity(runs.len());
    for run in &runs {
        let group = parser.schema(run, &job.options.schema)?;
        manifests.push(ManifestStore { group, sources: SourceTable::default() });
    }
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(()) };
    let options = WriteOptions {
        message: format!(
            "{} {}: room for {} to {}",
            first.model, first.product, first.reference_time, last.reference_time
        ),
        ..WriteOptions::default()
    };
    let source = match &job.request.source {
        Some(root) => Source::named(parser, root, &job.s3)?,
        None => Source::public(parser, &first.root)?,
    };
    let writer = Writer::open(&job.store, &job.s3, PATIENCE).await?;
    let manifests: Vec<&ManifestStore> = manifests.iter().collect();
    let written = writer.add(&manifests, &[source.container], &options).await?;
    total.commits += u64::from(written.changes.any());
    Ok(())
}

/// A run that was read.
struct ReadRun {
    time: ReferenceTime,
    manifest: ManifestStore,
    container: gik_icechunk::Container,
    /// Files to be read again some time.
    damaged: Vec<String>,
}

/// Runs that were read and are not committed yet.
struct Batch<'a> {
    job: &'a Job,
    product: &'a str,
    /// When reading these began.
    since: Instant,
    runs: Vec<ReadRun>,
    references: u64,
    /// Runs that do not fit the store, and why.
    refused: Vec<(ReferenceTime, Error)>,
}

impl Batch<'_> {
    fn add(&mut self, run: ReadRun) {
        self.references += run.manifest.group.virtual_count();
        self.runs.push(run);
    }

    async fn commit(&mut self, total: &mut Backfilled) -> Result<()> {
        if self.runs.is_empty() {
            return Ok(());
        }
        let writer = Writer::open(&self.job.store, &self.job.s3, PATIENCE).await?;
        let runs = std::mem::take(&mut self.runs);
        self.references = 0;
        let (first, others) = runs.split_at(usize::from(writer.is_new().await?).min(runs.len()));
        for runs in [first, others] {
            match self.add_to(&writer, runs, total).await {
                Err(error) if !matches!(error.kind(), ErrorKind::Io { .. }) => {
                    // One of them does not fit: the others do without it.
                    for run in runs.chunks(1) {
                        match self.add_to(&writer, run, total).await {
                            Err(error) if !matches!(error.kind(), ErrorKind::Io { .. }) => {
                                let times = run.iter().map(|run| run.time);
                                let error = Some(error);
                                self.refused.extend(times.zip(error));
                            }
                            done => done?,
                        }
                    }
                }
                done => done?,
            }
        }
        self.since = Instant::now();
        Ok(())
    }

    /// Adds some of the runs in one commit.
    async fn add_to(
        &self,
        writer: &Writer,
        runs: &[ReadRun],
        total: &mut Backfilled,
    ) -> Result<()> {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(()) };
        let references: u64 = runs.iter().map(|run| run.manifest.group.virtual_count()).sum();
        let times: Vec<String> = runs.iter().map(|run| run.time.to_string()).collect();
        let damaged: Vec<&String> = runs.iter().flat_map(|run| &run.damaged).collect();
        let facts = json!({
            "gik": env!("CARGO_PKG_VERSION"),
            "model": self.job.model,
            "product": self.product,
            "runs": times,
            "source": first.container.url_prefix,
            "references": references,
            "damaged": damaged,
            "seconds": (self.since.elapsed().as_secs_f64() * 1e3).round() / 1e3,
        });
        let (model, product) = (&self.job.model, self.product);
        let message = match runs.len() {
            1 => format!("{model} {product} {}", first.time),
            count => format!("{model} {product} {} to {}: {count} runs", first.time, last.time),
        };
        let options =
            WriteOptions { message, properties: facts.as_object().cloned().unwrap_or_default() };
        let manifests: Vec<&ManifestStore> = runs.iter().map(|run| &run.manifest).collect();
        // All runs come from one source.
        let containers = std::slice::from_ref(&first.container);
        let written = writer.add(&manifests, containers, &options).await?;
        total.changes = total.changes.and(written.changes);
        total.commits += u64::from(written.changes.any());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_numbered_from_one() {
        assert_eq!("2/8".parse::<Shard>().unwrap(), Shard { number: 2, of: 8 });
        for wrong in ["0/8", "9/8", "1", "a/b", "1/0", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
