//! Writes the demo bundle: `make_demo_bundle PATH`.
//!
//! ```text
//! cargo run --release -p gik-testkit --example make_demo_bundle -- crates/gik/demo/gefs-demo.tar
//! ```

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        let _ = writeln!(std::io::stderr(), "usage: make_demo_bundle PATH");
        return ExitCode::FAILURE;
    };
    let written = gik_testkit::gefs::demo_bundle()
        .map_err(|error| error.to_string())
        .and_then(|bundle| std::fs::write(&path, bundle).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{path}: {error}");
            ExitCode::FAILURE
        }
    }
}
