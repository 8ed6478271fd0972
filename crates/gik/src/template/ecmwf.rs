//! Which row of a template each line of an index of ECMWF's kind is of.
//!
//! Such an index tells nothing of surfaces and windows, so that a row has the names under which
//! one lists its messages: `param/levtype/levelist`, `t/pl/850`.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::ops::Range;

use gik_core::{Diagnostic, Error, Names, Problem, Result, Run, SourceFile, VariableTable};
use gik_index::ecmwf::{Entry, FieldType, Index, parse};
use gik_index::overlapping;

use super::place::Located;

/// What the line `# index: …` of a template says, and the column of the names.
pub(super) const KIND: &str = "ecmwf";

/// The path of the index of a file: `x.index` of `x.grib2`.
#[must_use]
pub fn index_path(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => format!("{stem}.index"),
        _ => format!("{path}.index"),
    }
}

/// Under which name an index lists the message at each offset; none if it is no such index.
#[must_use]
pub fn listed(index: &[u8]) -> Option<BTreeMap<u64, String>> {
    let entries = parse(index).entries;
    let names = entries.iter().map(|entry| (entry.offset, name(entry)));
    (!entries.is_empty()).then(|| names.collect())
}

fn name(entry: &Entry<'_>) -> String {
    let level_type = entry.level_type.map_or("", |it| it.mars());
    let level = entry.level.map(|level| level.to_string()).unwrap_or_default();
    format!("{}/{level_type}/{level}", entry.param)
}

/// A line that is about a row, or may be.
struct Claim<'i> {
    entry: &'i Entry<'i>,
    rows: Vec<usize>,
    length: NonZeroU32,
}

/// The messages of the rows, and what is wrong with the index of a file of `size` bytes.
///
/// # Errors
/// When most of its lines are about another run or step: it lies beside the wrong file.
pub(super) fn located(
    table: &VariableTable,
    run: &Run,
    source: &SourceFile,
    bytes: &[u8],
    size: u64,
) -> Result<Located> {
    let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
    let index = parse(bytes);
    check_subject(run, source, step, &index)?;
    let mut named = HashMap::<&str, Vec<usize>>::new();
    for (position, row) in (0..).zip(table.rows()) {
        named.entry(row.fact(KIND)).or_default().push(position);
    }
    // Step 0 may have as an instant what later steps have as a sum.
    let rows_of = |entry: &Entry<'_>| -> Vec<usize> {
        let Some(all) = named.get(name(entry).as_str()) else { return Vec::new() };
        let is_here =
            |row: &&usize| table.rows().get(**row).is_some_and(|it| it.leads.include(step));
        let here: Vec<usize> = all.iter().filter(is_here).copied().collect();
        if here.is_empty() { all.iter().take(1).copied().collect() } else { here }
    };
    let mut taken = vec![false; table.rows().len()];
    let (mut elsewhere, mut past_end) = (Names::default(), Names::default());
    let (mut duplicates, mut too_long) = (Names::default(), Names::default());
    let (mut unknown, mut overlaps) = (Names::default(), Names::default());
    let (mut claims, mut ranges) = (Vec::<Claim<'_>>::new(), Vec::<Range<u64>>::new());
    for entry in &index.entries {
        let called = || format!("{} (line {})", name(entry), entry.line);
        if let Some(subject) = other_subject(run, step, entry) {
            elsewhere.add(|| format!("line {} ({subject})", entry.line));
            continue;
        }
        let rows = if is_plain(entry) { rows_of(entry) } else { Vec::new() };
        if rows.is_empty() {
            unknown.add(|| match entry.number {
                Some(number) if number > 0 => format!("{} of member {number}", name(entry)),
                _ => name(entry),
            });
        }
        let end = entry.offset.saturating_add(entry.length);
        if end > size {
            past_end.add(called);
            continue;
        }
        let Some(length) = u32::try_from(entry.length).ok().and_then(NonZeroU32::new) else {
            too_long.add(called);
            continue;
        };
        if rows.iter().any(|&row| taken.get(row) == Some(&true)) {
            duplicates.add(called);
            continue;
        }
        for &row in &rows {
            if let Some(taken) = taken.get_mut(row) {
                *taken = true;
            }
        }
        claims.push(Claim { entry, rows, length });
        ranges.push(entry.offset..end);
    }
    let mut found = vec![None; table.rows().len()];
    let mut doubtful = overlapping(&ranges).into_iter().peekable();
    for (position, claim) in claims.iter().enumerate() {
        if doubtful.next_if_eq(&position).is_some() {
            overlaps.add(|| format!("{} (line {})", name(claim.entry), claim.entry.line));
            continue;
        }
        for &row in &claim.rows {
            if let Some(place) = found.get_mut(row) {
                *place = Some((claim.entry.offset, Some(claim.length)));
            }
        }
    }
    let mut diagnostics = Vec::new();
    let mut report = |problem, text: String| {
        diagnostics.push(Diagnostic { problem, url: source.index.to_string(), text });
    };
    for diagnostic in &index.diagnostics {
        report(diagnostic.problem.kind(), diagnostic.to_string());
    }
    if index.diagnostics_left_off > 0 {
        let text = format!("{} more lines cannot be used", index.diagnostics_left_off);
        report(Problem::DamagedLine, text);
    }
    if index.entries.is_empty() && index.diagnostics.is_empty() {
        report(Problem::Truncated, "the index is empty".to_owned());
    }
    let past = format!("messages end after the {size} bytes of the file and are left out");
    for (problem, what, names) in [
        (Problem::DamagedLine, "lines are about another run or step and are left out", elsewhere),
        (Problem::DamagedLine, "messages are longer than any field and are left out", too_long),
        (Problem::PastEnd, past.as_str(), past_end),
        (
            Problem::DuplicateMessage,
            "messages are listed again, of which the first counts",
            duplicates,
        ),
        (Problem::Overlap, "messages claim bytes that others claim and are left out", overlaps),
    ] {
        if names.count() > 0 {
            report(problem, format!("{} {what}: {names}", names.count()));
        }
    }
    // Messages lie side by side: where nothing else is wrong, a line is lost or a length too small.
    let told: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    if diagnostics.is_empty() && told < size {
        let text = format!(
            "no line tells of {} of the {size} bytes of the file; lines are lost, or lengths are too \
             small",
            size - told
        );
        diagnostics.push(Diagnostic {
            problem: Problem::Uncovered,
            url: source.index.to_string(),
            text,
        });
    }
    Ok(Located {
        rows: found,
        unknown,
        misfits: Names::default(),
        lines: index.entries.len() as u64,
        diagnostics,
    })
}

/// Whether a line is about a field of the one forecast that a template is of.
fn is_plain(entry: &Entry<'_>) -> bool {
    !entry.is_special
        && entry.number.unwrap_or_default() == 0
        && matches!(entry.field_type, None | Some(FieldType::Forecast | FieldType::Control))
}

fn other_subject(run: &Run, step: u32, entry: &Entry<'_>) -> Option<String> {
    if let Some(time) = entry.reference_time.filter(|&time| time != run.reference_time) {
        return Some(format!("run of {time}"));
    }
    if let Some(hour) = entry.hour.filter(|&hour| hour != run.reference_time.hour()) {
        return Some(format!("run of {hour:02} UTC"));
    }
    entry.steps.filter(|steps| steps.end != step).map(|steps| format!("step {steps}"))
}

fn check_subject(run: &Run, source: &SourceFile, step: u32, index: &Index<'_>) -> Result<()> {
    let mut others = index.entries.iter().filter_map(|entry| {
        other_subject(run, step, entry).map(|it| format!("line {}: {it}", entry.line))
    });
    let Some(first) = others.next() else { return Ok(()) };
    let count = 1 + others.count();
    if count * 2 <= index.entries.len() {
        return Ok(());
    }
    Err(Error::mismatch(
        "subject of the index",
        format!("run of {}, step {step}", run.reference_time),
        format!("{first} on {count} of {} lines", index.entries.len()),
    )
    .in_url(source.index.as_str()))
}
