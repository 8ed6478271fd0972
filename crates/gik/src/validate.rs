//! Whether a store has what it should have, and whether that can be read.

use std::collections::BTreeMap;

use gik_core::{CoordinateValues, Error, Parser, ReferenceTime, Registry, Result, Run, RunRequest};
use gik_icechunk::{Opened, StoredArray};
use serde_json::{Value, json};

/// A message of each variable and time that is there for most members but not for this one.
const HOLES_NAMED: usize = 20;

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
    /// The first of the messages that are missing where others are there.
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
    /// References that it has.
    pub there: u64,
    /// Messages missing where most members of the same run, or most runs, have them.
    pub holes: u64,
    /// For each member (one without members) and each step, references there.
    pub counts: Vec<Vec<u64>>,
    /// Likewise those that there should be, where the model says so.
    pub wanted: Option<Vec<Vec<f64>>>,
}

impl RunState {
    /// Whether nothing that should be there is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.holes == 0 && self.expected.is_none_or(|expected| self.there >= expected)
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
                    "references": {"expected": run.expected, "there": run.there},
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
/// `progress` is called with arrays done and their total.
///
/// # Errors
/// When the store cannot be read, or is no store of forecasts along `time` and `step`. What is
/// missing or unreadable in it is no error but the answer.
pub async fn validate(
    registry: &Registry,
    opened: &Opened,
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
    let mut result = Validation {
        runs: labels
            .times
            .iter()
            .map(|&time| RunState {
                time: ReferenceTime::from_seconds(time),
                expected: None,
                there: 0,
                holes: 0,
                counts: vec![vec![0; labels.steps.len()]; labels.rows()],
                wanted: None,
            })
            .collect(),
        arrays: Vec::new(),
        members: labels.members.clone(),
        steps: labels.steps.clone(),
        holes: Vec::new(),
        unreadable: Vec::new(),
        decoded: 0,
    };
    let total = arrays.len();
    for (number, array) in arrays.iter().enumerate() {
        let there = count(opened, array, &labels, &mut result).await?;
        let (values, decoded) = decode(array, &there, sample, &mut result.unreadable).await?;
        result.decoded += decoded;
        result.arrays.push(ArrayState {
            name: array.name().to_owned(),
            there: there.len() as u64,
            positions: array.grid().iter().product(),
            values,
        });
        progress(number + 1, total);
    }
    let names: Vec<String> = arrays.iter().map(|array| array.name().to_owned()).collect();
    let attributes = opened.attributes().await?;
    expect(registry, &attributes, &names, &labels, &mut result.runs);
    Ok(result)
}

impl Labels {
    fn rows(&self) -> usize {
        self.members.as_ref().map_or(1, Vec::len)
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

/// Where the chunks of an array are: counted by run, member and step. Messages that most members
/// of a run have, and some do not, are holes.
async fn count(
    opened: &Opened,
    array: &StoredArray,
    labels: &Labels,
    result: &mut Validation,
) -> Result<Vec<Vec<u64>>> {
    let dimensions = array.dimension_names();
    let axis = |name: &str| dimensions.iter().position(|other| other == name);
    let (time, member, step) = (axis("time"), axis("member"), axis("step"));
    let mut there = Vec::new();
    let each = |at: &[u32]| there.push(at.iter().map(|&it| u64::from(it)).collect::<Vec<u64>>());
    opened.for_each_chunk(array.name(), each).await?;
    there.sort_unstable();
    let mut members = BTreeMap::<Vec<u64>, Vec<u64>>::new();
    for at in &there {
        let along = |axis: Option<usize>| {
            let position = axis.and_then(|axis| at.get(axis)).copied().unwrap_or_default();
            usize::try_from(position).unwrap_or(usize::MAX)
        };
        if let Some(run) = result.runs.get_mut(along(time)) {
            run.there += 1;
            let row = run.counts.get_mut(along(member));
            if let Some(count) = row.and_then(|row| row.get_mut(along(step))) {
                *count += 1;
            }
        }
        let mut rest = at.clone();
        if let Some(member) = member
            && let Some(position) = rest.get_mut(member)
        {
            let number = std::mem::take(position);
            members.entry(rest).or_default().push(number);
        }
    }
    for (at, present) in &members {
        let missing = labels.rows().saturating_sub(present.len());
        if missing == 0 || present.len() <= missing {
            continue;
        }
        let along = |axis: Option<usize>| axis.and_then(|axis| at.get(axis)).copied();
        let time = along(time).and_then(|it| usize::try_from(it).ok());
        if let Some(run) = time.and_then(|time| result.runs.get_mut(time)) {
            run.holes += missing as u64;
            if result.holes.len() < HOLES_NAMED {
                let step = along(step).and_then(|it| labels.steps.get(usize::try_from(it).ok()?));
                let lacking: Vec<String> = (0..)
                    .zip(labels.members.iter().flatten())
                    .filter(|(position, _)| !present.contains(position))
                    .map(|(_, number)| number.to_string())
                    .take(8)
                    .collect();
                result.holes.push(format!(
                    "{}: {} at step {} of {missing} of {} members: {}",
                    run.time,
                    array.name(),
                    step.copied().unwrap_or_default(),
                    labels.rows(),
                    lacking.join(", ")
                ));
            }
        }
    }
    Ok(there)
}

/// Decodes the first, the last and some messages between; the least and greatest value, and the
/// share of missing ones.
async fn decode(
    array: &StoredArray,
    there: &[Vec<u64>],
    sample: usize,
    unreadable: &mut Vec<String>,
) -> Result<(Option<(f32, f32, f64)>, u64)> {
    let last = there.len().saturating_sub(1);
    let mut picked: Vec<usize> = match sample {
        0 => Vec::new(),
        1 => vec![0],
        _ => (0..sample).map(|number| number * last / (sample - 1)).collect(),
    };
    picked.dedup();
    let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
    let (mut missing, mut count, mut decoded) = (0_u64, 0_u64, 0);
    for at in picked.into_iter().filter_map(|position| there.get(position)) {
        let values = match read(array, at).await {
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
    let (array, at) = (array.clone(), at.to_vec());
    let decoded = tokio::task::spawn_blocking(move || array.decode(&at, bytes, &part)).await;
    decoded.map_err(|error| Error::unsupported("message", error.to_string()))?
}

/// Fills in what the model says that each run should have.
fn expect(
    registry: &Registry,
    attributes: &gik_core::Attributes,
    names: &[String],
    labels: &Labels,
    runs: &mut [RunState],
) {
    let text = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default();
    let Ok(parser) = registry.get(text("gik_model")) else { return };
    for state in runs {
        let wanted = expected(parser.as_ref(), text("gik_product"), names, labels, state.time);
        if let Ok(wanted) = wanted {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a sum of counts of references"
            )]
            let sum = wanted.iter().flatten().sum::<f64>().round() as u64;
            state.expected = Some(sum);
            state.wanted = Some(wanted);
        }
    }
}

/// For each member and step of the store, the references that a run should have.
fn expected(
    parser: &dyn Parser,
    product: &str,
    names: &[String],
    labels: &Labels,
    time: ReferenceTime,
) -> Result<Vec<Vec<f64>>> {
    let mut request = RunRequest::new(time);
    request.product = Some(product.to_owned());
    // What the cycle has, of what the store has.
    let all = parser.run(&request)?;
    let list = |wanted: &[i64], there: &[u32]| {
        let both = there.iter().filter(|&&number| wanted.contains(&i64::from(number)));
        both.map(u32::to_string).collect::<Vec<_>>().join(",")
    };
    if let (Some(members), Some(there)) = (&labels.members, &all.members) {
        request.members = Some(list(members, there).parse()?);
    }
    request.steps = Some(list(&labels.steps, &all.steps).parse()?);
    request.variables =
        Some(names.iter().filter(|name| all.variables.contains(name)).cloned().collect());
    let run: Run = parser.run(&request)?;
    let row = |position: usize| {
        let number = run.members.as_ref().and_then(|members| members.get(position));
        match (number, &labels.members) {
            (Some(&number), Some(members)) => {
                members.iter().position(|&member| member == i64::from(number))
            }
            _ => Some(0),
        }
    };
    let column = |position: u32| {
        let step = run.steps.get(position as usize)?;
        labels.steps.iter().position(|&other| other == i64::from(*step))
    };
    let sources = parser.sources(&run)?;
    let mut wanted = vec![vec![0.0; labels.steps.len()]; labels.rows()];
    for source in &sources {
        // A file of several members is shared by those that have none of their own.
        let own: Vec<u32> = sources
            .iter()
            .filter(|other| other.step == source.step)
            .filter_map(|other| other.member)
            .collect();
        let members: Vec<u32> = match (source.member, &run.members) {
            (Some(member), _) => vec![member],
            (None, Some(members)) => {
                (0..).take(members.len()).filter(|member| !own.contains(member)).collect()
            }
            (None, None) => vec![0],
        };
        let sharers = u32::try_from(members.len()).unwrap_or(u32::MAX).max(1);
        let share = f64::from(source.expected) / f64::from(sharers);
        for member in members {
            let cell = row(member as usize).zip(column(source.step));
            let cell = cell.and_then(|(row, column)| wanted.get_mut(row)?.get_mut(column));
            if let Some(cell) = cell {
                *cell += share;
            }
        }
    }
    Ok(wanted)
}
