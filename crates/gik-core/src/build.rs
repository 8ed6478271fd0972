//! From a run to its manifest: lists folders, reads indexes side by side, places references.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::StreamExt;
use futures::future::Either;
use url::Url;

use crate::unknown::array_like;
use crate::{
    ChunkEntry, Diagnostic, Error, ErrorKind, FileReferences, Layout, ManifestGroup, ManifestStore,
    Names, NothingFound, Parser, Problem, Report, Result, Run, RunRequest, SchemaOptions,
    SourceFile, SourceId, SourceObject, SourceReader, SourceTable, UnknownMessage,
};

/// How a manifest is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildOptions {
    /// What the store looks like.
    pub schema: SchemaOptions,
    /// Indexes read at the same time, at least 1.
    pub concurrency: usize,
    /// Which files are read by their headers.
    pub headers: Headers,
}

/// Which files are read by the headers of their messages instead of by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Headers {
    /// Those whose index is missing, cut off or about something else.
    #[default]
    WhereNeeded,
    /// All.
    Always,
    /// None: no byte of a data file is read.
    Never,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { schema: SchemaOptions::default(), concurrency: 64, headers: Headers::default() }
    }
}

/// Files in a folder from which on listing it is cheaper than asking for each.
const LIST_FROM: usize = 8;

/// Arrays of messages that the model's table does not know, at most: files must not dictate how
/// much memory a store takes.
const UNKNOWN_LIMIT: usize = 1000;

/// Files in a row that fail to be read, at least, before the rest is given up: each has been
/// tried for minutes, and a source that is gone would take hours otherwise.
const GIVE_UP_AFTER: usize = 16;

/// The manifest of `run`, and what was wrong with its files: [`build_files`] of all of them.
///
/// # Errors
/// When the run is not the parser's, or no file of it contributed a single reference: an
/// empty store would hide a wrong date or place.
pub async fn build_manifest(
    parser: &dyn Parser,
    run: &Run,
    options: &BuildOptions,
    reader: &mut SourceReader,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ManifestStore, Report)> {
    let sources = parser.sources(run)?;
    let (store, report) = build_files(parser, run, &sources, options, reader, progress).await?;
    if report.references == 0 {
        return Err(nothing_found(run, &report));
    }
    Ok((store, report))
}

/// The manifest of `run` with what these of its files contribute, and what was wrong with them.
///
/// A file that cannot be used costs its own chunks, which stay missing, and is in the
/// report. `progress` is called with the number of files done and their total. Folders that
/// the reader has listed are not listed again.
///
/// # Errors
/// When the run is not the parser's.
pub async fn build_files(
    parser: &dyn Parser,
    run: &Run,
    sources: &[SourceFile],
    options: &BuildOptions,
    reader: &mut SourceReader,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ManifestStore, Report)> {
    let never = std::future::pending();
    build_files_until(never, parser, run, sources, options, reader, progress).await
}

/// As [`build_files`], with what was read until `stop` comes to pass: whoever follows a run takes
/// what is there, and does not wait for a file whose server has stalled. Files that were still
/// waited for are in the report as unreadable.
///
/// # Errors
/// As [`build_files`].
pub async fn build_files_until(
    stop: impl Future<Output = ()> + Send,
    parser: &dyn Parser,
    run: &Run,
    sources: &[SourceFile],
    options: &BuildOptions,
    reader: &mut SourceReader,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(ManifestStore, Report)> {
    let mut stop = std::pin::pin!(stop);
    let group = parser.schema(run, &options.schema)?;
    let mut report = Report {
        files_expected: sources.len() as u64,
        references_expected: sources.iter().map(|source| u64::from(source.expected)).sum(),
        ..Report::default()
    };

    let (before, bytes_before) = (reader.requests(), reader.range_bytes());
    let started = Instant::now();
    let mut folders = BTreeMap::<&Url, usize>::new();
    for source in sources {
        *folders.entry(&source.folder).or_default() += 1;
    }
    for (folder, files) in folders {
        if files >= LIST_FROM && !reader.is_listed(folder) {
            reader.list(folder).await?;
        }
    }
    report.list_seconds = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let mut placement = Placement::new(run, group, options.schema.layout);
    let reader = &*reader;
    let mut files = futures::stream::iter(sources)
        .map(|source| async move { (source, read(parser, run, source, reader, options).await) })
        .buffer_unordered(options.concurrency.max(1));
    let (mut done, mut failures_in_a_row) = (0, 0);
    let mut is_stopped = false;
    loop {
        let next = futures::future::select(files.next(), stop.as_mut()).await;
        let (source, outcome) = match next {
            Either::Left((Some(next), _)) => next,
            Either::Left((None, _)) => break,
            Either::Right(_) => {
                is_stopped = true;
                break;
            }
        };
        match outcome {
            Ok(file) => {
                failures_in_a_row = 0;
                placement.add(source, file, &mut report)?;
            }
            Err(error) => {
                let failed = matches!(error.kind(), ErrorKind::Io { .. });
                failures_in_a_row = if failed { failures_in_a_row + 1 } else { 0 };
                report.diagnostics.push(diagnose(source, &error));
            }
        }
        done += 1;
        progress(done, sources.len());
        if failures_in_a_row >= GIVE_UP_AFTER.max(options.concurrency) {
            break;
        }
    }
    drop(files);
    if done < sources.len() {
        let left = sources.len() - done;
        report.diagnostics.push(Diagnostic {
            problem: Problem::Unreadable,
            url: run.root.as_str().to_owned(),
            text: match is_stopped {
                true => format!("{left} files were not read in time"),
                false => format!(
                    "the source stopped answering: {failures_in_a_row} files in a row failed; \
                     {left} more were not tried"
                ),
            },
        });
    }
    report.read_seconds = started.elapsed().as_secs_f64();
    report.requests = reader.requests() - before;
    report.index_bytes += reader.range_bytes() - bytes_before;
    // Files finish in any order; the report reads the same each time.
    report.diagnostics.sort_by(|a, b| (&a.url, a.problem).cmp(&(&b.url, b.problem)));

    report.unknown_arrays = placement.extra.len() as u64;
    let store = placement.finish();
    report.references = store.group.virtual_count();
    Ok((store, report))
}

/// What one file contributes: by its index or, where that is missing or wrong, by its headers.
async fn read(
    parser: &dyn Parser,
    run: &Run,
    source: &SourceFile,
    reader: &SourceReader,
    options: &BuildOptions,
) -> Result<FileReferences> {
    if options.headers == Headers::Always {
        return parser.scanned_references(run, source, reader).await;
    }
    let indexed = parser.references(run, source, reader).await;
    if options.headers == Headers::Never {
        return indexed;
    }
    let (found, reason) = match &indexed {
        Ok(file) => {
            let cut =
                |it: &&Diagnostic| matches!(it.problem, Problem::Truncated | Problem::PastEnd);
            match file.diagnostics.iter().find(cut) {
                Some(diagnostic) => (file.references.len(), diagnostic.text.clone()),
                None => return indexed,
            }
        }
        Err(error) => match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::Mismatch { .. }
            | ErrorKind::Malformed { .. }
            | ErrorKind::Truncated { .. } => (0, diagnose(source, error).text),
            _ => return indexed,
        },
    };
    // Where the headers tell no more than an index that is there, what was wrong with that says it
    // best; where there is none to use, what the headers lack does.
    match parser.scanned_references(run, source, reader).await {
        Ok(mut file) if file.references.len() > found || indexed.is_err() => {
            file.diagnostics.push(Diagnostic {
                problem: Problem::Scanned,
                url: source.index.as_str().to_owned(),
                text: format!("{reason}; the headers of its file were read instead"),
            });
            Ok(file)
        }
        _ => indexed,
    }
}

/// The manifest of the run or file that `url` stands for, with the default options:
/// VirtualiZarr's `parser(url, registry)`.
///
/// # Errors
/// As [`build_manifest`], and when the url is not of the model's layout.
pub async fn parse(
    parser: &dyn Parser,
    url: &Url,
    reader: &mut SourceReader,
) -> Result<(ManifestStore, Report)> {
    let request: RunRequest = parser.request_of_url(url)?;
    let run = parser.run(&request)?;
    build_manifest(parser, &run, &BuildOptions::default(), reader, &|_, _| {}).await
}

/// Places the references of files into the arrays' chunk grids.
struct Placement {
    store: ManifestStore,
    layout: Layout,
    steps: u64,
    /// Chunks of each of the model's data arrays for one member and step: its levels.
    levels: Vec<u64>,
    /// Arrays of what the model's table does not know: positions behind the model's.
    extra: BTreeMap<String, usize>,
}

impl Placement {
    fn new(run: &Run, group: ManifestGroup, layout: Layout) -> Self {
        let steps = run.steps.len() as u64;
        let members = run.members.as_ref().map_or(1, |members| members.len() as u64);
        let levels = group
            .data
            .iter()
            .map(|(_, array)| array.chunks.len() / (steps * members).max(1))
            .collect();
        let store = ManifestStore { group, sources: SourceTable::default() };
        Self { store, layout, steps, levels, extra: BTreeMap::new() }
    }

    /// The store, its arrays in an order that does not depend on which file came first.
    fn finish(self) -> ManifestStore {
        let mut store = self.store;
        if let Some(extra) = store.group.data.get_mut(self.levels.len()..) {
            extra.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        store
    }

    /// Places a message that the model's table does not know; whether its place was empty, or
    /// none where there are too many arrays.
    fn add_unknown(&mut self, message: &UnknownMessage, source: SourceId) -> Result<Option<bool>> {
        let name = &message.variable.name;
        let index = match self.extra.get(name) {
            Some(&index) => index,
            None => {
                let Some((_, pattern)) = self.store.group.data.first() else { return Ok(None) };
                if self.extra.len() >= UNKNOWN_LIMIT {
                    return Ok(None);
                }
                let array = array_like(pattern, &message.variable, self.layout)?;
                let index = self.store.group.data.len();
                self.store.group.data.push((name.clone(), array));
                self.extra.insert(name.clone(), index);
                index
            }
        };
        let Some((_, array)) = self.store.group.data.get_mut(index) else { return Ok(None) };
        let position = u64::from(message.member) * self.steps + u64::from(message.step);
        let entry = ChunkEntry { source, offset: message.offset, length: message.length };
        array.chunks.set_virtual(position, entry).map(Some)
    }

    fn add(
        &mut self,
        source: &SourceFile,
        file: FileReferences,
        report: &mut Report,
    ) -> Result<()> {
        report.lines += file.lines;
        report.index_bytes += file.bytes;
        report.parse_seconds += file.parse_seconds;
        report.diagnostics.extend(file.diagnostics);
        if file.references.is_empty() && file.unknown.is_empty() {
            return Ok(());
        }
        report.files_used += 1;
        report.references_expected += u64::from(file.optional);
        let id = self.store.sources.intern(SourceObject {
            url: source.data.as_str().to_owned(),
            // A store that does not say when an object was modified says 1970.
            last_modified: file.last_modified.filter(|&seconds| seconds > 0),
            etag: file.etag,
        })?;
        for reference in file.references {
            let variable = reference.variable as usize;
            let array = self.store.group.data.get_mut(variable).map(|(_, array)| array);
            let (Some(array), Some(&levels)) = (array, self.levels.get(variable)) else {
                return Err(Error::mismatch(
                    "variable of a reference",
                    format!("less than {}", self.levels.len()),
                    variable.to_string(),
                ));
            };
            let position = u64::from(reference.member) * self.steps + u64::from(reference.step);
            let index = position * levels + u64::from(reference.level);
            let entry =
                ChunkEntry { source: id, offset: reference.offset, length: reference.length };
            array.chunks.set_virtual(index, entry)?;
        }
        let mut left_out = Names::default();
        for message in &file.unknown {
            match self.add_unknown(message, id)? {
                Some(is_new) => report.references_expected += u64::from(is_new),
                None => left_out.add(|| message.variable.name.clone()),
            }
        }
        if left_out.count() > 0 {
            let text = format!(
                "{} messages would need more than {UNKNOWN_LIMIT} arrays and are left out: {left_out}",
                left_out.count()
            );
            let url = source.data.as_str().to_owned();
            report.diagnostics.push(Diagnostic { problem: Problem::UnknownMessage, url, text });
        }
        Ok(())
    }
}

/// What a file that could not be used is in the report.
fn diagnose(source: &SourceFile, error: &Error) -> Diagnostic {
    let problem = match error.kind() {
        ErrorKind::NotFound => Problem::MissingFile,
        ErrorKind::Mismatch { .. } | ErrorKind::Malformed { .. } => Problem::WrongIndex,
        ErrorKind::Truncated { .. } => Problem::PastEnd,
        _ => Problem::Unreadable,
    };
    let url = error.url().unwrap_or(source.index.as_str()).to_owned();
    // The place is in `url` already; what the store said about it is not.
    let text = match std::error::Error::source(error) {
        Some(cause) => format!("{}: {cause}", error.kind()),
        None => error.kind().to_string(),
    };
    Diagnostic { problem, url, text }
}

fn nothing_found(run: &Run, report: &Report) -> Error {
    Error::new(ErrorKind::NotFound)
        .with_source(NothingFound { run: run.clone(), report: report.clone() })
        .in_url(run.root.as_str())
}
