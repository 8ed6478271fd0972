//! GRIB edition 1: fields in simple packing, as old archives hold them.
//!
//! ```text
//! 0 Indicator          "GRIB", total length (3 octets), edition
//! 1 Product definition which sections follow, decimal scale factor
//! 2 Grid description   (optional)
//! 3 Bitmap             (optional)
//! 4 Binary data        binary scale factor, reference value, bits, packed integers
//! 5 End                "7777"
//! ```
//!
//! Source: WMO Manual on Codes, FM 92-VIII Ext. GRIB edition 1. Lengths have three octets,
//! the reference value is of the hexadecimal kind of the IBM System/360.

use std::ops::Range;

use gik_core::{Error, Result};

use crate::bitmap::Bitmap;
use crate::grid::{GridShape, ScanMode};
use crate::message::Section;
use crate::reader::ByteReader;
use crate::representation::{MAX_BITS, Packing};
use crate::scale::{Scaling, Value, power};
use crate::unpack::unpack;

/// Grid types whose octets 7–8 and 9–10 are points of a row and of a column, and octet 28
/// the scanning mode: latitude and longitude, Mercator, Lambert, Gaussian, polar
/// stereographic (code table 6).
const GRIDS: &[u8] = &[0, 1, 3, 4, 5];
/// A number of two octets that is missing: rows of different lengths.
const MISSING: u16 = u16::MAX;

/// The edition of the message, if these are its first octets.
pub(crate) fn edition(bytes: &[u8]) -> Option<u8> {
    bytes.starts_with(b"GRIB").then(|| bytes.get(7).copied()).flatten()
}

/// A message of edition 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message1<'a> {
    pub(crate) shape: GridShape,
    points: usize,
    decimal_scale: i16,
    bitmap: Option<Section<'a>>,
    data: Section<'a>,
}

impl<'a> Message1<'a> {
    /// Finds the sections.
    ///
    /// # Errors
    /// When bytes are missing, or the grid is none of rows and columns.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes, 0);
        reader.seek_octet(5)?;
        let length = length(&mut reader)?;
        let Some(bytes) = bytes.get(..length) else {
            return Err(Error::truncated(length as u64, bytes.len() as u64).at(0));
        };
        let mut reader = ByteReader::new(bytes, 0);
        reader.seek_octet(9)?;
        let product = section(&mut reader, 1)?;
        let follows = product.at_octet(8)?.u8()?;
        let decimal_scale = product.at_octet(27)?.signed16()?;
        if follows & 0x80 == 0 {
            let what = "GRIB edition 1 grid";
            return Err(product.unsupported(8, what, "one that the centre predefined"));
        }
        let grid = section(&mut reader, 2)?;
        let bitmap = if follows & 0x40 != 0 { Some(section(&mut reader, 3)?) } else { None };
        let data = section(&mut reader, 4)?;
        let end = reader.take(4)?;
        if end != b"7777" {
            let expected = "7777 after the data section";
            let found = end.escape_ascii().to_string();
            return Err(Error::malformed("message", expected, found).at(data.offset));
        }

        let kind = grid.at_octet(6)?.u8()?;
        let mut lengths = grid.at_octet(7)?;
        let (columns, rows) = (lengths.u16()?, lengths.u16()?);
        if !GRIDS.contains(&kind) || columns == MISSING || rows == MISSING {
            let what = "GRIB edition 1 grid (code table 6)";
            return Err(grid.unsupported(6, what, format!("{kind}, {rows} rows of {columns}")));
        }
        let scan = ScanMode(grid.at_octet(28)?.u8()? & 0xe0);
        let shape = GridShape { columns: u32::from(columns), rows: u32::from(rows), scan };
        let points = usize::from(columns) * usize::from(rows);
        Ok(Self { shape, points, decimal_scale, bitmap, data })
    }

    /// Holds the number of points against that of the chunk.
    ///
    /// # Errors
    /// When they differ.
    pub(crate) fn check_points(&self, points: usize) -> Result<usize> {
        if points != self.points {
            let what = "number of grid points of the message and the chunk";
            let error = Error::mismatch(what, points.to_string(), self.points.to_string());
            return Err(error.at(self.data.offset));
        }
        Ok(points)
    }

    /// Decodes the values of the points `wanted`, in the message's order. `points` is what
    /// the chunk has.
    ///
    /// # Errors
    /// When the grid has another number of points, the packing is not simple, or bytes are
    /// missing.
    pub(crate) fn decode<T: Value>(
        &self,
        points: usize,
        wanted: Range<usize>,
        out: &mut [T],
    ) -> Result<()> {
        self.check_points(points)?;
        let bitmap = match &self.bitmap {
            None => None,
            Some(section) => match section.at_octet(5)?.u16()? {
                0 => Some(Bitmap::read(section, points)?),
                centre => {
                    let what = "bitmap predefined by the centre";
                    return Err(section.unsupported(5, what, centre.to_string()));
                }
            },
        };
        let values = bitmap.map_or(points, |bitmap| bitmap.ones());
        let mut reader = self.data.at_octet(4)?;
        let flags = reader.u8()?;
        // Spherical harmonics, complex packing, additional flags (code table 11).
        if flags & 0xd0 != 0 {
            let what = "GRIB edition 1 packing (code table 11)";
            return Err(self.data.unsupported(4, what, format!("{flags:#010b}; known is simple")));
        }
        let binary = reader.signed16()?;
        let scaling = Scaling {
            reference: hexadecimal(reader.u32()?),
            binary: power(2.0, binary),
            decimal: power(10.0, -self.decimal_scale),
        };
        let bits = reader.u8()?;
        if bits > MAX_BITS {
            let expected = format!("at most {MAX_BITS}");
            return Err(self.data.malformed(11, "bits for each value", expected, &bits));
        }
        // The integers begin in octet 12, and in octet 6 of a data section of edition 2.
        let integers = Section {
            offset: self.data.offset.saturating_add(6),
            bytes: self.data.from_octet(7),
            ..self.data
        };
        let packing = Packing::Simple { scaling, bits };
        let Some(bitmap) = bitmap else {
            return unpack(&packing, &integers, values, wanted, out);
        };
        let (first, end) = (bitmap.ones_before(wanted.start), bitmap.ones_before(wanted.end));
        if let Some(packed) = out.get_mut(..end - first) {
            unpack(&packing, &integers, values, first..end, packed)?;
        }
        bitmap.spread(wanted, out);
        Ok(())
    }
}

/// The next section, which begins with its length.
fn section<'a>(reader: &mut ByteReader<'a>, number: u8) -> Result<Section<'a>> {
    let offset = reader.offset();
    let length = length(&mut reader.clone())?;
    Ok(Section { number, offset, bytes: reader.take(length)? })
}

/// A length in three octets.
fn length(reader: &mut ByteReader<'_>) -> Result<usize> {
    Ok(reader.take(3)?.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)))
}

/// A number of the IBM System/360: sign, exponent of 16 with an excess of 64, and a fraction
/// of 24 bits.
fn hexadecimal(bits: u32) -> f64 {
    let fraction = f64::from(bits & 0x00ff_ffff) / f64::from(1 << 24);
    let exponent = i32::from((bits >> 24 & 0x7f) as u8) - 64;
    let magnitude = fraction * 16_f64.powi(exponent);
    if bits >> 31 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_numbers() {
        assert_eq!(hexadecimal(0), 0.0);
        assert_eq!(hexadecimal(0x4110_0000), 1.0);
        assert_eq!(hexadecimal(0xc276_a000), -118.625);
        assert_eq!(hexadecimal(0x4080_0000), 0.5);
    }
}
