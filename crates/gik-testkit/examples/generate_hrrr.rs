//! Generates an HRRR run as the public bucket holds it, for benches and for people.
//!
//! ```text
//! cargo run --release -p gik-testkit --example generate_hrrr -- DIR [OPTIONS]
//!
//!   --date YYYYMMDD          date of the run   [20250801]
//!   --hour HH                cycle, 00 to 23   [00]
//!   --product sfc|prs|nat|subh                 [sfc]
//!   --alaska                 Alaska instead of the contiguous states
//!   --hours A-B              forecast hours    [all of the run]
//!   --grid COLUMNSxROWS      messages of fewer points
//!
//! and one of
//!   --headers                every message of the real files, with true headers and of real
//!                            lengths, and no data: sparse files    [the default]
//!   --messages NAMES         real GRIB of these variables, e.g. tp,t2m
//! ```
//!
//! `DIR` stands for the bucket: files go to `DIR/hrrr.YYYYMMDD/conus/…`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use gik_core::{Error, Result};
use gik_testkit::generated::parse_range;
use gik_testkit::hrrr::{HrrrRun, Product};

const USAGE: &str = "usage: generate_hrrr DIR [--date YYYYMMDD] [--hour HH] [--product \
                     sfc|prs|nat|subh] [--alaska] [--hours A-B] [--grid COLUMNSxROWS] [--headers | \
                     --messages tp,t2m]";

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
    let (mut date, mut hour) = ("20250801".to_owned(), "00".to_owned());
    let (mut product, mut is_alaska) = (Product::Sfc, false);
    let (mut hours, mut grid, mut messages) = (None, None, None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| Error::argument(&arg, "needs a value"));
        match arg.as_str() {
            "--date" => date = value()?,
            "--hour" => hour = value()?,
            "--product" => product = parse_product(&value()?)?,
            "--alaska" => is_alaska = true,
            "--hours" => hours = Some(parse_range("--hours", &value()?)?),
            "--grid" => grid = Some(parse_grid(&value()?)?),
            "--messages" => messages = Some(value()?),
            "--headers" => messages = None,
            _ if arg.starts_with('-') || folder.is_some() => {
                return Err(Error::argument(arg, "is not understood"));
            }
            _ => folder = Some(PathBuf::from(arg)),
        }
    }
    let folder = folder.ok_or_else(|| Error::argument("DIR", "is missing: where to write"))?;
    let mut run = HrrrRun::new(format!("{date}{hour:0>2}").parse()?).product(product);
    if is_alaska {
        run = run.alaska();
    }
    if let Some(hours) = hours {
        run = run.hours(hours);
    }
    if let Some((columns, rows)) = grid {
        run = run.grid(columns, rows);
    }
    let counts = match messages {
        Some(names) => run.write_messages(&folder, &names.split(',').collect::<Vec<_>>())?,
        None => run.write_headers(&folder)?,
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
        "sfc" => Ok(Product::Sfc),
        "prs" => Ok(Product::Prs),
        "nat" => Ok(Product::Nat),
        "subh" => Ok(Product::Subh),
        _ => Err(Error::argument(format!("--product {text}"), "must be sfc, prs, nat or subh")),
    }
}

/// `60x40`.
fn parse_grid(text: &str) -> Result<(u32, u32)> {
    let wrong = || Error::argument(format!("--grid {text}"), "must be like 60x40");
    let (columns, rows) = text.split_once('x').ok_or_else(wrong)?;
    Ok((columns.parse().map_err(|_| wrong())?, rows.parse().map_err(|_| wrong())?))
}
