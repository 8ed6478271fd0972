//! Every line of every real file is understood, and written back as it was.

use gik_core::{Statistic, Window};
use gik_index::noaa::{
    self, Derived, LineProblem, Member, MemberSpec, ParameterCode, ParameterTable, Qualifier,
};

use crate::fixtures::{FILES, TORTURE, fixture};

#[test]
fn every_line_of_every_file() {
    for file in &FILES {
        let index = noaa::parse(file.bytes);
        assert_eq!(index.diagnostics, [], "{}", file.name);
        assert_eq!(index.entries.len(), file.lines, "{}", file.name);
        for (entry, line) in index.entries.iter().zip(file.text().lines()) {
            let fields: Vec<&str> = line.splitn(7, ':').collect();
            assert_eq!(entry.message.to_string(), fields[0]);
            assert_eq!(entry.offset.to_string(), fields[1]);
            let run = entry.reference_time.civil().format("d=%Y%m%d%H").to_string();
            assert_eq!(run, fields[2]);
            assert_eq!(entry.variable.text, fields[3]);
            assert_eq!(entry.level.value.unwrap().to_string(), fields[4], "{line}");
            assert_eq!(entry.window.value.unwrap().to_string(), fields[5], "{line}");
            assert_eq!(entry.qualifiers_text(), fields[6]);
            let unknown = |qualifier| matches!(qualifier, Qualifier::Other(_));
            assert!(!entry.qualifiers().any(unknown), "{line}");
            assert_eq!(entry.member(), file.member, "{line}");
        }
        let numbers: Vec<usize> = index.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(numbers, (1..=file.lines).collect::<Vec<_>>());
    }
}

#[test]
fn lines_of_many_files() {
    let index = noaa::parse(TORTURE);
    assert_eq!(index.entries.len(), 12);
    let corrupt = "10815--2147472656 min acc fcst";
    let [diagnostic] = index.diagnostics[..] else { panic!("{:?}", index.diagnostics) };
    assert_eq!((diagnostic.line, diagnostic.problem), (11, LineProblem::UnusableWindow(corrupt)));
    let before: usize =
        TORTURE.split_inclusive(|&byte| byte == b'\n').take(10).map(<[u8]>::len).sum();
    assert_eq!(diagnostic.byte, before);
    assert!(diagnostic.problem.keeps_entry());
    let entry = &index.entries[10];
    assert_eq!((entry.window.text, entry.window.value), (corrupt, None));
    assert_eq!((entry.message, entry.offset, entry.variable.text), (820, 59_191_477, "APCP"));

    let text = str::from_utf8(TORTURE).unwrap();
    for (entry, line) in index.entries.iter().zip(text.lines()) {
        let fields: Vec<&str> = line.splitn(7, ':').collect();
        assert_eq!(entry.level.value.unwrap().to_string(), fields[4]);
        if let Some(window) = entry.window.value {
            assert_eq!(window.to_string(), fields[5]);
        }
    }

    let [one, two] = [&index.entries[0], &index.entries[1]];
    assert_eq!((one.message, one.submessage, two.submessage), (34, Some(1), Some(2)));
    assert_eq!(one.offset, two.offset);
    assert_eq!(one.member(), Some(MemberSpec::Member(Member::Positive(19))));
    assert_eq!(index.entries[3].member(), Some(MemberSpec::Derived(Derived::Mean)));
    assert_eq!(
        index.entries[2].variable.code,
        Some(ParameterCode {
            discipline: 0,
            category: 16,
            number: 201,
            table: ParameterTable::Local { center: 7, version: 1 },
        })
    );
    let day = Window::interval(Statistic::Accumulation, 0, 86400).unwrap();
    assert_eq!(index.entries[4].window.value, Some(day));
    let probability: Vec<_> = index.entries[9].qualifiers().collect();
    assert_eq!(probability.len(), 3);
    assert_eq!(probability[1], Qualifier::ProbabilityForecast { number: 0, count: 14 });
    assert_eq!(probability[2], Qualifier::Process(197));
}

#[test]
fn aerosols_differ_in_qualifiers_only() {
    let index = noaa::parse(fixture("gefs.chem.20260919.t00z.a2d_0p25.f003.excerpt.idx").bytes);
    let [one, two] = [&index.entries[0], &index.entries[1]];
    assert_eq!((one.variable, one.level, one.window), (two.variable, two.level, two.window));
    assert_ne!(one.qualifiers_text(), two.qualifiers_text());
    let all: Vec<_> = two.qualifiers().collect();
    assert_eq!(all[0], Qualifier::Aerosol("Dust dry"));
    let Qualifier::AerosolWavelength(bounds) = all[2] else { panic!("{all:?}") };
    assert_eq!(bounds.lower.unwrap().value.to_f64(), 5.45e-7);
    assert_eq!(bounds.upper.unwrap().value.to_f64(), 5.65e-7);
}

/// HRRR publishes one variable at one level three times over.
#[test]
fn windows_tell_messages_apart() {
    let index = noaa::parse(fixture("hrrr.t00z.wrfsfcf08.grib2.idx").bytes);
    let snow: Vec<_> = index
        .entries
        .iter()
        .filter(|entry| (entry.variable.text, entry.level.text) == ("WEASD", "surface"))
        .map(|entry| {
            let window = entry.window.value.unwrap();
            (window.step_type(), window.start_seconds() / 3600, window.end_seconds() / 3600)
        })
        .collect();
    assert_eq!(snow, [("instant", 8, 8), ("accum", 0, 8), ("accum", 7, 8)]);
}

#[test]
fn tolerated_forms() {
    let text = "1:0:d=2025010600:A:surface:anl\r\n\
                \r\n\
                   \n\
                2:10:d=202501060000:B:surface:anl:ens mean\n\
                3:20:D=20250106000000:C:surface:anl::process=1:\r\n\
                4:30:d=2025010600:A:surface:anl:\n\
                5:40:d=2025010600:A:surface:anl";
    let index = noaa::parse(text.as_bytes());
    assert_eq!(index.diagnostics, []);
    let seen: Vec<_> = index
        .entries
        .iter()
        .map(|entry| (entry.line, entry.offset, entry.variable.text, entry.qualifiers().count()))
        .collect();
    assert_eq!(
        seen,
        [(1, 0, "A", 0), (4, 10, "B", 1), (5, 20, "C", 1), (6, 30, "A", 0), (7, 40, "A", 0)]
    );
    let run = index.entries[0].reference_time;
    assert!(index.entries.iter().all(|entry| entry.reference_time == run));
    assert!(!index.is_truncated());
}

#[test]
fn unusable_lines_leave_the_others() {
    let mut text = b"1:0:d=2025010600:A:surface:anl:\n".to_vec();
    text.extend(b"2:10:d=2025010600:\xff\xfe:surface:anl:\n");
    text.extend(b"x:20:d=2025010600:A:surface:anl:\n");
    text.extend(b"4:-30:d=2025010600:A:surface:anl:\n");
    text.extend(b"5:40:d=2025013200:A:surface:anl:\n");
    text.extend(b"6:50:d=2025010600::surface:anl:\n");
    text.extend(b"7:60:d=2025010600:A:surface\n");
    text.extend("8:70:d=2025010600:A:sürface:3 months fcst:\n".as_bytes());
    text.extend(b"9:80:d=2025010600:A:surface:anl:\n");
    let index = noaa::parse(&text);
    let kept: Vec<usize> = index.entries.iter().map(|entry| entry.line).collect();
    assert_eq!(kept, [1, 8, 9]);
    let texts: Vec<String> = index.diagnostics.iter().map(ToString::to_string).collect();
    let expected = [
        "line 2 (byte 32 of the index): is no UTF-8 text",
        "line 3 (byte 66 of the index): the message number is 'x'",
        "line 4 (byte 99 of the index): the byte offset is '-30'",
        "line 5 (byte 133 of the index): the reference time is 'd=2025013200'",
        "line 6 (byte 166 of the index): the variable is ''",
        "line 7 (byte 198 of the index): ends before the forecast time",
        "line 8 (byte 226 of the index): unknown level 'sürface'",
        "line 8 (byte 226 of the index): the forecast time '3 months fcst' is not",
    ];
    assert_eq!(texts.len(), expected.len());
    for (text, expected) in texts.iter().zip(expected) {
        assert!(text.starts_with(expected), "{text}");
    }
    // The unusable lines still say where the messages before them end.
    let lengths: Vec<_> =
        index.ranges(Some(100)).iter().map(|range| range.length.unwrap().get()).collect();
    assert_eq!(lengths, [10, 10, 20]);
}
