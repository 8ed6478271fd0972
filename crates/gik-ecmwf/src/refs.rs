//! What an index contributes: the references of all members of a step.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Instant;

use gik_core::{
    Diagnostic, Error, FileReferences, IndexedFile, Names, Problem, Reference, Result, Run,
    SourceFile,
};
use gik_index::ecmwf::{Entry, FieldType, Index, parse};
use gik_index::overlapping;

use crate::config::{FileKind, Holds, MEMBERS, ProductConfig};
use crate::vars::{ParameterTable, describe};

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
    let mut collector = Collector::new(run, source, (product.table)(run.reference_time)?, kind);
    for (position, entry) in index.entries.iter().enumerate() {
        collector.add(position, entry, file.data.size);
    }
    collector.settle(&index);
    let mut report = Reporter { url: source.index.as_str(), diagnostics: Vec::new() };
    report.lines(&index);
    collector.report(&index, file.data.size, source, &mut report);
    Ok(FileReferences {
        references: collector.references,
        optional: collector.optional,
        last_modified: Some(file.data.last_modified),
        etag: file.data.etag.clone(),
        lines: index.entries.len() as u64,
        bytes: file.index_bytes(),
        parse_seconds: started.elapsed().as_secs_f64(),
        diagnostics: report.diagnostics,
    })
}

fn step_of(run: &Run, source: &SourceFile) -> u32 {
    run.steps.get(source.step as usize).copied().unwrap_or_default()
}

/// Why a line is not about this product, run and step, if it says so.
fn other_subject(run: &Run, kind: &FileKind, step: u32, entry: &Entry<'_>) -> Option<String> {
    if let Some(time) = entry.reference_time
        && time != run.reference_time
    {
        return Some(format!("run of {time}"));
    }
    if let Some(steps) = entry.steps.filter(|steps| steps.end != step) {
        return Some(format!("step {steps}"));
    }
    if let Some(stream) = entry.stream.as_deref()
        && long_stream(stream) != long_stream(kind.stream(run.reference_time))
    {
        return Some(format!("stream {stream}"));
    }
    // `od` is operational, `ai` the data-driven models; trials had other classes.
    let other_class = if run.product.starts_with("aifs") { "od" } else { "ai" };
    if entry.class.as_deref() == Some(other_class) {
        return Some(format!("class {other_class}"));
    }
    entry
        .model
        .as_deref()
        .filter(|model| is_other_model(run.product, model))
        .map(|model| format!("model {model}"))
}

/// Runs of 06 and 18z had streams of their own, for the same fields.
fn long_stream(stream: &str) -> &str {
    match stream {
        "scda" => "oper",
        "scwv" => "wave",
        other => other,
    }
}

/// Whether a line names the model of another product: `aifs-ens` in a file of `aifs-single`.
fn is_other_model(product: &str, model: &str) -> bool {
    let aifs = |name: &str| name.starts_with("aifs");
    if aifs(product) { aifs(model) && model != product } else { aifs(model) }
}

/// Refuses an index most of whose lines are about another run or step: it lies beside the
/// wrong file. Single such lines are damage, and cost only themselves.
fn check_subject(run: &Run, source: &SourceFile, kind: &FileKind, index: &Index<'_>) -> Result<()> {
    let step = step_of(run, source);
    let others =
        index.entries.iter().filter(|it| other_subject(run, kind, step, it).is_some()).count();
    if others * 2 <= index.entries.len() {
        return Ok(());
    }
    let first = index.entries.iter().find_map(|it| {
        other_subject(run, kind, step, it).map(|subject| format!("line {}: {subject}", it.line))
    });
    Err(Error::mismatch(
        "subject of the index",
        format!("{} {}, step {step}", run.product, run.reference_time),
        format!("{} on {others} of {} lines", first.unwrap_or_default(), index.entries.len()),
    )
    .in_url(source.index.as_str()))
}

/// Gathers what is wrong with one index.
struct Reporter<'r> {
    url: &'r str,
    diagnostics: Vec<Diagnostic>,
}

impl Reporter<'_> {
    fn add(&mut self, problem: Problem, text: String) {
        self.diagnostics.push(Diagnostic { problem, url: self.url.to_owned(), text });
    }

    /// `3 messages …: a, b, c`, unless there is none.
    fn add_named(&mut self, problem: Problem, what: &str, names: &Names) {
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

/// A message that is wanted and has its place.
struct Accepted {
    reference: Reference,
    /// Its number among the entries of the index.
    entry: usize,
    /// Its number among the claims.
    claim: usize,
    /// Its place among those of all wanted members.
    slot: usize,
    /// Whether it should be there.
    is_expected: bool,
}

/// Finds the place of each entry.
struct Collector<'r> {
    table: &'static ParameterTable,
    kind: &'static FileKind,
    run: &'r Run,
    step: u32,
    /// Position of the step in the run.
    position: u32,
    /// Of each variable of the table, its position in the run, if it is wanted.
    wanted: Vec<Option<u32>>,
    /// Of each member's number, its position in the run, if it is wanted and of this file.
    members: Vec<Option<u32>>,
    /// Of each wanted member, of each slot of the table: whether it was found.
    found: Vec<bool>,
    /// Of each slot, whether its message should be there.
    expected: Vec<bool>,
    references: Vec<Reference>,
    /// How many of the references need not be there.
    optional: u32,
    /// The bytes of all messages that the lines tell of, wanted or not.
    claims: Vec<Range<u64>>,
    /// Of the wanted ones: position in `claims`, in the index's entries, and of its place.
    accepted: Vec<Accepted>,
    elsewhere: Names,
    past_end: Names,
    duplicates: Names,
    overlaps: Names,
    contradictory: Names,
    /// What the table does not know, once for all members.
    unknown: BTreeSet<String>,
}

impl<'r> Collector<'r> {
    fn new(
        run: &'r Run,
        source: &SourceFile,
        table: &'static ParameterTable,
        kind: &'static FileKind,
    ) -> Self {
        let wanted = table.table.positions(run);
        let members: Vec<Option<u32>> = match &run.members {
            None => vec![Some(0)],
            Some(wanted) => (0..MEMBERS)
                .map(|number| {
                    let position = wanted.iter().position(|&member| member == number)?;
                    u32::try_from(position).ok().filter(|_| kind.holds.has(number))
                })
                .collect(),
        };
        let mut expected = vec![false; table.slot_count()];
        for row in table.expected(run, step_of(run, source)) {
            if let Some(expected) = expected.get_mut(table.slot(row)) {
                *expected = true;
            }
        }
        let places = run.members.as_ref().map_or(1, Vec::len) * table.slot_count();
        Self {
            table,
            kind,
            run,
            step: step_of(run, source),
            position: source.step,
            wanted,
            members,
            found: vec![false; places],
            expected,
            optional: 0,
            claims: Vec::with_capacity(source.expected as usize),
            accepted: Vec::with_capacity(source.expected as usize),
            overlaps: Names::default(),
            references: Vec::with_capacity(source.expected as usize),
            elsewhere: Names::default(),
            past_end: Names::default(),
            duplicates: Names::default(),
            contradictory: Names::default(),
            unknown: BTreeSet::new(),
        }
    }

    fn add(&mut self, position: usize, entry: &Entry<'_>, size: u64) {
        if let Some(subject) = other_subject(self.run, self.kind, self.step, entry) {
            self.elsewhere.add(|| format!("line {} ({subject})", entry.line));
            return;
        }
        let number = member(entry);
        if number.is_none() && is_member(entry) {
            self.contradictory.add(|| format!("line {}", entry.line));
            return;
        }
        // Neither can overflow: the parser has added them up.
        let claim = entry.offset..entry.offset + entry.length;
        let is_past_end = claim.end > size;
        let known = number.filter(|&number| number < MEMBERS).zip(self.table.place(entry));
        let Some((number, place)) = known else {
            self.unknown.insert(named(entry));
            self.claims.extend((!is_past_end).then_some(claim));
            return;
        };
        let called =
            || format!("{} (line {})", called(self.kind, &named(entry), number), entry.line);
        let member = self.members.get(number as usize).copied().flatten();
        let variable = self.wanted.get(place.variable as usize).copied().flatten();
        let (Some(member), Some(variable)) = (member, variable) else {
            self.claims.extend((!is_past_end).then_some(claim));
            return;
        };
        if is_past_end {
            self.past_end.add(called);
            return;
        }
        let Some(length) = length(entry) else {
            self.contradictory.add(called);
            return;
        };
        let slot = self.slot(member, place.row);
        let Some(found) = self.found.get_mut(slot) else { return };
        if std::mem::replace(found, true) {
            self.duplicates.add(called);
            return;
        }
        self.accepted.push(Accepted {
            reference: Reference {
                member,
                step: self.position,
                variable,
                level: place.level,
                offset: entry.offset,
                length,
            },
            entry: position,
            claim: self.claims.len(),
            slot,
            is_expected: self.expected.get(self.table.slot(place.row)) == Some(&true),
        });
        self.claims.push(claim);
    }

    /// Leaves out what overlaps, and takes the rest.
    fn settle(&mut self, index: &Index<'_>) {
        let mut doubtful = overlapping(&self.claims).into_iter().peekable();
        // Both are in the order of the claims.
        for accepted in std::mem::take(&mut self.accepted) {
            while doubtful.next_if(|&claim| claim < accepted.claim).is_some() {}
            if doubtful.next_if_eq(&accepted.claim).is_none() {
                self.optional += u32::from(!accepted.is_expected);
                self.references.push(accepted.reference);
                continue;
            }
            if let Some(found) = self.found.get_mut(accepted.slot) {
                *found = false;
            }
            let Some(entry) = index.entries.get(accepted.entry) else { continue };
            let number = member(entry).unwrap_or_default();
            self.overlaps.add(|| {
                format!("{} (line {})", called(self.kind, &named(entry), number), entry.line)
            });
        }
    }

    fn slot(&self, member: u32, row: usize) -> usize {
        member as usize * self.table.slot_count() + self.table.slot(row)
    }

    /// The expected messages that were not there.
    fn missing(&self) -> Names {
        let mut missing = Names::default();
        let rows = self.table.expected(self.run, self.step);
        for (number, &position) in (0..).zip(&self.members) {
            let Some(position) = position else { continue };
            for &row in &rows {
                if self.found.get(self.slot(position, row)) == Some(&false)
                    && let Some(row) = self.table.table.rows().get(row)
                {
                    missing.add(|| called(self.kind, &describe(row), number));
                }
            }
        }
        missing
    }

    fn report(&self, index: &Index<'_>, size: u64, source: &SourceFile, report: &mut Reporter<'_>) {
        let what = "lines are about another run or step and left out";
        report.add_named(Problem::DamagedLine, what, &self.elsewhere);
        let what = "lines contradict themselves and are left out";
        report.add_named(Problem::DamagedLine, what, &self.contradictory);
        let what = "messages claim bytes that others claim too and are left out";
        report.add_named(Problem::Overlap, what, &self.overlaps);
        let what = "messages are listed more than once, of which the first counts";
        report.add_named(Problem::DuplicateMessage, what, &self.duplicates);
        let what = format!(
            "messages end after the {size} bytes of the file and are left out; the file is cut, or \
             its index is about another one"
        );
        report.add_named(Problem::PastEnd, &what, &self.past_end);
        let missing = self.missing();
        if missing.count() > 0 {
            let uncovered = if index.end() < size {
                format!("; the index tells of {} of the file's {size} bytes", index.end())
            } else {
                String::new()
            };
            let text = format!(
                "{} of {} messages are missing: {missing}{uncovered}",
                missing.count(),
                source.expected
            );
            report.add(Problem::MissingMessage, text);
        }
        let unknown: Names = self.unknown.iter().cloned().collect();
        report.add_named(
            Problem::UnknownMessage,
            "messages are not in the variable table",
            &unknown,
        );
    }
}

/// `2t of member 3`, where a file holds several.
fn called(kind: &FileKind, name: &str, number: u32) -> String {
    match kind.holds {
        Holds::Single | Holds::Control => name.to_owned(),
        Holds::All | Holds::Perturbed => format!("{name} of member {number}"),
    }
}

/// Whether the entry is a field of a member at all, and not a mean or a probability.
fn is_member(entry: &Entry<'_>) -> bool {
    !entry.is_special && entry.field_type != Some(FieldType::Other)
}

/// The number of the member that an entry is about, if it says so without contradiction.
fn member(entry: &Entry<'_>) -> Option<u32> {
    if !is_member(entry) {
        return None;
    }
    match (entry.field_type, entry.number) {
        (Some(FieldType::Perturbed) | None, Some(number)) if number > 0 => Some(number),
        (Some(FieldType::Control | FieldType::Forecast) | None, None | Some(0)) => Some(0),
        _ => None,
    }
}

fn length(entry: &Entry<'_>) -> Option<NonZeroU32> {
    u32::try_from(entry.length).ok().and_then(NonZeroU32::new)
}

/// `2t`, `t at pl 500`, `tpg1 (probability, …)`.
fn named(entry: &Entry<'_>) -> String {
    let level_type = entry.level_type.map_or("no levtype", |it| it.mars());
    match entry.level {
        Some(level) => format!("{} at {level_type} {level}", entry.param),
        None => format!("{} at {level_type}", entry.param),
    }
}
