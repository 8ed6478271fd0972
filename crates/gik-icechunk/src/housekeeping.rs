//! Forgetting old states of a repository, and removing what only they needed.

use std::num::{NonZeroU16, NonZeroUsize};
use std::sync::Arc;

use chrono::DateTime;
use futures::{StreamExt, TryStreamExt};
use gik_core::{Error, Result};
use icechunk::Repository;
use icechunk::ops::expiration::{ExpiredRefAction, expire};
use icechunk::ops::gc::{GCConfig, garbage_collect};
use icechunk::storage::StorageContext;

use crate::read::without_preloading;
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

/// Where Icechunk keeps what a commit replaced.
const OVERWRITTEN: &str = "overwritten";

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
        let repository = Repository::open(storage)
            .config(without_preloading())
            .execute()
            .await
            .map_err(|error| fault::repository(self.location(), &error))?;
        let config = repository.config();
        let mut removed = Removed::default();
        if !dry_run {
            let expired = expire(
                Arc::clone(repository.asset_manager()),
                time(older_than)?,
                ExpiredRefAction::Ignore,
                ExpiredRefAction::Ignore,
                Some(config.repo_update_retries()),
                config.num_updates_per_repo_info_file(),
            )
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
        let summary = garbage_collect(
            Arc::clone(repository.asset_manager()),
            &garbage,
            Some(config.repo_update_retries()),
            config.num_updates_per_repo_info_file(),
        )
        .await
        .map_err(|error| failed(&error))?;
        removed.objects = summary.chunks_deleted
            + summary.manifests_deleted
            + summary.snapshots_deleted
            + summary.attributes_deleted
            + summary.transaction_logs_deleted;
        removed.bytes = summary.bytes_deleted;
        let (objects, bytes) = self.remove_overwritten(unused, dry_run).await?;
        removed.objects += objects;
        removed.bytes += bytes;
        Ok(removed)
    }

    /// Icechunk keeps a copy of the file `repo` for each commit, and its own collection of
    /// garbage leaves them: they would take more than all else after some thousand commits.
    async fn remove_overwritten(
        &self,
        unused_since: DateTime<chrono::Utc>,
        dry_run: bool,
    ) -> Result<(u64, u64)> {
        let failed = |error: icechunk::StorageError| fault::io(self.location(), &error.kind);
        let storage = self.location().storage(self.s3()).await?;
        let settings = storage.default_settings().await.map_err(failed)?;
        let context = StorageContext::unattributed(&settings);
        let copies = storage.list_objects(&context, OVERWRITTEN).await.map_err(failed)?;
        let old: Vec<(String, u64)> = copies
            .try_filter(|copy| std::future::ready(copy.created_at < unused_since))
            .map_ok(|copy| (copy.id, copy.size_bytes))
            .try_collect()
            .await
            .map_err(failed)?;
        let (objects, bytes) = (old.len() as u64, old.iter().map(|(_, size)| size).sum());
        if !dry_run && !old.is_empty() {
            let old = futures::stream::iter(old).boxed();
            storage.delete_objects(&context, OVERWRITTEN, old).await.map_err(failed)?;
        }
        Ok((objects, bytes))
    }
}
