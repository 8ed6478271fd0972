//! What an index contributes.

use std::num::NonZeroU32;
use std::time::Instant;

use gik_codec::scan::{ScannedField, scanned_file};
use gik_core::{
    Diagnostic, FileReferences, IndexedFile, Names, Problem, Reference, Result, Run, SourceFile,
    SourceReader, VariableTable,
};
use gik_index::noaa::{Entry, Expectations, Index, MessageRange, parse};

use crate::config::ProductConfig;
use crate::files::is_expected;
use crate::period;
use crate::schema;

/// The references that `file` contributes to the run.
pub(crate) fn references(
    run: &Run,
    source: &SourceFile,
    file: &IndexedFile,
) -> Result<FileReferences> {
    let started = Instant::now();
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let url = source.index.as_str();
    file.check_age(source)?;

    let index = parse(&file.index);
    let mut diagnostics = index.problems(&expectations(run, &product, source, file), url)?;
    let mut report = |problem, text: String| {
        diagnostics.push(Diagnostic { problem, url: url.to_owned(), text });
    };

    let mut collector = Collector::new(run, source, product, table);
    collector.collect(&index, file.data.size, &mut report);
    let missing = collector.missing();
    if missing.count() > 0 {
        report(
            Problem::MissingMessage,
            format!("{} of {} messages are missing: {missing}", missing.count(), source.expected),
        );
    }
    Ok(FileReferences {
        references: collector.references,
        unknown: Vec::new(),
        optional: collector.optional,
        last_modified: Some(file.data.last_modified),
        etag: file.data.etag.clone(),
        lines: index.entries.len() as u64,
        bytes: file.index_bytes(),
        parse_seconds: started.elapsed().as_secs_f64(),
        diagnostics,
    })
}

/// The references that the headers of a file contribute to the run.
pub(crate) async fn scanned_references(
    run: &Run,
    source: &SourceFile,
    reader: &SourceReader,
) -> Result<FileReferences> {
    let product = ProductConfig::of_run(run)?;
    let table = (product.table)()?;
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    let abbreviation = |field: &ScannedField| {
        let (level, statistic) = (field.level?, field.window?.statistic());
        let (param, at) = (field.parameter.code(), (run.reference_time, step));
        Some(table.row_of_parameter(product.key, &param, level, statistic, at)?.abbreviation)
    };
    let grid = schema::grid(run)?;
    let scanned = scanned_file(reader, source, &grid, |scan| scan.to_wgrib2(abbreviation)).await?;
    let mut found = references(run, &scanned.source, &scanned.index)?;
    scanned.report_strays(&mut found);
    if table.is_whole(run) {
        let is_known = |field: &ScannedField| {
            let key = abbreviation(field).zip(field.level).zip(field.window);
            key.is_some_and(|((abbreviation, level), window)| {
                let rows = table.rows_at(product.key, abbreviation, level, window.statistic());
                let mut rows = rows.iter().filter_map(|&row| table.rows().get(row));
                // An empty window is of any period.
                let is_empty = window.end_seconds() == 0;
                field.qualifiers.is_empty()
                    && rows.any(|row| is_empty || period::fits(row, &window, step))
            })
        };
        scanned.keep_unknown(run, &mut found, is_known);
    }
    Ok(found)
}

fn expectations(
    run: &Run,
    product: &ProductConfig,
    source: &SourceFile,
    file: &IndexedFile,
) -> Expectations {
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    // A file of an hour holds its four quarters, whichever of them are wanted.
    let hour = i64::from(product.hour_of(step)) * 3600;
    let first = if product.is_subhourly() && hour > 0 { hour - 2700 } else { hour };
    Expectations {
        reference_time: Some(run.reference_time),
        member: None,
        lead_seconds: Some(hour),
        first_lead_seconds: Some(first),
        object_size: Some(file.data.size),
    }
}

/// Finds the places of each entry.
struct Collector<'r> {
    product: ProductConfig,
    table: &'static VariableTable,
    run: &'r Run,
    /// The steps of the file that are wanted, with their positions in the run.
    steps: Vec<(u32, u32)>,
    /// Of each variable of the table, its position in the run, if it is wanted.
    wanted: Vec<Option<u32>>,
    /// Of each step, of each row of the table, whether it was found.
    found: Vec<bool>,
    references: Vec<Reference>,
    /// How many of the references need not be there.
    optional: u32,
}

/// A message with its place in the file.
type Message<'e> = (&'e Entry<'e>, MessageRange);

impl<'r> Collector<'r> {
    fn new(
        run: &'r Run,
        source: &SourceFile,
        product: ProductConfig,
        table: &'static VariableTable,
    ) -> Self {
        let hour = run.steps.get(source.step as usize).map(|&step| product.hour_of(step));
        let steps: Vec<(u32, u32)> = (0..)
            .zip(&run.steps)
            .filter(|(_, step)| Some(product.hour_of(**step)) == hour)
            .map(|(position, &step)| (step, position))
            .collect();
        let found = vec![false; steps.len() * table.rows().len()];
        let wanted = table.positions(run);
        let references = Vec::with_capacity(source.expected as usize);
        Self { product, table, run, steps, wanted, found, references, optional: 0 }
    }

    fn collect(&mut self, index: &Index<'_>, size: u64, report: &mut impl FnMut(Problem, String)) {
        let mut unknown = Names::default();
        let mut lengthless = Names::default();
        let ranges = index.ranges(Some(size));
        let messages: Vec<Message<'_>> = index.entries.iter().zip(ranges).collect();
        for message in &messages {
            match self.rows(message.0) {
                None => {}
                Some(rows) if rows.is_empty() => unknown.add(|| describe(message.0)),
                Some(_) if message_length(&message.1).is_none() => {
                    lengthless.add(|| format!("{} (line {})", describe(message.0), message.0.line));
                }
                // A message is the first row's that lacks one: where an index lists those of
                // two periods that are one at hour 1, each gets its own.
                Some(rows) => {
                    let lacks = |row: &&usize| !self.has(message.0, **row);
                    if let Some(&row) = rows.iter().find(lacks) {
                        self.place(message, row);
                    }
                }
            }
        }
        // Where it lists one of them only, that is the message of both.
        for message in &messages {
            for row in self.rows(message.0).unwrap_or_default() {
                if !self.has(message.0, row) {
                    self.place(message, row);
                }
            }
        }
        for (problem, what, names) in [
            (Problem::UnknownMessage, "messages are not in the variable table", unknown),
            (Problem::BadLine, "messages have no known length and are left out", lengthless),
        ] {
            if names.count() > 0 {
                report(problem, format!("{} {what}: {names}", names.count()));
            }
        }
    }

    /// The step that an entry is about.
    fn step(&self, entry: &Entry<'_>) -> Option<u32> {
        let seconds = i64::from(self.product.step_minutes()) * 60;
        let end = entry.window.value?.end_seconds();
        u32::try_from(end / seconds).ok().filter(|_| end % seconds == 0)
    }

    /// The position in [`steps`](Self::steps) of the step that an entry is about, if it is wanted.
    fn slot(&self, entry: &Entry<'_>) -> Option<usize> {
        let step = self.step(entry)?;
        self.steps.iter().position(|&(wanted, _)| wanted == step)
    }

    /// The rows that an entry may be a message of; none when it is not understood.
    fn rows(&self, entry: &Entry<'_>) -> Option<Vec<usize>> {
        let (level, window) = (entry.level.value?, entry.window.value?);
        let step = self.step(entry)?;
        if !entry.qualifiers_text().is_empty() {
            // A probability or a member of the same variable is another field.
            return Some(Vec::new());
        }
        let rows =
            self.table.rows_at(self.product.key, entry.variable.text, level, window.statistic());
        let fits = |row: &&usize| {
            self.table.rows().get(**row).is_some_and(|row| period::fits(row, &window, step))
        };
        Some(rows.iter().filter(fits).copied().collect())
    }

    /// Whether the row has its message of the entry's step, or needs none.
    fn has(&self, entry: &Entry<'_>, row: usize) -> bool {
        let slot = self.slot(entry);
        slot.is_none_or(|slot| self.found.get(self.position(slot, row)) != Some(&false))
    }

    fn position(&self, slot: usize, row: usize) -> usize {
        slot * self.table.rows().len() + row
    }

    fn place(&mut self, (entry, range): &Message<'_>, row: usize) {
        let Some(slot) = self.slot(entry) else { return };
        let position = self.position(slot, row);
        let (Some(&(step, step_position)), Some(place)) =
            (self.steps.get(slot), self.table.place_of_row(row))
        else {
            return;
        };
        if let Some(found) = self.found.get_mut(position) {
            *found = true;
        }
        let variable = self.wanted.get(place.variable as usize).copied().flatten();
        let (Some(variable), Some(length)) = (variable, message_length(range)) else { return };
        let is_sure = self
            .table
            .rows()
            .get(row)
            .is_some_and(|row| is_expected(row, &self.product, self.run.reference_time, step));
        self.optional += u32::from(!is_sure);
        self.references.push(Reference {
            member: 0,
            step: step_position,
            variable,
            level: place.level,
            offset: range.offset,
            length,
        });
    }

    /// The expected messages that were not there.
    fn missing(&self) -> Names {
        let mut missing = Names::default();
        for (slot, &(step, _)) in self.steps.iter().enumerate() {
            for (position, row) in self.table.rows().iter().enumerate() {
                if self.found.get(self.position(slot, position)) == Some(&false)
                    && is_expected(row, &self.product, self.run.reference_time, step)
                    && self.run.variables.iter().any(|name| name == row.name)
                {
                    missing.add(|| match self.steps.len() {
                        1 => format!("{}:{}", row.abbreviation, row.level_text),
                        _ => format!("{}:{} at {step}", row.abbreviation, row.level_text),
                    });
                }
            }
        }
        missing
    }
}

fn message_length(range: &MessageRange) -> Option<NonZeroU32> {
    range.length.and_then(|length| NonZeroU32::try_from(length).ok())
}

fn describe(entry: &Entry<'_>) -> String {
    format!("{}:{}:{}", entry.variable.text, entry.level.text, entry.window.text)
}
