//! Which runs and steps there are, and on which grids.

use gik_core::{
    Error, Host, MapProjection, Offer, ParserInfo, Product, ProjectedGrid, ReferenceTime, Result,
    Run, RunRequest, StepUnit, VariableTable, steps_of,
};

use crate::vars;

pub(crate) const ID: &str = "hrrr";
pub(crate) const CODEC: &str = "hrrr_gribberish";

pub(crate) static INFO: ParserInfo = ParserInfo {
    id: ID,
    title: "NOAA High-Resolution Rapid Refresh, 3 km",
    products: &[
        Product {
            id: "wrfsfc",
            title: "surface and near-surface fields, 0 to 18 h (48 h at 00, 06, 12, 18z)",
        },
        Product { id: "wrfprs", title: "pressure levels and most of wrfsfc, the same hours" },
        Product { id: "wrfnat", title: "hybrid levels and most of wrfsfc, the same hours" },
        Product {
            id: "wrfsubh",
            title: "some of wrfsfc each 15 minutes, 0 to 18 h; steps in minutes",
        },
        Product { id: "wrfsfc-ak", title: "wrfsfc of Alaska, each 3 hours" },
        Product { id: "wrfprs-ak", title: "wrfprs of Alaska" },
        Product { id: "wrfnat-ak", title: "wrfnat of Alaska" },
        Product { id: "wrfsubh-ak", title: "wrfsubh of Alaska" },
    ],
    hosts: &[
        Host { name: "aws", root: "s3://noaa-hrrr-bdp-pds/", region: Some("us-east-1") },
        Host {
            name: "google",
            root: "https://storage.googleapis.com/high-resolution-rapid-refresh/",
            region: None,
        },
    ],
    codec: CODEC,
};

/// The first run of version 3, whose physics and inventory are today's for the most part.
const FIRST_RUN: ReferenceTime = ReferenceTime::from_seconds(1_531_483_200);
const HOURLY: [u32; 24] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
const THREE_HOURLY: [u32; 8] = [0, 3, 6, 9, 12, 15, 18, 21];
/// The last hour of most runs, and of those at 00, 06, 12 and 18z.
const SHORT: u32 = 18;
const LONG: u32 = 48;

const CONUS: ProjectedGrid = ProjectedGrid {
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
};
const ALASKA: ProjectedGrid = ProjectedGrid {
    projection: MapProjection::PolarStereographic {
        true_latitude: 60_000_000,
        meridian: 225_000_000,
        south: false,
    },
    columns: 1299,
    rows: 919,
    first_latitude: 41_612_949,
    first_longitude: 185_117_126,
    ..CONUS
};

/// A region: its folder, the end of its file names, its grid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) folder: &'static str,
    pub(crate) suffix: &'static str,
    pub(crate) grid: ProjectedGrid,
    cycles: &'static [u32],
}

pub(crate) static REGIONS: [Region; 2] = [
    Region { folder: "conus", suffix: "", grid: CONUS, cycles: &HOURLY },
    Region { folder: "alaska", suffix: ".ak", grid: ALASKA, cycles: &THREE_HOURLY },
];

impl Region {
    pub(crate) fn is_alaska(&self) -> bool {
        self.folder == "alaska"
    }
}

/// What tells the files of a product from others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProductConfig {
    /// The middle of the file name: `sfc`, `prs`, `nat`, `subh`.
    pub(crate) key: &'static str,
    pub(crate) region: &'static Region,
    pub(crate) table: fn() -> Result<&'static VariableTable>,
}

type Table = fn() -> Result<&'static VariableTable>;

const KEYS: [(&str, Table); 4] = [
    ("sfc", vars::surface),
    ("prs", vars::pressure),
    ("nat", vars::native),
    ("subh", vars::subhourly),
];

impl ProductConfig {
    /// Of an id like `wrfsfc` or `wrfsfc-ak`.
    fn of_id(id: &str) -> Result<Self> {
        let (stem, regional) = match id.strip_suffix("-ak") {
            Some(stem) => (stem, 1),
            None => (id, 0),
        };
        let key = stem.strip_prefix("wrf").unwrap_or_default();
        let found = KEYS.iter().find(|(known, _)| *known == key).zip(REGIONS.get(regional));
        let (&(key, table), region) =
            found.ok_or_else(|| Error::mismatch("product of the run", "one of HRRR's", id))?;
        Ok(Self { key, region, table })
    }

    pub(crate) fn of_run(run: &Run) -> Result<Self> {
        Self::of_id(INFO.product_of(run)?.id)
    }

    pub(crate) fn is_subhourly(&self) -> bool {
        self.key == "subh"
    }

    /// Minutes in a step.
    pub(crate) fn step_minutes(&self) -> u32 {
        if self.is_subhourly() { 1 } else { 60 }
    }

    /// The hour in the name of the file that holds a step.
    pub(crate) fn hour_of(&self, step: u32) -> u32 {
        (step * self.step_minutes()).div_ceil(60)
    }

    fn steps(&self, hour: u32) -> Vec<u32> {
        if self.is_subhourly() {
            return steps_of(&[(SHORT * 60, 15)]);
        }
        steps_of(&[(if hour.is_multiple_of(6) { LONG } else { SHORT }, 1)])
    }
}

/// The id of a product by the middle of its file names and its region.
pub(crate) fn product_id(key: &str, region: &Region) -> Option<&'static str> {
    let ids = INFO.products.iter().map(|product| product.id);
    let suffix = if region.is_alaska() { "-ak" } else { "" };
    ids.into_iter().find(|id| *id == format!("wrf{key}{suffix}"))
}

pub(crate) fn run(request: &RunRequest) -> Result<Run> {
    let product = INFO.product(request.product.as_deref())?;
    let config = ProductConfig::of_id(product.id)?;
    let step_unit = if config.is_subhourly() { StepUnit::Minutes } else { StepUnit::Hours };
    let offer = Offer {
        product,
        cycles: config.region.cycles,
        first: FIRST_RUN,
        members: None,
        steps: config.steps(request.reference_time.hour()),
        step_unit,
        table: (config.table)()?,
    };
    INFO.run(request, &offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(product: &str, time: &str) -> RunRequest {
        let mut request = RunRequest::new(time.parse().unwrap());
        request.product = Some(product.to_owned());
        request
    }

    #[test]
    fn steps_of_each_cycle() {
        for (product, time, count, last) in [
            ("wrfsfc", "2025-08-01T00", 49, 48),
            ("wrfprs", "2025-08-01T05", 19, 18),
            ("wrfnat-ak", "2025-08-01T18", 49, 48),
            ("wrfsubh", "2025-08-01T06", 73, 1080),
        ] {
            let run = run(&request(product, time)).unwrap();
            assert_eq!((run.steps.len(), run.steps.last()), (count, Some(&last)), "{product}");
            assert_eq!(run.members, None);
        }
    }

    #[test]
    fn wrong_requests_say_what_is_right() {
        let error =
            |product: &str, time: &str| run(&request(product, time)).unwrap_err().to_string();
        assert!(error("wrfsfc-ak", "2025-08-01T01").contains("00, 03, 06"));
        assert!(error("wrfsfc", "2017-08-01T01").contains("2018-07-13T12"));
        assert!(error("wrfsf", "2025-08-01T01").contains("wrfsfc, wrfprs"));
    }

    #[test]
    fn files_hold_the_steps_up_to_their_hour() {
        let product = ProductConfig::of_id("wrfsubh").unwrap();
        assert_eq!([0, 15, 60, 75].map(|step| product.hour_of(step)), [0, 1, 1, 2]);
    }
}
