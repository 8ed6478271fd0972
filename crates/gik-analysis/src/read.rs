//! From a store to a [`Field`]: chunks are fetched side by side and decoded on all cores,
//! and only the wanted part of each is kept.

use std::sync::{Arc, Mutex, PoisonError};

use gik_core::{Error, ErrorKind, Result};
use gik_icechunk::{Opened, StoredArray};

use crate::axes::{
    Axis, axes, beside, coordinate, coordinate_of, grid, last_part, subset, to_usize,
};
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

/// The largest field read into memory, in elements: 4 GiB.
pub(crate) const ELEMENT_LIMIT: u64 = 1 << 30;

/// Messages under way take so many bytes at the most.
pub(crate) const UNDER_WAY: usize = 256 << 20;

/// Reads a part of `variable`. `progress` is called with the number of chunks done and
/// their total.
///
/// # Shape
/// The variable's dimensions without those of which one label was chosen, in the store's
/// order; longitudes from west to east, and beyond 180 across the date line.
///
/// # Errors
/// When variable, dimension or label are not there, the result would be larger than 4 GiB,
/// or a chunk cannot be fetched or decoded. Missing chunks read as NaN.
pub async fn read_field(
    store: &Opened,
    variable: &str,
    query: &Query,
    progress: Progress<'_>,
) -> Result<Field> {
    let (array, axes) = wanted(store, variable, query).await?;
    let values = read_values(&array, &axes, progress).await?;
    let kept = axes.iter().filter(|axis| !axis.dropped);
    let field = Field::new(
        last_part(variable),
        kept.map(|axis| (axis.name.clone(), axis.indices.len())),
        values,
    )?;
    describe(store, &array, &axes, field).await
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

/// Adds coordinates and attributes to what was read.
pub(crate) async fn describe(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
    mut field: Field,
) -> Result<Field> {
    let mut attributes = array.attributes().clone();
    let auxiliary = attributes.remove("coordinates");
    for axis in axes {
        if let Some(coordinate) = &axis.coordinate {
            field = field.with_coordinate(subset(coordinate, axes)?)?;
        }
    }
    let auxiliary = auxiliary.as_ref().and_then(|names| names.as_str()).unwrap_or_default();
    let mapping = attributes.get("grid_mapping").and_then(|name| name.as_str());
    let mapping = match mapping {
        Some(name) if beside(&store.array_names().await?, array.name(), name).is_some() => {
            Some(name)
        }
        _ => None,
    };
    for name in auxiliary.split_whitespace().chain(mapping) {
        if field.coordinate(name).is_none() {
            let coordinate = coordinate_of(store, array, name).await?;
            field = field.with_coordinate(subset(&coordinate, axes)?)?;
        }
    }
    Ok(field.with_attributes(attributes).with_dataset_attributes(store.attributes().await?))
}

/// The values at the wanted points of all axes, in C order.
pub(crate) async fn read_values(
    array: &StoredArray,
    axes: &[Axis],
    progress: Progress<'_>,
) -> Result<Vec<f32>> {
    let chunks = Arc::new(Chunks::new(array, axes)?);
    let lengths = chunks.lengths.iter();
    let elements = lengths.fold(1_u64, |count, &length| count.saturating_mul(length as u64));
    if elements > ELEMENT_LIMIT {
        return Err(Error::new(ErrorKind::LimitExceeded {
            what: "number of values to read at once (choose fewer steps, members or a region)",
            limit: ELEMENT_LIMIT,
            found: elements,
        }));
    }
    let values = Arc::new(Mutex::new(vec![f32::NAN; to_usize(elements)?]));
    let consume = {
        let (values, chunks) = (Arc::clone(&values), Arc::clone(&chunks));
        move |position: usize, outcome: pipeline::Outcome| {
            let Some(part) = outcome? else { return Ok(()) };
            let mut part = part.into_iter();
            let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
            chunks.get(position).for_each(&chunks.lengths, |_, to| {
                if let (Some(target), Some(value)) = (values.get_mut(to), part.next()) {
                    *target = value;
                }
            });
            Ok(())
        }
    };
    let parts = (0..chunks.count()).map(|position| (chunks.get(position), position));
    pipeline::stream(array, parts, (UNDER_WAY, 0), progress, Arc::new(consume)).await?;
    let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *values))
}
