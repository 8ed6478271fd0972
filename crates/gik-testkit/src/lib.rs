//! What the tests of `gik` share: generated forecasts, the promises that every parser
//! keeps, local servers that speak real protocols, and faults to inject into them.
//!
//! - [`grib`]: GRIB2 messages from values;
//! - [`gefs`], [`ecmwf`], [`hrrr`]: whole forecast runs, laid out as their public buckets;
//! - [`generated`]: what these write;
//! - [`mirror`]: a folder laid out like a bucket, [`listing`]: a schema as text;
//! - [`conformance`]: what every parser must do;
//! - [`s3`]: an S3 server over a temporary directory;
//! - [`http`]: a plain web server over a directory, without listings;
//! - [`store`]: the same faults around any `object_store`, without a network;
//! - [`faults`]: what goes wrong, with which requests;
//! - [`counters`]: what was asked.
//!
//! Not published, and nothing here is needed outside of tests.

pub mod conformance;
pub mod counters;
pub mod ecmwf;
pub mod faults;
pub mod gefs;
pub mod generated;
pub mod grib;
pub mod hrrr;
pub mod http;
pub mod listing;
pub mod mirror;
pub mod s3;
pub mod store;

mod files;
mod latency;
mod server;
