//! Section 3: how many points there are and how they lie in rows.

use gik_core::{Error, Result};

use crate::message::Section;

/// The value of an unsigned four-octet number that is missing.
const MISSING: u32 = u32::MAX;

/// Where a grid definition template keeps its scanning mode. In all of these octets 31–34
/// are the points of a row and 35–38 those of a column.
const SCAN_OCTETS: &[(u16, usize)] = &[
    (0, 72),   // latitude and longitude
    (1, 72),   // rotated
    (2, 72),   // stretched
    (3, 72),   // rotated and stretched
    (10, 60),  // Mercator
    (12, 60),  // transverse Mercator
    (20, 65),  // polar stereographic
    (30, 65),  // Lambert conformal
    (31, 65),  // Albers
    (40, 72),  // Gaussian
    (41, 72),  // rotated
    (42, 72),  // stretched
    (43, 72),  // rotated and stretched
    (140, 64), // Lambert azimuthal
];

/// What section 3 says about the number of points and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridDefinition {
    /// Points of the grid.
    pub points: u32,
    /// The grid definition template (code table 3.1).
    pub template: u16,
    /// Points of a row and of a column; none when rows differ or the template is not one
    /// of rows and columns.
    pub shape: Option<GridShape>,
}

/// The shape of a grid of equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridShape {
    /// Points of a row (Ni or Nx).
    pub columns: u32,
    /// Points of a column (Nj or Ny).
    pub rows: u32,
    /// The scanning mode (flag table 3.4).
    pub scan: ScanMode,
}

/// The scanning mode (flag table 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanMode(pub u8);

impl ScanMode {
    /// Rows run to the west, in −i or −x.
    #[must_use]
    pub fn columns_reversed(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Rows follow each other to the north, in +j or +y.
    #[must_use]
    pub fn rows_northward(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Points that follow each other lie in a column, in the direction of j or y, and not in
    /// a row.
    #[must_use]
    pub fn columns_consecutive(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Each row (or column, where those are consecutive) runs against the one before.
    #[must_use]
    pub fn alternates(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Some rows are offset by half an increment, or shorter for that.
    #[must_use]
    pub fn is_offset(self) -> bool {
        self.0 & 0x0f != 0
    }
}

impl GridShape {
    /// Puts values from the message's order into rows that all run in one direction. `out`
    /// holds the rows from number `first_row` on; all of them where columns are
    /// consecutive.
    pub(crate) fn rows_in_order<T: Copy>(self, first_row: usize, out: &mut [T]) {
        let (columns, rows) = (self.columns as usize, self.rows as usize);
        if columns == 0 || rows == 0 {
            return;
        }
        let by_column = self.scan.columns_consecutive();
        if self.scan.alternates() {
            let length = if by_column { rows } else { columns };
            let odd = 1 - first_row % 2;
            for line in out.chunks_exact_mut(length).skip(odd).step_by(2) {
                line.reverse();
            }
        }
        if by_column && columns > 1 && rows > 1 {
            let by_column = out.to_vec();
            for (index, row) in out.chunks_exact_mut(columns).enumerate() {
                for (target, value) in
                    row.iter_mut().zip(by_column.iter().skip(index).step_by(rows))
                {
                    *target = *value;
                }
            }
        }
    }
}

impl GridDefinition {
    /// Reads section 3.
    ///
    /// # Errors
    /// When it is too short for its template, or rows times columns is not the number of
    /// points.
    pub fn read(section: &Section<'_>) -> Result<Self> {
        let mut reader = section.at_octet(7)?;
        let points = reader.u32()?;
        reader.seek_octet(13)?;
        let template = reader.u16()?;
        let scan_octet = SCAN_OCTETS.iter().find(|(known, _)| *known == template);
        let Some(&(_, scan_octet)) = scan_octet else {
            return Ok(Self { points, template, shape: None });
        };
        reader.seek_octet(31)?;
        let (columns, rows) = (reader.u32()?, reader.u32()?);
        let scan = ScanMode(section.at_octet(scan_octet)?.u8()?);
        if columns == MISSING || rows == MISSING {
            return Ok(Self { points, template, shape: None });
        }
        if u64::from(columns) * u64::from(rows) != u64::from(points) {
            let expected = format!("{columns} × {rows}");
            return Err(section.malformed(7, "number of points", expected, &points));
        }
        Ok(Self { points, template, shape: Some(GridShape { columns, rows, scan }) })
    }

    /// Holds the number of points against the caller's buffer.
    ///
    /// # Errors
    /// When they differ.
    pub(crate) fn check_points(&self, section: &Section<'_>, elements: usize) -> Result<()> {
        if u64::from(self.points) == elements as u64 {
            return Ok(());
        }
        let found = match self.shape {
            Some(shape) => {
                format!("{} ({} rows of {} points)", self.points, shape.rows, shape.columns)
            }
            None => self.points.to_string(),
        };
        let what = "number of grid points of the message and the chunk";
        Err(Error::mismatch(what, elements.to_string(), found).at(section.offset))
    }
}
