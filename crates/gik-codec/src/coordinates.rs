//! Latitudes and longitudes of the grid points, and the layouts that depend on them.
//!
//! The codec `gribberish` of Python reads the same stores, so which grids are turned or
//! flipped, and by how much, is decided from the same numbers here as there.

use gik_core::{DecodeOptions, Error, Quantity, Result};

use crate::grid::{GridDefinition, GridShape};
use crate::message::Section;
use crate::projection::{ProjectedGrid, is_projected};
use crate::scale::Value;

const TEMPLATE: &str = "coordinates of grid definition template (code table 3.1)";
/// The unit of angles, in degrees.
const MICRODEGREE: f64 = 1e-6;

/// Makes sure that the message's grid has `elements` coordinates of the quantity.
pub(crate) fn check_coordinates(
    section: &Section<'_>,
    options: &DecodeOptions,
    elements: usize,
) -> Result<(GridDefinition, GridShape)> {
    let grid = GridDefinition::read(section)?;
    let shape = projectable(section, &grid)?;
    let expected = match grid.template {
        0 if options.quantity == Quantity::Latitude => shape.rows,
        0 => shape.columns,
        _ => grid.points,
    };
    if u64::from(expected) != elements as u64 {
        let what = "number of coordinates of the message and the chunk";
        let error = Error::mismatch(what, elements.to_string(), expected.to_string());
        return Err(error.at(section.offset));
    }
    Ok((grid, shape))
}

/// Fills `out` with latitudes or longitudes: of a grid of latitudes and longitudes the
/// coordinates of its rows or columns, of a projected grid those of each point.
pub(crate) fn coordinates<T: Value>(
    section: &Section<'_>,
    options: &DecodeOptions,
    out: &mut [T],
) -> Result<()> {
    let (grid, shape) = check_coordinates(section, options, out.len())?;
    let latitude = options.quantity == Quantity::Latitude;
    if is_projected(grid.template) {
        ProjectedGrid::read(section, &grid, shape)?.fill(latitude, out);
        if options.north_up && is_south_up(section, &grid, shape)? {
            reverse_rows(shape.columns as usize, out);
        }
        return Ok(());
    }
    let axis = Axis::read(section, shape, latitude)?;
    let turn = if options.adjust_longitude_range && !latitude { axis.turn() } else { None };
    for (target, index) in out.iter_mut().zip(0..) {
        let value = axis.at(index);
        *target = T::from_f64(if turn.is_some() { wrap(value) } else { value });
    }
    if let Some(turn) = turn {
        out.rotate_left(turn);
    }
    if latitude && options.north_up && is_south_up(section, &grid, shape)? {
        out.reverse();
    }
    Ok(())
}

/// How decoded rows are turned and flipped, as the options ask and [`coordinates`] does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrangement {
    columns: usize,
    /// Columns by which each row is turned to the left.
    turn: usize,
    flip: bool,
}

impl Arrangement {
    pub(crate) fn new(
        section: &Section<'_>,
        grid: &GridDefinition,
        options: &DecodeOptions,
    ) -> Result<Self> {
        if !options.adjust_longitude_range && !options.north_up {
            return Ok(Self::default());
        }
        let shape = projectable(section, grid)?;
        let mut arrangement = Self { columns: shape.columns as usize, turn: 0, flip: false };
        if options.adjust_longitude_range && grid.template == 0 {
            let turn = Axis::read(section, shape, false)?.turn();
            arrangement.turn = turn.unwrap_or_default();
        }
        arrangement.flip = options.north_up && is_south_up(section, grid, shape)?;
        Ok(arrangement)
    }

    /// Whether the last row comes first.
    pub(crate) fn flips(self) -> bool {
        self.flip
    }

    /// Turns and flips whole rows that follow each other.
    pub(crate) fn apply<T>(self, rows: &mut [T]) {
        if self.turn > 0 {
            for row in rows.chunks_exact_mut(self.columns) {
                row.rotate_left(self.turn);
            }
        }
        if self.flip {
            reverse_rows(self.columns, rows);
        }
    }
}

/// Makes sure that the grid can be computed, and that gribberish computes it right.
fn projectable(section: &Section<'_>, grid: &GridDefinition) -> Result<GridShape> {
    let last_octet = match grid.template {
        0 | 10 => 72,
        20 => 65,
        30 => 81,
        other => return Err(section.unsupported(13, TEMPLATE, format!("3.{other}"))),
    };
    section.at_octet(last_octet)?.u8()?;
    let Some(shape) = grid.shape else {
        return Err(section.unsupported(31, TEMPLATE, "a grid whose rows differ"));
    };
    if shape.scan.is_offset() {
        let value = format!("{:#010b}; rows with an offset", shape.scan.0);
        return Err(section.unsupported(1, "coordinates of scanning mode (flag table 3.4)", value));
    }
    if shape.rows == 0 || shape.columns == 0 {
        return Err(section.malformed(31, "number of points", "one or more", &0));
    }
    if grid.template == 0 {
        let angles = section.at_octet(39)?.u32()?;
        if !matches!(angles, 0 | u32::MAX) {
            let what = "basic angle of a latitude and longitude grid";
            return Err(section.unsupported(39, what, angles.to_string()));
        }
        let mut increments = section.at_octet(64)?;
        if increments.u32()? == u32::MAX || increments.u32()? == u32::MAX {
            return Err(section.unsupported(64, TEMPLATE, "a grid whose increments are missing"));
        }
    }
    Ok(shape)
}

/// The latitudes or longitudes of a grid of both (template 3.0), in the message's order.
#[derive(Debug, Clone, Copy)]
struct Axis {
    start: f64,
    step: f64,
    count: u32,
    is_latitude: bool,
}

impl Axis {
    fn read(section: &Section<'_>, shape: GridShape, is_latitude: bool) -> Result<Self> {
        let (start, step, backward) = if is_latitude {
            let start = f64::from(section.at_octet(47)?.signed32()?);
            (start, section.at_octet(68)?.u32()?, !shape.scan.rows_northward())
        } else {
            let start = f64::from(section.at_octet(51)?.u32()?);
            (start, section.at_octet(64)?.u32()?, shape.scan.columns_reversed())
        };
        let step = f64::from(step) * MICRODEGREE;
        Ok(Self {
            start: start * MICRODEGREE,
            step: if backward { -step } else { step },
            count: if is_latitude { shape.rows } else { shape.columns },
            is_latitude,
        })
    }

    /// The coordinate of number `index`; longitudes that have gone around are below 360°.
    fn at(&self, index: u32) -> f64 {
        let value = self.start + self.step * f64::from(index);
        if self.is_latitude {
            value
        } else if value >= 360.0 {
            value - 360.0
        } else if value < 0.0 {
            value + 360.0
        } else {
            value
        }
    }

    /// The columns by which to turn a row to the left for longitudes from −180°; none where
    /// the longitudes do not run eastward around the globe, within a quarter of a column.
    fn turn(&self) -> Option<usize> {
        let step = self.at(1) - self.at(0);
        let span = step * f64::from(self.count);
        if self.count < 2 || step <= 0.0 || (span - 360.0).abs() >= step / 4.0 {
            return None;
        }
        let mut westernmost = (0, f64::INFINITY);
        for (index, column) in (0..self.count).zip(0..) {
            let wrapped = wrap(self.at(index));
            if wrapped < westernmost.1 {
                westernmost = (column, wrapped);
            }
        }
        Some(westernmost.0)
    }
}

/// From 0…360° to −180…180°.
fn wrap(longitude: f64) -> f64 {
    if longitude >= 180.0 { longitude - 360.0 } else { longitude }
}

/// Whether the first row is the southernmost.
fn is_south_up(section: &Section<'_>, grid: &GridDefinition, shape: GridShape) -> Result<bool> {
    let step_octet = match grid.template {
        0 => 68,
        10 => 69,
        20 | 30 => 60,
        other => return Err(section.unsupported(13, TEMPLATE, format!("3.{other}"))),
    };
    Ok(shape.scan.rows_northward() && section.at_octet(step_octet)?.u32()? != 0)
}

fn reverse_rows<T>(columns: usize, mut out: &mut [T]) {
    while columns > 0 && out.len() >= columns.saturating_mul(2) {
        let (top, rest) = out.split_at_mut(columns);
        let (middle, bottom) = rest.split_at_mut(rest.len() - columns);
        top.swap_with_slice(bottom);
        out = middle;
    }
}
