//! Readers and writers at the same time.

use std::process::Stdio;
use std::time::Duration;

use gik::core::ErrorKind;
use gik::icechunk::{Repository, S3Settings, StoreLocation};
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::s3::S3Server;

use crate::desk::{Desk, Outcome, assert_same};
use crate::run::{Run, T2M, TIME};
use crate::s3;

/// What a reader of `main` sees: the chunks of each array, or nothing.
async fn look(server: &S3Server, store: &StoreLocation) -> Option<Vec<(String, u64)>> {
    let s3 = S3Settings { region: None, endpoint: Some(server.endpoint()), anonymous: true };
    let repository = match Repository::open(store, &s3, &[]).await {
        Ok(repository) => repository,
        Err(error) if *error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("{error:?}"),
    };
    let opened = repository.main().await.unwrap();
    let mut arrays = Vec::new();
    for name in opened.array_names().await.unwrap() {
        let chunks = opened.chunk_count(&name).await.unwrap();
        arrays.push((name, chunks));
    }
    (!arrays.is_empty()).then_some(arrays)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_nothing_and_then_all() {
    let server = s3::server();
    let desk = Desk::with(server.env());
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    server.faults().add(Rule::new(Fault::Latency(Duration::from_millis(25))));
    let store: StoreLocation = "s3://stores/run".parse().unwrap();
    let line =
        format!("build gefs --run {TIME} {} --source bucket --store {store} --json", run.options());
    let mut child =
        desk.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut empty, mut whole) = (0, 0);
    let all = [
        ("depthBelowLandLayer", 1),
        ("depthBelowLandLayer_bounds", 1),
        ("latitude", 1),
        ("longitude", 1),
        ("member", 1),
        ("soilw", 4),
        ("step", 1),
        ("t2m", 4),
        ("time", 1),
        ("tp", 2),
        ("valid_time", 1),
    ]
    .map(|(name, chunks)| (name.to_owned(), chunks));
    loop {
        // Asked before looking: once the build has ended, all must be there.
        let ended = child.try_wait().unwrap().is_some();
        match look(&server, &store).await {
            None => {
                assert!(whole == 0 && !ended, "what was there has gone");
                empty += 1;
            }
            Some(arrays) => {
                assert_eq!(arrays, all);
                whole += 1;
            }
        }
        if ended {
            break;
        }
    }
    assert!(empty > 0 && whole > 0, "{empty} looks at nothing, {whole} at all");
    Outcome::of(&line, child.wait_with_output().unwrap()).exits(0);
}

/// Starts two builds of one run in one store at once: the second finds what the first wrote.
fn race(desk: &Desk, run: &Run, store: &str) {
    let line = format!("build gefs --run {TIME} {} --source bucket --store {store}", run.options());
    let start =
        || desk.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let outcomes =
        [start(), start()].map(|child| Outcome::of(&line, child.wait_with_output().unwrap()));
    let found = |outcome: &&Outcome| outcome.stdout.contains("nothing was written");
    assert_eq!(outcomes.iter().filter(found).count(), 1, "{outcomes:?}");
    for outcome in outcomes {
        outcome.exits(0);
    }

    let info = desk.gik(&format!("info {store} --json")).exits(0).json();
    assert_eq!(info["commit"]["properties"]["references"], 10);
    let read = format!("read {store} t2m --sel member=1 --sel step=3 --allow bucket -o x.npy");
    desk.gik(&read).exits(0);
    assert_same(&desk.npy("x.npy").1, &run.values(T2M, 1, 3));
}

#[test]
fn of_two_builders_of_one_run_one_writes_it() {
    let server = s3::server();
    let desk = Desk::with(server.env());
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    // Long enough for both to see that there is no store yet.
    server.faults().add(Rule::new(Fault::Latency(Duration::from_millis(20))));
    for round in 0..3 {
        race(&desk, &run, &format!("s3://stores/run-{round}"));
    }
}

#[test]
fn of_two_builders_in_one_folder_one_writes_it() {
    let desk = Desk::new();
    let run = Run::new(&[0, 1], &[0, 3]);
    run.write(&desk.path("bucket"));
    for round in 0..8 {
        race(&desk, &run, &format!("stores/run-{round}"));
    }
}
