//! What is in a store, from its manifests alone.

use std::collections::HashMap;

use futures::TryStreamExt;
use gik_core::{CoordinateValues, Result};
use icechunk::format::ChunkIndices;
use icechunk::format::manifest::ChunkPayload;

use crate::stored::unravel;
use crate::transaction::array_path;
use crate::{Container, Opened, fault};

impl Opened {
    /// Calls `each` with the position in the chunk grid of every chunk of `array` that is there,
    /// in any order.
    ///
    /// # Errors
    /// When the manifests cannot be read.
    pub async fn for_each_chunk(&self, array: &str, mut each: impl FnMut(&[u32])) -> Result<()> {
        let failed = |error| fault::session(&self.location, &error);
        let path = array_path(array)?;
        let session = self.session.read().await;
        let mut chunks = Box::pin(session.array_chunk_iterator(&path).await);
        while let Some(chunk) = chunks.try_next().await.map_err(failed)? {
            each(&chunk.coord.0);
        }
        Ok(())
    }

    /// Of each object that references of one reference time go to, how many do so; none where the
    /// store does not have that time. `containers` are those of the repository.
    ///
    /// # Errors
    /// When the manifests cannot be read.
    pub async fn references_at(
        &self,
        seconds: i64,
        containers: &[Container],
    ) -> Result<Option<HashMap<String, u64>>> {
        let names = self.array_names().await?;
        if !names.iter().any(|name| name == "time") {
            return Ok(None);
        }
        let CoordinateValues::Int64(times) = self.array("time").await?.coordinate().await? else {
            return Ok(None);
        };
        let Some(time) = times.iter().position(|&time| time == seconds) else { return Ok(None) };
        let mut found = HashMap::new();
        for name in names {
            let array = self.array(&name).await?;
            let dimensions = array.dimension_names();
            if dimensions.len() < 3 || dimensions.first().map(String::as_str) != Some("time") {
                continue;
            }
            self.count_at(&name, array.grid(), time as u64, containers, &mut found).await?;
        }
        Ok(Some(found))
    }

    async fn count_at(
        &self,
        name: &str,
        mut grid: Vec<u64>,
        time: u64,
        containers: &[Container],
        found: &mut HashMap<String, u64>,
    ) -> Result<()> {
        if let Some(first) = grid.first_mut() {
            *first = 1;
        }
        let path = array_path(name)?;
        let session = self.session.read().await;
        for index in 0..grid.iter().product() {
            let mut at = unravel(&grid, index);
            if let Some(first) = at.first_mut() {
                *first = time;
            }
            let at = at.into_iter().map(|it| u32::try_from(it).unwrap_or(u32::MAX)).collect();
            let chunk = session
                .get_chunk_ref(&path, &ChunkIndices(at))
                .await
                .map_err(|error| fault::session(&self.location, &error))?;
            if let Some(ChunkPayload::Virtual(reference)) = chunk {
                let url = url_of(reference.location.url(), containers);
                *found.entry(url).or_default() += 1;
            }
        }
        Ok(())
    }
}

/// The url that a location stands for: `vcc://NAME/key` is a key in a container.
fn url_of(location: &str, containers: &[Container]) -> String {
    let named = location.strip_prefix("vcc://").and_then(|rest| rest.split_once('/'));
    named
        .and_then(|(name, key)| {
            let container = containers.iter().find(|container| container.name == name)?;
            Some(format!("{}{key}", container.url_prefix))
        })
        .unwrap_or_else(|| location.to_owned())
}
