//! Decoding of whole messages, beside gribberish and grib-rs.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first failure")]

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, GribCodec, ValueBuffer};

fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/data");
    let mut messages = vec![
        ("5.3, HRRR TMP", fs::read(data.join("hrrr_tmp.grib2")).unwrap()),
        ("5.42, AIFS-ENS T500", fs::read(data.join("aifs_t500.grib2")).unwrap()),
    ];
    if let Ok(b) = fs::read("/tmp/w/ugrd.grib2") {
        messages.push(("5.0, HRRR UGRD", b));
    }
    messages
}

fn decode(criterion: &mut Criterion) {
    for (name, message) in messages() {
        let field = Message::read(&message).unwrap().only_field().unwrap();
        let points = GridDefinition::read(&field.grid).unwrap().points;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(u64::from(points)));
        group.sample_size(20);
        let points = points as usize;
        let options = DecodeOptions::default();
        let mut out = vec![0.0_f32; points];
        group.bench_function("gik f32", |bencher| {
            bencher.iter(|| {
                GRIBBERISH
                    .decode_into(&message, &options, ValueBuffer::F32(black_box(&mut out)))
                    .unwrap();
            });
        });
        let mut out = vec![0.0_f64; points];
        group.bench_function("gik f64", |bencher| {
            bencher.iter(|| {
                GRIBBERISH
                    .decode_into(&message, &options, ValueBuffer::F64(black_box(&mut out)))
                    .unwrap();
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

criterion_group!(benches, decode);
criterion_main!(benches);
