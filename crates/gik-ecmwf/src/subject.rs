//! What an index is about, and which of its lines are about something else.

use gik_core::{Error, Result, Run, SourceFile};
use gik_index::ecmwf::{Entry, Index};

use crate::config::FileKind;

/// The step of a file, in hours.
pub(crate) fn step_of(run: &Run, source: &SourceFile) -> u32 {
    run.steps.get(source.step as usize).copied().unwrap_or_default()
}

/// Why a line is not about this product, run and step, if it says so.
pub(crate) fn other_subject(
    run: &Run,
    kind: &FileKind,
    step: u32,
    entry: &Entry<'_>,
) -> Option<String> {
    if let Some(time) = entry.reference_time
        && time != run.reference_time
    {
        return Some(format!("run of {time}"));
    }
    if let Some(hour) = entry.hour.filter(|&hour| hour != run.reference_time.hour()) {
        return Some(format!("run of {hour:02} UTC"));
    }
    if let Some(steps) = entry.steps.filter(|steps| steps.end != step) {
        return Some(format!("step {steps}"));
    }
    if let Some(stream) = entry.stream.as_deref()
        && long_stream(stream) != long_stream(kind.stream(run.reference_time))
    {
        return Some(format!("stream {stream}"));
    }
    // `od` is operational, `ai` the data-driven models; trials had other classes.
    let other_class = if run.product.starts_with("aifs") { "od" } else { "ai" };
    if entry.class.as_deref() == Some(other_class) {
        return Some(format!("class {other_class}"));
    }
    entry
        .model
        .as_deref()
        .filter(|model| is_other_model(run.product, model))
        .map(|model| format!("model {model}"))
}

/// Runs of 06 and 18z had streams of their own, for the same fields.
fn long_stream(stream: &str) -> &str {
    match stream {
        "scda" => "oper",
        "scwv" => "wave",
        other => other,
    }
}

/// Whether a line names the model of another product: `aifs-ens` in a file of `aifs-single`.
fn is_other_model(product: &str, model: &str) -> bool {
    let aifs = |name: &str| name.starts_with("aifs");
    if aifs(product) { aifs(model) && model != product } else { aifs(model) }
}

/// Refuses an index most of whose lines are about another run or step: it lies beside the
/// wrong file. Single such lines are damage, and cost only themselves.
pub(crate) fn check_subject(
    run: &Run,
    source: &SourceFile,
    kind: &FileKind,
    index: &Index<'_>,
) -> Result<()> {
    let step = step_of(run, source);
    let others =
        index.entries.iter().filter(|it| other_subject(run, kind, step, it).is_some()).count();
    if others * 2 <= index.entries.len() {
        return Ok(());
    }
    let first = index.entries.iter().find_map(|it| {
        other_subject(run, kind, step, it).map(|subject| format!("line {}: {subject}", it.line))
    });
    Err(Error::mismatch(
        "subject of the index",
        format!("{} {}, step {step}", run.product, run.reference_time),
        format!("{} on {others} of {} lines", first.unwrap_or_default(), index.entries.len()),
    )
    .in_url(source.index.as_str()))
}
