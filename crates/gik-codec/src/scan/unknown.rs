//! Arrays for fields that no table knows: named by their numbers.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use gik_core::{
    Attributes, DataVariable, Diagnostic, FileReferences, IndexedFile, Level, Names, Problem, Run,
    SourceFile, UNKNOWN_PREFIX, UnknownMessage, Window, WindowRule,
};
use serde_json::json;

use super::{Scan, ScannedField};

/// Messages kept of a file: more than any has that a table does not know.
const KEPT_LIMIT: usize = 1 << 14;

/// A file whose headers stand in for its index.
#[derive(Debug)]
pub struct ScannedFile {
    /// What its index would say.
    pub index: IndexedFile,
    /// The file, its own url in the place of its index's: what is said of the index is said of it.
    pub source: SourceFile,
    /// What its headers say.
    pub scan: Scan,
    /// Fields on another grid than the run's.
    pub(super) strays: Names,
}

impl ScannedFile {
    /// Adds what the file's index would not have said: fields on another grid.
    pub fn report_strays(&self, found: &mut FileReferences) {
        if self.strays.count() > 0 {
            let (count, strays) = (self.strays.count(), &self.strays);
            found.diagnostics.push(Diagnostic {
                problem: Problem::OtherGrid,
                url: self.source.data.as_str().to_owned(),
                text: format!(
                    "{count} fields are on another grid than the model's and left out: {strays}"
                ),
            });
        }
    }

    /// Adds the messages of the run that no table knows: each in an array that is named by its
    /// numbers. Left out are those that cannot be placed: without a known level and window, of
    /// another run, step or member, one of several fields of a message.
    pub fn keep_unknown(
        &self,
        run: &Run,
        found: &mut FileReferences,
        is_known: impl Fn(&ScannedField) -> bool,
    ) {
        let (mut kept, mut others) = (BTreeSet::new(), Names::default());
        for field in self.scan.fields.iter().filter(|field| !is_known(field)) {
            match unknown_message(run, field) {
                Some(message) => {
                    let key = (message.variable.name.clone(), message.member, message.step);
                    if kept.len() < KEPT_LIMIT && kept.insert(key) {
                        found.unknown.push(message);
                    } else {
                        others.add(|| message.variable.name.clone());
                    }
                }
                None if is_of_run(run, field) => others.add(|| field.to_wgrib2(None)),
                None => {}
            }
        }
        let names: Names = kept.into_iter().map(|(name, ..)| name).collect();
        for (names, what) in [
            (names, "of them are kept under names made of their numbers"),
            (others, "of them cannot be told apart or placed, and are left out"),
        ] {
            if names.count() > 0 {
                found.diagnostics.push(Diagnostic {
                    problem: Problem::UnknownMessage,
                    url: self.source.index.as_str().to_owned(),
                    text: format!("{} {what}: {names}", names.count()),
                });
            }
        }
    }
}

/// Whether a field is of a step and member of the run.
fn is_of_run(run: &Run, field: &ScannedField) -> bool {
    let step = field.window.map(|window| step_of(run, &window));
    field.reference_time == run.reference_time
        && step.is_none_or(|step| step.is_some())
        && member_of(run, field).is_some()
}

/// The position of the step at whose end a window ends.
fn step_of(run: &Run, window: &Window) -> Option<u32> {
    let (end, unit) = (window.end_seconds(), run.step_unit.seconds());
    let step = u32::try_from(end / unit).ok().filter(|_| end % unit == 0)?;
    let position = run.steps.binary_search(&step).ok()?;
    u32::try_from(position).ok()
}

/// The position of its member; 0 of a field without one in a run without members.
fn member_of(run: &Run, field: &ScannedField) -> Option<u32> {
    let Some(members) = &run.members else { return field.member.is_none().then_some(0) };
    let number = field.member.map_or(0, |member| member.position());
    u32::try_from(members.binary_search(&number).ok()?).ok()
}

fn unknown_message(run: &Run, field: &ScannedField) -> Option<UnknownMessage> {
    let (level, window) = (field.level?, field.window?);
    if field.submessage.is_some() || field.reference_time != run.reference_time {
        return None;
    }
    Some(UnknownMessage {
        variable: DataVariable {
            name: field.name_of_numbers()?,
            level_dimension: None,
            cell_method: cell_method(&window),
            attributes: attributes(field, &level, &window),
        },
        member: member_of(run, field)?,
        step: step_of(run, &window)?,
        offset: field.offset,
        length: NonZeroU32::try_from(u32::try_from(field.length).ok()?).ok()?,
    })
}

/// What CF and cfgrib would say: no more than the numbers tell.
fn attributes(field: &ScannedField, level: &Level, window: &Window) -> Attributes {
    let parameter = &field.parameter;
    let names = parameter.names();
    let long_name = match names {
        Some(names) => names.name.to_owned(),
        None => format!("parameter {} of centre {}", parameter.code(), parameter.centre),
    };
    let units = names.map_or("unknown", |names| names.units);
    let mut list = Attributes::new();
    let mut set = |key: &str, value| list.insert(key.to_owned(), value);
    set("long_name", json!(long_name));
    set("units", json!(units));
    set("level", json!(level.to_string()));
    set("GRIB_discipline", json!(parameter.discipline));
    set("GRIB_parameterCategory", json!(parameter.category));
    set("GRIB_parameterNumber", json!(parameter.number));
    set("GRIB_shortName", json!("unknown"));
    set("GRIB_typeOfLevel", json!(level.type_of_level()));
    set("GRIB_stepType", json!(window.step_type()));
    if let Some(value) = level.value() {
        set("GRIB_level", json!(value));
    }
    list
}

/// As CF writes it, with the rule of the window.
fn cell_method(window: &Window) -> Option<String> {
    let method = window.statistic()?.cell_method()?;
    Some(match rule(window) {
        Some(rule) => format!("{method} (comment: {rule})"),
        None => method.to_owned(),
    })
}

/// Windows from the start of the forecast are of one array, whatever their length, and others
/// of one for each length.
fn rule(window: &Window) -> Option<WindowRule> {
    let length = window.length_seconds();
    if window.start_seconds() == 0 {
        return Some(WindowRule::SinceStart);
    }
    let minutes = u32::try_from(length / 60).ok().filter(|_| length % 60 == 0);
    minutes.filter(|&minutes| minutes > 0).map(|minutes| WindowRule::Last { minutes })
}

impl ScannedField {
    /// A name made of what the message's numbers say and of nothing else:
    /// `param_0_16_201_entire_atmosphere`, `param_0_1_8_surface_accum_run` for windows from the
    /// start of the forecast, `param_0_1_8_surface_accum_1h` for others. None where level or
    /// window are not known.
    #[must_use]
    pub fn name_of_numbers(&self) -> Option<String> {
        let (level, window) = (self.level?, self.window?);
        let code = self.parameter.code().replace('-', "_");
        let mut name = format!("{UNKNOWN_PREFIX}{code}_{}", slug(&level.to_string()));
        if window.statistic().is_some() {
            let length = window.length_seconds();
            let length = match rule(&window) {
                Some(WindowRule::SinceStart) => "run".to_owned(),
                _ if length % 3600 == 0 => format!("{}h", length / 3600),
                _ if length % 60 == 0 => format!("{}min", length / 60),
                _ => format!("{length}s"),
            };
            name.push_str(&format!("_{}_{length}", slug(window.step_type())));
        }
        // A member is a place in an array; what else tells fields apart is not.
        if self.member.is_none() && !self.qualifiers.is_empty() {
            name.push_str(&format!("_{}", slug(&self.qualifiers)));
        }
        Some(name)
    }
}

/// Lower-case letters, digits and single underscores. Different numbers stay different: `0.1` is
/// `0p1`, `0-1` is `0_1`, `=-1` is `minus1`.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_before_digit = letters.peek().is_some_and(char::is_ascii_digit);
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if letter == '.' && previous.is_ascii_digit() && is_before_digit {
            slug.push('p');
        } else {
            if !slug.ends_with('_') && !slug.is_empty() {
                slug.push('_');
            }
            // Between two numbers it is a range.
            if letter == '-' && is_before_digit && !previous.is_ascii_digit() {
                slug.push_str("minus");
            }
            for (sign, word) in [('<', "below_"), ('>', "above_")] {
                if letter == sign {
                    slug.push_str(word);
                }
            }
        }
        previous = letter;
    }
    slug.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_apart() {
        for (text, expected) in [
            ("0-0.1 m below ground", "0_0p1_m_below_ground"),
            ("PV=-2e-06 (Km^2/kg/s) surface", "pv_minus2e_minus06_km_2_kg_s_surface"),
            ("PV=2e-06 (Km^2/kg/s) surface", "pv_2e_minus06_km_2_kg_s_surface"),
            ("prob <0.5", "prob_below_0p5"),
            ("prob >0.5:prob fcst 0/14", "prob_above_0p5_prob_fcst_0_14"),
            (
                "entire atmosphere (considered as a single layer)",
                "entire_atmosphere_considered_as_a_single_layer",
            ),
        ] {
            assert_eq!(slug(text), expected);
        }
    }
}
