//! The fields after the window: ensemble, probability, aerosol and the like.

use gik_core::Decimal;

use super::bounds::Bounds;
use super::member::{MemberSpec, number};

/// One field after the window. Texts borrow the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Qualifier<'a> {
    /// `ENS=+1`, `ens mean`, ….
    Ensemble(MemberSpec),
    /// `prob >0.254`, ….: of which event this is the probability.
    Probability(Event),
    /// `prob fcst 0/14`: which of how many probabilities.
    ProbabilityForecast {
        /// Its number, from 0.
        number: u32,
        /// How many there are.
        count: u32,
    },
    /// `75% level`: a percentile.
    Percentile(u32),
    /// `probability forecast`: a probability that no `prob` field describes.
    ProbabilityProduct,
    /// `Neighborhood Probability`.
    NeighborhoodProbability,
    /// `analysis/forecast error`.
    Error,
    /// `climatological`.
    Climatological,
    /// `Confidence Indicator`.
    ConfidenceIndicator,
    /// `process=197`: a type of generating process of the centre's own, code table 4.3.
    Process(u32),
    /// `spatial max`: a statistic over neighbouring points; wgrib2's word.
    Spatial(&'a str),
    /// `wave partition=1/3`; a `?` is none.
    WavePartition {
        /// The number of the partition.
        number: Option<u32>,
        /// How many there are.
        count: Option<u32>,
    },
    /// `chemical=Ozone`. The case of the name differs between places and times.
    Chemical(&'a str),
    /// `aerosol=Dust dry`. The case of the name differs between places and times.
    Aerosol(&'a str),
    /// `aerosol_size <2e-05`, in metres.
    AerosolSize(Bounds),
    /// `aerosol_wavelength >=5.45e-07,<=5.65e-07`, in metres.
    AerosolWavelength(Bounds),
    /// Anything else, verbatim.
    Other(&'a str),
}

/// An event that has a probability, code table 4.9. Values are in the unit of the variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// `prob <x`.
    Below(Decimal),
    /// `prob >x`.
    Above(Decimal),
    /// `prob >=a <b`.
    Between(Decimal, Decimal),
    /// `prob =x`.
    Equal(Decimal),
    /// `prob above normal`.
    AboveNormal,
    /// `prob near normal`.
    NearNormal,
    /// `prob below normal`.
    BelowNormal,
}

/// Qualifiers that are words alone.
const WORDS: [(&str, Qualifier<'static>); 5] = [
    ("probability forecast", Qualifier::ProbabilityProduct),
    ("Neighborhood Probability", Qualifier::NeighborhoodProbability),
    ("analysis/forecast error", Qualifier::Error),
    ("climatological", Qualifier::Climatological),
    ("Confidence Indicator", Qualifier::ConfidenceIndicator),
];

impl<'a> Qualifier<'a> {
    /// Reads one field. What is unknown becomes [`Qualifier::Other`].
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self::read(text).unwrap_or(Self::Other(text))
    }

    fn read(text: &'a str) -> Option<Self> {
        if let Some(member) = MemberSpec::from_wgrib2(text) {
            return Some(Self::Ensemble(member));
        }
        if let Some((_, word)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Some(*word);
        }
        if let Some(of) = text.strip_prefix("prob fcst ") {
            let (at, count) = of.split_once('/')?;
            return Some(Self::ProbabilityForecast { number: number(at)?, count: number(count)? });
        }
        if let Some(event) = text.strip_prefix("prob ") {
            return Event::read(event).map(Self::Probability);
        }
        if let Some(percent) = text.strip_suffix("% level") {
            return number(percent).map(Self::Percentile);
        }
        if let Some(statistic) = text.strip_prefix("spatial ") {
            return Some(Self::Spatial(statistic));
        }
        if let Some(bounds) = text.strip_prefix("aerosol_size ") {
            return Bounds::read(bounds).map(Self::AerosolSize);
        }
        if let Some(bounds) = text.strip_prefix("aerosol_wavelength ") {
            return Bounds::read(bounds).map(Self::AerosolWavelength);
        }
        let (name, value) = text.split_once('=')?;
        match name {
            "process" => number(value).map(Self::Process),
            "chemical" => Some(Self::Chemical(value)),
            "aerosol" => Some(Self::Aerosol(value)),
            "wave partition" => {
                let part = |text| if text == "?" { Some(None) } else { number(text).map(Some) };
                let (at, count) = value.split_once('/')?;
                Some(Self::WavePartition { number: part(at)?, count: part(count)? })
            }
            _ => None,
        }
    }
}

impl Event {
    fn read(text: &str) -> Option<Self> {
        match text {
            "above normal" => return Some(Self::AboveNormal),
            "near normal" => return Some(Self::NearNormal),
            "below normal" => return Some(Self::BelowNormal),
            _ => {}
        }
        if let Some(range) = text.strip_prefix(">=") {
            let (from, to) = range.split_once(" <")?;
            return Some(Self::Between(from.parse().ok()?, to.parse().ok()?));
        }
        let (event, value): (fn(Decimal) -> Self, _) = match text.split_at_checked(1)? {
            ("<", value) => (Self::Below, value),
            (">", value) => (Self::Above, value),
            ("=", value) => (Self::Equal, value),
            _ => return None,
        };
        value.parse().ok().map(event)
    }
}

/// The qualifiers of an entry; parses one field a step, skips empty ones.
#[derive(Debug, Clone)]
pub struct Qualifiers<'a>(std::str::Split<'a, char>);

impl<'a> Qualifiers<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.split(':'))
    }
}

impl<'a> Iterator for Qualifiers<'a> {
    type Item = Qualifier<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find(|field| !field.is_empty()).map(Qualifier::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noaa::{Derived, Member};

    #[test]
    fn every_kind() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let bounds = |text| Bounds::read(text).unwrap();
        for (text, expected) in [
            ("ENS=low-res ctl", Qualifier::Ensemble(Member::LowResolutionControl.into())),
            ("ENS=-3", Qualifier::Ensemble(Member::Negative(3).into())),
            ("ens spread", Qualifier::Ensemble(Derived::Spread.into())),
            ("prob >0.254", Qualifier::Probability(Event::Above(decimal("0.254")))),
            ("prob <273", Qualifier::Probability(Event::Below(decimal("273")))),
            ("prob >=1 <2.5", Qualifier::Probability(Event::Between(decimal("1"), decimal("2.5")))),
            ("prob =4", Qualifier::Probability(Event::Equal(decimal("4")))),
            ("prob above normal", Qualifier::Probability(Event::AboveNormal)),
            ("prob fcst 0/14", Qualifier::ProbabilityForecast { number: 0, count: 14 }),
            ("75% level", Qualifier::Percentile(75)),
            ("probability forecast", Qualifier::ProbabilityProduct),
            ("Neighborhood Probability", Qualifier::NeighborhoodProbability),
            ("process=197", Qualifier::Process(197)),
            ("spatial max", Qualifier::Spatial("max")),
            ("wave partition=1/3", Qualifier::WavePartition { number: Some(1), count: Some(3) }),
            ("wave partition=?/?", Qualifier::WavePartition { number: None, count: None }),
            ("chemical=Ozone", Qualifier::Chemical("Ozone")),
            ("aerosol=Dust dry", Qualifier::Aerosol("Dust dry")),
            ("aerosol_size <2e-05", Qualifier::AerosolSize(bounds("<2e-05"))),
            (
                "aerosol_wavelength >=5.45e-07,<=5.65e-07",
                Qualifier::AerosolWavelength(bounds(">=5.45e-07,<=5.65e-07")),
            ),
        ] {
            assert_eq!(Qualifier::new(text), expected);
        }
        for text in [
            "bilinear interpolation",
            "ENS=? table4.6=17 pert=3",
            "prob ?? (code table 4.9=9)",
            "prob fcst 1",
            "process=-1",
            "aerosol_size x",
            "prob >é",
            "prob ",
        ] {
            assert_eq!(Qualifier::new(text), Qualifier::Other(text));
        }
    }

    #[test]
    fn empty_fields_are_none() {
        assert_eq!(Qualifiers::new("").count(), 0);
        assert_eq!(Qualifiers::new("::").count(), 0);
        let all: Vec<_> = Qualifiers::new("process=1::ens mean:").collect();
        assert_eq!(all, [Qualifier::Process(1), Qualifier::Ensemble(Derived::Mean.into())]);
    }
}
