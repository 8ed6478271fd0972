//! Files of real GRIB messages of chosen parameters.

use std::path::Path;

use gik_core::{Error, Result};

use super::index::Target;
use super::run::{EcmwfRun, Kind};
use super::table::parameters;
use crate::gefs::fields::{self, Weather};
use crate::gefs::run::Detail;
use crate::gefs::{rain, temperature};
use crate::generated::{Counts, RunFile};
use crate::grib::{
    Encoded, Ensemble, Message, Packing, Precision, Product, Statistic, Surface, Window,
};

/// The parameters that can be generated, on pressure levels on the [`LEVELS`] only.
const PARAMETERS: [&str; 4] = ["2t", "tp", "t", "gh"];
/// hPa.
const LEVELS: [u32; 2] = [850, 500];
/// ECMWF in common code table C-11.
const CENTRE: u16 = 98;

impl EcmwfRun {
    /// Generates the files of the run, each with the messages of `parameters`.
    ///
    /// # Errors
    /// A parameter that cannot be generated; the text lists those that can.
    pub fn files(&self, parameters: &[&str]) -> Result<Vec<RunFile>> {
        let mut files = Vec::new();
        for kind in self.kinds() {
            for step in self.published_steps() {
                files.push(self.file(&kind, step, parameters)?);
            }
        }
        Ok(files)
    }

    fn file(&self, kind: &Kind, step: u32, wanted: &[&str]) -> Result<RunFile> {
        if let Some(unknown) = wanted.iter().find(|name| !PARAMETERS.contains(name)) {
            return Err(Error::argument(
                format!("parameter '{unknown}'"),
                format!("cannot be generated; there are: {}", PARAMETERS.join(", ")),
            ));
        }
        let (mut data, mut index) = (Vec::new(), String::new());
        for target in self.targets(kind, step, |it| wanted.contains(&it.param)) {
            if target.level.is_some_and(|level| !LEVELS.contains(&level)) {
                continue;
            }
            let message = self.encode(kind, step, &target)?.bytes;
            let place = (data.len() as u64, message.len() as u64);
            self.write_line(&mut index, kind, step, &target, place);
            data.extend(message);
        }
        let path = self.path(kind, step);
        let index_path = path.replace(".grib2", ".index");
        Ok(RunFile { path, index_path, member: None, step, data, index })
    }

    /// The values of a message as a decoder must give them, rows from the north, columns from
    /// 180°W; none for what cannot be generated.
    ///
    /// # Errors
    /// None that the generator does not have.
    pub fn values(
        &self,
        param: &str,
        level: Option<u32>,
        member: u8,
        step: u32,
    ) -> Result<Option<Vec<f64>>> {
        let kind = self.kinds().into_iter().find(|kind| kind.members.contains(&member));
        let row = parameters().iter().find(|it| {
            it.param == param
                && it.levels.contains(&level)
                && kind.as_ref().is_some_and(|kind| it.products.contains(kind.products))
                && it.occurs_at(self.reference, step)
        });
        let (Some(kind), Some(parameter)) = (kind, row) else { return Ok(None) };
        let encoded = self.encode(&kind, step, &Target { member, parameter, level })?;
        Ok(Some(encoded.values()))
    }

    fn encode(&self, kind: &Kind, step: u32, target: &Target) -> Result<Encoded> {
        let Target { member, parameter, level } = *target;
        let weather = Weather {
            grid: self.grid(),
            cycle: self.reference.hour(),
            member,
            step,
            start: 0,
            detail: Detail::Coarse,
        };
        let (kind_of_surface, height) = parameter.surface;
        let first = match level {
            Some(level) => Surface::isobaric(i32::try_from(level * 100).unwrap_or(i32::MAX)),
            None => Surface { kind: kind_of_surface, factor: 0, value: height },
        };
        let up = 1.0 - f64::from(level.unwrap_or(1000)) / 1000.0;
        let values = match parameter.param {
            "2t" => temperature::field(&weather, step),
            "t" => fields::aloft(&weather, up),
            "gh" => fields::height(&weather, up),
            _ => {
                // Metres.
                let mut rain = rain::accumulation(weather.grid, member, 0, step);
                if self.detail == Detail::Dense {
                    // What falls in the first hour falls in every hour: totals never shrink.
                    let mut hour = vec![0.0; rain.len()];
                    rain::drizzle(weather.grid, member, 0, 1, &mut hour);
                    let hours = f32::from(u16::try_from(step).unwrap_or(u16::MAX));
                    rain.iter_mut().zip(hour).for_each(|(sum, each)| *sum += each * hours);
                }
                rain.iter_mut().for_each(|value| *value /= 1000.0);
                rain
            }
        };
        let [discipline, category, number] = parameter.code;
        let is_member = kind.types != ["fc", "fc"];
        let message = Message {
            discipline,
            reference: self.reference,
            grid: weather.grid,
            product: Product {
                category,
                number,
                first,
                second: None,
                lead: step,
                window: (parameter.statistic == "accum")
                    .then_some(Window { statistic: Statistic::Accumulation, start: 0 }),
                ensemble: is_member.then_some(Ensemble { member, size: 51 }),
            },
            // ECMWF packs in 8 to 16 bits; the fewest keep the demo's files small.
            packing: Packing::ccsds(0).with(Precision::Bits(match self.detail {
                Detail::Dense => 16,
                Detail::Fine | Detail::Coarse => 8,
            })),
        };
        Ok(message.encode(&values)?.of_centre(CENTRE))
    }

    /// Writes [`files`](Self::files) and their indexes below `bucket`.
    ///
    /// # Errors
    /// As there, and a folder or file that cannot be written.
    pub fn write_messages(&self, bucket: &Path, parameters: &[&str]) -> Result<Counts> {
        let mut counts = Counts::default();
        for kind in self.kinds() {
            for step in self.published_steps() {
                self.file(&kind, step, parameters)?.write(bucket, &mut counts)?;
            }
        }
        Ok(counts)
    }
}
