//! A rough map of the world: where land is and how high.

use super::hash::bump;
use crate::grib::RegularGrid;

/// A coast as (longitude, latitude) all around.
type Outline = &'static [(f64, f64)];

/// Coasts drawn by eye: Africa and its neighbours with some care, the rest of the world
/// with few strokes, for every coast costs bytes in every message.
#[rustfmt::skip]
const COASTS: [Outline; 7] = [
    // Africa
    &[
        (-17., 15.), (-16., 20.), (-13., 27.), (-9., 31.), (-6., 36.), (3., 37.), (10., 37.),
        (11., 33.5), (20., 31.), (25., 32.), (32., 31.), (34., 28.), (37., 21.), (39., 16.),
        (43., 12.), (44.5, 10.5), (51., 11.9), (50.9, 10.2), (48., 4.5), (44., 1.2), (41.2, -2.),
        (39.3, -4.7), (38.8, -6.5), (40.6, -11.), (40.7, -15.), (35., -20.), (35., -24.),
        (32., -28.), (27., -34.), (20., -35.), (18., -32.), (15., -26.), (12., -17.),
        (13.5, -10.), (12., -5.), (9., -1.), (9.5, 4.), (5., 5.), (-2., 5.), (-8., 4.5),
        (-13., 8.5),
    ],
    // Madagascar
    &[(49., -12.), (50.5, -16.), (47., -25.), (44., -25.), (43.5, -21.), (44.5, -16.)],
    // Arabia
    &[
        (35., 28.), (35., 31.5), (48., 30.), (50., 27.), (51.5, 25.), (56., 26.), (59.5, 22.5),
        (55., 17.5), (52., 15.6), (45., 12.7), (43.3, 12.8), (42.7, 16.), (39., 21.),
    ],
    // Europe and Asia
    &[
        (-9., 37.), (-9., 43.5), (-1., 44.), (2., 51.), (22., 56.), (26., 69.), (70., 72.), (100., 77.), (140., 72.), (180., 68.), (163., 60.),
        (140., 54.), (122., 39.), (122., 30.), (109., 20.), (107., 10.), (98., 14.), (91., 22.),
        (78., 8.), (72., 21.), (57., 26.), (50., 30.), (35., 31.5), (36., 36.), (27., 37.),
        (20., 40.), (3., 43.),
    ],
    // North America
    &[
        (-165., 62.), (-160., 70.), (-125., 70.), (-85., 69.), (-64., 60.), (-56., 51.),
        (-66., 45.), (-76., 36.), (-81., 30.), (-97., 29.), (-97., 20.), (-83., 10.), (-95., 16.), (-106., 22.), (-117., 33.), (-124., 42.),
        (-125., 50.), (-135., 58.), (-152., 59.),
    ],
    // South America
    &[
        (-77., 8.), (-72., 12.), (-62., 10.5), (-50., 0.), (-35., -6.), (-39., -15.),
        (-41., -22.), (-48., -26.), (-58., -38.), (-65., -43.), (-68., -53.), (-74., -51.),
        (-71., -30.), (-70., -18.), (-77., -12.), (-81., -5.),
    ],
    // Australia
    &[
        (114., -22.), (122., -18.), (131., -12.), (142., -13.), (153., -26.), (150., -37.),
        (138., -35.), (131., -31.5), (115., -34.),
    ],
];

/// South of this all is land.
const ANTARCTICA: f64 = -71.0;

/// Highlands of Africa and its neighbours: centre, half widths in degrees, height in metres.
#[rustfmt::skip]
const HIGHLANDS: [(f64, f64, f64, f64, f64); 15] = [
    // Ethiopia, west and east of the rift
    (37.7, 10.5, 3.4, 4.4, 1900.), (36.8, 7.2, 2.2, 2.6, 1500.), (40.2, 7.2, 2.8, 2.2, 1700.),
    (39.4, 13.2, 1.8, 2.6, 1500.),
    // Kenya
    (35.4, 0.4, 1.4, 2.2, 1500.), (37.2, -0.3, 1.4, 1.6, 1800.), (36.2, -2.6, 1.8, 2.2, 1200.),
    // the western rift
    (29.6, -2.4, 1.6, 3.0, 1600.), (30.2, 1.6, 1.4, 2.2, 900.), (29.2, -7.8, 1.8, 2.6, 1000.),
    // southern Tanzania, Malawi
    (34.2, -9.0, 2.2, 1.8, 1500.), (36.4, -7.2, 1.8, 1.6, 900.), (33.8, -11.6, 1.2, 2.0, 900.),
    // Drakensberg, Yemen
    (29., -29., 4., 4., 1500.), (44.3, 15.2, 1.8, 2.6, 2100.),
];

/// Share of land at each point of a row, 0 to 1, with coasts one degree wide.
pub(super) fn row(grid: RegularGrid, latitude: f64, share: &mut Vec<f64>) {
    share.clear();
    share.resize(grid.columns as usize, if latitude < ANTARCTICA { 1.0 } else { 0.0 });
    for outline in COASTS {
        // Meridians at which the row crosses the coast, in pairs.
        let mut crossings = Vec::new();
        let next = outline.iter().cycle().skip(1);
        for (&(lon1, lat1), &(lon2, lat2)) in outline.iter().zip(next) {
            if (lat1 > latitude) != (lat2 > latitude) {
                crossings.push(lon1 + (latitude - lat1) * (lon2 - lon1) / (lat2 - lat1));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            if let [west, east] = *pair {
                paint(grid, west, east, share);
            }
        }
    }
}

/// Paints the land between two meridians.
fn paint(grid: RegularGrid, west: f64, east: f64, share: &mut [f64]) {
    for (column, longitude) in columns(grid, west - 0.5, east + 0.5) {
        let land = (longitude - west + 0.5).min(east - longitude + 0.5).clamp(0.0, 1.0);
        if let Some(share) = share.get_mut(column) {
            *share = share.max(land);
        }
    }
}

/// Height of the ground in metres at each point of a row; 0 at sea.
pub(super) fn heights(grid: RegularGrid, latitude: f64, share: &[f64], heights: &mut Vec<f64>) {
    heights.clear();
    heights.extend(share.iter().map(|&share| {
        if latitude < ANTARCTICA {
            ((ANTARCTICA - latitude) * 250.0).min(2500.0)
        } else {
            150.0 * share
        }
    }));
    for (lon, lat, half_width, half_height, top) in HIGHLANDS {
        let y = (latitude - lat) / half_height;
        if y.abs() < 1.0 {
            for (column, longitude) in columns(grid, lon - half_width, lon + half_width) {
                let x = (longitude - lon) / half_width;
                if let (Some(height), Some(share)) = (heights.get_mut(column), share.get(column)) {
                    *height += top * bump(x * x + y * y) * share;
                }
            }
        }
    }
}

/// Columns of a global grid between two meridians (which may lie around the globe's seam),
/// with the longitude in the caller's count.
pub(super) fn columns(
    grid: RegularGrid,
    west: f64,
    east: f64,
) -> impl Iterator<Item = (usize, f64)> {
    let (step, origin) = (f64::from(grid.step) / 1e6, f64::from(grid.west) / 1e6);
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand columns at most")]
    let (first, last) =
        (((west - origin) / step).ceil() as i64, ((east - origin) / step).floor() as i64);
    let count = i64::from(grid.columns);
    (first..=last).map(move |column| {
        let wrapped = usize::try_from(column.rem_euclid(count)).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand columns at most")]
        let longitude = origin + column as f64 * step;
        (wrapped, longitude)
    })
}
