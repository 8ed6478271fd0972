//! `gik build --template` from indexes of ECMWF's kind alone.

use gik_testkit::ecmwf::{EcmwfRun, Product};
use serde_json::Value;

use crate::desk::{Desk, Outcome, assert_same};

const PATTERN: &str = "{date}/{hour}z/ifs/0p25/oper/{date}{hour}0000-{step}h-oper-fc.grib2";
const FOLDER: &str = "bucket/20260205/00z/ifs/0p25/oper/20260205000000";

fn file(step: u32, ending: &str) -> String {
    format!("{FOLDER}-{step}h-oper-fc.{ending}")
}

/// A bucket of four steps, and the template that those of 0 and 6 hours make.
fn learned() -> Desk {
    let desk = Desk::new();
    let run = EcmwfRun::new("2026-02-05T00".parse().unwrap(), Product::Oper).steps(0..=9);
    run.write_messages(&desk.path("bucket"), &["2t", "tp", "t"]).unwrap();
    let files = [0, 6].map(|step| file(step, "grib2")).join(" ");
    desk.gik(&format!("template build {files} -o x.tsv --pattern {PATTERN}")).exits(0);
    desk
}

fn build(desk: &Desk, store: &str, options: &str) -> Outcome {
    desk.gik(&format!(
        "build --template x.tsv --run 2026-02-05T00 --source bucket --steps 9 --store {store} \
         {options} --json"
    ))
}

/// Changes the index of the step of 9 hours.
fn edit(desk: &Desk, change: impl Fn(&str) -> String) {
    let path = desk.path(&file(9, "index"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(&text)).unwrap();
}

/// Url, offset and length of the messages of an array, in the order of its levels.
fn references(desk: &Desk, store: &str, array: &str) -> Vec<Value> {
    desk.gik(&format!("export {store} --format kerchunk-json -o {store}.json")).exits(0);
    let text = std::fs::read_to_string(desk.path(&format!("{store}.json"))).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let prefix = format!("{array}/");
    let all = all["refs"].as_object().unwrap().iter();
    let mut all: Vec<(Vec<u32>, Value)> = all
        .filter_map(|(key, place)| Some((key.strip_prefix(&prefix)?, place)))
        .filter(|(_, place)| place.is_array())
        .map(|(key, place)| {
            (key.split('.').map(|part| part.parse().unwrap()).collect(), place.clone())
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all.into_iter().map(|(_, place)| place).collect()
}

#[test]
fn later_steps_are_built_from_their_indexes() {
    let desk = learned();
    let shown = desk.gik("template show x.tsv").exits(0).stdout;
    assert!(shown.contains("\n# index: ecmwf\n"), "{shown}");
    for name in ["2t/sfc/", "tp/sfc/", "t/pl/850"] {
        let ends_so = |line: &str| line.ends_with(&format!("\t{name}"));
        assert_eq!(shown.lines().filter(|line| ends_so(line)).count(), 1, "{name}: {shown}");
    }
    desk.gik(&format!("template check x.tsv {}", file(9, "grib2"))).exits(0);

    let report = build(&desk, "told", "--index-only").exits(0).json();
    assert_eq!(report["references"]["written"], 4);
    build(&desk, "scanned", "--no-index").exits(0);
    let line = "build ecmwf --product oper --run 2026-02-05T00 --source bucket --steps 9";
    desk.gik(&format!("{line} --variables t2m,tp,t --store model --index-only")).exits(3);
    for (ours, theirs, count) in [
        ("tmp_heightaboveground", "t2m", 1),
        ("tmp_isobaricinhpa", "t", 2),
        (&row(&shown, "tp/sfc/"), "tp", 1),
    ] {
        let expected = references(&desk, "model", theirs);
        assert_eq!(expected.len(), count, "{theirs}");
        for store in ["told", "scanned"] {
            assert_eq!(references(&desk, store, ours), expected, "{ours} in {store}");
        }
    }
    // The model has levels that the bucket lacks.
    let run = EcmwfRun::new("2026-02-05T00".parse().unwrap(), Product::Oper);
    for level in [850, 500] {
        let line = format!("--sel isobaricInhPa={level} -o x.npy --allow bucket");
        desk.gik(&format!("read told tmp_isobaricinhpa {line}")).exits(0);
        let expected = run.values("t", Some(level), 0, 9).unwrap().unwrap();
        let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
        assert_same(&desk.npy("x.npy").1, &expected);
    }
}

/// The array of the row that is listed so.
fn row(template: &str, name: &str) -> String {
    let mut rows = template.lines().filter(|line| line.ends_with(&format!("\t{name}")));
    rows.next().unwrap().split('\t').next().unwrap().to_owned()
}

#[test]
fn damaged_lines_cost_their_messages() {
    for (from, to, problem) in [
        ("\"_offset\": ", "\"_offset\": 9999999999", "past_end"),
        ("\"step\": \"9\"", "\"step\": \"6\"", "damaged_line"),
        ("\"date\": \"20260205\"", "\"date\": \"20260204\"", "damaged_line"),
        ("\"_offset\"", "\"offset\"", "damaged_line"),
        ("\"type\": \"fc\"", "\"type\": \"pf\", \"number\": \"3\"", "unknown_message"),
        ("\"param\": \"", "\"param\": \"new", "unknown_message"),
    ] {
        let desk = learned();
        edit(&desk, |text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        let report = build(&desk, "store", "--index-only").exits(3).json();
        assert_eq!(report["references"]["written"], 3, "{to}: {report}");
        let problems = serde_json::json!({"missing_message": 1, problem: 1});
        assert_eq!(report["problems"], problems, "{}", report["diagnostics"]);
    }
}

#[test]
fn what_is_missing_doubled_or_claimed_twice_is_told() {
    let desk = learned();
    let whole = std::fs::read_to_string(desk.path(&file(9, "index"))).unwrap();
    let first = whole.lines().next().unwrap();
    for (text, written, problem) in [
        (whole.replacen(&format!("{first}\n"), "", 1), 3, "missing_message"),
        (whole.replacen("\"_length\": ", "\"_length\": 1", 1), 3, "past_end"),
        (format!("{whole}{first}\n"), 4, "duplicate_message"),
        (
            format!("{whole}{}\n", first.replacen("\"param\": \"", "\"param\": \"new", 1)),
            3,
            "overlap",
        ),
    ] {
        edit(&desk, |_| text.clone());
        let store = problem.replace('_', "-");
        let report = build(&desk, &store, "--index-only").exits(3).json();
        assert_eq!(report["references"]["written"], written, "{problem}: {report}");
        assert_eq!(report["problems"][problem], 1, "{}", report["diagnostics"]);
    }
    // A length that is too small leaves no other trace than bytes that no line tells of.
    edit(&desk, |_| {
        let mut line: Value = serde_json::from_str(first).unwrap();
        line["_length"] = (line["_length"].as_u64().unwrap() - 8).into();
        whole.replacen(first, &line.to_string(), 1)
    });
    let report = build(&desk, "short", "--index-only").exits(3).json();
    assert_eq!(report["problems"], serde_json::json!({"uncovered": 1}));
    // With the file at hand all of it is there.
    let report = build(&desk, "mended", "--no-index").exits(0).json();
    assert_eq!(report["references"]["written"], 4);
}

#[test]
fn an_index_of_another_run_is_refused_and_the_headers_read() {
    let desk = learned();
    edit(&desk, |text| text.replace("\"20260205\"", "\"20260204\""));
    let told = build(&desk, "none", "--index-only").exits(1);
    assert!(told.stdout.contains("run of 2026-02-04T00 on 4 of 4 lines"), "{}", told.stdout);
    let report = build(&desk, "scanned", "").exits(0).json();
    assert_eq!(report["references"]["written"], 4);
}

#[test]
fn a_template_is_refused_of_an_index_that_does_not_tell() {
    let desk = learned();
    let line = format!("template build {} -o y.tsv --pattern {PATTERN}", file(9, "grib2"));
    let whole = std::fs::read_to_string(desk.path(&file(9, "index"))).unwrap();
    edit(&desk, |text| text.lines().skip(1).map(|line| format!("{line}\n")).collect());
    desk.gik(&line).exits(2).says(&["-9h-oper-fc.grib2", "is on no line of the index beside"]);
    edit(&desk, |_| whole.replace("\"2t\"", "\"t2\""));
    let both = line.replace("build ", &format!("build {} ", file(6, "grib2")));
    desk.gik(&both).exits(2).says(&["listed as 't2/sfc/', and in another file as '2t/sfc/'"]);
    desk.gik(&line).exits(0);
    // What is no index of this kind tells nothing; a kind that nobody knows is refused.
    edit(&desk, |_| "no index".to_owned());
    desk.gik(&line).exits(0);
    let template = std::fs::read_to_string(desk.path("x.tsv")).unwrap();
    std::fs::write(desk.path("x.tsv"), template.replace("index: ecmwf", "index: dwd")).unwrap();
    let refused = build(&desk, "none", "");
    assert!((refused.stdout + &refused.stderr).contains("kind 'dwd'"));
    // Without an index of this kind the template is one for indexes of NOAA's.
    std::fs::remove_file(desk.path(&file(9, "index"))).unwrap();
    desk.gik(&line).exits(0);
    assert!(!std::fs::read_to_string(desk.path("y.tsv")).unwrap().contains("ecmwf"));
}
