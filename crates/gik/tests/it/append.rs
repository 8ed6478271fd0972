//! Stores that grow: run by run, and where something was missing.

use std::fs;

use crate::desk::{Desk, Outcome, assert_same};
use crate::run::{Run, SOILW, T2M, TP};

const TIMES: [&str; 4] = ["2025-01-06T00", "2025-01-06T06", "2025-01-06T12", "2025-01-06T18"];

fn build(desk: &Desk, run: &Run, time: &str, more: &str) -> Outcome {
    let options = run.options();
    desk.gik(&format!("build gefs --run {time} {options} --source bucket --store store {more}"))
}

/// Checks every value of a run in the store.
fn check(desk: &Desk, run: &Run, time: &str) {
    for (name, field) in [("t2m", T2M), ("tp", TP), ("soilw", SOILW)] {
        for (member, step) in run.targets() {
            let at = format!("--sel time={time} --sel member={member} --sel step={step}");
            desk.gik(&format!("read store {name} {at} --allow bucket -o x.npy")).exits(0);
            assert_same(&desk.npy("x.npy").1, &run.values(field, member, step));
        }
    }
}

fn times(desk: &Desk) -> Vec<String> {
    let history = desk.gik("info store").exits(0).stdout;
    let line = history.lines().find(|line| line.trim_start().starts_with("time")).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn runs_are_added_in_any_order() {
    let desk = Desk::new();
    let runs: Vec<Run> = TIMES.iter().map(|time| Run::new(&[0, 1], &[0, 3]).at(time)).collect();
    for at in [2, 3, 0, 1] {
        runs[at].write(&desk.path("bucket"));
        build(&desk, &runs[at], TIMES[at], "").exits(0);
    }
    assert_eq!(times(&desk)[..3], ["time", "4", "2025-01-06T00"]);
    for (run, time) in runs.iter().zip(TIMES) {
        check(&desk, run, time);
    }
    let commits = desk.gik("history store --json").exits(0).json();
    let messages: Vec<&str> = commits["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages.len(), 4);
    assert!(messages[0].ends_with("2025-01-06T06"), "{messages:?}");
    assert_eq!(commits["commits"][0]["properties"]["added"], 10);
    assert!(commits["commits"][0]["properties"]["seconds"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_run_that_is_there_is_filled_up() {
    let desk = Desk::new();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    let (index, hidden) = (desk.path("bucket").join(run.path(1, 3) + ".idx"), desk.path("hidden"));
    fs::rename(&index, &hidden).unwrap();
    let report = build(&desk, &run, TIMES[0], "--index-only --json").exits(3).json();
    assert_eq!(report["references"]["written"], 7);
    fs::rename(&hidden, &index).unwrap();
    let report = build(&desk, &run, TIMES[0], "--json").exits(0).json();
    let references = &report["references"];
    assert_eq!((&references["written"], &references["unchanged"]), (&3.into(), &7.into()));
    check(&desk, &run, TIMES[0]);
    // A third time there is nothing to do, and no commit.
    let before = desk.gik("history store --json").json();
    let report = build(&desk, &run, TIMES[0], "--json").exits(0).json();
    assert_eq!(report["references"]["written"], 0);
    assert_eq!(report["snapshot"], before["commits"][0]["snapshot"]);
    assert_eq!(desk.gik("history store --json").json(), before);
}

#[test]
fn a_file_that_was_published_anew_is_referred_to_anew() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0, 3]);
    run.write(&desk.path("bucket"));
    build(&desk, &run, TIMES[0], "").exits(0);
    // Another file of the same name, some minutes later.
    let other = Run::new(&[0], &[0, 3]).at(TIMES[1]);
    let (data, _) = other.file(0, 3);
    let path = desk.path("bucket").join(run.path(0, 3));
    let (index, lines) = (path.with_added_extension("idx"), other.file(0, 3).1);
    fs::write(&path, data).unwrap();
    fs::write(&index, lines.replace("d=2025010606", "d=2025010600")).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(300);
    fs::File::open(&path).unwrap().set_modified(later).unwrap();
    let read = "read store t2m --sel step=3 --sel member=0 --allow bucket -o x.npy";
    desk.gik(read).exits(1).says(&["was overwritten since", "build the run again"]);
    let report = build(&desk, &run, TIMES[0], "--json").exits(0).json();
    assert_eq!(report["references"]["replaced"], 3);
    desk.gik(read).exits(0);
    assert_same(&desk.npy("x.npy").1, &other.values(T2M, 0, 3));
}

#[test]
fn dimensions_and_variables_grow() {
    let desk = Desk::new();
    let first = Run::new(&[0], &[0, 3]);
    let second = Run::new(&[0, 1], &[0, 3, 6]).at(TIMES[1]);
    for run in [&first, &second] {
        run.write(&desk.path("bucket"));
    }
    let line = "build gefs --product pgrb2ap5 --source bucket --store store";
    desk.gik(&format!("{line} --run {} --members 0 --steps 0,3 --variables t2m", TIMES[0]))
        .exits(0);
    build(&desk, &second, TIMES[1], "").exits(0);
    check(&desk, &second, TIMES[1]);
    // What the first run has, and what it lacks.
    let read = |variable: &str, member: u8, step: u32, code: i32| {
        let at = format!("--sel time={} --sel member={member} --sel step={step}", TIMES[0]);
        desk.gik(&format!("read store {variable} {at} --allow bucket -o x.npy")).exits(code);
        desk.npy("x.npy").1
    };
    assert_same(&read("t2m", 0, 3, 0), &first.values(T2M, 0, 3));
    for (variable, member, step) in [("t2m", 1, 3), ("t2m", 0, 6), ("tp", 0, 3)] {
        assert_same(&read(variable, member, step, 3), &first.missing());
    }
    // A run with less of everything fits, too.
    let third = Run::new(&[1], &[3]).at(TIMES[2]);
    third.write(&desk.path("bucket"));
    build(&desk, &third, TIMES[2], "").exits(0);
    check(&desk, &third, TIMES[2]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0, 6]);
    run.write(&desk.path("bucket"));
    build(&desk, &run, TIMES[0], "").exits(0);
    let next = Run::new(&[0], &[0, 3, 6]).at(TIMES[1]);
    next.write(&desk.path("bucket"));
    let before = desk.gik("history store --json").json();
    build(&desk, &next, TIMES[1], "")
        .exits(2)
        .says(&["step 3", "between those of the store (0, 6)"]);
    let fits = Run::new(&[0], &[0, 6]).at(TIMES[1]);
    build(&desk, &fits, TIMES[1], "--data-type float64").exits(2).says(&["data_type", "float64"]);
    build(&desk, &fits, TIMES[1], "--codec model").exits(2).says(&["codecs", "gefs_gribberish"]);
    build(&desk, &fits, TIMES[1], "--layout run").exits(2).says(&["another layout"]);
    let other = "--product pgrb2abp5 --variables t2m --members 0 --steps 0";
    let line = format!("build gefs --run {} {other} --source bucket --store store", TIMES[1]);
    desk.gik(&line).exits(2).says(&["another product (pgrb2ap5, not pgrb2abp5)"]);
    assert_eq!(desk.gik("history store --json").json(), before);
    // A store of one run takes that run again, and no other.
    let build_one = |time: &str, run: &Run| {
        let options = run.options();
        desk.gik(&format!(
            "build gefs --run {time} {options} --source bucket --store one --layout run"
        ))
    };
    build_one(TIMES[0], &run).exits(0);
    build_one(TIMES[0], &run).exits(0);
    build_one(TIMES[1], &fits).exits(2).says(&["another run in a store of one run"]);
}

#[test]
fn earlier_states_can_be_named_and_read() {
    let desk = Desk::new();
    let runs: Vec<Run> = TIMES.iter().map(|time| Run::new(&[0], &[0]).at(time)).collect();
    for (run, time) in runs.iter().zip(TIMES).take(2) {
        run.write(&desk.path("bucket"));
        build(&desk, run, time, "").exits(0);
        if time == TIMES[0] {
            desk.gik("tag store first").exits(0);
        }
    }
    desk.gik("tag store first").exits(2).says(&["is taken"]);
    desk.gik("tag store x --at nowhere").exits(2).says(&["there are: first", "gik history"]);
    let history = desk.gik("history store --json").exits(0).json();
    let commits = history["commits"].as_array().unwrap();
    assert_eq!((commits.len(), &commits[1]["tags"]), (2, &serde_json::json!(["first"])));
    let id = commits[1]["snapshot"].as_str().unwrap();
    let length = |at: &str| {
        let info = desk.gik(&format!("info store --json {at}")).exits(0).json();
        info["coordinates"]["time"]["shape"][0].clone()
    };
    for at in ["--at first", &format!("--at {id}")] {
        assert_eq!(length(at), 1, "{at}");
        desk.gik(&format!("read store t2m {at} --allow bucket -o x.npy")).exits(0);
        assert_same(&desk.npy("x.npy").1, &runs[0].values(T2M, 0, 0));
    }
    assert_eq!((length(""), length("--at 2199-01-01T00")), (2.into(), 2.into()));
    desk.gik("info store --at 1999-01-01T00").exits(1).says(&["gik history lists the commits"]);
    assert!(desk.gik("history store -n 1").exits(0).stdout.contains("2025-01-06T06"));
}
