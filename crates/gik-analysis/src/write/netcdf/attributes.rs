//! Attributes: JSON as the store holds them, to the types of the classic format.

use gik_core::Result;
use serde_json::Value;

use super::{Type, list_start, name, padded, word};
use crate::Attributes;

const ATTRIBUTES: u32 = 0x0C;

/// Of Zarr's own encoding, not of the data.
const INTERNAL: [&str; 1] = ["_ARRAY_DIMENSIONS"];

/// The values of an attribute.
#[derive(Debug, Clone, PartialEq)]
enum Values {
    Text(String),
    Int(Vec<i32>),
    Float(f32),
    Double(Vec<f64>),
}

/// A named attribute of a variable or of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) name: String,
    values: Values,
}

impl Attribute {
    pub(super) fn text(name: &str, text: &str) -> Self {
        Self { name: name.into(), values: Values::Text(text.into()) }
    }

    /// `_FillValue`, which must be of its variable's type.
    pub(super) fn fill_value(value: f32) -> Self {
        Self { name: "_FillValue".into(), values: Values::Float(value) }
    }
}

/// The attributes but those in `without`. `null` is left out; numbers and lists of numbers
/// become `i32` where all fit, else `f64`; what the format has no type for (booleans, lists
/// of text, objects) is written as JSON text.
pub(super) fn list(attributes: &Attributes, without: &[&str]) -> Result<Vec<Attribute>> {
    Ok(attributes
        .iter()
        .filter(|(name, value)| {
            !value.is_null()
                && !without.contains(&name.as_str())
                && !INTERNAL.contains(&name.as_str())
        })
        .map(|(name, value)| Attribute { name: name.clone(), values: values(value) })
        .collect())
}

fn values(value: &Value) -> Values {
    let numbers = match value {
        Value::String(text) => return Values::Text(text.clone()),
        Value::Number(_) => std::slice::from_ref(value),
        Value::Array(items) if !items.is_empty() => items.as_slice(),
        _ => &[],
    };
    let ints: Option<Vec<i32>> =
        numbers.iter().map(|n| n.as_i64().and_then(|n| i32::try_from(n).ok())).collect();
    let doubles: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
    match (ints, doubles) {
        (Some(ints), _) if !ints.is_empty() => Values::Int(ints),
        (_, Some(doubles)) if !doubles.is_empty() => Values::Double(doubles),
        _ => Values::Text(value.to_string()),
    }
}

/// Appends the list in the file's form.
pub(super) fn encode(out: &mut Vec<u8>, attributes: &[Attribute]) -> Result<()> {
    list_start(out, ATTRIBUTES, attributes.len())?;
    for attribute in attributes {
        name(out, &attribute.name)?;
        let mut put = |kind: Type, count: usize, bytes: &[u8]| -> Result<()> {
            out.extend(kind.code().to_be_bytes());
            out.extend(word(count)?.to_be_bytes());
            padded(out, bytes);
            Ok(())
        };
        match &attribute.values {
            Values::Text(text) => put(Type::Text, text.len(), text.as_bytes())?,
            Values::Float(value) => put(Type::Float, 1, &value.to_be_bytes())?,
            Values::Int(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
                put(Type::Int, values.len(), &bytes)?;
            }
            Values::Double(values) => {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
                put(Type::Double, values.len(), &bytes)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_to_classic_types() {
        for (value, expected) in [
            (json!("K"), Values::Text("K".into())),
            (json!(3), Values::Int(vec![3])),
            (json!(3_000_000_000_u32), Values::Double(vec![3e9])),
            (json!(0.5), Values::Double(vec![0.5])),
            (json!([1, 2]), Values::Int(vec![1, 2])),
            (json!([1, 2.5]), Values::Double(vec![1.0, 2.5])),
            (json!(true), Values::Text("true".into())),
            (json!(["a", "b"]), Values::Text("[\"a\",\"b\"]".into())),
            (json!([]), Values::Text("[]".into())),
            (json!({"a": 1}), Values::Text("{\"a\":1}".into())),
        ] {
            assert_eq!(values(&value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_left_out() {
        let attributes = json!({"a": null, "_FillValue": 1, "_ARRAY_DIMENSIONS": ["x"], "b": "c"});
        let listed = list(attributes.as_object().unwrap(), &["_FillValue"]).unwrap();
        assert_eq!(listed, [Attribute::text("b", "c")]);
    }
}
