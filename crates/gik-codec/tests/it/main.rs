//! Decoding against ecCodes, damaged messages, and arrays of zarrs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "functions that tests share may fail the test, and single precision is meant"
)]

mod allocations;
mod coordinates;
mod edition1;
mod fixtures;
mod hostile;
mod hrrrparser;
mod messages;
mod regions;
mod scan;
mod values;
mod zarrs_arrays;
