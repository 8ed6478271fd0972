//! Projected grids, of grid definition templates 3.10, 3.20 and 3.30.

use gik_core::{Ellipsoid, Projection, Result, wrap_longitude};

use crate::grid::{GridDefinition, GridShape};
use crate::message::Section;
use crate::scale::Value;

/// A degree's millionth, the unit of angles.
const MICRODEGREE: f64 = 1e-6;
/// The unit of grid lengths, in metres.
const MILLIMETRE: f64 = 1e-3;
/// Bit 1 of the projection centre flags: the south pole is on the plane (flag table 3.5).
const SOUTH_POLE: u8 = 0x80;

/// A projected grid: equal steps in metres from the first point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProjectedGrid {
    shape: GridShape,
    projection: Projection,
    /// The first point.
    x: f64,
    y: f64,
    /// From one column and row to the next.
    dx: f64,
    dy: f64,
}

impl ProjectedGrid {
    /// Reads section 3.
    ///
    /// # Errors
    /// When it is too short, of another template, or its numbers describe no projection.
    pub(crate) fn read(
        section: &Section<'_>,
        grid: &GridDefinition,
        shape: GridShape,
    ) -> Result<Self> {
        let earth = shape_of_earth(section)?;
        let angle = |octet| -> Result<f64> {
            Ok((f64::from(section.at_octet(octet)?.signed32()?) * MICRODEGREE).to_radians())
        };
        let length =
            |octet| -> Result<f64> { Ok(f64::from(section.at_octet(octet)?.u32()?) * MILLIMETRE) };
        let (latitude, longitude) = (angle(39)?, angle(43)?);
        let (projection, steps) = match grid.template {
            10 => {
                if section.at_octet(61)?.u32()? != 0 {
                    let what = "orientation of a Mercator grid";
                    return Err(section.unsupported(61, what, "other than 0"));
                }
                (Projection::mercator(earth, angle(48)?), (length(65)?, length(69)?))
            }
            20 => {
                let south = section.at_octet(64)?.u8()? & SOUTH_POLE != 0;
                let projection = Projection::stereographic(earth, angle(48)?, angle(52)?, south);
                (projection, (length(56)?, length(60)?))
            }
            _ => {
                let projection = Projection::lambert(earth, angle(52)?, angle(66)?, angle(70)?);
                (projection, (length(56)?, length(60)?))
            }
        };
        let (x, y) = projection.forward(latitude, longitude);
        let dx = if shape.scan.columns_reversed() { -steps.0 } else { steps.0 };
        let dy = if shape.scan.rows_northward() { steps.1 } else { -steps.1 };
        if !x.is_finite() || !y.is_finite() {
            let expected = "a first point that the projection shows";
            let found = format!("{}° N, {}° E", latitude.to_degrees(), longitude.to_degrees());
            return Err(section.malformed(39, "projected grid", expected, &found));
        }
        Ok(Self { shape, projection, x, y, dx, dy })
    }

    /// Fills `out` with each point's latitude or longitude in degrees, row by row;
    /// longitudes from −180° up to 180°.
    pub(crate) fn fill<T: Value>(&self, latitude: bool, out: &mut [T]) {
        let columns = self.shape.columns as usize;
        if columns == 0 {
            return;
        }
        for (row, line) in (0_u32..).zip(out.chunks_mut(columns)) {
            let y = self.y + f64::from(row) * self.dy;
            for (column, value) in (0_u32..).zip(line) {
                let x = self.x + f64::from(column) * self.dx;
                *value = T::from_f64(if latitude {
                    self.projection.latitude(x, y).to_degrees()
                } else {
                    wrap_longitude(self.projection.longitude(x, y).to_degrees())
                });
            }
        }
    }
}

/// The shape of the Earth (code table 3.2).
fn shape_of_earth(section: &Section<'_>) -> Result<Ellipsoid> {
    const WHAT: &str = "shape of the Earth (code table 3.2)";
    let scaled = |octet| -> Result<f64> {
        let mut reader = section.at_octet(octet)?;
        let factor = reader.u8()?;
        let value = reader.u32()?;
        // Sign and magnitude, like all integers.
        let power = i32::from(factor & 0x7f);
        let power = if factor & 0x80 == 0 { -power } else { power };
        Ok(f64::from(value) * 10_f64.powi(power))
    };
    let (major, minor) = match section.at_octet(15)?.u8()? {
        0 => (6_367_470.0, 6_367_470.0),
        1 => (scaled(16)?, scaled(16)?),
        2 => (6_378_160.0, 6_356_775.0),
        3 => (scaled(21)? * 1000.0, scaled(26)? * 1000.0),
        4 => (6_378_137.0, 6_356_752.314),
        5 => (6_378_137.0, 6_356_752.314_245_179),
        6 => (6_371_229.0, 6_371_229.0),
        7 => (scaled(21)?, scaled(26)?),
        8 => (6_371_200.0, 6_371_200.0),
        other => return Err(section.unsupported(15, WHAT, other.to_string())),
    };
    // Farther from a sphere than this no planet is, and the series would not converge.
    if !(major > 0.0 && major < 1e9 && minor <= major && minor > 0.9 * major) {
        let found = format!("axes of {major} m and {minor} m");
        return Err(section.malformed(15, WHAT, "a sphere or nearly", &found));
    }
    Ok(Ellipsoid::new(major, minor))
}

/// Whether templates of this number are projected here.
pub(crate) fn is_projected(template: u16) -> bool {
    matches!(template, 10 | 20 | 30)
}
