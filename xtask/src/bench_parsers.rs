//! `cargo xtask bench parsers`: a GEFS run through VirtualiZarr into Icechunk, with our parser and
//! with gribberish's.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::python_package;
use crate::shell::{self, cargo, say};

const ROUNDS: usize = 3;
/// Files that the peer is measured on; it takes seconds for each.
const FILES: usize = 8;

pub(crate) fn run() -> Result<()> {
    let benches = shell::root().join("benches");
    let Some(python) = python_package::install("release")? else {
        say("\nparsers: SKIPPED, there is no Python >= 3.12");
        return Ok(());
    };
    let examples = ["build", "--release", "--locked", "--quiet", "-p", "gik-testkit", "--examples"];
    shell::run(&mut cargo(&examples))?;
    let folder = shell::target().join("bench/parsers");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let generate = shell::target().join("release/examples/generate_gefs");
    shell::run(Command::new(generate).arg(&folder).arg("--indexes-only"))?;
    let mut command = Command::new(&python);
    command.arg(benches.join("parsers_peers.py")).arg(&folder);
    command.arg(shell::root().join("crates/gik-gefs/tables/pgrb2s_0p25.tsv"));
    let text = shell::read(command.args([FILES.to_string(), ROUNDS.to_string()]))?;
    let rounds: Vec<Value> =
        text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("no JSON")?;
    print(&rounds);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn print(rounds: &[Value]) {
    let median = |side: &str, step: &str| {
        let mut seconds: Vec<f64> =
            rounds.iter().filter_map(|round| round.get(side)?.get(step)?.as_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let count = |name: &str| {
        let first = rounds.first().and_then(|round| round.get(name));
        first.and_then(Value::as_f64).unwrap_or(f64::NAN)
    };
    let times = count("files") / count("measured");
    let ours = median("gik", "parse") + median("gik", "write");
    let theirs = |step: &str| median("GribberishParser", step) * times;
    say(&format!(
        "\nGEFS through VirtualiZarr into Icechunk, {} files ({ROUNDS} rounds)",
        count("files")
    ));
    say("                                                          seconds    ratio");
    let row = |title: &str, seconds: f64| {
        say(&format!("{title:56} {seconds:>9.2} {:>8.1}", seconds / ours));
    };
    row("gik: parse, write and commit", ours);
    row("  of which parse", median("gik", "parse"));
    let scaled = format!("GribberishParser, {} files scaled: parse alone", count("measured"));
    row(&scaled, theirs("parse"));
    row("  parse, combine, write and commit", theirs("parse and combine") + theirs("write"));
}
