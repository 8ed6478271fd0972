//! Making a template of scanned files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use gik_codec::scan::{Scan, ScannedField};
use gik_core::{Error, Level, Result, Window, WindowRule};

use super::ecmwf;
use super::parser::check_pattern;
use super::period::{self, Series};

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

/// A file that a template is made of.
#[derive(Debug)]
pub struct Sample {
    /// Its name, for errors.
    pub name: String,
    /// What is in it.
    pub scan: Scan,
    /// Of a file with an index of ECMWF's kind, under which name it lists the message at each
    /// offset: `t/pl/850`.
    pub listed: Option<BTreeMap<u64, String>>,
}

/// A template, and what its files did not tell.
#[derive(Debug)]
pub struct Learned {
    /// The template.
    pub text: String,
    /// Arrays whose windows may follow several rules.
    pub open: Vec<OpenArray>,
    /// Messages that no template can hold, since their level or window is not understood: in
    /// words.
    pub left_out: Vec<String>,
}

/// An array whose windows follow a rule that the files do not tell. It keeps every message that
/// any of the rules is true of; no totals are made of it.
#[derive(Debug, PartialEq)]
pub struct OpenArray {
    /// Its name.
    pub name: String,
    /// Its windows: `0-3 hour acc fcst`.
    pub windows: Vec<String>,
    /// The rules; none if the windows follow none, or are all empty.
    pub rules: Vec<WindowRule>,
    /// The step, in hours, whose file would exclude some of the rules, and that whose file would
    /// tell at the latest.
    pub told_by: Option<(u32, u32)>,
}

/// What tells messages of a file apart, but for their windows. The member is no part of it.
type Key = (String, String, &'static str);

/// Messages of some of the files that differ in their windows alone.
struct Messages<'s> {
    field: &'s ScannedField,
    level: Level,
    windows: BTreeMap<usize, Vec<Window>>,
    /// Under which name ECMWF's indexes list them.
    listed: &'s str,
}

/// The template of the product that these files are of. `pattern` says where the files of a run
/// lie.
///
/// # Errors
/// When the files have no field that a store could hold, or fields that a template cannot tell
/// apart: of several grids, steps or members in a file, probabilities, quantiles, aerosols. The
/// text names file and message.
pub fn learn(samples: &[Sample], pattern: Option<&str>) -> Result<Learned> {
    let mut gathered = Gathered::default();
    for (number, sample) in samples.iter().enumerate() {
        gathered.add(number, sample)?;
    }
    let mut messages: Vec<Messages<'_>> = gathered.messages.into_values().collect();
    messages.sort_by_key(|it| it.field.offset);
    let Some(grid) = gathered.grid else {
        return Err(Error::mismatch("files", "a field that a store could hold", "none"));
    };
    let mut text = String::from(
        "# A template made by gik template build. Columns as in the tables of the models.\n",
    );
    if let Some(pattern) = pattern {
        check_pattern(pattern)?;
        let _ = writeln!(text, "# files: {pattern}");
    }
    if let Some(qualifier) = gathered.qualifier.filter(|it| !it.is_empty()) {
        let _ = writeln!(text, "# qualifier: {qualifier}");
    }
    let digits: String = grid.iter().map(|byte| format!("{byte:02x}")).collect();
    let _ = writeln!(text, "# grid: {digits}");
    let is_listed = samples.iter().any(|sample| sample.listed.is_some());
    if is_listed {
        let _ = writeln!(text, "# index: {}", ecmwf::KIND);
    }
    text.push_str(HEADER);
    text.push_str(if is_listed { "\tecmwf\n" } else { "\n" });
    let mut names = BTreeSet::new();
    let mut open = Vec::new();
    for Messages { field, level, windows, listed } in &messages {
        for series in period::series(windows) {
            let name = name(field, level, &series, &mut names);
            let steps = steps(&gathered.steps, &series);
            text.push_str(&row(field, level, &series, &name, steps));
            let _ = if is_listed { writeln!(text, "\t{listed}") } else { writeln!(text) };
            open.extend(open_array(name, &series, &gathered.steps));
        }
    }
    Ok(Learned { text, open, left_out: gathered.left_out })
}

#[derive(Default)]
struct Gathered<'s> {
    messages: BTreeMap<Key, Messages<'s>>,
    /// Of each name that indexes use, its numbers.
    codes: BTreeMap<Key, String>,
    grid: Option<&'s [u8]>,
    /// What all messages are of: `ens mean`.
    qualifier: Option<String>,
    /// The step of each file, in hours.
    steps: Vec<u32>,
    left_out: Vec<String>,
}

impl<'s> Gathered<'s> {
    fn add(&mut self, number: usize, sample: &'s Sample) -> Result<()> {
        let mut seen = BTreeMap::<(&Key, i64), &ScannedField>::new();
        let mut names = BTreeMap::<&str, &ScannedField>::new();
        let mut first = None::<(&ScannedField, Window)>;
        let mut keys = Vec::new();
        for field in &sample.scan.fields {
            let (Some(level), Some(window)) = (field.level, field.window) else {
                self.left_out.push(format!(
                    "{}: message {} ({}, product template 4.{})",
                    sample.name, field.message, field.parameter, field.product_template
                ));
                continue;
            };
            let refused = |what: String| refused(sample, field, what);
            let (one, of_one) = *first.get_or_insert((field, window));
            if of_one.end_seconds() != window.end_seconds() {
                return Err(refused(format!(
                    "ends at another step than message {} ({of_one}); a template knows one step a \
                     file",
                    one.message
                )));
            }
            if field.member != one.member {
                return Err(refused(format!(
                    "is of {}, and message {} of {}; a template knows one member a file",
                    words(&field.qualifiers),
                    one.message,
                    words(&one.qualifiers)
                )));
            }
            let qualifier = if field.member.is_some() { "" } else { &field.qualifiers };
            if self.qualifier.get_or_insert_with(|| qualifier.to_owned()) != qualifier {
                let others = self.qualifier.as_deref().unwrap_or_default();
                return Err(refused(format!(
                    "is of {}, and others are of {}; a template does not tell these apart",
                    words(qualifier),
                    words(others)
                )));
            }
            if *self.grid.get_or_insert(&field.grid.section) != field.grid.section {
                let what = format!("is on another grid ({}) than the first message", field.grid);
                return Err(refused(what));
            }
            let step = window.step_type();
            let key = (field.parameter.code(), level.to_string(), step);
            keys.push((key, field, level, window));
            let name = (field.parameter.to_string(), level.to_string(), step);
            let code = self.codes.entry(name).or_insert_with(|| field.parameter.code());
            if *code != field.parameter.code() {
                return Err(refused(format!(
                    "is parameter {}, which has the name of {code} in an index",
                    field.parameter.code()
                )));
            }
        }
        let lead = first.map_or(0, |(_, window)| window.end_seconds());
        let step = u32::try_from(lead / 3600).ok().filter(|_| lead % 3600 == 0);
        self.steps.push(match (step, first) {
            (Some(step), _) => step,
            (None, Some((field, _))) => {
                let what = "ends at no whole hour, and templates count steps in hours".to_owned();
                return Err(refused(sample, field, what));
            }
            (None, None) => 0,
        });
        for (key, field, level, window) in &keys {
            // A message that is there twice, byte by byte or not: the first counts, as in indexes.
            if let Some(first) = seen.insert((key, window.start_seconds()), field) {
                if !is_known_whole(field.product_template) {
                    return Err(refused(
                        sample,
                        field,
                        format!(
                            "differs from message {} in what product template 4.{} says more; a \
                             template does not tell these apart",
                            first.message, field.product_template
                        ),
                    ));
                }
                continue;
            }
            let listed = listed(sample, field)?;
            if let Some(other) = names.insert(listed, field).filter(|_| !listed.is_empty()) {
                let what = format!("is listed as message {} is, '{listed}'", other.message);
                return Err(refused(sample, field, what));
            }
            let messages = self.messages.entry(key.clone()).or_insert_with(|| Messages {
                field,
                level: *level,
                windows: BTreeMap::new(),
                listed,
            });
            if messages.listed.is_empty() {
                messages.listed = listed;
            } else if !listed.is_empty() && messages.listed != listed {
                let what = format!(
                    "is listed as '{listed}', and in another file as '{}'; a template knows one name",
                    messages.listed
                );
                return Err(refused(sample, field, what));
            }
            let windows = messages.windows.entry(number).or_default();
            if !windows.contains(window) {
                windows.push(*window);
                windows.sort_by_key(Window::start_seconds);
            }
        }
        Ok(())
    }
}

/// Under which name the index of a file lists a field; none if it has no index of that kind.
fn listed<'s>(sample: &'s Sample, field: &ScannedField) -> Result<&'s str> {
    let Some(index) = &sample.listed else { return Ok("") };
    match index.get(&field.offset) {
        Some(name) if !name.contains(char::is_control) => Ok(name),
        Some(name) => {
            let what = format!("is listed as '{}', which is no name", name.escape_debug());
            Err(refused(sample, field, what))
        }
        None => {
            let what =
                "is on no line of the index beside the file; use a file whose index is whole";
            Err(refused(sample, field, what.to_owned()))
        }
    }
}

/// Product templates (code table 4.0) of which a scan says everything that tells fields apart.
const fn is_known_whole(template: u16) -> bool {
    matches!(template, 0 | 1 | 2 | 5 | 6 | 8..=12)
}

fn refused(sample: &Sample, field: &ScannedField, what: String) -> Error {
    let subject = format!("message {} ({})", field.message, super::differences::named(field));
    Error::argument(subject, what).in_url(sample.name.as_str()).at(field.offset)
}

fn words(qualifiers: &str) -> String {
    if qualifiers.is_empty() { "no member".to_owned() } else { format!("'{qualifiers}'") }
}

const HEADER: &str = "name\tfile\tabbrev\tlevel\tstatistic\twindow\tsteps\tsince\tuntil\tdimension\tparam\tparamId\t\
                      shortName\tcfVarName\tcfName\ttypeOfLevel\tunits\tstandard_name\tlong_name\tgrib_units";

fn dimension(level: &Level) -> Option<&'static str> {
    Some(level.type_of_level()).filter(|name| DIMENSIONS.contains(name))
}

/// The name of an array, which says what is in it: `apcp_surface_accum_6h_bucket`.
fn name(
    field: &ScannedField,
    level: &Level,
    series: &Series,
    names: &mut BTreeSet<(String, String)>,
) -> String {
    let parameter = field.parameter;
    let mut name = match parameter.names() {
        Some(names) => identifier(&slug(names.abbreviation)),
        // Stable, whatever anyone may call it later.
        None => format!("var_{}", parameter.code().replace('-', "_")),
    };
    let place = dimension(level).map_or_else(|| slug(&level.to_string()), slug);
    let _ = write!(name, "_{place}");
    let statistic = field.window.map_or("instant", |window| window.step_type());
    if statistic != "instant" {
        let _ = write!(name, "_{statistic}");
    }
    let span = |minutes: u32| match minutes % 60 {
        0 => format!("{}h", minutes / 60),
        _ => format!("{minutes}min"),
    };
    if let [rule] = series.rules[..] {
        name.push_str(&match rule {
            WindowRule::SinceStart => "_run_total".to_owned(),
            WindowRule::Last { minutes } => format!("_last_{}", span(minutes)),
            WindowRule::SinceMultiple { minutes } => format!("_{}_bucket", span(minutes)),
        });
    }
    // Names are unique by construction, unless two windows are told apart by nothing else.
    let mut unique = (name.clone(), level.to_string());
    while !names.insert(unique.clone()) {
        name.push_str("_other");
        unique.0.clone_from(&name);
    }
    name
}

/// A name that a language takes, too: `ds.var_4lftx_…`.
fn identifier(name: &str) -> String {
    let is_number = name.starts_with(|first: char| first.is_ascii_digit());
    if is_number { format!("var_{name}") } else { name.to_owned() }
}

/// The steps at which messages are expected: those that are like the files in which they were.
fn steps(steps: &[u32], series: &Series) -> &'static str {
    let files =
        |is_first: bool| (0..).zip(steps).filter(move |(_, step)| (**step == 0) == is_first);
    let has = |(file, _): &(usize, &u32)| series.windows.contains_key(file);
    let there = |is_first: bool| (files(is_first).filter(has).count(), files(is_first).count());
    match (there(true), there(false)) {
        ((first, all), (later, others)) if (first, later) == (all, others) => match (all, others) {
            (0, _) => "forecast",
            (_, 0) => "analysis",
            _ => "all",
        },
        ((0, _), (later, others)) if later == others => "forecast",
        ((first, all), (0, _)) if first == all => "analysis",
        _ => "some",
    }
}

fn row(field: &ScannedField, level: &Level, series: &Series, name: &str, steps: &str) -> String {
    let parameter = field.parameter;
    let code = parameter.code();
    let statistic = field.window.map_or("instant", |window| window.step_type());
    let dimension = dimension(level).unwrap_or_default();
    let known = parameter.names();
    // As cfgrib says of what ecCodes does not know.
    let units = known.map_or("unknown", |names| names.units);
    let long_name = known.map_or_else(|| format!("parameter {code}"), |it| it.name.to_owned());
    format!(
        "{name}\tx\t{parameter}\t{level}\t{statistic}\t{}\t{steps}\t\t\t{dimension}\t{code}\t0\tunknown\t\
         unknown\tunknown\t{}\t{units}\t\t{long_name}\t{units}",
        series.words(),
        level.type_of_level(),
    )
}

fn open_array(name: String, series: &Series, steps: &[u32]) -> Option<OpenArray> {
    let is_instant = series.windows.values().all(|window| window.statistic().is_none());
    if is_instant || series.rules.len() == 1 {
        return None;
    }
    let last = steps.iter().copied().max().unwrap_or_default();
    let apart = steps.iter().fold(0, |apart, &step| greatest_divisor(apart, step));
    // Steps come every hour, or every 3 or 6 hours.
    let apart = [6, 3].into_iter().find(|&it| apart.is_multiple_of(it)).unwrap_or(1);
    let mut windows: Vec<String> = series.windows.values().map(Window::to_string).collect();
    windows.dedup();
    let told_by = period::telling_steps(&series.rules, last, apart);
    Some(OpenArray { name, windows, rules: series.rules.clone(), told_by })
}

const fn greatest_divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
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
        assert_eq!(identifier("4lftx"), "var_4lftx");
    }
}
