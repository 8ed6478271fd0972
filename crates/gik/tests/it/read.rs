//! `gik read`: the values that went into the messages come out.

use gik_testkit::gefs::GefsRun;
use gik_testkit::grib::{Packing, Quantised};

use crate::desk::{Desk, assert_same};
use crate::run::{Run, SOILW, T2M, TIME, TP};

const ROWS: usize = 361;
const COLUMNS: usize = 720;

/// A desk with a store of [`Run::new`].
fn desk_with(run: &Run) -> Desk {
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(0);
    desk
}

#[test]
fn a_range_of_steps_and_members_in_order() {
    let run = Run::new(&[0, 1, 2], &[0, 3, 6]);
    let desk = desk_with(&run);
    let line = "read store soilw --sel member=1:2 --sel step=3:6 --sel time=2025-01-06T00";
    desk.gik(&format!("{line} --allow bucket -o x.npy")).exits(0);
    let (shape, values) = desk.npy("x.npy");
    assert_eq!(shape, [2, 2, 1, ROWS, COLUMNS]);
    let expected: Vec<f32> = [(1, 3), (1, 6), (2, 3), (2, 6)]
        .iter()
        .flat_map(|&(member, step)| run.values(SOILW, member, step))
        .collect();
    assert_same(&values, &expected);
    assert!(values.iter().any(|value| value.is_nan()));
}

#[test]
fn a_region_across_the_date_line_is_cut_from_west_to_east() {
    let run = Run::new(&[1], &[3]);
    let desk = desk_with(&run);
    let all = run.values(T2M, 1, 3);
    let cut = |rows: std::ops::RangeInclusive<usize>, columns: &[usize]| -> Vec<f32> {
        rows.flat_map(|row| columns.iter().map(move |column| row * COLUMNS + column))
            .map(|at| all[at])
            .collect()
    };
    // Rows are half degrees from 90° southwards, columns from -180° eastwards.
    let pacific: Vec<usize> = (700..720).chain(0..=20).collect();
    let africa: Vec<usize> = (402..=466).collect();
    for (bbox, rows, columns) in
        [("170,-20,-170,0", 180..=220, &pacific), ("21,-12,53,23", 134..=204, &africa)]
    {
        desk.gik(&format!(
            "read store t2m --sel member=1 --sel step=3 --bbox {bbox} --allow bucket -o x.npy"
        ))
        .exits(0);
        let (shape, values) = desk.npy("x.npy");
        assert_eq!(shape, [1, rows.clone().count(), columns.len()]);
        assert_same(&values, &cut(rows, columns));
    }
    // CF wants coordinates to be monotonic: east of 180 they go on.
    desk.gik("read store t2m --sel step=3 --bbox 179,0,-179,0.5 --allow bucket -o x.csv").exits(0);
    let text = std::fs::read_to_string(desk.path("x.csv")).unwrap();
    let column = |line: &str| line.split(',').nth(3).unwrap().to_owned();
    let longitudes: Vec<String> = text.lines().skip(1).take(5).map(column).collect();
    assert_eq!(longitudes, ["179", "179.5", "180", "180.5", "181"]);
}

#[test]
fn local_files_are_read_only_where_allowed() {
    let desk = desk_with(&Run::new(&[0], &[0]));
    let bucket = gik::source_url(&desk.path("bucket").display().to_string()).unwrap();
    let denied = desk.gik("read store t2m -o x.npy").exits(1);
    let denied = denied.says(&["not allowed", &format!("--allow {bucket}")]);
    assert_eq!(denied.stdout, "");
    assert!(!desk.path("x.npy").exists());
    // Neither another place nor one whose name begins alike will do.
    for other in ["store", "buck", "s3://bucket/", "file:///bucket/"] {
        let line = format!("read store t2m --allow {other}");
        desk.gik(&line).exits(1).says(&[&format!("--allow {bucket}")]);
    }
    // What the text says works, and so does a folder above.
    desk.gik(&format!("read store t2m --allow {bucket}")).exits(0);
    desk.gik("read store t2m --allow .").exits(0);
    // What is in a store can be looked at without reading what it refers to.
    let info = desk.gik("info store").exits(0).stdout;
    assert!(info.contains(&format!("references read from {bucket} (local files)")), "{info}");
}

#[test]
fn the_summary_is_that_of_the_values() {
    let run = Run::new(&[0, 1], &[0, 3]);
    let desk = desk_with(&run);
    let json = desk.gik("read store tp --json --allow bucket -o tp.nc").exits(0).json();
    let values: Vec<f32> = run.targets().flat_map(|(m, s)| run.values(TP, m, s)).collect();
    let there: Vec<f64> =
        values.iter().filter(|it| !it.is_nan()).map(|&value| f64::from(value)).collect();
    let number = |key: &str| json[key].as_f64().unwrap();
    assert_eq!(json["variable"], "tp");
    assert_eq!(json["units"], "kg m-2");
    let dimensions = serde_json::json!(["time", "member", "step", "latitude", "longitude"]);
    assert_eq!(json["dimensions"], dimensions);
    assert_eq!(json["shape"], serde_json::json!([1, 2, 2, ROWS, COLUMNS]));
    assert_eq!(json["values"], values.len());
    assert_eq!(json["missing"], values.len() - there.len());
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} and {b}");
    near(number("minimum"), there.iter().copied().fold(f64::INFINITY, f64::min));
    near(number("maximum"), there.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    near(number("mean"), there.iter().sum::<f64>() / there.len() as f64);
    assert_eq!(json["file"], "tp.nc");
    assert!(std::fs::read(desk.path("tp.nc")).unwrap().starts_with(b"CDF\x02"));
    let text = desk.gik("read store tp --sel step=0 --allow bucket").exits(0).stdout;
    assert!(text.contains("nothing but missing values"), "{text}");
}

#[test]
fn statistics_over_dimensions() {
    let run = Run::new(&[0, 1, 2], &[0, 3]);
    let desk = desk_with(&run);
    let members: Vec<Vec<f32>> = (0..3).map(|member| run.values(SOILW, member, 3)).collect();
    let of = |measure: fn([f64; 3]) -> f64| -> Vec<f32> {
        (0..ROWS * COLUMNS)
            .map(|at| measure([0, 1, 2].map(|member: usize| f64::from(members[member][at]))) as f32)
            .collect()
    };
    let near = |found: &[f32], expected: &[f32]| {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-4 || (a.is_nan() && b.is_nan()), "{a} and {b}");
        }
    };
    let mean = of(|it| (it[0] + it[1] + it[2]) / 3.0);
    let line = "read store soilw --sel step=3 --sel time=2025-01-06T00 --allow bucket";
    for (measure, expected) in [
        ("mean", &mean),
        ("max", &of(|it| it[0].max(it[1]).max(it[2]))),
        ("min", &of(|it| it[0].min(it[1]).min(it[2]))),
        (
            "median",
            &of(|it| {
                it[0] + it[1] + it[2] - it[0].min(it[1]).min(it[2]) - it[0].max(it[1]).max(it[2])
            }),
        ),
        (
            "p50",
            &of(|it| {
                it[0] + it[1] + it[2] - it[0].min(it[1]).min(it[2]) - it[0].max(it[1]).max(it[2])
            }),
        ),
    ] {
        desk.gik(&format!("{line} --reduce member={measure} -o x.npy")).exits(0);
        let (shape, values) = desk.npy("x.npy");
        assert_eq!(shape, [1, ROWS, COLUMNS], "{measure}");
        near(&values, expected);
    }
    assert!(mean.iter().any(|value| value.is_nan()));
    // One after the other, over several steps.
    desk.gik("read store t2m --reduce member=mean --reduce step=max --allow bucket -o x.npy")
        .exits(0);
    assert_eq!(desk.npy("x.npy").0, [1, ROWS, COLUMNS]);
    desk.gik("read store t2m --reduce level=mean --allow bucket").exits(2).says(&["time, member"]);
    desk.gik("read store t2m --reduce member=most --allow bucket").exits(2).says(&["member=mean"]);
}

#[test]
fn the_time_series_of_every_member_at_a_point() {
    let run = Run::new(&[0, 1, 2], &[0, 3, 6]);
    let desk = desk_with(&run);
    desk.gik("read store t2m --point -1.29,36.82 --allow bucket -o x.csv").exits(0);
    let text = std::fs::read_to_string(desk.path("x.csv")).unwrap();
    assert!(text.starts_with("time,member,step,latitude,longitude,valid_time,t2m\r\n"), "{text}");
    // Half degrees: 1.5° S is nearer than 1° S, 37° E nearer than 36.5° E.
    let at = 183 * COLUMNS + 434;
    let mut found = Vec::new();
    for line in text.lines().skip(1) {
        found.push(line.rsplit(',').next().unwrap().parse::<f32>().unwrap());
        assert!(line.contains(",-1.5,37"), "{line}");
    }
    let expected: Vec<f32> = run.targets().map(|(m, s)| run.values(T2M, m, s)[at]).collect();
    assert_same(&found, &expected);
    let both = desk.gik("read store t2m --point 0,0 --bbox 0,0,1,1 --allow bucket");
    both.exits(2).says(&["cannot be used with"]);
    desk.gik("read store t2m --point 95,0 --allow bucket").exits(2).says(&["LAT,LON"]);
}

#[test]
fn coordinates_are_shown_as_labels() {
    let desk = desk_with(&Run::new(&[0, 4], &[0, 3]));
    assert_eq!(desk.gik("read store member").exits(0).stdout, "0\n4\n");
    assert_eq!(desk.gik("read store time").exits(0).stdout, "2025-01-06T00:00:00Z\n");
    let valid = desk.gik("read store valid_time --sel step=3 --json").exits(0).json();
    assert_eq!(valid["labels"], serde_json::json!(["2025-01-06T03:00:00Z"]));
    desk.gik("read store latitude -o x.csv").exits(0);
    assert_eq!(std::fs::read_to_string(desk.path("x.csv")).unwrap().lines().count(), 1 + ROWS);
    desk.gik("read store latitude -o x.png").exits(2).says(&["is not .csv"]);
    desk.gik("read store step --reduce step=max").exits(2).says(&["is a coordinate"]);
}

#[test]
fn the_nearest_label_where_asked() {
    let run = Run::new(&[0], &[0, 3]);
    let desk = desk_with(&run);
    let line = "read store t2m --sel step=4 --sel member=0 --allow bucket -o x.npy";
    desk.gik(line).exits(2).says(&["is not in the store"]);
    let taken = desk.gik(&format!("{line} --nearest --json")).exits(0).json();
    assert_eq!((&taken["at"]["step"], &taken["at"]["member"]), (&"3".into(), &"0".into()));
    assert_same(&desk.npy("x.npy").1, &run.values(T2M, 0, 3));
}

#[test]
fn a_lost_message_costs_its_own_values_and_is_told() {
    let run = Run::new(&[0, 1, 2], &[0, 3]);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    let path = |member, step| desk.path("bucket").join(run.path(member, step));
    // Member 1 has no 0 h in the store; the file of member 2 goes after it was built.
    std::fs::remove_file(path(1, 0)).unwrap();
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(3);
    std::fs::remove_file(path(2, 3)).unwrap();

    let line = "read store t2m --allow bucket --json -o x.npy";
    let outcome = desk.gik(line).exits(3);
    let name = run.path(2, 3);
    let outcome = outcome.says(&["of 6 messages 1 is not in the store and 1 could not be", &name]);
    let losses = outcome.json()["losses"].clone();
    assert_eq!((&losses["wanted"], &losses["missing"]), (&6.into(), &1.into()));
    assert!(losses["errors"][0].as_str().unwrap().contains(&name), "{losses}");
    for (found, (member, step)) in desk.npy("x.npy").1.chunks(ROWS * COLUMNS).zip(run.targets()) {
        if (member, step) == (1, 0) || (member, step) == (2, 3) {
            assert!(found.iter().all(|value| value.is_nan()));
        } else {
            assert_same(found, &run.values(T2M, member, step));
        }
    }

    // A statistic says of how many members it is.
    for measure in ["mean", "p50"] {
        let line = "read store t2m --sel time=2025-01-06T00 --allow bucket -o x.zarr --reduce";
        desk.gik(&format!("{line} member={measure}")).exits(3);
        let counts = std::fs::read(desk.path("x.zarr/member_count/c/0")).unwrap();
        assert_eq!(counts, [2_i64.to_le_bytes(), 2_i64.to_le_bytes()].concat());
        std::fs::remove_dir_all(desk.path("x.zarr")).unwrap();
    }
    // What is whole is complete, and so is rain at a step at which there cannot be any.
    desk.gik("read store t2m --sel member=0 --allow bucket").exits(0);
    desk.gik("read store tp --sel member=0 --allow bucket").exits(0);
    // Where nothing can be read that is an error.
    desk.gik("read store t2m --sel member=2 --sel step=3 --allow bucket").exits(1).says(&[&name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_memory_is_refused_before_it_is_read() {
    use gik::analysis::{Query, read_field, read_reduced};
    let desk = desk_with(&Run::new(&[0, 1], &[0, 3]));
    let opened = desk.open("store").await;
    let query = Query { memory: 185 << 20, ..Query::default() };
    let refused = |error: gik::core::Error| error.to_string();
    let error = refused(read_field(&opened, "t2m", &query, &|_, _| {}).await.unwrap_err());
    assert!(error.contains("a result of 5 MB: does not fit into 193 MB"), "{error}");
    for measure in ["member=mean", "member=p90"] {
        let query = Query { memory: 183 << 20, ..Query::default() };
        let reduction = measure.parse().unwrap();
        let read = read_reduced(&opened, "t2m", &query, &reduction, &|_, _| {}).await;
        assert!(refused(read.unwrap_err()).contains("does not fit"), "{measure}");
    }
    let query = Query { memory: 190 << 20, ..Query::default() };
    assert!(read_field(&opened, "t2m", &query, &|_, _| {}).await.is_ok());
}

#[test]
fn a_zarr_store_is_written() {
    let run = Run::new(&[0, 1], &[3]);
    let desk = desk_with(&run);
    desk.gik("read store t2m --sel step=3 --allow bucket -o x.zarr").exits(0);
    let chunk = std::fs::read(desk.path("x.zarr/t2m/c/0/1/0/0")).unwrap();
    let values: Vec<f32> =
        chunk.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect();
    assert_same(&values, &run.values(T2M, 1, 3));
    let again = desk.gik("read store t2m --sel step=3 --allow bucket -o x.zarr");
    again.exits(2).says(&["already exists"]);
}

/// `gik … | head -0`: nobody reads what is printed, and the exit code still tells.
#[test]
fn a_closed_pipe_does_not_hide_what_is_missing() {
    let run = Run::new(&[0, 1], &[0, 3]);
    let desk = Desk::new();
    run.write(&desk.path("bucket"));
    std::fs::remove_file(desk.path("bucket").join(run.path(1, 3))).unwrap();
    let line = format!("build gefs --run {TIME} {} --source bucket --store store", run.options());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = desk.command(&line).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn every_format_is_written() {
    let desk = desk_with(&Run::new(&[0], &[3]));
    let line = "read store t2m --sel time=2025-01-06T00 --sel member=0 --sel step=3 --allow bucket \
                --bbox 21,-12,53,23 -o";
    for (name, magic) in [("x.npy", &b"\x93NUMPY"[..]), ("x.nc", b"CDF\x02"), ("x.png", b"\x89PNG")]
    {
        let outcome = desk.gik(&format!("{line} {name}")).exits(0);
        assert!(outcome.stdout.contains(&format!("written to {name}")), "{}", outcome.stdout);
        assert!(std::fs::read(desk.path(name)).unwrap().starts_with(magic), "{name}");
    }
    desk.gik(&format!("{line} x.csv")).exits(0);
    let csv = std::fs::read_to_string(desk.path("x.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 71 * 65);
    assert!(!desk.files().iter().any(|name| name.ends_with(".part")));
}

/// The generator's own run: rain in hundredths of a millimetre, at 0.25°.
#[test]
fn a_generated_run_reads_as_it_was_rounded() {
    let desk = Desk::new();
    let run = GefsRun::new(TIME.parse().unwrap()).members(2..=2).steps(0..=9);
    run.write_messages(&desk.path("bucket"), &["tp", "t2m"]).unwrap();
    desk.build("--members 2 --steps 0-9 --variables tp,t2m --source bucket --store store").exits(0);
    desk.gik("read store tp --sel member=2 --allow bucket -o tp.npy").exits(0);
    let (shape, values) = desk.npy("tp.npy");
    assert_eq!(shape, [1, 4, 721, 1440]);
    let mut steps = values.chunks_exact(721 * 1440);
    assert!(steps.next().unwrap().iter().all(|value| value.is_nan()));
    for (found, (start, end)) in steps.zip([(0, 3), (0, 6), (6, 9)]) {
        let rain = run.true_accumulation(2, start, end);
        let rounded = Quantised::new(&rain, Packing::complex(2)).unwrap().values();
        let expected: Vec<f32> = rounded
            .chunks_exact(1440)
            .flat_map(|row| row[720..].iter().chain(&row[..720]))
            .map(|&value| value as f32)
            .collect();
        assert_same(found, &expected);
    }
}
