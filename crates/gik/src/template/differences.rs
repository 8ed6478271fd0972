//! A template held against a file.

use std::collections::{BTreeMap, BTreeSet};

use gik_codec::grid_of_section;
use gik_codec::scan::{Scan, ScannedField};
use gik_core::{Grid, Parser, Result, Run, RunRequest, StepUnit};

use super::{Template, from_hexadecimal};

/// A message of a file, but for what it is of: where its window ends, in seconds, and its member.
type Place = (i64, Option<u32>);

/// What a file should be like, beyond the rows.
struct Expected {
    grid: Option<Grid>,
    /// The run and the unit of its steps.
    run: Option<Run>,
    /// The steps of the file, in that unit.
    steps: Vec<u32>,
}

impl Template {
    /// What a file has otherwise than the template: one line each, none if it is as the template
    /// says. `model` is the parser and product of one that is compiled in: it knows the grid, and
    /// the steps of a file that has several.
    ///
    /// # Errors
    /// When the template's grid is no section of a message, or the file is of no run of the model.
    pub fn differences(
        &self,
        scan: &Scan,
        model: Option<(&dyn Parser, &str)>,
    ) -> Result<Vec<String>> {
        let expected = self.expected(scan, model)?;
        let unit = expected.run.as_ref().map_or(StepUnit::Hours, |run| run.step_unit).seconds();
        let mut list = Vec::new();
        let mut found = BTreeMap::<usize, BTreeSet<Place>>::new();
        let mut members = BTreeSet::new();
        for field in &scan.fields {
            let member = field.member.map(|member| member.position());
            let rows = self.rows_of(field);
            if rows.is_empty() {
                list.push(format!("not in the template: {}", named(field)));
                continue;
            }
            members.insert(member);
            let end = field.window.map_or(0, |window| window.end_seconds());
            for row in rows {
                found.entry(row).or_default().insert((end, member));
            }
        }
        if members.is_empty() {
            members.insert(None);
        }
        // A product may have several kinds of file, and this is one of them.
        let rows = self.table.rows();
        let kinds: BTreeSet<&str> =
            found.keys().filter_map(|&row| Some(rows.get(row)?.file)).collect();
        let is_here = |file: &str| kinds.is_empty() || kinds.contains(file);
        for (position, row) in (0..).zip(rows).filter(|(_, row)| is_here(row.file)) {
            let is_expected = |step: u32| match &expected.run {
                Some(run) => row.is_expected(run.reference_time, step),
                None => row.leads.include(step),
            };
            let there = found.get(&position);
            let mut lacking = Vec::new();
            for &step in expected.steps.iter().filter(|step| is_expected(**step)) {
                for &member in &members {
                    let place = (i64::from(step) * unit, member);
                    if there.is_none_or(|there| !there.contains(&place)) {
                        lacking.push((step, member));
                    }
                }
            }
            if !lacking.is_empty() {
                let all = lacking.len() == expected.steps.len() * members.len();
                list.push(format!(
                    "not in the file: {}:{} ({}){}",
                    row.abbreviation,
                    row.level_text,
                    row.name,
                    if all { String::new() } else { places(&lacking, expected.steps.len() > 1) }
                ));
            }
        }
        if let Some(grid) = &expected.grid {
            let is_other = |field: &&ScannedField| {
                !grid_of_section(&field.grid.section).is_ok_and(|other| grid.is_like(&other))
            };
            let mut others = scan.fields.iter().filter(is_other);
            if let Some(first) = others.next() {
                list.push(format!(
                    "on another grid: {} of {} fields, the first {} at byte {} ({})",
                    others.count() + 1,
                    scan.fields.len(),
                    named(first),
                    first.offset,
                    first.grid
                ));
            }
        }
        list.extend(scan.problems.iter().map(|problem| {
            format!(
                "unusable: {} bytes at byte {}: {}",
                problem.length, problem.offset, problem.text
            )
        }));
        Ok(list)
    }

    fn expected(&self, scan: &Scan, model: Option<(&dyn Parser, &str)>) -> Result<Expected> {
        let ends = scan.fields.iter().filter_map(|field| field.window.map(|it| it.end_seconds()));
        let last = ends.max().unwrap_or_default();
        let Some(((parser, product), first)) = model.zip(scan.fields.first()) else {
            let grid = self.fact("grid").map(|digits| grid_of_section(&from_hexadecimal(digits)?));
            let step = u32::try_from(last / StepUnit::Hours.seconds()).unwrap_or(u32::MAX);
            return Ok(Expected { grid: grid.transpose()?, run: None, steps: vec![step] });
        };
        let mut request = RunRequest::new(first.reference_time);
        request.product = Some(product.to_owned());
        let run = parser.run(&request)?;
        let step = u32::try_from(last / run.step_unit.seconds()).unwrap_or(u32::MAX);
        // A file of several steps is known by the last of them.
        let files: BTreeSet<u32> = parser
            .sources(&run)?
            .iter()
            .filter_map(|source| run.steps.get(source.step as usize).copied())
            .collect();
        let from = files.range(..step).next_back().map_or(0, |before| before + 1);
        let to = files.range(step..).next().copied().unwrap_or(step);
        let mut steps: Vec<u32> =
            run.steps.iter().copied().filter(|step| (from..=to).contains(step)).collect();
        if steps.is_empty() {
            steps.push(step);
        }
        Ok(Expected { grid: Some(parser.grid(&run)?), steps, run: Some(run) })
    }
}

/// ` at 15, 30`, ` of member 3`, ` at 15 of member 3`; the first few of them.
fn places(places: &[(u32, Option<u32>)], has_steps: bool) -> String {
    const KEPT: usize = 8;
    let words = places.iter().take(KEPT).map(|&(step, member)| {
        let step = has_steps.then(|| format!("at {step}"));
        let member = member.map(|member| format!("of member {member}"));
        step.into_iter().chain(member).collect::<Vec<_>>().join(" ")
    });
    let words: Vec<String> = words.collect();
    let more = places.len().saturating_sub(KEPT);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" {}{more}", words.join(", "))
}

/// `APCP:surface:0-3 hour acc fcst`
pub(super) fn named(field: &ScannedField) -> String {
    let text = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
    format!(
        "{}:{}:{}",
        field.parameter,
        text(field.level.map(|it| it.to_string())),
        text(field.window.map(|it| it.to_string()))
    )
}
