//! What to generate.

use std::ops::RangeInclusive;
use std::path::Path;

use gik_core::{MapProjection, ProjectedGrid, ReferenceTime, Result};

use super::table::{Line, lines};
use crate::generated::{Counts, RunFile, write};

/// A product of HRRR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// `wrfsfc`: 173 messages, 170 at hours 0 and 1.
    Sfc,
    /// `wrfprs`: 14 variables on 40 pressure levels.
    Prs,
    /// `wrfnat`: 20 variables on 50 hybrid levels.
    Nat,
    /// `wrfsubh`: 49 messages each quarter of an hour.
    Subh,
}

impl Product {
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Sfc => "sfc",
            Self::Prs => "prs",
            Self::Nat => "nat",
            Self::Subh => "subh",
        }
    }
}

/// A run of HRRR to generate: all hours of `wrfsfc` over the contiguous states unless told
/// otherwise.
#[derive(Debug, Clone)]
pub struct HrrrRun {
    pub(super) reference: ReferenceTime,
    pub(super) product: Product,
    is_alaska: bool,
    hours: RangeInclusive<u32>,
    pub(super) grid: ProjectedGrid,
}

const CONUS: ProjectedGrid = ProjectedGrid {
    projection: MapProjection::Lambert {
        true_latitude: 38_500_000,
        meridian: 262_500_000,
        parallels: [38_500_000; 2],
    },
    radius: 6_371_229,
    columns: 1799,
    rows: 1059,
    first_latitude: 21_138_123,
    first_longitude: 237_280_472,
    dx: 3_000_000,
    dy: 3_000_000,
};

const ALASKA: ProjectedGrid = ProjectedGrid {
    projection: MapProjection::PolarStereographic {
        true_latitude: 60_000_000,
        meridian: 225_000_000,
        south: false,
    },
    columns: 1299,
    rows: 919,
    first_latitude: 41_612_949,
    first_longitude: 185_117_126,
    ..CONUS
};

impl HrrrRun {
    /// The run of this time.
    #[must_use]
    pub fn new(reference: ReferenceTime) -> Self {
        let is_long = reference.hour().is_multiple_of(6);
        Self {
            reference,
            product: Product::Sfc,
            is_alaska: false,
            hours: 0..=if is_long { 48 } else { 18 },
            grid: CONUS,
        }
    }

    /// Another product.
    #[must_use]
    pub const fn product(mut self, product: Product) -> Self {
        self.product = product;
        self
    }

    /// The run over Alaska.
    #[must_use]
    pub const fn alaska(mut self) -> Self {
        self.is_alaska = true;
        self.grid = ALASKA;
        self
    }

    /// Only these hours.
    #[must_use]
    pub fn hours(mut self, hours: RangeInclusive<u32>) -> Self {
        self.hours = hours;
        self
    }

    /// Messages of so few points, from the same first point on: for tests.
    #[must_use]
    pub const fn grid(mut self, columns: u32, rows: u32) -> Self {
        self.grid.columns = columns;
        self.grid.rows = rows;
        self
    }

    /// The hours whose files there are: `wrfsubh` ends at 18.
    pub fn published_hours(&self) -> impl Iterator<Item = u32> + use<> {
        let last = if self.product == Product::Subh { 18 } else { 48 };
        self.hours.clone().filter(move |&hour| hour <= last)
    }

    /// The minutes of the steps in the file of an hour.
    pub(super) fn minutes(&self, hour: u32) -> Vec<u32> {
        match (self.product, hour) {
            (Product::Subh, 1..) => (0..4).map(|quarter| hour * 60 - 45 + quarter * 15).collect(),
            _ => vec![hour * 60],
        }
    }

    /// The messages of the file of an hour, each with its minutes.
    pub(super) fn lines(&self, hour: u32) -> impl Iterator<Item = (u32, &'static Line)> {
        let key = self.product.key();
        let is_here = move |line: &&Line| line.product == key && (hour > 1 || !line.is_later);
        self.minutes(hour)
            .into_iter()
            .flat_map(move |minutes| lines().iter().filter(is_here).map(move |it| (minutes, it)))
    }

    /// Path of the data file of an hour below the bucket.
    #[must_use]
    pub fn path(&self, hour: u32) -> String {
        let (region, suffix) = if self.is_alaska { ("alaska", ".ak") } else { ("conus", "") };
        format!(
            "hrrr.{}/{region}/hrrr.t{:02}z.wrf{}f{hour:02}{suffix}.grib2",
            self.reference.yyyymmdd(),
            self.reference.hour(),
            self.product.key()
        )
    }

    pub(super) fn write_line(
        &self,
        out: &mut String,
        number: usize,
        offset: u64,
        minutes: u32,
        line: &Line,
    ) {
        let civil = self.reference.civil();
        out.push_str(&format!(
            "{number}:{offset}:d={}:{}:{}:{}:\n",
            civil.format("%Y%m%d%H"),
            line.abbreviation,
            line.level,
            line.spelling(minutes)
        ));
    }

    /// The file of an hour with the messages of these variables.
    ///
    /// # Errors
    /// When a variable is none of the product's.
    pub fn file(&self, hour: u32, variables: &[&str]) -> Result<RunFile> {
        let (mut data, mut index) = (Vec::new(), String::new());
        let wanted = self.lines(hour).filter(|(_, line)| variables.contains(&line.name));
        for (number, (minutes, line)) in (1..).zip(wanted) {
            self.write_line(&mut index, number, data.len() as u64, minutes, line);
            data.extend(self.message(line, minutes)?.bytes);
        }
        let path = self.path(hour);
        let index_path = format!("{path}.idx");
        Ok(RunFile { path, index_path, member: None, step: hour, data, index })
    }

    /// Writes the [`file`](Self::file)s of all hours below `bucket`.
    ///
    /// # Errors
    /// As `file`, or a folder or file cannot be written.
    pub fn write_messages(&self, bucket: &Path, variables: &[&str]) -> Result<Counts> {
        let mut counts = Counts::default();
        for hour in self.published_hours() {
            self.file(hour, variables)?.write(bucket, &mut counts)?;
        }
        Ok(counts)
    }

    /// Writes sparse files of all messages of all hours below `bucket`: true headers, no data.
    ///
    /// # Errors
    /// A folder or file cannot be written.
    pub fn write_headers(&self, bucket: &Path) -> Result<Counts> {
        let mut counts = Counts::default();
        for hour in self.published_hours() {
            let path = bucket.join(self.path(hour));
            let (index, size) = self.write_sparse_file(&path, hour)?;
            write(&path.with_added_extension("idx"), index.as_bytes())?;
            counts.files += 1;
            counts.messages += index.lines().count() as u64;
            counts.bytes += size;
        }
        Ok(counts)
    }
}
