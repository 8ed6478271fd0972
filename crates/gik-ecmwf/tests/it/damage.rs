//! Files as they should not be: what is wrong is named, and costs only itself.

use gik_core::{Error, ErrorKind, FileReferences, Parser, Problem};
use gik_ecmwf::EcmwfParser;
use gik_testkit::ecmwf::{EcmwfRun, Product};

use gik_testkit::mirror::Mirror;

use crate::{fixture, put};

const PATH: &str = "20260205/00z/ifs/0p25/enfo/20260205000000-6h-enfo-ef.grib2";
const TIME: &str = "2026-02-05T00";
/// Messages of three members that a file must have; three more of each member it may have.
const EXPECTED: u64 = 3 * 157;

/// Index and size of the file of step 6, three members.
fn generated() -> (String, u64) {
    let mirror = Mirror::new().unwrap();
    let run = EcmwfRun::new(TIME.parse().unwrap(), Product::Enfo).members(0..=2).steps(6..=6);
    let counts = run.write_indexes(mirror.folder()).unwrap();
    let index = mirror.path(PATH).with_extension("index");
    (std::fs::read_to_string(index).unwrap(), counts.bytes)
}

/// Reads the file of step 6 with this index beside a file of this size.
fn read(index: &str, size: u64) -> Result<FileReferences, Error> {
    let mirror = Mirror::new().unwrap();
    put(&mirror, PATH, index.as_bytes(), size);
    let mut request = mirror.request("enfo", TIME).unwrap();
    request.members = Some("0-2".parse().unwrap());
    request.steps = Some("6".parse().unwrap());
    mirror.read(&EcmwfParser, &EcmwfParser.run(&request).unwrap())
}

/// The index with its lines changed one by one, and its size.
fn changed(change: impl Fn(usize, &str) -> Vec<String>) -> (String, u64) {
    let (text, size) = generated();
    let lines = text.lines().enumerate().flat_map(|(number, line)| change(number, line));
    (lines.map(|line| line + "\n").collect(), size)
}

fn problems(file: &FileReferences) -> Vec<Problem> {
    file.diagnostics.iter().map(|it| it.problem).collect()
}

/// Whether a line is that of 2 m temperature of member 1.
fn is_temperature(line: &str) -> bool {
    line.contains("\"number\": \"1\"") && line.contains("\"param\": \"2t\"")
}

#[test]
fn a_whole_index_has_nothing_wrong() {
    let (text, size) = generated();
    let file = read(&text, size).unwrap();
    assert_eq!((file.references.len(), file.diagnostics.len()), (480, 0));
}

#[test]
fn an_index_about_something_else_is_refused() {
    let (text, size) = generated();
    for (from, to, part) in [
        ("\"date\": \"20260205\"", "\"date\": \"20260204\"", "run of 2026-02-04T00"),
        ("\"time\": \"0000\"", "\"time\": \"1200\"", "run of 2026-02-05T12"),
        ("\"step\": \"6\"", "\"step\": \"9\"", "step 9"),
        ("\"stream\": \"enfo\"", "\"stream\": \"waef\"", "stream waef"),
        ("\"class\": \"od\"", "\"class\": \"ai\"", "class ai"),
        ("\"class\": \"od\"", "\"model\": \"aifs-ens\"", "model aifs-ens"),
    ] {
        let error = read(&text.replace(from, to), size).unwrap_err();
        let ErrorKind::Mismatch { found, .. } = error.kind() else { panic!("{error}") };
        assert!(found.contains(part) && found.contains("480 of 480"), "{found}");
        assert!(error.url().unwrap().ends_with("-6h-enfo-ef.index"));
    }
}

#[test]
fn damaged_lines_cost_only_their_messages() {
    let (text, size) = changed(|number, line| {
        vec![match number {
            3 => line.replace("\"_offset\"", "\"offset\""),
            5 => line.replace('}', ""),
            7 => line.replace("20260205", "20260206"),
            9 => "\u{0}\u{1}\u{2}".to_owned(),
            _ => line.to_owned(),
        }]
    });
    let file = read(&text, size).unwrap();
    assert_eq!(file.references.len(), 476);
    let all: String = file.diagnostics.iter().map(|it| format!("{}\n", it.text)).collect();
    for part in [
        "line 4 (byte ",
        "has no \"_offset\"",
        "line 6 (byte ",
        "line 10 (byte ",
        "is no JSON object",
        "1 lines are about another run or step and left out: line 8 (run of 2026-02-06T00)",
        "4 of 471 messages are missing: ",
    ] {
        assert!(all.contains(part), "no {part:?} in\n{all}");
    }
    assert_eq!(problems(&file).last(), Some(&Problem::MissingMessage));
}

#[test]
fn a_truncated_index_keeps_what_it_has() {
    let (text, size) = generated();
    let cut = text.match_indices('\n').nth(99).unwrap().0 + 60;
    let file = read(&text[..cut], size).unwrap();
    assert_eq!(file.references.len(), 100);
    assert_eq!(problems(&file), [Problem::Truncated, Problem::MissingMessage]);
    assert!(file.diagnostics[0].text.starts_with("line 101 (byte "));
    assert!(file.diagnostics[1].text.contains(" of 471 messages are missing"));
    assert!(file.diagnostics[1].text.contains(&format!("of the file's {size} bytes")));
    // At the end of a line: only what is missing tells.
    let file = read(&text[..=text.match_indices('\n').nth(99).unwrap().0], size).unwrap();
    assert_eq!((file.references.len(), problems(&file)), (100, vec![Problem::MissingMessage]));
    let file = read("", size).unwrap();
    assert_eq!(problems(&file), [Problem::Truncated, Problem::MissingMessage]);
}

#[test]
fn a_repeated_message_is_reported_and_the_first_counts() {
    let (text, size) = changed(|_, line| match is_temperature(line) {
        true => vec![line.to_owned(), line.replace("\"_offset\": ", "\"_offset\": 1")],
        false => vec![line.to_owned()],
    });
    let file = read(&text, size * 100).unwrap();
    assert_eq!(file.references.len(), 480);
    assert_eq!(problems(&file), [Problem::DuplicateMessage]);
    let said = &file.diagnostics[0].text;
    assert!(said.starts_with("1 messages are listed more than once"), "{said}");
    assert!(said.contains("2t at sfc of member 1 (line "), "{said}");
    let (original, size) = generated();
    let mut first = read(&original, size).unwrap().references;
    let mut found = file.references;
    first.sort_by_key(|it| it.offset);
    found.sort_by_key(|it| it.offset);
    assert_eq!(found, first);
}

#[test]
fn messages_that_claim_the_same_bytes_are_left_out() {
    let (whole, size) = generated();
    let place = |text: &str, wanted: &dyn Fn(&str) -> bool| {
        let line = text.lines().find(|line| wanted(line)).unwrap();
        line[line.find("\"_offset\"").unwrap()..].to_owned()
    };
    // Pressure of member 2 lies where temperature of member 1 lies, says its line.
    let is_pressure =
        |line: &str| line.contains("\"number\": \"2\"") && line.contains("\"param\": \"sp\"");
    let (temperature, pressure) = (place(&whole, &is_temperature), place(&whole, &is_pressure));
    let text = whole.replace(&pressure, &temperature);
    let file = read(&text, size).unwrap();
    assert_eq!(file.references.len(), 478);
    assert_eq!(problems(&file), [Problem::Overlap, Problem::MissingMessage]);
    let said = &file.diagnostics[0].text;
    assert!(said.starts_with("2 messages claim bytes that others claim too"), "{said}");
    for name in ["2t at sfc of member 1 (line ", "sp at sfc of member 2 (line "] {
        assert!(said.contains(name), "{said}");
    }

    // Also where only one of both is asked for.
    let mirror = Mirror::new().unwrap();
    put(&mirror, PATH, text.as_bytes(), size);
    let mut request = mirror.request("enfo", TIME).unwrap();
    request.members = Some("1".parse().unwrap());
    request.variables = Some(vec!["t2m".to_owned()]);
    request.steps = Some("6".parse().unwrap());
    let file = mirror.read(&EcmwfParser, &EcmwfParser.run(&request).unwrap()).unwrap();
    assert_eq!((file.references.len(), file.optional), (0, 0));
    assert_eq!(problems(&file), [Problem::Overlap, Problem::MissingMessage]);

    // One length that reaches over many costs one message.
    let long = temperature.replace("\"_length\": ", "\"_length\": 9");
    let file = read(&whole.replace(&temperature, &long), size).unwrap();
    assert_eq!(file.references.len(), 479);
    assert_eq!(problems(&file), [Problem::Overlap, Problem::MissingMessage]);
}

#[test]
fn a_damaged_line_of_what_need_not_be_there_is_a_loss() {
    let (text, size) = changed(|_, line| {
        let is_depth = line.contains("\"param\": \"sd\"") && line.contains("\"number\": \"1\"");
        vec![if is_depth { line.replace("\"_offset\"", "\"offset\"") } else { line.to_owned() }]
    });
    let file = read(&text, size).unwrap();
    assert_eq!(file.references.len(), 479);
    assert_eq!(problems(&file), [Problem::DamagedLine]);
    assert!(Problem::DamagedLine.is_loss());
}

/// The line, about these bytes.
fn moved(line: &str, offset: u64, length: u64) -> String {
    let start = line.find("\"_offset\"").unwrap();
    format!("{}\"_offset\": {offset}, \"_length\": {length}}}", &line[..start])
}

#[test]
fn a_levtype_that_is_not_known_is_not_damage() {
    let (text, size) = generated();
    let line = text.lines().find(|line| is_temperature(line)).unwrap();
    let line = moved(line, size, 100).replace("\"sfc\"", "\"hl\"");
    let file = read(&format!("{text}{line}\n"), size + 100).unwrap();
    assert_eq!((file.references.len(), problems(&file)), (480, vec![Problem::UnknownMessage]));
}

#[test]
fn what_need_not_be_there_can_be_asked_for_alone() {
    let mirror = Mirror::new().unwrap();
    let run = EcmwfRun::new(TIME.parse().unwrap(), Product::Enfo).members(0..=2).steps(6..=6);
    run.write_indexes(mirror.folder()).unwrap();
    let mut request = mirror.request("enfo", TIME).unwrap();
    request.members = Some("0-2".parse().unwrap());
    request.steps = Some("6".parse().unwrap());
    request.variables = Some(vec!["sd".to_owned()]);
    let (store, report) = mirror.build(&EcmwfParser, &request).unwrap();
    assert_eq!(store.group.array("sd").unwrap().chunks.virtual_count(), 3);
    assert!(report.is_complete(), "{:?}", report.diagnostics);
}

#[test]
fn messages_past_the_end_are_left_out() {
    let (text, size) = changed(|_, line| {
        vec![match is_temperature(line) {
            true => line.replace("\"_offset\": ", "\"_offset\": 999"),
            false => line.to_owned(),
        }]
    });
    let file = read(&text, size).unwrap();
    assert_eq!(file.references.len(), 479);
    assert_eq!(problems(&file), [Problem::PastEnd, Problem::MissingMessage]);
    let said = &file.diagnostics[0].text;
    assert!(said.contains(&format!("after the {size} bytes")), "{said}");
    assert!(said.contains("2t at sfc of member 1 (line "), "{said}");
    // A file that lost its end keeps the messages before.
    let file = read(&text, size / 2).unwrap();
    assert!((200..280).contains(&file.references.len()), "{}", file.references.len());
    for reference in &file.references {
        assert!(reference.offset + u64::from(reference.length.get()) <= size / 2);
    }
}

#[test]
fn what_is_no_members_field_is_not_taken_for_one() {
    let (text, size) = generated();
    let line = text.lines().find(|line| is_temperature(line)).unwrap();
    let others = [
        ("\"pf\"", "\"em\""),
        ("\"number\": \"1\"", "\"number\": \"1\", \"quantile\": \"3:10\""),
        ("\"number\": \"1\", ", ""),
        ("\"number\": \"1\"", "\"number\": \"77\""),
        ("\"2t\"", "\"brandnew\""),
    ];
    let others = (0..)
        .zip(others)
        .map(|(number, (from, to))| moved(line, size + number * 100, 100).replace(from, to) + "\n");
    // Before the rest: the first line of a message would count.
    let text = others.collect::<String>() + &text;
    let file = read(&text, size + 500).unwrap();
    assert_eq!(file.references.len(), 480);
    assert_eq!(problems(&file), [Problem::DamagedLine, Problem::UnknownMessage]);
    assert!(file.diagnostics[1].text.contains("brandnew at sfc"), "{:?}", file.diagnostics);
}

#[test]
fn a_missing_step_costs_its_chunks() {
    let mirror = Mirror::new().unwrap();
    let run = EcmwfRun::new(TIME.parse().unwrap(), Product::Enfo).members(0..=2).steps(0..=9);
    run.write_indexes(mirror.folder()).unwrap();
    std::fs::remove_file(mirror.path(PATH).with_extension("index")).unwrap();
    let mut request = mirror.request("enfo", TIME).unwrap();
    request.members = Some("0-2".parse().unwrap());
    request.steps = Some("0-9".parse().unwrap());
    let (_, report) = mirror.build(&EcmwfParser, &request).unwrap();
    assert_eq!((report.files_expected, report.files_used), (4, 3));
    assert_eq!((report.references, report.references_expected), (3 * 480, 3 * 480 + EXPECTED));
    assert!(!report.is_complete());
    assert_eq!(report.counts(), [(Problem::MissingFile, 1)].into());
}

#[test]
fn no_index_is_trusted_blindly() {
    let whole = fixture("aifs_single_20250301_00z_6h.index");
    let size = 77_642_846;
    let path = "20250301/00z/aifs-single/0p25/oper/20250301000000-6h-oper-fc.grib2";
    let mirror = Mirror::new().unwrap();
    let mut request = mirror.request("aifs-single", "2025-03-01T00").unwrap();
    request.steps = Some("6".parse().unwrap());
    let run = EcmwfParser.run(&request).unwrap();
    let mut inputs: Vec<Vec<u8>> =
        (0..whole.len()).step_by(97).map(|end| whole.as_bytes()[..end].to_vec()).collect();
    for position in (0..3000).step_by(7) {
        for value in [b'0', b'9', b'"', b'{', b'\n', 0xff] {
            let mut bytes = whole.clone().into_bytes();
            bytes[position] = value;
            inputs.push(bytes);
        }
    }
    for input in inputs {
        put(&mirror, path, &input, size);
        if let Ok(file) = mirror.read(&EcmwfParser, &run) {
            for reference in file.references {
                assert!(reference.offset + u64::from(reference.length.get()) <= size);
            }
        }
    }
}
