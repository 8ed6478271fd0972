//! One line, typed.

use std::borrow::Cow;
use std::fmt;

use gik_core::ReferenceTime;

/// A message of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The line in the index, from 1.
    pub line: u32,
    /// The first byte of the message in the GRIB file.
    pub offset: u64,
    /// The length of the message in bytes. Never 0.
    pub length: u64,
    /// MARS `param`, the short name: `2t`, `tp`, `10fg3`.
    pub param: Cow<'a, str>,
    /// MARS `levtype`.
    pub level_type: Option<LevelType>,
    /// MARS `levelist`: hPa on pressure levels, the number of the layer in the soil.
    pub level: Option<u32>,
    /// MARS `step`.
    pub steps: Option<Steps>,
    /// MARS `number`: the perturbed member, from 1. The control has none, or 0.
    pub number: Option<u32>,
    /// MARS `type`.
    pub field_type: Option<FieldType>,
    /// MARS `stream`: `oper`, `enfo`, `wave`, `waef`, `scda`, `scwv`.
    pub stream: Option<Cow<'a, str>>,
    /// MARS `class`: `od` is operational, `ai` the data-driven models.
    pub class: Option<Cow<'a, str>>,
    /// MARS `model`: `aifs-ens`. Most files lack it.
    pub model: Option<Cow<'a, str>>,
    /// MARS `date` and `time`.
    pub reference_time: Option<ReferenceTime>,
    /// Whether a key makes it another field than the others say: a quantile, a direction or
    /// frequency of a wave spectrum, a hindcast's date.
    pub is_special: bool,
}

/// MARS `levtype`: what kind of surface a field is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LevelType {
    /// `sfc`: the surface, a fixed height above it, or the whole column.
    Surface,
    /// `pl`: pressure levels.
    Pressure,
    /// `sol`: layers of the soil.
    Soil,
    /// `ml`: model levels.
    Model,
    /// `o2d`: ocean fields without a depth.
    Ocean,
    /// One that is none of these.
    Other,
}

impl LevelType {
    const ALL: [Self; 5] = [Self::Surface, Self::Pressure, Self::Soil, Self::Model, Self::Ocean];

    /// The one that MARS calls so.
    #[must_use]
    pub fn from_mars(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.mars() == text)
    }

    /// MARS' word, or what to say instead.
    #[must_use]
    pub const fn mars(self) -> &'static str {
        match self {
            Self::Surface => "sfc",
            Self::Pressure => "pl",
            Self::Soil => "sol",
            Self::Model => "ml",
            Self::Ocean => "o2d",
            Self::Other => "another levtype",
        }
    }
}

impl fmt::Display for LevelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.mars())
    }
}

/// MARS `type`: which kind of field it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// `fc`: a forecast without an ensemble.
    Forecast,
    /// `cf`: the control of an ensemble.
    Control,
    /// `pf`: a perturbed member.
    Perturbed,
    /// Another: a mean (`em`), a spread (`es`), a probability (`ep`), an analysis (`an`), ….
    Other,
}

impl FieldType {
    /// The one that MARS calls so; [`Other`](Self::Other) for all that are no member's field.
    #[must_use]
    pub fn from_mars(text: &str) -> Self {
        match text {
            "fc" => Self::Forecast,
            "cf" => Self::Control,
            "pf" => Self::Perturbed,
            _ => Self::Other,
        }
    }
}

/// MARS `step`: an instant, or the range that a statistic or a probability is over. Hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Steps {
    /// Where a range starts.
    pub start: Option<u32>,
    /// The step, or where the range ends.
    pub end: u32,
}

impl Steps {
    /// `6` or `0-24`.
    #[must_use]
    pub fn from_mars(text: &str) -> Option<Self> {
        match text.split_once('-') {
            None => Some(Self { start: None, end: digits(text)? }),
            Some((start, end)) => {
                let (start, end) = (digits(start)?, digits(end)?);
                (start <= end).then_some(Self { start: Some(start), end })
            }
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            Some(start) => write!(f, "{start}-{}", self.end),
            None => write!(f, "{}", self.end),
        }
    }
}

/// A number of digits only: no sign, no space.
pub(super) fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
