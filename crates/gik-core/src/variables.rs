//! The variable table of a model: which message belongs to which array.
//!
//! A table is data: tab-separated text with a header, one row a message of a file. Array
//! names are fixed in it, so that they never depend on what a file happens to contain.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    Attributes, DataVariable, Error, Expected, Level, LevelCoordinate, ReferenceTime, Result, Run,
    Statistic, UNKNOWN_PREFIX,
};

/// Which steps of a run carry a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// All.
    All,
    /// Step 0 only.
    Analysis,
    /// All but step 0.
    Forecast,
    /// Those within one of these ranges, both ends included.
    Within(Vec<(u32, u32)>),
    /// Any may, and none must: what is published at some steps, or to some members, by no rule
    /// that is known.
    Some,
}

impl Leads {
    /// Whether the message should be in the file of a step.
    #[must_use]
    pub fn include(&self, step: u32) -> bool {
        match self {
            Self::All => true,
            Self::Analysis => step == 0,
            Self::Forecast => step > 0,
            Self::Within(ranges) => {
                ranges.iter().any(|&(first, last)| first <= step && step <= last)
            }
            Self::Some => false,
        }
    }

    /// `all`, `analysis`, `forecast`, `some`, or ranges like `3-90,150-360`.
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<u32>().ok();
        Some(match text {
            "all" => Self::All,
            "analysis" => Self::Analysis,
            "forecast" => Self::Forecast,
            "some" => Self::Some,
            ranges => {
                let range = |text: &str| {
                    let (first, last) = text.split_once('-')?;
                    let (first, last) = (number(first)?, number(last)?);
                    (first <= last).then_some((first, last))
                };
                Self::Within(ranges.split(',').map(range).collect::<Option<_>>()?)
            }
        })
    }
}

/// One message of a file, as the index writes it, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableRow {
    /// The array it belongs to.
    pub name: &'static str,
    /// Which kind of file has it, where a product has several.
    pub file: &'static str,
    /// The abbreviation in the index: `TMP`.
    pub abbreviation: &'static str,
    /// The level.
    pub level: Level,
    /// The level as the index writes it: `2 m above ground`.
    pub level_text: &'static str,
    /// Over what the values extend; none for instants.
    pub statistic: Option<Statistic>,
    /// The steps that have it.
    pub leads: Leads,
    /// The first run that has it.
    pub since: Option<ReferenceTime>,
    /// The first run that has it no more.
    pub until: Option<ReferenceTime>,
    /// The level dimension of the array, if it has one.
    pub dimension: Option<&'static str>,
    /// The other columns, by their header: what attributes are made of.
    pub facts: BTreeMap<&'static str, &'static str>,
}

impl VariableRow {
    /// Whether a run's file of a step should have the message.
    #[must_use]
    pub fn is_expected(&self, run: ReferenceTime, step: u32) -> bool {
        self.leads.include(step)
            && self.since.is_none_or(|since| since <= run)
            && self.until.is_none_or(|until| run < until)
    }

    /// A column that is none of the other fields; empty when there is none.
    #[must_use]
    pub fn fact(&self, column: &str) -> &'static str {
        self.facts.get(column).copied().unwrap_or_default()
    }

    /// CF's attributes, and those that cfgrib copies from GRIB keys, except for the grid's.
    /// cfgrib's `GRIB_dataType` is left out: it differs between the control and the other
    /// members.
    fn attributes(&self) -> Attributes {
        let step_type = self.statistic.map_or("instant", |statistic| statistic.step_type());
        let param_id = self.fact("paramId");
        let param_id = param_id.parse::<u32>().map_or_else(|_| json!(param_id), |id| json!(id));
        let mut list = Attributes::new();
        let mut set = |key: &str, value: Value| {
            list.insert(key.to_owned(), value);
        };
        set("long_name", json!(self.fact("long_name")));
        set("units", json!(self.fact("units")));
        set("GRIB_paramId", param_id);
        set("GRIB_shortName", json!(self.fact("shortName")));
        set("GRIB_name", json!(self.fact("long_name")));
        set("GRIB_cfName", json!(self.fact("cfName")));
        set("GRIB_cfVarName", json!(self.fact("cfVarName")));
        set("GRIB_units", json!(self.fact("grib_units")));
        set("GRIB_typeOfLevel", json!(self.fact("typeOfLevel")));
        set("GRIB_stepType", json!(step_type));
        set("GRIB_stepUnits", json!(1));
        set("GRIB_missingValue", json!(3.402_823_466_385_288_6e38));
        set("GRIB_NV", json!(0));
        for column in ["standard_name", "comment"] {
            if !self.fact(column).is_empty() {
                set(column, json!(self.fact(column)));
            }
        }
        if self.dimension.is_none() {
            if let Some(level) = self.level.value() {
                set("GRIB_level", json!(level));
            }
            // A layer's surfaces, in the words of the index: `180-0 mb above ground`.
            set("level", json!(self.level_text));
        }
        list
    }
}

/// An array of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVariable {
    /// Its name.
    pub name: &'static str,
    /// Its level dimension, if it has one.
    pub dimension: Option<&'static str>,
    /// Positions of its rows in the table.
    pub rows: Vec<usize>,
}

/// What tells the messages of a product apart: the kind of file, the abbreviation, the
/// level, and over what the values extend.
type Key<'a> = (&'a str, &'a str, Level, Option<Statistic>);

/// A product's messages and arrays.
#[derive(Debug)]
pub struct VariableTable {
    rows: Vec<VariableRow>,
    variables: Vec<TableVariable>,
    levels: Vec<(LevelCoordinate, Vec<Level>)>,
    /// Of each row: its variable, and the position of its level.
    places: Vec<(u32, u32)>,
    /// Rows that share a key differ in their columns `period`, `window` or `era`.
    lookup: HashMap<Key<'static>, Vec<usize>>,
}

/// Where a message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Position of the row in the table.
    pub row: usize,
    /// Position of the array in [`VariableTable::variables`].
    pub variable: u32,
    /// Position in the array's level coordinate; 0 without one.
    pub level: u32,
}

impl VariableTable {
    /// The rows of `text` for which `keep` holds.
    ///
    /// # Errors
    /// When the text is no such table: a column is missing, a cell cannot be read, two
    /// rows are the same message, or an array's rows contradict each other.
    pub fn parse(text: &'static str, keep: impl Fn(&VariableRow) -> bool) -> Result<Self> {
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let header: Vec<&'static str> =
            lines.next().map(|(_, line)| line.split('\t').collect()).unwrap_or_default();
        let mut rows = Vec::new();
        for (number, line) in lines {
            let row = parse_row(&header, line).map_err(|error| {
                Error::malformed("variable table", "a valid row", format!("line {}", number + 1))
                    .with_source(error)
            })?;
            if keep(&row) {
                rows.push(row);
            }
        }
        Self::of_rows(rows)
    }

    /// A table of these rows.
    ///
    /// # Errors
    /// When two rows are the same message, or an array's rows contradict each other.
    pub fn of_rows(rows: Vec<VariableRow>) -> Result<Self> {
        let mut lookup = HashMap::<Key<'static>, Vec<usize>>::new();
        let mut variables = Vec::<TableVariable>::new();
        let mut by_name = HashMap::new();
        let mut dimensions = Vec::<(&'static str, Vec<Level>)>::new();
        for (position, row) in rows.iter().enumerate() {
            let key = (row.file, row.abbreviation, row.level, row.statistic);
            let same = lookup.entry(key).or_default();
            let over = |row: &VariableRow| ["period", "window", "era"].map(|it| row.fact(it));
            if same.iter().any(|&other| rows.get(other).map(over) == Some(over(row))) {
                return Err(contradiction(row, "is in the table twice"));
            }
            same.push(position);
            let index = *by_name.entry(row.name).or_insert_with(|| {
                variables.push(TableVariable {
                    name: row.name,
                    dimension: row.dimension,
                    rows: Vec::new(),
                });
                variables.len() - 1
            });
            let Some(variable) = variables.get_mut(index) else { continue };
            if variable.dimension != row.dimension {
                return Err(contradiction(
                    row,
                    "has another dimension than the array's other rows",
                ));
            }
            // The same level may come from several kinds of file, or be spelled anew by era.
            let first = variable.rows.first().and_then(|&first| rows.get(first));
            if row.dimension.is_none() && first.is_some_and(|first| first.level != row.level) {
                return Err(contradiction(row, "is a second level of an array without levels"));
            }
            variable.rows.push(position);
            if let Some(dimension) = row.dimension {
                match dimensions.iter_mut().find(|(name, _)| *name == dimension) {
                    Some((_, levels)) if levels.contains(&row.level) => {}
                    Some((_, levels)) => levels.push(row.level),
                    None => dimensions.push((dimension, vec![row.level])),
                }
            }
        }
        let levels: Vec<(LevelCoordinate, Vec<Level>)> = dimensions
            .into_iter()
            .map(|(dimension, levels)| LevelCoordinate::of_levels(dimension, levels))
            .collect();
        let places = rows
            .iter()
            .map(|row| {
                let variable = by_name.get(row.name).copied().unwrap_or_default();
                let level = row.dimension.map_or(Some(0), |dimension| {
                    levels
                        .iter()
                        .find(|(coordinate, _)| coordinate.dimension == dimension)
                        .and_then(|(_, levels)| levels.iter().position(|level| *level == row.level))
                });
                // Positions in a compiled-in table.
                (
                    u32::try_from(variable).unwrap_or(u32::MAX),
                    u32::try_from(level.unwrap_or_default()).unwrap_or(u32::MAX),
                )
            })
            .collect();
        Ok(Self { rows, variables, levels, places, lookup })
    }

    /// The messages.
    #[must_use]
    pub fn rows(&self) -> &[VariableRow] {
        &self.rows
    }

    /// The arrays, in the order of their first rows.
    #[must_use]
    pub fn variables(&self) -> &[TableVariable] {
        &self.variables
    }

    /// The level dimensions, each with all levels of the table.
    pub fn levels(&self) -> impl Iterator<Item = &LevelCoordinate> {
        self.levels.iter().map(|(coordinate, _)| coordinate)
    }

    /// The array names of a request, in the order of the table; all of them without one.
    ///
    /// # Errors
    /// When a name is not in the table; the text lists those that are.
    pub fn names(&self, wanted: Option<&[String]>) -> Result<Vec<String>> {
        let all = || self.variables.iter().map(|variable| variable.name);
        let Some(wanted) = wanted else { return Ok(all().map(str::to_owned).collect()) };
        if let Some(unknown) = wanted.iter().find(|name| !all().any(|known| known == *name)) {
            let names: Vec<_> = all().collect();
            return Err(Error::argument(
                format!("variable '{unknown}'"),
                format!("is not in this product; there are {}", names.join(", ")),
            ));
        }
        Ok(all().filter(|name| wanted.iter().any(|it| it == name)).map(str::to_owned).collect())
    }

    /// Whether a run has all arrays of the table: nothing of the product was left out.
    #[must_use]
    pub fn is_whole(&self, run: &Run) -> bool {
        self.positions(run).iter().all(Option::is_some)
    }

    /// Of each array of the table, its position among those of the run, if it is wanted.
    #[must_use]
    pub fn positions(&self, run: &Run) -> Vec<Option<u32>> {
        // Both are in the order of the table.
        let mut names = (0..).zip(&run.variables).peekable();
        let mut position = |variable: &TableVariable| {
            names.next_if(|(_, name)| *name == variable.name).map(|(position, _)| position)
        };
        self.variables.iter().map(&mut position).collect()
    }

    /// The messages that each member of a run must have; `is_expected` says it of a row and a
    /// step.
    #[must_use]
    pub fn expected(
        &self,
        run: &Run,
        is_expected: impl Fn(&VariableRow, u32) -> bool,
    ) -> Vec<Expected> {
        let positions = self.positions(run);
        let wanted: Vec<_> = self
            .rows
            .iter()
            .zip(&self.places)
            .filter_map(|(row, &(variable, level))| {
                let variable = positions.get(variable as usize).copied().flatten()?;
                Some((row, variable, level))
            })
            .collect();
        let mut expected = Vec::new();
        for (step, &lead) in (0..).zip(&run.steps) {
            let rows = wanted.iter().filter(|(row, ..)| is_expected(row, lead));
            expected.extend(rows.map(|&(_, variable, level)| Expected { step, variable, level }));
        }
        expected
    }

    /// The data arrays of a run, and the level dimensions that they have.
    ///
    /// `shared` are attributes of all arrays; `window` tells over what a row's statistic
    /// extends, as the comment of CF's `cell_methods`.
    #[must_use]
    pub fn arrays(
        &self,
        run: &Run,
        shared: &Attributes,
        window: impl Fn(&VariableRow) -> &'static str,
    ) -> (Vec<DataVariable>, Vec<LevelCoordinate>) {
        let wanted = self.variables.iter().zip(self.positions(run)).filter(|(_, it)| it.is_some());
        let arrays: Vec<DataVariable> = wanted
            .filter_map(|(variable, _)| {
                let row = self.rows.get(*variable.rows.first()?)?;
                let method = row.statistic.and_then(|statistic| statistic.cell_method());
                let mut attributes = row.attributes();
                attributes.extend(shared.clone());
                Some(DataVariable {
                    name: variable.name.to_owned(),
                    level_dimension: variable.dimension.map(str::to_owned),
                    cell_method: method
                        .map(|method| format!("{method} (comment: {})", window(row))),
                    attributes,
                })
            })
            .collect();
        let has = |level: &&LevelCoordinate| {
            arrays.iter().any(|it| it.level_dimension.as_ref() == Some(&level.dimension))
        };
        let levels = self.levels().filter(has).cloned().collect();
        (arrays, levels)
    }

    /// Where a message of this kind of file belongs, if the table has it.
    #[must_use]
    pub fn place(
        &self,
        file: &str,
        abbreviation: &str,
        level: Level,
        statistic: Option<Statistic>,
    ) -> Option<Place> {
        let &row = self.rows_at(file, abbreviation, level, statistic).first()?;
        self.place_of_row(row)
    }

    /// Positions of the rows for a message of this kind of file: several where the table tells
    /// periods of one statistic or eras apart, in the columns `period`, `window` and `era`.
    #[must_use]
    pub fn rows_at<'t>(
        &'t self,
        file: &'t str,
        abbreviation: &'t str,
        level: Level,
        statistic: Option<Statistic>,
    ) -> &'t [usize] {
        // A shorter borrow than the table's: the map is covariant in its key.
        let lookup: &HashMap<Key<'t>, Vec<usize>> = &self.lookup;
        lookup.get(&(file, abbreviation, level, statistic)).map_or(&[], Vec::as_slice)
    }

    /// The row of a message that is known by its numbers: `param` is discipline, category and
    /// number as in the column of that name. Where several rows are of these, one that is
    /// expected at the step.
    #[must_use]
    pub fn row_of_parameter(
        &self,
        file: &str,
        param: &str,
        level: Level,
        statistic: Option<Statistic>,
        (run, step): (ReferenceTime, u32),
    ) -> Option<&VariableRow> {
        let mut rows = self.rows.iter().filter(|row| {
            row.file == file
                && row.fact("param") == param
                && row.level == level
                && row.statistic == statistic
        });
        let first = rows.next()?;
        let mut all = std::iter::once(first).chain(rows);
        Some(all.find(|row| row.is_expected(run, step)).unwrap_or(first))
    }

    /// Where the messages of a row belong, if there is one at this position of
    /// [`rows`](Self::rows): for models whose indexes name messages by other keys than
    /// [`place`](Self::place) takes.
    #[must_use]
    pub fn place_of_row(&self, row: usize) -> Option<Place> {
        let &(variable, level) = self.places.get(row)?;
        Some(Place { row, variable, level })
    }
}

/// What CF and cfgrib say about the dimensions of levels: the dimension, `long_name`,
/// `standard_name` and `positive`.
const LEVEL_ATTRIBUTES: &[(&str, &str, &str, &str)] = &[
    ("isobaricInhPa", "pressure", "air_pressure", "down"),
    ("heightAboveGround", "height above the surface", "height", "up"),
    ("heightAboveGroundLayer", "height above the surface", "height", "up"),
    ("heightAboveSea", "height above mean sea level", "altitude", "up"),
    ("depthBelowLand", "soil depth", "depth", "down"),
    ("depthBelowLandLayer", "soil depth", "depth", "down"),
    ("soilLayer", "number of the soil layer, counted from the surface", "", "down"),
    ("hybrid", "hybrid level", "", "down"),
    ("sigma", "sigma", "", "down"),
    ("sigmaLayer", "sigma", "", "down"),
    ("theta", "potential temperature", "air_potential_temperature", "up"),
    ("potentialVorticity", "potential vorticity", "", ""),
    ("pressureFromGroundLayer", "pressure difference to the surface", "", "up"),
];

impl LevelCoordinate {
    /// The coordinate of these levels, and the levels in its order: from the ground up for
    /// pressures, ascending for all others.
    ///
    /// A layer's label is its first surface, as in cfgrib; where two layers share that one,
    /// all are labelled by their middle, so that each label is one layer.
    #[must_use]
    pub fn of_levels(dimension: &str, mut levels: Vec<Level>) -> (Self, Vec<Level>) {
        let key = |level: &Level| {
            let first = level.value().unwrap_or_default();
            (first, level.bounds().map_or(first, |[_, second]| second))
        };
        levels.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let descending = dimension == "isobaricInhPa";
        if descending {
            levels.reverse();
        }
        let bounds: Vec<[f64; 2]> = levels.iter().filter_map(Level::bounds).collect();
        let mut attributes = Attributes::new();
        let mut set = |key: &str, value: &str| {
            if !value.is_empty() {
                attributes.insert(key.to_owned(), value.into());
            }
        };
        match LEVEL_ATTRIBUTES.iter().find(|(name, ..)| *name == dimension) {
            Some((_, long_name, standard_name, positive)) => {
                set("long_name", long_name);
                set("standard_name", standard_name);
                set("positive", positive);
            }
            None => set("long_name", dimension),
        }
        set("units", levels.first().map_or("1", Level::units));
        set("stored_direction", if descending { "decreasing" } else { "increasing" });
        let mut values: Vec<f64> =
            levels.iter().map(|level| level.value().unwrap_or_default()).collect();
        let is_ambiguous = values.windows(2).any(|pair| pair.first() == pair.last());
        let mut bounds = bounds;
        if is_ambiguous && bounds.len() == values.len() {
            let middle = |[first, second]: &[f64; 2]| f64::midpoint(*first, *second);
            // Labels ascend, so that a slice of them is a range of layers.
            bounds.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
            levels.sort_by(|a, b| {
                let middle = |level: &Level| level.bounds().map_or(0.0, |it| middle(&it));
                middle(a).total_cmp(&middle(b))
            });
            values = bounds.iter().map(middle).collect();
        }
        let coordinate = Self {
            dimension: dimension.to_owned(),
            values,
            bounds: (!levels.is_empty() && bounds.len() == levels.len()).then_some(bounds),
            attributes,
        };
        (coordinate, levels)
    }
}

fn contradiction(row: &VariableRow, reason: &str) -> Error {
    Error::malformed(
        "variable table",
        "rows that agree",
        format!("{} ({} {}) {reason}", row.name, row.abbreviation, row.level_text),
    )
}

/// The columns that have a field of their own.
const COLUMNS: [&str; 9] =
    ["name", "file", "abbrev", "level", "statistic", "steps", "since", "until", "dimension"];

fn parse_row(header: &[&'static str], line: &'static str) -> Result<VariableRow> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let cell = |column: &'static str| {
        let position = header.iter().position(|name| *name == column);
        position
            .and_then(|position| cells.get(position).copied())
            .ok_or_else(|| Error::malformed("variable table", column, "no such column"))
    };
    let unknown = |column: &'static str, text: &str| {
        Error::malformed("variable table", format!("a known {column}"), text)
    };
    let time = |column: &'static str| match cell(column)? {
        "" => Ok(None),
        text => text.parse::<ReferenceTime>().map(Some),
    };
    let name = cell("name")?;
    let is_identifier = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_identifier || name.starts_with(UNKNOWN_PREFIX) {
        let what = "name (lower-case letters, digits and underscores, not param_…)";
        return Err(unknown(what, name));
    }
    let level_text = cell("level")?;
    Ok(VariableRow {
        name,
        file: cell("file")?,
        abbreviation: cell("abbrev")?,
        level: level_text.parse()?,
        level_text,
        statistic: match cell("statistic")? {
            "instant" => None,
            text => {
                Some(Statistic::from_step_type(text).ok_or_else(|| unknown("statistic", text))?)
            }
        },
        leads: {
            let text = cell("steps")?;
            Leads::parse(text).ok_or_else(|| unknown("steps", text))?
        },
        since: time("since")?,
        until: time("until")?,
        dimension: Some(cell("dimension")?).filter(|dimension| !dimension.is_empty()),
        facts: header
            .iter()
            .zip(&cells)
            .filter(|(column, _)| !COLUMNS.contains(column))
            .map(|(&column, &text)| (column, text))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "name\tfile\tabbrev\tlevel\tstatistic\tsteps\tsince\tuntil\tdimension\tunits\n";

    fn table(rows: &str) -> Result<VariableTable> {
        let text: &'static str = Box::leak(format!("# a comment\n{HEADER}{rows}").into_boxed_str());
        VariableTable::parse(text, |_| true)
    }

    #[test]
    fn messages_find_their_place() {
        let table = table(
            "t\ta\tTMP\t500 mb\tinstant\tall\t\t\tisobaricInhPa\tK\n\
             tp\ta\tAPCP\tsurface\taccum\tforecast\t2021-07-20T12\t\t\tkg m-2\n\
             t\tb\tTMP\t1000 mb\tinstant\tall\t\t\tisobaricInhPa\tK\n",
        )
        .unwrap();
        let names: Vec<_> = table.variables().iter().map(|it| (it.name, it.rows.len())).collect();
        assert_eq!(names, [("t", 2), ("tp", 1)]);
        let level = table.levels().next().unwrap();
        assert_eq!(level.values, [1000.0, 500.0]);
        let place = |abbreviation: &str, level: &str, statistic| {
            table.place("a", abbreviation, level.parse().unwrap(), statistic)
        };
        assert_eq!(place("TMP", "500 mb", None), Some(Place { row: 0, variable: 0, level: 1 }));
        assert_eq!(place("TMP", "700 mb", None), None);
        let tp = place("APCP", "surface", Statistic::from_step_type("accum")).unwrap();
        assert_eq!((tp.row, tp.variable, tp.level), (1, 1, 0));
        assert_eq!(place("APCP", "surface", None), None);
        assert_eq!(place("TMP", "1000 mb", None), None, "it is in the other file");
        let row = &table.rows()[1];
        let run = |text: &str| text.parse::<ReferenceTime>().unwrap();
        assert!(row.is_expected(run("2021-07-20T12"), 3));
        assert!(!row.is_expected(run("2021-07-20T06"), 3));
        assert!(!row.is_expected(run("2025-01-06T00"), 0));
        assert_eq!(row.fact("units"), "kg m-2");
    }

    #[test]
    fn steps_may_be_ranges() {
        let table = table(
            "g\tx\t10fg\tsurface\tmax\t3-90,150-360\t\t\t\tm\n\
             g\tx\t10fg3\tsurface\tmax\t93-144\t\t\t\tm\n\
             h\tx\tnew\tsurface\tinstant\tsome\t\t\t\tm\n",
        )
        .unwrap();
        let run = "2025-01-06T00".parse().unwrap();
        let expected = |step| {
            let rows = table.rows().iter().filter(|row| row.is_expected(run, step));
            rows.map(|row| row.abbreviation).collect::<Vec<_>>()
        };
        assert_eq!(expected(0), Vec::<&str>::new());
        assert_eq!((expected(90), expected(93)), (vec!["10fg"], vec!["10fg3"]));
        assert_eq!((expected(144), expected(150)), (vec!["10fg3"], vec!["10fg"]));
        // Two spellings, one array.
        assert_eq!(table.place_of_row(1), Some(Place { row: 1, variable: 0, level: 0 }));
        assert_eq!(table.place_of_row(3), None);
    }

    #[test]
    fn layers_have_bounds() {
        let levels = ["0.1-0.4 m below ground", "0-0.1 m below ground"];
        let levels = levels.iter().map(|text| text.parse().unwrap()).collect();
        let (coordinate, _) = LevelCoordinate::of_levels("depthBelowLandLayer", levels);
        assert_eq!(coordinate.bounds.unwrap(), [[0.0, 0.1], [0.1, 0.4]]);
        assert_eq!(coordinate.attributes["positive"], "down");
        assert_eq!(coordinate.values, [0.0, 0.1]);
        let levels = ["0.44-1 sigma layer", "0.44-0.72 sigma layer"];
        let levels = levels.iter().map(|text| text.parse().unwrap()).collect();
        let (coordinate, _) = LevelCoordinate::of_levels("sigmaLayer", levels);
        assert_eq!(coordinate.values, [0.58, 0.72]);
    }

    #[test]
    fn contradictions_are_found() {
        let row = "t\ta\tTMP\t500 mb\tinstant\tall\t\t\t\tK\n";
        for (rows, part) in [
            (format!("{row}{row}"), "in the table twice"),
            (format!("{row}{}", row.replace("500", "700")), "second level"),
            (row.replace("500 mb", "nowhere"), "line 3"),
            (row.replace("\tall", "\tsometimes"), "line 3"),
            (row.replace("\tall", "\t9-3"), "line 3"),
            (row.replacen('t', "T2", 1), "line 3"),
            (row.replacen('t', "param_0_0_0", 1), "line 3"),
            ("t\n".to_owned(), "line 3"),
        ] {
            let error = table(&rows).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
