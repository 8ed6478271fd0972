//! The projection: plate carrée, true to shape in the middle of the region.

use super::grid::Extent;
use super::narrow;

/// A region of one square degree is not drawn as a hair, whatever its shape.
const FLATTEST: f64 = 5.0;

/// A rectangle of pixels that shows an extent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) extent: Extent,
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
}

impl Frame {
    /// The largest frame of the extent's shape in a space of so many pixels.
    ///
    /// A degree of longitude is as wide as it is on the ground at the middle latitude,
    /// relative to one of latitude. Very long shapes are shortened to five to one.
    pub(super) fn fit(extent: Extent, width: u32, height: u32) -> Self {
        let middle = f64::midpoint(extent.south, extent.north);
        // Close to the poles the true shape would be a needle.
        let narrowing = middle.to_radians().cos().max(0.2);
        let shape = (extent.east - extent.west) * narrowing / (extent.north - extent.south);
        let shape = shape.clamp(1.0 / FLATTEST, FLATTEST);
        let (space_width, space_height) = (f64::from(width), f64::from(height));
        if shape > space_width / space_height {
            Self { extent, width, height: pixels(space_width / shape).clamp(1, height) }
        } else {
            Self { extent, width: pixels(space_height * shape).clamp(1, width), height }
        }
    }

    /// Pixels from the left edge.
    pub(super) fn x(&self, longitude: f64) -> f32 {
        let Extent { west, east, .. } = self.extent;
        narrow((longitude - west) / (east - west) * f64::from(self.width))
    }

    /// Pixels from the upper edge.
    pub(super) fn y(&self, latitude: f64) -> f32 {
        let Extent { south, north, .. } = self.extent;
        narrow((north - latitude) / (north - south) * f64::from(self.height))
    }

    /// The longitude so many pixels from the left edge.
    pub(super) fn longitude(&self, x: f64) -> f64 {
        let Extent { west, east, .. } = self.extent;
        west + x / f64::from(self.width) * (east - west)
    }

    /// The latitude so many pixels from the upper edge.
    pub(super) fn latitude(&self, y: f64) -> f64 {
        let Extent { south, north, .. } = self.extent;
        north - y / f64::from(self.height) * (north - south)
    }

    /// The parts of a line of (longitude, latitude) that are visible, in pixels. The line is
    /// taken in every turn round the globe that reaches the frame.
    pub(super) fn visible(&self, line: &[(f64, f64)]) -> Vec<Vec<(f32, f32)>> {
        let mut parts = Vec::new();
        for turn in [-360.0, 0.0, 360.0] {
            self.clip(line, turn, &mut parts);
        }
        parts
    }

    fn clip(&self, line: &[(f64, f64)], turn: f64, parts: &mut Vec<Vec<(f32, f32)>>) {
        let Extent { west, south, east, north } = self.extent;
        // Strokes are wide: their edges show though their middle is outside.
        let margin_x = 4.0 * (east - west) / f64::from(self.width);
        let margin_y = 4.0 * (north - south) / f64::from(self.height);
        let (x0, x1) = (west - margin_x - turn, east + margin_x - turn);
        let (y0, y1) = (south - margin_y, north + margin_y);
        let mut part: Vec<(f32, f32)> = Vec::new();
        for (&a, &b) in line.iter().zip(line.iter().skip(1)) {
            let Some((from, to)) = segment_in_box(a, b, (x0, x1), (y0, y1)) else {
                finish(&mut part, parts);
                continue;
            };
            let [from_px, to_px] = [from, to].map(|(x, y)| (self.x(x + turn), self.y(y)));
            if part.is_empty() {
                part.push(from_px);
            }
            // Details below the size of a pixel only cost time.
            let far = part
                .last()
                .is_none_or(|last| (last.0 - to_px.0).abs() + (last.1 - to_px.1).abs() > 0.6);
            let leaves = to != b;
            if far || leaves {
                part.push(to_px);
            }
            if leaves {
                finish(&mut part, parts);
            }
        }
        finish(&mut part, parts);
    }
}

fn finish(part: &mut Vec<(f32, f32)>, parts: &mut Vec<Vec<(f32, f32)>>) {
    let part = std::mem::take(part);
    if part.len() > 1 {
        parts.push(part);
    }
}

/// The part of a segment inside a box (Liang and Barsky, 1984).
fn segment_in_box(
    a: (f64, f64),
    b: (f64, f64),
    (x0, x1): (f64, f64),
    (y0, y1): (f64, f64),
) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (direction, room) in [(-dx, a.0 - x0), (dx, x1 - a.0), (-dy, a.1 - y0), (dy, y1 - a.1)] {
        if direction == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if direction < 0.0 {
            enter = enter.max(room / direction);
        } else {
            leave = leave.min(room / direction);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |part: f64| match part {
        0.0 => a,
        1.0 => b,
        _ => (a.0 + part * dx, a.1 + part * dy),
    };
    Some((at(enter), at(leave)))
}

/// A whole number of pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0…65535 before"
)]
fn pixels(length: f64) -> u32 {
    length.round().clamp(0.0, 65535.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAST_AFRICA: Extent = Extent { west: 21.0, south: -12.0, east: 53.0, north: 23.0 };

    #[test]
    fn shape_is_true_at_the_middle_latitude() {
        let frame = Frame::fit(EAST_AFRICA, 2000, 1000);
        assert_eq!(frame.height, 1000);
        // 32 × cos 5.5° / 35
        assert_eq!(frame.width, 910);
        let north = Extent { south: 55.0, north: 65.0, west: 0.0, east: 20.0 };
        assert_eq!(Frame::fit(north, 500, 1000).height, 500);
        let sliver = Extent { south: 0.0, north: 0.1, west: 0.0, east: 60.0 };
        assert_eq!(Frame::fit(sliver, 1000, 1000).height, 200);
    }

    #[test]
    fn corners_and_back() {
        let frame = Frame::fit(EAST_AFRICA, 910, 1000);
        assert_eq!((frame.x(21.0), frame.y(23.0)), (0.0, 0.0));
        assert_eq!((frame.x(53.0), frame.y(-12.0)), (910.0, 1000.0));
        assert_eq!((frame.longitude(455.0), frame.latitude(500.0)), (37.0, 5.5));
    }

    #[test]
    fn lines_are_cut_at_the_frame() {
        let extent = Extent { west: 0.0, south: 0.0, east: 10.0, north: 10.0 };
        let frame = Frame { extent, width: 100, height: 100 };
        let through = frame.visible(&[(-50.0, 5.0), (50.0, 5.0)]);
        assert_eq!(through, [vec![(-4.0, 50.0), (104.0, 50.0)]]);
        assert!(frame.visible(&[(-50.0, 20.0), (50.0, 20.0)]).is_empty());
        let twice = frame.visible(&[(5.0, 5.0), (5.0, 50.0), (6.0, 50.0), (6.0, 5.0)]);
        assert_eq!(twice.len(), 2);
        assert_eq!(twice[1], [(60.0, -4.0), (60.0, 50.0)]);
    }

    #[test]
    fn lines_beyond_the_date_line_are_found() {
        let extent = Extent { west: 170.0, south: -10.0, east: 190.0, north: 10.0 };
        let frame = Frame { extent, width: 200, height: 200 };
        assert_eq!(
            frame.visible(&[(-175.0, 0.0), (-172.0, 0.0)]),
            [vec![(150.0, 100.0), (180.0, 100.0)]]
        );
        assert_eq!(
            frame.visible(&[(175.0, 0.0), (178.0, 0.0)]),
            [vec![(50.0, 100.0), (80.0, 100.0)]]
        );
    }
}
