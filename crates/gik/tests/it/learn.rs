//! `gik template build`: what files tell of a product, and what they do not.

use gik::core::ReferenceTime;
use gik_testkit::grib::{
    Encoded, Message, Packing, Product, RegularGrid, Statistic, Surface, renumber,
};
use gik_testkit::hrrr::{HrrrRun, Product as HrrrProduct};
use serde_json::{Value, json};

use crate::desk::Desk;

const TIME: &str = "2025-08-01T00";
const GRID: RegularGrid = RegularGrid::new(6, 5, 30_000_000, 10_000_000, 500_000);
const PATTERN: &str = "x{step:3}";

fn time() -> ReferenceTime {
    TIME.parse().unwrap()
}

fn encode(product: Product) -> Encoded {
    let packing = Packing::complex(1);
    let message = Message { discipline: 0, reference: time(), grid: GRID, product, packing };
    let values: Vec<f32> = (0..GRID.len()).map(|point| (point % 7) as f32 * 0.5).collect();
    message.encode(&values).unwrap()
}

fn t2m(step: u32) -> Product {
    Product::instant(0, 0, Surface::height(2), step)
}

fn rain(start: u32, step: u32) -> Product {
    Product::instant(1, 8, Surface::GROUND, step).over(Statistic::Accumulation, start)
}

/// Writes the file `x003` of these messages, and its index.
fn write(desk: &Desk, name: &str, messages: &[Vec<u8>]) {
    std::fs::write(desk.path(name), messages.concat()).unwrap();
    let index = desk.gik(&format!("scan {name} --idx")).exits(0).stdout;
    std::fs::write(desk.path(&format!("{name}.idx")), index).unwrap();
}

/// Files of a product whose rain is over `windows`, each with a temperature.
fn product(desk: &Desk, files: &[(u32, &[u32])]) {
    for &(step, starts) in files {
        let rain = starts.iter().map(|&start| rain(start, step));
        let all = std::iter::once(t2m(step)).chain(rain);
        let messages: Vec<Vec<u8>> = all.map(|it| encode(it).bytes).collect();
        write(desk, &format!("x{step:03}"), &messages);
    }
}

/// Makes `x.tsv` of the files of these steps, and says what `--json` says.
fn learn(desk: &Desk, steps: &[u32]) -> Value {
    let files: Vec<String> = steps.iter().map(|step| format!("x{step:03}")).collect();
    let line = format!("template build {} -o x.tsv --pattern {PATTERN} --json", files.join(" "));
    desk.gik(&line).exits(0).json()
}

/// Name, window and steps of the rows of `x.tsv` that are over windows.
fn rows(desk: &Desk) -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(desk.path("x.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let rows = rows.map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    rows.filter(|cells| cells[4] != "instant")
        .map(|cells| [cells[0].clone(), cells[5].clone(), cells[6].clone()])
        .collect()
}

fn build(desk: &Desk, store: &str, steps: &str, options: &str) -> crate::desk::Outcome {
    desk.gik(&format!(
        "build --template x.tsv --run {TIME} --steps {steps} --source . --store {store} {options} \
         --json"
    ))
}

/// References of each array of a store.
fn references(desk: &Desk, store: &str) -> Value {
    let found = desk.gik(&format!("validate {store} --sample 0 --json")).json();
    let arrays = found["variables"].as_array().unwrap().iter();
    arrays.map(|it| (it["name"].as_str().unwrap().to_owned(), it["references"].clone())).collect()
}

/// GFS and GEFS count anew every 6 hours.
const BUCKETS: &[(u32, &[u32])] = &[(0, &[]), (3, &[0]), (6, &[0]), (9, &[6]), (12, &[6])];

#[test]
fn buckets_are_no_run_totals() {
    let desk = Desk::new();
    product(&desk, BUCKETS);
    let rules = [
        "since the start of the forecast",
        "since the last multiple of 6 hours before the step",
        "since the last multiple of 12 hours before the step",
    ];
    // Up to the end of the first bucket it may be either, and that is said.
    let open = learn(&desk, &[0, 3, 6])["open"].clone();
    assert_eq!(
        open,
        json!([{
            "array": "apcp_surface_accum",
            "windows": ["0-3 hour acc fcst", "0-6 hour acc fcst"],
            "rules": rules,
            "told_by_step": {"first": 9, "last": 21},
        }])
    );
    let forecast = "forecast".to_owned();
    let name = "apcp_surface_accum".to_owned();
    assert_eq!(rows(&desk), [[name, rules.join(" or "), forecast.clone()]]);
    let line = format!("template build x000 x003 x006 -o x.tsv --pattern {PATTERN}");
    desk.gik(&line).exits(0).says(&[
        "values of apcp_surface_accum (0-3 hour acc fcst, 0-6 hour acc fcst) are since the start",
        "the file of step 9 may tell, that of step 21 does",
        "x.tsv: 2 messages in 2 arrays",
    ]);
    // It loses nothing, and no totals are made of what is not known.
    build(&desk, "open", "0,3,6,9,12", "--index-only").exits(0);
    let there = json!({"tmp_heightaboveground": 5, "apcp_surface_accum": 4});
    assert_eq!(references(&desk, "open"), there);
    let total = |store: &str, array: &str| {
        desk.gik(&format!(
            "exceedance {store} {array} --period 6h --thresholds 1 -o {store}.nc --allow ."
        ))
    };
    let refused = total("open", "apcp_surface_accum");
    assert_ne!(refused.code, 0, "{}", refused.stderr);
    // The next file tells.
    assert_eq!(learn(&desk, &[0, 3, 6, 9])["open"], json!([]));
    let name = "apcp_surface_accum_6h_bucket";
    assert_eq!(rows(&desk), [[name.to_owned(), rules[1].to_owned(), forecast]]);
    build(&desk, "told", "0,3,6,9,12", "--index-only").exits(0);
    assert_eq!(references(&desk, "told")[name], 4);
    let done = total("told", name);
    assert!(!done.stderr.contains("window"), "{}", done.stderr);
}

#[test]
fn one_message_may_be_of_two_arrays() {
    let desk = Desk::new();
    let files: &[(u32, &[u32])] =
        &[(0, &[0]), (1, &[0]), (2, &[0, 1]), (3, &[0, 2]), (14, &[0, 13])];
    product(&desk, files);
    // From hour 1 alone, what is the sum of the run and of the hour is one array.
    let open = learn(&desk, &[0, 1])["open"].clone();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["told_by_step"]["first"]), (1, &json!(2)));
    // Later there are two, and the second is not lost in silence.
    let report = build(&desk, "lost", "0-2", "--index-only").exits(3).json();
    let diagnostic = &report["diagnostics"][0];
    assert_eq!(diagnostic["problem"], "other_window");
    assert!(diagnostic["url"].as_str().unwrap().ends_with("x002.idx"));
    assert_eq!(
        diagnostic["text"],
        "1 messages are over windows that the template does not tell, and are left out: \
         APCP:surface:1-2 hour acc fcst; make it anew with this file"
    );
    // With hour 2 both are known, and the message of hour 1 is of both.
    learn(&desk, &[0, 1, 2]);
    assert_eq!(rows(&desk)[1][..2], ["apcp_surface_accum_last_1h", "over the last hour"]);
    build(&desk, "both", "0-3", "--index-only").exits(0);
    let there = references(&desk, "both");
    assert_eq!(
        (&there["apcp_surface_accum"], &there["apcp_surface_accum_last_1h"]),
        (&json!(4), &json!(4))
    );
    build(&desk, "scanned", "0-3", "--no-index").exits(0);
    assert_eq!(references(&desk, "scanned"), there);
    // Hour 14 is beyond all buckets.
    assert_eq!(learn(&desk, &[0, 1, 2, 14])["open"], json!([]));
    assert_eq!(
        rows(&desk)[0][..2],
        ["apcp_surface_accum_run_total", "since the start of the forecast"]
    );
}

#[test]
fn messages_that_are_there_twice_are_there_once() {
    let desk = Desk::new();
    // As in GFS up to hour 6: the bucket and the total are the same message, written twice.
    let files: &[(u32, &[u32])] =
        &[(0, &[]), (3, &[0, 0]), (6, &[0, 0]), (9, &[0, 6]), (14, &[0, 12])];
    product(&desk, files);
    assert_eq!(learn(&desk, &[0, 3, 6, 9, 14])["open"], json!([]));
    let names: Vec<String> = rows(&desk).into_iter().map(|[name, ..]| name).collect();
    assert_eq!(names, ["apcp_surface_accum_run_total", "apcp_surface_accum_6h_bucket"]);
    for (store, options) in [("indexed", "--index-only"), ("scanned", "--no-index")] {
        build(&desk, store, "0,3,6,9,14", options).exits(0);
        let there = references(&desk, store);
        assert_eq!((&there[&names[0]], &there[&names[1]]), (&json!(4), &json!(4)));
    }
    desk.gik("template check x.tsv x003").exits(0);
    // A window that is lost is seen, though another of the same field is there.
    product(&desk, &[(9, &[6])]);
    let found = desk.gik("template check x.tsv x009").exits(3).stdout;
    assert_eq!(found, format!("not in the file: APCP:surface ({})\n", names[0]));
}

#[test]
fn members_are_no_part_of_a_template() {
    let desk = Desk::new();
    for (name, member, step) in [("a", 0, 0), ("b", 1, 3), ("x006", 2, 6)] {
        write(&desk, name, &[encode(t2m(step).of_ensemble(member, 30)).bytes]);
    }
    let line = format!("template build a b -o x.tsv --pattern {PATTERN}");
    desk.gik(&line).exits(0).says(&["1 messages in 1 arrays"]);
    build(&desk, "store", "6", "--index-only").exits(0);
    // Several in a file would be one array.
    let two: Vec<Vec<u8>> = [1, 2].map(|it| encode(t2m(3).of_ensemble(it, 30)).bytes).into();
    write(&desk, "two", &two);
    desk.gik("template build a two -o y.tsv").exits(2).says(&[
        "message 2 (TMP:2 m above ground:3 hour fcst)",
        "is of 'ENS=+2', and message 1 of 'ENS=+1'; a template knows one member a file",
        "in two at byte",
    ]);
    assert!(!desk.path("y.tsv").exists());
}

/// The message with the product template `template`, which has octets of its own from octet
/// `from` on.
fn of_template(encoded: Encoded, template: u16, from: usize, octets: &[u8]) -> Vec<u8> {
    let mut at = 16;
    while encoded.bytes[at + 4] != 4 {
        at += u32::from_be_bytes(encoded.bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    let length = u32::from_be_bytes(encoded.bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut section = encoded.bytes[at..at + length].to_vec();
    section.splice(from - 1..from - 1, octets.iter().copied());
    let length = u32::try_from(section.len()).unwrap();
    section[..4].copy_from_slice(&length.to_be_bytes());
    section[7..9].copy_from_slice(&template.to_be_bytes());
    encoded.with_section(4, &section).bytes
}

#[test]
fn what_a_template_cannot_tell_apart_is_refused() {
    let desk = Desk::new();
    let quantile = |percent: u8| of_template(encode(t2m(3)), 6, 35, &[percent]);
    write(&desk, "quantiles", &[quantile(10), quantile(90)]);
    desk.gik("template build quantiles -o y.tsv").exits(2).says(&[
        "message 2 (TMP:2 m above ground:3 hour fcst)",
        "is of '90% level', and others are of '10% level'; a template does not tell these apart",
        "in quantiles at byte",
    ]);
    // An ensemble's means are a product of their own.
    let mean = |step: u32| of_template(encode(t2m(step)), 2, 35, &[0, 30]);
    write(&desk, "x000", &[mean(0)]);
    write(&desk, "x003", &[mean(3), quantile(10)]);
    desk.gik(&format!("template build x000 -o x.tsv --pattern {PATTERN}")).exits(0);
    assert!(desk.gik("template show x.tsv").exits(0).stdout.contains("\n# qualifier: ens mean\n"));
    let report = build(&desk, "means", "3", "--index-only").exits(0).json();
    assert_eq!(report["references"]["written"], 1);
    // What the build leaves out is told by the comparison, too.
    let lines = desk.gik("template check x.tsv x003").exits(3).stdout;
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains("not in the template: TMP"), "{lines}");
    build(&desk, "means", "3", "--product x").exits(2).says(&["--product", "one product"]);
    // Several steps in a file.
    let subh = HrrrRun::new(time()).product(HrrrProduct::Subh).grid(12, 8);
    let file = subh.file(2, &["t2m", "u10"]).unwrap();
    std::fs::write(desk.path("subh"), file.data).unwrap();
    desk.gik("template build subh -o y.tsv").exits(2).says(&[
        "ends at another step than message 1 (75 min fcst); a template knows one step a file",
        "in subh at byte",
    ]);
    // What tells them apart is in octets that nobody reads.
    let chemical = |kind: u8| of_template(encode(t2m(3)), 40, 12, &[0, kind]);
    write(&desk, "chemicals", &[chemical(1), chemical(2)]);
    desk.gik("template build chemicals -o y.tsv")
        .exits(2)
        .says(&["message 2 (", "differs from message 1 in what product template 4.40 says more"]);
    assert!(!desk.path("y.tsv").exists());
}

#[test]
fn units_of_unknown_parameters_are_unknown() {
    let desk = Desk::new();
    let mut bytes = encode(t2m(3)).bytes;
    assert!(renumber(&mut bytes, 250, 7));
    write(&desk, "x003", &[bytes]);
    learn(&desk, &[3]);
    let text = std::fs::read_to_string(desk.path("x.tsv")).unwrap();
    let row = text.lines().last().unwrap();
    assert!(row.starts_with("var_0_250_7_heightaboveground\t"), "{row}");
    assert!(row.ends_with("\tunknown\t\tparameter 0-250-7\tunknown"), "{row}");
}

#[test]
fn errors_name_the_file() {
    let desk = Desk::new();
    product(&desk, &[(0, &[])]);
    desk.gik("template build x000 -o nowhere/x.tsv").exits(1).says(&["nowhere/x.tsv"]);
    // A name in the wrong place costs no data; a template is replaced.
    let before = std::fs::read(desk.path("x000")).unwrap();
    desk.gik("template build x000 -o x000").exits(2).says(&["'x000'", "is no template"]);
    assert_eq!(std::fs::read(desk.path("x000")).unwrap(), before);
    desk.gik("template build x000 -o x.tsv").exits(0);
    desk.gik("template build x000 -o x.tsv").exits(0);
    for pattern in ["same.grib2", "x.{foo}.f{step:3}", "f{step:9}", "{step:03}"] {
        let line = format!("template build x000 -o y.tsv --pattern {pattern}");
        desk.gik(&line).exits(2).says(&[&format!("pattern '{pattern}'"), "{step:3}"]);
    }
    assert!(!desk.path("y.tsv").exists());
    desk.gik("template check x.tsv .").exits(2).says(&["file '.'", "is a folder"]);
    desk.gik("template show x000").exits(2).says(&["template 'x000'", "is no text"]);
    for text in ["", "# only this\n", "name\tfile\n"] {
        std::fs::write(desk.path("empty.tsv"), text).unwrap();
        desk.gik("template show empty.tsv").exits(1).says(&["a row for each message", "empty.tsv"]);
    }
    std::fs::write(desk.path("odd.tsv"), "name\tfile\nx\ty\n").unwrap();
    desk.gik("template check odd.tsv x000").exits(1).says(&["line 2", "odd.tsv"]);
}

#[test]
fn a_lost_quarter_is_seen() {
    let desk = Desk::new();
    let run = HrrrRun::new(time()).product(HrrrProduct::Subh);
    run.clone().hours(2..=2).write_headers(&desk.path("bucket")).unwrap();
    let file = format!("bucket/{}", run.path(2));
    desk.gik(&format!("template check hrrr/wrfsubh {file}")).exits(0);
    // The bytes of one message, of the second quarter, are lost.
    let bytes = std::fs::read(desk.path(&file)).unwrap();
    let index = std::fs::read_to_string(desk.path(&format!("{file}.idx"))).unwrap();
    let offsets: Vec<usize> =
        index.lines().map(|line| line.split(':').nth(1).unwrap().parse().unwrap()).collect();
    let at =
        index.lines().position(|line| line.contains(":REFC:") && line.contains("90 min")).unwrap();
    let left = [&bytes[..offsets[at]], &bytes[offsets[at + 1]..]].concat();
    std::fs::write(desk.path("left.grib2"), left).unwrap();
    let found = desk.gik("template check hrrr/wrfsubh left.grib2").exits(3).stdout;
    assert_eq!(found, "not in the file: REFC:entire atmosphere (refc) at 90\n");
}

/// A whole product: every message of its files has its place.
#[test]
fn all_messages_of_hrrr_are_learned() {
    let desk = Desk::new();
    let run = HrrrRun::new(time());
    let mut files = String::new();
    for hour in [0, 1, 2, 14] {
        run.clone().hours(hour..=hour).write_headers(&desk.path("bucket")).unwrap();
        files.push_str(&format!(" bucket/{}", run.path(hour)));
    }
    let pattern = "hrrr.{date}/conus/hrrr.t{hour}z.wrfsfcf{step:2}.grib2";
    let line = format!("template build{files} -o x.tsv --pattern {pattern}");
    let built = desk.gik(&line).exits(0);
    assert!(!built.stderr.contains("left out"), "{}", built.stderr);
    run.clone().hours(8..=8).write_headers(&desk.path("bucket")).unwrap();
    desk.gik(&format!("template check x.tsv bucket/{}", run.path(8))).exits(0);
    let line = format!("build --template x.tsv --run {TIME} --steps 0,8 --source bucket");
    for (store, options) in [("indexed", "--index-only"), ("scanned", "--no-index")] {
        let report = desk.gik(&format!("{line} --store {store} {options} --json")).exits(0).json();
        assert!(report["references"]["written"].as_u64() >= Some(170 + 173), "{report}");
        assert_eq!(report["unknown_arrays"], 0);
    }
}
