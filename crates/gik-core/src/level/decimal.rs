//! Decimal numbers, as GRIB2 codes levels and as wgrib2 writes them.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// An exact decimal number: a whole number times a power of ten.
///
/// GRIB2 codes the value of a fixed surface as a signed 32-bit integer and a scale factor
/// (section 4, octets of the fixed surfaces), so every such value is exact here, and two
/// values are equal when they are the same number, however they were scaled.
///
/// [`Display`](fmt::Display) writes what C's `%g` writes (`5e-07`, `0.995`, `1e+06`), which
/// is wgrib2's spelling; numbers of more than six digits are written in full.
///
/// # Examples
/// ```
/// use gik_core::Decimal;
///
/// let half: Decimal = "5e-07".parse()?;
/// assert_eq!(half, Decimal::new(500, -9));
/// assert_eq!((half.to_string().as_str(), half.to_f64()), ("5e-07", 5e-7));
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    /// Never a multiple of ten, except 0.
    mantissa: i32,
    /// 0 for 0. Wider than GRIB2's scale factor, so that changes of unit cannot overflow.
    exponent: i16,
}

impl Decimal {
    /// `mantissa` × 10^`exponent`. A GRIB2 scale factor is the negative exponent.
    #[must_use]
    pub const fn new(mantissa: i32, exponent: i8) -> Self {
        Self::normal(mantissa, exponent as i16)
    }

    const fn normal(mut mantissa: i32, mut exponent: i16) -> Self {
        if mantissa == 0 {
            return Self { mantissa: 0, exponent: 0 };
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent = exponent.saturating_add(1);
        }
        Self { mantissa, exponent }
    }

    /// The number times 10^`power`.
    #[must_use]
    pub const fn shifted(self, power: i8) -> Self {
        Self::normal(self.mantissa, self.exponent.saturating_add(power as i16))
    }

    /// The nearest double.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        const TEN: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        let mantissa = f64::from(self.mantissa);
        // Both operands are exact, so the one operation rounds correctly.
        match TEN.get(usize::from(self.exponent.unsigned_abs())) {
            Some(power) if self.exponent < 0 => mantissa / power,
            Some(power) => mantissa * power,
            None => format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(mantissa),
        }
    }

    /// Reads a number at the start of `text`: `[+-]digits[.digits][e[+-]digits]`. Answers
    /// the number and what follows it; nothing if there is no number or it has more digits
    /// than GRIB2 can code.
    #[inline]
    pub(super) fn leading(text: &[u8]) -> Option<(Self, &[u8])> {
        let (negative, mut rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        // Counted downwards: the least i32 has no positive counterpart.
        let (mut mantissa, mut exponent, mut digits, mut fraction) = (0_i32, 0_i16, 0_u32, false);
        loop {
            match rest {
                [digit @ b'0'..=b'9', tail @ ..] => {
                    mantissa = mantissa.checked_mul(10)?.checked_sub(i32::from(digit - b'0'))?;
                    exponent = exponent.checked_sub(i16::from(fraction))?;
                    digits += 1;
                    rest = tail;
                }
                [b'.', tail @ ..] if !fraction => {
                    fraction = true;
                    rest = tail;
                }
                _ => break,
            }
        }
        if digits == 0 {
            return None;
        }
        if let Some((power, tail)) = exponent_part(rest) {
            exponent = exponent.checked_add(power)?;
            rest = tail;
        }
        let mantissa = if negative { mantissa } else { mantissa.checked_neg()? };
        // wgrib2 reads and writes single precision floats; what is far outside of them is noise.
        (-60..=60).contains(&exponent).then(|| (Self::normal(mantissa, exponent), rest))
    }
}

/// `e[+-]digits` at the start of `text`, and what follows.
fn exponent_part(text: &[u8]) -> Option<(i16, &[u8])> {
    let [b'e' | b'E', rest @ ..] = text else { return None };
    let (negative, mut rest) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut power, mut digits) = (0_i16, 0_u32);
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        power = power.saturating_mul(10).saturating_add(i16::from(digit - b'0'));
        digits += 1;
        rest = tail;
    }
    (digits > 0).then_some((if negative { -power } else { power }, rest))
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self::new(number, 0)
    }
}

impl FromStr for Decimal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match Self::leading(text.as_bytes()) {
            Some((number, [])) => Ok(number),
            _ => Err(Error::malformed("number", "a decimal number within 32 bits", text)),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let count = i16::try_from(digits.len()).unwrap_or(i16::MAX);
        let leading = self.exponent.saturating_add(count).saturating_sub(1);
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        if leading < -4 || leading >= count.max(6) {
            let (first, others) = digits.split_at(1);
            let point = if others.is_empty() { "" } else { "." };
            let sign = if leading < 0 { '-' } else { '+' };
            return write!(f, "{first}{point}{others}e{sign}{:02}", leading.unsigned_abs());
        }
        if self.exponent >= 0 {
            return write!(f, "{digits}{:0<1$}", "", usize::from(self.exponent.unsigned_abs()));
        }
        match usize::try_from(leading) {
            Ok(leading) => {
                let (whole, fraction) = digits.split_at(leading.saturating_add(1));
                write!(f, "{whole}.{fraction}")
            }
            Err(_) => {
                let zeros = usize::from(leading.unsigned_abs()).saturating_sub(1);
                write!(f, "0.{:0<zeros$}{digits}", "")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_c_does() {
        for text in [
            "0",
            "7",
            "-7",
            "10",
            "1000",
            "100000",
            "1e+06",
            "1.5e+06",
            "0.1",
            "0.01",
            "0.0001",
            "1e-05",
            "0.995",
            "0.33",
            "5e-07",
            "-1.5e-06",
            "5.45e-07",
            "1013.25",
            "2.147483647",
            "999999",
            "1.23457e+06",
            "-2147483648",
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        assert_eq!("1234567".parse::<Decimal>().unwrap().to_string(), "1234567");
        assert_eq!("00.50".parse::<Decimal>().unwrap().to_string(), "0.5");
        assert_eq!("+2E3".parse::<Decimal>().unwrap().to_string(), "2000");
    }

    #[test]
    fn one_number_however_scaled() {
        let tenth = Decimal::new(1, -1);
        assert_eq!(Decimal::new(100, -3), tenth);
        assert_eq!("0.10".parse::<Decimal>().unwrap(), tenth);
        assert_eq!(tenth.shifted(2), Decimal::from(10));
        assert_eq!(Decimal::new(0, 5), Decimal::default());
    }

    #[test]
    fn nearest_double() {
        for (text, value) in [
            ("0.1", 0.1),
            ("0.995", 0.995),
            ("5e-07", 5e-7),
            ("-1.5e-06", -1.5e-6),
            ("1013.25", 1013.25),
            ("2e-40", 2e-40),
            ("2147483647", 2_147_483_647.0),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_f64(), value, "{text}");
        }
        assert_eq!(Decimal::new(i32::MIN, -127).to_f64(), -2_147_483_648e-127);
    }

    #[test]
    fn what_is_no_number() {
        for text in
            ["", "-", ".", "e5", "1e", "1 ", "--1", "99999999999", "1e99", "1e99999999", "x"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }
}
