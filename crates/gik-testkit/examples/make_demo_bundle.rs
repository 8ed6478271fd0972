//! Writes a demo bundle: `make_demo_bundle gefs|ecmwf PATH`.
//!
//! ```text
//! cargo run --release -p gik-testkit --example make_demo_bundle -- gefs crates/gik/demo/gefs-demo.tar
//! cargo run --release -p gik-testkit --example make_demo_bundle -- ecmwf crates/gik/demo/ecmwf-demo.tar
//! ```

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let bundle = match (args.next().as_deref(), args.next()) {
        (Some("gefs"), Some(path)) => Some((gik_testkit::gefs::demo_bundle(), path)),
        (Some("ecmwf"), Some(path)) => Some((gik_testkit::ecmwf::demo_bundle(), path)),
        _ => None,
    };
    let Some((bundle, path)) = bundle else {
        let _ = writeln!(std::io::stderr(), "usage: make_demo_bundle gefs|ecmwf PATH");
        return ExitCode::FAILURE;
    };
    let written = bundle
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
