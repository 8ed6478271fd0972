//! Reading a message's headers into what a scan says of its fields.

use bytes::Bytes;
use gik_core::{Error, ReferenceTime, Result};

use super::heads::{File, Head, WINDOW};
use super::parameter::Parameter;
use super::product::Product;
use super::{GridSummary, PackingSummary, ScannedField};
use crate::grid::GridDefinition;
use crate::message::{Section, may_follow};

/// The longest section that is read: the lists of reduced grids have some kilobytes.
const SECTION_LIMIT: u64 = 1 << 20;
/// More fields than any message has.
const FIELD_LIMIT: u32 = 1 << 12;

/// The bytes of one message, as far as they were read.
struct Pieces<'f> {
    file: &'f File<'f>,
    end: u64,
    start: u64,
    bytes: Bytes,
}

impl Pieces<'_> {
    /// `count` bytes at `offset` of the file.
    async fn take(&mut self, offset: u64, count: u64) -> Result<Bytes> {
        if let Some(found) = self.known(offset, count) {
            return Ok(found);
        }
        let room = self.end.saturating_sub(offset);
        if count > room {
            return Err(Error::truncated(count, room).at(offset));
        }
        self.bytes = self.file.read(offset, count.max(WINDOW).min(room)).await?;
        self.start = offset;
        self.known(offset, count)
            .ok_or_else(|| Error::truncated(count, self.bytes.len() as u64).at(offset))
    }

    fn known(&self, offset: u64, count: u64) -> Option<Bytes> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(usize::try_from(count).ok()?)?;
        (to <= self.bytes.len()).then(|| self.bytes.slice(from..to))
    }
}

/// A section that was read, whole or only its beginning.
#[derive(Debug, Clone)]
struct Piece {
    number: u8,
    /// Counted from the message's first byte.
    offset: u64,
    bytes: Bytes,
}

impl Piece {
    fn section(&self) -> Section<'_> {
        Section { number: self.number, offset: self.offset, bytes: &self.bytes }
    }
}

/// The sections met last: of a submessage those before it count on.
#[derive(Debug, Default)]
struct Latest {
    identification: Option<Piece>,
    grid: Option<Piece>,
    product: Option<Piece>,
    representation: Option<Piece>,
    bitmap: Option<Piece>,
}

/// The fields of the message that begins at `head`, the `message`-th of its file. Offsets of
/// errors count from the beginning of the file.
pub(super) async fn fields(
    file: &File<'_>,
    head: &Head,
    message: u32,
) -> Result<Vec<ScannedField>> {
    let end = head.offset + head.length;
    let mut pieces = Pieces { file, end, start: head.offset, bytes: head.bytes.clone() };
    let mut latest = Latest::default();
    let mut fields = Vec::new();
    let mut offset = head.offset + 16;
    let mut previous = 0_u8;
    while offset + 4 < end || previous != 7 {
        let start = pieces.take(offset, 5).await?;
        let &[a, b, c, d, number] = start.as_ref() else { break };
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        if !may_follow(previous, number) {
            let expected = format!("a section that may follow section {previous}");
            return Err(
                Error::malformed("order of sections", expected, number.to_string()).at(offset + 4)
            );
        }
        if length < 5 || length > end - offset {
            let expected = format!("5 to {}, the rest of the message", end - offset);
            return Err(
                Error::malformed("length of a section", expected, length.to_string()).at(offset)
            );
        }
        let wanted = match number {
            1 | 3 | 4 | 5 => length,
            6 => length.min(6),
            _ => 5,
        };
        if wanted > SECTION_LIMIT {
            return Err(Error::unsupported("length of a section", length.to_string()).at(offset));
        }
        let bytes = pieces.take(offset, wanted).await?;
        let piece = Piece { number, offset: offset - head.offset, bytes };
        match number {
            1 => latest.identification = Some(piece),
            3 => latest.grid = Some(piece),
            4 => latest.product = Some(piece),
            5 => latest.representation = Some(piece),
            6 => latest.bitmap = Some(piece),
            7 => {
                let number = u32::try_from(fields.len()).unwrap_or(u32::MAX);
                if number >= FIELD_LIMIT {
                    return Err(Error::unsupported("message", "more than 4096 fields").at(offset));
                }
                let field = describe(head, &latest, message, number + 1);
                fields.push(field.map_err(|error| error.at(head.offset))?);
            }
            _ => {}
        }
        previous = number;
        offset += length;
    }
    if offset + 4 != end {
        let expected = "its end section after the last data section";
        return Err(
            Error::malformed("message", expected, format!("{} bytes", end - offset)).at(offset)
        );
    }
    if fields.len() == 1
        && let Some(only) = fields.first_mut()
    {
        only.submessage = None;
    }
    Ok(fields)
}

/// What the sections say. Offsets of errors count from the message's first byte.
fn describe(head: &Head, latest: &Latest, message: u32, number: u32) -> Result<ScannedField> {
    let (Some(identification), Some(grid), Some(product), Some(representation), Some(bitmap)) = (
        &latest.identification,
        &latest.grid,
        &latest.product,
        &latest.representation,
        &latest.bitmap,
    ) else {
        return Err(Error::malformed("message", "sections 1, 3, 4, 5, 6 before 7", "fewer"));
    };
    let section = identification.section();
    let mut reader = section.at_octet(6)?;
    let (centre, sub_centre) = (reader.u16()?, reader.u16()?);
    let (master_table, local_table) = (reader.u8()?, reader.u8()?);
    let reference_time = reference_time(&section)?;
    let product = Product::read(&product.section())?;
    Ok(ScannedField {
        message,
        submessage: Some(number),
        offset: head.offset,
        length: head.length,
        reference_time,
        sub_centre,
        parameter: Parameter {
            discipline: head.discipline,
            category: product.category,
            number: product.number,
            centre,
            master_table,
            local_table,
        },
        product_template: product.template,
        level: product.level,
        window: product.window,
        member: product.member,
        qualifiers: product.qualifiers,
        grid: grid_summary(grid)?,
        packing: packing_summary(&representation.section(), &bitmap.section())?,
    })
}

/// The reference time that section 1 says.
pub(crate) fn reference_time(section: &Section<'_>) -> Result<ReferenceTime> {
    let mut reader = section.at_octet(13)?;
    let year = reader.u16()?;
    let mut part = || reader.u8();
    let (month, day, hour) = (part()?, part()?, part()?);
    let (minute, second) = (part()?, part()?);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    text.parse().map_err(|_| section.malformed(13, "reference time", "a date and time", &text))
}

fn grid_summary(piece: &Piece) -> Result<GridSummary> {
    let grid = GridDefinition::read(&piece.section())?;
    Ok(GridSummary {
        section: piece.bytes.clone(),
        template: grid.template,
        points: grid.points,
        shape: grid.shape.map(|shape| [shape.rows, shape.columns]),
    })
}

fn packing_summary(section: &Section<'_>, bitmap: &Section<'_>) -> Result<PackingSummary> {
    let mut reader = section.at_octet(6)?;
    let (values, template) = (reader.u32()?, reader.u16()?);
    // In all templates of numbers packed into integers octet 20 is their width.
    let bits = match template {
        0 | 2 | 3 | 40 | 41 | 42 => Some(section.at_octet(20)?.u8()?),
        _ => None,
    };
    let has_bitmap = bitmap.at_octet(6)?.u8()? != u8::MAX;
    Ok(PackingSummary { template, bits, values, has_bitmap })
}
