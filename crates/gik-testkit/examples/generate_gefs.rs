//! Generates a GEFS run as the public bucket holds it, for benches and for people.
//!
//! ```text
//! cargo run --release -p gik-testkit --example generate_gefs -- DIR [OPTIONS]
//!
//!   --date YYYYMMDD     date of the run             [20250106]
//!   --hour HH           cycle: 00, 06, 12 or 18     [00]
//!   --product s|a|b     pgrb2sp25, pgrb2ap5, pgrb2bp5   [s]
//!   --members A-B       0 is the control            [0-30]
//!   --steps A-B         hours                       [all of the product]
//!
//! and one of
//!   --indexes-only      every message of the real files in the indexes; the data files
//!                       are sparse: the right size, no content    [the default]
//!   --messages NAMES    real GRIB of these variables, e.g. tp,t2m; --coarse for half
//!                       millimetres and half kelvins; --dense for rain in messages as
//!                       long as real ones
//! ```
//!
//! `DIR` stands for the bucket: files go to `DIR/gefs.YYYYMMDD/HH/atmos/…`. The full run of
//! `pgrb2sp25` (2 511 files, 95 046 lines) takes a second with `--indexes-only`; a message
//! at 0.25° takes about a tenth of a second.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gik_core::{Error, Result};
use gik_testkit::gefs::{DataFiles, Detail, GefsRun, Product};
use gik_testkit::generated::parse_range;

const USAGE: &str = "usage: generate_gefs DIR [--date YYYYMMDD] [--hour HH] [--product s|a|b] \
                     [--members A-B] [--steps A-B] [--indexes-only | --messages tp,t2m [--coarse | --dense]]";

fn main() -> ExitCode {
    match generate() {
        Ok(report) => {
            // A closed pipe is no reason to fail: the files are written.
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<String> {
    let mut args = std::env::args().skip(1);
    let mut folder: Option<PathBuf> = None;
    let (mut date, mut hour) = ("20250106".to_owned(), "00".to_owned());
    let (mut product, mut members, mut steps) = (Product::S, GefsRun::MEMBERS, 0..=840);
    let (mut messages, mut detail) = (None, Detail::Fine);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| Error::argument(&arg, "needs a value"));
        match arg.as_str() {
            "--date" => date = value()?,
            "--hour" => hour = value()?,
            "--product" => product = parse_product(&value()?)?,
            "--members" => members = parse_range("--members", &value()?)?,
            "--steps" => steps = parse_range("--steps", &value()?)?,
            "--messages" => messages = Some(value()?),
            "--indexes-only" => messages = None,
            "--coarse" => detail = Detail::Coarse,
            "--dense" => detail = Detail::Dense,
            _ if arg.starts_with('-') || folder.is_some() => {
                return Err(Error::argument(arg, "is not understood"));
            }
            _ => folder = Some(PathBuf::from(arg)),
        }
    }
    let folder = folder.ok_or_else(|| Error::argument("DIR", "is missing: where to write"))?;
    let reference = format!("{date}{hour:0>2}").parse()?;
    let run = GefsRun::new(reference).product(product).members(members).steps(steps).detail(detail);
    write(&run, &folder, messages.as_deref())
}

fn write(run: &GefsRun, folder: &Path, messages: Option<&str>) -> Result<String> {
    let counts = match messages {
        Some(names) => run.write_messages(folder, &names.split(',').collect::<Vec<_>>())?,
        None => run.write_indexes(folder, DataFiles::Sparse)?,
    };
    Ok(format!(
        "{} files, {} messages, {} bytes below {}",
        counts.files,
        counts.messages,
        counts.bytes,
        folder.display()
    ))
}

fn parse_product(text: &str) -> Result<Product> {
    match text {
        "s" => Ok(Product::S),
        "a" => Ok(Product::A),
        "b" => Ok(Product::B),
        _ => Err(Error::argument(format!("--product {text}"), "must be s, a or b")),
    }
}
