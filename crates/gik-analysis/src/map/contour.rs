//! Lines of one value, by marching squares between the points of a grid.

use super::frame::Frame;
use super::grid::Grid;

/// A corner of a cell: longitude, latitude, value.
type Corner = (f64, f64, f64);

/// The line along which the field has `level`, in pixels of the frame: pieces of it, one or
/// two for each cell of the grid that it crosses.
pub(super) fn contour(grid: &Grid<'_>, frame: &Frame, level: f64) -> Vec<Vec<(f32, f32)>> {
    let mut pieces = Vec::new();
    let columns = grid.longitude.pairs();
    for (south, north) in grid.latitude.pairs() {
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
            cell(around, level, |from, to| pieces.extend(frame.visible(&[from, to])));
        }
    }
    pieces
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
    fn a_saddle_has_two() {
        // The middle is below: each high corner is cut off alone.
        assert_eq!(pieces([60.0, 0.0, 60.0, 0.0]).len(), 2);
        let high = pieces([90.0, 40.0, 90.0, 40.0]);
        assert_eq!(high.len(), 2);
        // The middle is above: each low corner is cut off, so both pieces end beside it.
        assert!(high.iter().all(|(from, to)| (from.0 - to.0).abs() < 0.3));
    }
}
