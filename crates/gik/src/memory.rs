//! Amounts of memory, as people write them.

use std::str::FromStr;

use gik_core::Error;

/// An amount of memory: `1GB`, `600MB`, `2GiB`; at least 250 MB, which has room for a message and
/// its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(usize);

const LEAST: usize = 250_000_000;

impl Memory {
    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

impl FromStr for Memory {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| !c.is_ascii_digit());
        let factor = match lower.get(digits.len()..).unwrap_or_default().trim() {
            "gb" | "g" => Some(1_000_000_000),
            "mb" | "m" => Some(1_000_000),
            "b" => Some(1),
            "gib" => Some(1 << 30),
            "mib" => Some(1 << 20),
            _ => None,
        };
        let bytes = factor.and_then(|factor| digits.parse::<usize>().ok()?.checked_mul(factor));
        let bytes = bytes.ok_or_else(|| {
            Error::argument(format!("memory '{text}'"), "is no size; write 1GB or 600MB")
        })?;
        if bytes < LEAST {
            return Err(Error::argument(format!("memory '{text}'"), "is less than 250MB"));
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_them() {
        let bytes = |text: &str| text.parse::<Memory>().map(Memory::bytes).ok();
        assert_eq!(bytes("1GB"), Some(1_000_000_000));
        assert_eq!(bytes("600 mb"), Some(600_000_000));
        assert_eq!(bytes("2GiB"), Some(2 << 30));
        assert_eq!(bytes("300000000B"), Some(300_000_000));
        for text in ["", "GB", "1", "-1GB", "10MB", "99999999999999999999GB", "1TB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
