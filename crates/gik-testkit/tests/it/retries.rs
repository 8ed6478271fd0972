//! What the clients make of faults. These tests pin the behaviour of `object_store` that
//! `gik` relies on: if an update changes it, this is where it shows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use gik_testkit::counters::{Counters, Operation};
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::http::HttpServer;
use gik_testkit::s3::S3Server;
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _, Result, RetryConfig};

use crate::clients::{self, BUCKET, options, quick, s3_server};

const DOWN: Fault = Fault::SlowDown { retry_after: None };

/// Both servers with one object `k` of 100,000 bytes.
struct Both {
    s3: S3Server,
    web: HttpServer,
    body: Vec<u8>,
    _dir: tempfile::TempDir,
}

/// One of them with its client.
struct Side {
    store: Arc<dyn ObjectStore>,
    faults: Faults,
    counters: Counters,
}

impl Both {
    fn start() -> Self {
        let body: Vec<u8> = (0..25_000_u32).flat_map(u32::to_be_bytes).collect();
        let (s3, dir) = (s3_server(), tempfile::tempdir().unwrap());
        s3.put(BUCKET, "k", body.clone()).unwrap();
        std::fs::write(dir.path().join("k"), &body).unwrap();
        let web = HttpServer::start(dir.path()).unwrap();
        Self { s3, web, body, _dir: dir }
    }

    fn sides(&self, retry: &RetryConfig, options: &ClientOptions) -> [Side; 2] {
        let s3 = clients::s3(&self.s3, retry.clone(), options.clone());
        let web = clients::http(&self.web, retry.clone(), options.clone());
        [
            Side {
                store: Arc::new(s3),
                faults: self.s3.faults().clone(),
                counters: self.s3.counters().clone(),
            },
            Side {
                store: Arc::new(web),
                faults: self.web.faults().clone(),
                counters: self.web.counters().clone(),
            },
        ]
    }
}

impl Side {
    /// Reads `k` under one rule: the bytes, and how many requests it took.
    async fn read(&self, rule: Rule) -> (Result<Vec<u8>>, usize) {
        self.counters.reset();
        self.faults.add(rule);
        let result = async { Ok(self.store.get(&Path::from("k")).await?.bytes().await?.to_vec()) };
        let result = result.await;
        self.faults.clear();
        (result, self.counters.requests())
    }
}

#[tokio::test]
async fn bursts_of_503_and_dropped_connections_are_retried() {
    let both = Both::start();
    for side in both.sides(&quick(5), &options()) {
        for fault in [DOWN, Fault::SlowDown { retry_after: Some(3600) }, Fault::Drop] {
            let (result, requests) = side.read(Rule::new(fault).first(4)).await;
            assert_eq!(result.unwrap(), both.body, "{fault:?}");
            assert_eq!(requests, 5, "{fault:?}");
        }
        let injected = side.faults.injected();
        assert_eq!((injected.slow_downs, injected.dropped), (8, 4));
    }
}

#[tokio::test]
async fn the_last_failure_is_told_when_retries_run_out() {
    let both = Both::start();
    for side in both.sides(&quick(2), &options()) {
        let (result, requests) = side.read(Rule::new(DOWN)).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("503") && text.contains("after 2 retries"), "{text}");
        assert_eq!(requests, 3);
        let (result, requests) = side.read(Rule::new(Fault::Drop)).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        assert!(error.to_string().contains("error sending request"), "{error}");
        assert_eq!(requests, 3);
    }
}

#[tokio::test]
async fn a_cut_body_is_resumed_where_it_broke() {
    let both = Both::start();
    for side in both.sides(&quick(5), &options()) {
        let (result, _) = side.read(Rule::new(Fault::CutBody { after: 30_000 }).first(2)).await;
        assert_eq!(result.unwrap(), both.body);
        let asked: Vec<_> = side.counters.log().into_iter().map(|request| request.detail).collect();
        assert_eq!(asked, ["", "bytes=30000-99999", "bytes=60000-99999"]);
        assert_eq!(side.faults.injected().cut, 2);
    }
}

#[tokio::test]
async fn a_body_cut_again_and_again_is_an_error_not_a_short_object() {
    let both = Both::start();
    for side in both.sides(&quick(2), &options()) {
        for after in [0, 99_999] {
            // Of a resumed body only one byte is missing, which comes through at last.
            let (result, requests) = side.read(Rule::new(Fault::CutBody { after })).await;
            if after == 0 {
                let error = result.unwrap_err();
                assert!(matches!(error, Error::Generic { .. }), "{error:?}");
                assert!(error.to_string().contains("body error"), "{error}");
                assert_eq!(requests, 3);
            } else {
                assert_eq!(result.unwrap(), both.body);
                assert_eq!(requests, 2);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_never_answers_ends_in_a_timeout() {
    let both = Both::start();
    let impatient = options().with_timeout(Duration::from_millis(300));
    for side in both.sides(&quick(1), &impatient) {
        let start = Instant::now();
        let (result, requests) = side.read(Rule::new(Fault::Hang)).await;
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        assert!(start.elapsed() >= Duration::from_millis(600), "two tries");
        assert_eq!(requests, 2);
        let (result, requests) = side.read(Rule::new(Fault::Hang).first(1)).await;
        assert_eq!((result.unwrap(), requests), (both.body.clone(), 2));
    }
}

#[tokio::test]
async fn a_slow_body_passes_a_read_timeout_and_not_a_request_timeout() {
    let both = Both::start();
    let rule = || Rule::new(Fault::SlowBody { bytes_per_second: 100_000 });
    let per_read = options().with_timeout_disabled().with_read_timeout(Duration::from_millis(400));
    for side in both.sides(&quick(0), &per_read) {
        let start = Instant::now();
        let (result, requests) = side.read(rule()).await;
        assert_eq!((result.unwrap(), requests), (both.body.clone(), 1));
        assert!(start.elapsed() >= Duration::from_millis(900));
        assert_eq!(side.faults.injected().slowed, 1);
    }
    let whole = options().with_timeout(Duration::from_millis(400));
    for side in both.sides(&quick(0), &whole) {
        let (result, _) = side.read(rule()).await;
        assert!(matches!(result.unwrap_err(), Error::Generic { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_reads_survive_a_bad_network() {
    let server = s3_server();
    let keys: Vec<String> = (0..400).map(|n| format!("gefs.20250106/00/{n:03}.idx")).collect();
    for key in &keys {
        server.put(BUCKET, key, format!("index of {key}").repeat(20)).unwrap();
    }
    server.faults().add(Rule::new(Fault::Latency(Duration::from_millis(20))));
    server.faults().add(Rule::new(DOWN).on(Operation::Get).with_probability(0.1));
    server.faults().add(Rule::new(Fault::Drop).with_probability(0.05));
    server.faults().add(Rule::new(Fault::CutBody { after: 100 }).with_probability(0.05));
    let store = clients::s3(&server, quick(10), options());
    let start = Instant::now();
    let client = &store;
    let read = stream::iter(&keys)
        .map(|key| async move {
            let bytes = client.get(&Path::from(key.as_str())).await?.bytes().await?;
            Ok::<_, Error>(bytes == format!("index of {key}").repeat(20))
        })
        .buffer_unordered(32);
    let read: Vec<_> = read.collect().await;
    assert!(read.iter().all(|read| matches!(read, Ok(true))), "{read:?}");
    // 400 requests by 32, 20 ms each.
    assert!(start.elapsed() >= Duration::from_millis(200));
    let injected = server.faults().injected();
    assert!(injected.slow_downs > 20 && injected.dropped > 5 && injected.cut > 5, "{injected:?}");
    let failed = usize::try_from(injected.slow_downs + injected.dropped + injected.cut).unwrap();
    assert_eq!(server.counters().requests(), 400 + failed);
    // The server may notice the end of one answer only after the next request.
    let peak = server.counters().peak_in_flight();
    assert!((8..=64).contains(&peak), "{peak}");
    assert_eq!(usize::try_from(injected.delayed).unwrap(), server.counters().requests());
}
