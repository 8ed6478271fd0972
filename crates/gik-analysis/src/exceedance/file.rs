//! Probabilities as a CF NetCDF file, written plane by plane as they come.

use std::collections::HashMap;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use gik_core::Result;

use super::{Exceedance, Plane, Summary};
use crate::Dimension;
use crate::write::AtomicFile;
use crate::write::netcdf::{Outline, Plan, coordinate_data, floats};

/// A file of probabilities that is being written. It appears when it is
/// [finished](Self::finish), or not at all.
///
/// # Shape
/// `tp_probability(step, threshold, latitude|y, longitude|x)` in per cent, `step_bnds` and
/// `valid_time_bnds` with the windows' ends, `member_count(step)`: the members that were used,
/// `member_count_fewest(step)`: those at the point that has fewest, and `clipped_count(step)`, `clipped_lowest(step)`, `rejected_count(step)` and
/// `rejected_lowest(step)`: what was below zero in an amount that cannot be.
#[derive(Debug)]
pub struct ProbabilityFile {
    file: AtomicFile,
    /// Where what is known at the end lies.
    begins: HashMap<String, u64>,
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
        let coordinates = job.coordinates();
        let mut attributes = job.attributes();
        let known_later = job.beside(&Summary::default());
        let names: Vec<&str> = known_later.iter().map(|it| it.name.as_str()).collect();
        attributes.insert("ancillary_variables".into(), names.join(" ").into());
        let plan = Plan::of(&Outline {
            name: &name,
            dimensions: &dimensions,
            attributes: &attributes,
            coordinates: &coordinates,
            beside: &known_later,
            dataset_attributes: job.totals().dataset_attributes(),
            values: None,
        })?;
        let mut file = AtomicFile::create(path)?;
        file.write(|out| plan.write(out))?;
        let begins =
            known_later.iter().filter_map(|it| Some((it.name.clone(), plan.begin(&it.name)?)));
        Ok(Self { file, begins: begins.collect() })
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
    pub fn finish(mut self, job: &Exceedance, summary: &Summary) -> Result<()> {
        for variable in job.beside(summary) {
            let Some(&begin) = self.begins.get(&variable.name) else { continue };
            let data = coordinate_data(&variable)?;
            self.file.write(|out| {
                out.seek(SeekFrom::Start(begin))?;
                data.write(out)
            })?;
        }
        self.file.commit()
    }
}
