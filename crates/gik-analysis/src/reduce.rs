//! Statistics over a dimension: `member=mean`, `member=p90`, `step=max`.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::{Opened, StoredArray};

use crate::accumulation::lock;
use crate::axes::{Axis, coordinate_of, last_part, to_usize};
use crate::chunks::Chunks;
use crate::pipeline::{self, Progress};
use crate::read::{ELEMENT_LIMIT, Query, UNDER_WAY, describe, read_values, wanted};
use crate::{Coordinate, Field};

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

/// Values seen so far at one point.
#[derive(Debug, Clone, Copy)]
struct Moments {
    count: u32,
    mean: f64,
    squares: f64,
    least: f32,
    greatest: f32,
}

impl Moments {
    const NONE: Self = Self {
        count: 0,
        mean: 0.0,
        squares: 0.0,
        least: f32::INFINITY,
        greatest: f32::NEG_INFINITY,
    };

    /// Adds a value (B. P. Welford, 1962).
    fn add(&mut self, value: f32) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        let value64 = f64::from(value);
        let off = value64 - self.mean;
        self.mean += off / f64::from(self.count);
        self.squares += off * (value64 - self.mean);
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
    }

    #[expect(clippy::cast_possible_truncation, reason = "of values in single precision")]
    fn measure(&self, measure: Measure) -> f32 {
        if self.count == 0 {
            return f32::NAN;
        }
        match measure {
            Measure::Mean => self.mean as f32,
            Measure::Minimum => self.least,
            Measure::Maximum => self.greatest,
            Measure::StandardDeviation => (self.squares / f64::from(self.count)).sqrt() as f32,
            Measure::Percentile(_) => f32::NAN,
        }
    }
}

/// A percentile of some values, which are reordered.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions among values in memory, never negative"
)]
fn percentile(values: &mut Vec<f32>, percent: f32) -> f32 {
    values.retain(|value| !value.is_nan());
    let Some(last) = values.len().checked_sub(1) else { return f32::NAN };
    let place = f64::from(percent) / 100.0 * last as f64;
    let below = (place.floor() as usize).min(last);
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let high = above.iter().copied().min_by(f32::total_cmp).unwrap_or(low);
    let part = place - below as f64;
    (f64::from(low) + part * (f64::from(high) - f64::from(low))) as f32
}

impl Field {
    /// The field with a statistic in place of one of its dimensions.
    ///
    /// # Errors
    /// If it has no such dimension.
    pub fn reduce(&self, reduction: &Reduction) -> Result<Self> {
        let shape = self.shape();
        let axis = self.dimensions().iter().position(|it| it.name == reduction.dimension);
        let axis = axis.ok_or_else(|| {
            let names: Vec<_> = self.dimensions().iter().map(|it| it.name.as_str()).collect();
            Error::argument(
                reduction.to_string(),
                format!("{} has the dimensions {}", self.name(), names.join(", ")),
            )
        })?;
        let values = along(self.values(), &shape, axis, reduction.measure);
        self.without(reduction, values)
    }

    /// The field without the dimension that `values` were reduced over.
    fn without(&self, reduction: &Reduction, values: Vec<f32>) -> Result<Self> {
        let name = &reduction.dimension;
        let kept = self.dimensions().iter().filter(|it| it.name != *name);
        let mut field =
            Self::new(self.name(), kept.map(|it| (it.name.clone(), it.length)), values)?;
        for coordinate in self.coordinates() {
            if !coordinate.dimensions.contains(name) {
                field = field.with_coordinate(coordinate.clone())?;
            }
        }
        Ok(field
            .with_attributes(attributes(self.attributes(), reduction))
            .with_dataset_attributes(self.dataset_attributes().clone()))
    }
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

/// A statistic along one axis of values in C order.
fn along(values: &[f32], shape: &[usize], axis: usize, measure: Measure) -> Vec<f32> {
    let length = shape.get(axis).copied().unwrap_or(1).max(1);
    let inner: usize = shape.iter().skip(axis + 1).product::<usize>().max(1);
    let mut result = Vec::with_capacity(values.len() / length);
    let mut column = Vec::with_capacity(length);
    for block in values.chunks_exact(length * inner) {
        for point in 0..inner {
            let points = block.iter().skip(point).step_by(inner).copied();
            if let Measure::Percentile(percent) = measure {
                column.clear();
                column.extend(points);
                result.push(percentile(&mut column, percent));
            } else {
                let mut moments = Moments::NONE;
                points.for_each(|value| moments.add(value));
                result.push(moments.measure(measure));
            }
        }
    }
    result
}

/// Reads a part of `variable` with a statistic in place of one of its dimensions, in bounded
/// memory: values are reduced as they arrive, for percentiles in bands of rows. `memory` is in
/// bytes.
///
/// # Shape
/// As [`read_field`](crate::read_field), without the dimension.
///
/// # Errors
/// As [`read_field`](crate::read_field), or when the variable has no such dimension.
pub async fn read_reduced(
    store: &Opened,
    variable: &str,
    query: &Query,
    reduction: &Reduction,
    memory: usize,
    progress: Progress<'_>,
) -> Result<Field> {
    let (array, axes) = wanted(store, variable, query).await?;
    let position = axes.iter().position(|it| it.name == reduction.dimension && !it.dropped);
    let position = position.ok_or_else(|| {
        Error::argument(
            reduction.to_string(),
            format!("of {variable}, the dimensions left are {}", names(&axes)),
        )
    })?;
    let values = match reduction.measure {
        Measure::Percentile(_) => {
            percentiles(&array, &axes, position, reduction.measure, memory, progress).await?
        }
        measure => moments(&array, &axes, position, measure, progress).await?,
    };
    // Described as what was read would be, then without the dimension.
    let mut left = axes;
    if let Some(axis) = left.get_mut(position) {
        axis.keep_one(axis.indices.first().copied().unwrap_or_default());
    }
    let kept = left.iter().filter(|axis| !axis.dropped);
    let field = Field::new(
        last_part(variable),
        kept.map(|axis| (axis.name.clone(), axis.indices.len())),
        values,
    )?;
    let described = describe(store, &array, &left, field).await?;
    let runs_over = |coordinate: &Coordinate| coordinate.name == reduction.dimension;
    let mut field = Field::new(
        last_part(variable),
        described.dimensions().iter().map(|it| (it.name.clone(), it.length)),
        described.values().to_vec(),
    )?;
    for coordinate in described.coordinates().iter().filter(|it| !runs_over(it)) {
        // What depended on the dimension, as valid times on steps, is of one label of many.
        let stored = coordinate_of(store, &array, &coordinate.name).await?;
        if !stored.dimensions.contains(&reduction.dimension) {
            field = field.with_coordinate(coordinate.clone())?;
        }
    }
    Ok(field
        .with_attributes(attributes(described.attributes(), reduction))
        .with_dataset_attributes(described.dataset_attributes().clone()))
}

fn names(axes: &[Axis]) -> String {
    let left = axes.iter().filter(|axis| !axis.dropped);
    left.map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ")
}

async fn moments(
    array: &StoredArray,
    axes: &[Axis],
    position: usize,
    measure: Measure,
    progress: Progress<'_>,
) -> Result<Vec<f32>> {
    let chunks = Arc::new(Chunks::new(array, axes)?.collapsed(position));
    let points = chunks.lengths.iter().fold(1_u64, |n, &length| n.saturating_mul(length as u64));
    // A point takes eight times what its value will.
    if points > ELEMENT_LIMIT / 8 {
        return Err(Error::new(ErrorKind::LimitExceeded {
            what: "number of values to reduce to (choose fewer steps, members or a region)",
            limit: ELEMENT_LIMIT / 8,
            found: points,
        }));
    }
    let all = Arc::new(Mutex::new(vec![Moments::NONE; to_usize(points)?]));
    let consume = {
        let (all, chunks) = (Arc::clone(&all), Arc::clone(&chunks));
        move |at: usize, outcome: pipeline::Outcome| {
            let Some(part) = outcome? else { return Ok(()) };
            let mut part = part.into_iter();
            let mut all = lock(&all);
            chunks.get(at).for_each(&chunks.lengths, |_, to| {
                if let (Some(moments), Some(value)) = (all.get_mut(to), part.next()) {
                    moments.add(value);
                }
            });
            Ok(())
        }
    };
    let parts = (0..chunks.count()).map(|at| (chunks.get(at), at));
    pipeline::stream(array, parts, (UNDER_WAY, 0), progress, Arc::new(consume)).await?;
    let all = lock(&all);
    Ok(all.iter().map(|moments| moments.measure(measure)).collect())
}

/// Percentiles need all values along the dimension: bands of as many rows as memory holds.
async fn percentiles(
    array: &StoredArray,
    axes: &[Axis],
    position: usize,
    measure: Measure,
    memory: usize,
    progress: Progress<'_>,
) -> Result<Vec<f32>> {
    let Some(row_axis) = axes.len().checked_sub(2) else {
        return Ok(along(&read_values(array, axes, progress).await?, &[], 0, measure));
    };
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.indices.len()).collect();
    let product = |lengths: &[usize]| lengths.iter().fold(1_usize, |n, &it| n.saturating_mul(it));
    let rows = lengths.get(row_axis).copied().unwrap_or(1).max(1);
    let each = product(&lengths) / rows * size_of::<f32>();
    let room = (memory / 2 / each.max(1)).max(1);
    // A band along the rows themselves would cut what is to be measured.
    let room = if position == row_axis { rows } else { room.min(rows) };
    let outer: usize = lengths.iter().take(row_axis).product();
    let outer = if position < row_axis {
        outer / lengths.get(position).copied().unwrap_or(1).max(1)
    } else {
        outer
    };
    let bands = rows.div_ceil(room);
    let mut parts: Vec<Vec<f32>> = Vec::new();
    for band in 0..bands {
        let mut axes = axes.to_vec();
        if let Some(axis) = axes.get_mut(row_axis) {
            axis.indices = axis.indices.iter().skip(band * room).take(room).copied().collect();
        }
        let forward = |done: usize, total: usize| progress(band * total + done, bands * total);
        let values = read_values(array, &axes, &forward).await?;
        let shape: Vec<usize> = axes.iter().map(|axis| axis.indices.len()).collect();
        parts.push(along(&values, &shape, position, measure));
    }
    if let [_] = parts.as_slice() {
        return Ok(parts.swap_remove(0));
    }
    // Each band has its rows of every outer position: rows of one position go together.
    let mut values = Vec::new();
    for block in 0..outer.max(1) {
        for part in &parts {
            let size = part.len() / outer.max(1);
            values
                .extend_from_slice(part.get(block * size..(block + 1) * size).unwrap_or_default());
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CoordinateValues;

    fn measured(text: &str, values: &[f32]) -> f32 {
        let reduction: Reduction = format!("member={text}").parse().unwrap();
        along(values, &[values.len()], 0, reduction.measure)[0]
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
        assert_eq!(along(&values, &[2, 3, 2], 1, Measure::Mean), [2.0, 3.0, 8.0, 9.0]);
        assert_eq!(
            along(&values, &[2, 3, 2], 0, Measure::Maximum),
            [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]
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
    fn errors_say_what_there_is() {
        for text in ["member", "=mean", "member=x", "member=p101", "member=p-1", "member=pnan"] {
            let error = text.parse::<Reduction>().unwrap_err().to_string();
            assert!(error.contains("member=mean"), "{error}");
        }
    }
}
