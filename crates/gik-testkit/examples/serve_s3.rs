//! Serves empty buckets over S3 on 127.0.0.1, for examples and tests in other languages.
//!
//! ```text
//! cargo run -p gik-testkit --example serve_s3 -- BUCKET...
//! ```
//!
//! Prints the directory that holds a directory for each bucket (files put there are objects), then
//! the usual AWS variables that reach it, a line each, and an empty line. Stops when its standard
//! input ends, and removes the buckets.

use std::io::{Read, Write};
use std::process::ExitCode;

use gik_testkit::s3::S3Server;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}\nusage: serve_s3 BUCKET...");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> std::io::Result<()> {
    let server = S3Server::start()?;
    for bucket in std::env::args().skip(1) {
        server.create_bucket(&bucket)?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.root().display())?;
    for (name, value) in server.env() {
        writeln!(out, "{name}={value}")?;
    }
    writeln!(out)?;
    out.flush()?;
    // Whoever started this closes the pipe when it is done.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
