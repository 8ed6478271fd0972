//! Repositories, and which of the places that they refer to may be read.

use std::fmt;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use gik_core::{Error, ErrorKind, Result};
use icechunk::RepositoryConfig;
use icechunk::config::{
    CachingConfig, ManifestConfig, ManifestPreloadCondition, ManifestPreloadConfig,
};
use icechunk::repository::VersionInfo;

use crate::staged::PART;
use crate::{Container, Opened, S3Settings, StoreLocation, container, fault};

/// A repository, and which of the places that it refers to may be read.
pub struct Repository {
    pub(crate) inner: icechunk::Repository,
    pub(crate) location: StoreLocation,
    containers: Vec<Container>,
    /// Whether each of these may be read here.
    authorized: Vec<bool>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("location", &self.location)
            .field("containers", &self.containers)
            .finish_non_exhaustive()
    }
}

/// A commit on `main`.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its id.
    pub snapshot: String,
    /// When it was made, in seconds since 1970.
    pub seconds: i64,
    /// Its message.
    pub message: String,
    /// Facts kept with it.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

impl Repository {
    /// Opens the repository at `location`. References are read only in containers that lie
    /// at or below one of the urls of `allowed`: a repository from elsewhere could
    /// otherwise point at any file or host that the reader can reach.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be read.
    pub async fn open(
        location: &StoreLocation,
        s3: &S3Settings,
        allowed: &[String],
    ) -> Result<Self> {
        if location.folder().is_some_and(|folder| !folder.is_dir()) {
            // Icechunk would make the folder.
            return Err(Error::new(ErrorKind::NotFound).in_url(location.to_string()).with_source(
                std::io::Error::other("there is no such folder; build a store with gik build"),
            ));
        }
        let failed = |error| fault::repository(location, &error);
        let storage = location.storage(s3).await?;
        let config =
            icechunk::Repository::fetch_config(Arc::clone(&storage)).await.map_err(failed)?;
        let containers: Vec<Container> = config
            .iter()
            .flat_map(|(config, _)| config.virtual_chunk_containers())
            .filter_map(Container::of_config)
            .collect();
        let may_read = |container: &&Container| container.may_be_read(allowed, s3);
        let authorized: Vec<bool> = containers.iter().map(|it| may_read(&it)).collect();
        let access = container::authorize(containers.iter().filter(may_read));
        let inner = icechunk::Repository::open(storage)
            .config(own_config())
            .authorize_virtual_chunk_access(access)
            .execute()
            .await
            .map_err(failed)?;
        Ok(Self { inner, location: location.clone(), containers, authorized })
    }

    /// The places its references may reach, whether allowed here or not.
    #[must_use]
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// The places its references may reach that were allowed when it was opened.
    pub fn authorized(&self) -> impl Iterator<Item = &Container> {
        let all = self.containers.iter().zip(&self.authorized);
        all.filter(|(_, authorized)| **authorized).map(|(container, _)| container)
    }

    /// The newest `limit` commits of `main`, the newest first. The empty state that a
    /// repository begins with is not among them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn history(&self, limit: usize) -> Result<Vec<Commit>> {
        self.ancestry(&VersionInfo::BranchTipRef("main".to_owned()), limit).await
    }

    /// The commit of a state and those before it, likewise.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn history_of(&self, opened: &Opened, limit: usize) -> Result<Vec<Commit>> {
        let snapshot = opened.session.read().await.snapshot_id().clone();
        self.ancestry(&VersionInfo::SnapshotId(snapshot), limit).await
    }

    async fn ancestry(&self, version: &VersionInfo, limit: usize) -> Result<Vec<Commit>> {
        let failed = |error| fault::repository(&self.location, &error);
        let commits = self.inner.ancestry(version).await.map_err(failed)?;
        let commits: Vec<_> = commits
            .try_filter(|commit| {
                let is_state = commit.parent_id.is_some() && !commit.metadata.contains_key(PART);
                std::future::ready(is_state)
            })
            .take(limit)
            .try_collect()
            .await
            .map_err(failed)?;
        Ok(commits
            .into_iter()
            .map(|commit| Commit {
                snapshot: commit.id.to_string(),
                seconds: commit.flushed_at.timestamp(),
                message: commit.message,
                properties: commit.metadata.into_iter().collect(),
            })
            .collect())
    }
}

/// A file of references, in the state that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its size in bytes.
    pub bytes: u64,
    /// References in it.
    pub references: u64,
}

impl Repository {
    /// The files that hold the references of a state.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn manifests(&self, opened: &Opened) -> Result<Vec<ManifestFile>> {
        let failed = |error| fault::repository(&self.location, &error);
        let snapshot = opened.session.read().await.snapshot_id().clone();
        let files = self.inner.lookup_manifest_files(&snapshot).await.map_err(failed)?;
        let file = |bytes, references: u32| ManifestFile { bytes, references: references.into() };
        Ok(files.map(|it| file(it.size_bytes, it.num_chunk_refs)).collect())
    }
}

/// References of manifests that are kept in memory when they have been read, of some 200 bytes
/// each. Icechunk keeps 15 million unless told otherwise: 3 GB of a program that moves a store's
/// references once.
const REFERENCES_KEPT: u64 = 1_000_000;

/// How this program opens a repository, which is not how others shall: Icechunk would fetch
/// manifests in the background, and complain when the program is done before they are there.
pub(crate) fn own_config() -> RepositoryConfig {
    RepositoryConfig {
        caching: Some(CachingConfig {
            num_chunk_refs: Some(REFERENCES_KEPT),
            ..CachingConfig::default()
        }),
        manifest: Some(ManifestConfig {
            preload: Some(ManifestPreloadConfig {
                preload_if: Some(ManifestPreloadCondition::False),
                ..ManifestPreloadConfig::default()
            }),
            ..ManifestConfig::default()
        }),
        ..RepositoryConfig::default()
    }
}
