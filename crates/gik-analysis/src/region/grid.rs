//! Where the points of a grid are, and which are in a box or nearest to a place.

use gik_core::{Error, Result};

use super::{BoundingBox, Place};
use crate::axes::Axis;

/// The places of a variable's points, in degrees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grid {
    /// Along dimensions.
    Axes { latitude: Vec<f64>, longitude: Vec<f64> },
    /// Over rows and columns of a projection, in C order.
    Points { latitude: Vec<f64>, longitude: Vec<f64>, columns: usize },
}

impl Grid {
    /// Narrows the grid's two dimensions to the box: exactly where they are latitude and
    /// longitude, else to the smallest part that holds every point of the box.
    pub(crate) fn choose(&self, region: &BoundingBox, axes: &mut [Axis]) -> Result<()> {
        let (rows, columns): (Vec<usize>, Vec<usize>) = match self {
            Self::Axes { latitude, longitude } => {
                let selection = region.select(latitude, longitude)?;
                (selection.latitude.collect(), selection.longitude.into_iter().flatten().collect())
            }
            Self::Points { latitude, longitude, columns } => {
                let inside = |(place, (&latitude, &longitude)): (usize, (&f64, &f64))| {
                    region.contains(latitude, longitude).then_some(place)
                };
                let points = latitude.iter().zip(longitude).enumerate().filter_map(inside);
                let part = points.fold(None, |part: Option<[usize; 4]>, place| {
                    let (row, column) = (place / columns, place % columns);
                    let [top, bottom, left, right] = part.unwrap_or([row, row, column, column]);
                    Some([top.min(row), bottom.max(row), left.min(column), right.max(column)])
                });
                let [top, bottom, left, right] = part.ok_or_else(|| {
                    Error::argument(format!("bbox {region}"), "no grid point lies inside")
                })?;
                ((top..=bottom).collect(), (left..=right).collect())
            }
        };
        if let [.., row_axis, column_axis] = axes {
            row_axis.indices = rows;
            column_axis.indices = columns;
        }
        Ok(())
    }

    /// Row and column of the grid point nearest to a place.
    ///
    /// # Errors
    /// When the place lies off the grid: more than a cell's diagonal from the nearest point.
    pub(crate) fn nearest(&self, place: Place) -> Result<(usize, usize)> {
        let distance = |latitude: f64, longitude: f64| place.distance(latitude, longitude);
        let (row, column, away, cell) = match self {
            Self::Axes { latitude, longitude } => {
                let row = least(latitude.iter().map(|&it| (it - place.latitude).abs()));
                let column = least(longitude.iter().map(|&it| place.degrees_east(it).abs()));
                let at = |list: &[f64], index| list.get(index).copied().unwrap_or(f64::NAN);
                let (y, x) = (at(latitude, row), at(longitude, column));
                let cell = spacing(latitude).hypot(spacing(longitude));
                (row, column, distance(y, x), cell)
            }
            Self::Points { latitude, longitude, columns } => {
                let places = latitude.iter().zip(longitude);
                let point = least(places.map(|(&y, &x)| distance(y, x)));
                let at = |list: &[f64], index: usize| list.get(index).copied().unwrap_or(f64::NAN);
                let here = (at(latitude, point), at(longitude, point));
                let next =
                    if (point + 1) % columns == 0 { point.wrapping_sub(1) } else { point + 1 };
                let next = (at(latitude, next), at(longitude, next));
                let cell = Place { latitude: here.0, longitude: here.1 }.distance(next.0, next.1);
                (point / columns, point % columns, distance(here.0, here.1), cell * 1.5)
            }
        };
        if away.is_nan() || away > cell {
            return Err(Error::argument(
                format!("point {place}"),
                format!("lies off the grid, {away:.2} degrees from its nearest point"),
            ));
        }
        Ok((row, column))
    }
}

/// The position of the least number.
fn least(numbers: impl Iterator<Item = f64>) -> usize {
    let best = numbers.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or(0, |(position, _)| position)
}

fn spacing(values: &[f64]) -> f64 {
    match values {
        [first, second, ..] => (second - first).abs(),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, length: usize) -> Axis {
        Axis {
            name: name.into(),
            coordinate: None,
            length,
            indices: (0..length).collect(),
            dropped: false,
        }
    }

    /// A grid turned by 45 degrees: rows go north-east, columns south-east.
    fn turned() -> Grid {
        let place = |row: f64, column: f64| (row - column, 30.0 + row + column);
        let places: Vec<_> = (0..20_u8)
            .flat_map(|row| (0..30_u8).map(move |column| place(row.into(), column.into())))
            .collect();
        let (latitude, longitude) = places.into_iter().unzip();
        Grid::Points { latitude, longitude, columns: 30 }
    }

    #[test]
    fn the_part_of_a_turned_grid_holds_every_point_of_the_box() {
        let mut axes = [axis("step", 3), axis("y", 20), axis("x", 30)];
        let region: BoundingBox = "40,-2,44,2".parse().unwrap();
        turned().choose(&region, &mut axes).unwrap();
        assert_eq!(axes[0].indices.len(), 3);
        assert_eq!(axes[1].indices, [4, 5, 6, 7, 8]);
        assert_eq!(axes[2].indices, [4, 5, 6, 7, 8]);
        let off: BoundingBox = "-100,-2,-90,2".parse().unwrap();
        assert!(turned().choose(&off, &mut axes).is_err());
    }

    #[test]
    fn the_nearest_point() {
        let at = |text: &str| text.parse::<Place>().unwrap();
        assert_eq!(turned().nearest(at("0.1,42.2")).unwrap(), (6, 6));
        assert!(turned().nearest(at("60,42")).unwrap_err().to_string().contains("off the grid"));
        let axes = Grid::Axes {
            latitude: vec![1.0, 0.75, 0.5],
            longitude: (0..1440_u16).map(|it| -180.0 + 0.25 * f64::from(it)).collect(),
        };
        assert_eq!(axes.nearest(at("0.8,179.9")).unwrap(), (1, 0));
        assert_eq!(axes.nearest(at("0.8,359.9")).unwrap(), (1, 720));
        assert!(axes.nearest(at("2,0")).is_err());
    }
}
