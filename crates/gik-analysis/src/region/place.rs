//! A place, as people write it: `lat,lon`.

use std::fmt;
use std::str::FromStr;

use gik_core::{Error, Result};

/// A place on the globe.
///
/// # Units
/// Degrees; longitudes as −180…180 or 0…360.
///
/// # Examples
/// ```
/// use gik_analysis::Place;
///
/// let nairobi: Place = "-1.29,36.82".parse()?;
/// assert_eq!(nairobi.latitude, -1.29);
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl Place {
    /// Degrees that a longitude lies east of the place, −180…180.
    pub(crate) fn degrees_east(self, longitude: f64) -> f64 {
        (longitude - self.longitude + 180.0).rem_euclid(360.0) - 180.0
    }

    /// Degrees to another place, on the plane that touches the globe here: good for finding
    /// what is near.
    pub(crate) fn distance(self, latitude: f64, longitude: f64) -> f64 {
        let east = self.degrees_east(longitude) * self.latitude.to_radians().cos();
        east.hypot(latitude - self.latitude)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude, self.longitude)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.trim().parse().ok().filter(|it: &f64| it.is_finite());
        let place = text
            .split_once(',')
            .and_then(|(y, x)| Some(Self { latitude: number(y)?, longitude: number(x)? }));
        let place = place.filter(|it| {
            (-90.0..=90.0).contains(&it.latitude) && (-180.0..=360.0).contains(&it.longitude)
        });
        place.ok_or_else(|| {
            let form = "is no place; write LAT,LON in degrees, for example -1.29,36.82";
            Error::argument(format!("point '{text}'"), form)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_write_it() {
        let place: Place = " -1.29, 36.82".parse().unwrap();
        assert_eq!(place.to_string(), "-1.29,36.82");
        for text in ["", "1", "1,2,3", "91,0", "0,-181", "x,y", "nan,0"] {
            let error = text.parse::<Place>().unwrap_err().to_string();
            assert!(error.contains("LAT,LON"), "{error}");
        }
    }

    #[test]
    fn distances_go_the_short_way_round() {
        let place = Place { latitude: 0.0, longitude: 179.0 };
        assert_eq!(place.distance(0.0, -179.0), 2.0);
        assert!(Place { latitude: 60.0, longitude: 0.0 }.distance(60.0, 2.0) < 1.01);
    }
}
