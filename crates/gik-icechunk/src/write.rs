//! Runs are added to a repository, which is created if there is none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use gik_core::{Error, ErrorKind, ManifestStore, Result, SourceObject};
use icechunk::format::manifest::VirtualChunkLocation;
use icechunk::format::snapshot::SnapshotProperties;
use icechunk::repository::RepositoryErrorKind;
use icechunk::session::{SessionError, SessionErrorKind};
use icechunk::storage::StorageContext;
use icechunk::{Repository, Storage};

use crate::config::{extended_config, repository_config};
use crate::lock::WriteLock;
use crate::repository::own_config;
use crate::transaction::{Changes, Room, Transaction};
use crate::{Container, S3Settings, StoreLocation, fault};

/// What goes with a commit.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// The commit's message.
    pub message: String,
    /// Facts kept with the commit; `added` and `replaced` are put beside them.
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The id of the newest commit on `main`: the one that was made, or the one that had all
    /// there was to write.
    pub snapshot: String,
    /// What was added.
    pub changes: Changes,
    /// How often the commit was tried: more than once where others wrote at the same time.
    pub attempts: u32,
    /// Seconds for metadata and references, in memory.
    pub write_seconds: f64,
    /// Seconds for the commit.
    pub commit_seconds: f64,
}

/// Writes runs to a repository. On a local folder it holds the folder's lock until it is
/// dropped.
#[derive(Debug)]
pub struct Writer {
    location: StoreLocation,
    s3: S3Settings,
    /// Folders that were made for the store; those that are still empty go again.
    made: Vec<PathBuf>,
    _lock: Option<WriteLock>,
}

/// How often a commit is tried while others write, too.
const ATTEMPTS: u32 = 100;
/// How long somebody else's creation of a repository may take before what it left is removed.
const CREATION: Duration = Duration::from_secs(20);

impl Writer {
    /// Makes sure that the store can be written, and locks it where that is needed, waiting up
    /// to `patience` for another writer to end.
    ///
    /// # Errors
    /// When something else than a repository lies there, it cannot be written, or another
    /// process writes to it.
    pub async fn open(
        location: &StoreLocation,
        s3: &S3Settings,
        patience: Duration,
    ) -> Result<Self> {
        let mut writer =
            Self { location: location.clone(), s3: s3.clone(), made: Vec::new(), _lock: None };
        if let Some(folder) = location.folder() {
            // Whoever made the folder and failed takes it away while others wait for its lock.
            loop {
                writer.made = make_folder(folder)?;
                let lock = WriteLock::acquire(folder, patience).await?;
                if lock.is_of(folder) {
                    writer._lock = Some(lock);
                    break;
                }
            }
        }
        let storage = location.storage(s3).await?;
        writer.exists(&storage).await?;
        Ok(writer)
    }

    pub(crate) const fn location(&self) -> &StoreLocation {
        &self.location
    }

    pub(crate) const fn s3(&self) -> &S3Settings {
        &self.s3
    }

    async fn exists(&self, storage: &Arc<dyn Storage + Send + Sync>) -> Result<bool> {
        let failed = |error| fault::repository(&self.location, &error);
        let exists = Repository::exists(Arc::clone(storage), None).await.map_err(failed)?;
        if !exists && let Some(folder) = self.location.folder() {
            check_folder(folder)?;
        }
        Ok(exists)
    }

    /// Whether there is no array yet. Flushing new arrays costs Icechunk their references times
    /// their manifests: the first of many runs is best added alone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_new(&self) -> Result<bool> {
        match crate::Repository::open(&self.location, &self.s3, &[]).await {
            Ok(repository) => Ok(repository.main().await?.array_names().await?.is_empty()),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Adds runs in one commit: a reader of `main` sees none of them, then all. What is there
    /// already is not written again; where nothing is new there is no commit.
    ///
    /// # Errors
    /// When a run does not fit the store, a reference lies in none of `containers`, or the
    /// store cannot be written. Nothing of the runs is in the store then.
    pub async fn add(
        &self,
        runs: &[&ManifestStore],
        containers: &[Container],
        options: &WriteOptions,
    ) -> Result<Written> {
        let Some(first) = runs.first() else {
            return Err(Error::argument("runs", "there is none to write"));
        };
        // What can be wrong with a run is found before anything is written.
        for run in runs {
            locations(run, containers)?;
        }
        let storage = self.location.storage(&self.s3).await?;
        if !self.exists(&storage).await? {
            let config = repository_config(first, containers)?;
            self.create(&storage, &config).await?;
        }
        let mut attempt = 1;
        loop {
            match self.try_add(&storage, runs, containers, options, attempt).await {
                Ok(written) => return Ok(written),
                Err(Failure::Conflict) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(pause(attempt)).await;
                }
                Err(Failure::Conflict) => {
                    return Err(Error::new(ErrorKind::Io { retryable: true })
                        .with_source(std::io::Error::other(format!(
                            "others write to this store all the time: {attempt} tries to commit \
                             came too late; try again"
                        )))
                        .in_url(self.location.to_string()));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
    }

    async fn try_add(
        &self,
        storage: &Arc<dyn Storage + Send + Sync>,
        runs: &[&ManifestStore],
        containers: &[Container],
        options: &WriteOptions,
        attempts: u32,
    ) -> Result<Written, Failure> {
        let started = Instant::now();
        let repository = self.open_repository(storage, runs, containers).await?;
        let containers: Vec<Container> = repository
            .config()
            .virtual_chunk_containers()
            .filter_map(Container::of_config)
            .collect();
        let mut transaction = self.begin(&repository, "main").await?;
        let room = transaction.room(runs).await?;
        if let Some(room) = room.as_ref().filter(|room| room.moves()) {
            let (snapshot, changes) =
                self.add_staged(&repository, transaction, room, runs, &containers, options).await?;
            let write_seconds = started.elapsed().as_secs_f64();
            return Ok(Written { snapshot, changes, attempts, write_seconds, commit_seconds: 0.0 });
        }
        let changes = self.add_in(&mut transaction, room.as_ref(), runs, &containers).await?;
        let write_seconds = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let has_uncommitted = transaction.session.read().await.has_uncommitted_changes();
        let snapshot = if changes.any() && has_uncommitted {
            self.commit(&transaction, options, changes).await?
        } else {
            transaction.session.read().await.snapshot_id().to_string()
        };
        let commit_seconds = started.elapsed().as_secs_f64();
        Ok(Written { snapshot, changes, attempts, write_seconds, commit_seconds })
    }

    /// Adds runs to what a transaction holds, after the room that they need was made.
    pub(crate) async fn add_in(
        &self,
        transaction: &mut Transaction<'_>,
        room: Option<&Room>,
        runs: &[&ManifestStore],
        containers: &[Container],
    ) -> Result<Changes> {
        let mut changes = Changes::default();
        if let (Some(room), Some(first)) = (room, runs.first()) {
            transaction.enter(room, first).await?;
        }
        for run in runs {
            changes = changes.and(transaction.add(run, &locations(run, containers)?).await?);
        }
        Ok(changes)
    }

    /// Opens the repository; its configuration gets the places and arrays that it lacks.
    async fn open_repository(
        &self,
        storage: &Arc<dyn Storage + Send + Sync>,
        runs: &[&ManifestStore],
        containers: &[Container],
    ) -> Result<Repository, Failure> {
        let failed = |error| self.failure_of_repository(&error);
        let repository = Repository::open(Arc::clone(storage))
            .config(own_config())
            .execute()
            .await
            .map_err(failed)?;
        let urls = runs.iter().flat_map(|run| run.sources.iter());
        let urls: Vec<&str> = urls.map(|(_, object)| object.url.as_str()).collect();
        if extended_config(repository.config(), runs, containers, &urls)?.is_none() {
            return Ok(repository);
        }
        // What a writer has for itself is not for those who read: only what is stored is extended.
        let stored = Repository::fetch_config(Arc::clone(storage)).await.map_err(failed)?;
        let stored = stored.map(|(config, _)| config).unwrap_or_default();
        let Some(config) = extended_config(&stored, runs, containers, &urls)? else {
            return Ok(repository);
        };
        let open = |config| Repository::open(Arc::clone(storage)).config(config).execute();
        open(config).await.map_err(failed)?.save_config().await.map_err(failed)?;
        open(own_config()).await.map_err(failed)
    }

    pub(crate) async fn begin(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Transaction<'_>, Failure> {
        let session = repository
            .writable_session(branch)
            .await
            .map_err(|error| self.failure_of_repository(&error))?;
        Ok(Transaction::new(session, &self.location).await)
    }

    pub(crate) async fn commit(
        &self,
        transaction: &Transaction<'_>,
        options: &WriteOptions,
        changes: Changes,
    ) -> Result<String, Failure> {
        let mut properties: SnapshotProperties =
            options.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        properties.insert("added".to_owned(), changes.added.into());
        properties.insert("replaced".to_owned(), changes.replaced.into());
        let mut session = transaction.session.write().await;
        let committed = session.commit(&options.message).properties(properties).execute().await;
        committed.map(|snapshot| snapshot.to_string()).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &SessionError) -> Failure {
        match &error.kind {
            SessionErrorKind::Conflict { .. } => Failure::Conflict,
            SessionErrorKind::RepositoryError(kind) if is_conflict(kind) => Failure::Conflict,
            _ => Failure::Final(fault::session(&self.location, error)),
        }
    }

    pub(crate) fn failure_of_repository(
        &self,
        error: &icechunk::repository::RepositoryError,
    ) -> Failure {
        if is_conflict(&error.kind) {
            return Failure::Conflict;
        }
        Failure::Final(fault::repository(&self.location, error))
    }

    /// Creates the repository. Where a creation was cut off before, what it left is removed.
    async fn create(
        &self,
        storage: &Arc<dyn Storage + Send + Sync>,
        config: &icechunk::RepositoryConfig,
    ) -> Result<()> {
        let mut left: Option<(BTreeSet<String>, Instant)> = None;
        loop {
            let created =
                Repository::create(Arc::clone(storage)).config(config.clone()).execute().await;
            let Err(error) = created else { return Ok(()) };
            // Somebody else was first: both write to it then.
            if Repository::exists(Arc::clone(storage), None).await.is_ok_and(|exists| exists) {
                return Ok(());
            }
            if !matches!(error.kind, RepositoryErrorKind::ParentDirectoryNotClean) {
                return Err(fault::repository(&self.location, &error));
            }
            let objects = self.objects(storage).await?;
            if objects.contains("repo") {
                return Ok(());
            }
            if !objects.iter().all(|key| is_begun(key)) {
                return Err(fault::repository(&self.location, &error));
            }
            match &left {
                // A local folder is locked: whoever began is gone.
                Some((_, since))
                    if self.location.folder().is_some() || since.elapsed() > CREATION =>
                {
                    self.remove(storage).await;
                    left = None;
                }
                Some((before, _)) if *before == objects => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                _ => left = Some((objects, Instant::now())),
            }
        }
    }

    /// The keys of all objects below the store's place.
    async fn objects(&self, storage: &Arc<dyn Storage + Send + Sync>) -> Result<BTreeSet<String>> {
        let failed = |error: icechunk::StorageError| fault::io(&self.location, &error.kind);
        let settings = storage.default_settings().await.map_err(failed)?;
        let context = StorageContext::unattributed(&settings);
        let objects = storage.list_objects(&context, "").await.map_err(failed)?;
        objects.map_ok(|info| info.id).try_collect().await.map_err(failed)
    }

    /// Removes what a creation that was cut off left, and nothing else.
    async fn remove(&self, storage: &Arc<dyn Storage + Send + Sync>) {
        if let Some(folder) = self.location.folder() {
            for entry in entries(folder) {
                let path = entry.path();
                for child in
                    entries(&path).into_iter().filter(|child| is_begun(&key(&[&entry, child])))
                {
                    let _ = std::fs::remove_file(child.path());
                }
                // A folder that still has something is somebody else's, too.
                let _ = match is_begun(&key(&[&entry])) {
                    true => std::fs::remove_file(&path),
                    false => std::fs::remove_dir(&path),
                };
            }
            return;
        }
        let Ok(settings) = storage.default_settings().await else { return };
        let context = StorageContext::unattributed(&settings);
        let Ok(objects) = storage.list_objects(&context, "").await else { return };
        let ids = objects
            .filter_map(|object| async move {
                let info = object.ok().filter(|info| is_begun(&info.id))?;
                Some((info.id, info.size_bytes))
            })
            .boxed();
        let _ = storage.delete_objects(&context, "", ids).await;
    }
}

fn entries(folder: &Path) -> Vec<std::fs::DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().collect()
}

/// `folder/name` of entries below each other.
fn key(entries: &[&std::fs::DirEntry]) -> String {
    let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join("/")
}

impl Drop for Writer {
    fn drop(&mut self) {
        for folder in &self.made {
            // One that is not empty is in use, and stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Why a transaction did not come to be.
pub(crate) enum Failure {
    /// Somebody else's commit came first.
    Conflict,
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

pub(crate) const fn is_conflict(kind: &RepositoryErrorKind) -> bool {
    matches!(
        kind,
        RepositoryErrorKind::Conflict { .. }
            | RepositoryErrorKind::RepoInfoUpdated
            | RepositoryErrorKind::ConfigWasUpdated
            | RepositoryErrorKind::RepoUpdateAttemptsLimit(_)
    )
}

/// Folders that Icechunk makes before there is a repository.
const BEGUN: [&str; 4] = ["snapshots", "transactions", "manifests", "overwritten"];

/// Whether an object is one of those that Icechunk writes before there is a repository: files
/// with its own ids for names, and the parts of the file `repo` itself. Nobody else's file is
/// called like that.
fn is_begun(key: &str) -> bool {
    let is_id = |name: &str| {
        let crockford =
            |byte: u8| byte.is_ascii_digit() || b"ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte);
        name.len() == 20 && name.bytes().all(crockford)
    };
    match key.split_once('/') {
        Some(("overwritten", name)) => name
            .strip_prefix("repo.")
            .is_some_and(|rest| rest.rsplit('.').next().is_some_and(is_id)),
        Some((folder, name)) => BEGUN.contains(&folder) && is_id(name),
        None => key
            .strip_prefix("repo#")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|it| it.is_ascii_digit())),
    }
}

/// The pause before a try to commit: longer from try to try, and another one for each writer.
pub(crate) fn pause(attempt: u32) -> Duration {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let noise = clock.map_or(0, |time| time.subsec_nanos()) ^ std::process::id().rotate_left(16);
    Duration::from_millis(u64::from(attempt.min(20) * 10 + noise % (attempt.min(20) * 20)))
}

fn check_folder(folder: &Path) -> Result<()> {
    std::fs::read_dir(folder).map_err(|error| unwritable(folder, &error))?;
    let is_foreign = |entry: &std::fs::DirEntry| {
        let name = key(&[entry]);
        if BEGUN.contains(&name.as_str()) && entry.path().is_dir() {
            return entries(&entry.path()).iter().any(|child| !is_begun(&key(&[entry, child])));
        }
        !name.starts_with(PROBE) && !is_begun(&name)
    };
    if entries(folder).iter().any(is_foreign) {
        return Err(Error::new(ErrorKind::AlreadyExists {
            what: "something that is no store".to_owned(),
            hint: "name another place, or remove it first".to_owned(),
        })
        .in_url(folder.display().to_string()));
    }
    // Finding out after minutes of reading that the place cannot be written would be late.
    let probe = folder.join(format!("{PROBE}{}", std::process::id()));
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| unwritable(folder, &error))
}

/// How the names of files begin that only try whether a folder can be written.
const PROBE: &str = ".gik-probe-";

/// Makes the folder of a store unless it is there; what had to be made, the innermost first.
fn make_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|parent| !parent.exists());
    let missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    std::fs::create_dir_all(folder).map_err(|error| {
        for made in &missing {
            let _ = std::fs::remove_dir(made);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_not_what_was_begun() {
        for begun in [
            "snapshots/1CECHNKREP0F1RSTCMT0",
            "manifests/VFVP1BPSK4AHXBXR9FGG",
            "transactions/VFVP1BPSK4AHXBXR9FGG",
            "overwritten/repo.2026-01-01T00.VFVP1BPSK4AHXBXR9FGG",
            "repo#1",
        ] {
            assert!(is_begun(begun), "{begun}");
        }
        for foreign in [
            "repo",
            "repo.txt",
            "repo.git/data.txt",
            "repo#",
            "repo#mine",
            "config.yaml",
            "snapshots/data.txt",
            "snapshots/VFVP1BPSK4AHXBXR9FGG/x",
            "snapshots/VFVP1BPSK4AHXBXR9FGU",
            "manifests/deploy.yaml",
            "chunks/VFVP1BPSK4AHXBXR9FGG",
            "overwritten/repo.txt",
        ] {
            assert!(!is_begun(foreign), "{foreign}");
        }
    }
}
