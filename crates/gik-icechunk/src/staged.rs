//! Runs that come before others in time: what lies behind them moves.
//!
//! A session holds a few hundred bytes for each reference that it moves, and a store of years has
//! 10⁸. So arrays move one by one, a commit each, on a branch that nobody reads; `main` is set to
//! what came of it at once. Those commits are parts of the last one, and no states to go back to.

use std::time::{SystemTime, UNIX_EPOCH};

use gik_core::ManifestStore;
use icechunk::Repository;
use icechunk::format::SnapshotId;

use crate::transaction::{Changes, Room, Transaction};
use crate::write::Failure;
use crate::{Container, WriteOptions, Writer, fault};

/// Begins the names of the branches on which references move; seconds since 1970 follow.
const BRANCH: &str = "gik-moving-";
/// The property of a commit that is a part of a later one.
pub(crate) const PART: &str = "gik_part";

impl Writer {
    /// Adds runs to the state that `base` holds, in the room that they need. The answer is the new
    /// commit of `main`.
    pub(crate) async fn add_staged(
        &self,
        repository: &Repository,
        base: Transaction<'_>,
        room: &Room,
        runs: &[&ManifestStore],
        containers: &[Container],
        options: &WriteOptions,
    ) -> Result<(String, Changes), Failure> {
        let failed = |error| self.failure_of_repository(&error);
        if self.location().folder().is_some() {
            // The folder is locked: whoever began another branch is gone.
            remove_branches(repository, i64::MAX).await;
        }
        let base = base.session.read().await.snapshot_id().clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let branch =
            format!("{BRANCH}{}-{}-{}", now.as_secs(), now.subsec_nanos(), std::process::id());
        repository.create_branch(&branch, &base).await.map_err(failed)?;
        let outcome = self.add_on(repository, &branch, room, runs, containers, options).await;
        let outcome = match outcome {
            Ok((tip, changes)) => repository
                .reset_branch("main", &tip, Some(&base))
                .await
                .map(|()| (tip.to_string(), changes))
                .map_err(failed),
            Err(failure) => Err(failure),
        };
        // One that stays is removed by house-keeping.
        let _ = repository.delete_branch(&branch).await;
        outcome
    }

    async fn add_on(
        &self,
        repository: &Repository,
        branch: &str,
        room: &Room,
        runs: &[&ManifestStore],
        containers: &[Container],
        options: &WriteOptions,
    ) -> Result<(SnapshotId, Changes), Failure> {
        let mut part = options.clone();
        part.properties.insert(PART.to_owned(), true.into());
        for name in room.arrays() {
            let transaction = self.begin(repository, branch).await?;
            transaction.make_room_in(room, name).await?;
            self.commit(&transaction, &part, Changes::default()).await?;
        }
        let mut transaction = self.begin(repository, branch).await?;
        let changes = self.add_in(&mut transaction, Some(room), runs, containers).await?;
        let tip = self.commit(&transaction, options, changes).await?;
        let tip = SnapshotId::try_from(tip.as_str())
            .map_err(|error| fault::io(self.location(), &error))?;
        Ok((tip, changes))
    }
}

/// Removes branches on which references moved that were begun before a time, in seconds since 1970.
pub(crate) async fn remove_branches(repository: &Repository, before: i64) {
    for name in repository.list_branches().await.unwrap_or_default() {
        let begun = name.strip_prefix(BRANCH).and_then(|rest| rest.split('-').next());
        if begun.and_then(|seconds| seconds.parse::<i64>().ok()).is_some_and(|it| it < before) {
            let _ = repository.delete_branch(&name).await;
        }
    }
}
