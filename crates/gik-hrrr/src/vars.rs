//! The variables, from the tables in `tables/`.

use std::sync::OnceLock;

use gik_core::{Leads, Result, VariableTable, parsed_once};

const SURFACE: &str = include_str!("../tables/wrfsfc.tsv");
const PRESSURE: &str = include_str!("../tables/wrfprs.tsv");
const NATIVE: &str = include_str!("../tables/wrfnat.tsv");
const SUBHOURLY: &str = include_str!("../tables/wrfsubh.tsv");

/// The table of a product, as text; of `wrfprs` and `wrfnat` that of their levels.
pub(crate) fn template(product: &str) -> Option<&'static str> {
    match product.strip_suffix("-ak").unwrap_or(product) {
        "wrfsfc" => Some(SURFACE),
        "wrfprs" => Some(PRESSURE),
        "wrfnat" => Some(NATIVE),
        "wrfsubh" => Some(SUBHOURLY),
        _ => None,
    }
}

type Parsed = OnceLock<Result<VariableTable>>;

/// What the files of `wrfsfc` hold.
pub(crate) fn surface() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed_once(&TABLE, || VariableTable::parse(SURFACE, |_| true))
}

/// What the files of `wrfprs` hold.
pub(crate) fn pressure() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed_once(&TABLE, || with_surface(PRESSURE, "prs"))
}

/// What the files of `wrfnat` hold.
pub(crate) fn native() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed_once(&TABLE, || with_surface(NATIVE, "nat"))
}

/// What the files of `wrfsubh` hold of each step.
pub(crate) fn subhourly() -> Result<&'static VariableTable> {
    static TABLE: Parsed = OnceLock::new();
    parsed_once(&TABLE, || VariableTable::parse(SUBHOURLY, |_| true))
}

/// The levels of a table, and the rows of `wrfsfc`: its messages are for the most part in the
/// other files too. Which of them is not known for sure, so that none is missed.
fn with_surface(text: &'static str, file: &'static str) -> Result<VariableTable> {
    let mut rows = VariableTable::parse(text, |_| true)?.rows().to_vec();
    for row in surface()?.rows() {
        let is_there = rows.iter().any(|it| {
            (it.abbreviation, it.level, it.statistic)
                == (row.abbreviation, row.level, row.statistic)
                && it.fact("period") == row.fact("period")
        });
        if !is_there {
            let mut row = row.clone();
            row.file = file;
            row.leads = Leads::Some;
            rows.push(row);
        }
    }
    VariableTable::of_rows(rows)
}
