//! Making a template of scanned files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use gik_codec::scan::{Scan, ScannedField};
use gik_core::{Error, Level, Result, VariableRow, Window};

/// Types of level whose surfaces form a dimension.
const DIMENSIONS: &[&str] = &[
    "isobaricInhPa",
    "heightAboveGround",
    "heightAboveSea",
    "hybrid",
    "sigma",
    "theta",
    "potentialVorticity",
    "isothermal",
    "depthBelowLand",
];

/// One message of a product, met in some of the files.
struct Message<'s> {
    field: &'s ScannedField,
    level: Level,
    windows: BTreeMap<usize, Window>,
}

/// The template of the product that these files are of, each with what its scan found. `pattern`
/// says where the files of a run lie.
///
/// # Errors
/// When the files have no field that a store could hold, or several grids.
pub fn learn(scans: &[Scan], pattern: Option<&str>) -> Result<String> {
    let mut messages = Vec::<Message<'_>>::new();
    let mut by_key = BTreeMap::new();
    let mut grids = BTreeSet::new();
    for (file, scan) in scans.iter().enumerate() {
        // What occurs twice in a file differs in its window: the one from the start comes first.
        let mut counts = BTreeMap::<String, usize>::new();
        let mut fields: Vec<_> = scan.fields.iter().collect();
        fields.sort_by_key(|field| field.window.map(|window| window.start_seconds()));
        for field in fields {
            let (Some(level), Some(window)) = (field.level, field.window) else { continue };
            grids.insert(field.grid.section.clone());
            let key = format!("{}|{level}|{}", field.parameter.code(), window.step_type());
            let number = counts.entry(key.clone()).or_default();
            *number += 1;
            let at = *by_key.entry((key, *number)).or_insert_with(|| {
                messages.push(Message { field, level, windows: BTreeMap::new() });
                messages.len() - 1
            });
            if let Some(message) = messages.get_mut(at) {
                message.windows.insert(file, window);
            }
        }
    }
    let mut sections = grids.iter();
    let (Some(grid), None) = (sections.next(), sections.next()) else {
        let found = format!("{} grids", grids.len());
        return Err(Error::mismatch("grid of the files", "one for all fields", found));
    };
    messages.sort_by_key(|message| message.field.offset);
    let mut text = String::from(
        "# A template made by gik template build. Columns as in the tables of the models.\n",
    );
    if let Some(pattern) = pattern {
        let _ = writeln!(text, "# files: {pattern}");
    }
    let digits: String = grid.iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = writeln!(text, "# grid: {digits}");
    text.push_str(HEADER);
    let mut names = BTreeSet::new();
    for message in &messages {
        let row = row(message, scans.len(), &mut names);
        text.push_str(&row);
    }
    Ok(text)
}

const HEADER: &str = "name\tfile\tabbrev\tlevel\tstatistic\tperiod\tsteps\tsince\tuntil\tdimension\tparam\tparamId\t\
                      shortName\tcfVarName\tcfName\ttypeOfLevel\tunits\tstandard_name\tlong_name\tgrib_units\n";

fn row(message: &Message<'_>, files: usize, names: &mut BTreeSet<(String, String)>) -> String {
    let Message { field, level, windows } = message;
    let type_of_level = level.type_of_level();
    let dimension = if DIMENSIONS.contains(&type_of_level) { type_of_level } else { "" };
    let parameter = field.parameter;
    let abbreviation = parameter.to_string();
    let mut name = match parameter.names() {
        Some(names) => slug(names.abbreviation),
        // Stable, whatever anyone may call it later.
        None => format!("var_{}", parameter.code().replace('-', "_")),
    };
    let place = if dimension.is_empty() { slug(&level.to_string()) } else { slug(dimension) };
    let _ = write!(name, "_{place}");
    let first = windows.values().next();
    let statistic = first.map_or("instant", |window| window.step_type());
    let period = period(windows);
    if statistic != "instant" {
        let _ = write!(name, "_{statistic}");
    }
    if period == "run" {
        name.push_str("_run_total");
    }
    // Names are unique by construction, unless two windows are told apart by nothing else.
    let mut unique = (name.clone(), level.to_string());
    while !names.insert(unique.clone()) {
        name.push_str("_other");
        unique.0.clone_from(&name);
    }
    // In all files, in all but that of step 0, or by no rule.
    let missing = files - windows.len();
    let starts = first.is_some_and(|window| window.end_seconds() == 0);
    let steps = match missing {
        0 => "all",
        1 if !starts => "forecast",
        _ => "some",
    };
    let known = parameter.names();
    let units = known.map_or("1", |names| names.units);
    let long_name =
        known.map_or_else(|| format!("parameter {}", parameter.code()), |it| it.name.to_owned());
    format!(
        "{name}\tx\t{abbreviation}\t{level}\t{statistic}\t{period}\t{steps}\t\t\t{dimension}\t{}\t0\tunknown\t\
         unknown\tunknown\t{type_of_level}\t{units}\t\t{long_name}\t{units}\n",
        parameter.code()
    )
}

/// Over what the windows extend: `run` from the start, `3600s` for so many seconds, or nothing
/// where no rule fits them all.
fn period(windows: &BTreeMap<usize, Window>) -> String {
    let intervals: Vec<&Window> = windows
        .values()
        .filter(|window| window.statistic().is_some() && window.end_seconds() > 0)
        .collect();
    let Some(first) = intervals.first() else { return String::new() };
    let length = first.length_seconds();
    let lengths_agree = intervals.iter().all(|window| window.length_seconds() == length);
    if intervals.iter().all(|window| window.start_seconds() == 0)
        && (intervals.len() == 1 || !lengths_agree)
    {
        return "run".to_owned();
    }
    if lengths_agree { format!("{length}s") } else { String::new() }
}

/// Whether a window is over the period of a row.
pub(super) fn fits(row: &VariableRow, window: &Window) -> bool {
    if window.end_seconds() == 0 || window.statistic().is_none() {
        return true;
    }
    match row.fact("period") {
        "run" => window.start_seconds() == 0,
        "hour" => window.length_seconds() == 3600,
        "quarter" => window.length_seconds() == 900,
        "5min" => window.length_seconds() == 300,
        text => match text.strip_suffix('s').and_then(|text| text.parse::<i64>().ok()) {
            Some(length) => window.length_seconds() == length,
            None => true,
        },
    }
}

/// Lower-case letters, digits and single underscores.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('_') && !slug.is_empty() {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        assert_eq!(slug("180-0 mb above ground"), "180_0_mb_above_ground");
        assert_eq!(
            slug("entire atmosphere (considered as a single layer)"),
            "entire_atmosphere_considered_as_a_single_layer"
        );
        assert_eq!(slug("isobaricInhPa"), "isobaricinhpa");
    }
}
