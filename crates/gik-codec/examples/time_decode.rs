//! How long messages take to decode: prints medians in seconds as JSON, for `cargo xtask
//! bench` to put beside the peers'.
//!
//! ```text
//! time_decode ROUNDS FILE...
//! ```
#![expect(clippy::print_stdout, reason = "prints what was asked for")]

use std::hint::black_box;
use std::time::Instant;

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, Error, GribCodec, Result, ValueBuffer};
use serde_json::{Map, json};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(0_usize);
    let files: Vec<String> = arguments.collect();
    if rounds == 0 || files.is_empty() {
        return Err(Error::argument("arguments", "usage: time_decode ROUNDS FILE..."));
    }
    let mut report = Map::new();
    for file in files {
        let message = std::fs::read(&file)
            .map_err(|error| Error::argument(file.clone(), error.to_string()))?;
        let field = Message::read(&message)?.only_field()?;
        let points = GridDefinition::read(&field.grid)?.points as usize;
        let options = DecodeOptions::default();
        let mut singles = vec![0.0_f32; points];
        let single = median(rounds, || {
            let out = ValueBuffer::F32(black_box(&mut singles));
            GRIBBERISH.decode_into(&message, &options, out)
        })?;
        let mut doubles = vec![0.0_f64; points];
        let double = median(rounds, || {
            let out = ValueBuffer::F64(black_box(&mut doubles));
            GRIBBERISH.decode_into(&message, &options, out)
        })?;
        report.insert(file, json!({"gik f32": single, "gik f64": double, "points": points}));
    }
    println!("{}", serde_json::Value::Object(report));
    Ok(())
}

/// The median time of `work`, in seconds.
fn median(rounds: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        work()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds.get(rounds / 2).copied().unwrap_or(f64::NAN))
}
