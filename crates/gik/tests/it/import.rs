//! `gik import`: files of the older workflow become stores with the right values.

use std::io::Cursor;
use std::path::Path;

use gik::analysis::BoundingBox;
use gik::analysis::accumulation::{Alignment, Request, accumulate};

use crate::desk::{Desk, assert_same};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../gik-legacy/fixtures");

/// A desk with the files of a run in `bucket`.
fn desk(run: &str, bucket: &str) -> Desk {
    let desk = Desk::new();
    let bytes = std::fs::read(format!("{FIXTURES}/{run}.tar.zst")).unwrap();
    let bytes = zstd::decode_all(Cursor::new(bytes)).unwrap();
    tar::Archive::new(Cursor::new(bytes)).unpack(desk.path("all")).unwrap();
    std::fs::rename(desk.path(&format!("all/{bucket}")), desk.path("bucket")).unwrap();
    desk
}

fn copy(desk: &Desk, from: &str, to: &str) {
    let to = desk.path(to);
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(Path::new(FIXTURES).join(from), to).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_gefs_decode_to_the_true_rain_of_a_day() {
    let desk = desk("gefs_run", "noaa-gefs-pds");
    for member in ["gep01", "gep02"] {
        copy(
            &desk,
            &format!("gefs/{member}_20250106_00z.parquet"),
            &format!("files/{member}.parquet"),
        );
    }
    let outcome = desk.gik("import files --source bucket --store store --json").exits(0);
    let report = outcome.json();
    assert_eq!(report["complete"], true);
    assert_eq!(report["runs"], serde_json::json!(["2025-01-06T00"]));
    assert_eq!(report["members"], serde_json::json!([1, 2]));
    assert_eq!(report["references"]["read"], 150);
    assert_eq!(report["references"]["written"], 150);
    assert_eq!(report["findings"]["time_is_valid_time"]["count"], 16);
    // Again: all of it is there.
    let again = desk.gik("import files/*.parquet --source bucket --store store").exits(0);
    assert!(
        again.stdout.contains("0 added, 0 replaced, 150 were there already"),
        "{}",
        again.stdout
    );
    // Verified, it is the same.
    let verified =
        desk.gik("import files --verify --source bucket --store checked --json").exits(0);
    let found = verified.json();
    assert_eq!(found["references"]["written"], 150);
    assert!(found["findings"]["header_corrected"].is_null(), "{found}");

    let opened = desk.open("store").await;
    let region: BoundingBox = "21,-12,53,23".parse().unwrap();
    let request =
        Request { region: Some(region), alignment: Alignment::default(), ..Request::new("tp") };
    let (rain, account) = accumulate(&opened, &request, &|_, _| {}).await.unwrap();
    assert_eq!((rain.shape(), account.losses.missing), (vec![2, 1, 141, 129], 1));
    let expected = include_str!("../fixtures/legacy/gefs_true_24h.txt");
    let expected = crate::exceedance::runs(expected);
    for (found, expected) in rain.values().iter().zip(&expected) {
        assert!((found - expected).abs() <= 1e-5, "{found} and {expected}");
    }
    // Member 2 lacks a step: its day is missing, not smaller.
    assert!(rain.values()[expected.len()..].iter().all(|value| value.is_nan()));
}

#[test]
fn a_template_archive_and_fresh_indexes_give_what_the_model_does() {
    let desk = desk("gefs_run", "noaa-gefs-pds");
    copy(&desk, "gik-fmrc-gefs-20241112.tar.gz", "template.tar.gz");
    let import = "import --template template.tar.gz --run 2025-01-06T00 --source bucket --store a";
    // An index is missing: that of step 12 of member 2.
    desk.gik(import).exits(3).says(&["gep02.t00z.pgrb2s.0p25.f012", "could not be read"]);
    let build =
        "build gefs --run 2025-01-06T00 --members 1,2 --steps 0-27 --source bucket --store b";
    desk.gik(build).exits(3);
    for (name, selection) in [
        ("tp", "--sel member=1 --sel step=6"),
        ("t2m", "--sel member=2 --sel step=27"),
        ("cape", "--sel member=2 --sel step=3"),
    ] {
        let read = |store: &str| {
            let bbox = "--bbox 30,-5,35,5 --allow bucket";
            desk.gik(&format!("read {store} {name} {selection} {bbox} -o {store}.npy")).exits(0);
            desk.npy(&format!("{store}.npy"))
        };
        let (ours, theirs) = (read("a"), read("b"));
        assert_eq!(ours.0, theirs.0);
        assert_same(&ours.1, &theirs.1);
    }
    copy(&desk, "gik-fmrc-v2ecmwf_fmrc.tar.gz", "ecmwf.tar.gz");
    let import = "import --template ecmwf.tar.gz --run 2026-01-06T00 --store c";
    desk.gik(import).exits(1).says(&["placeholders", "gik build ecmwf"]);
    desk.gik("import --template x --store c").exits(2);
    desk.gik("import --store c").exits(2);
    assert!(!desk.path("c").exists());
}

#[test]
fn headers_tell_the_levels_that_files_of_ecmwf_mixed_up() {
    let desk = desk("ecmwf_run", "ecmwf-forecasts");
    for member in ["control", "ens_01", "ens_13"] {
        copy(
            &desk,
            &format!("ecmwf/zip/stage3_{member}_final.parquet"),
            &format!("files/{member}.parquet"),
        );
    }
    let plain = desk.gik("import files --source bucket --store plain --json").exits(3).json();
    assert!(plain["findings"]["level_unknown"]["count"].as_u64().unwrap() > 0);
    let found =
        desk.gik("import files --verify --source bucket --store store --json").exits(0).json();
    assert_eq!(found["complete"], true, "{found}");
    assert!(found["findings"]["placed_by_header"]["count"].as_u64().unwrap() > 0);
    let built = "build ecmwf --run 2026-01-06T00 --product enfo --variables t,u,tp --members 0-13 \
                 --steps 0-3 --source bucket --store built";
    desk.gik(built);
    for (name, selection) in [
        ("t", "--sel member=13 --sel step=3 --sel isobaricInhPa=500"),
        ("u", "--sel member=1 --sel step=0 --sel isobaricInhPa=500"),
        ("tp", "--sel member=1 --sel step=3"),
        ("tp", "--sel member=0 --sel step=0"),
    ] {
        let read = |store: &str| {
            let bbox = "--bbox 30,-5,35,5 --allow bucket";
            desk.gik(&format!("read {store} {name} {selection} {bbox} -o {store}.npy")).exits(0);
            desk.npy(&format!("{store}.npy"))
        };
        let (ours, theirs) = (read("store"), read("built"));
        assert_eq!(ours.0, theirs.0);
        assert_same(&ours.1, &theirs.1);
        assert!(ours.1.iter().all(|value| !value.is_nan()), "{name} {selection}");
    }
}

#[test]
fn references_that_lie_are_found_by_headers() {
    let desk = desk("gefs_run", "noaa-gefs-pds");
    copy(&desk, "gefs/gep01_20250106_00z.parquet", "gep01.parquet");
    // The messages of two steps trade places, and a third one is damaged.
    let file = |step: &str| {
        desk.path(&format!("bucket/gefs.20250106/00/atmos/pgrb2sp25/gep01.t00z.pgrb2s.0p25.{step}"))
    };
    std::fs::rename(file("f018"), desk.path("x")).unwrap();
    std::fs::rename(file("f021"), file("f018")).unwrap();
    std::fs::rename(desk.path("x"), file("f021")).unwrap();
    // Of all messages of a file the first bytes are damaged.
    let mut bytes = std::fs::read(file("f024")).unwrap();
    let starts = |at: &usize| bytes[*at..].starts_with(b"GRIB");
    for at in (0..bytes.len() - 4).filter(starts).collect::<Vec<_>>() {
        bytes[at..at + 4].copy_from_slice(b"spam");
    }
    std::fs::write(file("f024"), bytes).unwrap();
    std::fs::remove_file(file("f027")).unwrap();
    let import = "import gep01.parquet --verify --source bucket --store store --json";
    let found = desk.gik(import).exits(3).json();
    let count = |name: &str| found["findings"][name]["count"].as_u64().unwrap_or_default();
    let counts = [count("header_corrected"), count("wrong_message"), count("unreadable")];
    assert_eq!(counts, [16, 8, 8], "{found}");
}

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let desk = Desk::new();
    for (name, content) in
        [("a.parquet", &b"PAR1"[..]), ("b.parquet", b"key,value"), ("c.zip", b"PK\x03\x04")]
    {
        std::fs::write(desk.path(name), content).unwrap();
        let line = format!("import {name} --store store");
        desk.gik(&line).exits(1).says(&[name]);
    }
    desk.gik("import missing.parquet --store store").exits(2).says(&["missing.parquet"]);
    desk.gik("import a.parquet --model x --store store").exits(2).says(&["gefs"]);
    assert!(!desk.path("store").exists());
    // What is wrong with one file does not cost the others.
    copy(&desk, "gefs/gep01_20250106_00z.parquet", "good.parquet");
    let found = desk.gik("import . --store store --json").exits(3).json();
    assert_eq!(found["findings"]["bad_file"]["count"], 3);
    assert_eq!(found["references"]["written"], 79);
}

#[test]
fn members_that_the_files_lack_make_no_store() {
    let desk = Desk::new();
    copy(&desk, "gefs/gep01_20250106_00z.parquet", "files/gep01.parquet");
    desk.gik("import files --members 7 --store store").exits(1);
    assert!(!desk.path("store").exists());
}

/// Of a dataset that no model knows, too, what does not fit is counted.
#[test]
fn chunks_outside_of_their_array_are_told() {
    let desk = Desk::new();
    let array = r#"{"chunks": [1, 2], "compressor": null, "dtype": "<f4", "fill_value": "NaN",
        "filters": [{"id": "grib", "var": "v", "dtype": "<f4"}], "order": "C", "shape": [2, 2], "zarr_format": 2}"#;
    let document = serde_json::json!({"version": 1, "refs": {
        ".zgroup": r#"{"zarr_format": 2}"#,
        "v/.zarray": array,
        "v/.zattrs": r#"{"_ARRAY_DIMENSIONS": ["time", "x"]}"#,
        "v/0.0": ["s3://bucket/a", 0, 100],
        "v/9.0": ["s3://bucket/a", 100, 100],
    }});
    std::fs::write(desk.path("flat.json"), document.to_string()).unwrap();
    let outcome = desk.gik("import flat.json --store store --json").exits(3);
    assert_eq!(outcome.json()["findings"]["outside_array"]["count"], 1, "{}", outcome.json());
}

/// Messages in the file itself are placed whatever comes first.
#[test]
fn a_message_that_stands_in_the_file_is_placed() {
    use base64::prelude::{BASE64_STANDARD, Engine as _};

    let desk = desk("gefs_run", "noaa-gefs-pds");
    copy(&desk, "kerchunk/gep01.json", "as.json");
    let text = std::fs::read_to_string(desk.path("as.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let refs = document["refs"].as_object_mut().unwrap();
    let key = refs.keys().find(|key| key.ends_with("/t2m/0.0.0")).unwrap().clone();
    let url = refs[&key][0].as_str().unwrap();
    let path = url.split_once("noaa-gefs-pds/").map_or("", |(_, path)| path);
    let file = std::fs::read(desk.path("bucket").join(path)).unwrap();
    let number = |at: usize| usize::try_from(refs[&key][at].as_u64().unwrap()).unwrap();
    let message = &file[number(1)..number(1) + number(2)];
    let inline = format!("base64:{}", BASE64_STANDARD.encode(message));
    refs.insert(key, inline.into());
    std::fs::write(desk.path("in.json"), document.to_string()).unwrap();

    desk.gik("import as.json --source bucket --store as").exits(0);
    let found = desk.gik("import in.json --source bucket --store in --json").exits(0).json();
    assert_eq!(found["references"]["written"], 19, "{found}");
    desk.gik("read as t2m --sel step=0 --allow bucket -o as.npy").exits(0);
    desk.gik("read in t2m --sel step=0 -o in.npy").exits(0);
    assert_same(&desk.npy("in.npy").1, &desk.npy("as.npy").1);
}
