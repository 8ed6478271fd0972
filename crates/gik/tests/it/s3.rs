//! Sources and stores on S3, over the real protocol.

use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::gefs::{DataFiles, GefsRun};
use gik_testkit::s3::S3Server;

use serde_json::json;

use crate::desk::{Desk, assert_same, files_below};
use crate::run::{Run, T2M, TIME, TP};

const DOWN: Fault = Fault::SlowDown { retry_after: None };

/// A server with the buckets `forecasts` and `stores`.
pub(crate) fn server() -> S3Server {
    let server = S3Server::start().unwrap();
    server.create_bucket("forecasts").unwrap();
    server.create_bucket("stores").unwrap();
    server
}

/// What lies in the bucket `stores`.
pub(crate) fn stored(server: &S3Server) -> Vec<String> {
    files_below(&server.root().join("stores")).into_iter().filter(|it| !it.ends_with('/')).collect()
}

#[test]
fn a_public_bucket_is_read_without_keys() {
    let server = server();
    let run = Run::new(&[0, 1, 2], &[0, 3, 6]);
    run.write(&server.root().join("forecasts"));
    let desk = Desk::with(server.env_anonymous());
    let options = format!("{} --source s3://forecasts/ --store store", run.options());
    let report = desk.build(&format!("{options} --json")).exits(0).json();
    assert_eq!(report["references"]["written"], 24);

    // One listing, one request for each index, and not one for a data file.
    let counters = server.counters();
    assert_eq!((counters.of(Operation::List), counters.of(Operation::Head)), (1, 0));
    assert_eq!((counters.of(Operation::Get), counters.requests()), (9, 10));
    assert_eq!(counters.count(|it| it.operation == Operation::Get && it.path.ends_with(".idx")), 9);
    assert_eq!(report["requests"], 10);

    counters.reset();
    let read = "read store t2m --sel step=6 -o t2m.npy";
    desk.gik(read).exits(1).says(&["--allow s3://forecasts/"]);
    assert_eq!(counters.requests(), 0);
    desk.gik(&format!("{read} --allow s3://forecasts/")).exits(0);
    let (shape, values) = desk.npy("t2m.npy");
    assert_eq!(shape, [1, 3, 361, 720]);
    let expected: Vec<f32> = [0, 1, 2].iter().flat_map(|&it| run.values(T2M, it, 6)).collect();
    assert_same(&values, &expected);
    // One request for each message, for exactly its bytes.
    let mut asked: Vec<_> = counters.log().into_iter().map(|it| (it.path, it.detail)).collect();
    asked.sort();
    let expected: Vec<_> = [0, 1, 2]
        .map(|member| (format!("forecasts/{}", run.path(member, 6)), range(&run, T2M, member, 6)))
        .into();
    assert_eq!(asked, expected);
}

/// The bytes of a message, as a request for them says.
pub(crate) fn range(run: &Run, field: &str, member: u8, step: u32) -> String {
    let (data, index) = run.file(member, step);
    let offset = |line: &str| line.split(':').nth(1).unwrap().parse::<usize>().unwrap();
    let mut lines = index.lines().skip_while(|line| !line.contains(field));
    let first = offset(lines.next().unwrap());
    let end = lines.next().map_or(data.len(), offset);
    format!("bytes={first}-{}", end - 1)
}

#[test]
fn a_store_in_a_bucket_refers_to_local_files() {
    let server = server();
    let desk = Desk::with(server.env());
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    let store = "s3://stores/deep/run";
    let options = format!("{} --source bucket --store {store}", run.options());
    let built = desk.build(&options).exits(0);
    assert!(built.stdout.starts_with(&format!("{store}: gefs pgrb2ap5")), "{}", built.stdout);
    let objects = stored(&server);
    assert!(objects.contains(&"deep/run/repo".to_owned()), "{objects:?}");
    assert!(objects.iter().all(|name| name.starts_with("deep/run/")), "{objects:?}");

    let info = desk.gik(&format!("info {store} --json")).exits(0).json();
    assert_eq!(info["commit"]["properties"]["references"], 10);
    assert_eq!(info["containers"][0]["access"], "local files");
    desk.gik(&format!("read {store} tp")).exits(1).says(&["--allow file:///"]);
    desk.gik(&format!("read {store} tp --sel member=1 --sel step=3 --allow bucket -o x.npy"))
        .exits(0);
    assert_same(&desk.npy("x.npy").1, &run.values(TP, 1, 3));

    // A second build finds nothing to write.
    server.counters().reset();
    desk.build(&options).exits(0);
    assert_eq!(stored(&server), objects);
    assert_eq!(server.counters().of(Operation::Put), 0);
    // So is one in a place of something else.
    server.put("stores", "letters/a", "x").unwrap();
    desk.build(&options.replace("deep/run", "letters")).exits(2).says(&["already exists"]);
    assert_eq!(stored(&server).len(), objects.len() + 1);
    // Whoever may only read, cannot write.
    let reader = Desk::with(server.env_anonymous());
    run.write(&reader.path("bucket"));
    reader.build(&options.replace("deep/run", "other")).exits(1).says(&["s3://stores/other"]);
    assert_eq!(stored(&server).len(), objects.len() + 1);
    reader.gik(&format!("info {store}")).exits(0);
}

#[test]
fn source_and_store_in_buckets() {
    let server = server();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&server.root().join("forecasts/mirror of gefs"));
    server.put("forecasts", "mirror of gefs/unrelated", "x").unwrap();
    let desk = Desk::with(server.env());
    let options = run.options();
    let mut build =
        desk.command(&format!("build gefs --run {TIME} {options} --store s3://stores/x"));
    build.args(["--source", "s3://forecasts/mirror of gefs"]);
    crate::desk::Outcome::of("build", build.output().unwrap()).exits(0);
    let info = desk.gik("info s3://stores/x --json").exits(0).json();
    assert_eq!(info["containers"][0]["url"], "s3://forecasts/mirror%20of%20gefs/");
    let read = "read s3://stores/x t2m --sel member=0 --sel step=3 -o x.npy";
    desk.gik(read).exits(1).says(&["--allow s3://forecasts/mirror"]);
    desk.gik(&format!("{read} --allow s3://forecasts-of-others/")).exits(1);
    desk.gik(&format!("{read} --allow s3://forecasts")).exits(0);
    assert_same(&desk.npy("x.npy").1, &run.values(T2M, 0, 3));
    // The bucket that is not there.
    desk.build(&format!("{options} --source s3://none/ --store s3://stores/y")).exits(1);
    desk.build(&format!("{options} --source s3://forecasts/ --store s3://none/y")).exits(1);
    assert!(stored(&server).iter().all(|name| name.starts_with("x/")));
}

#[test]
fn a_folder_of_thousands_is_listed_in_pages() {
    let server = server();
    let run = GefsRun::new(TIME.parse().unwrap()).members(0..=6);
    let counts = run.write_indexes(&server.root().join("forecasts"), DataFiles::Sparse).unwrap();
    assert_eq!(counts.files, 567);
    let desk = Desk::with(server.env_anonymous());
    let report = desk.build("--members 0-6 --source s3://forecasts/ --store store --json");
    let report = report.exits(0).json();
    assert_eq!(report["references"]["written"], counts.messages);
    let counters = server.counters();
    assert_eq!((counters.of(Operation::List), counters.of(Operation::Head)), (2, 0));
    assert_eq!(counters.of(Operation::Get), 567);
    assert_eq!(counters.count(|it| !it.path.ends_with(".idx")), 2);
    assert_eq!(report["requests"], 569);

    // Of few files each is asked for by itself, and that reads no data either.
    counters.reset();
    let few = "--members 0 --steps 0-6 --source s3://forecasts/ --store few --json";
    desk.build(few).exits(0);
    assert_eq!((counters.of(Operation::List), counters.of(Operation::Head)), (0, 3));
    assert_eq!((counters.of(Operation::Get), counters.on(".idx")), (3, 3));
}

/// Icechunk tries again for some seconds before it gives up. What is left of a creation that
/// failed is used or, when nobody has gone on with it for a while, removed.
#[test]
fn a_failed_commit_is_made_up_for() {
    let cases = ["run/repo", "run/manifests/", "run/transactions/", "run/snapshots/"];
    std::thread::scope(|scope| {
        for part in cases {
            scope.spawn(move || {
                let server = server();
                let desk = Desk::with(server.env());
                let run = Run::new(&[0], &[0]);
                run.write(&desk.path("bucket"));
                server.faults().add(Rule::new(DOWN).on(Operation::Put).on_path(part));
                let options = format!("{} --source bucket --store s3://stores/run", run.options());
                desk.build(&options).exits(1).says(&["s3://stores/run"]);
                assert!(server.faults().injected().slow_downs > 1, "{part}");
                // A reader sees nothing, and another try succeeds.
                server.faults().clear();
                let seen = desk.gik("info s3://stores/run --json");
                let is_nothing = seen.code == 1 || seen.json()["variables"] == json!([]);
                assert!(is_nothing, "{part}: {seen:?}");
                desk.build(&options).exits(0);
                let info = desk.gik("info s3://stores/run --json").exits(0).json();
                assert_eq!(info["commit"]["properties"]["added"], 2, "{part}");
            });
        }
    });
}

/// Answers that get lost: whatever the command says, that is what there is.
#[test]
fn lost_answers_leave_a_whole_store_or_none() {
    let lost = |part: &str| Rule::new(Fault::LoseAnswer).on(Operation::Put).on_path(part);
    let rules = [
        lost("run/repo").first(1),
        lost("run/repo").every(2),
        lost("run/manifests/").first(1),
        lost("run/snapshots/").every(2),
    ];
    std::thread::scope(|scope| {
        for rule in rules {
            scope.spawn(move || {
                let server = server();
                let desk = Desk::with(server.env());
                let run = Run::new(&[0], &[0, 3]);
                run.write(&desk.path("bucket"));
                server.faults().add(rule.clone());
                let options = format!("{} --source bucket --store s3://stores/run", run.options());
                let outcome = desk.build(&options);
                assert!(server.faults().injected().answers_lost > 0, "{rule:?}");
                server.faults().clear();
                let info = desk.gik("info s3://stores/run --json");
                match outcome.code {
                    0 => assert_eq!(info.exits(0).json()["commit"]["properties"]["references"], 5),
                    _ => {
                        desk.build(&options).exits(0);
                        let info = desk.gik("info s3://stores/run --json").exits(0).json();
                        assert_eq!(info["commit"]["properties"]["references"], 5, "{rule:?}");
                    }
                }
            });
        }
    });
}
