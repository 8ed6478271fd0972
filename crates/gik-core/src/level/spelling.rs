//! From wgrib2's spelling to the row of the table.
//!
//! An index file has a level in every line, so finding the row matters. Each spelling is
//! cut into its form (how many numbers it begins with) and the text that follows them;
//! a hash table over these, computed at compile time, leads to the row.

use super::decimal::Decimal;
use super::table::{SURFACES, SurfaceType};

/// A level as spelled: its type and the values, in the spelling's unit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spelled {
    /// One surface.
    Single(&'static SurfaceType, Option<Decimal>),
    /// A layer with a spelling of its own.
    Layer(&'static SurfaceType, Decimal, Decimal),
}

/// Finds one surface or layer; what joins two surfaces with ` - ` is not looked into.
#[inline]
pub(super) fn find(text: &[u8]) -> Option<Spelled> {
    if let Some((first, rest)) = Decimal::leading(text) {
        if let Some(surface) = lookup(Form::Single, rest) {
            return Some(Spelled::Single(surface, Some(first)));
        }
        if let [b'-', rest @ ..] = rest
            && let Some((second, rest)) = Decimal::leading(rest)
            && let Some(surface) = lookup(Form::Layer, rest)
        {
            return Some(Spelled::Layer(surface, first, second));
        }
    }
    if let Some(surface) = lookup(Form::Plain, text) {
        return Some(Spelled::Single(surface, None));
    }
    embedded(text)
}

/// The spellings with a number that is not at the start.
fn embedded(text: &[u8]) -> Option<Spelled> {
    EMBEDDED.iter().find_map(|&(before, after, row)| {
        let rest = text.strip_prefix(before)?;
        let (value, rest) = Decimal::leading(rest)?;
        (rest == after)
            .then(|| SURFACES.get(row))
            .flatten()
            .map(|row| Spelled::Single(row, Some(value)))
    })
}

/// How many numbers a spelling begins with.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Single,
    Layer,
}

/// Twice the number of spellings, so that probes are short.
const SLOTS: usize = 512;
const EMPTY: u16 = u16::MAX;

/// Row × 4 + form, or [`EMPTY`]; open addressing.
static INDEX: [u16; SLOTS] = build_index();

fn lookup(form: Form, text: &[u8]) -> Option<&'static SurfaceType> {
    let mut slot = hash(form, text);
    loop {
        let found = *INDEX.get(slot % SLOTS)?;
        if found == EMPTY {
            return None;
        }
        let surface = SURFACES.get(usize::from(found / 4))?;
        if found % 4 == form as u16 && tail(form, surface) == text {
            return Some(surface);
        }
        slot += 1;
    }
}

/// What follows the numbers in this form of the spelling.
const fn tail(form: Form, surface: &'static SurfaceType) -> &'static [u8] {
    match (form, surface.single.as_bytes(), surface.layer.as_bytes()) {
        (Form::Plain, text, _)
        | (Form::Single, [b'#', text @ ..], _)
        | (Form::Layer, _, [b'#', b'-', b'#', text @ ..]) => text,
        _ => &[],
    }
}

const fn hash(form: Form, text: &[u8]) -> usize {
    let len = text.len();
    let (first, middle, late) = match text {
        [first, .., late, _, _, _] => (*first, byte(text, len / 2), *late),
        [first, ..] => (*first, byte(text, len / 2), 0),
        [] => (0, 0, 0),
    };
    (form as usize * 59
        + len * 131
        + first as usize * 31
        + middle as usize * 17
        + late as usize * 7)
        % SLOTS
}

/// The byte at `at`, or 0.
const fn byte(text: &[u8], at: usize) -> u8 {
    match text.split_at_checked(at) {
        Some((_, [byte, ..])) => *byte,
        _ => 0,
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: out of bounds is a build error"
)]
const fn build_index() -> [u16; SLOTS] {
    let mut index = [EMPTY; SLOTS];
    let mut row = 0;
    while row < SURFACES.len() {
        let surface = &SURFACES[row];
        let form = match surface.single.as_bytes() {
            [b'#', ..] => Some(Form::Single),
            _ if surface.is_valued() => None,
            _ => Some(Form::Plain),
        };
        if let Some(form) = form {
            insert(&mut index, row, form);
        }
        if !surface.layer.is_empty() {
            insert(&mut index, row, Form::Layer);
        }
        row += 1;
    }
    index
}

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time over the table of a hundred rows"
)]
const fn insert(index: &mut [u16; SLOTS], row: usize, form: Form) {
    let mut slot = hash(form, tail(form, &SURFACES[row]));
    while index[slot % SLOTS] != EMPTY {
        slot += 1;
    }
    index[slot % SLOTS] = row as u16 * 4 + form as u16;
}

/// Text before the number, text after it, row.
static EMBEDDED: [(&[u8], &[u8], usize); count_embedded()] = build_embedded();

const fn is_embedded(surface: &SurfaceType) -> bool {
    surface.is_valued() && !matches!(surface.single.as_bytes(), [b'#', ..])
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: out of bounds is a build error"
)]
const fn count_embedded() -> usize {
    let (mut row, mut count) = (0, 0);
    while row < SURFACES.len() {
        count += is_embedded(&SURFACES[row]) as usize;
        row += 1;
    }
    count
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: out of bounds is a build error"
)]
const fn build_embedded() -> [(&'static [u8], &'static [u8], usize); count_embedded()] {
    let mut all: [(&[u8], &[u8], usize); count_embedded()] = [(&[], &[], 0); count_embedded()];
    let (mut row, mut next) = (0, 0);
    while row < SURFACES.len() {
        if is_embedded(&SURFACES[row]) {
            let text = SURFACES[row].single.as_bytes();
            let mut at = 0;
            while text[at] != b'#' {
                at += 1;
            }
            let (before, rest) = text.split_at(at);
            let (_, after) = rest.split_at(1);
            all[next] = (before, after, row);
            next += 1;
        }
        row += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found() {
        for surface in SURFACES {
            let single = surface.single.replace('#', "12.5");
            assert!(
                matches!(find(single.as_bytes()), Some(Spelled::Single(found, value))
                    if found.code == surface.code && value.is_some() == surface.is_valued()),
                "{single}"
            );
            if !surface.layer.is_empty() {
                let layer = surface.layer.replace('#', "12.5");
                assert!(
                    matches!(find(layer.as_bytes()), Some(Spelled::Layer(found, ..))
                        if found.code == surface.code),
                    "{layer}"
                );
            }
        }
    }

    #[test]
    fn probes_are_short() {
        let mut longest = 0;
        let mut run = 0;
        for slot in INDEX.iter().chain(&INDEX) {
            run = if *slot == EMPTY { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        assert!(longest <= 8, "{longest} occupied slots in a row");
    }
}
