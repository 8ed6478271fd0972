//! How long does a full GEFS cycle take, from its 2,511 indexes to a committed store: from
//! local files, and through servers that add 50 ms to every request?

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has failed")]

use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use gik::core::{BuildOptions, Registry, RunRequest};
use gik::icechunk::S3Settings;
use gik::{Job, registry, source_url};
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::gefs::{DataFiles, GefsRun};
use gik_testkit::http::HttpServer;
use gik_testkit::s3::S3Server;

const RUN: &str = "2025-01-06T00";
/// 31 members, 81 steps: 26 messages at step 0, 38 at the others.
const REFERENCES: u64 = 31 * (26 + 80 * 38);
const LATENCY: Duration = Duration::from_millis(50);

fn generate(folder: &Path) {
    let run = GefsRun::new(RUN.parse().expect("a time"));
    run.write_indexes(folder, DataFiles::Sparse).expect("a folder to write to");
}

fn measure(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    registry: &Registry,
    source: &str,
    s3: &S3Settings,
) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    group.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            || tempfile::tempdir().expect("a temporary folder"),
            |folder| {
                let mut request = RunRequest::new(RUN.parse().expect("a time"));
                request.source = Some(source_url(source).expect("a source"));
                let job = Job {
                    model: "gefs".to_owned(),
                    request,
                    options: BuildOptions::default(),
                    store: folder
                        .path()
                        .join("store")
                        .display()
                        .to_string()
                        .parse()
                        .expect("a place"),
                    s3: s3.clone(),
                };
                let built =
                    runtime.block_on(gik::build(registry, &job, &|_, _| {})).expect("a store");
                assert_eq!(built.written.changes.added, REFERENCES);
                assert!(built.report.is_complete());
            },
            criterion::BatchSize::PerIteration,
        );
    });
}

fn slow(faults: &Faults) {
    faults.add(Rule::new(Fault::Latency(LATENCY)));
}

fn benches(criterion: &mut Criterion) {
    let registry = registry().expect("no plug-in twice");
    let mut group = criterion.benchmark_group("gefs/pgrb2sp25");
    group.sample_size(10).throughput(Throughput::Elements(REFERENCES));
    group.measurement_time(Duration::from_secs(10));

    let folder = tempfile::tempdir().expect("a temporary folder");
    generate(folder.path());
    let settings = S3Settings::default();
    let path = folder.path().display().to_string();
    measure(&mut group, "local", &registry, &path, &settings);

    let server = HttpServer::start(folder.path()).expect("a server");
    slow(server.faults());
    measure(&mut group, "http+50ms", &registry, &server.url(), &settings);
    drop(server);

    let server = S3Server::start().expect("a server");
    server.create_bucket("noaa-gefs-pds").expect("a bucket");
    generate(&server.root().join("noaa-gefs-pds"));
    slow(server.faults());
    let settings = S3Settings { region: None, endpoint: Some(server.endpoint()), anonymous: true };
    measure(&mut group, "s3+50ms", &registry, "s3://noaa-gefs-pds/", &settings);
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
