//! Choosing along dimensions by label: `step=24`, `member=1:30`, `time=2025-01-06T00`.

use std::str::FromStr;

use gik_core::{Error, ReferenceTime, Result};

use crate::{Coordinate, CoordinateValues};

const FORM: &str = "write dimension=label or dimension=first:last, for example step=24 or \
                    member=1:30";

/// A choice along one dimension, as a person writes it. What the labels mean is known when
/// the coordinate is: see [`Label::select`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The dimension.
    pub dimension: String,
    text: String,
    nearest: bool,
}

/// The points that a label chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// One label: the dimension goes, its coordinate stays as a scalar.
    One(usize),
    /// A range: the dimension stays. Never empty.
    Range(Vec<usize>),
}

impl FromStr for Label {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((dimension, label))
                if !dimension.trim().is_empty() && !label.trim().is_empty() =>
            {
                Ok(Self {
                    dimension: dimension.trim().into(),
                    text: label.trim().into(),
                    nearest: false,
                })
            }
            _ => Err(Error::argument(format!("selection '{text}'"), FORM)),
        }
    }
}

impl Label {
    /// The same choice, of the label that is nearest where the one written is not there. A
    /// range stays as it is.
    #[must_use]
    pub fn nearest(self) -> Self {
        Self { nearest: true, ..self }
    }

    /// The positions of the chosen labels among the coordinate's values. A range
    /// `first:last` takes what lies between its ends, both included, in the coordinate's
    /// order.
    ///
    /// # Units
    /// Those of the coordinate: hours for `step`, hPa for `isobaricInhPa`; times are
    /// written as dates.
    ///
    /// # Errors
    /// When a label cannot be read or is not there; the text says what is.
    pub fn select(&self, coordinate: &Coordinate) -> Result<Chosen> {
        let values: Vec<f64> =
            (0..coordinate.values.len()).filter_map(|i| coordinate.values.get(i)).collect();
        let nothing = || {
            Error::argument(
                format!("{}={}", self.dimension, self.text),
                format!("is not in the store; there is {}", summary(coordinate)),
            )
        };
        // A date has colons too, so that only what is no label by itself can be a range.
        if let Ok(wanted) = self.value(&self.text, coordinate) {
            let mut found = values.iter().position(|&value| is_same(value, wanted));
            if found.is_none() && self.nearest {
                let away = |value: &f64| (value - wanted).abs();
                let all = values.iter().enumerate();
                found = all.min_by(|a, b| away(a.1).total_cmp(&away(b.1))).map(|(at, _)| at);
            }
            return found.map(Chosen::One).ok_or_else(nothing);
        }
        let ends = self.text.match_indices(':').find_map(|(at, _)| {
            let (first, last) = (self.text.get(..at)?, self.text.get(at + 1..)?);
            let first = self.value(first, coordinate).ok()?;
            let last = self.value(last, coordinate).ok()?;
            Some((first.min(last), first.max(last)))
        });
        let Some((low, high)) = ends else {
            return Err(Error::argument(
                format!("{}={}", self.dimension, self.text),
                format!("cannot be read; {FORM}; there is {}", summary(coordinate)),
            ));
        };
        let inside = |value: f64| {
            (low <= value && value <= high) || is_same(value, low) || is_same(value, high)
        };
        let range: Vec<usize> = values
            .iter()
            .enumerate()
            .filter(|&(_, &value)| inside(value))
            .map(|(index, _)| index)
            .collect();
        if range.is_empty() { Err(nothing()) } else { Ok(Chosen::Range(range)) }
    }

    #[expect(clippy::cast_precision_loss, reason = "times lie below 2^53 seconds")]
    fn value(&self, text: &str, coordinate: &Coordinate) -> Result<f64> {
        if is_time(coordinate) {
            return Ok(text.parse::<ReferenceTime>()?.seconds() as f64);
        }
        let minutes = match coordinate.text("units") {
            Some("hours") => 60.0,
            Some("minutes") => 1.0,
            _ => f64::NAN,
        };
        // Lengths of time may have their unit.
        let (number, factor) = match (text.strip_suffix('h'), text.strip_suffix("min")) {
            (Some(number), _) => (number, 60.0 / minutes),
            (_, Some(number)) => (number, 1.0 / minutes),
            _ => (text, 1.0),
        };
        let number: Option<f64> = number.trim().parse().ok();
        number
            .map(|number| number * factor)
            .filter(|value| value.is_finite())
            .ok_or_else(|| Error::argument(text, "is no number"))
    }
}

/// Whether a coordinate counts seconds since 1970.
fn is_time(coordinate: &Coordinate) -> bool {
    coordinate.text("units").is_some_and(|units| units.starts_with("seconds since 1970-01-01"))
}

/// Labels are typed with the digits that people see.
fn is_same(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() <= 1e-6 * wanted.abs().max(1.0)
}

/// A coordinate's values, shortened, in the form in which they are asked for.
fn summary(coordinate: &Coordinate) -> String {
    let text = |index: usize| match (&coordinate.values, is_time(coordinate)) {
        (CoordinateValues::Int64(values), true) => values
            .get(index)
            .map(|&seconds| ReferenceTime::from_seconds(seconds).to_string())
            .unwrap_or_default(),
        (values, _) => values.get(index).map(|value| value.to_string()).unwrap_or_default(),
    };
    let count = coordinate.values.len();
    let list = |range: std::ops::Range<usize>| range.map(text).collect::<Vec<_>>().join(", ");
    if count > 6 {
        format!("{} … {} ({count} of them)", list(0..3), text(count - 1))
    } else {
        list(0..count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(label: &str, coordinate: &Coordinate) -> Result<Chosen> {
        label.parse::<Label>()?.select(coordinate)
    }

    fn steps() -> Coordinate {
        Coordinate::axis("step", CoordinateValues::Int64((0..=240).step_by(3).collect()))
            .with_attribute("units", "hours")
    }

    fn times() -> Coordinate {
        let values = CoordinateValues::Int64(vec![1_736_121_600, 1_736_143_200]);
        Coordinate::axis("time", values).with_attribute("units", "seconds since 1970-01-01")
    }

    #[test]
    fn one_label_or_a_range() {
        assert_eq!(select("step=24", &steps()).unwrap(), Chosen::One(8));
        assert_eq!(select(" step = 24h", &steps()).unwrap(), Chosen::One(8));
        assert_eq!(select("step=180min", &steps()).unwrap(), Chosen::One(1));
        assert_eq!(select("step=22:31", &steps()).unwrap(), Chosen::Range(vec![8, 9, 10]));
        assert_eq!(select("time=2025-01-06T06:00", &times()).unwrap(), Chosen::One(1));
        let both = select("time=2025-01-06T00:2025-01-06T06", &times()).unwrap();
        assert_eq!(both, Chosen::Range(vec![0, 1]));
        let levels =
            Coordinate::axis("isobaricInhPa", CoordinateValues::Float64(vec![1000.0, 500.0, 0.1]));
        assert_eq!(select("isobaricInhPa=.1", &levels).unwrap(), Chosen::One(2));
        assert_eq!(select("isobaricInhPa=500:1000", &levels).unwrap(), Chosen::Range(vec![0, 1]));
    }

    #[test]
    fn the_nearest_where_asked() {
        let nearest = |label: &str| label.parse::<Label>().unwrap().nearest().select(&steps());
        assert_eq!(nearest("step=25").unwrap(), Chosen::One(8));
        assert_eq!(nearest("step=1000").unwrap(), Chosen::One(80));
        assert_eq!(nearest("step=22:31").unwrap(), Chosen::Range(vec![8, 9, 10]));
    }

    #[test]
    fn errors_say_what_there_is() {
        for (label, part) in [
            ("step=1", "0, 3, 6 … 240 (81 of them)"),
            ("step=1:2", "is not in the store"),
            ("step=x", "step=24"),
            ("step", "dimension=label"),
            ("step=", "dimension=label"),
            ("step=nan", "cannot be read"),
        ] {
            let error = select(label, &steps()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = select("time=2025-01-07T00", &times()).unwrap_err().to_string();
        assert!(error.contains("2025-01-06T00, 2025-01-06T06"), "{error}");
    }
}
