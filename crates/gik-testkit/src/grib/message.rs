//! A message: sections 0 to 8 in order.

use chrono::{Datelike, Timelike};
use gik_core::{Error, ReferenceTime, Result};

use super::bits::BitWriter;
use super::ccsds;
use super::complex;
use super::grid::RegularGrid;
use super::product::Product;
use super::quantise::{Packing, Quantised, Template};

/// Everything of a message but its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Discipline (code table 0.0): 0 meteorology, 2 land surface, 10 oceanography.
    pub discipline: u8,
    /// Initialisation time.
    pub reference: ReferenceTime,
    /// Section 3.
    pub grid: RegularGrid,
    /// Section 4.
    pub product: Product,
    /// Sections 5 and 7.
    pub packing: Packing,
}

/// An encoded message and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The message, from `GRIB` to `7777`.
    pub bytes: Vec<u8>,
    /// The values that it holds, in the form in which it holds them.
    pub quantised: Quantised,
}

impl Encoded {
    /// The value of each point as a decoder must give it, NaN where missing.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.quantised.values()
    }

    /// The same message with another section of this number, given whole; `values` stays what
    /// it was.
    #[must_use]
    pub fn with_section(mut self, number: u8, section: &[u8]) -> Self {
        let mut at = 16;
        while let Some(&[a, b, c, d, found]) = self.bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if found == number {
                self.bytes.splice(at..at + length, section.iter().copied());
                break;
            }
            at += length.max(5);
        }
        let total = (self.bytes.len() as u64).to_be_bytes();
        for (octet, value) in self.bytes.iter_mut().skip(8).zip(total) {
            *octet = value;
        }
        self
    }

    /// The same message from another centre (common code table C-11) without a sub-centre:
    /// NCEP is 7, ECMWF 98.
    #[must_use]
    pub fn of_centre(mut self, centre: u16) -> Self {
        let [high, low] = centre.to_be_bytes();
        // Octets 6 to 9 of section 1, which starts at octet 17.
        for (octet, value) in self.bytes.iter_mut().skip(21).zip([high, low, 0, 0]) {
            *octet = value;
        }
        self
    }
}

impl Message {
    /// Encodes a field: rows from north to south, NaN where there is no value.
    ///
    /// A field without any value is written in template 5.0 with zero bits, whatever the
    /// packing asks for: complex packing has no form for it.
    ///
    /// # Errors
    /// The field does not have the grid's number of points, holds an infinity, or does not
    /// fit the packing (see [`Packing`]).
    pub fn encode(&self, values: &[f32]) -> Result<Encoded> {
        if values.len() != self.grid.len() {
            return Err(Error::mismatch(
                "points of the field",
                self.grid.len().to_string(),
                values.len().to_string(),
            ));
        }
        let quantised = Quantised::new(values, self.packing)?;
        let count = u32::try_from(quantised.integers.len())
            .map_err(|_| Error::argument("grid", "holds more points than section 5 can count"))?;

        let (template, data) = match self.packing.template {
            Template::Complex { order } if count > 0 => {
                let (octets, data) = complex::pack(&quantised, order)?;
                ((3, octets), data)
            }
            Template::Ccsds if count > 0 => {
                ((42, ccsds::octets(quantised.bits)), ccsds::pack(&quantised))
            }
            _ => ((0, vec![quantised.bits.to_be_bytes()[3], 0]), simple(&quantised)),
        };
        let mut body = Vec::with_capacity(data.len() + 300);
        self.write_identification(&mut body);
        body.extend(self.grid.section());
        body.extend(self.product.section(self.reference));
        write_representation(&mut body, &quantised, count, &template)?;
        write_bitmap(&mut body, &quantised)?;
        write_section(&mut body, 7, &data)?;
        body.extend(b"7777");

        let mut bytes = Vec::with_capacity(body.len() + 16);
        bytes.extend(b"GRIB");
        bytes.extend([0, 0, self.discipline, 2]);
        bytes.extend((body.len() as u64 + 16).to_be_bytes());
        bytes.append(&mut body);
        Ok(Encoded { bytes, quantised })
    }

    /// Section 1, 21 octets.
    fn write_identification(&self, out: &mut Vec<u8>) {
        out.extend([0, 0, 0, 21, 1]);
        out.extend([0, 7, 0, 2]); // NCEP, sub-centre 2 (ensemble products)
        out.extend([2, 1, 1]); // master and local tables; start of forecast
        out.extend(time_octets(self.reference));
        out.extend([0, self.product.data_type()]);
    }
}

/// Year, month, day, hour, minute, second as sections 1 and 4 write them.
pub(crate) fn time_octets(time: ReferenceTime) -> [u8; 7] {
    let civil = time.civil();
    let octet = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let [y1, y2] = u16::try_from(civil.year()).unwrap_or(u16::MAX).to_be_bytes();
    [
        y1,
        y2,
        octet(civil.month()),
        octet(civil.day()),
        octet(civil.hour()),
        octet(civil.minute()),
        octet(civil.second()),
    ]
}

/// Section 7 of template 5.0.
fn simple(quantised: &Quantised) -> Vec<u8> {
    let width = quantised.bits;
    let mut bits = BitWriter::with_capacity(quantised.integers.len() * width as usize / 8 + 8);
    if width > 0 {
        for &integer in &quantised.integers {
            bits.put(u64::from(integer), width);
        }
    }
    bits.finish()
}

/// Section 5: the number of the template, and its octets from the 20th on.
fn write_representation(
    out: &mut Vec<u8>,
    quantised: &Quantised,
    count: u32,
    (number, template): &(u16, Vec<u8>),
) -> Result<()> {
    let mut section = Vec::with_capacity(49);
    section.extend(count.to_be_bytes());
    section.extend(number.to_be_bytes());
    section.extend(quantised.reference.to_be_bytes());
    section.extend(super::bits::signed16(quantised.binary));
    section.extend(super::bits::signed16(quantised.decimal));
    section.extend(template);
    write_section(out, 5, &section)
}

/// Section 6: no bitmap, or one bit a point.
fn write_bitmap(out: &mut Vec<u8>, quantised: &Quantised) -> Result<()> {
    let Some(present) = &quantised.present else {
        return write_section(out, 6, &[255]);
    };
    let mut bits = BitWriter::with_capacity(present.len() / 8 + 2);
    bits.put(0, 8); // a bitmap follows
    for &here in present {
        bits.put(u64::from(here), 1);
    }
    write_section(out, 6, &bits.finish())
}

/// Length, number and content of a section.
fn write_section(out: &mut Vec<u8>, number: u8, content: &[u8]) -> Result<()> {
    let length = u32::try_from(content.len() + 5)
        .map_err(|_| Error::argument("field", "packs into more than a section can hold"))?;
    out.extend(length.to_be_bytes());
    out.push(number);
    out.extend(content);
    Ok(())
}

/// Gives the message at the beginning of `bytes` other numbers for its parameter (code tables 4.1
/// and 4.2), of each of its fields; whether it has any.
pub fn renumber(bytes: &mut [u8], category: u8, number: u8) -> bool {
    let (mut at, mut found) = (16, false);
    while let Some(&[a, b, c, d, section]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if [a, b, c, d] == *b"7777" {
            break;
        }
        if section == 4
            && let Some(numbers) = bytes.get_mut(at + 9..at + 11)
        {
            numbers.copy_from_slice(&[category, number]);
            found = true;
        }
        at += u32::from_be_bytes([a, b, c, d]).max(5) as usize;
    }
    found
}
