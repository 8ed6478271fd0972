//! What every parser must do, whatever its model: the promises of
//! [`gik_core::Parser`], checked.
//!
//! A model's tests call [`check`] with a request and a place that holds the run's files;
//! the first promise that is broken is the error's text.

use std::collections::{BTreeMap, BTreeSet};

use gik_core::{
    Chunk, ErrorKind, ManifestArray, ObjectStoreRegistry, Parser, Run, RunRequest, SchemaOptions,
    SourceFile, SourceReader,
};

/// A broken promise, in a sentence.
pub type Broken = String;

/// Fails with the text unless the condition holds.
macro_rules! promise {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

/// Checks all promises on one run, of which `stores` holds at least one file.
///
/// # Errors
/// The first promise that is broken.
pub async fn check(
    parser: &dyn Parser,
    request: &RunRequest,
    stores: &ObjectStoreRegistry,
) -> Result<(), Broken> {
    facts(parser)?;
    requests(parser, request)?;
    schema(parser, request)?;
    sources(parser, request)?;
    references(parser, request, stores).await
}

fn facts(parser: &dyn Parser) -> Result<(), Broken> {
    let info = parser.info();
    promise!(is_identifier(info.id), "the id '{}' is not lower-case letters and digits", info.id);
    promise!(!info.products.is_empty(), "{} has no product", info.id);
    promise!(!info.hosts.is_empty(), "{} has no host", info.id);
    let ids: BTreeSet<_> = info.products.iter().map(|product| product.id).collect();
    promise!(ids.len() == info.products.len(), "two products of {} have one id", info.id);
    for host in info.hosts {
        promise!(host.root.ends_with('/'), "the root {} does not end with /", host.root);
    }
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

fn requests(parser: &dyn Parser, request: &RunRequest) -> Result<(), Broken> {
    let run = parser.run(request).map_err(|error| format!("the request is refused: {error}"))?;
    promise!(parser.run(request).ok() == Some(run.clone()), "one request gives two runs");
    promise!(run.model == parser.info().id, "the run is one of {}", run.model);
    promise!(!run.steps.is_empty() && !run.variables.is_empty(), "the run is empty");
    promise!(run.steps.is_sorted_by(|a, b| a < b), "the steps do not ascend");
    let members = run.members.clone().unwrap_or_default();
    promise!(members.is_sorted_by(|a, b| a < b), "the members do not ascend");
    promise!(run.root.as_str().ends_with('/'), "the root {} does not end with /", run.root);

    type Change = fn(&mut RunRequest);
    let wrong: [(&str, Change); 4] = [
        ("product", |it| it.product = Some("no-such-product".into())),
        ("variable", |it| it.variables = Some(vec!["no_such_variable".into()])),
        ("member", |it| it.members = "9999".parse().ok()),
        ("step", |it| it.steps = "99999".parse().ok()),
    ];
    for (what, change) in wrong {
        if what == "member" && run.members.is_none() {
            continue;
        }
        let mut request = request.clone();
        change(&mut request);
        match parser.run(&request) {
            Ok(_) => return Err(format!("a {what} that does not exist is accepted")),
            Err(error) => promise!(
                matches!(error.kind(), ErrorKind::InvalidArgument { .. }),
                "a {what} that does not exist is no wrong argument: {error}"
            ),
        }
    }
    Ok(())
}

fn schema(parser: &dyn Parser, request: &RunRequest) -> Result<(), Broken> {
    let failed = |error: gik_core::Error| error.to_string();
    let run = parser.run(request).map_err(failed)?;
    let options = SchemaOptions::default();
    let group = parser.schema(&run, &options).map_err(failed)?;
    promise!(
        parser.schema(&run, &options).ok().as_ref() == Some(&group),
        "one run gives two schemas"
    );
    let names: Vec<_> = group.data.iter().map(|(name, _)| name).collect();
    promise!(names.iter().copied().eq(&run.variables), "the arrays are not the run's variables");
    let all: BTreeSet<_> = group.arrays().map(|(name, _)| name).collect();
    promise!(all.len() == group.arrays().count(), "two arrays have one name");
    for (name, array) in group.arrays() {
        let lengths = |other: &str| group.array(other).map(|it| it.metadata.shape.clone());
        array_is_whole(name, array)?;
        for (dimension, &length) in array.metadata.dimension_names.iter().zip(&array.metadata.shape)
        {
            if dimension == "bounds" {
                continue;
            }
            promise!(
                lengths(dimension) == Some(vec![length]),
                "{name} has {length} points along {dimension}, its coordinate does not"
            );
        }
    }
    for (name, array) in &group.data {
        data_is_described(name, array)?;
    }
    for (name, array) in &group.coordinates {
        promise!(array.chunks.virtual_count() == 0, "the coordinate {name} is virtual");
        for index in 0..array.metadata.chunk_count() {
            promise!(array.chunks.get(index) != Chunk::Missing, "the coordinate {name} has a hole");
        }
    }
    Ok(())
}

fn array_is_whole(name: &str, array: &ManifestArray) -> Result<(), Broken> {
    let metadata = &array.metadata;
    let rank = metadata.shape.len();
    promise!(
        metadata.chunk_shape.len() == rank && metadata.dimension_names.len() == rank,
        "shape, chunks and dimensions of {name} differ in number"
    );
    promise!(metadata.chunk_shape.iter().all(|&length| length > 0), "{name} has empty chunks");
    promise!(
        metadata.chunk_count() == array.chunks.len(),
        "the manifest of {name} is not of its chunk grid"
    );
    Ok(())
}

fn data_is_described(name: &str, array: &ManifestArray) -> Result<(), Broken> {
    promise!(is_identifier(name), "the name {name} is not lower-case letters, digits and _");
    let text = |key: &str| array.metadata.attributes.get(key).and_then(|value| value.as_str());
    for key in ["units", "long_name", "GRIB_shortName", "GRIB_stepType", "GRIB_typeOfLevel"] {
        promise!(text(key).is_some_and(|value| !value.is_empty()), "{name} has no {key}");
    }
    if let Some(standard) = text("standard_name") {
        promise!(is_identifier(standard), "the standard_name of {name} is '{standard}'");
    }
    let windowed = text("GRIB_stepType") != Some("instant");
    promise!(
        windowed == text("cell_methods").is_some(),
        "cell_methods of {name} and its GRIB_stepType disagree"
    );
    promise!(array.chunks.virtual_count() == 0, "the schema of {name} has references");
    Ok(())
}

fn sources(parser: &dyn Parser, request: &RunRequest) -> Result<(), Broken> {
    let failed = |error: gik_core::Error| error.to_string();
    let run = parser.run(request).map_err(failed)?;
    let sources = parser.sources(&run).map_err(failed)?;
    promise!(
        parser.sources(&run).ok().as_ref() == Some(&sources),
        "one run gives two lists of files"
    );
    promise!(!sources.is_empty(), "the run has no files");
    expected(parser, &run, &sources)?;
    let urls: BTreeSet<_> = sources.iter().map(|source| source.data.as_str()).collect();
    promise!(urls.len() == sources.len(), "a file is in the list twice");
    let members = run.members.as_ref().map_or(1, Vec::len);
    for source in &sources {
        for url in [&source.data, &source.index] {
            promise!(
                url.as_str().starts_with(source.folder.as_str()),
                "{url} is not in its folder"
            );
            promise!(url.as_str().starts_with(run.root.as_str()), "{url} is not below the root");
        }
        promise!(
            source.member.is_none_or(|member| (member as usize) < members)
                && (source.step as usize) < run.steps.len(),
            "{} lies outside the run",
            source.data
        );
        promise!(source.expected > 0, "{} contributes nothing", source.data);
        let again = parser.request_of_url(&source.data).and_then(|request| parser.run(&request));
        let again = again.map_err(|error| format!("the url of a file is refused: {error}"))?;
        // A file may hold more steps than the one it is named by.
        let step = run.steps.get(source.step as usize);
        promise!(
            step.is_some_and(|step| again.steps.contains(step))
                && again.reference_time == run.reference_time,
            "{} is taken for another step or run",
            source.data
        );
    }
    Ok(())
}

/// What must be there is counted and listed alike.
fn expected(parser: &dyn Parser, run: &Run, sources: &[SourceFile]) -> Result<(), Broken> {
    let expected = parser.expected(run).map_err(|error| error.to_string())?;
    promise!(
        parser.expected(run).ok().as_ref() == Some(&expected),
        "one run gives two lists of messages"
    );
    let places: BTreeSet<_> = expected.iter().collect();
    promise!(places.len() == expected.len(), "a message is expected twice");
    let members = run.members.as_ref().map_or(1, Vec::len);
    let counted: u64 = sources.iter().map(|source| u64::from(source.expected)).sum();
    let listed = (expected.len() * members) as u64;
    promise!(counted == listed, "the files must have {counted} messages, but {listed} are listed");
    let schema =
        parser.schema(run, &SchemaOptions::default()).map_err(|error| error.to_string())?;
    let positions = (run.steps.len() * members) as u64;
    for place in &expected {
        let array = schema.data.get(place.variable as usize).map(|(_, array)| array);
        let levels = array.map_or(0, |array| array.chunks.len() / positions.max(1));
        promise!(
            (place.step as usize) < run.steps.len() && u64::from(place.level) < levels,
            "a message that is expected lies outside its array"
        );
    }
    Ok(())
}

async fn references(
    parser: &dyn Parser,
    request: &RunRequest,
    stores: &ObjectStoreRegistry,
) -> Result<(), Broken> {
    let failed = |error: gik_core::Error| error.to_string();
    let run = parser.run(request).map_err(failed)?;
    let group = parser.schema(&run, &SchemaOptions::default()).map_err(failed)?;
    let reader = SourceReader::new(stores.clone());
    let members = run.members.as_ref().map_or(1, Vec::len);
    let chunks = (run.steps.len() * members) as u64;
    let mut files = 0;
    for source in parser.sources(&run).map_err(failed)? {
        let first = match parser.references(&run, &source, &reader).await {
            Ok(first) => first,
            Err(error) => {
                promise!(error.url().is_some(), "an error names no file: {error}");
                continue;
            }
        };
        files += 1;
        let second = parser.references(&run, &source, &reader).await.map_err(failed)?;
        promise!(first.references == second.references, "{} is read in two ways", source.data);
        let size = reader.stat(&source.folder, &source.data).await.map_err(failed)?.size;
        let mut ranges = BTreeMap::new();
        for reference in &first.references {
            let array = group.data.get(reference.variable as usize).map(|(_, array)| array);
            let levels = array.map_or(0, |array| array.chunks.len() / chunks.max(1));
            promise!(
                (reference.member as usize) < members
                    && source.member.is_none_or(|member| member == reference.member),
                "a reference of {} is another member's",
                source.data
            );
            promise!(
                (reference.step as usize) < run.steps.len() && reference.step <= source.step,
                "a reference of {} is at another step",
                source.data
            );
            promise!(
                u64::from(reference.level) < levels,
                "a reference of {} lies outside its array",
                source.data
            );
            let end = reference.offset.checked_add(u64::from(reference.length.get()));
            promise!(
                end.is_some_and(|end| end <= size),
                "a reference of {} ends after the file",
                source.data
            );
            ranges.insert(reference.offset, end.unwrap_or(u64::MAX));
        }
        // Messages that share a range are parts of one; others lie one after the other.
        let ends = ranges.values();
        promise!(
            ranges.keys().skip(1).zip(ends).all(|(start, end)| start >= end),
            "references of {} overlap",
            source.data
        );
        let places: BTreeSet<_> =
            first.references.iter().map(|it| (it.member, it.step, it.variable, it.level)).collect();
        promise!(
            places.len() == first.references.len(),
            "two references of {} have one place",
            source.data
        );
        let needed = (first.references.len() as u64).saturating_sub(u64::from(first.optional));
        promise!(
            needed <= u64::from(source.expected) || !first.diagnostics.is_empty(),
            "{} has more references than expected and says nothing",
            source.data
        );
    }
    promise!(files > 0, "no file of the run could be read");
    Ok(())
}
