//! Maps: one field over a region as a picture.
//!
//! A map is plate carrée, true to shape at the region's middle latitude, about 1200 pixels on
//! its longer side. It shows the field in discrete colours, coastlines, borders and lakes, a
//! degree grid, a title, and a colour bar with its units. Where data are missing it is
//! hatched, and a legend says so.

mod borders;
mod canvas;
mod caption;
mod colour;
mod colour_bar;
mod completeness;
mod contour;
mod degrees;
mod font;
mod frame;
mod grid;
mod header;
mod palette;
mod panel;
mod raster;
mod regular;
mod sheet;
mod style;

use std::io::Write;
use std::path::Path;

use gik_core::Result;

use crate::write::write_atomically;
use crate::{BoundingBox, Field};
use canvas::{Anchor, Canvas, Pen, Type};
use colour::Rgb;
use colour_bar::{ColourBar, Side};
pub use completeness::completeness_png;
use font::{Font, Weight};
use frame::Frame;
use grid::Grid;
use header::Header;
pub use palette::Palette;
use panel::Panel;
use raster::{Raster, hatch};
pub use sheet::ProbabilitySheet;
use style::Style;

/// The longer side of the picture in pixels, but for very flat regions.
const LONG_SIDE: u32 = 1200;

/// Titles need room, however narrow the region is.
const LEAST_WIDTH: u32 = 760;

/// Around everything.
const MARGIN: f32 = 26.0;

/// Maps wider than this, in relation to their height, have the colour bar below.
const WIDE: f64 = 1.5;

const TITLE: Type = Type { weight: Weight::SemiBold, size: 27.0, colour: Rgb::INK };
const SUBTITLE: Type = Type { weight: Weight::Regular, size: 18.0, colour: Rgb::PALE_INK };
const NOTE: Type = Type { weight: Weight::Regular, size: 13.0, colour: Rgb::PALE_INK };

/// From the public domain; naming it is a courtesy, and tells who drew the borders.
const ATTRIBUTION: &str = "Coastlines and borders: Natural Earth (borders are indicative)";

/// How the field is drawn between its grid points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Shading {
    /// Interpolated bilinearly: classes meet in smooth lines.
    #[default]
    Smooth,
    /// Each grid point as the cell around it.
    Cells,
}

/// A map to be drawn. See the [module](self).
///
/// # Units
/// Some variables are shown in the units that people use: kelvin as °C, rain in kg m⁻² or
/// metres as mm, pascal as hPa. The values of the field stay as they are.
///
/// # Examples
/// ```no_run
/// # fn draw(field: &gik_analysis::Field) -> gik_core::Result<()> {
/// use gik_analysis::{Map, Palette};
///
/// Map::new(field, Some("21,-12,53,23".parse()?))?
///     .title("Rain in 24 hours")
///     .palette(Palette::rainfall())
///     .write_png("rain.png".as_ref())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Map<'a> {
    grid: Grid<'a>,
    style: Style,
    shading: Shading,
    title: String,
    subtitle: String,
}

impl<'a> Map<'a> {
    /// A map of `field` over `region`, or over the field's own cells. Title, subtitle, units
    /// and palette follow from the field's attributes and scalar coordinates.
    ///
    /// # Errors
    /// If the field has more than one value per place, has no 1-D latitude and longitude,
    /// or no grid point.
    pub fn new(field: &'a Field, region: Option<BoundingBox>) -> Result<Self> {
        Ok(Self {
            grid: Grid::new(field, region)?,
            style: Style::of(field),
            shading: Shading::default(),
            title: caption::title(field),
            subtitle: caption::subtitle(field),
        })
    }

    /// Sets the title; an empty one takes no room.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the line below the title; an empty one takes no room.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = subtitle.into();
        self
    }

    /// Sets the colours.
    #[must_use]
    pub fn palette(mut self, palette: Palette) -> Self {
        self.style.palette = palette;
        self
    }

    /// Sets the text of the units; values are shown as they would be without it.
    #[must_use]
    pub fn units(mut self, units: impl Into<String>) -> Self {
        self.style.units = units.into();
        self
    }

    /// Sets how the field is drawn between its grid points.
    #[must_use]
    pub fn shading(mut self, shading: Shading) -> Self {
        self.shading = shading;
        self
    }

    /// Draws the map and writes it to `path`, all of it or nothing.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        let png = self.png()?;
        write_atomically(path, |out| out.write_all(&png))
    }

    /// Draws the map: the bytes of a PNG file.
    ///
    /// # Errors
    /// If the picture cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.draw()?.png()
    }

    fn draw(&self) -> Result<Canvas> {
        let font = Font::new()?;
        let range = self.grid.range().map(|(low, high)| {
            let shown = |value: f32| f64::from(value) * self.style.factor + self.style.offset;
            (shown(low), shown(high))
        });
        let scale = self.style.palette.scale(range);
        let side = self.side();
        let bar = range.map(|_| ColourBar::new(&scale, &self.style.units, side));
        // A line for each, and more on the page where they take more.
        let space = |header: &Header| match header.height() {
            height if height > 0.0 => height + 8.0,
            none => none,
        };
        let plain = space(&self.header(&font, f32::INFINITY));
        let mut page = Page::new(&self.grid, &font, bar.as_ref(), side, plain);
        let header = self.header(&font, narrow(page.width.into()) - 2.0 * MARGIN);
        let more = whole(space(&header) - plain);
        page.top += more;
        page.height += more;

        let mut canvas = Canvas::new(page.width, page.height, Rgb::WHITE)?;
        header.draw(&mut canvas, &font, MARGIN, MARGIN);
        let raster =
            Raster { grid: &self.grid, style: &self.style, scale: &scale, shading: self.shading };
        let panel = Panel { frame: page.frame, raster };
        let missing = panel.draw(&mut canvas, &font, page.left, page.top)?;
        let (left, top) = (narrow(page.left.into()), narrow(page.top.into()));
        let (width, height) = (narrow(page.frame.width.into()), narrow(page.frame.height.into()));
        match (&bar, side) {
            (Some(bar), Side::Right) => {
                bar.draw(&mut canvas, &font, left + width + BAR_GAP, top, height);
            }
            (Some(bar), Side::Below) => {
                bar.draw(&mut canvas, &font, left, top + height + page.labels + 10.0, width);
            }
            (None, _) => draw_empty(&mut canvas, &font, left + width / 2.0, top + height / 2.0),
        }
        draw_notes(&mut canvas, &font, missing && bar.is_some());
        Ok(canvas)
    }

    fn side(&self) -> Side {
        let shape = Frame::fit(self.grid.extent, LONG_SIDE, LONG_SIDE);
        if f64::from(shape.width) > WIDE * f64::from(shape.height) {
            Side::Below
        } else {
            Side::Right
        }
    }

    /// Title and subtitle on a page of so many pixels between its margins.
    fn header(&self, font: &Font, width: f32) -> Header {
        let texts = [(self.title.as_str(), TITLE, 1.25), (&self.subtitle, SUBTITLE, 1.45)];
        Header::new(font, &texts, width)
    }
}

/// Between the map and a colour bar to its right.
const BAR_GAP: f32 = 24.0;

/// The height of the line at the foot of the page.
const FOOT: f32 = 30.0;

/// Where things are on the page, in pixels.
#[derive(Debug)]
struct Page {
    width: u32,
    height: u32,
    frame: Frame,
    /// The frame's upper left corner.
    left: u32,
    top: u32,
    /// The height of the labels below the frame.
    labels: f32,
}

impl Page {
    fn new(
        grid: &Grid<'_>,
        font: &Font,
        bar: Option<&ColourBar<'_>>,
        side: Side,
        header: f32,
    ) -> Self {
        let depth = bar.map_or(0.0, |bar| bar.depth(font));
        // The labels depend on the frame and the frame on the room they leave; those of a
        // frame that has all the room are as wide as they get.
        let most = Frame::fit(grid.extent, LONG_SIDE, LONG_SIDE);
        let (labels_left, labels) = Panel::margins(font, &most);
        let (right, below) = match side {
            Side::Right => (BAR_GAP + depth, 0.0),
            // The last label of the degree grid reaches beyond the frame.
            Side::Below => (20.0, 10.0 + depth),
        };
        let left = MARGIN + labels_left;
        let top = MARGIN + header;
        let room = |used: f32| LONG_SIDE - whole(used).min(LONG_SIDE - 100);
        let across = left + right + MARGIN;
        let down = top + labels + below + FOOT + MARGIN / 2.0;
        let frame = Frame::fit(grid.extent, room(across), room(down));
        let width = (frame.width + whole(across)).max(LEAST_WIDTH);
        // A narrow map stands in the middle.
        let spare = width - (frame.width + whole(across)).min(width);
        Self {
            width,
            height: frame.height + whole(down),
            frame,
            left: whole(left) + spare / 2,
            top: whole(top),
            labels,
        }
    }
}

/// The line at the foot: where the borders are from, what hatching means.
fn draw_notes(canvas: &mut Canvas, font: &Font, missing: bool) {
    let (width, height) = (narrow(canvas.width().into()), narrow(canvas.height().into()));
    let baseline = height - MARGIN / 2.0 - 3.0;
    canvas.text(font, ATTRIBUTION, MARGIN, baseline, Anchor::Left, NOTE);
    if missing {
        let text = "no data";
        let right = width - MARGIN;
        canvas.text(font, text, right, baseline, Anchor::Right, NOTE);
        let (w, h) = (26.0, 13.0);
        let x = (right - font.width(text, NOTE.weight, NOTE.size) - 7.0 - w).round();
        let y = (baseline - 11.5).round();
        if let Ok(mut swatch) = Canvas::new(whole(w), whole(h), Rgb::WHITE) {
            swatch.fill_with(hatch);
            canvas.place(&swatch, whole(x), whole(y));
        }
        let (l, t, r, b) = (x - 0.5, y - 0.5, x + w + 0.5, y + h + 0.5);
        canvas.outline(&[(l, t), (r, t), (r, b), (l, b)], Pen::solid(Rgb::PALE_INK, 1.0));
    }
}

/// Says in the middle of a map that there is nothing on it.
fn draw_empty(canvas: &mut Canvas, font: &Font, x: f32, y: f32) {
    let text = "No data in this region";
    let look = Type { weight: Weight::SemiBold, size: 22.0, colour: Rgb::INK };
    let width = font.width(text, look.weight, look.size) + 36.0;
    canvas.rectangle(x - width / 2.0, y - 24.0, width, 48.0, Rgb::WHITE);
    canvas.text(font, text, x, y + look.size * 0.36, Anchor::Middle, look);
}

/// Geometry is computed in `f64` and drawn in `f32`.
#[expect(clippy::cast_possible_truncation, reason = "pixels: a picture is far below 2^24 wide")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Whole pixels.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0…65535 before"
)]
fn whole(pixels: f32) -> u32 {
    pixels.round().clamp(0.0, 65535.0) as u32
}

#[cfg(test)]
mod tests;
