//! Map projections, between metres and degrees, on the sphere and the ellipsoid.
//!
//! The formulas are those of J. P. Snyder, *Map Projections: A Working Manual* (USGS
//! Professional Paper 1395), chapters 7, 15 and 21. From conformal to geodetic latitude
//! they iterate; here it is the series in the third flattening (C. F. F. Karney,
//! *Transverse Mercator with an accuracy of a few nanometers*, 2011, and L. P. Lee, 1976),
//! which costs the same for each point.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

/// An Earth: a sphere or an ellipsoid of revolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipsoid {
    /// The semi-major axis, in metres.
    major: f64,
    eccentricity: f64,
    /// Coefficients of sin 2χ, sin 4χ … in the geodetic latitude from the conformal χ.
    series: [f64; 6],
}

impl Ellipsoid {
    /// From the axes, in metres; equal ones are a sphere.
    #[must_use]
    pub fn new(major: f64, minor: f64) -> Self {
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
    #[inline]
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

/// A map projection, between radians and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Projection {
    /// Radii are `scale`·t^`cone`, angles `cone` times the longitude from `meridian`.
    Lambert {
        /// The Earth.
        earth: Ellipsoid,
        /// The central meridian.
        meridian: f64,
        /// The constant of the cone.
        cone: f64,
        /// Metres.
        scale: f64,
    },
    /// As Lambert with a cone of 1; around the south pole for −1.
    Stereographic {
        /// The Earth.
        earth: Ellipsoid,
        /// The central meridian.
        meridian: f64,
        /// 1 or −1.
        pole: f64,
        /// Metres.
        scale: f64,
    },
    /// From Greenwich.
    Mercator {
        /// The Earth.
        earth: Ellipsoid,
        /// Metres.
        scale: f64,
    },
}

impl Projection {
    /// Lambert's conformal conic: central meridian and standard parallels.
    #[must_use]
    pub fn lambert(earth: Ellipsoid, meridian: f64, first: f64, second: f64) -> Self {
        let (t1, t2) = (earth.t(first), earth.t(second));
        let (m1, m2) = (earth.m(first), earth.m(second));
        let cone = if (first - second).abs() < 1e-10 {
            first.sin()
        } else {
            (m1.ln() - m2.ln()) / (t1.ln() - t2.ln())
        };
        Self::Lambert { earth, meridian, cone, scale: earth.major * m1 / (cone * t1.powf(cone)) }
    }

    /// Polar stereographic: parallel of true scale, meridian that points down (up in the south).
    #[must_use]
    pub fn stereographic(earth: Ellipsoid, true_scale: f64, meridian: f64, south: bool) -> Self {
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

    /// Mercator, from Greenwich: parallel of true scale.
    #[must_use]
    pub fn mercator(earth: Ellipsoid, true_scale: f64) -> Self {
        Self::Mercator { earth, scale: earth.major * earth.m(true_scale) }
    }

    /// Metres from degrees, both from radians: `(x, y)`, y counted from the pole, of Mercator from
    /// the equator.
    #[must_use]
    pub fn forward(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        match *self {
            Self::Lambert { earth, meridian, cone, scale } => {
                let radius = scale * earth.t(latitude).powf(cone);
                let angle = cone * wrap_longitude((longitude - meridian).to_degrees()).to_radians();
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

    /// The latitude of a point, in radians.
    #[inline]
    #[must_use]
    pub fn latitude(&self, x: f64, y: f64) -> f64 {
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

    /// The longitude of a point, in radians, not yet within ±π.
    #[inline]
    #[must_use]
    pub fn longitude(&self, x: f64, y: f64) -> f64 {
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

/// To −180° up to 180°.
#[inline]
#[must_use]
pub fn wrap_longitude(longitude: f64) -> f64 {
    let wrapped = (longitude + 180.0).rem_euclid(360.0) - 180.0;
    // A remainder may be rounded up to 360°.
    if wrapped >= 180.0 { wrapped - 360.0 } else { wrapped }
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
                        let found = wrap_longitude(projection.longitude(x, y).to_degrees());
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
