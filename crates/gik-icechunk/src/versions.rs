//! Earlier states of a repository, and names for them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use futures::TryStreamExt;
use gik_core::{Error, ErrorKind, ReferenceTime, Result};
use icechunk::format::SnapshotId;
use icechunk::repository::{RepositoryErrorKind, VersionInfo};

use crate::lock::WriteLock;
use crate::staged::PART;
use crate::{Opened, Repository, fault};

/// How long a tag waits for somebody else's commit.
const PATIENCE: Duration = Duration::from_secs(60);

impl Repository {
    /// The state that `version` names: a tag, the id of a commit, or a time in UTC
    /// (`2025-01-06T12` or `2025-01-06T12:30:00`), which stands for the newest commit until then.
    ///
    /// # Errors
    /// When there is no such state; the text says what can be written.
    pub async fn at(&self, version: &str) -> Result<Opened> {
        let info = self.version(version).await?;
        self.opened(&info).await
    }

    /// The names of commits, and their ids.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn tags(&self) -> Result<BTreeMap<String, String>> {
        let failed = |error| fault::repository(&self.location, &error);
        let mut tags = BTreeMap::new();
        for name in self.inner.list_tags().await.map_err(failed)? {
            let snapshot = self.inner.lookup_tag(&name).await.map_err(failed)?;
            tags.insert(name, snapshot.to_string());
        }
        Ok(tags)
    }

    /// Names the newest commit of `main`, or that of `version`, for good: tags are never moved,
    /// and what they name does not expire. The answer is the commit's id.
    ///
    /// # Errors
    /// When the name is taken or none for a tag, or there is no such version; when another process writes to a
    /// local store for longer than a minute.
    pub async fn tag(&self, name: &str, version: Option<&str>) -> Result<String> {
        let failed = |error| fault::repository(&self.location, &error);
        check_name(name)?;
        // A tag is written into the same file as a commit.
        let _lock = match self.location.folder() {
            Some(folder) => Some(WriteLock::acquire(folder, PATIENCE).await?),
            None => None,
        };
        let info = match version {
            Some(version) => self.version(version).await?,
            None => VersionInfo::BranchTipRef("main".to_owned()),
        };
        let snapshot = self.inner.resolve_version(&info).await.map_err(failed)?;
        if self.tags().await?.contains_key(name) {
            return Err(Error::argument(
                format!("tag '{name}'"),
                "is taken, and tags are never moved; choose another name",
            ));
        }
        self.inner.create_tag(name, &snapshot).await.map_err(failed)?;
        Ok(snapshot.to_string())
    }

    async fn version(&self, version: &str) -> Result<VersionInfo> {
        let tags = self.tags().await?;
        if tags.contains_key(version) {
            return Ok(VersionInfo::TagRef(version.to_owned()));
        }
        if let Some(at) = parse_time(version) {
            return self.until(at).await;
        }
        if let Ok(id) = SnapshotId::try_from(version) {
            return Ok(VersionInfo::SnapshotId(id));
        }
        let names: Vec<&str> = tags.keys().map(String::as_str).collect();
        let there = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        Err(Error::argument(
            format!("version '{version}'"),
            format!(
                "is no tag (there are: {there}), no id of a commit (see gik history) and no time \
                 like 2025-01-06T12"
            ),
        ))
    }

    /// The newest commit of `main` at a time.
    async fn until(&self, at: DateTime<Utc>) -> Result<VersionInfo> {
        let failed = |error| fault::repository(&self.location, &error);
        let main = VersionInfo::BranchTipRef("main".to_owned());
        let mut commits = Box::pin(self.inner.ancestry(&main).await.map_err(failed)?);
        while let Some(commit) = commits.try_next().await.map_err(failed)? {
            if commit.flushed_at <= at && !commit.metadata.contains_key(PART) {
                return Ok(VersionInfo::SnapshotId(commit.id));
            }
        }
        // Icechunk's own words for a time before the first commit.
        Ok(VersionInfo::AsOf { branch: "main".to_owned(), at })
    }

    async fn opened(&self, version: &VersionInfo) -> Result<Opened> {
        let session = self.inner.readonly_session(version).await.map_err(|error| {
            let kind = &error.kind;
            if matches!(
                kind,
                RepositoryErrorKind::SnapshotNotFound { .. }
                    | RepositoryErrorKind::InvalidAsOfSpec { .. }
                    | RepositoryErrorKind::InvalidSnapshotId(_)
            ) {
                return Error::new(ErrorKind::NotFound)
                    .with_source(std::io::Error::other(format!(
                        "{kind}; gik history lists the commits"
                    )))
                    .in_url(self.location.to_string());
            }
            fault::repository(&self.location, &error)
        })?;
        Ok(Opened::new(self.location.clone(), session).await)
    }

    /// The newest state of `main`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn main(&self) -> Result<Opened> {
        self.opened(&VersionInfo::BranchTipRef("main".to_owned())).await
    }
}

/// Whether a tag may be called so: tags can not be removed, and `--at` takes times and ids of
/// commits, too.
fn check_name(name: &str) -> Result<()> {
    let of_a_name = |it: char| it.is_ascii_alphanumeric() || "-_.+".contains(it);
    let is_name = name.starts_with(|it: char| it.is_ascii_alphanumeric())
        && name.len() <= 100
        && name.chars().all(of_a_name);
    if is_name && parse_time(name).is_none() && SnapshotId::try_from(name).is_err() {
        return Ok(());
    }
    Err(Error::argument(
        format!("tag '{name}'"),
        "is no name; write letters and digits, with - _ . + between, up to 100, and neither a time \
         nor the id of a commit",
    ))
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim_end_matches('Z');
    let full = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").ok();
    let seconds = match full {
        Some(time) => time.and_utc().timestamp(),
        None => text.parse::<ReferenceTime>().ok()?.seconds(),
    };
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tags() {
        for good in ["v1", "before-the-flood", "2025", "a.b_c+d"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        let long = "x".repeat(101);
        for wrong in ["", "../x", "a b", "2025-01-06T00", "-x", "VFVP1BPSK4AHXBXR9FGG", &long] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_commits() {
        let seconds = |text| parse_time(text).map(|time| time.timestamp());
        assert_eq!(seconds("2025-01-06T12"), Some(1_736_164_800));
        assert_eq!(seconds("2025-01-06T12:00:05Z"), Some(1_736_164_805));
        assert_eq!(seconds("VFVP1BPSK4AHXBXR9FGG"), None);
    }
}
