//! What people do with a forecast once a store is open: choose a region, add up
//! windows, write a file, draw a map.
//!
//! - [`BoundingBox`] selects a region of a grid, across the date line too.
//! - [`read_field`] reads a part of a variable, chosen by labels ([`Label`]) and region.
//! - [`Field`] is what a read yields: values, dimensions, coordinates, attributes.
//! - [`write_field`] writes one as `.npy`, `.csv`, `.nc` (CF NetCDF) or `.png`.
//! - [`Map`] draws one as a map with coastlines, borders, a degree grid and a colour bar.
//! - [`accumulation`] makes totals over a period out of the windows that a model publishes.

pub mod accumulation;
mod axes;
mod cf_time;
mod chunks;
pub mod exceedance;
mod field;
mod labels;
pub mod map;
mod pipeline;
mod read;
mod reduce;
mod region;
mod write;
mod zone;

pub use field::{Coordinate, Dimension, Field};
pub use gik_core::{Attributes, CoordinateValues};
pub use labels::{Chosen, Label};
pub use map::{Map, Palette, ProbabilitySheet};
pub use pipeline::Progress;
pub use read::{Query, is_coordinate, read_coordinate, read_field};
pub use reduce::{Measure, Reduction, read_reduced};
pub use region::{BoundingBox, Place, Selection};
pub use write::{Format, check_output, write_field};
pub use zone::Zone;
