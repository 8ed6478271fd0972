//! `gik exceedance` and the totals behind it: against sums made here of the values that went
//! into the messages, and against what older tools expect.

use std::path::Path;

use gik::analysis::accumulation::{Alignment, Request, accumulate};
use gik::analysis::exceedance::{Exceedance, Plane, RAIN_THRESHOLDS, exceedance};
use gik::analysis::{BoundingBox, Field};
use serde_json::json;

use crate::desk::{Desk, assert_same};
use crate::run::{Run, TP};

const POINTS: usize = 361 * 720;

/// Members 0 to 3 and two days, rain only, at 0.5°.
fn run() -> Run {
    let steps: Vec<u32> = (0..=48).step_by(3).collect();
    Run::of(gik_testkit::gefs::Product::A, &[0, 1, 2, 3], &steps, |field| field == TP)
}

fn desk(run: &Run) -> Desk {
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    desk
}

fn build(desk: &Desk, code: i32) {
    let options = "--product pgrb2ap5 --variables tp --members 0-3 --steps 0-48";
    desk.build(&format!("{options} --source bucket --store store")).exits(code);
}

/// A member's rain of a day: four windows of six hours, added in double precision.
fn day(run: &Run, member: u8, day: u32) -> Vec<f32> {
    let mut sums = vec![0.0_f64; POINTS];
    for hour in [6, 12, 18, 24] {
        let values = run.values(TP, member, 24 * day + hour);
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(value));
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

fn probability(days: &[Vec<f32>], threshold: f32) -> Vec<f32> {
    (0..POINTS)
        .map(|point| {
            let reached = days.iter().filter(|day| day[point] >= threshold).count();
            (reached as f64 * 100.0 / days.len() as f64) as f32
        })
        .collect()
}

/// The values of the last variable of a NetCDF file.
pub(crate) fn last_floats(path: &Path, count: usize) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    let data = &bytes[bytes.len() - 4 * count..];
    data.chunks_exact(4).map(|it| f32::from_be_bytes(it.try_into().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn probabilities_are_those_of_the_values_in_the_messages() {
    let run = run();
    let desk = desk(&run);
    build(&desk, 0);
    let thresholds = [400.0, 500.0, 600.0];
    let opened = desk.open("store").await;
    let request = Request::new("tp");
    let (field, summary) = exceedance(&opened, &request, &thresholds, &|_, _| {}).await.unwrap();
    assert_eq!(field.shape(), [2, 3, 361, 720]);
    assert_eq!((summary.members.as_slice(), summary.account.totals), (&[4, 4][..], 0));
    let mut expected = Vec::new();
    for number in 0..2 {
        let days: Vec<_> = (0..4).map(|member| day(&run, member, number)).collect();
        expected.extend(thresholds.iter().flat_map(|&it| probability(&days, it)));
    }
    assert_same(field.values(), &expected);
    assert!(expected.iter().any(|&it| it > 0.0 && it < 100.0), "a test of nothing");

    // One window at a time, as when memory is short, comes to the same.
    let short = Request { memory: 0, ..request.clone() };
    let job = Exceedance::open(&opened, &short, &thresholds).await.unwrap();
    assert_eq!(job.passes(), [0..1, 1..2]);
    let mut again = Vec::new();
    let mut take = |plane: Plane<'_>| {
        again.extend_from_slice(plane.values);
        Ok(())
    };
    job.run(&|_, _| {}, &mut take).await.unwrap();
    assert_same(&again, &expected);
    // A field in memory is refused before anything is read.
    let error = exceedance(&opened, &short, &thresholds, &|_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("does not fit into 0 MB"), "{error}");

    let line = "exceedance store --allow bucket --thresholds 600,400,500 -o x.nc -o x.png --json";
    let report = desk.gik(line).exits(0).json();
    assert_eq!(report["thresholds"], json!([400.0, 500.0, 600.0]));
    assert_eq!((&report["messages"], &report["complete"]), (&json!(32), &json!(true)));
    assert_same(&last_floats(&desk.path("x.nc"), expected.len()), &expected);
    assert!(std::fs::read(desk.path("x.png")).unwrap().starts_with(b"\x89PNG"));
    // With the valid time as dimension it is the same.
    let options = "--product pgrb2ap5 --variables tp --members 0-3 --steps 0-48 --layout run";
    desk.build(&format!("{options} --source bucket --store by_time")).exits(0);
    let line = "exceedance by_time --allow bucket --thresholds 600,400,500 -o y.nc --json";
    let again = desk.gik(line).exits(0).json();
    assert_eq!((&again["windows"], &again["messages"]), (&report["windows"], &json!(32)));
    assert_same(&last_floats(&desk.path("y.nc"), expected.len()), &expected);
    let left = desk.files();
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
}

#[test]
fn a_window_that_lacks_a_message_is_missing_not_smaller() {
    let run = run();
    let desk = desk(&run);
    // Member 2 has no 12 h; the message of member 3 at 30 h is overwritten with zeros.
    std::fs::remove_file(desk.path("bucket").join(run.path(2, 12))).unwrap();
    build(&desk, 3);
    let damaged = desk.path("bucket").join(run.path(3, 30));
    let time = std::fs::metadata(&damaged).unwrap().modified().unwrap();
    std::fs::write(&damaged, vec![0; std::fs::metadata(&damaged).unwrap().len() as usize]).unwrap();
    std::fs::File::options().write(true).open(&damaged).unwrap().set_modified(time).unwrap();

    let line = "exceedance store --allow bucket --thresholds 500 -o x.nc --json";
    let outcome = desk.gik(line).exits(3).says(&["0–24: 3 of 4 members", "24–48: 3 of 4 members"]);
    let report = outcome.json();
    assert_eq!((&report["messages_missing"], &report["messages_damaged"]), (&json!(1), &json!(1)));
    assert_eq!(report["windows"][1]["members"], 3);
    let days = |number, members: [u8; 3]| members.map(|member| day(&run, member, number));
    let expected: Vec<f32> = [days(0, [0, 1, 3]), days(1, [0, 1, 2])]
        .iter()
        .flat_map(|days| probability(days, 500.0))
        .collect();
    assert_same(&last_floats(&desk.path("x.nc"), 2 * POINTS), &expected);

    // The same of totals: NaN for that member, and the exit code says so.
    desk.gik("read store tp --accumulate 24h --allow bucket -o x.npy").exits(3);
    let (shape, values) = desk.npy("x.npy");
    assert_eq!(shape, [4, 2, 361, 720]);
    for (number, total) in values.chunks_exact(POINTS).enumerate() {
        let (member, window) = ((number / 2) as u8, (number % 2) as u32);
        if (member, window) == (2, 0) || (member, window) == (3, 1) {
            assert!(total.iter().all(|value| value.is_nan()));
        } else {
            assert_same(total, &day(&run, member, window));
        }
    }
}

/// A member with values at some points counts at these, and at no other.
#[test]
fn a_member_counts_where_it_has_a_value() {
    let run = run().gappy(2);
    let desk = desk(&run);
    build(&desk, 0);
    let line =
        "exceedance store --allow bucket --thresholds 330,345,360 --sel step=3:24 -o x.nc -o x.png";
    let outcome = desk.gik(&format!("{line} --json")).exits(3);
    let outcome = outcome.says(&["0–24: 4 of 4 members; at some points the values of 3"]);
    let report = outcome.json();
    let window = json!({"start": 0, "end": 24, "members": 4, "members_fewest": 3, "clipped": 0});
    assert_eq!((&report["windows"], &report["complete"]), (&json!([window]), &json!(false)));
    assert_eq!(report["messages_missing"], 0);
    let days: Vec<_> = (0..4).map(|member| day(&run, member, 0)).collect();
    let mut expected = Vec::new();
    for threshold in [330.0, 345.0, 360.0] {
        expected.extend((0..POINTS).map(|point| {
            let values: Vec<f32> =
                days.iter().map(|day| day[point]).filter(|value| !value.is_nan()).collect();
            let reached = values.iter().filter(|&&value| value >= threshold).count();
            (reached as f64 * 100.0 / values.len() as f64) as f32
        }));
    }
    assert_same(&last_floats(&desk.path("x.nc"), 3 * POINTS), &expected);
    let thirds_and_quarters = expected.contains(&25.0) && expected.contains(&33.333_332);
    assert!(thirds_and_quarters, "a test of nothing");
    // The statistic of a field counts likewise.
    let line = "read store tp --sel step=12 --reduce member=mean --allow bucket -o m.npy";
    desk.gik(line).exits(0);
    let members: Vec<_> = (0..4).map(|member| run.values(TP, member, 12)).collect();
    let expected: Vec<f32> = (0..POINTS)
        .map(|point| {
            let values: Vec<f64> =
                members.iter().map(|it| f64::from(it[point])).filter(|it| !it.is_nan()).collect();
            (values.iter().sum::<f64>() / values.len() as f64) as f32
        })
        .collect();
    for (found, expected) in desk.npy("m.npy").1.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} and {expected}");
    }
}

#[test]
fn windows_are_those_of_the_chosen_steps() {
    let run = run();
    let desk = desk(&run);
    build(&desk, 0);
    let line = "exceedance store --allow bucket --thresholds 500 --sel step=27:48 -o x.nc --json";
    let report = desk.gik(line).exits(0).json();
    let window = json!([{"start": 24, "end": 48, "members": 4, "members_fewest": 4, "clipped": 0}]);
    assert_eq!(report["windows"], window);
    let days: Vec<_> = (0..4).map(|member| day(&run, member, 1)).collect();
    assert_same(&last_floats(&desk.path("x.nc"), POINTS), &probability(&days, 500.0));

    // The same total at a place, as a table of members.
    let line = "read store tp --allow bucket --accumulate 24h --start 24 --point 0,30 -o x.csv";
    desk.gik(line).exits(0);
    let text = std::fs::read_to_string(desk.path("x.csv")).unwrap();
    let last = |line: &str| line.rsplit(',').next().unwrap().parse::<f32>().unwrap();
    let found: Vec<f32> = text.lines().skip(1).map(last).collect();
    let at = 180 * 720 + 420;
    assert_same(&found, &days.iter().map(|day| day[at]).collect::<Vec<_>>());
}

#[test]
fn a_window_without_its_steps_is_missing_and_said_to_be() {
    let steps: Vec<u32> = (0..=48).step_by(3).filter(|&step| step != 12).collect();
    let run = Run::of(gik_testkit::gefs::Product::A, &[0], &steps, |field| field == TP);
    let desk = desk(&run);
    let options = "--product pgrb2ap5 --variables tp --members 0 --steps 0-9,15-48";
    desk.build(&format!("{options} --source bucket --store store")).exits(0);
    let line = "read store tp --accumulate 24h --allow bucket -o x.nc";
    desk.gik(line).exits(3).says(&["1 of 2 windows", "0–24: nothing that spans 9–12"]);
    let line = "exceedance store --thresholds 500 --allow bucket -o x.nc";
    desk.gik(line).exits(3).says(&["1 of 2 windows", "0–24: nothing that spans 9–12"]);
}

/// A scale factor of 2^1024: values beyond all numbers, which would reach every threshold.
#[test]
fn infinite_values_are_damage() {
    let run = run();
    let desk = desk(&run);
    build(&desk, 0);
    let path = desk.path("bucket").join(run.path(2, 12));
    let time = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let mut at = 16;
    while bytes[at + 4] != 5 {
        at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    bytes[at + 15..at + 17].copy_from_slice(&[4, 0]);
    std::fs::write(&path, bytes).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let line = "exceedance store --allow bucket --thresholds 500 -o x.nc --json";
    let report = desk.gik(line).exits(3).says(&["finite", "0–24: 3 of 4 members"]).json();
    assert_eq!(report["losses"]["damaged"], 1);
}

#[test]
fn wrong_requests_say_what_is_right() {
    let run = Run::new(&[0], &[0, 3, 6]);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(0);
    for (options, part) in [
        ("-o x.csv", "neither .nc nor .png"),
        ("-o no/x.nc", "create it first"),
        ("--variable t2m -o x.nc", "need an amount that is summed"),
        ("--variable rain -o x.nc", "there are"),
        ("--window 24x -o x.nc", "write 24h"),
        ("--window 24h -o x.nc", "fits no steps; they reach from 0 to 6 hours"),
        ("--window 6h --tz Nairobi -o x.nc", "Africa/Nairobi"),
        ("--window 6h --memory 1 -o x.nc", "write 1GB"),
        ("--window 6h --sel member=9 -o x.nc", "is not in the store"),
        ("--window 6h --sliding --start 3 -o x.nc", "cannot be used with"),
    ] {
        let outcome = desk.gik(&format!("exceedance store --allow bucket {options}"));
        outcome.exits(2).says(&[part]);
    }
    // Where nothing may be read nothing is written.
    desk.gik("exceedance store --window 6h -o x.nc").exits(1).says(&["--allow"]);
    assert!(!desk.files().iter().any(|name| name.starts_with('x') || name.contains(".x.")));
    desk.gik("exceedance store --window 6h --allow bucket -o x.nc").exits(0);
}

/// A list of runs of equal values.
pub(crate) fn runs(text: &str) -> Vec<f32> {
    let run = |it: &str| {
        let (value, count) = it.split_once('*').unwrap();
        vec![value.parse::<f32>().unwrap(); count.parse().unwrap()]
    };
    text.split_whitespace().flat_map(run).collect()
}

fn legacy_desk(bundle: &[u8], build: &str, code: i32) -> Desk {
    let desk = Desk::new();
    tar::Archive::new(bundle).unpack(desk.path("bucket")).unwrap();
    desk.gik(&format!("build {build} --variables tp --source bucket --store store")).exits(code);
    desk
}

fn east_africa(alignment: Alignment) -> Request {
    let region: BoundingBox = "21,-12,53,23".parse().unwrap();
    Request { region: Some(region), alignment, ..Request::new("tp") }
}

fn assert_near(found: &Field, expected: &[f32], tolerance: f32) {
    assert_eq!(found.values().len(), expected.len());
    for (found, expected) in found.values().iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{found} and {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_gefs_is_the_true_one_of_the_older_tools() {
    let bundle = include_bytes!("../fixtures/legacy/gefs.tar");
    let build = "gefs --run 2025-01-06T00 --product pgrb2sp25 --members 1 --steps 0-27";
    let desk = legacy_desk(bundle, build, 0);
    let opened = desk.open("store").await;
    let request = east_africa(Alignment::default());
    let (rain, losses) = accumulate(&opened, &request, &|_, _| {}).await.unwrap();
    assert_eq!((rain.shape(), losses.totals), (vec![1, 1, 141, 129], 0));
    // Four sums in single precision there, one rounding here.
    let expected = runs(include_str!("../fixtures/legacy/gefs_true_24h.txt"));
    assert_near(&rain, &expected, 1e-5);
    assert_eq!(expected.iter().copied().fold(0.0, f32::max), 63.699_95);
}

#[tokio::test(flavor = "multi_thread")]
async fn probabilities_of_the_ecmwf_ensemble_are_those_of_the_older_tools() {
    let bundle = include_bytes!("../fixtures/legacy/ecmwf.tar");
    let build = "ecmwf --run 2026-01-06T00 --product enfo --members 0,1,13 --steps 0-30";
    // Member 13 has no 18 h.
    let desk = legacy_desk(bundle, build, 3);
    let opened = desk.open("store").await;
    let request = east_africa(Alignment::Sliding);
    let (found, summary) =
        exceedance(&opened, &request, &RAIN_THRESHOLDS, &|_, _| {}).await.unwrap();
    assert_eq!(summary.members, [3, 3, 3]);
    let text = include_str!("../fixtures/legacy/ecmwf_probability.txt");
    let mut planes = found.values().chunks_exact(141 * 129);
    let mut hours = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        hours.push((words.next().unwrap(), words.next().unwrap()));
        // Where they divide before they multiply, the last bit differs.
        let expected = runs(words.next().unwrap());
        let plane = planes.next().unwrap();
        for (found, expected) in plane.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{:?}: {found}, {expected}", hours.last());
        }
    }
    assert!(planes.next().is_none());
    assert_eq!((hours[0], hours[17]), (("24", "5"), ("30", "125")));
}

/// Totals since the start in metres (IFS) and in kg m⁻² (AIFS): millimetres both.
#[tokio::test(flavor = "multi_thread")]
async fn units_of_ecmwf_and_aifs_come_to_millimetres() {
    use gik_testkit::ecmwf::{EcmwfRun, Product};
    let time = "2026-02-05T00";
    for (product, name, factor, first) in
        [(Product::Enfo, "enfo", 1000.0, 3), (Product::AifsSingle, "aifs-single", 1.0, 6)]
    {
        let desk = Desk::new();
        let run = EcmwfRun::new(time.parse().unwrap(), product).members(0..=0).steps(0..=2 * first);
        run.write_messages(&desk.path("bucket"), &["tp"]).unwrap();
        let members = if name == "enfo" { "--members 0" } else { "" };
        let steps = format!("--steps 0-{}", 2 * first);
        let options = format!("--product {name} {members} {steps} --variables tp --source bucket");
        desk.gik(&format!("build ecmwf --run {time} {options} --store store")).exits(0);
        let opened = desk.open("store").await;
        let request = Request {
            period: format!("{first}h").parse().unwrap(),
            alignment: Alignment::From(first),
            ..Request::new("tp")
        };
        let (rain, _) = accumulate(&opened, &request, &|_, _| {}).await.unwrap();
        assert_eq!(rain.text("units"), Some("mm"), "{name}");
        let value = |step| run.values("tp", None, 0, step).unwrap().unwrap();
        let expected: Vec<f32> = value(2 * first)
            .iter()
            .zip(value(first))
            .map(|(&end, start)| (f64::from(end as f32) - f64::from(start as f32)) * factor)
            .map(|sum| if sum < 0.0 { 0.0 } else { sum as f32 })
            .collect();
        assert_same(rain.values(), &expected);
        assert!(expected.iter().any(|&it| it > 0.0), "{name}");
    }
}
