//! Values as Python prints them: what `repr` gives for dictionaries, lists, strings and numbers,
//! and `ast.literal_eval` reads.

use std::iter::Peekable;
use std::str::CharIndices;

use gik_core::{Error, Result};
use serde_json::{Map, Number, Value};

/// How deep lists and dictionaries may be nested.
const DEPTH: u32 = 64;

/// The value of a Python literal: `None`, `True`, `False`, numbers, strings, and lists, tuples
/// and dictionaries of them. `nan` and `inf` are strings, as in [`parse_json`](crate::parse_json).
///
/// # Errors
/// When it is something else, bytes and expressions among it; the text says at which byte.
pub fn parse_python(text: &str) -> Result<Value> {
    let mut literal = Literal { text, letters: text.char_indices().peekable() };
    let value = literal.value(DEPTH)?;
    literal.skip_blanks();
    match literal.letters.peek() {
        None => Ok(value),
        Some(_) => Err(literal.wrong("the end of the text")),
    }
}

struct Literal<'t> {
    text: &'t str,
    letters: Peekable<CharIndices<'t>>,
}

impl Literal<'_> {
    fn wrong(&mut self, expected: &str) -> Error {
        let at = self.letters.peek().map_or(self.text.len(), |&(at, _)| at);
        let rest = self.text.get(at..).unwrap_or_default();
        let found = match rest.is_empty() {
            true => "the end of the text".to_owned(),
            false => format!("'{}'", rest.chars().take(20).collect::<String>().escape_debug()),
        };
        Error::malformed("Python literal", format!("{expected} at byte {at}"), found)
    }

    fn skip_blanks(&mut self) {
        while self.letters.next_if(|(_, letter)| letter.is_ascii_whitespace()).is_some() {}
    }

    /// Whether the next letter that is no blank is `wanted`, which is then passed.
    fn passes(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        self.letters.next_if(|&(_, letter)| letter == wanted).is_some()
    }

    fn value(&mut self, depth: u32) -> Result<Value> {
        self.skip_blanks();
        let Some(deeper) = depth.checked_sub(1) else {
            return Err(self.wrong("no more than 64 levels"));
        };
        match self.letters.peek().map(|&(_, letter)| letter) {
            Some(quote @ ('\'' | '"')) => self.string(quote).map(Value::String),
            Some('[') => self.list(']', deeper),
            Some('(') => self.list(')', deeper),
            Some('{') => self.dictionary(deeper),
            Some(_) => self.word(),
            None => Err(self.wrong("a value")),
        }
    }

    fn list(&mut self, end: char, depth: u32) -> Result<Value> {
        self.letters.next();
        let mut values = Vec::new();
        while !self.passes(end) {
            values.push(self.value(depth)?);
            if !self.passes(',') {
                if self.passes(end) {
                    break;
                }
                return Err(self.wrong(&format!("',' or '{end}'")));
            }
        }
        Ok(Value::Array(values))
    }

    fn dictionary(&mut self, depth: u32) -> Result<Value> {
        self.letters.next();
        let mut entries = Map::new();
        while !self.passes('}') {
            let key = match self.value(depth)? {
                Value::String(key) => key,
                other => other.to_string(),
            };
            if !self.passes(':') {
                return Err(self.wrong("':'"));
            }
            entries.insert(key, self.value(depth)?);
            if !self.passes(',') {
                if self.passes('}') {
                    break;
                }
                return Err(self.wrong("',' or '}'"));
            }
        }
        Ok(Value::Object(entries))
    }

    /// A number, or one of the words that stand for a value.
    fn word(&mut self) -> Result<Value> {
        let start = self.letters.peek().map_or(self.text.len(), |&(at, _)| at);
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "+-._".contains(letter);
        let mut ahead = self.letters.clone();
        while ahead.next_if(|&(_, letter)| is_part(letter)).is_some() {}
        let end = ahead.peek().map_or(self.text.len(), |&(at, _)| at);
        let word = self.text.get(start..end).unwrap_or_default();
        let value = match word {
            "None" => Value::Null,
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "nan" => Value::String("NaN".to_owned()),
            "inf" => Value::String("Infinity".to_owned()),
            "-inf" => Value::String("-Infinity".to_owned()),
            _ => Value::Number(number(word).ok_or_else(|| self.wrong("a value"))?),
        };
        self.letters = ahead;
        Ok(value)
    }

    fn string(&mut self, quote: char) -> Result<String> {
        self.letters.next();
        let mut string = String::new();
        loop {
            match self.letters.next() {
                Some((_, letter)) if letter == quote => return Ok(string),
                Some((_, '\\')) => string.extend(self.escaped()?),
                Some((_, letter)) => string.push(letter),
                None => return Err(self.wrong("the end of a string")),
            }
        }
    }

    /// What stands for the letters after a backslash (Python language reference, "Escape
    /// sequences"): nothing for the end of a line.
    fn escaped(&mut self) -> Result<Option<char>> {
        let letter = self.letters.next().map(|(_, letter)| letter);
        let digits = match letter {
            Some('n') => return Ok(Some('\n')),
            Some('r') => return Ok(Some('\r')),
            Some('t') => return Ok(Some('\t')),
            Some('a') => return Ok(Some('\u{7}')),
            Some('b') => return Ok(Some('\u{8}')),
            Some('f') => return Ok(Some('\u{c}')),
            Some('v') => return Ok(Some('\u{b}')),
            Some('0') => return Ok(Some('\0')),
            Some('\n') => return Ok(None),
            Some(same @ ('\\' | '\'' | '"')) => return Ok(Some(same)),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => return Err(self.wrong("an escape sequence")),
        };
        let mut code = 0;
        for _ in 0..digits {
            let digit = self.letters.next().and_then(|(_, letter)| letter.to_digit(16));
            let Some(digit) = digit else { return Err(self.wrong("a hexadecimal digit")) };
            code = code << 4 | digit;
        }
        // Half of a surrogate pair is no character.
        char::from_u32(code).map(Some).ok_or_else(|| self.wrong("a character"))
    }
}

fn number(word: &str) -> Option<Number> {
    if let Ok(integer) = word.parse::<i64>() {
        return Some(integer.into());
    }
    if let Ok(integer) = word.parse::<u64>() {
        return Some(integer.into());
    }
    // Rust reads words that Python does not print; they are finite here.
    let looks_like_one = word.starts_with(|it: char| it.is_ascii_digit() || "+-.".contains(it));
    word.parse().ok().filter(|_| looks_like_one).and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_repr_prints_is_read() {
        let text = r#"{'a/0': ['s3://b/k', 12, 34], "it's": '\x00\n\\\'é☃\U0001f600', 'n': None,
            't': (True, False,), 'f': [-1.5e-3, nan, -inf], 'e': {}, 1: []}"#;
        let expected = json!({
            "a/0": ["s3://b/k", 12, 34],
            "it's": "\0\n\\'é☃😀",
            "n": null,
            "t": [true, false],
            "f": [-1.5e-3, "NaN", "-Infinity"],
            "e": {},
            "1": [],
        });
        assert_eq!(parse_python(text).unwrap(), expected);
    }

    #[test]
    fn what_it_does_not_print_is_an_error() {
        for text in [
            "",
            "{",
            "{'a'",
            "{'a':",
            "{'a' 1}",
            "[1 2]",
            "'",
            "'\\",
            "'\\x4",
            "'\\ud800'",
            "b'x'",
            "1 + 2",
            "f()",
            "infinity",
            "9e999",
            "''''",
            "[,]",
            &"[".repeat(100_000),
        ] {
            assert!(parse_python(text).is_err(), "{text:.20}");
        }
        let error = parse_python("{'a': spam}").unwrap_err().to_string();
        assert!(error.contains("at byte 6") && error.contains("spam"), "{error}");
    }
}
