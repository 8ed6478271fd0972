//! The variables, from the tables in `tables/`.

use std::sync::OnceLock;

use gik_core::{Error, Result, VariableRow, VariableTable};

const SURFACE: &str = include_str!("../tables/pgrb2s_0p25.tsv");
const PRESSURE: &str = include_str!("../tables/pgrb2ab_0p50.tsv");

type Parsed = OnceLock<Result<VariableTable>>;

fn parsed(
    cell: &'static Parsed,
    text: &'static str,
    keep: impl Fn(&VariableRow) -> bool,
) -> Result<&'static VariableTable> {
    // Compiled in and tested: the error is for whoever edits a table.
    cell.get_or_init(|| VariableTable::parse(text, keep))
        .as_ref()
        .map_err(|error| Error::malformed("variable table", "a valid table", error.to_string()))
}

/// What the files of `pgrb2sp25` hold.
pub(crate) fn surface() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, SURFACE, |_| true)
}

/// What the files of `pgrb2ap5` hold.
pub(crate) fn common() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, PRESSURE, |row| row.file == "a")
}

/// What the files of `pgrb2bp5` hold.
pub(crate) fn rest() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, PRESSURE, |row| row.file == "b")
}

/// What both hold.
pub(crate) fn both() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed(&TABLE, PRESSURE, |_| true)
}

/// The array names of a request, in the order of the table; all of them without one.
pub(crate) fn names(table: &VariableTable, wanted: Option<&[String]>) -> Result<Vec<String>> {
    let all = || table.variables().iter().map(|variable| variable.name);
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
