//! One state of a repository.

use std::fmt;
use std::sync::Arc;

use futures::TryStreamExt;
use gik_core::{Attributes, Error, Result};
use icechunk::Store;
use icechunk::format::ByteRange;
use icechunk::format::snapshot::NodeData;
use icechunk::session::Session;
use tokio::sync::RwLock;
use zarrs::array::Array;
use zarrs_icechunk::AsyncIcechunkStore;

use crate::stored::StoredMetadata;
use crate::stored_array::StoredArray;
use crate::transaction::array_path;
use crate::{StoreLocation, fault};

/// One state of a repository.
pub struct Opened {
    pub(crate) location: StoreLocation,
    snapshot: String,
    pub(crate) session: Arc<RwLock<Session>>,
    store: Store,
    zarr: Arc<AsyncIcechunkStore>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("location", &self.location)
            .field("snapshot", &self.snapshot)
            .finish_non_exhaustive()
    }
}

impl Opened {
    pub(crate) async fn new(location: StoreLocation, session: Session) -> Self {
        let snapshot = session.snapshot_id().to_string();
        let zarr = Arc::new(AsyncIcechunkStore::new(session.clone()));
        let session = Arc::new(RwLock::new(session));
        let store = Store::from_session(Arc::clone(&session)).await;
        Self { location, snapshot, session, store, zarr }
    }

    /// The id of this state.
    #[must_use]
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// The store, for readers that speak zarrs.
    #[must_use]
    pub fn zarr(&self) -> &Arc<AsyncIcechunkStore> {
        &self.zarr
    }

    /// The group's attributes.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn attributes(&self) -> Result<Attributes> {
        let bytes = self
            .store
            .get("zarr.json", &ByteRange::ALL)
            .await
            .map_err(|error| fault::store(&self.location, &error))?;
        let document: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
            Error::malformed("group metadata", "JSON", error.to_string())
                .in_url(format!("{}/zarr.json", self.location))
        })?;
        Ok(document
            .get("attributes")
            .and_then(serde_json::Value::as_object)
            .cloned()
            .unwrap_or_default())
    }

    /// What the `zarr.json` of the array `name` says.
    pub(crate) async fn metadata(&self, name: &str) -> Result<StoredMetadata> {
        let place = || format!("{}/{name}", self.location);
        let key = format!("{name}/zarr.json");
        let bytes = self.store.get(&key, &ByteRange::ALL).await;
        let bytes = bytes.map_err(|error| fault::store(&self.location, &error))?;
        let metadata = StoredMetadata::parse(&bytes).map_err(|error| error.in_url(place()))?;
        metadata.ok_or_else(|| {
            Error::malformed("zarr.json", "metadata of a Zarr v3 array", "a group").in_url(place())
        })
    }

    /// The names of the arrays, sorted.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn array_names(&self) -> Result<Vec<String>> {
        let failed = |error| fault::session(&self.location, &error);
        let session = self.session.read().await;
        let mut names = Vec::new();
        for node in session.list_nodes(&icechunk::format::Path::root()).await.map_err(failed)? {
            let node = node.map_err(failed)?;
            if matches!(node.node_data, NodeData::Array { .. }) {
                names.push(node.path.to_string().trim_start_matches('/').to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The number of chunks of `array` that are there.
    ///
    /// # Errors
    /// When its manifests cannot be read.
    pub async fn chunk_count(&self, array: &str) -> Result<u64> {
        let path = array_path(array)?;
        let session = self.session.read().await;
        let chunks = session.array_chunk_iterator(&path).await;
        chunks
            .try_fold(0, |count, _| async move { Ok(count + 1) })
            .await
            .map_err(|error| fault::session(&self.location, &error))
    }

    /// The array `name`.
    ///
    /// # Errors
    /// When there is none, or a codec of it is unknown; the text lists the arrays.
    pub async fn array(&self, name: &str) -> Result<StoredArray> {
        let names = self.array_names().await?;
        if !names.iter().any(|other| other == name) {
            return Err(Error::argument(
                format!("variable '{name}'"),
                format!("is not in {}; there are {}", self.location, names.join(", ")),
            ));
        }
        let path = format!("/{name}");
        let array = Array::async_open(Arc::clone(&self.zarr), &path)
            .await
            .map_err(|error| fault::io(&format!("{}{path}", self.location), &error))?;
        Ok(StoredArray {
            name: name.to_owned(),
            location: self.location.clone(),
            session: Arc::clone(&self.session),
            store: self.store.clone(),
            array: Arc::new(array),
        })
    }
}
