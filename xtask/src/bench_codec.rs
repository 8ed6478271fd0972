//! `cargo xtask bench codec`: decoding real messages, beside ecCodes and gribberish in their
//! Python packages.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::python;
use crate::shell::{self, cargo, say};

/// Each side decodes so often, in turn with the others, and again.
const ROUNDS: &str = "15";
const TURNS: usize = 5;

pub(crate) fn run() -> Result<()> {
    let example = ["--quiet", "-p", "gik-codec", "--example", "time_decode"];
    shell::run(cargo(&["build", "--release", "--locked"]).args(example))?;
    let benches = shell::root().join("benches");
    let Some(python) = python::environment("bench-venv", &benches.join("requirements.txt"))? else {
        say("\ndecoding: SKIPPED, there is no Python >= 3.12");
        return Ok(());
    };
    let script = benches.join("decode_peers.py");
    let complex = shell::root().join("crates/gik-codec/benches/data/hrrr_tmp.grib2");
    let ccsds = shell::root().join("tests/interop/fixtures/aifs-ens-cf-t500.grib2");
    let simple = shell::target().join("bench/hrrr_tmp_simple.grib2");
    std::fs::create_dir_all(shell::target().join("bench"))?;
    shell::run(Command::new(&python).arg(&script).arg("repack").arg(&complex).arg(&simple))?;

    let files =
        [("5.3 HRRR TMP", complex), ("5.0 HRRR TMP, 10 bits", simple), ("5.42 AIFS T500", ccsds)];
    let paths: Vec<&PathBuf> = files.iter().map(|(_, path)| path).collect();
    let ours = shell::target().join("release/examples/time_decode");
    // For each file and decoder, the medians of the turns.
    let mut seconds = BTreeMap::<(String, String), Vec<f64>>::new();
    for _ in 0..TURNS {
        let mut gik = Command::new(&ours);
        let mut peers = Command::new(&python);
        peers.arg(&script).arg("time");
        for command in [&mut gik, &mut peers] {
            let text = shell::read(command.arg(ROUNDS).args(&paths))?;
            let report: Value = serde_json::from_str(&text).context("a report is no JSON")?;
            for (file, times) in report.as_object().context("a report is no object")? {
                for (decoder, time) in times.as_object().into_iter().flatten() {
                    let key = (file.clone(), decoder.clone());
                    seconds.entry(key).or_default().extend(time.as_f64());
                }
            }
        }
    }
    let median = |path: &PathBuf, decoder: &str| {
        let key = (path.to_string_lossy().into_owned(), decoder.to_owned());
        let mut times = seconds.get(&key).cloned().unwrap_or_default();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN) * 1e3
    };
    say(&format!("\ndecoding one message on one core, ms (medians of {TURNS} turns of {ROUNDS})"));
    say("                          gik f32  gik f64  ecCodes f64  ecCodes f32  gribberish");
    for (name, path) in &files {
        let (single, double) = (median(path, "gik f32"), median(path, "gik f64"));
        let ratio = |peer: &str, ours: f64| {
            let peer = median(path, peer);
            format!("{peer:.1} ({:.1}x)", peer / ours)
        };
        say(&format!(
            "{name:24} {single:>8.2} {double:>8.2} {:>12} {:>12} {:>12}",
            ratio("ecCodes f64", double),
            ratio("ecCodes f32", single),
            ratio("gribberish", single),
        ));
    }
    Ok(())
}
