//! What an index contributes: the references of all members of a step.

use std::time::Instant;

use gik_core::{
    Diagnostic, Error, FileReferences, IndexedFile, LatLonGrid, Names, Problem, Result, Run,
    SourceFile,
};
use gik_index::ecmwf::{Index, parse};

use crate::collect::{Collector, Wanted};
use crate::config::ProductConfig;
use crate::subject::check_subject;

/// The references that `file` contributes to the run.
pub(crate) fn references(
    run: &Run,
    source: &SourceFile,
    file: &IndexedFile,
) -> Result<FileReferences> {
    let started = Instant::now();
    let product = ProductConfig::of_run(run)?;
    let kind = product.file(source.part).ok_or_else(|| {
        Error::mismatch("part of the product", "one of its files", source.part.to_string())
    })?;
    file.check_age(source)?;

    let index = parse(&file.index);
    check_subject(run, source, kind, &index)?;
    let wanted = Wanted {
        run,
        table: (product.table)(run.reference_time)?,
        kind,
        size: file.data.size,
        longest: longest_message(product.era(run.reference_time)?.grid),
    };
    let mut collector = Collector::new(wanted, source, &index);
    for (position, entry) in index.entries.iter().enumerate() {
        collector.add(position, entry);
    }
    let gaps = collector.settle(&index);
    let mut report = Reporter { url: source.index.as_str(), diagnostics: Vec::new() };
    report.lines(&index);
    collector.report(&gaps, source, &mut report);
    Ok(FileReferences {
        references: collector.references,
        unknown: Vec::new(),
        optional: collector.optional,
        last_modified: Some(file.data.last_modified),
        etag: file.data.etag.clone(),
        lines: index.entries.len() as u64,
        bytes: file.index_bytes(),
        parse_seconds: started.elapsed().as_secs_f64(),
        diagnostics: report.diagnostics,
    })
}

/// The longest message of a field on this grid: eight bytes a value, which is more than any
/// packing takes, a bit a value to say which are missing, and all other sections. A longer one
/// is damage, and whoever reads it would have to hold it.
fn longest_message(grid: LatLonGrid) -> u64 {
    let points = u64::from(grid.columns) * u64::from(grid.rows);
    points * 8 + points.div_ceil(8) + 65_536
}

/// Gathers what is wrong with one index.
pub(crate) struct Reporter<'r> {
    url: &'r str,
    diagnostics: Vec<Diagnostic>,
}

impl Reporter<'_> {
    pub(crate) fn add(&mut self, problem: Problem, text: String) {
        self.diagnostics.push(Diagnostic { problem, url: self.url.to_owned(), text });
    }

    /// `3 messages …: a, b, c`, unless there is none.
    pub(crate) fn add_named(&mut self, problem: Problem, what: &str, names: &Names) {
        if names.count() > 0 {
            self.add(problem, format!("{} {what}: {names}", names.count()));
        }
    }

    fn lines(&mut self, index: &Index<'_>) {
        for diagnostic in &index.diagnostics {
            self.add(diagnostic.problem.kind(), diagnostic.to_string());
        }
        if index.diagnostics_left_off > 0 {
            let text = format!("{} more lines cannot be used", index.diagnostics_left_off);
            self.add(Problem::DamagedLine, text);
        }
        if index.entries.is_empty() && index.diagnostics.is_empty() {
            self.add(Problem::Truncated, "the index is empty".to_owned());
        }
    }
}
