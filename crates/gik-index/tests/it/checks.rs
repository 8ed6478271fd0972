//! Whether an index is about its file.

use gik_core::Problem;
use gik_index::noaa::{self, Derived, Expectations, IndexProblem, LineProblem, Lines, Member};

use crate::fixtures::{FILES, fixture};

fn texts(problems: &[IndexProblem<'_>]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn real_files_are_right() {
    for file in &FILES {
        let index = noaa::parse(file.bytes);
        let expectations = file.expectations();
        assert_eq!(texts(&index.check(&expectations)), [""; 0], "{}", file.name);
        let size = index.entries.last().unwrap().offset + 1;
        let expectations = Expectations { object_size: Some(size), ..expectations };
        assert_eq!(texts(&index.check(&expectations)), [""; 0], "{}", file.name);
        assert_eq!(index.check(&Expectations::default()), []);
    }
}

#[test]
fn every_file_is_wrong_for_every_other() {
    for file in &FILES {
        for other in &FILES {
            let found = noaa::parse(file.bytes).check(&other.expectations());
            // An ensemble file fits where no member is asked for.
            let (mine, yours) = (file.expectations(), other.expectations());
            let fits = (mine.reference_time, mine.lead_seconds)
                == (yours.reference_time, yours.lead_seconds)
                && (yours.member.is_none() || mine.member == yours.member);
            assert_eq!(found.is_empty(), fits, "{} for {}", file.name, other.name);
            assert!(found.iter().all(IndexProblem::is_about_another_file));
        }
    }
}

#[test]
fn problems_in_words() {
    let file = fixture("gep01.t00z.pgrb2s.0p25.f015.idx");
    let index = noaa::parse(file.bytes);
    let right = file.expectations();

    let wrong = Expectations { reference_time: Some("2025-08-01T06".parse().unwrap()), ..right };
    let problems = index.check(&wrong);
    assert_eq!(
        texts(&problems),
        ["the index is about the run of 2025-08-01T00, not 2025-08-01T06 (38 of 38 lines, the \
          first is line 1)"]
    );
    assert_eq!(problems[0].kind(), Problem::WrongIndex);

    let wrong = Expectations { member: Some(Member::Positive(2).into()), ..right };
    assert_eq!(
        texts(&index.check(&wrong)),
        ["the index is about 'ENS=+1', not ENS=+2 (38 of 38 lines, the first is line 1)"]
    );
    let wrong = Expectations { member: Some(Derived::Mean.into()), ..right };
    assert!(index.check(&wrong)[0].is_about_another_file());

    let wrong = Expectations { lead_seconds: Some(12 * 3600), first_lead_seconds: None, ..right };
    assert_eq!(
        texts(&index.check(&wrong)),
        ["the index is about lead 15 h, not 12 h (38 of 38 lines, the first is line 1)"]
    );

    let last = index.entries.last().unwrap().offset;
    let wrong = Expectations { object_size: Some(last), ..right };
    let problems = index.check(&wrong);
    assert_eq!(
        problems,
        [IndexProblem::PastEnd {
            offset: last,
            size: last,
            lines: Lines { first: 38, count: 1, of: 38 }
        }]
    );
    assert_eq!(problems[0].kind(), Problem::PastEnd);
    assert!(problems[0].to_string().starts_with(
        "the index points to byte 17007489 of a file of 17007489 bytes (1 of 38 lines, the \
         first is line 38)"
    ));
}

#[test]
fn several_leads_in_one_file() {
    let file = fixture("20231104_hrrr.t01z.wrfsubhf09.grib2.idx");
    let index = noaa::parse(file.bytes);
    let one_lead = Expectations { first_lead_seconds: None, ..file.expectations() };
    let [IndexProblem::WrongLead { found, lines, .. }] = index.check(&one_lead)[..] else {
        panic!()
    };
    assert_eq!((found, lines.first, lines.count), (495 * 60, 1, 147));
    let other = Expectations {
        lead_seconds: Some(8 * 3600),
        first_lead_seconds: Some(435 * 60),
        ..one_lead
    };
    assert!(
        texts(&index.check(&other))[0]
            .starts_with("the index is about lead 495 min, not 8 h or down to 435 min")
    );
}

#[test]
fn a_part_of_another_file() {
    let file = fixture("gep01.t00z.pgrb2s.0p25.f015.idx");
    let mixed = file.text().replacen("ENS=+1\n", "ENS=+17\n", 1).replacen("ENS=+1\n", "\n", 2);
    let index = noaa::parse(mixed.as_bytes());
    let problems = index.check(&file.expectations());
    assert_eq!(
        texts(&problems),
        ["the index is about 'ENS=+17', not ENS=+1 (3 of 38 lines, the first is line 1)"]
    );
    let without = file.text().replace("ENS=+1\n", "\n");
    let problems = noaa::parse(without.as_bytes());
    assert_eq!(
        texts(&problems.check(&file.expectations())),
        ["the index names no ensemble member where ENS=+1 should be (38 of 38 lines, the first \
          is line 1)"]
    );
}

#[test]
fn order_and_start() {
    let text = "1:100:d=2025010600:A:surface:anl:\n\
                2:300:d=2025010600:A:surface:anl:\n\
                3:200:d=2025010600:A:surface:anl:\n";
    let index = noaa::parse(text.as_bytes());
    let problems = index.check(&Expectations::default());
    assert_eq!(
        problems,
        [IndexProblem::StartsLate { offset: 100 }, IndexProblem::OutOfOrder { line: 3 }]
    );
    assert!(!problems.iter().any(IndexProblem::is_about_another_file));
    for nothing in ["", "\n\r\n", "<html>not found</html>\n"] {
        let problems = noaa::parse(nothing.as_bytes()).check(&Expectations::default());
        assert_eq!(problems, [IndexProblem::Empty], "{nothing}");
    }
}

/// Wherever a file is cut, no entry says anything that the whole file does not say, and
/// the cut is seen unless it falls between two lines.
#[test]
fn cut_anywhere() {
    for name in ["gep01.t00z.pgrb2s.0p25.f015.idx", "gfswave.t18z.atlocn.0p16.f001.grib2.idx"] {
        let file = fixture(name);
        let whole = noaa::parse(file.bytes);
        let size = whole.entries.last().unwrap().offset + 1000;
        let whole_ranges = whole.ranges(Some(size));
        for cut in 0..=file.bytes.len() {
            let head = &file.bytes[..cut];
            let index = noaa::parse(head);
            let lines = head.iter().filter(|&&byte| byte == b'\n').count();
            assert!((lines..=lines + 1).contains(&index.entries.len()), "{name} at {cut}");
            for (entry, original) in index.entries.iter().zip(&whole.entries) {
                assert_eq!(entry.offset, original.offset);
                assert_eq!((entry.variable, entry.level), (original.variable, original.level));
                assert_eq!(entry.window, original.window);
            }
            let between_lines = head.is_empty() || head.ends_with(b"\n");
            let line_end = file.bytes.get(cut).is_none_or(|&next| next == b'\n');
            let problems = index.check(&file.expectations());
            let seen =
                problems.iter().any(|problem| matches!(problem, IndexProblem::Truncated { .. }));
            if between_lines || line_end {
                assert!(!seen, "{name} at {cut}: {problems:?}");
            } else if file.member.is_some() || index.entries.len() == lines {
                assert!(seen, "{name} at {cut}");
                assert!(!problems.iter().any(IndexProblem::is_about_another_file));
            }
            if index.is_truncated() {
                let diagnostic = index.diagnostics[0];
                assert_eq!(
                    (diagnostic.line, diagnostic.problem),
                    (lines + 1, LineProblem::Truncated)
                );
                // All lengths are right, but the last may be unknown.
                let ranges = index.ranges(Some(size));
                for (range, original) in ranges.iter().zip(&whole_ranges) {
                    assert!(range.length.is_none() || range == original, "{name} at {cut}");
                }
                let unknown = ranges.iter().filter(|range| range.length.is_none()).count();
                assert!(unknown <= 1);
            }
        }
    }
}
