//! Which runs, members and steps there are.

use gik_core::{
    Error, Host, Offer, ParserInfo, Product, ReferenceTime, Result, Run, RunRequest, StepUnit,
    steps_of,
};

use crate::eras::{self, CYCLE_49R1, CYCLE_50R1, Era};
use crate::vars::{self, ParameterTable};

pub(crate) const ID: &str = "ecmwf";
pub(crate) const CODEC: &str = "ecmwf_gribberish";

pub(crate) static INFO: ParserInfo = ParserInfo {
    id: ID,
    title: "ECMWF open data: IFS and AIFS",
    products: &[
        Product {
            id: "enfo",
            title: "IFS ensemble, 0.25° (0.4° before 2024-02-01), surface, soil and pressure levels, 0 \
                    to 360 h (144 h at 06 and 18z)",
        },
        Product {
            id: "oper",
            title: "IFS high resolution, grid of enfo, the same fields and some more, 0 to 360 h (240 h \
                    before cycle 49r1)",
        },
        Product { id: "waef", title: "ocean waves of the IFS ensemble, grid and steps of enfo" },
        Product {
            id: "wave",
            title: "ocean waves of the IFS high-resolution forecast, grid and steps of oper",
        },
        Product { id: "aifs-single", title: "AIFS, 0.25°, 0 to 360 h, from 2024-04-01" },
        Product { id: "aifs-ens", title: "AIFS ensemble, 0.25°, 0 to 360 h, from 2025-07-02" },
    ],
    hosts: &[
        Host { name: "aws", root: "s3://ecmwf-forecasts/", region: Some("eu-central-1") },
        Host {
            name: "google",
            root: "https://storage.googleapis.com/ecmwf-open-data/",
            region: None,
        },
        Host { name: "ecmwf", root: "https://data.ecmwf.int/forecasts/", region: None },
    ],
    codec: CODEC,
};

const CYCLES: [u32; 4] = [0, 6, 12, 18];
/// The control is 0, the perturbed members follow.
pub(crate) const MEMBERS: u32 = 51;

/// Whose fields a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The one forecast of a model without members.
    Single,
    /// Control and perturbed members.
    All,
    /// The control.
    Control,
    /// The perturbed members.
    Perturbed,
}

impl Holds {
    pub(crate) const fn has(self, member: u32) -> bool {
        match self {
            Self::Single | Self::All => true,
            Self::Control => member == 0,
            Self::Perturbed => member > 0,
        }
    }
}

/// A kind of file that a product has at each step, from some run on and until another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileKind {
    /// The stream of the runs of 00 and 12z, and since cycle 50r1 of all: folder and part of
    /// the name.
    stream: &'static str,
    /// The stream of the runs of 06 and 18z before cycle 50r1.
    short_stream: &'static str,
    /// The end of the name: `ef`, `fc`, `cf`, `pf`.
    pub(crate) suffix: &'static str,
    pub(crate) holds: Holds,
    /// Whether it is there before cycle 50r1, and since.
    eras: (bool, bool),
}

const ALWAYS: (bool, bool) = (true, true);
const BEFORE_50R1: (bool, bool) = (true, false);
const SINCE_50R1: (bool, bool) = (false, true);

const fn file(
    stream: &'static str,
    suffix: &'static str,
    holds: Holds,
    eras: (bool, bool),
) -> FileKind {
    FileKind { stream, short_stream: stream, suffix, holds, eras }
}

impl FileKind {
    pub(crate) fn exists(&self, run: ReferenceTime) -> bool {
        if run < CYCLE_50R1 { self.eras.0 } else { self.eras.1 }
    }

    pub(crate) fn stream(&self, run: ReferenceTime) -> &'static str {
        if run < CYCLE_50R1 && is_short(run) { self.short_stream } else { self.stream }
    }
}

/// Whether a run is one of 06 or 18z.
fn is_short(run: ReferenceTime) -> bool {
    !run.hour().is_multiple_of(12)
}

/// The last steps of each stretch and its spacing, in hours: of 00 and 12z, of 06 and 18z.
type Steps = [&'static [(u32, u32)]; 2];

const ENSEMBLE_STEPS: Steps = [&[(144, 3), (360, 6)], &[(144, 3)]];
const HIGH_RESOLUTION_STEPS: Steps = [&[(144, 3), (240, 6)], &[(90, 3)]];
const AIFS_STEPS: Steps = [&[(360, 6)], &[(360, 6)]];

/// What tells the products apart.
#[derive(Debug)]
pub(crate) struct ProductConfig {
    pub(crate) id: &'static str,
    pub(crate) eras: &'static [Era],
    files: &'static [FileKind],
    has_members: bool,
    /// Before and since cycle 49r1.
    steps: [Steps; 2],
    pub(crate) table: fn(ReferenceTime) -> Result<&'static ParameterTable>,
}

static PRODUCTS: [ProductConfig; 6] = [
    ProductConfig {
        id: "enfo",
        eras: eras::IFS,
        files: &[
            file("enfo", "ef", Holds::All, BEFORE_50R1),
            file("enfo", "ef", Holds::Perturbed, SINCE_50R1),
            file("oper", "fc", Holds::Control, SINCE_50R1),
        ],
        has_members: true,
        steps: [ENSEMBLE_STEPS; 2],
        table: vars::ensemble,
    },
    ProductConfig {
        id: "oper",
        eras: eras::IFS,
        files: &[FileKind { short_stream: "scda", ..file("oper", "fc", Holds::Single, ALWAYS) }],
        has_members: false,
        steps: [HIGH_RESOLUTION_STEPS, ENSEMBLE_STEPS],
        table: vars::high_resolution,
    },
    ProductConfig {
        id: "waef",
        eras: eras::IFS,
        files: &[
            file("waef", "ef", Holds::All, BEFORE_50R1),
            file("waef", "ef", Holds::Perturbed, SINCE_50R1),
            file("wave", "fc", Holds::Control, SINCE_50R1),
        ],
        has_members: true,
        steps: [ENSEMBLE_STEPS; 2],
        table: vars::waves,
    },
    ProductConfig {
        id: "wave",
        eras: eras::IFS,
        files: &[FileKind { short_stream: "scwv", ..file("wave", "fc", Holds::Single, ALWAYS) }],
        has_members: false,
        steps: [HIGH_RESOLUTION_STEPS, ENSEMBLE_STEPS],
        table: vars::waves,
    },
    ProductConfig {
        id: "aifs-single",
        eras: eras::AIFS_SINGLE,
        files: &[file("oper", "fc", Holds::Single, ALWAYS)],
        has_members: false,
        steps: [AIFS_STEPS; 2],
        table: vars::aifs,
    },
    ProductConfig {
        id: "aifs-ens",
        eras: eras::AIFS_ENS,
        files: &[
            file("enfo", "cf", Holds::Control, ALWAYS),
            file("enfo", "pf", Holds::Perturbed, ALWAYS),
        ],
        has_members: true,
        steps: [AIFS_STEPS; 2],
        table: vars::aifs,
    },
];

impl ProductConfig {
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        PRODUCTS.iter()
    }

    fn of(product: &Product) -> Result<&'static Self> {
        let found = PRODUCTS.iter().find(|it| it.id == product.id);
        found.ok_or_else(|| Error::mismatch("product", "one with files", product.id))
    }

    /// The product of a run.
    pub(crate) fn of_run(run: &Run) -> Result<&'static Self> {
        Self::of(INFO.product_of(run)?)
    }

    fn first(&self) -> ReferenceTime {
        self.eras.first().map_or(ReferenceTime::from_seconds(i64::MAX), |era| era.since)
    }

    /// Where the files of a run lie, and their grid.
    pub(crate) fn era(&self, run: ReferenceTime) -> Result<&'static Era> {
        Era::of(self.eras, run).ok_or_else(|| {
            Error::argument(format!("run {run}"), format!("is older than {}", self.first()))
        })
    }

    /// The kinds of file that a run has, each with its number.
    pub(crate) fn files(
        &self,
        run: ReferenceTime,
    ) -> impl Iterator<Item = (u16, &'static FileKind)> {
        (0..).zip(self.files).filter(move |(_, kind)| kind.exists(run))
    }

    /// The kind of file with this number.
    pub(crate) fn file(&self, part: u16) -> Option<&'static FileKind> {
        self.files.get(usize::from(part))
    }

    fn steps(&self, run: ReferenceTime) -> Vec<u32> {
        let [before, since] = self.steps;
        let [long, short] = if run < CYCLE_49R1 { before } else { since };
        steps_of(if is_short(run) { short } else { long })
    }
}

pub(crate) fn run(request: &RunRequest) -> Result<Run> {
    let product = INFO.product(request.product.as_deref())?;
    let config = ProductConfig::of(product)?;
    let time = request.reference_time;
    INFO.run(
        request,
        &Offer {
            product,
            cycles: &CYCLES,
            first: config.first(),
            members: config.has_members.then(|| (0..MEMBERS).collect()),
            steps: config.steps(time),
            step_unit: StepUnit::Hours,
            table: &(config.table)(time)?.table,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(product: &str, time: &str) -> RunRequest {
        let product = Some(product.to_owned());
        RunRequest { product, ..RunRequest::new(time.parse().unwrap()) }
    }

    #[test]
    fn steps_of_each_cycle() {
        for (product, time, count, last) in [
            ("enfo", "2025-09-30T00", 85, 360),
            ("enfo", "2025-09-30T18", 49, 144),
            ("enfo", "2026-06-01T12", 85, 360),
            ("oper", "2024-11-12T00", 65, 240),
            ("oper", "2024-11-11T18", 31, 90),
            ("oper", "2024-11-12T06", 49, 144),
            ("wave", "2024-11-12T12", 85, 360),
            ("oper", "2025-09-30T00", 85, 360),
            ("oper", "2025-09-30T06", 49, 144),
            ("oper", "2026-05-12T06", 49, 144),
            ("wave", "2026-05-12T12", 85, 360),
            ("waef", "2025-09-30T12", 85, 360),
            ("aifs-single", "2025-09-30T06", 61, 360),
            ("aifs-ens", "2025-09-30T18", 61, 360),
        ] {
            let run = run(&request(product, time)).unwrap();
            assert_eq!((run.steps.len(), run.steps.last()), (count, Some(&last)), "{product}");
            assert!(run.steps.is_sorted_by(|a, b| a < b));
            let members = ["enfo", "waef", "aifs-ens"].contains(&product).then_some(51);
            assert_eq!(run.members.map(|members| members.len()), members);
        }
    }

    #[test]
    fn wrong_requests_say_what_is_right() {
        let error = |product: &str, change: &dyn Fn(&mut RunRequest)| {
            let mut request = request(product, "2025-09-30T00");
            change(&mut request);
            run(&request).unwrap_err().to_string()
        };
        let time = |text: &'static str| {
            move |request: &mut RunRequest| request.reference_time = text.parse().unwrap()
        };
        assert!(error("enfo", &time("2025-01-06T03")).contains("00, 06, 12 and 18"));
        assert!(error("enfo", &time("2022-01-24T18")).contains("2022-01-25T00"));
        assert!(error("aifs-ens", &time("2025-07-01T18")).contains("2025-07-02T00"));
        assert!(error("scda", &|_| ()).contains("enfo, oper"));
        assert!(error("enfo", &|it| it.members = Some("51".parse().unwrap())).contains("50"));
        assert!(
            error("oper", &|it| it.members = Some("0".parse().unwrap())).contains("one forecast")
        );
        assert!(error("enfo", &|it| it.steps = Some("147".parse().unwrap())).contains("360"));
        assert!(error("enfo", &|it| it.variables = Some(vec!["rain".into()])).contains("tp"));
    }
}
