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

/// How many bytes come before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return Some(at + (ends.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let tail = bytes.get(at..)?;
    let end = tail.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    Some(at + end)
}

/// The top bit of the lowest of eight bytes that is a quote, a backslash or a control
/// character, and perhaps of bytes above it.
const fn ends(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // A byte is less than `n` if subtracting `n` borrows and its top bit was not set; the
    // borrow spoils only bytes above one that is found.
    const fn below(word: u64, n: u64) -> u64 {
        word.wrapping_sub(ONES * n) & !word & TOPS
    }
    below(word, 0x20)
        | below(word ^ (ONES * b'"' as u64), 1)
        | below(word ^ (ONES * b'\\' as u64), 1)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte that is no white space (RFC 8259, section 2).
    #[inline]
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
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let length = plain_length(rest)?;
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
        while let Some(digit) = rest.get(count).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
            && count < 19
        {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        }
        let is_plain = (1..=18).contains(&count) && (count == 1 || rest.first() != Some(&b'0'));
        self.at += count;
        is_plain.then_some(value)
    }
}
