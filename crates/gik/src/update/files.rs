//! The files of a run that is followed: which are in the store, and which have appeared.

use std::collections::HashMap;

use futures::StreamExt;
use gik_core::{
    Diagnostic, Error, ErrorKind, ObjectInfo, Problem, Report, Result, SourceFile, SourceReader,
};

use super::Present;

/// Files asked for at once on servers that cannot list their folders, and how many in a row may be
/// missing before the rest of them is taken to be, too.
pub(super) const PROBED: usize = 64;

/// What a source says about data and index of a file.
pub(super) type Seen = (ObjectInfo, ObjectInfo);

/// One file of the run.
pub(super) struct File {
    pub(super) source: SourceFile,
    /// References of it in the store, of those that are wanted.
    pub(super) references: u64,
    /// What the source said about it when it was read last.
    read: Option<Seen>,
    /// What was wrong with it then, or with the last look at it.
    diagnostics: Vec<Diagnostic>,
    /// Whether it may have more than it gave, or something else.
    is_doubtful: bool,
}

impl File {
    /// Whether all that it should have is in the store.
    fn is_in(&self) -> bool {
        self.references >= u64::from(self.source.expected)
            && !self.is_doubtful
            && (self.references > 0 || self.read.is_some())
    }
}

/// The files of a run, as they are published: step by step.
pub(super) struct Files(Vec<File>);

impl Files {
    /// Those of a run, of which the store has this.
    pub(super) fn new(sources: Vec<SourceFile>, present: &Present) -> Self {
        let mut files: Vec<File> = sources
            .into_iter()
            .map(|source| {
                let data = source.data.as_str();
                let references = present.references.get(data).copied().unwrap_or_default();
                let is_doubtful = present.damaged.contains(data)
                    || present.damaged.contains(source.index.as_str());
                File { source, references, read: None, diagnostics: Vec::new(), is_doubtful }
            })
            .collect();
        files.sort_by_key(|file| (file.source.step, file.source.member, file.source.part));
        Self(files)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// References in the store.
    pub(super) fn references(&self) -> u64 {
        self.0.iter().map(|file| file.references).sum()
    }

    /// How many are in the store with all that they should have.
    pub(super) fn done(&self) -> usize {
        self.0.iter().filter(|file| file.is_in()).count()
    }

    /// The sources at these positions.
    pub(super) fn sources(&self, due: &[(usize, Seen)]) -> Vec<SourceFile> {
        due.iter().filter_map(|(at, _)| Some(self.0.get(*at)?.source.clone())).collect()
    }

    /// Those that are to be read: they are there, are not all in, and are not what was read
    /// before. On a server that cannot list its folders, what comes after many missing files is
    /// not asked for, unless `all` are.
    ///
    /// # Errors
    /// When a folder is in no registered store.
    pub(super) async fn due(
        &mut self,
        reader: &mut SourceReader,
        no_index: bool,
        all: bool,
    ) -> Result<Vec<(usize, Seen)>> {
        let pending: Vec<(usize, SourceFile)> = (0..)
            .zip(&self.0)
            .filter(|(_, file)| !file.is_in())
            .map(|(at, file)| (at, file.source.clone()))
            .collect();
        let mut folders: Vec<&url::Url> = pending.iter().map(|(_, file)| &file.folder).collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            reader.list(folder).await?;
        }
        let reader = &*reader;
        let mut looks = futures::stream::iter(pending)
            .map(|(at, source)| async move {
                let outcome = look(reader, &source, no_index).await;
                (at, reader.is_listed(&source.folder), outcome)
            })
            .buffered(PROBED);
        let mut due = Vec::new();
        let mut missing_in_a_row = 0;
        while let Some((at, is_listed, outcome)) = looks.next().await {
            let Some(file) = self.0.get_mut(at) else { continue };
            match outcome {
                Ok(seen) => {
                    missing_in_a_row = 0;
                    if file.read.as_ref() != Some(&seen) {
                        due.push((at, seen));
                    }
                }
                Err(error) => {
                    missing_in_a_row += 1;
                    file.diagnostics = unanswered(&file.source, &error).into_iter().collect();
                }
            }
            if !is_listed && !all && missing_in_a_row >= PROBED {
                break;
            }
        }
        Ok(due)
    }

    /// Takes note of what reading these files came to; `counts` are the references of each url
    /// that are in the store now.
    pub(super) fn took(
        &mut self,
        due: Vec<(usize, Seen)>,
        report: &Report,
        counts: &HashMap<&str, u64>,
    ) {
        for (at, seen) in due {
            let Some(file) = self.0.get_mut(at) else { continue };
            let (data, index) = (file.source.data.as_str(), file.source.index.as_str());
            file.references = counts.get(data).copied().unwrap_or_default();
            file.diagnostics = report
                .diagnostics
                .iter()
                .filter(|it| it.url == index || it.url == data)
                .cloned()
                .collect();
            file.is_doubtful = file.diagnostics.iter().any(|it| it.problem.is_loss());
            // What was not its fault, or was given up before its turn, is read again at the next
            // look.
            let is_excused = file.diagnostics.iter().any(|it| it.problem == Problem::Unreadable);
            let was_tried =
                file.references > 0 || file.source.expected == 0 || !file.diagnostics.is_empty();
            file.read = (was_tried && !is_excused).then_some(seen);
        }
    }

    /// What of the run is in the store now, and why the rest is not.
    pub(super) fn report(&self, reader: &SourceReader) -> Report {
        let mut report = Report {
            files_expected: self.0.len() as u64,
            files_used: self.0.iter().filter(|file| file.references > 0).count() as u64,
            references: self.references(),
            requests: reader.requests(),
            ..Report::default()
        };
        for file in &self.0 {
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
}

/// What the source says about a file; the index first, for one that is missing needs no second
/// question.
async fn look(reader: &SourceReader, source: &SourceFile, no_index: bool) -> Result<Seen> {
    let SourceFile { folder, data, index, .. } = source;
    let index = if no_index { data } else { index };
    let index = reader.stat(folder, index).await?;
    Ok((reader.stat(folder, data).await?, index))
}

/// A source that does not answer is not a file that is not there.
fn unanswered(source: &SourceFile, error: &Error) -> Option<Diagnostic> {
    let is_failure = matches!(error.kind(), ErrorKind::Io { .. });
    let cause = std::error::Error::source(error).map(|it| format!(": {it}")).unwrap_or_default();
    is_failure.then(|| Diagnostic {
        problem: Problem::Unreadable,
        url: source.index.as_str().to_owned(),
        text: format!("{}{cause}", error.kind()),
    })
}
