//! The expressions between `{{` and `}}` of kerchunk's JSON: the part of jinja that its
//! specification shows, over integers and text.

use std::collections::BTreeMap;

use gik_core::{Error, Result};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Number(i64),
    Text(String),
}

/// What names stand for.
pub(crate) trait Names {
    /// The value of a name.
    fn value(&self, name: &str) -> Option<Term>;
    /// The text that a template makes of its arguments.
    ///
    /// # Errors
    /// When there is no such template, or it cannot be made.
    fn call(&self, name: &str, arguments: &BTreeMap<String, Term>) -> Result<String>;
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Constant(Term),
    Name(String),
    Call(String, Vec<(String, Self)>),
    Negated(Box<Self>),
    Binary(char, Box<Self>, Box<Self>),
}

/// Letters of an expression, and of what it makes.
const LENGTH: usize = 4096;
/// How deep brackets nest.
const DEPTH: u32 = 32;
/// Digits to which a number is filled up.
const WIDTH: usize = 32;

impl Expression {
    /// Reads an expression: names, numbers, text in quotes, `+ - * // %`, `~` that joins text,
    /// `name(key=value)`, `'%03d' % i` and `'%03d'|format(i)`.
    ///
    /// # Errors
    /// When it is none of these; the text says where.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.len() > LENGTH {
            return Err(wrong("at most 4096 letters", &text.len().to_string()));
        }
        let mut parser = Parser { rest: text, depth: 0 };
        let expression = parser.sum()?;
        if !parser.rest.trim_start().is_empty() {
            return Err(wrong("the end, or + - * // % ~", parser.rest));
        }
        Ok(expression)
    }

    /// Its value.
    ///
    /// # Errors
    /// When a name is unknown, or numbers do not fit or are divided by 0.
    pub(crate) fn value(&self, names: &dyn Names) -> Result<Term> {
        Ok(match self {
            Self::Constant(term) => term.clone(),
            Self::Name(name) => {
                names.value(name).ok_or_else(|| wrong("a name of templates or dimensions", name))?
            }
            Self::Call(name, arguments) => {
                let mut values = BTreeMap::new();
                for (key, expression) in arguments {
                    values.insert(key.clone(), expression.value(names)?);
                }
                Term::Text(names.call(name, &values)?)
            }
            Self::Negated(expression) => match expression.value(names)? {
                Term::Number(number) => number.checked_neg().map(Term::Number),
                Term::Text(_) => None,
            }
            .ok_or_else(|| wrong("a number after -", "text, or one that is too large"))?,
            Self::Binary(operator, left, right) => {
                combine(*operator, left.value(names)?, right.value(names)?)?
            }
        })
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn combine(operator: char, left: Term, right: Term) -> Result<Term> {
    let term = match (operator, left, right) {
        ('~', left, right) => joined(&left.to_string(), &right.to_string())?,
        ('+', Term::Text(left), Term::Text(right)) => joined(&left, &right)?,
        ('%', Term::Text(format), value) => Term::Text(formatted(&format, &value)?),
        (_, Term::Number(left), Term::Number(right)) => {
            let number = match operator {
                '+' => left.checked_add(right),
                '-' => left.checked_sub(right),
                '*' => left.checked_mul(right),
                // Python rounds down, and its remainder has the sign of the divisor.
                '/' => left.checked_div_euclid(right).map(|quotient| {
                    if right < 0 && left.checked_rem_euclid(right) != Some(0) {
                        quotient - 1
                    } else {
                        quotient
                    }
                }),
                '%' => left
                    .checked_rem_euclid(right)
                    .map(|rest| if right < 0 && rest != 0 { rest + right } else { rest }),
                _ => None,
            };
            Term::Number(number.ok_or_else(|| {
                wrong(
                    "numbers of 64 bits, and none divided by 0",
                    &format!("{left} {operator} {right}"),
                )
            })?)
        }
        (operator, ..) => {
            return Err(wrong("two numbers, or two texts to join", &operator.to_string()));
        }
    };
    Ok(term)
}

fn joined(left: &str, right: &str) -> Result<Term> {
    if left.len() + right.len() > LENGTH {
        return Err(wrong("text of at most 4096 letters", "more"));
    }
    Ok(Term::Text(format!("{left}{right}")))
}

/// `'%03d' % 7`.
fn formatted(format: &str, value: &Term) -> Result<String> {
    let unsupported = || wrong("a format with one %d, %i, %s or like %03d", format);
    let (before, rest) = format.split_once('%').ok_or_else(unsupported)?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(unsupported)?;
    let (width, rest) = rest.split_at(end);
    let mut letters = rest.chars();
    let kind = letters.next();
    let after = letters.as_str();
    if after.contains('%') {
        return Err(unsupported());
    }
    let zeros = width.starts_with('0');
    let width: usize =
        if width.is_empty() { 0 } else { width.parse().map_err(|_| unsupported())? };
    if width > WIDTH {
        return Err(unsupported());
    }
    let middle = match (kind, value) {
        (Some('d' | 'i'), Term::Number(number)) if zeros => format!("{number:0width$}"),
        (Some('d' | 'i'), Term::Number(number)) => format!("{number:width$}"),
        (Some('s'), value) => format!("{:>width$}", value.to_string()),
        _ => return Err(unsupported()),
    };
    match joined(before, &middle)? {
        Term::Text(text) if text.len() + after.len() <= LENGTH => Ok(format!("{text}{after}")),
        _ => Err(unsupported()),
    }
}

fn wrong(expected: &str, found: &str) -> Error {
    let found: String = found.chars().take(80).collect();
    Error::malformed("expression between {{ and }}", expected, found)
}

struct Parser<'t> {
    rest: &'t str,
    depth: u32,
}

impl<'t> Parser<'t> {
    fn sum(&mut self) -> Result<Expression> {
        let mut left = self.product()?;
        loop {
            let Some(operator @ ('+' | '-' | '~')) = self.peek() else { return Ok(left) };
            self.skip(1);
            let right = self.product()?;
            left = Expression::Binary(operator, left.into(), right.into());
        }
    }

    fn product(&mut self) -> Result<Expression> {
        let mut left = self.filtered()?;
        loop {
            self.rest = self.rest.trim_start();
            let (operator, length) = match self.rest.as_bytes() {
                [b'/', b'/', ..] => ('/', 2),
                [b'*', b'*', ..] => return Err(wrong("+ - * // % ~", "**")),
                [b'/', ..] => {
                    let reason = "// (a quotient of / has decimals, which no offset has)";
                    return Err(wrong(reason, "/"));
                }
                [b'*', ..] => ('*', 1),
                [b'%', ..] => ('%', 1),
                _ => return Ok(left),
            };
            self.skip(length);
            let right = self.filtered()?;
            left = Expression::Binary(operator, left.into(), right.into());
        }
    }

    /// An atom, and `|format(…)` behind it.
    fn filtered(&mut self) -> Result<Expression> {
        let atom = self.atom()?;
        if self.peek() != Some('|') {
            return Ok(atom);
        }
        self.skip(1);
        let name = self.name();
        if name != "format" || self.peek() != Some('(') {
            return Err(wrong("the filter format(…)", name));
        }
        self.skip(1);
        let argument = self.nested()?;
        self.expect(')')?;
        Ok(Expression::Binary('%', atom.into(), argument.into()))
    }

    fn atom(&mut self) -> Result<Expression> {
        match self.peek() {
            Some('(') => {
                self.skip(1);
                let inner = self.nested()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some('-') => {
                self.skip(1);
                self.deeper()?;
                let inner = self.atom();
                self.depth -= 1;
                Ok(Expression::Negated(inner?.into()))
            }
            Some(quote @ ('\'' | '"')) => {
                self.skip(1);
                let end =
                    self.rest.find(quote).ok_or_else(|| wrong("the closing quote", self.rest))?;
                let (text, rest) = self.rest.split_at(end);
                if text.contains('\\') {
                    return Err(wrong("text without a backslash", text));
                }
                self.rest = rest;
                self.skip(1);
                Ok(Expression::Constant(Term::Text(text.to_owned())))
            }
            Some(digit) if digit.is_ascii_digit() => {
                let digits = self.take(|letter| letter.is_ascii_alphanumeric() || letter == '.');
                let number = digits.parse().map_err(|_| wrong("a whole number", digits))?;
                Ok(Expression::Constant(Term::Number(number)))
            }
            Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
                let name = self.name().to_owned();
                if self.peek() != Some('(') {
                    return Ok(Expression::Name(name));
                }
                self.skip(1);
                let arguments = self.arguments()?;
                Ok(Expression::Call(name, arguments))
            }
            _ => Err(wrong("a name, a number, text in quotes or a bracket", self.rest)),
        }
    }

    fn arguments(&mut self) -> Result<Vec<(String, Expression)>> {
        let mut arguments = Vec::new();
        if self.peek() == Some(')') {
            self.skip(1);
            return Ok(arguments);
        }
        loop {
            self.peek();
            let name = self.name().to_owned();
            if name.is_empty() || self.peek() != Some('=') {
                return Err(wrong("arguments like name=value", self.rest));
            }
            self.skip(1);
            arguments.push((name, self.nested()?));
            match self.peek() {
                Some(',') => self.skip(1),
                _ => break,
            }
        }
        self.expect(')')?;
        Ok(arguments)
    }

    fn nested(&mut self) -> Result<Expression> {
        self.deeper()?;
        let inner = self.sum();
        self.depth -= 1;
        inner
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH { Err(wrong("at most 32 nested brackets", "more")) } else { Ok(()) }
    }

    fn expect(&mut self, letter: char) -> Result<()> {
        if self.peek() != Some(letter) {
            return Err(wrong(&letter.to_string(), self.rest));
        }
        self.skip(1);
        Ok(())
    }

    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// Past letters of one byte.
    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn name(&mut self) -> &'t str {
        self.rest = self.rest.trim_start();
        self.take(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|letter| !belongs(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known;

    impl Names for Known {
        fn value(&self, name: &str) -> Option<Term> {
            match name {
                "i" => Some(Term::Number(3)),
                "u" => Some(Term::Text("s3://b".into())),
                _ => None,
            }
        }

        fn call(&self, name: &str, arguments: &BTreeMap<String, Term>) -> Result<String> {
            let list: Vec<_> =
                arguments.iter().map(|(key, value)| format!("{key}={value}")).collect();
            Ok(format!("{name}<{}>", list.join(",")))
        }
    }

    fn made(text: &str) -> String {
        Expression::parse(text)
            .and_then(|it| it.value(&Known))
            .map_or_else(|error| format!("error: {error}"), |term| term.to_string())
    }

    #[test]
    fn values_are_those_of_jinja() {
        for (text, expected) in [
            ("u", "s3://b"),
            (" (i + 1) * 1000 ", "4000"),
            ("i*2 - -1", "7"),
            ("2 + 3 * 4", "14"),
            ("10 - 2 - 3", "5"),
            ("7 // 2", "3"),
            ("-7 // 2", "-4"),
            ("7 // -2", "-4"),
            ("-7 // -2", "3"),
            ("-7 % 3", "2"),
            ("7 % -3", "-2"),
            ("u ~ '/' ~ i", "s3://b/3"),
            ("'a' + \"b\"", "ab"),
            ("'f%03d.x' % i", "f003.x"),
            ("'%03d'|format(i * 3)", "009"),
            ("'%3d' % i", "  3"),
            ("'%s' % u", "s3://b"),
            ("f(c='text', d=i+1)", "f<c=text,d=4>"),
            ("f()", "f<>"),
        ] {
            assert_eq!(made(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
        let minus = format!("{}1", "-".repeat(1000));
        for text in [
            "",
            "1 +",
            "x",
            "1 / 2",
            "2 ** 3",
            "1 // 0",
            "1 % 0",
            "'a' * 3",
            "1.5",
            "0x10",
            "'a",
            "f(1)",
            "f(c=)",
            "i | upper",
            "i if u else 1",
            "u.name",
            "u[0]",
            "[1]",
            "'a' - 'b'",
            "9223372036854775807 + 1",
            "99999999999999999999",
            "-'a'",
            "'%5' % i",
            "'%d%d' % i",
            "'%99d' % i",
            "'%f' % i",
            "'a' % i",
            "'\\n'",
            "1 2",
            "é",
            &deep,
            &minus,
            &"1+".repeat(5000),
        ] {
            assert!(made(text).starts_with("error: "), "{text:.40}: {}", made(text));
        }
    }
}
