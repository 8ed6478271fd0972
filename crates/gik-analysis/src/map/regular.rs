//! A field of a projected grid, brought to a regular one of latitude and longitude.

/// Points along a side at the most: more than a picture shows.
const MOST: f64 = 1600.0;

/// A field at every row and column of two axes, in degrees, both ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Regular {
    pub(super) latitude: Vec<f64>,
    pub(super) longitude: Vec<f64>,
    /// Rows from the south.
    pub(super) values: Vec<f32>,
}

/// A point of the projected grid: longitude, latitude, value.
type Corner = (f64, f64, f64);

impl Regular {
    /// Interpolates linearly within the triangles between neighbouring points; NaN outside of
    /// the grid, and where one of the three points has no value. None without two rows and
    /// columns.
    pub(super) fn of(
        latitude: &[f64],
        longitude: &[f64],
        values: &[f32],
        columns: usize,
    ) -> Option<Self> {
        let middle = *longitude.get(longitude.len() / 2)?;
        let points: Vec<Corner> = latitude
            .iter()
            .zip(longitude)
            .zip(values)
            .map(|((&y, &x), &value)| {
                (middle + (x - middle + 180.0).rem_euclid(360.0) - 180.0, y, f64::from(value))
            })
            .collect();
        let rows: Vec<&[Corner]> = points.chunks_exact(columns.max(1)).collect();
        if rows.len() < 2 || columns < 2 {
            return None;
        }
        let row_count = f64::from(u32::try_from(rows.len()).ok()?);
        let column_count = f64::from(u32::try_from(columns).ok()?);
        let x = Axis::of(points.iter().map(|point| point.0), column_count)?;
        let y = Axis::of(points.iter().map(|point| point.1), row_count)?;
        let mut regular = Self {
            values: vec![f32::NAN; x.count * y.count],
            latitude: y.points(),
            longitude: x.points(),
        };
        for (south, north) in rows.iter().zip(rows.iter().skip(1)) {
            for (below, above) in south.windows(2).zip(north.windows(2)) {
                if let ([a, b], [c, d]) = (below, above) {
                    regular.triangle([*a, *b, *c], &x, &y);
                    regular.triangle([*b, *d, *c], &x, &y);
                }
            }
        }
        Some(regular)
    }

    /// Sets the points within a triangle.
    fn triangle(&mut self, corners: [Corner; 3], x: &Axis, y: &Axis) {
        let [a, b, c] = corners;
        let area = (b.0 - a.0) * (c.1 - a.1) - (c.0 - a.0) * (b.1 - a.1);
        if area == 0.0 || !area.is_finite() {
            return;
        }
        let columns = x.between([a.0, b.0, c.0]);
        for row in y.between([a.1, b.1, c.1]) {
            for column in columns.clone() {
                let (px, py) = (x.at(column), y.at(row));
                let wb = ((px - a.0) * (c.1 - a.1) - (c.0 - a.0) * (py - a.1)) / area;
                let wc = ((b.0 - a.0) * (py - a.1) - (px - a.0) * (b.1 - a.1)) / area;
                let wa = 1.0 - wb - wc;
                let slack = -1e-9;
                if wa < slack || wb < slack || wc < slack {
                    continue;
                }
                let value = wa * a.2 + wb * b.2 + wc * c.2;
                if let Some(target) = self.values.get_mut(row * x.count + column) {
                    *target = super::narrow(value);
                }
            }
        }
    }
}

/// Evenly spaced points.
struct Axis {
    first: f64,
    step: f64,
    count: usize,
}

impl Axis {
    /// From the least to the greatest value, about as many as the grid has.
    fn of(values: impl Iterator<Item = f64> + Clone, count: f64) -> Option<Self> {
        let first = values.clone().fold(f64::INFINITY, f64::min);
        let last = values.fold(f64::NEG_INFINITY, f64::max);
        if !(first.is_finite() && last.is_finite() && first < last) {
            return None;
        }
        let steps = count.clamp(2.0, MOST).round();
        let count = position(steps) + 1;
        Some(Self { first, step: (last - first) / steps, count })
    }

    fn at(&self, position: usize) -> f64 {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        self.first + self.step * f64::from(position)
    }

    fn points(&self) -> Vec<f64> {
        (0..self.count).map(|position| self.at(position)).collect()
    }

    /// The points between the least and the greatest of three values.
    fn between(&self, values: [f64; 3]) -> std::ops::Range<usize> {
        let least = values.into_iter().fold(f64::INFINITY, f64::min);
        let most = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let place = |value: f64| (value - self.first) / self.step;
        let from = position((place(least) - 1e-6).ceil());
        let end = position((place(most) + 1e-6).floor() + 1.0);
        from..end.min(self.count)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what a side has before"
)]
fn position(place: f64) -> usize {
    place.clamp(0.0, MOST + 1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_stays_a_plane_on_a_turned_grid() {
        // Rows go north-east, columns south-east; the value is the longitude.
        let places: Vec<(f64, f64)> = (0..20_u8)
            .flat_map(|row| (0..20_u8).map(move |column| (f64::from(row), f64::from(column))))
            .map(|(row, column)| (row - column, 175.0 + row + column))
            .collect();
        let (latitude, longitude): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
        let values: Vec<f32> = longitude.iter().map(|&x| super::super::narrow(x)).collect();
        // As a store has them: beyond the date line they are negative.
        let wrapped: Vec<f64> =
            longitude.iter().map(|x| (x + 180.0).rem_euclid(360.0) - 180.0).collect();
        let regular = Regular::of(&latitude, &wrapped, &values, 20).unwrap();
        let (rows, columns) = (regular.latitude.len(), regular.longitude.len());
        assert_eq!(regular.values.len(), rows * columns);
        let centre = regular.values[rows / 2 * columns + columns / 2];
        let expected = regular.longitude[columns / 2].rem_euclid(360.0);
        assert!((f64::from(centre) - expected).abs() < 1e-3, "{centre} {expected}");
        assert!(regular.values[0].is_nan(), "a corner of the box is off the grid");
        let found = regular.values.iter().filter(|it| !it.is_nan()).count();
        assert!(found * 2 > rows * columns * 9 / 10, "{found} of {}", rows * columns);
    }

    #[test]
    fn no_grid_without_two_rows() {
        assert_eq!(Regular::of(&[1.0, 2.0], &[1.0, 2.0], &[0.0, 0.0], 2), None);
        assert_eq!(Regular::of(&[], &[], &[], 0), None);
        assert_eq!(Regular::of(&[1.0; 4], &[1.0; 4], &[0.0; 4], 2), None);
        assert_eq!(Regular::of(&[f64::NAN; 4], &[1.0; 4], &[0.0; 4], 2), None);
    }
}
