//! How long does it take to list the 173 messages of a 150 MB file, from a local file and through
//! a server that adds 50 ms to every request, with an index beside it and without? What is read
//! is held to 2 % of the file.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has failed")]

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use gik::codec::scan::scan;
use gik::core::SourceReader;
use gik::icechunk::S3Settings;
use gik::{open_file, registry};
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::hrrr::HrrrRun;
use gik_testkit::http::HttpServer;

const LATENCY: Duration = Duration::from_millis(50);
const MESSAGES: u64 = 173;

/// Scans the file; the share of its bytes that was read.
async fn share(url: &str, hints: &[u64]) -> f64 {
    let registry = registry().expect("no plug-in twice");
    let (url, stores) = open_file(&registry, url, &S3Settings::default()).expect("a file");
    let reader = SourceReader::new(stores);
    let folder = url.join(".").expect("a folder");
    let size = reader.stat(&folder, &url).await.expect("a size").size;
    let found = scan(&reader, &url, size, hints).await.expect("a GRIB file");
    assert_eq!((found.messages, found.problems.len()), (MESSAGES, 0));
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = reader.range_bytes() as f64 / size as f64;
    share
}

fn hints(index: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(index).expect("an index");
    text.lines().filter_map(|line| line.split(':').nth(1)?.parse().ok()).collect()
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = HrrrRun::new("2025-08-01T00".parse().expect("a time")).hours(8..=8);
    run.write_headers(folder.path()).expect("a folder to write to");
    let path = folder.path().join(run.path(8));
    let hints = hints(&path.with_added_extension("idx"));

    let mut group = criterion.benchmark_group("scan/wrfsfc");
    group.sample_size(10);
    let local = path.display().to_string();
    group.bench_function("local", |bencher| bencher.iter(|| runtime.block_on(share(&local, &[]))));
    let server = HttpServer::start(folder.path()).expect("a server");
    server.faults().add(Rule::new(Fault::Latency(LATENCY)));
    let url = format!("{}/{}", server.url(), run.path(8));
    for (name, hints) in [("http+50ms, index", hints.as_slice()), ("http+50ms", &[])] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let share = runtime.block_on(share(&url, hints));
                assert!(share < 0.02, "{share} of the file was read");
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
