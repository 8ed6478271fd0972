//! What people do with a forecast once a store is open: choose a region, add up
//! windows, count members, write a file, draw a map.
//!
//! - [`BoundingBox`] selects a region of a grid, across the date line too; [`Place`] a point.
//! - [`read_field`] reads a part of a variable, chosen by labels ([`Label`]) and region;
//!   [`read_reduced`] a statistic over one of its dimensions ([`Reduction`]).
//! - [`accumulation`] makes totals over a period out of the windows that a model publishes:
//!   [`accumulation::accumulate`] of a stored variable, [`accumulation::total`] of numbers.
//! - [`exceedance`] counts in how many members such totals reach thresholds.
//! - [`Field`] is what a read yields: values, dimensions, coordinates, attributes.
//! - [`write_field`] writes one as `.npy`, `.csv`, `.nc` (CF NetCDF), `.zarr` or `.png`.
//! - [`Map`] draws one as a map with coastlines, borders, a degree grid and a colour bar;
//!   [`ProbabilitySheet`] draws a sheet of them.
//!
//! Reading overlaps fetching, decoding and reducing: many requests are under way, all cores
//! decode, of each message only the part that is wanted, and what is decoded is reduced at
//! once. Memory is bounded by a budget ([`Query::memory`]), not by the size of a job. A message
//! that is missing or damaged costs its own values, and is counted ([`Losses`]).
//!
//! # Examples
//! The rain of a day, of every member, and how probable 10 mm are:
//! ```
//! use gik_analysis::accumulation::{Request, accumulate};
//! use gik_analysis::{example, exceedance::exceedance};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let store = example::store(folder.path()).await?;
//! let request = Request { region: Some("36,0,38,1".parse()?), ..Request::new("tp") };
//! let (rain, account) = accumulate(&store, &request, &|_, _| {}).await?;
//! assert!(account.is_complete());
//! assert_eq!(rain.shape(), [3, 1, 2, 3]);
//! assert_eq!(rain.values()[..3], [0.0, 4.0, 8.0]);
//!
//! let (probability, summary) = exceedance(&store, &request, &[10.0], &|_, _| {}).await?;
//! assert_eq!(summary.members, [3]);
//! assert_eq!(probability.values()[..4], [0.0, 33.333332, 66.666664, 100.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accumulation;
mod axes;
mod cf_time;
mod chunks;
pub mod example;
pub mod exceedance;
mod field;
mod labels;
mod losses;
pub mod map;
mod memory;
mod pipeline;
mod published;
mod read;
mod reduce;
mod region;
mod write;
mod zone;

pub use field::{Coordinate, Dimension, Field};
pub use gik_core::{Attributes, CoordinateValues};
pub use labels::{Chosen, Label};
pub use losses::Losses;
pub use map::{Map, Palette, ProbabilitySheet, completeness_png};
pub use memory::DEFAULT_MEMORY;
pub use pipeline::Progress;
pub use read::{Query, is_coordinate, read_coordinate, read_field};
pub use reduce::{Measure, Reduction, read_reduced};
pub use region::{BoundingBox, Place, Selection};
pub use write::{Format, check_output, write_field};
pub use zone::Zone;
