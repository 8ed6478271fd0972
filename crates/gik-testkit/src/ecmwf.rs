//! ECMWF open data as the public bucket holds them, generated.
//!
//! An [`EcmwfRun`] lays out `YYYYMMDD/HHz/ifs/0p25/enfo/YYYYMMDDHH0000-6h-enfo-ef.grib2` and
//! its `.index`, likewise the other products, in two ways:
//!
//! - [`EcmwfRun::write_indexes`]: every line of every index of the real files, members and
//!   parameters shuffled as there, with data files that are empty but of the right size. This
//!   is full scale: 85 files of 8,000 lines in a few seconds.
//! - [`EcmwfRun::write_messages`]: chosen parameters only, as real GRIB2 in ECMWF's packing
//!   (5.42) with indexes that fit. The weather is made up, a function of place, member and
//!   step alone: the same bytes on every machine.
//!
//! Since cycle 50r1 (2026-05-12T06) the ensembles' files lack the control, which the files of
//! `oper` and `wave` hold. Totals (`tp`) are in metres since the start of the forecast.
//!
//! ```
//! use gik_testkit::ecmwf::{EcmwfRun, Product};
//!
//! let run = EcmwfRun::new("2025-09-30T00".parse()?, Product::Enfo).members(0..=1).steps(0..=6);
//! let files = run.files(&["2t"])?;
//! assert_eq!(files[1].path, "20250930/00z/ifs/0p25/enfo/20250930000000-3h-enfo-ef.grib2");
//! assert_eq!(files[1].index.lines().count(), 2);
//! # Ok::<(), gik_core::Error>(())
//! ```

mod bundle;
mod index;
mod messages;
mod run;
mod table;

pub use bundle::{DEMO_PARAMETERS, demo_bundle, demo_run};
pub use run::{EcmwfRun, Product};

#[cfg(test)]
mod tests;
