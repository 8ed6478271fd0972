//! Following a run while it is published.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use gik_core::{
    Diagnostic, ErrorKind, Headers, ObjectInfo, Parser, Problem, ReferenceTime, Registry, Report,
    Result, Run, SourceFile, SourceReader, build_files,
};
use gik_icechunk::{Container, Repository, WriteOptions, Writer};
use serde_json::{Value, json};

use crate::build::{Job, properties};
use crate::{Source, peak_memory};

/// How a run is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// Whether to wait for files that are not there yet.
    pub watch: bool,
    /// The time between two looks.
    pub interval: Duration,
    /// When to give up, counted from the start.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Files that are in the store with all that they should have.
    pub files: usize,
    /// Files that the run has.
    pub of: usize,
    /// References of the newest commit; 0 for a look that found nothing new.
    pub committed: u64,
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
/// Files asked for at once on servers that cannot list their folders.
const PROBED: usize = 64;
/// How far back the newest run is looked for, in hours.
const NEWEST_HOURS: i64 = 48;

/// One file of the run.
struct File {
    source: SourceFile,
    /// References of it in the store.
    references: u64,
    /// What the source said about data and index when it was read last.
    read: Option<(ObjectInfo, ObjectInfo)>,
    /// What was wrong with it then.
    diagnostics: Vec<Diagnostic>,
}

impl File {
    /// Whether all that it should have is in the store.
    fn is_in(&self) -> bool {
        self.references >= u64::from(self.source.expected)
            && (self.references > 0 || self.read.is_some())
    }
}

/// Adds what is there of a run to a store and, if asked to, goes on until all of it is in. Whole
/// files are added, each in one commit with those that appeared at the same time. What is in the
/// store already is not read again.
///
/// # Errors
/// When the request is wrong, the run does not fit the store, or the store or the source cannot
/// be used. What was committed stays.
pub async fn update(
    registry: &Registry,
    job: &Job,
    follow: Follow,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Updated> {
    let started = Instant::now();
    let parser = registry.get(&job.model)?.as_ref();
    let run = parser.run(&job.request)?;
    let source = match &job.request.source {
        Some(root) => Source::named(parser, root, &job.s3)?,
        None => Source::public(parser, &run.root)?,
    };
    let mut reader = SourceReader::new(source.stores);
    let in_store = references_in(job, &run).await?;
    let mut files: Vec<File> = parser
        .sources(&run)?
        .into_iter()
        .map(|source| {
            let references = in_store.get(source.data.as_str()).copied().unwrap_or_default();
            File { source, references, read: None, diagnostics: Vec::new() }
        })
        .collect();
    // As they are published: step by step.
    files.sort_by_key(|file| (file.source.step, file.source.member, file.source.part));
    let found = files.iter().map(|file| file.references).sum();
    let mut total = Updated {
        run: run.clone(),
        report: Report::default(),
        found,
        commits: 0,
        snapshot: None,
        total_seconds: 0.0,
    };
    loop {
        let due = list(&mut reader, &mut files, job.options.headers == Headers::Always).await?;
        let committed = ingest(
            parser,
            job,
            &run,
            &mut reader,
            &source.container,
            &mut files,
            due,
            &mut total,
            started,
        )
        .await?;
        let done = files.iter().filter(|file| file.is_in()).count();
        progress(Progress { files: done, of: files.len(), committed });
        let is_over = started.elapsed() + follow.interval > follow.deadline;
        if done == files.len() || !follow.watch || is_over {
            break;
        }
        tokio::time::sleep(follow.interval).await;
    }
    total.report = report(&files, &reader);
    total.total_seconds = started.elapsed().as_secs_f64();
    Ok(total)
}

/// The newest run that has begun to be published, or else the newest that should have.
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
        let mut reader = SourceReader::new(source.stores);
        let sources = parser.sources(&run)?;
        let Some(file) = sources.iter().min_by_key(|source| source.step) else { continue };
        reader.list(&file.folder).await?;
        // The files of the first step, whoever's they are: one is enough.
        let earliest = sources.iter().filter(|source| source.step == file.step);
        for source in earliest.take(PROBED) {
            if reader.stat(&source.folder, &source.data).await.is_ok() {
                return Ok(time);
            }
        }
    }
    first
        .ok_or_else(|| refusal.unwrap_or_else(|| gik_core::Error::argument("run", "there is none")))
}

/// Of each file that the store refers to for this run, how many references.
async fn references_in(job: &Job, run: &Run) -> Result<HashMap<String, u64>> {
    let repository = match Repository::open(&job.store, &job.s3, &[]).await {
        Ok(repository) => repository,
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    let opened = repository.main().await?;
    let time = run.reference_time.seconds();
    Ok(opened.references_at(time, repository.containers()).await?.unwrap_or_default())
}

/// The positions of the files that are to be read: they are there, are not all in, and are
/// not what was read before.
async fn list(reader: &mut SourceReader, files: &mut [File], no_index: bool) -> Result<Vec<usize>> {
    let pending: Vec<usize> =
        (0..).zip(files.iter()).filter(|(_, file)| !file.is_in()).map(|(at, _)| at).collect();
    let mut folders: Vec<url::Url> =
        pending.iter().filter_map(|&at| Some(files.get(at)?.source.folder.clone())).collect();
    folders.sort();
    folders.dedup();
    for folder in &folders {
        reader.list(folder).await?;
    }
    let mut due = Vec::new();
    let mut missing_in_a_row = 0;
    for at in pending {
        let Some(file) = files.get_mut(at) else { continue };
        let SourceFile { folder, data, index, .. } = &file.source;
        let index = if no_index { data } else { index };
        let is_listed = reader.is_listed(folder);
        if !is_listed && missing_in_a_row >= PROBED {
            // A server without listings: what comes later has hardly come before.
            break;
        }
        let (data, index) = futures::join!(reader.stat(folder, data), reader.stat(folder, index));
        match (data, index) {
            (Ok(data), Ok(index)) => {
                missing_in_a_row = 0;
                if file.read.as_ref() != Some(&(data.clone(), index.clone())) {
                    file.read = Some((data, index));
                    due.push(at);
                }
            }
            _ => missing_in_a_row += 1,
        }
    }
    Ok(due)
}

/// Reads files and commits what they contribute; the number of references committed.
#[expect(clippy::too_many_arguments, reason = "the state of one loop")]
async fn ingest(
    parser: &dyn Parser,
    job: &Job,
    run: &Run,
    reader: &mut SourceReader,
    container: &Container,
    files: &mut [File],
    due: Vec<usize>,
    total: &mut Updated,
    started: Instant,
) -> Result<u64> {
    if due.is_empty() {
        return Ok(0);
    }
    let sources: Vec<SourceFile> =
        due.iter().filter_map(|&at| Some(files.get(at)?.source.clone())).collect();
    let (manifest, report) =
        build_files(parser, run, &sources, &job.options, reader, &|_, _| {}).await?;
    let mut counts = HashMap::<&str, u64>::new();
    for (_, array) in &manifest.group.data {
        for (_, entry) in array.chunks.virtual_chunks() {
            if let Some(object) = manifest.sources.get(entry.source) {
                *counts.entry(object.url.as_str()).or_default() += 1;
            }
        }
    }
    if report.references > 0 {
        let options = WriteOptions {
            message: format!(
                "{} {} {}: {} files",
                run.model, run.product, run.reference_time, report.files_used
            ),
            properties: properties(run, &report, started),
        };
        let writer = Writer::open(&job.store, &job.s3, PATIENCE).await?;
        let written = writer.add(&[&manifest], std::slice::from_ref(container), &options).await?;
        total.commits += u64::from(written.changes.any());
        total.snapshot = Some(written.snapshot);
    }
    for &at in &due {
        let Some(file) = files.get_mut(at) else { continue };
        let (data, index) = (file.source.data.as_str(), file.source.index.as_str());
        file.references = counts.get(data).copied().unwrap_or_default();
        file.diagnostics = report
            .diagnostics
            .iter()
            .filter(|it| it.url == index || it.url == data)
            .cloned()
            .collect();
        if file.diagnostics.iter().any(|it| it.problem == Problem::Unreadable) {
            // Not its fault: it is read again at the next look.
            file.read = None;
        }
    }
    Ok(report.references)
}

/// What of the run is in the store now, and why the rest is not.
fn report(files: &[File], reader: &SourceReader) -> Report {
    let mut report = Report {
        files_expected: files.len() as u64,
        files_used: files.iter().filter(|file| file.references > 0).count() as u64,
        references: files.iter().map(|file| file.references).sum(),
        requests: reader.requests(),
        ..Report::default()
    };
    for file in files {
        report.references_expected += file.references.max(u64::from(file.source.expected));
        if file.references == 0 && file.diagnostics.is_empty() && file.source.expected > 0 {
            report.diagnostics.push(Diagnostic {
                problem: Problem::MissingFile,
                url: file.source.index.as_str().to_owned(),
                text: "is not published yet, or lost".to_owned(),
            });
        }
        report.diagnostics.extend(file.diagnostics.iter().cloned());
    }
    report.diagnostics.sort_by(|a, b| (&a.url, a.problem).cmp(&(&b.url, b.problem)));
    report
}
