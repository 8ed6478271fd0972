//! Virtual environments with pinned packages, below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// The oldest Python that the current packages support.
const MINIMUM: (u32, u32) = (3, 12);

/// The interpreter of an environment called `name` with exactly these packages, made again
/// when they change; none when there is no Python that is new enough.
pub(crate) fn environment(name: &str, requirements: &Path) -> Result<Option<PathBuf>> {
    let Some(python) = find() else { return Ok(None) };
    let folder = shell::target().join(name);
    let interpreter = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    let wanted = std::fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(interpreter));
    }
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    shell::run(
        Command::new(&interpreter)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(requirements),
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(Some(interpreter))
}

/// The first interpreter that is new enough.
fn find() -> Option<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        ["python3", "python3.14", "python3.13", "python3.12"].iter().map(PathBuf::from).collect();
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    if let Some(versions) = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok()) {
        let mut versions: Vec<_> = versions.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        candidates.extend(versions.into_iter().map(|folder| folder.join("bin/python3")));
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
