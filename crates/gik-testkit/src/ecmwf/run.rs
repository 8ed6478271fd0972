//! The description of a run.

use std::ops::RangeInclusive;

use gik_core::ReferenceTime;

use crate::gefs::Detail;
use crate::grib::RegularGrid;

const fn at(seconds: i64) -> ReferenceTime {
    ReferenceTime::from_seconds(seconds)
}

/// The first runs at 0.25°: 2024-02-01T00.
const QUARTER_DEGREE: ReferenceTime = at(1_706_745_600);
/// The first run in the folder `ifs`: 2024-02-28T06.
const IFS_FOLDER: ReferenceTime = at(1_709_100_000);
/// The first run of cycle 49r1: 2024-11-12T06.
const CYCLE_49R1: ReferenceTime = at(1_731_391_200);
/// The first run in the second folder of AIFS: 2025-02-24T06.
const AIFS_TRIAL: ReferenceTime = at(1_740_376_800);
/// The first run in its third: 2025-02-25T12.
const AIFS_OPERATIONAL: ReferenceTime = at(1_740_484_800);
/// The first run of cycle 50r1: 2026-05-12T06.
const CYCLE_50R1: ReferenceTime = at(1_778_565_600);

/// A product, as its folder is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// IFS ensemble.
    Enfo,
    /// IFS high-resolution forecast.
    Oper,
    /// Waves of the ensemble.
    Waef,
    /// Waves of the high-resolution forecast.
    Wave,
    /// AIFS.
    AifsSingle,
    /// AIFS ensemble.
    AifsEns,
}

/// A run of a product to generate, in the layout of its day: all members and steps unless told
/// otherwise.
#[derive(Debug, Clone)]
pub struct EcmwfRun {
    pub(super) reference: ReferenceTime,
    pub(super) product: Product,
    pub(super) members: RangeInclusive<u8>,
    pub(super) steps: RangeInclusive<u32>,
    pub(super) detail: Detail,
}

/// A kind of file of a run.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) stream: &'static str,
    suffix: &'static str,
    /// MARS `type` of each message: of the control or only forecast, of the others.
    pub(super) types: [&'static str; 2],
    /// Letters in the table.
    pub(super) products: &'static str,
    pub(super) members: RangeInclusive<u8>,
}

impl EcmwfRun {
    /// Members of an ensemble: the control, 0, and 50 perturbed forecasts.
    pub const MEMBERS: RangeInclusive<u8> = 0..=50;

    /// The run of this initialisation time (00, 06, 12 or 18 UTC).
    #[must_use]
    pub fn new(reference: ReferenceTime, product: Product) -> Self {
        Self { reference, product, members: Self::MEMBERS, steps: 0..=360, detail: Detail::Coarse }
    }

    /// These members only.
    #[must_use]
    pub fn members(mut self, members: RangeInclusive<u8>) -> Self {
        self.members = members;
        self
    }

    /// Of the product's steps only those within these hours.
    #[must_use]
    pub fn steps(mut self, hours: RangeInclusive<u32>) -> Self {
        self.steps = hours;
        self
    }

    /// Another fineness: [`Detail::Dense`] for rain in messages as long as real ones, of 16 bits.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    fn is_50r1(&self) -> bool {
        self.reference >= CYCLE_50R1
    }

    fn is_short(&self) -> bool {
        !self.reference.hour().is_multiple_of(12)
    }

    /// The kinds of file at each step.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let kind = |stream, suffix, types, products, members| Kind {
            stream,
            suffix,
            types,
            products,
            members,
        };
        let own_stream = self.is_short() && !self.is_50r1();
        let single = |stream, products| kind(stream, "fc", ["fc", "fc"], products, 0..=0);
        let (first, last) = (*self.members.start(), *self.members.end());
        let ensemble = |stream, control, products, control_products| {
            let perturbed = first.max(1)..=last;
            let mut kinds = Vec::new();
            if !self.is_50r1() {
                kinds.push(kind(stream, "ef", ["cf", "pf"], products, self.members.clone()));
            } else {
                kinds.push(kind(stream, "ef", ["cf", "pf"], products, perturbed));
                if first == 0 {
                    kinds.push(single(control, control_products));
                }
            }
            kinds
        };
        match self.product {
            Product::Enfo => ensemble("enfo", "oper", "e", "o"),
            Product::Waef => ensemble("waef", "wave", "w", "w"),
            Product::Oper => vec![single(if own_stream { "scda" } else { "oper" }, "o")],
            Product::Wave => vec![single(if own_stream { "scwv" } else { "wave" }, "w")],
            Product::AifsSingle => vec![single("oper", "a")],
            Product::AifsEns => {
                let mut kinds = vec![kind("enfo", "pf", ["cf", "pf"], "a", first.max(1)..=last)];
                if first == 0 {
                    kinds.push(kind("enfo", "cf", ["cf", "cf"], "a", 0..=0));
                }
                kinds
            }
        }
    }

    /// MARS `class` and, where indexes have it, `model`.
    pub(super) fn class(&self) -> (&'static str, Option<&'static str>) {
        match self.product {
            Product::AifsSingle => ("ai", None),
            Product::AifsEns => ("ai", Some("aifs-ens")),
            _ => ("od", None),
        }
    }

    /// The steps that are published, in hours, as far as they are wanted.
    pub fn published_steps(&self) -> impl Iterator<Item = u32> {
        let is_ifs = !matches!(self.product, Product::AifsSingle | Product::AifsEns);
        let is_ensemble = matches!(self.product, Product::Enfo | Product::Waef);
        let last = match (is_ifs, is_ensemble || self.reference >= CYCLE_49R1, self.is_short()) {
            (false, ..) | (true, true, false) => 360,
            (true, true, true) => 144,
            (true, false, false) => 240,
            (true, false, true) => 90,
        };
        let wanted = self.steps.clone();
        let steps = (0..=144_u32).step_by(3).chain((150..=360).step_by(6));
        steps
            .filter(move |step| is_ifs || step.is_multiple_of(6))
            .filter(move |step| *step <= last && wanted.contains(step))
    }

    /// The grid of the fields.
    pub(super) fn grid(&self) -> RegularGrid {
        if self.reference < QUARTER_DEGREE {
            RegularGrid::ECMWF_0P40
        } else {
            RegularGrid::ECMWF_0P25
        }
    }

    /// Path of a data file below the bucket.
    pub(super) fn path(&self, kind: &Kind, step: u32) -> String {
        let (date, hour) = (self.reference.yyyymmdd(), self.reference.hour());
        let folder = match (self.product, self.reference) {
            (Product::AifsSingle, run) if run < AIFS_TRIAL => "aifs/0p25",
            (Product::AifsSingle, run) if run < AIFS_OPERATIONAL => "aifs-single/0p25/experimental",
            (Product::AifsSingle, _) => "aifs-single/0p25",
            (Product::AifsEns, _) => "aifs-ens/0p25",
            (_, run) if run < QUARTER_DEGREE => "0p4-beta",
            (_, run) if run < IFS_FOLDER => "0p25",
            _ => "ifs/0p25",
        };
        let (stream, suffix) = (kind.stream, kind.suffix);
        format!(
            "{date}/{hour:02}z/{folder}/{stream}/{date}{hour:02}0000-{step}h-{stream}-{suffix}.grib2"
        )
    }
}
