//! Sources that fail now and then, and sources that fail for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gik::core::{
    BuildOptions, ObjectStoreRegistry, Problem, Report, Result, RunRequest, SourceReader,
    build_manifest,
};
use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::gefs::{DataFiles, GefsRun};
use gik_testkit::generated::Counts;
use gik_testkit::http::HttpServer;
use gik_testkit::s3::S3Server;
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use crate::desk::Desk;
use crate::killed::{References, references, settings};
use crate::run::TIME;
use crate::s3;

const DOWN: Fault = Fault::SlowDown { retry_after: None };

/// Control and four members, 24 hours: 45 files.
fn run() -> GefsRun {
    GefsRun::new(TIME.parse().unwrap()).members(0..=4).steps(0..=24)
}

/// Faults on a part of the requests for indexes, of every kind that passes.
fn shake(faults: &Faults) {
    let index = |fault| Rule::new(fault).on(Operation::Get).on_path(".idx");
    faults.add(index(DOWN).first(10));
    faults.add(index(DOWN).with_probability(0.15));
    faults.add(index(Fault::Drop).with_probability(0.1));
    faults.add(index(Fault::CutBody { after: 700 }).with_probability(0.2));
    faults.add(Rule::new(DOWN).on(Operation::Head).with_probability(0.1));
    faults.add(Rule::new(DOWN).on(Operation::List).first(2));
}

fn check_whole(desk: &Desk, source: &str, faults: &Faults, counts: Counts) {
    shake(faults);
    let options = format!("--members 0-4 --steps 0-24 --source {source} --store store --json");
    let report = desk.build(&options).exits(0).json();
    assert_eq!(report["references"]["written"], counts.messages);
    assert_eq!(report["index_lines"], counts.messages);
    let injected = faults.injected();
    let enough = injected.slow_downs > 10 && injected.dropped > 0 && injected.cut > 0;
    assert!(enough, "{injected:?}");
}

#[test]
fn a_shaky_web_server_gives_a_whole_run() {
    let dir = tempfile::tempdir().unwrap();
    let server = HttpServer::start(dir.path()).unwrap();
    let counts = run().write_indexes(dir.path(), DataFiles::Sparse).unwrap();
    check_whole(&Desk::new(), &server.url(), server.faults(), counts);
}

#[test]
fn a_shaky_bucket_gives_a_whole_run() {
    let server = s3::server();
    let bucket = server.root().join("forecasts");
    let counts = run().write_indexes(&bucket, DataFiles::Sparse).unwrap();
    let desk = Desk::with(server.env_anonymous());
    check_whole(&desk, "s3://forecasts/", server.faults(), counts);
}

/// 5 % errors, bursts of 503, slow and cut answers, on what a store is made of.
fn shake_store(faults: &Faults) {
    let store = |fault| Rule::new(fault).on_path("stores/");
    faults.add(store(DOWN).first(5));
    faults.add(store(DOWN).with_probability(0.05));
    faults.add(store(Fault::Drop).with_probability(0.03));
    faults.add(store(Fault::CutBody { after: 200 }).on(Operation::Get).with_probability(0.05));
    faults.add(store(Fault::Latency(Duration::from_millis(40))).with_probability(0.3));
}

/// A bucket with whole runs, a desk, and the references of a store that was built without a fault.
fn calm_and_shaky(
    times: &[&str],
    options: &str,
) -> (S3Server, Desk, BTreeMap<String, References>, u64) {
    let server = s3::server();
    let bucket = server.root().join("forecasts");
    let mut messages = 0;
    for time in times {
        let run = GefsRun::new(time.parse().unwrap()).members(0..=4).steps(0..=24);
        messages += run.write_indexes(&bucket, DataFiles::Sparse).unwrap().messages;
    }
    let desk = Desk::with(server.env());
    for time in times {
        let line = format!("build gefs --run {time} {options} --store s3://stores/calm");
        desk.gik(&line).exits(0);
    }
    let expected = stored(&server, "s3://stores/calm");
    assert_eq!(expected.values().map(|run| run.len() as u64).sum::<u64>(), messages);
    shake(server.faults());
    shake_store(server.faults());
    (server, desk, expected, messages)
}

fn stored(server: &S3Server, store: &str) -> BTreeMap<String, References> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(references(&settings(server), store)).unwrap()
}

fn check_injected(server: &S3Server) {
    let injected = server.faults().injected();
    let enough = injected.slow_downs > 20 && injected.dropped > 3 && injected.cut > 3;
    assert!(enough && injected.delayed > 3, "{injected:?}");
    server.faults().clear();
}

const SHAKEN: &str = "--members 0-4 --steps 0-24 --source s3://forecasts/";

/// Runs a command until it says that all is done: it fails at most a few times, goes on where it
/// was, and never hangs.
fn persist(desk: &Desk, line: &str) -> serde_json::Value {
    for _ in 0..10 {
        let outcome = desk.gik(line);
        match outcome.code {
            0 => return outcome.json(),
            3 => assert_eq!(outcome.json()["complete"], false),
            _ => drop(outcome.exits(1).says(&["gik: "])),
        }
    }
    panic!("it never ends: {line}");
}

#[test]
fn a_run_is_followed_on_a_shaky_bucket() {
    let (server, desk, expected, messages) = calm_and_shaky(&[TIME], SHAKEN);
    let line = format!(
        "update gefs --run {TIME} {SHAKEN} --store s3://stores/x --watch --interval 1s \
         --deadline 5m --json"
    );
    let report = persist(&desk, &line);
    assert_eq!(
        (&report["references"]["there"], &report["complete"]),
        (&messages.into(), &true.into())
    );
    check_injected(&server);
    assert_eq!(stored(&server, "s3://stores/x"), expected);
}

#[test]
fn many_runs_are_added_through_faults() {
    let times = [TIME, "2025-01-06T06", "2025-01-06T12"];
    let (server, desk, expected, _) = calm_and_shaky(&times, SHAKEN);
    let line = format!(
        "backfill gefs --from {} --to {} {SHAKEN} --store s3://stores/x --deadline 5m --json",
        times[0], times[2]
    );
    let report = persist(&desk, &line);
    assert!(report["runs"].as_array().unwrap().iter().all(|run| run["complete"] == true));
    check_injected(&server);
    assert_eq!(stored(&server, "s3://stores/x"), expected);
}

/// What never answers is given up when the deadline passes, and says so.
#[test]
fn a_deadline_ends_whatever_is_waited_for() {
    let server = s3::server();
    let bucket = server.root().join("forecasts");
    let counts = run().write_indexes(&bucket, DataFiles::Sparse).unwrap();
    let desk = Desk::with(server.env());
    let hang = |part: &str| server.faults().add(Rule::new(Fault::Hang).on_path(part));
    let started = Instant::now();

    // A file of the source: build gives up, update and backfill keep what else they read.
    hang("gep04");
    let options = format!("{SHAKEN} --store s3://stores/x --deadline 3s");
    let build = format!("build gefs --run {TIME} {options}");
    desk.gik(&build).exits(1).says(&["the deadline of 3 s has passed", "all of this or nothing"]);
    desk.gik("info s3://stores/x").exits(1);
    let report = desk.gik(&format!("update gefs --run {TIME} {options} --json")).exits(3).json();
    assert_eq!(report["references"]["there"], counts.messages / 5 * 4, "{report}");
    let told = report["diagnostics"].to_string();
    assert!(told.contains("gep04"), "{told}");
    let range = format!("backfill gefs --from 2025-01-06T00 --to 2025-01-06T06 {options}");
    let said = desk.gik(&range).exits(3);
    said.says(&["2025-01-06T00: was not reached before the deadline of 3 s", "2025-01-06T06: "]);

    // The store.
    server.faults().clear();
    hang("stores/");
    desk.gik(&build).exits(1).says(&["the deadline of 3 s has passed"]);
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());

    // Nothing is lost by it.
    server.faults().clear();
    let report = desk.gik(&format!("{build} --json").replace("3s", "5m")).exits(0).json();
    assert_eq!(report["references"]["expected"], counts.messages);
    // A span that no clock can hold is a long time.
    desk.gik(&build.replace("3s", "213503982334601d")).exits(0);
    let again = format!("update gefs --run {TIME} {options} --interval 213503982334601d");
    desk.gik(&again.replace("3s", "213503982334601d")).exits(0);
}

/// Builds the manifest of [`run`] with a client that gives up soon.
async fn hasty(server: &HttpServer, concurrency: usize) -> Result<Report> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(1),
            max_backoff: Duration::from_millis(5),
            base: 2.0,
        },
        max_retries: 2,
        retry_timeout: Duration::from_secs(5),
    };
    let client =
        ClientOptions::new().with_allow_http(true).with_timeout(Duration::from_millis(300));
    let root = gik::source_url(&server.url()).unwrap();
    let store = HttpBuilder::new()
        .with_url(root.as_str())
        .with_retry(retry)
        .with_client_options(client)
        .build()
        .unwrap();
    let mut stores = ObjectStoreRegistry::default();
    stores.register(&root, Arc::new(store)).unwrap();
    let mut reader = SourceReader::new(stores);
    let registry = gik::registry().unwrap();
    let parser = registry.get("gefs").unwrap().as_ref();
    let mut request = RunRequest::new(TIME.parse().unwrap());
    request.members = Some("0-4".parse().unwrap());
    request.steps = Some("0-24".parse().unwrap());
    request.source = Some(root);
    let run = parser.run(&request).unwrap();
    let options = BuildOptions { concurrency, ..BuildOptions::default() };
    let built = build_manifest(parser, &run, &options, &mut reader, &|_, _| {}).await;
    built.map(|(_, report)| report)
}

fn served() -> (HttpServer, tempfile::TempDir, Counts) {
    let dir = tempfile::tempdir().unwrap();
    let server = HttpServer::start(dir.path()).unwrap();
    let counts = run().write_indexes(dir.path(), DataFiles::Sparse).unwrap();
    (server, dir, counts)
}

#[tokio::test]
async fn files_that_never_come_cost_their_own_chunks() {
    let (server, _dir, counts) = served();
    for fault in [DOWN, Fault::Drop, Fault::Hang, Fault::CutBody { after: 0 }] {
        let index = Rule::new(fault).on(Operation::Get).on_path("gep04");
        server.faults().add(index);
        let report = hasty(&server, 64).await.unwrap();
        server.faults().clear();
        assert_eq!((report.files_expected, report.files_used), (45, 36), "{fault:?}");
        assert_eq!(report.references_expected, counts.messages);
        assert_eq!(report.references, counts.messages / 5 * 4);
        assert!(!report.is_complete());
        assert_eq!(report.counts(), [(Problem::Unreadable, 9)].into(), "{fault:?}");
        for diagnostic in &report.diagnostics {
            assert!(diagnostic.url.contains("gep04") && diagnostic.url.ends_with(".idx"));
            let text = &diagnostic.text;
            assert!(text.contains("input or output failed: "), "{text}");
            assert!(fault != DOWN || text.contains("503"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_source_that_stops_answering_is_given_up() {
    let (server, _dir, _) = served();
    for fault in [DOWN, Fault::Drop] {
        server.faults().add(Rule::new(fault).on_path("/gep0"));
        // One after the other, so that the control's nine files are there.
        let report = hasty(&server, 1).await.unwrap();
        server.faults().clear();
        assert_eq!(report.files_used, 9);
        let last = report.diagnostics.iter().find(|it| it.text.contains("were not tried")).unwrap();
        assert_eq!(last.url, format!("{}/", server.url()));
        let said = "16 files in a row failed; 20 more were not tried";
        assert!(last.text.contains(said), "{}", last.text);
        assert_eq!(report.counts()[&Problem::Unreadable], 17);
    }
}

#[tokio::test]
async fn a_source_that_is_gone_is_an_error() {
    let (server, _dir, _) = served();
    for fault in [DOWN, Fault::Hang] {
        server.faults().add(Rule::new(fault));
        let error = hasty(&server, 16).await.unwrap_err();
        server.faults().clear();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("none of the 45 files"), "{cause}");
        assert!(cause.contains("input or output failed"), "{cause}");
    }
}
