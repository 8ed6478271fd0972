//! Commands that are killed at any moment, and commands at the same moment.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use gik::icechunk::{Repository, S3Settings, StoreLocation, StoredReference};
use gik_testkit::s3::S3Server;

use crate::desk::{Desk, Outcome};
use crate::run::Run;
use crate::s3;

const TIMES: [&str; 3] = ["2025-01-06T00", "2025-01-06T06", "2025-01-06T12"];

fn runs(desk: &Desk) -> Vec<Run> {
    let runs: Vec<Run> = TIMES.iter().map(|time| Run::new(&[0, 1], &[0, 3]).at(time)).collect();
    for run in &runs {
        run.write(&desk.path("bucket"));
    }
    runs
}

pub(crate) fn settings(server: &S3Server) -> S3Settings {
    S3Settings { region: None, endpoint: Some(server.endpoint()), anonymous: true }
}

/// The references of one run: by array and position along all dimensions but `time`.
pub(crate) type References = BTreeMap<(String, Vec<u32>), StoredReference>;

/// Every reference of a store, by run; none where there is no store or nothing in it. Panics
/// where the store cannot be opened.
pub(crate) async fn references(
    settings: &S3Settings,
    store: &str,
) -> Option<BTreeMap<String, References>> {
    let location: StoreLocation = store.parse().unwrap();
    let repository = match Repository::open(&location, settings, &[]).await {
        Ok(repository) => repository,
        Err(error) if *error.kind() == gik::core::ErrorKind::NotFound => return None,
        Err(error) => panic!("{error:?}"),
    };
    let opened = repository.main().await.unwrap();
    let names = opened.array_names().await.unwrap();
    if !names.iter().any(|name| name == "time") {
        return None;
    }
    let times = opened.array("time").await.unwrap().coordinate().await.unwrap();
    let gik::core::CoordinateValues::Int64(times) = times else { panic!("{times:?}") };
    let times: Vec<String> = times
        .iter()
        .map(|&seconds| gik::core::ReferenceTime::from_seconds(seconds).to_string())
        .collect();
    // A run without a reference is there, too.
    let mut all: BTreeMap<String, References> =
        times.iter().map(|time| (time.clone(), References::new())).collect();
    for name in names {
        let each = |at: &[u32], reference| {
            let run = all.get_mut(&times[at[0] as usize]).unwrap();
            run.insert((name.clone(), at[1..].to_vec()), reference);
        };
        opened.for_each_reference(&name, repository.containers(), each).await.unwrap();
    }
    (!all.is_empty()).then_some(all)
}

/// A number from 0 to `end`, other ones for each `seed`, the same each time.
fn scattered(seed: u64, end: u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635;
    state ^= state >> 31;
    state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
    (state ^ (state >> 29)) % (end + 1)
}

#[test]
fn killed_at_a_hundred_moments() {
    let server = s3::server();
    let desk = Desk::with(server.env());
    let runs = runs(&desk);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = settings(&server);
    let whole = "s3://stores/whole";
    let options = runs[0].options();
    let line = |command: usize, store: &str| {
        let rest = format!("{options} --source bucket --store {store}");
        match command {
            // Creates the store; adds to it; adds by following.
            0 => format!("build gefs --run {} {rest}", TIMES[0]),
            1 => format!("build gefs --run {} {rest}", TIMES[2]),
            _ => format!("update gefs --run {} {rest}", TIMES[1]),
        }
    };
    let started = Instant::now();
    for command in 0..3 {
        desk.gik(&line(command, whole)).exits(0);
    }
    let longest = started.elapsed().as_millis() as u64 / 3;
    let expected = runtime.block_on(references(&settings, whole)).unwrap();
    assert_eq!(expected.len(), 3);
    for run in expected.values() {
        assert_eq!(run.len(), 10);
        assert!(run.values().all(|it| it.length > 0 && it.last_modified.is_some()), "{run:?}");
    }

    let (mut tries, mut kills, mut store_number) = (0, 0, 0);
    while kills < 100 {
        store_number += 1;
        let store = format!("s3://stores/killed-{store_number}");
        for command in 0..3 {
            // Up to eleven kills of each command, each at another moment.
            for _ in 0..11 {
                let mut child = desk
                    .command(&line(command, &store))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                tries += 1;
                std::thread::sleep(Duration::from_millis(scattered(tries, longest)));
                child.kill().unwrap();
                let ended = child.wait().unwrap();
                kills += u64::from(!ended.success());
                // A state that was committed, whole: each run has all of its references or none.
                let there = runtime.block_on(references(&settings, &store)).unwrap_or_default();
                for (time, run) in &there {
                    assert_eq!(run, &expected[time], "after kill {kills}");
                }
                if ended.success() {
                    break;
                }
            }
            desk.gik(&line(command, &store)).exits(0);
        }
        let there = runtime.block_on(references(&settings, &store)).unwrap();
        assert_eq!(there, expected, "{store}");
    }
}

#[test]
fn two_writers_of_one_store_lose_nothing() {
    let server = s3::server();
    let desk = Desk::with(server.env());
    let runs = runs(&desk);
    let options = runs[0].options();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = settings(&server);
    let whole = "s3://stores/whole";
    for time in TIMES {
        let line = format!("build gefs --run {time} {options} --source bucket --store {whole}");
        desk.gik(&line).exits(0);
    }
    let expected = runtime.block_on(references(&settings, whole)).unwrap();
    assert_eq!(expected.keys().collect::<Vec<_>>(), TIMES.iter().collect::<Vec<_>>());
    for round in 0..20 {
        let store = format!("s3://stores/two-{round}");
        let line = |time: &str| {
            format!("build gefs --run {time} {options} --source bucket --store {store}")
        };
        desk.gik(&line(TIMES[0])).exits(0);
        let start = |time: &str| {
            let mut command = desk.command(&line(time));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children = [start(TIMES[1]), start(TIMES[2])];
        for child in children {
            Outcome::of("build", child.wait_with_output().unwrap()).exits(0);
        }
        let there = runtime.block_on(references(&settings, &store)).unwrap();
        assert_eq!(there, expected, "{store}");
    }
}

#[test]
fn a_local_store_takes_one_writer_at_a_time() {
    let desk = Desk::new();
    let runs = runs(&desk);
    let options = runs[0].options();
    let line =
        |time: &str| format!("build gefs --run {time} {options} --source bucket --store store");
    desk.gik(&line(TIMES[0])).exits(0);
    let folder = std::fs::File::open(desk.path("store")).unwrap();
    folder.lock().unwrap();
    let parts = ["another process is writing to this store", "keep the store on S3"];
    desk.gik(&line(TIMES[1])).exits(1).says(&parts);
    folder.unlock().unwrap();
    // Whoever comes while another writes waits for a while.
    let children: Vec<_> = TIMES
        .iter()
        .map(|time| {
            let mut command = desk.command(&line(time));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        Outcome::of("build", child.wait_with_output().unwrap()).exits(0);
    }
    let info = desk.gik("info store --json").exits(0).json();
    assert_eq!(info["coordinates"]["time"]["shape"][0], 3);
    // A tag is a write, too.
    folder.lock().unwrap();
    let mut tag = desk.command("tag store named");
    let mut tag = tag.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(tag.try_wait().unwrap().is_none(), "it does not wait");
    folder.unlock().unwrap();
    assert!(tag.wait().unwrap().success());
}
