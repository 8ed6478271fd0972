//! The dimensions of a stored variable, and which points along each are wanted.

use gik_core::{CoordinateValues, Error, ErrorKind, Result};
use gik_icechunk::{Opened, StoredArray};

use crate::labels::{Chosen, Label};
use crate::region::Grid;
use crate::{BoundingBox, Coordinate};

/// The longest dimension: more would be a damaged or hostile store. The longest real ones,
/// hourly runs of many years, are a twentieth of it.
const DIMENSION_LIMIT: u64 = 1 << 22;

/// A dimension of a variable and what is wanted of it.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) coordinate: Option<Coordinate>,
    /// The dimension's length in the store.
    pub(crate) length: usize,
    /// The wanted points, in the order of the result; never empty.
    pub(crate) indices: Vec<usize>,
    /// Whether one label was chosen, so that the result lacks the dimension.
    pub(crate) dropped: bool,
}

/// The dimensions of `array` with what labels and region choose of each.
pub(crate) async fn axes(
    store: &Opened,
    array: &StoredArray,
    labels: &[Label],
    region: Option<&BoundingBox>,
) -> Result<Vec<Axis>> {
    let names = array.dimension_names();
    for label in labels {
        if !names.contains(&label.dimension) {
            return Err(Error::argument(
                format!("selection along '{}'", label.dimension),
                format!("{} has the dimensions {}", array.name(), names.join(", ")),
            ));
        }
    }
    let arrays = store.array_names().await?;
    let mut axes = Vec::new();
    for (name, &length) in names.iter().zip(array.shape()) {
        if length > DIMENSION_LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded {
                what: "length of a dimension",
                limit: DIMENSION_LIMIT,
                found: length,
            }));
        }
        let length = to_usize(length)?;
        let coordinate = if let Some(place) = beside(&arrays, array.name(), name) {
            let coordinate = coordinate(store, place).await?;
            if coordinate.dimensions != [name.as_str()] || coordinate.values.len() != length {
                return Err(Error::mismatch(
                    format!("coordinate '{name}'"),
                    format!("{length} labels, as many as {} has", array.name()),
                    format!(
                        "{} in ({})",
                        coordinate.values.len(),
                        coordinate.dimensions.join(", ")
                    ),
                ));
            }
            Some(coordinate)
        } else {
            None
        };
        let indices = (0..length).collect();
        let mut axis = Axis { name: name.clone(), coordinate, length, indices, dropped: false };
        axis.choose(labels)?;
        axes.push(axis);
    }
    if let Some(region) = region {
        let is_place = |label: &&Label| {
            matches!(label.dimension.as_str(), "latitude" | "longitude" | "y" | "x")
        };
        if let Some(label) = labels.iter().find(is_place) {
            return Err(Error::argument(
                format!("selection along '{}'", label.dimension),
                "cannot be combined with a region; name one of them",
            ));
        }
        let grid = grid(store, array, &axes).await?;
        grid.choose(region, &mut axes)?;
    }
    Ok(axes)
}

impl Axis {
    fn choose(&mut self, labels: &[Label]) -> Result<()> {
        let mut labels = labels.iter().filter(|label| label.dimension == self.name);
        let Some(label) = labels.next() else { return Ok(()) };
        let argument = || format!("selection along '{}'", self.name);
        if labels.next().is_some() {
            return Err(Error::argument(argument(), "is given twice; a range is first:last"));
        }
        let coordinate = self.coordinate.as_ref();
        let coordinate = coordinate
            .ok_or_else(|| Error::argument(argument(), "the store has no labels for it"))?;
        match label.select(coordinate)? {
            Chosen::One(index) => {
                self.indices = vec![index];
                self.dropped = true;
            }
            Chosen::Range(indices) => self.indices = indices,
        }
        Ok(())
    }

    /// Keeps one point and drops the dimension.
    pub(crate) fn keep_one(&mut self, index: usize) {
        self.indices = vec![index];
        self.dropped = true;
    }
}

/// The places of a variable's points.
///
/// # Errors
/// When it has neither latitudes and longitudes along dimensions nor over `y` and `x`.
pub(crate) async fn grid(store: &Opened, array: &StoredArray, axes: &[Axis]) -> Result<Grid> {
    let degrees = |name: &str| {
        let axis = axes.iter().find(|axis| axis.name == name && !axis.dropped)?;
        match &axis.coordinate.as_ref()?.values {
            CoordinateValues::Float64(values) => Some(values.clone()),
            CoordinateValues::Int64(_) => None,
        }
    };
    if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
        return Ok(Grid::Axes { latitude, longitude });
    }
    let names = array.dimension_names();
    if names.ends_with(&["y".to_owned(), "x".to_owned()]) {
        let mut places = Vec::new();
        for name in ["latitude", "longitude"] {
            let coordinate = coordinate_of(store, array, name).await?;
            match coordinate.values {
                CoordinateValues::Float64(values) if coordinate.dimensions == ["y", "x"] => {
                    places.push(values);
                }
                _ => break,
            }
        }
        let columns = axes.last().map_or(0, |axis| axis.length);
        if let Ok([latitude, longitude]) = <[Vec<f64>; 2]>::try_from(places) {
            return Ok(Grid::Points { latitude, longitude, columns });
        }
    }
    Err(Error::argument(
        "region",
        format!("{} has no latitudes and longitudes to cut it from", array.name()),
    ))
}

/// The array called `name` that says something about the array `of`: of its group, or of the
/// nearest one above, as CF has it (section 2.7, scope). Our stores are one group, others' are trees.
pub(crate) fn beside<'a>(arrays: &'a [String], of: &str, name: &str) -> Option<&'a str> {
    let mut group = of;
    loop {
        let above = group.rsplit_once('/').map_or("", |(above, _)| above);
        let wanted = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if let Some(found) = arrays.iter().find(|it| **it == wanted) {
            return Some(found);
        }
        if above.is_empty() {
            return None;
        }
        group = above;
    }
}

/// A name without the groups before it.
pub(crate) fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The coordinate `name` of an array, whole.
pub(crate) async fn coordinate_of(
    store: &Opened,
    array: &StoredArray,
    name: &str,
) -> Result<Coordinate> {
    let arrays = store.array_names().await?;
    coordinate(store, beside(&arrays, array.name(), name).unwrap_or(name)).await
}

/// The coordinate `name` of a store, whole.
pub(crate) async fn coordinate(store: &Opened, name: &str) -> Result<Coordinate> {
    let array = store.array(name).await?;
    let mut attributes = array.attributes().clone();
    let mut values = array.coordinate().await?;
    if let Some(units) = array.time_units() {
        let (whole, units) = spoken(values, units);
        values = whole;
        attributes.entry("units").or_insert_with(|| units.into());
    }
    Ok(Coordinate {
        name: last_part(name).to_owned(),
        dimensions: array.dimension_names(),
        values,
        attributes,
        bounds: None,
    })
}

/// Spans of time in the largest unit of which they are whole numbers: that in which people say
/// them.
fn spoken(values: CoordinateValues, units: &'static str) -> (CoordinateValues, &'static str) {
    let CoordinateValues::Int64(seconds) = &values else { return (values, units) };
    let larger = [(3600, "hours"), (60, "minutes")].into_iter().filter(|_| units == "seconds");
    for (length, larger) in larger {
        if seconds.iter().all(|it| it % length == 0) {
            let values = seconds.iter().map(|it| it / length).collect();
            return (CoordinateValues::Int64(values), larger);
        }
    }
    (values, units)
}

/// The values of `coordinate` at the wanted points of the axes that it runs over.
pub(crate) fn subset(coordinate: &Coordinate, axes: &[Axis]) -> Result<Coordinate> {
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
    let stored = along.iter().fold(1_usize, |count, axis| count.saturating_mul(axis.length));
    if stored != coordinate.values.len() {
        return Err(Error::mismatch(
            format!("values of the coordinate '{}'", coordinate.name),
            stored.to_string(),
            coordinate.values.len().to_string(),
        ));
    }
    // The positions in C order, one dimension after the other.
    let mut positions = vec![0_usize];
    for axis in &along {
        positions = positions
            .iter()
            .flat_map(|&base| axis.indices.iter().map(move |&index| base * axis.length + index))
            .collect();
    }
    let mut values = coordinate.values.take(&positions);
    if coordinate.is_axis() && coordinate.name == "longitude" {
        unwrap_degrees(&mut values);
    }
    Ok(Coordinate {
        name: coordinate.name.clone(),
        dimensions: along
            .iter()
            .filter(|axis| !axis.dropped)
            .map(|axis| axis.name.clone())
            .collect(),
        values,
        attributes: coordinate.attributes.clone(),
        bounds: None,
    })
}

/// Longitudes from west to east go on beyond 180 where a region crosses the date line, as CF
/// wants coordinates to be monotonic.
fn unwrap_degrees(values: &mut CoordinateValues) {
    let CoordinateValues::Float64(values) = values else { return };
    let mut previous = f64::NEG_INFINITY;
    for value in values {
        if *value < previous && *value + 360.0 > previous {
            *value += 360.0;
        }
        previous = *value;
    }
}

pub(crate) fn to_usize(length: u64) -> Result<usize> {
    usize::try_from(length).map_err(|_| {
        Error::new(ErrorKind::LimitExceeded {
            what: "length of a dimension",
            limit: usize::MAX as u64,
            found: length,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_of_the_group_or_of_one_above() {
        let arrays = ["latitude", "sfc/acc6h/apcp", "sfc/acc6h/time", "time"].map(str::to_owned);
        let found = |of, name| beside(&arrays, of, name);
        assert_eq!(found("sfc/acc6h/apcp", "time"), Some("sfc/acc6h/time"));
        assert_eq!(found("sfc/acc6h/apcp", "latitude"), Some("latitude"));
        assert_eq!(found("tp", "time"), Some("time"));
        assert_eq!(found("sfc/acc6h/apcp", "step"), None);
    }

    #[test]
    fn longitudes_go_on_beyond_the_date_line() {
        let unwrapped = |list: &[f64]| {
            let mut values = CoordinateValues::Float64(list.to_vec());
            unwrap_degrees(&mut values);
            values
        };
        assert_eq!(
            unwrapped(&[179.5, 179.75, -180.0, -179.75]),
            CoordinateValues::Float64(vec![179.5, 179.75, 180.0, 180.25])
        );
        // From the south of a store that runs eastwards nothing changes.
        assert_eq!(unwrapped(&[-10.0, 0.0]), CoordinateValues::Float64(vec![-10.0, 0.0]));
        // 350, 355, 0: across Greenwich on a grid from 0.
        assert_eq!(
            unwrapped(&[350.0, 355.0, 0.0]),
            CoordinateValues::Float64(vec![350.0, 355.0, 360.0])
        );
    }
}
