//! Totals as a field: every member, every window.

use std::sync::{Arc, Mutex};

use gik_core::{CoordinateValues, Result};
use gik_icechunk::Opened;

use super::{Accumulation, Losses, MemberTotal, Request, lock};
use crate::pipeline::Progress;
use crate::read::room;
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
/// As [`Accumulation::open`]; when no message can be read; when the result does not fit into
/// `memory` bytes. A total that lacks a message is NaN, never smaller, and is counted.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/store.rs"));
/// # store(async |store| {
/// use gik_analysis::accumulation::{Request, accumulate};
/// use gik_analysis::exceedance::DEFAULT_MEMORY;
///
/// let mut request = Request::new("tp");
/// request.region = Some("21,-12,53,23".parse()?);
/// let (rain, losses) = accumulate(store, &request, DEFAULT_MEMORY, &|_, _| {}).await?;
/// // Two members, one day.
/// assert_eq!((rain.shape()[0], rain.shape()[1], rain.text("units")), (2, 1, Some("mm")));
/// assert_eq!(losses.totals, 0);
/// # Ok(())
/// # });
/// ```
pub async fn accumulate(
    store: &Opened,
    request: &Request,
    memory: usize,
    progress: Progress<'_>,
) -> Result<(Field, Losses)> {
    let job = Accumulation::open(store, request).await?;
    let (windows, points) = (job.windows().len(), job.points());
    let elements = job.members().saturating_mul(windows).saturating_mul(points);
    let under_way = room(elements as u64, memory)?;
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
    let losses = job.run(0..windows, under_way, progress, Arc::new(reduce)).await?;
    let losses = job.checked(losses)?;
    let values = std::mem::take(&mut *lock(&values));
    Ok((job.field(values, &losses)?, losses))
}

impl Accumulation {
    /// Fails where nothing could be read: the first reason is the one to report.
    pub(crate) fn checked(&self, losses: Losses) -> Result<Losses> {
        losses.checked(self.messages(&(0..self.windows().len())) as u64)
    }

    fn field(&self, values: Vec<f32>, losses: &Losses) -> Result<Field> {
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
        for name in ["coordinates", "GRIB_units", "GRIB_stepType"] {
            attributes.remove(name);
        }
        attributes.insert("units".into(), self.units().into());
        if self.units() == "mm" {
            // A depth of water, which CF calls so; kilograms are something else.
            let name = attributes.remove("standard_name");
            let name = name.as_ref().and_then(|it| it.as_str()).unwrap_or_default();
            let depth = match name {
                already if already.starts_with("lwe_thickness_of_") => Some(already.to_owned()),
                mass if mass.ends_with("precipitation_amount") => {
                    Some(format!("lwe_thickness_of_{mass}"))
                }
                _ => None,
            };
            if let Some(depth) = depth {
                attributes.insert("standard_name".into(), depth.into());
            }
        }
        if losses.clipped.count > 0 {
            attributes.insert("gik_clipped_values".into(), losses.clipped.count.into());
            attributes.insert("gik_clipped_lowest".into(), losses.clipped.lowest.into());
        }
        let rule = gik_core::WindowRule::Last { minutes: self.request().period.minutes() };
        attributes.insert("cell_methods".into(), format!("step: sum (comment: {rule})").into());
        Ok(field
            .with_attributes(attributes)
            .with_dataset_attributes(self.dataset_attributes().clone()))
    }

    /// The windows' ends, as leads and as times.
    pub(crate) fn window_coordinates(&self) -> Vec<Coordinate> {
        let ends: Vec<i64> = self.windows().iter().map(|it| i64::from(it.span.end)).collect();
        let valid = self.reference_time().map(|start| {
            ends.iter().map(|end| start + end * self.unit().seconds()).collect::<Vec<i64>>()
        });
        let step = Coordinate::axis("step", CoordinateValues::Int64(ends))
            .with_attribute("standard_name", "forecast_period")
            .with_attribute("long_name", "time since forecast_reference_time")
            .with_attribute("units", self.unit().name());
        let valid = valid.map(|values| {
            Coordinate {
                dimensions: vec!["step".into()],
                ..Coordinate::axis("valid_time", CoordinateValues::Int64(values))
            }
            .with_attribute("standard_name", "time")
            .with_attribute("long_name", "end of the window")
            .with_attribute("units", "seconds since 1970-01-01")
            .with_attribute("calendar", "proleptic_gregorian")
        });
        std::iter::once(step).chain(valid).collect()
    }
}
