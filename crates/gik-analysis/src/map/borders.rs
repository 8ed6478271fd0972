//! Coastlines, country borders and lake shores: Natural Earth 1:50m, embedded.
//!
//! `data/README.md` tells where the file comes from and how it is laid out.

const FILE: &[u8] = include_bytes!("../../data/borders.bin");

const MAGIC: &[u8] = b"GIKB\x01";

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Coast,
    Border,
    /// A border that one side or both do not recognise.
    Disputed,
    Lake,
}

/// A line on the globe: points as (longitude, latitude) in degrees.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) points: Vec<(f64, f64)>,
}

/// All lines, in the file's order.
pub(super) fn lines() -> Lines<'static> {
    Lines::open(FILE).unwrap_or(Lines { rest: &[], left: 0, step: 1.0 })
}

/// The lines that are still to come.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    left: u32,
    /// Degrees per unit of the file.
    step: f64,
}

impl<'a> Lines<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        let rest = file.strip_prefix(MAGIC)?;
        let (steps, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let step = 1.0 / f64::from(u16::from_le_bytes(*steps));
        Some(Self { rest, left: u32::from_le_bytes(*count), step })
    }

    /// LEB128.
    fn unsigned(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for shift in (0..32).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u32::from(byte & 127) << shift;
            if byte & 128 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Zigzag.
    fn signed(&mut self) -> Option<i32> {
        let value = self.unsigned()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn line(&mut self) -> Option<Line> {
        let (kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        let kind = match kind {
            0 => Kind::Coast,
            1 => Kind::Border,
            2 => Kind::Disputed,
            3 => Kind::Lake,
            _ => return None,
        };
        let count = self.unsigned()?;
        let (mut x, mut y) = (0_i32, 0_i32);
        let mut points = Vec::new();
        for _ in 0..count {
            x = x.checked_add(self.signed()?)?;
            y = y.checked_add(self.signed()?)?;
            points.push((f64::from(x) * self.step, f64::from(y) * self.step));
        }
        Some(Line { kind, points })
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.left = self.left.checked_sub(1)?;
        self.line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_file_is_whole() {
        let mut lines = Lines::open(FILE).unwrap();
        let promised = lines.left;
        let mut points = 0;
        let mut count = 0;
        for line in lines.by_ref() {
            assert!(line.points.len() > 1);
            for &(x, y) in &line.points {
                assert!((-180.0..=180.0).contains(&x) && (-90.0..=90.0).contains(&y), "{x} {y}");
            }
            points += line.points.len();
            count += 1;
        }
        assert_eq!((count, lines.rest.len()), (promised, 0));
        assert!((80_000..120_000).contains(&points), "{points}");
    }

    #[test]
    fn known_places_lie_near_their_lines() {
        let near = |kind: Kind, x: f64, y: f64| {
            lines()
                .filter(|line| line.kind == kind)
                .flat_map(|line| line.points)
                .any(|(px, py)| (px - x).hypot(py - y) < 0.15)
        };
        assert!(near(Kind::Coast, 51.25, 11.85), "Cape Guardafui");
        assert!(near(Kind::Coast, 39.67, -4.05), "Mombasa");
        assert!(near(Kind::Border, 37.7, -3.0), "Kenya and Tanzania at Kilimanjaro");
        assert!(near(Kind::Lake, 34.75, -0.1), "Lake Victoria at Kisumu");
        assert!(near(Kind::Disputed, 49.0, 11.3), "Puntland and Somaliland");
        assert!(!near(Kind::Border, 34.75, -0.1));
    }

    #[test]
    fn damage_ends_the_lines() {
        for end in [0, 5, 9, 11, 12, 100, 1000] {
            let read = Lines::open(&FILE[..end])
                .map(|lines| lines.map(|line| line.points.len()).sum::<usize>());
            assert!(read.is_none_or(|points| points < 1000));
        }
        assert!(Lines { rest: &[9, 1, 0, 0], left: 1, step: 1.0 }.next().is_none());
        assert!(Lines { rest: &[0, 255, 255, 255, 255, 255], left: 1, step: 1.0 }.next().is_none());
    }
}
