//! A statistic over a dimension of a stored variable, made as values arrive.

use std::sync::Arc;

use gik_core::{Error, Result};
use gik_icechunk::{Opened, StoredArray};

use super::statistics::{Moments, Statistics, along};
use super::{Measure, Reduction, attributes, points_of_grid};
use crate::axes::{Axis, coordinate_of, last_part};
use crate::chunks::Chunks;
use crate::losses::Tally;
use crate::memory::{beside_result, for_part};
use crate::pipeline::Progress;
use crate::read::{Query, describe, fold, losses, read_values, wanted};
use crate::{Field, Losses};

/// Reads a part of `variable` with a statistic in place of one of its dimensions, in bounded
/// memory: values are reduced as they arrive, for percentiles in bands of rows. Missing values
/// do not count; of how many the statistic is, at the point that has most, is in the field's
/// [ancillary](Field::ancillary) variable named after the dimension: `member_count`.
///
/// # Shape
/// As [`read_field`](crate::read_field), without the dimension.
///
/// # Errors
/// As [`read_field`](crate::read_field), or when the variable has no such dimension.
///
/// # Examples
/// ```
/// use gik_analysis::{Query, read_reduced};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let query = Query { labels: vec!["step=24".parse()?], ..Query::default() };
/// let mean = "member=mean".parse()?;
/// let (rain, losses) = read_reduced(&store, "tp", &query, &mean, &|_, _| {}).await?;
/// assert_eq!((rain.shape(), rain.values()[0]), (vec![1, 2, 3], 1.0));
/// assert_eq!(rain.ancillary()[0].values.get(0), Some(3.0));
/// assert!(losses.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn read_reduced(
    store: &Opened,
    variable: &str,
    query: &Query,
    reduction: &Reduction,
    progress: Progress<'_>,
) -> Result<(Field, Losses)> {
    let (array, axes) = wanted(store, variable, query).await?;
    let position = axes.iter().position(|it| it.name == reduction.dimension && !it.dropped);
    let position = position.ok_or_else(|| {
        Error::argument(
            reduction.to_string(),
            format!("of {variable}, the dimensions left are {}", names(&axes)),
        )
    })?;
    let job = Job {
        array: &array,
        axes: &axes,
        position,
        measure: reduction.measure,
        memory: query.memory,
        tally: Arc::new(Tally::default()),
    };
    let (statistics, messages) = match reduction.measure {
        Measure::Percentile(_) => job.percentiles(progress).await?,
        _ => job.moments(progress).await?,
    };
    let losses = losses(store, &array, &axes, &job.tally, messages).await?;
    // Described as one label along the dimension would be, then without it.
    let mut left = axes;
    if let Some(axis) = left.get_mut(position) {
        axis.keep_one(axis.indices.first().copied().unwrap_or_default());
    }
    let kept = left.iter().filter(|axis| !axis.dropped);
    let lengths = kept.map(|axis| (axis.name.clone(), axis.indices.len()));
    let field = Field::new(last_part(variable), lengths, statistics.values)?;
    let mut field = describe(store, &array, &left, field).await?;
    let mut along = vec![reduction.dimension.clone()];
    for coordinate in field.coordinates() {
        // What depends on the dimension, as valid times do on steps, is of one label of many.
        let stored = coordinate_of(store, &array, &coordinate.name).await?;
        if stored.dimensions.contains(&reduction.dimension) {
            along.push(coordinate.name.clone());
        }
    }
    field.retain_coordinates(|it| !along.contains(&it.name));
    let attributes = attributes(field.attributes(), reduction);
    let field = field.with_attributes(attributes).with_counts(reduction, &statistics.counts)?;
    Ok((field, losses))
}

fn names(axes: &[Axis]) -> String {
    let left = axes.iter().filter(|axis| !axis.dropped);
    left.map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What is reduced.
struct Job<'a> {
    array: &'a StoredArray,
    axes: &'a [Axis],
    /// The dimension's place among the axes.
    position: usize,
    measure: Measure,
    memory: usize,
    tally: Arc<Tally>,
}

impl Job<'_> {
    /// Points of the grid that are wanted.
    fn plane(&self) -> usize {
        points_of_grid(self.axes.iter().map(|axis| (axis.name.as_str(), axis.indices.len())))
    }

    async fn moments(&self, progress: Progress<'_>) -> Result<(Statistics, u64)> {
        let chunks = Chunks::new(self.array, self.axes)?.collapsed(self.position);
        let messages = chunks.count() as u64;
        let each = size_of::<Moments>() + size_of::<f32>();
        let room = beside_result(self.memory, chunks.points().saturating_mul(each))?;
        let how = (room, &self.tally);
        let all = fold(self.array, chunks, Moments::NONE, Moments::add, how, progress).await?;
        let mut statistics = Statistics::with_capacity(all.len());
        let plane = self.plane();
        for moments in &all {
            statistics.push(moments.measure(self.measure), moments.count(), plane);
        }
        Ok((statistics, messages))
    }

    /// Percentiles need all values along the dimension: bands of as many rows as memory holds.
    async fn percentiles(&self, progress: Progress<'_>) -> Result<(Statistics, u64)> {
        let (measure, position) = (self.measure, self.position);
        let lengths: Vec<usize> = self.axes.iter().map(|axis| axis.indices.len()).collect();
        let product =
            |lengths: &[usize]| lengths.iter().fold(1_usize, |n, &it| n.saturating_mul(it));
        let length = lengths.get(position).copied().unwrap_or(1).max(1);
        // The result, and its bands before they are joined.
        let kept = (product(&lengths) / length).saturating_mul(2 * size_of::<f32>());
        beside_result(self.memory, kept)?;
        let memory = self.memory.saturating_sub(kept);
        let row_axis = lengths.len().saturating_sub(2);
        let rows = lengths.get(row_axis).copied().unwrap_or(1).max(1);
        let each = (product(&lengths) / rows).saturating_mul(size_of::<f32>());
        let room = (for_part(memory) / each.max(1)).max(1);
        // A band along the rows themselves would cut what is to be measured.
        let room = if position == row_axis { rows } else { room.min(rows) };
        let outer: usize = lengths.iter().take(row_axis).product();
        let outer = if position < row_axis { outer / length } else { outer }.max(1);
        let bands = rows.div_ceil(room);
        let mut parts: Vec<Statistics> = Vec::new();
        let mut messages = 0;
        for band in 0..bands {
            let mut axes = self.axes.to_vec();
            if let Some(axis) = axes.get_mut(row_axis) {
                axis.indices = axis.indices.iter().skip(band * room).take(room).copied().collect();
            }
            let forward = |done: usize, total: usize| progress(band * total + done, bands * total);
            let read = read_values(self.array, &axes, memory, &self.tally, &forward).await?;
            let shape: Vec<usize> = axes.iter().map(|axis| axis.indices.len()).collect();
            let plane =
                points_of_grid(axes.iter().map(|axis| (axis.name.as_str(), axis.indices.len())));
            parts.push(along(&read.0, &shape, position, plane, measure));
            // Every band is of the same messages, unless they are chunks of a few rows.
            messages = read.1.max(messages);
        }
        if let [_] = parts.as_slice() {
            return Ok((parts.swap_remove(0), messages));
        }
        Ok((joined(&parts, outer), messages))
    }
}

/// Each band has its rows of every outer position: rows of one position go together.
fn joined(parts: &[Statistics], outer: usize) -> Statistics {
    let mut all = Statistics::with_capacity(parts.iter().map(|part| part.values.len()).sum());
    for block in 0..outer {
        for part in parts {
            let size = part.values.len() / outer;
            let values = part.values.get(block * size..(block + 1) * size);
            all.values.extend_from_slice(values.unwrap_or_default());
        }
    }
    let most = parts.iter().map(|part| part.counts.len()).max().unwrap_or(0);
    all.counts = vec![0; most];
    for part in parts {
        for (most, &count) in all.counts.iter_mut().zip(&part.counts) {
            *most = count.max(*most);
        }
    }
    all
}
