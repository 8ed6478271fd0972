//! What a field is of, by its numbers, and what wgrib2 calls it.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

/// A parameter: the numbers that say what a field is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Code table 0.0.
    pub discipline: u8,
    /// Code table 4.1.
    pub category: u8,
    /// Code table 4.2.
    pub number: u8,
    /// The centre (common code table C-11): 7 is NCEP.
    pub centre: u16,
    /// Version of the master tables (code table 1.0).
    pub master_table: u8,
    /// Version of the centre's own tables (code table 1.1).
    pub local_table: u8,
}

/// NCEP, whose local parameters have abbreviations here.
const NCEP: u16 = 7;
/// From here on categories and numbers are the centre's own.
const LOCAL: u8 = 192;

/// A parameter's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterNames {
    /// wgrib2's abbreviation.
    pub abbreviation: &'static str,
    /// NCEP's name.
    pub name: &'static str,
    /// NCEP's unit.
    pub units: &'static str,
}

impl Parameter {
    /// Its names, if they are known.
    #[must_use]
    pub fn names(&self) -> Option<ParameterNames> {
        if self.is_local() && self.centre != NCEP {
            return None;
        }
        names().get(&(self.discipline, self.category, self.number)).copied()
    }

    /// Whether it is one of the centre's own.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.discipline >= LOCAL || self.category >= LOCAL || self.number >= LOCAL
    }

    /// `0-1-8`: discipline, category and number.
    #[must_use]
    pub fn code(&self) -> String {
        format!("{}-{}-{}", self.discipline, self.category, self.number)
    }
}

/// wgrib2's abbreviation, or where it has none the numbers as it writes them.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { discipline, category, number, centre, master_table, local_table } = self;
        if let Some(names) = self.names() {
            return f.write_str(names.abbreviation);
        }
        write!(f, "var discipline={discipline} ")?;
        if self.is_local() {
            write!(f, "center={centre} local_table={local_table} ")?;
        } else {
            write!(f, "master_table={master_table} ")?;
        }
        write!(f, "parmcat={category} parm={number}")
    }
}

type Names = HashMap<(u8, u8, u8), ParameterNames>;

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let lines = include_str!("../../tables/parameters.tsv").lines();
        lines.skip_while(|line| line.starts_with('#')).skip(1).filter_map(row).collect()
    })
}

fn row(line: &'static str) -> Option<((u8, u8, u8), ParameterNames)> {
    let mut cells = line.split('\t');
    let mut code = cells.next()?.split('-').map(str::parse);
    let mut number = || code.next()?.ok();
    let key = (number()?, number()?, number()?);
    let [abbreviation, name, units] = [cells.next()?, cells.next()?, cells.next()?];
    Some((key, ParameterNames { abbreviation, name, units }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let rows = include_str!("../../tables/parameters.tsv").lines();
        assert_eq!(names().len() + 1, rows.filter(|line| !line.starts_with('#')).count());
    }

    #[test]
    fn unknown_parameters_are_their_numbers() {
        let rain = Parameter {
            discipline: 0,
            category: 1,
            number: 8,
            centre: 7,
            master_table: 2,
            local_table: 1,
        };
        assert_eq!((rain.to_string().as_str(), rain.code().as_str()), ("APCP", "0-1-8"));
        let local = Parameter { category: 16, number: 201, ..rain };
        assert_eq!(
            local.to_string(),
            "var discipline=0 center=7 local_table=1 parmcat=16 parm=201"
        );
        let unknown = Parameter { discipline: 10, category: 0, number: 45, ..rain };
        assert_eq!(unknown.to_string(), "var discipline=10 master_table=2 parmcat=0 parm=45");
        // Another centre's local numbers mean something else.
        let composite = Parameter { category: 16, number: 196, ..rain };
        assert_eq!(composite.to_string(), "REFC");
        assert!(Parameter { centre: 98, ..composite }.names().is_none());
    }
}
