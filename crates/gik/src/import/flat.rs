//! Kerchunk datasets that are one flat group: they have all that a store needs, and no model is
//! asked.

use std::collections::BTreeMap;
use std::time::Instant;

use gik_core::{Error, ManifestStore, Registry, Result};
use gik_icechunk::{Changes, Container, WriteOptions, Writer};
use gik_legacy::{Finding, Findings, ImportRequest, ReferenceSet, Value, inputs};
use serde_json::json;
use url::Url;

use super::{ImportFrom, ImportJob, Imported, PATIENCE};
use crate::Source;

/// Imports files of kerchunk's that are flat and were written from a store, or are of no model;
/// none where the models are to be asked.
pub(super) async fn import(
    registry: &Registry,
    job: &ImportJob,
    progress: &(dyn Fn(&'static str, usize, usize) + Sync),
) -> Result<Option<Imported>> {
    let started = Instant::now();
    let ImportFrom::Files(arguments) = &job.from else { return Ok(None) };
    let asks = &job.request;
    // What is chosen, checked or moved is so in the words of a model.
    if job.verify || !is_default(asks) {
        return Ok(None);
    }
    let files = inputs(arguments)?;
    let mut manifests = Vec::new();
    let mut references = 0;
    for (done, file) in files.iter().enumerate() {
        let Some(set) = file.kerchunk()? else { return Ok(None) };
        if !is_flat(&set) || !(is_own(&set) || is_foreign(registry, &set)) {
            return Ok(None);
        }
        references += set.entries.values().filter(|it| matches!(it, Value::Range { .. })).count();
        let name = file.name().into_owned();
        manifests.push(set.to_manifest().map_err(|error| {
            let key = error.url().map(|key| format!(": {key}")).unwrap_or_default();
            Error::new(error.kind().clone()).in_url(format!("{name}{key}")).with_source(error)
        })?);
        progress("files", done + 1, files.len());
    }
    let all: Vec<&ManifestStore> = manifests.iter().collect();
    let containers = containers(registry, job, &all)?;
    let imported: u64 = all.iter().map(|manifest| manifest.group.virtual_count()).sum();
    let mut findings = Findings::default();
    let outside = (references as u64).saturating_sub(imported);
    findings.add_many(Finding::OutsideArray, outside, || arguments.join(", "));
    let facts = json!({
        "gik": env!("CARGO_PKG_VERSION"),
        "files": files.len(),
        "references": imported,
    });
    let options = WriteOptions {
        message: format!("kerchunk references of {} files", files.len()),
        properties: facts.as_object().cloned().unwrap_or_default(),
    };
    let writer = Writer::open(&job.store, &job.s3, PATIENCE).await?;
    let written = writer.add(&all, &containers, &options).await?;
    Ok(Some(Imported {
        runs: Vec::new(),
        files: files.len() as u64,
        references: references as u64,
        imported,
        findings,
        changes: Changes::default().and(written.changes),
        total_seconds: started.elapsed().as_secs_f64(),
    }))
}

fn is_default(request: &ImportRequest) -> bool {
    let ImportRequest { model, product, members, steps, variables, source } = request;
    model.is_none()
        && product.is_none()
        && members.is_none()
        && steps.is_none()
        && variables.is_none()
        && source.is_none()
}

/// Whether no array lies in a group.
fn is_flat(set: &ReferenceSet) -> bool {
    let mut arrays = set.entries.keys().filter_map(|key| key.strip_suffix("/.zarray"));
    arrays.all(|name| !name.contains('/'))
}

/// Whether it was written from a store.
fn is_own(set: &ReferenceSet) -> bool {
    set.object(".zattrs").is_some_and(|it| it.contains_key("gik_model"))
}

/// Whether no model knows a place of it, also with the ending that the older tools left out.
fn is_foreign(registry: &Registry, set: &ReferenceSet) -> bool {
    let mut urls = set.entries.values().filter_map(|value| match value {
        Value::Range { url, .. } | Value::Whole { url } => Some(url),
        Value::Inline(_) | Value::Metadata(_) => None,
    });
    let is_known = |url: &Url| registry.iter().any(|(_, it)| it.request_of_url(url).is_ok());
    !urls.next().is_some_and(|url| {
        let candidates = [Url::parse(url), Url::parse(&format!("{url}.grib2"))];
        candidates.iter().flatten().any(is_known)
    })
}

/// The places that the references lie in: a bucket, a server, or the folder that has all files.
fn containers(
    registry: &Registry,
    job: &ImportJob,
    manifests: &[&ManifestStore],
) -> Result<Vec<Container>> {
    let mut roots: BTreeMap<String, String> = BTreeMap::new();
    for (_, object) in manifests.iter().flat_map(|manifest| manifest.sources.iter()) {
        let url = Url::parse(&object.url).map_err(|error| {
            Error::argument(object.url.as_str(), "is no url").with_source(error)
        })?;
        let origin = format!("{}://{}/", url.scheme(), url.authority());
        if url.scheme() == "file" {
            let folder = folder(&object.url);
            let common = roots.entry(origin).or_insert_with(|| folder.to_owned());
            *common = shared(common, folder).to_owned();
        } else {
            roots.entry(origin.clone()).or_insert(origin);
        }
    }
    let mut list: Vec<Container> = Vec::new();
    for root in roots.values() {
        let name = match list.len() {
            0 => "references".to_owned(),
            others => format!("references-{}", others + 1),
        };
        let is_of = |hosts: &[gik_core::Host]| hosts.iter().any(|host| host.root == root);
        let model = registry.iter().map(|(_, parser)| parser.info()).find(|it| is_of(it.hosts));
        let name = model.map_or(name, |info| info.id.to_owned());
        let url = Url::parse(root)
            .map_err(|error| Error::argument(root.as_str(), "is no url").with_source(error))?;
        list.push(Source::foreign(registry, &name, &url, &job.s3)?);
    }
    Ok(list)
}

/// The folder of a file, ending with `/`.
fn folder(url: &str) -> &str {
    url.get(..url.rfind('/').map_or(0, |at| at + 1)).unwrap_or_default()
}

/// The folder that two folders lie in.
fn shared<'f>(one: &'f str, other: &str) -> &'f str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    folder(one.get(..same).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn the_folder_of_all_files() {
        assert_eq!(shared("file:///a/b/c/", "file:///a/bc/"), "file:///a/");
        assert_eq!(shared("file:///a/b/", "file:///a/b/c/"), "file:///a/b/");
        assert_eq!(shared("file:///a/", "file:///b/"), "file:///");
    }
}
