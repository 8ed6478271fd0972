//! `cargo xtask tidy`: the rules of the tree that no compiler checks.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell;

/// Which of our crates may depend on which (ARCHITECTURE.md). Development dependencies are
/// free: tests may use the testkit.
const LAYERS: &[(&str, &[&str])] = &[
    ("gik-core", &[]),
    ("gik-index", &["gik-core"]),
    ("gik-codec", &["gik-core"]),
    ("gik-gefs", &["gik-core", "gik-codec", "gik-index"]),
    ("gik-ecmwf", &["gik-core", "gik-codec", "gik-index"]),
    ("gik-hrrr", &["gik-core", "gik-codec", "gik-index"]),
    ("gik-icechunk", &["gik-core"]),
    ("gik-legacy", &["gik-core", "gik-index"]),
    ("gik-analysis", &["gik-core", "gik-codec", "gik-icechunk"]),
    (
        "gik",
        &[
            "gik-core",
            "gik-codec",
            "gik-index",
            "gik-gefs",
            "gik-ecmwf",
            "gik-hrrr",
            "gik-icechunk",
            "gik-legacy",
            "gik-analysis",
        ],
    ),
    ("gik-python", &["gik"]),
    ("gik-testkit", &["gik-core", "gik-index"]),
    ("xtask", &[]),
];

/// What the core must not know.
const NOT_IN_CORE: &[&str] = &["zarrs", "icechunk", "tokio", "reqwest", "gribberish"];

/// Crates of which two versions in one program would be two registries or two formats.
const ONCE: &[&str] = &["icechunk", "inventory", "zarrs", "zarrs_codec", "object_store"];

/// The longest a file may be, tests at its end not counted.
const MAX_LINES: usize = 600;

pub(crate) fn run() -> Result<()> {
    let mut problems = Vec::new();
    layers(&mut problems)?;
    duplicates(&mut problems)?;
    for file in files()? {
        check_file(&file, &mut problems)?;
    }
    if !problems.is_empty() {
        bail!("tidy found:\n  {}", problems.join("\n  "));
    }
    shell::say("tidy: ok");
    Ok(())
}

fn layers(problems: &mut Vec<String>) -> Result<()> {
    let text = shell::read(&mut shell::cargo(&[
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let rules: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    for package in metadata.get("packages").and_then(Value::as_array).into_iter().flatten() {
        let name = text_of(package, "name");
        let Some(allowed) = rules.get(name) else {
            problems.push(format!("{name}: has no place in the layers of xtask/src/tidy.rs"));
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            if text_of(dependency, "kind") == "dev" {
                continue;
            }
            let other = text_of(dependency, "name");
            if rules.contains_key(other) && !allowed.contains(&other) {
                problems.push(format!("{name} must not depend on {other}"));
            }
            if name == "gik-core" && NOT_IN_CORE.contains(&other) {
                problems.push(format!("gik-core must not depend on {other}"));
            }
        }
        let manifest = std::fs::read_to_string(text_of(package, "manifest_path"))?;
        if !manifest.contains("[lints]\nworkspace = true") {
            problems.push(format!("{name}: its Cargo.toml lacks [lints] workspace = true"));
        }
    }
    Ok(())
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn duplicates(problems: &mut Vec<String>) -> Result<()> {
    let lock = std::fs::read_to_string(shell::root().join("Cargo.lock"))?;
    for name in ONCE {
        let count = lock.matches(&format!("\nname = \"{name}\"\n")).count();
        if count > 1 {
            problems.push(format!("Cargo.lock has {count} versions of {name}"));
        }
    }
    // The AWS SDK doubles the build; object_store signs requests itself.
    if lock.contains("\nname = \"aws-sdk-s3\"\n") {
        problems.push("Cargo.lock has the AWS SDK; leave icechunk's feature s3 off".to_owned());
    }
    Ok(())
}

/// The files that git has or would take.
fn files() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(shell::root());
    Ok(shell::read(&mut git)?.lines().map(str::to_owned).collect())
}

fn check_file(file: &str, problems: &mut Vec<String>) -> Result<()> {
    let path = shell::root().join(file);
    let extension = Path::new(file).extension().and_then(|it| it.to_str()).unwrap_or_default();
    if extension != "rs" || !path.exists() {
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    if !text.starts_with("//!") {
        problems.push(format!("{file}: does not begin with //! and what it is for"));
    }
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().count();
    if lines > MAX_LINES && !file.contains("/tests/") {
        problems.push(format!("{file}: {lines} lines; split it at {MAX_LINES}"));
    }
    // Only these name the storage format or the codec traits of zarrs, so that a new
    // version of them is a change in one place.
    let may_name_zarrs = file.starts_with("crates/gik-icechunk/")
        || file == "crates/gik-codec/src/zarrs.rs"
        || file.contains("/tests/")
        || file.starts_with("xtask/");
    if !may_name_zarrs && code.lines().any(|line| line.trim_start().starts_with("use zarrs")) {
        problems
            .push(format!("{file}: uses zarrs; only gik-codec/src/zarrs.rs and gik-icechunk may"));
    }
    Ok(())
}
