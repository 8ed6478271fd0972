//! Probabilities as a CF NetCDF file, written plane by plane as they come.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use gik_core::{CoordinateValues, Result};

use super::{Exceedance, Plane, Summary};
use crate::write::AtomicFile;
use crate::write::netcdf::{Outline, Plan, floats};
use crate::{Coordinate, Dimension};

/// The variable that says how many members each window has.
const MEMBERS: &str = "member_count";
/// The variable that says how many values of each window were raised to zero.
const CLIPPED: &str = "clipped_count";

/// A file of probabilities that is being written. It appears when it is
/// [finished](Self::finish), or not at all.
///
/// # Shape
/// `tp_probability(step, threshold, latitude|y, longitude|x)` in per cent, `step_bnds` and
/// `valid_time_bnds` with the windows' ends, `member_count(step)`: the members that were used, and
/// `clipped_count(step)`: values below zero, of all members, that were raised to it.
#[derive(Debug)]
pub struct ProbabilityFile {
    file: AtomicFile,
    /// Where the counts of members lie.
    members: u64,
    /// Likewise those of clipped values.
    clipped: u64,
}

impl ProbabilityFile {
    /// Begins the file of a job.
    ///
    /// # Errors
    /// When it cannot be written, or the variable is too large for `NetCDF`.
    pub fn create(path: &Path, job: &Exceedance) -> Result<Self> {
        let name = job.name();
        let dimensions: Vec<Dimension> =
            job.dimensions().into_iter().map(|(name, length)| Dimension { name, length }).collect();
        let mut coordinates = job.coordinates();
        let beside = beside(job, &mut coordinates);
        let mut attributes = job.attributes();
        attributes.insert("ancillary_variables".into(), format!("{MEMBERS} {CLIPPED}").into());
        let ends = [Dimension { name: "bnds".into(), length: 2 }];
        let plan = Plan::of(&Outline {
            name: &name,
            dimensions: &dimensions,
            attributes: &attributes,
            coordinates: &coordinates,
            beside: &beside,
            dimensions_beside: &ends,
            dataset_attributes: job.totals().dataset_attributes(),
            values: None,
        })?;
        let mut file = AtomicFile::create(path)?;
        file.write(|out| plan.write(out))?;
        let begin = |name| plan.begin(name).unwrap_or_default();
        Ok(Self { file, members: begin(MEMBERS), clipped: begin(CLIPPED) })
    }

    /// Writes the next plane.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, plane: &Plane<'_>) -> Result<()> {
        self.file.write(|out| floats(plane.values, out))
    }

    /// Adds what is known at the end, and puts the file in its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, summary: &Summary) -> Result<()> {
        let clipped = summary.clipped.iter().map(|&count| u32::try_from(count).unwrap_or(u32::MAX));
        let counts = [(self.members, summary.members.clone()), (self.clipped, clipped.collect())];
        for (begin, counts) in counts {
            self.file.write(|out| {
                out.seek(SeekFrom::Start(begin))?;
                // The file has signed integers.
                let mut counts = counts.iter().map(|&count| count.min(i32::MAX.unsigned_abs()));
                counts.try_for_each(|count| out.write_all(&count.to_be_bytes()))
            })?;
        }
        self.file.commit()
    }
}

/// The bounds of the windows, which their coordinates then name, and the members' counts.
fn beside(job: &Exceedance, coordinates: &mut [Coordinate]) -> Vec<Coordinate> {
    let totals = job.totals();
    let windows = totals.windows();
    let bounds: Vec<i64> = windows
        .iter()
        .flat_map(|window| [i64::from(window.span.start), i64::from(window.span.end)])
        .collect();
    let start = totals.reference_time().unwrap_or(0);
    let seconds = totals.unit().seconds();
    let times = bounds.iter().map(|lead| start + lead * seconds).collect();
    let mut all = Vec::new();
    for (name, values) in [("step", bounds), ("valid_time", times)] {
        let coordinate = coordinates.iter_mut().find(|it| it.name == name);
        let Some(coordinate) = coordinate else { continue };
        let bounds = format!("{name}_bnds");
        coordinate.attributes.insert("bounds".into(), bounds.clone().into());
        let dimensions = vec!["step".to_owned(), "bnds".to_owned()];
        let values = CoordinateValues::Int64(values);
        let mut variable = Coordinate { dimensions, ..Coordinate::axis(&bounds, values) };
        for attribute in ["units", "calendar"] {
            if let Some(value) = coordinate.attributes.get(attribute) {
                variable.attributes.insert(attribute.into(), value.clone());
            }
        }
        all.push(variable);
    }
    for (name, long_name) in [
        (MEMBERS, "members with a complete total over the window"),
        (CLIPPED, "values of all members below zero, noise of packing, that were raised to it"),
    ] {
        let zeros = CoordinateValues::Int64(vec![0; windows.len()]);
        let count = Coordinate { dimensions: vec!["step".into()], ..Coordinate::axis(name, zeros) };
        all.push(count.with_attribute("long_name", long_name).with_attribute("units", "1"));
    }
    all
}
