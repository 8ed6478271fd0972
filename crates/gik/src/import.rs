//! From files of references to a committed store.

mod flat;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use gik_codec::scan::{ScannedField, scan_bytes, scan_message};
use gik_core::{
    Error, ErrorKind, ManifestStore, Parser, ReferenceTime, Registry, Result, Run, RunRequest,
    Selection, SourceReader,
};
use gik_icechunk::{Changes, S3Settings, StoreLocation, WriteOptions, Writer};
use gik_legacy::{
    Finding, Findings, HeaderFacts, ImportRequest, Importer, InputFile, MappingArchive, Message,
    Verdict, inputs,
};
use serde_json::{Map, Value, json};
use url::Url;

use crate::{Source, peak_memory};

/// What to import, and where to.
#[derive(Debug, Clone)]
pub struct ImportJob {
    /// Where the references come from.
    pub from: ImportFrom,
    /// Of what they hold, what is wanted.
    pub request: ImportRequest,
    /// Whether each message's header is read, and its place taken from that.
    pub verify: bool,
    /// The store: created, or added to.
    pub store: StoreLocation,
    /// How buckets are reached: the store's, and that of a source which the request names.
    pub s3: S3Settings,
}

/// Where references come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFrom {
    /// Files that hold them: paths, folders and patterns with `*`.
    Files(Vec<String>),
    /// The indexes of a run, whose lines a template archive knows.
    Template {
        /// The archive, or a folder with what is in one.
        archive: PathBuf,
        /// The run.
        run: ReferenceTime,
    },
}

/// What was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The runs, in the order of time.
    pub runs: Vec<Run>,
    /// Files that were read, those in archives each.
    pub files: u64,
    /// References that were met in them.
    pub references: u64,
    /// References that are in the store now.
    pub imported: u64,
    /// What was wrong, and what was done about it.
    pub findings: Findings,
    /// What was written.
    pub changes: Changes,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

impl Imported {
    /// Whether all that was meant to be imported was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.findings.has_loss()
    }

    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, store: &StoreLocation) -> Value {
        let runs: Vec<String> =
            self.runs.iter().map(|run| run.reference_time.to_string()).collect();
        let first = self.runs.first();
        json!({
            "store": store.to_string(),
            "complete": self.is_complete(),
            "model": first.map(|run| run.model),
            "product": first.map(|run| run.product),
            "source": first.map(|run| run.root.as_str()),
            "runs": runs,
            "members": first.and_then(|run| run.members.as_ref()),
            "steps": first.map(|run| &run.steps),
            "variables": first.map(|run| &run.variables),
            "files": self.files,
            "references": {
                "read": self.references,
                "imported": self.imported,
                "written": self.changes.added + self.changes.replaced,
                "replaced": self.changes.replaced,
                "unchanged": self.changes.unchanged,
            },
            "findings": findings_json(&self.findings),
            "seconds": self.total_seconds,
            "peak_memory_bytes": peak_memory(),
        })
    }
}

/// Each kind of thing that was found: how often, whether something is lost by it, and where
/// first.
fn findings_json(findings: &Findings) -> Map<String, Value> {
    findings
        .iter()
        .map(|(finding, count, places)| {
            let value = json!({
                "count": count,
                "loss": finding.is_loss(),
                "first": places,
            });
            (finding.name().to_owned(), value)
        })
        .collect()
}

/// References that are gathered before they are committed.
const REFERENCES_PER_COMMIT: u64 = 500_000;
/// How long a commit waits for another writer of a local store.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files that are read at the same time.
const FILES: usize = 4;
/// Headers that are read at the same time.
const HEADERS: usize = 64;

/// Brings the references of files into a store, which is created if there is none. `progress` is
/// called with what is done, how much of it, and the total.
///
/// # Errors
/// When an argument is wrong, no file has references that could be used, they do not fit one
/// store, or it cannot be written. Nothing is in the store then, unless there was so much to write
/// that it took several commits: runs that were committed stay, and are whole. Files and
/// references that cannot be used are no error: see [`Imported::findings`].
pub async fn import(
    registry: &Registry,
    job: &ImportJob,
    progress: &(dyn Fn(&'static str, usize, usize) + Sync),
) -> Result<Imported> {
    let started = Instant::now();
    if let Some(done) = flat::import(registry, job, progress).await? {
        return Ok(done);
    }
    let read_header = |bytes: &_| facts(scan_bytes(bytes)?);
    let mut importer = Importer::new(registry, job.request.clone(), &read_header, job.verify)?;
    let count = match &job.from {
        ImportFrom::Files(arguments) => {
            read_files(inputs(arguments)?, &mut importer, progress).await?
        }
        ImportFrom::Template { archive, run } => {
            read_indexes(registry, job, archive, *run, &mut importer, progress).await?
        }
    };
    if job.verify {
        verify(&mut importer, &job.s3, progress).await?;
    }
    let plan = importer.plan()?;
    if plan.is_empty() {
        return Err(nothing(&importer, count));
    }
    let mut done = Imported {
        runs: Vec::new(),
        files: count,
        references: importer.references(),
        imported: 0,
        findings: Findings::default(),
        changes: Changes::default(),
        total_seconds: 0.0,
    };
    let mut batch: Vec<(Run, ManifestStore)> = Vec::new();
    let mut waiting = 0;
    for position in 0..plan.len() {
        let Some(run) = importer.run(&plan, position)? else { continue };
        let references = run.manifest.group.virtual_count();
        let has_inline = run
            .manifest
            .group
            .data
            .iter()
            .any(|(_, it)| it.chunks.inline_chunks().next().is_some());
        done.imported += references;
        waiting += references;
        if references > 0 || has_inline {
            batch.push((run.run, run.manifest));
        }
        if waiting >= REFERENCES_PER_COMMIT {
            commit(registry, job, &mut batch, &mut done).await?;
            waiting = 0;
        }
        progress("runs", position + 1, plan.len());
    }
    if !batch.is_empty() {
        commit(registry, job, &mut batch, &mut done).await?;
    }
    // Files without what was asked for, a member say: an empty store would hide it.
    if done.runs.is_empty() {
        return Err(nothing(&importer, count));
    }
    done.findings = importer.findings().clone();
    done.total_seconds = started.elapsed().as_secs_f64();
    Ok(done)
}

/// Reads files side by side, and adds what they hold in their order; how many there were.
async fn read_files(
    files: Vec<InputFile>,
    importer: &mut Importer<'_>,
    progress: &(dyn Fn(&'static str, usize, usize) + Sync),
) -> Result<u64> {
    let total = files.len();
    let mut count = 0;
    let reads = files.into_iter().map(|file| {
        let name = file.name().into_owned();
        let read = tokio::task::spawn_blocking(move || file.read());
        async move { (name, read.await) }
    });
    let mut reads = futures::stream::iter(reads).buffered(FILES);
    let mut done = 0;
    while let Some((name, read)) = reads.next().await {
        let outcome = match read {
            Ok(Ok(mut held)) => held.each(&mut |name, file| {
                count += 1;
                importer.add_file(name, file)
            }),
            Ok(Err(error)) => Err(error),
            Err(failure) => {
                return Err(Error::new(ErrorKind::Contained {
                    what: "reading a file",
                    message: failure.to_string(),
                })
                .in_url(name));
            }
        };
        if let Err(error) = outcome {
            let cause = std::error::Error::source(&error).map(|it| format!(": {it}"));
            let text = format!("{}{}", error.in_url(name), cause.unwrap_or_default());
            importer.findings_mut().add(Finding::BadFile, || text);
        }
        done += 1;
        progress("files", done, total);
    }
    Ok(count)
}

/// Reads the indexes of a run, and adds the lines that a template archive knows; how many
/// indexes there were.
async fn read_indexes(
    registry: &Registry,
    job: &ImportJob,
    archive: &Path,
    time: ReferenceTime,
    importer: &mut Importer<'_>,
    progress: &(dyn Fn(&'static str, usize, usize) + Sync),
) -> Result<u64> {
    let templates = MappingArchive::read(archive)?;
    let (parser, product) = model_of(registry, &job.request, &templates)?;
    let picked = |numbers: BTreeSet<u32>| {
        numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",").parse::<Selection>()
    };
    let mut request = RunRequest::new(time);
    request.product = Some(product);
    request.source = job.request.source.clone();
    request.members = Some(match &job.request.members {
        Some(wanted) => wanted.clone(),
        None => picked(templates.members())?,
    });
    request.steps = Some(match &job.request.steps {
        Some(wanted) => wanted.clone(),
        None => picked(templates.hours())?,
    });
    let run = parser.run(&request)?;
    let source = source(parser.as_ref(), &run.root, &job.s3)?;
    let mut reader = SourceReader::new(source.stores);
    let sources = parser.sources(&run)?;
    for folder in sources.iter().map(|source| &source.folder).collect::<BTreeSet<_>>() {
        reader.list(folder).await?;
    }
    let reader = &reader;
    let mut reads = futures::stream::iter(&sources)
        .map(|source| async move { (source, reader.read(source).await) })
        .buffered(HEADERS);
    let (mut done, mut count) = (0, 0);
    while let Some((source, file)) = reads.next().await {
        let member = source.member.and_then(|at| run.members.as_ref()?.get(at as usize));
        let step = run.steps.get(source.step as usize);
        let mapping = match (member, step) {
            (Some(&member), Some(&step)) => templates.mapping(member, step),
            _ => None,
        };
        let outcome = match (file, mapping) {
            (Ok(file), Some(mapping)) => {
                count += 1;
                importer.add_mapped(source.data.as_str(), &file.index, file.data.size, mapping)
            }
            (Err(error), _) => Err(error),
            (Ok(_), None) => {
                Err(Error::mismatch("template archive", "a table of its member and step", "none"))
            }
        };
        if let Err(error) = outcome {
            let text = error.in_url(source.index.as_str()).to_string();
            importer.findings_mut().add(Finding::BadFile, || text);
        }
        done += 1;
        progress("indexes", done, sources.len());
    }
    drop(reads);
    for problem in &templates.problems {
        importer.findings_mut().add(Finding::BadFile, || problem.clone());
    }
    Ok(count)
}

/// The model and product of a template archive: as asked for, or those of the files that it was
/// made from.
fn model_of(
    registry: &Registry,
    wanted: &ImportRequest,
    templates: &MappingArchive,
) -> Result<(Arc<dyn Parser>, String)> {
    let url = templates.sample_url().and_then(|url| Url::parse(url).ok());
    let known = |parser: &Arc<dyn Parser>| {
        let request = parser.request_of_url(url.as_ref()?).ok()?;
        Some((Arc::clone(parser), request.product?))
    };
    let found = match &wanted.model {
        Some(id) => known(registry.get(id)?),
        None => registry.iter().find_map(|(_, parser)| known(parser)),
    };
    match (found, &wanted.model, &wanted.product) {
        (Some((parser, _)), _, Some(product)) => Ok((parser, product.clone())),
        (Some(found), _, None) => Ok(found),
        (None, Some(id), Some(product)) => Ok((Arc::clone(registry.get(id)?), product.clone())),
        (None, ..) => Err(Error::argument(
            "--template",
            "does not say of which model's files its tables were made; add --model and --product",
        )),
    }
}

/// Reads the headers of all messages that are referred to.
async fn verify(
    importer: &mut Importer<'_>,
    s3: &S3Settings,
    progress: &(dyn Fn(&'static str, usize, usize) + Sync),
) -> Result<()> {
    let messages = importer.messages();
    let mut readers: Vec<(Url, SourceReader)> = Vec::new();
    for (parser, root) in importer.places() {
        if readers.iter().all(|(other, _)| *other != root) {
            let source = source(parser.as_ref(), &root, s3)?;
            readers.push((root, SourceReader::new(source.stores)));
        }
    }
    let total = messages.len();
    let reads = messages.into_iter().map(|message| {
        let reader = readers.iter().find(|(root, _)| message.url.starts_with(root.as_str()));
        async move {
            let verdict = match reader {
                Some((_, reader)) => verdict(reader, &message).await,
                None => Verdict::Unreadable("lies in no place that is read".to_owned()),
            };
            (message, verdict)
        }
    });
    let mut reads = futures::stream::iter(reads).buffer_unordered(HEADERS);
    let mut verdicts = Vec::with_capacity(total);
    while let Some(read) = reads.next().await {
        verdicts.push(read);
        progress("headers", verdicts.len(), total);
    }
    importer.judge(verdicts);
    Ok(())
}

async fn verdict(reader: &SourceReader, message: &Message) -> Verdict {
    let Ok(url) = Url::parse(&message.url) else {
        return Verdict::Unreadable("is no url".to_owned());
    };
    let length = u64::from(message.length);
    match scan_message(reader, &url, message.offset, length).await.and_then(facts) {
        Ok(facts) => Verdict::Message(facts),
        Err(error) => match error.kind() {
            ErrorKind::Io { .. } | ErrorKind::NotFound | ErrorKind::Denied => {
                Verdict::Unreadable(error.to_string())
            }
            _ => Verdict::NoMessage(error.to_string()),
        },
    }
}

/// What the header of a message with one field says of its place.
fn facts(fields: Vec<ScannedField>) -> Result<HeaderFacts> {
    let mut fields = fields.into_iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(Error::unsupported("message with several fields", "which one is meant?"));
    };
    let window = field.window.ok_or_else(|| {
        Error::unsupported("product definition template", field.product_template.to_string())
    })?;
    Ok(HeaderFacts {
        reference_time: field.reference_time,
        member: field.member.map(|member| member.position()),
        parameter: field.parameter.code(),
        level: field.level,
        window,
    })
}

/// Commits the runs of a batch, which is empty then.
async fn commit(
    registry: &Registry,
    job: &ImportJob,
    batch: &mut Vec<(Run, ManifestStore)>,
    done: &mut Imported,
) -> Result<()> {
    let (Some((first, _)), Some((last, _))) = (batch.first(), batch.last()) else { return Ok(()) };
    let parser = registry.get(first.model)?;
    let source = source(parser.as_ref(), &first.root, &job.s3)?;
    let span = match batch.len() {
        1 => first.reference_time.to_string(),
        runs => format!("{} to {}: {runs} runs", first.reference_time, last.reference_time),
    };
    let references: u64 = batch.iter().map(|(_, manifest)| manifest.group.virtual_count()).sum();
    let facts = json!({
        "gik": env!("CARGO_PKG_VERSION"),
        "model": first.model,
        "product": first.product,
        "runs": batch.len(),
        "run": last.reference_time.to_string(),
        "source": first.root.as_str(),
        "references": references,
    });
    let options = WriteOptions {
        message: format!("{} {} {span}, imported", first.model, first.product),
        properties: facts.as_object().cloned().unwrap_or_default(),
    };
    let writer = Writer::open(&job.store, &job.s3, PATIENCE).await?;
    let manifests: Vec<&ManifestStore> = batch.iter().map(|(_, manifest)| manifest).collect();
    let written = writer.add(&manifests, &[source.container], &options).await?;
    done.changes = done.changes.and(written.changes);
    done.runs.extend(batch.drain(..).map(|(run, _)| run));
    Ok(())
}

/// The place below which a model's files lie.
fn source(parser: &dyn Parser, root: &Url, s3: &S3Settings) -> Result<Source> {
    let is_public = parser.info().hosts.iter().any(|host| host.root == root.as_str());
    if is_public { Source::public(parser, root) } else { Source::named(parser, root, s3) }
}

/// Why there is nothing to import.
fn nothing(importer: &Importer<'_>, files: u64) -> Error {
    let found: Vec<String> = importer
        .findings()
        .iter()
        .map(|(finding, count, places)| {
            format!("{count} {}: {}", finding.title(), places.join(", "))
        })
        .collect();
    let cause = match found.is_empty() {
        true => format!("{files} files were read; none has a reference to a model's file"),
        false => found.join("; "),
    };
    Error::mismatch("references in the files", "some that can be imported", "none")
        .with_source(std::io::Error::other(cause))
}
