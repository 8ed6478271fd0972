//! Objects as files: `root/bucket/key`. Every change is one rename under one lock, so
//! that conditions hold and no reader sees half of a write.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use s3s::dto::{ETagCondition, Metadata};
use s3s::{S3Error, S3Result, s3_error};
use tempfile::NamedTempFile;

use crate::files::{Opened, Tags, Version, open};

/// Two writes differ by at least this much in their modification time, which makes every
/// version's tag unique.
const TICK: Duration = Duration::from_micros(1);

/// Headers of an object that S3 keeps and returns.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) metadata: Option<Metadata>,
}

/// What must hold for a write to happen.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

/// The objects below a directory. Calls block: run them on the blocking pool.
#[derive(Debug)]
pub(super) struct Objects {
    root: PathBuf,
    /// On the same file system as `root`, for files that are renamed into place.
    scratch: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The modification time given last.
    last: SystemTime,
    /// Headers of the version that was written with them; files that something else put
    /// there have none.
    kept: HashMap<PathBuf, (SystemTime, Kept)>,
}

impl Objects {
    pub(super) fn new(root: PathBuf, scratch: PathBuf) -> Self {
        let state = State { last: UNIX_EPOCH, kept: HashMap::new() };
        Self { root, scratch, state: Mutex::new(state) }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn create_bucket(&self, bucket: &str) -> S3Result<()> {
        match fs::create_dir(self.root.join(checked_bucket(bucket)?)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(s3_error!(BucketAlreadyOwnedByYou))
            }
            other => other.map_err(S3Error::internal_error),
        }
    }

    /// The directory of an existing bucket.
    pub(super) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = self.root.join(checked_bucket(bucket)?);
        if path.is_dir() { Ok(path) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// The file of a key in an existing bucket.
    fn object(&self, bucket: &str, key: &str) -> S3Result<PathBuf> {
        let fits = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\0', '\\']);
        if !key.split('/').all(fits) {
            let text = "this server keeps objects as files: no empty, '.' or '..' part in a key";
            return Err(s3_error!(InvalidArgument, "{text}"));
        }
        Ok(self.bucket(bucket)?.join(key))
    }

    /// Opens the current version, with its headers.
    pub(super) fn get(&self, bucket: &str, key: &str) -> S3Result<(Opened, Kept)> {
        let path = self.object(bucket, key)?;
        let state = self.lock();
        let opened = open(&path).map_err(S3Error::internal_error)?;
        let opened = opened.ok_or_else(|| s3_error!(NoSuchKey))?;
        let kept = state
            .kept
            .get(&path)
            .filter(|(written, _)| *written == opened.version.modified)
            .map(|(_, kept)| kept.clone())
            .unwrap_or_default();
        Ok((opened, kept))
    }

    /// Writes an object if the condition holds.
    pub(super) fn put(
        &self,
        bucket: &str,
        key: &str,
        pieces: &[Bytes],
        kept: Kept,
        condition: &Condition,
    ) -> S3Result<Version> {
        let path = self.object(bucket, key)?;
        // The slow part comes before the lock.
        let mut file = NamedTempFile::new_in(&self.scratch).map_err(S3Error::internal_error)?;
        for piece in pieces {
            file.write_all(piece).map_err(S3Error::internal_error)?;
        }
        let mut state = self.lock();
        condition.check(&path)?;
        let version = state.publish(file, &path).map_err(|error| unfit(&error))?;
        state.kept.insert(path, (version.modified, kept));
        Ok(version)
    }

    /// Removes an object if the condition holds; one that is not there is removed too.
    pub(super) fn delete(&self, bucket: &str, key: &str, condition: &Condition) -> S3Result<()> {
        let path = self.object(bucket, key)?;
        let mut state = self.lock();
        condition.check(&path)?;
        state.kept.remove(&path);
        if open(&path).map_err(S3Error::internal_error)?.is_none() {
            return Ok(());
        }
        fs::remove_file(&path).map_err(S3Error::internal_error)?;
        // A directory without files would stand in the way of an object of its name.
        let bucket = self.root.join(bucket);
        for parent in path.ancestors().skip(1).take_while(|&parent| parent != bucket) {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl State {
    /// Moves a written file into place, as a version that never was before.
    fn publish(&mut self, file: NamedTempFile, path: &Path) -> io::Result<Version> {
        let modified = whole_ticks(SystemTime::now()).max(self.last + TICK);
        file.as_file().set_times(FileTimes::new().set_modified(modified))?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file: File = file.persist(path).map_err(|error| error.error)?;
        self.last = modified;
        Version::of(&file.metadata()?)
    }
}

/// Rounded down to what file systems can store.
fn whole_ticks(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::new(since.as_secs(), since.subsec_micros() * 1000)
}

impl Condition {
    /// Whether a write to `path` may happen; call it under the lock.
    fn check(&self, path: &Path) -> S3Result<()> {
        let current = || -> S3Result<Option<Version>> {
            let opened = open(path).map_err(S3Error::internal_error)?;
            Ok(opened.map(|opened| opened.version))
        };
        // As S3: only `*` is a condition for creating.
        if matches!(self.if_none_match, Some(ETagCondition::ETag(_))) {
            return Err(s3_error!(NotImplemented));
        }
        if self.if_none_match.is_some() && current()?.is_some() {
            return Err(s3_error!(PreconditionFailed));
        }
        if let Some(wanted) = &self.if_match {
            let version = current()?.ok_or_else(|| s3_error!(NoSuchKey))?;
            if !tags(wanted).contain(&version.etag(), false) {
                return Err(s3_error!(PreconditionFailed));
            }
        }
        Ok(())
    }
}

/// The condition as the file rules know it.
pub(super) fn tags(condition: &ETagCondition) -> Tags {
    match condition {
        ETagCondition::Any => Tags::Any,
        ETagCondition::ETag(tag) => {
            Tags::List(vec![(tag.value().to_owned(), tag.as_weak().is_some())])
        }
    }
}

fn checked_bucket(bucket: &str) -> S3Result<&str> {
    if s3s::path::check_bucket_name(bucket) {
        Ok(bucket)
    } else {
        Err(s3_error!(InvalidBucketName))
    }
}

/// A key that a file system cannot hold beside the others is the client's trouble, not
/// something to try again.
fn unfit(error: &io::Error) -> S3Error {
    s3_error!(
        InvalidArgument,
        "this server keeps objects as files, and this one cannot be: {error}"
    )
}
