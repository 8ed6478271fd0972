//! One line: JSON to an [`Entry`], key by key, without a map between.

use std::cell::Cell;
use std::fmt;

use gik_core::ReferenceTime;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

use super::diagnostic::LineProblem;
use super::entry::{Entry, FieldType, LevelType, Steps, digits};
use super::scalar::Scalar;

/// Parses a line.
pub(super) fn parse(text: &str, line: u32) -> Result<Entry<'_>, LineProblem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let problem = Cell::new(None);
    let seed = LineSeed { line, problem: &problem };
    let parsed = seed.deserialize(&mut json).and_then(|entry| json.end().map(|()| entry));
    parsed
        .map_err(|error| problem.take().unwrap_or_else(|| LineProblem::NotJson(error.to_string())))
}

/// The keys that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Date,
    Time,
    Step,
    Param,
    LevelType,
    LevelList,
    Number,
    Type,
    Stream,
    Class,
    Model,
    Offset,
    Length,
    /// One of [`SPECIAL`].
    Special,
    Unknown,
}

/// MARS keys that tell fields apart which are the same in all other keys.
const SPECIAL: [&str; 6] = ["quantile", "direction", "frequency", "hdate", "fcperiod", "method"];

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
                Ok(match text {
                    "date" => Key::Date,
                    "time" => Key::Time,
                    "step" => Key::Step,
                    "param" => Key::Param,
                    "levtype" => Key::LevelType,
                    "levelist" => Key::LevelList,
                    "number" => Key::Number,
                    "type" => Key::Type,
                    "stream" => Key::Stream,
                    "class" => Key::Class,
                    "model" => Key::Model,
                    "_offset" => Key::Offset,
                    "_length" => Key::Length,
                    "domain" | "expver" => Key::Unknown,
                    other if SPECIAL.contains(&other) => Key::Special,
                    _ => Key::Unknown,
                })
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Reads an object into an entry; says in `problem` why an object is none.
struct LineSeed<'p> {
    line: u32,
    problem: &'p Cell<Option<LineProblem>>,
}

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = Entry<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entry<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// The values of the keys, as far as they have come.
#[derive(Default)]
struct Values<'a> {
    date: Option<Scalar<'a>>,
    time: Option<Scalar<'a>>,
    step: Option<Scalar<'a>>,
    param: Option<Scalar<'a>>,
    level_type: Option<Scalar<'a>>,
    level: Option<Scalar<'a>>,
    number: Option<Scalar<'a>>,
    field_type: Option<Scalar<'a>>,
    stream: Option<Scalar<'a>>,
    class: Option<Scalar<'a>>,
    model: Option<Scalar<'a>>,
    offset: Option<Scalar<'a>>,
    length: Option<Scalar<'a>>,
    is_special: bool,
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = Entry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry<'de>, A::Error> {
        let mut values = Values::default();
        let mut repeated = None;
        while let Some(key) = map.next_key::<Key>()? {
            let (slot, name) = match key {
                Key::Date => (&mut values.date, "date"),
                Key::Time => (&mut values.time, "time"),
                Key::Step => (&mut values.step, "step"),
                Key::Param => (&mut values.param, "param"),
                Key::LevelType => (&mut values.level_type, "levtype"),
                Key::LevelList => (&mut values.level, "levelist"),
                Key::Number => (&mut values.number, "number"),
                Key::Type => (&mut values.field_type, "type"),
                Key::Stream => (&mut values.stream, "stream"),
                Key::Class => (&mut values.class, "class"),
                Key::Model => (&mut values.model, "model"),
                Key::Offset => (&mut values.offset, "_offset"),
                Key::Length => (&mut values.length, "_length"),
                Key::Special => {
                    values.is_special = true;
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value::<Scalar<'de>>()?;
            if value != Scalar::Nothing && slot.replace(value).is_some() {
                repeated = Some(LineProblem::RepeatedKey(name));
            }
        }
        repeated.map_or_else(|| values.entry(self.line), Err).map_err(|problem| {
            self.problem.set(Some(problem));
            A::Error::custom("no entry")
        })
    }
}

impl<'a> Values<'a> {
    fn entry(self, line: u32) -> Result<Entry<'a>, LineProblem> {
        let param = required(self.param, "param")?
            .text()
            .filter(|param| !param.is_empty())
            .ok_or(LineProblem::BadValue("param"))?;
        let bytes = |value, key| required(value, key)?.bytes().ok_or(LineProblem::BadValue(key));
        let offset = bytes(self.offset, "_offset")?;
        let length = bytes(self.length, "_length")?;
        if length == 0 || offset.checked_add(length).is_none() {
            return Err(LineProblem::BadValue("_length"));
        }
        let text = |value: Option<Scalar<'a>>, key| {
            let value = value.map(|value| value.text().ok_or(LineProblem::BadValue(key)));
            value.transpose()
        };
        let level_type = match text(self.level_type, "levtype")? {
            Some(name) => {
                Some(LevelType::from_mars(&name).ok_or(LineProblem::BadValue("levtype"))?)
            }
            None => None,
        };
        let steps = match self.step {
            Some(Scalar::Text(text)) => {
                Some(Steps::from_mars(&text).ok_or(LineProblem::BadValue("step"))?)
            }
            other => number(other, "step")?.map(|end| Steps { start: None, end }),
        };
        Ok(Entry {
            line,
            offset,
            length,
            param,
            level_type,
            level: number(self.level, "levelist")?,
            steps,
            number: number(self.number, "number")?,
            field_type: text(self.field_type, "type")?.map(|name| FieldType::from_mars(&name)),
            stream: text(self.stream, "stream")?,
            class: text(self.class, "class")?,
            model: text(self.model, "model")?,
            reference_time: reference_time(self.date, self.time)?,
            is_special: self.is_special,
        })
    }
}

fn required<'a>(value: Option<Scalar<'a>>, key: &'static str) -> Result<Scalar<'a>, LineProblem> {
    value.ok_or(LineProblem::MissingKey(key))
}

fn number(value: Option<Scalar<'_>>, key: &'static str) -> Result<Option<u32>, LineProblem> {
    value.map(|value| value.number().ok_or(LineProblem::BadValue(key))).transpose()
}

/// Of a date (`20250106` or `2025-01-06`) and a time of day (`0600`, `600`, `6`, also with
/// seconds); none when there is no date.
fn reference_time(
    date: Option<Scalar<'_>>,
    time: Option<Scalar<'_>>,
) -> Result<Option<ReferenceTime>, LineProblem> {
    let Some(date) = date else { return Ok(None) };
    let wrong = LineProblem::BadValue("date");
    let date = match &date {
        Scalar::Text(text) if text.len() == 10 => dashed(text),
        other => other.number(),
    };
    let time = number(time, "time")?.unwrap_or_default();
    let clock = match time {
        0..=23 => Some((time, 0)),
        100..=2359 => Some((time / 100, time % 100)),
        10_000..=235_959 => Some((time / 10_000, time / 100 % 100)),
        _ => None,
    };
    let (hour, minute) = clock.ok_or(LineProblem::BadValue("time"))?;
    if hour > 23 || minute > 59 {
        return Err(LineProblem::BadValue("time"));
    }
    let date = date.ok_or(wrong.clone())?;
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let year = i32::try_from(year).map_err(|_| wrong.clone())?;
    let civil = chrono::NaiveDate::from_ymd_opt(year, month, day)
        .filter(|_| year <= 9999)
        .and_then(|date| date.and_hms_opt(hour, minute, 0))
        .ok_or(wrong)?;
    Ok(Some(ReferenceTime::from_seconds(civil.and_utc().timestamp())))
}

/// `2025-01-06` as the number 20250106.
fn dashed(text: &str) -> Option<u32> {
    let mut parts = text.split('-');
    let mut part = |length: usize| digits(parts.next().filter(|it| it.len() == length)?);
    Some(part(4)? * 10_000 + part(2)? * 100 + part(2)?)
}
