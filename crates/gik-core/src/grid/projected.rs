//! Grids of equal steps on a map.

use serde_json::{Value, json};

use super::degrees;
use crate::{Attributes, Ellipsoid, Projection};

/// A map projection by the numbers of its grid definition template; angles in microdegrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapProjection {
    /// Lambert's conformal conic (template 3.30).
    Lambert {
        /// The latitude where the grid's steps have their length (`LaD`).
        true_latitude: i32,
        /// The meridian that is parallel to the grid's columns (`LoV`).
        meridian: i32,
        /// The standard parallels (Latin 1 and 2).
        parallels: [i32; 2],
    },
    /// Polar stereographic (template 3.20).
    PolarStereographic {
        /// The latitude where the grid's steps have their length (`LaD`).
        true_latitude: i32,
        /// The meridian that is parallel to the grid's columns (`LoV`).
        meridian: i32,
        /// Whether the south pole is its centre.
        south: bool,
    },
}

/// A grid of equal steps on a map of a spherical Earth, as the message writes it: columns run
/// in +x, rows in +y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectedGrid {
    /// The map.
    pub projection: MapProjection,
    /// The radius of the Earth, in metres.
    pub radius: u32,
    /// Points of a row (Nx).
    pub columns: u32,
    /// Rows (Ny).
    pub rows: u32,
    /// Latitude of the first point, in microdegrees north.
    pub first_latitude: i32,
    /// Longitude of the first point, 0…360°, in microdegrees east.
    pub first_longitude: i32,
    /// Distance of columns, in millimetres.
    pub dx: u32,
    /// Distance of rows, in millimetres.
    pub dy: u32,
}

fn radians(microdegrees: i32) -> f64 {
    degrees(microdegrees.into()).to_radians()
}

impl ProjectedGrid {
    /// x of the columns, in metres from the central meridian. Shape `(columns)`.
    #[must_use]
    pub fn x(&self) -> Vec<f64> {
        let (first, _) = self.first_point();
        axis(first, self.dx, self.columns)
    }

    /// y of the rows, in metres from the projection's origin: the latitude of true scale of
    /// Lambert's, the pole of a stereographic one. Shape `(rows)`.
    #[must_use]
    pub fn y(&self) -> Vec<f64> {
        let (_, first) = self.first_point();
        axis(first, self.dy, self.rows)
    }

    /// See [`Grid::is_like`](crate::Grid::is_like).
    pub(super) fn is_like(&self, other: &Self) -> bool {
        /// A degree of latitude has 111 km.
        const MILLIMETRES_PER_MICRODEGREE: u32 = 111;
        let tolerance = i64::from(self.dx.min(self.dy) / 10 / MILLIMETRES_PER_MICRODEGREE);
        let turn = i64::from(other.first_longitude) - i64::from(self.first_longitude);
        let turn = turn.rem_euclid(360_000_000);
        (self.projection, self.columns, self.rows, self.dx, self.dy)
            == (other.projection, other.columns, other.rows, other.dx, other.dy)
            && i64::from(self.first_latitude.abs_diff(other.first_latitude)) <= tolerance
            && turn.min(360_000_000 - turn) <= tolerance
    }

    fn first_point(&self) -> (f64, f64) {
        let projection = self.projection();
        let (x, y) =
            projection.forward(radians(self.first_latitude), radians(self.first_longitude));
        let origin = match self.projection {
            MapProjection::Lambert { true_latitude, meridian, .. } => {
                projection.forward(radians(true_latitude), radians(meridian)).1
            }
            MapProjection::PolarStereographic { .. } => 0.0,
        };
        (x, y - origin)
    }

    /// The projection, between radians and metres.
    #[must_use]
    pub fn projection(&self) -> Projection {
        let radius = f64::from(self.radius);
        let earth = Ellipsoid::new(radius, radius);
        match self.projection {
            MapProjection::Lambert { meridian, parallels: [first, second], .. } => {
                Projection::lambert(earth, radians(meridian), radians(first), radians(second))
            }
            MapProjection::PolarStereographic { true_latitude, meridian, south } => {
                Projection::stereographic(earth, radians(true_latitude), radians(meridian), south)
            }
        }
    }

    /// The variable that `grid_mapping` names: CF's attributes (CF appendix F), the WKT of ISO
    /// 19162 and a PROJ string.
    #[must_use]
    pub fn mapping_attributes(&self) -> Attributes {
        let angle = |microdegrees: i32| degrees(microdegrees.into());
        let radius = f64::from(self.radius);
        let mut list: Vec<(&str, Value)> = match self.projection {
            MapProjection::Lambert { true_latitude, meridian, parallels: [first, second] } => vec![
                ("grid_mapping_name", json!("lambert_conformal_conic")),
                (
                    "standard_parallel",
                    if first == second {
                        json!(angle(first))
                    } else {
                        json!([angle(first), angle(second)])
                    },
                ),
                ("longitude_of_central_meridian", json!(west(meridian))),
                ("latitude_of_projection_origin", json!(angle(true_latitude))),
            ],
            MapProjection::PolarStereographic { true_latitude, meridian, south } => vec![
                ("grid_mapping_name", json!("polar_stereographic")),
                ("straight_vertical_longitude_from_pole", json!(west(meridian))),
                ("latitude_of_projection_origin", json!(if south { -90.0 } else { 90.0 })),
                ("standard_parallel", json!(angle(true_latitude))),
            ],
        };
        list.extend([
            ("false_easting", json!(0.0)),
            ("false_northing", json!(0.0)),
            ("earth_radius", json!(radius)),
            ("semi_major_axis", json!(radius)),
            ("semi_minor_axis", json!(radius)),
            ("inverse_flattening", json!(0.0)),
            ("crs_wkt", json!(self.wkt())),
            ("proj4", json!(self.proj4())),
        ]);
        list.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn proj4(&self) -> String {
        let angle = |microdegrees: i32| degrees(microdegrees.into());
        let projection = match self.projection {
            MapProjection::Lambert { true_latitude, meridian, parallels: [first, second] } => {
                format!(
                    "+proj=lcc +lat_0={} +lon_0={} +lat_1={} +lat_2={}",
                    angle(true_latitude),
                    west(meridian),
                    angle(first),
                    angle(second)
                )
            }
            MapProjection::PolarStereographic { true_latitude, meridian, south } => format!(
                "+proj=stere +lat_0={} +lat_ts={} +lon_0={}",
                if south { -90 } else { 90 },
                angle(true_latitude),
                west(meridian)
            ),
        };
        format!("{projection} +x_0=0 +y_0=0 +R={} +units=m +no_defs", self.radius)
    }

    /// WKT-CRS (ISO 19162:2019), with EPSG's names of methods and parameters.
    fn wkt(&self) -> String {
        let angle = |name: &str, id: u32, degrees: f64| {
            format!(
                r#"PARAMETER["{name}",{degrees},ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",{id}]]"#
            )
        };
        let length = |name: &str, id: u32| {
            format!(r#"PARAMETER["{name}",0,LENGTHUNIT["metre",1],ID["EPSG",{id}]]"#)
        };
        let decimal = |microdegrees: i32| degrees(microdegrees.into());
        let (method, parameters, axes) = match self.projection {
            MapProjection::Lambert { true_latitude, meridian, parallels: [first, second] } => (
                r#"METHOD["Lambert Conic Conformal (2SP)",ID["EPSG",9802]]"#,
                vec![
                    angle("Latitude of false origin", 8821, decimal(true_latitude)),
                    angle("Longitude of false origin", 8822, west(meridian)),
                    angle("Latitude of 1st standard parallel", 8823, decimal(first)),
                    angle("Latitude of 2nd standard parallel", 8824, decimal(second)),
                    length("Easting at false origin", 8826),
                    length("Northing at false origin", 8827),
                ],
                r#"AXIS["easting (X)",east,ORDER[1]],AXIS["northing (Y)",north,ORDER[2]]"#,
            ),
            MapProjection::PolarStereographic { true_latitude, meridian, south } => (
                r#"METHOD["Polar Stereographic (variant B)",ID["EPSG",9829]]"#,
                vec![
                    angle("Latitude of standard parallel", 8832, decimal(true_latitude)),
                    angle("Longitude of origin", 8833, west(meridian)),
                    length("False easting", 8806),
                    length("False northing", 8807),
                ],
                if south {
                    r#"AXIS["easting (X)",north,ORDER[1]],AXIS["northing (Y)",north,ORDER[2]]"#
                } else {
                    r#"AXIS["easting (X)",south,ORDER[1]],AXIS["northing (Y)",south,ORDER[2]]"#
                },
            ),
        };
        format!(
            r#"PROJCRS["unknown",BASEGEOGCRS["unknown",DATUM["unknown",ELLIPSOID["unknown",{},0,LENGTHUNIT["metre",1]]],PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]]],CONVERSION["unknown",{method},{}],CS[Cartesian,2],{axes},LENGTHUNIT["metre",1]]"#,
            self.radius,
            parameters.join(",")
        )
    }

    /// The grid definition section (section 3) of a message on this grid: template 3.30 or 3.20,
    /// rows consecutive from the south, winds relative to the grid.
    #[must_use]
    pub fn section(&self) -> Vec<u8> {
        let (template, length) = match self.projection {
            MapProjection::Lambert { .. } => (30_u16, 81_u32),
            MapProjection::PolarStereographic { .. } => (20, 65),
        };
        let mut out = Vec::with_capacity(81);
        out.extend(length.to_be_bytes());
        out.extend([3, 0]);
        out.extend(self.columns.saturating_mul(self.rows).to_be_bytes());
        out.extend([0, 0]);
        out.extend(template.to_be_bytes());
        // Code table 3.2: 6 is the sphere of 6 371 229 m, 1 one whose radius follows in metres.
        let is_usual = self.radius == 6_371_229;
        out.extend([if is_usual { 6 } else { 1 }, 0]);
        out.extend(if is_usual { 0 } else { self.radius }.to_be_bytes());
        out.extend([0; 10]);
        out.extend(self.columns.to_be_bytes());
        out.extend(self.rows.to_be_bytes());
        out.extend(signed(self.first_latitude));
        out.extend(signed(self.first_longitude));
        out.push(8);
        let (true_latitude, meridian, centre) = match self.projection {
            MapProjection::Lambert { true_latitude, meridian, .. } => (true_latitude, meridian, 0),
            MapProjection::PolarStereographic { true_latitude, meridian, south } => {
                (true_latitude, meridian, if south { 0x80 } else { 0 })
            }
        };
        out.extend(signed(true_latitude));
        out.extend(signed(meridian));
        out.extend(self.dx.to_be_bytes());
        out.extend(self.dy.to_be_bytes());
        out.extend([centre, 0x40]);
        if let MapProjection::Lambert { parallels, .. } = self.projection {
            out.extend(parallels.map(signed).concat());
            out.extend([0; 8]);
        }
        out
    }

    /// What cfgrib writes about the grid of a message: `GRIB_gridType`, `GRIB_Nx`, ….
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        let angle = |microdegrees: i32| degrees(microdegrees.into());
        let metres = |millimetres: u32| f64::from(millimetres) / 1000.0;
        let mut list: Vec<(&str, Value)> = vec![
            ("GRIB_Nx", json!(self.columns)),
            ("GRIB_Ny", json!(self.rows)),
            ("GRIB_numberOfPoints", json!(u64::from(self.columns) * u64::from(self.rows))),
            ("GRIB_DxInMetres", json!(metres(self.dx))),
            ("GRIB_DyInMetres", json!(metres(self.dy))),
            ("GRIB_iScansNegatively", json!(0)),
            ("GRIB_jScansPositively", json!(1)),
            ("GRIB_jPointsAreConsecutive", json!(0)),
            ("GRIB_uvRelativeToGrid", json!(1)),
            ("GRIB_latitudeOfFirstGridPointInDegrees", json!(angle(self.first_latitude))),
            ("GRIB_longitudeOfFirstGridPointInDegrees", json!(angle(self.first_longitude))),
        ];
        match self.projection {
            MapProjection::Lambert { true_latitude, meridian, parallels: [first, second] } => {
                list.extend([
                    ("GRIB_gridType", json!("lambert")),
                    (
                        "GRIB_gridDefinitionDescription",
                        json!("Lambert conformal can be secant or tangent, conical or bipolar"),
                    ),
                    ("GRIB_LaDInDegrees", json!(angle(true_latitude))),
                    ("GRIB_LoVInDegrees", json!(angle(meridian))),
                    ("GRIB_Latin1InDegrees", json!(angle(first))),
                    ("GRIB_Latin2InDegrees", json!(angle(second))),
                ]);
            }
            MapProjection::PolarStereographic { true_latitude, meridian, .. } => list.extend([
                ("GRIB_gridType", json!("polar_stereographic")),
                (
                    "GRIB_gridDefinitionDescription",
                    json!("Polar stereographic can be south or north"),
                ),
                ("GRIB_LaDInDegrees", json!(angle(true_latitude))),
                ("GRIB_orientationOfTheGridInDegrees", json!(angle(meridian))),
            ]),
        }
        list.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// Sign and magnitude, as GRIB2 writes integers.
fn signed(value: i32) -> [u8; 4] {
    (value.unsigned_abs() | if value < 0 { 0x8000_0000 } else { 0 }).to_be_bytes()
}

/// A meridian in degrees, −180 to 180: numbers that people know.
fn west(microdegrees: i32) -> f64 {
    let wrapped = (i64::from(microdegrees) + 180_000_000).rem_euclid(360_000_000) - 180_000_000;
    degrees(wrapped)
}

fn axis(first: f64, step: u32, count: u32) -> Vec<f64> {
    let step = f64::from(step) / 1000.0;
    (0..count).map(|index| first + f64::from(index) * step).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const HRRR: ProjectedGrid = ProjectedGrid {
        projection: MapProjection::Lambert {
            true_latitude: 38_500_000,
            meridian: 262_500_000,
            parallels: [38_500_000; 2],
        },
        radius: 6_371_229,
        columns: 1799,
        rows: 1059,
        first_latitude: 21_138_123,
        first_longitude: 237_280_472,
        dx: 3_000_000,
        dy: 3_000_000,
    };

    #[test]
    fn grids_are_like_others_at_the_same_places() {
        let map = HRRR;
        assert!(map.is_like(&ProjectedGrid { first_latitude: 21_138_000, ..map }));
        assert!(map.is_like(&ProjectedGrid { first_longitude: -122_719_528, ..map }));
        assert!(!map.is_like(&ProjectedGrid { first_latitude: 21_165_000, ..map }));
        assert!(!map.is_like(&ProjectedGrid { columns: 60, rows: 40, ..map }));
        assert!(!map.is_like(&ProjectedGrid { dx: 2_500_000, ..map }));
    }

    #[test]
    fn hrrr_lies_where_others_say() {
        let grid = HRRR;
        let (x, y) = (grid.x(), grid.y());
        // Half a cell inside of the corners that GDAL gives for a file.
        assert!((x[0] - (-2_699_020.142_521_929 + 1500.0)).abs() < 1e-3, "{}", x[0]);
        assert!((y[1058] - (1_588_193.847_443_335 - 1500.0)).abs() < 1e-3, "{}", y[1058]);
        assert_eq!((x.len(), y.len(), x[1] - x[0]), (1799, 1059, 3000.0));
        assert!(grid.proj4().starts_with("+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5"));
    }
}
