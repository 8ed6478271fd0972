//! Which runs, members and steps there are.

use gik_core::{
    Error, Host, LatLonGrid, Offer, ParserInfo, Product, ReferenceTime, Result, Run, RunRequest,
    StepUnit, VariableTable, steps_of,
};

use crate::vars;

pub(crate) const ID: &str = "gefs";
pub(crate) const CODEC: &str = "gefs_gribberish";

pub(crate) static INFO: ParserInfo = ParserInfo {
    id: ID,
    title: "NOAA Global Ensemble Forecast System, version 12",
    products: &[
        Product { id: "pgrb2sp25", title: "0.25°, surface and near-surface fields, 0 to 240 h" },
        Product {
            id: "pgrb2ap5",
            title: "0.5°, the most used fields and pressure levels, 0 to 384 h (840 h at 00z)",
        },
        Product {
            id: "pgrb2bp5",
            title: "0.5°, all other fields and levels, 0 to 384 h (840 h at 00z)",
        },
        Product {
            id: "pgrb2abp5",
            title: "pgrb2ap5 and pgrb2bp5 together: all levels of a variable in one array",
        },
    ],
    hosts: &[Host { name: "aws", root: "s3://noaa-gefs-pds/", region: Some("us-east-1") }],
    codec: CODEC,
};

/// The first run of version 12, with today's layout and grids: 2020-09-23T12.
const FIRST_RUN: ReferenceTime = ReferenceTime::from_seconds(1_600_862_400);
const CYCLES: [u32; 4] = [0, 6, 12, 18];
/// The control is 0, the perturbed members follow.
const MEMBERS: u32 = 31;

/// A kind of file, which holds a product or a part of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileKind {
    /// The folder below `atmos/`.
    pub(crate) folder: &'static str,
    /// The middle of the file name.
    pub(crate) stem: &'static str,
    /// The column `file` of the variable table.
    pub(crate) key: &'static str,
}

const S: FileKind = FileKind { folder: "pgrb2sp25", stem: "pgrb2s.0p25", key: "s" };
const A: FileKind = FileKind { folder: "pgrb2ap5", stem: "pgrb2a.0p50", key: "a" };
const B: FileKind = FileKind { folder: "pgrb2bp5", stem: "pgrb2b.0p50", key: "b" };

const GRID_0P25: LatLonGrid = LatLonGrid {
    columns: 1440,
    rows: 721,
    first_latitude: 90_000_000,
    first_longitude: 0,
    increment: 250_000,
};
const GRID_0P50: LatLonGrid =
    LatLonGrid { columns: 720, rows: 361, increment: 500_000, ..GRID_0P25 };

/// What tells the products apart.
#[derive(Debug)]
pub(crate) struct ProductConfig {
    pub(crate) id: &'static str,
    pub(crate) grid: LatLonGrid,
    pub(crate) files: &'static [FileKind],
    /// The last steps of each stretch and its spacing, in hours.
    steps: &'static [(u32, u32)],
    /// Likewise for what follows at 00z only.
    steps_at_00z: &'static [(u32, u32)],
    pub(crate) table: fn() -> Result<&'static VariableTable>,
}

const STEPS_10_DAYS: &[(u32, u32)] = &[(240, 3)];
const STEPS_16_DAYS: &[(u32, u32)] = &[(240, 3), (384, 6)];
const STEPS_35_DAYS: &[(u32, u32)] = &[(840, 6)];

static PRODUCTS: [ProductConfig; 4] = [
    ProductConfig {
        id: "pgrb2sp25",
        grid: GRID_0P25,
        files: &[S],
        steps: STEPS_10_DAYS,
        steps_at_00z: &[],
        table: vars::surface,
    },
    ProductConfig {
        id: "pgrb2ap5",
        grid: GRID_0P50,
        files: &[A],
        steps: STEPS_16_DAYS,
        steps_at_00z: STEPS_35_DAYS,
        table: vars::common,
    },
    ProductConfig {
        id: "pgrb2bp5",
        grid: GRID_0P50,
        files: &[B],
        steps: STEPS_16_DAYS,
        steps_at_00z: STEPS_35_DAYS,
        table: vars::rest,
    },
    ProductConfig {
        id: "pgrb2abp5",
        grid: GRID_0P50,
        files: &[A, B],
        steps: STEPS_16_DAYS,
        steps_at_00z: STEPS_35_DAYS,
        table: vars::both,
    },
];

impl ProductConfig {
    fn of(product: &Product) -> Result<&'static Self> {
        let found = PRODUCTS.iter().find(|it| it.id == product.id);
        found.ok_or_else(|| Error::mismatch("product", "one with files", product.id))
    }

    /// The product of a run.
    pub(crate) fn of_run(run: &Run) -> Result<&'static Self> {
        Self::of(INFO.product_of(run)?)
    }

    /// The product whose only files lie in `folder`.
    pub(crate) fn of_folder(folder: &str) -> Option<&'static Self> {
        PRODUCTS.iter().find(|product| matches!(product.files, [only] if only.folder == folder))
    }

    fn steps(&self, hour: u32) -> Vec<u32> {
        let extended = if hour == 0 { self.steps_at_00z } else { &[] };
        steps_of(self.steps.iter().chain(extended))
    }
}

pub(crate) fn run(request: &RunRequest) -> Result<Run> {
    let product = INFO.product(request.product.as_deref())?;
    let config = ProductConfig::of(product)?;
    INFO.run(
        request,
        &Offer {
            product,
            cycles: &CYCLES,
            first: FIRST_RUN,
            members: Some((0..MEMBERS).collect()),
            steps: config.steps(request.reference_time.hour()),
            step_unit: StepUnit::Hours,
            table: (config.table)()?,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(time: &str) -> RunRequest {
        RunRequest::new(time.parse().unwrap())
    }

    #[test]
    fn steps_of_each_cycle() {
        for (product, time, count, last) in [
            ("pgrb2sp25", "2025-01-06T00", 81, 240),
            ("pgrb2ap5", "2025-01-06T06", 105, 384),
            ("pgrb2bp5", "2025-01-06T00", 181, 840),
        ] {
            let product = Some(product.to_owned());
            let run = run(&RunRequest { product, ..request(time) }).unwrap();
            assert_eq!((run.steps.len(), run.steps.last()), (count, Some(&last)));
            assert!(run.steps.is_sorted_by(|a, b| a < b));
            assert_eq!(run.members.unwrap().len(), 31);
        }
    }

    #[test]
    fn wrong_requests_say_what_is_right() {
        let error = |change: &dyn Fn(&mut RunRequest)| {
            let mut request = request("2025-01-06T00");
            change(&mut request);
            run(&request).unwrap_err().to_string()
        };
        let time = |text: &'static str| {
            move |request: &mut RunRequest| request.reference_time = text.parse().unwrap()
        };
        assert!(error(&time("2025-01-06T03")).contains("00, 06, 12 and 18"));
        assert!(error(&time("2020-09-23T06")).contains("2020-09-23T12"));
        assert!(error(&|it| it.product = Some("x".into())).contains("pgrb2sp25, pgrb2ap5"));
        assert!(error(&|it| it.members = Some("31".parse().unwrap())).contains("30"));
        assert!(error(&|it| it.steps = Some("1".parse().unwrap())).contains("0, 3, 6 … 240"));
        assert!(error(&|it| it.variables = Some(vec!["rain".into()])).contains("tp"));
    }
}
