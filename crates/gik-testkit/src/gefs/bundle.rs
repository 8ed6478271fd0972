//! The demo bundle: a small run as one tar file.

use gik_core::{ReferenceTime, Result};

use super::product::Product;
use super::run::{Detail, GefsRun};
use crate::generated::bundle;

/// 2025-01-06 00 UTC.
const DEMO_TIME: ReferenceTime = ReferenceTime::from_seconds(1_736_121_600);

/// The variables of the demo bundle.
pub const DEMO_VARIABLES: [&str; 2] = ["tp", "t2m"];

/// The run of the demo bundle: 2025-01-06 00z, control and four members, 24 hours, on the
/// full 0.25° grid, packed coarsely.
#[must_use]
pub fn demo_run() -> GefsRun {
    GefsRun::new(DEMO_TIME).product(Product::S).members(0..=4).steps(0..=24).detail(Detail::Coarse)
}

/// The demo bundle, the same bytes each time.
///
/// # Errors
/// None that the generator does not have.
pub fn demo_bundle() -> Result<Vec<u8>> {
    bundle(demo_run().files(&DEMO_VARIABLES)?, DEMO_TIME)
}
