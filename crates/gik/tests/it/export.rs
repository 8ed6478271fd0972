//! `gik export`: every reference of a store, in other formats and back.

use std::path::Path;

use gik::core::{Chunk, ManifestStore, SourceTable};
use gik::icechunk::{Repository, S3Settings, Selection};
use gik::legacy::{Table, kerchunk};
use gik_testkit::ecmwf::EcmwfRun;
use gik_testkit::hrrr::HrrrRun;

use crate::desk::{Desk, files_below};
use crate::run::{Run, TIME};

/// The manifest of the store, as references tell it: without times of files.
async fn manifest(desk: &Desk, store: &str, selection: &Selection) -> ManifestStore {
    let location = desk.path(store).display().to_string().parse().unwrap();
    let repository = Repository::open(&location, &S3Settings::default(), &[]).await.unwrap();
    let opened = repository.main().await.unwrap();
    let mut manifest = repository.manifest(&opened, selection).await.unwrap();
    let mut sources = SourceTable::default();
    for (_, object) in manifest.sources.iter() {
        let object = gik::core::SourceObject { last_modified: None, etag: None, ..object.clone() };
        sources.intern(object).unwrap();
    }
    manifest.sources = sources;
    manifest
}

/// Checks that both have the same arrays, and the same places in the same chunks.
#[track_caller]
fn assert_same(found: &ManifestStore, expected: &ManifestStore) {
    assert_eq!(found.group.attributes, expected.group.attributes);
    let names = |store: &ManifestStore| -> Vec<String> {
        store.group.arrays().map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(names(found), names(expected));
    for (name, array) in expected.group.arrays() {
        let other = found.group.array(name).unwrap();
        assert_eq!(other.metadata, array.metadata, "{name}");
        assert!(other.chunks.inline_chunks().eq(array.chunks.inline_chunks()), "{name}");
        let places = |store: &ManifestStore, array: &gik::core::ManifestArray| -> Vec<_> {
            let place = |(index, entry): (u64, gik::core::ChunkEntry)| {
                let url = store.sources.get(entry.source).unwrap().url.clone();
                (index, url, entry.offset, entry.length)
            };
            array.chunks.virtual_chunks().map(place).collect()
        };
        assert!(places(found, other) == places(expected, array), "{name}");
    }
}

/// Exports the store as both of kerchunk's formats; the same references come back.
async fn round_trip(desk: &Desk, store: &str, references: u64) {
    let expected = manifest(desk, store, &Selection::default()).await;
    assert_eq!(expected.group.virtual_count(), references);
    let line = format!("export {store} --format kerchunk-json -o {store}.json --json");
    assert_eq!(desk.gik(&line).exits(0).json()["references"], references);
    let text = std::fs::read_to_string(desk.path(&format!("{store}.json"))).unwrap();
    let strict: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(strict["version"], 1);
    assert_same(&kerchunk::read_json(&text).unwrap().to_manifest().unwrap(), &expected);
    for size in [7, 10_000] {
        let line = format!(
            "export {store} --format kerchunk-parquet --record-size {size} -o {store}-{size}.parq"
        );
        desk.gik(&line).exits(0);
        let set = kerchunk::read_parquet(&desk.path(&format!("{store}-{size}.parq"))).unwrap();
        assert_same(&set.to_manifest().unwrap(), &expected);
    }
    for (from, back) in [("store.json", "of-json"), ("store-7.parq", "of-parquet")] {
        let from = from.replace("store", store);
        let report = desk.gik(&format!("import {from} --store {back} --json")).exits(0).json();
        assert_eq!(report["references"]["written"], references + inline(&expected));
        assert_same(&manifest(desk, back, &Selection::default()).await, &expected);
        // Once more changes nothing.
        let again = desk.gik(&format!("import {from} --store {back} --json")).exits(0).json();
        assert_eq!(again["references"]["written"], 0);
    }
    desk.gik(&format!("export {store} --format parquet -o {store}-members")).exits(0);
    desk.gik(&format!("import {store}-members --store of-members")).exits(0);
    assert_places(&manifest(desk, "of-members", &Selection::default()).await, &expected);
}

/// Messages that lie in the references themselves.
fn inline(manifest: &ManifestStore) -> u64 {
    manifest.group.data.iter().map(|(_, array)| array.chunks.inline_chunks().count() as u64).sum()
}

/// Checks that all references of one are in the other: url, offset and length under the same
/// array, and the same time, member, step and level.
#[track_caller]
fn assert_places(found: &ManifestStore, expected: &ManifestStore) {
    for (name, array) in &expected.group.data {
        let other = found.group.array(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(other.metadata.dimension_names, array.metadata.dimension_names, "{name}");
        let labelled = |store: &ManifestStore, array: &gik::core::ManifestArray| {
            let labels: Vec<Option<Vec<u8>>> = array
                .metadata
                .dimension_names
                .iter()
                .map(|dimension| {
                    let Chunk::Inline(bytes) = store.group.array(dimension)?.chunks.get(0) else {
                        return None;
                    };
                    Some(bytes.to_vec())
                })
                .collect();
            let grid = array.metadata.grid();
            let mut places = Vec::new();
            for (index, entry) in array.chunks.virtual_chunks() {
                let mut rest = index as usize;
                let mut at = Vec::new();
                for (length, labels) in grid.iter().zip(&labels).rev() {
                    let position = rest % *length as usize;
                    rest /= *length as usize;
                    if *length > 1 || labels.as_ref().is_some_and(|it| it.len() == 8) {
                        at.push(labels.as_ref().unwrap()[position * 8..][..8].to_vec());
                    }
                }
                let url = store.sources.get(entry.source).unwrap().url.clone();
                places.push((at, url, entry.offset, entry.length));
            }
            places.sort();
            places
        };
        let (there, here) = (labelled(found, other), labelled(expected, array));
        assert_eq!(there.len(), here.len(), "{name}");
        assert!(there == here, "{name}");
    }
}

#[tokio::test]
async fn kerchunk_keeps_every_reference_of_gefs() {
    let desk = Desk::new();
    // A place whose name is another one in a url.
    let run = Run::new(&[0, 1, 2], &[0, 3, 6, 9, 12]);
    run.write(&desk.path("a b"));
    let mut build = desk.command("build gefs --run 2025-01-06T00 --store store");
    build.args(run.options().split(' ')).args(["--source", "a b"]);
    assert!(build.output().unwrap().status.success());
    round_trip(&desk, "store", 3 * (5 + 4 + 5)).await;
}

#[tokio::test]
async fn kerchunk_keeps_every_reference_of_ecmwf() {
    let desk = Desk::new();
    let run = EcmwfRun::new("2026-02-05T00".parse().unwrap(), gik_testkit::ecmwf::Product::Enfo);
    run.members(0..=2).steps(0..=6).write_indexes(&desk.path("bucket")).unwrap();
    let options = "--product enfo --members 0-2 --steps 0-6 --variables tp,t2m,t,u,sot,msl";
    let line = format!("build ecmwf --run 2026-02-05T00 {options} --source bucket --store store");
    desk.gik(&line).exits(0);
    let there = manifest(&desk, "store", &Selection::default()).await;
    round_trip(&desk, "store", there.group.virtual_count()).await;
}

#[tokio::test]
async fn kerchunk_keeps_every_reference_of_hrrr() {
    let desk = Desk::new();
    HrrrRun::new("2025-08-01T00".parse().unwrap())
        .hours(0..=3)
        .write_headers(&desk.path("bucket"))
        .unwrap();
    let line = "build hrrr --run 2025-08-01T00 --steps 0-3 --source bucket --store store";
    desk.gik(line).exits(0);
    let there = manifest(&desk, "store", &Selection::default()).await;
    // All of wrfsfc: 170 messages at hour 0, 173 later.
    assert_eq!(there.group.virtual_count(), 170 + 3 * 173);
    round_trip(&desk, "store", there.group.virtual_count()).await;
}

fn two_runs(desk: &Desk) -> Run {
    let run = Run::new(&[0, 1, 2], &[0, 3, 6]);
    run.write(&desk.path("bucket"));
    let line = format!("--source bucket --store store {}", run.options());
    desk.build(&line).exits(0);
    let other = run.clone().at("2025-01-06T12");
    other.write(&desk.path("bucket"));
    desk.gik(&format!("build gefs --run 2025-01-06T12 {line}")).exits(0);
    run
}

#[tokio::test]
async fn a_part_of_a_store_is_chosen() {
    let desk = Desk::new();
    two_runs(&desk);
    round_trip(&desk, "store", 2 * 3 * (3 + 2 + 3)).await;
    let options = "--run 2025-01-06T12 --members 1-2 --variables tp --format kerchunk-json";
    let line = format!("export store {options} -o part.json --json");
    let report = desk.gik(&line).exits(0).json();
    assert_eq!((&report["references"], &report["arrays"]), (&4.into(), &1.into()));
    let text = std::fs::read_to_string(desk.path("part.json")).unwrap();
    let part = kerchunk::read_json(&text).unwrap().to_manifest().unwrap();
    let names: Vec<_> = part.group.arrays().map(|(name, _)| name.to_owned()).collect();
    let expected = ["latitude", "longitude", "member", "step", "time", "valid_time", "tp"];
    assert_eq!(names, expected);
    assert_eq!(part.group.array("tp").unwrap().metadata.shape, [1, 2, 3, 361, 720]);
    assert!(text.contains("gefs.20250106/12/") && !text.contains("gefs.20250106/00/"));
    for (options, says) in [
        ("--run 2025-01-07T00", "2025-01-06T00 to 2025-01-06T12"),
        ("--members 7", "member 7"),
        ("--variables tp,x", "variable 'x'"),
        ("--variables time", "variable 'time'"),
    ] {
        let line = format!("export store {options} --format kerchunk-json -o no.json");
        desk.gik(&line).exits(2).says(&[says]);
    }
    assert!(!desk.path("no.json").exists());
}

/// The keys and values of a table.
fn table(path: &Path) -> Vec<(String, String)> {
    let table = Table::open(std::fs::read(path).unwrap().into()).unwrap();
    let keys = table.text("key").unwrap().into_iter().map(Option::unwrap);
    let values = table
        .bytes("value")
        .unwrap()
        .into_iter()
        .map(|it| String::from_utf8(it.unwrap().to_vec()).unwrap());
    keys.zip(values).collect()
}

/// The numbers before `.0.0` in the keys below `prefix`.
fn steps(table: &[(String, String)], prefix: &str) -> Vec<u32> {
    let mut steps: Vec<u32> = table
        .iter()
        .filter_map(|(key, _)| key.strip_prefix(prefix)?.strip_suffix(".0.0")?.parse().ok())
        .collect();
    steps.sort_unstable();
    steps
}

#[test]
fn members_have_files_as_the_legacy_scripts_read_them() {
    let desk = Desk::new();
    two_runs(&desk);
    desk.gik("export store --format parquet -o tables").exits(0);
    let names: Vec<String> = ["gec00", "gep01", "gep02"]
        .iter()
        .flat_map(|member| ["00", "12"].map(|hour| format!("{member}_20250106_{hour}z.parquet")))
        .collect();
    assert_eq!(files_below(&desk.path("tables")), names);
    let rows = table(&desk.path("tables/gep02_20250106_12z.parquet"));
    assert_eq!(steps(&rows, "tp/accum/surface/tp/"), [1, 2]);
    assert_eq!(steps(&rows, "t2m/instant/heightAboveGround/t2m/"), [0, 1, 2]);
    // Levels come after the steps.
    assert!(rows.iter().any(|(key, _)| key == "soilw/instant/depthBelowLandLayer/soilw/2.0.0.0"));
    let value = |wanted: &str| {
        let row = rows.iter().find(|(key, _)| key == wanted);
        row.unwrap_or_else(|| panic!("no {wanted}")).1.clone()
    };
    let range: (String, u64, u64) =
        serde_json::from_str(&value("tp/accum/surface/tp/1.0.0")).unwrap();
    assert!(range.0.starts_with("file:///") && range.0.ends_with("/gep02.t12z.pgrb2a.0p50.f003"));
    assert!(range.2 > 0);
    // Every text is strict JSON.
    for (key, text) in rows.iter().filter(|(key, _)| key.ends_with(".zarray")) {
        let array: serde_json::Value =
            serde_json::from_str(text).unwrap_or_else(|_| panic!("{key}"));
        assert_eq!(array["zarr_format"], 2);
    }
    assert!(!rows.iter().any(|(key, _)| key.ends_with('/')));

    let options = "--run 2025-01-06T12 --members 2 --compat-legacy --format parquet";
    desk.gik(&format!("export store {options} -o one.parquet")).exits(0);
    let legacy = table(&desk.path("one.parquet"));
    assert!(legacy.iter().any(|(key, _)| key == "tp/accum/surface/surface/"));
    let zarray = legacy.iter().find(|(key, _)| key == "tp/accum/surface/tp/.zarray").unwrap();
    assert!(zarray.1.contains("\"fill_value\":NaN"), "{}", zarray.1);
    // But for that, both are the same.
    let rest: Vec<_> = legacy.iter().filter(|(key, _)| !key.ends_with('/')).cloned().collect();
    let rest: Vec<_> =
        rest.into_iter().map(|(key, text)| (key, text.replace(":NaN", ":\"NaN\""))).collect();
    assert_eq!(rest, rows);
    // Six files are not one.
    desk.gik("export store --format parquet -o all.parquet").exits(2).says(&["6", "folder"]);
}

#[test]
fn ensembles_of_ecmwf_have_flat_keys() {
    let desk = Desk::new();
    let run = EcmwfRun::new("2026-02-05T00".parse().unwrap(), gik_testkit::ecmwf::Product::Enfo);
    run.members(0..=1).steps(0..=6).write_indexes(&desk.path("bucket")).unwrap();
    let options = "--product enfo --members 0-1 --steps 0-6 --variables tp,t2m,t";
    let line = format!("build ecmwf --run 2026-02-05T00 {options} --source bucket --store store");
    desk.gik(&line).exits(0);
    desk.gik("export store --format parquet -o plain").exits(0);
    desk.gik("export store --format parquet --compat-legacy -o compat").exits(0);
    let folder = "ecmwf_three_stage_20260205_00z";
    assert_eq!(
        files_below(&desk.path("plain")),
        [
            format!("{folder}/stage3_control_final.parquet"),
            format!("{folder}/stage3_ens_01_final.parquet")
        ]
    );
    let keys = |name: &str, member: &str| -> Vec<String> {
        let rows = table(&desk.path(&format!("{name}/{folder}/stage3_{member}_final.parquet")));
        rows.into_iter().map(|(key, _)| key).filter(|key| key.starts_with("step_")).collect()
    };
    let flat = |member: &str, params: &[&str]| -> Vec<String> {
        let mut keys = Vec::new();
        for step in ["000", "003", "006"] {
            keys.extend(params.iter().map(|it| format!("step_{step}/{it}/{member}/0.0.0")));
        }
        keys
    };
    assert_eq!(keys("plain", "control"), flat("control", &["2t/sfc", "tp/sfc"]));
    assert_eq!(keys("compat", "ens_01"), flat("ens01", &["2t/sfc", "t/pl", "tp/sfc"]));
    // The one without a level is that of 700 hPa.
    let rows = table(&desk.path(&format!("compat/{folder}/stage3_ens_01_final.parquet")));
    let value = |wanted: &str| rows.iter().find(|(key, _)| key == wanted).unwrap().1.clone();
    let levels = value("t/instant/isobaricInhPa/isobaricInhPa/0");
    assert!(levels.starts_with("base64:"));
    let flat = value("step_003/t/pl/ens01/0.0.0");
    let seven_hundred = (0..14)
        .filter_map(|level| {
            let key = format!("t/instant/isobaricInhPa/t/1.{level}.0.0");
            rows.iter().find(|(other, _)| *other == key).map(|(_, value)| (level, value.clone()))
        })
        .find(|(_, value)| *value == flat);
    assert_eq!(seven_hundred.unwrap().0, 3, "1000, 925, 850, 700 hPa");
}

#[test]
fn what_is_there_stays_and_nothing_is_left_half_written() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0, 3]);
    run.write(&desk.path("bucket"));
    desk.build(&format!("--source bucket --store store {}", run.options())).exits(0);
    std::fs::create_dir(desk.path("there")).unwrap();
    std::fs::write(desk.path("there/mine"), "mine").unwrap();
    for format in ["parquet", "kerchunk-parquet"] {
        let line = format!("export store --format {format} -o there");
        desk.gik(&line).exits(2).says(&["already exists", "there"]);
    }
    assert_eq!(files_below(&desk.path("there")), ["mine"]);
    // A file in the place of the folder above.
    desk.gik("export store --format kerchunk-json -o there/mine/x.json").exits(1);
    desk.gik("export store --format kerchunk-json -o missing/x.json").exits(1).says(&["missing"]);
    desk.gik("export store --format kerchunk-json --compat-legacy -o x.json").exits(2);
    let sized = "export store --format kerchunk-json --record-size 5 -o x.json";
    desk.gik(sized).exits(2).says(&["--record-size", "kerchunk-parquet"]);
    desk.gik("export store --format netcdf -o x.nc").exits(2).says(&["kerchunk-json"]);
    desk.gik("export nothing --format parquet -o x").exits(1).says(&["no such folder"]);
    let left = desk.files();
    assert!(left.iter().all(|it| !it.contains(".gik-") && !it.contains("x.")), "{left:?}");
    // A link is not, nor what it points to.
    std::fs::write(desk.path("mine.json"), "mine").unwrap();
    std::os::unix::fs::symlink(desk.path("mine.json"), desk.path("link.json")).unwrap();
    desk.gik("export store --format kerchunk-json -o link.json").exits(2).says(&["a link"]);
    assert_eq!(std::fs::read_to_string(desk.path("link.json")).unwrap(), "mine");
    // A file is replaced.
    std::fs::write(desk.path("x.json"), "old").unwrap();
    desk.gik("export store --format kerchunk-json -o x.json").exits(0);
    assert!(
        std::fs::read_to_string(desk.path("x.json"))
            .unwrap()
            .contains(TIME.split('T').next().unwrap().replace('-', "").as_str())
    );
}
