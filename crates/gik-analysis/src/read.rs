//! From a store to a [`Field`]: chunks are fetched side by side and decoded on all cores,
//! and only the wanted part of each is kept.

use std::sync::{Arc, Mutex};

use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::{Opened, StoredArray};

use crate::accumulation::{Losses, lock};
use crate::axes::{Axis, axes, coordinate, grid, subset, to_usize};
use crate::chunks::Chunks;
use crate::labels::Label;
use crate::pipeline::{self, Progress};
use crate::{BoundingBox, Coordinate, Field, Place};

/// What to read of a variable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// Choices along dimensions; the others are read whole.
    pub labels: Vec<Label>,
    /// The region; the whole grid without one. Of a grid that is not along latitude and
    /// longitude, the smallest part that holds all of the region.
    pub region: Option<BoundingBox>,
    /// The grid point nearest to this place instead of a region.
    pub point: Option<Place>,
}

/// What the program takes besides: itself, manifests, the runtime.
pub(crate) const BASE: usize = 150 << 20;
/// Messages under way take so many bytes at the most, and at the least.
const UNDER_WAY: (usize, usize) = (256 << 20, 24 << 20);

/// The bytes that messages under way may take beside a result of so many elements, of `memory`
/// for all.
///
/// # Errors
/// When the result does not fit.
pub(crate) fn room(elements: u64, memory: usize) -> Result<usize> {
    let result = elements.saturating_mul(size_of::<f32>() as u64);
    let (most, least) = UNDER_WAY;
    let needed = result.saturating_add((BASE + least) as u64);
    let left = (memory as u64).checked_sub(needed).ok_or_else(|| {
        Error::new(ErrorKind::LimitExceeded {
            what: "memory for the result, in bytes (choose fewer steps, members or a region, reduce \
                   a dimension, or allow more: --memory)",
            limit: memory as u64,
            found: needed,
        })
    })?;
    Ok(to_usize(left)?.saturating_add(least).min(most))
}

/// Reads a part of `variable`. `progress` is called with the number of chunks done and
/// their total.
///
/// # Shape
/// The variable's dimensions without those of which one label was chosen, in the store's
/// order; longitudes from west to east, and beyond 180 across the date line.
///
/// # Errors
/// When variable, dimension or label are not there, the result does not fit into `memory` bytes,
/// or no message can be read. What is missing or damaged reads as NaN, and is counted.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/store.rs"));
/// # store(async |store| {
/// use gik_analysis::{Query, read_field};
///
/// let query = Query {
///     labels: vec!["member=1".parse()?, "step=24".parse()?],
///     region: Some("21,-12,53,23".parse()?),
///     ..Query::default()
/// };
/// let (rain, losses) = read_field(store, "tp", &query, 500_000_000, &|_, _| {}).await?;
/// assert_eq!(rain.dimensions()[1].name, "latitude");
/// assert_eq!((losses.missing, losses.damaged), (0, 0));
/// # Ok(())
/// # });
/// ```
pub async fn read_field(
    store: &Opened,
    variable: &str,
    query: &Query,
    memory: usize,
    progress: Progress<'_>,
) -> Result<(Field, Losses)> {
    let (array, axes) = wanted(store, variable, query).await?;
    let elements = axes.iter().fold(1_u64, |n, it| n.saturating_mul(it.indices.len() as u64));
    let room = room(elements, memory)?;
    let Read { values, losses, .. } = read_values(&array, &axes, room, progress).await?;
    let kept = axes.iter().filter(|axis| !axis.dropped);
    let field =
        Field::new(variable, kept.map(|axis| (axis.name.clone(), axis.indices.len())), values)?;
    Ok((describe(store, &array, &axes, field).await?, losses))
}

/// The variable's array, and what the query wants of it.
pub(crate) async fn wanted(
    store: &Opened,
    variable: &str,
    query: &Query,
) -> Result<(StoredArray, Vec<Axis>)> {
    let array = store.array(variable).await?;
    let mut axes = axes(store, &array, &query.labels, query.region.as_ref()).await?;
    if let Some(point) = query.point {
        if query.region.is_some() {
            return Err(Error::argument(
                format!("point {point}"),
                "cannot be combined with a region; name one of them",
            ));
        }
        let (row, column) = grid(store, &array, &axes).await?.nearest(point)?;
        if let [.., rows, columns] = axes.as_mut_slice() {
            rows.keep_one(row);
            columns.keep_one(column);
        }
    }
    Ok((array, axes))
}

/// Reads the labels of a coordinate, chosen by other labels along its dimensions.
///
/// # Errors
/// When there is no such array, or it is no coordinate: more than two dimensions, or not of
/// 64-bit numbers.
pub async fn read_coordinate(store: &Opened, name: &str, labels: &[Label]) -> Result<Coordinate> {
    let array = store.array(name).await?;
    let axes = axes(store, &array, labels, None).await?;
    subset(&coordinate(store, name).await?, &axes)
}

/// Whether the array is a coordinate, which [`read_coordinate`] reads: it says where or when
/// the points of variables are.
///
/// # Errors
/// When there is no such array.
pub async fn is_coordinate(store: &Opened, name: &str) -> Result<bool> {
    let array = store.array(name).await?;
    let dimensions = array.dimension_names();
    Ok(!array.is_float()
        || dimensions.len() < 2
        || dimensions.iter().any(|it| it == name || it == "bnds")
        || (dimensions == ["y", "x"] && ["latitude", "longitude"].contains(&name)))
}

/// cfgrib's attributes of the grid as a whole.
const OF_THE_WHOLE_GRID: [&str; 7] = [
    "GRIB_Nx",
    "GRIB_Ny",
    "GRIB_numberOfPoints",
    "GRIB_latitudeOfFirstGridPointInDegrees",
    "GRIB_latitudeOfLastGridPointInDegrees",
    "GRIB_longitudeOfFirstGridPointInDegrees",
    "GRIB_longitudeOfLastGridPointInDegrees",
];

/// Adds coordinates and attributes to what was read.
pub(crate) async fn describe(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
    mut field: Field,
) -> Result<Field> {
    let mut attributes = array.attributes().clone();
    if axes.iter().rev().take(2).any(|axis| axis.indices.len() < axis.length) {
        // Of a part of the grid they are not true.
        attributes.retain(|name, _| !OF_THE_WHOLE_GRID.contains(&name.as_str()));
    }
    let auxiliary = attributes.remove("coordinates");
    for axis in axes {
        if let Some(coordinate) = &axis.coordinate {
            field = field.with_coordinate(subset(coordinate, axes)?)?;
        }
    }
    let auxiliary = auxiliary.as_ref().and_then(|names| names.as_str()).unwrap_or_default();
    let mapping = attributes.get("grid_mapping").and_then(|name| name.as_str());
    let mapping = match mapping {
        Some(name) if store.array_names().await?.iter().any(|it| it == name) => Some(name),
        _ => None,
    };
    for name in auxiliary.split_whitespace().chain(mapping) {
        if field.coordinate(name).is_none() {
            let coordinate = coordinate(store, name).await?;
            field = field.with_coordinate(subset(&coordinate, axes)?)?;
        }
    }
    Ok(field.with_attributes(attributes).with_dataset_attributes(store.attributes().await?))
}

/// Values, and what of them was lost.
pub(crate) struct Read {
    pub(crate) values: Vec<f32>,
    pub(crate) losses: Losses,
    /// The positions of messages that are missing or damaged, among all.
    pub(crate) lost: Vec<usize>,
}

/// The values at the wanted points of all axes, in C order; messages under way take `room` bytes.
///
/// # Errors
/// When a place was not allowed, or no message can be read.
pub(crate) async fn read_values(
    array: &StoredArray,
    axes: &[Axis],
    room: usize,
    progress: Progress<'_>,
) -> Result<Read> {
    let chunks = Arc::new(Chunks::new(array, axes)?);
    let elements = chunks.lengths.iter().product();
    let read = Read { values: vec![f32::NAN; elements], losses: Losses::default(), lost: vec![] };
    let read = Arc::new(Mutex::new(read));
    let consume = {
        let (read, chunks) = (Arc::clone(&read), Arc::clone(&chunks));
        move |position: usize, outcome: pipeline::Outcome| {
            let mut read = lock(&read);
            let Some(part) = read.losses.note(outcome)? else {
                read.lost.push(position);
                return Ok(());
            };
            let mut part = part.into_iter();
            chunks.get(position).for_each(&chunks.lengths, |_, to| {
                if let (Some(target), Some(value)) = (read.values.get_mut(to), part.next()) {
                    *target = value;
                }
            });
            Ok(())
        }
    };
    let parts = (0..chunks.count()).map(|position| (chunks.get(position), position));
    pipeline::stream(array, parts, (room, 0), progress, Arc::new(consume)).await?;
    let mut read = lock(&read);
    let losses = std::mem::take(&mut read.losses).checked(chunks.count() as u64)?;
    Ok(Read {
        values: std::mem::take(&mut read.values),
        losses,
        lost: std::mem::take(&mut read.lost),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_does_not_fit_is_refused_before_it_is_read() {
        assert_eq!(room(1000, 1_000_000_000).unwrap(), 256 << 20);
        let little = room(1000, 190_000_000).unwrap();
        assert!((24 << 20..64 << 20).contains(&little), "{little}");
        for (elements, memory) in [(1 << 28, 1_000_000_000), (u64::MAX, usize::MAX), (1, 0)] {
            let error = room(elements, memory).unwrap_err().to_string();
            assert!(error.contains("--memory"), "{error}");
        }
    }
}
