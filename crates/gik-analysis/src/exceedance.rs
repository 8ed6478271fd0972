//! How probable it is that a total reaches a threshold: the share of members in which it does.
//!
//! Messages are fetched ahead, decoded on all cores and added to their totals as they arrive;
//! of a total that is complete only the counts are kept. Windows are done in as many passes
//! as memory asks for, and handed over as each pass ends.

mod counts;
mod file;

use std::sync::{Arc, Mutex};

use gik_core::{CoordinateValues, Error, Result};
use gik_icechunk::Opened;

use crate::accumulation::{Accumulation, Losses, MemberTotal, Request, lock};
use crate::pipeline::Progress;
use crate::{Coordinate, Field};
use counts::Counts;
pub use file::ProbabilityFile;

/// In millimetres: what the forecasters of eastern Africa look at.
pub const RAIN_THRESHOLDS: [f32; 6] = [5.0, 25.0, 50.0, 75.0, 100.0, 125.0];

/// The memory that a job takes unless told otherwise, in bytes: 1 GB.
pub const DEFAULT_MEMORY: usize = 1_000_000_000;

/// What the program takes besides: itself, manifests, the runtime.
const BASE: usize = 150 << 20;

/// Messages under way get at least so much, even if it is more than was allowed.
const LEAST: usize = 32 << 20;

/// Probabilities that can be computed.
#[derive(Debug)]
pub struct Exceedance {
    totals: Accumulation,
    thresholds: Vec<f32>,
}

/// The probabilities of one threshold over one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane<'a> {
    /// Position among the windows.
    pub window: usize,
    /// Position among the thresholds.
    pub threshold: usize,
    /// Per cent of the members that have a value at the point, in C order over the region;
    /// NaN where none has.
    pub values: &'a [f32],
}

/// What a job came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// For each window the members with a complete total.
    pub members: Vec<u32>,
    /// What is missing.
    pub losses: Losses,
}

impl Exceedance {
    /// Finds out what the request needs of the store. `thresholds` are in the units of the
    /// totals, mm for water.
    ///
    /// # Errors
    /// As [`Accumulation::open`]; when there is no threshold, or one is no number.
    pub async fn open(store: &Opened, request: &Request, thresholds: &[f32]) -> Result<Self> {
        let mut thresholds = thresholds.to_vec();
        thresholds.sort_by(f32::total_cmp);
        thresholds.dedup();
        if thresholds.is_empty() || thresholds.len() > 100 {
            return Err(Error::argument("thresholds", "are 1 to 100 numbers, like 5,25,50"));
        }
        if let Some(bad) = thresholds.iter().find(|it| !it.is_finite()) {
            return Err(Error::argument("thresholds", format!("{bad} is no amount")));
        }
        Ok(Self { totals: Accumulation::open(store, request).await?, thresholds })
    }

    /// The totals behind it.
    #[must_use]
    pub const fn totals(&self) -> &Accumulation {
        &self.totals
    }

    /// The thresholds, ascending, in the units of the totals.
    #[must_use]
    pub fn thresholds(&self) -> &[f32] {
        &self.thresholds
    }

    /// The windows of each pass, so that the counts of one take two fifths of the memory.
    fn passes(&self, memory: usize) -> Vec<std::ops::Range<usize>> {
        let windows = self.totals.windows().len();
        let each = Counts::bytes(self.totals.points(), self.thresholds.len()).max(1);
        let at_once = (memory / 5 * 2 / each).clamp(1, windows.max(1));
        // Passes of one size: a last one of few windows would read messages for nothing.
        let passes = windows.div_ceil(at_once).max(1);
        let size = windows.div_ceil(passes).max(1);
        (0..windows).step_by(size).map(|from| from..(from + size).min(windows)).collect()
    }

    /// Messages that will be read, more than once where memory asks for several passes.
    #[must_use]
    pub fn messages(&self, memory: usize) -> usize {
        let passes = self.passes(memory.saturating_sub(BASE));
        passes.iter().map(|pass| self.totals.messages(pass)).sum()
    }

    /// Computes the probabilities in about `memory` bytes, whatever the size of the job, and
    /// hands each plane to `take`: windows in order, for each the thresholds in order.
    ///
    /// # Errors
    /// When no message can be read, a place was not allowed, or `take` fails.
    pub async fn run(
        &self,
        memory: usize,
        progress: Progress<'_>,
        take: &mut dyn FnMut(Plane<'_>) -> Result<()>,
    ) -> Result<Summary> {
        let memory = memory.saturating_sub(BASE);
        let total = self.messages(memory.saturating_add(BASE));
        let points = self.totals.points();
        let mut summary = Summary::default();
        let mut done = 0;
        for pass in self.passes(memory) {
            let counts: Vec<_> = pass.clone().map(|_| Mutex::new(Counts::default())).collect();
            let counts = Arc::new(counts);
            let reduce = {
                let (counts, thresholds) = (Arc::clone(&counts), self.thresholds.clone());
                let first = pass.start;
                move |member: MemberTotal| {
                    if let Some(counts) = counts.get(member.window - first) {
                        lock(counts).add(&member.values, &thresholds);
                    }
                }
            };
            let kept = pass.len() * Counts::bytes(points, self.thresholds.len());
            let room = memory.saturating_sub(kept + points * 8).max(LEAST);
            let forward = |now: usize, _: usize| progress(done + now, total);
            let losses = self.totals.run(pass.clone(), room, &forward, Arc::new(reduce)).await?;
            summary.losses.add(losses);
            done += self.totals.messages(&pass);
            for (window, counts) in pass.zip(counts.iter()) {
                let counts = std::mem::take(&mut *lock(counts));
                summary.members.push(counts.members());
                for threshold in 0..self.thresholds.len() {
                    let values = counts.probability(threshold, points);
                    take(Plane { window, threshold, values: &values })?;
                }
            }
        }
        summary.losses = self.totals.checked(summary.losses)?;
        Ok(summary)
    }

    /// The probabilities as one field: `values` are those of all planes, in their order.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn field(&self, values: Vec<f32>) -> Result<Field> {
        let mut field = Field::new(self.name(), self.dimensions(), values)?;
        for coordinate in self.coordinates() {
            field = field.with_coordinate(coordinate)?;
        }
        let dataset = self.totals.dataset_attributes().clone();
        Ok(field.with_attributes(self.attributes()).with_dataset_attributes(dataset))
    }

    /// The coordinates of the probabilities: windows, thresholds, run, places.
    pub(crate) fn coordinates(&self) -> Vec<Coordinate> {
        let thresholds = self.thresholds.iter().map(|&it| f64::from(it)).collect();
        let threshold = Coordinate::axis("threshold", CoordinateValues::Float64(thresholds))
            .with_attribute("long_name", "amount that is reached or exceeded")
            .with_attribute("units", self.totals.units());
        let mut all = self.totals.window_coordinates();
        all.push(threshold);
        all.extend(self.totals.coordinates().iter().cloned());
        all
    }

    /// The variable's name in files: `tp_probability`.
    pub(crate) fn name(&self) -> String {
        format!("{}_probability", self.totals.request().variable)
    }

    /// The variable's dimensions, with lengths.
    pub(crate) fn dimensions(&self) -> Vec<(String, usize)> {
        let first = [("step", self.totals.windows().len()), ("threshold", self.thresholds.len())];
        let all = first.into_iter().chain(self.totals.grid());
        all.map(|(name, length)| (name.to_owned(), length)).collect()
    }

    /// The variable's attributes.
    pub(crate) fn attributes(&self) -> gik_core::Attributes {
        let source = self.totals.attributes();
        let text = |name: &str| source.get(name).and_then(|it| it.as_str()).unwrap_or_default();
        let period = self.totals.request().period;
        let long_name = format!(
            "probability that {} in {period} reaches the threshold",
            text("long_name").to_lowercase()
        );
        let mut attributes = gik_core::Attributes::new();
        attributes.insert("long_name".into(), long_name.into());
        attributes.insert("units".into(), "%".into());
        let method = "member: mean of the members that reach it, of those with a value";
        attributes.insert("comment".into(), method.into());
        attributes.insert("gik_variable".into(), self.totals.request().variable.clone().into());
        if let Some(mapping) = source.get("grid_mapping") {
            attributes.insert("grid_mapping".into(), mapping.clone());
        }
        attributes
    }
}

/// The probability (in per cent of the members) that totals of a variable reach thresholds,
/// as one field in memory. [`Exceedance`] does the same piece by piece.
///
/// # Shape
/// `(step, threshold, latitude|y, longitude|x)`: `step` is the lead at which a window ends.
///
/// # Units
/// Per cent; thresholds in the units of the totals, mm for water.
///
/// # Errors
/// As [`Exceedance::open`] and [`Exceedance::run`].
///
/// # Examples
/// ```no_run
/// # async fn example(store: &gik_icechunk::Opened) -> gik_core::Result<()> {
/// use gik_analysis::accumulation::Request;
/// use gik_analysis::exceedance::{DEFAULT_MEMORY, RAIN_THRESHOLDS, exceedance};
///
/// let mut request = Request::new("tp");
/// request.region = Some("21,-12,53,23".parse()?);
/// let (probability, summary) =
///     exceedance(store, &request, &RAIN_THRESHOLDS, DEFAULT_MEMORY, &|_, _| {}).await?;
/// println!("{:?} %, of {:?} members", probability.shape(), summary.members);
/// # Ok(())
/// # }
/// ```
pub async fn exceedance(
    store: &Opened,
    request: &Request,
    thresholds: &[f32],
    memory: usize,
    progress: Progress<'_>,
) -> Result<(Field, Summary)> {
    let job = Exceedance::open(store, request, thresholds).await?;
    let mut values = Vec::new();
    let summary = job
        .run(memory, progress, &mut |plane| {
            values.extend_from_slice(plane.values);
            Ok(())
        })
        .await?;
    Ok((job.field(values)?, summary))
}
