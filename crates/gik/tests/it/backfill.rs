//! Many runs into one store.

use std::process::Stdio;

use serde_json::json;

use crate::desk::{Desk, Outcome, assert_same};
use crate::run::{Run, T2M};
use crate::s3;

const TIMES: [&str; 8] = [
    "2025-01-06T00",
    "2025-01-06T06",
    "2025-01-06T12",
    "2025-01-06T18",
    "2025-01-07T00",
    "2025-01-07T06",
    "2025-01-07T12",
    "2025-01-07T18",
];

fn runs(desk: &Desk) -> Vec<Run> {
    let runs: Vec<Run> = TIMES.iter().map(|time| Run::new(&[0, 1], &[0, 3]).at(time)).collect();
    for run in &runs {
        run.write(&desk.path("bucket"));
    }
    runs
}

fn line(from: &str, to: &str, more: &str) -> String {
    let options = Run::new(&[0, 1], &[0, 3]).options();
    format!("backfill gefs --from {from} --to {to} {options} --source bucket {more}")
}

fn check(desk: &Desk, runs: &[Run], store: &str) {
    for (run, time) in runs.iter().zip(TIMES) {
        let at = format!("--sel time={time} --sel member=1 --sel step=3");
        desk.gik(&format!("read {store} t2m {at} --allow bucket -o x.npy")).exits(0);
        assert_same(&desk.npy("x.npy").1, &run.values(T2M, 1, 3));
    }
}

#[test]
fn runs_that_are_there_are_left_out() {
    let desk = Desk::new();
    let runs = runs(&desk);
    let some = desk.gik(&line(TIMES[2], TIMES[4], "--store store --json")).exits(0).json();
    // The arrays come with the first run.
    assert_eq!((&some["references"]["written"], &some["commits"]), (&30.into(), &2.into()));
    let all = desk.gik(&line(TIMES[0], TIMES[7], "--store store --jobs 3 --json")).exits(0).json();
    assert_eq!(all["references"]["written"], 50);
    let there: Vec<bool> =
        all["runs"].as_array().unwrap().iter().map(|run| run["was_there"] == true).collect();
    assert_eq!(there, [false, false, true, true, true, false, false, false]);
    check(&desk, &runs, "store");
    let again = desk.gik(&line(TIMES[0], TIMES[7], "--store store --json")).exits(0).json();
    assert_eq!((&again["references"]["written"], &again["commits"]), (&0.into(), &0.into()));
}

#[test]
fn a_run_without_files_is_named_and_the_rest_goes_on() {
    let desk = Desk::new();
    let runs = runs(&desk);
    let lost = desk.path("bucket/gefs.20250106/12");
    std::fs::remove_dir_all(&lost).unwrap();
    let said = desk.gik(&line(TIMES[0], TIMES[3], "--store store")).exits(3);
    assert!(said.stdout.contains("4 runs, 3 complete"), "{}", said.stdout);
    said.says(&["2025-01-06T12: not found", "none of the 4 files"]);
    runs[2].write(&desk.path("bucket"));
    desk.gik(&line(TIMES[0], TIMES[3], "--store store")).exits(0);
    check(&desk, &runs[..4], "store");
    desk.gik(&line(TIMES[3], TIMES[0], "--store store")).exits(2).says(&["run backwards"]);
    desk.gik(&line(TIMES[0], TIMES[3], "--store store --shard 5/4")).exits(2).says(&["1/8, 2/8"]);
}

#[test]
fn shards_fill_one_store_together() {
    let server = s3::server();
    let desk = Desk::with(server.env());
    let runs = runs(&desk);
    let children: Vec<_> = (1..=4)
        .map(|shard| {
            let line = line(
                TIMES[0],
                TIMES[7],
                &format!("--store s3://stores/all --shard {shard}/4 --json"),
            );
            let mut command = desk.command(&line);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let report = Outcome::of("shard", child.wait_with_output().unwrap()).exits(0).json();
        assert_eq!(report["runs"].as_array().unwrap().len(), 2);
        assert_eq!(report["references"]["written"], 20);
    }
    check(&desk, &runs, "s3://stores/all");
    let info = desk.gik("info s3://stores/all --json").exits(0).json();
    assert_eq!(info["coordinates"]["time"]["shape"], json!([8]));
    let counts: Vec<_> =
        info["variables"].as_array().unwrap().iter().map(|it| &it["references"]).collect();
    assert_eq!(counts, [&json!(32), &json!(32), &json!(16)]);
}

/// Each commit says what it added, of which runs, and from where.
#[test]
fn history_tells_each_commit_of_its_own() {
    let desk = Desk::new();
    runs(&desk);
    let done = desk.gik(&line(TIMES[0], TIMES[3], "--store store --json")).exits(0).json();
    assert_eq!((&done["references"]["written"], &done["commits"]), (&40.into(), &2.into()));
    let history = desk.gik("history store --json").exits(0).json();
    let commits = history["commits"].as_array().unwrap();
    let fact = |at: usize, key: &str| commits[at]["properties"][key].clone();
    // The newest first; the arrays came with the first run.
    assert_eq!((fact(0, "added"), fact(1, "added")), (json!(30), json!(10)));
    assert_eq!((fact(0, "runs"), fact(1, "runs")), (json!(TIMES[1..4]), json!(TIMES[..1])));
    assert!(fact(1, "source").as_str().unwrap().ends_with("/bucket/"), "{history}");
    assert!(fact(0, "seconds").as_f64().unwrap() >= 0.0, "{history}");
    // An earlier state has a commit of its own.
    let first = commits[1]["snapshot"].as_str().unwrap();
    let info = desk.gik(&format!("info store --at {first} --json")).exits(0).json();
    assert_eq!(
        (&info["snapshot"], &info["commit"]["properties"]["added"]),
        (&json!(first), &json!(10))
    );
}

/// A run that does not fit the store is named, and those that do are added.
#[test]
fn a_run_that_does_not_fit_stops_nobody() {
    let desk = Desk::new();
    runs(&desk);
    // The steps of the store do not go between those of the runs.
    let odd = Run::new(&[0, 1], &[0, 6]).at(TIMES[3]);
    odd.write(&desk.path("bucket"));
    let of = |from: &str, to: &str, steps: &str| {
        format!(
            "backfill gefs --from {from} --to {to} --product pgrb2ap5 --variables t2m,tp,soilw \
             --members 0,1 --steps {steps} --source bucket --store store"
        )
    };
    desk.gik(&of(TIMES[3], TIMES[3], "0,6")).exits(0);
    let said = desk.gik(&of(TIMES[0], TIMES[1], "0,3"));
    // All of them do not fit: that is an error, and says why.
    said.exits(2).says(&["step"]);
    desk.gik(&of(TIMES[0], "2999-01-01T00", "0,6")).exits(2).says(&["reach into the future"]);
}
