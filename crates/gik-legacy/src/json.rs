//! JSON as Python writes it.
//!
//! `json.dumps` writes the bare words `NaN`, `Infinity` and `-Infinity`, which are no JSON; the
//! `.zarray` of every legacy reference has one. They are read as strings of the same letters,
//! which is how Zarr v2 writes them (Zarr v2 specification, "Fill value encoding").

use std::borrow::Cow;

use gik_core::{Error, Result};
use serde_json::Value;

/// The words, longest first: one is the end of another.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The value of a text in JSON or in what Python takes for it. Of keys that are given twice the
/// last one counts.
///
/// # Errors
/// When it is neither, or nested more than 127 levels deep.
pub fn parse_json(text: &str) -> Result<Value> {
    serde_json::from_str(&strict_json(text)).map_err(|error| {
        // The text says what, line and column; the words' quotes may have moved the latter.
        Error::malformed("JSON", "a value", error.to_string()).with_source(error)
    })
}

/// The text with the bare words in quotes: strict JSON, if it was JSON otherwise.
pub fn strict_json(text: &str) -> Cow<'_, str> {
    if !WORDS.iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut strict = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut in_string = false;
    while let Some(letter) = rest.chars().next() {
        let length = if in_string {
            match letter {
                // What follows a backslash ends no string.
                '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
                _ => letter.len_utf8(),
            }
        } else {
            let word = WORDS.iter().find(|word| rest.starts_with(**word));
            if let Some(word) = word {
                strict.extend(["\"", word, "\""]);
                rest = rest.get(word.len()..).unwrap_or_default();
                continue;
            }
            letter.len_utf8()
        };
        if letter == '"' {
            in_string = !in_string;
        }
        let (done, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        strict.push_str(done);
        rest = left;
    }
    Cow::Owned(strict)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bare_words_become_strings() {
        let text = r#"{"fill_value":NaN,"a":[-Infinity, Infinity,-1.5],"text":"a \"NaN\" é \\"}"#;
        let expected = json!({
            "fill_value": "NaN",
            "a": ["-Infinity", "Infinity", -1.5],
            "text": "a \"NaN\" é \\",
        });
        assert_eq!(parse_json(text).unwrap(), expected);
    }

    #[test]
    fn strict_text_is_left_alone() {
        assert!(matches!(strict_json(r#"{"a":1}"#), Cow::Borrowed(_)));
        assert_eq!(strict_json(r#"["NaN"]"#), r#"["NaN"]"#);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for text in ["", "{", "{'a': 1}", "[1,]", "NaNs", "\"\\", "nan", &"[".repeat(100_000)] {
            assert!(parse_json(text).is_err(), "{text:.20}");
        }
    }
}
