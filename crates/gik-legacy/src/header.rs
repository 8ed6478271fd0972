//! What the header of a message says of its place.

use gik_core::{Level, ReferenceTime, Window};

/// What the header of a message says of its place. Whoever imports knows how to read one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFacts {
    /// The run.
    pub reference_time: ReferenceTime,
    /// The member, 0 for a control; none where the message is of no ensemble.
    pub member: Option<u32>,
    /// `0-1-8`: discipline, category and number of the parameter.
    pub parameter: String,
    /// The level, if it is a known one.
    pub level: Option<Level>,
    /// The time of the values, or the interval that they are over.
    pub window: Window,
}
