//! Sources that fail now and then, and sources that fail for good.

use std::sync::Arc;
use std::time::Duration;

use gik::core::{
    BuildOptions, ObjectStoreRegistry, Problem, Report, Result, RunRequest, SourceReader,
    build_manifest,
};
use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::gefs::{DataFiles, GefsRun};
use gik_testkit::generated::Counts;
use gik_testkit::http::HttpServer;
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use crate::desk::Desk;
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
