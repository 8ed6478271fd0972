//! One writer at a time on a local folder.
//!
//! Icechunk's commits are safe against each other where the storage can replace an object only
//! if it is still the one that was read. Local folders cannot: of two commits at the same
//! moment one would be lost without a word. A lock of the operating system on the folder keeps
//! a second writer out; it ends with the process that holds it, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use gik_core::{Error, ErrorKind, Result};

/// A folder's lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct WriteLock {
    folder: File,
}

/// How often a lock that somebody else holds is tried again.
const RETRY: Duration = Duration::from_millis(100);

impl WriteLock {
    /// Whether the folder that was locked is the one that lies there now.
    pub(crate) fn is_of(&self, folder: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let id = |it: std::io::Result<std::fs::Metadata>| it.ok().map(|it| (it.dev(), it.ino()));
        let ours = id(self.folder.metadata());
        ours.is_some() && ours == id(std::fs::metadata(folder))
    }

    /// Locks a folder that is there, waiting up to `patience` for another writer to end.
    ///
    /// # Errors
    /// When another writer holds it for longer, or the folder cannot be opened.
    pub(crate) async fn acquire(folder: &Path, patience: Duration) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Io { retryable: false })
                .with_source(error)
                .in_url(folder.display().to_string())
        };
        let file = File::open(folder).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { folder: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                    tokio::time::sleep(RETRY).await;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(ErrorKind::Io { retryable: true })
                        .with_source(std::io::Error::other(
                            "another process is writing to this store; a local folder takes one \
                             writer at a time: wait until it is done, or keep the store on S3",
                        ))
                        .in_url(folder.display().to_string()));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn a_second_writer_is_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let first = WriteLock::acquire(folder.path(), Duration::ZERO).await.unwrap();
        let second = WriteLock::acquire(folder.path(), Duration::ZERO).await.unwrap_err();
        assert!(second.to_string().contains(&folder.path().display().to_string()));
        assert!(first.is_of(folder.path()));
        drop(first);
        WriteLock::acquire(folder.path(), Duration::ZERO).await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing");
    }
}
