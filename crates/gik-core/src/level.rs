//! Levels: the fixed surface or layer that a field is about.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

mod decimal;
mod spelling;
mod table;

#[cfg(test)]
mod tests;

pub use decimal::Decimal;
use spelling::Spelled;
use table::{PAIRS, SurfaceType, UNNAMED, by_code};

/// One fixed surface: a type of code table 4.5 and, where the type asks for one, a value in
/// the code table's unit (Pa, m, K, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FixedSurface {
    code: u8,
    value: Option<Decimal>,
}

impl FixedSurface {
    /// A surface of this type; `value` in code table 4.5's unit. Types that no value
    /// belongs to (`surface`, `cloud base`) drop it: producers write there what they like.
    #[must_use]
    pub fn new(code: u8, value: Option<Decimal>) -> Self {
        let needed = code != MISSING && by_code(code).is_none_or(SurfaceType::needs_value);
        Self { code, value: value.filter(|_| needed) }
    }

    /// The number in code table 4.5. From 192 on it is NCEP's local use.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.code
    }

    /// The value in code table 4.5's unit: Pa, m, K, K m² kg⁻¹ s⁻¹, ….
    #[must_use]
    pub const fn value(self) -> Option<Decimal> {
        self.value
    }

    fn spelled(surface: &SurfaceType, value: Option<Decimal>) -> Self {
        Self { code: surface.code, value: value.map(|value| value.shifted(surface.unit.spelled)) }
    }

    fn coordinate(self) -> Option<f64> {
        let power = by_code(self.code).map_or(0, |surface| surface.unit.coordinate);
        self.value.map(|value| value.shifted(power).to_f64())
    }
}

/// A level: one fixed surface, or the layer from a first to a second one.
///
/// Equal levels are the same surfaces, however they were spelled or scaled. The order of a
/// layer's surfaces is part of it, as in GRIB2: `0-3000 m above ground` is another level
/// than `3000-0 m above ground`, and NCEP publishes both.
///
/// # Spelling
/// [`FromStr`] and [`Display`](fmt::Display) use wgrib2's spelling, that of NOAA's `.idx`
/// files. What wgrib2 has no words for is written `fixed surface 42=7` (code table 4.5,
/// value in its unit). Local types (192 and above) are NCEP's.
///
/// # Names and units
/// [`type_of_level`](Self::type_of_level), [`value`](Self::value) and
/// [`units`](Self::units) are what ecCodes and cfgrib call it, with two differences, both
/// so that one dimension stays one: pressures below 1 hPa stay `isobaricInhPa` (ecCodes
/// changes to `isobaricInPa` there), and negative potential vorticity stays negative.
///
/// # Examples
/// ```
/// use gik_core::Level;
///
/// let layer: Level = "180-0 mb above ground".parse()?;
/// assert_eq!(layer.type_of_level(), "pressureFromGroundLayer");
/// assert_eq!((layer.bounds(), layer.units()), (Some([18000.0, 0.0]), "Pa"));
/// assert_eq!(layer.to_string(), "180-0 mb above ground");
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    first: FixedSurface,
    second: Option<FixedSurface>,
}

impl Level {
    /// From the fixed surfaces of a message. A second surface of type 255 (missing) is none.
    #[must_use]
    pub fn new(first: FixedSurface, second: Option<FixedSurface>) -> Self {
        Self { first, second: second.filter(|second| second.code != MISSING) }
    }

    /// Reads wgrib2's spelling; nothing if this is none that we know. [`FromStr`] does the
    /// same with an error that says so; this one allocates nothing.
    #[must_use]
    pub fn from_wgrib2(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        match spelling::find(text) {
            Some(Spelled::Single(surface, value)) => {
                Some(Self { first: FixedSurface::spelled(surface, value), second: None })
            }
            Some(Spelled::Layer(surface, first, second)) => Some(Self {
                first: FixedSurface::spelled(surface, Some(first)),
                second: Some(FixedSurface::spelled(surface, Some(second))),
            }),
            None => rarely_spelled(text),
        }
    }

    /// The first, or only, fixed surface.
    #[must_use]
    pub const fn first(&self) -> FixedSurface {
        self.first
    }

    /// The second fixed surface of a layer.
    #[must_use]
    pub const fn second(&self) -> Option<FixedSurface> {
        self.second
    }

    /// ecCodes' `typeOfLevel`, which cfgrib uses to name the dimension; `unknown` where
    /// ecCodes has no name.
    #[must_use]
    pub fn type_of_level(&self) -> &'static str {
        let Some(second) = self.second else {
            return by_code(self.first.code).map_or(UNNAMED, |surface| surface.single_name);
        };
        if second.code == self.first.code {
            return by_code(second.code).map_or(UNNAMED, |surface| surface.layer_name);
        }
        let codes = [self.first.code, second.code];
        PAIRS.iter().find(|pair| pair.codes == codes).map_or(UNNAMED, |pair| pair.name)
    }

    /// The value of the first surface in [`units`](Self::units): what cfgrib writes into
    /// the coordinate. None where the type has no value; ecCodes says 0 there.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.first.coordinate()
    }

    /// The values of both surfaces of a layer in [`units`](Self::units), in the order of
    /// the message. None for single surfaces and for surfaces without a value.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 2]> {
        Some([self.first.coordinate()?, self.second?.coordinate()?])
    }

    /// The unit of [`value`](Self::value) and [`bounds`](Self::bounds), as CF writes it;
    /// `1` for numbers without one and for levels without a value.
    #[must_use]
    pub fn units(&self) -> &'static str {
        by_code(self.first.code).map_or("1", |surface| surface.unit.name)
    }
}

/// The spellings that no table row holds: layers between different surfaces, our own
/// spelling of types without words, and nothing at all.
fn rarely_spelled(text: &[u8]) -> Option<Level> {
    if let Some(pair) = PAIRS.iter().find(|pair| pair.spelling.as_bytes() == text)
        && !text.is_empty()
    {
        let [first, second] = pair.codes.map(|code| FixedSurface { code, value: None });
        return Some(Level { first, second: Some(second) });
    }
    let joint = text.windows(JOINT.len()).position(|window| window == JOINT);
    let Some(at) = joint else {
        return Some(Level { first: single(text)?, second: None });
    };
    let (first, rest) = text.split_at_checked(at)?;
    let second = single(rest.strip_prefix(JOINT)?)?;
    Some(Level { first: single(first)?, second: Some(second) })
}

/// wgrib2's words for a message without any level.
const NO_LEVEL: &str = "no_level";
/// The code of no surface at all.
const MISSING: u8 = 255;
/// What wgrib2 writes between two surfaces that have no common spelling.
const JOINT: &[u8] = b" - ";
/// Before the code of a type that wgrib2 has no words for.
const WORDLESS: &str = "fixed surface ";

fn single(text: &[u8]) -> Option<FixedSurface> {
    match spelling::find(text) {
        Some(Spelled::Single(surface, value)) => Some(FixedSurface::spelled(surface, value)),
        Some(Spelled::Layer(..)) => None,
        None if text == NO_LEVEL.as_bytes() => Some(FixedSurface { code: MISSING, value: None }),
        None => {
            let text = str::from_utf8(text.strip_prefix(WORDLESS.as_bytes())?).ok()?;
            let (code, value) = match text.split_once('=') {
                Some((code, value)) => (code, Some(value.parse().ok()?)),
                None => (text, None),
            };
            let code = code.parse().ok().filter(|&code| code != MISSING)?;
            Some(FixedSurface::new(code, value))
        }
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_wgrib2(text).ok_or_else(|| {
            Error::malformed("level", "a level as wgrib2 spells it, like '2 m above ground'", text)
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(second) = self.second else { return self.first.fmt(f) };
        let codes = [self.first.code, second.code];
        if let Some(pair) = PAIRS.iter().find(|pair| pair.codes == codes)
            && !pair.spelling.is_empty()
        {
            return f.write_str(pair.spelling);
        }
        if let (Some(from), Some(to)) = (self.first.value, second.value)
            && self.first.code == second.code
            && let Some(surface) = by_code(second.code)
            && let Some(words) = surface.layer.strip_prefix("#-#")
        {
            let power = -surface.unit.spelled;
            return write!(f, "{}-{}{words}", from.shifted(power), to.shifted(power));
        }
        write!(f, "{} - {second}", self.first)
    }
}

impl fmt::Display for FixedSurface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (by_code(self.code), self.value) {
            (Some(surface), value) if surface.is_valued() == value.is_some() => {
                match (surface.single.split_once('#'), value) {
                    (Some((before, after)), Some(value)) => {
                        write!(f, "{before}{}{after}", value.shifted(-surface.unit.spelled))
                    }
                    _ => f.write_str(surface.single),
                }
            }
            (None, None) if self.code == MISSING => f.write_str(NO_LEVEL),
            (_, None) => write!(f, "{WORDLESS}{}", self.code),
            (_, Some(value)) => write!(f, "{WORDLESS}{}={value}", self.code),
        }
    }
}
