//! Over what statistics extend: the column `period` of the tables.

use gik_core::{Leads, VariableRow, Window};

/// Whether a message over `window` belongs to a row, at a step that ends with the window.
///
/// At the reference time intervals are empty and tell nothing: the row must be one of those that
/// have a message then, or may have one.
pub(crate) fn fits(row: &VariableRow, window: &Window, step: u32) -> bool {
    let (start, end) = (window.start_seconds(), window.end_seconds());
    let is_last = |seconds: i64| end - start == seconds;
    match row.fact("period") {
        "" => true,
        _ if end == 0 => row.leads.include(step) || row.leads == Leads::Some,
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

#[cfg(test)]
mod tests {
    use crate::vars;

    use super::*;

    #[test]
    fn empty_windows_belong_to_rows_that_may_have_them() {
        let empty = Window::from_wgrib2("0-0 day acc fcst").unwrap();
        let of = |rows: &[VariableRow], name: &str| {
            let row = rows.iter().find(|row| row.name == name).unwrap();
            fits(row, &empty, 0)
        };
        // What `wrfprs` shares with `wrfsfc` is not known for sure, so that none is missed.
        let (surface, pressure) = (vars::surface().unwrap(), vars::pressure().unwrap());
        assert!(of(surface.rows(), "tp_run_total") && of(pressure.rows(), "tp_run_total"));
        assert!(!of(surface.rows(), "tp"));
    }
}
