//! Templates: what a scan learned about a product, saved for later runs.
//!
//! A template is a variable table as the model crates have them compiled in: tab-separated text,
//! one row a message. Lines that begin with `#` before the header say what no row does:
//!
//! ```text
//! # files: gfs.{date}/{hour}/atmos/gfs.t{hour}z.pgrb2.0p25.f{step:3}
//! # grid: 00000048 03 …      section 3 of a message, in hexadecimal digits
//! ```
//!
//! [`learn`] makes one of scanned files, [`Template::parser`] builds runs with it, from indexes as
//! from headers, and [`Template::differences`] holds it against a file.

mod learn;
mod parser;

use gik_codec::scan::{Scan, ScannedField};
use gik_core::{Error, Result, VariableRow, VariableTable};

pub use learn::learn;
pub use parser::TemplateParser;

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    /// Its text.
    pub text: &'static str,
    /// Its rows and arrays.
    pub table: VariableTable,
}

impl Template {
    /// Reads a template. It is kept for the life of the program, as the compiled-in ones are.
    ///
    /// # Errors
    /// When it is none; the text names the line.
    pub fn read(text: String) -> Result<Self> {
        let text: &'static str = Box::leak(text.into_boxed_str());
        Ok(Self { text, table: VariableTable::parse(text, |_| true)? })
    }

    /// What a line `# key: value` says.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&'static str> {
        let lines = self.text.lines().take_while(|line| line.starts_with('#'));
        lines
            .filter_map(|line| line.strip_prefix("# ")?.split_once(": "))
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value.trim())
    }

    /// The parser of runs that look like this.
    ///
    /// # Errors
    /// When the template does not say where files lie, or on which grid.
    pub fn parser(self) -> Result<TemplateParser> {
        TemplateParser::new(self)
    }

    /// What a file has otherwise than the template: one line each, none if it is as the template
    /// says.
    ///
    /// # Errors
    /// When the template's grid is no section of a message.
    pub fn differences(&self, scan: &Scan) -> Result<Vec<String>> {
        let mut found = vec![false; self.table.rows().len()];
        let mut list = Vec::new();
        let mut step = 0;
        for field in &scan.fields {
            step = step.max(field.window.map_or(0, |window| window.end_seconds()));
            match self.row_of(field) {
                Some(row) => {
                    if let Some(found) = found.get_mut(row) {
                        *found = true;
                    }
                }
                None => list.push(format!("not in the template: {}", named(field))),
            }
        }
        let step = u32::try_from(step / 3600).unwrap_or(u32::MAX);
        for (row, _) in self.table.rows().iter().zip(found).filter(|(_, found)| !found) {
            if row.leads.include(step) {
                list.push(format!(
                    "not in the file: {}:{} ({})",
                    row.abbreviation, row.level_text, row.name
                ));
            }
        }
        if let Some(digits) = self.fact("grid") {
            let section = from_hexadecimal(digits)?;
            let others = scan.fields.iter().filter(|it| it.grid.section[..] != section[..]).count();
            if others > 0 {
                list.push(format!("on another grid: {others} of {} fields", scan.fields.len()));
            }
        }
        Ok(list)
    }

    /// The position of the row of a field.
    fn row_of(&self, field: &ScannedField) -> Option<usize> {
        let (level, window) = (field.level?, field.window?);
        let param = field.parameter.code();
        self.table.rows().iter().position(|row| {
            row.fact("param") == param
                && row.level == level
                && row.statistic == window.statistic()
                && learn::fits(row, &window)
        })
    }
}

/// `APCP:surface:0-3 hour acc fcst`
fn named(field: &ScannedField) -> String {
    let text = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    format!(
        "{}:{}:{}",
        field.parameter,
        text(field.level.map(|it| it.to_string())),
        text(field.window.map(|it| it.to_string()))
    )
}

/// Bytes from pairs of digits.
fn from_hexadecimal(digits: &str) -> Result<Vec<u8>> {
    let wrong = || Error::malformed("grid of a template", "pairs of hexadecimal digits", digits);
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = str::from_utf8(pair).map_err(|_| wrong())?;
            u8::from_str_radix(pair, 16).map_err(|_| wrong())
        })
        .collect()
}

/// Whether a row is a message of a step.
fn is_expected(row: &VariableRow, step: u32) -> bool {
    row.leads.include(step)
}
