//! From a store to a [`Field`]: chunks are fetched side by side and decoded on all cores,
//! and only the wanted part of each is kept.

use std::sync::{Arc, Mutex};

use gik_core::{Attributes, Error, Result};
use gik_icechunk::{Opened, StoredArray};

use crate::axes::{Axis, axes, beside, coordinate, coordinate_of, grid, last_part, subset};
use crate::chunks::Chunks;
use crate::labels::Label;
use crate::losses::{Tally, lock, place_of};
use crate::memory::{DEFAULT_MEMORY, beside_result};
use crate::pipeline::{self, Progress};
use crate::published::missed;
use crate::{BoundingBox, Coordinate, Field, Losses, Place};

/// What to read of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Choices along dimensions; the others are read whole.
    pub labels: Vec<Label>,
    /// The region; the whole grid without one. Of a grid that is not along latitude and
    /// longitude, the smallest part that holds all of the region.
    pub region: Option<BoundingBox>,
    /// The grid point nearest to this place instead of a region.
    pub point: Option<Place>,
    /// The memory to work in, in bytes; [`DEFAULT_MEMORY`] unless told otherwise.
    pub memory: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self { labels: Vec::new(), region: None, point: None, memory: DEFAULT_MEMORY }
    }
}

/// Reads a part of `variable`. `progress` is called with the number of chunks done and
/// their total.
///
/// # Shape
/// The variable's dimensions without those of which one label was chosen, in the store's
/// order; longitudes from west to east, and beyond 180 across the date line.
///
/// # Errors
/// When variable, dimension or label are not there, the result would not fit into the memory
/// allowed, a place is not allowed, or nothing can be read. Messages that are missing or
/// damaged read as NaN and are counted; [`Losses::none`] makes an error of them.
///
/// # Examples
/// ```
/// use gik_analysis::{Query, read_field};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let query = Query {
///     labels: vec!["time=2025-01-06T00".parse()?, "step=24".parse()?, "member=1:2".parse()?],
///     region: Some("36.5,0,38,0.5".parse()?),
///     ..Query::default()
/// };
/// let (rain, losses) = read_field(&store, "tp", &query, &|_, _| {}).await?;
/// assert_eq!((rain.shape(), rain.values()), (vec![2, 1, 2], &[5.0, 6.0, 6.0, 7.0][..]));
/// assert!(losses.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn read_field(
    store: &Opened,
    variable: &str,
    query: &Query,
    progress: Progress<'_>,
) -> Result<(Field, Losses)> {
    let (array, axes) = wanted(store, variable, query).await?;
    let tally = Arc::new(Tally::default());
    let (values, messages) = read_values(&array, &axes, query.memory, &tally, progress).await?;
    let losses = losses(store, &array, &axes, &tally, messages).await?;
    let kept = axes.iter().filter(|axis| !axis.dropped);
    let lengths = kept.map(|axis| (axis.name.clone(), axis.indices.len()));
    let field = Field::new(last_part(variable), lengths, values)?;
    Ok((describe(store, &array, &axes, field).await?, losses))
}

/// What was lost of so many messages; an error where that is all.
pub(crate) async fn losses(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
    tally: &Tally,
    messages: u64,
) -> Result<Losses> {
    let missing = tally.missing();
    let missed = missed(store, array, axes, &missing).await?;
    let published = messages.saturating_sub(missing.len() as u64 - missed);
    tally.losses(published, missed).not_all()
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
        choose_point(store, &array, &mut axes, point, query.region.is_some()).await?;
    }
    Ok((array, axes))
}

/// Keeps the grid point nearest to a place.
pub(crate) async fn choose_point(
    store: &Opened,
    array: &StoredArray,
    axes: &mut [Axis],
    point: Place,
    has_region: bool,
) -> Result<()> {
    if has_region {
        return Err(Error::argument(
            format!("point {point}"),
            "cannot be combined with a region; name one of them",
        ));
    }
    let (row, column) = grid(store, array, axes).await?.nearest(point)?;
    if let [.., rows, columns] = axes {
        rows.keep_one(row);
        columns.keep_one(column);
    }
    Ok(())
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
    if axes.iter().rev().take(2).any(|axis| axis.indices.len() != axis.length) {
        forget_whole_grid(&mut attributes);
    }
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

/// Removes what is true of the whole grid only and not of a part.
pub(crate) fn forget_whole_grid(attributes: &mut Attributes) {
    attributes.retain(|name, _| {
        !(["GRIB_Nx", "GRIB_Ny", "GRIB_numberOfPoints"].contains(&name.as_str())
            || name.ends_with("GridPointInDegrees"))
    });
}

/// The values at the wanted points of all axes, in C order, and the number of messages they
/// lie in.
pub(crate) async fn read_values(
    array: &StoredArray,
    axes: &[Axis],
    memory: usize,
    tally: &Arc<Tally>,
    progress: Progress<'_>,
) -> Result<(Vec<f32>, u64)> {
    let chunks = Chunks::new(array, axes)?;
    let room = beside_result(memory, chunks.points().saturating_mul(size_of::<f32>()))?;
    let fill = |target: &mut f32, value| *target = value;
    let messages = chunks.count() as u64;
    let values = fold(array, chunks, f32::NAN, fill, (room, tally), progress).await?;
    Ok((values, messages))
}

/// Begins with `first` at each point of the result, and adds to it every value there is.
pub(crate) async fn fold<T: Clone + Send + 'static>(
    array: &StoredArray,
    chunks: Chunks,
    first: T,
    add: impl Fn(&mut T, f32) + Send + Sync + 'static,
    (memory, tally): (usize, &Arc<Tally>),
    progress: Progress<'_>,
) -> Result<Vec<T>> {
    let chunks = Arc::new(chunks);
    let all = Arc::new(Mutex::new(vec![first; chunks.points()]));
    let consume = {
        let (all, chunks, tally) = (Arc::clone(&all), Arc::clone(&chunks), Arc::clone(tally));
        move |(position, place): (usize, u64), outcome: pipeline::Outcome| {
            let Some(part) = tally.take(place, outcome)? else { return Ok(()) };
            let mut part = part.values.into_iter();
            let mut all = lock(&all);
            chunks.get(position).for_each(&chunks.lengths, |_, to| {
                if let (Some(target), Some(value)) = (all.get_mut(to), part.next()) {
                    add(target, value);
                }
            });
            Ok(())
        }
    };
    let parts = (0..chunks.count()).map(|position| {
        let part = chunks.get(position);
        let place = place_of(array, &part.indices());
        (part, (position, place))
    });
    pipeline::stream(array, parts, (memory, 0), progress, Arc::new(consume)).await?;
    let values = std::mem::take(&mut *lock(&all));
    Ok(values)
}
