//! The variables, from the tables in `tables/`.

use std::sync::OnceLock;

use gik_core::{Result, VariableRow, VariableTable, parsed_once};

const SURFACE: &str = include_str!("../tables/pgrb2s_0p25.tsv");
const PRESSURE: &str = include_str!("../tables/pgrb2ab_0p50.tsv");

/// The table of a product, as text; of the products at 0.5° that of both.
pub(crate) fn template(product: &str) -> Option<&'static str> {
    match product {
        "pgrb2sp25" => Some(SURFACE),
        "pgrb2ap5" | "pgrb2bp5" | "pgrb2abp5" => Some(PRESSURE),
        _ => None,
    }
}

type Parsed = OnceLock<Result<VariableTable>>;

fn parsed(
    cell: &'static Parsed,
    text: &'static str,
    keep: impl Fn(&VariableRow) -> bool,
) -> Result<&'static VariableTable> {
    parsed_once(cell, || VariableTable::parse(text, keep))
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
