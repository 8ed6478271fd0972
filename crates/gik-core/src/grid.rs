//! Grids, as the coordinates of a store need them.

use bytes::Bytes;
use serde_json::json;

use crate::Attributes;

mod projected;

pub use projected::{MapProjection, ProjectedGrid};

/// The grid that all data arrays of a store share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grid {
    /// Rows and columns are latitudes and longitudes.
    LatLon(LatLonGrid),
    /// Rows and columns are metres on a map.
    Projected {
        /// The grid.
        grid: ProjectedGrid,
        /// A GRIB message on it, of which the codec makes latitudes and longitudes.
        message: Bytes,
    },
}

impl From<LatLonGrid> for Grid {
    fn from(grid: LatLonGrid) -> Self {
        Self::LatLon(grid)
    }
}

impl Grid {
    /// Whether fields of `other` lie where those of this grid do: as many rows and columns, at the
    /// same places. Producers round angles, and have changed how: places may differ by a tenth of
    /// the distance of points. A global grid may begin at any of its meridians, since the codec
    /// turns it.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::LatLon(one), Self::LatLon(other)) => one.is_like(other),
            (Self::Projected { grid: one, .. }, Self::Projected { grid: other, .. }) => {
                one.is_like(other)
            }
            _ => false,
        }
    }

    /// The dimensions of a field with their lengths: rows, then columns.
    #[must_use]
    pub fn dimensions(&self) -> [(&'static str, u64); 2] {
        match self {
            Self::LatLon(grid) => {
                [("latitude", grid.rows.into()), ("longitude", grid.columns.into())]
            }
            Self::Projected { grid, .. } => [("y", grid.rows.into()), ("x", grid.columns.into())],
        }
    }
}

/// A regular latitude/longitude grid (GRIB2 grid definition template 3.0) whose rows run
/// from north to south and whose columns run east, as all models here write it.
///
/// Angles are integers in microdegrees, the unit of the template, so that coordinates are
/// exact to the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatLonGrid {
    /// Points along a parallel (Ni).
    pub columns: u32,
    /// Points along a meridian (Nj).
    pub rows: u32,
    /// Latitude of the first row, in microdegrees north.
    pub first_latitude: i32,
    /// Longitude of the first column as the message says it, 0…360°, in microdegrees east.
    pub first_longitude: i32,
    /// Distance of rows and of columns, in microdegrees.
    pub increment: u32,
}

impl LatLonGrid {
    /// Latitudes of the rows, in degrees north. Shape `(rows)`.
    #[must_use]
    pub fn latitudes(&self) -> Vec<f64> {
        (0..i64::from(self.rows))
            .map(|row| degrees(i64::from(self.first_latitude) - row * i64::from(self.increment)))
            .collect()
    }

    /// Longitudes of the columns, in degrees east, ascending within −180…180 as the codec
    /// turns a global grid with `adjust_longitude_range`. Shape `(columns)`.
    #[must_use]
    pub fn longitudes(&self) -> Vec<f64> {
        let mut values: Vec<i64> = (0..i64::from(self.columns))
            .map(|column| {
                let east = i64::from(self.first_longitude) + column * i64::from(self.increment);
                (east + 180_000_000).rem_euclid(360_000_000) - 180_000_000
            })
            .collect();
        values.sort_unstable();
        values.into_iter().map(degrees).collect()
    }

    fn is_like(&self, other: &Self) -> bool {
        let tolerance = i64::from(self.increment / 10);
        let points = i64::from(self.columns.max(self.rows));
        let stretch = i64::from(self.increment.abs_diff(other.increment)).saturating_mul(points);
        let turn = i64::from(other.first_longitude) - i64::from(self.first_longitude);
        let increment = i64::from(self.increment.max(1));
        let is_global = i64::from(self.columns) * increment == 360_000_000;
        let cycle = if is_global { increment } else { 360_000_000 };
        let turn = turn.rem_euclid(cycle);
        (self.columns, self.rows) == (other.columns, other.rows)
            && stretch <= tolerance
            && i64::from(self.first_latitude.abs_diff(other.first_latitude)) <= tolerance
            && turn.min(cycle - turn) <= tolerance
    }

    /// Longitude of the last column as the message says it, 0…360°, in microdegrees east.
    #[must_use]
    pub fn last_longitude(&self) -> i64 {
        let last = i64::from(self.columns.saturating_sub(1)) * i64::from(self.increment);
        (i64::from(self.first_longitude) + last).rem_euclid(360_000_000)
    }

    /// What cfgrib writes about the grid of a message: `GRIB_gridType`, `GRIB_Nx`, ….
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let increment = degrees(i64::from(self.increment));
        let last_latitude = i64::from(self.first_latitude)
            - i64::from(self.rows.saturating_sub(1)) * i64::from(self.increment);
        [
            ("GRIB_gridType", json!("regular_ll")),
            (
                "GRIB_gridDefinitionDescription",
                json!("Latitude/longitude. Also called equidistant cylindrical, or Plate Carree"),
            ),
            ("GRIB_Nx", json!(self.columns)),
            ("GRIB_Ny", json!(self.rows)),
            ("GRIB_numberOfPoints", json!(u64::from(self.columns) * u64::from(self.rows))),
            ("GRIB_iDirectionIncrementInDegrees", json!(increment)),
            ("GRIB_jDirectionIncrementInDegrees", json!(increment)),
            ("GRIB_iScansNegatively", json!(0)),
            ("GRIB_jScansPositively", json!(0)),
            ("GRIB_jPointsAreConsecutive", json!(0)),
            ("GRIB_uvRelativeToGrid", json!(0)),
            ("GRIB_latitudeOfFirstGridPointInDegrees", json!(degrees(self.first_latitude.into()))),
            ("GRIB_latitudeOfLastGridPointInDegrees", json!(degrees(last_latitude))),
            (
                "GRIB_longitudeOfFirstGridPointInDegrees",
                json!(degrees(self.first_longitude.into())),
            ),
            ("GRIB_longitudeOfLastGridPointInDegrees", json!(degrees(self.last_longitude()))),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }
}

/// Microdegrees in degrees.
#[expect(clippy::cast_precision_loss, reason = "angles have at most ten digits")]
#[must_use]
pub fn degrees(microdegrees: i64) -> f64 {
    microdegrees as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::projected::tests::HRRR;
    use super::*;

    const GLOBE: LatLonGrid = LatLonGrid {
        columns: 1440,
        rows: 721,
        first_latitude: 90_000_000,
        first_longitude: 0,
        increment: 250_000,
    };

    #[test]
    fn a_global_grid_runs_from_the_date_line() {
        let grid = GLOBE;
        let (latitudes, longitudes) = (grid.latitudes(), grid.longitudes());
        assert_eq!((latitudes[0], latitudes[720], latitudes.len()), (90.0, -90.0, 721));
        assert_eq!((longitudes[0], longitudes[720], longitudes[1439]), (-180.0, 0.0, 179.75));
        assert_eq!(grid.last_longitude(), 359_750_000);
        // One that starts at 180°E has the same coordinates.
        let other = LatLonGrid { first_longitude: 180_000_000, ..grid };
        assert_eq!(other.longitudes(), longitudes);
    }

    #[test]
    fn grids_are_like_others_at_the_same_places() {
        let grid = GLOBE;
        let part = LatLonGrid { columns: 100, rows: 50, ..grid };
        let like = |one: LatLonGrid, other: LatLonGrid| Grid::from(one).is_like(&other.into());
        assert!(like(grid, grid) && like(part, part));
        assert!(like(grid, LatLonGrid { first_longitude: 180_000_000, ..grid }));
        assert!(!like(part, LatLonGrid { first_longitude: 180_000_000, ..part }));
        assert!(like(part, LatLonGrid { first_longitude: 360_000_000, ..part }));
        assert!(like(part, LatLonGrid { first_latitude: 90_000_009, ..part }));
        assert!(!like(part, LatLonGrid { first_latitude: 89_750_000, ..part }));
        assert!(!like(grid, LatLonGrid { rows: 720, ..grid }));
        assert!(!like(part, LatLonGrid { increment: 251_000, ..part }));
        let message = Bytes::new();
        assert!(!Grid::from(grid).is_like(&Grid::Projected { grid: HRRR, message }));
    }
}
