//! Which points of a grid lie inside a box.

use std::ops::Range;

use gik_core::{Error, Result};

use super::BoundingBox;

/// Points on an edge count as inside even if their coordinate was rounded: to `f32`, or by
/// adding up a step of 0.1. A hundredth of the grid's step is more than either error.
const TOLERANCE_OF_STEP: f64 = 0.01;

/// For grids of one point, and the upper bound for coarse ones, in degrees.
const TOLERANCE: f64 = 1e-3;

/// The part of a grid inside a box, as index ranges along its axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Indices along latitude, in the grid's own order; never empty.
    pub latitude: Range<usize>,
    /// Indices along longitude, from west to east: one range, or two where the box crosses
    /// the line at which the grid begins and ends. None is empty.
    pub longitude: Vec<Range<usize>>,
}

impl BoundingBox {
    /// The grid points inside the box, those on its edges included.
    ///
    /// `latitude` may ascend or descend; `longitude` must ascend and span at most 360°,
    /// written in any convention, over the globe or a part of it. Where a grid holds one
    /// meridian twice (both −180 and 180), it is taken once.
    ///
    /// # Errors
    /// If no point lies inside (the text names box and grid), or a coordinate is empty, not
    /// finite or not monotone.
    pub fn select(&self, latitude: &[f64], longitude: &[f64]) -> Result<Selection> {
        let rows = self.rows(latitude)?;
        let columns = self.columns(longitude)?;
        if rows.is_empty() || columns.is_empty() {
            let (north, south) = extremes(latitude);
            let (east, west) = extremes(longitude);
            return Err(Error::argument(
                format!("bbox {self}"),
                format!(
                    "no grid point lies inside; the grid spans longitudes {west}…{east} and \
                     latitudes {south}…{north}"
                ),
            ));
        }
        Ok(Selection { latitude: rows, longitude: columns })
    }

    fn rows(&self, latitude: &[f64]) -> Result<Range<usize>> {
        let order = order_of("latitude", latitude)?;
        let tolerance = tolerance(latitude);
        let (south, north) = (self.south - tolerance, self.north + tolerance);
        Ok(match order {
            Order::Ascending => {
                latitude.partition_point(|&value| value < south)
                    ..latitude.partition_point(|&value| value <= north)
            }
            Order::Descending => {
                latitude.partition_point(|&value| value > north)
                    ..latitude.partition_point(|&value| value >= south)
            }
        })
    }

    fn columns(&self, longitude: &[f64]) -> Result<Vec<Range<usize>>> {
        let (east, west) = extremes(longitude);
        let tolerance = tolerance(longitude);
        if order_of("longitude", longitude)? == Order::Descending || east - west > 360.0 + tolerance
        {
            return Err(Error::malformed(
                "longitude coordinate",
                "ascending degrees that span at most 360",
                format!("{west}…{east}, first {}", longitude.first().copied().unwrap_or(f64::NAN)),
            ));
        }
        // Degrees east of the box's western edge; a hair west of it counts as on it.
        let eastward = |value: f64| {
            let degrees = (value - self.west).rem_euclid(360.0);
            if degrees > 360.0 - tolerance { 0.0 } else { degrees }
        };
        let limit = self.width() + tolerance;
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut previous = f64::INFINITY;
        for (index, &value) in longitude.iter().enumerate() {
            let degrees = eastward(value);
            if degrees <= limit {
                match runs.last_mut() {
                    Some(run) if run.end == index && degrees > previous => run.end = index + 1,
                    _ => runs.push(index..index + 1),
                }
            }
            previous = degrees;
        }
        // The run that holds the box's western edge comes first.
        runs.sort_by(|a, b| {
            let start = |run: &Range<usize>| longitude.get(run.start).map_or(0.0, |&v| eastward(v));
            start(a).total_cmp(&start(b))
        });
        drop_repeated_meridian(&mut runs, longitude, tolerance);
        Ok(runs)
    }
}

/// Where the grid's last meridian is its first again and the box took both, the later of
/// the two in west-to-east order goes.
fn drop_repeated_meridian(runs: &mut Vec<Range<usize>>, longitude: &[f64], tolerance: f64) {
    let last = longitude.len().saturating_sub(1);
    let (east, west) = extremes(longitude);
    let taken = |index: usize| runs.iter().any(|run| run.contains(&index));
    if east - west < 360.0 - tolerance || !(taken(0) && taken(last)) {
        return;
    }
    let later = match runs.as_slice() {
        [first, ..] if first.contains(&0) => last,
        _ => 0,
    };
    if let Some(run) = runs.iter_mut().find(|run| run.contains(&later)) {
        if later == 0 {
            run.start += 1;
        } else {
            run.end -= 1;
        }
    }
    runs.retain(|run| !run.is_empty());
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

fn order_of(what: &'static str, values: &[f64]) -> Result<Order> {
    let wrong = |found: String| {
        Err(Error::malformed(
            "coordinate of the grid",
            format!("a {what} of finite, strictly ascending or descending degrees"),
            found,
        ))
    };
    if values.is_empty() {
        return wrong("no value".into());
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return wrong(format!("{value}"));
    }
    if values.is_sorted_by(|a, b| a < b) {
        Ok(Order::Ascending)
    } else if values.is_sorted_by(|a, b| a > b) {
        Ok(Order::Descending)
    } else {
        wrong("values that go back and forth".into())
    }
}

/// The greatest and the least value.
fn extremes(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::NEG_INFINITY, f64::INFINITY), |(high, low), &v| (high.max(v), low.min(v)))
}

fn tolerance(values: &[f64]) -> f64 {
    values
        .iter()
        .zip(values.iter().skip(1))
        .map(|(a, b)| (b - a).abs() * TOLERANCE_OF_STEP)
        .fold(TOLERANCE, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(first: f64, step: f64, count: u32) -> Vec<f64> {
        (0..count).map(|i| first + step * f64::from(i)).collect()
    }

    fn one(range: Range<usize>) -> Vec<Range<usize>> {
        std::iter::once(range).collect()
    }

    fn select(bbox: &str, latitude: &[f64], longitude: &[f64]) -> Result<Selection> {
        bbox.parse::<BoundingBox>()?.select(latitude, longitude)
    }

    /// The longitudes selected, west to east.
    fn meridians(bbox: &str, longitude: &[f64]) -> Vec<f64> {
        let selection = select(bbox, &[0.0], longitude).unwrap();
        selection.longitude.into_iter().flatten().map(|i| longitude[i]).collect()
    }

    #[test]
    fn east_africa_on_the_gefs_and_ecmwf_grids() {
        let latitude = axis(90.0, -0.25, 721);
        let gefs = select("21,-12,53,23", &latitude, &axis(0.0, 0.25, 1440)).unwrap();
        assert_eq!((gefs.latitude, gefs.longitude), (268..409, one(84..213)));
        let ecmwf = select("21,-12,53,23", &latitude, &axis(-180.0, 0.25, 1440)).unwrap();
        assert_eq!((ecmwf.latitude, ecmwf.longitude), (268..409, one(804..933)));
    }

    #[test]
    fn ascending_latitude() {
        let selection = select("0,-10,10,10", &axis(-90.0, 10.0, 19), &[5.0]).unwrap();
        assert_eq!((selection.latitude, selection.longitude), (8..11, one(0..1)));
    }

    #[test]
    fn two_ranges_across_the_date_line_and_across_greenwich() {
        let west_first = axis(-180.0, 5.0, 72);
        let selection = select("170,-1,-170,1", &[0.0], &west_first).unwrap();
        assert_eq!(selection.longitude, vec![70..72, 0..3]);
        assert_eq!(meridians("170,-1,-170,1", &west_first), [170.0, 175.0, -180.0, -175.0, -170.0]);

        let greenwich_first = axis(0.0, 5.0, 72);
        assert_eq!(
            meridians("170,-1,-170,1", &greenwich_first),
            [170.0, 175.0, 180.0, 185.0, 190.0]
        );
        assert_eq!(meridians("-10,-1,5,1", &greenwich_first), [350.0, 355.0, 0.0, 5.0]);
        assert_eq!(meridians("350,-1,5,1", &greenwich_first), [350.0, 355.0, 0.0, 5.0]);
        assert_eq!(meridians("350,-1,5,1", &west_first), [-10.0, -5.0, 0.0, 5.0]);
    }

    #[test]
    fn the_whole_globe_holds_every_meridian_once() {
        for first in [-180.0, 0.0] {
            let longitude = axis(first, 90.0, 4);
            for bbox in ["-180,-1,180,1", "0,-1,360,1", "-90,-1,270,1"] {
                let mut found = meridians(bbox, &longitude);
                found.sort_by(f64::total_cmp);
                assert_eq!(found, longitude, "{bbox} on a grid from {first}");
            }
        }
        assert_eq!(meridians("-180,-1,180,1", &axis(0.0, 90.0, 4)), [180.0, 270.0, 0.0, 90.0]);
    }

    #[test]
    fn a_meridian_that_a_grid_holds_twice_is_taken_once() {
        let longitude = axis(-180.0, 10.0, 37);
        assert_eq!(meridians("170,-1,-170,1", &longitude), [170.0, 180.0, -170.0]);
        assert_eq!(meridians("170,-1,180,1", &longitude), [170.0, 180.0]);
        assert_eq!(meridians("-180,-1,-170,1", &longitude), [-180.0, -170.0]);
        assert_eq!(meridians("180,-1,-170,1", &longitude), [-180.0, -170.0]);
        assert_eq!(meridians("-180,-1,180,1", &longitude), axis(-180.0, 10.0, 36));
        assert_eq!(meridians("0,-1,360,1", &longitude).len(), 36);
    }

    #[test]
    fn points_on_the_edge_survive_rounding() {
        // As steps of 0.1 come out of an f32.
        let rounded: Vec<f64> = (0..3600_u16).map(|i| f64::from(f32::from(i) * 0.1_f32)).collect();
        let found = meridians("21.3,-1,21.6,1", &rounded);
        assert_eq!(found.len(), 4, "{found:?}");
        let summed: Vec<f64> = (0..900)
            .scan(90.1, |latitude, _| {
                *latitude -= 0.1;
                Some(*latitude)
            })
            .collect();
        let rows = select("0,10.2,1,10.4", &summed, &[0.5]).unwrap().latitude;
        assert_eq!(rows.len(), 3, "{:?}", &summed[rows.clone()]);
    }

    #[test]
    fn regional_grids() {
        let latitude = axis(25.0, -0.25, 157);
        let longitude = axis(19.0, 0.25, 145);
        let wider = select("-180,-90,180,90", &latitude, &longitude).unwrap();
        assert_eq!((wider.latitude, wider.longitude), (0..157, one(0..145)));
        let error = select("-60,-10,-50,10", &latitude, &longitude).unwrap_err().to_string();
        assert_eq!(
            error,
            "bbox -60,-10,-50,10: no grid point lies inside; the grid spans longitudes 19…55 and \
             latitudes -14…25"
        );
        let between = select("19.01,0,19.02,1", &latitude, &longitude).unwrap_err().to_string();
        assert!(between.contains("no grid point lies inside"), "{between}");
    }

    #[test]
    fn a_box_with_a_gap_in_a_nearly_global_region() {
        // 190 degrees wide on a grid of 100…280: both ends of the grid are inside.
        let longitude = axis(100.0, 20.0, 10);
        assert_eq!(meridians("250,-1,130,1", &longitude), [260.0, 280.0, 100.0, 120.0]);
    }

    #[test]
    fn coordinates_that_are_none() {
        for longitude in [&[][..], &[f64::NAN], &[0.0, 2.0, 1.0], &[1.0, 1.0], &[10.0, 0.0]] {
            assert!(select("0,-1,10,1", &[0.0], longitude).is_err(), "{longitude:?}");
        }
        assert!(select("0,-1,10,1", &[0.0, 1.0, 0.5], &[5.0]).is_err());
        assert!(select("0,-1,10,1", &[0.0], &[-100.0, 300.0]).is_err());
    }
}
