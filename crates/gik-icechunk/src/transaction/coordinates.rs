//! Coordinates: read to match labels, and written where a run adds to them.

use bytes::Bytes;
use gik_core::{CoordinateValues, Error, ManifestArray, ManifestStore, Result};
use serde_json::Value;

use super::{Axes, TIME, Transaction, VALID_TIME, chunk_key, differs, placed};
use crate::axis::Axis;
use crate::stored::{StoredMetadata, chunk_bytes, ravel, run_words, unravel, words};

/// The bits of the element at each position of a coordinate.
type Elements<'v> = Box<dyn Fn(&[u64]) -> u64 + Send + Sync + 'v>;

impl Transaction<'_> {
    /// The elements of a stored coordinate, in C order.
    async fn elements(&self, name: &str, metadata: &StoredMetadata) -> Result<Vec<u64>> {
        let fill = metadata.plain(name)?.fill();
        let count: u64 = metadata.shape.iter().product();
        let mut elements = vec![fill; usize::try_from(count).unwrap_or_default()];
        let grid = metadata.grid();
        for number in 0..grid.iter().product() {
            let chunk = unravel(&grid, number);
            let Some(bytes) = self.get(&chunk_key(name, &chunk)).await? else { continue };
            for (element, word) in (0..).zip(words(&bytes)) {
                let within = unravel(&metadata.chunk_shape, element);
                let at: Vec<u64> = within
                    .iter()
                    .zip(&chunk)
                    .zip(&metadata.chunk_shape)
                    .map(|((&within, &chunk), &length)| chunk * length + within)
                    .collect();
                if at.iter().zip(&metadata.shape).all(|(&at, &length)| at < length)
                    && let Some(slot) = elements.get_mut(ravel(&metadata.shape, &at))
                {
                    *slot = word;
                }
            }
        }
        Ok(elements)
    }

    pub(super) async fn labels(
        &self,
        name: &str,
        metadata: &StoredMetadata,
    ) -> Result<CoordinateValues> {
        let elements = metadata.plain(name)?;
        Ok(elements.values(self.elements(name, metadata).await?))
    }

    /// Writes what a run changes of a coordinate; whether it did.
    pub(super) async fn coordinate(
        &self,
        name: &str,
        array: &ManifestArray,
        stored: Option<&StoredMetadata>,
        axes: &Axes,
        unit: i64,
    ) -> Result<bool> {
        let names = &array.metadata.dimension_names;
        let grown = names.iter().filter_map(|dimension| axes.get(dimension));
        let Some(stored) = stored else {
            return self.new_coordinate(name, array, axes).await.map(|()| true);
        };
        if let (Some(there), Some(ours)) =
            (stored.attribute("units"), array.metadata.attributes.get("units"))
            && there != ours
        {
            return Err(differs(name, "units", there, ours));
        }
        if !names.iter().any(|dimension| axes.contains_key(dimension)) {
            self.check_equal(name, array, stored).await?;
            return Ok(false);
        }
        if !grown.clone().any(Axis::has_grown) {
            return Ok(false);
        }
        // Rows before the first changed one are as they were, unless they have become longer.
        let is_longer = names.iter().skip(1).filter_map(|it| axes.get(it)).any(Axis::has_grown);
        let first_row = match names.first().and_then(|first| axes.get(first)) {
            Some(axis) if !is_longer => axis.first_changed(),
            _ => 0,
        };
        let merged = self.merged(name, array, stored, axes, unit).await?;
        self.write_rows(name, stored, first_row as u64, merged).await?;
        Ok(true)
    }

    /// The value of a coordinate at each position, after a run was added.
    async fn merged<'v>(
        &self,
        name: &str,
        array: &ManifestArray,
        stored: &StoredMetadata,
        axes: &'v Axes,
        unit: i64,
    ) -> Result<Elements<'v>> {
        let label = |axis: &CoordinateValues, at: u64| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            match axis {
                CoordinateValues::Int64(values) => {
                    values.get(at).map_or(0, |value| value.cast_unsigned())
                }
                CoordinateValues::Float64(values) => {
                    values.get(at).map_or(f64::NAN.to_bits(), |value| value.to_bits())
                }
            }
        };
        let names = &array.metadata.dimension_names;
        if let Some(axis) = axes.get(name)
            && names.len() == 1
        {
            return Ok(Box::new(move |at: &[u64]| {
                label(&axis.labels, at.first().copied().unwrap_or_default())
            }));
        }
        if let (VALID_TIME, Some(time), Some(step)) = (name, axes.get(TIME), axes.get("step")) {
            return Ok(Box::new(move |at: &[u64]| {
                let part = |axis: &Axis, index: usize| {
                    let at = at.get(index).copied().unwrap_or_default();
                    label(&axis.labels, at).cast_signed()
                };
                let step = part(step, 1).saturating_mul(unit);
                part(time, 0).saturating_add(step).cast_unsigned()
            }));
        }
        // Stored elements where they were, and the run's above them.
        let old = StoredMetadata {
            shape: names
                .iter()
                .zip(&stored.shape)
                .map(|(it, &length)| axes.get(it).map_or(length, |axis| axis.stored as u64))
                .collect(),
            ..stored.clone()
        };
        let before = self.elements(name, &old).await?;
        let shape = stored.shape.clone();
        let fill = stored.plain(name)?.fill();
        let count: u64 = shape.iter().product();
        let mut elements = vec![fill; usize::try_from(count).unwrap_or_default()];
        let mut put = |at: Vec<u64>, value: u64| {
            if let Some(slot) = elements.get_mut(ravel(&shape, &at)) {
                *slot = value;
            }
        };
        for (index, value) in (0..).zip(before) {
            put(unravel(&old.shape, index), value);
        }
        for (index, value) in (0..).zip(run_words(array)) {
            put(placed(&unravel(&array.metadata.shape, index), names, axes), value);
        }
        Ok(Box::new(move |at: &[u64]| elements.get(ravel(&shape, at)).copied().unwrap_or(fill)))
    }

    /// Writes the chunks of a coordinate that hold rows from `first_row` on.
    async fn write_rows(
        &self,
        name: &str,
        stored: &StoredMetadata,
        first_row: u64,
        value: Elements<'_>,
    ) -> Result<()> {
        let fill = stored.plain(name)?.fill();
        let grid = stored.grid();
        let first = first_row / stored.chunk_shape.first().copied().unwrap_or(1).max(1);
        for number in 0..grid.iter().product() {
            let chunk = unravel(&grid, number);
            if chunk.first().is_some_and(|&row| row < first) {
                continue;
            }
            let bytes = chunk_bytes(&stored.shape, &stored.chunk_shape, &chunk, fill, &value);
            self.set(chunk_key(name, &chunk), bytes).await?;
        }
        Ok(())
    }

    /// A coordinate that the store does not have: of a dimension that is new, too.
    async fn new_coordinate(&self, name: &str, array: &ManifestArray, axes: &Axes) -> Result<()> {
        let metadata = &array.metadata;
        let is_whole = metadata
            .dimension_names
            .iter()
            .filter_map(|dimension| axes.get(dimension))
            .all(|axis| axis.stored == 0);
        if !is_whole {
            return Err(Error::argument(
                format!("coordinate {name}"),
                format!(
                    "is not in {}, whose dimensions it has; build another store",
                    self.location
                ),
            ));
        }
        self.set(format!("{name}/zarr.json"), Bytes::from(metadata.to_json().to_string())).await?;
        for (index, bytes) in array.chunks.inline_chunks() {
            let chunk = unravel(&metadata.grid(), index);
            self.set(chunk_key(name, &chunk), bytes.clone()).await?;
        }
        Ok(())
    }

    /// A coordinate that cannot grow must be the same: the grid.
    async fn check_equal(
        &self,
        name: &str,
        array: &ManifestArray,
        stored: &StoredMetadata,
    ) -> Result<()> {
        let mut is_equal = stored.shape == array.metadata.shape;
        for (index, bytes) in array.chunks.inline_chunks() {
            let chunk = unravel(&array.metadata.grid(), index);
            is_equal =
                is_equal && self.get(&chunk_key(name, &chunk)).await?.as_ref() == Some(bytes);
        }
        if is_equal {
            return Ok(());
        }
        Err(Error::argument(
            format!("{name} of the run"),
            format!(
                "is not that of {}: another grid, or another run in a store of one run; build \
                 another store",
                self.location
            ),
        ))
    }
}

/// The seconds of a step of 1.
pub(super) fn step_seconds(manifest: &ManifestStore) -> i64 {
    let units = manifest.group.array("step").and_then(|step| step.metadata.attributes.get("units"));
    match units.and_then(Value::as_str) {
        Some("minutes") => 60,
        Some("seconds") => 1,
        _ => 3600,
    }
}
