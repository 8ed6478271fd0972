//! Files as they should not be: what is wrong is named, and costs only itself.

use gik_core::{Error, ErrorKind, FileReferences, Parser, Problem};
use gik_gefs::GefsParser;

use gik_testkit::mirror::{Mirror, runtime};

use crate::{Fixture, put};

const NAME: &str = "gep01.20250801.t00z.pgrb2s.0p25.f015.idx";

/// Reads the fixture's file with this index beside a file of this size.
fn read(index: &[u8], size: u64) -> Result<FileReferences, Error> {
    let fixture = Fixture::read(NAME);
    let mirror = Mirror::new().unwrap();
    put(&mirror, &fixture.path, index, size);
    let run = fixture.run(&mirror);
    let source = &GefsParser.sources(&run).unwrap()[0];
    runtime().unwrap().block_on(GefsParser.references(&run, source, &mirror.reader().unwrap()))
}

fn text() -> String {
    Fixture::read(NAME).text
}

const SIZE: u64 = 17_100_000;

#[test]
fn an_index_about_something_else_is_refused() {
    for (from, to, part) in [
        ("d=2025080100", "d=2025080106", "run of 2025-08-01T06"),
        ("ENS=+1", "ENS=+2", "ENS=+2"),
        (":15 hour fcst", ":18 hour fcst", "18"),
    ] {
        let error = read(text().replace(from, to).as_bytes(), SIZE).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch { .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains(part), "{cause}");
        assert!(error.url().unwrap().ends_with(".idx"));
    }
    let error = read(text().as_bytes(), 9_000_000).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{error}");
}

#[test]
fn a_truncated_index_keeps_what_it_has() {
    let whole = text();
    let cut = whole.find("20:9097731").unwrap() + 25;
    let file = read(&whole.as_bytes()[..cut], SIZE).unwrap();
    // Lines 1 to 19: the cut line 20 tells where message 19 ends.
    assert_eq!(file.references.len(), 19);
    let last = file.references.iter().max_by_key(|it| it.offset).unwrap();
    assert_eq!((last.offset, last.length.get()), (9_080_634, 17_097));
    let problems: Vec<Problem> = file.diagnostics.iter().map(|it| it.problem).collect();
    assert_eq!(problems, [Problem::Truncated, Problem::MissingMessage]);
    assert!(file.diagnostics[1].text.contains("19 of 38 messages are missing: CICEP:surface"));
}

#[test]
fn a_missing_message_is_named() {
    let without: String =
        text().lines().filter(|it| !it.contains("APCP")).map(|it| format!("{it}\n")).collect();
    let file = read(without.as_bytes(), SIZE).unwrap();
    assert_eq!(file.references.len(), 37);
    assert_eq!(file.diagnostics.len(), 1);
    assert_eq!(file.diagnostics[0].text, "1 of 38 messages are missing: APCP:surface");
}

#[test]
fn unknown_and_odd_messages_cost_only_themselves() {
    let odd = text()
        .replace("APCP:surface:12-15 hour acc", "APCP:surface:0-15 hour acc")
        .replace("GUST:surface", "NEWVAR:surface")
        .replace("VIS:surface:15 hour fcst:ENS=+1", "VIS:surface:15 hour fcst:ENS=+1:prob >5")
        .replace("CAPE:surface", "CAPE:somewhere else");
    let file = read(odd.as_bytes(), SIZE).unwrap();
    assert_eq!(file.references.len(), 34);
    let texts: Vec<&str> = file.diagnostics.iter().map(|it| it.text.as_str()).collect();
    let has =
        |part: &str| assert!(texts.iter().any(|text| text.contains(part)), "{part}: {texts:?}");
    has("APCP is over '0-15 hour acc fcst'");
    has("VIS:surface, NEWVAR:surface");
    has("unknown level 'somewhere else'");
    has("4 of 38 messages are missing: VIS:surface, GUST:surface, APCP:surface, CAPE:surface");
}

#[test]
fn no_index_is_trusted_blindly() {
    let whole = text();
    // Every prefix, and every byte changed: references stay inside the file.
    let mut inputs: Vec<Vec<u8>> =
        (0..whole.len()).step_by(7).map(|end| whole.as_bytes()[..end].to_vec()).collect();
    for position in (0..whole.len()).step_by(3) {
        for value in [b'0', b'9', b':', b'\n', 0xff] {
            let mut bytes = whole.clone().into_bytes();
            bytes[position] = value;
            inputs.push(bytes);
        }
    }
    let fixture = Fixture::read(NAME);
    let mirror = Mirror::new().unwrap();
    let run = fixture.run(&mirror);
    let source = &GefsParser.sources(&run).unwrap()[0];
    let runtime = runtime().unwrap();
    for input in inputs {
        put(&mirror, &fixture.path, &input, SIZE);
        if let Ok(file) =
            runtime.block_on(GefsParser.references(&run, source, &mirror.reader().unwrap()))
        {
            for reference in file.references {
                assert!(reference.offset + u64::from(reference.length.get()) <= SIZE);
            }
        }
    }
}
