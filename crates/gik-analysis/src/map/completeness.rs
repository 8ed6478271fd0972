//! A picture of what is in a store.

use gik_core::Result;

use super::canvas::{Anchor, Canvas, Type};
use super::colour::Rgb;
use super::font::{Font, Weight};
use super::header::Header;

/// Pixels of a cell along each side, at most and at least.
const CELL: (u32, u32) = (18, 2);
/// Pixels that all cells together take up along each side, as far as the least size allows.
const EXTENT: u32 = 1200;
const MARGIN: u32 = 16;
const LEGEND: u32 = 44;

/// Nothing there.
const EMPTY: Rgb = Rgb(178, 24, 43);
/// Half of it.
const HALF: Rgb = Rgb(253, 219, 145);
/// All of it.
const FULL: Rgb = Rgb(35, 112, 84);
/// Nothing should be there.
const NOTHING: Rgb = Rgb(236, 237, 239);

/// What the legend explains.
const SHADES: [(Option<f64>, &str); 4] = [
    (Some(1.0), "all there"),
    (Some(0.5), "half"),
    (Some(0.0), "nothing"),
    (None, "nothing expected"),
];

/// Draws, as PNG, a cell for each row and column: from red where nothing is there of what should
/// be, to green where all of it is; grey where nothing should be. A row has its name, and the
/// share that is there (0 to 1) for each column.
///
/// # Errors
/// When the picture is too large for memory.
pub fn completeness_png(
    title: &str,
    rows: &[(String, Vec<Option<f64>>)],
    columns: &[i64],
) -> Result<Vec<u8>> {
    let font = Font::new()?;
    let text = Type { weight: Weight::Regular, size: 12.0, colour: Rgb::INK };
    let count = |length: usize| u32::try_from(length.max(1)).unwrap_or(u32::MAX);
    let size = |length: usize| (EXTENT / count(length)).clamp(CELL.1, CELL.0);
    let (width, height) = (size(columns.len()), size(rows.len()));
    let widest = rows.iter().map(|(name, _)| font.width(name, text.weight, text.size));
    let labels = to_pixels(widest.fold(0.0, f32::max)) + 8;
    let left = MARGIN + labels;
    let across = width * count(columns.len());
    let down = height * count(rows.len());
    let legend: f32 =
        SHADES.iter().map(|(_, name)| 37.0 + font.width(name, text.weight, text.size)).sum();
    let page = (left + across + MARGIN).max(left + to_pixels(legend) + MARGIN);
    let heading = Type { weight: Weight::SemiBold, size: 16.0, colour: Rgb::INK };
    let header = Header::new(&font, &[(title, heading, 2.5)], at(page - 2 * MARGIN));
    let top = MARGIN + to_pixels(header.height());
    let mut canvas = Canvas::new(page, top + down + LEGEND + MARGIN, Rgb::WHITE)?;
    header.draw(&mut canvas, &font, at(MARGIN), at(MARGIN));

    // Names as densely as they can be read.
    let every = (14_u32).div_ceil(height).max(1);
    for (row, (name, shares)) in (0_u32..).zip(rows) {
        let y = top + row * height;
        if row.is_multiple_of(every) {
            let middle = at(y) + at(height.max(14)) / 2.0 + 4.0;
            canvas.text(&font, name, at(left) - 6.0, middle, Anchor::Right, text);
        }
        for (column, share) in (0_u32..).zip(shares) {
            let gap = if width > 4 && height > 4 { 1.0 } else { 0.0 };
            let x = at(left + column * width);
            canvas.rectangle(x, at(y), at(width) - gap, at(height) - gap, colour(*share));
        }
    }
    let every = (34_u32).div_ceil(width).max(1);
    for (column, label) in (0_u32..).zip(columns) {
        if column.is_multiple_of(every) {
            let x = at(left + column * width) + at(width) / 2.0;
            let y = at(top + down) + 16.0;
            canvas.text(&font, &label.to_string(), x, y, Anchor::Middle, text);
        }
    }
    let mut x = at(left);
    let y = at(top + down) + 28.0;
    for (share, name) in SHADES {
        canvas.rectangle(x, y, 14.0, 14.0, colour(share));
        canvas.text(&font, name, x + 19.0, y + 11.5, Anchor::Left, text);
        x += 19.0 + font.width(name, text.weight, text.size) + 18.0;
    }
    canvas.png()
}

fn colour(share: Option<f64>) -> Rgb {
    match share {
        None => NOTHING,
        Some(share) if share >= 1.0 => FULL,
        Some(share) if share <= 0.0 => EMPTY,
        // Never quite the colour of all or nothing.
        Some(share) if share < 0.5 => EMPTY.mix(HALF, (0.2 + share * 1.6).min(1.0)),
        Some(share) => HALF.mix(FULL, (share - 0.5) * 1.2),
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a picture")]
const fn at(pixels: u32) -> f32 {
    pixels as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the width of a text in pixels, rounded up"
)]
fn to_pixels(width: f32) -> u32 {
    width.ceil().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_colours_of_their_own() {
        let colours = [None, Some(0.0), Some(0.01), Some(0.5), Some(0.99), Some(1.0)].map(colour);
        for (number, one) in colours.iter().enumerate() {
            assert!(colours.iter().skip(number + 1).all(|other| other != one), "{number}");
        }
    }

    #[test]
    fn any_size_is_drawn() {
        for (rows, columns) in [(0, 0), (1, 1), (3, 85), (2000, 200)] {
            let row = |number: usize| (format!("row {number}"), vec![Some(1.0); columns]);
            let rows: Vec<_> = (0..rows).map(row).collect();
            let columns: Vec<i64> = (0..).take(columns).collect();
            let png = completeness_png("what is there", &rows, &columns).unwrap();
            assert!(png.starts_with(b"\x89PNG"));
        }
    }
}
