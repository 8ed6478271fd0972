//! Checking stores, and keeping house.

use std::fs;
use std::os::unix::fs::FileExt;

use gik_testkit::grib::renumber;
use gik_testkit::hrrr::HrrrRun;

use crate::desk::Desk;
use crate::run::Run;

const TIMES: [&str; 2] = ["2025-01-06T00", "2025-01-06T06"];

fn two_runs(desk: &Desk) -> [Run; 2] {
    let runs = TIMES.map(|time| Run::new(&[0, 1, 2], &[0, 3]).at(time));
    for (run, time) in runs.iter().zip(TIMES) {
        run.write(&desk.path("bucket"));
        build(desk, run, time, 0);
    }
    runs
}

fn build(desk: &Desk, run: &Run, time: &str, code: i32) {
    let options = run.options();
    let line = format!("build gefs --run {time} {options} --source bucket --store store");
    desk.gik(&format!("{line} --index-only")).exits(code);
}

#[test]
fn a_whole_store_is_complete() {
    let desk = Desk::new();
    two_runs(&desk);
    let report = desk.gik("validate store --allow bucket --json -o there.png").exits(0).json();
    assert_eq!((&report["complete"], &report["decoded"]), (&true.into(), &9.into()));
    let references = serde_json::json!({"expected": 15, "there": 15, "unknown": 0});
    assert_eq!(report["runs"][1]["references"], references);
    assert_eq!(report["runs"][0]["counts"], serde_json::json!([[2, 3], [2, 3], [2, 3]]));
    let sample = &report["variables"][1]["sample"];
    assert!(sample["min"].as_f64().unwrap() < sample["max"].as_f64().unwrap(), "{report}");
    let png = fs::read(desk.path("there.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    let text = desk.gik("validate store --sample 0").exits(0).stdout;
    assert!(text.contains("2 of 2 runs complete, 0 messages decoded"), "{text}");
    desk.gik("validate store -o there.jpg").exits(2).says(&["ends with .png"]);
}

#[test]
fn what_is_missing_is_found_without_decoding() {
    let desk = Desk::new();
    let runs = TIMES.map(|time| Run::new(&[0, 1, 2], &[0, 3]).at(time));
    runs[0].write(&desk.path("bucket"));
    let index = desk.path("bucket").join(runs[0].path(1, 3)).with_added_extension("idx");
    fs::remove_file(index).unwrap();
    build(&desk, &runs[0], TIMES[0], 3);
    let report = desk.gik("validate store --sample 0 --json").exits(3).json();
    let run = &report["runs"][0];
    assert_eq!((&run["references"]["there"], &run["holes"]), (&12.into(), &3.into()));
    assert_eq!(run["counts"][1], serde_json::json!([2, 0]));
    let said = desk.gik("validate store --sample 0").exits(3);
    assert!(said.stdout.contains("3 missing"), "{}", said.stdout);
    // One file is lost, and that is one line.
    assert_eq!(said.stderr.matches("missing: ").count(), 1, "{}", said.stderr);
    said.says(&["missing: 2025-01-06T00: member 1 at step 3: all variables"]);
}

/// What no table knows must not make up for what is missing.
#[test]
fn an_extra_message_hides_no_missing_one() {
    let desk = Desk::new();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=2);
    run.write_headers(&desk.path("bucket")).unwrap();
    let path = desk.path("bucket").join(run.path(2));
    let index = fs::read_to_string(path.with_added_extension("idx")).unwrap();
    let line = index.lines().find(|line| line.contains(":REFC:")).unwrap();
    let offset: u64 = line.split(':').nth(1).unwrap().parse().unwrap();
    let mut head = [0; 400];
    let file = fs::File::options().read(true).write(true).open(&path).unwrap();
    file.read_exact_at(&mut head, offset).unwrap();
    renumber(&mut head, 250, 7);
    file.write_all_at(&head, offset).unwrap();
    let options = "hrrr --run 2025-08-01T00 --steps 2 --source bucket --store store --no-index";
    desk.gik(&format!("build {options}")).exits(3);
    let report = desk.gik("validate store --sample 0 --json").exits(3).json();
    let references = serde_json::json!({"expected": 173, "there": 172, "unknown": 1});
    assert_eq!(report["runs"][0]["references"], references);
    let said = desk.gik("validate store --sample 0").exits(3);
    assert!(said.stdout.contains("1 missing"), "{}", said.stdout);
    said.says(&["1 references more are to messages that the model's table does not know: param_"]);
    let report = desk.gik(&format!("update {options} --json")).exits(3).json();
    assert_eq!(
        (&report["references"]["expected"], &report["references"]["there"]),
        (&173.into(), &172.into())
    );
}

#[test]
fn what_cannot_be_read_is_found() {
    let desk = Desk::new();
    let runs = two_runs(&desk);
    desk.gik("validate store").exits(3).says(&["--allow file:///"]);
    // The first file has been replaced by another of the same length.
    let path = desk.path("bucket").join(runs[0].path(0, 0));
    let length = fs::metadata(&path).unwrap().len();
    let times = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, vec![7; usize::try_from(length).unwrap()]).unwrap();
    fs::File::open(&path).unwrap().set_modified(times).unwrap();
    let report = desk.gik("validate store --allow bucket --json").exits(3).json();
    let unreadable = report["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 2, "{unreadable:?}");
    assert!(unreadable[0].as_str().unwrap().contains("/c/0/0/0"), "{unreadable:?}");
}

#[test]
fn old_states_are_forgotten() {
    let desk = Desk::new();
    two_runs(&desk);
    desk.gik("tag store kept --at 2999-01-01T00").exits(0);
    let third = Run::new(&[0], &[0]).at("2025-01-06T12");
    third.write(&desk.path("bucket"));
    build(&desk, &third, "2025-01-06T12", 0);
    let dry = desk.gik("expire store --older-than 0s --dry-run --json").exits(0).json();
    assert_eq!(dry["commits"], 0);
    assert_eq!(desk.gik("history store --json").json()["commits"].as_array().unwrap().len(), 3);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let done = desk.gik("expire store --older-than 0s --grace 0s --json").exits(0).json();
    assert_eq!(done["commits"], 1, "{done}");
    assert!(done["objects"].as_u64().unwrap() > 0, "{done}");
    // What is left can be read, the tagged state, too.
    desk.gik("validate store --allow bucket").exits(3);
    let info = desk.gik("info store --at kept --json").exits(0).json();
    assert_eq!(info["coordinates"]["time"]["shape"][0], 2);
    desk.gik("expire nowhere --older-than 1d").exits(1);
    assert!(!desk.path("nowhere").exists());
    desk.gik("expire store --older-than soon").exits(2).says(&["write 90s"]);
}

/// Of a product that no model knows, the build has said what there should be.
#[test]
fn a_template_with_a_lost_file_is_not_complete() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(3..=5);
    run.write_headers(&bucket).unwrap();
    let pattern = run.path(3).replace("20250801", "{date}").replace("t00z", "t{hour}z");
    let pattern = pattern.replace("f03", "f{step:2}");
    let learn = format!("template build bucket/{} -o product.tsv --pattern {pattern}", run.path(3));
    desk.gik(&learn).exits(0);
    fs::remove_file(bucket.join(run.path(5))).unwrap();
    let build = "build --template product.tsv --run 2025-08-01T00 --steps 3,4,5 --source bucket \
                 --store store";
    desk.gik(build).exits(3);
    let report = desk.gik("validate store --sample 0 --json").exits(3).json();
    let expected = report["runs"][0]["references"]["expected"].as_u64().unwrap();
    let there = report["runs"][0]["references"]["there"].as_u64().unwrap();
    assert!(there > 0 && there < expected, "{report}");
    run.write_headers(&bucket).unwrap();
    desk.gik(build).exits(0);
    desk.gik("validate store --sample 0").exits(0);
}

/// Builds and validates: both say whether all is there, and how many messages are missing. The
/// lines about it.
fn verdicts(desk: &Desk, build: &str) -> (bool, u64, Vec<String>) {
    let built = desk.gik(&format!("build {build} --source bucket --store store --json"));
    let report = built.json();
    let number = |text: &serde_json::Value| text.as_u64().unwrap();
    let there =
        number(&report["references"]["written"]) + number(&report["references"]["unchanged"]);
    let missing = number(&report["references"]["expected"]) - there;
    let found = desk.gik("validate store --sample 0 --json");
    assert_eq!(found.code, built.code, "{}\n{}", built.stdout, found.stdout);
    let found = found.json();
    assert_eq!(
        (&found["complete"], number(&found["runs"][0]["holes"])),
        (&report["complete"], missing)
    );
    let holes = found["holes"].as_array().unwrap().iter();
    let holes = holes.map(|it| it.as_str().unwrap().to_owned()).collect();
    (report["complete"].as_bool().unwrap(), missing, holes)
}

/// Rewrites a file of ECMWF as if it had been published without some of its messages.
fn publish_without(index: &std::path::Path, is_dropped: impl Fn(&serde_json::Value) -> bool) {
    let (mut text, mut offset) = (String::new(), 0);
    for line in fs::read_to_string(index).unwrap().lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if !is_dropped(&line) {
            line["_offset"] = offset.into();
            offset += line["_length"].as_u64().unwrap();
            text.push_str(&format!("{line}\n"));
        }
    }
    fs::write(index, text).unwrap();
    let data = fs::File::create(index.with_extension("grib2")).unwrap();
    data.set_len(offset).unwrap();
}

/// Snow depth and density of the ensemble are published by no known rule; all else must be there.
#[test]
fn what_need_not_be_there_neither_lacks_nor_hides_what_must() {
    use gik_testkit::ecmwf::{EcmwfRun, Product};
    let desk = Desk::new();
    let run = EcmwfRun::new("2026-02-05T00".parse().unwrap(), Product::Enfo);
    run.members(0..=2).steps(0..=6).write_indexes(&desk.path("bucket")).unwrap();
    let index = |step: u32| {
        let folder = desk.path("bucket/20260205/00z/ifs/0p25/enfo");
        folder.join(format!("20260205000000-{step}h-enfo-ef.index"))
    };
    let line = "ecmwf --run 2026-02-05T00 --product enfo --members 0-2 --steps 0-6 --index-only";
    assert_eq!(verdicts(&desk, line), (true, 0, vec![]));

    // Without the snow depth of one member at a step.
    fs::remove_dir_all(desk.path("store")).unwrap();
    publish_without(&index(3), |line| line["param"] == "sd" && line["number"] == "1");
    assert_eq!(verdicts(&desk, line), (true, 0, vec![]));

    // Without the temperature of all members at another: there are more messages than must be.
    fs::remove_dir_all(desk.path("store")).unwrap();
    publish_without(&index(6), |line| line["param"] == "2t");
    let hole = "2026-02-05T00: all members at step 6: t2m".to_owned();
    assert_eq!(verdicts(&desk, line), (false, 3, vec![hole]));

    // And without one message of one member on one level.
    fs::remove_dir_all(desk.path("store")).unwrap();
    let is_one = |line: &serde_json::Value| {
        line["param"] == "q" && line["levelist"] == "500" && line["number"] == "2"
    };
    publish_without(&index(3), is_one);
    let holes = ["member 2 at step 3: q", "all members at step 6: t2m"];
    let holes = holes.map(|it| format!("2026-02-05T00: {it}")).to_vec();
    assert_eq!(verdicts(&desk, line), (false, 4, holes));
}

#[test]
fn a_message_that_all_members_lack_is_missing() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = Run::new(&[0, 1, 2], &[0, 3, 6]);
    run.write(&bucket);
    let line = format!("gefs --run {} {}", TIMES[0], run.options());
    assert_eq!(verdicts(&desk, &line), (true, 0, vec![]));
    fs::remove_dir_all(desk.path("store")).unwrap();
    let product = gik_testkit::gefs::Product::A;
    Run::of(product, &[0, 1, 2], &[3], |it| it == crate::run::TP).write(&bucket);
    let hole = "2025-01-06T00: all members at step 3: soilw, t2m".to_owned();
    assert_eq!(verdicts(&desk, &line), (false, 6, vec![hole]));
    // None at all of a variable is one line.
    fs::remove_dir_all(desk.path("store")).unwrap();
    Run::of(product, &[0, 1, 2], &[0, 3, 6], |it| it != crate::run::SOILW).write(&bucket);
    let line = format!(
        "gefs --run {} --product pgrb2ap5 --variables t2m,soilw --members 0-2 --steps 0-6",
        TIMES[0]
    );
    let hole = "2025-01-06T00: all of soilw".to_owned();
    let found = verdicts(&desk, &line);
    assert_eq!(found, (false, 9, vec![hole]));
}

/// Brightness temperatures are in some files of Alaska. One too many of them is no temperature.
#[test]
fn a_projected_store_is_compared_message_by_message() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=4).alaska().grid(30, 20);
    run.write_messages(&bucket, &["t2m", "sbt123"]).unwrap();
    let line = "hrrr --run 2025-08-01T00 --product wrfsfc-ak --variables t2m,sbt123 --steps 2-4";
    assert_eq!(verdicts(&desk, line), (true, 0, vec![]));
    for (hour, variables, expected) in [
        (3, ["t2m", "t2m"], (true, 0, vec![])),
        (4, ["sbt123", "sbt123"], (false, 1, vec!["2025-08-01T00: step 4: t2m".to_owned()])),
    ] {
        fs::remove_dir_all(desk.path("store")).unwrap();
        run.clone().hours(hour..=hour).write_messages(&bucket, &variables).unwrap();
        assert_eq!(verdicts(&desk, line), expected);
    }
}

/// House-keeping on a disk without room loses nothing that was stored, and can be done once there
/// is room.
#[test]
fn a_full_disk_loses_nothing() {
    use gik_testkit::counters::Operation;
    use gik_testkit::faults::{Fault, Rule};
    let server = crate::s3::server();
    let desk = Desk::with(server.env());
    let store = "s3://stores/x";
    let bucket = server.root().join("forecasts");
    for time in ["2025-01-06T00", "2025-01-06T06", "2025-01-06T12"] {
        let run = Run::new(&[0, 1], &[0, 3]).at(time);
        run.write(&bucket);
        let line = format!("build gefs --run {time} {} --source s3://forecasts/", run.options());
        desk.gik(&format!("{line} --store {store}")).exits(0);
    }
    let history = || {
        let commits = desk.gik(&format!("history {store} --json")).exits(0).json();
        commits["commits"].as_array().unwrap().clone()
    };
    let validate = format!("validate {store} --allow s3://forecasts/ --json");
    let (commits, whole) = (history(), desk.gik(&validate).exits(0).json());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let expire = format!("expire {store} --older-than 0s --grace 0s --json");
    for operation in [Operation::Put, Operation::Multipart, Operation::Copy] {
        server.faults().add(Rule::new(Fault::Full).on(operation).on_path("stores/"));
    }
    let said = desk.gik(&expire).exits(1).says(&["no room left", "make room", "run this again"]);
    assert_eq!(said.stdout, "");
    // Every state is there, and every message of every run.
    assert_eq!(history(), commits);
    assert_eq!(desk.gik(&validate).exits(0).json(), whole);
    for commit in &commits {
        let id = commit["snapshot"].as_str().unwrap();
        desk.gik(&format!("info {store} --at {id}")).exits(0);
    }
    // A build says the same, and the store stays as it was.
    let run = Run::new(&[0], &[0]).at("2025-01-06T18");
    run.write(&bucket);
    let line = format!("build gefs --run 2025-01-06T18 {} --source s3://forecasts/", run.options());
    desk.gik(&format!("{line} --store {store}")).exits(1).says(&["no room left"]);
    assert_eq!(history(), commits);

    server.faults().clear();
    let done = desk.gik(&expire).exits(0).json();
    assert!(
        done["commits"].as_u64().unwrap() > 0 && done["objects"].as_u64().unwrap() > 0,
        "{done}"
    );
    assert_eq!(desk.gik(&validate).exits(0).json(), whole);
}

/// A run whose files were all published anew, with other values at other places: what is in the
/// store is whole, and cannot be read. Building it again replaces its references.
#[test]
fn a_run_that_was_published_anew_is_built_again() {
    use crate::run::{T2M, TP};
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&bucket);
    let options = format!("{} --source bucket --store store", run.options());
    let build = format!("build gefs --run {} {options} --json", TIMES[0]);
    desk.gik(&build).exits(0);
    // Rain and temperature alone, so that messages lie elsewhere, and other values.
    let product = gik_testkit::gefs::Product::A;
    let anew = Run::of(product, &[0, 1], &[0, 3], |it| {
        it == TP || it == T2M || it.starts_with("SOILW:0-0.1") || it == "RH:2 m above ground"
    });
    let anew = anew.gappy(1);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    anew.write(&bucket);
    for (member, step) in anew.targets() {
        let path = bucket.join(anew.path(member, step));
        for path in [path.with_added_extension("idx"), path] {
            fs::File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
        }
    }
    // Who only adds what is missing has nothing to do; who reads is told.
    desk.gik(&format!("update gefs --run {} {options}", TIMES[0])).exits(0);
    desk.gik(&format!("backfill gefs --from {0} --to {0} {options}", TIMES[0])).exits(0);
    desk.gik("validate store --allow bucket")
        .exits(3)
        .says(&["overwritten since; build the run again"]);

    let report = desk.gik(&build).exits(0).json();
    assert_eq!(
        (&report["references"]["replaced"], &report["references"]["unchanged"]),
        (&10.into(), &0.into())
    );
    desk.gik("validate store --allow bucket").exits(0);
    desk.gik("read store tp --sel member=1 --sel step=3 --allow bucket -o x.npy").exits(0);
    crate::desk::assert_same(&desk.npy("x.npy").1, &anew.values(TP, 1, 3));
}
