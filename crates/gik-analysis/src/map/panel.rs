//! One map in its frame: the field, lines on the ground, the degree grid and its labels.
//!
//! A panel knows nothing of the page around it: it can be drawn at any place of a canvas,
//! and leaves it to the page to keep room for the labels (see [`Panel::margins`]).

use gik_core::Result;

use super::borders::{self, Kind};
use super::canvas::{Anchor, Canvas, Pen, Type};
use super::colour::Rgb;
use super::degrees::Lines;
use super::font::{Font, Weight};
use super::frame::Frame;
use super::narrow;
use super::raster::Raster;

/// Pixels between two meridians of the degree grid, at the least: room for `177.25°W`.
const COLUMN_SPACE: u32 = 85;

/// Pixels between two parallels, at the least.
const ROW_SPACE: u32 = 70;

/// Pixels per degree at which lines have the width of their pen.
const USUAL_SCALE: f32 = 25.0;

const LABEL: Type = Type { weight: Weight::Regular, size: 16.0, colour: Rgb::INK };

/// The length of the ticks outside the frame.
const TICK: f32 = 6.0;

/// What is drawn on the field, in this order.
const LINES: [(Kind, Pen); 4] = [
    (Kind::Lake, Pen { colour: Rgb(30, 62, 110), alpha: 215, width: 1.0, dash: None }),
    (Kind::Border, Pen { colour: Rgb(25, 25, 28), alpha: 225, width: 1.1, dash: None }),
    (
        Kind::Disputed,
        Pen { colour: Rgb(25, 25, 28), alpha: 225, width: 1.1, dash: Some([5.0, 3.5]) },
    ),
    (Kind::Coast, Pen { colour: Rgb(12, 12, 14), alpha: 255, width: 1.5, dash: None }),
];

const DEGREE_LINE: Pen =
    Pen { colour: Rgb(60, 64, 72), alpha: 80, width: 0.8, dash: Some([1.5, 3.5]) };

/// The lines on the ground within a frame.
#[derive(Debug)]
pub(super) struct Ground {
    visible: [Vec<Vec<(f32, f32)>>; LINES.len()],
    /// What the width of a pen is multiplied by.
    pub(super) zoom: f32,
}

impl Ground {
    pub(super) fn new(frame: &Frame) -> Self {
        let mut visible: [Vec<Vec<(f32, f32)>>; LINES.len()] = Default::default();
        for line in borders::lines() {
            let layer = LINES.iter().position(|(kind, _)| *kind == line.kind);
            if let Some(lines) = layer.and_then(|layer| visible.get_mut(layer)) {
                lines.extend(frame.visible(&line.points));
            }
        }
        // On a map of the globe, islands would be blots of ink.
        let per_degree = frame.y(0.0) - frame.y(1.0);
        let zoom = (per_degree / USUAL_SCALE).powf(0.3).clamp(0.55, 1.25);
        Self { visible, zoom }
    }

    pub(super) fn draw(&self, inside: &mut Canvas) {
        for ((_, pen), lines) in LINES.iter().zip(&self.visible) {
            inside.lines(lines, Pen { width: pen.width * self.zoom, ..*pen });
        }
    }
}

/// A map in its frame.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    pub(super) frame: Frame,
    pub(super) raster: Raster<'a>,
}

impl Panel<'_> {
    /// The room that the labels need to the left of a frame and below it, in pixels.
    pub(super) fn margins(font: &Font, frame: &Frame) -> (f32, f32) {
        let (_, rows) = grid_lines(frame);
        let widths =
            rows.at.iter().map(|&at| font.width(&rows.latitude(at), LABEL.weight, LABEL.size));
        (widths.fold(0.0, f32::max) + TICK + 6.0, TICK + 6.0 + LABEL.size)
    }

    /// Draws it with the frame's upper left corner at a pixel; says whether data were missing.
    ///
    /// # Errors
    /// If the frame has no pixel.
    pub(super) fn draw(&self, canvas: &mut Canvas, font: &Font, x: u32, y: u32) -> Result<bool> {
        // Drawn on a canvas of its own, which cuts everything at the frame.
        let mut inside = Canvas::new(self.frame.width, self.frame.height, Rgb::WHITE)?;
        let missing = self.raster.draw(&mut inside, &self.frame);
        Ground::new(&self.frame).draw(&mut inside);
        let (columns, rows) = grid_lines(&self.frame);
        self.draw_degrees(&mut inside, &columns, &rows);
        canvas.place(&inside, x, y);
        let (left, top) = (narrow(f64::from(x)), narrow(f64::from(y)));
        self.draw_frame(canvas, font, left, top, &columns, &rows);
        Ok(missing)
    }

    fn draw_degrees(&self, inside: &mut Canvas, columns: &Lines, rows: &Lines) {
        let (width, height) = self.size();
        let mut lines = Vec::new();
        for &longitude in &columns.at {
            let x = self.frame.x(longitude).round() + 0.5;
            lines.push(vec![(x, 0.0), (x, height)]);
        }
        for &latitude in &rows.at {
            let y = self.frame.y(latitude).round() + 0.5;
            lines.push(vec![(0.0, y), (width, y)]);
        }
        inside.lines(&lines, DEGREE_LINE);
    }

    fn draw_frame(
        &self,
        canvas: &mut Canvas,
        font: &Font,
        left: f32,
        top: f32,
        columns: &Lines,
        rows: &Lines,
    ) {
        let (width, height) = self.size();
        let (right, bottom) = (left + width, top + height);
        let mut ticks = Vec::new();
        for &longitude in &columns.at {
            let x = tick(left, self.frame.x(longitude), width);
            ticks.push(vec![(x, bottom), (x, bottom + TICK)]);
            let baseline = bottom + TICK + 3.0 + LABEL.size * 0.8;
            canvas.text(font, &columns.longitude(longitude), x, baseline, Anchor::Middle, LABEL);
        }
        for &latitude in &rows.at {
            let y = tick(top, self.frame.y(latitude), height);
            ticks.push(vec![(left - TICK, y), (left, y)]);
            let baseline = y + LABEL.size * 0.36;
            let label = rows.latitude(latitude);
            canvas.text(font, &label, left - TICK - 4.0, baseline, Anchor::Right, LABEL);
        }
        canvas.lines(&ticks, Pen::solid(Rgb::INK, 1.0));
        let (l, t, r, b) = (left - 0.5, top - 0.5, right + 0.5, bottom + 0.5);
        canvas.outline(&[(l, t), (r, t), (r, b), (l, b)], Pen::solid(Rgb::INK, 1.0));
    }

    fn size(&self) -> (f32, f32) {
        (narrow(f64::from(self.frame.width)), narrow(f64::from(self.frame.height)))
    }
}

/// Where a tick is crisp and on the frame.
fn tick(origin: f32, at: f32, length: f32) -> f32 {
    origin + at.clamp(0.0, length - 1.0).round() + 0.5
}

/// The meridians and parallels drawn.
fn grid_lines(frame: &Frame) -> (Lines, Lines) {
    let most = |pixels: u32, space: u32| (pixels / space).max(2);
    let extent = frame.extent;
    (
        Lines::between(extent.west, extent.east, most(frame.width, COLUMN_SPACE)),
        Lines::between(extent.south, extent.north, most(frame.height, ROW_SPACE)),
    )
}

/// The room that [`edge_labels`] take to the left of a frame.
pub(super) const LEAST_LABEL_SPACE: f32 = 44.0;

/// Ticks and degrees at the edges of a small frame whose upper left corner is at a place: on
/// its left and below it, where asked for.
pub(super) fn edge_labels(
    canvas: &mut Canvas,
    font: &Font,
    frame: &Frame,
    (left, top): (f32, f32),
    (is_first, is_last): (bool, bool),
    look: Type,
) {
    let (width, height) = (narrow(frame.width.into()), narrow(frame.height.into()));
    let extent = frame.extent;
    let columns = Lines::between(extent.west, extent.east, (frame.width / 60).max(2));
    let rows = Lines::between(extent.south, extent.north, (frame.height / 55).max(2));
    let mut ticks = Vec::new();
    if is_last {
        let bottom = top + height;
        let mut free = left - 1.0;
        for &longitude in &columns.at {
            let x = tick(left, frame.x(longitude), width);
            ticks.push(vec![(x, bottom), (x, bottom + 4.0)]);
            let label = columns.longitude(longitude);
            let half = font.width(&label, look.weight, look.size) / 2.0;
            // Neither into the next panel nor over the label before.
            let from = (x - half).min(left + width - 2.0 * half).max(left);
            if from < free {
                continue;
            }
            free = from + 2.0 * half + look.size * 0.5;
            let y = bottom + 6.0 + look.size * 0.85;
            canvas.text(font, &label, from, y, Anchor::Left, look);
        }
    }
    if is_first {
        for &latitude in &rows.at {
            let y = tick(top, frame.y(latitude), height);
            ticks.push(vec![(left - 4.0, y), (left, y)]);
            let label = rows.latitude(latitude);
            canvas.text(font, &label, left - 7.0, y + look.size * 0.36, Anchor::Right, look);
        }
    }
    canvas.lines(&ticks, Pen::solid(Rgb::INK, 1.0));
}
