//! Totals as a field: every member, every window.

use std::sync::{Arc, Mutex};

use gik_core::{CoordinateValues, Result};
use gik_icechunk::Opened;

use super::{Account, Accumulation, BelowZero, MemberTotal, Negative, Request};
use crate::losses::lock;
use crate::memory::beside_result;
use crate::pipeline::Progress;
use crate::read::forget_whole_grid;
use crate::{Coordinate, Field};

/// Adds up a variable of a store to totals over a period, for every member: rain in mm,
/// whatever windows and units the model publishes.
///
/// # Shape
/// `([member], step, latitude|y, longitude|x)`: `step` is the lead at which each window ends.
/// `member` is missing for models without, or where one was selected.
///
/// # Units
/// Millimetres for water, else those of the store.
///
/// # Errors
/// As [`Accumulation::open`]; when messages are damaged and none can be read; when the result would
/// not fit into the memory allowed. A total that lacks a message is NaN, never smaller, and is
/// counted, as is what is below zero in an amount that cannot be; variables `clipped_count`,
/// `clipped_lowest`, `rejected_count` and `rejected_lowest` say so beside the field.
///
/// # Examples
/// ```
/// use gik_analysis::accumulation::{Request, accumulate};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let store = gik_analysis::example::store(folder.path()).await?;
/// let request = Request { period: "12h".parse()?, ..Request::new("tp") };
/// let (rain, account) = accumulate(&store, &request, &|_, _| {}).await?;
/// assert_eq!((rain.shape(), rain.text("units")), (vec![3, 2, 2, 3], Some("mm")));
/// assert_eq!((rain.values()[1], account.totals), (2.0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn accumulate(
    store: &Opened,
    request: &Request,
    progress: Progress<'_>,
) -> Result<(Field, Account)> {
    Accumulation::open(store, request).await?.field(progress).await
}

impl Accumulation {
    /// The totals as a field: see [`accumulate`].
    ///
    /// # Errors
    /// When messages are damaged and none can be read, or the result does not fit into the memory
    /// allowed.
    pub async fn field(&self, progress: Progress<'_>) -> Result<(Field, Account)> {
        let (windows, points) = (self.windows().len(), self.points());
        let elements = self.members().saturating_mul(windows).saturating_mul(points);
        let kept = elements.saturating_mul(size_of::<f32>());
        let room = beside_result(self.request().memory, kept)?;
        let values = Arc::new(Mutex::new(vec![f32::NAN; elements]));
        let reduce = {
            let values = Arc::clone(&values);
            move |total: MemberTotal| {
                let start = (total.member * windows + total.window) * points;
                if let Some(target) = lock(&values).get_mut(start..start + points) {
                    target.copy_from_slice(&total.values);
                }
            }
        };
        let account = self.run(0..windows, room, progress, Arc::new(reduce)).await?.not_all()?;
        let values = std::mem::take(&mut *lock(&values));
        let mut below_zero = self.below_zero(&account.negative).into_iter();
        let field = below_zero.try_fold(self.describe(values)?, Field::with_ancillary)?;
        Ok((field, account))
    }

    fn describe(&self, values: Vec<f32>) -> Result<Field> {
        let member = self.member_coordinate()?;
        let is_axis = member.as_ref().is_some_and(Coordinate::is_axis);
        let first = is_axis.then(|| ("member", self.members()));
        let dimensions =
            first.into_iter().chain([("step", self.windows().len())]).chain(self.grid());
        let mut field = Field::new(&self.request().variable, dimensions, values)?;
        for coordinate in member.into_iter().chain(self.window_coordinates()) {
            field = field.with_coordinate(coordinate)?;
        }
        for coordinate in self.coordinates() {
            field = field.with_coordinate(coordinate.clone())?;
        }
        let mut attributes = self.attributes().clone();
        for name in ["coordinates", "GRIB_units", "GRIB_stepType", "GRIB_cfName"] {
            attributes.remove(name);
        }
        if self.request().region.is_some() || self.request().point.is_some() {
            forget_whole_grid(&mut attributes);
        }
        if let Some(name) = attributes.remove("standard_name").as_ref().and_then(|it| it.as_str())
            && let Some(name) = standard_name(name, self.units())
        {
            attributes.insert("standard_name".into(), name.into());
        }
        attributes.insert("units".into(), self.units().into());
        let rule = gik_core::WindowRule::Last { minutes: self.request().period.minutes() };
        attributes.insert("cell_methods".into(), format!("step: sum (comment: {rule})").into());
        Ok(field
            .with_attributes(attributes)
            .with_dataset_attributes(self.dataset_attributes().clone()))
    }

    /// The windows' ends, as leads and as times, with their beginnings as bounds.
    pub(crate) fn window_coordinates(&self) -> Vec<Coordinate> {
        let spans = self.windows().iter().map(|it| it.span);
        let ends: Vec<i64> = spans.clone().map(|span| span.end.into()).collect();
        let bounds: Vec<i64> =
            spans.flat_map(|span| [span.start.into(), span.end.into()]).collect();
        let seconds = self.unit().seconds();
        let times = |start: i64, leads: &[i64]| {
            CoordinateValues::Int64(leads.iter().map(|lead| start + lead * seconds).collect())
        };
        let valid = self.reference_time().map(|start| {
            Coordinate {
                dimensions: vec!["step".into()],
                bounds: Some(times(start, &bounds)),
                ..Coordinate::axis("valid_time", times(start, &ends))
            }
            .with_attribute("standard_name", "time")
            .with_attribute("long_name", "end of the window")
            .with_attribute("units", "seconds since 1970-01-01")
            .with_attribute("calendar", "proleptic_gregorian")
        });
        let step = Coordinate {
            bounds: Some(CoordinateValues::Int64(bounds)),
            ..Coordinate::axis("step", CoordinateValues::Int64(ends))
        };
        let step = step
            .with_attribute("standard_name", "forecast_period")
            .with_attribute("long_name", "time since forecast_reference_time")
            .with_attribute("units", self.unit().name());
        std::iter::once(step).chain(valid).collect()
    }

    /// What was below zero in each window, as variables along `step`; none for amounts of
    /// either sign.
    pub(crate) fn below_zero(&self, negative: &[Negative]) -> Vec<Coordinate> {
        if !self.is_never_negative() {
            return Vec::new();
        }
        let along = |name: &str, values| Coordinate {
            dimensions: vec!["step".into()],
            ..Coordinate::axis(name, values)
        };
        let of = |part: fn(&Negative) -> BelowZero, prefix: &str, what: &str| {
            // Over the globe they go beyond 32 bits, where NetCDF's integers end.
            #[expect(clippy::cast_precision_loss, reason = "values that were in memory")]
            let counts = negative.iter().map(|it| part(it).count as f64);
            let lowest = negative.iter().map(|it| f64::from(part(it).lowest));
            [
                along(&format!("{prefix}_count"), CoordinateValues::Float64(counts.collect()))
                    .with_attribute("long_name", format!("values below zero, {what}"))
                    .with_attribute("units", "1"),
                along(&format!("{prefix}_lowest"), CoordinateValues::Float64(lowest.collect()))
                    .with_attribute("long_name", format!("lowest value below zero, {what}"))
                    .with_attribute("units", self.units()),
            ]
        };
        let noise = of(|it| it.noise, "clipped", "packing noise that was raised to it");
        let wrong = of(|it| it.wrong, "rejected", "more than packing noise, made missing");
        noise.into_iter().chain(wrong).collect()
    }
}

/// CF's name of a total in its units. Millimetres are a depth of water, whose amounts of mass
/// have other names; where there is none for the depth there is no name.
fn standard_name(name: &str, units: &str) -> Option<String> {
    if units != "mm" || name.starts_with("lwe_thickness_of_") {
        return Some(name.to_owned());
    }
    let kinds = [
        "precipitation_amount",
        "convective_precipitation_amount",
        "stratiform_precipitation_amount",
        "snowfall_amount",
    ];
    kinds.contains(&name).then(|| format!("lwe_thickness_of_{name}"))
}

#[cfg(test)]
mod tests {
    use super::standard_name;

    #[test]
    fn a_depth_of_water_is_named_as_one() {
        let of = |name| standard_name(name, "mm");
        let depth = "lwe_thickness_of_precipitation_amount";
        assert_eq!(of("precipitation_amount").as_deref(), Some(depth));
        assert_eq!(of(depth).as_deref(), Some(depth));
        assert_eq!(of("runoff_amount"), None);
        assert_eq!(standard_name("any", "J m-2").as_deref(), Some("any"));
    }
}
