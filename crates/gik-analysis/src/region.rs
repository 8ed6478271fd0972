//! Regions in degrees, as people write them: `W,S,E,N`.

mod grid;
mod place;
mod select;

use std::fmt;
use std::str::FromStr;

use gik_core::{Error, Result};

pub(crate) use grid::Grid;
pub use place::Place;
pub use select::Selection;

const FORM: &str = "write W,S,E,N in degrees, for example 21,-12,53,23";

/// A box between two meridians and two parallels.
///
/// # Units
/// Degrees. Longitudes may be written as −180…180 or as 0…360; the box runs from west
/// *eastwards* to east, so `170,-20,-170,0` is 20° wide and crosses the date line.
///
/// # Examples
/// ```
/// use gik_analysis::BoundingBox;
///
/// let east_africa: BoundingBox = "21,-12,53,23".parse()?;
/// assert_eq!(east_africa.width(), 32.0);
/// let fiji: BoundingBox = "170,-20,-170,0".parse()?;
/// assert!(fiji.crosses_date_line() && fiji.width() == 20.0);
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl BoundingBox {
    /// A box from its four edges, in degrees.
    ///
    /// # Errors
    /// If a longitude is outside −180…360, a latitude outside −90…90, south not below
    /// north, or the box has no width or is wider than the globe. The text says which.
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Self> {
        let this = Self { west, south, east, north };
        let wrong = |reason: String| Err(Error::argument(format!("bbox {this}"), reason));
        for (edge, value) in [("west", west), ("east", east)] {
            if !(-180.0..=360.0).contains(&value) {
                return wrong(format!("{edge} is {value}, outside -180…360; {FORM}"));
            }
        }
        for (edge, value) in [("south", south), ("north", north)] {
            if !(-90.0..=90.0).contains(&value) {
                return wrong(format!("{edge} is {value}, outside -90…90; {FORM}"));
            }
        }
        if south >= north {
            return wrong(format!("south ({south}) must be below north ({north}); {FORM}"));
        }
        if (east - west).rem_euclid(360.0) == 0.0 && east - west != 360.0 {
            return wrong("west and east are one meridian; the whole globe is -180,S,180,N".into());
        }
        if east - west > 360.0 {
            return wrong("wider than the globe; the whole globe is -180,S,180,N".into());
        }
        Ok(this)
    }

    /// The western edge, as it was written.
    #[must_use]
    pub const fn west(&self) -> f64 {
        self.west
    }

    /// The southern edge.
    #[must_use]
    pub const fn south(&self) -> f64 {
        self.south
    }

    /// The eastern edge, as it was written: less than [`west`](Self::west) across the
    /// date line (or across Greenwich, for longitudes of 0…360).
    #[must_use]
    pub const fn east(&self) -> f64 {
        self.east
    }

    /// The northern edge.
    #[must_use]
    pub const fn north(&self) -> f64 {
        self.north
    }

    /// Degrees of longitude from west eastwards to east, above 0 and at most 360.
    #[must_use]
    pub fn width(&self) -> f64 {
        let width = (self.east - self.west).rem_euclid(360.0);
        if width == 0.0 { 360.0 } else { width }
    }

    /// Whether a place lies inside or on an edge.
    #[must_use]
    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        (self.south..=self.north).contains(&latitude)
            && (longitude - self.west).rem_euclid(360.0) <= self.width()
    }

    /// Degrees of latitude.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.north - self.south
    }

    /// Whether west is written greater than east.
    #[must_use]
    pub fn crosses_date_line(&self) -> bool {
        self.west > self.east
    }
}

impl fmt::Display for BoundingBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.west, self.south, self.east, self.north)
    }
}

impl FromStr for BoundingBox {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: String| Error::argument(format!("bbox '{text}'"), reason);
        let mut edges = [0.0_f64; 4];
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.len() != edges.len() {
            return Err(wrong(format!("has {} numbers instead of 4; {FORM}", parts.len())));
        }
        for (edge, part) in edges.iter_mut().zip(parts) {
            *edge = part
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .ok_or_else(|| wrong(format!("'{part}' is no number; {FORM}")))?;
        }
        let [west, south, east, north] = edges;
        Self::new(west, south, east, north)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> String {
        text.parse::<BoundingBox>().unwrap_err().to_string()
    }

    #[test]
    fn reads_what_it_writes() {
        for text in ["21,-12,53,23", "-180,-90,180,90", "0,-90,360,90", "170,-20.5,-170,0.25"] {
            assert_eq!(text.parse::<BoundingBox>().unwrap().to_string(), text);
        }
        let spaced: BoundingBox = " 21, -12 ,53,23".parse().unwrap();
        assert_eq!(spaced, BoundingBox::new(21.0, -12.0, 53.0, 23.0).unwrap());
    }

    #[test]
    fn widths() {
        let width = |text: &str| text.parse::<BoundingBox>().unwrap().width();
        assert_eq!(width("170,-20,-170,0"), 20.0);
        assert_eq!(width("350,-20,10,0"), 20.0);
        assert_eq!(width("-180,-90,180,90"), 360.0);
        assert_eq!(width("0,-90,360,90"), 360.0);
        assert_eq!(width("-10,-20,350,0"), 360.0);
    }

    #[test]
    fn errors_say_what_would_be_right() {
        assert!(reason("21,-12,53").contains("has 3 numbers instead of 4; write W,S,E,N"));
        assert!(reason("21,-12,53,north").contains("'north' is no number"));
        assert!(reason("21,23,53,-12").contains("south (23) must be below north (-12)"));
        assert!(reason("21,5,53,5").contains("south (5) must be below north (5)"));
        assert!(reason("21,-12,53,123").contains("north is 123, outside -90…90"));
        assert!(reason("-181,-12,53,23").contains("west is -181, outside -180…360"));
        assert!(reason("20,-12,20,23").contains("one meridian"));
        assert!(reason("180,-12,-180,23").contains("one meridian"));
        assert!(reason("-100,-12,300,23").contains("wider than the globe"));
        assert!(reason("nan,-12,53,23").contains("'nan' is no number"));
    }
}
