//! Sources on web servers, which have no listings.

use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::gefs::{DataFiles, GefsRun};
use gik_testkit::http::HttpServer;
use tempfile::TempDir;

use crate::desk::{Desk, assert_same};
use crate::run::{Run, T2M, TIME, TP};
use crate::s3::range;

fn server() -> (HttpServer, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (HttpServer::start(dir.path()).unwrap(), dir)
}

#[test]
fn no_byte_of_a_data_file_is_read_to_build() {
    let (server, dir) = server();
    let run = GefsRun::new(TIME.parse().unwrap()).members(0..=3).steps(0..=30);
    let counts = run.write_indexes(dir.path(), DataFiles::Sparse).unwrap();
    let desk = Desk::new();
    let options = format!("--members 0-3 --steps 0-30 --source {}", server.url());
    let report = desk.build(&format!("{options} --store store --json")).exits(0).json();
    assert_eq!(report["references"]["written"], counts.messages);
    assert_eq!(report["source"], format!("{}/", server.url()));

    let counters = server.counters();
    let count = |operation, index: bool| {
        counters.count(|it| it.operation == operation && it.path.ends_with(".idx") == index)
    };
    // One of each for each file: a plain web server has no listings.
    assert_eq!(counts.files, 44);
    assert_eq!((count(Operation::Get, true), count(Operation::Get, false)), (44, 0));
    assert_eq!((count(Operation::Head, true), count(Operation::Head, false)), (0, 44));
    assert_eq!((counters.of(Operation::Other), counters.requests()), (0, 88));
    assert_eq!(report["requests"], 88);
    let bytes = report["bytes_read"].as_u64().unwrap();
    assert!((bytes..bytes + 200).contains(&counters.bytes_sent()), "{}", counters.bytes_sent());
    assert!(counters.peak_in_flight() <= 130);
}

#[test]
fn a_message_is_one_ranged_request() {
    let (server, dir) = server();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&dir.path().join("a b/gefs"));
    let desk = Desk::new();
    let options = format!("{} --source {}/a%20b/gefs", run.options(), server.url());
    desk.build(&format!("{options} --store store")).exits(0);

    let counters = server.counters();
    counters.reset();
    let root = format!("{}/a%20b/gefs/", server.url());
    let read = "read store t2m --sel member=0:1 -o x.npy";
    desk.gik(read).exits(1).says(&["not allowed", "--allow http://127.0.0.1"]);
    desk.gik(&format!("{read} --allow http://127.0.0.1:1/")).exits(1);
    assert_eq!(counters.requests(), 0);
    desk.gik(&format!("{read} --allow {root}")).exits(0);
    let values: Vec<f32> = run.targets().flat_map(|(m, s)| run.values(T2M, m, s)).collect();
    assert_same(&desk.npy("x.npy").1, &values);
    let mut asked = counters.log();
    asked.sort_by(|a, b| a.path.cmp(&b.path));
    let targets: Vec<_> = run.targets().collect();
    assert_eq!(asked.len(), targets.len());
    for (asked, (member, step)) in asked.iter().zip(targets) {
        assert_eq!(asked.operation, Operation::Get);
        assert_eq!(asked.path, format!("a b/gefs/{}", run.path(member, step)));
        assert_eq!(asked.detail, range(&run, T2M, member, step));
    }
}

#[test]
fn what_is_missing_on_a_web_server_is_reported() {
    let (server, dir) = server();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(dir.path());
    std::fs::remove_file(dir.path().join(run.path(1, 0))).unwrap();
    std::fs::remove_file(dir.path().join(run.path(0, 3)).with_added_extension("idx")).unwrap();
    let desk = Desk::new();
    let options =
        format!("{} --source {} --store store --index-only --json", run.options(), server.url());
    let report = desk.build(&options).exits(3).json();
    assert_eq!(report["problems"], serde_json::json!({"missing_file": 2}));
    let urls: Vec<_> =
        report["diagnostics"].as_array().unwrap().iter().map(|it| &it["url"]).collect();
    let url = |path: String| format!("{}/{path}", server.url());
    assert_eq!(urls, [&url(run.path(0, 3) + ".idx"), &url(run.path(1, 0))]);

    // A file that was replaced since is not read as if it were the old one.
    let path = dir.path().join(run.path(1, 3));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
    let read = format!("read store tp --sel step=3 --allow {} -o x.npy", server.url());
    desk.gik(&read).exits(1).says(&["was overwritten since", &run.path(1, 3)]);
    desk.gik(&format!("{read} --sel member=0")).exits(3);
    assert_same(&desk.npy("x.npy").1, &run.missing());
    assert!(!run.values(TP, 0, 3)[0].is_nan());
}

/// Some mirrors say neither when a file was written nor which version of it they send.
#[test]
fn a_server_without_versions_gives_a_whole_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = HttpServer::without_versions(dir.path()).unwrap();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(dir.path());
    // Nobody could ask for the rest of a file alone.
    let cut = Rule::new(Fault::CutBody { after: 50 }).on(Operation::Get).on_path(".idx");
    server.faults().add(cut.first_of_each(2));
    let desk = Desk::new();
    let options = format!("{} --source {} --store store --json", run.options(), server.url());
    let report = desk.build(&options).exits(0).json();
    assert_eq!((&report["files"]["used"], &report["requests"]), (&4.into(), &16.into()));
    assert_eq!(server.faults().injected().cut, 8);
    desk.gik(&format!("read store t2m -o x.npy --allow {}", server.url())).exits(0);
    let values: Vec<f32> = run.targets().flat_map(|(m, s)| run.values(T2M, m, s)).collect();
    assert_same(&desk.npy("x.npy").1, &values);

    // Not for ever.
    server.faults().clear();
    server.faults().add(Rule::new(Fault::CutBody { after: 50 }).on(Operation::Get).on_path(".idx"));
    let report = desk.build(&options.replace("store store", "store other")).exits(1).json();
    assert_eq!(report["problems"], serde_json::json!({"unreadable": 4}));
}

/// Others say only which version they send.
#[test]
fn a_file_that_was_overwritten_is_told_by_its_tag() {
    let dir = tempfile::tempdir().unwrap();
    let server = HttpServer::with_tags_alone(dir.path()).unwrap();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(dir.path());
    let desk = Desk::new();
    desk.build(&format!("{} --source {} --store store", run.options(), server.url())).exits(0);
    let read = format!("read store t2m --allow {} -o x.npy", server.url());
    desk.gik(&read).exits(0);
    let values: Vec<f32> = run.targets().flat_map(|(m, s)| run.values(T2M, m, s)).collect();
    assert_same(&desk.npy("x.npy").1, &values);
    // Another version: as long, and with the same messages where they were.
    let path = dir.path().join(run.path(1, 3));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
    desk.gik(&format!("{read} --sel member=1 --sel step=3"))
        .exits(1)
        .says(&["was overwritten since", &run.path(1, 3)]);
}
