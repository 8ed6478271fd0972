//! Building, following and filling: runs into stores.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gik::core::{
    BuildOptions, Headers, Layout, ReferenceTime, Registry, RunRequest, SchemaOptions, Selection,
};
use gik::icechunk::S3Settings;
use gik::{Follow, Job, Progress, Range};
use pyo3::prelude::*;

use crate::failure::{argument, build_exception, exception};
use crate::runtime::{Listener, wait};

/// What is to be written, and how: the arguments that the command has, as texts.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Arguments {
    model: String,
    store: String,
    product: Option<String>,
    members: Option<String>,
    steps: Option<String>,
    variables: Option<Vec<String>>,
    source: Option<String>,
    layout: String,
    codec: String,
    data_type: String,
    headers: String,
}

impl Arguments {
    fn job(&self, time: ReferenceTime) -> PyResult<Job> {
        let source = self.source.as_deref().map(gik::source_url).transpose();
        Ok(Job {
            model: self.model.clone(),
            request: RunRequest {
                product: self.product.clone(),
                reference_time: time,
                members: parsed_option::<Selection>(self.members.as_deref())?,
                steps: parsed_option::<Selection>(self.steps.as_deref())?,
                variables: self.variables.clone(),
                source: source.map_err(|error| exception(&error))?,
            },
            options: build_options(&self.layout, &self.codec, &self.data_type, &self.headers)?,
            store: parsed(&self.store)?,
            s3: s3_settings(),
        })
    }
}

/// How a run is built, from the words for it.
pub(crate) fn build_options(
    layout: &str,
    codec: &str,
    data_type: &str,
    headers: &str,
) -> PyResult<BuildOptions> {
    let codecs = [("gribberish", false), ("model", true)];
    let data_types = [("float32", false), ("float64", true)];
    let all_headers = [
        ("where needed", Headers::WhereNeeded),
        ("always", Headers::Always),
        ("never", Headers::Never),
    ];
    Ok(BuildOptions {
        schema: SchemaOptions {
            layout: parsed::<Layout>(layout)?,
            model_codec: one_of("codec", codec, &codecs)?,
            float64: one_of("data_type", data_type, &data_types)?,
        },
        headers: one_of("headers", headers, &all_headers)?,
        ..BuildOptions::default()
    })
}

/// How buckets are reached: as the usual AWS variables say.
pub(crate) fn s3_settings() -> S3Settings {
    S3Settings::from_variables(|name| std::env::var(name).ok())
}

pub(crate) fn registry() -> PyResult<Registry> {
    gik::registry().map_err(|error| exception(&error))
}

pub(crate) fn parsed<T: FromStr<Err = gik::core::Error>>(text: &str) -> PyResult<T> {
    text.parse().map_err(|error| exception(&error))
}

fn parsed_option<T: FromStr<Err = gik::core::Error>>(text: Option<&str>) -> PyResult<Option<T>> {
    text.map(parsed).transpose()
}

/// The value that belongs to a word.
fn one_of<T: Copy>(name: &str, word: &str, words: &[(&str, T)]) -> PyResult<T> {
    if let Some((_, value)) = words.iter().find(|(known, _)| *known == word) {
        return Ok(*value);
    }
    let known: Vec<_> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
    Err(argument(&format!("{name}='{word}'"), &format!("is none of {}", known.join(", "))))
}

/// A span of so many seconds.
fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| argument(&format!("{name}={seconds}"), "is no number of seconds"))
}

/// Builds the store of a run, or adds the run to a store; the report as JSON.
#[pyfunction]
pub(crate) fn build(
    py: Python<'_>,
    arguments: Arguments,
    run: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (registry, job) = (registry()?, arguments.job(parsed(run)?)?);
    let listener = Listener::new(progress);
    wait(py, &listener, || async {
        let tell = |done, total| listener.tell(done, total);
        let built = gik::build(&registry, &job, &tell).await;
        let built = built.map_err(|error| build_exception(&error, &job.store))?;
        Ok(built.to_json(&job.store).to_string())
    })
}

/// The newest run that has begun to be published.
#[pyfunction]
pub(crate) fn newest_run(py: Python<'_>, arguments: Arguments) -> PyResult<String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let now = ReferenceTime::from_seconds(i64::try_from(seconds).unwrap_or_default());
    let (registry, job) = (registry()?, arguments.job(now)?);
    wait(py, &Listener::new(None), || async {
        let newest = gik::newest_run(&registry, &job, now).await;
        newest.map(|time| time.to_string()).map_err(|error| exception(&error))
    })
}

/// Adds a run to a store while it is published; the report as JSON. Spans are in seconds.
#[pyfunction]
pub(crate) fn update(
    py: Python<'_>,
    arguments: Arguments,
    run: &str,
    watch: bool,
    interval: f64,
    deadline: f64,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (registry, job) = (registry()?, arguments.job(parsed(run)?)?);
    let follow = Follow {
        watch,
        interval: seconds("interval", interval)?,
        deadline: seconds("deadline", deadline)?,
    };
    let listener = Listener::new(progress);
    wait(py, &listener, || async {
        let tell = |progress: Progress| listener.tell(progress.files, progress.of);
        let updated = gik::update(&registry, &job, follow, &tell).await;
        let updated = updated.map_err(|error| build_exception(&error, &job.store))?;
        Ok(updated.to_json(&job.store.to_string()).to_string())
    })
}

/// Adds the runs of a range to a store; the report as JSON.
#[pyfunction]
pub(crate) fn backfill(
    py: Python<'_>,
    arguments: Arguments,
    between: (String, String),
    jobs: usize,
    shard: Option<&str>,
    deadline: Option<f64>,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let range = Range {
        from: parsed(&between.0)?,
        to: parsed(&between.1)?,
        shard: parsed_option(shard)?.unwrap_or_default(),
        jobs: jobs.max(1),
        deadline: deadline.map(|limit| seconds("deadline", limit)).transpose()?,
    };
    let (registry, job) = (registry()?, arguments.job(range.from)?);
    let listener = Listener::new(progress);
    wait(py, &listener, || async {
        let tell = |done, total| listener.tell(done, total);
        let done = gik::backfill(&registry, &job, &range, &tell).await;
        let done = done.map_err(|error| build_exception(&error, &job.store))?;
        Ok(done.to_json(&job.store.to_string()).to_string())
    })
}
