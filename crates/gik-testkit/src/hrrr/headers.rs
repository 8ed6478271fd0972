//! Sparse files: every message with true headers and of a real length, without data.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use gik_core::Result;

use super::run::HrrrRun;
use super::table::Line;
use crate::gefs::hash;
use crate::generated::{io_error, write_sparse};
use crate::grib::{Message, Packing, Product as GribProduct, RegularGrid, Surface};

impl HrrrRun {
    /// Writes the file of an hour; answers its index and its size.
    pub(super) fn write_sparse_file(&self, path: &Path, hour: u32) -> Result<(String, u64)> {
        let (mut index, mut offset) = (String::new(), 0);
        let mut pieces = Vec::new();
        for (number, (minutes, line)) in (1..).zip(self.lines(hour)) {
            let seed = [u64::from(minutes), number as u64];
            // 0.85 to 1.15 of a real one, in steps of a thousandth.
            let length = line.bytes * (850 + hash::bits(&seed) % 301) / 1000;
            let mut header = self.header(line, minutes)?;
            let length = length.max(header.len() as u64 + 9);
            self.write_line(&mut index, number, offset, minutes, line);
            // Section 7 has all that is left but for the end section.
            let data = length - header.len() as u64 - 4;
            header.extend(u32::try_from(data).unwrap_or(u32::MAX).to_be_bytes());
            header.push(7);
            if let Some(octets) = header.get_mut(8..16) {
                octets.copy_from_slice(&length.to_be_bytes());
            }
            pieces.push((offset, header));
            offset += length;
            pieces.push((offset - 4, b"7777".to_vec()));
        }
        write_sparse(path, offset)?;
        let written = File::options().write(true).open(path).and_then(|mut file| {
            for (at, bytes) in &pieces {
                file.seek(SeekFrom::Start(*at))?;
                file.write_all(bytes)?;
            }
            file.flush()
        });
        written.map_err(|error| io_error(path, error))?;
        Ok((index, offset))
    }

    /// Sections 0 to 6 of a message.
    fn header(&self, line: &Line, minutes: u32) -> Result<Vec<u8>> {
        let message = Message {
            discipline: line.code[0],
            reference: self.reference,
            grid: RegularGrid::new(2, 2, 0, 0, 1),
            product: GribProduct::instant(0, 0, Surface::GROUND, 0),
            packing: Packing::complex(1),
        };
        let encoded = message.encode(&[1.0, 2.0, 3.0, 5.0])?.of_centre(7);
        let mut bytes = encoded
            .with_section(3, &self.grid.section())
            .with_section(4, &self.product_section(line, minutes))
            .bytes;
        let mut at = 16;
        while let Some(&[a, b, c, d, number]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            if number == 7 {
                break;
            }
            if number == 5
                && let Some(values) = bytes.get_mut(at + 5..at + 9)
            {
                let points = self.grid.columns * self.grid.rows;
                values.copy_from_slice(&points.to_be_bytes());
            }
            at += u32::from_be_bytes([a, b, c, d]).max(5) as usize;
        }
        bytes.truncate(at);
        Ok(bytes)
    }
}
