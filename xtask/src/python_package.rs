//! `cargo xtask python`: the Python package, built, installed and tested in an environment of
//! its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{python, shell};

/// Runs the tests of the package; `arguments` are pytest's.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some(python) = install("dev")? else {
        shell::say(
            "\npython: SKIPPED, there is no Python >= 3.12 (looked for python3, python3.N and \
             pyenv's versions)",
        );
        return Ok(());
    };
    // The examples call the command as well.
    shell::run(&mut shell::cargo(&["build", "--locked", "--quiet", "-p", "gik", "--bins"]))?;
    shell::run(&mut shell::cargo(&[
        "build",
        "--locked",
        "--quiet",
        "-p",
        "gik-testkit",
        "--examples",
    ]))?;
    shell::run(
        Command::new(python)
            .args(["-m", "pytest"])
            .args(arguments)
            .env("GIK", shell::target().join("debug/gik"))
            .env("GIK_SERVE_S3", shell::target().join("debug/examples/serve_s3"))
            .env("GIK_GENERATE", shell::target().join("debug/examples/generate_gefs"))
            .env("GIK_GENERATE_ECMWF", shell::target().join("debug/examples/generate_ecmwf"))
            .env("GIK_GENERATE_HRRR", shell::target().join("debug/examples/generate_hrrr"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder()),
    )
}

fn folder() -> PathBuf {
    shell::root().join("python")
}

/// The interpreter of an environment that has the package, compiled with a profile of cargo; none
/// when there is no Python that is new enough. What it depends on is compiled as for the rest of
/// the workspace.
pub(crate) fn install(profile: &str) -> Result<Option<PathBuf>> {
    let requirements = folder().join("tests/requirements.txt");
    let Some(python) = python::environment("python-venv", &requirements)? else {
        return Ok(None);
    };
    shell::run(
        Command::new(&python)
            .args(["-m", "maturin", "develop", "--locked", "--quiet", "--profile", profile])
            .env("VIRTUAL_ENV", shell::target().join("python-venv"))
            .env("PIP_QUIET", "1")
            .current_dir(folder()),
    )?;
    Ok(Some(python))
}
