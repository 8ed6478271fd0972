//! Generated runs against real index lines, and against their own truth.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "rows, columns and sizes of known grids and files"
)]

use gik_core::ReferenceTime;

use super::window::{spelling, start};
use super::*;
use crate::generated::RunFile;
use crate::grib::Statistic;

fn at(text: &str) -> ReferenceTime {
    text.parse().unwrap()
}

/// Lines without their second field, the offset.
fn without_offsets(index: &str) -> Vec<String> {
    index
        .lines()
        .map(|line| {
            let (number, rest) = line.split_once(':').unwrap();
            format!("{number}:{}", rest.split_once(':').unwrap().1)
        })
        .collect()
}

#[test]
fn windows_restart_every_six_hours() {
    let windows: Vec<_> = [0, 3, 6, 9, 12, 15, 21, 24, 27, 240, 246, 252, 840]
        .map(|lead| spelling(Some(Statistic::Accumulation), start(lead), lead))
        .to_vec();
    assert_eq!(
        windows,
        [
            "0-0 day acc fcst",
            "0-3 hour acc fcst",
            "0-6 hour acc fcst",
            "6-9 hour acc fcst",
            "6-12 hour acc fcst",
            "12-15 hour acc fcst",
            "18-21 hour acc fcst",
            "18-24 hour acc fcst",
            "24-27 hour acc fcst",
            "234-240 hour acc fcst",
            "240-246 hour acc fcst",
            "246-252 hour acc fcst",
            "834-840 hour acc fcst",
        ]
    );
    assert_eq!(spelling(None, 0, 0), "anl");
    assert_eq!(spelling(None, 18, 24), "24 hour fcst", "an instant is never in days");
    assert_eq!(spelling(Some(Statistic::Maximum), 0, 24), "0-1 day max fcst");
    assert_eq!(spelling(Some(Statistic::Minimum), 24, 72), "1-3 day min fcst");
}

/// The generator's line for the same product, run, member and step is NOAA's line, but for
/// the offset.
#[test]
fn indexes_read_like_the_real_ones() {
    let cases = [
        (
            Product::S,
            "2025-08-01T00",
            1,
            15,
            include_str!("fixtures/gep01.t00z.pgrb2s.0p25.f015.idx"),
        ),
        (
            Product::S,
            "2026-08-28T00",
            0,
            0,
            include_str!("fixtures/gec00.t00z.pgrb2s.0p25.f000.idx"),
        ),
        (
            Product::A,
            "2025-08-01T00",
            0,
            432,
            include_str!("fixtures/gec00.t00z.pgrb2a.0p50.f432.idx"),
        ),
        (
            Product::B,
            "2025-08-01T00",
            0,
            3,
            include_str!("fixtures/gec00.t00z.pgrb2b.0p50.f003.idx"),
        ),
    ];
    for (product, time, member, step, real) in cases {
        let (index, size) = GefsRun::new(at(time)).product(product).index(member, step);
        assert_eq!(without_offsets(&index), without_offsets(real), "{product:?} f{step:03}");
        let last = |index: &str| {
            let line = index.lines().last().unwrap().to_owned();
            line.split(':').nth(1).unwrap().parse::<u64>().unwrap()
        };
        assert!(last(&index) < size);
        let ratio = last(&index) as f64 / last(real) as f64;
        assert!((0.8..1.25).contains(&ratio), "{product:?}: {ratio} times the real size");
    }
}

#[test]
fn numbers_of_steps_and_messages() {
    let counts = |product: Product| {
        [0, 3].map(|step| product.lines().iter().filter(|line| line.occurs_at(step)).count())
    };
    assert_eq!(counts(Product::S), [26, 38]);
    assert_eq!(counts(Product::A), [71, 85]);
    assert_eq!(counts(Product::B), [473, 505]);
    assert_eq!(Product::S.steps(0).count(), 81);
    assert_eq!(Product::A.steps(6).count(), 105);
    assert_eq!(Product::B.steps(0).count(), 181);
    assert_eq!(Product::B.steps(0).last(), Some(840));
}

/// What the first files hold differs from product to product.
#[test]
fn messages_of_the_first_step() {
    let at_start = |product: Product, words: &str| {
        let (index, _) = GefsRun::new(at("2025-01-06T06")).product(product).index(2, 0);
        let found = index.lines().find(|line| line.contains(words));
        found.map(|line| line.splitn(6, ':').last().unwrap().to_owned())
    };
    assert_eq!(at_start(Product::S, ":HGT:surface:"), Some("anl:ENS=+2".into()));
    assert_eq!(at_start(Product::S, ":TMAX:"), Some("0-0 day max fcst:ENS=+2".into()));
    assert_eq!(at_start(Product::S, ":APCP:"), None);
    assert_eq!(at_start(Product::A, ":HGT:surface:"), Some("anl:ENS=+2".into()));
    assert_eq!(at_start(Product::A, ":TMAX:"), None);
    assert_eq!(at_start(Product::B, ":HGT:surface:"), None, "which `a` has then");
    assert_eq!(at_start(Product::B, ":SNOWC:"), Some("0-0 day ave fcst:ENS=+2".into()));
    assert_eq!(at_start(Product::B, ":TCDC:convective cloud layer:"), None);
}

#[test]
fn index_only_runs_have_sizes_without_bytes() {
    let bucket = tempfile::tempdir().unwrap();
    let run = GefsRun::new(at("2025-01-06T12")).members(0..=2).steps(0..=9);
    let counts = run.write_indexes(bucket.path(), DataFiles::Sparse).unwrap();
    assert_eq!((counts.files, counts.messages), (12, 3 * (26 + 3 * 38)));
    let path = bucket.path().join(run.path(2, 9));
    assert!(path.ends_with("gefs.20250106/12/atmos/pgrb2sp25/gep02.t12z.pgrb2s.0p25.f009"));
    let (index, size) = run.index(2, 9);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), size);
    assert_eq!(std::fs::read_to_string(path.with_added_extension("idx")).unwrap(), index);
    assert!((12_000_000..24_000_000).contains(&size), "{size}");

    let bare = tempfile::tempdir().unwrap();
    run.write_indexes(bare.path(), DataFiles::Absent).unwrap();
    assert!(!bare.path().join(run.path(2, 9)).exists());
    assert!(bare.path().join(run.path(2, 9) + ".idx").exists());
}

/// Every line points to one whole message, and the messages fill the file.
#[track_caller]
fn check_index(file: &RunFile) {
    let mut end = 0;
    let lines: Vec<Vec<&str>> = file.index.lines().map(|line| line.split(':').collect()).collect();
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line[0].parse::<usize>().unwrap(), number + 1);
        assert_eq!(line[1].parse::<usize>().unwrap(), end);
        assert_eq!(&file.data[end..end + 4], b"GRIB");
        let length: [u8; 8] = file.data[end + 8..end + 16].try_into().unwrap();
        end += usize::try_from(u64::from_be_bytes(length)).unwrap();
        assert_eq!(&file.data[end - 4..end], b"7777");
    }
    assert_eq!(end, file.data.len());
}

#[test]
fn messages_and_indexes_fit() {
    let run = GefsRun::new(at("2025-01-06T00")).product(Product::A).members(0..=1).steps(0..=9);
    let names = run.variables();
    assert_eq!(
        names,
        ["gh", "orog", "prmsl", "soilw", "t", "t2m", "tmax", "tmin", "tp", "u", "u10", "v", "v10"]
    );
    let run = run.steps(0..=3);
    let files: Vec<RunFile> = run.files(&names).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 4);
    files.iter().for_each(check_index);
    let words = |file: &RunFile, count: usize| {
        file.index.lines().filter(|line| line.contains(" mb:")).count() == count
    };
    assert!(files.iter().all(|file| words(file, 45)), "levels of gh, t, u and v");
    assert_eq!(
        without_offsets(&files[1].index)[47..],
        [
            "48:d=2025010600:TMAX:2 m above ground:0-3 hour max fcst:ENS=low-res ctl",
            "49:d=2025010600:TMIN:2 m above ground:0-3 hour min fcst:ENS=low-res ctl",
            "50:d=2025010600:UGRD:10 m above ground:3 hour fcst:ENS=low-res ctl",
            "51:d=2025010600:VGRD:10 m above ground:3 hour fcst:ENS=low-res ctl",
            "52:d=2025010600:APCP:surface:0-3 hour acc fcst:ENS=low-res ctl",
            "53:d=2025010600:PRMSL:mean sea level:3 hour fcst:ENS=low-res ctl",
        ]
    );
}

#[test]
fn unknown_variables_are_named() {
    let error = GefsRun::new(at("2025-01-06T00")).files(&["tp", "cape"]).err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with("variable 'cape': cannot be generated for pgrb2sp25; there are: "));
    assert!(text.ends_with("orog, prmsl, soilw, t2m, tmax, tmin, tp, u10, v10"), "{text}");
}

/// Accumulations are one rain rate cut in pieces: the sixth-hourly files of a day sum up to
/// the day, and the third-hourly ones do not.
#[test]
fn windows_of_rain_add_up() {
    let run = GefsRun::new(at("2025-01-06T00")).product(Product::A);
    let day = run.true_accumulation(3, 0, 24);
    let parts = [(0, 6), (6, 12), (12, 18), (18, 24)].map(|(a, b)| run.true_accumulation(3, a, b));
    let mut wettest = 0.0_f32;
    for (i, total) in day.iter().enumerate() {
        let sum: f32 = parts.iter().map(|part| part[i]).sum();
        assert!((sum - total).abs() <= 1e-4 * total.max(1.0), "{sum} {total}");
        wettest = wettest.max(*total);
    }
    assert!((40.0..150.0).contains(&wettest), "{wettest} mm on the wettest point");
    assert!(run.true_accumulation(3, 6, 6).iter().all(|mm| *mm == 0.0));
    assert_ne!(run.true_accumulation(4, 0, 24), day, "members differ");

    let half = run.true_accumulation(3, 0, 3);
    let rest = run.true_accumulation(3, 3, 6);
    assert!(
        parts[0].iter().zip(half.iter().zip(&rest)).all(|(a, (b, c))| (a - b - c).abs() < 1e-3)
    );
}

/// Rain where January brings it: much around Lake Victoria and Tanzania, none in the Sahara
/// and on the Horn.
#[test]
fn rain_falls_in_the_right_places() {
    let run = GefsRun::new(at("2025-01-06T00"));
    let grid = Product::S.grid();
    let mean = |south: f64, north: f64, west: f64, east: f64| {
        let (mut sum, mut count) = (0.0, 0.0);
        for member in 0..=4 {
            let day = run.true_accumulation(member, 0, 24);
            for (i, millimetres) in day.iter().enumerate() {
                let (row, column) = (i / 1440, i % 1440);
                let latitude = grid.latitude(row as u32);
                let longitude = grid.longitude(column as u32);
                if (south..north).contains(&latitude) && (west..east).contains(&longitude) {
                    sum += f64::from(*millimetres);
                    count += 1.0;
                }
            }
        }
        sum / count
    };
    assert!(mean(-10.0, -5.0, 28.0, 36.0) > 8.0);
    assert!(mean(10.0, 23.0, 21.0, 53.0) < 0.01, "Sahara and Arabia");
    assert!(mean(4.0, 12.0, 42.0, 51.0) < 0.01, "the Horn");
}

/// The bundle in the repository is what the generator makes today.
#[test]
fn the_demo_bundle_is_current() {
    let there = include_bytes!("../../../gik/demo/gefs-demo.tar");
    let made = demo_bundle().unwrap();
    assert_eq!(made.len(), there.len());
    assert!(made == there, "make it anew: see crates/gik/demo/README.md");
    assert!(made.len() < 1_500_000, "{} bytes", made.len());
}

#[test]
fn the_demo_run_is_complete() {
    let files: Vec<RunFile> = demo_run()
        .members(0..=1)
        .steps(0..=6)
        .files(&DEMO_VARIABLES)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    files.iter().for_each(check_index);
    let lines: Vec<String> = files.iter().flat_map(|file| without_offsets(&file.index)).collect();
    assert_eq!(
        lines,
        [
            "1:d=2025010600:TMP:2 m above ground:anl:ENS=low-res ctl",
            "1:d=2025010600:TMP:2 m above ground:3 hour fcst:ENS=low-res ctl",
            "2:d=2025010600:APCP:surface:0-3 hour acc fcst:ENS=low-res ctl",
            "1:d=2025010600:TMP:2 m above ground:6 hour fcst:ENS=low-res ctl",
            "2:d=2025010600:APCP:surface:0-6 hour acc fcst:ENS=low-res ctl",
            "1:d=2025010600:TMP:2 m above ground:anl:ENS=+1",
            "1:d=2025010600:TMP:2 m above ground:3 hour fcst:ENS=+1",
            "2:d=2025010600:APCP:surface:0-3 hour acc fcst:ENS=+1",
            "1:d=2025010600:TMP:2 m above ground:6 hour fcst:ENS=+1",
            "2:d=2025010600:APCP:surface:0-6 hour acc fcst:ENS=+1",
        ]
    );
}
