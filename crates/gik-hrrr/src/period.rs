//! Over what statistics extend: the column `period` of the tables.

use gik_core::{VariableRow, Window};

/// Whether a message over `window` belongs to a row, at a step that ends with the window.
///
/// At the reference time intervals are empty and tell nothing: the row must be one of those that
/// have a message then.
pub(crate) fn fits(row: &VariableRow, window: &Window, step: u32) -> bool {
    let (start, end) = (window.start_seconds(), window.end_seconds());
    let is_last = |seconds: i64| end - start == seconds;
    match row.fact("period") {
        "" => true,
        _ if end == 0 => row.leads.include(step),
        "run" => start == 0,
        "hour" => is_last(3600),
        "quarter" => is_last(900),
        "5min" => is_last(300),
        _ => false,
    }
}

/// The period in words, for CF's `cell_methods`.
pub(crate) fn words(row: &VariableRow) -> &'static str {
    match row.fact("period") {
        "run" => "since the start of the forecast",
        "hour" => "over the last hour",
        "quarter" => "over the last 15 minutes",
        "5min" => "over the last 5 minutes",
        _ => "",
    }
}
