//! The exceedance job as one would write it with zarrs alone, for `cargo xtask bench`: the days
//! of a GEFS run over East Africa, read a step at a time for all members.
//!
//! ```text
//! cargo run --release -p gik --example exceedance_zarrs -- STORE PLACE
//! ```
//!
//! `PLACE` is what the store's references may be read from. Prints a line of JSON.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use gik::icechunk::{Repository, S3Settings};

const THRESHOLDS: [f32; 6] = [5.0, 25.0, 50.0, 75.0, 100.0, 125.0];
/// 23° N…12° S, 21…53° E at 0.25° from 180° W.
const ROWS: std::ops::Range<u64> = 268..409;
const COLUMNS: std::ops::Range<u64> = 804..933;

#[tokio::main]
async fn main() -> ExitCode {
    use std::io::Write;
    match run().await {
        Ok(report) => {
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<String, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(store), Some(place)) = (args.next(), args.next()) else {
        return Err("usage: exceedance_zarrs STORE PLACE".into());
    };
    // Links the codec.
    let _ = gik::registry()?;
    let started = Instant::now();
    let repository = Repository::open(
        &store.parse()?,
        &S3Settings::default(),
        &[gik::source_url(&place)?.into()],
    )
    .await?;
    let opened = repository.main().await?;
    let array = zarrs::array::Array::async_open(Arc::clone(opened.zarr()), "/tp").await?;
    let members = array.shape().get(1).copied().unwrap_or_default();
    let points = usize::try_from((ROWS.end - ROWS.start) * (COLUMNS.end - COLUMNS.start))?;
    let mut reached = 0_u64;
    for day in 0..10 {
        let mut sums = vec![0.0_f64; points * usize::try_from(members)?];
        for hour in [6, 12, 18, 24] {
            let step = (24 * day + hour) / 3;
            let wanted = [0..1, 0..members, step..step + 1, ROWS, COLUMNS];
            let subset = zarrs::array::ArraySubset::new_with_ranges(&wanted);
            let values = array.async_retrieve_array_subset::<Vec<f32>>(&subset).await?;
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(value));
        }
        for threshold in THRESHOLDS {
            let count = sums.iter().filter(|&&sum| sum >= f64::from(threshold)).count();
            reached += count as u64;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let report = serde_json::json!({
        "seconds": seconds,
        "memory": gik::peak_memory(),
        "reached": reached,
    });
    Ok(report.to_string())
}
