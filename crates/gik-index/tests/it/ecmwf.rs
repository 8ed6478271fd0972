//! ECMWF's indexes: real ones, each form of a value, and damage.

use gik_core::Problem;
use gik_index::ecmwf::{DIAGNOSTICS_KEPT, Entry, FieldType, LevelType, LineProblem, Steps, parse};
use proptest::prelude::*;

const AIFS: &[u8] = include_bytes!("../fixtures/aifs_single_20250301_00z_6h.index");
const MARS: [&[u8]; 3] = [
    include_bytes!("../fixtures/mars_cf_pl.idx"),
    include_bytes!("../fixtures/mars_cf_sfc.idx"),
    include_bytes!("../fixtures/mars_pf_sfc.idx"),
];

/// The one entry of a line.
fn entry(line: &str) -> Entry<'_> {
    let index = parse(line.as_bytes());
    assert!(index.diagnostics.is_empty(), "{line}: {:?}", index.diagnostics);
    index.entries.into_iter().next().unwrap()
}

/// What is wrong with a line that gives no entry.
fn problem(line: &str) -> LineProblem {
    let text = format!("{line}\n");
    let index = parse(text.as_bytes());
    assert!(index.entries.is_empty(), "{line}");
    index.diagnostics[0].problem.clone()
}

#[test]
fn a_real_index_covers_its_file() {
    let index = parse(AIFS);
    assert!(index.diagnostics.is_empty());
    assert_eq!(index.entries.len(), 102);
    let mut ranges: Vec<_> = index.entries.iter().map(|it| (it.offset, it.length)).collect();
    ranges.sort_unstable();
    let mut end = 0;
    for (offset, length) in ranges {
        assert_eq!(offset, end);
        end += length;
    }
    assert_eq!((end, index.end()), (77_642_846, 77_642_846));
    for entry in &index.entries {
        assert_eq!(entry.reference_time, Some("2025-03-01T00".parse().unwrap()));
        assert_eq!(entry.steps, Some(Steps { start: None, end: 6 }));
        assert_eq!(entry.field_type, Some(FieldType::Forecast));
        assert_eq!((entry.stream.as_deref(), entry.class.as_deref()), (Some("oper"), Some("ai")));
        assert_eq!(entry.level.is_some(), entry.level_type != Some(LevelType::Surface));
        assert!(matches!(entry.param, std::borrow::Cow::Borrowed(_)));
    }
    let soil = &index.entries[0];
    assert_eq!(
        (&*soil.param, soil.level_type, soil.level),
        ("vsw", Some(LevelType::Soil), Some(1))
    );
}

#[test]
fn integers_and_missing_keys_are_as_good() {
    for text in MARS {
        let index = parse(text);
        assert!(index.diagnostics.is_empty(), "{:?}", index.diagnostics);
        assert_eq!(index.entries.len(), text.trim_ascii().split(|&byte| byte == b'\n').count());
        assert!(index.entries.iter().all(|it| it.reference_time.is_none() && it.steps.is_some()));
    }
}

#[test]
fn values_have_many_forms() {
    let of = |keys: &str| format!("{{{keys}\"param\":\"2t\",\"_length\":7,\"_offset\":0}}");
    for (keys, time) in [
        (r#""date":"20250930","time":"0000","#, "2025-09-30T00"),
        (r#""time":0,"date":20250930,"#, "2025-09-30T00"),
        (r#""time":"0","date":"2025-09-30","#, "2025-09-30T00"),
        (r#""date":"20250930","#, "2025-09-30T00"),
        (r#""time":"1800","date":"20250930","#, "2025-09-30T18"),
        (r#""time":600,"date":"20250930","#, "2025-09-30T06"),
        (r#""time":"060000","date":"20250930","#, "2025-09-30T06"),
        (r#""time":6,"date":"20250930","#, "2025-09-30T06"),
    ] {
        let time = Some(time.parse().unwrap());
        assert_eq!(entry(&of(keys)).reference_time, time, "{keys}");
    }
    for (keys, steps) in [
        (r#""step":"135","#, (None, 135)),
        (r#""step":6,"#, (None, 6)),
        (r#""step":"0-24","#, (Some(0), 24)),
    ] {
        let (start, end) = steps;
        assert_eq!(entry(&of(keys)).steps, Some(Steps { start, end }), "{keys}");
    }
    let line =
        of(r#" "number" : "29" , "levelist":500, "levtype":"pl","type":"pf","model":"aifs-ens","#);
    let it = entry(&line);
    assert_eq!(
        (it.number, it.level, it.level_type),
        (Some(29), Some(500), Some(LevelType::Pressure))
    );
    assert_eq!(
        (it.field_type, it.model.as_deref()),
        (Some(FieldType::Perturbed), Some("aifs-ens"))
    );
    let it = of(r#""levtype":"hl","#);
    assert_eq!(entry(&it).level_type, Some(LevelType::Other), "a level type of another day");
    // Nothing is said by null, a new key, or a list under a key that is not read.
    let line = of(r#""number":null,"new":{"a":[1,2,{"b":null}]},"domain":["g"],"#);
    assert_eq!(entry(&line).number, None);
    assert!(entry(&of(r#""quantile":"3:10","#)).is_special);
    assert_eq!(entry(&of(r#""type":"em","#)).field_type, Some(FieldType::Other));
    let escaped = r#"{"param":"\u0032t","_offset":"5","_length":"7"}"#;
    let it = entry(escaped);
    assert_eq!((&*it.param, it.offset, it.length), ("2t", 5, 7));
    let index = parse(b"\xef\xbb\xbf\r\n\n{\"param\":\"2t\",\"_offset\":0,\"_length\":1}\r\n  \n");
    assert_eq!((index.entries.len(), index.entries[0].line, index.diagnostics.len()), (1, 3, 0));
}

#[test]
fn what_is_wrong_is_said() {
    for (line, expected) in [
        (r#"{"_offset":0,"_length":7}"#, LineProblem::MissingKey("param")),
        (r#"{"param":"2t","_length":7}"#, LineProblem::MissingKey("_offset")),
        (r#"{"param":"2t","_offset":0}"#, LineProblem::MissingKey("_length")),
        (r#"{"param":2,"_offset":0,"_length":7}"#, LineProblem::BadValue("param")),
        (r#"{"param":"2t","_offset":-1,"_length":7}"#, LineProblem::BadValue("_offset")),
        (r#"{"param":"2t","_offset":1.5,"_length":7}"#, LineProblem::BadValue("_offset")),
        (r#"{"param":"2t","_offset":0,"_length":0}"#, LineProblem::BadValue("_length")),
        (
            r#"{"param":"2t","_offset":18446744073709551615,"_length":1}"#,
            LineProblem::BadValue("_length"),
        ),
        (r#"{"param":"2t","_offset":0,"_length":7,"step":"6-3"}"#, LineProblem::BadValue("step")),
        (r#"{"param":"2t","_offset":0,"_length":7,"step":"-6"}"#, LineProblem::BadValue("step")),
        (r#"{"param":"2t","_offset":0,"_length":7,"number":"x"}"#, LineProblem::BadValue("number")),
        (
            r#"{"param":"2t","_offset":0,"_length":7,"levtype":true}"#,
            LineProblem::BadValue("levtype"),
        ),
        (
            r#"{"param":"2t","_offset":0,"_length":7,"date":"20250231"}"#,
            LineProblem::BadValue("date"),
        ),
        (
            r#"{"param":"2t","_offset":0,"_length":7,"date":"20250201","time":"2500"}"#,
            LineProblem::BadValue("time"),
        ),
        (
            r#"{"param":"2t","_offset":0,"_length":7,"param":"2d"}"#,
            LineProblem::RepeatedKey("param"),
        ),
    ] {
        assert_eq!(problem(line), expected, "{line}");
        assert!(!expected.to_string().is_empty());
    }
    for line in ["x", "[]", "7", "\"text\"", "{\"param\":\"2t\"", "{} {}", "{\"a\":}"] {
        let found = problem(line);
        assert!(matches!(found, LineProblem::NotJson(_) | LineProblem::MissingKey(_)), "{line}");
        assert_eq!(found.kind(), Problem::DamagedLine);
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(problem(&deep), LineProblem::NotJson(_)));
    let deep = format!("{{\"new\":{deep}");
    assert!(matches!(problem(&deep), LineProblem::NotJson(_)));
}

#[test]
fn a_cut_line_is_told_from_a_bad_one() {
    let cut = &AIFS[..AIFS.len() - 40];
    let index = parse(cut);
    assert!(index.is_truncated());
    assert_eq!(index.entries.len(), 101);
    let diagnostic = &index.diagnostics[0];
    assert_eq!((diagnostic.line, diagnostic.problem.kind()), (102, Problem::Truncated));
    assert!(AIFS[diagnostic.byte..].starts_with(b"{\"domain\""));
    // A whole last line needs no newline.
    let index = parse(AIFS.trim_ascii());
    assert_eq!((index.is_truncated(), index.entries.len()), (false, 102));
}

#[test]
fn not_every_bad_line_is_kept() {
    let text = "nonsense\n".repeat(1000);
    let index = parse(text.as_bytes());
    assert_eq!(index.diagnostics.len(), DIAGNOSTICS_KEPT);
    assert_eq!(index.diagnostics_left_off, 1000 - DIAGNOSTICS_KEPT);
}

/// Whatever the bytes are: no panic, and nothing that contradicts itself.
fn survive(bytes: &[u8]) {
    let index = parse(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').count();
    assert!(index.entries.len() + index.diagnostics.len() + index.diagnostics_left_off <= lines);
    for diagnostic in &index.diagnostics {
        assert!(diagnostic.line as usize <= lines && diagnostic.byte < bytes.len());
        assert!(diagnostic.to_string().len() < 500);
    }
    for entry in &index.entries {
        assert!(entry.length > 0 && entry.offset.checked_add(entry.length).is_some());
    }
}

#[test]
fn damage_at_any_place_is_survived() {
    let line = AIFS.split(|&byte| byte == b'\n').nth(1).unwrap();
    for end in 0..line.len() {
        survive(&line[..end]);
    }
    for position in 0..line.len() {
        for value in [b'"', b'{', b'}', b'\\', b'9', b',', 0, 0xff, b'\n'] {
            let mut bytes = line.to_vec();
            bytes[position] = value;
            survive(&bytes);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn any_json_is_survived(value in r#"(\{|\}|\[|\]|"|:|,|_offset|_length|param|step|[0-9]{1,25}|\\u[0-9a-f]{4}|null|-|\n){0,60}"#) {
        survive(value.as_bytes());
    }
}
