//! Map projections of grid definition templates 3.10, 3.20 and 3.30, between metres and
//! degrees, on the sphere and the ellipsoid.
//!
//! The formulas are those of J. P. Snyder, *Map Projections: A Working Manual* (USGS
//! Professional Paper 1395), chapters 7, 15 and 21. From conformal to geodetic latitude
//! they iterate; here it is the series in the third flattening (C. F. F. Karney,
//! *Transverse Mercator with an accuracy of a few nanometers*, 2011, and L. P. Lee, 1976),
//! which costs the same for each point.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

use gik_core::Result;

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
        let earth = Ellipsoid::read(section)?;
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
                    wrap(self.projection.longitude(x, y).to_degrees())
                });
            }
        }
    }
}

/// To −180° up to 180°.
fn wrap(longitude: f64) -> f64 {
    let wrapped = (longitude + 180.0).rem_euclid(360.0) - 180.0;
    // A remainder may be rounded up to 360°.
    if wrapped >= 180.0 { wrapped - 360.0 } else { wrapped }
}

/// The shape of the Earth (code table 3.2).
#[derive(Debug, Clone, Copy)]
struct Ellipsoid {
    /// The semi-major axis, in metres.
    major: f64,
    eccentricity: f64,
    /// Coefficients of sin 2χ, sin 4χ … in the geodetic latitude from the conformal χ.
    series: [f64; 6],
}

impl Ellipsoid {
    fn read(section: &Section<'_>) -> Result<Self> {
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
        Ok(Self::new(major, minor))
    }

    fn new(major: f64, minor: f64) -> Self {
        let n = (major - minor) / (major + minor);
        let series = |coefficients: &[f64]| {
            coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * n + coefficient)
        };
        let series = [
            series(&[0.0, 2.0, -2.0 / 3.0, -2.0, 116.0 / 45.0, 26.0 / 45.0, -2854.0 / 675.0]),
            series(&[
                0.0,
                0.0,
                7.0 / 3.0,
                -8.0 / 5.0,
                -227.0 / 45.0,
                2704.0 / 315.0,
                2323.0 / 945.0,
            ]),
            series(&[0.0, 0.0, 0.0, 56.0 / 15.0, -136.0 / 35.0, -1262.0 / 105.0, 73814.0 / 2835.0]),
            series(&[0.0, 0.0, 0.0, 0.0, 4279.0 / 630.0, -332.0 / 35.0, -399_572.0 / 14175.0]),
            series(&[0.0, 0.0, 0.0, 0.0, 0.0, 4174.0 / 315.0, -144_838.0 / 6237.0]),
            series(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 601_676.0 / 22275.0]),
        ];
        let eccentricity = ((major - minor) * (major + minor)).sqrt() / major;
        Self { major, eccentricity, series }
    }

    /// Snyder's t (equation 15-9): tan(π/4 − χ/2) of the conformal latitude χ.
    fn t(&self, latitude: f64) -> f64 {
        let tangent = (FRAC_PI_4 - latitude / 2.0).tan();
        if self.eccentricity == 0.0 {
            return tangent;
        }
        let e = self.eccentricity;
        let sine = e * latitude.sin();
        tangent / ((1.0 - sine) / (1.0 + sine)).powf(e / 2.0)
    }

    /// The latitude from t.
    fn latitude(&self, t: f64) -> f64 {
        let conformal = FRAC_PI_2 - 2.0 * t.atan();
        if self.eccentricity == 0.0 {
            return conformal;
        }
        // The sum of the series (Clenshaw).
        let (sine, cosine) = (2.0 * conformal).sin_cos();
        let (mut last, mut before) = (0.0, 0.0);
        for coefficient in self.series.iter().rev() {
            (last, before) = (2.0 * cosine * last - before + coefficient, last);
        }
        conformal + last * sine
    }

    /// Snyder's m (equation 14-15): a parallel's radius, in units of the semi-major axis.
    fn m(&self, latitude: f64) -> f64 {
        latitude.cos() / (1.0 - (self.eccentricity * latitude.sin()).powi(2)).sqrt()
    }
}

/// Angles are in radians, `scale` in metres.
#[derive(Debug, Clone, Copy)]
enum Projection {
    /// Radii are `scale`·t^`cone`, angles `cone` times the longitude from `meridian`.
    Lambert {
        earth: Ellipsoid,
        meridian: f64,
        cone: f64,
        scale: f64,
    },
    /// As Lambert with a cone of 1; around the south pole for −1.
    Stereographic {
        earth: Ellipsoid,
        meridian: f64,
        pole: f64,
        scale: f64,
    },
    Mercator {
        earth: Ellipsoid,
        scale: f64,
    },
}

impl Projection {
    fn lambert(earth: Ellipsoid, meridian: f64, first: f64, second: f64) -> Self {
        let (t1, t2) = (earth.t(first), earth.t(second));
        let (m1, m2) = (earth.m(first), earth.m(second));
        let cone = if (first - second).abs() < 1e-10 {
            first.sin()
        } else {
            (m1.ln() - m2.ln()) / (t1.ln() - t2.ln())
        };
        Self::Lambert { earth, meridian, cone, scale: earth.major * m1 / (cone * t1.powf(cone)) }
    }

    fn stereographic(earth: Ellipsoid, true_scale: f64, meridian: f64, south: bool) -> Self {
        let true_scale = true_scale.abs();
        let e = earth.eccentricity;
        let t = earth.t(true_scale);
        // At the pole itself t and m vanish (equation 21-33 in place of 21-34).
        let scale = if t.abs() < 1e-12 {
            2.0 * earth.major / ((1.0 + e).powf(1.0 + e) * (1.0 - e).powf(1.0 - e)).sqrt()
        } else {
            earth.major * earth.m(true_scale) / t
        };
        Self::Stereographic { earth, meridian, pole: if south { -1.0 } else { 1.0 }, scale }
    }

    fn mercator(earth: Ellipsoid, true_scale: f64) -> Self {
        Self::Mercator { earth, scale: earth.major * earth.m(true_scale) }
    }

    fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        match *self {
            Self::Lambert { earth, meridian, cone, scale } => {
                let radius = scale * earth.t(latitude).powf(cone);
                let angle = cone * wrap((longitude - meridian).to_degrees()).to_radians();
                (radius * angle.sin(), -radius * angle.cos())
            }
            Self::Stereographic { earth, meridian, pole, scale } => {
                let radius = scale * earth.t(pole * latitude);
                let (sine, cosine) = (longitude - meridian).sin_cos();
                (radius * sine, -pole * radius * cosine)
            }
            Self::Mercator { earth, scale } => (scale * longitude, -scale * earth.t(latitude).ln()),
        }
    }

    fn latitude(&self, x: f64, y: f64) -> f64 {
        match *self {
            Self::Lambert { earth, cone, scale, .. } => {
                earth.latitude((x.hypot(y) / scale.abs()).powf(cone.recip()))
            }
            Self::Stereographic { earth, pole, scale, .. } => {
                pole * earth.latitude(x.hypot(y) / scale)
            }
            Self::Mercator { earth, scale } => earth.latitude((-y / scale).exp()),
        }
    }

    fn longitude(&self, x: f64, y: f64) -> f64 {
        match *self {
            // Of a southern cone radii are negative.
            Self::Lambert { meridian, cone, .. } => {
                meridian + (cone.signum() * x).atan2(-cone.signum() * y) / cone
            }
            Self::Stereographic { meridian, pole, .. } => meridian + x.atan2(-pole * y),
            Self::Mercator { scale, .. } => x / scale,
        }
    }
}

/// Whether templates of this number are projected here.
pub(crate) fn is_projected(template: u16) -> bool {
    matches!(template, 10 | 20 | 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let sphere = Ellipsoid::new(6_371_229.0, 6_371_229.0);
        let wgs84 = Ellipsoid::new(6_378_137.0, 6_356_752.314_245_179);
        let degrees = |values: [f64; 3]| values.map(f64::to_radians);
        for earth in [sphere, wgs84] {
            let [a, b, c] = degrees([38.5, 25.0, -60.0]);
            let projections = [
                Projection::lambert(earth, a, a, a),
                Projection::lambert(earth, c, b, a),
                Projection::lambert(earth, b, c, -a),
                Projection::stereographic(earth, -c, a, false),
                Projection::stereographic(earth, FRAC_PI_2, c, false),
                Projection::stereographic(earth, c, b, true),
                Projection::mercator(earth, b),
            ];
            for projection in projections {
                for latitude in [-70.0, -33.0, 0.0, 12.5, 45.0, 80.0_f64] {
                    for longitude in [-120.0, -10.0, 0.0, 33.3, 110.0_f64] {
                        let (x, y) =
                            projection.forward(latitude.to_radians(), longitude.to_radians());
                        let found = projection.latitude(x, y).to_degrees();
                        assert!(
                            (found - latitude).abs() < 1e-11,
                            "{projection:?} {found} {latitude}"
                        );
                        let found = wrap(projection.longitude(x, y).to_degrees());
                        assert!(
                            (found - longitude).abs() < 1e-11,
                            "{projection:?} {found} {longitude}"
                        );
                    }
                }
            }
        }
    }
}
