//! What each run of a store must have: message by message as the model's own tables say, or as
//! many as its build said.

use std::collections::HashMap;

use gik_core::{
    Attributes, Chunk, CoordinateValues, Expected, Parser, ReferenceTime, Registry, Result, Run,
    RunRequest, SchemaOptions,
};
use gik_icechunk::{Commit, Opened, StoredArray};
use serde_json::Value;

use super::{Cell, Grid, Holes, Labels, RunState};

/// The messages that the runs of a store must have.
pub(super) struct Wanted {
    patterns: Vec<Pattern>,
    /// Of each run its pattern; none of runs that no model of this build knows.
    of_run: Vec<Option<usize>>,
}

/// What runs that are alike must have.
struct Pattern {
    run: Run,
    expected: Vec<Expected>,
    /// Positions in the store along `member`; one for a model without.
    members: Vec<u64>,
    /// For each array, the positions along `step` and levels that every member must have.
    arrays: Vec<Vec<(u64, u64)>>,
}

impl Pattern {
    /// Whether a run has the same parts, and must have the same of them.
    fn is_of(&self, run: &Run, expected: &[Expected]) -> bool {
        self.run.members == run.members
            && self.run.steps == run.steps
            && self.run.variables == run.variables
            && self.expected == expected
    }

    /// The chunks of an array that must be there of the first run, ascending.
    fn positions(&self, number: usize, grid: &Grid) -> Vec<u64> {
        let places = self.arrays.get(number).map(Vec::as_slice).unwrap_or_default();
        let along = |axis: Option<usize>, at: u64| axis.map_or(0, |axis| at * grid.stride(axis));
        let mut positions = Vec::with_capacity(places.len() * self.members.len());
        for &member in &self.members {
            let first = along(grid.member, member);
            let rest = places
                .iter()
                .map(|&(step, level)| first + along(grid.step, step) + along(grid.level, level));
            positions.extend(rest);
        }
        positions.sort_unstable();
        // An array without members has one chunk for all.
        positions.dedup();
        positions
    }
}

impl Wanted {
    /// What the runs must have of these arrays, which is noted in `runs`: what their model says
    /// or, of a product that no model of this build knows, how much the build that added it
    /// counted.
    ///
    /// # Errors
    /// When the labels of levels cannot be read.
    pub(super) async fn of(
        registry: &Registry,
        opened: &Opened,
        history: &[Commit],
        arrays: &[StoredArray],
        labels: &Labels,
        runs: &mut [RunState],
    ) -> Result<Self> {
        let attributes: Attributes = opened.attributes().await?;
        let text = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut this = Self { patterns: Vec::new(), of_run: vec![None; runs.len()] };
        let Ok(parser) = registry.get(text("gik_model")) else {
            for state in runs {
                state.expected = said(history, state.time);
            }
            return Ok(this);
        };
        let levels = levels(opened, arrays).await?;
        for (state, pattern) in runs.iter_mut().zip(&mut this.of_run) {
            let of_run = run(parser.as_ref(), text("gik_product"), arrays, labels, state.time);
            // A run that the model does not have is one that it says nothing of.
            let Ok(run) = of_run else { continue };
            let expected = parser.expected(&run)?;
            let known = this.patterns.iter().position(|it| it.is_of(&run, &expected));
            let at = match known {
                Some(at) => at,
                None => {
                    let places = places(parser.as_ref(), &run, &expected, arrays, labels, &levels)?;
                    let members = members(&run, labels);
                    this.patterns.push(Pattern { run, expected, members, arrays: places });
                    this.patterns.len() - 1
                }
            };
            *pattern = Some(at);
            state.expected = Some(0);
            let none = vec![vec![Cell::default(); labels.steps.len()]; labels.rows()];
            state.cells = Some(none);
        }
        Ok(this)
    }

    /// Whether a model says what a run must have.
    pub(super) fn is_known(&self, run: usize) -> bool {
        self.of_run.get(run).is_some_and(Option::is_some)
    }

    /// Whether that is so of all runs.
    pub(super) fn are_all_known(&self) -> bool {
        self.of_run.iter().all(Option::is_some)
    }

    /// Compares what is there of the array `number`, positions of chunks in ascending order, with
    /// what must be.
    pub(super) fn compare(
        &self,
        number: usize,
        grid: &Grid,
        there: &[u64],
        runs: &mut [RunState],
        holes: &mut Holes,
    ) {
        let stride = grid.time.map_or(0, |axis| grid.stride(axis));
        let mut first = HashMap::<usize, Vec<u64>>::new();
        for (time, (state, pattern)) in runs.iter_mut().zip(&self.of_run).enumerate() {
            let Some((at, pattern)) = pattern.and_then(|at| Some((at, self.patterns.get(at)?)))
            else {
                continue;
            };
            let positions = first.entry(at).or_insert_with(|| pattern.positions(number, grid));
            let offset = time as u64 * stride;
            let Some(&earliest) = positions.first() else { continue };
            let mut left = there.partition_point(|&it| it < offset + earliest);
            let mut missing = Vec::new();
            for position in positions.iter().map(|it| it + offset) {
                while there.get(left).is_some_and(|&it| it < position) {
                    left += 1;
                }
                let is_missing = there.get(left) != Some(&position);
                let (member, step) =
                    (grid.along(grid.member, position), grid.along(grid.step, position));
                state.want(member, step, is_missing);
                if is_missing {
                    missing.push((member, step));
                }
            }
            let all = missing.len() == positions.len();
            holes.lacks(number, time, &missing, all);
        }
    }
}

/// The references that a run should have, as its commits say.
fn said(history: &[Commit], time: ReferenceTime) -> Option<u64> {
    let time = time.to_string();
    let fact = |commit: &Commit, key: &str| commit.properties.get(key).cloned();
    let of_run = history
        .iter()
        .filter(|commit| fact(commit, "run").is_some_and(|run| run.as_str() == Some(&time)));
    of_run.filter_map(|commit| fact(commit, "references_expected")?.as_u64()).max()
}

/// What the cycle has of a run, of what the store has.
fn run(
    parser: &dyn Parser,
    product: &str,
    arrays: &[StoredArray],
    labels: &Labels,
    time: ReferenceTime,
) -> Result<Run> {
    let mut request = RunRequest::new(time);
    request.product = Some(product.to_owned());
    let all = parser.run(&request)?;
    let list = |wanted: &[i64], there: &[u32]| {
        let both = there.iter().filter(|&&number| wanted.contains(&i64::from(number)));
        both.map(u32::to_string).collect::<Vec<_>>().join(",")
    };
    if let (Some(members), Some(there)) = (&labels.members, &all.members) {
        request.members = Some(list(members, there).parse()?);
    }
    request.steps = Some(list(&labels.steps, &all.steps).parse()?);
    let names = arrays.iter().map(StoredArray::name);
    request.variables = Some(
        names.filter(|name| all.variables.iter().any(|it| it == name)).map(str::to_owned).collect(),
    );
    parser.run(&request)
}

/// Positions of a run's members in the store; one for a model without.
fn members(run: &Run, labels: &Labels) -> Vec<u64> {
    let (Some(numbers), Some(there)) = (&run.members, &labels.members) else { return vec![0] };
    let position = |&number: &u32| there.iter().position(|&it| it == i64::from(number));
    numbers.iter().filter_map(position).map(|it| it as u64).collect()
}

/// For each array, the positions in the store along `step` and levels of what a run must have.
fn places(
    parser: &dyn Parser,
    run: &Run,
    expected: &[Expected],
    arrays: &[StoredArray],
    labels: &Labels,
    levels: &HashMap<String, Vec<u64>>,
) -> Result<Vec<Vec<(u64, u64)>>> {
    // A schema of one step tells the levels as well as one of all.
    let mut small = run.clone();
    small.steps.truncate(1);
    if let Some(members) = &mut small.members {
        members.truncate(1);
    }
    let schema = parser.schema(&small, &SchemaOptions::default())?;
    let step = |position: u32| {
        let number = i64::from(*run.steps.get(position as usize)?);
        Some(labels.steps.iter().position(|&it| it == number)? as u64)
    };
    let steps: Vec<Option<u64>> = (0..).take(run.steps.len()).map(step).collect();
    // Of each variable of the run its array, and of each of its levels the place in that.
    let variables: Vec<Option<(usize, Vec<Option<u64>>)>> = run
        .variables
        .iter()
        .map(|name| {
            let number = arrays.iter().position(|array| array.name() == name)?;
            let array = arrays.get(number)?;
            let Some(dimension) = level_dimension(&array.dimension_names()) else {
                return Some((number, vec![Some(0)]));
            };
            let there = levels.get(&dimension)?;
            let labels = match schema.array(&dimension)?.chunks.get(0) {
                Chunk::Inline(bytes) => bytes
                    .chunks_exact(8)
                    .filter_map(|it| Some(u64::from_le_bytes(it.try_into().ok()?))),
                _ => return None,
            };
            let place = |label: u64| there.iter().position(|&it| it == label).map(|it| it as u64);
            Some((number, labels.map(place).collect()))
        })
        .collect();
    let mut places = vec![Vec::new(); arrays.len()];
    for message in expected {
        let place = || {
            let (number, levels) = variables.get(message.variable as usize)?.as_ref()?;
            let level = levels.get(message.level as usize).copied().flatten()?;
            Some((*number, (steps.get(message.step as usize).copied().flatten()?, level)))
        };
        if let Some((number, place)) = place()
            && let Some(places) = places.get_mut(number)
        {
            places.push(place);
        }
    }
    Ok(places)
}

/// The labels of the level dimensions of the arrays, as bits.
async fn levels(opened: &Opened, arrays: &[StoredArray]) -> Result<HashMap<String, Vec<u64>>> {
    let mut levels = HashMap::new();
    for array in arrays {
        let Some(dimension) = level_dimension(&array.dimension_names()) else { continue };
        if levels.contains_key(&dimension) {
            continue;
        }
        let labels = match opened.array(&dimension).await?.coordinate().await? {
            CoordinateValues::Int64(labels) => {
                labels.into_iter().map(|it| u64::from_ne_bytes(it.to_ne_bytes())).collect()
            }
            CoordinateValues::Float64(labels) => labels.into_iter().map(f64::to_bits).collect(),
        };
        levels.insert(dimension, labels);
    }
    Ok(levels)
}

/// The dimension of an array along levels: what is neither time, member nor step, before the two
/// of the grid.
fn level_dimension(dimensions: &[String]) -> Option<String> {
    level_axis(dimensions).and_then(|axis| dimensions.get(axis).cloned())
}

/// Its position.
pub(super) fn level_axis(dimensions: &[String]) -> Option<usize> {
    let outer = dimensions.iter().take(dimensions.len().saturating_sub(2));
    outer.into_iter().position(|name| !["time", "member", "step"].contains(&name.as_str()))
}
