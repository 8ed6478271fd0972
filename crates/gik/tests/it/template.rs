//! `gik template`: a product that no model knows, from what its files hold.

use gik_testkit::hrrr::HrrrRun;

use crate::desk::{Desk, assert_same};

const PATTERN: &str = "hrrr.{date}/conus/hrrr.t{hour}z.wrfsfcf{step:2}.grib2";
const VARIABLES: &[&str] = &["t2m", "t", "tp", "tp_run_total", "refc"];

fn run() -> HrrrRun {
    HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(0..=13).grid(12, 8)
}

/// A bucket of some hours, and the template that the first, the third and one beyond all buckets
/// make.
fn learned(desk: &Desk) -> HrrrRun {
    let run = run();
    run.write_messages(&desk.path("bucket"), VARIABLES).unwrap();
    let files = [0, 3, 13].map(|hour| format!("bucket/{}", run.path(hour))).join(" ");
    let line = format!("template build {files} -o x.tsv --pattern {PATTERN}");
    desk.gik(&line).exits(0).says(&["x.tsv: ", " messages in 5 arrays"]);
    run
}

#[test]
fn it_is_shown_as_it_was_made() {
    let desk = Desk::new();
    learned(&desk);
    let shown = desk.gik("template show x.tsv").exits(0).stdout;
    assert_eq!(shown, std::fs::read_to_string(desk.path("x.tsv")).unwrap());
    assert!(shown.lines().any(|line| line == format!("# files: {PATTERN}")));
    let rows: Vec<Vec<&str>> = shown
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    let names: Vec<&str> = rows.iter().skip(1).map(|row| row[0]).collect();
    for name in [
        "tmp_heightaboveground",
        "tmp_isobaricinhpa",
        "apcp_surface_accum_run_total",
        "apcp_surface_accum_last_1h",
        "refc_entire_atmosphere",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // The tables that are compiled in are templates, too.
    let compiled = desk.gik("template show hrrr/wrfsfc").exits(0).stdout;
    assert!(compiled.lines().any(|line| line.starts_with("t2m\tsfc\tTMP\t2 m above ground\t")));
    desk.gik("template show hrrr/no-such-product").exits(2).says(&["hrrr/wrfsfc"]);
}

#[test]
fn a_fresh_file_is_held_against_it() {
    let desk = Desk::new();
    let run = learned(&desk);
    let check = |file: &str| desk.gik(&format!("template check x.tsv {file}"));
    let third = format!("bucket/{}", run.path(3));
    check(&third).exits(0).says(&["is as x.tsv says"]);
    // A file with another variable, without one that was there, on another grid.
    let other = run.clone().grid(13, 8).file(3, &["t2m", "t", "tp", "tp_run_total", "sp"]).unwrap();
    std::fs::write(desk.path("other.grib2"), other.data).unwrap();
    let differences = check("other.grib2").exits(3).stdout;
    let lines: Vec<&str> = differences.lines().collect();
    assert_eq!(lines.len(), 3, "{differences}");
    assert!(differences.contains("not in the template: PRES:surface:3 hour fcst"), "{differences}");
    assert!(differences.contains("not in the file: REFC:entire atmosphere"), "{differences}");
    assert!(differences.contains("on another grid: "), "{differences}");
    // Against the table of a model.
    let compiled = desk.gik(&format!("template check hrrr/wrfsfc {third}")).exits(3).stdout;
    assert!(
        compiled.lines().count() > 100
            && !compiled.contains("not in the template")
            && compiled.contains("on another grid: 9 of 9 fields, the first REFC:"),
        "{compiled}"
    );
}

#[test]
fn runs_are_built_with_it_from_indexes_and_from_headers() {
    let desk = Desk::new();
    let run = learned(&desk);
    // In hour 1 one message is the sum of the hour and of the run.
    let line = "build --template x.tsv --run 2025-08-01T00 --steps 0-3 --source bucket";
    desk.gik(&format!("{line} --store indexed --index-only")).exits(0);
    desk.gik(&format!("{line} --store scanned --no-index")).exits(0);
    for store in ["indexed", "scanned"] {
        let read = |name: &str, selection: &str| {
            desk.gik(&format!("read {store} {name} {selection} -o x.npy --allow bucket")).exits(0);
            desk.npy("x.npy").1
        };
        for (array, name, minutes) in [
            ("tmp_heightaboveground", "t2m", 180),
            ("refc_entire_atmosphere", "refc", 0),
            ("apcp_surface_accum_run_total", "tp_run_total", 120),
            ("apcp_surface_accum_run_total", "tp_run_total", 60),
            ("apcp_surface_accum_last_1h", "tp_run_total", 60),
            ("apcp_surface_accum_last_1h", "tp", 120),
        ] {
            let values = read(array, &format!("--sel step={}", minutes / 60));
            let expected = run.values(name, minutes).unwrap();
            let expected: Vec<f32> = expected.iter().map(|&value| value as f32).collect();
            assert_same(&values, &expected);
        }
    }
    // Without what it needs it says so.
    desk.gik("build --template x.tsv --run 2025-08-01T00 --store s").exits(2).says(&["--source"]);
}
