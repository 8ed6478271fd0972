//! A message that says nothing but where its grid lies.

use gik_core::{Grid, LatLonGrid, MapProjection, ProjectedGrid, Result};

use crate::grid::{GridDefinition, GridShape};
use crate::message::Section;

/// A GRIB2 message of a constant field on this grid, some 180 bytes: from it the codec makes the
/// latitude and longitude of each point, as it does from any message of the model.
#[must_use]
pub fn grid_message(grid: &ProjectedGrid) -> Vec<u8> {
    let mut body = Vec::with_capacity(200);
    // Section 1: no centre (255), no reference time that would mean anything: 2000-01-01.
    let identification = [0, 255, 0, 255, 2, 0, 1, 0x07, 0xd0, 1, 1, 0, 0, 0, 0, 255];
    push(&mut body, 1, &identification);
    body.extend(grid.section());
    // Section 4, template 4.0: a land cover (2-0-0) at the surface, at the reference time.
    let mut product = vec![0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 0];
    product.extend([1, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0]);
    push(&mut body, 4, &product);
    // Section 5, template 5.0: all values are the reference value, 0, in no bits.
    let mut representation = grid.columns.saturating_mul(grid.rows).to_be_bytes().to_vec();
    representation.extend([0; 2 + 4 + 2 + 2 + 2]);
    push(&mut body, 5, &representation);
    push(&mut body, 6, &[255]);
    push(&mut body, 7, &[]);
    body.extend(b"7777");
    let mut message = b"GRIB\0\0\x02\x02".to_vec();
    message.extend((body.len() as u64 + 16).to_be_bytes());
    message.append(&mut body);
    message
}

/// The grid that a grid definition section describes, as stores need it.
///
/// # Errors
/// When the section is damaged, or of a grid that stores have no coordinates for: any but regular
/// ones of latitude and longitude from the north and west, and Lambert and polar stereographic
/// ones on a sphere from the south and west.
pub fn grid_of_section(bytes: &[u8]) -> Result<Grid> {
    let section = Section { number: 3, offset: 0, bytes };
    let definition = GridDefinition::read(&section)?;
    let unsupported =
        |value: String| section.unsupported(13, "grid of a store (code table 3.1)", value);
    let template = format!("3.{}", definition.template);
    let shape = definition.shape.ok_or_else(|| unsupported(template.clone()))?;
    match (definition.template, shape.scan.0) {
        (0, 0) => {
            let increments = [section.at_octet(64)?.u32()?, section.at_octet(68)?.u32()?];
            let [columns, rows] = increments;
            if columns != rows {
                return Err(unsupported("increments that differ".to_owned()));
            }
            Ok(Grid::LatLon(LatLonGrid {
                columns: shape.columns,
                rows: shape.rows,
                first_latitude: section.at_octet(47)?.signed32()?,
                first_longitude: section.at_octet(51)?.signed32()?,
                increment: columns,
            }))
        }
        (20 | 30, 0x40) => {
            let grid = projected(&section, definition.template, shape)?;
            Ok(Grid::Projected { message: grid_message(&grid).into(), grid })
        }
        (_, scan) => Err(unsupported(format!("{template} in scanning mode {scan:#010b}"))),
    }
}

fn projected(section: &Section<'_>, template: u16, shape: GridShape) -> Result<ProjectedGrid> {
    let radius = match (section.at_octet(15)?.u8()?, section.at_octet(16)?.u8()?) {
        (6, _) => 6_371_229,
        (1, 0) => section.at_octet(17)?.u32()?,
        (other, _) => {
            let what = "shape of the Earth (code table 3.2) of a store";
            return Err(section.unsupported(15, what, other.to_string()));
        }
    };
    let angle = |octet: usize| -> Result<i32> { section.at_octet(octet)?.signed32() };
    let projection = if template == 30 {
        MapProjection::Lambert {
            true_latitude: angle(48)?,
            meridian: angle(52)?,
            parallels: [angle(66)?, angle(70)?],
        }
    } else {
        MapProjection::PolarStereographic {
            true_latitude: angle(48)?,
            meridian: angle(52)?,
            south: section.at_octet(64)?.u8()? & 0x80 != 0,
        }
    };
    Ok(ProjectedGrid {
        projection,
        radius,
        columns: shape.columns,
        rows: shape.rows,
        first_latitude: angle(39)?,
        first_longitude: angle(43)?,
        dx: section.at_octet(56)?.u32()?,
        dy: section.at_octet(60)?.u32()?,
    })
}

/// Appends a section of fewer than 4 GB.
fn push(out: &mut Vec<u8>, number: u8, content: &[u8]) {
    let length = u32::try_from(content.len() + 5).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.push(number);
    out.extend(content);
}

#[cfg(test)]
mod tests {
    use gik_core::{DecodeOptions, GribCodec, MapProjection, Quantity, ValueBuffer};

    use super::*;
    use crate::{GRIBBERISH, Message};

    const HRRR: &[u8] = include_bytes!("../tests/fixtures/hrrr_constant.grib2");

    fn grid() -> ProjectedGrid {
        ProjectedGrid {
            projection: MapProjection::Lambert {
                true_latitude: 38_500_000,
                meridian: 262_500_000,
                parallels: [38_500_000; 2],
            },
            radius: 6_371_229,
            columns: 1799,
            rows: 1059,
            first_latitude: 21_138_123,
            first_longitude: 237_280_472,
            dx: 3_000_000,
            dy: 3_000_000,
        }
    }

    #[test]
    fn the_grid_is_that_of_a_real_message() {
        let real = Message::read(HRRR).unwrap().only_field().unwrap();
        let message = grid_message(&grid());
        let ours = Message::read(&message).unwrap().only_field().unwrap();
        // The numbers alone: the radius that follows the shape of the Earth means nothing.
        assert_eq!(ours.grid.bytes[..15], real.grid.bytes[..15]);
        assert_eq!(ours.grid.bytes[30..], real.grid.bytes[30..]);
        let decode = |message: &[u8], quantity| {
            let options = DecodeOptions { quantity, ..DecodeOptions::default() };
            let mut values = vec![0.0; 1799 * 1059];
            GRIBBERISH.decode_into(message, &options, ValueBuffer::F64(&mut values)).unwrap();
            values
        };
        for quantity in [Quantity::Latitude, Quantity::Longitude] {
            assert_eq!(decode(&message, quantity), decode(HRRR, quantity));
        }
        assert_eq!(decode(&message, Quantity::Data)[7], 0.0);
        let Grid::Projected { grid: found, .. } = grid_of_section(real.grid.bytes).unwrap() else {
            panic!("no projected grid")
        };
        assert_eq!(found, grid());
    }

    #[test]
    fn a_polar_grid_is_read_too() {
        let alaska = ProjectedGrid {
            projection: MapProjection::PolarStereographic {
                true_latitude: 60_000_000,
                meridian: 225_000_000,
                south: false,
            },
            columns: 1299,
            rows: 919,
            first_latitude: 41_612_949,
            first_longitude: 185_117_126,
            ..grid()
        };
        let options = DecodeOptions { quantity: Quantity::Latitude, ..DecodeOptions::default() };
        let mut values = vec![0.0; 1299 * 919];
        let message = grid_message(&alaska);
        GRIBBERISH.decode_into(&message, &options, ValueBuffer::F64(&mut values)).unwrap();
        assert!((values[0] - 41.612_949).abs() < 1e-9, "{}", values[0]);
        assert!(values.iter().all(|latitude| (40.0..90.0).contains(latitude)));
    }
}
