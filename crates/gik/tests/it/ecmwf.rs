//! `gik build ecmwf`: the second model, through the command.

use gik_testkit::counters::Operation;
use gik_testkit::ecmwf::{EcmwfRun, Product};
use gik_testkit::faults::{Fault, Rule};

use crate::desk::{Desk, assert_same};
use crate::s3;

const TIME: &str = "2026-02-05T00";
const DOWN: Fault = Fault::SlowDown { retry_after: None };

fn ensemble() -> EcmwfRun {
    EcmwfRun::new(TIME.parse().unwrap(), Product::Enfo).members(0..=2).steps(0..=12)
}

const OPTIONS: &str = "build ecmwf --run 2026-02-05T00 --product enfo --members 0-2 --steps 0-12";

#[test]
fn values_come_back_as_they_were_written() {
    let desk = Desk::new();
    let run = ensemble().steps(0..=6);
    run.write_messages(&desk.path("bucket"), &["2t", "tp", "t"]).unwrap();
    let options = "--variables t2m,tp --members 0-2 --steps 0-6 --source bucket --store store";
    let report = desk.gik(&format!("build ecmwf --run {TIME} {options} --json")).exits(0).json();
    assert_eq!((&report["model"], &report["product"]), (&"ecmwf".into(), &"enfo".into()));
    assert_eq!(report["references"]["written"], 18);
    for (name, param) in [("t2m", "2t"), ("tp", "tp")] {
        desk.gik(&format!("read store {name} -o {name}.npy --allow bucket")).exits(0);
        let (shape, values) = desk.npy(&format!("{name}.npy"));
        assert_eq!(shape, [1, 3, 3, 721, 1440]);
        let mut fields = values.chunks_exact(721 * 1440);
        for member in 0..3 {
            for step in [0, 3, 6] {
                let expected = run.values(param, None, member, step).unwrap().unwrap();
                let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
                assert_same(fields.next().unwrap(), &expected);
            }
        }
    }
}

#[test]
fn the_first_years_had_another_grid() {
    let desk = Desk::new();
    let time = "2023-01-01T00";
    let run = EcmwfRun::new(time.parse().unwrap(), Product::Enfo).members(1..=1).steps(6..=6);
    run.write_messages(&desk.path("bucket"), &["2t"]).unwrap();
    let options = "--members 1 --steps 6 --variables t2m --source bucket --store store";
    desk.gik(&format!("build ecmwf --run {time} {options}")).exits(0);
    // Nairobi: 1.2°S, 36.8°E.
    let box_ = "--bbox 36.7,-1.3,36.9,-1.1";
    desk.gik(&format!("read store t2m {box_} -o box.npy --allow bucket")).exits(0);
    let (shape, values) = desk.npy("box.npy");
    assert_eq!(shape, [1, 1, 1, 1, 1]);
    let expected = run.values("2t", None, 1, 6).unwrap().unwrap();
    assert_eq!(expected.len(), 451 * 900);
    let (row, column) = (912 / 4, (1800 + 368) / 4);
    assert_eq!(values, [expected[row * 900 + column] as f32]);
}

#[test]
fn the_models_own_codec_reads_the_same() {
    let desk = Desk::new();
    let run = ensemble().members(1..=1).steps(3..=3);
    run.write_messages(&desk.path("bucket"), &["2t"]).unwrap();
    let options = "--members 1 --steps 3 --variables t2m --source bucket --store";
    desk.gik(&format!("build ecmwf --run {TIME} {options} own --codec model")).exits(0);
    desk.gik("read own t2m -o own.npy --allow bucket").exits(0);
    let expected = run.values("2t", None, 1, 3).unwrap().unwrap();
    let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
    assert_same(&desk.npy("own.npy").1, &expected);
}

#[test]
fn damage_is_reported_and_the_rest_built() {
    let desk = Desk::new();
    ensemble().write_indexes(&desk.path("bucket")).unwrap();
    let folder = desk.path("bucket/20260205/00z/ifs/0p25/enfo");
    let index = |step: u32| folder.join(format!("20260205000000-{step}h-enfo-ef.index"));
    let edit = |step: u32, change: &dyn Fn(&str) -> String| {
        let text = std::fs::read_to_string(index(step)).unwrap();
        std::fs::write(index(step), change(&text)).unwrap();
    };
    // A damaged line, a cut file, a repeated and a displaced message, and a missing step.
    edit(0, &|text| text.replacen("\"_offset\"", "\"offset\"", 1));
    edit(3, &|text| text[..text.len() - 40].to_owned());
    edit(6, &|text| format!("{text}{}\n", text.lines().next().unwrap()));
    edit(9, &|text| text.replacen("\"_offset\": ", "\"_offset\": 9999999999", 1));
    std::fs::remove_file(index(12)).unwrap();

    let report = desk.gik(&format!("{OPTIONS} --source bucket --store store --json")).exits(3);
    let report = report.json();
    assert_eq!(report["references"]["expected"], 4 * 480 + 3 * 157);
    assert_eq!(report["references"]["written"], 4 * 480 - 3);
    let problems = serde_json::json!({
        "damaged_line": 1,
        "duplicate_message": 1,
        "missing_file": 1,
        "missing_message": 3,
        "past_end": 1,
        "truncated": 1,
    });
    assert_eq!(report["problems"], problems, "{}", report["diagnostics"]);
    let told = desk.gik(&format!("{OPTIONS} --source bucket --store told")).exits(3);
    told.says(&["-0h-enfo-ef.index: ", "-12h-enfo-ef.index: ", "line 1 (byte 0 of the index)"]);
}

/// The bucket answers bursts of requests with 503: the run is whole all the same.
#[test]
fn bursts_of_refusals_are_waited_out() {
    let server = s3::server();
    let counts = ensemble().write_indexes(&server.root().join("forecasts")).unwrap();
    let index = |fault| Rule::new(fault).on(Operation::Get).on_path(".index");
    server.faults().add(index(DOWN).first(4));
    server.faults().add(index(DOWN).with_probability(0.2));
    server.faults().add(Rule::new(DOWN).on(Operation::List).first(1));
    let desk = Desk::with(server.env_anonymous());
    let options = format!("{OPTIONS} --source s3://forecasts/ --store store --json");
    let report = desk.gik(&options).exits(0).json();
    assert_eq!(report["references"]["written"], counts.messages);
    assert!(server.faults().injected().slow_downs >= 4);
}

#[test]
fn wrong_arguments_say_what_is_right() {
    let desk = Desk::new();
    desk.gik("build ecmwf --run 2026-02-05T00 --product scda --store s").exits(2).says(&["enfo"]);
    desk.gik("build ecmwf --run 2026-02-05T03 --store s").exits(2).says(&["00, 06, 12 and 18"]);
    let members = "build ecmwf --run 2026-02-05T00 --product oper --members 0 --store s";
    desk.gik(members).exits(2).says(&["one forecast"]);
    let models = desk.gik("models").exits(0);
    for part in ["ecmwf  ECMWF open data", "aifs-ens", "s3://ecmwf-forecasts/"] {
        assert!(models.stdout.contains(part), "{}", models.stdout);
    }
}

/// Nothing at all can be used: the reason is told, and not only that all is missing.
#[test]
fn a_run_of_which_nothing_can_be_used_says_why() {
    let desk = Desk::new();
    ensemble().write_indexes(&desk.path("bucket")).unwrap();
    let folder = desk.path("bucket/20260205/00z/ifs/0p25/enfo");
    for step in [0, 3, 6, 9, 12] {
        let index = folder.join(format!("20260205000000-{step}h-enfo-ef.index"));
        let text = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, text.replace("\"_offset\"", "\"offset\"")).unwrap();
    }
    let options = format!("{OPTIONS} --source bucket --store store");
    let told = desk.gik(&options).exits(1);
    assert!(!told.stderr.contains("; first") || told.stderr.contains("index: line 1 (byte 0"));
    told.says(&[
        "none of the 5 files of ecmwf enfo 2026-02-05T00 could be used; first file://",
        "-0h-enfo-ef.index: line 1 (byte 0 of the index): has no \"_offset\"",
        "5 files with damaged index lines:",
        "5 files that lack messages:",
    ]);
    let report = desk.gik(&format!("{options} --json")).exits(1).json();
    assert_eq!(report["problems"]["damaged_line"], 5);
    assert_eq!((&report["complete"], &report["references"]["written"]), (&false.into(), &0.into()));
    assert!(report["error"].as_str().unwrap().contains("has no \"_offset\""));
    assert!(!desk.path("store").exists());
}

#[test]
fn files_without_what_is_wanted_are_not_called_unusable() {
    let desk = Desk::new();
    ensemble().write_indexes(&desk.path("bucket")).unwrap();
    let options = format!("{OPTIONS} --variables cp,hcc --source bucket --store store");
    let told = desk.gik(&options).exits(1).says(&[
        "the 5 files of ecmwf enfo 2026-02-05T00 were read; none has a message of cp, hcc at these \
         steps",
    ]);
    assert!(!told.stderr.contains("could be used"), "{}", told.stderr);
    assert_eq!(
        desk.gik(&format!("{options} --json")).exits(1).json()["problems"],
        serde_json::json!({})
    );
}

/// A line that is lost leaves no other trace than the bytes that it told of.
#[test]
fn a_lost_line_of_an_optional_field_is_incomplete() {
    let desk = Desk::new();
    ensemble().write_indexes(&desk.path("bucket")).unwrap();
    let folder = desk.path("bucket/20260205/00z/ifs/0p25/enfo");
    let index = folder.join("20260205000000-6h-enfo-ef.index");
    let text = std::fs::read_to_string(&index).unwrap();
    let kept: String = text
        .lines()
        .filter(|line| !(line.contains("\"sd\"") && line.contains("\"number\": \"1\"")))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&index, kept).unwrap();
    let told = desk.gik(&format!("{OPTIONS} --source bucket --store store")).exits(3);
    told.says(&[
        "1 files with bytes that no index line tells of:",
        "-6h-enfo-ef.index: no line tells of 1 stretches of the file, ",
    ]);
}

/// What was damaged when it was taken in is looked at again by the next update, though the store
/// has as much as it must have; until it is mended the run is not complete.
#[test]
fn what_was_damaged_is_mended_by_the_next_update() {
    let desk = Desk::new();
    let run = ensemble().members(1..=1).steps(0..=3);
    run.write_messages(&desk.path("bucket"), &["2t"]).unwrap();
    let folder = desk.path("bucket/20260205/00z/ifs/0p25/enfo");
    let index = folder.join("20260205000000-3h-enfo-ef.index");
    let whole = std::fs::read_to_string(&index).unwrap();
    // Two lines for one message: which one is right nobody can tell.
    let mut again: serde_json::Value = serde_json::from_str(whole.lines().next().unwrap()).unwrap();
    again["_length"] = 900.into();
    std::fs::write(&index, format!("{whole}{again}\n")).unwrap();
    let options = "--members 1 --steps 0-3 --variables t2m --source bucket --store store";
    let update = format!("update ecmwf --run {TIME} {options} --index-only --json");
    let report = desk.gik(&update).exits(3).json();
    assert_eq!(report["references"]["there"], report["references"]["expected"]);
    let commits = desk.gik("history store --json").exits(0).json();
    let damaged = commits["commits"][0]["properties"]["damaged"].to_string();
    assert!(damaged.contains("-3h-enfo-ef"), "{damaged} {report}");
    desk.gik(&update).exits(3);
    std::fs::write(&index, whole).unwrap();
    desk.gik(&update).exits(0);
}
