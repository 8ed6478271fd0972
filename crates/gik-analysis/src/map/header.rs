//! Title and subtitle of a picture: smaller where they are a little too long, on several lines
//! where they are longer.

use super::canvas::{Anchor, Canvas, Type};
use super::font::Font;

/// How much smaller a text may become before it takes another line.
const SMALLEST: f32 = 0.75;

/// Lines of one text, at most: what a store says of itself has no end.
const LINES: usize = 8;

/// What a store says of itself may be long, but nobody reads more.
const LETTERS: usize = 4000;

/// Between the parts of a subtitle; a line ends there rather than inside of a part.
pub(super) const SEPARATOR: &str = "  ·  ";

/// Texts above a picture, broken into lines.
#[derive(Debug)]
pub(super) struct Header(Vec<Line>);

#[derive(Debug)]
struct Line {
    text: String,
    look: Type,
    /// To the next one.
    advance: f32,
}

impl Header {
    /// These texts, each with the distance to what follows in sizes of its letters, in a space of
    /// so many pixels across. Empty ones take no room.
    pub(super) fn new(font: &Font, texts: &[(&str, Type, f32)], width: f32) -> Self {
        let mut lines = Vec::new();
        for &(text, look, advance) in texts {
            let text: String = text.chars().take(LETTERS).collect();
            let natural = font.width(&text, look.weight, look.size);
            let size = look.size * (width / natural.max(1.0)).clamp(SMALLEST, 1.0);
            let look = Type { size, ..look };
            let broken = broken(&text, width, |it| font.width(it, look.weight, look.size));
            let last = broken.len().saturating_sub(1);
            let more = broken.into_iter().enumerate().map(|(number, text)| {
                // Lines of one text stand closer than texts.
                let advance = if number == last { advance } else { advance.min(1.25) };
                Line { text, look, advance: look.size * advance }
            });
            lines.extend(more);
        }
        Self(lines)
    }

    /// Pixels from the top of the first line to what follows the last.
    pub(super) fn height(&self) -> f32 {
        self.0.iter().map(|line| line.advance).sum()
    }

    /// Draws it with its upper left corner at a place.
    pub(super) fn draw(&self, canvas: &mut Canvas, font: &Font, x: f32, mut y: f32) {
        for line in &self.0 {
            let baseline = y + line.look.size * 0.8;
            canvas.text(font, &line.text, x, baseline, Anchor::Left, line.look);
            y += line.advance;
        }
    }
}

/// A text in lines no wider than so many pixels: broken between its parts, between the words of
/// a part that is wider, and inside of a word that is.
fn broken(text: &str, width: f32, measure: impl Fn(&str) -> f32) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut add = |piece: &str, between: &str| {
        let Some(line) = lines.last_mut() else { return false };
        let longer = match line.is_empty() {
            true => piece.to_owned(),
            false => format!("{line}{between}{piece}"),
        };
        if measure(&longer) <= width + 0.5 {
            *line = longer;
            return true;
        }
        if measure(piece) > width + 0.5 {
            return false;
        }
        lines.push(piece.to_owned());
        true
    };
    for part in text.split(SEPARATOR) {
        if add(part, SEPARATOR) {
            continue;
        }
        let mut between = SEPARATOR;
        for word in part.split(' ') {
            if !add(word, between) {
                for letter in word.chars() {
                    add(letter.encode_utf8(&mut [0; 4]), between);
                    between = "";
                }
            }
            between = " ";
        }
    }
    lines.retain(|line| !line.is_empty());
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.pop();
            last.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if each letter were a pixel wide.
    fn lines(text: &str, width: f32) -> Vec<String> {
        broken(text, width, |it| it.chars().map(|_| 1.0).sum())
    }

    #[test]
    fn lines_end_between_parts_then_words_then_letters() {
        let text = "Run 6 Jan  ·  T+24 h  ·  Valid Tue 7 Jan";
        assert_eq!(lines(text, 40.0), [text]);
        assert_eq!(lines(text, 21.0), ["Run 6 Jan  ·  T+24 h", "Valid Tue 7 Jan"]);
        assert_eq!(lines(text, 10.0), ["Run 6 Jan", "T+24 h", "Valid Tue", "7 Jan"]);
        assert_eq!(lines("abcdefgh ij", 3.0), ["abc", "def", "gh", "ij"]);
        assert_eq!(lines("", 3.0), Vec::<String>::new());
        let long = lines(&"word ".repeat(100), 9.0);
        assert_eq!((long.len(), long[7].as_str()), (8, "word wor…"));
    }

    #[test]
    fn a_text_that_is_a_little_too_long_is_written_smaller() {
        let font = Font::new().unwrap();
        let look = super::super::TITLE;
        let text =
            "NOAA GEFS ensemble forecast  ·  Run Mon 6 Jan 2025 00:00 UTC  ·  times in UTC−3";
        let natural = font.width(text, look.weight, look.size);
        for (part, lines) in [(1.0, 1), (0.99, 1), (0.9, 1), (0.76, 1), (0.74, 2)] {
            let header = Header::new(&font, &[(text, look, 1.5)], natural * part);
            assert_eq!(header.0.len(), lines, "{part}: {header:?}");
            let size = look.size * part.max(SMALLEST);
            assert!(header.0.iter().all(|line| (line.look.size - size).abs() < 0.01));
        }
    }

    #[test]
    fn nothing_of_a_text_is_lost() {
        let text = "Probability that a quantity with a very long name reaches a threshold in 24 h";
        for width in 5_u8..90 {
            let found = lines(text, width.into());
            assert!(found.iter().all(|line| line.chars().count() <= width.into()), "{found:?}");
            let letters = |it: &str| it.replace(' ', "");
            if found.len() < LINES {
                assert_eq!(letters(&found.concat()), letters(text));
            }
        }
    }
}
