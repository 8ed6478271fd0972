//! Tests of windows.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3600;

fn window(text: &str) -> Window {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn spellings() {
    use Statistic as S;
    #[rustfmt::skip]
    let cases = [
        ("anl", None, 0, 0, "instant", Some("point")),
        ("9 hour fcst", None, 9 * HOUR, 9 * HOUR, "instant", Some("point")),
        ("24 hour fcst", None, 24 * HOUR, 24 * HOUR, "instant", Some("point")),
        ("540 min fcst", None, 9 * HOUR, 9 * HOUR, "instant", Some("point")),
        ("0-3 hour acc fcst", Some(S::Accumulation), 0, 3 * HOUR, "accum", Some("sum")),
        ("6-9 hour ave fcst", Some(S::Average), 6 * HOUR, 9 * HOUR, "avg", Some("mean")),
        ("0-0 day max fcst", Some(S::Maximum), 0, 0, "max", Some("maximum")),
        ("0-1 day acc fcst", Some(S::Accumulation), 0, 24 * HOUR, "accum", Some("sum")),
        ("23-24 hour min fcst", Some(S::Minimum), 23 * HOUR, 24 * HOUR, "min", Some("minimum")),
        ("490-495 min ave fcst", Some(S::Average), 29400, 29700, "avg", Some("mean")),
        ("0-6 hour last-first fcst", Some(S::Difference), 0, 6 * HOUR, "diff", None),
        ("0-6 hour RMS fcst", Some(S::RootMeanSquare), 0, 6 * HOUR, "rms", Some("root_mean_square")),
        ("0-6 hour StdDev fcst", Some(S::StandardDeviation), 0, 6 * HOUR, "sd", Some("standard_deviation")),
        ("0-6 hour standardized anomaly fcst", Some(S::StandardizedAnomaly), 0, 6 * HOUR, "stdanom", None),
        ("7-11 sec max fcst", Some(S::Maximum), 7, 11, "max", Some("maximum")),
    ];
    for (text, statistic, start, end, step_type, method) in cases {
        let window = window(text);
        assert_eq!(window.statistic(), statistic, "{text}");
        assert_eq!((window.start_seconds(), window.end_seconds()), (start, end), "{text}");
        assert_eq!(window.length_seconds(), end - start, "{text}");
        assert_eq!((window.step_type(), window.cell_method()), (step_type, method), "{text}");
        assert_eq!(window.to_string(), text);
    }
}

/// The unit is chosen as wgrib2 does, whatever unit the interval was given in.
#[test]
fn units_of_intervals() {
    for (given, written) in [
        ("0-24 hour acc fcst", "0-1 day acc fcst"),
        ("1440-2880 min acc fcst", "1-2 day acc fcst"),
        ("6-30 hour acc fcst", "6-30 hour acc fcst"),
        ("480-540 min acc fcst", "8-9 hour acc fcst"),
        ("0-0 hour max fcst", "0-0 day max fcst"),
        ("3600-5400 sec acc fcst", "60-90 min acc fcst"),
    ] {
        assert_eq!(window(given).to_string(), written);
        assert_eq!(window(given), window(written));
    }
    for (lead, written) in [(0, "anl"), (24 * HOUR, "24 hour fcst"), (900, "15 min fcst")] {
        assert_eq!(Window::instant(lead).unwrap().to_string(), written);
    }
    assert_eq!(Window::instant(59).unwrap().to_string(), "59 sec fcst");
}

#[test]
fn equal_by_meaning() {
    let hash = |window: Window| {
        let mut state = DefaultHasher::new();
        window.hash(&mut state);
        state.finish()
    };
    for (one, other) in [("540 min fcst", "9 hour fcst"), ("0 hour fcst", "anl")] {
        assert_eq!(window(one), window(other));
        assert_eq!(hash(window(one)), hash(window(other)));
    }
    assert_eq!(Window::instant(9 * HOUR).unwrap(), window("540 min fcst"));
    assert_eq!(Window::ANALYSIS, Window::instant(0).unwrap());
    assert_ne!(window("0-0 day max fcst"), window("anl"));
    assert_ne!(window("0-3 hour acc fcst"), window("0-3 hour ave fcst"));
}

#[test]
fn corrupt_or_not_of_one_run() {
    for (text, reason) in [
        ("10815--2147472656 min acc fcst", "ends after it starts"),
        ("9-6 hour acc fcst", "ends after it starts"),
        ("-6-0 hour ave fcst", "not before the reference time"),
        ("-3 hour fcst", "not before the reference time"),
        ("9223372036854775807 hour fcst", "within 64 bits"),
        ("99999999999999999999 hour fcst", "within 64 bits"),
        ("0-1 month ave fcst", "fixed length"),
        ("3 year fcst", "fixed length"),
        ("", "as wgrib2 spells it"),
        (" fcst", "as wgrib2 spells it"),
        ("anl ", "as wgrib2 spells it"),
        ("9 hour", "as wgrib2 spells it"),
        ("9 hours fcst", "as wgrib2 spells it"),
        ("9hour fcst", "as wgrib2 spells it"),
        ("9 hour acc fcst", "as wgrib2 spells it"),
        ("0-3 hour fcst", "as wgrib2 spells it"),
        ("0-3 hour sum fcst", "as wgrib2 spells it"),
        ("0- hour acc fcst", "as wgrib2 spells it"),
        ("240@3 hour ave(anl),missing=0", "as wgrib2 spells it"),
        ("1-744 hour ave@(fcst,dt=6 hour),missing=0", "as wgrib2 spells it"),
        ("6 hour-(6 hour+1 day) ave fcst", "as wgrib2 spells it"),
    ] {
        assert_eq!(Window::from_wgrib2(text), None, "{text}");
        let error = text.parse::<Window>().unwrap_err().to_string();
        assert!(error.contains(reason) && error.ends_with(text), "{error}");
    }
    let error = Window::instant(-1).unwrap_err().to_string();
    assert!(error.contains("not before the reference time"), "{error}");
    let error = Window::interval(Statistic::Average, 10, 9).unwrap_err().to_string();
    assert!(error.contains("ends after it starts"), "{error}");
}

fn windows() -> impl Strategy<Value = Window> {
    let scale = prop_oneof![Just(1_i64), Just(60), Just(3600), Just(86400)];
    let statistic = proptest::sample::select(Statistic::all().collect::<Vec<_>>());
    (proptest::option::of(statistic), scale, 0..100_000_i64, 0..100_000_i64).prop_map(
        |(statistic, scale, start, length)| match statistic {
            None => Window::instant(start * scale).unwrap(),
            Some(s) => Window::interval(s, start * scale, (start + length) * scale).unwrap(),
        },
    )
}

proptest! {
    #[test]
    fn round_trip(window in windows()) {
        let text = window.to_string();
        let again: Window = text.parse().unwrap();
        prop_assert_eq!(again, window);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn any_text(text in ".{0,40}") {
        let _ = text.parse::<Window>();
    }

    #[test]
    fn any_numbers(
        start in "-?[0-9]{1,22}",
        end in proptest::option::of("-?[0-9]{1,22}"),
        unit in "(sec|min|hour|day|month)",
        statistic in "(acc |ave )?",
    ) {
        let end = end.map_or(String::new(), |end| format!("-{end}"));
        if let Some(window) = Window::from_wgrib2(&format!("{start}{end} {unit} {statistic}fcst")) {
            prop_assert!(window.start_seconds() >= 0 && window.length_seconds() >= 0);
            prop_assert_eq!(window.to_string().parse::<Window>().unwrap(), window);
        }
    }
}
