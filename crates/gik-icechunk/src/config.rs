//! The configuration that is kept in a repository.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU64};

use gik_core::{ManifestStore, Result};
use icechunk::RepositoryConfig;
use icechunk::config::{
    ManifestConfig, ManifestSplitCondition, ManifestSplitDim, ManifestSplitDimCondition,
    ManifestSplittingConfig, ManifestVirtualChunkLocationCompressionConfig,
};
use icechunk::storage::{ConcurrencySettings, RetriesSettings, Settings};

use crate::Container;

/// References in a manifest to aim at. Below a thousand, a snapshot of years lists too
/// many manifests; above ten thousand, an append rewrites too much.
const REFERENCES_PER_MANIFEST: u64 = 10_000;
/// The append dimension.
const APPEND_DIMENSION: &str = "time";
/// Chunks up to this size lie in the manifest itself: every coordinate of a global grid,
/// so that opening a store fetches nothing else.
const INLINE_BYTES: u16 = 16_384;
/// A message in one request: the largest have a few megabytes.
const REQUEST_BYTES: u64 = 16 << 20;

pub(crate) fn repository_config(
    manifest: &ManifestStore,
    containers: &[Container],
) -> Result<RepositoryConfig> {
    let mut config = RepositoryConfig {
        inline_chunk_threshold_bytes: Some(INLINE_BYTES),
        // These also govern how virtual chunks are fetched, from whatever place. The
        // defaults for a local folder would cut each message into many requests and
        // never try again.
        storage: Some(Settings {
            concurrency: Some(ConcurrencySettings {
                max_concurrent_requests_for_object: NonZeroU16::new(4),
                ideal_concurrent_request_size: NonZeroU64::new(REQUEST_BYTES),
            }),
            retries: Some(RetriesSettings {
                max_tries: NonZeroU16::new(8),
                initial_backoff_ms: Some(100),
                max_backoff_ms: Some(10_000),
            }),
            ..Settings::default()
        }),
        manifest: Some(ManifestConfig {
            splitting: Some(ManifestSplittingConfig {
                split_sizes: Some(merged(Splits::new(), &[manifest]).0),
            }),
            max_concurrent_manifest_fetches_during_commit: Some(16),
            // The dictionary makes manifests larger on disk and lookups slower; whole
            // manifests are compressed anyway.
            virtual_chunk_location_compression: Some(
                ManifestVirtualChunkLocationCompressionConfig {
                    dictionary_max_training_samples: Some(0),
                    ..Default::default()
                },
            ),
            ..ManifestConfig::default()
        }),
        ..RepositoryConfig::default()
    };
    for container in containers {
        config
            .set_virtual_chunk_container(container.config()?)
            .map_err(|reason| gik_core::Error::argument(container.name.as_str(), reason))?;
    }
    Ok(config)
}

/// The configuration of a repository with the containers and arrays that it lacks; none when it
/// lacks nothing. `urls` are those that references go to.
pub(crate) fn extended_config(
    config: &RepositoryConfig,
    runs: &[&ManifestStore],
    containers: &[Container],
    urls: &[&str],
) -> Result<Option<RepositoryConfig>> {
    let mut extended = config.clone();
    let mut is_changed = false;
    let there: Vec<Container> =
        config.virtual_chunk_containers().filter_map(Container::of_config).collect();
    let covers = |container: &Container, url: &str| container.location(url).is_some();
    for container in containers {
        let lacks =
            |url: &&str| covers(container, url) && !there.iter().any(|other| covers(other, url));
        if !urls.iter().any(lacks) {
            continue;
        }
        // Another place of the same name keeps it: its references go by it.
        let is_taken = |name: &str| there.iter().any(|other| other.name == name);
        let name = std::iter::once(container.name.clone())
            .chain((2..).map(|number| format!("{}-{number}", container.name)))
            .find(|name| !is_taken(name))
            .unwrap_or_default();
        let container = Container { name, ..container.clone() };
        extended
            .set_virtual_chunk_container(container.config()?)
            .map_err(|reason| gik_core::Error::argument(container.name.as_str(), reason))?;
        is_changed = true;
    }
    let mut manifest = extended.manifest.clone().unwrap_or_default();
    let splits = manifest.splitting.take().and_then(|it| it.split_sizes).unwrap_or_default();
    let (splits, is_changed_there) = merged(splits, runs);
    manifest.splitting = Some(ManifestSplittingConfig { split_sizes: Some(splits) });
    extended.manifest = Some(manifest);
    is_changed |= is_changed_there;
    Ok(is_changed.then_some(extended))
}

type Splits = Vec<(ManifestSplitCondition, Vec<ManifestSplitDim>)>;

/// How many reference times go into a manifest of each array, by its chunks per time.
fn times_per_manifest(manifest: &ManifestStore) -> BTreeMap<&str, u32> {
    let mut times = BTreeMap::new();
    for (name, array) in &manifest.group.data {
        let first = array.metadata.dimension_names.first().map(String::as_str);
        if first != Some(APPEND_DIMENSION) {
            continue;
        }
        let of_array = array.metadata.grid().first().copied().unwrap_or(1).max(1);
        let per_time = (array.chunks.len() / of_array).max(1);
        let in_manifest = REFERENCES_PER_MANIFEST.div_ceil(per_time);
        times.insert(name.as_str(), u32::try_from(in_manifest).unwrap_or(u32::MAX));
    }
    times
}

/// The splits with those of arrays that are new, and of arrays of which a run has at least twice
/// as many chunks as those before: a store may begin with a part of a run. Manifests that are
/// there are split when they are written anew. Whether anything changed, too.
fn merged(splits: Splits, runs: &[&ManifestStore]) -> (Splits, bool) {
    let mut times = BTreeMap::<String, u32>::new();
    let mut others = Splits::new();
    for (condition, dimensions) in splits {
        match (names_of(&condition), dimensions.as_slice()) {
            (Some(names), [dimension]) => {
                times.extend(names.into_iter().map(|name| (name, dimension.num_chunks)));
            }
            _ => others.push((condition, dimensions)),
        }
    }
    let mut is_changed = false;
    for run in runs {
        for (name, wanted) in times_per_manifest(run) {
            let there = times.get(name).copied();
            if there.is_none_or(|there| wanted <= there / 2) {
                times.insert(name.to_owned(), wanted);
                is_changed = true;
            }
        }
    }
    let mut splits = splits_of(&times);
    splits.extend(others);
    (splits, is_changed)
}

/// The names in a condition that [`splits_of`] made.
fn names_of(condition: &ManifestSplitCondition) -> Option<Vec<String>> {
    let ManifestSplitCondition::NameMatches { regex } = condition else { return None };
    let names = regex.strip_prefix("^(")?.strip_suffix(")$")?;
    let is_name = |name: &str| name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    names.split('|').map(|name| is_name(name).then(|| name.to_owned())).collect()
}

/// A condition for all arrays of the same number.
fn splits_of(times: &BTreeMap<String, u32>) -> Splits {
    let mut arrays = BTreeMap::<u32, Vec<&str>>::new();
    for (name, &number) in times {
        arrays.entry(number).or_default().push(name);
    }
    arrays
        .into_iter()
        .map(|(num_chunks, names)| {
            // Array names are made of letters, digits and underscores.
            let regex = format!("^({})$", names.join("|"));
            let condition =
                ManifestSplitDimCondition::DimensionName(format!("^{APPEND_DIMENSION}$"));
            let split = ManifestSplitDim { condition, num_chunks };
            (ManifestSplitCondition::NameMatches { regex }, vec![split])
        })
        .collect()
}
