//! The messages of the products.

use std::sync::LazyLock;

use gik_core::ReferenceTime;

/// A parameter on one kind of level.
#[derive(Debug)]
pub(super) struct Parameter {
    /// Letters of the products that have it.
    pub(super) products: &'static str,
    pub(super) param: &'static str,
    pub(super) levtype: &'static str,
    /// `levelist`, or one nothing.
    pub(super) levels: Vec<Option<u32>>,
    steps: &'static str,
    since: Option<ReferenceTime>,
    until: Option<ReferenceTime>,
    /// Mean length of a message.
    pub(super) bytes: u64,
    /// Discipline, category, number.
    pub(super) code: [u8; 3],
    /// Type and value of the first fixed surface, but for the level.
    pub(super) surface: (u8, i32),
    /// ecCodes' `stepType`.
    pub(super) statistic: &'static str,
}

static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(|| {
    let lines = include_str!("messages.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.skip(1).filter_map(parse).collect()
});

/// All rows; a test counts them.
pub(super) fn parameters() -> &'static [Parameter] {
    &PARAMETERS
}

fn parse(line: &'static str) -> Option<Parameter> {
    let mut cells = line.split('\t');
    let mut next = || cells.next();
    let (products, param, levtype) = (next()?, next()?, next()?);
    let levels: Vec<Option<u32>> = match next()? {
        "" => vec![None],
        list => list.split(' ').map(|level| level.parse().ok()).collect(),
    };
    let (steps, since, until) = (next()?, next()?.parse().ok(), next()?.parse().ok());
    let bytes = next()?.parse().ok()?;
    let mut code = next()?.split('-').filter_map(|number| number.parse().ok());
    let code = [code.next()?, code.next()?, code.next()?];
    let (kind, value) = {
        let surface = next()?;
        surface.split_once('=').unwrap_or((surface, "0"))
    };
    let surface = (kind.parse().ok()?, value.parse().ok()?);
    let statistic = next()?;
    Some(Parameter {
        products,
        param,
        levtype,
        levels,
        steps,
        since,
        until,
        bytes,
        code,
        surface,
        statistic,
    })
}

impl Parameter {
    /// Whether the files of a step hold it.
    pub(super) fn occurs_at(&self, run: ReferenceTime, step: u32) -> bool {
        let within = |range: &str| {
            let (first, last) = range.split_once('-')?;
            Some((first.parse::<u32>().ok()?..=last.parse().ok()?).contains(&step))
        };
        let here = match self.steps {
            "all" => true,
            "analysis" => step == 0,
            ranges => ranges.split(',').any(|range| within(range) == Some(true)),
        };
        here && self.since.is_none_or(|since| since <= run)
            && self.until.is_none_or(|until| run < until)
    }
}
