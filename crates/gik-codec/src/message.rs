//! A GRIB2 message: its sections, found and measured but not yet understood.
//!
//! ```text
//! 0 Indicator   "GRIB", discipline, edition, total length
//! 1 Identification
//! 2 Local use   (optional)   ┐
//! 3 Grid definition          │
//! 4 Product definition       │ may be repeated from 2, 3 or 4: one message
//! 5 Data representation      │ with several fields (submessages)
//! 6 Bitmap                   │
//! 7 Data                     ┘
//! 8 End         "7777"
//! ```

use std::fmt;

use gik_core::{Error, Result};

use crate::reader::ByteReader;

/// Octets of section 0.
const INDICATOR_LENGTH: u64 = 16;

/// A message whose indicator section is right and whose bytes are all there.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    discipline: u8,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the indicator section. Bytes after the message's end are left out.
    ///
    /// # Errors
    /// When the bytes are not GRIB, are of another edition than 2, or fewer than the
    /// message says it has.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = ByteReader::new(bytes, 0);
        let magic = reader.take(4)?;
        if magic != b"GRIB" {
            let expected = "a GRIB message, which begins with 'GRIB'";
            return Err(malformed("message", expected, &magic.escape_ascii(), 0));
        }
        reader.seek_octet(7)?;
        let discipline = reader.u8()?;
        let edition = reader.u8()?;
        if edition != 2 {
            let value = format!("{edition}; this codec reads editions 1 and 2");
            return Err(Error::unsupported("GRIB edition", value).at(7));
        }
        let length = reader.u64()?;
        if length < INDICATOR_LENGTH {
            return Err(malformed("total length of the message", "16 or more", &length, 8));
        }
        let whole = usize::try_from(length).ok().and_then(|length| bytes.get(..length));
        let Some(bytes) = whole else {
            return Err(Error::truncated(length, bytes.len() as u64).at(0));
        };
        Ok(Self { discipline, bytes })
    }

    /// The discipline (code table 0.0).
    #[must_use]
    pub fn discipline(&self) -> u8 {
        self.discipline
    }

    /// The number of octets from `GRIB` to `7777`.
    #[must_use]
    pub fn total_length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The fields in the message, in order; usually one.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        let mut reader = ByteReader::new(self.bytes, 0);
        // `read` made sure of 16 octets, so that this cannot fail; if it could, the first
        // section would be found malformed.
        let _ = reader.take(16);
        Fields { reader, latest: Latest::default(), previous: 0, ended: false }
    }

    /// The only field of the message.
    ///
    /// A Zarr chunk is one field, and nothing tells which of several would be meant, so
    /// that a message with more is refused rather than the first taken.
    ///
    /// # Errors
    /// When the sections are damaged, or there is no field or more than one.
    pub fn only_field(&self) -> Result<Field<'a>> {
        let mut fields = self.fields();
        let first = fields.next().transpose()?;
        let Some(first) = first else {
            return Err(malformed("message", "a field", &"no data section", INDICATOR_LENGTH));
        };
        match fields.next().transpose()? {
            None => Ok(first),
            Some(second) => Err(Error::unsupported(
                "message with several fields (submessages)",
                "a chunk must be one field, for nothing says which one is wanted",
            )
            .at(second.product.offset)),
        }
    }
}

/// One section, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// 1 to 7.
    pub number: u8,
    /// Where it begins, counted from the message's first byte.
    pub offset: u64,
    /// All its octets, length and number included.
    pub bytes: &'a [u8],
}

impl<'a> Section<'a> {
    /// A reader at octet `number`, counted from 1 as in the standard's tables.
    ///
    /// # Errors
    /// When the section is shorter.
    pub fn at_octet(&self, number: usize) -> Result<ByteReader<'a>> {
        let mut reader = ByteReader::new(self.bytes, self.offset);
        reader.seek_octet(number)?;
        Ok(reader)
    }

    /// The octets from number `number` on; none when the section is shorter.
    #[must_use]
    pub fn from_octet(&self, number: usize) -> &'a [u8] {
        self.bytes.get(number.saturating_sub(1)..).unwrap_or_default()
    }

    /// An error at octet `number` of this section.
    pub(crate) fn malformed(
        &self,
        number: u64,
        what: &'static str,
        expected: impl Into<String>,
        found: &dyn fmt::Display,
    ) -> Error {
        let offset = self.offset.saturating_add(number.saturating_sub(1));
        malformed(what, expected, found, offset)
    }

    /// An error about what is valid but cannot be read, at octet `number`.
    pub(crate) fn unsupported(
        &self,
        number: u64,
        what: &'static str,
        value: impl Into<String>,
    ) -> Error {
        Error::unsupported(what, value).at(self.offset.saturating_add(number.saturating_sub(1)))
    }
}

fn malformed(
    what: &'static str,
    expected: impl Into<String>,
    found: &dyn fmt::Display,
    offset: u64,
) -> Error {
    Error::malformed(what, expected, found.to_string()).at(offset)
}

/// The sections that describe one field. Those that a submessage does not repeat are those
/// of the field before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Section 1.
    pub identification: Section<'a>,
    /// Section 2.
    pub local_use: Option<Section<'a>>,
    /// Section 3.
    pub grid: Section<'a>,
    /// Section 4.
    pub product: Section<'a>,
    /// Section 5.
    pub representation: Section<'a>,
    /// Section 6.
    pub bitmap: Section<'a>,
    /// The section 6 in which a bitmap was last defined: this one or, for the bitmap
    /// indicator 254, one of a field before.
    pub defined_bitmap: Option<Section<'a>>,
    /// Section 7.
    pub data: Section<'a>,
}

impl Field<'_> {
    /// The product definition template (code table 4.0).
    ///
    /// # Errors
    /// When section 4 is too short to say.
    pub fn product_template(&self) -> Result<u16> {
        self.product.at_octet(8)?.u16()
    }
}

/// Whether a section of this number may follow the one before; 0 is the indicator section.
pub(crate) fn may_follow(previous: u8, number: u8) -> bool {
    match previous {
        0 => number == 1,
        1 => matches!(number, 2 | 3),
        7 => matches!(number, 2..=4),
        previous => number == previous + 1,
    }
}

/// The sections met last.
#[derive(Debug, Clone, Copy, Default)]
struct Latest<'a> {
    identification: Option<Section<'a>>,
    local_use: Option<Section<'a>>,
    grid: Option<Section<'a>>,
    product: Option<Section<'a>>,
    representation: Option<Section<'a>>,
    bitmap: Option<Section<'a>>,
    defined_bitmap: Option<Section<'a>>,
}

impl<'a> Latest<'a> {
    fn field(&self, data: Section<'a>) -> Option<Field<'a>> {
        Some(Field {
            identification: self.identification?,
            local_use: self.local_use,
            grid: self.grid?,
            product: self.product?,
            representation: self.representation?,
            bitmap: self.bitmap?,
            defined_bitmap: self.defined_bitmap,
            data,
        })
    }
}

/// Walks a message's sections and yields a [`Field`] at each data section. Ends after the
/// end section or the first error.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    reader: ByteReader<'a>,
    latest: Latest<'a>,
    /// The number of the section before.
    previous: u8,
    ended: bool,
}

impl<'a> Fields<'a> {
    /// The next section; `None` at the end section.
    fn section(&mut self) -> Result<Option<Section<'a>>> {
        let offset = self.reader.offset();
        let head = self.reader.clone().take(4)?;
        if head == b"7777" {
            if self.previous != 7 {
                let found = format!("the end after section {}", self.previous);
                return Err(malformed("order of sections", "a data section", &found, offset));
            }
            self.reader.take(4)?;
            return match self.reader.remaining() {
                0 => Ok(None),
                left => Err(malformed(
                    "total length of the message",
                    "its end at section 8",
                    &format_args!("{left} bytes more"),
                    self.reader.offset(),
                )),
            };
        }
        let mut reader = self.reader.clone();
        let length = reader.u32()?;
        let number = reader.u8()?;
        if !may_follow(self.previous, number) {
            let expected = format!("a section that may follow section {}", self.previous);
            return Err(malformed("order of sections", expected, &number, offset + 4));
        }
        if length < 5 {
            return Err(malformed("length of a section", "5 or more", &length, offset));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = self.reader.take(length)?;
        self.previous = number;
        Ok(Some(Section { number, offset, bytes }))
    }

    fn field(&mut self) -> Result<Option<Field<'a>>> {
        while let Some(section) = self.section()? {
            match section.number {
                1 => self.latest.identification = Some(section),
                2 => self.latest.local_use = Some(section),
                3 => self.latest.grid = Some(section),
                4 => self.latest.product = Some(section),
                5 => self.latest.representation = Some(section),
                6 => {
                    self.latest.bitmap = Some(section);
                    if section.at_octet(6)?.u8()? == 0 {
                        self.latest.defined_bitmap = Some(section);
                    }
                }
                // The order was checked: this is 7, and all before it are there.
                _ => return Ok(self.latest.field(section)),
            }
        }
        Ok(None)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let field = self.field().transpose();
        self.ended = !matches!(field, Some(Ok(_)));
        field
    }
}
