//! What one line says.

use gik_core::{Level, ReferenceTime, Window};

use super::member::MemberSpec;
use super::qualifier::{Qualifier, Qualifiers};

/// A field as it stands in the index, and what it means if it is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Typed<'a, T> {
    /// The text, verbatim.
    pub text: &'a str,
    /// The meaning; none when the spelling is unknown.
    pub value: Option<T>,
}

/// One message (or submessage) of a GRIB file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The line in the index, from 1.
    pub line: usize,
    /// The number of the message in its file, from 1.
    pub message: u32,
    /// The number of the field within the message, from 1, where one message has several.
    pub submessage: Option<u32>,
    /// The first byte of the message, counted from the start of the GRIB file.
    pub offset: u64,
    /// The reference time, in UTC.
    pub reference_time: ReferenceTime,
    /// What is forecast.
    pub variable: Variable<'a>,
    /// Where.
    pub level: Typed<'a, Level>,
    /// When, relative to the reference time.
    pub window: Typed<'a, Window>,
    /// What else there is, colon separated; see [`Entry::qualifiers`].
    pub(super) qualifiers: &'a str,
}

impl<'a> Entry<'a> {
    /// The fields after the window, parsed one by one as they are asked for.
    #[must_use]
    pub fn qualifiers(&self) -> Qualifiers<'a> {
        Qualifiers::new(self.qualifiers)
    }

    /// The same fields as they stand in the index, colon separated. Part of what tells
    /// messages apart.
    #[must_use]
    pub const fn qualifiers_text(&self) -> &'a str {
        self.qualifiers
    }

    /// The ensemble member, or what of the ensemble this is: the first qualifier that says so.
    #[must_use]
    pub fn member(&self) -> Option<MemberSpec> {
        self.qualifiers().find_map(|qualifier| match qualifier {
            Qualifier::Ensemble(member) => Some(member),
            _ => None,
        })
    }

    /// Whether all of the line is understood, so that nothing can have been cut off inside
    /// a word.
    pub(super) fn is_complete(&self) -> bool {
        let understood = !matches!(self.qualifiers().last(), Some(Qualifier::Other(_)));
        self.level.value.is_some() && self.window.value.is_some() && understood
    }
}

/// What a message forecasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variable<'a> {
    /// wgrib2's abbreviation (`APCP`), or the codes spelled out, verbatim.
    pub text: &'a str,
    /// The codes, where wgrib2 knew no abbreviation and wrote them.
    pub code: Option<ParameterCode>,
}

/// A parameter by its numbers, as wgrib2 writes it when it has no abbreviation:
/// `var discipline=0 center=7 local_table=1 parmcat=16 parm=201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParameterCode {
    /// Code table 0.0.
    pub discipline: u8,
    /// Code table 4.1.
    pub category: u8,
    /// Code table 4.2.
    pub number: u8,
    /// Which table gives the number its meaning.
    pub table: ParameterTable,
}

/// Whose table a [`ParameterCode`] refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterTable {
    /// The WMO's master tables.
    Master {
        /// Their version, code table 1.0.
        version: u8,
    },
    /// A centre's own table.
    Local {
        /// The centre, common code table C-11; 7 is NCEP.
        center: u16,
        /// The version of its table, code table 1.1.
        version: u8,
    },
}

impl<'a> Variable<'a> {
    /// Nothing for an empty field.
    pub(super) fn new(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { text, code: ParameterCode::read(text) })
    }
}

impl ParameterCode {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_prefix("var ")?.split(' ');
        let mut number = |name: &str| -> Option<u16> {
            words.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok()
        };
        let byte = |number: u16| u8::try_from(number).ok();
        let discipline = number("discipline").and_then(byte)?;
        let table = if text.contains(" master_table=") {
            ParameterTable::Master { version: number("master_table").and_then(byte)? }
        } else {
            let center = number("center")?;
            ParameterTable::Local { center, version: number("local_table").and_then(byte)? }
        };
        let category = number("parmcat").and_then(byte)?;
        let number = number("parm").and_then(byte)?;
        words.next().is_none().then_some(Self { discipline, category, number, table })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_parameters() {
        let code = |text| Variable::new(text).unwrap().code;
        assert_eq!(
            code("var discipline=0 center=7 local_table=1 parmcat=16 parm=201"),
            Some(ParameterCode {
                discipline: 0,
                category: 16,
                number: 201,
                table: ParameterTable::Local { center: 7, version: 1 },
            })
        );
        assert_eq!(
            code("var discipline=10 master_table=2 parmcat=0 parm=45"),
            Some(ParameterCode {
                discipline: 10,
                category: 0,
                number: 45,
                table: ParameterTable::Master { version: 2 },
            })
        );
        for text in [
            "APCP",
            "var discipline=0",
            "var discipline=0 master_table=2 parmcat=0 parm=256",
            "var discipline=0 master_table=2 parmcat=0 parm=1 more=1",
            "var discipline=0 center=7 parmcat=0 parm=1",
        ] {
            assert_eq!(code(text), None, "{text}");
        }
        assert_eq!(Variable::new(""), None);
    }
}
