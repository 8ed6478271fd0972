//! Damaged indexes: each costs what it says, and says it.

use gik_core::{ErrorKind, Problem};
use gik_hrrr::HrrrParser;

use crate::Fixture;

fn fixture() -> Fixture {
    Fixture::read("hrrr.20250801.t00z.wrfsfcf08.grib2.idx")
}

#[test]
fn an_index_of_another_file_is_refused() {
    for change in [
        |text: &str| text.replace("d=2025", "d=2024"),
        |text: &str| text.replace("8 hour fcst", "9 hour fcst").replace("-8 hour", "-9 hour"),
        |text: &str| text.replace(":65", ":99965"),
    ] {
        let fixture = fixture();
        let mirror = fixture.mirror(change);
        let error = mirror.read(&HrrrParser, &fixture.run(&mirror)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Mismatch { .. } | ErrorKind::Truncated { .. }),
            "{error}"
        );
        assert!(error.url().unwrap().ends_with(".idx"));
    }
}

#[test]
fn what_is_lost_is_named() {
    let fixture = fixture();
    let without = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("7-8 hour acc") || !line.contains("APCP"))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let mirror = fixture.mirror(without);
    let run = fixture.run(&mirror);
    let file = mirror.read(&HrrrParser, &run).unwrap();
    assert_eq!(file.references.len(), 172);
    assert_eq!(file.diagnostics.len(), 1);
    assert_eq!(file.diagnostics[0].problem, Problem::MissingMessage);
    assert!(file.diagnostics[0].text.contains("1 of 173 messages are missing: APCP:surface"));
}

#[test]
fn other_statistics_and_probabilities_are_not_taken() {
    let fixture = fixture();
    let odd = |text: &str| {
        text.replace("APCP:surface:7-8 hour acc", "APCP:surface:5-8 hour acc").replace(
            "REFC:entire atmosphere:8 hour fcst:",
            "REFC:entire atmosphere:8 hour fcst:prob >40:",
        )
    };
    let mirror = fixture.mirror(odd);
    let file = mirror.read(&HrrrParser, &fixture.run(&mirror)).unwrap();
    assert_eq!(file.references.len(), 171);
    let problems: Vec<Problem> = file.diagnostics.iter().map(|it| it.problem).collect();
    assert_eq!(problems, [Problem::UnknownMessage, Problem::MissingMessage]);
    assert!(file.diagnostics[0].text.contains("5-8 hour acc fcst"), "{:?}", file.diagnostics);
}
