//! The parameters, from the tables in `tables/`.

use std::collections::HashMap;
use std::sync::OnceLock;

use gik_core::{Error, Place, ReferenceTime, Result, Run, VariableRow, VariableTable, parsed_once};
use gik_index::ecmwf::{Entry, LevelType};

use crate::eras::AIFS_MASS;

const ENSEMBLE: &str = include_str!("../tables/enfo.tsv");
const HIGH_RESOLUTION: &str = include_str!("../tables/oper.tsv");
const WAVES: &str = include_str!("../tables/wave.tsv");
const AIFS: &str = include_str!("../tables/aifs.tsv");

/// What tells the messages of a member and step apart in an index: `param`, `levtype` and
/// `levelist`.
type Key<'a> = (&'a str, LevelType, Option<u32>);

/// A product's messages and arrays, found by the keys of its indexes.
#[derive(Debug)]
pub(crate) struct ParameterTable {
    pub(crate) table: VariableTable,
    lookup: HashMap<Key<'static>, usize>,
    /// Of each row, which of the places of a member and step its message takes: one for each
    /// array and level, whatever the parameter is called.
    slots: Vec<usize>,
    slot_count: usize,
}

impl ParameterTable {
    fn parse(text: &'static str, keep: impl Fn(&VariableRow) -> bool) -> Result<Self> {
        let table = VariableTable::parse(text, keep)?;
        let mut lookup = HashMap::new();
        for (position, row) in table.rows().iter().enumerate() {
            if lookup.insert(key(row)?, position).is_some() {
                return Err(Error::malformed(
                    "variable table",
                    "rows with keys of their own",
                    format!("{} ({})", row.name, describe(row)),
                ));
            }
        }
        let mut taken = HashMap::new();
        let slots = (0..table.rows().len())
            .filter_map(|row| table.place_of_row(row))
            .map(|place| {
                let next = taken.len();
                *taken.entry((place.variable, place.level)).or_insert(next)
            })
            .collect();
        Ok(Self { table, lookup, slots, slot_count: taken.len() })
    }

    /// The rows of which a file of `step` should have the messages, of each member.
    pub(crate) fn expected(&self, run: &Run, step: u32) -> Vec<usize> {
        let is_expected = |row: &VariableRow| {
            row.is_expected(run.reference_time, step)
                && run.variables.iter().any(|name| name == row.name)
        };
        let rows = self.table.rows().iter().enumerate();
        rows.filter(|(_, row)| is_expected(row)).map(|(position, _)| position).collect()
    }

    /// Which place of a member and step a row's message takes; less than
    /// [`slot_count`](Self::slot_count).
    pub(crate) fn slot(&self, row: usize) -> usize {
        self.slots.get(row).copied().unwrap_or_default()
    }

    pub(crate) const fn slot_count(&self) -> usize {
        self.slot_count
    }

    /// Where a message belongs, if the table has it.
    pub(crate) fn place(&self, entry: &Entry<'_>) -> Option<Place> {
        // A shorter borrow than the table's: the map is covariant in its key.
        let lookup: &HashMap<Key<'_>, usize> = &self.lookup;
        let level_type = entry.level_type?;
        // On the surface there is no `levelist`, or one that says nothing.
        let level = entry.level.filter(|_| has_levels(level_type));
        self.table.place_of_row(*lookup.get(&(&*entry.param, level_type, level))?)
    }
}

const fn has_levels(level_type: LevelType) -> bool {
    matches!(level_type, LevelType::Pressure | LevelType::Soil)
}

/// The key of a row's messages.
fn key(row: &VariableRow) -> Result<Key<'static>> {
    let wrong = |what: &'static str| {
        Error::malformed("variable table", what, format!("{} ({})", row.name, row.abbreviation))
    };
    let level_type =
        LevelType::from_mars(row.fact("levtype")).ok_or_else(|| wrong("a levtype of MARS"))?;
    let level = if has_levels(level_type) { Some(level_number(row)) } else { None };
    match level {
        Some(None) => Err(wrong("a level with a whole number")),
        level => Ok((row.abbreviation, level_type, level.flatten())),
    }
}

/// What an index writes as `levelist`: hPa, or the number of a layer.
fn level_number(row: &VariableRow) -> Option<u32> {
    let value = row.level.value()?;
    format!("{value}").parse().ok()
}

/// A row as a person would name it: `2t`, `t at 500 mb`.
pub(crate) fn describe(row: &VariableRow) -> String {
    match row.dimension {
        Some(_) => format!("{} at {}", row.abbreviation, row.level_text),
        None => row.abbreviation.to_owned(),
    }
}

/// The table of a product, as text.
pub(crate) fn template(product: &str) -> Option<&'static str> {
    match product {
        "enfo" => Some(ENSEMBLE),
        "oper" => Some(HIGH_RESOLUTION),
        "wave" | "waef" => Some(WAVES),
        "aifs-single" | "aifs-ens" => Some(AIFS),
        _ => None,
    }
}

type Parsed = OnceLock<Result<ParameterTable>>;

fn parsed(
    cell: &'static Parsed,
    text: &'static str,
    keep: impl Fn(&VariableRow) -> bool,
) -> Result<&'static ParameterTable> {
    parsed_once(cell, || ParameterTable::parse(text, keep))
}

/// Of the IFS ensemble.
pub(crate) fn ensemble(_: ReferenceTime) -> Result<&'static ParameterTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, ENSEMBLE, |_| true)
}

/// Of the IFS high-resolution forecast.
pub(crate) fn high_resolution(_: ReferenceTime) -> Result<&'static ParameterTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, HIGH_RESOLUTION, |_| true)
}

/// Of the waves.
pub(crate) fn waves(_: ReferenceTime) -> Result<&'static ParameterTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, WAVES, |_| true)
}

/// Of AIFS: the same arrays in all runs, some in other units before 2025-02-24T06.
pub(crate) fn aifs(run: ReferenceTime) -> Result<&'static ParameterTable> {
    static DEPTH: Parsed = OnceLock::new();
    static MASS: Parsed = OnceLock::new();
    let of_era = |era: &'static str| {
        move |row: &VariableRow| row.fact("era").is_empty() || row.fact("era") == era
    };
    if run < AIFS_MASS {
        parsed(&DEPTH, AIFS, of_era("depth"))
    } else {
        parsed(&MASS, AIFS, of_era("mass"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_valid() {
        let at = |text: &str| text.parse::<ReferenceTime>().unwrap();
        let (early, late) = (at("2024-06-01T00"), at("2026-06-01T00"));
        let names = |table: &ParameterTable| table.table.names(None).unwrap();
        assert_eq!(names(aifs(early).unwrap()), names(aifs(late).unwrap()));
        assert_eq!(names(ensemble(late).unwrap()), names(high_resolution(late).unwrap()));
        assert!(names(waves(late).unwrap()).contains(&"swh".to_owned()));
        let units = |run| {
            let rows = aifs(run).unwrap().table.rows();
            rows.iter().find(|row| row.name == "tp").unwrap().fact("units")
        };
        assert_eq!((units(early), units(late)), ("m", "kg m-2"));
    }

    #[test]
    fn two_spellings_of_one_quantity_are_one_array() {
        let table = &ensemble("2025-09-30T00".parse().unwrap()).unwrap().table;
        let gusts = table.variables().iter().find(|it| it.name == "fg10").unwrap();
        let spelled: Vec<_> =
            gusts.rows.iter().map(|&row| table.rows()[row].abbreviation).collect();
        assert_eq!(spelled, ["10fg", "10fg3"]);
    }
}
