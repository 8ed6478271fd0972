//! Totals of a stored variable: what is read for them, and the totals as they come to be.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use gik_core::{
    Attributes, CoordinateValues, Error, ErrorKind, Result, Statistic, StepUnit, WindowRule,
};
use gik_icechunk::{Opened, StoredArray};

use super::{Alignment, Clipped, Period, Window, windows};
use crate::axes::{Axis, axes, coordinate, subset};
use crate::chunks::Chunks;
use crate::pipeline::{self, Outcome, Progress};
use crate::{BoundingBox, Coordinate, Label};

/// Which totals of which variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The variable, an accumulated amount.
    pub variable: String,
    /// The length of a total.
    pub period: Period,
    /// Where totals begin.
    pub alignment: Alignment,
    /// Choices along dimensions: `time` (the run; without one the newest), `member`, `step`.
    pub labels: Vec<Label>,
    /// The region; the whole grid without one.
    pub region: Option<BoundingBox>,
}

impl Request {
    /// Totals over the days of the forecast, of all members over the whole grid.
    #[must_use]
    pub fn new(variable: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            period: Period::hours(24),
            alignment: Alignment::default(),
            labels: Vec::new(),
            region: None,
        }
    }
}

/// Totals that can be computed: what a [`Request`] comes to on a store.
#[derive(Debug)]
pub struct Accumulation {
    request: Request,
    array: StoredArray,
    axes: Vec<Axis>,
    /// Positions among the axes.
    step_axis: usize,
    member_axis: Option<usize>,
    chunks: Chunks,
    unit: StepUnit,
    windows: Vec<Window>,
    /// From the store's units to those of the totals.
    factor: f64,
    units: String,
    /// Seconds since 1970.
    reference_time: Option<i64>,
    coordinates: Vec<Coordinate>,
    dataset_attributes: Attributes,
}

/// One member's total over one window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MemberTotal {
    /// Position among [`Accumulation::windows`].
    pub(crate) window: usize,
    /// Position among the members.
    pub(crate) member: usize,
    /// In C order over the region.
    pub(crate) values: Vec<f32>,
}

/// What was lost and what was raised to zero on the way.
#[derive(Debug, Default)]
pub struct Losses {
    /// Totals of one member over one window that lack a message.
    pub totals: u64,
    /// Messages that are not in the store.
    pub missing: u64,
    /// Messages that could not be fetched or decoded.
    pub damaged: u64,
    /// Why not, of the first of them.
    pub errors: Vec<Error>,
    /// Values below zero that were raised to it, over all totals.
    pub clipped: Clipped,
}

/// Errors kept.
const ERRORS: usize = 10;

impl Losses {
    fn merge(&mut self, clipped: Clipped) {
        self.clipped.count += clipped.count;
        self.clipped.lowest = self.clipped.lowest.min(clipped.lowest);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.totals += other.totals;
        self.missing += other.missing;
        self.damaged += other.damaged;
        let room = ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
        self.merge(other.clipped);
    }
}

impl Accumulation {
    /// Finds out what the request needs of the store.
    ///
    /// # Errors
    /// When the variable is not there or no accumulated amount, a label or region is not
    /// there, a dimension other than member and step has more than one label left, or there
    /// are no such totals.
    pub async fn open(store: &Opened, request: &Request) -> Result<Self> {
        let array = store.array(&request.variable).await?;
        let rule = rule_of(&array)?;
        let mut axes = axes(store, &array, &request.labels, request.region.as_ref()).await?;
        let (step_axis, steps, unit) = steps(store, &array, &axes).await?;
        let member_axis = axes.iter().position(|axis| axis.name == "member");
        choose_run(&mut axes, step_axis)?;
        let others = axes.iter().enumerate().rev().skip(2);
        for (position, axis) in others {
            if position != step_axis && Some(position) != member_axis && axis.indices.len() > 1 {
                return Err(Error::argument(
                    format!("totals of {}", request.variable),
                    format!("select one along '{0}': --sel {0}=…", axis.name),
                ));
            }
        }
        let windows = windows(&steps, unit, rule, request.period, request.alignment)?;
        let chunks = Chunks::new(&array, &axes)?;
        let per_message: usize = axes.iter().rev().skip(2).map(|axis| axis.indices.len()).product();
        if chunks.count() != per_message {
            return Err(Error::unsupported(
                "chunks of a variable to accumulate",
                "other than one field of one member and step each",
            )
            .in_url(array.chunk_place(&[])));
        }
        let (factor, units) = amount_units(&array);
        let mut this = Self {
            request: request.clone(),
            array,
            axes,
            step_axis,
            member_axis,
            chunks,
            unit,
            windows,
            factor,
            units,
            reference_time: None,
            coordinates: Vec::new(),
            dataset_attributes: store.attributes().await?,
        };
        this.read_coordinates(store).await?;
        Ok(this)
    }

    /// The coordinates of a total but for step and member.
    async fn read_coordinates(&mut self, store: &Opened) -> Result<()> {
        let auxiliary = self.array.attributes().get("coordinates").cloned().unwrap_or_default();
        let arrays = store.array_names().await?;
        // The run layout has its one reference time as a scalar.
        let names = ["time", "reference_time", "latitude", "longitude", "y", "x"];
        for name in names {
            let is_axis = self.axes.iter().any(|axis| axis.name == name);
            let is_named =
                auxiliary.as_str().unwrap_or_default().split_whitespace().any(|it| it == name);
            if !arrays.iter().any(|it| it == name) || !(is_axis || is_named) {
                continue;
            }
            let stored = coordinate(store, name).await?;
            if stored.dimensions.iter().any(|it| *it == self.step_name()) {
                continue;
            }
            let mut coordinate = subset(&stored, &self.axes)?;
            if name == "time" || name == "reference_time" {
                if let CoordinateValues::Int64(values) = &coordinate.values {
                    self.reference_time = values.first().copied();
                }
                coordinate.name = "time".to_owned();
            }
            self.coordinates.push(coordinate);
        }
        Ok(())
    }

    fn step_name(&self) -> &str {
        self.axes.get(self.step_axis).map_or("step", |axis| axis.name.as_str())
    }

    /// The totals, in the order of time.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// What was asked for.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The unit of the windows' spans.
    #[must_use]
    pub const fn unit(&self) -> StepUnit {
        self.unit
    }

    /// The units of the totals: `mm` for water.
    #[must_use]
    pub fn units(&self) -> &str {
        &self.units
    }

    /// The start of the forecast, in seconds since 1970.
    #[must_use]
    pub const fn reference_time(&self) -> Option<i64> {
        self.reference_time
    }

    /// The number of members; 1 for a model without.
    #[must_use]
    pub fn members(&self) -> usize {
        let axis = self.member_axis.and_then(|axis| self.axes.get(axis));
        axis.map_or(1, |axis| axis.indices.len())
    }

    /// The members' labels; none for a model without, or where one was selected.
    pub(crate) fn member_coordinate(&self) -> Result<Option<Coordinate>> {
        let axis = self.member_axis.and_then(|axis| self.axes.get(axis));
        let coordinate = axis.and_then(|axis| axis.coordinate.as_ref());
        coordinate.map(|coordinate| subset(coordinate, &self.axes)).transpose()
    }

    /// The two dimensions of the region, as name and length.
    pub(crate) fn grid(&self) -> Vec<(&str, usize)> {
        let grid = self.axes.iter().rev().take(2).rev();
        grid.map(|axis| (axis.name.as_str(), axis.indices.len())).collect()
    }

    /// Points of the region.
    pub(crate) fn points(&self) -> usize {
        self.grid().iter().map(|(_, length)| length).product()
    }

    /// Run and places.
    pub(crate) fn coordinates(&self) -> &[Coordinate] {
        &self.coordinates
    }

    /// The variable's attributes.
    pub(crate) fn attributes(&self) -> &Attributes {
        self.array.attributes()
    }

    /// The store's attributes.
    #[must_use]
    pub const fn dataset_attributes(&self) -> &Attributes {
        &self.dataset_attributes
    }

    /// Messages that the totals of these windows need.
    pub(crate) fn messages(&self, windows: &Range<usize>) -> usize {
        let steps = self.uses(windows).len();
        let steps_read = self.axes.get(self.step_axis).map_or(1, |axis| axis.indices.len().max(1));
        self.chunks.count() / steps_read * steps
    }

    /// For each step needed, the windows that its message is added to or subtracted from.
    fn uses(&self, windows: &Range<usize>) -> HashMap<usize, Vec<(usize, f64)>> {
        let mut uses = HashMap::<usize, Vec<(usize, f64)>>::new();
        let chosen = self.windows.iter().enumerate().skip(windows.start).take(windows.len());
        for (window, plan) in chosen.filter_map(|(at, it)| Some((at, it.plan.as_ref().ok()?))) {
            for term in plan.terms() {
                let sign = if term.subtracted { -1.0 } else { 1.0 };
                uses.entry(term.index).or_default().push((window, sign));
            }
        }
        uses
    }

    /// The bytes that a message under way takes in sums: those it opens or keeps open.
    pub(crate) fn sum_bytes(&self, windows: &Range<usize>) -> usize {
        let uses = self.uses(windows);
        let most = uses.values().map(Vec::len).max().unwrap_or(0);
        most.max(1) * self.points() * size_of::<f64>()
    }

    /// Computes the totals over `windows` of all members, in `memory` bytes, and hands each to
    /// `reduce` when it is complete: members and windows in any order, on any thread.
    pub(crate) async fn run(
        &self,
        windows: Range<usize>,
        memory: usize,
        progress: Progress<'_>,
        reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
    ) -> Result<Losses> {
        let uses = self.uses(&windows);
        let lengths: Vec<usize> =
            self.axes.iter().rev().skip(2).rev().map(|axis| axis.indices.len()).collect();
        let place = |position: usize, axis: Option<usize>| {
            let Some(axis) = axis else { return 0 };
            let inner: usize = lengths.iter().skip(axis + 1).product();
            position / inner.max(1) % lengths.get(axis).copied().unwrap_or(1).max(1)
        };
        let wanted: Vec<(usize, usize, usize)> = (0..self.chunks.count())
            .map(|position| {
                let member = place(position, self.member_axis);
                (position, member, place(position, Some(self.step_axis)))
            })
            .filter(|(_, _, step)| uses.contains_key(step))
            .collect();
        let terms: HashMap<usize, usize> = windows
            .clone()
            .filter_map(|at| Some((at, self.windows.get(at)?.plan.as_ref().ok()?.terms().len())))
            .collect();
        let sums = Arc::new(Sums {
            uses,
            terms,
            factor: self.factor,
            open: Mutex::new(HashMap::new()),
            losses: Mutex::new(Losses::default()),
            reduce,
        });
        let consume = {
            let sums = Arc::clone(&sums);
            move |(member, step), outcome| sums.take(member, step, outcome)
        };
        let extra = self.sum_bytes(&windows);
        let parts = wanted
            .iter()
            .map(|&(position, member, step)| (self.chunks.get(position), (member, step)));
        pipeline::stream(&self.array, parts, (memory, extra), progress, Arc::new(consume)).await?;
        let losses = std::mem::take(&mut *lock(&sums.losses));
        Ok(losses)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A total that still lacks messages.
struct Open {
    left: usize,
    sums: Vec<f64>,
    lost: bool,
}

/// Totals as they grow.
struct Sums {
    uses: HashMap<usize, Vec<(usize, f64)>>,
    /// Messages of each window.
    terms: HashMap<usize, usize>,
    factor: f64,
    /// By member and window.
    open: Mutex<HashMap<(usize, usize), Arc<Mutex<Open>>>>,
    losses: Mutex<Losses>,
    reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
}

impl Sums {
    /// Adds a message to the totals that it is part of.
    fn take(&self, member: usize, step: usize, outcome: Outcome) -> Result<()> {
        let values = match outcome {
            Ok(Some(values)) => Some(values),
            Ok(None) => {
                lock(&self.losses).missing += 1;
                None
            }
            // Nothing can be read then; going on would say so for every message.
            Err(error) if *error.kind() == ErrorKind::Denied => return Err(error),
            Err(error) => {
                let mut losses = lock(&self.losses);
                losses.damaged += 1;
                if losses.errors.len() < ERRORS {
                    losses.errors.push(error);
                }
                None
            }
        };
        for &(window, sign) in self.uses.get(&step).into_iter().flatten() {
            self.add(member, window, sign, values.as_deref());
        }
        Ok(())
    }

    fn add(&self, member: usize, window: usize, sign: f64, values: Option<&[f32]>) {
        let left = self.terms.get(&window).copied().unwrap_or(1);
        let total = {
            let mut open = lock(&self.open);
            let total = open.entry((member, window)).or_insert_with(|| {
                Arc::new(Mutex::new(Open { left, sums: Vec::new(), lost: false }))
            });
            Arc::clone(total)
        };
        let mut total = lock(&total);
        total.left = total.left.saturating_sub(1);
        match values {
            Some(values) if !total.lost => {
                if total.sums.is_empty() {
                    total.sums = values.iter().map(|&value| sign * f64::from(value)).collect();
                } else {
                    for (sum, &value) in total.sums.iter_mut().zip(values) {
                        *sum += sign * f64::from(value);
                    }
                }
            }
            Some(_) => {}
            None => {
                total.lost = true;
                total.sums = Vec::new();
            }
        }
        if total.left > 0 {
            return;
        }
        lock(&self.open).remove(&(member, window));
        let sums = std::mem::take(&mut total.sums);
        if total.lost {
            lock(&self.losses).totals += 1;
            return;
        }
        drop(total);
        let (values, clipped) = finished(sums, self.factor);
        if clipped.count > 0 {
            lock(&self.losses).merge(clipped);
        }
        (self.reduce)(MemberTotal { window, member, values });
    }
}

/// Sums in single precision and the units asked for, none of them below zero.
fn finished(sums: Vec<f64>, factor: f64) -> (Vec<f32>, Clipped) {
    #[expect(clippy::cast_possible_truncation, reason = "amounts are f32 at both ends")]
    let mut values: Vec<f32> = sums.into_iter().map(|sum| (sum * factor) as f32).collect();
    let clipped = super::clip_noise(&mut values);
    (values, clipped)
}

fn rule_of(array: &StoredArray) -> Result<WindowRule> {
    match WindowRule::of_attributes(array.attributes()) {
        Some((Statistic::Accumulation, rule)) => Ok(rule),
        _ => {
            let methods = array.attributes().get("cell_methods");
            Err(Error::argument(
                format!("totals of {}", array.name()),
                format!(
                    "need an amount that is summed over a known window, as cell_methods say; \
                     here they are {}",
                    methods.map_or_else(|| "not given".to_owned(), ToString::to_string)
                ),
            ))
        }
    }
}

/// The dimension along which leads run, the leads in its order, and their unit.
async fn steps(
    store: &Opened,
    array: &StoredArray,
    axes: &[Axis],
) -> Result<(usize, Vec<u32>, StepUnit)> {
    let wrong = |reason: &str| Error::argument(format!("totals of {}", array.name()), reason);
    let find = |name: &str| axes.iter().position(|axis| axis.name == name);
    // The run layout has the leads as a coordinate of the valid times.
    let position = find("step").or_else(|| find("time"));
    let position = position.ok_or_else(|| wrong("need a dimension of steps"))?;
    let axis = axes.get(position).ok_or_else(|| wrong("need a dimension of steps"))?;
    let coordinate = coordinate(store, "step").await?;
    if coordinate.dimensions != [axis.name.as_str()] {
        return Err(wrong("need a dimension of steps"));
    }
    let unit = match coordinate.text("units") {
        Some("hours") => StepUnit::Hours,
        Some("minutes") => StepUnit::Minutes,
        other => {
            let unit = other.unwrap_or("without units").to_owned();
            return Err(Error::unsupported("unit of the steps", unit));
        }
    };
    let chosen = coordinate.values.take(&axis.indices);
    let CoordinateValues::Int64(values) = chosen else {
        return Err(Error::unsupported("steps", "of floating point"));
    };
    let steps: Option<Vec<u32>> = values.iter().map(|&step| u32::try_from(step).ok()).collect();
    let steps = steps.ok_or_else(|| {
        Error::malformed("steps", "leads of a forecast", "one that is negative or too long")
    })?;
    Ok((position, steps, unit))
}

/// Keeps the newest run where the forecast layout has several and none was chosen.
fn choose_run(axes: &mut [Axis], step_axis: usize) -> Result<()> {
    let Some(axis) =
        axes.iter_mut().enumerate().find(|(at, axis)| axis.name == "time" && *at != step_axis)
    else {
        return Ok(());
    };
    let axis = axis.1;
    let newest = match axis.coordinate.as_ref().map(|it| &it.values) {
        Some(CoordinateValues::Int64(times)) => {
            let times = axis.indices.iter().filter_map(|&at| Some((times.get(at)?, at)));
            times.max().map(|(_, at)| at)
        }
        _ => axis.indices.last().copied(),
    };
    let newest = newest.ok_or_else(|| Error::argument("totals", "the store has no run yet"))?;
    axis.keep_one(newest);
    Ok(())
}

/// The factor to the units of totals, and these.
///
/// An accumulated amount in metres is a depth of water, and a kilogram of it on a square
/// metre is a millimetre deep.
fn amount_units(array: &StoredArray) -> (f64, String) {
    let units = array.attributes().get("units").and_then(|it| it.as_str()).unwrap_or_default();
    match units {
        "m" => (1000.0, "mm".to_owned()),
        "kg m-2" | "kg m**-2" | "mm" => (1.0, "mm".to_owned()),
        other => (1.0, other.to_owned()),
    }
}
