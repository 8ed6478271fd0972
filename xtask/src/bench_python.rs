//! `cargo xtask bench python`: a region of all members and steps, read by xarray with the
//! package's codec and with the stock one, from the same store.

use std::process::Command;

use anyhow::Result;

use crate::shell::{self, say};
use crate::{bench_exceedance, python_package};

pub(crate) fn run() -> Result<()> {
    let Some(python) = python_package::install("release")? else {
        say("\nbench python: SKIPPED, there is no Python >= 3.12");
        return Ok(());
    };
    let run = bench_exceedance::gefs_rain()?;
    let store = shell::target().join("bench/gefs-rain-store-python");
    let script = shell::root().join("benches/python_codec.py");
    shell::run(Command::new(python).arg(script).arg(run).arg(store))
}
