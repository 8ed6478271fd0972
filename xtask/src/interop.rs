//! `cargo xtask interop`: stores written here, opened by stock Python packages and compared
//! with ecCodes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// The oldest Python that the current packages support.
const MINIMUM: (u32, u32) = (3, 12);

pub(crate) fn run() -> Result<()> {
    let Some(python) = find_python() else {
        shell::say(&format!(
            "\ninterop: SKIPPED, there is no Python >= {}.{} (looked for python3, python3.N and \
             pyenv's versions)",
            MINIMUM.0, MINIMUM.1
        ));
        return Ok(());
    };
    shell::say(&format!("\ninterop: with {}", python.display()));
    let folder = shell::root().join("tests/interop");
    let environment = environment(&python, &folder.join("requirements.txt"))?;
    shell::run(&mut shell::cargo(&["build", "--locked", "--quiet", "-p", "gik", "-p", "gik-testkit", "--bins", "--examples"]))?;
    shell::run(
        Command::new(environment)
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(&folder)
            .env("GIK", shell::target().join("debug/gik"))
            .env("GIK_GENERATE", shell::target().join("debug/examples/generate_gefs"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(shell::root()),
    )
}

/// The first interpreter that is new enough.
fn find_python() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        ["python3", "python3.14", "python3.13", "python3.12"].iter().map(PathBuf::from).collect();
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    if let Some(versions) = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        candidates.extend(versions.flatten().map(|entry| entry.path().join("bin/python3")));
    }
    candidates.into_iter().find(|python| version(python).is_some_and(|version| version >= MINIMUM))
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let script = "import sys; print(*sys.version_info[:2])";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A virtual environment with exactly these packages; made again when they change.
fn environment(python: &Path, requirements: &Path) -> Result<PathBuf> {
    let folder = shell::target().join("interop-venv");
    let interpreter = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    let wanted = std::fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(interpreter);
    }
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    shell::run(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements),
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(interpreter)
}
