//! The demo bundle: a small run as one tar file.

use gik_core::{ReferenceTime, Result};

use super::run::{EcmwfRun, Product};
use crate::generated::bundle;

/// 2025-09-30 00 UTC.
const DEMO_TIME: ReferenceTime = ReferenceTime::from_seconds(1_759_190_400);

/// The parameters of the demo bundle, as the index calls them.
pub const DEMO_PARAMETERS: [&str; 4] = ["2t", "tp", "t", "gh"];

/// The run of the demo bundle: ensemble of 2025-09-30 00z, control and two members, 0 to 3
/// hours, on the full 0.25° grid.
#[must_use]
pub fn demo_run() -> EcmwfRun {
    EcmwfRun::new(DEMO_TIME, Product::Enfo).members(0..=2).steps(0..=3)
}

/// The demo bundle, the same bytes each time.
///
/// # Errors
/// None that the generator does not have.
pub fn demo_bundle() -> Result<Vec<u8>> {
    bundle(demo_run().files(&DEMO_PARAMETERS)?.into_iter().map(Ok), DEMO_TIME)
}
