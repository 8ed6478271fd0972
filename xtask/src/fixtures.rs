//! `cargo xtask fixtures`: the messages that the codec's tests read, made with ecCodes, and
//! the whole cross product of packings compared with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{python, shell};

/// From operations: not made again.
const KEPT: &[&str] = &[
    "ecmwf_soil.grib1",
    "gefs_soilw.grib2",
    "gfs_constant.grib2",
    "gfswave_jpeg2000.grib2",
    "hrrr_constant.grib2",
    "s2s_ten_messages.grib2",
];

/// `arguments` are those after the task's name.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut check, mut real) = (false, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.len()) {
            ("--check", _) => check = true,
            ("--real", 1..) => real.extend(rest.next().map(PathBuf::from)),
            _ => bail!("usage: cargo xtask fixtures [--check] [--real DIR]..."),
        }
    }
    let tests = shell::root().join("crates/gik-codec/tests");
    let scripts = tests.join("generate");
    let python = python::environment("fixtures-venv", &scripts.join("requirements.txt"))?.context(
        "no Python >= 3.12 was found (looked for python3, python3.N and pyenv's versions)",
    )?;
    let script = |name: &str| {
        let mut command = Command::new(&python);
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(scripts.join(name));
        command
    };
    if !check && real.is_empty() {
        return shell::run(script("generate.py").arg(tests.join("fixtures")));
    }

    let work = shell::target().join("fixtures");
    let mut compared = Vec::new();
    if check {
        let again = fresh(&work.join("again"))?;
        shell::run(script("generate.py").arg(&again))?;
        same_files(&again, &tests.join("fixtures"))?;
        let full = fresh(&work.join("full"))?;
        shell::run(script("generate.py").arg("--full").arg(&full))?;
        compared.extend([again.join("matrix"), full]);
    }
    for (number, folder) in real.iter().enumerate() {
        let fields = fresh(&work.join(format!("real-{number}")))?;
        shell::run(script("generate.py").arg("--real").arg(folder).arg(&fields))?;
        compared.push(fields);
    }
    let example = ["build", "--locked", "--quiet", "-p", "gik-codec", "--example", "decode_values"];
    shell::run(&mut shell::cargo(&example))?;
    let decoder = shell::target().join("debug/examples/decode_values");
    shell::run(script("compare.py").arg(decoder).args(&compared))
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    Ok(folder.to_path_buf())
}

/// What is made now must be what is committed, and nothing else may be there.
fn same_files(made: &Path, committed: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    for folder in ["", "edition1", "matrix", "projections"] {
        let list = |root: &Path| -> Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(root.join(folder))? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
            names.sort();
            Ok(names)
        };
        let mut expected = list(made)?;
        if folder.is_empty() {
            expected.extend(KEPT.iter().map(|name| (*name).to_owned()));
            expected.sort();
        }
        let found = list(committed)?;
        wrong.extend(expected.iter().filter(|&name| !found.contains(name)).cloned());
        for name in found {
            let made = made.join(folder).join(&name);
            let kept = folder.is_empty() && KEPT.contains(&name.as_str());
            let same = || -> Result<bool> {
                let committed = std::fs::read(committed.join(folder).join(&name))?;
                Ok(made.exists() && std::fs::read(&made)? == committed)
            };
            if !kept && !same()? {
                wrong.push(name);
            }
        }
    }
    if !wrong.is_empty() {
        bail!("not as `cargo xtask fixtures` makes them: {}", wrong.join(", "));
    }
    Ok(())
}
