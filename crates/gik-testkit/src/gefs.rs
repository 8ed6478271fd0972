//! GEFS runs as the public bucket holds them, generated.
//!
//! A [`GefsRun`] lays out `gefs.YYYYMMDD/HH/atmos/pgrb2sp25/gec00.tHHz.pgrb2s.0p25.fFFF`
//! and its `.idx` (likewise `pgrb2ap5` and `pgrb2bp5`) in two ways:
//!
//! - [`GefsRun::write_indexes`]: every line of every index of the real files, with offsets
//!   drawn from real lengths, and data files that are empty but of the right size or that
//!   are not there at all. This is full scale: 31 members × 81 steps in a second.
//! - [`GefsRun::write_messages`]: chosen variables only, as real GRIB2 with an index that
//!   fits. The weather is made up, a function of place, member and lead alone: the same
//!   bytes on every machine.
//!
//! Windows follow the rule of GEFS: buckets restart every 6 hours, so that the file of 3
//! hours holds 0–3 h, that of 6 hours 0–6 h and that of 9 hours 6–9 h. Every accumulation
//! comes from one rain rate ([`GefsRun::true_accumulation`]): the files of 6, 12, 18 and 24
//! hours sum up to the total of the day.
//!
//! ```
//! use gik_testkit::gefs::{GefsRun, Product};
//!
//! let run = GefsRun::new("2025-01-06T00".parse()?).product(Product::A).members(0..=1).steps(0..=6);
//! let files = run.files(&["tp", "t2m"])?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(files[1].path, "gefs.20250106/00/atmos/pgrb2ap5/gec00.t00z.pgrb2a.0p50.f003");
//! assert_eq!(files[1].index.lines().last().unwrap().split(':').skip(3).collect::<Vec<_>>(),
//!     ["APCP", "surface", "0-3 hour acc fcst", "ENS=low-res ctl"]);
//! # Ok::<(), gik_core::Error>(())
//! ```

mod bundle;
pub(crate) mod fields;
pub(crate) mod hash;
mod index;
mod land;
mod messages;
mod product;
pub(crate) mod rain;
pub(crate) mod run;
mod table;
pub(crate) mod temperature;
mod window;

pub use bundle::{DEMO_VARIABLES, demo_bundle, demo_run};
pub use index::DataFiles;
pub use product::Product;
pub use run::{Detail, GefsRun};

#[cfg(test)]
mod tests;
