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

use crate::accumulation::{Account, Accumulation, MemberTotal, Negative, Request};
use crate::losses::lock;
use crate::memory::{beside_result, beside_work, for_numbers};
use crate::pipeline::Progress;
use crate::{Coordinate, Field};
use counts::Counts;
pub use file::ProbabilityFile;

/// In millimetres: what the forecasters of eastern Africa look at.
pub const RAIN_THRESHOLDS: [f32; 6] = [5.0, 25.0, 50.0, 75.0, 100.0, 125.0];

/// Probabilities that can be computed.
///
/// # Examples
/// Piece by piece, to a file and a sheet of maps, in bounded memory:
/// ```
/// use gik_analysis::ProbabilitySheet;
/// use gik_analysis::accumulation::Request;
/// use gik_analysis::exceedance::{Exceedance, Plane, ProbabilityFile};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let mut job = Exceedance::open(&store, &Request::new("tp"), &[10.0, 20.0]).await?;
/// let path = folder.path().join("rain.nc");
/// let mut file = ProbabilityFile::create(&path, &job)?;
/// let mut sheet = ProbabilitySheet::new(&job, None, "Africa/Nairobi".parse()?)?;
/// job.reserve(sheet.bytes());
/// let mut take = |plane: Plane<'_>| {
///     file.write(&plane)?;
///     sheet.draw(&plane)
/// };
/// let summary = job.run(&|_, _| {}, &mut take).await?;
/// file.finish(&job, &summary)?;
/// sheet.write_png(&folder.path().join("rain.png"), &summary)?;
/// assert!(summary.is_complete(3) && path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Exceedance {
    totals: Accumulation,
    thresholds: Vec<f32>,
    /// Bytes that are kept for others.
    reserved: usize,
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
    /// For each window the members with a total.
    pub members: Vec<u32>,
    /// For each window the fewest of them with a value at any point that has one: messages may
    /// lack values where those of other members have them.
    pub fewest: Vec<u32>,
    /// What is missing, and what was below zero.
    pub account: Account,
}

impl Summary {
    /// Whether every member has a total over every window, wherever one has.
    #[must_use]
    pub fn is_complete(&self, members: usize) -> bool {
        self.account.is_complete() && self.fewest.iter().all(|&used| used as usize >= members)
    }
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
        let totals = Accumulation::open(store, request).await?;
        Ok(Self { totals, thresholds, reserved: 0 })
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

    /// The thresholds as labels: 0.1, not the number of single precision that is next to it.
    #[must_use]
    pub fn threshold_labels(&self) -> Vec<f64> {
        let label = |it: &f32| it.to_string().parse().unwrap_or_else(|_| f64::from(*it));
        self.thresholds.iter().map(label).collect()
    }

    /// Leaves so many bytes of the memory allowed to others: to a sheet that is drawn, say.
    pub const fn reserve(&mut self, bytes: usize) {
        self.reserved = self.reserved.saturating_add(bytes);
    }

    /// The memory for the job itself.
    fn memory(&self) -> usize {
        self.totals.request().memory.saturating_sub(self.reserved)
    }

    /// The windows of each pass over the messages, so that the counts of one take two fifths of
    /// the memory.
    #[must_use]
    pub fn passes(&self) -> Vec<std::ops::Range<usize>> {
        let windows = self.totals.windows().len();
        let each = Counts::bytes(self.totals.points(), self.thresholds.len()).max(1);
        let memory = for_numbers(self.memory());
        let at_once = (memory / 5 * 2 / each).clamp(1, windows.max(1));
        // Passes of one size: a last one of few windows would read messages for nothing.
        let passes = windows.div_ceil(at_once).max(1);
        let size = windows.div_ceil(passes).max(1);
        (0..windows).step_by(size).map(|from| from..(from + size).min(windows)).collect()
    }

    /// Messages that will be read, more than once where memory asks for several passes.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.passes().iter().map(|pass| self.totals.messages(pass)).sum()
    }

    /// Computes the probabilities in about the memory that the request allows, whatever the
    /// size of the job, and hands each plane to `take`: windows in order, for each the
    /// thresholds in order.
    ///
    /// # Errors
    /// When messages are damaged and none can be read, a place was not allowed, or `take` fails.
    pub async fn run(
        &self,
        progress: Progress<'_>,
        take: &mut dyn FnMut(Plane<'_>) -> Result<()>,
    ) -> Result<Summary> {
        let memory = self.memory();
        let total = self.messages();
        let points = self.totals.points();
        let mut summary = Summary::default();
        let mut done = 0;
        for pass in self.passes() {
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
            let room = beside_work(memory, kept + points * size_of::<f64>());
            let forward = |now: usize, _: usize| progress(done + now, total);
            let account = self.totals.run(pass.clone(), room, &forward, Arc::new(reduce)).await?;
            summary.account.add(account);
            done += self.totals.messages(&pass);
            for (window, counts) in pass.zip(counts.iter()) {
                let counts = std::mem::take(&mut *lock(counts));
                summary.members.push(counts.members());
                summary.fewest.push(counts.fewest());
                for threshold in 0..self.thresholds.len() {
                    let values = counts.probability(threshold, points);
                    take(Plane { window, threshold, values: &values })?;
                }
            }
        }
        summary.account = summary.account.not_all()?;
        Ok(summary)
    }

    /// The probabilities as one field: `values` are those of all planes, in their order.
    ///
    /// # Errors
    /// When there are more or fewer of them.
    pub fn field(&self, values: Vec<f32>, summary: &Summary) -> Result<Field> {
        let mut field = Field::new(self.name(), self.dimensions(), values)?;
        for coordinate in self.coordinates() {
            field = field.with_coordinate(coordinate)?;
        }
        let dataset = self.totals.dataset_attributes().clone();
        let field = field.with_attributes(self.attributes()).with_dataset_attributes(dataset);
        self.beside(summary).into_iter().try_fold(field, Field::with_ancillary)
    }

    /// The coordinates of the probabilities: windows, thresholds, run, places.
    pub(crate) fn coordinates(&self) -> Vec<Coordinate> {
        let labels = CoordinateValues::Float64(self.threshold_labels());
        let threshold = Coordinate::axis("threshold", labels)
            .with_attribute("long_name", "amount that is reached or exceeded")
            .with_attribute("units", self.totals.units());
        let mut all = self.totals.window_coordinates();
        all.push(threshold);
        all.extend(self.totals.coordinates().iter().cloned());
        all
    }

    /// What is told of each window beside the probabilities: the members used, and what was
    /// below zero in their totals. Before the job is done there are zeros in it.
    fn beside(&self, summary: &Summary) -> Vec<Coordinate> {
        let windows = self.totals.windows().len();
        let count = |name: &str, counts: &[u32], long_name: &str| {
            let mut counts: Vec<i64> = counts.iter().copied().map(i64::from).collect();
            counts.resize(windows, 0);
            Coordinate {
                dimensions: vec!["step".into()],
                ..Coordinate::axis(name, CoordinateValues::Int64(counts))
            }
            .with_attribute("long_name", long_name)
            .with_attribute("units", "1")
        };
        let mut negative = summary.account.negative.clone();
        negative.resize(windows, Negative::default());
        let members = [
            count("member_count", &summary.members, "members with a total over the window"),
            count(
                "member_count_fewest",
                &summary.fewest,
                "members with a value at the point that has fewest, of those that have any",
            ),
        ];
        members.into_iter().chain(self.totals.below_zero(&negative)).collect()
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
/// As [`Exceedance::open`] and [`Exceedance::run`]; when the field does not fit into the
/// memory allowed.
///
/// # Examples
/// ```
/// use gik_analysis::accumulation::Request;
/// use gik_analysis::exceedance::{RAIN_THRESHOLDS, exceedance};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let request = Request::new("tp");
/// let (probability, summary) =
///     exceedance(&store, &request, &RAIN_THRESHOLDS, &|_, _| {}).await?;
/// assert_eq!((probability.shape(), summary.members), (vec![1, 6, 2, 3], vec![3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn exceedance(
    store: &Opened,
    request: &Request,
    thresholds: &[f32],
    progress: Progress<'_>,
) -> Result<(Field, Summary)> {
    let mut job = Exceedance::open(store, request, thresholds).await?;
    let mut values = Vec::new();
    let planes = job.totals.windows().len() * job.thresholds.len();
    let kept = planes.saturating_mul(job.totals.points()).saturating_mul(size_of::<f32>());
    beside_result(request.memory, kept)?;
    job.reserve(kept);
    let summary = job
        .run(progress, &mut |plane| {
            values.extend_from_slice(plane.values);
            Ok(())
        })
        .await?;
    let field = job.field(values, &summary)?;
    Ok((field, summary))
}
