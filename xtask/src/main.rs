//! Tasks of the workspace. `cargo xtask` lists them.

mod bench;
mod bench_codec;
mod bench_exceedance;
mod bench_parsers;
mod bench_python;
mod ci;
mod fixtures;
mod fuzz;
mod interop;
mod python;
mod python_package;
mod shell;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  ci        everything that a change must pass: format, lints, tests, docs, tidy, interop, python
  tidy      the rules of the tree: layering, file sizes, headers, duplicate dependencies
  interop   open stores with stock Python packages and compare with ecCodes
  python    build, install and test the Python package: [PYTEST ARGUMENT]...
  fixtures  make the codec's messages with ecCodes again; --check compares thousands more,
            --real DIR the messages of a folder
  fuzz      feed the readers of foreign bytes with damage: [--minutes N] [TARGET]...
  bench     measure at full scale, beside the peers, and print tables; `bench codec` only
            what decoding takes, `bench exceedance` only what maps of probabilities take,
            `bench parsers` only what VirtualiZarr's parsers take, `bench python` only what
            reading takes with the Python package";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = arguments.split_first().unzip();
    let rest = rest.unwrap_or_default();
    let outcome = match task.map(String::as_str) {
        Some("fixtures") => fixtures::run(rest),
        Some("fuzz") => fuzz::run(rest),
        Some("ci") => ci::run(),
        Some("tidy") => tidy::run(),
        Some("interop") => interop::run(),
        Some("python") => python_package::run(rest),
        Some("bench") if rest == ["codec"] => bench_codec::run(),
        Some("bench") if rest == ["exceedance"] => bench_exceedance::run(),
        Some("bench") if rest == ["parsers"] => bench_parsers::run(),
        Some("bench") if rest == ["python"] => bench_python::run(),
        Some("bench") if rest.is_empty() => bench::run()
            .and_then(|()| bench_codec::run())
            .and_then(|()| bench_exceedance::run())
            .and_then(|()| bench_parsers::run())
            .and_then(|()| bench_python::run()),
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
