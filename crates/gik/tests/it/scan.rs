//! `gik scan`: what is in a file, from its headers, wherever it lies and whatever it has suffered.

use std::path::{Path, PathBuf};

use gik_testkit::counters::Operation;
use gik_testkit::grib::renumber;
use gik_testkit::hrrr::HrrrRun;
use gik_testkit::http::HttpServer;
use serde_json::json;

use crate::desk::{Desk, assert_same};

/// A file of hour 2 on a small grid, and its index.
fn small(desk: &Desk) -> (PathBuf, String) {
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=2).grid(12, 8);
    let file = run.file(2, &["t2m", "u10", "tp", "tp_run_total", "refc"]).unwrap();
    let path = desk.path("x.grib2");
    std::fs::write(&path, &file.data).unwrap();
    (path, file.index)
}

fn offset(index: &str, part: &str) -> usize {
    let line = index.lines().find(|line| line.contains(part)).unwrap();
    line.split(':').nth(1).unwrap().parse().unwrap()
}

#[test]
fn as_an_index_it_is_the_published_one() {
    let desk = Desk::new();
    let (_, index) = small(&desk);
    let scanned = desk.gik("scan x.grib2 --idx").exits(0);
    assert_eq!(scanned.stdout, index);
    assert_eq!(scanned.stderr, "");
}

#[test]
fn as_text_it_is_a_table() {
    let desk = Desk::new();
    small(&desk);
    let scanned = desk.gik("scan x.grib2").exits(0).says(&["5 messages, 5 fields of"]);
    let rows: Vec<Vec<&str>> = scanned
        .stdout
        .lines()
        .map(|line| line.split("  ").map(str::trim).filter(|it| !it.is_empty()).collect())
        .collect();
    assert_eq!(rows[0][..6], ["message", "offset", "length", "parameter", "level", "window"]);
    assert_eq!(rows.len(), 6);
    let rain = rows.iter().find(|row| row.contains(&"1-2 hour acc fcst")).unwrap();
    assert_eq!(rain[3..5], ["APCP", "surface"]);
    assert_eq!(rain[6], "lambert 12×8");
    assert!(rain[7].starts_with("5.3 ") && rain[7].ends_with(" bits"), "{rain:?}");
}

#[test]
fn as_json_it_is_everything() {
    let desk = Desk::new();
    let (path, index) = small(&desk);
    let found = desk.gik("scan x.grib2 --json").exits(0).json();
    let size = std::fs::metadata(&path).unwrap().len();
    assert_eq!(
        (&found["size"], &found["messages"], &found["problems"]),
        (&json!(size), &json!(5), &json!([]))
    );
    let fields = found["fields"].as_array().unwrap();
    // Fields follow each other to the end of the file.
    let mut end = 0;
    for field in fields {
        assert_eq!(field["offset"], end);
        end += field["length"].as_u64().unwrap();
    }
    assert_eq!(end, size);
    let rain = fields.iter().find(|it| it["offset"] == offset(&index, "1-2 hour acc")).unwrap();
    assert_eq!(rain["reference_time"], "2025-08-01T00");
    assert_eq!(rain["name"], "param_0_1_8_surface_accum_1h");
    assert_eq!(
        rain["window"],
        json!({"text": "1-2 hour acc fcst", "step_type": "accum", "start_seconds": 3600, "end_seconds": 7200})
    );
    assert_eq!((&rain["level"]["type"], &rain["member"]), (&json!("surface"), &json!(null)));
    let parameter = &rain["parameter"];
    assert_eq!(
        (&parameter["discipline"], &parameter["category"], &parameter["number"]),
        (&json!(0), &json!(1), &json!(8))
    );
    assert_eq!(
        (&rain["grid"]["type"], &rain["grid"]["rows"], &rain["grid"]["columns"]),
        (&json!("lambert"), &json!(8), &json!(12))
    );
    assert_eq!((&rain["packing"]["template"], &rain["packing"]["values"]), (&json!(3), &json!(96)));
}

#[test]
fn over_a_network_ranges_are_asked_for() {
    let desk = Desk::new();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(8..=8);
    run.write_headers(&desk.path("bucket")).unwrap();
    let path = run.path(8);
    let data = desk.path("bucket").join(&path);
    let size = std::fs::metadata(&data).unwrap().len();
    let index = std::fs::read_to_string(data.with_added_extension("idx")).unwrap();
    let server = HttpServer::start(desk.path("bucket")).unwrap();
    let line = format!("scan {}/{path} --idx", server.url());
    for hundredths in [1, 2] {
        server.counters().reset();
        // As published, but for what wgrib2 has no abbreviation for and HRRR's has.
        let scanned = desk.gik(&line).exits(0).stdout;
        let places = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split(':').take(3).collect::<Vec<_>>().join(":")).collect()
        };
        assert_eq!(places(&scanned), places(&index));
        let counters = server.counters();
        let of_data = counters
            .log()
            .into_iter()
            .filter(|it| it.operation == Operation::Get && !it.path.ends_with(".idx"));
        assert!(of_data.into_iter().all(|it| it.detail.starts_with("bytes=")));
        let sent = counters.bytes_sent();
        assert!(sent < size * hundredths / 100, "{sent} of {size}");
        assert!(counters.peak_in_flight() <= 100, "{}", counters.peak_in_flight());
        // With an index beside it less is read; then without.
        std::fs::remove_file(data.with_added_extension("idx")).ok();
    }
}

#[test]
fn a_server_that_is_gone_is_told_of() {
    let desk = Desk::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let silence = format!("nothing was read from http://{address}/");
    let line = format!("scan http://{address}/x.grib2 --deadline 6s");
    desk.gik(&line).exits(1).says(&[
        &silence,
        "each request is repeated for a minute, and --deadline ends all of it sooner",
        "the deadline of 6 s has passed; the file was not read to its end",
    ]);
    let line = format!(
        "build hrrr --run 2025-08-01T00 --steps 2 --source http://{address} --store store \
         --no-index --deadline 6s"
    );
    desk.gik(&line).exits(1).says(&[&silence, "the deadline of 6 s has passed"]);
}

#[test]
fn what_headers_lack_is_said_of_the_file() {
    let desk = Desk::new();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=2);
    let file = run.file(2, &["t2m"]).unwrap();
    let path = desk.path("bucket").join(&file.path);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    std::fs::write(&path, &file.data).unwrap();
    let line = "build hrrr --run 2025-08-01T00 --steps 2 --source bucket --store store";
    for options in ["", "--no-index"] {
        let none = desk.gik(&format!("{line} --variables refc {options}")).exits(1);
        let none = none.says(&[
            "files that lack messages",
            "wrfsfcf02.grib2: 1 of 1 messages are missing: REFC:entire atmosphere",
        ]);
        assert!(!none.stderr.contains("missing files"), "{}", none.stderr);
    }
    // A message that is on another grid than its array says where it is.
    desk.gik(&format!("{line} --variables t2m")).exits(0);
    let other = run.clone().grid(60, 40).file(2, &["t2m"]).unwrap();
    let times = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = other.data;
    bytes.resize(file.data.len(), 0);
    std::fs::write(&path, bytes).unwrap();
    std::fs::File::open(&path).unwrap().set_modified(times).unwrap();
    let place = format!("wrfsfcf02.grib2 at byte {}]", 0);
    desk.gik("read store t2m -o x.npy --allow bucket").says(&["bucket/hrrr.20250801/", &place]);
    let report = desk.gik("validate store --allow bucket --json").exits(3).json();
    assert!(report["unreadable"][0].as_str().unwrap().contains(&place), "{report}");
}

#[test]
fn each_field_of_a_message_is_listed() {
    let desk = Desk::new();
    let (path, index) = small(&desk);
    // The first message gets a second field: its sections 4 to 7 once more.
    let mut bytes = std::fs::read(&path).unwrap();
    let length = offset(&index, "2:");
    let length = bytes[8..16].try_into().map_or(length, |it| u64::from_be_bytes(it) as usize);
    let rest = bytes.split_off(length);
    let mut at = 16;
    while bytes[at + 4] != 4 {
        at += u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    let again = bytes[at..].to_vec();
    bytes.truncate(length - 4);
    bytes.extend(again);
    let total = (bytes.len() as u64).to_be_bytes();
    bytes[8..16].copy_from_slice(&total);
    bytes.extend(rest);
    std::fs::write(&path, bytes).unwrap();
    let numbers = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(':').take(2).collect::<Vec<_>>().join(":")).collect()
    };
    let scanned = numbers(&desk.gik("scan x.grib2 --idx").exits(0).stdout);
    assert_eq!(scanned[..2], ["1.1:0", "1.2:0"]);
    assert!(scanned[2].starts_with("2:") && scanned.len() == 6, "{scanned:?}");
    let found = desk.gik("scan x.grib2 --json").exits(0).json();
    assert_eq!((&found["messages"], found["fields"].as_array().unwrap().len()), (&json!(5), 6));
    assert_eq!(
        (&found["fields"][1]["message"], &found["fields"][1]["submessage"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn a_damaged_file_says_what_is_left() {
    let desk = Desk::new();
    let (path, _) = small(&desk);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    let scanned = desk.gik("scan x.grib2 --idx").exits(3);
    let scanned =
        scanned.says(&["x.grib2 at byte ", "message 5 has ", "it is cut, or still being written"]);
    // The place of what cannot be used ends the message before it.
    let lines: Vec<&str> = scanned.stdout.lines().collect();
    assert!(
        lines.len() == 5 && lines[4].starts_with("0:") && lines[4].contains(":unusable: "),
        "{lines:?}"
    );
    let found = desk.gik("scan x.grib2 --json").exits(3).json();
    assert_eq!(found["fields"].as_array().unwrap().len(), 4);
    assert_eq!(found["problems"].as_array().unwrap().len(), 1);

    // Bytes behind the last message, and between two of them.
    let mut bytes = bytes;
    bytes.extend(b"</html>");
    std::fs::write(&path, &bytes).unwrap();
    desk.gik("scan x.grib2").exits(3).says(&["7 bytes are no GRIB message and passed over"]);
    std::fs::write(&path, "not a field of weather").unwrap();
    desk.gik("scan x.grib2").exits(1).says(&["expected a GRIB message, which begins with 'GRIB'"]);
    desk.gik("scan nowhere.grib2").exits(1).says(&["nowhere.grib2"]);
}

#[test]
fn fields_on_another_grid_are_no_part_of_a_run() {
    let desk = Desk::new();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=2);
    let own = run.file(2, &["t2m"]).unwrap();
    let other = run.clone().grid(60, 40).file(2, &["d2m", "sp"]).unwrap();
    let path = desk.path("bucket").join(&own.path);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    std::fs::write(&path, [&other.data[..], &own.data].concat()).unwrap();
    let line = "build hrrr --run 2025-08-01T00 --steps 2 --source bucket --store store --no-index";
    let report = desk.gik(&format!("{line} --json")).exits(3).json();
    assert_eq!(report["references"]["written"], 1);
    assert_eq!(report["problems"]["other_grid"], 1);
    let second = offset(&other.index, "2:");
    let built = desk.gik(line).exits(3).says(&[
        "1 files with messages on another grid than the model's",
        ".grib2: 2 fields are on another grid than the model's and left out: ",
        "at byte 0 (lambert 60×40)",
        &format!("at byte {second} (lambert 60×40)"),
    ]);
    assert!(built.stdout.contains("incomplete"), "{}", built.stdout);
    // Nothing but such fields: no store, and the reason.
    std::fs::write(&path, &other.data).unwrap();
    desk.gik(&line.replace("store store", "store other")).exits(1).says(&["on another grid"]);
}

#[test]
fn unknown_parameters_are_read_under_their_numbers() {
    let desk = Desk::new();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=2);
    let file = run.file(2, &["t2m", "d2m"]).unwrap();
    let mut data = file.data;
    let from = offset(&file.index, ":DPT:");
    assert!(renumber(data.get_mut(from..).unwrap(), 250, 7));
    let path = desk.path("bucket").join(&file.path);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    std::fs::write(path, data).unwrap();
    let line = "build hrrr --run 2025-08-01T00 --steps 2 --source bucket --store store --no-index";
    let report = desk.gik(&format!("{line} --json")).exits(3).json();
    assert_eq!(
        (&report["unknown_arrays"], &report["references"]["written"]),
        (&json!(1), &json!(2))
    );
    let name = "param_0_250_7_2_m_above_ground";
    desk.gik("info store").exits(0);
    desk.gik(&format!("read store {name} -o x.npy --allow bucket")).exits(0);
    let (shape, values) = desk.npy("x.npy");
    assert_eq!(shape, [1, 1, 1059, 1799]);
    let expected: Vec<f32> = run.values("d2m", 120).unwrap().iter().map(|&it| it as f32).collect();
    assert_same(&values, &expected);
    // The same again changes nothing, and says that the array is there.
    let again = desk.gik(line).exits(3);
    assert!(
        again.stdout.contains("1 arrays of messages") && again.stdout.contains("already"),
        "{}",
        again.stdout
    );
}
