//! A field as a function of the place: one value for each longitude and latitude.

use std::borrow::Cow;

use gik_core::{CoordinateValues, Error, Result};

use super::regular::Regular;
use crate::field::describe;
use crate::{BoundingBox, Coordinate, Field};

/// Neighbouring points further apart than this many steps have a hole between them.
const HOLE: f64 = 2.5;

/// The step assumed for an axis of one point if the other axis has one point too, in degrees.
const LONE_STEP: f64 = 0.25;

/// The edges of what a map shows, in degrees; `east` is greater than `west`, and may be
/// beyond 180.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

/// Where on an axis: between two points (indices into the field), and how far from the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    from: usize,
    to: usize,
    part: f32,
}

/// The points of an axis, ascending, each with its index in the field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    points: Vec<(f64, usize)>,
    step: f64,
    /// Whether the first point follows the last: 360 degrees for a global grid.
    period: Option<f64>,
}

/// Places along an axis, each with its index in the field.
type Points = Vec<(f64, usize)>;

/// A field with one value per place.
#[derive(Debug, Clone)]
pub(super) struct Grid<'a> {
    values: Cow<'a, [f32]>,
    row_stride: usize,
    column_stride: usize,
    pub(super) latitude: Axis,
    pub(super) longitude: Axis,
    pub(super) extent: Extent,
}

impl<'a> Grid<'a> {
    /// The grid of a field, and the extent of `region` or, without one, of the grid's cells.
    pub(super) fn new(field: &'a Field, region: Option<BoundingBox>) -> Result<Self> {
        if let Some(regular) = projected(field)? {
            let columns = regular.longitude.len();
            let numbered = |values: Vec<f64>| values.into_iter().zip(0..).collect();
            let values = Cow::Owned(regular.values);
            let places = (numbered(regular.latitude), numbered(regular.longitude));
            return Ok(Self::of(values, places, (columns, 1), region));
        }
        let (latitude, row_stride) = axis_of(field, "latitude")?;
        let (longitude, column_stride) = axis_of(field, "longitude")?;
        let others = field.dimensions().iter().filter(|dimension| {
            dimension.length != 1
                && dimension.name != latitude.name
                && dimension.name != longitude.name
        });
        if let Some(other) = others.into_iter().next() {
            return Err(Error::argument(
                "map",
                format!(
                    "shows one value per place, but '{}' has {}; select one along '{}'",
                    field.name(),
                    describe(field.dimensions()),
                    other.name
                ),
            ));
        }
        let rows = numbered(latitude);
        let columns = numbered(longitude);
        if rows.is_empty() || columns.is_empty() {
            return Err(Error::argument("map", format!("'{}' has no grid point", field.name())));
        }
        let values = Cow::Borrowed(field.values());
        Ok(Self::of(values, (rows, columns), (row_stride, column_stride), region))
    }

    /// A grid of rows and columns, each a place in degrees and an index.
    fn of(
        values: Cow<'a, [f32]>,
        (mut rows, mut columns): (Points, Points),
        (row_stride, column_stride): (usize, usize),
        region: Option<BoundingBox>,
    ) -> Self {
        // Longitudes ascend from the western edge of the region, or as the field has them.
        let west = region.map_or_else(|| columns.first().map_or(0.0, |p| p.0), |r| r.west());
        let slack = 1e-3;
        for (value, _) in &mut columns {
            *value = west - slack + (*value - west + slack).rem_euclid(360.0);
        }
        columns.sort_by(|a, b| a.0.total_cmp(&b.0));
        columns.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-9);
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let steps = (least_step(&rows), least_step(&columns));
        let row_step = steps.0.or(steps.1).unwrap_or(LONE_STEP);
        let column_step = steps.1.or(steps.0).unwrap_or(LONE_STEP);
        let latitude = Axis { points: rows, step: row_step, period: None };
        let (first, last) = ends(&columns);
        let closed = (first + 360.0 - last) < HOLE * column_step;
        let longitude =
            Axis { points: columns, step: column_step, period: closed.then_some(360.0) };
        let extent = region.map_or_else(
            || {
                let (south, north) = latitude.edges();
                let (west, east) = longitude.edges();
                Extent { west, south: south.max(-90.0), east, north: north.min(90.0) }
            },
            |region| Extent {
                west: region.west(),
                south: region.south(),
                east: region.west() + region.width(),
                north: region.north(),
            },
        );
        Self { values, row_stride, column_stride, latitude, longitude, extent }
    }

    /// The value between four points by bilinear interpolation; NaN where the nearest point
    /// is. A missing point further off only loses its weight.
    pub(super) fn smooth(&self, row: Option<Spot>, column: Option<Spot>) -> f32 {
        let (Some(row), Some(column)) = (row, column) else { return f32::NAN };
        let corners = [
            (row.from, column.from, (1.0 - row.part) * (1.0 - column.part)),
            (row.from, column.to, (1.0 - row.part) * column.part),
            (row.to, column.from, row.part * (1.0 - column.part)),
            (row.to, column.to, row.part * column.part),
        ]
        .map(|(row, column, weight)| (self.value(row, column), weight));
        let [(a, wa), (b, wb), (c, wc), (d, wd)] = corners;
        let sum = a * wa + b * wb + c * wc + d * wd;
        if sum.is_finite() {
            // Between equal points there is nothing else, whatever the rounding of weights: a
            // plateau at the bound of a class is of one colour.
            let least = a.min(b).min(c).min(d);
            return sum.clamp(least, a.max(b).max(c).max(d));
        }
        if !self.nearest(Some(row), Some(column)).is_finite() {
            return f32::NAN;
        }
        let (mut sum, mut weights) = (0.0, 0.0);
        for (value, weight) in corners {
            if value.is_finite() {
                sum += value * weight;
                weights += weight;
            }
        }
        sum / weights
    }

    /// The value of the nearest point.
    pub(super) fn nearest(&self, row: Option<Spot>, column: Option<Spot>) -> f32 {
        let (Some(row), Some(column)) = (row, column) else { return f32::NAN };
        let pick = |spot: Spot| if spot.part < 0.5 { spot.from } else { spot.to };
        self.value(pick(row), pick(column))
    }

    /// The value of a point, by its indices in the field.
    pub(super) fn value(&self, row: usize, column: usize) -> f32 {
        let index = row * self.row_stride + column * self.column_stride;
        self.values.get(index).copied().unwrap_or(f32::NAN)
    }

    /// The least and greatest finite value at points within the extent.
    pub(super) fn range(&self) -> Option<(f32, f32)> {
        let Extent { west, south, east, north } = self.extent;
        let inside = |axis: &Axis, low: f64, high: f64| -> Vec<usize> {
            let near = axis.step * 0.51;
            let points = axis.points.iter();
            let shown = points.filter(|(at, _)| (low - near..=high + near).contains(at));
            shown.map(|(_, index)| *index).collect()
        };
        let columns = inside(&self.longitude, west, east);
        let mut range: Option<(f32, f32)> = None;
        for row in inside(&self.latitude, south, north) {
            for &column in &columns {
                let value = self.value(row, column);
                if value.is_finite() {
                    let (low, high) = range.unwrap_or((value, value));
                    range = Some((low.min(value), high.max(value)));
                }
            }
        }
        range
    }
}

impl Axis {
    /// Where `at` lies; `None` more than half a step outside, and in the middle of holes.
    pub(super) fn locate(&self, at: f64) -> Option<Spot> {
        let above = self.points.partition_point(|(point, _)| *point <= at);
        let below = above.checked_sub(1).and_then(|i| self.points.get(i)).copied();
        let (first, last) = (self.points.first().copied()?, self.points.last().copied()?);
        let wrapped = |(point, index): (f64, usize), turns: f64| {
            self.period.map(|period| (point + turns * period, index))
        };
        let below = below.or_else(|| wrapped(last, -1.0));
        let above = self.points.get(above).copied().or_else(|| wrapped(first, 1.0));
        let half = self.step * 0.5 + 1e-6;
        let lone = |(point, index): (f64, usize)| {
            ((at - point).abs() <= half).then_some(Spot { from: index, to: index, part: 0.0 })
        };
        match (below, above) {
            (Some(a), Some(b)) if b.0 - a.0 < HOLE * self.step => {
                let part = super::narrow((at - a.0) / (b.0 - a.0));
                Some(Spot { from: a.1, to: b.1, part })
            }
            (Some(a), Some(b)) => lone(a).or_else(|| lone(b)),
            (Some(only), None) | (None, Some(only)) => lone(only),
            (None, None) => None,
        }
    }

    /// Neighbouring points without a hole between them, each with its index in the field.
    pub(super) fn pairs(&self) -> Vec<((f64, usize), (f64, usize))> {
        let turn = self.period.zip(self.points.first()).map(|(period, &(at, i))| (at + period, i));
        let next = self.points.iter().skip(1).copied().chain(turn);
        let pairs = self.points.iter().copied().zip(next);
        pairs.filter(|(a, b)| b.0 - a.0 < HOLE * self.step).collect()
    }

    /// The outer edges of its cells, or once round from its first point.
    fn edges(&self) -> (f64, f64) {
        let (first, last) = ends(&self.points);
        match self.period {
            Some(period) => (first, first + period),
            None => (first - self.step / 2.0, last + self.step / 2.0),
        }
    }
}

fn ends(points: &[(f64, usize)]) -> (f64, f64) {
    (points.first().map_or(0.0, |p| p.0), points.last().map_or(0.0, |p| p.0))
}

fn least_step(points: &[(f64, usize)]) -> Option<f64> {
    let steps = points.iter().zip(points.iter().skip(1)).map(|(a, b)| b.0 - a.0);
    steps.filter(|step| *step > 0.0).min_by(f64::total_cmp)
}

/// The field on a regular grid, if its latitudes and longitudes run over two dimensions.
fn projected(field: &Field) -> Result<Option<Regular>> {
    let [rows, columns] = match field.dimensions() {
        [others @ .., rows, columns] if others.iter().all(|it| it.length == 1) => [rows, columns],
        _ => return Ok(None),
    };
    let over_both = |name: &str| {
        let coordinate = field.coordinate(name)?;
        match &coordinate.values {
            CoordinateValues::Float64(values)
                if coordinate.dimensions == [rows.name.as_str(), columns.name.as_str()] =>
            {
                Some(values)
            }
            _ => None,
        }
    };
    let (Some(latitude), Some(longitude)) = (over_both("latitude"), over_both("longitude")) else {
        return Ok(None);
    };
    let regular = Regular::of(latitude, longitude, field.values(), columns.length);
    let wrong = || Error::argument("map", "needs a part of the grid of two rows and columns");
    regular.map(Some).ok_or_else(wrong)
}

/// The coordinate called `what` and its dimension's stride in the field's values.
fn axis_of<'f>(field: &'f Field, what: &'static str) -> Result<(&'f Coordinate, usize)> {
    let is_it = |c: &&Coordinate| c.name == what || c.text("standard_name") == Some(what);
    let Some(coordinate) = field.coordinates().iter().find(is_it) else {
        return Err(Error::mismatch(
            format!("coordinates of '{}' for a map", field.name()),
            what,
            "none of that name",
        ));
    };
    if coordinate.dimensions.len() > 1 {
        return Err(Error::unsupported(
            "map of more than one value per place on a projected grid (select one)",
            format!("'{what}' has {} dimensions", coordinate.dimensions.len()),
        ));
    }
    let dimension = coordinate.dimensions.first();
    let mut after = field.dimensions().iter().rev().take_while(|d| Some(&d.name) != dimension);
    let stride = after.try_fold(1_usize, |stride, d| stride.checked_mul(d.length)).unwrap_or(0);
    // A scalar coordinate is an axis of one point: it never moves along the values.
    Ok((coordinate, if dimension.is_some() { stride } else { 0 }))
}

/// The finite values of a coordinate with their indices.
fn numbered(coordinate: &Coordinate) -> Vec<(f64, usize)> {
    let values = (0..coordinate.values.len()).map(|i| (coordinate.values.get(i), i));
    values.filter_map(|(value, i)| value.filter(|v| v.is_finite()).map(|v| (v, i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CoordinateValues;

    fn field(latitude: &[f64], longitude: &[f64], values: Vec<f32>) -> Field {
        let axis = |name, values: &[f64]| {
            Coordinate::axis(name, CoordinateValues::Float64(values.to_vec()))
        };
        Field::new("x", [("latitude", latitude.len()), ("longitude", longitude.len())], values)
            .and_then(|f| f.with_coordinate(axis("latitude", latitude)))
            .and_then(|f| f.with_coordinate(axis("longitude", longitude)))
            .unwrap()
    }

    fn at(grid: &Grid<'_>, longitude: f64, latitude: f64) -> f32 {
        grid.smooth(grid.latitude.locate(latitude), grid.longitude.locate(longitude))
    }

    #[test]
    fn interpolates_whatever_the_order_of_the_axes() {
        let field = field(&[1.0, 0.0], &[10.0, 11.0], vec![2.0, 3.0, 0.0, 1.0]);
        let grid = Grid::new(&field, None).unwrap();
        assert_eq!(grid.extent, Extent { west: 9.5, south: -0.5, east: 11.5, north: 1.5 });
        assert_eq!(at(&grid, 10.5, 0.5), 1.5);
        assert_eq!(at(&grid, 10.0, 1.0), 2.0);
        assert_eq!(at(&grid, 9.6, -0.4), 0.0);
        assert!(at(&grid, 9.4, 0.0).is_nan());
        assert_eq!(grid.range(), Some((0.0, 3.0)));
    }

    #[test]
    fn wraps_round_the_globe_and_across_the_date_line() {
        let globe = field(&[0.0], &[0.0, 90.0, 180.0, 270.0], vec![0.0, 1.0, 2.0, 3.0]);
        let grid = Grid::new(&globe, Some("-180,-1,180,1".parse().unwrap())).unwrap();
        assert_eq!(at(&grid, -180.0, 0.0), 2.0);
        assert_eq!(at(&grid, 135.0, 0.0), 1.5);
        assert_eq!(at(&grid, -45.0, 0.0), 1.5);

        let pacific = field(&[0.0], &[170.0, 180.0, -170.0], vec![1.0, 2.0, 3.0]);
        let grid = Grid::new(&pacific, Some("170,-1,-170,1".parse().unwrap())).unwrap();
        assert_eq!((grid.extent.west, grid.extent.east), (170.0, 190.0));
        assert_eq!(at(&grid, 185.0, 0.0), 2.5);
        let whole = Grid::new(&pacific, None).unwrap();
        assert!(
            (whole.extent.west - 165.0).abs() < 1e-9 && (whole.extent.east - 195.0).abs() < 1e-9
        );
    }

    #[test]
    fn missing_points_and_holes() {
        let field = field(
            &[0.0, 1.0],
            &[0.0, 1.0, 9.0, 10.0],
            vec![1.0, f32::NAN, 5.0, 6.0, 1.0, 2.0, 5.0, 6.0],
        );
        let grid = Grid::new(&field, None).unwrap();
        assert!(at(&grid, 0.9, 0.1).is_nan(), "the nearest point is missing");
        assert_eq!(at(&grid, 0.1, 0.0), 1.0, "the missing one loses its weight");
        assert!(at(&grid, 5.0, 0.5).is_nan(), "a hole");
        assert_eq!(at(&grid, 8.6, 0.5), 5.0);
    }

    #[test]
    fn what_is_no_map() {
        let text = |field: &Field| Grid::new(field, None).unwrap_err().to_string();
        let steps =
            Field::new("tp", [("step", 2), ("latitude", 1), ("longitude", 1)], vec![0.0; 2])
                .unwrap();
        assert!(text(&steps).contains("expected latitude"));
        let axis = |name| Coordinate::axis(name, CoordinateValues::Float64(vec![1.0]));
        let steps = steps
            .with_coordinate(axis("latitude"))
            .and_then(|f| f.with_coordinate(axis("longitude")))
            .unwrap();
        assert!(text(&steps).contains("select one along 'step'"), "{}", text(&steps));
        let projected = Field::new("t", [("y", 1), ("x", 1)], vec![0.0])
            .and_then(|f| {
                f.with_coordinate(Coordinate {
                    dimensions: vec!["y".into(), "x".into()],
                    ..axis("latitude")
                })
            })
            .unwrap();
        assert!(text(&projected).contains("projected grid"));
    }
}
