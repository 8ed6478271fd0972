//! HRRR runs as the public bucket holds them, generated.
//!
//! An [`HrrrRun`] lays out `hrrr.YYYYMMDD/conus/hrrr.tHHz.wrfsfcfFF.grib2` and its `.idx`
//! (likewise `wrfprs`, `wrfnat`, `wrfsubh`, and `alaska/….ak.grib2`) in two ways:
//!
//! - [`HrrrRun::write_headers`]: every message of the real files, with true headers and of real
//!   lengths, and no data: the files are sparse. 49 files of 150 MB in a second.
//! - [`HrrrRun::write_messages`]: chosen variables only, as real GRIB2 in template 5.3. The
//!   weather is made up, a function of place and time alone: the same bytes on every machine.
//!
//! Statistics follow HRRR: at hour N sums are over the whole run (0–N) and over the last hour
//! (N−1–N); at hour 1 one message is both. Sub-hourly files hold four steps of 15 minutes.
//! All sums come from one rain rate: those of the hours add up to that of the run.
//!
//! ```
//! use gik_testkit::hrrr::{HrrrRun, Product};
//!
//! let run = HrrrRun::new("2025-08-01T00".parse()?).hours(0..=2).grid(12, 8);
//! let file = run.file(2, &["t2m", "tp"])?;
//! assert_eq!(file.path, "hrrr.20250801/conus/hrrr.t00z.wrfsfcf02.grib2");
//! let fields: Vec<_> = file.index.lines().map(|line| line.split(':').nth(5).unwrap()).collect();
//! assert_eq!(fields, ["2 hour fcst", "1-2 hour acc fcst"]);
//! # Ok::<(), gik_core::Error>(())
//! ```

mod headers;
mod message;
mod run;
mod table;
mod weather;

pub use run::{HrrrRun, Product};

#[cfg(test)]
mod tests;
