//! Tasks of the workspace. `cargo xtask` lists them.

mod bench;
mod ci;
mod interop;
mod python;
mod shell;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  ci        everything that a change must pass: format, lints, tests, docs, tidy, interop
  tidy      the rules of the tree: layering, file sizes, headers, duplicate dependencies
  interop   open stores with stock Python packages and compare with ecCodes
  bench     measure at full scale, beside the peers, and print a table";

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    let outcome = match task.as_deref() {
        Some("ci") => ci::run(),
        Some("tidy") => tidy::run(),
        Some("interop") => interop::run(),
        Some("bench") => bench::run(),
        _ => {
            shell::say(USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
