//! Following a run while it is published.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::desk::{Desk, Outcome, assert_same};
use crate::run::{Run, T2M, TIME};

fn line(run: &Run, more: &str) -> String {
    format!("update gefs --run {TIME} {} --source bucket --store store {more}", run.options())
}

/// Publishes one file: its data, then its index.
fn publish(bucket: &Path, run: &Run, member: u8, step: u32) {
    let (data, index) = run.file(member, step);
    let path = bucket.join(run.path(member, step));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Whole or not at all, as on an object store.
    for (path, bytes) in [(path.clone(), data), (path.with_added_extension("idx"), index.into())] {
        fs::write(bucket.join("part"), bytes).unwrap();
        fs::rename(bucket.join("part"), path).unwrap();
    }
}

#[test]
fn a_run_is_followed_until_it_is_complete() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = Run::new(&[0, 1], &[0, 3, 6]);
    publish(&bucket, &run, 0, 0);
    let watch = line(&run, "--watch --interval 1s --deadline 5m --json");
    let child = desk.command(&watch).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    for (member, step) in run.targets().skip(1) {
        std::thread::sleep(Duration::from_millis(700));
        publish(&bucket, &run, member, step);
    }
    let report = Outcome::of(&watch, child.wait_with_output().unwrap()).exits(0).json();
    assert_eq!(report["references"]["there"], 16);
    assert_eq!((&report["files"]["used"], &report["complete"]), (&6.into(), &true.into()));
    assert!(report["commits"].as_u64().unwrap() >= 3, "{report}");
    for (member, step) in run.targets() {
        let at = format!("--sel member={member} --sel step={step}");
        desk.gik(&format!("read store t2m {at} --allow bucket -o x.npy")).exits(0);
        assert_same(&desk.npy("x.npy").1, &run.values(T2M, member, step));
    }
    // There is nothing left to do.
    let report = desk.gik(&line(&run, "--json")).exits(0).json();
    assert_eq!((&report["commits"], &report["references"]["found"]), (&0.into(), &16.into()));
    let commits = desk.gik("history store --json").exits(0).json();
    let messages = commits["commits"].as_array().unwrap().iter();
    assert!(messages.clone().all(|it| it["message"].as_str().unwrap().contains("files")));
}

#[test]
fn what_is_not_published_is_said() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = Run::new(&[0, 1], &[0, 3, 6]);
    for (member, step) in [(0, 0), (1, 0), (0, 3)] {
        publish(&bucket, &run, member, step);
    }
    let report = desk.gik(&line(&run, "--json")).exits(3).json();
    assert_eq!((&report["files"]["used"], &report["files"]["expected"]), (&3.into(), &6.into()));
    assert_eq!(report["diagnostics"].as_array().unwrap().len(), 3);
    let said = desk.gik(&line(&run, "")).exits(3);
    assert!(said.stdout.contains("3 of 6 files") && said.stdout.contains("0 commits"));
    said.says(&["3 missing files", "is not published yet, or lost", "gep01"]);
    // Waiting ends.
    let started = Instant::now();
    desk.gik(&line(&run, "--watch --interval 1s --deadline 2s")).exits(3);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_damaged_file_is_read_again_when_it_has_changed() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let run = Run::new(&[0], &[0, 3]);
    run.write(&bucket);
    let index = bucket.join(run.path(0, 3)).with_added_extension("idx");
    let whole = fs::read_to_string(&index).unwrap();
    fs::write(&index, &whole[..whole.len() - 20]).unwrap();
    let report = desk.gik(&line(&run, "--index-only --json")).exits(3).json();
    assert!(report["references"]["there"].as_u64().unwrap() < 5, "{report}");
    fs::write(&index, whole).unwrap();
    let report = desk.gik(&line(&run, "--json")).exits(0).json();
    assert_eq!(report["references"]["there"], 5);
}

#[test]
fn the_newest_run_is_found() {
    let desk = Desk::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let cycle = |back: i64| {
        let hours = i64::try_from(now.as_secs()).unwrap() / 21_600 * 6 - 6 * back;
        gik::core::ReferenceTime::from_seconds(hours * 3600).to_string()
    };
    // The newest cycle has not begun to be published; the one before has.
    let run = Run::new(&[0], &[0]).at(&cycle(1));
    run.write(&desk.path("bucket"));
    Run::new(&[0], &[0]).at(&cycle(2)).write(&desk.path("bucket"));
    let options = run.options();
    let update = format!("update gefs {options} --source bucket --store store --json");
    let report = desk.gik(&update).exits(0).json();
    assert_eq!(report["run"], cycle(1));
}

#[test]
fn wrong_spans_are_refused() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0]);
    fs::create_dir(desk.path("bucket")).unwrap();
    desk.gik(&line(&run, "--interval soon")).exits(2).says(&["write 90s, 5m, 12h or 30d"]);
    desk.gik(&line(&run, "--interval 0s")).exits(2).says(&["a second is the least"]);
}

/// What is in the store counts for what is asked for, not for something else of the same file.
#[test]
fn other_variables_and_members_of_a_file_are_added() {
    let desk = Desk::new();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    let of = |members: &str, variables: &str| {
        format!(
            "--product pgrb2ap5 --members {members} --steps 0,3 --variables {variables} \
             --source bucket --store store --json"
        )
    };
    desk.build(&of("0", "t2m,soilw")).exits(0);
    let update = format!("update gefs --run {TIME} {}", of("0-1", "t2m,tp"));
    let report = desk.gik(&update).exits(0).json();
    assert_eq!(
        (&report["references"]["found"], &report["references"]["there"]),
        (&2.into(), &6.into())
    );
    let range = format!("backfill gefs --from {TIME} --to {TIME} {}", of("0-1", "soilw"));
    let report = desk.gik(&range).exits(0).json();
    assert_eq!((&report["references"]["written"], &report["commits"]), (&2.into(), &1.into()));
    let report = desk.gik(&range).exits(0).json();
    assert_eq!((&report["runs"][0]["was_there"], &report["commits"]), (&true.into(), &0.into()));
    let info = desk.gik("info store --json").exits(0).json();
    let counts: Vec<_> =
        info["variables"].as_array().unwrap().iter().map(|it| &it["references"]).collect();
    assert_eq!(counts, [4, 4, 2]);
}

/// On a server without listings a gap of many files does not hide those behind it.
#[test]
fn a_server_without_listings_is_asked_for_every_file() {
    let desk = Desk::new();
    let bucket = desk.path("bucket");
    let server = gik_testkit::http::HttpServer::start(&bucket).unwrap();
    let run = gik_testkit::gefs::GefsRun::new(TIME.parse().unwrap()).members(0..=4);
    let last = run.clone().steps(240..=240);
    let counts = last.write_indexes(&bucket, gik_testkit::gefs::DataFiles::Sparse).unwrap();
    let url = server.url();
    let line =
        format!("update gefs --run {TIME} --members 0-4 --source {url} --store store --json");
    let report = desk.gik(&line).exits(3).json();
    assert_eq!(report["references"]["there"], counts.messages);
    // A missing index is one request, and nothing is asked for its data.
    assert!(report["requests"].as_u64().unwrap() < 81 * 5 + 30, "{report}");
}
