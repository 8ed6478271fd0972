//! How many index lines does one core parse in a second, levels and windows included?

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gik_core::{Level, Window};
use gik_index::ecmwf;
use gik_index::noaa::{self, Expectations, Member};

/// A file of a GEFS run's most numerous kinds: few lines of many kinds, and many of few.
const FILES: [(&str, &[u8], u64); 2] = [
    ("gefs-s", include_bytes!("../tests/fixtures/gep01.t00z.pgrb2s.0p25.f015.idx"), 38),
    ("gefs-b", include_bytes!("../tests/fixtures/gec00.t00z.pgrb2b.0p50.f003.idx"), 505),
];

fn understood(index: &noaa::Index<'_>) -> usize {
    let is_typed =
        |entry: &&noaa::Entry<'_>| entry.level.value.is_some() && entry.window.value.is_some();
    index.entries.iter().filter(is_typed).count()
}

fn parse(criterion: &mut Criterion) {
    for (unit, per_element) in [("lines", true), ("bytes", false)] {
        let mut group = criterion.benchmark_group(format!("parse/{unit}"));
        for (name, bytes, lines) in FILES {
            group.throughput(if per_element {
                Throughput::Elements(lines)
            } else {
                Throughput::Bytes(bytes.len() as u64)
            });
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let index = noaa::parse(black_box(bytes));
                    assert_eq!(understood(&index) as u64, lines);
                    index
                });
            });
        }
        group.finish();
    }
}

/// What a build does with a file: parse, check, take the ranges.
fn use_whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse-check-ranges");
    for (name, bytes, lines) in FILES {
        let index = noaa::parse(bytes);
        let first = index.entries.first().copied();
        let size = index.entries.last().map(|entry| entry.offset + 1);
        let expectations = Expectations {
            reference_time: first.map(|entry| entry.reference_time),
            member: first.and_then(|entry| entry.member()).or(Some(Member::Positive(1).into())),
            lead_seconds: first.and_then(|entry| Some(entry.window.value?.end_seconds())),
            first_lead_seconds: None,
            object_size: size,
        };
        group.throughput(Throughput::Elements(lines));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let index = noaa::parse(black_box(bytes));
                assert!(index.check(&expectations).is_empty());
                let ranges = index.ranges(size);
                assert!(ranges.iter().all(|range| range.length.is_some()));
                ranges
            });
        });
    }
    group.finish();
}

/// The typed fields alone, each line anew.
fn fields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fields");
    for (name, bytes, lines) in FILES {
        let index = noaa::parse(bytes);
        let texts: Vec<(&str, &str)> =
            index.entries.iter().map(|entry| (entry.level.text, entry.window.text)).collect();
        group.throughput(Throughput::Elements(lines));
        group.bench_function(format!("level/{name}"), |bencher| {
            bencher.iter(|| {
                let found =
                    texts.iter().filter_map(|(level, _)| Level::from_wgrib2(black_box(level)));
                assert_eq!(found.map(black_box).count() as u64, lines);
            });
        });
        group.bench_function(format!("window/{name}"), |bencher| {
            bencher.iter(|| {
                let found =
                    texts.iter().filter_map(|(_, window)| Window::from_wgrib2(black_box(window)));
                assert_eq!(found.map(black_box).count() as u64, lines);
            });
        });
    }
    group.finish();
}

/// How many bytes of an ECMWF ensemble's index, of which a run has 85? The lines are those of
/// a real file of AIFS, as often as an ensemble has members.
fn parse_ecmwf(criterion: &mut Criterion) {
    const REAL: &str = include_str!("../tests/fixtures/aifs_single_20250301_00z_6h.index");
    let text: String = (1..=80)
        .map(|number| {
            REAL.replace("\"type\": \"fc\"", &format!("\"type\": \"pf\", \"number\": \"{number}\""))
        })
        .collect();
    let lines = text.lines().count();
    for (unit, throughput) in [
        ("bytes", Throughput::Bytes(text.len() as u64)),
        ("lines", Throughput::Elements(lines as u64)),
    ] {
        let mut group = criterion.benchmark_group(format!("parse/{unit}"));
        group.throughput(throughput);
        group.bench_function("ecmwf-enfo", |bencher| {
            bencher.iter(|| {
                let index = ecmwf::parse(black_box(text.as_bytes()));
                assert_eq!((index.entries.len(), index.diagnostics.len()), (lines, 0));
                index
            });
        });
        group.finish();
    }
}

criterion_group!(benches, parse, use_whole, fields, parse_ecmwf);
criterion_main!(benches);
