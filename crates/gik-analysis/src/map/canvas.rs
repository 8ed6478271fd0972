//! A picture to draw on: antialiased shapes and text, then PNG.

use gik_core::{Error, Result};
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect,
    Stroke, StrokeDash, Transform,
};

use super::colour::Rgb;
use super::font::{Font, Weight};

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub(super) colour: Rgb,
    /// 0 invisible, 255 opaque.
    pub(super) alpha: u8,
    /// Pixels.
    pub(super) width: f32,
    /// Pixels drawn and left out in turn.
    pub(super) dash: Option<[f32; 2]>,
}

impl Pen {
    pub(super) const fn solid(colour: Rgb, width: f32) -> Self {
        Self { colour, alpha: 255, width, dash: None }
    }
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Type {
    pub(super) weight: Weight,
    /// Pixels per em.
    pub(super) size: f32,
    pub(super) colour: Rgb,
}

/// An opaque picture. The origin is the upper left corner, units are pixels.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    pixels: Pixmap,
}

impl Canvas {
    /// A picture of one colour.
    ///
    /// # Errors
    /// If it has no pixel or is too large for memory.
    pub(super) fn new(width: u32, height: u32, colour: Rgb) -> Result<Self> {
        let mut pixels = Pixmap::new(width, height).ok_or_else(|| {
            Error::unsupported("size of a picture in pixels", format!("{width}×{height}"))
        })?;
        pixels.fill(tiny_skia::Color::from_rgba8(colour.0, colour.1, colour.2, 255));
        Ok(Self { pixels })
    }

    pub(super) fn width(&self) -> u32 {
        self.pixels.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.pixels.height()
    }

    /// Sets every pixel to the colour that `colour` has for its column and row.
    pub(super) fn fill_with(&mut self, mut colour: impl FnMut(u32, u32) -> Rgb) {
        let width = self.width();
        let (mut x, mut y) = (0, 0);
        for pixel in self.pixels.pixels_mut() {
            let Rgb(r, g, b) = colour(x, y);
            if let Some(opaque) = PremultipliedColorU8::from_rgba(r, g, b, 255) {
                *pixel = opaque;
            }
            x += 1;
            if x == width {
                (x, y) = (0, y + 1);
            }
        }
    }

    /// Copies a picture to a place on this one; what does not fit is cut off.
    pub(super) fn place(&mut self, picture: &Self, x: u32, y: u32) {
        let (Ok(left), Ok(top)) = (i32::try_from(x), i32::try_from(y)) else { return };
        let paint = tiny_skia::PixmapPaint::default();
        let to = Transform::identity();
        self.pixels.draw_pixmap(left, top, picture.pixels.as_ref(), &paint, to, None);
    }

    /// Fills a rectangle from its upper left corner.
    pub(super) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Rgb) {
        if let Some(rectangle) = Rect::from_xywh(x, y, width, height) {
            self.pixels.fill_rect(rectangle, &paint(colour, 255), Transform::identity(), None);
        }
    }

    /// Fills a polygon.
    pub(super) fn polygon(&mut self, points: &[(f32, f32)], colour: Rgb) {
        if let Some(path) = path_of(&[points.to_vec()], true) {
            self.fill(&path, colour);
        }
    }

    /// Draws lines, all with one pen: where they cross, the pen does not show twice.
    pub(super) fn lines(&mut self, lines: &[Vec<(f32, f32)>], pen: Pen) {
        self.stroke(lines, false, pen);
    }

    /// Draws the outline of a polygon.
    pub(super) fn outline(&mut self, points: &[(f32, f32)], pen: Pen) {
        self.stroke(&[points.to_vec()], true, pen);
    }

    fn stroke(&mut self, lines: &[Vec<(f32, f32)>], closed: bool, pen: Pen) {
        let Some(path) = path_of(lines, closed) else { return };
        let stroke = Stroke {
            width: pen.width,
            line_cap: if pen.dash.is_some() { LineCap::Butt } else { LineCap::Round },
            line_join: if closed { LineJoin::Miter } else { LineJoin::Round },
            dash: pen.dash.and_then(|dash| StrokeDash::new(dash.to_vec(), 0.0)),
            ..Stroke::default()
        };
        let paint = paint(pen.colour, pen.alpha);
        self.pixels.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }

    /// Writes a line of text; `y` is its baseline.
    pub(super) fn text(
        &mut self,
        font: &Font,
        text: &str,
        x: f32,
        y: f32,
        anchor: Anchor,
        look: Type,
    ) {
        let width = font.width(text, look.weight, look.size);
        let left = match anchor {
            Anchor::Left => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::Right => x - width,
        };
        if let Some(path) = font.outline(text, look.weight, look.size, left, y) {
            self.fill(&path, look.colour);
        }
    }

    fn fill(&mut self, path: &Path, colour: Rgb) {
        let to = Transform::identity();
        self.pixels.fill_path(path, &paint(colour, 255), FillRule::Winding, to, None);
    }

    /// The picture as an RGB PNG.
    ///
    /// # Errors
    /// If the encoder fails, which it has no reason to.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        let failed = |error: png::EncodingError| {
            Error::new(gik_core::ErrorKind::Io { retryable: false }).with_source(error)
        };
        // Every pixel is opaque, so premultiplied colours are the colours.
        let rgb: Vec<u8> =
            self.pixels.pixels().iter().flat_map(|p| [p.red(), p.green(), p.blue()]).collect();
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width(), self.height());
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&rgb).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(out)
    }

    #[cfg(test)]
    pub(super) fn pixel(&self, x: u32, y: u32) -> Rgb {
        let pixel = self.pixels.pixel(x, y).unwrap();
        Rgb(pixel.red(), pixel.green(), pixel.blue())
    }
}

fn paint(colour: Rgb, alpha: u8) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(colour.0, colour.1, colour.2, alpha);
    paint
}

fn path_of(lines: &[Vec<(f32, f32)>], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for line in lines {
        for (index, &(x, y)) in line.iter().enumerate() {
            if index == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        if closed {
            path.close();
        }
    }
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_land_where_they_should() {
        let mut canvas = Canvas::new(20, 10, Rgb::WHITE).unwrap();
        canvas.rectangle(2.0, 2.0, 4.0, 4.0, Rgb(200, 0, 0));
        canvas.lines(&[vec![(0.0, 8.5), (20.0, 8.5)]], Pen::solid(Rgb(0, 0, 200), 1.0));
        canvas.polygon(&[(10.0, 0.0), (20.0, 0.0), (20.0, 8.0)], Rgb(0, 200, 0));
        assert_eq!(canvas.pixel(3, 3), Rgb(200, 0, 0));
        assert_eq!(canvas.pixel(7, 3), Rgb::WHITE);
        assert_eq!(canvas.pixel(5, 8), Rgb(0, 0, 200));
        assert_eq!(canvas.pixel(18, 2), Rgb(0, 200, 0));
        let mut page = Canvas::new(30, 30, Rgb::INK).unwrap();
        page.place(&canvas, 5, 7);
        assert_eq!((page.pixel(8, 10), page.pixel(4, 10)), (Rgb(200, 0, 0), Rgb::INK));
    }

    #[test]
    fn png_holds_the_pixels() {
        let mut canvas = Canvas::new(3, 2, Rgb::WHITE).unwrap();
        canvas.fill_with(|x, y| Rgb(u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 9));
        let bytes = canvas.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (3, 2, png::ColorType::Rgb));
        assert_eq!(rgb, [0, 0, 9, 1, 0, 9, 2, 0, 9, 0, 1, 9, 1, 1, 9, 2, 1, 9]);
    }

    #[test]
    fn no_picture_without_pixels() {
        assert!(Canvas::new(0, 5, Rgb::WHITE).is_err());
    }
}
