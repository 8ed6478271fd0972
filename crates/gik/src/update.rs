//! Following a run while it is published.

mod files;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures::StreamExt;
use gik_core::{
    Error, ErrorKind, Headers, Parser, ReferenceTime, Registry, Report, Result, Run, SourceReader,
    UNKNOWN_PREFIX, build_files_until,
};
use gik_icechunk::{Commit, Container, Opened, Repository, RunPart, WriteOptions, Writer};
use serde_json::{Value, json};

use crate::build::{Job, properties};
use crate::deadline::Deadline;
use crate::{Source, peak_memory};
use files::{Files, PROBED, Seen};

/// How a run is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// Whether to wait for files that are not there yet.
    pub watch: bool,
    /// The time between two looks.
    pub interval: Duration,
    /// When to give up, counted from the start, whatever is waited for. A commit that was begun
    /// before has a minute more.
    pub deadline: Duration,
}

/// What following came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The run, with every "all" made explicit.
    pub run: Run,
    /// The state of the run in the store; diagnostics of files that are not all in.
    pub report: Report,
    /// References that were in the store before.
    pub found: u64,
    /// Commits that were made.
    pub commits: u64,
    /// The newest commit; none when there is no store.
    pub snapshot: Option<String>,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

/// How far a run is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Files that are in the store with all that they should have.
    pub files: usize,
    /// Files that the run has.
    pub of: usize,
    /// References of the newest commit; 0 for a look that found nothing new.
    pub committed: u64,
    /// Why a look came to nothing; the next one tries again.
    pub trouble: Option<String>,
}

impl Updated {
    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, store: &str) -> Value {
        let Self { run, report, found, commits, snapshot, total_seconds } = self;
        let diagnostics: Vec<_> = report
            .diagnostics
            .iter()
            .map(|it| json!({"problem": it.problem.name(), "url": it.url, "text": it.text}))
            .collect();
        json!({
            "model": run.model,
            "product": run.product,
            "run": run.reference_time.to_string(),
            "source": run.root.as_str(),
            "store": store,
            "snapshot": snapshot,
            "complete": report.is_complete(),
            "files": {"expected": report.files_expected, "used": report.files_used},
            "references": {
                "expected": report.references_expected,
                "there": report.references,
                "found": found,
            },
            "commits": commits,
            "requests": report.requests,
            "seconds": total_seconds,
            "peak_memory_bytes": peak_memory(),
            "diagnostics": diagnostics,
        })
    }
}

/// How long a commit waits for another writer of a local store.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one look at the source may take. Files that have been read by then are committed; those
/// of a server that stalls are read again at the next look.
const LOOK: Duration = Duration::from_secs(20);
/// How far back the newest run is looked for, in hours.
const NEWEST_HOURS: i64 = 48;

/// Adds what is there of a run to a store and, if asked to, goes on until all of it is in. Whole
/// files are added, each in one commit with those that appeared at the same time. What is in the
/// store already is not read again. While a run is watched, a look that fails for a reason that
/// may pass, a store that another process writes or that does not answer, is made up for by the
/// next one.
///
/// # Errors
/// When the request is wrong, the run does not fit the store, or the store or the source cannot
/// be used; when a commit takes a minute longer than the deadline. What was committed stays.
pub async fn update(
    registry: &Registry,
    job: &Job,
    follow: Follow,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Updated> {
    let started = Instant::now();
    let deadline = Deadline::after(Some(follow.deadline));
    let parser = registry.get(&job.model)?.as_ref();
    let run = parser.run(&job.request)?;
    let source = match &job.request.source {
        Some(root) => Source::named(parser, root, &job.s3)?,
        None => Source::public(parser, &run.root)?,
    };
    let in_store = deadline.committing(present(job, &run)).await?;
    let files = Files::new(parser.sources(&run)?, &in_store);
    let mut follower = Follower {
        parser,
        job,
        run: &run,
        container: source.container,
        reader: SourceReader::new(source.stores),
        found: files.references(),
        files,
        commits: 0,
        snapshot: None,
    };
    loop {
        let is_last = !follow.watch || deadline.left().is_some_and(|left| left <= follow.interval);
        let Some(due) = deadline.reading(follower.due(is_last)).await else { break };
        // What was read in time is committed; who does not watch has no next look.
        let left = deadline.left().unwrap_or(LOOK);
        let stop = if is_last { left } else { left.min(LOOK) };
        let committed = match due {
            Ok(due) if due.is_empty() => Ok(0),
            Ok(due) => deadline.committing(follower.ingest(due, stop)).await,
            Err(error) => Err(error),
        };
        let (committed, trouble) = match committed {
            Ok(committed) => (committed, None),
            Err(error) if may_pass(&error) && !is_last => (0, Some(told(&error))),
            Err(error) => return Err(error),
        };
        let (done, of) = (follower.files.done(), follower.files.len());
        progress(Progress { files: done, of, committed, trouble });
        if done == of || is_last {
            break;
        }
        tokio::time::sleep(follow.interval).await;
    }
    let Follower { files, reader, found, commits, snapshot, .. } = follower;
    let total_seconds = started.elapsed().as_secs_f64();
    Ok(Updated { report: files.report(&reader), run, found, commits, snapshot, total_seconds })
}

/// Whether the same may succeed later. Icechunk does not tell what does: a full disk may be
/// emptied, too.
fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io { .. })
}

/// An error with its cause.
pub(crate) fn told(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|it| format!(": {it}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A run that is followed.
struct Follower<'a> {
    parser: &'a dyn Parser,
    job: &'a Job,
    run: &'a Run,
    container: Container,
    reader: SourceReader,
    files: Files,
    /// References that were in the store before.
    found: u64,
    commits: u64,
    snapshot: Option<String>,
}

impl Follower<'_> {
    /// The files that have appeared; on servers without listings, `all` are asked for.
    async fn due(&mut self, all: bool) -> Result<Vec<(usize, Seen)>> {
        let no_index = self.job.options.headers == Headers::Always;
        self.files.due(&mut self.reader, no_index, all).await
    }

    /// Reads files until `stop` has passed, and commits what they contribute; the number of
    /// references committed.
    async fn ingest(&mut self, due: Vec<(usize, Seen)>, stop: Duration) -> Result<u64> {
        let started = Instant::now();
        let Self { parser, job, run, reader, files, .. } = self;
        let sources = files.sources(&due);
        let stop = tokio::time::sleep(stop);
        let (manifest, report) =
            build_files_until(stop, *parser, run, &sources, &job.options, reader, &|_, _| {})
                .await?;
        if report.references > 0 {
            let run = self.run;
            let options = WriteOptions {
                message: format!(
                    "{} {} {}: {} files",
                    run.model, run.product, run.reference_time, report.files_used
                ),
                properties: properties(run, &report, started),
            };
            let writer = Writer::open(&self.job.store, &self.job.s3, PATIENCE).await?;
            let containers = std::slice::from_ref(&self.container);
            let written = writer.add(&[&manifest], containers, &options).await?;
            self.commits += u64::from(written.changes.any());
            self.snapshot = Some(written.snapshot);
        }
        let mut counts = HashMap::<&str, u64>::new();
        // What no table knows is no part of what a file should have.
        let known =
            manifest.group.data.iter().filter(|(name, _)| !name.starts_with(UNKNOWN_PREFIX));
        for (_, array) in known {
            for (_, entry) in array.chunks.virtual_chunks() {
                if let Some(object) = manifest.sources.get(entry.source) {
                    *counts.entry(object.url.as_str()).or_default() += 1;
                }
            }
        }
        self.files.took(due, &report, &counts);
        Ok(report.references)
    }
}

/// The newest run of the last 48 hours that has begun to be published, or else the newest that
/// should have.
///
/// # Errors
/// When the request is wrong whatever the time, or the source cannot be used.
pub async fn newest_run(
    registry: &Registry,
    job: &Job,
    now: ReferenceTime,
) -> Result<ReferenceTime> {
    let parser = registry.get(&job.model)?.as_ref();
    let hour = now.seconds().div_euclid(3600);
    let (mut first, mut refusal) = (None, None);
    for back in 0..NEWEST_HOURS {
        let time = ReferenceTime::from_seconds((hour - back) * 3600);
        let mut request = job.request.clone();
        request.reference_time = time;
        let run = match parser.run(&request) {
            Ok(run) => run,
            Err(error) => {
                refusal = refusal.or(Some(error));
                continue;
            }
        };
        first = first.or(Some(time));
        let source = match &job.request.source {
            Some(root) => Source::named(parser, root, &job.s3)?,
            None => Source::public(parser, &run.root)?,
        };
        if has_begun(parser, &run, SourceReader::new(source.stores)).await? {
            return Ok(time);
        }
    }
    first.ok_or_else(|| refusal.unwrap_or_else(|| Error::argument("run", "there is none")))
}

/// Whether one file of the first step is there, whoever's it is.
async fn has_begun(parser: &dyn Parser, run: &Run, mut reader: SourceReader) -> Result<bool> {
    let sources = parser.sources(run)?;
    let Some(file) = sources.iter().min_by_key(|source| source.step) else { return Ok(false) };
    reader.list(&file.folder).await?;
    let reader = &reader;
    let earliest = sources.iter().filter(|source| source.step == file.step).take(PROBED);
    let mut looks = futures::stream::iter(earliest)
        .map(|source| reader.stat(&source.folder, &source.data))
        .buffer_unordered(PROBED);
    while let Some(look) = looks.next().await {
        match look {
            Ok(_) => return Ok(true),
            // A source that does not answer says nothing about its files.
            Err(error) if matches!(error.kind(), ErrorKind::Io { .. }) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(false)
}

/// What a store has of a run.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// Of each file that it refers to for what is wanted, how many references.
    pub(crate) references: HashMap<String, u64>,
    /// Files that were damaged, or their indexes, when they were read.
    pub(crate) damaged: HashSet<String>,
}

async fn present(job: &Job, run: &Run) -> Result<Present> {
    let repository = match Repository::open(&job.store, &job.s3, &[]).await {
        Ok(repository) => repository,
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(Present::default()),
        Err(error) => return Err(error),
    };
    let opened = repository.main().await?;
    let references = references_of(&repository, &opened, run).await?.unwrap_or_default();
    let history = repository.history_of(&opened, usize::MAX).await?;
    Ok(Present { references, damaged: damaged_in(&history) })
}

/// The files that commits say were damaged.
pub(crate) fn damaged_in(history: &[Commit]) -> HashSet<String> {
    let lists = history.iter().filter_map(|commit| commit.properties.get("damaged")?.as_array());
    lists.flatten().filter_map(|url| Some(url.as_str()?.to_owned())).collect()
}

/// Of each file that the store refers to for what is wanted of this run, how many references; none
/// where it does not have the run.
pub(crate) async fn references_of(
    repository: &Repository,
    opened: &Opened,
    run: &Run,
) -> Result<Option<HashMap<String, u64>>> {
    let labels = |numbers: &[u32]| numbers.iter().map(|&it| i64::from(it)).collect::<Vec<i64>>();
    let members = run.members.as_deref().map(labels);
    let part = RunPart {
        time: run.reference_time.seconds(),
        arrays: &run.variables,
        members: members.as_deref(),
        steps: &labels(&run.steps),
    };
    opened.references_of(&part, repository.containers()).await
}
