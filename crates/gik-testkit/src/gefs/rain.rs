//! Rainfall: storms that come every day where January brings them, elsewhere by each member.
//!
//! A storm is a handful of elliptic cells that drift, swell and fade. The amount of an
//! hour is the rate at its half; longer windows are sums of hours, so that windows add up.

use super::hash::{between, bits, bump, unit, wave};
use super::land::columns;
use crate::grib::RegularGrid;

/// Where storms of one kind form.
#[derive(Debug)]
struct Regime {
    /// West, east, south, north, degrees.
    area: (f64, f64, f64, f64),
    /// Storms a day.
    storms: u64,
    /// Cells of a storm.
    cells: u64,
    /// Radius of a cell, degrees.
    radius: (f64, f64),
    /// Highest rate of a cell, mm an hour.
    rate: (f64, f64),
    /// Hour of the day (UTC) at which storms peak, give or take.
    peak: (f64, f64),
    /// Hours from nothing to the peak.
    growth: (f64, f64),
    /// Drift eastwards, degrees an hour.
    drift: f64,
}

const REGIMES: [Regime; 15] = [
    // The rain belt over Tanzania, Zambia and Malawi.
    regime((23., 39., -13., -5.), 8, 6, (0.7, 1.9), (0.8, 5.0), (11., 19.), (4., 9.), -0.12),
    // The Congo basin and the lakes.
    regime((20., 33.5, -6., 2.), 6, 5, (0.6, 1.5), (0.8, 4.0), (11., 22.), (3., 7.), -0.15),
    // The highlands of Kenya and the Rift.
    regime((34.5, 38., -3., 3.), 3, 3, (0.4, 1.0), (0.5, 2.5), (11., 16.), (3., 5.), -0.05),
    // Coast and sea off Tanzania and Kenya.
    regime((39.5, 47., -10., -1.), 3, 5, (0.6, 1.5), (0.5, 3.0), (0., 12.), (5., 9.), -0.15),
    // A storm north of Madagascar.
    regime((49., 50.5, -10.5, -9.), 1, 9, (1.0, 2.4), (1.5, 5.5), (8., 16.), (12., 15.), -0.08),
    // Madagascar and Mozambique.
    regime((34., 48., -20., -13.), 4, 3, (0.8, 1.7), (0.8, 3.5), (11., 17.), (4., 7.), -0.1),
    // Indian Ocean south of the equator.
    regime((53., 95., -11., -3.), 6, 2, (1.2, 2.5), (0.8, 3.0), (0., 24.), (5., 10.), -0.1),
    // Indonesia and New Guinea.
    regime((96., 150., -9., 5.), 7, 1, (1.5, 3.0), (1.0, 3.0), (5., 12.), (4., 8.), -0.1),
    // South Pacific.
    regime((155., 210., -20., -6.), 3, 1, (2.0, 4.0), (0.6, 2.0), (0., 24.), (8., 12.), 0.1),
    // Pacific north of the equator.
    regime((180., 270., 5., 9.), 4, 1, (1.2, 2.5), (0.6, 2.0), (0., 24.), (6., 10.), -0.2),
    // The Amazon.
    regime((288., 312., -14., -1.), 6, 1, (1.5, 3.0), (0.8, 3.0), (18., 24.), (4., 8.), -0.15),
    // Atlantic near the equator.
    regime((320., 350., -1., 4.), 3, 1, (1.2, 2.2), (0.6, 2.0), (0., 24.), (6., 10.), -0.2),
    // Lows of the north Atlantic and the north Pacific.
    regime((300., 355., 42., 58.), 2, 1, (3.0, 5.0), (0.5, 1.2), (0., 24.), (10., 15.), 0.5),
    regime((150., 225., 38., 52.), 2, 1, (3.0, 5.0), (0.5, 1.2), (0., 24.), (10., 15.), 0.5),
    // Lows of the southern ocean.
    regime((0., 360., -60., -46.), 4, 1, (3.0, 5.0), (0.3, 0.9), (0., 24.), (10., 15.), 0.5),
];

#[expect(clippy::too_many_arguments, reason = "makes a row of the table above")]
const fn regime(
    area: (f64, f64, f64, f64),
    storms: u64,
    cells: u64,
    radius: (f64, f64),
    rate: (f64, f64),
    peak: (f64, f64),
    growth: (f64, f64),
    drift: f64,
) -> Regime {
    Regime { area, storms, cells, radius, rate, peak, growth, drift }
}

/// Degrees by which members put the same storm elsewhere.
const SPREAD: f64 = 1.6;

/// One cell of one storm.
#[derive(Debug)]
struct Cell {
    longitude: f64,
    latitude: f64,
    /// Half axes in degrees, and the direction of the longer one.
    axes: (f64, f64),
    direction: (f64, f64),
    rate: f64,
    /// Hours after initialisation.
    peak: f64,
    growth: f64,
    drift: f64,
}

/// Rainfall in mm from hour `from` to hour `to`.
pub(crate) fn accumulation(grid: RegularGrid, member: u8, from: u32, to: u32) -> Vec<f32> {
    let mut sum = vec![0.0_f64; grid.len()];
    if from < to {
        for cell in cells(member, from, to) {
            for hour in from..to {
                cell.rain(grid, f64::from(hour) + 0.5, &mut sum);
            }
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
    sum.iter().map(|&millimetres| millimetres as f32).collect()
}

/// How dry bands must be to have no drizzle (two thirds of the globe), and its rate in the
/// wettest, mm an hour.
const DRY: f64 = 0.35;
const DRIZZLE: f64 = 0.25;

/// Adds light rain that differs from point to point, as a model's small scales do, in bands
/// that drift: what makes messages long.
pub(crate) fn drizzle(grid: RegularGrid, member: u8, from: u32, to: u32, sum: &mut [f32]) {
    let seed = bits(&[7, u64::from(member)]);
    for hour in from..to {
        let drift = f64::from(hour) / 240.0 + f64::from(member) * 0.013;
        let lines = (0_u64..).zip(sum.chunks_exact_mut(grid.columns as usize));
        for (row, line) in lines {
            let latitude = grid.latitude(u32::try_from(row).unwrap_or_default());
            let belt = wave(latitude / 60.0);
            for (column, value) in (0_u32..).zip(line) {
                let turns = grid.longitude(column) / 360.0 - drift;
                let band =
                    0.6 * wave(7.0 * turns + latitude / 50.0) + 0.4 * belt * wave(3.0 * turns);
                if band <= DRY {
                    continue;
                }
                // Twice 8 bits of one number: a product is uneven enough.
                let number = bits(&[seed ^ (row << 32), u64::from(column) << 8, u64::from(hour)]);
                let [a, b, ..] = number.to_le_bytes();
                let uneven = f64::from(a) * f64::from(b) / 65_025.0;
                #[expect(clippy::cast_possible_truncation, reason = "the precision of the product")]
                let amount = (DRIZZLE * (band - DRY) * (0.35 + uneven)) as f32;
                *value += amount;
            }
        }
    }
}

/// The cells that may rain between two leads.
fn cells(member: u8, from: u32, to: u32) -> Vec<Cell> {
    let mut cells = Vec::new();
    for day in i64::from(from / 24) - 1..=i64::from(to / 24) + 1 {
        for (number, regime) in (0..).zip(&REGIMES) {
            for storm in 0..regime.storms {
                let seed = [number, storm, day.cast_unsigned()];
                regime.storm(seed, u64::from(member), day, &mut cells);
            }
        }
    }
    cells
}

impl Regime {
    /// The cells of a storm. All members have it: each a little elsewhere, earlier or
    /// later, stronger or weaker, and some not at all.
    fn storm(&self, storm: [u64; 3], member: u64, day: i64, cells: &mut Vec<Cell>) {
        let [regime, number, date] = storm;
        let common = |what: u64, range| between(range, &[3, regime, number, date, what]);
        let own = |what: u64, range| between(range, &[4, regime, number, date, member, what]);
        if own(0, (0.0, 1.0)) < 0.15 {
            return;
        }
        let (west, east, south, north) = self.area;
        let longitude = common(1, (west, east)) + own(1, (-SPREAD, SPREAD));
        let latitude = common(2, (south, north)) + own(2, (-0.5 * SPREAD, 0.5 * SPREAD));
        #[expect(clippy::cast_precision_loss, reason = "days of a forecast")]
        let midnight = day as f64 * 24.0;
        let peak = midnight + common(3, self.peak) + own(3, (-2.0, 2.0));
        let strength = own(4, (0.6, 1.4));
        for cell in 0..self.cells {
            let detail =
                |what: u64, range| between(range, &[5, regime, number, date, member, cell, what]);
            let radius = detail(0, self.radius);
            // Cells of a storm lie around its middle, further along its own direction.
            let away = if self.cells > 1 { 1.7 * radius } else { 0.0 };
            let turn = unit(&[6, regime, number, date, cell]);
            cells.push(Cell {
                longitude: longitude + detail(1, (-1.5, 1.5)) * away,
                latitude: latitude + detail(2, (-1.0, 1.0)) * away,
                axes: (radius * detail(3, (1.0, 1.5)), radius * detail(4, (0.6, 1.0))),
                direction: direction(0.15 * turn),
                rate: strength * detail(5, self.rate),
                peak: peak + detail(6, (-1.5, 1.5)),
                growth: common(4, self.growth),
                drift: self.drift,
            });
        }
    }
}

/// A direction of length 1, `turn` of a circle from the east.
fn direction(turn: f64) -> (f64, f64) {
    let (x, y) = (wave(turn), wave(turn - 0.25));
    let length = (x * x + y * y).sqrt();
    (x / length, y / length)
}

impl Cell {
    /// Adds the rain of the hour around `time`.
    fn rain(&self, grid: RegularGrid, time: f64, sum: &mut [f64]) {
        let age = (time - self.peak) / self.growth;
        let rate = self.rate * bump(age * age);
        if rate < 0.02 {
            return;
        }
        let centre = self.longitude + self.drift * (time - self.peak);
        let reach = self.axes.0.max(self.axes.1);
        let columns: Vec<_> = columns(grid, centre - reach, centre + reach).collect();
        for (row, line) in (0..).zip(sum.chunks_exact_mut(grid.columns as usize)) {
            let y = grid.latitude(row) - self.latitude;
            if y.abs() > reach {
                continue;
            }
            for &(column, longitude) in &columns {
                let x = longitude - centre;
                let along = (x * self.direction.0 + y * self.direction.1) / self.axes.0;
                let across = (y * self.direction.0 - x * self.direction.1) / self.axes.1;
                let share = bump(along * along + across * across);
                if let Some(sum) = line.get_mut(column) {
                    *sum += rate * share;
                }
            }
        }
    }
}
