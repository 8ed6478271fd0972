//! The command and the library as people use them: from index files to values, on disks, S3
//! and web servers, with damage and faults.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking, in its helpers too; what is cast is small"
)]

mod append;
mod arguments;
mod backfill;
mod concurrent;
mod damage;
mod demo;
mod desk;
mod ecmwf;
mod exceedance;
mod export;
mod faults;
mod hostile;
mod http;
mod import;
mod killed;
mod learn;
mod limits;
mod live;
mod options;
mod projected;
mod read;
mod run;
mod s3;
mod scan;
mod template;
mod template_ecmwf;
mod update;
mod validate;
