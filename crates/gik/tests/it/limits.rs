//! What reading may take: memory, requests at once, time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gik::analysis::{Query, read_reduced};
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::gefs::Product;
use gik_testkit::s3::S3Server;

use crate::desk::{Desk, assert_same};
use crate::run::{Run, T2M, TP};
use crate::s3;

const MEMBERS: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const STEPS: [u32; 8] = [0, 3, 6, 9, 12, 15, 18, 21];
const OPTIONS: &str = "--product pgrb2ap5 --variables t2m --members 0-9 --steps 0-21";
const MIB: usize = 1 << 20;
/// What is kept for the program, and what messages under way have in any case.
const BASE: usize = 150 * MIB;
const LEAST: usize = 32 * MIB;
const POINTS: usize = 361 * 720;

/// Enough rows for several bands, of members that are not all there.
#[tokio::test(flavor = "multi_thread")]
async fn percentiles_in_bands_are_those_of_the_whole() {
    let run = Run::of(Product::A, &MEMBERS, &STEPS[..3], |field| field == T2M);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    std::fs::remove_file(desk.path("bucket").join(run.path(3, 6))).unwrap();
    let options = OPTIONS.replace("0-21", "0-6");
    desk.build(&format!("{options} --source bucket --store store")).exits(3);
    let opened = desk.open("store").await;
    for (reduction, bbox) in
        [("member=p90", None), ("step=median", None), ("member=p37.5", Some("170,-35,-100,60"))]
    {
        let read = async |memory: usize| {
            let region = bbox.map(|it| it.parse().unwrap());
            let query = Query { memory, region, ..Query::default() };
            let total = AtomicUsize::new(0);
            let progress = |_: usize, of: usize| total.store(of, Ordering::Relaxed);
            let reduction = reduction.parse().unwrap();
            let read = read_reduced(&opened, "t2m", &query, &reduction, &progress).await;
            let (field, losses) = read.unwrap();
            assert_eq!((losses.messages, losses.missing), (30, 1));
            // Every band is of all messages.
            (field, total.load(Ordering::Relaxed) / 30)
        };
        let (whole, one) = read(1 << 30).await;
        // As much less as still holds a row: numbers get half of what is left.
        let values = whole.values().len();
        let kept = values * 8;
        let (bands, several) = read(BASE + LEAST + kept + 8 * MIB).await;
        assert_eq!(one, 1);
        assert!(bbox.is_some() || several > 2, "{reduction}: {several} bands");
        assert_same(bands.values(), whole.values());
        assert_eq!((bands.shape(), bands.ancillary()), (whole.shape(), whole.ancillary()));
        assert_eq!(bands.attributes(), whole.attributes());
        assert!(whole.values().iter().all(|it| it.is_finite()));
    }
}

/// A run on a server, and its store in the folder `store`.
fn served() -> (S3Server, Desk, Run) {
    let server = s3::server();
    let run = Run::of(Product::A, &MEMBERS, &STEPS, |field| field == T2M || field == TP);
    run.write(&server.root().join("forecasts"));
    let desk = Desk::with(server.env());
    let source = "--source s3://forecasts/ --store store";
    desk.build(&format!("{OPTIONS} {source}").replace("t2m", "t2m,tp")).exits(0);
    (server, desk, run)
}

/// Every request waits for a while, so that all that are sent are under way together.
#[test]
fn requests_and_bytes_under_way_stay_within_their_limits() {
    let (server, desk, run) = served();
    let lengths = run.targets().map(|(member, step)| run.message_length(T2M, member, step));
    let (least, most) = lengths.fold((u64::MAX, 0), |(a, b), it| (a.min(it), b.max(it)));
    server.faults().add(Rule::new(Fault::Latency(Duration::from_millis(200))));
    let counters = server.counters();
    let read = |megabytes: usize| {
        counters.reset();
        let line = format!("read store t2m --reduce member=mean --memory {megabytes}MB");
        let report = desk.gik(&format!("{line} --allow s3://forecasts/ --json")).exits(0).json();
        assert_eq!((&report["losses"]["wanted"], counters.requests()), (&80.into(), 80));
        (counters.peak_in_flight(), counters.peak_range_bytes())
    };
    // With room for all: so many requests and not one more, which is most of them.
    let (requests, bytes) = read(1000);
    assert!(requests > 32 && requests <= 64, "{requests}");
    assert!(bytes > 32 * least && bytes <= 64 * most, "{bytes}");
    // With little: of each message its bytes and twice its values, all of them together. The
    // moments of each point and step take 36 bytes.
    let room = 270_000_000 - BASE - 8 * POINTS * 36;
    assert!(room > LEAST && room < 2 * LEAST, "{room}");
    let (requests, bytes) = read(270);
    let held = requests * POINTS * 8 + usize::try_from(bytes).unwrap();
    assert!(held <= room, "{requests} requests, {held} bytes held");
    assert!((8..32).contains(&requests), "{requests}");
}

/// A server that stalls: nothing is written, not even half of it, and the text says how to go on.
#[test]
fn a_deadline_ends_reading() {
    let (server, desk, _) = served();
    let stall = || server.faults().add(Rule::new(Fault::Hang).on_path("gep04"));
    let lines = [
        "read store t2m --allow s3://forecasts/ -o x.npy",
        "read store t2m --reduce member=mean --allow s3://forecasts/ -o x.nc",
        "read store tp --accumulate 6h --allow s3://forecasts/ -o x.zarr",
        "exceedance store --window 6h --allow s3://forecasts/ -o x.nc -o x.png",
    ];
    std::fs::write(desk.path("x.npy"), "before").unwrap();
    for line in lines {
        stall();
        let outcome = desk.gik(&format!("{line} --deadline 2s --json")).exits(1);
        let outcome = outcome.says(&["the deadline of 2 s has passed", "nothing was written"]);
        assert_eq!(outcome.stdout, "");
        let written = |name: &String| !name.starts_with("store/");
        let files: Vec<String> = desk.files().into_iter().filter(written).collect();
        assert_eq!(files, ["x.npy"], "{line}");
        assert_eq!(std::fs::read(desk.path("x.npy")).unwrap(), b"before");
        server.faults().clear();
    }
    // The store itself.
    desk.build(&format!("{OPTIONS} --source s3://forecasts/ --store s3://stores/x")).exits(0);
    server.faults().add(Rule::new(Fault::Hang).on_path("stores/"));
    let line = lines[0].replace("store", "s3://stores/x");
    desk.gik(&format!("{line} --deadline 1s")).exits(1).says(&["the deadline of 1 s"]);
    server.faults().clear();
    // With time enough it is written.
    for line in lines {
        desk.gik(&format!("{line} --deadline 10m")).exits(0);
    }
    assert!(desk.path("x.png").exists() && desk.path("x.zarr").exists());
}
