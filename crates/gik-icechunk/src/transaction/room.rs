//! Room along `time` for all runs that a commit adds, made once.

use gik_core::{CoordinateValues, ManifestStore, Result};

use super::{Axes, TIME, Transaction, VALID_TIME, step_seconds};
use crate::axis::Axis;
use crate::stored::{StoredMetadata, run_labels};

/// What has to be done before runs can be added at times that a store does not have.
pub(crate) struct Room {
    /// `time` after it, and what else the coordinates need to know.
    axes: Axes,
    /// The arrays whose references lie along `time`, with what is stored of them.
    arrays: Vec<(String, StoredMetadata)>,
    /// The times that are new.
    times: Vec<i64>,
}

impl Room {
    /// Whether references have to move: a new time lies before others.
    pub(crate) fn moves(&self) -> bool {
        self.axes.get(TIME).is_some_and(|time| !time.inserted.is_empty())
    }

    /// The names of the arrays whose references lie along `time`.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|(name, _)| name.as_str())
    }
}

/// Whether each time of an array has chunks of its own.
pub(super) fn is_split(metadata: &StoredMetadata) -> bool {
    metadata.chunk_shape.first() == Some(&1)
        && metadata.dimensions.first().is_some_and(|first| first == TIME)
}

impl Transaction<'_> {
    /// The room that these runs need; none where all their times are there, and in a store that
    /// holds nothing or no forecasts.
    ///
    /// # Errors
    /// When what is stored cannot be read, or its times are none.
    pub(crate) async fn room(&self, runs: &[&ManifestStore]) -> Result<Option<Room>> {
        if self.group().await?.is_none()
            || runs.iter().any(|run| run.group.array(VALID_TIME).is_none())
        {
            return Ok(None);
        }
        let stored = self.stored().await?;
        let (Some(time), Some(step)) = (stored.get(TIME), stored.get("step")) else {
            return Ok(None);
        };
        let there = self.labels(TIME, time).await?;
        let mut wanted: Vec<i64> = Vec::new();
        for run in runs {
            if let Some(CoordinateValues::Int64(labels)) = run.group.array(TIME).map(run_labels) {
                wanted.extend(labels);
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let axis = Axis::insert(TIME, &there, &CoordinateValues::Int64(wanted.clone()))?;
        if !axis.has_grown() {
            return Ok(None);
        }
        if let CoordinateValues::Int64(there) = &there {
            wanted.retain(|time| there.binary_search(time).is_err());
        }
        let steps = self.labels("step", step).await?;
        let steps = Axis::extend("step", &steps, &steps)?;
        let axes = Axes::from([(TIME.to_owned(), axis), ("step".to_owned(), steps)]);
        let arrays = stored.into_iter().filter(|(_, metadata)| is_split(metadata)).collect();
        Ok(Some(Room { axes, arrays, times: wanted }))
    }

    /// Gives one of the room's arrays its new length, and moves its references.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) async fn make_room_in(&self, room: &Room, name: &str) -> Result<()> {
        let Some((_, metadata)) = room.arrays.iter().find(|(other, _)| other == name) else {
            return Ok(());
        };
        self.resize_array(name, &mut metadata.clone(), &room.axes).await
    }

    /// Enters the times: in the coordinates, once all arrays have their new length.
    ///
    /// # Errors
    /// When the coordinates cannot be read or are not as `run` has them.
    pub(crate) async fn enter(&mut self, room: &Room, run: &ManifestStore) -> Result<()> {
        let mut stored = self.stored().await?;
        // Those whose times have no chunks of their own: the coordinates.
        self.resize(&mut stored, &room.axes).await?;
        for name in [TIME, VALID_TIME] {
            if let Some(array) = run.group.array(name) {
                let unit = step_seconds(run);
                self.coordinate(name, array, stored.get(name), &room.axes, unit).await?;
            }
        }
        self.empty_times.extend(&room.times);
        Ok(())
    }
}
