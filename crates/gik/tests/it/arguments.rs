//! Wrong arguments: the text says what would be right, and nothing is left behind.

use crate::desk::Desk;
use crate::run::Run;

#[test]
fn wrong_requests_are_refused() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("bucket")).unwrap();
    let check = |line: &str, parts: &[&str]| {
        let outcome = desk.gik(&format!("{line} --store store --source bucket")).exits(2);
        assert_eq!(outcome.says(parts).stdout, "", "{line}");
        assert_eq!(desk.files(), ["bucket/"], "{line}");
    };
    let of = |options: &str| format!("build gefs --run 2025-01-06T00 {options}");
    check("build gfs --run 2025-01-06T00", &["unknown model 'gfs'", "gefs"]);
    check("build gefs", &["--run"]);
    check("build gefs --run yesterday", &["write it like 2025-01-06T00"]);
    check("build gefs --run 2025-02-30T00", &["write it like 2025-01-06T00"]);
    check("build gefs --run 2025-01-06T03", &["00, 06, 12 and 18 UTC"]);
    check("build gefs --run 2020-09-23T06", &["starts with 2020-09-23T12"]);
    check(&of("--members 31"), &["member 31", "0, 1, 2 … 30"]);
    check(&of("--members 0-31"), &["0-31", "0, 1, 2 … 30"]);
    check(&of("--members all"), &["0-30"]);
    check(&of("--steps 1"), &["step 1", "0, 3, 6 … 240 (81 of them)"]);
    check(&of("--product pgrb2ap5 --steps 841"), &["step 841", "840"]);
    check(&of("--product pgrb2"), &["'pgrb2'", "pgrb2sp25, pgrb2ap5, pgrb2bp5, pgrb2abp5"]);
    check(&of("--variables tp,rain"), &["variable 'rain'", "t2m", "tp"]);
    check(&of("--layout long"), &["layout 'long'", "forecast", "run"]);
    check(&of("--codec gzip"), &["gribberish", "model"]);
    check(&of("--data-type int8"), &["float32", "float64"]);
    check(&of("--compression 3"), &["--compression"]);
}

#[test]
fn places_that_cannot_be_are_refused() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("bucket")).unwrap();
    std::fs::write(desk.path("file"), "x").unwrap();
    let check = |options: &str, parts: &[&str]| {
        desk.build(options).exits(2).says(parts);
        assert_eq!(desk.files(), ["bucket/", "file"], "{options}");
    };
    check("--source bucket", &["--store"]);
    check("--store store --source gs://bucket/", &["scheme gs", "s3://, https:// or http://"]);
    check("--store store --source nowhere", &["nowhere", "is no folder", "bucket's layout"]);
    check("--store store --source file", &["is no folder"]);
    check("--store s3://bucket --source bucket", &["s3://bucket/path/to/store"]);
    check("--store s3:///x --source bucket", &["s3://bucket/path/to/store"]);
    check("--store gs://b/x --source bucket", &["a path, file:// or s3://"]);
    check("--store file --source nowhere", &["is no folder"]);
}

#[test]
fn places_that_cannot_be_written_are_told_before_anything_is_read() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0]);
    run.write(&desk.path("bucket"));
    std::fs::write(desk.path("file"), "x").unwrap();
    let before = desk.files();
    let long = "n".repeat(300);
    for store in ["file", "file/store", "/proc/store", &format!("new/folder/{long}")] {
        let options = format!("{} --source bucket --store {store}", run.options());
        desk.build(&options).exits(1).says(&["the store cannot be written there", store]);
        assert_eq!(desk.files(), before, "{store}");
    }
}

#[test]
fn what_is_there_is_never_overwritten() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0]);
    run.write(&desk.path("bucket"));
    let build = format!("{} --source bucket --store deep/er/store", run.options());
    desk.build(&build).exits(0);
    let before = desk.files();
    let again = desk.build(&build).exits(0);
    assert!(again.stdout.contains("nothing was written"), "{}", again.stdout);
    assert_eq!(desk.files(), before);
    desk.gik("info deep/er/store").exits(0);
    // A folder of something else is none of ours either; an empty one may be used.
    std::fs::create_dir(desk.path("other")).unwrap();
    let build = build.replace("deep/er/store", "other");
    desk.build(&build).exits(0);
    std::fs::create_dir(desk.path("mine")).unwrap();
    std::fs::write(desk.path("mine/letter"), "x").unwrap();
    desk.build(&build.replace("other", "mine"))
        .exits(2)
        .says(&["already exists", "name another place"]);
    assert_eq!(std::fs::read(desk.path("mine/letter")).unwrap(), b"x");
}

#[test]
fn a_run_that_is_not_there_leaves_nothing() {
    let desk = Desk::new();
    let run = Run::new(&[0, 1], &[0, 3]);
    std::fs::create_dir(desk.path("bucket")).unwrap();
    let options = format!("{} --source bucket --store new/store", run.options());
    let parts = ["none of the 4 files of gefs pgrb2ap5 2025-01-06T00", "not found"];
    desk.build(&options).exits(1).says(&parts);
    assert_eq!(desk.files(), ["bucket/"]);
    // An empty folder that somebody made stays.
    std::fs::create_dir(desk.path("made")).unwrap();
    desk.build(&options.replace("new/store", "made")).exits(1);
    assert_eq!(desk.files(), ["bucket/", "made/"]);
    // Nor do files without indexes, or indexes without files, make a store.
    run.write(&desk.path("bucket"));
    for (member, step) in run.targets() {
        let path = desk.path("bucket").join(run.path(member, step));
        match member {
            0 => std::fs::remove_file(path).unwrap(),
            _ => std::fs::remove_file(path.with_added_extension("idx")).unwrap(),
        }
    }
    let before = desk.files();
    desk.build(&format!("{options} --index-only")).exits(1).says(&parts);
    assert_eq!(desk.files(), before);
}

#[test]
fn wrong_readings_are_refused() {
    let desk = Desk::new();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(0);
    let before = desk.files();
    let check = |line: &str, parts: &[&str]| {
        let outcome = desk.gik(&format!("read store {line} --allow bucket")).exits(2);
        assert_eq!(outcome.says(parts).stdout, "", "{line}");
        assert_eq!(desk.files(), before, "{line}");
    };
    check("tp --bbox 21,-12,53", &["has 3 numbers instead of 4", "W,S,E,N"]);
    check("tp --bbox 21,23,53,-12", &["south (23) must be below north"]);
    check("tp -o x.grib2", &["use .npy, .nc, .csv, .zarr or .png"]);
    check("tp -o x", &["use .npy, .nc, .csv, .zarr or .png"]);
    check("tp -o no/x.npy --sel step=3", &["there is no directory 'no'"]);
    check("rain", &["variable 'rain'", "soilw", "t2m", "tp"]);
    check("tp --sel step=6", &["step=6", "there is 0, 3"]);
    check("tp --sel member=2:9", &["member=2:9", "there is 0, 1"]);
    check("tp --sel time=2025-01-06T06", &["there is 2025-01-06T00"]);
    check("tp --sel level=500", &["'level'", "time, member, step, latitude, longitude"]);
    check("tp --sel step=3 --sel step=0", &["is given twice"]);
    check("tp --sel step", &["dimension=label"]);
    check("tp -o x.png", &["latitude", "longitude"]);
    desk.gik("read nowhere tp").exits(1).says(&["nowhere", "there is no such folder"]);
    desk.gik("info nowhere").exits(1).says(&["nowhere", "there is no such folder"]);
    desk.gik("info bucket").exits(1).says(&["there is no Icechunk repository", "gik build"]);
    assert_eq!(desk.files(), before);
}

#[test]
fn models_are_listed() {
    let desk = Desk::new();
    let models = desk.gik("models --json").exits(0).json();
    let [ecmwf, gefs] = [&models["models"][0], &models["models"][1]];
    assert_eq!((&ecmwf["id"], &gefs["id"]), (&"ecmwf".into(), &"gefs".into()));
    assert_eq!(gefs["hosts"][0]["root"], "s3://noaa-gefs-pds/");
    assert_eq!(ecmwf["hosts"][0]["root"], "s3://ecmwf-forecasts/");
    assert_eq!(gefs["products"].as_array().unwrap().len(), 4);
    assert_eq!(ecmwf["products"].as_array().unwrap().len(), 6);
    let text = desk.gik("models").exits(0).stdout;
    assert!(text.contains("pgrb2sp25") && text.contains("s3://noaa-gefs-pds/"), "{text}");
    assert!(text.contains("enfo") && text.contains("s3://ecmwf-forecasts/"), "{text}");
    desk.gik("").exits(2);
    desk.gik("--version").exits(0);
}
