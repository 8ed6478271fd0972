//! Section 5: how the values are packed.

use gik_core::Result;

use crate::message::Section;
use crate::reader::ByteReader;
use crate::scale::Scaling;

/// The widest integer that is unpacked, in bits.
pub(crate) const MAX_BITS: u8 = 32;

/// The widest extra descriptors. Values of 32 bits and their differences fit 5 octets.
const MAX_DESCRIPTOR_OCTETS: u8 = 5;

const TEMPLATE: &str = "data representation template (code table 5.0)";

/// What section 5 says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DataRepresentation {
    /// Values in section 7: all points of the grid, or those that the bitmap marks.
    pub values: u32,
    /// The data representation template (code table 5.0).
    pub template: u16,
    /// The packing and its parameters.
    pub packing: Packing,
}

/// A packing of grid-point values.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Packing {
    /// Template 5.0: each value an integer of `bits` bits; none means a constant field.
    Simple {
        /// R, E and D.
        scaling: Scaling,
        /// Bits for each value.
        bits: u8,
    },
    /// Templates 5.2 and 5.3.
    Complex(ComplexPacking),
    /// Template 5.4: IEEE numbers.
    Ieee {
        /// 1 is single and 2 double precision (code table 5.7).
        precision: u8,
    },
    /// Template 5.40: a JPEG 2000 codestream.
    Jpeg2000 {
        /// R, E and D.
        scaling: Scaling,
        /// Bits for each value; none means a constant field.
        bits: u8,
    },
    /// Template 5.41: a PNG image.
    Png {
        /// R, E and D.
        scaling: Scaling,
        /// Bits for each value; none means a constant field.
        bits: u8,
    },
    /// Template 5.42: CCSDS 121.0 lossless compression.
    Ccsds(CcsdsPacking),
}

impl Packing {
    /// The least difference between two values that it can hold, `2^E·10^-D`, in the units of
    /// the values; 0 for numbers that are not packed.
    #[must_use]
    pub fn quantum(&self) -> f64 {
        let scaling = match self {
            Self::Simple { scaling, .. }
            | Self::Jpeg2000 { scaling, .. }
            | Self::Png { scaling, .. } => scaling,
            Self::Complex(packing) => &packing.scaling,
            Self::Ccsds(packing) => &packing.scaling,
            Self::Ieee { .. } => return 0.0,
        };
        scaling.binary * scaling.decimal
    }
}

/// Templates 5.2 (complex packing) and 5.3 (with spatial differencing).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComplexPacking {
    /// R, E and D.
    pub scaling: Scaling,
    /// Octet 20: bits of each group's reference.
    pub bits: u8,
    /// Octet 23: 0 none, 1 primary, 2 primary and secondary missing values (code table 5.5).
    pub missing_management: u8,
    /// Octets 32–35: groups.
    pub groups: u32,
    /// Octet 36: what is added to each group's width.
    pub width_reference: u8,
    /// Octet 37: bits of each group's width.
    pub width_bits: u8,
    /// Octets 38–41: what is added to each group's scaled length.
    pub length_reference: u32,
    /// Octet 42: what each group's length is multiplied by.
    pub length_increment: u8,
    /// Octets 43–46: the length of the last group.
    pub last_length: u32,
    /// Octet 47: bits of each group's scaled length.
    pub length_bits: u8,
    /// Octet 48 of template 5.3 (code table 5.6); 0 for template 5.2.
    pub order: u8,
    /// Octet 49 of template 5.3: octets of each extra descriptor in section 7.
    pub descriptor_octets: u8,
}

/// Template 5.42.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CcsdsPacking {
    /// R, E and D.
    pub scaling: Scaling,
    /// Bits for each value; none means a constant field.
    pub bits: u8,
    /// Octet 22: the compression options mask.
    pub options: u8,
    /// Octet 23: samples in a block.
    pub block_size: u8,
    /// Octets 24–25: blocks between reference samples.
    pub reference_interval: u16,
}

impl DataRepresentation {
    /// Reads section 5.
    ///
    /// # Errors
    /// When it is too short for its template, holds parameters that its template does
    /// not allow, or is of a template that this crate cannot unpack.
    pub fn read(section: &Section<'_>) -> Result<Self> {
        let mut reader = section.at_octet(6)?;
        let values = reader.u32()?;
        let template = reader.u16()?;
        let packing = match template {
            0 => {
                let (scaling, bits) = scaled(section, &mut reader)?;
                Packing::Simple { scaling, bits }
            }
            2 | 3 => Packing::Complex(ComplexPacking::read(section, template == 3)?),
            4 => Packing::Ieee { precision: reader.u8()? },
            40 => {
                let (scaling, bits) = scaled(section, &mut reader)?;
                Packing::Jpeg2000 { scaling, bits }
            }
            41 => {
                let (scaling, bits) = scaled(section, &mut reader)?;
                Packing::Png { scaling, bits }
            }
            42 => Packing::Ccsds(CcsdsPacking::read(section)?),
            other => {
                let value = format!("5.{other}; known are 5.0, 5.2, 5.3, 5.4, 5.40, 5.41, 5.42");
                return Err(section.unsupported(10, TEMPLATE, value));
            }
        };
        Ok(Self { values, template, packing })
    }
}

/// Octets 12–20: reference value, scale factors and the number of bits.
fn scaled(section: &Section<'_>, reader: &mut ByteReader<'_>) -> Result<(Scaling, u8)> {
    let scaling = Scaling::read(reader)?;
    let bits = reader.u8()?;
    within(section, 20, "bits for each value", bits)?;
    Ok((scaling, bits))
}

/// A width from the wire, of at most [`MAX_BITS`].
fn within(section: &Section<'_>, octet: u64, what: &'static str, bits: u8) -> Result<()> {
    if bits > MAX_BITS {
        let expected = format!("at most {MAX_BITS}");
        return Err(section.malformed(octet, what, expected, &bits));
    }
    Ok(())
}

impl ComplexPacking {
    fn read(section: &Section<'_>, differenced: bool) -> Result<Self> {
        let mut reader = section.at_octet(12)?;
        let (scaling, bits) = scaled(section, &mut reader)?;
        reader.seek_octet(23)?;
        let missing_management = reader.u8()?;
        if missing_management > 2 {
            let what = "missing value management (code table 5.5)";
            return Err(section.unsupported(23, what, missing_management.to_string()));
        }
        reader.seek_octet(32)?;
        let groups = reader.u32()?;
        let width_reference = reader.u8()?;
        let width_bits = reader.u8()?;
        within(section, 37, "bits of the group widths", width_bits)?;
        let length_reference = reader.u32()?;
        let length_increment = reader.u8()?;
        let last_length = reader.u32()?;
        let length_bits = reader.u8()?;
        within(section, 47, "bits of the group lengths", length_bits)?;
        let (order, descriptor_octets) =
            if differenced { (reader.u8()?, reader.u8()?) } else { (0, 0) };
        // A constant field may leave the rest of its template zero.
        if differenced && groups > 0 && !matches!(order, 1 | 2) {
            let what = "order of spatial differencing (code table 5.6)";
            return Err(section.unsupported(48, what, order.to_string()));
        }
        if descriptor_octets > MAX_DESCRIPTOR_OCTETS {
            let what = "octets of the extra descriptors";
            let expected = format!("at most {MAX_DESCRIPTOR_OCTETS}");
            return Err(section.malformed(49, what, expected, &descriptor_octets));
        }
        Ok(Self {
            scaling,
            bits,
            missing_management,
            groups,
            width_reference,
            width_bits,
            length_reference,
            length_increment,
            last_length,
            length_bits,
            order,
            descriptor_octets,
        })
    }
}

impl CcsdsPacking {
    fn read(section: &Section<'_>) -> Result<Self> {
        let mut reader = section.at_octet(12)?;
        let (scaling, bits) = scaled(section, &mut reader)?;
        reader.seek_octet(22)?;
        let options = reader.u8()?;
        let block_size = reader.u8()?;
        let reference_interval = reader.u16()?;
        Ok(Self { scaling, bits, options, block_size, reference_interval })
    }
}
