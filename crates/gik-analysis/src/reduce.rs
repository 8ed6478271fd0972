//! Statistics over a dimension: `member=mean`, `member=p90`, `step=max`.

mod statistics;
mod stored;

use gik_core::{CoordinateValues, Error, Result};
use std::fmt;
use std::str::FromStr;

use crate::{Coordinate, Field};
use statistics::along;
pub use stored::read_reduced;

/// What is computed of the values along a dimension. Missing values do not count; where all
/// are missing the result is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Measure {
    /// The arithmetic mean.
    Mean,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// The standard deviation of these values (divided by their number).
    StandardDeviation,
    /// A percentile, 0…100, interpolated linearly between neighbours as `NumPy` does.
    Percentile(f32),
}

impl Measure {
    /// The method in CF's `cell_methods`.
    fn cell_method(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::StandardDeviation => "standard_deviation",
            Self::Percentile(50.0) => "median",
            Self::Percentile(_) => "point",
        }
    }

    /// In words, before the name of what it is of.
    fn words(self) -> String {
        match self {
            Self::Mean => "mean".into(),
            Self::Minimum => "minimum".into(),
            Self::Maximum => "maximum".into(),
            Self::StandardDeviation => "standard deviation".into(),
            Self::Percentile(50.0) => "median".into(),
            Self::Percentile(percent) => format!("{percent}th percentile"),
        }
    }
}

/// A statistic over a dimension, as a person writes it.
///
/// # Examples
/// ```
/// use gik_analysis::{Measure, Reduction};
///
/// let spread: Reduction = "member=std".parse()?;
/// assert_eq!(spread.measure, Measure::StandardDeviation);
/// let high: Reduction = "member=p90".parse()?;
/// assert_eq!(high.measure, Measure::Percentile(90.0));
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Reduction {
    /// The dimension, which the result lacks.
    pub dimension: String,
    /// What is computed along it.
    pub measure: Measure,
}

impl FromStr for Reduction {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let form = "write dimension=statistic, of mean, min, max, std, median and percentiles \
                        like p90: member=mean";
            Error::argument(format!("reduction '{text}'"), form)
        };
        let (dimension, measure) = text.split_once('=').ok_or_else(wrong)?;
        let measure = match measure.trim() {
            "mean" => Measure::Mean,
            "min" => Measure::Minimum,
            "max" => Measure::Maximum,
            "std" => Measure::StandardDeviation,
            "median" => Measure::Percentile(50.0),
            other => other
                .strip_prefix('p')
                .and_then(|percent| percent.parse().ok())
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(Measure::Percentile)
                .ok_or_else(wrong)?,
        };
        let dimension = dimension.trim().to_owned();
        if dimension.is_empty() { Err(wrong()) } else { Ok(Self { dimension, measure }) }
    }
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}", self.measure.words(), self.dimension)
    }
}

/// The dimensions of a grid: a statistic has one count for all points along them.
const GRID: [&str; 4] = ["latitude", "longitude", "y", "x"];

impl Field {
    /// The field with a statistic in place of one of its dimensions. Of how many values it is,
    /// at the point that has most, is in the [ancillary](Self::ancillary) variable named after
    /// the dimension: `member_count`.
    ///
    /// # Errors
    /// If it has no such dimension.
    pub fn reduce(&self, reduction: &Reduction) -> Result<Self> {
        let axis = self.dimensions().iter().position(|it| it.name == reduction.dimension);
        let axis = axis.ok_or_else(|| {
            let names: Vec<_> = self.dimensions().iter().map(|it| it.name.as_str()).collect();
            Error::argument(
                reduction.to_string(),
                format!("{} has the dimensions {}", self.name(), names.join(", ")),
            )
        })?;
        let names = self.dimensions().iter().map(|it| (it.name.as_str(), it.length));
        let plane = points_of_grid(names);
        let statistics = along(self.values(), &self.shape(), axis, plane, reduction.measure);
        let without = |dimensions: &[String]| !dimensions.contains(&reduction.dimension);
        let left = self.dimensions().iter().filter(|it| it.name != reduction.dimension);
        let lengths = left.map(|it| (it.name.clone(), it.length));
        let mut field = Self::new(self.name(), lengths, statistics.values)?;
        for coordinate in self.coordinates().iter().filter(|it| without(&it.dimensions)) {
            field = field.with_coordinate(coordinate.clone())?;
        }
        let mut before = self.attributes().clone();
        before.remove("ancillary_variables");
        let mut field = field
            .with_attributes(attributes(&before, reduction))
            .with_dataset_attributes(self.dataset_attributes().clone());
        for variable in self.ancillary().iter().filter(|it| without(&it.dimensions)) {
            field = field.with_ancillary(variable.clone())?;
        }
        field.with_counts(reduction, &statistics.counts)
    }

    /// Adds the variable that says of how many values a statistic is.
    fn with_counts(self, reduction: &Reduction, counts: &[u32]) -> Result<Self> {
        let name = &reduction.dimension;
        if GRID.contains(&name.as_str()) {
            return Ok(self);
        }
        let outer = self.dimensions().iter().filter(|it| !GRID.contains(&it.name.as_str()));
        let dimensions = outer.map(|it| it.name.clone()).collect();
        let values = CoordinateValues::Int64(counts.iter().copied().map(i64::from).collect());
        let count = Coordinate { dimensions, ..Coordinate::axis(&format!("{name}_count"), values) };
        self.with_ancillary(
            count
                .with_attribute("long_name", format!("values along {name} in the statistic"))
                .with_attribute("units", "1"),
        )
    }
}

/// Points along the dimensions of a grid.
fn points_of_grid<'a>(dimensions: impl Iterator<Item = (&'a str, usize)>) -> usize {
    let grid = dimensions.filter(|(name, _)| GRID.contains(name));
    grid.map(|(_, length)| length).product::<usize>().max(1)
}

fn attributes(before: &gik_core::Attributes, reduction: &Reduction) -> gik_core::Attributes {
    let mut attributes = before.clone();
    let text = |name: &str| before.get(name).and_then(|it| it.as_str()).unwrap_or_default();
    let long_name = format!("{}, {reduction}", text("long_name"));
    attributes.insert("long_name".into(), long_name.into());
    let method = format!("{}: {}", reduction.dimension, reduction.measure.cell_method());
    let methods = [text("cell_methods"), &method].join(" ");
    attributes.insert("cell_methods".into(), methods.trim().into());
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CoordinateValues;

    fn measured(text: &str, values: &[f32]) -> f32 {
        let reduction: Reduction = format!("member={text}").parse().unwrap();
        along(values, &[values.len()], 0, 1, reduction.measure).values[0]
    }

    #[test]
    fn statistics_as_numpy_has_them() {
        let values = [4.0, f32::NAN, 1.0, 3.0, 2.0];
        assert_eq!(measured("mean", &values), 2.5);
        assert_eq!((measured("min", &values), measured("max", &values)), (1.0, 4.0));
        // numpy.nanstd, numpy.nanpercentile
        assert_eq!(measured("std", &values), 1.118_034);
        assert_eq!(measured("median", &values), 2.5);
        assert_eq!(measured("p90", &values), 3.7);
        assert_eq!((measured("p0", &values), measured("p100", &values)), (1.0, 4.0));
        for text in ["mean", "min", "std", "p90"] {
            assert!(measured(text, &[f32::NAN]).is_nan(), "{text}");
        }
    }

    #[test]
    fn a_dimension_in_the_middle_goes() {
        let values: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let of = |axis, measure| along(&values, &[2, 3, 2], axis, 2, measure);
        assert_eq!(of(1, Measure::Mean).values, [2.0, 3.0, 8.0, 9.0]);
        assert_eq!(of(0, Measure::Maximum).values, [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!(
            (of(1, Measure::Mean).counts, of(0, Measure::Mean).counts),
            (vec![3, 3], vec![2, 2, 2])
        );
        let field = Field::new("t", [("member", 2), ("step", 3), ("x", 2)], values)
            .and_then(|it| {
                it.with_coordinate(Coordinate::axis("step", CoordinateValues::Int64(vec![0, 3, 6])))
            })
            .unwrap()
            .with_attribute("cell_methods", "step: mean");
        let reduced = field.reduce(&"step=max".parse().unwrap()).unwrap();
        assert_eq!((reduced.shape(), reduced.coordinates().len()), (vec![2, 2], 0));
        assert_eq!(reduced.text("cell_methods"), Some("step: mean step: maximum"));
        assert!(field.reduce(&"level=max".parse().unwrap()).is_err());
    }

    #[test]
    fn a_statistic_says_of_how_many_values_it_is() {
        let mut values: Vec<f32> = (0..12_u8).map(f32::from).collect();
        // Of the first step, member 1 is lost; of the second, one point of it.
        values[6..8].fill(f32::NAN);
        values[8] = f32::NAN;
        let dimensions = [("member", 2), ("step", 3), ("latitude", 1), ("longitude", 2)];
        let field = Field::new("t", dimensions, values).unwrap();
        for measure in ["mean", "median"] {
            let reduced = field.reduce(&format!("member={measure}").parse().unwrap()).unwrap();
            let count = &reduced.ancillary()[0];
            assert_eq!(
                (count.name.as_str(), &count.dimensions[..]),
                ("member_count", &["step".to_owned()][..])
            );
            assert_eq!(count.values, CoordinateValues::Int64(vec![1, 2, 2]));
            assert_eq!(reduced.text("ancillary_variables"), Some("member_count"));
            // It goes where its dimension goes.
            let again = reduced.reduce(&"step=max".parse().unwrap()).unwrap();
            assert_eq!(again.text("ancillary_variables"), Some("step_count"));
        }
    }

    #[test]
    fn errors_say_what_there_is() {
        for text in ["member", "=mean", "member=x", "member=p101", "member=p-1", "member=pnan"] {
            let error = text.parse::<Reduction>().unwrap_err().to_string();
            assert!(error.contains("member=mean"), "{error}");
        }
    }
}
