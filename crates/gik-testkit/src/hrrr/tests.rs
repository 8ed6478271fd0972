//! The generator keeps to what real files are.

use super::table::lines;
use super::*;

fn run() -> HrrrRun {
    HrrrRun::new("2025-08-01T00".parse().unwrap())
}

#[test]
fn files_have_as_many_messages_as_real_ones() {
    let count = |run: &HrrrRun, hour| run.lines(hour).count();
    assert_eq!([0, 1, 2, 48].map(|hour| count(&run(), hour)), [170, 170, 173, 173]);
    let subhourly = run().product(Product::Subh);
    assert_eq!([0, 1, 18].map(|hour| count(&subhourly, hour)), [49, 196, 196]);
    assert_eq!(subhourly.minutes(9), [495, 510, 525, 540]);
    assert_eq!(count(&run().product(Product::Prs), 3), 40 * 14);
    assert_eq!(count(&run().product(Product::Nat), 3), 50 * 20);
    assert_eq!(lines().len(), 173 + 49 + 560 + 1000);
}

#[test]
fn times_are_spelled_as_wgrib2_does() {
    let of = |name: &str, minutes| {
        let line = lines().iter().find(|line| line.name == name && line.product == "sfc");
        line.unwrap().spelling(minutes)
    };
    assert_eq!(of("tp_run_total", 24 * 60), "0-1 day acc fcst");
    assert_eq!(of("tp", 24 * 60), "23-24 hour acc fcst");
    assert_eq!(of("tp_run_total", 0), "0-0 day acc fcst");
    assert_eq!((of("t2m", 0), of("t2m", 60)), ("anl".to_owned(), "1 hour fcst".to_owned()));
    let wind = lines().iter().find(|line| line.name == "avg_10u").unwrap();
    assert_eq!(wind.spelling(495), "490-495 min ave fcst");
}

#[test]
fn hours_add_up_to_the_run() {
    let run = run().grid(9, 7);
    let total = run.values("tp_run_total", 180).unwrap();
    let first = run.values("tp_run_total", 60).unwrap();
    let hours: Vec<f64> = first
        .iter()
        .zip(run.values("tp", 120).unwrap())
        .zip(run.values("tp", 180).unwrap())
        .map(|((a, b), c)| a + b + c)
        .collect();
    assert!(total.iter().zip(&hours).all(|(a, b)| (a - b).abs() < 0.02), "{total:?} {hours:?}");
    assert!(total.iter().any(|&rain| rain > 1.0));
}

#[test]
fn paths_are_the_buckets() {
    assert_eq!(run().path(8), "hrrr.20250801/conus/hrrr.t00z.wrfsfcf08.grib2");
    let alaska = run().alaska().product(Product::Prs);
    assert_eq!(alaska.path(12), "hrrr.20250801/alaska/hrrr.t00z.wrfprsf12.ak.grib2");
}
