//! One line: JSON to an [`Entry`], key by key, without a map between.

use std::cell::Cell;
use std::fmt;

use gik_core::ReferenceTime;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

use super::diagnostic::LineProblem;
use super::entry::{Entry, FieldType, LevelType, Steps, digits};
use super::flat;
use super::scalar::Scalar;

/// Date and time of the line before, and what they mean: all lines of a file say the same.
#[derive(Debug, Default)]
pub(super) struct Memo<'a> {
    keys: (Option<Scalar<'a>>, Option<Scalar<'a>>),
    time: Option<ReferenceTime>,
}

/// Parses a line.
pub(super) fn parse<'a>(
    text: &'a str,
    line: u32,
    memo: &mut Memo<'a>,
) -> Result<Entry<'a>, LineProblem> {
    let mut values = Values::default();
    if flat::read(text, |key, value| values.put(Key::of(key), value)).is_some() {
        return values.entry(line, memo);
    }
    general(text, line, memo)
}

/// The same through a parser of all of JSON.
pub(super) fn general<'a>(
    text: &'a str,
    line: u32,
    memo: &mut Memo<'a>,
) -> Result<Entry<'a>, LineProblem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let problem = Cell::new(None);
    let seed = LineSeed { line, memo, problem: &problem };
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
    /// One that makes it another field than the others say.
    Special,
    Unknown,
}

impl Key {
    fn of(text: &str) -> Self {
        // Bytes, not text: a tree of comparisons by length instead of a list of them.
        match text.as_bytes() {
            b"date" => Self::Date,
            b"time" => Self::Time,
            b"step" => Self::Step,
            b"param" => Self::Param,
            b"levtype" => Self::LevelType,
            b"levelist" => Self::LevelList,
            b"number" => Self::Number,
            b"type" => Self::Type,
            b"stream" => Self::Stream,
            b"class" => Self::Class,
            b"model" => Self::Model,
            b"_offset" => Self::Offset,
            b"_length" => Self::Length,
            // Keys that tell fields apart which are the same in all others.
            b"quantile" | b"direction" | b"frequency" | b"hdate" | b"fcperiod" | b"method" => {
                Self::Special
            }
            _ => Self::Unknown,
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
                Ok(Key::of(text))
            }
        }

        deserializer.deserialize_identifier(KeyVisitor)
    }
}

/// Reads an object into an entry; says in `problem` why an object is none.
struct LineSeed<'p, 'de> {
    line: u32,
    memo: &'p mut Memo<'de>,
    problem: &'p Cell<Option<LineProblem>>,
}

impl<'de> DeserializeSeed<'de> for LineSeed<'_, 'de> {
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
    repeated: Option<&'static str>,
}

impl<'de> Visitor<'de> for LineSeed<'_, 'de> {
    type Value = Entry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry<'de>, A::Error> {
        let mut values = Values::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Special | Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    values.put(key, Scalar::Nothing);
                }
                _ => values.put(key, map.next_value()?),
            }
        }
        values.entry(self.line, self.memo).map_err(|problem| {
            self.problem.set(Some(problem));
            A::Error::custom("no entry")
        })
    }
}

impl<'a> Values<'a> {
    fn put(&mut self, key: Key, value: Scalar<'a>) {
        let (slot, name) = match key {
            Key::Date => (&mut self.date, "date"),
            Key::Time => (&mut self.time, "time"),
            Key::Step => (&mut self.step, "step"),
            Key::Param => (&mut self.param, "param"),
            Key::LevelType => (&mut self.level_type, "levtype"),
            Key::LevelList => (&mut self.level, "levelist"),
            Key::Number => (&mut self.number, "number"),
            Key::Type => (&mut self.field_type, "type"),
            Key::Stream => (&mut self.stream, "stream"),
            Key::Class => (&mut self.class, "class"),
            Key::Model => (&mut self.model, "model"),
            Key::Offset => (&mut self.offset, "_offset"),
            Key::Length => (&mut self.length, "_length"),
            Key::Special => {
                self.is_special = true;
                return;
            }
            Key::Unknown => return,
        };
        if value != Scalar::Nothing && slot.replace(value).is_some() {
            self.repeated = Some(name);
        }
    }

    fn entry(self, line: u32, memo: &mut Memo<'a>) -> Result<Entry<'a>, LineProblem> {
        if let Some(key) = self.repeated {
            return Err(LineProblem::RepeatedKey(key));
        }
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
        let level_type = text(self.level_type, "levtype")?
            .map(|name| LevelType::from_mars(&name).unwrap_or(LevelType::Other));
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
            reference_time: memo.reference_time(self.date, self.time)?,
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

impl<'a> Memo<'a> {
    fn reference_time(
        &mut self,
        date: Option<Scalar<'a>>,
        time: Option<Scalar<'a>>,
    ) -> Result<Option<ReferenceTime>, LineProblem> {
        if (&date, &time) != (&self.keys.0, &self.keys.1) {
            self.time = reference_time(date.as_ref(), time.as_ref())?;
            self.keys = (date, time);
        }
        Ok(self.time)
    }
}

/// Of a date (`20250106` or `2025-01-06`) and a time of day (`0600`, `600`, `6`, also with
/// seconds); none when there is no date.
fn reference_time(
    date: Option<&Scalar<'_>>,
    time: Option<&Scalar<'_>>,
) -> Result<Option<ReferenceTime>, LineProblem> {
    let Some(date) = date else { return Ok(None) };
    let wrong = LineProblem::BadValue("date");
    let date = match date {
        Scalar::Text(text) if text.len() == 10 => dashed(text),
        other => other.number(),
    };
    let time = match time {
        Some(time) => time.number().ok_or(LineProblem::BadValue("time"))?,
        None => 0,
    };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Both readers, where the short cut answers at all, say the same.
    fn agree(text: &str) {
        let mut values = Values::default();
        if flat::read(text, |key, value| values.put(Key::of(key), value)).is_some() {
            let short = values.entry(1, &mut Memo::default());
            assert_eq!(short, general(text, 1, &mut Memo::default()), "{text}");
        }
    }

    const LINE: &str = r#"{"date": "20250930", "time": "0000", "type": "pf", "stream": "enfo", "step": "135", "levelist": 500, "levtype": "pl", "number": "29", "param": "t", "_offset": 1091287200, "_length": 659210}"#;

    #[test]
    fn the_short_cut_takes_real_lines() {
        assert!(flat::read(LINE, |_, _| ()).is_some());
        for other in
            [r#"{"a":-1}"#, r#"{"a":01}"#, r#"{"a":1.0}"#, r#"{"a":"\u0041"}"#, "{}", "{\"a\":1} x"]
        {
            assert!(flat::read(other, |_, _| ()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_changed_byte_changes_both() {
        for position in 0..LINE.len() {
            agree(&LINE[..position]);
            for value in "\"\\{}[],:09-.e \t\u{1}é".chars() {
                agree(&format!("{}{value}{}", &LINE[..position], &LINE[position + 1..]));
            }
        }
    }

    proptest! {
        #[test]
        fn any_json_is_read_alike(text in r#"\{("(_offset|_length|param|step|date|x)"[ ]?:[ ]?("[a-z0-9-]{0,8}"|[0-9]{1,20}),?[ ]?){0,8}\}"#) {
            agree(&text);
        }
    }
}
