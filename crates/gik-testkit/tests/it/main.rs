//! The servers and their faults, seen through the clients that `gik` uses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod clients;
mod http;
mod raw;
mod retries;
mod s3;
mod s3_writes;
mod store;
