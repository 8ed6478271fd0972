//! States of stores: where they lie, what of their references may be read, what is in them.

use gik::core::Result;
use gik::icechunk::{Access, Opened, Repository, StoreLocation};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::failure::exception;
use crate::runs::{parsed, registry, s3_settings};
use crate::runtime::{Listener, wait};

/// A store that is to be read, and what of the places that it refers to may be read.
pub(crate) struct State {
    pub(crate) location: StoreLocation,
    allowed: Vec<String>,
    at: Option<String>,
}

impl State {
    /// `allow` are places beside the models' public buckets.
    pub(crate) fn new(store: &str, at: Option<String>, allow: &[String]) -> PyResult<Self> {
        let mut allowed = gik::public_places(&registry()?);
        for place in allow {
            allowed.push(gik::source_url(place).map_err(|error| exception(&error))?.into());
        }
        Ok(Self { location: parsed(store)?, allowed, at })
    }

    async fn repository(&self) -> Result<Repository> {
        Repository::open(&self.location, &s3_settings(), &self.allowed).await
    }

    async fn of(&self, repository: &Repository) -> Result<Opened> {
        match &self.at {
            Some(version) => repository.at(version).await,
            None => repository.main().await,
        }
    }

    pub(crate) async fn open(&self) -> Result<Opened> {
        self.of(&self.repository().await?).await
    }
}

/// Where a store lies, its state, and the places whose references may be read: what a reader in
/// Python needs, as JSON.
#[pyfunction]
pub(crate) fn resolve(
    py: Python<'_>,
    store: &str,
    at: Option<String>,
    allow: Vec<String>,
) -> PyResult<String> {
    let state = State::new(store, at, &allow)?;
    wait(py, &Listener::new(None), || async {
        let resolved = async {
            let repository = state.repository().await?;
            let opened = state.of(&repository).await?;
            let containers = repository.authorized().map(|container| {
                json!({"prefix": container.icechunk_prefix(), "access": access(&container.access)})
            });
            Ok(json!({
                "place": place(&state.location),
                "snapshot": opened.snapshot(),
                "containers": containers.collect::<Vec<_>>(),
            }))
        };
        resolved.await.map(|it| it.to_string()).map_err(|error: gik::core::Error| exception(&error))
    })
}

fn place(location: &StoreLocation) -> Value {
    match location {
        StoreLocation::Folder(folder) => json!({"folder": folder}),
        StoreLocation::S3 { bucket, prefix } => {
            let s3 = s3_settings();
            json!({
                "bucket": bucket,
                "prefix": prefix,
                // As it is written too.
                "region": s3.region.unwrap_or_else(|| "us-east-1".to_owned()),
                "endpoint": s3.endpoint,
                "anonymous": s3.anonymous,
            })
        }
    }
}

fn access(access: &Access) -> &'static str {
    match access {
        Access::Local => "local",
        Access::Http => "http",
        Access::S3(settings) if settings.anonymous => "anonymous",
        Access::S3(_) => "credentials",
    }
}

/// Checks that a store has what it should have, and that it can be read; the report as JSON.
#[pyfunction]
pub(crate) fn validate(
    py: Python<'_>,
    store: &str,
    at: Option<String>,
    allow: Vec<String>,
    sample: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (registry, state) = (registry()?, State::new(store, at, &allow)?);
    let listener = Listener::new(progress);
    wait(py, &listener, || async {
        let tell = |done, total| listener.tell(done, total);
        let validated = async {
            let repository = state.repository().await?;
            let opened = state.of(&repository).await?;
            let history = repository.history_of(&opened, usize::MAX).await?;
            gik::validate(&registry, &opened, &history, sample, &tell).await
        };
        let validation = validated.await.map_err(|error| exception(&error))?;
        Ok(validation.to_json(&state.location.to_string()).to_string())
    })
}
