//! Temperature at 2 m: a January of made-up weather.

use super::fields::Weather;
use super::hash::{self, between, bump, wave};
use super::land;
use super::run::Detail;

/// Latitude, then kelvins at sea, on land, and half the day's range on land.
const CLIMATE: [(f64, f64, f64, f64); 15] = [
    (90., 246., 243., 0.),
    (75., 253., 246., 0.),
    (60., 274., 263., 1.),
    (45., 284., 274., 2.),
    (30., 292., 285., 5.5),
    (20., 297., 293., 6.5),
    (10., 300.5, 300., 5.5),
    (0., 301., 300., 4.),
    (-10., 301., 300., 4.),
    (-20., 299., 302., 5.),
    (-30., 294., 302., 6.),
    (-45., 284., 288., 4.),
    (-60., 273., 271., 0.),
    (-75., 266., 258., 0.),
    (-90., 246., 244., 0.),
];

/// Cooling with height, kelvins a metre.
const LAPSE: f64 = 0.0062;

/// Kelvins at sea, on land, and half the day's range, between the rows of [`CLIMATE`].
fn climate(latitude: f64) -> (f64, f64, f64) {
    let at = |a: f64, b: f64, share: f64| a + (b - a) * share;
    let pairs = CLIMATE.iter().zip(CLIMATE.iter().skip(1));
    for (north, south) in pairs {
        if latitude >= south.0 {
            let share = (north.0 - latitude) / (north.0 - south.0);
            return (
                at(north.1, south.1, share),
                at(north.2, south.2, share),
                at(north.3, south.3, share),
            );
        }
    }
    (246.0, 244.0, 0.0)
}

/// The meridian whose local time counts at `longitude`: East Africa's for the whole of the
/// old world, and one for America. A course of the day that changed every few points would
/// make messages twice as long.
fn clock(longitude: f64) -> f64 {
    if (180.0..330.0).contains(&longitude) { 285.0 } else { 45.0 }
}

/// Temperature in kelvins on the grid, `hour` hours after initialisation.
pub(crate) fn field(weather: &Weather, hour: u32) -> Vec<f32> {
    let grid = weather.grid;
    let anomalies = anomalies(weather.member, f64::from(hour));
    let time = f64::from(weather.cycle + hour);
    let mut field = Vec::with_capacity(grid.len());
    let (mut share, mut heights) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    for index in 0..grid.rows {
        let latitude = grid.latitude(index);
        let (sea, ground, range) = climate(latitude);
        land::row(grid, latitude, &mut share);
        land::heights(grid, latitude, &share, &mut heights);
        line.clear();
        line.extend((0..).zip(share.iter().zip(&heights)).map(|(column, (&share, &height))| {
            if share == 0.0 {
                return sea;
            }
            // Warmest at 15 h local time, coldest at 3 h.
            let day = (time - 15.0) / 24.0 + clock(grid.longitude(column)) / 360.0;
            sea + share * (ground - sea + range * wave(day)) - LAPSE * height
        }));
        for anomaly in &anomalies {
            anomaly.add(grid, latitude, &mut line);
        }
        if weather.detail != Detail::Coarse {
            let seed = [7, u64::from(weather.member), u64::from(hour), u64::from(index)];
            roughen(hash::bits(&seed), &mut line);
        }
        #[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
        field.extend(line.iter().map(|&kelvins| kelvins as f32));
    }
    field
}

/// Adds the unevenness of real fields, up to a tenth of a kelvin: without it, messages
/// would have a tenth of the real length.
fn roughen(seed: u64, line: &mut [f64]) {
    let mut state = seed;
    for kelvins in line {
        // The linear congruential generator of Knuth's MMIX.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [.., low, high] = state.to_le_bytes();
        *kelvins += (f64::from(u16::from_le_bytes([low, high])) / 65_535.0 - 0.5) * 0.2;
    }
}

/// A patch of air warmer or colder than usual, different in each member.
#[derive(Debug)]
struct Anomaly {
    longitude: f64,
    latitude: f64,
    radius: f64,
    kelvins: f64,
}

impl Anomaly {
    fn add(&self, grid: crate::grib::RegularGrid, latitude: f64, line: &mut [f64]) {
        let y = (latitude - self.latitude) / self.radius;
        if y.abs() < 1.0 {
            let (west, east) = (self.longitude - self.radius, self.longitude + self.radius);
            for (column, longitude) in land::columns(grid, west, east) {
                let x = (longitude - self.longitude) / self.radius;
                if let Some(kelvins) = line.get_mut(column) {
                    *kelvins += self.kelvins * bump(x * x + y * y);
                }
            }
        }
    }
}

/// The anomalies of a member: they drift eastwards and grow with the lead.
fn anomalies(member: u8, hour: f64) -> Vec<Anomaly> {
    const COUNT: u64 = 9;
    (0..COUNT)
        .map(|number| {
            let seed = |what| [1, number, u64::from(member), what];
            let common = |what| [2, number, what];
            Anomaly {
                longitude: between((0.0, 60.0), &common(0))
                    + between((-8.0, 8.0), &seed(0))
                    + 0.1 * hour,
                latitude: between((-32.0, 36.0), &common(1)) + between((-5.0, 5.0), &seed(1)),
                radius: between((8.0, 16.0), &seed(2)),
                kelvins: between((-2.0, 2.0), &common(2))
                    + between((-1.0, 1.0), &seed(3)) * (1.0 + hour / 48.0).min(4.0),
            }
        })
        .collect()
}
