//! A template archive and fresh indexes give the references of the model's own table.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gik_core::{
    BuildOptions, Error, ManifestStore, ObjectStoreRegistry, Parser, Registry, Run, RunRequest,
    SourceReader, build_manifest,
};
use gik_legacy::{Finding, Findings, ImportRequest, Importer, MappingArchive};
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutPayload};

use crate::fixture;

fn archive() -> PathBuf {
    let name = "gik-fmrc-gefs-20241112.tar.gz";
    PathBuf::from(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// The files of the run, as they lie in the bucket.
async fn bucket() -> SourceReader {
    let bytes = zstd::decode_all(Cursor::new(fixture("gefs_run.tar.zst"))).unwrap();
    let store = InMemory::new();
    for entry in tar::Archive::new(Cursor::new(bytes)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Some(key) = path.strip_prefix("noaa-gefs-pds/").filter(|key| !key.ends_with('/')) {
            store.put(&key.into(), PutPayload::from(content)).await.unwrap();
        }
    }
    let mut stores = ObjectStoreRegistry::default();
    stores.register(&"s3://noaa-gefs-pds/".parse().unwrap(), Arc::new(store)).unwrap();
    SourceReader::new(stores)
}

fn parser() -> Arc<dyn Parser> {
    let registry = Registry::new(&[&gik_gefs::PLUGIN]).unwrap();
    Arc::clone(registry.get("gefs").unwrap())
}

fn run() -> Run {
    let mut request = RunRequest::new("2025-01-06T00".parse().unwrap());
    request.members = Some("1,2".parse().unwrap());
    request.steps = Some("0-27".parse().unwrap());
    parser().run(&request).unwrap()
}

/// The manifest that the template's tables and the indexes of `run` give.
async fn joined(templates: &MappingArchive) -> (Run, ManifestStore, Findings) {
    let registry = Registry::new(&[&gik_gefs::PLUGIN]).unwrap();
    let read = |_: &Bytes| Err(Error::unsupported("header", "in this test"));
    let mut importer = Importer::new(&registry, ImportRequest::default(), &read, false).unwrap();
    let (run, reader) = (run(), bucket().await);
    for source in parser().sources(&run).unwrap() {
        let member = run.members.as_ref().unwrap()[source.member.unwrap() as usize];
        let mapping = templates.mapping(member, run.steps[source.step as usize]).unwrap();
        let Ok(file) = reader.read(&source).await else { continue };
        importer.add_mapped(source.data.as_str(), &file.index, file.data.size, mapping).unwrap();
    }
    let plan = importer.plan().unwrap();
    assert_eq!(plan.len(), 1);
    let imported = importer.run(&plan, 0).unwrap().unwrap();
    (imported.run, imported.manifest, importer.findings().clone())
}

#[test]
fn the_tables_of_the_archive() {
    let templates = MappingArchive::read(&archive()).unwrap();
    assert_eq!(templates.len(), 20);
    assert_eq!(templates.members().into_iter().collect::<Vec<_>>(), [1, 2]);
    let hours: Vec<u32> = templates.hours().into_iter().collect();
    assert_eq!(hours, (0..=27).step_by(3).collect::<Vec<_>>());
    let table = templates.mapping(1, 6).unwrap();
    assert_eq!((table.len(), table.unknown(), table.duplicates), (18, 1, 0));
    assert!(templates.sample_url().unwrap().contains("gefs.20241112/00/"));
    assert!(templates.mapping(1, 240).is_none() && templates.problems.is_empty());
}

#[tokio::test]
async fn fresh_indexes_give_the_references_of_the_models_table() {
    let templates = MappingArchive::read(&archive()).unwrap();
    let (ours, manifest, findings) = joined(&templates).await;
    // The model's own way, of the same files and arrays.
    let run = Run { variables: ours.variables.clone(), ..run() };
    let mut reader = bucket().await;
    let (expected, _) =
        build_manifest(parser().as_ref(), &run, &BuildOptions::default(), &mut reader, &|_, _| {})
            .await
            .unwrap();
    assert_eq!((&ours.steps, &ours.members), (&run.steps, &run.members));
    assert!(manifest.group.virtual_count() > 250);
    let mut unlike = 0;
    for (name, array) in &expected.group.data {
        let other = manifest.group.array(name).unwrap();
        let place = |store: &ManifestStore, entry: gik_core::ChunkEntry| {
            let url = store.sources.get(entry.source).unwrap().url.clone();
            (url, entry.offset, entry.length)
        };
        for (index, entry) in array.chunks.virtual_chunks() {
            match other.chunks.get(index) {
                gik_core::Chunk::Virtual(found) => {
                    assert_eq!(place(&manifest, found), place(&expected, entry), "{name} {index}");
                }
                // A message that the template was made without.
                _ => unlike += 1,
            }
        }
        assert!(other.chunks.virtual_count() <= array.chunks.virtual_count(), "{name}");
    }
    // `GUST` of step 9, of both members.
    assert_eq!(unlike, 2);
    assert!(findings.count(Finding::NotInTemplate) >= 2);
}

#[test]
fn a_folder_is_as_good_as_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fixture("gik-fmrc-gefs-20241112.tar.gz");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(Cursor::new(bytes)));
    // As in time_idx/gefs/{year}/{date}/{member}/, and in the spelling before.
    for (number, entry) in tar.entries().unwrap().enumerate() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().into_owned();
        let name = path.file_name().unwrap().to_str().unwrap();
        let parts: Vec<&str> = name.trim_end_matches(".parquet").split('-').collect();
        let name = match number % 2 {
            0 => name.to_owned(),
            _ => format!("gefs-mapping-{}-{}.parquet", parts[3], parts[4].trim_start_matches("rt")),
        };
        let to = folder.path().join("2024/20241112").join(parts[3]).join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        entry.unpack(to).unwrap();
    }
    std::fs::write(folder.path().join("notes-of-the-day-x.parquet"), b"other").unwrap();
    let loose = MappingArchive::read(folder.path()).unwrap();
    let packed = MappingArchive::read(&archive()).unwrap();
    assert_eq!(
        (loose.len(), loose.members(), loose.hours()),
        (20, packed.members(), packed.hours())
    );
    for hour in packed.hours() {
        assert_eq!(loose.mapping(2, hour), packed.mapping(2, hour));
    }
    // A damaged table costs itself.
    let table = folder.path().join("2024/20241112/gep01/gefs-time-20241112-gep01-rt000.parquet");
    let table =
        if table.exists() { table } else { table.with_file_name("gefs-mapping-gep01-000.parquet") };
    std::fs::write(table, b"PAR1 and no more").unwrap();
    let damaged = MappingArchive::read(folder.path()).unwrap();
    assert_eq!((damaged.len(), damaged.problems.len()), (19, 1));
}

#[test]
fn the_archive_of_ecmwf_holds_nothing_to_join() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gik-fmrc-v2ecmwf_fmrc.tar.gz");
    let error = MappingArchive::read(&path).unwrap_err().to_string();
    assert!(error.contains("placeholders") && error.contains("gik build ecmwf"), "{error}");
    let error = MappingArchive::read(Path::new("missing.tar.gz")).unwrap_err().to_string();
    assert!(error.contains("missing.tar.gz"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = MappingArchive::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("gefs-time-20241112-gep01-rt006.parquet"), "{error}");
}
