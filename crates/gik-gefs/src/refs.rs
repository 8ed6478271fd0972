//! What an index contributes.

use std::num::NonZeroU32;
use std::time::Instant;

use gik_codec::scan::{ScannedField, scanned_file};
use gik_core::{
    Diagnostic, Error, FileReferences, IndexedFile, Names, Problem, Reference, Result, Run,
    SourceFile, SourceReader, VariableTable, Window,
};
use gik_index::noaa::{
    Entry, Expectations, Index, Member, MemberSpec, MessageRange, Qualifier, parse,
};

use crate::bucket;
use crate::config::{FileKind, ProductConfig};
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
    let kind = product.files.get(usize::from(source.part)).ok_or_else(|| {
        Error::mismatch("part of the product", "one of its files", source.part.to_string())
    })?;
    let url = source.index.as_str();
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    // NCEP has repacked files without writing their indexes anew, a day later.
    file.check_age(source)?;

    let index = parse(&file.index);
    let mut diagnostics = index.problems(&expectations(run, source, file, step), url)?;
    let mut report = |problem, text: String| {
        diagnostics.push(Diagnostic { problem, url: url.to_owned(), text });
    };

    let mut collector = Collector::new(run, source, table, kind, step);
    collector.collect(&index, file.data.size, &mut report);
    let missing = collector.missing();
    if missing.count() > 0 {
        report(
            Problem::MissingMessage,
            format!("{} of {} messages are missing: {missing}", missing.count(), source.expected),
        );
    }
    let references = collector.references;
    Ok(FileReferences {
        references,
        unknown: Vec::new(),
        optional: 0,
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
    let kind = product.files.get(usize::from(source.part)).map_or("", |kind| kind.key);
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    let abbreviation = |field: &ScannedField| {
        let (level, statistic) = (field.level?, field.window?.statistic());
        let (param, at) = (field.parameter.code(), (run.reference_time, step));
        Some(table.row_of_parameter(kind, &param, level, statistic, at)?.abbreviation)
    };
    let grid = schema::grid(run)?;
    let scanned = scanned_file(reader, source, &grid, |scan| scan.to_wgrib2(abbreviation)).await?;
    let mut found = references(run, &scanned.source, &scanned.index)?;
    scanned.report_strays(&mut found);
    if table.is_whole(run) {
        scanned.keep_unknown(run, &mut found, |field| abbreviation(field).is_some());
    }
    Ok(found)
}

fn expectations(run: &Run, source: &SourceFile, file: &IndexedFile, step: u32) -> Expectations {
    let number = run.members.as_ref().and_then(|members| members.get(source.member? as usize));
    let member = match number.copied().unwrap_or_default() {
        0 => Member::LowResolutionControl,
        number => Member::Positive(number),
    };
    Expectations {
        reference_time: Some(run.reference_time),
        member: Some(MemberSpec::Member(member)),
        lead_seconds: Some(i64::from(step) * run.step_unit.seconds()),
        first_lead_seconds: None,
        object_size: Some(file.data.size),
    }
}

/// Finds the place of each entry.
struct Collector<'r> {
    table: &'static VariableTable,
    /// Of each variable of the table, its position in the run, if it is wanted.
    wanted: Vec<Option<u32>>,
    /// Of each row of the table, whether it was found.
    found: Vec<bool>,
    kind: &'static FileKind,
    step: u32,
    run: &'r Run,
    member: u32,
    /// Position of the step in the run.
    position: u32,
    references: Vec<Reference>,
}

impl<'r> Collector<'r> {
    fn new(
        run: &'r Run,
        source: &SourceFile,
        table: &'static VariableTable,
        kind: &'static FileKind,
        step: u32,
    ) -> Self {
        let wanted = table.positions(run);
        let found = vec![false; table.rows().len()];
        Self {
            table,
            wanted,
            found,
            kind,
            step,
            run,
            member: source.member.unwrap_or_default(),
            position: source.step,
            references: Vec::with_capacity(run.variables.len()),
        }
    }

    fn collect(&mut self, index: &Index<'_>, size: u64, report: &mut impl FnMut(Problem, String)) {
        let mut unknown = Names::default();
        for (entry, range) in index.entries.iter().zip(index.ranges(Some(size))) {
            let (Some(level), Some(window)) = (entry.level.value, entry.window.value) else {
                continue;
            };
            let place =
                self.table.place(self.kind.key, entry.variable.text, level, window.statistic());
            let Some(place) = place.filter(|_| is_plain_member(entry)) else {
                unknown.add(|| describe(entry));
                continue;
            };
            let Some(Some(variable)) = self.wanted.get(place.variable as usize) else { continue };
            if !self.is_own_bucket(&window) {
                report(
                    Problem::BadLine,
                    format!(
                        "line {}: {} is over '{window}', not since the last multiple of 6 hours; \
                         left out",
                        entry.line, entry.variable.text
                    ),
                );
                continue;
            }
            let Some(length) = message_length(&range) else {
                report(
                    Problem::BadLine,
                    format!(
                        "line {}: the length of {} is not known; left out",
                        entry.line,
                        describe(entry)
                    ),
                );
                continue;
            };
            // An index may list a message twice: the first counts.
            if let Some(found) = self.found.get_mut(place.row)
                && !std::mem::replace(found, true)
            {
                self.references.push(Reference {
                    member: self.member,
                    step: self.position,
                    variable: *variable,
                    level: place.level,
                    offset: range.offset,
                    length,
                });
            }
        }
        if unknown.count() > 0 {
            report(
                Problem::UnknownMessage,
                format!("{} messages are not in the variable table: {unknown}", unknown.count()),
            );
        }
    }

    /// Whether an interval starts where the model's statistics start for this step.
    fn is_own_bucket(&self, window: &Window) -> bool {
        let (start, end) = bucket(self.step);
        let seconds = |hours: u32| i64::from(hours) * self.run.step_unit.seconds();
        window.statistic().is_none()
            || (window.start_seconds(), window.end_seconds()) == (seconds(start), seconds(end))
    }

    /// The expected messages that were not there.
    fn missing(&self) -> Names {
        let rows = self.table.rows().iter().zip(&self.found);
        rows.filter(|&(row, &found)| {
            !found
                && row.file == self.kind.key
                && row.is_expected(self.run.reference_time, self.step)
                && self.run.variables.iter().any(|name| name == row.name)
        })
        .map(|(row, _)| format!("{}:{}", row.abbreviation, row.level_text))
        .collect()
    }
}

/// Whether nothing but the member is said of the message: a probability or a percentile of
/// the same variable is another field.
fn is_plain_member(entry: &Entry<'_>) -> bool {
    entry.qualifiers().all(|qualifier| matches!(qualifier, Qualifier::Ensemble(_)))
}

fn message_length(range: &MessageRange) -> Option<NonZeroU32> {
    range.length.and_then(|length| NonZeroU32::try_from(length).ok())
}

fn describe(entry: &Entry<'_>) -> String {
    format!("{}:{}", entry.variable.text, entry.level.text)
}
