//! The field as an image: every pixel has the colour of its class, with smooth edges.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::frame::Frame;
use super::grid::{Grid, Spot};
use super::palette::Scale;
use super::style::Style;
use super::{Shading, narrow};

/// Samples per pixel and direction where classes meet.
const SAMPLES: u32 = 4;

/// Where there is no data: a grey with diagonal lines, unlike any colour of a palette.
const NO_DATA: Rgb = Rgb(226, 227, 229);
const NO_DATA_LINE: Rgb = Rgb(178, 181, 186);
const HATCH_PERIOD: u32 = 9;

/// What a map fills its frame with.
#[derive(Debug)]
pub(super) struct Raster<'a> {
    pub(super) grid: &'a Grid<'a>,
    pub(super) style: &'a Style,
    pub(super) scale: &'a Scale,
    pub(super) shading: Shading,
}

/// The places of a row of samples on an axis.
type Spots = Vec<Option<Spot>>;

impl Raster<'_> {
    /// Fills the canvas, which is of the frame's size; says whether data were missing.
    pub(super) fn draw(&self, canvas: &mut Canvas, frame: &Frame) -> bool {
        let columns = |from: f64, per_pixel: u32, count: u32| -> Spots {
            (0..count)
                .map(|i| frame.longitude((f64::from(i) + from) / f64::from(per_pixel)))
                .map(|longitude| self.grid.longitude.locate(longitude))
                .collect()
        };
        let rows = |from: f64, per_pixel: u32, count: u32| -> Spots {
            (0..count)
                .map(|i| frame.latitude((f64::from(i) + from) / f64::from(per_pixel)))
                .map(|latitude| self.grid.latitude.locate(latitude))
                .collect()
        };
        // Most pixels have one class at all four corners and need no more.
        let corner_columns = columns(0.0, 1, frame.width + 1);
        let corner_rows = rows(0.0, 1, frame.height + 1);
        let fine_columns = columns(0.5, SAMPLES, frame.width * SAMPLES);
        let fine_rows = rows(0.5, SAMPLES, frame.height * SAMPLES);
        let per_pixel = index(SAMPLES);

        let mut lower: Vec<Class> = self.classes(corner_rows.first(), &corner_columns);
        let mut upper: Vec<Class> = Vec::new();
        let mut current = None;
        let mut missing = false;
        canvas.fill_with(|x, y| {
            if current != Some(y) {
                current = Some(y);
                upper = std::mem::take(&mut lower);
                lower = self.classes(corner_rows.get(index(y) + 1), &corner_columns);
            }
            let at = index(x);
            let corner = |row: &[Class], i: usize| row.get(i).copied().unwrap_or(None);
            let class = corner(&upper, at);
            let uniform = class == corner(&upper, at + 1)
                && class == corner(&lower, at)
                && class == corner(&lower, at + 1);
            if uniform {
                missing |= class.is_none();
                return self.colour(class, x, y);
            }
            let pick = |spots: &Spots, i: usize| -> Spots {
                spots.iter().skip(i * per_pixel).take(per_pixel).copied().collect()
            };
            let columns = pick(&fine_columns, at);
            let mut sum = [0_u32; 3];
            for row in pick(&fine_rows, index(y)) {
                for column in &columns {
                    let class = self.class(row, *column);
                    missing |= class.is_none();
                    let Rgb(r, g, b) = self.colour(class, x, y);
                    for (sum, part) in sum.iter_mut().zip([r, g, b]) {
                        *sum += u32::from(part);
                    }
                }
            }
            let [r, g, b] = sum.map(|sum| mean(sum, SAMPLES * SAMPLES));
            Rgb(r, g, b)
        });
        missing
    }

    fn classes(&self, row: Option<&Option<Spot>>, columns: &Spots) -> Vec<Class> {
        let row = row.copied().flatten();
        columns.iter().map(|column| self.class(row, *column)).collect()
    }

    fn class(&self, row: Option<Spot>, column: Option<Spot>) -> Class {
        let value = match self.shading {
            Shading::Smooth => self.grid.smooth(row, column),
            Shading::Cells => self.grid.nearest(row, column),
        };
        if !value.is_finite() {
            return None;
        }
        let shown = f64::from(value) * self.style.factor + self.style.offset;
        Some(self.scale.class(narrow(shown)))
    }

    fn colour(&self, class: Class, x: u32, y: u32) -> Rgb {
        match class {
            Some(class) => self.scale.colours.get(class).copied().unwrap_or(Rgb::WHITE),
            None => hatch(x, y),
        }
    }
}

/// The position in the scale; `None` where there is no data.
type Class = Option<usize>;

/// The colour of a pixel without data.
pub(super) fn hatch(x: u32, y: u32) -> Rgb {
    match (x + y) % HATCH_PERIOD {
        0 => NO_DATA_LINE,
        1 => NO_DATA.mix(NO_DATA_LINE, 0.55),
        _ => NO_DATA,
    }
}

fn index(pixel: u32) -> usize {
    usize::try_from(pixel).unwrap_or(usize::MAX)
}

fn mean(sum: u32, count: u32) -> u8 {
    u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)
}
