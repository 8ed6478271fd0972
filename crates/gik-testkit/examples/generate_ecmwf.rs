//! Generates a run of ECMWF open data as the public bucket holds it, for benches and for
//! people.
//!
//! ```text
//! cargo run --release -p gik-testkit --example generate_ecmwf -- DIR [OPTIONS]
//!
//!   --run YYYY-MM-DDTHH initialisation time   [2026-02-05T00]
//!   --product P         enfo, oper, waef, wave, aifs-single, aifs-ens   [enfo]
//!   --members A-B       0 is the control      [0-50]
//!   --steps A-B         hours                 [all of the product]
//!   --messages NAMES    real GRIB of these parameters (2t, tp, t, gh); without it every
//!                       message of the real files in the indexes, and sparse data files;
//!                       --dense for rain in messages as long as real ones
//! ```

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use gik_core::{Error, Result};
use gik_testkit::ecmwf::{EcmwfRun, Product};
use gik_testkit::gefs::Detail;
use gik_testkit::generated::parse_range;

fn main() -> ExitCode {
    match generate() {
        Ok(report) => {
            // A closed pipe is no reason to fail: the files are written.
            let _ = writeln!(std::io::stdout(), "{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let usage = "usage: generate_ecmwf DIR [--run TIME] [--product P] [--members A-B] \
                         [--steps A-B] [--messages 2t,tp [--dense]]";
            let _ = writeln!(std::io::stderr(), "{error}\n{usage}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<String> {
    let mut args = std::env::args().skip(1);
    let mut folder: Option<PathBuf> = None;
    let (mut time, mut product) = ("2026-02-05T00".to_owned(), Product::Enfo);
    let (mut members, mut steps, mut messages) = (EcmwfRun::MEMBERS, 0..=360, None);
    let mut detail = Detail::Coarse;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| Error::argument(&arg, "needs a value"));
        match arg.as_str() {
            "--run" => time = value()?,
            "--product" => product = parse_product(&value()?)?,
            "--members" => members = parse_range("--members", &value()?)?,
            "--steps" => steps = parse_range("--steps", &value()?)?,
            "--messages" => messages = Some(value()?),
            "--dense" => detail = Detail::Dense,
            _ if arg.starts_with('-') || folder.is_some() => {
                return Err(Error::argument(arg, "is not understood"));
            }
            _ => folder = Some(PathBuf::from(arg)),
        }
    }
    let folder = folder.ok_or_else(|| Error::argument("DIR", "is missing: where to write"))?;
    let run = EcmwfRun::new(time.parse()?, product).members(members).steps(steps).detail(detail);
    let counts = match messages {
        Some(names) => run.write_messages(&folder, &names.split(',').collect::<Vec<_>>())?,
        None => run.write_indexes(&folder)?,
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
    Ok(match text {
        "enfo" => Product::Enfo,
        "oper" => Product::Oper,
        "waef" => Product::Waef,
        "wave" => Product::Wave,
        "aifs-single" => Product::AifsSingle,
        "aifs-ens" => Product::AifsEns,
        _ => return Err(Error::argument(format!("--product {text}"), "is none of ECMWF's")),
    })
}
