//! The whole way from a request to a committed store.

use std::time::{Duration, Instant};

use gik_core::{
    BuildOptions, NothingFound, Parser, Problem, Registry, Report, Result, Run, RunRequest,
    SourceReader, build_manifest,
};
use gik_icechunk::{S3Settings, StoreLocation, WriteOptions, Writer, Written};
use serde_json::{Map, Value, json};

use crate::Source;

/// What to build, and where.
#[derive(Debug, Clone)]
pub struct Job {
    /// The model's id.
    pub model: String,
    /// The run.
    pub request: RunRequest,
    /// How.
    pub options: BuildOptions,
    /// The store: created, or added to.
    pub store: StoreLocation,
    /// How buckets are reached: the store's, and that of a source which the request names.
    pub s3: S3Settings,
}

/// What was built.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The run, with every "all" made explicit.
    pub run: Run,
    /// What the source's files came to.
    pub report: Report,
    /// What was written.
    pub written: Written,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

impl Built {
    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, store: &StoreLocation) -> Value {
        let Self { run, report, written, total_seconds } = self;
        let mut all = report_json(run, report, store);
        let more = json!({
            "snapshot": written.snapshot,
            "references": {
                "expected": report.references_expected,
                "written": written.changes.added + written.changes.replaced,
                "replaced": written.changes.replaced,
                "unchanged": written.changes.unchanged,
            },
            "commit_attempts": written.attempts,
            "seconds": {
                "list": report.list_seconds,
                "read": report.read_seconds,
                "parse": report.parse_seconds,
                "write": written.write_seconds,
                "commit": written.commit_seconds,
                "total": total_seconds,
            },
            "peak_memory_bytes": peak_memory(),
        });
        all.extend(more.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }
}

/// What is known of a build whose run had nothing, for machines: keys of [`Built::to_json`], and
/// the `error`.
#[must_use]
pub fn nothing_json(nothing: &NothingFound, store: &StoreLocation) -> Value {
    let mut all = report_json(&nothing.run, &nothing.report, store);
    let references = json!({"expected": nothing.report.references_expected, "written": 0});
    all.insert("references".to_owned(), references);
    all.insert("error".to_owned(), json!(nothing.to_string()));
    Value::Object(all)
}

/// What a run's files came to.
fn report_json(run: &Run, report: &Report, store: &StoreLocation) -> Map<String, Value> {
    let diagnostics: Vec<_> = report
        .diagnostics
        .iter()
        .map(|it| json!({"problem": it.problem.name(), "url": it.url, "text": it.text}))
        .collect();
    let problems: Map<String, Value> = report
        .counts()
        .into_iter()
        .map(|(problem, files)| (problem.name().to_owned(), json!(files)))
        .collect();
    let all = json!({
        "model": run.model,
        "product": run.product,
        "run": run.reference_time.to_string(),
        "source": run.root.as_str(),
        "store": store.to_string(),
        "complete": report.references > 0 && report.is_complete(),
        "members": run.members.as_ref().map(Vec::len),
        "steps": run.steps.len(),
        "variables": run.variables.len(),
        "unknown_arrays": report.unknown_arrays,
        "files": {"expected": report.files_expected, "used": report.files_used},
        "index_lines": report.lines,
        "bytes_read": report.index_bytes,
        "requests": report.requests,
        "problems": problems,
        "diagnostics": diagnostics,
    });
    all.as_object().cloned().unwrap_or_default()
}

/// The most memory that this process has held, in bytes; `null` where the system does not
/// say so as Linux does.
#[must_use]
pub fn peak_memory() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or(Value::Null, |kilobytes| json!(kilobytes * 1024))
}

/// How long a build waits for another writer of a local store.
const PATIENCE: Duration = Duration::from_secs(10);

/// Adds a run to a store, which is created if there is none. `progress` is called with the
/// number of files done and their total.
///
/// # Errors
/// When the request is wrong, the run does not fit the store, the store cannot be written, or
/// no file of the run could be used. Nothing of the run is in the store then. A run with holes
/// is no error: see [`Report::is_complete`]; adding it again fills them.
pub async fn build(
    registry: &Registry,
    job: &Job,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Built> {
    build_with(registry.get(&job.model)?.as_ref(), job, progress).await
}

/// As [`build`], of a parser that is in no registry: that of a template.
///
/// # Errors
/// As [`build`].
pub async fn build_with(
    parser: &dyn Parser,
    job: &Job,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Built> {
    let started = Instant::now();
    let run = parser.run(&job.request)?;
    let source = match &job.request.source {
        Some(root) => Source::named(parser, root, &job.s3)?,
        None => Source::public(parser, &run.root)?,
    };
    let writer = Writer::open(&job.store, &job.s3, PATIENCE).await?;
    let mut reader = SourceReader::new(source.stores);
    let (manifest, report) =
        build_manifest(parser, &run, &job.options, &mut reader, progress).await?;
    let options = WriteOptions {
        message: format!("{} {} {}", run.model, run.product, run.reference_time),
        properties: properties(&run, &report, started),
    };
    let written = writer.add(&[&manifest], &[source.container], &options).await?;
    Ok(Built { run, report, written, total_seconds: started.elapsed().as_secs_f64() })
}

/// Files that are kept in mind to be read again, at most.
const DAMAGED: usize = 1000;

/// Files that may have more than they gave, or something else: they are read again when the run is
/// updated.
pub(crate) fn damaged(report: &Report) -> Vec<&str> {
    let losses = report.diagnostics.iter().filter(|it| it.problem.is_loss());
    let losses = losses.filter(|it| it.problem != Problem::MissingFile);
    let mut urls: Vec<&str> = losses.map(|it| it.url.as_str()).collect();
    urls.dedup();
    urls.truncate(DAMAGED);
    urls
}

/// Facts that go with the commit.
pub(crate) fn properties(run: &Run, report: &Report, started: Instant) -> Map<String, Value> {
    let facts = json!({
        "gik": env!("CARGO_PKG_VERSION"),
        "model": run.model,
        "product": run.product,
        "run": run.reference_time.to_string(),
        "source": run.root.as_str(),
        "references": report.references,
        "references_expected": report.references_expected,
        "damaged": damaged(report),
        "seconds": (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
    });
    facts.as_object().cloned().unwrap_or_default()
}
