//! Text as outlines, from two embedded weights of Inter (see `data/README.md`).

use gik_core::{Error, Result};
use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

const REGULAR: &[u8] = include_bytes!("../../data/inter-regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("../../data/inter-semibold.ttf");

/// How bold a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// Both weights, ready for use.
#[derive(Debug)]
pub(super) struct Font {
    regular: Face<'static>,
    semibold: Face<'static>,
}

impl Font {
    /// Reads the embedded files.
    ///
    /// # Errors
    /// If they are damaged, which a test rules out.
    pub(super) fn new() -> Result<Self> {
        let parse = |file: &'static [u8]| {
            Face::parse(file, 0)
                .map_err(|error| Error::malformed("embedded font", "TrueType", error.to_string()))
        };
        Ok(Self { regular: parse(REGULAR)?, semibold: parse(SEMIBOLD)? })
    }

    fn face(&self, weight: Weight) -> &Face<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semibold,
        }
    }

    /// The width of a text in pixels at `size` pixels per em.
    pub(super) fn width(&self, text: &str, weight: Weight, size: f32) -> f32 {
        let face = self.face(weight);
        let units: f32 = text.chars().map(|c| advance(face, glyph(face, c))).sum();
        units * scale(face, size)
    }

    /// The text's outline, its baseline starting at a point; `None` if it is blank.
    pub(super) fn outline(
        &self,
        text: &str,
        weight: Weight,
        size: f32,
        x: f32,
        y: f32,
    ) -> Option<Path> {
        let face = self.face(weight);
        let scale = scale(face, size);
        let mut pen = Pen { path: PathBuilder::new(), x, y, scale };
        for c in text.chars() {
            let glyph = glyph(face, c);
            face.outline_glyph(glyph, &mut pen);
            pen.x += advance(face, glyph) * scale;
        }
        pen.path.finish()
    }
}

/// The glyph of a character; an empty box if the font has none.
fn glyph(face: &Face<'_>, c: char) -> GlyphId {
    face.glyph_index(c).unwrap_or(GlyphId(0))
}

/// Font units.
fn advance(face: &Face<'_>, glyph: GlyphId) -> f32 {
    f32::from(face.glyph_hor_advance(glyph).unwrap_or(0))
}

/// Pixels per font unit.
fn scale(face: &Face<'_>, size: f32) -> f32 {
    size / f32::from(face.units_per_em())
}

/// Collects outlines at a place, upside up.
struct Pen {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_have_what_maps_need() {
        let font = Font::new().unwrap();
        for weight in [Weight::Regular, Weight::SemiBold] {
            for c in "AZaz09 °–—−·…≥≤×²⁻¹⁰µé Ŵ".chars() {
                assert_ne!(glyph(font.face(weight), c), GlyphId(0), "{c}");
            }
        }
    }

    #[test]
    fn widths_add_up() {
        let font = Font::new().unwrap();
        let width = |text: &str, size| font.width(text, Weight::Regular, size);
        assert!((width("ab", 20.0) - width("a", 20.0) - width("b", 20.0)).abs() < 1e-3);
        assert!((width("ab", 40.0) - 2.0 * width("ab", 20.0)).abs() < 1e-3);
    }

    #[test]
    fn blank_text_has_no_outline() {
        let font = Font::new().unwrap();
        assert!(font.outline(" ", Weight::Regular, 20.0, 0.0, 0.0).is_none());
        let bounds = font.outline("H", Weight::Regular, 100.0, 10.0, 90.0).unwrap().bounds();
        assert!((bounds.bottom() - 90.0).abs() < 0.1 && (bounds.height() - 72.8).abs() < 0.5);
    }
}
