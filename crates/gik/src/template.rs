//! Templates: what a scan learned about a product, saved for later runs.
//!
//! A template is a variable table as the model crates have them compiled in: tab-separated text,
//! one row a message. Lines that begin with `#` before the header say what no row does:
//!
//! ```text
//! # files: gfs.{date}/{hour}/atmos/gfs.t{hour}z.pgrb2.0p25.f{step:3}
//! # grid: 00000048 03 …      section 3 of a message, in hexadecimal digits
//! # qualifier: ens mean      what all messages say of themselves beside their member
//! # index: ecmwf             indexes are ECMWF's (x.index of x.grib2), not NOAA's (x.grib2.idx)
//! ```
//!
//! The column `window` says over what the values of a statistic extend, in the words of
//! [`WindowRule`](gik_core::WindowRule); several of them, joined by `or`, where the files did not
//! tell which it is.
//!
//! The column `ecmwf`, which a template with that last line has, is under which param, levtype and
//! levelist such an index lists a message: `t/pl/850`.
//!
//! [`learn`] makes one of scanned files, [`Template::parser`] builds runs with it, from indexes as
//! from headers, and [`Template::differences`] holds it against a file.

mod differences;
mod ecmwf;
mod learn;
mod parser;
mod period;
mod place;

use gik_codec::scan::ScannedField;
use gik_core::{Error, Result, VariableRow, VariableTable};

pub use ecmwf::{index_path as ecmwf_index_path, listed as ecmwf_listed};
pub use learn::{Learned, OpenArray, Sample, learn};
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
        let table = VariableTable::parse(text, |_| true)?;
        if table.rows().is_empty() {
            return Err(Error::malformed("template", "a row for each message", "none"));
        }
        Ok(Self { text, table })
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

    /// The positions of the rows of a field: several where one message is of two arrays, as that
    /// of hour 1 is of a run total and of sums of an hour.
    fn rows_of(&self, field: &ScannedField) -> Vec<usize> {
        let (Some(level), Some(window)) = (field.level, field.window) else { return Vec::new() };
        // Tables that are compiled in say with each row what their messages are of; a template
        // says it once. Members are no part of it.
        let qualifier = if field.member.is_some() { "" } else { field.qualifiers.as_str() };
        let is_learned = self.fact("grid").is_some();
        if is_learned && self.fact("qualifier").unwrap_or_default() != qualifier {
            return Vec::new();
        }
        let param = field.parameter.code();
        // ECMWF's indexes tell no level of what is on a surface of any kind.
        let is_vertical = matches!(level.type_of_level(), "isobaricInhPa" | "soilLayer");
        let is_surface = |row: &VariableRow| !is_vertical && row.fact("levtype") == "sfc";
        let rows = (0..).zip(self.table.rows());
        rows.filter(|(_, row)| {
            row.fact("param") == param
                && (row.level == level || is_surface(row))
                && row.statistic == window.statistic()
                && period::fits(&period::rules(row), &window)
        })
        .map(|(position, _)| position)
        .collect()
    }
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
