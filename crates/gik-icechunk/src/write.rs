//! A manifest becomes a repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use gik_core::{
    Error, ErrorKind, ManifestArray, ManifestStore, Result, SourceId, SourceObject, group_json,
};
use icechunk::format::ChunkIndices;
use icechunk::format::manifest::{
    Checksum, SecondsSinceEpoch, VirtualChunkLocation, VirtualChunkRef,
};
use icechunk::format::snapshot::SnapshotProperties;
use icechunk::repository::RepositoryErrorKind;
use icechunk::storage::StorageContext;
use icechunk::store::SetVirtualRefsResult;
use icechunk::{Repository, RepositoryConfig, Store};
use tokio::sync::RwLock;

use crate::config::repository_config;
use crate::{Container, S3Settings, StoreLocation, fault};

/// What goes with a commit.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// The commit's message.
    pub message: String,
    /// Facts kept with the commit.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    /// The id of the commit on `main`.
    pub snapshot: String,
    /// Virtual references written.
    pub references: u64,
    /// Seconds for metadata and references, in memory.
    pub write_seconds: f64,
    /// Seconds for the commit.
    pub commit_seconds: f64,
}

/// Makes sure that a repository can be created: there is none, and nothing else either.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when there is one, and whatever keeps the place from being
/// looked at.
pub async fn check_absent(location: &StoreLocation, s3: &S3Settings) -> Result<()> {
    if let Some(folder) = location.folder() {
        return check_folder(folder);
    }
    let storage = location.storage(s3).await?;
    let exists = Repository::exists(storage, None)
        .await
        .map_err(|error| fault::repository(location, &error))?;
    if exists { Err(exists_already(location)) } else { Ok(()) }
}

fn check_folder(folder: &Path) -> Result<()> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => {
            let is_probe =
                |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PROBE);
            if entries.any(|entry| !entry.is_ok_and(|entry| is_probe(&entry))) {
                return Err(exists_already(&folder.display()));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritable(folder, &error)),
    }
    // Finding out after minutes of reading that the place cannot be written would be late.
    let there = folder.ancestors().find(|parent| parent.exists()).unwrap_or(folder);
    let probe = there.join(format!("{PROBE}{}", std::process::id()));
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| unwritable(folder, &error))
}

/// How the names of files begin that only try whether a folder can be written.
const PROBE: &str = ".gik-probe-";

/// Makes the folder of a new repository; what had to be made, the innermost first. Of
/// several that do so at once, one succeeds.
fn make_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|parent| !parent.exists());
    let missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    if missing.is_empty() {
        return Ok(missing);
    }
    let parents = folder.parent().map_or(Ok(()), std::fs::create_dir_all);
    parents.and_then(|()| std::fs::create_dir(folder)).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return exists_already(&folder.display());
        }
        remove_folders(&missing);
        unwritable(folder, &error)
    })?;
    Ok(missing)
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Error {
    Error::new(match error.kind() {
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            ErrorKind::Denied
        }
        _ => ErrorKind::Io { retryable: false },
    })
    .with_source(std::io::Error::other(format!("the store cannot be written there: {error}")))
    .in_url(folder.display().to_string())
}

/// Removes folders that were made here. One that is not there, or that is not empty because
/// somebody else uses it by now, is left as it is.
fn remove_folders(made: &[PathBuf]) {
    for folder in made {
        let _ = std::fs::remove_dir(folder);
    }
}

fn exists_already(place: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::AlreadyExists {
        what: "the store".to_owned(),
        hint: "name another place, or remove it first".to_owned(),
    })
    .in_url(place.to_string())
}

/// Creates a repository at `location` that holds `manifest`, in one commit: a reader of
/// `main` sees nothing, then all of it. When it fails, nothing is left behind.
///
/// # Errors
/// When there is a repository already, a reference lies in none of `containers`, or the
/// place cannot be written.
pub async fn create(
    manifest: &ManifestStore,
    containers: &[Container],
    location: &StoreLocation,
    s3: &S3Settings,
    options: &WriteOptions,
) -> Result<Created> {
    // What can be wrong with the manifest is found before anything is written.
    let locations = locations(manifest, containers)?;
    let config = repository_config(manifest, containers)?;
    check_absent(location, s3).await?;
    let made = location.folder().map(make_folder).transpose()?.unwrap_or_default();
    let outcome = create_absent(manifest, &locations, config, location, s3, options, &made).await;
    if outcome.is_err() {
        remove_folders(&made);
    }
    outcome
}

async fn create_absent(
    manifest: &ManifestStore,
    locations: &[VirtualChunkLocation],
    config: RepositoryConfig,
    location: &StoreLocation,
    s3: &S3Settings,
    options: &WriteOptions,
    made: &[PathBuf],
) -> Result<Created> {
    let storage = location.storage(s3).await?;
    let created = Repository::create(Arc::clone(&storage)).config(config).execute().await;
    let repository = match created {
        Ok(repository) => repository,
        Err(error) => {
            let there = Repository::exists(Arc::clone(&storage), None).await;
            return Err(match (&error.kind, there) {
                // Not even tried: there are objects of something else.
                (RepositoryErrorKind::ParentDirectoryNotClean, _) => {
                    fault::repository(location, &error)
                }
                // Somebody else was first: what is there is theirs.
                (_, Ok(true)) | (RepositoryErrorKind::RepoInfoUpdated, _) => {
                    exists_already(location)
                }
                (_, there) => {
                    // What Icechunk wrote before it failed goes; of a folder that had been
                    // there before it is not known who wrote it.
                    if there.is_ok() && (location.folder().is_none() || !made.is_empty()) {
                        remove(location, storage.as_ref()).await;
                    }
                    fault::repository(location, &error)
                }
            });
        }
    };
    let outcome = fill(&repository, manifest, locations, location, options).await;
    if outcome.is_err() {
        remove(location, storage.as_ref()).await;
    }
    outcome
}

async fn fill(
    repository: &Repository,
    manifest: &ManifestStore,
    locations: &[VirtualChunkLocation],
    location: &StoreLocation,
    options: &WriteOptions,
) -> Result<Created> {
    let started = Instant::now();
    let session = repository
        .writable_session("main")
        .await
        .map_err(|error| fault::repository(location, &error))?;
    let session = Arc::new(RwLock::new(session));
    let store = Store::from_session(Arc::clone(&session)).await;
    let set = async |key: String, bytes: Bytes| {
        store.set(&key, bytes).await.map_err(|error| fault::store(location, &error))
    };
    let json = |value: serde_json::Value| Bytes::from(value.to_string());

    set("zarr.json".to_owned(), json(group_json(&manifest.group.attributes))).await?;
    for (name, array) in manifest.group.arrays() {
        set(format!("{name}/zarr.json"), json(array.metadata.to_json())).await?;
        for (index, bytes) in array.chunks.inline_chunks() {
            let key = chunk_key(name, &indices(&array.metadata.grid(), index));
            set(key, bytes.clone()).await?;
        }
        let references = references(manifest, array, locations)?;
        if references.is_empty() {
            continue;
        }
        let path = format!("/{name}")
            .as_str()
            .try_into()
            .map_err(|_| Error::argument(name, "is no name of an array"))?;
        // The containers were checked when the locations were made.
        let outcome = store
            .set_virtual_refs(&path, false, references)
            .await
            .map_err(|error| fault::store(location, &error))?;
        if let SetVirtualRefsResult::FailedRefs(failed) = outcome {
            return Err(Error::mismatch(
                format!("references of {name} that Icechunk takes"),
                "all",
                format!("{} refused", failed.len()),
            ));
        }
    }
    let write_seconds = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let properties: SnapshotProperties =
        options.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let snapshot = session
        .write()
        .await
        .commit(&options.message)
        .properties(properties)
        .execute()
        .await
        .map_err(|error| fault::session(location, &error))?;
    Ok(Created {
        snapshot: snapshot.to_string(),
        references: manifest.group.virtual_count(),
        write_seconds,
        commit_seconds: started.elapsed().as_secs_f64(),
    })
}

/// The location of each source, in the order of the table.
fn locations(
    manifest: &ManifestStore,
    containers: &[Container],
) -> Result<Vec<VirtualChunkLocation>> {
    let location = |object: &SourceObject| {
        let url = object.url.as_str();
        let location =
            containers.iter().find_map(|container| container.location(url)).ok_or_else(|| {
                let prefixes: Vec<_> =
                    containers.iter().map(|container| container.url_prefix.as_str()).collect();
                Error::argument(
                    url,
                    format!("lies in none of the store's containers: {}", prefixes.join(", ")),
                )
            })?;
        VirtualChunkLocation::from_url(&location)
            .map_err(|error| Error::argument(url, error.kind.to_string()))
    };
    manifest.sources.iter().map(|(_, object)| location(object)).collect()
}

fn references(
    manifest: &ManifestStore,
    array: &ManifestArray,
    locations: &[VirtualChunkLocation],
) -> Result<Vec<(ChunkIndices, VirtualChunkRef)>> {
    let grid = array.metadata.grid();
    let count = usize::try_from(array.chunks.virtual_count()).unwrap_or(usize::MAX);
    let mut references = Vec::new();
    references.try_reserve_exact(count).map_err(|error| {
        Error::new(ErrorKind::LimitExceeded {
            what: "number of references in an array",
            limit: u64::from(u32::MAX),
            found: array.chunks.virtual_count(),
        })
        .with_source(error)
    })?;
    for (index, entry) in array.chunks.virtual_chunks() {
        let (object, location) = source(manifest, locations, entry.source)?;
        references.push((
            ChunkIndices(indices(&grid, index)),
            VirtualChunkRef {
                location: location.clone(),
                offset: entry.offset,
                length: u64::from(entry.length.get()),
                checksum: object
                    .last_modified
                    .and_then(|seconds| u32::try_from(seconds).ok())
                    .map(|seconds| Checksum::LastModified(SecondsSinceEpoch(seconds))),
            },
        ));
    }
    Ok(references)
}

fn source<'a>(
    manifest: &'a ManifestStore,
    locations: &'a [VirtualChunkLocation],
    id: SourceId,
) -> Result<(&'a SourceObject, &'a VirtualChunkLocation)> {
    let position = id.position();
    manifest.sources.get(id).zip(locations.get(position)).ok_or_else(|| {
        Error::mismatch(
            "source of a reference",
            format!("less than {}", manifest.sources.len()),
            position.to_string(),
        )
    })
}

/// The position along each dimension of the chunk with this position in C order.
fn indices(grid: &[u64], index: u64) -> Vec<u32> {
    let mut rest = index;
    let mut indices: Vec<u32> = grid
        .iter()
        .rev()
        .map(|&length| {
            let length = length.max(1);
            let position = rest % length;
            rest /= length;
            // A grid has at most 2³² chunks.
            u32::try_from(position).unwrap_or(u32::MAX)
        })
        .collect();
    indices.reverse();
    indices
}

/// The key of a chunk (Zarr v3, chunk key encoding `default`).
fn chunk_key(name: &str, indices: &[u32]) -> String {
    let mut key = format!("{name}/c");
    for index in indices {
        key.push('/');
        key.push_str(&index.to_string());
    }
    key
}

/// Removes what a failed creation has written. It was created where nothing was, so that
/// all there is, is its own.
async fn remove(location: &StoreLocation, storage: &(dyn icechunk::Storage + Send + Sync)) {
    // The failure that led here is what is reported.
    if let Some(folder) = location.folder() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
        return;
    }
    let Ok(settings) = storage.default_settings().await else { return };
    let context = StorageContext::unattributed(&settings);
    let Ok(objects) = storage.list_objects(&context, "").await else { return };
    let ids = objects
        .filter_map(|object| async move { object.ok().map(|info| (info.id, info.size_bytes)) })
        .boxed();
    let _ = storage.delete_objects(&context, "", ids).await;
}
