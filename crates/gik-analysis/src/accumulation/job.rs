//! Totals of a stored variable: what is read for them, and the totals as they come to be.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use gik_core::{Attributes, CoordinateValues, Error, Result, StepUnit};
use gik_icechunk::{Opened, StoredArray};

use super::noise::is_never_negative;
use super::stored::{amount_units, choose_run, rule_of, steps};
use super::sums::{Account, MemberTotal, Origin, Sums};
use super::{Alignment, MissingWindows, Period, Window, windows};
use crate::axes::{Axis, axes, coordinate, subset};
use crate::chunks::Chunks;
use crate::losses::{Tally, place_of};
use crate::memory::DEFAULT_MEMORY;
use crate::pipeline::{self, Progress};
use crate::read::choose_point;
use crate::{BoundingBox, Coordinate, Label, Place};

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
    /// The grid point nearest to this place instead of a region.
    pub point: Option<Place>,
    /// The memory to work in, in bytes; [`DEFAULT_MEMORY`] unless told otherwise.
    pub memory: usize,
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
            point: None,
            memory: DEFAULT_MEMORY,
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

impl Accumulation {
    /// Finds out what the request needs of the store.
    ///
    /// Amounts of water that falls or runs off and of radiation that comes down cannot be
    /// negative, as their names say: see [`Negative`](super::Negative).
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
        choose_run(&mut axes, step_axis, &request.labels)?;
        if let Some(point) = request.point {
            choose_point(store, &array, &mut axes, point, request.region.is_some()).await?;
        }
        let others = axes.iter().enumerate().rev().skip(2);
        for (position, axis) in others {
            if position != step_axis && Some(position) != member_axis && axis.indices.len() > 1 {
                return Err(Error::argument(
                    format!("totals of {}", request.variable),
                    format!("select one along '{0}': --sel {0}=…", axis.name),
                ));
            }
        }
        let mut windows = windows(&steps, unit, rule, request.period, request.alignment)?;
        let step_name = axes.get(step_axis).map(|axis| axis.name.as_str());
        if request.labels.iter().any(|label| Some(label.dimension.as_str()) == step_name) {
            // What begins before the steps that were chosen was not asked for.
            let first = steps.iter().copied().min().unwrap_or(0);
            windows.retain(|window| window.plan.is_ok() || window.span.start >= first);
        }
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
        let mapping = self.array.attributes().get("grid_mapping").and_then(|it| it.as_str());
        let mapping = mapping.unwrap_or_default().to_owned();
        let names = ["time", "reference_time", "latitude", "longitude", "y", "x", &mapping];
        for name in names {
            let is_axis = self.axes.iter().any(|axis| axis.name == name);
            let is_named =
                auxiliary.as_str().unwrap_or_default().split_whitespace().any(|it| it == name);
            if !arrays.iter().any(|it| it == name) || !(is_axis || is_named || name == mapping) {
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

    /// Windows that lack steps of the store, and so have no totals.
    pub fn impossible(&self) -> impl Iterator<Item = &MissingWindows> {
        self.windows.iter().filter_map(|window| window.plan.as_ref().err())
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

    /// The two dimensions of the region, as name and length; none where a point was chosen.
    pub(crate) fn grid(&self) -> Vec<(&str, usize)> {
        let grid = self.axes.iter().rev().take(2).rev().filter(|axis| !axis.dropped);
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

    /// Whether its amounts cannot be below zero.
    #[must_use]
    pub fn is_never_negative(&self) -> bool {
        is_never_negative(self.attributes())
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

    /// The bytes that sums take: those of a message under way, which it may open, and those
    /// that are open from their first message to their last while messages come in order.
    pub(crate) fn sum_bytes(&self, windows: &Range<usize>) -> (usize, usize) {
        let uses = self.uses(windows);
        let each = self.points().saturating_mul(size_of::<f64>());
        let most = uses.values().map(Vec::len).max().unwrap_or(0);
        let mut spans = HashMap::<usize, (usize, usize)>::new();
        for (&step, windows) in &uses {
            for &(window, _) in windows {
                let span = spans.entry(window).or_insert((step, step));
                *span = (span.0.min(step), span.1.max(step));
            }
        }
        let open = |&step: &usize| spans.values().filter(|it| it.0 <= step && step < it.1).count();
        let open = uses.keys().map(open).max().unwrap_or(0);
        (most.max(1).saturating_mul(each), open.saturating_mul(each))
    }

    /// Computes the totals over `windows` of all members, in `memory` bytes, and hands each to
    /// `reduce` when it is complete: members and windows in any order, on any thread.
    pub(crate) async fn run(
        &self,
        windows: Range<usize>,
        memory: usize,
        progress: Progress<'_>,
        reduce: Arc<dyn Fn(MemberTotal) + Send + Sync>,
    ) -> Result<Account> {
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
            never_negative: self.is_never_negative(),
            open: Mutex::new(HashMap::new()),
            tally: Tally::default(),
            lacking: Mutex::new(0),
            negative: Mutex::new(HashMap::new()),
            reduce,
        });
        let consume = {
            let sums = Arc::clone(&sums);
            move |origin: Origin, outcome| sums.take(origin, outcome)
        };
        let (extra, open) = self.sum_bytes(&windows);
        let memory = memory.saturating_sub(open);
        let parts = wanted.iter().map(|&(position, member, step)| {
            let part = self.chunks.get(position);
            let place = place_of(&self.array, &part.indices());
            (part, (member, step, place))
        });
        pipeline::stream(&self.array, parts, (memory, extra), progress, Arc::new(consume)).await?;
        Ok(sums.account(windows, wanted.len() as u64))
    }
}
