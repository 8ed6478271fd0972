//! `cargo xtask fuzz`: runs the targets of `fuzz/` with libFuzzer, on the stable toolchain.
//!
//! The compiler's coverage instrumentation is an LLVM pass that stable rustc can be told to
//! run; the sanitizers, which it cannot, would add little to code that is safe Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// What cargo-fuzz sets, too.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1";

/// Each target, and where its seeds lie: files with these endings, of at most this many
/// bytes. A new format is a new line here and a `[[bin]]` in `fuzz/Cargo.toml`.
const TARGETS: &[(&str, &str, &[&str])] = &[
    ("codec_configuration", "fuzz/seeds/codec_configuration", &["json"]),
    ("ecmwf_index", "crates/gik-index/tests/fixtures", &["index"]),
    ("grib_headers", "crates/gik-codec/tests/fixtures", &["grib1", "grib2"]),
    ("grib_message", "crates/gik-codec/tests/fixtures", &["grib1", "grib2"]),
    ("grib_scan", "crates/gik-codec/tests/fixtures", &["grib1", "grib2"]),
    ("kerchunk_json", "fuzz/seeds/kerchunk_json", &["json"]),
    ("legacy_references", "crates/gik-legacy/fixtures", &["parquet"]),
    ("noaa_index", "crates/gik-index/tests/fixtures", &["idx"]),
];

/// Larger seeds make each case slow and find nothing that smaller ones do not.
const MAX_SEED: u64 = 32 << 10;
/// Seconds after which a case counts as a hang.
const TIMEOUT: u32 = 1;

/// `arguments` are those after the task's name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut minutes, mut wanted) = (5.0_f64, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--minutes" {
            let number = rest.next().and_then(|number| number.parse().ok());
            minutes = number.context("--minutes needs a number")?;
        } else if TARGETS.iter().any(|(name, ..)| name == argument) {
            wanted.push(argument.as_str());
        } else {
            let names: Vec<_> = TARGETS.iter().map(|(name, ..)| *name).collect();
            bail!(
                "usage: cargo xtask fuzz [--minutes N] [TARGET]...; targets: {}",
                names.join(", ")
            );
        }
    }
    let host = host()?;
    let folder = shell::root().join("fuzz");
    let work = shell::target().join("fuzz");
    // With --target the flags are not used for build scripts and procedural macros.
    shell::run(
        shell::cargo(&["build", "--locked", "--release", "--quiet", "--target", &host])
            .arg("--target-dir")
            .arg(&work)
            .env("RUSTFLAGS", FLAGS)
            .current_dir(&folder),
    )?;
    let mut failed = Vec::new();
    for (name, seeds, endings) in TARGETS {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        let corpus = work.join("corpus").join(name);
        let found = work.join("found").join(name);
        for folder in [&corpus, &found] {
            std::fs::create_dir_all(folder)?;
        }
        let chosen = choose(&shell::root().join(seeds), endings, &work.join("seeds").join(name))?;
        let run = shell::run(
            Command::new(work.join(&host).join("release").join(name))
                .arg(format!("-max_total_time={:.0}", minutes * 60.0))
                .arg(format!("-timeout={TIMEOUT}"))
                .arg("-max_len=32768")
                .arg("-print_final_stats=1")
                .arg("-verbosity=0")
                .arg(format!("-artifact_prefix={}/", found.display()))
                .args([corpus, chosen]),
        );
        if let Err(error) = run {
            shell::say(&format!("{name}: {error:#}; the input is in {}", found.display()));
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        bail!("inputs were found that fail: {}", failed.join(", "));
    }
    Ok(())
}

/// Copies the seeds into a folder of their own, together with each message of the files
/// that hold many.
fn choose(from: &Path, endings: &[&str], to: &Path) -> Result<PathBuf> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {from:?}"))? {
        let entry = entry?;
        let path = entry.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if endings.contains(&ending) && entry.metadata()?.len() <= MAX_SEED {
            std::fs::copy(&path, to.join(entry.file_name()))?;
        }
    }
    let matrix = from.join("matrix");
    if matrix.exists() {
        split(&matrix, to)?;
    }
    Ok(to.to_path_buf())
}

/// Every eighth message of the files in the matrix: enough of each packing.
fn split(matrix: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(matrix)? {
        let table = entry?.path();
        if table.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        let name = table.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let messages = std::fs::read(table.with_extension("grib2"))?;
        for (number, line) in std::fs::read_to_string(&table)?.lines().enumerate().step_by(8) {
            let mut columns = line.split(' ').map(str::parse::<usize>);
            let (Some(Ok(start)), Some(Ok(length))) = (columns.next(), columns.next()) else {
                bail!("{}: line {} is not understood", table.display(), number + 1);
            };
            let message = start.checked_add(length).and_then(|end| messages.get(start..end));
            let message = message.with_context(|| format!("{}: too short", table.display()))?;
            std::fs::write(to.join(format!("{name}-{number}")), message)?;
        }
    }
    Ok(())
}

/// The triple that the compiler runs on.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = shell::read(Command::new(rustc).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}
