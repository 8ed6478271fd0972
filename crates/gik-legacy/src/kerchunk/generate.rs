//! References that are generated: `gen` of kerchunk's JSON of version 1.

use gik_core::{Error, ErrorKind, Result};
use serde_json::Value as Json;

use super::template::{Scope, Template, Templates};
use crate::{ReferenceSet, Value};

/// Dimensions of a generator.
const DIMENSIONS: usize = 16;

/// Adds what a generator makes: a key, and a url with or without offset and length, for each
/// combination of its dimensions.
///
/// # Errors
/// When it is none, or would make more than `limit` references with those that are there.
pub(crate) fn generate(
    set: &mut ReferenceSet,
    generator: &Json,
    templates: &Templates,
    limit: u64,
) -> Result<()> {
    let text = |name: &str| match generator.get(name) {
        Some(Json::String(text)) => Template::parse(text).map(Some),
        Some(Json::Number(number)) => Template::parse(&number.to_string()).map(Some),
        Some(Json::Null) | None => Ok(None),
        Some(other) => Err(Error::malformed("generator", "text", format!("{name}: {other}"))),
    };
    let missing = |name: &str| Error::malformed("generator", name, "none");
    let key = text("key")?.ok_or_else(|| missing("key"))?;
    let url = text("url")?.ok_or_else(|| missing("url"))?;
    let range = match (text("offset")?, text("length")?) {
        (Some(offset), Some(length)) => Some((offset, length)),
        (None, None) => None,
        _ => return Err(Error::malformed("generator", "offset and length", "one of them")),
    };
    let dimensions = dimensions(generator)?;
    let made = dimensions.iter().fold(1_u64, |product, it| product.saturating_mul(it.length));
    let found = made.saturating_add(set.entries.len() as u64);
    if found > limit {
        let what = "number of generated references";
        return Err(Error::new(ErrorKind::LimitExceeded { what, limit, found }));
    }
    for index in 0..made {
        let mut rest = index;
        let mut values = Vec::new();
        for dimension in dimensions.iter().rev() {
            values.push((dimension.name.clone(), dimension.at(rest % dimension.length)?));
            rest /= dimension.length;
        }
        let scope = Scope { templates, values: &values };
        let key = key.render(&scope)?.trim_start_matches('/').to_owned();
        let url = url.render(&scope)?;
        let number = |template: &Template| {
            let text = template.render(&scope)?;
            text.trim().parse::<u64>().map_err(|_| {
                Error::malformed("generator", "offset and length from 0", text.as_str())
            })
        };
        let place = match &range {
            Some((offset, length)) => {
                Json::from(vec![Json::from(url), number(offset)?.into(), number(length)?.into()])
            }
            None => Json::from(vec![url]),
        };
        let value = Value::of_json(&key, &place).map_err(|error| error.in_url(key.clone()))?;
        set.entries.insert(key, value);
    }
    Ok(())
}

/// The values that a name takes.
struct Dimension {
    name: String,
    length: u64,
    values: Values,
}

enum Values {
    List(Vec<i64>),
    Range { start: i64, step: i64 },
}

impl Dimension {
    fn at(&self, index: u64) -> Result<i64> {
        let index_too_large = || Error::malformed("dimension", "numbers of 64 bits", "more");
        match &self.values {
            Values::List(list) => {
                usize::try_from(index).ok().and_then(|index| list.get(index)).copied()
            }
            Values::Range { start, step } => i64::try_from(index)
                .ok()
                .and_then(|index| index.checked_mul(*step))
                .and_then(|far| start.checked_add(far)),
        }
        .ok_or_else(index_too_large)
    }
}

fn dimensions(generator: &Json) -> Result<Vec<Dimension>> {
    let wrong = |found: &Json| {
        let found: String = found.to_string().chars().take(80).collect();
        Error::malformed("dimensions of a generator", "lists, or {start, stop, step}", found)
    };
    let null = Json::Null;
    let all = generator.get("dimensions").unwrap_or(&null);
    let object = all.as_object().filter(|it| it.len() <= DIMENSIONS).ok_or_else(|| wrong(all))?;
    let mut dimensions = Vec::new();
    for (name, value) in object {
        let (length, values) = match value {
            Json::Array(list) => {
                let list: Option<Vec<i64>> = list.iter().map(Json::as_i64).collect();
                let list = list.ok_or_else(|| wrong(value))?;
                (list.len() as u64, Values::List(list))
            }
            Json::Object(range) => {
                let number = |key: &str, otherwise: Option<i64>| match range.get(key) {
                    Some(value) => value.as_i64(),
                    None => otherwise,
                };
                let (Some(start), Some(stop), Some(step)) =
                    (number("start", Some(0)), number("stop", None), number("step", Some(1)))
                else {
                    return Err(wrong(value));
                };
                // As Python's range.
                let far = i128::from(stop) - i128::from(start);
                let step_wide = i128::from(step);
                let length = match step {
                    0 => return Err(wrong(value)),
                    _ if (far > 0) != (step > 0) => 0,
                    _ => far.unsigned_abs().div_ceil(step_wide.unsigned_abs()),
                };
                let length = u64::try_from(length).unwrap_or(u64::MAX);
                (length, Values::Range { start, step })
            }
            other => return Err(wrong(other)),
        };
        dimensions.push(Dimension { name: name.clone(), length, values });
    }
    Ok(dimensions)
}
