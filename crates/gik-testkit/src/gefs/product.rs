//! The three products of a run: where they lie, their grid, steps and messages.

use std::sync::LazyLock;

use super::table::{self, Line};
use crate::grib::RegularGrid;

/// A product of GEFS v12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// `pgrb2sp25`: 38 common surface fields at 0.25°, to 240 hours.
    S,
    /// `pgrb2ap5`: 85 common fields at 0.5°, to 384 hours, at 00z to 840.
    A,
    /// `pgrb2bp5`: 505 less common fields at 0.5°, to 384 hours, at 00z to 840.
    B,
}

static S: LazyLock<Vec<Line>> = LazyLock::new(|| table::parse(include_str!("pgrb2s.tsv")));
static A: LazyLock<Vec<Line>> = LazyLock::new(|| table::parse(include_str!("pgrb2a.tsv")));
static B: LazyLock<Vec<Line>> = LazyLock::new(|| table::parse(include_str!("pgrb2b.tsv")));

impl Product {
    /// The folder below `atmos/`.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::S => "pgrb2sp25",
            Self::A => "pgrb2ap5",
            Self::B => "pgrb2bp5",
        }
    }

    /// The middle of a file name, between the cycle and the step.
    const fn stem(self) -> &'static str {
        match self {
            Self::S => "pgrb2s.0p25",
            Self::A => "pgrb2a.0p50",
            Self::B => "pgrb2b.0p50",
        }
    }

    /// The grid of every field.
    #[must_use]
    pub const fn grid(self) -> RegularGrid {
        match self {
            Self::S => RegularGrid::GLOBAL_0P25,
            Self::A | Self::B => RegularGrid::GLOBAL_0P50,
        }
    }

    /// The steps that are published, in hours, for the cycle of this hour.
    pub fn steps(self, cycle: u32) -> impl Iterator<Item = u32> {
        let last = match self {
            Self::S => 240,
            Self::A | Self::B if cycle == 0 => 840,
            Self::A | Self::B => 384,
        };
        (0..=240).step_by(3).chain((246..=840).step_by(6)).take_while(move |step| *step <= last)
    }

    /// Path of a data file below the bucket; `date` as `YYYYMMDD`. The index adds `.idx`.
    #[must_use]
    pub fn path(self, date: &str, cycle: u32, member: u8, step: u32) -> String {
        let (folder, stem) = (self.folder(), self.stem());
        let member = if member == 0 { "c00".to_owned() } else { format!("p{member:02}") };
        format!("gefs.{date}/{cycle:02}/atmos/{folder}/ge{member}.t{cycle:02}z.{stem}.f{step:03}")
    }

    /// The messages of all files, in file order.
    pub(super) fn lines(self) -> &'static [Line] {
        match self {
            Self::S => &S,
            Self::A => &A,
            Self::B => &B,
        }
    }
}
