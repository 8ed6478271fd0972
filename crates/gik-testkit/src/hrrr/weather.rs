//! Weather on a projected grid: made up, and the same on every machine.

use gik_core::{ProjectedGrid, ReferenceTime};

use super::table::Line;
use crate::gefs::hash::wave;

/// Decimal scale factor of a variable.
pub(super) fn decimals(line: &Line) -> i16 {
    match line.abbreviation {
        "APCP" | "WEASD" | "FROZR" | "ASNOW" | "FRZR" => 2,
        _ => 1,
    }
}

/// The values of a message, rows from the south.
pub(super) fn field(
    grid: &ProjectedGrid,
    reference: ReferenceTime,
    line: &Line,
    minutes: u32,
) -> Vec<f32> {
    let start = line.start(minutes);
    let hour = f64::from(reference.hour());
    let seed = line.name.bytes().fold(0_u32, |sum, byte| (sum * 7 + u32::from(byte)) % 1000);
    let level = line.surfaces[0].value % 997;
    let mut values = Vec::with_capacity(grid.columns as usize * grid.rows as usize);
    for row in 0..grid.rows {
        for column in 0..grid.columns {
            let (x, y) = (f64::from(column) / 700.0, f64::from(row) / 500.0);
            let value = match line.abbreviation {
                "APCP" => rain(x, y, start, minutes),
                "TMP" => {
                    let clock = hour + f64::from(minutes) / 60.0 - 21.0;
                    295.0 - 20.0 * y + 6.0 * wave(clock / 24.0) + 2.0 * wave(x)
                        - f64::from(level) / 100.0
                }
                _ => {
                    let phase = f64::from(seed) / 1000.0 + f64::from(minutes) / 600.0;
                    f64::from(seed) + 20.0 * wave(x + phase) * wave(y) + f64::from(level) / 10.0
                }
            };
            #[expect(clippy::cast_possible_truncation, reason = "fields are single precision")]
            values.push(value as f32);
        }
    }
    values
}

/// kg m⁻² between two times: of each quarter of an hour a whole number of hundredths, so that
/// sums agree to the last bit.
fn rain(x: f64, y: f64, start: u32, end: u32) -> f64 {
    let quarter = |number: u32| {
        let shower = wave(x + f64::from(number) / 16.0) * wave(y - 0.3);
        (shower.max(0.0) * 150.0).round() / 100.0
    };
    (start / 15..end / 15).map(quarter).sum()
}
