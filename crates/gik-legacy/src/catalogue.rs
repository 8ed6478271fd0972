//! Which of a model's arrays a reference belongs to.
//!
//! Legacy files name arrays as ecCodes and MARS do; the model's variable table has these names,
//! and the levels that make a name unique.

use std::collections::HashMap;

use gik_core::{
    Chunk, Error, Level, ManifestArray, ManifestGroup, Parser, Result, Run, SchemaOptions,
    Statistic, VariableRow, VariableTable, Window, WindowRule,
};

/// Where a message belongs within a member and step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot {
    /// Position in the variables of the catalogue's run.
    pub(crate) variable: u32,
    /// Position in the array's level coordinate; 0 without one.
    pub(crate) level: u32,
}

/// What a file says that a reference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'s> {
    /// In the words of ecCodes: `cfVarName` or `shortName`, `typeOfLevel`, `stepType`.
    Group { name: &'s str, level_type: &'s str, step_type: &'s str },
    /// The array's own name, of files that were written from a store.
    Own(&'s str),
    /// In the words of MARS: `param`, `levtype`.
    Mars { param: &'s str, level_type: &'s str },
}

/// What is known of a subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// Where it belongs, and the value of its level, if it has one.
    One(Slot, Option<f64>),
    /// One of several levels.
    LevelUnknown,
    /// One of several arrays.
    Ambiguous,
    /// The model's table does not have it.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    slot: Slot,
    /// Position in `rows`.
    row: usize,
    /// The label of its level in the store.
    label: Option<f64>,
}

/// The arrays of a run.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// The run with all members, steps and variables that there are.
    pub(crate) run: Run,
    rows: Vec<VariableRow>,
    all: Vec<Candidate>,
    /// By variable: over what its values extend, if that is stated.
    rules: Vec<Option<WindowRule>>,
    groups: HashMap<[&'static str; 3], Vec<Candidate>>,
    mars: HashMap<[&'static str; 2], Vec<Candidate>>,
    names: HashMap<&'static str, Vec<Candidate>>,
}

impl Catalogue {
    /// That of `run`, which must have all variables that there are.
    pub(crate) fn new(parser: &dyn Parser, run: &Run) -> Result<Self> {
        let text = parser
            .template(run.product)
            .ok_or_else(|| Error::mismatch("product", "one with a variable table", run.product))?;
        let positions: HashMap<&str, u32> =
            run.variables.iter().map(String::as_str).zip(0..).collect();
        // Its levels are those of any member and step.
        let mut small = run.clone();
        small.steps.truncate(1);
        if let Some(members) = &mut small.members {
            members.truncate(1);
        }
        let group = parser.schema(&small, &SchemaOptions::default())?;
        let table = VariableTable::parse(text, |row| {
            positions.contains_key(row.name)
                && row.since.is_none_or(|since| since <= run.reference_time)
                && row.until.is_none_or(|until| run.reference_time < until)
        })?;
        let rules = (group.data.iter())
            .map(|(_, array)| WindowRule::of_attributes(&array.metadata.attributes))
            .map(|rule| rule.map(|(_, rule)| rule))
            .collect();
        let mut catalogue = Self {
            run: run.clone(),
            rows: table.rows().to_vec(),
            all: Vec::new(),
            rules,
            groups: HashMap::new(),
            mars: HashMap::new(),
            names: HashMap::new(),
        };
        for (position, row) in table.rows().iter().enumerate() {
            let Some(&variable) = positions.get(row.name) else { continue };
            let level = match row.dimension {
                None => 0,
                Some(dimension) => match level_position(&group, dimension, row.level) {
                    Some(position) => position,
                    // Of another product, whose files have more levels.
                    None => continue,
                },
            };
            let label = row
                .dimension
                .and_then(|it| group.array(it))
                .and_then(|levels| doubles(levels).get(level as usize).copied());
            let candidate = Candidate { slot: Slot { variable, level }, row: position, label };
            add(catalogue.names.entry(row.name).or_default(), candidate);
            catalogue.all.push(candidate);
            let step_type = row.statistic.map_or("instant", Statistic::step_type);
            let level_type = row.fact("typeOfLevel");
            for name in [row.fact("cfVarName"), row.fact("shortName")] {
                let candidates = catalogue.groups.entry([name, level_type, step_type]).or_default();
                add(candidates, candidate);
            }
            let key = [row.abbreviation, row.fact("levtype")];
            add(catalogue.mars.entry(key).or_default(), candidate);
        }
        Ok(catalogue)
    }

    /// Where something belongs. `level` is the value of its level in the unit of cfgrib, where
    /// that is to be trusted.
    pub(crate) fn find(&self, subject: &Subject<'_>, level: Option<f64>) -> Found {
        let candidates = match *subject {
            Subject::Group { name, level_type, step_type } => {
                self.groups.get(&[name, level_type, step_type])
            }
            Subject::Mars { param, level_type } => self.mars.get(&[param, level_type]),
            Subject::Own(name) => self.names.get(name),
        };
        let candidates = candidates.map_or(&[][..], Vec::as_slice);
        let label = |it: &&Candidate| match subject {
            Subject::Own(_) => it.label.or(self.level(it)),
            Subject::Group { .. } | Subject::Mars { .. } => self.level(it),
        };
        match candidates {
            [] => Found::Nothing,
            [one] => Found::One(one.slot, label(&one)),
            [first, ..] => {
                if candidates.iter().any(|it| it.slot.variable != first.slot.variable) {
                    return Found::Ambiguous;
                }
                let Some(level) = level else { return Found::LevelUnknown };
                let mut fitting = candidates.iter().filter(|it| label(it) == Some(level));
                match (fitting.next(), fitting.next()) {
                    (Some(one), None) => Found::One(one.slot, label(&one)),
                    (Some(_), Some(_)) => Found::LevelUnknown,
                    (None, _) => Found::Nothing,
                }
            }
        }
    }

    /// Where a message belongs, by what its header says; `step` is in the run's unit.
    pub(crate) fn find_header(
        &self,
        parameter: &str,
        level: Level,
        window: &Window,
        step: u32,
    ) -> Option<Slot> {
        let fits = |candidate: &&Candidate| {
            self.rows.get(candidate.row).is_some_and(|row| {
                row.fact("param") == parameter
                    && is_level_of(row, level)
                    && row.statistic == window.statistic()
                    && self.is_window_of(candidate, window, step)
            })
        };
        // Of several names the one with this very level, then one that is of the step.
        let rank = |candidate: &&Candidate| {
            let row = self.rows.get(candidate.row);
            let is_level = row.is_some_and(|row| row.level == level);
            (!is_level, !row.is_some_and(|row| row.leads.include(step)))
        };
        self.all.iter().filter(fits).min_by_key(rank).map(|it| it.slot)
    }

    /// Whether a window is the one that an array has at a step. What begins and ends with the
    /// forecast is any.
    fn is_window_of(&self, candidate: &Candidate, window: &Window, step: u32) -> bool {
        let rule = self.rules.get(candidate.slot.variable as usize).copied().flatten();
        let (Some(rule), true) = (rule, window.end_seconds() > 0) else { return true };
        let unit = self.run.step_unit;
        let start = rule.start(step, unit).map(|start| i64::from(start) * unit.seconds());
        start == Some(window.start_seconds())
    }

    fn level(&self, candidate: &Candidate) -> Option<f64> {
        self.rows.get(candidate.row).and_then(|row| row.level.value())
    }
}

/// Whether a message at a level belongs to a row. On the surface, MARS tells parameters apart by
/// their numbers alone; it counts layers of the soil, of which a header has both surfaces, the
/// lower one with the layer's number.
fn is_level_of(row: &VariableRow, level: Level) -> bool {
    let lower = level.second().unwrap_or(level.first());
    let is_soil = lower.code() == SOIL_LEVEL;
    row.level == level
        || match row.fact("levtype") {
            "sfc" => !is_soil && level.type_of_level() != "isobaricInhPa",
            "sol" => is_soil && lower.value() == row.level.first().value(),
            _ => false,
        }
}

/// Code table 4.5.
const SOIL_LEVEL: u8 = 151;

/// Adds a candidate, unless another has the same place: a level may be spelled in several ways.
fn add(candidates: &mut Vec<Candidate>, candidate: Candidate) {
    if candidates.iter().all(|other| other.slot != candidate.slot) {
        candidates.push(candidate);
    }
}

/// The position of a level in the coordinate of its dimension.
fn level_position(group: &ManifestGroup, dimension: &str, level: Level) -> Option<u32> {
    let values = group.array(dimension).map(doubles).unwrap_or_default();
    let bounds = group.array(&format!("{dimension}_bounds")).map(doubles).unwrap_or_default();
    let position = match level.bounds() {
        Some(bounds_of_level) if !bounds.is_empty() => {
            bounds.chunks_exact(2).position(|pair| pair == bounds_of_level)
        }
        _ => values.iter().position(|&value| Some(value) == level.value()),
    };
    position.and_then(|position| u32::try_from(position).ok())
}

/// The values of a coordinate of the model's, which has one inline chunk of doubles.
fn doubles(array: &ManifestArray) -> Vec<f64> {
    match array.chunks.get(0) {
        Chunk::Inline(bytes) => {
            bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()
        }
        _ => Vec::new(),
    }
}
