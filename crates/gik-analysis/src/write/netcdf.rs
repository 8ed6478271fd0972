//! CF `NetCDF` in the classic format with 64-bit offsets (CDF-2).
//!
//! Format: *The NetCDF Classic Format Specification*, Unidata, Appendix B of the user guide;
//! all numbers are big-endian.
//!
//! | part | bytes |
//! |---|---|
//! | magic | `CDF` 2 |
//! | numrecs | `u32`: 0, there is no record dimension |
//! | dimensions | 0x0A, count, then each: name, length `u32` |
//! | attributes | 0x0C, count, then each: name, type, count, values padded to 4 |
//! | variables | 0x0B, count, then each: name, rank, dimension ids, attributes, type, size `u32`, begin `u64` |
//! | data | each variable at its `begin`, C order, padded to 4 |
//!
//! A name is its length in bytes and UTF-8 padded to 4 with zeros; an empty list is two zero
//! words. The types used: 2 text, 4 `i32`, 5 `f32`, 6 `f64`.
//!
//! The format has no 64-bit integers: times are written as `f64` (exact to the second), other
//! integer coordinates as `i32`, or as `f64` where one does not fit.

mod attributes;

use std::io::{self, Write};

use gik_core::{Error, ErrorKind, Result};

use crate::field::BOUNDS;
use crate::{Attributes, Coordinate, CoordinateValues, Dimension, Field};
use attributes::{Attribute, list};

/// The conventions that the file follows.
const CONVENTIONS: &str = "CF-1.10";

/// The size of a variable is a `u32` and a multiple of 4.
const LARGEST_VARIABLE: u64 = (u32::MAX - 3) as u64;

const DIMENSIONS: u32 = 0x0A;
const VARIABLES: u32 = 0x0B;

/// `nc_type` in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text = 2,
    Int = 4,
    Float = 5,
    Double = 6,
}

impl Type {
    const fn code(self) -> u32 {
        self as u32
    }

    const fn size(self) -> u64 {
        match self {
            Self::Text => 1,
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }
}

/// The numbers of a variable as the file will hold them.
pub(crate) enum Data<'a> {
    Int(Vec<i32>),
    Double(Vec<f64>),
    Float(&'a [f32]),
    /// Single precision that is written later; the last variable only.
    Later,
}

impl Data<'_> {
    fn kind(&self) -> Type {
        match self {
            Self::Int(_) => Type::Int,
            Self::Double(_) => Type::Double,
            Self::Float(_) | Self::Later => Type::Float,
        }
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Int(values) => values.iter().try_for_each(|v| out.write_all(&v.to_be_bytes())),
            Self::Double(values) => values.iter().try_for_each(|v| out.write_all(&v.to_be_bytes())),
            Self::Float(values) => floats(values, out),
            Self::Later => Ok(()),
        }
    }
}

/// Values as they lie in the file.
pub(crate) fn floats(values: &[f32], out: &mut impl Write) -> io::Result<()> {
    values.iter().try_for_each(|v| out.write_all(&v.to_be_bytes()))
}

/// What a file holds, with or without the values of its main variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    /// The main variable's name.
    pub(crate) name: &'a str,
    /// Its dimensions.
    pub(crate) dimensions: &'a [Dimension],
    /// Its attributes.
    pub(crate) attributes: &'a Attributes,
    /// Its coordinates.
    pub(crate) coordinates: &'a [Coordinate],
    /// Variables beside it: counts.
    pub(crate) beside: &'a [Coordinate],
    /// Attributes of the file.
    pub(crate) dataset_attributes: &'a Attributes,
    /// Its values; without them they are to follow what the plan writes.
    pub(crate) values: Option<&'a [f32]>,
}

impl<'a> Outline<'a> {
    fn of_field(field: &'a Field) -> Self {
        Self {
            name: field.name(),
            dimensions: field.dimensions(),
            attributes: field.attributes(),
            coordinates: field.coordinates(),
            beside: field.ancillary(),
            dataset_attributes: field.dataset_attributes(),
            values: Some(field.values()),
        }
    }

    /// The dimensions, and that of bounds where coordinates have some.
    fn all_dimensions(&self) -> Vec<Dimension> {
        let mut all = self.dimensions.to_vec();
        if self.coordinates.iter().any(|coordinate| coordinate.bounds.is_some()) {
            all.push(Dimension { name: BOUNDS.to_owned(), length: 2 });
        }
        all
    }
}

struct Variable<'a> {
    name: String,
    dimensions: Vec<u32>,
    attributes: Vec<Attribute>,
    data: Data<'a>,
    /// Bytes of the data; a multiple of 4, as every type used is.
    size: u32,
}

/// A file whose every byte is decided: only input and output can fail from here on.
pub(crate) struct Plan<'a> {
    header: Vec<u8>,
    variables: Vec<Variable<'a>>,
    /// Where the values of each lie.
    begins: Vec<u64>,
}

impl<'a> Plan<'a> {
    /// Lays out the file of a field.
    pub(super) fn new(field: &'a Field) -> Result<Self> {
        Self::of(&Outline::of_field(field))
    }

    /// Lays out a file.
    pub(crate) fn of(outline: &Outline<'a>) -> Result<Self> {
        let mut variables = Vec::new();
        let bounds: Vec<Coordinate> =
            outline.coordinates.iter().filter_map(Coordinate::bounds_variable).collect();
        for coordinate in outline.coordinates.iter().chain(&bounds).chain(outline.beside) {
            let mut attributes = list(&coordinate.attributes_in_file(), &[])?;
            attributes.retain(|attribute| attribute.name != "coordinates");
            let data = coordinate_data(coordinate)?;
            let dimensions = &coordinate.dimensions;
            variables.push(variable(outline, &coordinate.name, dimensions, attributes, data)?);
        }
        let dimensions: Vec<String> = outline.dimensions.iter().map(|d| d.name.clone()).collect();
        let attributes = field_attributes(outline)?;
        let data = outline.values.map_or(Data::Later, Data::Float);
        variables.push(variable(outline, outline.name, &dimensions, attributes, data)?);

        // The header's length does not depend on the offsets it holds.
        let length = header(outline, &variables, &vec![0; variables.len()])?.len();
        let mut begin = to_u64(length);
        let mut begins = Vec::new();
        for variable in &variables {
            begins.push(begin);
            begin += u64::from(variable.size);
        }
        Ok(Self { header: header(outline, &variables, &begins)?, variables, begins })
    }

    /// Writes it; values that are to follow go where this ends.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.header)?;
        self.variables.iter().try_for_each(|variable| variable.data.write(out))
    }

    /// Where the values of a variable lie in the file.
    pub(crate) fn begin(&self, name: &str) -> Option<u64> {
        let position = self.variables.iter().position(|variable| variable.name == name)?;
        self.begins.get(position).copied()
    }
}

fn variable<'a>(
    outline: &Outline<'_>,
    name: &str,
    dimensions: &[String],
    attributes: Vec<Attribute>,
    data: Data<'a>,
) -> Result<Variable<'a>> {
    let all = outline.all_dimensions();
    let mut ids = Vec::new();
    let mut bytes = data.kind().size();
    for dimension in dimensions {
        let position = all.iter().position(|d| d.name == *dimension);
        let length = position.and_then(|p| all.get(p)).map_or(0, |d| d.length);
        ids.push(word(position.unwrap_or_default())?);
        bytes = bytes.saturating_mul(to_u64(length));
    }
    let too_large = || {
        Error::new(ErrorKind::LimitExceeded {
            what: "the size of a NetCDF variable in bytes; select less, or write .npy",
            limit: LARGEST_VARIABLE,
            found: bytes,
        })
    };
    let size = u32::try_from(bytes).ok().filter(|&size| u64::from(size) <= LARGEST_VARIABLE);
    let name = name.to_owned();
    Ok(Variable { name, dimensions: ids, attributes, data, size: size.ok_or_else(too_large)? })
}

fn field_attributes(outline: &Outline<'_>) -> Result<Vec<Attribute>> {
    let mut attributes = list(outline.attributes, &["_FillValue", "missing_value"])?;
    let grid_mapping = outline.attributes.get("grid_mapping").and_then(|it| it.as_str());
    let auxiliary: Vec<&str> = outline
        .coordinates
        .iter()
        .filter(|it| !it.is_axis() && Some(it.name.as_str()) != grid_mapping)
        .map(|coordinate| coordinate.name.as_str())
        .collect();
    if !auxiliary.is_empty() {
        // What the store says of its coordinates may name some that were not read.
        attributes.retain(|attribute| attribute.name != "coordinates");
        attributes.push(Attribute::text("coordinates", &auxiliary.join(" ")));
    }
    attributes.push(Attribute::fill_value(f32::NAN));
    Ok(attributes)
}

/// The numbers of a coordinate as the file holds them.
pub(crate) fn coordinate_data(coordinate: &Coordinate) -> Result<Data<'static>> {
    let values = match &coordinate.values {
        CoordinateValues::Float64(values) => return Ok(Data::Double(values.clone())),
        CoordinateValues::Int64(values) => values,
    };
    let is_time = coordinate.text("units").is_some_and(|units| units.contains(" since "));
    let narrow: std::result::Result<Vec<i32>, _> =
        values.iter().map(|&value| i32::try_from(value)).collect();
    match narrow {
        Ok(narrow) if !is_time => Ok(Data::Int(narrow)),
        _ => values
            .iter()
            .map(|&value| exact(&coordinate.name, value))
            .collect::<Result<_>>()
            .map(Data::Double),
    }
}

/// An integer as the `f64` that equals it.
#[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
fn exact(name: &str, value: i64) -> Result<f64> {
    if value.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS {
        Ok(value as f64)
    } else {
        Err(Error::unsupported(
            "integer in the NetCDF classic format (no more than 53 bits)",
            format!("{value} in the coordinate '{name}'"),
        ))
    }
}

fn header(outline: &Outline<'_>, variables: &[Variable<'_>], begins: &[u64]) -> Result<Vec<u8>> {
    let mut out = b"CDF\x02\0\0\0\0".to_vec();
    let dimensions = outline.all_dimensions();
    list_start(&mut out, DIMENSIONS, dimensions.len())?;
    for dimension in &dimensions {
        name(&mut out, &dimension.name)?;
        let length = i32::try_from(dimension.length).ok().filter(|&length| length > 0);
        let length = length.ok_or_else(|| {
            Error::unsupported(
                "length of a NetCDF dimension (1 to 2147483647)",
                format!("{} of '{}'", dimension.length, dimension.name),
            )
        })?;
        out.extend(length.to_be_bytes());
    }
    let mut dataset: Attributes = outline.dataset_attributes.clone();
    dataset.insert("Conventions".into(), CONVENTIONS.into());
    attributes::encode(&mut out, &list(&dataset, &[])?)?;
    list_start(&mut out, VARIABLES, variables.len())?;
    for (variable, begin) in variables.iter().zip(begins) {
        name(&mut out, &variable.name)?;
        out.extend(word(variable.dimensions.len())?.to_be_bytes());
        for id in &variable.dimensions {
            out.extend(id.to_be_bytes());
        }
        attributes::encode(&mut out, &variable.attributes)?;
        out.extend(variable.data.kind().code().to_be_bytes());
        out.extend(variable.size.to_be_bytes());
        out.extend(begin.to_be_bytes());
    }
    Ok(out)
}

/// The tag and count that open a list.
fn list_start(out: &mut Vec<u8>, tag: u32, count: usize) -> Result<()> {
    let tag = if count == 0 { 0 } else { tag };
    out.extend(tag.to_be_bytes());
    out.extend(word(count)?.to_be_bytes());
    Ok(())
}

/// A name: letters, digits, `_` and anything beyond ASCII first; no `/`, control characters
/// or closing blank.
fn name(out: &mut Vec<u8>, name: &str) -> Result<()> {
    let starts_well =
        name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii());
    if !starts_well || name.ends_with(' ') || name.contains(|c: char| c == '/' || c.is_control()) {
        return Err(Error::unsupported("name in a NetCDF file", format!("'{name}'")));
    }
    out.extend(word(name.len())?.to_be_bytes());
    padded(out, name.as_bytes());
    Ok(())
}

/// Bytes, then zeros up to a multiple of 4.
fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes);
    out.resize(out.len() - bytes.len() + bytes.len().next_multiple_of(4), 0);
}

/// A count in the file: 31 bits.
fn word(count: usize) -> Result<u32> {
    i32::try_from(count).map(i32::cast_unsigned).map_err(|_| {
        Error::new(ErrorKind::LimitExceeded {
            what: "a count in a NetCDF file",
            limit: i32::MAX.unsigned_abs().into(),
            found: to_u64(count),
        })
    })
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
