//! Intervals of a quantity, code table 4.91: aerosol sizes and wavelengths.

use gik_core::Decimal;

/// An interval with up to two ends, as in `>=5.45e-07,<=5.65e-07`. A single value
/// (`=5.5e-07`) has two ends that are one.
///
/// # Units
/// SI: metres for sizes and wavelengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// The lower end, if there is one.
    pub lower: Option<Limit>,
    /// The upper end, if there is one.
    pub upper: Option<Limit>,
}

/// One end of [`Bounds`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Where it is.
    pub value: Decimal,
    /// Whether it belongs to the interval itself.
    pub inclusive: bool,
}

impl Bounds {
    /// `<a`, `<=a`, `>a`, `>=a`, `=a`, or a lower and an upper end joined by a comma.
    pub(super) fn read(text: &str) -> Option<Self> {
        let limit = |text: &str| {
            let (inclusive, value) = match text.strip_prefix('=') {
                Some(value) => (true, value),
                None => (false, text),
            };
            Some(Limit { value: value.parse().ok()?, inclusive })
        };
        let mut bounds = Self { lower: None, upper: None };
        for part in text.split(',') {
            let end = match part.as_bytes().first()? {
                b'>' if bounds.lower.is_none() => &mut bounds.lower,
                b'<' if bounds.upper.is_none() => &mut bounds.upper,
                b'=' if bounds.lower.is_none() && bounds.upper.is_none() => {
                    let limit = limit(part);
                    bounds = Self { lower: limit, upper: limit };
                    limit?;
                    continue;
                }
                _ => return None,
            };
            *end = Some(limit(part.get(1..)?)?);
        }
        Some(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings() {
        let limit = |text: &str, inclusive| Some(Limit { value: text.parse().unwrap(), inclusive });
        let bounds = |lower, upper| Some(Bounds { lower, upper });
        for (text, expected) in [
            ("<2e-05", bounds(None, limit("2e-05", false))),
            ("<=2e-05", bounds(None, limit("2e-05", true))),
            (">1e-05", bounds(limit("1e-05", false), None)),
            (">=2e-07,<2e-06", bounds(limit("2e-07", true), limit("2e-06", false))),
            (">=5.45e-07,<=5.65e-07", bounds(limit("5.45e-07", true), limit("5.65e-07", true))),
            ("=5e-07", bounds(limit("5e-07", true), limit("5e-07", true))),
            ("", None),
            ("5", None),
            ("<", None),
            ("<x", None),
            ("<1,<2", None),
            ("=1,=2", None),
            ("<1,", None),
            ("=x", None),
        ] {
            assert_eq!(Bounds::read(text), expected, "{text}");
        }
    }
}
