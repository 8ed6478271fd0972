//! Real indexes: every line becomes a reference, and nothing is missed.

use std::collections::BTreeSet;

use gik_core::Parser;
use gik_hrrr::HrrrParser;
use gik_testkit::conformance;
use gik_testkit::mirror::runtime;

use crate::{Fixture, LAST};

#[test]
fn every_line_becomes_a_reference() {
    let mut counts = Vec::new();
    for fixture in Fixture::all() {
        let mirror = fixture.mirror(str::to_owned);
        let run = fixture.run(&mirror);
        let source = &HrrrParser.sources(&run).unwrap()[0];
        let file = mirror.read(&HrrrParser, &run).unwrap();
        assert!(file.diagnostics.is_empty(), "{}: {:?}", fixture.path, file.diagnostics);
        assert_eq!(file.references.len(), fixture.lines, "{}", fixture.path);
        assert_eq!(source.expected as usize, fixture.lines, "{}", fixture.path);

        // Ranges cover the file, each line once; places are all different.
        let mut ranges: Vec<(u64, u64)> =
            file.references.iter().map(|it| (it.offset, it.length.get().into())).collect();
        ranges.sort_unstable();
        let mut end = 0;
        for (offset, length) in ranges {
            assert_eq!(offset, end, "{}", fixture.path);
            end += length;
        }
        assert_eq!(end, fixture.last_offset + LAST);
        let places: BTreeSet<_> =
            file.references.iter().map(|it| (it.step, it.variable, it.level)).collect();
        assert_eq!(places.len(), fixture.lines);
        counts.push(fixture.lines);
    }
    assert_eq!(counts, [49, 196, 170, 173, 173]);
}

#[test]
fn periods_are_told_apart() {
    let fixture = Fixture::read("hrrr.20250801.t00z.wrfsfcf24.grib2.idx");
    let mirror = fixture.mirror(str::to_owned);
    let run = fixture.run(&mirror);
    let file = mirror.read(&HrrrParser, &run).unwrap();
    let find = |name: &str| {
        let position = run.variables.iter().position(|it| it == name).unwrap();
        file.references.iter().find(|it| it.variable as usize == position).unwrap().offset
    };
    // 84:65693604:…:APCP:surface:0-1 day acc fcst, 90:66979633:…:23-24 hour acc fcst
    assert_eq!((find("tp_run_total"), find("tp")), (65_693_604, 66_979_633));
    let snow = BTreeSet::from([find("sdwe"), find("sdwe_run_total"), find("sdwe_accum")]);
    assert_eq!(snow.len(), 3);
    assert_ne!(find("refd_263k"), find("refd_263k_max"));
}

#[test]
fn at_hour_one_a_message_is_both_the_hours_and_the_runs() {
    let fixture = Fixture::read("hrrr.20250801.t00z.wrfsfcf08.grib2.idx");
    let one = |text: &str| {
        text.replace("0-8 hour", "0-1 hour")
            .replace("7-8 hour", "0-1 hour")
            .replace("8 hour", "1 hour")
    };
    let path = fixture.path.replace("f08", "f01");
    let fixture = Fixture { text: one(&fixture.text), path, ..fixture };
    // Listed twice, each array has its own; listed once, both have that one.
    let repeated = |line: &&str| {
        ["APCP", "WEASD", "FROZR"]
            .iter()
            .any(|it| line.contains(&format!(":{it}:surface:0-1 hour acc")))
    };
    let once = |text: &str| {
        let mut seen = BTreeSet::new();
        let mut keep = |line: &&str| {
            !repeated(line) || seen.insert(line.split(':').nth(3).unwrap().to_owned())
        };
        text.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    for (change, distinct) in
        [(&(|text: &str| text.to_owned()) as &dyn Fn(&str) -> String, 2), (&once, 1)]
    {
        let mirror = fixture.mirror(change);
        let run = fixture.run(&mirror);
        let file = mirror.read(&HrrrParser, &run).unwrap();
        assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
        assert_eq!(file.references.len(), 173);
        for [total, hour] in [["tp_run_total", "tp"], ["frozr_run_total", "frozr"]] {
            let offsets: BTreeSet<u64> = file
                .references
                .iter()
                .filter(|it| [total, hour].contains(&&*run.variables[it.variable as usize]))
                .map(|it| it.offset)
                .collect();
            assert_eq!(offsets.len(), distinct, "{total}");
        }
    }
}

#[test]
fn the_quarters_of_an_hour_are_four_steps() {
    let fixture = Fixture::read("hrrr.20231104.t01z.wrfsubhf09.grib2.idx");
    let mirror = fixture.mirror(str::to_owned);
    let mut request = fixture.request(&mirror);
    request.variables = Some(vec!["refc".into(), "tp".into()]);
    request.steps = Some("495-525".parse().unwrap());
    let run = HrrrParser.run(&request).unwrap();
    let file = mirror.read(&HrrrParser, &run).unwrap();
    assert!(file.diagnostics.is_empty(), "{:?}", file.diagnostics);
    let mut places: Vec<_> =
        file.references.iter().map(|it| (it.variable, it.step, it.offset)).collect();
    places.sort_unstable();
    assert_eq!(places.len(), 6);
    assert_eq!(places[0], (0, 0, 0));
    assert!(places.is_sorted());
}

#[test]
fn the_parser_keeps_its_promises() {
    for fixture in Fixture::all() {
        let mirror = fixture.mirror(str::to_owned);
        let request = fixture.request(&mirror);
        runtime()
            .unwrap()
            .block_on(conformance::check(&HrrrParser, &request, &mirror.stores().unwrap()))
            .unwrap_or_else(|broken| panic!("{}: {broken}", fixture.path));
    }
}
