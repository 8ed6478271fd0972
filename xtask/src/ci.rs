//! `cargo xtask ci`: what a change must pass, on a machine that has the toolchain, a C
//! compiler and Python.

use anyhow::Result;

use crate::shell::{self, cargo};
use crate::{interop, python_package, tidy};

pub(crate) fn run() -> Result<()> {
    shell::run(&mut cargo(&["fmt", "--all", "--check"]))?;
    tidy::run()?;
    shell::run(&mut cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    // The library without any model, as a service would take it that brings its own.
    shell::run(&mut cargo(&[
        "clippy",
        "--locked",
        "-p",
        "gik",
        "--lib",
        "--no-default-features",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(&mut cargo(&["test", "--locked", "--workspace", "--quiet"]))?;
    shell::run(
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    interop::run()?;
    python_package::run(&[])
}
