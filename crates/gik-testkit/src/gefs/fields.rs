//! The variables that can be generated, and how each is computed and packed.

use super::hash::wave;
use super::land;
use super::rain;
use super::run::Detail;
use super::table::Line;
use super::temperature;
use crate::grib::{Packing, Precision, RegularGrid};

/// Where and when a field is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) grid: RegularGrid,
    /// Hour of the initialisation, UTC.
    pub(crate) cycle: u32,
    pub(crate) member: u8,
    /// Lead in hours.
    pub(crate) step: u32,
    /// Start of the window that ends at the lead.
    pub(crate) start: u32,
    pub(crate) detail: Detail,
}

/// A variable on one kind of surface.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    /// Code table 4.5.
    surface: u8,
    /// Decimal scale factor.
    decimal: i16,
    /// Binary scale factor on top of no decimals, for [`Detail::Coarse`].
    coarse: i16,
    pub(super) values: fn(&Weather, &Line) -> Vec<f32>,
}

const FIELDS: [Field; 13] = [
    Field {
        name: "t2m",
        surface: 103,
        decimal: 1,
        coarse: -1,
        values: |at, _| temperature::field(at, at.step),
    },
    Field {
        name: "tmax",
        surface: 103,
        decimal: 1,
        coarse: -1,
        values: |at, _| extreme(at, f32::max),
    },
    Field {
        name: "tmin",
        surface: 103,
        decimal: 1,
        coarse: -1,
        values: |at, _| extreme(at, f32::min),
    },
    Field {
        name: "tp",
        surface: 1,
        decimal: 2,
        coarse: -1,
        values: |at, _| {
            let mut rain = rain::accumulation(at.grid, at.member, at.start, at.step);
            if at.detail == Detail::Dense {
                rain::drizzle(at.grid, at.member, at.start, at.step, &mut rain);
            }
            rain
        },
    },
    Field { name: "u10", surface: 103, decimal: 2, coarse: 0, values: |at, _| eastward(at, 0.0) },
    Field { name: "v10", surface: 103, decimal: 2, coarse: 0, values: |at, _| northward(at, 0.0) },
    Field { name: "prmsl", surface: 101, decimal: 0, coarse: 6, values: |at, _| pressure(at) },
    Field {
        name: "soilw",
        surface: 106,
        decimal: 3,
        coarse: -6,
        values: |at, _| soil_moisture(at),
    },
    Field { name: "orog", surface: 1, decimal: 1, coarse: 4, values: |at, _| orography(at) },
    Field {
        name: "gh",
        surface: 100,
        decimal: 1,
        coarse: 3,
        values: |at, line| height(at, thickness(line)),
    },
    Field {
        name: "t",
        surface: 100,
        decimal: 1,
        coarse: -1,
        values: |at, line| aloft(at, thickness(line)),
    },
    Field {
        name: "u",
        surface: 100,
        decimal: 2,
        coarse: 0,
        values: |at, line| eastward(at, thickness(line)),
    },
    Field {
        name: "v",
        surface: 100,
        decimal: 2,
        coarse: 0,
        values: |at, line| northward(at, thickness(line)),
    },
];

/// The field of a message, if it can be generated.
pub(super) fn find(line: &Line) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == line.name && field.surface == line.first.kind)
}

impl Field {
    /// How its messages are packed: as GEFS does, in template 5.3.
    pub(super) fn packing(&self, detail: Detail) -> Packing {
        match detail {
            Detail::Fine | Detail::Dense => Packing::complex(self.decimal),
            Detail::Coarse => Packing::complex(0).with(Precision::Step { binary: self.coarse }),
        }
    }
}

/// The highest or lowest hourly temperature of the window.
fn extreme(at: &Weather, pick: fn(f32, f32) -> f32) -> Vec<f32> {
    let mut values = temperature::field(at, at.start);
    for hour in at.start + 1..=at.step {
        for (value, next) in values.iter_mut().zip(temperature::field(at, hour)) {
            *value = pick(*value, next);
        }
    }
    values
}

/// Height of a pressure level above the ground in scale heights, roughly: 0 at 1000 hPa,
/// 1 at the top.
fn thickness(line: &Line) -> f64 {
    1.0 - f64::from(line.first.value) / 100_000.0
}

/// A field of latitude, longitude (turns, with the waves of this member) and land.
fn smooth(at: &Weather, value: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let grid = at.grid;
    // Waves travel eastwards once around in ten days; members lag behind each other.
    let shift = f64::from(at.step) / 240.0 + f64::from(at.member) * 0.013;
    let mut field = Vec::with_capacity(grid.len());
    for row in 0..grid.rows {
        let latitude = grid.latitude(row);
        for column in 0..grid.columns {
            let turns = grid.longitude(column) / 360.0 - shift;
            #[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
            field.push(value(latitude, turns) as f32);
        }
    }
    field
}

/// Strength of the waves of middle latitudes: none at the equator and the poles.
fn storminess(latitude: f64) -> f64 {
    0.5 - 0.5 * wave(latitude / 90.0)
}

/// Wind to the east in m/s: trades, westerlies, and a jet that grows upwards.
fn eastward(at: &Weather, up: f64) -> Vec<f32> {
    smooth(at, |latitude, turns| {
        let west = storminess(latitude) * (7.0 + 25.0 * up + 4.0 * wave(5.0 * turns));
        west - 6.0 * (1.0 - storminess(latitude)) * wave(latitude / 180.0)
    })
}

/// Wind to the north in m/s: into the rain belt, and along the waves.
fn northward(at: &Weather, up: f64) -> Vec<f32> {
    smooth(at, |latitude, turns| {
        let belt = -0.1 * (latitude + 7.0) * (1.0 - storminess(latitude)) * (1.0 - up);
        belt + storminess(latitude) * (5.0 + 12.0 * up) * wave(5.0 * turns + 0.25)
    })
}

/// Pressure at sea level in Pa.
fn pressure(at: &Weather) -> Vec<f32> {
    smooth(at, |latitude, turns| {
        let belts = 101_000.0 - 700.0 * wave((latitude + 5.0) / 70.0);
        belts + 1_100.0 * storminess(latitude) * wave(5.0 * turns)
    })
}

/// Height of a pressure level in gpm.
pub(crate) fn height(at: &Weather, up: f64) -> Vec<f32> {
    // 1000 hPa near 100 m, 500 hPa near 5600 m, 100 hPa near 16 km.
    let base = 100.0 + 9_000.0 * up + 9_500.0 * up * up * up * up;
    smooth(at, |latitude, turns| {
        let tropics = 0.06 * base * wave(latitude / 180.0);
        base + tropics + 120.0 * (0.3 + up) * storminess(latitude) * wave(5.0 * turns)
    })
}

/// Temperature of a pressure level in K.
pub(crate) fn aloft(at: &Weather, up: f64) -> Vec<f32> {
    let base = 285.0 - 75.0 * up * up.max(0.3);
    smooth(at, |latitude, turns| {
        let tropics = 15.0 * (1.0 - up) * wave(latitude / 180.0);
        base + tropics + 4.0 * storminess(latitude) * wave(5.0 * turns + 0.1)
    })
}

/// Volumetric soil moisture: moist in the tropics, dry in the subtropics, none at sea.
fn soil_moisture(at: &Weather) -> Vec<f32> {
    let mut values = smooth(at, |latitude, turns| {
        0.22 + 0.12 * wave((latitude + 5.0) / 50.0) + 0.03 * wave(9.0 * turns)
    });
    by_row(at.grid, &mut values, |value, share, _| if share < 0.5 { f32::NAN } else { value });
    values
}

/// Height of the ground in gpm.
fn orography(at: &Weather) -> Vec<f32> {
    let mut values = vec![0.0; at.grid.len()];
    #[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
    by_row(at.grid, &mut values, |_, _, height| height as f32);
    values
}

/// Changes each value by the share of land and the height there.
fn by_row(grid: RegularGrid, values: &mut [f32], change: impl Fn(f32, f64, f64) -> f32) {
    let (mut share, mut heights) = (Vec::new(), Vec::new());
    for (row, line) in (0..).zip(values.chunks_exact_mut(grid.columns as usize)) {
        let latitude = grid.latitude(row);
        land::row(grid, latitude, &mut share);
        land::heights(grid, latitude, &share, &mut heights);
        for (value, (share, height)) in line.iter_mut().zip(share.iter().zip(&heights)) {
            *value = change(*value, *share, *height);
        }
    }
}
