//! Files of real GRIB messages of chosen variables.

use std::path::Path;

use gik_core::{Error, Result};

use super::fields::{self, Weather};
use super::index::write_line;
use super::run::GefsRun;
use super::table::Line;
use super::window;
use crate::generated::{Counts, RunFile};
use crate::grib::{Ensemble, Message, Product, Window};

impl GefsRun {
    /// Names of the variables that [`files`](Self::files) can generate for this product.
    #[must_use]
    pub fn variables(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .product
            .lines()
            .iter()
            .filter(|line| fields::find(line).is_some())
            .map(|line| line.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Generates the files of the run one by one, each with the messages of `variables`
    /// that this product has at that step, in the order of the real files.
    ///
    /// A variable on pressure levels comes on all levels of the product.
    ///
    /// # Errors
    /// A variable that cannot be generated for this product; the text lists those that can.
    pub fn files(&self, variables: &[&str]) -> Result<impl Iterator<Item = Result<RunFile>>> {
        let known = self.variables();
        if let Some(unknown) = variables.iter().find(|name| !known.contains(name)) {
            let reason = format!(
                "cannot be generated for {}; there are: {}",
                self.product.folder(),
                known.join(", ")
            );
            return Err(Error::argument(format!("variable '{unknown}'"), reason));
        }
        let lines: Vec<&Line> =
            self.product.lines().iter().filter(|line| variables.contains(&line.name)).collect();
        Ok(self.targets().map(move |(member, step)| self.file(&lines, member, step)))
    }

    fn file(&self, lines: &[&Line], member: u8, step: u32) -> Result<RunFile> {
        let weather = Weather {
            grid: self.product.grid(),
            cycle: self.reference.hour(),
            member,
            step,
            start: window::start(step),
            detail: self.detail,
        };
        let (mut data, mut index) = (Vec::new(), String::new());
        let mut number = 0;
        for line in lines.iter().filter(|line| line.occurs_at(step)) {
            let Some(field) = fields::find(line) else { continue };
            number += 1;
            let offset = data.len() as u64;
            write_line(&mut index, (number, offset), self.reference, line, (member, step));
            let message = Message {
                discipline: line.discipline,
                reference: self.reference,
                grid: weather.grid,
                product: Product {
                    category: line.category,
                    number: line.number,
                    first: line.first,
                    second: line.second,
                    lead: step,
                    window: line
                        .statistic
                        .map(|statistic| Window { statistic, start: weather.start }),
                    ensemble: Some(Ensemble { member, size: 30 }),
                },
                packing: field.packing(self.detail),
            };
            data.extend(message.encode(&(field.values)(&weather, line))?.bytes);
        }
        let path = self.path(member, step);
        let index_path = format!("{path}.idx");
        Ok(RunFile { path, index_path, member: Some(member), step, data, index })
    }

    /// Writes [`files`](Self::files) and their indexes below `bucket`.
    ///
    /// # Errors
    /// As `files`, or a folder or file cannot be written.
    pub fn write_messages(&self, bucket: &Path, variables: &[&str]) -> Result<Counts> {
        let mut counts = Counts::default();
        for file in self.files(variables)? {
            file?.write(bucket, &mut counts)?;
        }
        Ok(counts)
    }
}
