//! `cargo xtask interop`: stores written here, opened by stock Python packages and compared
//! with ecCodes.

use std::process::Command;

use anyhow::Result;

use crate::{python, shell};

pub(crate) fn run() -> Result<()> {
    let folder = shell::root().join("tests/interop");
    let Some(python) = python::environment("interop-venv", &folder.join("requirements.txt"))?
    else {
        shell::say(
            "\ninterop: SKIPPED, there is no Python >= 3.12 (looked for python3, python3.N and \
             pyenv's versions)",
        );
        return Ok(());
    };
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
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(&folder)
            .env("GIK", shell::target().join("debug/gik"))
            .env("GIK_GENERATE", shell::target().join("debug/examples/generate_gefs"))
            .env("GIK_GENERATE_ECMWF", shell::target().join("debug/examples/generate_ecmwf"))
            .env("GIK_GENERATE_HRRR", shell::target().join("debug/examples/generate_hrrr"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(shell::root()),
    )
}
