//! Which line is the message of which place, and what is wrong with the lines.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Range;

use gik_core::{Names, Problem, Reference, Run, SourceFile};
use gik_index::ecmwf::{Entry, FieldType, Index};
use gik_index::overlapping;

use crate::config::{FileKind, Holds, MEMBERS};
use crate::coverage::{Coverage, Gaps};
use crate::refs::Reporter;
use crate::subject::{other_subject, step_of};
use crate::vars::{ParameterTable, describe};

/// A message that is wanted and has its place.
struct Accepted {
    reference: Reference,
    /// Its number among the entries of the index.
    entry: usize,
    /// Its number among the claims.
    claim: usize,
    /// Its row of the table.
    row: usize,
    /// Its place among those of all wanted members.
    slot: usize,
    /// Whether it should be there.
    is_expected: bool,
}

/// What is looked for in a file, and what of it may be believed.
pub(crate) struct Wanted<'r> {
    pub(crate) run: &'r Run,
    pub(crate) table: &'static ParameterTable,
    pub(crate) kind: &'static FileKind,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// Bytes of the longest message that it can have.
    pub(crate) longest: u64,
}

/// Finds the place of each entry.
pub(crate) struct Collector<'r> {
    wanted: Wanted<'r>,
    step: u32,
    /// Position of the step in the run.
    position: u32,
    /// Of each variable of the table, its position in the run, if it is wanted.
    variables: Vec<Option<u32>>,
    /// Of each member's number, its position in the run, if it is wanted and of this file.
    members: Vec<Option<u32>>,
    /// Of each wanted member, of each slot of the table: the position in `accepted` of what
    /// was found.
    found: Vec<Option<usize>>,
    /// Of each slot, whether its message should be there.
    expected: Vec<bool>,
    pub(crate) references: Vec<Reference>,
    /// How many of the references need not be there.
    pub(crate) optional: u32,
    /// How many of the references were extended.
    extended: usize,
    /// The bytes of all messages that the lines tell of, wanted or not, but for those that
    /// cannot be.
    claims: Vec<Range<u64>>,
    /// Of the wanted ones: position in `claims`, in the index's entries, and of its place.
    accepted: Vec<Accepted>,
    /// The bytes that other lines tell of.
    coverage: Coverage,
    elsewhere: Names,
    past_end: Names,
    too_long: Names,
    duplicates: Names,
    overlaps: Names,
    contradictory: Names,
    /// What the table does not know, once for all members.
    unknown: BTreeSet<String>,
}

impl<'r> Collector<'r> {
    pub(crate) fn new(wanted: Wanted<'r>, source: &SourceFile, index: &Index<'_>) -> Self {
        let (run, table, kind) = (wanted.run, wanted.table, wanted.kind);
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
        let lines = index.entries.len();
        Self {
            step: step_of(run, source),
            position: source.step,
            variables: table.table.positions(run),
            members,
            found: vec![None; places],
            expected,
            references: Vec::with_capacity(source.expected as usize),
            optional: 0,
            extended: 0,
            claims: Vec::with_capacity(lines),
            accepted: Vec::with_capacity(source.expected as usize),
            coverage: Coverage::of_file(wanted.size, lines),
            elsewhere: Names::default(),
            past_end: Names::default(),
            too_long: Names::default(),
            duplicates: Names::default(),
            overlaps: Names::default(),
            contradictory: Names::default(),
            unknown: BTreeSet::new(),
            wanted,
        }
    }

    pub(crate) fn add(&mut self, position: usize, entry: &Entry<'_>) {
        let Wanted { run, table, kind, size, longest } = self.wanted;
        // Neither can overflow: the parser has added them up.
        let claim = entry.offset..entry.offset + entry.length;
        if let Some(subject) = other_subject(run, kind, self.step, entry) {
            self.elsewhere.add(|| format!("line {} ({subject})", entry.line));
            return self.coverage.tell(claim, true);
        }
        let number = member(entry);
        if number.is_none() && is_member(entry) {
            self.contradictory.add(|| format!("line {}", entry.line));
            return self.coverage.tell(claim, true);
        }
        let is_past_end = claim.end > size;
        let known = number.filter(|&number| number < MEMBERS).zip(table.place(entry));
        let Some((number, place)) = known else {
            self.unknown.insert(named(entry));
            return self.claim(claim);
        };
        let called = || format!("{} (line {})", called(kind, &named(entry), number), entry.line);
        let member = self.members.get(number as usize).copied().flatten();
        let variable = self.variables.get(place.variable as usize).copied().flatten();
        let reference = member.zip(variable);
        let length = NonZeroU32::new(u32::try_from(entry.length).unwrap_or_default())
            .filter(|_| entry.length <= longest);
        let Some(length) = length else {
            if reference.is_some() {
                self.too_long.add(called);
            }
            return self.coverage.doubt(claim, reference.is_some());
        };
        let Some((member, variable)) = reference else { return self.claim(claim) };
        if is_past_end {
            self.past_end.add(called);
            return self.coverage.tell(claim, true);
        }
        if !table.agrees(place.row, entry.steps) {
            self.contradictory.add(called);
            return self.coverage.tell(claim, true);
        }
        let slot = self.slot(member, place.row);
        let accepted = Accepted {
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
            row: place.row,
            slot,
            is_expected: self.expected.get(table.slot(place.row)) == Some(&true),
        };
        let Some(found) = self.found.get_mut(slot) else { return };
        let Some(before) = found.and_then(|position| self.accepted.get_mut(position)) else {
            *found = Some(self.accepted.len());
            self.accepted.push(accepted);
            return self.claims.push(claim);
        };
        if before.row == place.row {
            self.duplicates.add(called);
            return self.coverage.tell(claim, true);
        }
        // Two parameters of one array: the one that belongs to this step counts.
        let is_better = table.is_of_step(place.row, self.step);
        if is_better && !table.is_of_step(before.row, self.step) {
            *before = accepted;
        }
        self.unknown.insert(format!("{} beside another of its array", named(entry)));
        self.claims.push(claim);
    }

    /// Takes the bytes of a message that is not wanted.
    fn claim(&mut self, claim: Range<u64>) {
        if claim.end > self.wanted.size {
            self.coverage.tell(claim, false);
        } else {
            self.claims.push(claim);
        }
    }

    /// Leaves out what overlaps, and takes the rest. The answer are the bytes that no line
    /// tells of.
    pub(crate) fn settle(&mut self, index: &Index<'_>) -> Gaps {
        let mut is_sound = vec![true; self.claims.len()];
        for claim in overlapping(&self.claims) {
            if let Some(is_sound) = is_sound.get_mut(claim) {
                *is_sound = false;
            }
        }
        let mut is_wanted = vec![false; self.claims.len()];
        for accepted in &self.accepted {
            if let Some(is_wanted) = is_wanted.get_mut(accepted.claim) {
                *is_wanted = true;
            }
        }
        let mut coverage =
            std::mem::replace(&mut self.coverage, Coverage::of_file(self.wanted.size, 0));
        for (claim, (&is_sound, &is_wanted)) in
            self.claims.iter().zip(is_sound.iter().zip(&is_wanted))
        {
            if is_sound {
                coverage.tell(claim.clone(), false);
            } else {
                // The length may be wrong, or the offset.
                coverage.doubt(claim.clone(), is_wanted);
                coverage.displace(claim.clone(), is_wanted);
            }
        }
        coverage.excuse(index.diagnostics.len() + index.diagnostics_left_off);
        // An empty index is reported as one that is cut.
        coverage.excuse(usize::from(index.entries.is_empty()));
        let gaps = coverage.gaps();
        for accepted in std::mem::take(&mut self.accepted) {
            if is_sound.get(accepted.claim) == Some(&true) {
                self.optional += u32::from(!accepted.is_expected);
                let reference = self.extended(accepted.reference, &gaps);
                self.references.push(reference);
                continue;
            }
            if let Some(found) = self.found.get_mut(accepted.slot) {
                *found = None;
            }
            let Some(entry) = index.entries.get(accepted.entry) else { continue };
            let number = member(entry).unwrap_or_default();
            self.overlaps.add(|| {
                let name = called(self.wanted.kind, &named(entry), number);
                format!("{name} (line {})", entry.line)
            });
        }
        gaps
    }

    /// The reference, to the end of the gap that follows it. Its length may be too small: a
    /// GRIB message says its own length, so that one byte too many harms nobody and one too
    /// few makes it unreadable. Where a line is lost instead, more bytes are fetched than are
    /// needed, and that is all.
    fn extended(&mut self, mut reference: Reference, gaps: &Gaps) -> Reference {
        let end = reference.offset + u64::from(reference.length.get());
        let length = gaps
            .end_of(end)
            .map(|end| end - reference.offset)
            .filter(|&length| length <= self.wanted.longest)
            .and_then(|length| NonZeroU32::new(u32::try_from(length).ok()?));
        if let Some(length) = length {
            self.extended += 1;
            reference.length = length;
        }
        reference
    }

    fn slot(&self, member: u32, row: usize) -> usize {
        let table = self.wanted.table;
        member as usize * table.slot_count() + table.slot(row)
    }

    /// The expected messages that were not there.
    fn missing(&self) -> Names {
        let mut missing = Names::default();
        let Wanted { run, table, kind, .. } = self.wanted;
        let rows = table.expected(run, self.step);
        for (number, &position) in (0..).zip(&self.members) {
            let Some(position) = position else { continue };
            for &row in &rows {
                if self.found.get(self.slot(position, row)) == Some(&None)
                    && let Some(row) = table.table.rows().get(row)
                {
                    missing.add(|| called(kind, &describe(row), number));
                }
            }
        }
        missing
    }

    pub(crate) fn report(&self, gaps: &Gaps, source: &SourceFile, report: &mut Reporter<'_>) {
        let Wanted { size, longest, .. } = self.wanted;
        let what = "lines are about another run or step and left out";
        report.add_named(Problem::DamagedLine, what, &self.elsewhere);
        let what = "lines contradict themselves and are left out";
        report.add_named(Problem::DamagedLine, what, &self.contradictory);
        let what = format!(
            "messages are longer than the {longest} bytes that a field of the grid can take and are \
             left out"
        );
        report.add_named(Problem::DamagedLine, &what, &self.too_long);
        let what = "messages claim bytes that others claim too and are left out";
        report.add_named(Problem::Overlap, what, &self.overlaps);
        let what = "messages are listed more than once, of which the first counts";
        report.add_named(Problem::DuplicateMessage, what, &self.duplicates);
        let what = format!(
            "messages end after the {size} bytes of the file and are left out; the file is cut, or \
             its index is about another one"
        );
        report.add_named(Problem::PastEnd, &what, &self.past_end);
        if !gaps.is_explained {
            report.add(Problem::Uncovered, self.describe_gaps(gaps));
        }
        let missing = self.missing();
        if missing.count() > 0 {
            let text = format!(
                "{} of {} messages are missing: {missing}",
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

    /// What to say of bytes that no line tells of.
    fn describe_gaps(&self, gaps: &Gaps) -> String {
        let ranges = gaps.ranges();
        let names: Names =
            ranges.iter().map(|gap| format!("bytes {} to {}", gap.start, gap.end)).collect();
        let extended = match self.extended {
            0 => String::new(),
            count => format!(", so {count} references now reach over what follows their messages"),
        };
        format!(
            "no line tells of {} stretches of the file, {} of its {} bytes: {names}; lines are \
             lost, or the lengths before are too small{extended}",
            ranges.len(),
            gaps.bytes(),
            self.wanted.size
        )
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

/// `2t`, `t at pl 500`, `tpg1 (probability, …)`.
fn named(entry: &Entry<'_>) -> String {
    let level_type = entry.level_type.map_or("no levtype", |it| it.mars());
    match entry.level {
        Some(level) => format!("{} at {level_type} {level}", entry.param),
        None => format!("{} at {level_type}", entry.param),
    }
}
