//! Section 3: a regular latitude/longitude grid, template 3.0.

use super::bits::signed32;

/// A regular grid: rows from north to south, points from west to east.
///
/// Angles are micro-degrees, the unit of template 3.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegularGrid {
    /// Points of a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Latitude of the first row, micro-degrees north.
    pub north: i32,
    /// Longitude of the first column, micro-degrees east.
    pub west: i32,
    /// Distance of neighbours in both directions, micro-degrees.
    pub step: i32,
}

impl RegularGrid {
    /// The global grid of GEFS `pgrb2s`: 1440 × 721 points, 90° to −90°, 0° to 359.75°.
    pub const GLOBAL_0P25: Self = Self::new(1440, 721, 90_000_000, 0, 250_000);
    /// The global grid of GEFS `pgrb2a` and `pgrb2b`: 720 × 361 points of 0.5°.
    pub const GLOBAL_0P50: Self = Self::new(720, 361, 90_000_000, 0, 500_000);

    /// The global grid of ECMWF's open data: 1440 × 721 points, 90° to −90°, 180° to 179.75°.
    pub const ECMWF_0P25: Self = Self::new(1440, 721, 90_000_000, 180_000_000, 250_000);
    /// The same before 2024-02-01: 900 × 451 points of 0.4°.
    pub const ECMWF_0P40: Self = Self::new(900, 451, 90_000_000, 180_000_000, 400_000);

    /// `columns` × `rows` points, the first at `north`, `west`, all `step` apart
    /// (micro-degrees).
    #[must_use]
    pub const fn new(columns: u32, rows: u32, north: i32, west: i32, step: i32) -> Self {
        Self { columns, rows, north, west, step }
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns as usize * self.rows as usize
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Latitude of a row, degrees north.
    #[must_use]
    pub fn latitude(&self, row: u32) -> f64 {
        (f64::from(self.north) - f64::from(row) * f64::from(self.step)) / 1e6
    }

    /// Longitude of a column, degrees east.
    #[must_use]
    pub fn longitude(&self, column: u32) -> f64 {
        (f64::from(self.west) + f64::from(column) * f64::from(self.step)) / 1e6
    }

    /// Section 3, 72 octets.
    pub(super) fn section(&self) -> Vec<u8> {
        let last = |first: i32, count: u32, sign: i32| {
            let steps = i32::try_from(count.saturating_sub(1)).unwrap_or(i32::MAX);
            first.saturating_add(sign.saturating_mul(self.step.saturating_mul(steps)))
        };
        let mut out = Vec::with_capacity(72);
        out.extend([0, 0, 0, 72, 3, 0]);
        out.extend(self.columns.saturating_mul(self.rows).to_be_bytes());
        out.extend([0, 0, 0, 0]); // no list of points per row; template 3.0
        out.push(6); // spherical earth of radius 6 371 229 m
        out.extend([0; 15]); // radius and axes: given by the shape
        out.extend(self.columns.to_be_bytes());
        out.extend(self.rows.to_be_bytes());
        out.extend([0; 4]); // basic angle 0: the unit is 10^-6 degree
        out.extend([0xff; 4]);
        out.extend(signed32(self.north));
        out.extend(signed32(self.west));
        out.push(0x30); // i and j direction increments given
        out.extend(signed32(last(self.north, self.rows, -1)));
        // Longitudes run from 0° to 360°, also where a row passes the meridian of Greenwich.
        let east = last(self.west, self.columns, 1);
        out.extend(signed32(if east >= 360_000_000 { east - 360_000_000 } else { east }));
        out.extend(signed32(self.step));
        out.extend(signed32(self.step));
        out.push(0); // scanning mode: +i, -j, rows consecutive
        out
    }
}
