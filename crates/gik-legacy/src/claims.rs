//! What the keys of a file, and the coordinates beside them, say of its references.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use gik_core::Result;

use crate::catalogue::Subject;
use crate::findings::{Finding, Findings};
use crate::hierarchy::{Coordinate, MessageArray};
use crate::{ReferenceSet, Value};

/// One reference, or message, with what is said of it.
#[derive(Debug)]
pub(crate) struct Claim<'s> {
    pub(crate) key: &'s str,
    pub(crate) target: Target<'s>,
    /// What it is of, in the words that may be the model's; the best first.
    pub(crate) subjects: [Subject<'s>; 2],
    pub(crate) member: Option<u32>,
    pub(crate) step_seconds: Option<i64>,
    pub(crate) level: Option<ClaimedLevel>,
    /// Whether it is the first one of its array: what is wrong with that is said once.
    pub(crate) is_first: bool,
    /// Whether it lies outside of its array, so that its place says nothing.
    pub(crate) is_outside: bool,
}

/// Where the message is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'s> {
    Range { url: &'s Arc<str>, offset: u64, length: NonZeroU32 },
    Inline(&'s Bytes),
}

/// A level that a coordinate says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaimedLevel {
    pub(crate) value: f64,
    /// Whether it is one of several, along a dimension.
    pub(crate) is_dimension: bool,
}

/// Calls `take` for each claim of a set. What is no claim is in the findings. `takes_all` is for
/// who reads the headers of messages: what lies outside of its array is a claim then, too.
pub(crate) fn each_claim(
    set: &ReferenceSet,
    name: &str,
    takes_all: bool,
    findings: &mut Findings,
    mut take: impl FnMut(Claim<'_>, &mut Findings) -> Result<()>,
) -> Result<()> {
    let (arrays, placeholders) = MessageArray::all(set);
    let flat: Vec<_> =
        set.below("step_").filter_map(|(key, value)| FlatKey::parse(key, value)).collect();
    for path in placeholders {
        findings.add(Finding::Placeholder, || format!("{name}: {path}"));
    }
    // What was written from a store has all in the hierarchy; its flat keys repeat a part.
    let is_own = set.object(".zattrs").is_some_and(|it| it.contains_key("gik_model"));
    if !flat.is_empty() && !is_own {
        // The hierarchy beside them was made of the first files alone, or of none, and has
        // members and levels mixed up.
        for array in arrays {
            findings.add(Finding::Placeholder, || format!("{name}: {}", array.path));
        }
        for FlatKey { key, value, parts: [step, param, level_type, member] } in flat {
            let Some(target) = target(key, value, name, findings) else { continue };
            let hours: Option<i64> = step.parse().ok();
            let level_type = if level_type == "surface" { "sfc" } else { level_type };
            let subject = Subject::Mars { param, level_type };
            let claim = Claim {
                key,
                target,
                subjects: [subject, subject],
                member: member_of_name(member),
                step_seconds: hours.and_then(|hours| hours.checked_mul(3600)),
                level: None,
                is_first: false,
                is_outside: false,
            };
            take(claim, findings)?;
        }
        return Ok(());
    }
    let mut groups = BTreeMap::new();
    for array in &arrays {
        let level_type = array.text("GRIB_typeOfLevel", 1);
        let key = (array.group(), level_type);
        let coordinates =
            groups.entry(key).or_insert_with(|| Coordinates::read(set, array.group(), level_type));
        coordinates.note(array, name, findings);
        each_chunk(set, array, is_own, coordinates, (name, takes_all), findings, &mut take)?;
    }
    Ok(())
}

fn each_chunk(
    set: &ReferenceSet,
    array: &MessageArray<'_>,
    is_own: bool,
    coordinates: &Coordinates,
    (name, takes_all): (&str, bool),
    findings: &mut Findings,
    take: &mut impl FnMut(Claim<'_>, &mut Findings) -> Result<()>,
) -> Result<()> {
    let level_type = array.text("GRIB_typeOfLevel", 1);
    let step_type = array.text("GRIB_stepType", 2);
    let subject = |name| Subject::Group { name, level_type, step_type };
    let subjects = match is_own {
        true => [Subject::Own(array.name()), subject(array.name())],
        false => [subject(array.text("GRIB_cfVarName", 0)), subject(array.name())],
    };
    let mut is_first = true;
    for chunk in array.chunks(set) {
        if chunk.place.is_none() && !takes_all {
            findings.add(Finding::OutsideArray, || format!("{name}: {}", chunk.key));
            continue;
        }
        let is_outside = chunk.place.is_none();
        let numbers = chunk.place.unwrap_or_default();
        let Some(target) = target(chunk.key, chunk.value, name, findings) else { continue };
        let place: BTreeMap<&str, u64> =
            array.dimensions.iter().map(String::as_str).zip(numbers).collect();
        let at = |it: &Option<Coordinate>| it.as_ref().and_then(|it| it.at(&place));
        let seconds = coordinates.step.as_ref().and_then(|it| it.seconds_at(&place));
        let level = at(&coordinates.level).map(|value| ClaimedLevel {
            value,
            is_dimension: array.dimensions.iter().any(|dimension| dimension == level_type),
        });
        let claim = Claim {
            key: chunk.key,
            target,
            subjects,
            member: at(&coordinates.number).and_then(whole).and_then(|it| u32::try_from(it).ok()),
            step_seconds: seconds.and_then(whole),
            level,
            is_first: std::mem::take(&mut is_first),
            is_outside,
        };
        take(claim, findings)?;
    }
    Ok(())
}

/// Where a chunk's message is, if that can be used.
fn target<'s>(
    key: &str,
    value: &'s Value,
    name: &str,
    findings: &mut Findings,
) -> Option<Target<'s>> {
    match value {
        Value::Range { url, offset, length } => {
            let length = u32::try_from(*length).ok().and_then(NonZeroU32::new);
            if let Some(length) = length {
                return Some(Target::Range { url, offset: *offset, length });
            }
        }
        Value::Inline(bytes) => return Some(Target::Inline(bytes)),
        // A file has more messages than one.
        Value::Whole { .. } | Value::Metadata(_) => {}
    }
    findings.add(Finding::BadRow, || format!("{name}: {key}"));
    None
}

/// `step_024/tp/sfc/control/0.0.0`
struct FlatKey<'s> {
    key: &'s str,
    value: &'s Value,
    parts: [&'s str; 4],
}

impl<'s> FlatKey<'s> {
    fn parse(key: &'s str, value: &'s Value) -> Option<Self> {
        let mut parts = key.strip_prefix("step_")?.split('/');
        let four = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let id = parts.next()?;
        let is_whole = id.split('.').all(|number| number == "0") && parts.next().is_none();
        is_whole.then_some(Self { key, value, parts: four })
    }
}

/// The number of a member: `control`, `ens01`, `ens_01`, `gep01`.
pub(crate) fn member_of_name(name: &str) -> Option<u32> {
    if matches!(name, "control" | "ens_control" | "cf" | "gec00") {
        return Some(0);
    }
    let digits = ["ens", "gep", "pf"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    digits.trim_start_matches('_').parse().ok()
}

/// The coordinates of a group.
struct Coordinates {
    step: Option<Coordinate>,
    number: Option<Coordinate>,
    level: Option<Coordinate>,
    time: Option<Coordinate>,
    valid_time: Option<Coordinate>,
}

impl Coordinates {
    fn read(set: &ReferenceSet, group: &str, level_type: &str) -> Self {
        let read = |name| Coordinate::read(set, group, name);
        Self {
            step: read("step"),
            number: read("number"),
            level: read(level_type),
            time: read("time"),
            valid_time: read("valid_time"),
        }
    }

    /// Notes that an array's reference time is its valid time: so it is where a step is not 0.
    fn note(&self, array: &MessageArray<'_>, name: &str, findings: &mut Findings) {
        let (Some(time), Some(valid), Some(step)) = (&self.time, &self.valid_time, &self.step)
        else {
            return;
        };
        if time.values == valid.values && step.values.iter().any(|&step| step != 0.0) {
            findings.add(Finding::TimeIsValidTime, || format!("{name}: {}", array.path));
        }
    }
}

/// A number that should be whole.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_many_names() {
        let numbers =
            ["control", "ens01", "ens_01", "ens_13", "gep30", "gec00"].map(member_of_name);
        assert_eq!(numbers, [Some(0), Some(1), Some(1), Some(13), Some(30), Some(0)]);
        assert_eq!(["", "ens", "member1", "ens_x"].map(member_of_name), [None; 4]);
    }
}
