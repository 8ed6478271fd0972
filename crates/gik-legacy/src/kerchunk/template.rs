//! Text with expressions in it, as kerchunk's JSON has it in urls, keys and offsets.

use std::collections::BTreeMap;

use gik_core::{Error, Result};
use serde_json::{Map, Value as Json};

use super::expression::{Expression, Names, Term};

/// Letters of a url or key that is made.
const LENGTH: usize = 8192;
/// Templates in a file.
const TEMPLATES: usize = 10_000;

/// A text with expressions between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Made(Expression),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// When an expression in it is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.contains("{%") || text.contains("{#") {
            let found: String = text.chars().take(80).collect();
            return Err(Error::unsupported("statement or comment of a template", found));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}").ok_or_else(|| {
                Error::malformed(
                    "template",
                    "}} after {{",
                    after.chars().take(80).collect::<String>(),
                )
            })?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Made(Expression::parse(inside)?));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The text that it makes.
    ///
    /// # Errors
    /// When an expression has no value, or the text is too long.
    pub(crate) fn render(&self, names: &dyn Names) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Made(expression) => text.push_str(&expression.value(names)?.to_string()),
            }
            if text.len() > LENGTH {
                return Err(Error::malformed("template", "text of at most 8192 letters", "more"));
            }
        }
        Ok(text)
    }
}

/// The `templates` of a file: texts, and texts that are made of arguments.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    texts: BTreeMap<String, String>,
    functions: BTreeMap<String, Template>,
}

impl Templates {
    /// Reads the object under `templates`.
    ///
    /// # Errors
    /// When a template is no text, or one that is not understood; the text names it.
    pub(crate) fn parse(object: &Map<String, Json>) -> Result<Self> {
        let mut templates = Self::default();
        if object.len() > TEMPLATES {
            let found = object.len().to_string();
            return Err(Error::malformed("templates", "at most 10,000", found));
        }
        for (name, value) in object {
            let place = || format!("templates.{name}");
            let text = value.as_str().ok_or_else(|| {
                Error::malformed("template", "text", value.to_string()).in_url(place())
            })?;
            // As fsspec has it: without an expression it is a text, with one it is called.
            if text.contains("{{") {
                let template = Template::parse(text).map_err(|error| error.in_url(place()))?;
                templates.functions.insert(name.clone(), template);
            } else {
                templates.texts.insert(name.clone(), text.to_owned());
            }
        }
        Ok(templates)
    }
}

/// The templates of a file, and the values of dimensions.
pub(crate) struct Scope<'t> {
    pub(crate) templates: &'t Templates,
    pub(crate) values: &'t [(String, i64)],
}

impl Names for Scope<'_> {
    fn value(&self, name: &str) -> Option<Term> {
        let own = self.values.iter().find(|(other, _)| other == name);
        own.map(|&(_, number)| Term::Number(number))
            .or_else(|| self.templates.texts.get(name).cloned().map(Term::Text))
    }

    fn call(&self, name: &str, arguments: &BTreeMap<String, Term>) -> Result<String> {
        let function = self.templates.functions.get(name);
        let function = function.ok_or_else(|| {
            Error::malformed("expression between {{ and }}", "a template with {{…}}", name)
        })?;
        // A template sees its arguments alone, so that none can call itself.
        function.render(&Arguments(arguments))
    }
}

struct Arguments<'a>(&'a BTreeMap<String, Term>);

impl Names for Arguments<'_> {
    fn value(&self, name: &str) -> Option<Term> {
        self.0.get(name).cloned()
    }

    fn call(&self, name: &str, _: &BTreeMap<String, Term>) -> Result<String> {
        Err(Error::malformed("template", "its arguments alone", name))
    }
}
