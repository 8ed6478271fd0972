//! Whether a store has what it should have, and whether that can be read.

mod expected;
mod holes;

use gik_core::{
    CoordinateValues, Error, ErrorKind, ReferenceTime, Registry, Result, UNKNOWN_PREFIX,
};
use gik_icechunk::{Commit, Opened, StoredArray};
use serde_json::{Value, json};

use expected::{Wanted, level_axis};
use holes::Holes;

/// Counts that are kept: one for each run, member and step. Ten years of GEFS have 40 million.
const CELLS_LIMIT: u64 = 1 << 26;

/// What is in a store, and what is not.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// The runs along `time`.
    pub runs: Vec<RunState>,
    /// The data arrays, by name.
    pub arrays: Vec<ArrayState>,
    /// The members, in the store's order; none in a model without members.
    pub members: Option<Vec<i64>>,
    /// The steps, in the store's order and unit.
    pub steps: Vec<i64>,
    /// What is missing, in words: the first of it.
    pub holes: Vec<String>,
    /// What was wrong with messages that were decoded.
    pub unreadable: Vec<String>,
    /// Messages that were decoded.
    pub decoded: u64,
}

/// What is there of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// The reference time.
    pub time: ReferenceTime,
    /// References that it should have, by the model's table; none for models that this build
    /// does not have.
    pub expected: Option<u64>,
    /// References that it has, of those that the model's table knows.
    pub there: u64,
    /// References that it has to messages that the table does not know: an extra one must not
    /// hide a missing one.
    pub unknown: u64,
    /// Messages missing of those that it must have, each by its own place; where no model says
    /// which those are, those that most members of the run have.
    pub holes: u64,
    /// For each member (one without members) and each step, references there.
    pub counts: Vec<Vec<u64>>,
    /// Likewise what there must be, where the model says so.
    pub cells: Option<Vec<Vec<Cell>>>,
}

/// The messages that one member must have at one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    /// How many there must be.
    pub wanted: u32,
    /// How many of them are missing.
    pub missing: u32,
}

impl RunState {
    /// Whether nothing that should be there is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.holes == 0 && self.expected.is_none_or(|expected| self.there >= expected)
    }

    /// Counts a message that there must be.
    fn want(&mut self, member: usize, step: usize, is_missing: bool) {
        self.expected = self.expected.map(|count| count + 1);
        self.holes += u64::from(is_missing);
        let row = self.cells.as_mut().and_then(|cells| cells.get_mut(member));
        if let Some(cell) = row.and_then(|row| row.get_mut(step)) {
            cell.wanted += 1;
            cell.missing += u32::from(is_missing);
        }
    }
}

/// What is there of one array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayState {
    /// Its name.
    pub name: String,
    /// Chunks that are there.
    pub there: u64,
    /// Positions of its chunk grid.
    pub positions: u64,
    /// Least and greatest value of those that were decoded, and the share of missing ones.
    pub values: Option<(f32, f32, f64)>,
}

impl Validation {
    /// Whether nothing is missing, and all that was decoded could be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && self.runs.iter().all(RunState::is_complete)
    }

    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, store: &str) -> Value {
        let runs: Vec<Value> = self
            .runs
            .iter()
            .map(|run| {
                json!({
                    "run": run.time.to_string(),
                    "complete": run.is_complete(),
                    "references": {
                        "expected": run.expected,
                        "there": run.there,
                        "unknown": run.unknown,
                    },
                    "holes": run.holes,
                    "counts": run.counts,
                })
            })
            .collect();
        let arrays: Vec<Value> = self
            .arrays
            .iter()
            .map(|array| {
                let values = array.values.map(|(least, greatest, missing)| {
                    json!({"min": least, "max": greatest, "missing": missing})
                });
                json!({
                    "name": array.name,
                    "references": array.there,
                    "positions": array.positions,
                    "sample": values,
                })
            })
            .collect();
        json!({
            "store": store,
            "complete": self.is_complete(),
            "members": self.members,
            "steps": self.steps,
            "runs": runs,
            "variables": arrays,
            "decoded": self.decoded,
            "holes": self.holes,
            "unreadable": self.unreadable,
        })
    }
}

/// The dimensions of a store of forecasts.
struct Labels {
    times: Vec<i64>,
    members: Option<Vec<i64>>,
    steps: Vec<i64>,
}

/// Checks a store: completeness from its manifests, by the model's own tables and against
/// itself; then `sample` messages of each variable (first, last, some between) are decoded.
/// `history` are the commits of this state: where no model says what should be there, the builds
/// have said it. `progress` is called with arrays done and their total.
///
/// # Errors
/// When the store cannot be read, or is no store of forecasts along `time` and `step`. What is
/// missing or unreadable in it is no error but the answer.
pub async fn validate(
    registry: &Registry,
    opened: &Opened,
    history: &[Commit],
    sample: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Validation> {
    let mut arrays = Vec::new();
    for name in opened.array_names().await? {
        let array = opened.array(&name).await?;
        let dimensions = array.dimension_names();
        let has = |wanted: &str| dimensions.iter().any(|name| name == wanted);
        if dimensions.len() > 3 && has("time") && has("step") {
            arrays.push(array);
        }
    }
    if arrays.is_empty() {
        return Err(Error::unsupported(
            "store to validate",
            "it has no variables along time and step; a store of one run (--layout run) is \
             complete when gik build says so",
        ));
    }
    let labels = labels(opened).await?;
    labels.check()?;
    let mut holes = Holes::default();
    let mut result = Validation {
        runs: labels
            .times
            .iter()
            .map(|&time| RunState {
                time: ReferenceTime::from_seconds(time),
                expected: None,
                there: 0,
                unknown: 0,
                holes: 0,
                counts: vec![vec![0; labels.steps.len()]; labels.rows()],
                cells: None,
            })
            .collect(),
        arrays: Vec::new(),
        members: labels.members.clone(),
        steps: labels.steps.clone(),
        holes: Vec::new(),
        unreadable: Vec::new(),
        decoded: 0,
    };
    let wanted = Wanted::of(registry, opened, history, &arrays, &labels, &mut result.runs).await?;
    let total = arrays.len();
    for (number, array) in arrays.iter().enumerate() {
        let grid = Grid::of(array)?;
        let there = count(opened, array, &grid, &mut result.runs).await?;
        wanted.compare(number, &grid, &there, &mut result.runs, &mut holes);
        if !wanted.are_all_known() {
            let is_known = |run| wanted.is_known(run);
            holes.compare_members(number, &grid, &there, labels.rows(), is_known, &mut result.runs);
        }
        let (values, decoded) =
            decode(array, &grid, &there, sample, &mut result.unreadable).await?;
        result.decoded += decoded;
        result.arrays.push(ArrayState {
            name: array.name().to_owned(),
            there: there.len() as u64,
            positions: grid.positions,
            values,
        });
        progress(number + 1, total);
    }
    for (run, state) in result.runs.iter_mut().enumerate() {
        // A build counts what its table did not know with the rest.
        if !wanted.is_known(run) {
            state.expected = state.expected.map(|count| count.saturating_sub(state.unknown));
        }
    }
    let names: Vec<String> = arrays.iter().map(|array| array.name().to_owned()).collect();
    result.holes = holes.words(&result.runs, &names, &labels);
    Ok(result)
}

impl Labels {
    fn rows(&self) -> usize {
        self.members.as_ref().map_or(1, Vec::len)
    }

    /// # Errors
    /// When there are more runs, members and steps than can be counted.
    fn check(&self) -> Result<()> {
        let lengths = [self.times.len(), self.rows(), self.steps.len()];
        let found = lengths.iter().fold(1, |count: u64, &it| count.saturating_mul(it as u64));
        if found <= CELLS_LIMIT {
            return Ok(());
        }
        let what = "number of runs × members × steps of the store";
        Err(Error::new(ErrorKind::LimitExceeded { what, limit: CELLS_LIMIT, found }))
    }
}

/// The chunk grid of an array along `time` and `step`. A chunk is known by its position in C
/// order.
struct Grid {
    lengths: Vec<u64>,
    positions: u64,
    time: Option<usize>,
    member: Option<usize>,
    step: Option<usize>,
    level: Option<usize>,
}

impl Grid {
    /// # Errors
    /// When it has more positions than a number of 64 bits can count.
    fn of(array: &StoredArray) -> Result<Self> {
        let (lengths, dimensions) = (array.grid(), array.dimension_names());
        let axis = |name: &str| dimensions.iter().position(|other| other == name);
        let positions = lengths.iter().try_fold(1_u64, |count, &it| count.checked_mul(it));
        let positions = positions.ok_or_else(|| {
            let what = "number of chunks of an array";
            let (limit, found) = (u64::MAX, u64::MAX);
            Error::new(ErrorKind::LimitExceeded { what, limit, found })
                .in_url(array.chunk_place(&[]))
        })?;
        let (time, member, step) = (axis("time"), axis("member"), axis("step"));
        let level = level_axis(&dimensions);
        Ok(Self { lengths, positions, time, member, step, level })
    }

    fn position(&self, at: &[u32]) -> u64 {
        let along = self.lengths.iter().zip(at);
        along.fold(0, |position, (&length, &it)| {
            position * length + u64::from(it).min(length.saturating_sub(1))
        })
    }

    fn indices(&self, mut position: u64) -> Vec<u64> {
        let mut at: Vec<u64> = Vec::with_capacity(self.lengths.len());
        for &length in self.lengths.iter().rev() {
            at.push(position % length.max(1));
            position /= length.max(1);
        }
        at.reverse();
        at
    }

    /// The step between neighbours along an axis.
    fn stride(&self, axis: usize) -> u64 {
        self.lengths.iter().skip(axis + 1).product()
    }

    /// The index along an axis; 0 without one.
    fn along(&self, axis: Option<usize>, position: u64) -> usize {
        let Some((axis, &length)) = axis.and_then(|it| Some((it, self.lengths.get(it)?))) else {
            return 0;
        };
        usize::try_from(position / self.stride(axis).max(1) % length.max(1)).unwrap_or(usize::MAX)
    }

    /// The same chunk of another member.
    fn of_member(&self, position: u64, member: u64) -> u64 {
        let Some(axis) = self.member else { return position };
        let here = self.along(self.member, position) as u64;
        let stride = self.stride(axis);
        (position - here * stride).saturating_add(member.saturating_mul(stride))
    }
}

async fn labels(opened: &Opened) -> Result<Labels> {
    let names = opened.array_names().await?;
    let integers = async |name: &str| match opened.array(name).await?.coordinate().await? {
        CoordinateValues::Int64(values) => Ok(values),
        CoordinateValues::Float64(_) => {
            Err(Error::mismatch(format!("labels of {name}"), "integers", "floating-point numbers"))
        }
    };
    Ok(Labels {
        times: integers("time").await?,
        members: match names.iter().any(|name| name == "member") {
            true => Some(integers("member").await?),
            false => None,
        },
        steps: integers("step").await?,
    })
}

/// The positions of the chunks of an array that are there, ascending; counted by run, member and
/// step.
async fn count(
    opened: &Opened,
    array: &StoredArray,
    grid: &Grid,
    runs: &mut [RunState],
) -> Result<Vec<u64>> {
    let mut there = Vec::new();
    opened.for_each_chunk(array.name(), |at| there.push(grid.position(at))).await?;
    there.sort_unstable();
    for &position in &there {
        let Some(run) = runs.get_mut(grid.along(grid.time, position)) else { continue };
        if array.name().starts_with(UNKNOWN_PREFIX) {
            run.unknown += 1;
            continue;
        }
        run.there += 1;
        let row = run.counts.get_mut(grid.along(grid.member, position));
        if let Some(count) = row.and_then(|row| row.get_mut(grid.along(grid.step, position))) {
            *count += 1;
        }
    }
    Ok(there)
}

/// Decodes the first, the last and some messages between; the least and greatest value, and the
/// share of missing ones.
async fn decode(
    array: &StoredArray,
    grid: &Grid,
    there: &[u64],
    sample: usize,
    unreadable: &mut Vec<String>,
) -> Result<(Option<(f32, f32, f64)>, u64)> {
    let last = there.len().saturating_sub(1);
    let mut picked: Vec<usize> = match sample {
        0 => Vec::new(),
        1 => vec![0],
        // More than there are is all of them.
        _ if sample > last => (0..=last).collect(),
        _ => (0..sample).map(|number| number * last / (sample - 1)).collect(),
    };
    picked.dedup();
    let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
    let (mut missing, mut count, mut decoded) = (0_u64, 0_u64, 0);
    for &position in picked.into_iter().filter_map(|number| there.get(number)) {
        let at = grid.indices(position);
        let values = match read(array, &at).await {
            Ok(values) => values,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|it| format!(": {it}"));
                unreadable.push(format!("{error}{}", cause.unwrap_or_default()));
                continue;
            }
        };
        decoded += 1;
        count += values.len() as u64;
        let before = missing;
        for value in &values {
            if value.is_nan() {
                missing += 1;
            } else {
                least = least.min(*value);
                greatest = greatest.max(*value);
            }
        }
        if missing - before == values.len() as u64 {
            let at: Vec<String> = at.iter().map(u64::to_string).collect();
            unreadable.push(format!("{}/c/{}: every value is missing", array.name(), at.join("/")));
        }
        if values.iter().any(|value| value.is_infinite()) {
            let at: Vec<String> = at.iter().map(u64::to_string).collect();
            unreadable.push(format!("{}/c/{}: infinite values", array.name(), at.join("/")));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = missing as f64 / count.max(1) as f64;
    Ok(((missing < count).then_some((least, greatest, share)), decoded))
}

async fn read(array: &StoredArray, at: &[u64]) -> Result<Vec<f32>> {
    let shape = array.chunk_shape(at)?;
    let Some(bytes) = array.fetch(at).await? else {
        return Err(Error::malformed("chunk", "one that is there", format!("{at:?}")));
    };
    let part: Vec<_> =
        shape.iter().map(|&length| 0..usize::try_from(length).unwrap_or_default()).collect();
    let (decoder, place) = (array.clone(), at.to_vec());
    let decoded = tokio::task::spawn_blocking(move || decoder.decode(&place, bytes, &part)).await;
    match decoded.map_err(|error| Error::unsupported("message", error.to_string()))? {
        Ok(values) => Ok(values),
        Err(error) => Err(array.traced(at, error).await),
    }
}
