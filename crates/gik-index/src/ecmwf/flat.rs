//! The short cut for lines as ECMWF writes them: one flat object of strings without escapes
//! and of whole numbers.
//!
//! Nine tenths of the time of a general parser go into what such lines do not have. What is
//! not of this form is left to it, damage above all: this reader answers nothing then. A test
//! holds both to the same answer.

use std::borrow::Cow;

use super::scalar::Scalar;

/// Calls `each` with every key and value of the object that is all of `text`; nothing if it is
/// no flat object. `each` may have been called then.
pub(super) fn read<'a>(text: &'a str, mut each: impl FnMut(&'a str, Scalar<'a>)) -> Option<()> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.expect(b'{')?;
    loop {
        let key = cursor.string()?;
        cursor.expect(b':')?;
        let value = match cursor.peek()? {
            b'"' => Scalar::Text(Cow::Borrowed(cursor.string()?)),
            _ => Scalar::Number(cursor.number()?),
        };
        each(key, value);
        match cursor.next()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    cursor.peek().is_none().then_some(())
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no white space (RFC 8259, section 2).
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                &byte => return Some(byte),
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// A string without escapes and control characters.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let length = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        // The quote itself, and nothing that white space is skipped before.
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        self.at = start + length + 1;
        self.text.get(start..start + length)
    }

    /// A whole number of at most 18 digits, which cannot overflow, without leading zeros.
    fn number(&mut self) -> Option<u64> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let (mut value, mut count) = (0_u64, 0);
        for byte in rest.iter().take_while(|byte| byte.is_ascii_digit()).take(19) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            count += 1;
        }
        let is_plain = (1..=18).contains(&count) && (count == 1 || rest.first() != Some(&b'0'));
        self.at += count;
        is_plain.then_some(value)
    }
}
