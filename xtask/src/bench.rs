//! `cargo xtask bench`: full cycles of GEFS and of the ECMWF ensemble from their indexes to a
//! committed store, and GEFS beside kerchunk on the same files.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::python;
use crate::shell::{self, cargo, say};

const RUNS: usize = 7;

pub(crate) fn run() -> Result<()> {
    let work = shell::target().join("bench");
    let folder = work.join("gefs");
    let release = shell::target().join("release");
    shell::run(&mut cargo(&["build", "--release", "--locked", "--quiet", "-p", "gik", "--bins"]))?;
    shell::run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "--quiet",
        "-p",
        "gik-testkit",
        "--examples",
    ]))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let generate = release.join("examples/generate_gefs");
    shell::run(Command::new(generate).arg(&folder).arg("--indexes-only"))?;
    let gefs = Cycle { model: "gefs", product: "pgrb2sp25", run: "2025-01-06T00", folder: &folder };
    let reading = gefs.measure(&release, &work, "GEFS pgrb2sp25, 31 members, 81 steps")?;

    let ensemble = work.join("ecmwf");
    if ensemble.exists() {
        std::fs::remove_dir_all(&ensemble)?;
    }
    let generate = release.join("examples/generate_ecmwf");
    shell::run(Command::new(generate).arg(&ensemble).args(["--run", "2026-02-05T00"]))?;
    let ecmwf = Cycle { model: "ecmwf", product: "enfo", run: "2026-02-05T00", folder: &ensemble };
    ecmwf.measure(&release, &work, "ECMWF enfo, 51 members, 85 steps")?;

    let hrrr = work.join("hrrr");
    if hrrr.exists() {
        std::fs::remove_dir_all(&hrrr)?;
    }
    let generate = release.join("examples/generate_hrrr");
    shell::run(Command::new(generate).arg(&hrrr))?;
    let hrrr = Cycle { model: "hrrr", product: "wrfsfc", run: "2025-08-01T00", folder: &hrrr };
    hrrr.measure(&release, &work, "HRRR wrfsfc, 49 files")?;
    peer(&folder, reading)
}

/// A generated run to build.
struct Cycle<'a> {
    model: &'a str,
    product: &'a str,
    run: &'a str,
    folder: &'a Path,
}

impl Cycle<'_> {
    /// Builds it [`RUNS`] times and prints what that took; the seconds spent on listing and
    /// reading.
    fn measure(&self, release: &Path, work: &Path, title: &str) -> Result<f64> {
        let mut reports = Vec::new();
        for _ in 0..RUNS {
            reports.push(self.build(&release.join("gik"), &work.join("store"))?);
        }
        say(&format!("\n{title}, local files ({RUNS} runs)"));
        Ok(table(&reports))
    }

    /// One build; its report.
    fn build(&self, gik: &Path, store: &Path) -> Result<Value> {
        if store.exists() {
            std::fs::remove_dir_all(store)?;
        }
        let mut command = Command::new(gik);
        command.args(["build", self.model, "--product", self.product, "--run", self.run]);
        command.args(["--json", "--source"]).arg(self.folder);
        let text = shell::read(command.arg("--store").arg(store))?;
        serde_json::from_str(&text).context("the report is no JSON")
    }
}

/// Prints least, median and greatest of each number; the median seconds of listing and
/// reading.
fn table(reports: &[Value]) -> f64 {
    say("                            min     median        max");
    let mut reading = 0.0;
    for (title, pointer, unit) in [
        ("list the folder", "/seconds/list", 1.0),
        ("read and parse indexes", "/seconds/read", 1.0),
        ("  of this, parse", "/seconds/parse", 1.0),
        ("write metadata and refs", "/seconds/write", 1.0),
        ("commit", "/seconds/commit", 1.0),
        ("total, s", "/seconds/total", 1.0),
        ("peak memory, MB", "/peak_memory_bytes", 1e6),
    ] {
        let values = reports.iter().filter_map(|report| report.pointer(pointer)?.as_f64());
        let mut values: Vec<f64> = values.map(|value| value / unit).collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let median = at(values.len() / 2);
        say(&format!(
            "{title:24} {:>8.3} {median:>10.3} {:>10.3}",
            at(0),
            at(values.len().saturating_sub(1))
        ));
        if pointer == "/seconds/read" || pointer == "/seconds/list" {
            reading += median;
        }
    }
    let first = reports.first();
    let number = |pointer: &str| {
        first.and_then(|report| report.pointer(pointer)?.as_u64()).unwrap_or_default()
    };
    say(&format!(
        "{} references, {} index lines, {} bytes read, {} requests",
        number("/references/written"),
        number("/index_lines"),
        number("/bytes_read"),
        number("/requests")
    ));
    reading
}

fn peer(folder: &Path, ours: f64) -> Result<()> {
    let benches = shell::root().join("benches");
    let Some(python) = python::environment("bench-venv", &benches.join("requirements.txt"))? else {
        say("\nkerchunk: SKIPPED, there is no Python >= 3.12");
        return Ok(());
    };
    let text = shell::read(Command::new(python).arg(benches.join("peers.py")).arg(folder))?;
    let report: Value = serde_json::from_str(&text).context("the peer's report is no JSON")?;
    let theirs = report.get("seconds").and_then(Value::as_f64).unwrap_or(f64::NAN);
    say(&format!(
        "\nreading and parsing the same indexes: kerchunk {theirs:.2} s, gik {ours:.3} s, \
         {:.0} times faster",
        theirs / ours
    ));
    Ok(())
}
