//! Lines of one value, by marching squares between the points of a grid.

use super::frame::Frame;
use super::grid::Grid;

/// A corner of a cell: longitude, latitude, value.
type Corner = (f64, f64, f64);

/// Pixels of a piece, about: within a cell the line follows the values between its corners as
/// the colours do, instead of running straight.
const PIECE: f32 = 3.0;
/// The most pieces along a cell's side.
const MOST: u8 = 8;

/// The line along which the field has `level`, in pixels of the frame, in short pieces.
pub(super) fn contour(grid: &Grid<'_>, frame: &Frame, level: f64) -> Vec<Vec<(f32, f32)>> {
    let mut pieces = Vec::new();
    let columns = grid.longitude.pairs();
    for (south, north) in grid.latitude.pairs() {
        let height = frame.y(south.0) - frame.y(north.0);
        let parts = (1..MOST).find(|&n| height <= PIECE * f32::from(n)).unwrap_or(MOST);
        for &(west, east) in &columns {
            let corner = |x: (f64, usize), y: (f64, usize)| -> Corner {
                (x.0, y.0, f64::from(grid.value(y.1, x.1)))
            };
            let around = [
                corner(west, south),
                corner(east, south),
                corner(east, north),
                corner(west, north),
            ];
            within(around, level, parts, |from, to| pieces.extend(frame.visible(&[from, to])));
        }
    }
    pieces
}

/// The pieces within a cell that is cut into so many parts along each side, with values by
/// bilinear interpolation.
fn within(
    around: [Corner; 4],
    level: f64,
    parts: u8,
    mut piece: impl FnMut((f64, f64), (f64, f64)),
) {
    let above = around.iter().filter(|corner| corner.2 >= level).count();
    if above == 0 || above == 4 || !around.iter().all(|corner| corner.2.is_finite()) {
        return;
    }
    let [a, b, c, d] = around;
    let least = a.2.min(b.2).min(c.2).min(d.2);
    let most = a.2.max(b.2).max(c.2).max(d.2);
    let at = |i: u8, j: u8| -> Corner {
        let (x, y) = (f64::from(i) / f64::from(parts), f64::from(j) / f64::from(parts));
        let low = a.2 * (1.0 - x) + b.2 * x;
        let high = d.2 * (1.0 - x) + c.2 * x;
        let value = (low * (1.0 - y) + high * y).clamp(least, most);
        (a.0 + x * (b.0 - a.0), a.1 + y * (d.1 - a.1), value)
    };
    for j in 0..parts {
        for i in 0..parts {
            cell([at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)], level, &mut piece);
        }
    }
}

/// The pieces within a cell, whose corners are given in the order around it.
fn cell(around: [Corner; 4], level: f64, mut piece: impl FnMut((f64, f64), (f64, f64))) {
    if !around.iter().all(|corner| corner.2.is_finite()) {
        return;
    }
    let [a, b, c, d] = around;
    let crossings: Vec<(f64, f64)> = [(a, b), (b, c), (c, d), (d, a)]
        .into_iter()
        .filter_map(|side| cross(side, level))
        .collect();
    match crossings.as_slice() {
        [from, to] => piece(*from, *to),
        // A saddle: what its middle belongs to is joined.
        [bottom, right, top, left] => {
            let middle = (a.2 + b.2 + c.2 + d.2) / 4.0;
            if (middle >= level) == (a.2 >= level) {
                piece(*bottom, *right);
                piece(*top, *left);
            } else {
                piece(*bottom, *left);
                piece(*top, *right);
            }
        }
        _ => {}
    }
}

/// Where the level lies between two corners.
fn cross((from, to): (Corner, Corner), level: f64) -> Option<(f64, f64)> {
    if (from.2 >= level) == (to.2 >= level) {
        return None;
    }
    let part = (level - from.2) / (to.2 - from.2);
    Some((from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(values: [f64; 4]) -> Vec<((f64, f64), (f64, f64))> {
        let [a, b, c, d] = values;
        let around = [(0.0, 0.0, a), (1.0, 0.0, b), (1.0, 1.0, c), (0.0, 1.0, d)];
        let mut all = Vec::new();
        cell(around, 50.0, |from, to| all.push((from, to)));
        all
    }

    #[test]
    fn lines_cross_where_the_level_is() {
        assert_eq!(pieces([0.0, 100.0, 100.0, 0.0]), [((0.5, 0.0), (0.5, 1.0))]);
        assert_eq!(pieces([0.0, 0.0, 0.0, 200.0]), [((0.75, 1.0), (0.0, 0.25))]);
        assert!(pieces([0.0, 0.0, 49.9, 0.0]).is_empty());
        assert!(pieces([0.0, f64::NAN, 100.0, 0.0]).is_empty());
    }

    #[test]
    fn the_line_bends_within_a_cell_as_the_colours_do() {
        // One corner of 100: where x·y = 1/2, not straight from the middle of side to side.
        let around = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 100.0), (0.0, 1.0, 0.0)];
        let mut ends = Vec::new();
        within(around, 50.0, 8, |from, to| ends.extend([from, to]));
        assert!(ends.len() > 4);
        assert!(ends.iter().all(|(x, y)| (x * y - 0.5).abs() < 1e-9), "{ends:?}");
    }

    #[test]
    fn a_saddle_has_two() {
        // The middle is below: each high corner is cut off alone.
        assert_eq!(pieces([60.0, 0.0, 60.0, 0.0]).len(), 2);
        let high = pieces([90.0, 40.0, 90.0, 40.0]);
        assert_eq!(high.len(), 2);
        // The middle is above: each low corner is cut off, so both pieces end beside it.
        assert!(high.iter().all(|(from, to)| (from.0 - to.0).abs() < 0.3));
    }
}
