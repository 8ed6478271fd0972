//! From a store to a [`Field`]: chunks are fetched side by side and decoded on all cores,
//! and only the wanted part of each is kept.

use std::ops::Range;
use std::sync::Arc;

use futures::StreamExt;
use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::{Opened, StoredArray};
use tokio::sync::Semaphore;

use crate::labels::{Chosen, Label};
use crate::{BoundingBox, Coordinate, CoordinateValues, Field};

/// What to read of a variable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Choices along dimensions; the others are read whole.
    pub labels: Vec<Label>,
    /// The region; the whole grid without one.
    pub region: Option<BoundingBox>,
}

/// Chunks on their way at the same time: enough to hide the latency of a bucket, and at a
/// megabyte each little memory.
const IN_FLIGHT: usize = 32;
/// The longest dimension: more would be a damaged or hostile store.
const DIMENSION_LIMIT: u64 = 1 << 26;
/// The largest field read into memory, in elements: 4 GiB.
const ELEMENT_LIMIT: u64 = 1 << 30;

/// Reads a part of `variable`. `progress` is called with the number of chunks done and
/// their total.
///
/// # Shape
/// The variable's dimensions without those of which one label was chosen, in the store's
/// order; longitudes from west to east, across the date line too.
///
/// # Errors
/// When variable, dimension or label are not there, the result would be larger than 4 GiB,
/// or a chunk cannot be fetched or decoded. Missing chunks read as NaN.
pub async fn read_field(
    store: &Opened,
    variable: &str,
    query: &Query,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Field> {
    let array = store.array(variable).await?;
    let axes = axes(store, &array, query).await?;
    let values = read_values(&array, &axes, progress).await?;

    let kept = axes.iter().filter(|axis| !axis.dropped);
    let mut field =
        Field::new(variable, kept.map(|axis| (axis.name.clone(), axis.indices.len())), values)?;
    let mut attributes = array.attributes().clone();
    let auxiliary = attributes.remove("coordinates");
    for axis in &axes {
        if let Some(coordinate) = &axis.coordinate {
            field = field.with_coordinate(subset(coordinate, &axes)?)?;
        }
    }
    let auxiliary = auxiliary.as_ref().and_then(|names| names.as_str()).unwrap_or_default();
    for name in auxiliary.split_whitespace() {
        let coordinate = coordinate(store, name).await?;
        field = field.with_coordinate(subset(&coordinate, &axes)?)?;
    }
    Ok(field.with_attributes(attributes).with_dataset_attributes(store.attributes().await?))
}

/// A dimension of the variable and what is wanted of it.
struct Axis {
    name: String,
    coordinate: Option<Coordinate>,
    /// The wanted points, in the order of the result; never empty.
    indices: Vec<usize>,
    /// Whether one label was chosen, so that the result lacks the dimension.
    dropped: bool,
}

async fn axes(store: &Opened, array: &StoredArray, query: &Query) -> Result<Vec<Axis>> {
    let names = array.dimension_names();
    for label in &query.labels {
        if !names.contains(&label.dimension) {
            return Err(Error::argument(
                format!("selection along '{}'", label.dimension),
                format!("{} has the dimensions {}", array.name(), names.join(", ")),
            ));
        }
    }
    let mut axes = Vec::new();
    let arrays = store.array_names().await?;
    for (name, &length) in names.iter().zip(array.shape()) {
        let coordinate =
            if arrays.contains(name) { Some(coordinate(store, name).await?) } else { None };
        if length > DIMENSION_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "length of a dimension",
                limit: DIMENSION_LIMIT,
                found: length,
            }));
        }
        let mut axis = Axis {
            name: name.clone(),
            coordinate,
            indices: (0..to_usize(length)?).collect(),
            dropped: false,
        };
        let mut labels = query.labels.iter().filter(|label| label.dimension == *name);
        if let Some(label) = labels.next() {
            if labels.next().is_some() {
                return Err(Error::argument(
                    format!("selection along '{name}'"),
                    "is given twice; a range is first:last",
                ));
            }
            let coordinate = axis.coordinate.as_ref().ok_or_else(|| {
                Error::argument(
                    format!("selection along '{name}'"),
                    "the store has no labels for it",
                )
            })?;
            match label.select(coordinate)? {
                Chosen::One(index) => {
                    axis.indices = vec![index];
                    axis.dropped = true;
                }
                Chosen::Range(indices) => axis.indices = indices,
            }
        }
        axes.push(axis);
    }
    if let Some(region) = &query.region {
        if let Some(label) =
            query.labels.iter().find(|it| matches!(it.dimension.as_str(), "latitude" | "longitude"))
        {
            return Err(Error::argument(
                format!("selection along '{}'", label.dimension),
                "cannot be combined with a region; name one of them",
            ));
        }
        choose_region(region, array, &mut axes)?;
    }
    Ok(axes)
}

fn choose_region(region: &BoundingBox, array: &StoredArray, axes: &mut [Axis]) -> Result<()> {
    let degrees = |name: &str| {
        axes.iter()
            .find(|axis| axis.name == name && !axis.dropped)
            .and_then(|axis| axis.coordinate.as_ref())
            .map(|coordinate| match &coordinate.values {
                CoordinateValues::Float64(values) => values.clone(),
                CoordinateValues::Int64(_) => Vec::new(),
            })
    };
    let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) else {
        return Err(Error::argument(
            format!("bbox {region}"),
            format!("{} has no latitude and longitude dimensions to cut it from", array.name()),
        ));
    };
    let selection = region.select(&latitude, &longitude)?;
    for axis in axes {
        match axis.name.as_str() {
            "latitude" => axis.indices = selection.latitude.clone().collect(),
            "longitude" => axis.indices = selection.longitude.iter().cloned().flatten().collect(),
            _ => {}
        }
    }
    Ok(())
}

async fn coordinate(store: &Opened, name: &str) -> Result<Coordinate> {
    let array = store.array(name).await?;
    Ok(Coordinate {
        name: name.to_owned(),
        dimensions: array.dimension_names(),
        values: array.coordinate().await?,
        attributes: array.attributes().clone(),
    })
}

/// The values of `coordinate` at the wanted points of the axes that it runs over.
fn subset(coordinate: &Coordinate, axes: &[Axis]) -> Result<Coordinate> {
    let mut along = Vec::new();
    for name in &coordinate.dimensions {
        along.push(axes.iter().find(|axis| axis.name == *name).ok_or_else(|| {
            Error::mismatch(
                format!("dimensions of the coordinate '{}'", coordinate.name),
                "those of the variable",
                name,
            )
        })?);
    }
    // The positions in C order, one dimension after the other.
    let mut positions = vec![0_usize];
    for axis in &along {
        let length = axis.coordinate.as_ref().map_or(axis.indices.len(), |it| it.values.len());
        positions = positions
            .iter()
            .flat_map(|&base| axis.indices.iter().map(move |&index| base * length + index))
            .collect();
    }
    Ok(Coordinate {
        name: coordinate.name.clone(),
        dimensions: along
            .iter()
            .filter(|axis| !axis.dropped)
            .map(|axis| axis.name.clone())
            .collect(),
        values: coordinate.values.take(&positions),
        attributes: coordinate.attributes.clone(),
    })
}

/// Along one dimension: the points wanted of one chunk.
struct Slab {
    chunk: u64,
    /// The smallest part of the chunk that has all of them.
    part: Range<usize>,
    /// As (position in the chunk, position in the result).
    points: Vec<(usize, usize)>,
}

impl Slab {
    fn new(chunk: u64, inside: usize, outside: usize) -> Self {
        Self { chunk, part: inside..inside + 1, points: vec![(inside, outside)] }
    }

    fn add(&mut self, inside: usize, outside: usize) {
        self.part = self.part.start.min(inside)..self.part.end.max(inside + 1);
        self.points.push((inside, outside));
    }
}

/// One chunk to read: its place in the grid, and what is wanted of it along each dimension.
struct Task {
    chunk: Vec<u64>,
    slabs: Vec<Arc<Slab>>,
}

impl Task {
    /// Copies what is wanted: `f(position in the part, position in the result)` for each
    /// element. `lengths` are those of the result.
    fn for_each(&self, lengths: &[usize], mut f: impl FnMut(usize, usize)) {
        fn descend(
            slabs: &[Arc<Slab>],
            lengths: &[usize],
            from: usize,
            to: usize,
            f: &mut impl FnMut(usize, usize),
        ) {
            let (Some((slab, slabs)), Some((&length, lengths))) =
                (slabs.split_first(), lengths.split_first())
            else {
                f(from, to);
                return;
            };
            for &(inside, outside) in &slab.points {
                let from = from * slab.part.len() + inside - slab.part.start;
                descend(slabs, lengths, from, to * length + outside, f);
            }
        }
        descend(&self.slabs, lengths, 0, 0, &mut f);
    }

    fn count(&self) -> usize {
        self.slabs.iter().map(|slab| slab.points.len()).product()
    }
}

async fn read_values(
    array: &StoredArray,
    axes: &[Axis],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<f32>> {
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.indices.len()).collect();
    let elements = lengths.iter().fold(1_u64, |count, &length| count.saturating_mul(length as u64));
    if elements > ELEMENT_LIMIT {
        return Err(Error::new(ErrorKind::LimitExceeded {
            what: "number of values to read at once (choose fewer steps, members or a region)",
            limit: ELEMENT_LIMIT,
            found: elements,
        }));
    }
    let mut values = vec![f32::NAN; to_usize(elements)?];
    let tasks = tasks(array, axes)?;
    let total = tasks.len();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let decoders = Arc::new(Semaphore::new(cores));
    let mut chunks = futures::stream::iter(tasks)
        .map(|task| {
            let (array, decoders) = (array.clone(), Arc::clone(&decoders));
            async move { read_chunk(array, task, decoders).await }
        })
        .buffer_unordered(IN_FLIGHT);
    let mut done = 0;
    while let Some(outcome) = chunks.next().await {
        let (task, part) = outcome?;
        if let Some(part) = part {
            let mut part = part.into_iter();
            task.for_each(&lengths, |_, to| {
                if let (Some(target), Some(value)) = (values.get_mut(to), part.next()) {
                    *target = value;
                }
            });
        }
        done += 1;
        progress(done, total);
    }
    Ok(values)
}

/// The wanted values of one chunk, in the order of [`Task::for_each`]; none when it is
/// missing.
async fn read_chunk(
    array: StoredArray,
    task: Task,
    decoders: Arc<Semaphore>,
) -> Result<(Task, Option<Vec<f32>>)> {
    let Some(bytes) = array.fetch(&task.chunk).await? else { return Ok((task, None)) };
    let lost = |reason: String| {
        Error::new(ErrorKind::Contained { what: "decoding thread", message: reason })
    };
    let permit = decoders.acquire_owned().await.map_err(|error| lost(error.to_string()))?;
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let part: Vec<_> = task.slabs.iter().map(|slab| slab.part.clone()).collect();
        let decoded = array.decode(&task.chunk, bytes, &part)?;
        let mut part = Vec::with_capacity(task.count());
        // Where in the result does not matter yet.
        task.for_each(&vec![1; task.slabs.len()], |from, _| {
            part.push(decoded.get(from).copied().unwrap_or(f32::NAN));
        });
        Ok((task, Some(part)))
    })
    .await
    .map_err(|error| lost(error.to_string()))?
}

/// The chunks that the wanted points lie in.
fn tasks(array: &StoredArray, axes: &[Axis]) -> Result<Vec<Task>> {
    let shape: Vec<usize> = array
        .chunk_shape(&vec![0; axes.len()])?
        .into_iter()
        .map(to_usize)
        .collect::<Result<_>>()?;
    let mut tasks = vec![Task { chunk: Vec::new(), slabs: Vec::new() }];
    for (axis, &length) in axes.iter().zip(&shape) {
        let mut slabs = Vec::<Slab>::new();
        for (outside, &index) in axis.indices.iter().enumerate() {
            let (chunk, inside) = ((index / length.max(1)) as u64, index % length.max(1));
            match slabs.iter_mut().rev().find(|slab| slab.chunk == chunk) {
                Some(slab) => slab.add(inside, outside),
                None => slabs.push(Slab::new(chunk, inside, outside)),
            }
        }
        let slabs: Vec<_> = slabs.into_iter().map(Arc::new).collect();
        tasks = tasks
            .iter()
            .flat_map(|task| {
                slabs.iter().map(|slab| {
                    let mut longer = Task { chunk: task.chunk.clone(), slabs: task.slabs.clone() };
                    longer.chunk.push(slab.chunk);
                    longer.slabs.push(Arc::clone(slab));
                    longer
                })
            })
            .collect();
    }
    Ok(tasks)
}

fn to_usize(length: u64) -> Result<usize> {
    usize::try_from(length).map_err(|_| {
        Error::new(ErrorKind::LimitExceeded {
            what: "length of a dimension",
            limit: usize::MAX as u64,
            found: length,
        })
    })
}
