//! What a model does not publish: messages that nobody misses.

use std::collections::HashSet;

use gik_core::{CoordinateValues, Result, StepUnit, WindowRule};
use gik_icechunk::{Opened, StoredArray};

use crate::axes::{Axis, coordinate};
use crate::losses::indices;

/// How many of the chunks at these places of the chunk grid, which are not in the store, are
/// missed. Two kinds are not: totals, means and extremes at steps whose window has no length
/// (rain at the start of a forecast), and levels at which the variable has nothing at all.
pub(crate) async fn missed(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
    missing: &[u64],
) -> Result<u64> {
    if missing.is_empty() {
        return Ok(0);
    }
    let (step, without_window) = without_window(store, array, axes).await?;
    let level = level_axis(axes);
    let levels = match level {
        Some(level) => Some((level, chunks_along(store, array, level).await?)),
        None => None,
    };
    let is_missed = |place: &&u64| {
        let at = indices(array, **place);
        let along = |axis: Option<usize>| axis.and_then(|axis| at.get(axis)).copied();
        let has_level = levels.as_ref().is_none_or(|(level, there)| {
            along(Some(*level)).is_none_or(|chunk| there.contains(&chunk))
        });
        has_level && along(step).is_none_or(|chunk| !without_window.contains(&chunk))
    };
    Ok(missing.iter().filter(is_missed).count() as u64)
}

/// The dimension of levels: neither run, member nor step, and not of the grid.
fn level_axis(axes: &[Axis]) -> Option<usize> {
    let outer = axes.iter().take(axes.len().saturating_sub(2));
    outer
        .enumerate()
        .find(|(_, axis)| !["time", "member", "step"].contains(&axis.name.as_str()))
        .map(|(position, _)| position)
}

/// The chunks along a dimension that hold anything anywhere.
async fn chunks_along(
    store: &Opened,
    array: &StoredArray,
    dimension: usize,
) -> Result<HashSet<u64>> {
    let mut there = HashSet::new();
    let each = |at: &[u32]| there.extend(at.get(dimension).map(|&index| u64::from(index)));
    store.for_each_chunk(array.name(), each).await?;
    Ok(there)
}

/// The dimension along which steps run, and the positions along it of those whose windows have
/// no length.
async fn without_window(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
) -> Result<(Option<usize>, HashSet<u64>)> {
    let none = (None, HashSet::new());
    let Some((_, rule)) = WindowRule::of_attributes(array.attributes()) else { return Ok(none) };
    if !store.array_names().await?.iter().any(|name| name == "step") {
        return Ok(none);
    }
    let coordinate = coordinate(store, "step").await?;
    let unit = match coordinate.text("units") {
        Some("minutes") => StepUnit::Minutes,
        _ => StepUnit::Hours,
    };
    // The run layout has the steps along its valid times.
    let axis = axes.iter().position(|axis| coordinate.dimensions == [axis.name.as_str()]);
    let CoordinateValues::Int64(steps) = coordinate.values else { return Ok(none) };
    let has_none = |step: i64| {
        u32::try_from(step).is_ok_and(|step| rule.start(step, unit).is_none_or(|it| it >= step))
    };
    let positions = (0..).zip(steps).filter(|&(_, step)| has_none(step));
    Ok((axis, positions.map(|(position, _)| position).collect()))
}
