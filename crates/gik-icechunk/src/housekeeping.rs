//! Forgetting old states of a repository, and removing what only they needed.

use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use gik_core::{Error, Result};
use icechunk::ops::expiration::{ExpiredRefAction, expire};
use icechunk::ops::gc::{GCConfig, garbage_collect};
use icechunk::ops::{GCError, GCResult};
use icechunk::storage::StorageContext;
use icechunk::{Repository, Storage};

use crate::repository::own_config;
use crate::staged::remove_branches;
use crate::write::{is_conflict, pause};
use crate::{Writer, fault};

/// What house-keeping removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// States that can no longer be read.
    pub commits: u64,
    /// Objects that nothing refers to any more.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// Memory for manifests while the objects in use are found out, in bytes.
const MANIFEST_MEMORY: usize = 512 << 20;

impl Writer {
    /// Forgets the commits before `older_than` (seconds since 1970) but for the newest of `main`
    /// and those that tags name, then removes objects that nothing refers to and that were
    /// written before `unused_since`. Other writers may be at work as long as none began its
    /// commit before `unused_since`.
    ///
    /// A dry run of the first part is not possible: with `dry_run` only objects that are unused
    /// already are counted, and nothing is removed.
    ///
    /// # Errors
    /// When there is no repository, or it cannot be written.
    pub async fn expire(
        &self,
        older_than: i64,
        unused_since: i64,
        dry_run: bool,
    ) -> Result<Removed> {
        let time = |seconds: i64| {
            DateTime::from_timestamp(seconds, 0)
                .ok_or_else(|| Error::argument(format!("time {seconds}"), "is out of range"))
        };
        let failed = |error: &dyn std::fmt::Display| fault::io(self.location(), error);
        let storage = self.location().storage(self.s3()).await?;
        let repository = Repository::open(Arc::clone(&storage))
            .config(own_config())
            .execute()
            .await
            .map_err(|error| fault::repository(self.location(), &error))?;
        let config = repository.config();
        let mut removed = Removed::default();
        if !dry_run {
            let older = time(older_than)?;
            remove_branches(&repository, unused_since).await;
            let expired = patiently(|| {
                expire(
                    Arc::clone(repository.asset_manager()),
                    older,
                    ExpiredRefAction::Ignore,
                    ExpiredRefAction::Ignore,
                    Some(config.repo_update_retries()),
                    config.num_updates_per_repo_info_file(),
                )
            })
            .await
            .map_err(|error| failed(&error))?;
            removed.commits = expired.released_snapshots.len() as u64;
        }
        let count = |number: u16| NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN);
        let bytes = NonZeroUsize::new(MANIFEST_MEMORY).unwrap_or(NonZeroUsize::MIN);
        let unused = time(unused_since)?;
        let garbage = GCConfig::clean_all(
            unused,
            unused,
            None,
            count(50),
            bytes,
            bytes,
            count(16),
            count(10),
            count(10),
            None,
            dry_run,
        );
        let summary = patiently(|| {
            garbage_collect(
                Arc::clone(repository.asset_manager()),
                &garbage,
                Some(config.repo_update_retries()),
                config.num_updates_per_repo_info_file(),
            )
        })
        .await
        .map_err(|error| failed(&error))?;
        removed.objects = summary.chunks_deleted
            + summary.manifests_deleted
            + summary.snapshots_deleted
            + summary.attributes_deleted
            + summary.transaction_logs_deleted;
        removed.bytes = summary.bytes_deleted;
        let backups = self.backups(&storage, unused).await?;
        removed.objects += backups.len() as u64;
        removed.bytes += backups.iter().map(|(_, bytes)| bytes).sum::<u64>();
        if !dry_run {
            let settings = storage.default_settings().await.map_err(|error| failed(&error))?;
            let context = StorageContext::unattributed(&settings);
            storage
                .delete_objects(&context, BACKUPS, futures::stream::iter(backups).boxed())
                .await
                .map_err(|error| failed(&error))?;
        }
        Ok(removed)
    }

    /// Earlier states of the file that lists all commits, written before a time: each commit
    /// leaves one, which grows with their number, and Icechunk removes none. They are read for
    /// its log of operations alone, which ends where one is missing.
    async fn backups(
        &self,
        storage: &Arc<dyn Storage + Send + Sync>,
        before: DateTime<Utc>,
    ) -> Result<Vec<(String, u64)>> {
        let failed = |error: icechunk::StorageError| fault::io(self.location(), &error.kind);
        let settings = storage.default_settings().await.map_err(failed)?;
        let context = StorageContext::unattributed(&settings);
        let objects = storage.list_objects(&context, BACKUPS).await.map_err(failed)?;
        objects
            .try_filter(|object| {
                let is_old = object.id.starts_with("repo.") && object.created_at < before;
                std::future::ready(is_old)
            })
            .map_ok(|object| (object.id, object.size_bytes))
            .try_collect()
            .await
            .map_err(failed)
    }
}

/// Where Icechunk keeps what it overwrote.
const BACKUPS: &str = "overwritten";
/// How often house-keeping is tried while others commit.
const ATTEMPTS: u32 = 20;

/// The outcome of an operation that gives up when others commit at the same time, tried again
/// then.
async fn patiently<T, F: Future<Output = GCResult<T>>>(operation: impl Fn() -> F) -> GCResult<T> {
    let mut attempt = 1;
    loop {
        match operation().await {
            Err(GCError::Repository(error)) if attempt < ATTEMPTS && is_conflict(&error.kind) => {
                attempt += 1;
                tokio::time::sleep(pause(attempt)).await;
            }
            outcome => return outcome,
        }
    }
}
