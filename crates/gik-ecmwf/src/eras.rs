//! What has changed since ECMWF opened its data, by the first run with it.

use gik_core::{LatLonGrid, ReferenceTime};

const fn at(seconds: i64) -> ReferenceTime {
    ReferenceTime::from_seconds(seconds)
}

/// The first runs on the public buckets.
const FIRST: ReferenceTime = at(1_643_068_800); // 2022-01-25T00
/// The grid of 0.25° takes the place of that of 0.4°.
const QUARTER_DEGREE: ReferenceTime = at(1_706_745_600); // 2024-02-01T00
/// The folder `ifs`.
const IFS_FOLDER: ReferenceTime = at(1_709_100_000); // 2024-02-28T06
/// AIFS on the regular grid; before it was on a reduced Gaussian one.
const AIFS_FIRST: ReferenceTime = at(1_711_929_600); // 2024-04-01T00
/// Totals of AIFS in kg m⁻² instead of metres, cloud cover in per cent; its second folder.
pub(crate) const AIFS_MASS: ReferenceTime = at(1_740_376_800); // 2025-02-24T06
/// AIFS in operation, and its third folder.
const AIFS_OPERATIONAL: ReferenceTime = at(1_740_484_800); // 2025-02-25T12
/// The AIFS ensemble.
const AIFS_ENSEMBLE: ReferenceTime = at(1_751_414_400); // 2025-07-02T00
/// Cycle 49r1 of the IFS: the high-resolution forecast has the steps of the ensemble.
pub(crate) const CYCLE_49R1: ReferenceTime = at(1_731_391_200); // 2024-11-12T06
/// Cycle 50r1 of the IFS: ensemble files without the control, no streams of their own for
/// the high-resolution runs of 06 and 18z.
pub(crate) const CYCLE_50R1: ReferenceTime = at(1_778_565_600); // 2026-05-12T06

const GRID_0P25: LatLonGrid = LatLonGrid {
    columns: 1440,
    rows: 721,
    first_latitude: 90_000_000,
    first_longitude: 180_000_000,
    increment: 250_000,
};
const GRID_0P40: LatLonGrid =
    LatLonGrid { columns: 900, rows: 451, increment: 400_000, ..GRID_0P25 };

/// Where the files of a model's products lie, and their grid, from a run on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Era {
    pub(crate) since: ReferenceTime,
    /// The folders between the cycle and the stream.
    pub(crate) folder: &'static str,
    pub(crate) grid: LatLonGrid,
}

const fn era(since: ReferenceTime, folder: &'static str) -> Era {
    Era { since, folder, grid: GRID_0P25 }
}

/// Of the IFS.
pub(crate) const IFS: &[Era] = &[
    Era { since: FIRST, folder: "0p4-beta", grid: GRID_0P40 },
    era(QUARTER_DEGREE, "0p25"),
    era(IFS_FOLDER, "ifs/0p25"),
];
/// Of AIFS.
pub(crate) const AIFS_SINGLE: &[Era] = &[
    era(AIFS_FIRST, "aifs/0p25"),
    era(AIFS_MASS, "aifs-single/0p25/experimental"),
    era(AIFS_OPERATIONAL, "aifs-single/0p25"),
];
/// Of the AIFS ensemble.
pub(crate) const AIFS_ENS: &[Era] = &[era(AIFS_ENSEMBLE, "aifs-ens/0p25")];

impl Era {
    /// The one that a run belongs to; none for runs before the first.
    pub(crate) fn of(eras: &'static [Self], run: ReferenceTime) -> Option<&'static Self> {
        eras.iter().rev().find(|era| era.since <= run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eras_begin_when_their_comments_say() {
        for (time, text) in [
            (FIRST, "2022-01-25T00"),
            (QUARTER_DEGREE, "2024-02-01T00"),
            (IFS_FOLDER, "2024-02-28T06"),
            (AIFS_FIRST, "2024-04-01T00"),
            (AIFS_MASS, "2025-02-24T06"),
            (AIFS_OPERATIONAL, "2025-02-25T12"),
            (AIFS_ENSEMBLE, "2025-07-02T00"),
            (CYCLE_49R1, "2024-11-12T06"),
            (CYCLE_50R1, "2026-05-12T06"),
        ] {
            assert_eq!(time.to_string(), text);
        }
        for eras in [IFS, AIFS_SINGLE, AIFS_ENS] {
            assert!(eras.is_sorted_by(|a, b| a.since < b.since));
        }
    }
}
