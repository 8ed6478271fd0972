//! How long messages take to decode, whole and in part, beside gribberish and grib-rs.
//!
//! `HRRR` and `AIFS` are real messages; the others are encoded here, at full size. The
//! region is East Africa: 21…53° E, 12° S…23° N.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a bench stops at the first failure, and fields are of single precision"
)]

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gik_codec::{GRIBBERISH, GridDefinition, GridShape, Message};
use gik_core::{DecodeOptions, GribCodec, GridRegion, ValueBuffer};
use gik_testkit::grib::{Packing, Precision, Product, RegularGrid, Surface};

/// A message of the repository.
fn file(path: &str) -> Vec<u8> {
    fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A field with large waves, smaller ones and noise.
fn encoded(columns: u32, rows: u32, packing: Packing) -> Vec<u8> {
    let mut noise = 1_u32;
    let mut field = Vec::new();
    for row in 0..rows {
        let latitude = f64::from(row) / f64::from(rows) * 180.0;
        for column in 0..columns {
            let longitude = f64::from(column) / f64::from(columns) * 360.0;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let waves = 12.0 * (longitude / 40.0).sin() * (latitude / 25.0).cos()
                + 3.0 * (longitude / 7.0 + latitude / 5.0).sin();
            field.push((280.0 + waves + f64::from(noise >> 16) / 2e5) as f32);
        }
    }
    let message = gik_testkit::grib::Message {
        discipline: 0,
        reference: "2025-01-06T00".parse().unwrap(),
        grid: RegularGrid::new(columns, rows, 90_000_000, 0, 250_000),
        product: Product::instant(0, 0, Surface::height(2), 6),
        packing,
    };
    message.encode(&field).unwrap().bytes
}

fn simple() -> Packing {
    Packing::simple(0).with(Precision::Bits(10))
}

fn shape_of(message: &[u8]) -> GridShape {
    let field = Message::read(message).unwrap().only_field().unwrap();
    GridDefinition::read(&field.grid).unwrap().shape.unwrap()
}

fn whole(criterion: &mut Criterion) {
    for (name, message) in [
        ("5.3 HRRR TMP", file("benches/data/hrrr_tmp.grib2")),
        ("5.0 10 bits 1799x1059", encoded(1799, 1059, simple())),
        ("5.42 AIFS-ENS T500", file("../../tests/interop/fixtures/aifs-ens-cf-t500.grib2")),
    ] {
        let shape = shape_of(&message);
        let points = shape.columns as usize * shape.rows as usize;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(points as u64)).sample_size(30);
        let options = DecodeOptions::default();
        let mut singles = vec![0.0_f32; points];
        group.bench_function("gik f32", |bencher| {
            bencher.iter(|| {
                let out = ValueBuffer::F32(black_box(&mut singles));
                GRIBBERISH.decode_into(&message, &options, out).unwrap();
            });
        });
        let mut doubles = vec![0.0_f64; points];
        group.bench_function("gik f64", |bencher| {
            bencher.iter(|| {
                let out = ValueBuffer::F64(black_box(&mut doubles));
                GRIBBERISH.decode_into(&message, &options, out).unwrap();
            });
        });
        group.bench_function("gribberish", |bencher| {
            bencher.iter(|| {
                let message = gribberish::message::read_message(&message, 0).unwrap();
                black_box(message.data().unwrap())
            });
        });
        group.bench_function("grib-rs", |bencher| {
            bencher.iter(|| {
                let file = grib::from_bytes(&message).unwrap();
                let (_, submessage) = file.iter().next().unwrap();
                let decoder = grib::Grib2SubmessageDecoder::from(submessage).unwrap();
                let values: Vec<f32> = decoder.dispatch().unwrap().collect();
                assert_eq!(values.len(), points);
                values
            });
        });
        group.finish();
    }
}

fn region(criterion: &mut Criterion) {
    for (name, message) in [
        ("region 5.3 global 0.25", encoded(1440, 721, Packing::complex(1))),
        ("region 5.0 global 0.25", encoded(1440, 721, simple())),
        ("region 5.42 AIFS-ENS T500", file("../../tests/interop/fixtures/aifs-ens-cf-t500.grib2")),
    ] {
        let GridShape { columns, rows, .. } = shape_of(&message);
        let options = DecodeOptions { adjust_longitude_range: true, ..DecodeOptions::default() };
        // From 23° N to 12° S and, counted from 180° W, from 21° E to 53° E.
        let region = GridRegion {
            shape: [rows as usize, columns as usize],
            rows: 268..409,
            columns: 804..933,
        };
        let mut group = criterion.benchmark_group(name);
        group.sample_size(30);
        let mut out = vec![0.0_f32; rows as usize * columns as usize];
        group.bench_function("whole", |bencher| {
            bencher.iter(|| {
                let out = ValueBuffer::F32(black_box(&mut out));
                GRIBBERISH.decode_into(&message, &options, out).unwrap();
            });
        });
        let mut out = vec![0.0_f32; region.rows.len() * region.columns.len()];
        group.bench_function("East Africa", |bencher| {
            bencher.iter(|| {
                let out = ValueBuffer::F32(black_box(&mut out));
                GRIBBERISH.decode_region_into(&message, &options, &region, out).unwrap();
            });
        });
        group.finish();
    }
}

criterion_group!(benches, whole, region);
criterion_main!(benches);
