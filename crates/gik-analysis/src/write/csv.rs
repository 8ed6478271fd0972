//! A table of a field: RFC 4180, UTF-8, lines end in CRLF.
//!
//! Columns: the dimensions in their order (their labels, or indices from 0 where an axis has
//! none), the other coordinates, the value. Times are ISO 8601 in UTC, NaN is empty.

use std::io::{self, Write};

use crate::Field;

/// A column other than the value: its cells, and how far each dimension moves along them.
struct Column {
    name: String,
    cells: Vec<String>,
    /// One per dimension of the field; 0 where the column does not depend on it.
    strides: Vec<usize>,
}

pub(super) fn write(field: &Field, out: &mut impl Write) -> io::Result<()> {
    let columns = columns(field);
    for column in &columns {
        write!(out, "{},", quoted(&column.name))?;
    }
    write!(out, "{}\r\n", quoted(field.name()))?;
    let shape = field.shape();
    let mut index = vec![0_usize; shape.len()];
    for &value in field.values() {
        for column in &columns {
            let cell: usize = index.iter().zip(&column.strides).map(|(i, stride)| i * stride).sum();
            write!(out, "{},", column.cells.get(cell).map_or("", String::as_str))?;
        }
        if value.is_nan() {
            write!(out, "\r\n")?;
        } else if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
            write!(out, "{value}\r\n")?;
        } else {
            write!(out, "{value:e}\r\n")?;
        }
        advance(&mut index, &shape);
    }
    Ok(())
}

/// The next index in C order.
fn advance(index: &mut [usize], shape: &[usize]) {
    for (i, length) in index.iter_mut().zip(shape).rev() {
        *i += 1;
        if *i < *length {
            return;
        }
        *i = 0;
    }
}

fn columns(field: &Field) -> Vec<Column> {
    let dimensions = field.dimensions();
    let mut columns: Vec<Column> = dimensions
        .iter()
        .enumerate()
        .map(|(position, dimension)| {
            let cells = match field.coordinate(&dimension.name) {
                Some(coordinate) if coordinate.is_axis() => coordinate.labels(),
                _ => (0..dimension.length).map(|i| i.to_string()).collect(),
            };
            let strides = (0..dimensions.len()).map(|i| usize::from(i == position)).collect();
            Column { name: dimension.name.clone(), cells, strides }
        })
        .collect();
    let named = |name: &str| dimensions.iter().any(|dimension| dimension.name == name);
    // A map projection is nothing that a row could tell.
    let of_rows = |it: &&crate::Coordinate| {
        !named(&it.name) && !it.attributes.contains_key("grid_mapping_name")
    };
    columns.extend(field.coordinates().iter().filter(of_rows).map(|coordinate| {
        let mut strides = vec![0; dimensions.len()];
        let mut stride = 1_usize;
        for name in coordinate.dimensions.iter().rev() {
            for (slot, dimension) in strides.iter_mut().zip(dimensions) {
                if dimension.name == *name {
                    *slot = stride;
                    stride = stride.saturating_mul(dimension.length);
                    break;
                }
            }
        }
        Column { name: coordinate.name.clone(), cells: coordinate.labels(), strides }
    }));
    columns
}

/// RFC 4180 §2.5–2.7: quotes around what would break the line, quotes inside doubled.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Coordinate, CoordinateValues};

    fn text(field: &Field) -> String {
        let mut out = Vec::new();
        write(field, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_per_point_with_times_in_iso_8601() {
        let seconds =
            |coordinate: Coordinate| coordinate.with_attribute("units", "seconds since 1970-01-01");
        let valid = Coordinate {
            dimensions: vec!["time".into(), "step".into()],
            ..Coordinate::axis(
                "valid_time",
                CoordinateValues::Int64(vec![1_736_164_800, 1_736_186_400]),
            )
        };
        let field =
            Field::new("tp", [("time", 1), ("step", 2), ("x", 2)], vec![0.0, 1.5, f32::NAN, 2e-7])
                .and_then(|f| {
                    f.with_coordinate(seconds(Coordinate::axis(
                        "time",
                        CoordinateValues::Int64(vec![1_736_121_600]),
                    )))
                })
                .and_then(|f| {
                    f.with_coordinate(
                        Coordinate::axis("step", CoordinateValues::Int64(vec![12, 18]))
                            .with_attribute("units", "hours"),
                    )
                })
                .and_then(|f| f.with_coordinate(seconds(valid)))
                .and_then(|f| {
                    f.with_coordinate(Coordinate::scalar(
                        "height",
                        CoordinateValues::Float64(vec![2.5]),
                    ))
                })
                .unwrap();
        assert_eq!(
            text(&field),
            "time,step,x,valid_time,height,tp\r\n\
             2025-01-06T00:00:00Z,12,0,2025-01-06T12:00:00Z,2.5,0\r\n\
             2025-01-06T00:00:00Z,12,1,2025-01-06T12:00:00Z,2.5,1.5\r\n\
             2025-01-06T00:00:00Z,18,0,2025-01-06T18:00:00Z,2.5,\r\n\
             2025-01-06T00:00:00Z,18,1,2025-01-06T18:00:00Z,2.5,2e-7\r\n"
        );
    }

    #[test]
    fn two_dimensional_coordinates() {
        let latitude = Coordinate {
            dimensions: vec!["y".into(), "x".into()],
            ..Coordinate::axis("latitude", CoordinateValues::Float64(vec![1.0, 2.0, 3.0, 4.0]))
        };
        let field = Field::new("a,b", [("y", 2), ("x", 2)], vec![9.0; 4])
            .and_then(|field| field.with_coordinate(latitude))
            .unwrap();
        assert_eq!(
            text(&field),
            "y,x,latitude,\"a,b\"\r\n0,0,1,9\r\n0,1,2,9\r\n1,0,3,9\r\n1,1,4,9\r\n"
        );
    }

    #[test]
    fn a_scalar_and_a_quoted_name() {
        let field = Field::new("say \"x\"", [("x", 1); 0], vec![f32::MAX]).unwrap();
        assert_eq!(text(&field), "\"say \"\"x\"\"\"\r\n3.4028235e38\r\n");
    }
}
