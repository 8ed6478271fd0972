//! Messages of HRRR: its grid, its product templates, NCEP's identification.

use gik_core::{ReferenceTime, Result};

use super::run::{HrrrRun, Product};
use super::table::Line;
use super::weather;
use crate::grib::{
    Encoded, Message, Packing, Product as GribProduct, RegularGrid, Surface, time_octets,
};

/// NCEP.
const CENTRE: u16 = 7;

impl HrrrRun {
    /// A message with its values.
    pub(super) fn message(&self, line: &Line, minutes: u32) -> Result<Encoded> {
        let values = weather::field(&self.grid, self.reference, line, minutes);
        let message = Message {
            discipline: line.code[0],
            reference: self.reference,
            // Another grid of as many points, whose section is then replaced.
            grid: RegularGrid::new(self.grid.columns, self.grid.rows, 0, 0, 1),
            product: GribProduct::instant(0, 0, Surface::GROUND, 0),
            packing: Packing::complex(weather::decimals(line)),
        };
        let encoded = message.encode(&values)?.of_centre(CENTRE);
        Ok(encoded
            .with_section(3, &self.grid.section())
            .with_section(4, &self.product_section(line, minutes)))
    }

    /// The values of the message of a variable as a decoder must give them, rows from the south.
    ///
    /// # Errors
    /// When the product has no such variable at that time, or it has several levels.
    pub fn values(&self, name: &str, minutes: u32) -> Result<Vec<f64>> {
        let mut lines = self.lines(minutes.div_ceil(60));
        let line = lines.find(|(at, line)| *at == minutes && line.name == name);
        let (_, line) = line.ok_or_else(|| {
            gik_core::Error::argument(format!("variable '{name}'"), "is not there")
        })?;
        Ok(self.message(line, minutes)?.values())
    }

    /// Section 4 in template 4.0 or 4.8; sub-hourly products count in minutes.
    pub(super) fn product_section(&self, line: &Line, minutes: u32) -> Vec<u8> {
        let (unit, length) = if self.product == Product::Subh { (0, 1) } else { (1, 60) };
        let start = line.start(minutes);
        let template: u16 = if line.statistic.is_some() { 8 } else { 0 };
        let [_, category, number] = line.code;
        let mut out = vec![0, 0, 0, 0, 4, 0, 0];
        out.extend(template.to_be_bytes());
        // Forecast by process 83 (HRRR), no data cut-off.
        out.extend([category, number, 2, 0, 83, 0, 0, 0, unit]);
        out.extend((start / length).to_be_bytes());
        for surface in line.surfaces {
            out.extend(surface.octets());
        }
        if let Some((_, code)) = line.statistic {
            let end = self.reference.seconds() + i64::from(minutes) * 60;
            out.extend(time_octets(ReferenceTime::from_seconds(end)));
            out.extend([1, 0, 0, 0, 0, code, 2, unit]);
            out.extend(((minutes - start) / length).to_be_bytes());
            out.extend([255, 0, 0, 0, 0]);
        }
        if let (Ok(length), Some(octets)) = (u32::try_from(out.len()), out.first_chunk_mut()) {
            *octets = length.to_be_bytes();
        }
        out
    }
}
