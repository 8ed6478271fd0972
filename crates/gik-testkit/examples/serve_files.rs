//! Serves a folder over HTTP on 127.0.0.1, each answer late, for benches.
//!
//! ```text
//! cargo run --release -p gik-testkit --example serve_files -- DIR MILLISECONDS
//! ```
//!
//! Prints the url, and stops when its standard input ends.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use gik_testkit::faults::{Fault, Rule};
use gik_testkit::http::HttpServer;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(Ok(late))) = (args.next(), args.next().map(|it| it.parse())) else {
        let _ = writeln!(std::io::stderr(), "usage: serve_files DIR MILLISECONDS");
        return ExitCode::FAILURE;
    };
    let server = match HttpServer::start(folder) {
        Ok(server) => server,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    server.faults().add(Rule::new(Fault::Latency(Duration::from_millis(late))));
    let mut out = std::io::stdout();
    let told = writeln!(out, "{}", server.url()).and_then(|()| out.flush());
    // Whoever started this closes the pipe when it is done.
    let ended = std::io::stdin().read_to_end(&mut Vec::new());
    if told.is_ok() && ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
