//! The description of a run.

use std::ops::RangeInclusive;

use gik_core::ReferenceTime;

use super::product::Product;
use super::rain;

/// How finely generated fields are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// About as NCEP packs: hundredths of a millimetre, tenths of a kelvin, and temperatures
    /// as uneven as real ones.
    #[default]
    Fine,
    /// As fine, with light and uneven rain over a third of the globe: messages of rain as
    /// long as real ones, about 240 kB for 3 hours at 0.25°.
    Dense,
    /// Half millimetres and half kelvins, and smooth: messages of a few kilobytes.
    Coarse,
}

/// A run of GEFS to generate: all members and steps of `pgrb2s` unless told otherwise.
#[derive(Debug, Clone)]
pub struct GefsRun {
    pub(super) reference: ReferenceTime,
    pub(super) product: Product,
    pub(super) members: RangeInclusive<u8>,
    pub(super) steps: RangeInclusive<u32>,
    pub(super) detail: Detail,
}

impl GefsRun {
    /// Members of a run: the control, 0, and 30 perturbed forecasts.
    pub const MEMBERS: RangeInclusive<u8> = 0..=30;

    /// The run of this initialisation time (00, 06, 12 or 18 UTC).
    #[must_use]
    pub fn new(reference: ReferenceTime) -> Self {
        Self {
            reference,
            product: Product::S,
            members: Self::MEMBERS,
            steps: 0..=840,
            detail: Detail::Fine,
        }
    }

    /// Another product.
    #[must_use]
    pub fn product(mut self, product: Product) -> Self {
        self.product = product;
        self
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

    /// Another fineness of generated fields.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Rainfall in mm between two leads, in whole hours, on the product's grid: what the
    /// messages round.
    #[must_use]
    pub fn true_accumulation(&self, member: u8, from: u32, to: u32) -> Vec<f32> {
        rain::accumulation(self.product.grid(), member, from, to)
    }

    /// Member and step of each file, in the order of writing.
    pub(super) fn targets(&self) -> impl Iterator<Item = (u8, u32)> {
        let (product, hours, cycle) = (self.product, self.steps.clone(), self.reference.hour());
        self.members.clone().flat_map(move |member| {
            let hours = hours.clone();
            product
                .steps(cycle)
                .filter(move |step| hours.contains(step))
                .map(move |step| (member, step))
        })
    }

    /// Path of the data file of a member and step below the bucket.
    #[must_use]
    pub fn path(&self, member: u8, step: u32) -> String {
        self.product.path(&self.reference.yyyymmdd(), self.reference.hour(), member, step)
    }
}
