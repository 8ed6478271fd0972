//! A run with every kind of damage: what is there is there, and the report names the rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::desk::{Desk, assert_same};
use crate::run::{Run, SOILW, T2M, TP};

const MEMBERS: [u8; 3] = [0, 1, 2];
const STEPS: [u32; 5] = [0, 3, 6, 9, 12];

/// A damaged file: which, what the report must say about which of the two files, and the
/// fields that are lost.
struct Damage {
    file: (u8, u32),
    problem: &'static str,
    url_ends: &'static str,
    text: &'static str,
    lost: &'static [&'static str],
}

const ALL: &[&str] = &[T2M, TP, SOILW];

/// Damages the run in `bucket`.
fn damage(run: &Run, bucket: &Path) -> Vec<Damage> {
    let data = |member, step| bucket.join(run.path(member, step));
    let index = |member, step| -> PathBuf { data(member, step).with_added_extension("idx") };
    let text = |member, step| fs::read_to_string(index(member, step)).unwrap();
    let of = |file, problem, url_ends, text, lost| Damage { file, problem, url_ends, text, lost };

    fs::remove_file(data(0, 3)).unwrap();
    fs::remove_file(index(0, 6)).unwrap();
    let lines = text(0, 9);
    let lines: Vec<_> = lines.lines().filter(|line| !line.contains(TP)).collect();
    fs::write(index(0, 9), lines.join("\n") + "\n").unwrap();
    // In the middle of the last line.
    let cut = text(1, 3);
    let last = cut.lines().last().unwrap();
    let lost = crate::run::field_of(last);
    fs::write(index(1, 3), &cut[..cut.len() - last.len() / 2]).unwrap();
    fs::write(index(1, 6), text(1, 6).replace("d=2025010600", "d=2025010606")).unwrap();
    fs::write(index(1, 9), text(2, 9)).unwrap();
    // The file lost its end, from the second message on.
    let second = text(2, 3).lines().nth(1).unwrap().split(':').nth(1).unwrap().parse().unwrap();
    fs::File::options().write(true).open(data(2, 3)).unwrap().set_len(second).unwrap();
    fs::write(index(2, 6), "").unwrap();
    fs::write(index(2, 9), b"\x89PNG\r\n\x1a\n\0\xff\xfe:::\n\n:\n1:2:3:4:5:6:7\n").unwrap();
    fs::write(index(2, 12), text(2, 0)).unwrap();

    let lost: &'static [&'static str] = match lost.as_str() {
        T2M => &[T2M],
        TP => &[TP],
        SOILW => &[SOILW],
        other => panic!("{other}"),
    };
    vec![
        of((0, 3), "missing_file", "", "not found", ALL),
        of((0, 6), "missing_file", ".idx", "not found", ALL),
        of((0, 9), "missing_message", ".idx", "1 of 3 messages are missing: APCP:surface", &[TP]),
        of((1, 3), "truncated", ".idx", "", lost),
        of((1, 3), "missing_message", ".idx", "1 of 3 messages are missing", lost),
        of((1, 6), "wrong_index", ".idx", "2025-01-06T06", ALL),
        of((1, 9), "wrong_index", ".idx", "ENS=+2", ALL),
        of((2, 3), "past_end", ".idx", "", ALL),
        of((2, 6), "truncated", ".idx", "", ALL),
        of((2, 6), "missing_message", ".idx", "3 of 3 messages", ALL),
        of((2, 9), "bad_line", ".idx", "", ALL),
        of((2, 9), "missing_message", ".idx", "3 of 3 messages", ALL),
        of((2, 12), "wrong_index", ".idx", "", ALL),
    ]
}

#[test]
fn the_rest_is_built_and_the_report_names_each_file() {
    let desk = Desk::new();
    let run = Run::new(&MEMBERS, &STEPS);
    let messages = run.write(&desk.path("bucket"));
    let damages = damage(&run, &desk.path("bucket"));
    let options = format!("{} --source bucket --index-only --store", run.options());
    let lost = |field: &str, member: u8, step: u32| {
        damages.iter().any(|it| it.file == (member, step) && it.lost.contains(&field))
    };

    // For machines.
    let report = desk.build(&format!("{options} store --json")).exits(3).json();
    let found = report["diagnostics"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let mut counts = BTreeMap::<&str, u64>::new();
    for damage in &damages {
        let url = format!("{}{}", run.path(damage.file.0, damage.file.1), damage.url_ends);
        assert!(
            found.iter().any(|it| text(&it["problem"]) == damage.problem
                && text(&it["url"]).starts_with("file:///")
                && text(&it["url"]).ends_with(&url)
                && text(&it["text"]).contains(damage.text)
                && !text(&it["text"]).is_empty()),
            "no {} of {url} in {found:#?}",
            damage.problem
        );
        *counts.entry(damage.problem).or_default() += 1;
    }
    // A file without a usable line is cut off, too.
    *counts.entry("truncated").or_default() += 1;
    assert_eq!(report["problems"], serde_json::to_value(&counts).unwrap(), "{found:#?}");
    let fields = |step| ALL.iter().filter(move |&&field| field != TP || step > 0);
    let holes = run
        .targets()
        .flat_map(|(member, step)| fields(step).map(move |field| (*field, member, step)))
        .filter(|&(field, member, step)| lost(field, member, step))
        .count();
    assert_eq!(report["complete"], false);
    assert_eq!(report["references"]["expected"], messages);
    assert_eq!(report["references"]["written"], messages - holes);
    assert_eq!(report["files"]["expected"], 15);
    assert_eq!(report["files"]["used"], 7);

    // For people.
    let told = desk.build(&format!("{options} told")).exits(3);
    for damage in &damages {
        let url = format!("{}{}: ", run.path(damage.file.0, damage.file.1), damage.url_ends);
        let line = told.stderr.lines().find(|it| it.contains(&url) && it.contains(damage.text));
        assert!(line.is_some(), "no {url} in\n{}", told.stderr);
    }
    for title in ["2 missing files:", "3 indexes that are not about their file:"] {
        assert!(told.stderr.contains(title), "{}", told.stderr);
    }
    let summary = format!("incomplete: {holes} of {messages} references are missing");
    assert!(told.stdout.contains(&summary), "{}", told.stdout);
    assert!(told.stdout.contains("3 members × 5 steps × 3 variables"), "{}", told.stdout);

    // What is there is readable, and what is not is missing.
    for (name, field) in [("t2m", T2M), ("tp", TP), ("soilw", SOILW)] {
        desk.gik(&format!("read store {name} -o {name}.npy --allow bucket")).exits(3);
        let (shape, values) = desk.npy(&format!("{name}.npy"));
        assert_eq!(shape[..3], [1, 3, 5], "{name}");
        for ((member, step), found) in run.targets().zip(values.chunks_exact(361 * 720)) {
            match lost(field, member, step) {
                true => assert_same(found, &run.missing()),
                false => assert_same(found, &run.values(field, member, step)),
            }
        }
    }
}

/// A file of which only the last message is cut: no index can tell, reading must.
#[test]
fn a_message_cut_by_the_end_of_its_file_is_no_value() {
    let desk = Desk::new();
    let run = Run::new(&[0], &[0, 3]);
    run.write(&desk.path("bucket"));
    let path = desk.path("bucket").join(run.path(0, 3));
    let file = fs::File::options().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 1000).unwrap();
    drop(file);
    desk.build(&format!("{} --source bucket --store store", run.options())).exits(0);
    let (_, index) = run.file(0, 3);
    let cut = crate::run::field_of(index.lines().last().unwrap());
    for (name, field) in [("t2m", T2M), ("tp", TP), ("soilw", SOILW)] {
        let line = format!("read store {name} --sel step=3 --allow bucket -o {name}.npy");
        if field == cut {
            desk.gik(&line).exits(1).says(&[&format!("store/{name}")]);
            assert!(!desk.path(&format!("{name}.npy")).exists());
        } else {
            desk.gik(&line).exits(0);
            assert_same(&desk.npy(&format!("{name}.npy")).1, &run.values(field, 0, 3));
        }
    }
}
