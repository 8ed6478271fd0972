//! The colour bar: a box per class, a label per level, the units.

use super::canvas::{Anchor, Canvas, Pen, Type};
use super::colour::Rgb;
use super::font::{Font, Weight};
use super::palette::Scale;
use super::style::superscript;

const LABEL: Type = Type { weight: Weight::Regular, size: 15.0, colour: Rgb::INK };
const UNITS: Type = Type { weight: Weight::SemiBold, size: 16.0, colour: Rgb::INK };

/// The bar's thickness in pixels.
const THICKNESS: f32 = 22.0;

/// The length of the arrow that stands for everything beyond the last level.
const ARROW: f32 = 20.0;

/// Between the bar and its labels.
const GAP: f32 = 7.0;

/// Where a colour bar lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Right,
    Below,
}

/// A colour bar with its texts.
#[derive(Debug)]
pub(super) struct ColourBar<'a> {
    scale: &'a Scale,
    side: Side,
    labels: Vec<String>,
    units: String,
}

impl<'a> ColourBar<'a> {
    /// The bar of a scale.
    pub(super) fn new(scale: &'a Scale, units: &str, side: Side) -> Self {
        let (labels, exponent) = labels(&scale.levels);
        let units = match exponent {
            0 => units.to_owned(),
            _ => format!("×10{} {units}", superscript(&exponent.to_string())),
        };
        Self { scale, side, labels, units }
    }

    /// The room it needs beside the map (right of it or below), in pixels.
    pub(super) fn depth(&self, font: &Font) -> f32 {
        match self.side {
            Side::Below => THICKNESS + GAP + LABEL.size,
            Side::Right => {
                let labels = THICKNESS + GAP + self.widest_label(font);
                labels.max(font.width(&self.units, UNITS.weight, UNITS.size))
            }
        }
    }

    fn widest_label(&self, font: &Font) -> f32 {
        let widths = self.labels.iter().map(|text| font.width(text, LABEL.weight, LABEL.size));
        widths.fold(0.0, f32::max)
    }

    /// Draws it from an upper left corner along `length` pixels: downwards with the greatest
    /// values on top, or to the right.
    pub(super) fn draw(&self, canvas: &mut Canvas, font: &Font, x: f32, y: f32, length: f32) {
        match self.side {
            Side::Right => {
                let top = y + UNITS.size + 8.0;
                canvas.text(font, &self.units, x, y + UNITS.size * 0.75, Anchor::Left, UNITS);
                self.draw_bar(
                    canvas,
                    font,
                    |along, across| (x + across, y + length - along),
                    y + length - top,
                );
            }
            Side::Below => {
                let width = font.width(&self.units, UNITS.weight, UNITS.size);
                let end = length - width - 12.0;
                let baseline = y + THICKNESS / 2.0 + UNITS.size * 0.36;
                canvas.text(font, &self.units, x + length, baseline, Anchor::Right, UNITS);
                self.draw_bar(canvas, font, |along, across| (x + along, y + across), end);
            }
        }
    }

    /// Draws boxes and labels; `place` turns lengths along and across the bar into pixels.
    fn draw_bar(
        &self,
        canvas: &mut Canvas,
        font: &Font,
        place: impl Fn(f32, f32) -> (f32, f32),
        length: f32,
    ) {
        let boxes = self.scale.levels.len().saturating_sub(1);
        let arrow = if self.scale.open_above { ARROW } else { 0.0 };
        let size = (length - arrow) / count(boxes.max(1));
        let quad = |from: f32, to: f32| {
            [place(from, 0.0), place(to, 0.0), place(to, THICKNESS), place(from, THICKNESS)]
        };
        for (position, colour) in self.scale.colours.iter().skip(1).take(boxes).enumerate() {
            // A hair of overlap hides the seam between antialiased neighbours.
            let from = count(position) * size;
            canvas.polygon(&quad(from, (from + size + 0.5).min(length - arrow)), *colour);
        }
        let end = length - arrow;
        let mut outline = quad(0.0, end).to_vec();
        if let (true, Some(last)) = (self.scale.open_above, self.scale.colours.last()) {
            let tip = place(length, THICKNESS / 2.0);
            canvas.polygon(&[place(end, 0.0), tip, place(end, THICKNESS)], *last);
            outline.insert(2, tip);
        }
        let separators: Vec<Vec<(f32, f32)>> = (1..=boxes)
            .map(|i| count(i) * size)
            .filter(|at| *at < end || self.scale.open_above)
            .map(|at| vec![place(at, 0.0), place(at, THICKNESS)])
            .collect();
        canvas.lines(&separators, Pen { alpha: 130, ..Pen::solid(Rgb::INK, 0.8) });
        canvas.outline(&outline, Pen::solid(Rgb::INK, 1.0));
        self.draw_labels(canvas, font, place, size);
    }

    fn draw_labels(
        &self,
        canvas: &mut Canvas,
        font: &Font,
        place: impl Fn(f32, f32) -> (f32, f32),
        size: f32,
    ) {
        let room = match self.side {
            Side::Right => LABEL.size * 1.25,
            Side::Below => self.widest_label(font) + 10.0,
        };
        let every = (1_usize..).find(|&n| count(n) * size >= room).unwrap_or(1);
        for (position, text) in self.labels.iter().enumerate().step_by(every) {
            let (x, y) = place(count(position) * size, THICKNESS + GAP);
            match self.side {
                Side::Right => {
                    canvas.text(font, text, x, y + LABEL.size * 0.36, Anchor::Left, LABEL)
                }
                Side::Below => {
                    canvas.text(font, text, x, y + LABEL.size * 0.75, Anchor::Middle, LABEL)
                }
            }
        }
    }
}

/// Small counts of boxes.
fn count(number: usize) -> f32 {
    f32::from(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The levels as text, and the power of ten to multiply them with.
fn labels(levels: &[f64]) -> (Vec<String>, i32) {
    let greatest = levels.iter().fold(0.0_f64, |greatest, level| greatest.max(level.abs()));
    let exponent = power_of_thousand(greatest);
    let unit = 10_f64.powi(exponent);
    let scaled: Vec<f64> = levels.iter().map(|level| level / unit).collect();
    // As many digits as tell every level from its neighbour and itself from its rounding.
    let exact = |digits: usize| {
        let factor = 10_f64.powi(i32::try_from(digits).unwrap_or(0));
        scaled.iter().all(|level| {
            ((level * factor).round() / factor - level).abs() < 1e-6 * unit_step(&scaled)
        })
    };
    let digits = (0..6).find(|&digits| exact(digits)).unwrap_or(6);
    let text = |level: &f64| {
        let number = format!("{:.digits$}", level.abs());
        let negative = *level < 0.0 && number.contains(|c: char| ('1'..='9').contains(&c));
        if negative { format!("−{number}") } else { number }
    };
    (scaled.iter().map(text).collect(), exponent)
}

fn unit_step(levels: &[f64]) -> f64 {
    match levels {
        [first, second, ..] => second - first,
        _ => 1.0,
    }
}

/// 0 for numbers that read well as they are, else a multiple of 3.
#[expect(clippy::cast_possible_truncation, reason = "the logarithm of an f64 is small")]
fn power_of_thousand(greatest: f64) -> i32 {
    if greatest == 0.0 || (0.01..1e5).contains(&greatest) {
        return 0;
    }
    3 * (greatest.log10() / 3.0).floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::palette::Palette;

    #[test]
    fn labels_read_well() {
        let text = |levels: &[f64]| {
            let (labels, exponent) = labels(levels);
            format!("{} e{exponent}", labels.join(" "))
        };
        assert_eq!(text(&[1.0, 2.0, 100.0]), "1 2 100 e0");
        assert_eq!(text(&[-0.5, 0.0, 0.5]), "−0.5 0.0 0.5 e0");
        assert_eq!(text(&[0.1 * 3.0, 0.4, 0.5]), "0.3 0.4 0.5 e0");
        assert_eq!(text(&[2e-5, 4e-5]), "20 40 e-6");
        assert_eq!(text(&[-1e6, 0.0, 1e6]), "−1 0 1 e6");
    }

    #[test]
    fn boxes_have_the_colours_of_their_classes() {
        let scale = Palette::rainfall().scale(None);
        let font = Font::new().unwrap();
        let mut canvas = Canvas::new(600, 60, Rgb::WHITE).unwrap();
        let bar = ColourBar::new(&scale, "", Side::Below);
        bar.draw(&mut canvas, &font, 10.0, 5.0, 562.0);
        // 550 pixels after the gap for the units: 11 boxes in 530, then the arrow.
        let middle_of_box = |i: u32| 10 + 24 + i * 48;
        for i in [0, 4, 10] {
            let colour = scale.colours[usize::try_from(i).unwrap() + 1];
            assert_eq!(canvas.pixel(middle_of_box(i), 12), colour, "box {i}");
        }
        assert_eq!(canvas.pixel(545, 16), *scale.colours.last().unwrap());
    }
}
