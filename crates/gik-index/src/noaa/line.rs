//! One line of an index.

use chrono::NaiveDate;
use gik_core::{Level, ReferenceTime, Window};
use memchr::memchr;

use super::diagnostic::{Field, LineProblem};
use super::entry::{Entry, Typed, Variable};

/// What the line before said. Neighbouring lines share their time nearly always, level and
/// window often, so comparing texts saves most of the parsing.
#[derive(Debug, Default)]
pub(super) struct Memo<'a> {
    time: Option<(&'a str, ReferenceTime)>,
    level: Option<Typed<'a, Level>>,
    window: Option<Typed<'a, Window>>,
}

/// The fields of a line that are still to be read.
struct Fields<'a>(Option<&'a str>);

impl<'a> Fields<'a> {
    #[inline]
    fn next(&mut self, field: Field) -> Result<&'a str, LineProblem<'a>> {
        let rest = self.0.ok_or(LineProblem::MissingField(field))?;
        // A colon is a character boundary, so neither cut fails.
        match memchr(b':', rest.as_bytes()) {
            Some(at) => {
                self.0 = rest.get(at + 1..);
                Ok(rest.get(..at).unwrap_or_default())
            }
            None => {
                self.0 = None;
                Ok(rest)
            }
        }
    }
}

/// Parses a line without its end-of-line characters; `number` is its number in the file.
pub(super) fn parse<'a>(
    text: &'a str,
    number: usize,
    memo: &mut Memo<'a>,
) -> Result<Entry<'a>, LineProblem<'a>> {
    let mut fields = Fields(Some(text));
    let mut field =
        |field| fields.next(field).map(|text| (text, LineProblem::BadField(field, text)));

    let (text, bad) = field(Field::Message)?;
    let (message, submessage) = message(text).ok_or(bad)?;
    let (text, bad) = field(Field::Offset)?;
    let offset = digits(text.as_bytes()).ok_or(bad)?;
    let (text, bad) = field(Field::Time)?;
    let reference_time = match memo.time {
        Some((seen, time)) if seen == text => time,
        _ => {
            let parsed = time(text).ok_or(bad)?;
            memo.time = Some((text, parsed));
            parsed
        }
    };
    let (text, bad) = field(Field::Variable)?;
    let variable = Variable::new(text).ok_or(bad)?;
    let (text, _) = field(Field::Level)?;
    let level = match memo.level {
        Some(level) if level.text == text => level,
        _ => *memo.level.insert(Typed { text, value: Level::from_wgrib2(text) }),
    };
    let (text, _) = field(Field::Window)?;
    let window = match memo.window {
        Some(window) if window.text == text => window,
        _ => *memo.window.insert(Typed { text, value: Window::from_wgrib2(text) }),
    };
    Ok(Entry {
        line: number,
        message,
        submessage,
        offset,
        reference_time,
        variable,
        level,
        window,
        qualifiers: fields.0.unwrap_or_default(),
    })
}

/// The byte offset of a line that may be unusable otherwise, if it is surely complete: a
/// colon must follow it.
pub(super) fn offset(line: &[u8]) -> Option<u64> {
    let mut fields = line.splitn(3, |&byte| byte == b':');
    let (_, offset, _) = (fields.next()?, fields.next()?, fields.next()?);
    digits(offset)
}

/// `n` or `n.m`.
fn message(text: &str) -> Option<(u32, Option<u32>)> {
    let narrow = |text: &[u8]| u32::try_from(digits(text)?).ok();
    match memchr(b'.', text.as_bytes()) {
        None => Some((narrow(text.as_bytes())?, None)),
        Some(_) => {
            let (message, submessage) = text.split_once('.')?;
            Some((narrow(message.as_bytes())?, Some(narrow(submessage.as_bytes())?)))
        }
    }
}

/// A whole number without a sign.
#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!text.is_empty()).then_some(value)
}

/// `d=YYYYMMDDHH`, `d=YYYYMMDDHHMM` or `D=YYYYMMDDHHMMSS`.
fn time(text: &str) -> Option<ReferenceTime> {
    let (date, clock) = match text.strip_prefix("d=") {
        Some(text) if matches!(text.len(), 10 | 12) => text.as_bytes().split_at_checked(8)?,
        Some(_) => return None,
        None => {
            let text = text.strip_prefix("D=").filter(|text| text.len() == 14)?;
            text.as_bytes().split_at_checked(8)?
        }
    };
    let narrow = |text: Option<&[u8]>| u32::try_from(digits(text?)?).ok();
    let year = i32::try_from(narrow(date.get(..4))?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, narrow(date.get(4..6))?, narrow(date.get(6..))?)?;
    let mut clock = clock.chunks(2).map(|pair| narrow(Some(pair)));
    let mut part = || clock.next().unwrap_or(Some(0));
    let seconds = date.and_hms_opt(part()?, part()?, part()?)?.and_utc().timestamp();
    Some(ReferenceTime::from_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("d=2026082800", Some("2026-08-28T00")),
            ("d=202608280615", Some("2026-08-28T06:15:00")),
            ("D=20210425000130", Some("2021-04-25T00:01:30")),
            ("d=2024022912", Some("2024-02-29T12")),
            ("d=2025022912", None),
            ("d=2025013124", None),
            ("d=20250131", None),
            ("d=20250131001", None),
            ("d=2025013a00", None),
            ("D=2025013100", None),
            ("2025013100", None),
            ("d=20250131é", None),
            ("", None),
        ] {
            assert_eq!(time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(message("34.2"), Some((34, Some(2))));
        assert_eq!(message("34"), Some((34, None)));
        for text in ["", ".", "1.", ".1", "1.2.3", "-1", "+1", " 1", "4294967296"] {
            assert_eq!(message(text), None, "{text}");
        }
        assert_eq!(digits(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(digits(b"18446744073709551616"), None);
    }

    #[test]
    fn offsets_of_bad_lines() {
        assert_eq!(offset(b"12:345:d=20"), Some(345));
        assert_eq!(offset(b"x:345:"), Some(345));
        assert_eq!(offset(b"12:345"), None);
        assert_eq!(offset(b"12"), None);
        assert_eq!(offset(b"12::"), None);
    }
}
