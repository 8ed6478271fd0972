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
