//! The tables `pgrb2?.tsv`: one row a message, in the order of the files.

use crate::grib::{Statistic, Surface};

/// Whether a message is in the file of step 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtStart {
    /// In every file.
    Yes,
    /// In all others.
    No,
    /// In no other.
    Only,
}

/// A message: its words in the index, its codes in GRIB.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Name in ecCodes' style (`t2m`, `tp`), by which a variable is asked for.
    pub(super) name: &'static str,
    /// Abbreviation and level as wgrib2 writes them.
    pub(super) var: &'static str,
    pub(super) level: &'static str,
    /// None: an instant.
    pub(super) statistic: Option<Statistic>,
    pub(super) at_start: AtStart,
    /// Length of a real message.
    pub(super) bytes: u64,
    pub(super) discipline: u8,
    pub(super) category: u8,
    pub(super) number: u8,
    pub(super) first: Surface,
    pub(super) second: Option<Surface>,
}

impl Line {
    /// Whether the file of `step` hours holds this message.
    pub(super) fn occurs_at(&self, step: u32) -> bool {
        match self.at_start {
            AtStart::Yes => true,
            AtStart::No => step > 0,
            AtStart::Only => step == 0,
        }
    }
}

/// Reads a table. Rows that do not have the fifteen columns are left out: that there are
/// none is tested, with the numbers of messages.
pub(super) fn parse(text: &'static str) -> Vec<Line> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
}

fn row(text: &'static str) -> Option<Line> {
    let mut columns = text.split('\t');
    let mut next = || columns.next();
    let (name, var, level) = (next()?, next()?, next()?);
    let statistic = match next()? {
        "ave" => Some(Statistic::Average),
        "acc" => Some(Statistic::Accumulation),
        "max" => Some(Statistic::Maximum),
        "min" => Some(Statistic::Minimum),
        _ => None,
    };
    let at_start = match next()? {
        "yes" => AtStart::Yes,
        "only" => AtStart::Only,
        _ => AtStart::No,
    };
    let bytes = next()?.parse().ok()?;
    let mut code = || next()?.parse::<u8>().ok();
    let (discipline, category, number) = (code()?, code()?, code()?);
    let mut surface = || {
        Some(Surface {
            kind: next()?.parse().ok()?,
            factor: next()?.parse().ok()?,
            value: next()?.parse().ok()?,
        })
    };
    let (first, second) = (surface()?, surface()?);
    Some(Line {
        name,
        var,
        level,
        statistic,
        at_start,
        bytes,
        discipline,
        category,
        number,
        first,
        second: (second.kind != 255).then_some(second),
    })
}
