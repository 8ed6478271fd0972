//! What a stored variable says of its sums.

use gik_core::{CoordinateValues, Error, Result, Statistic, StepUnit, WindowRule};
use gik_icechunk::{Opened, StoredArray};

use crate::Label;
use crate::axes::{Axis, coordinate};

pub(super) fn rule_of(array: &StoredArray) -> Result<WindowRule> {
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
pub(super) async fn steps(
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
pub(super) fn choose_run(axes: &mut [Axis], step_axis: usize, labels: &[Label]) -> Result<()> {
    let Some(axis) =
        axes.iter_mut().enumerate().find(|(at, axis)| axis.name == "time" && *at != step_axis)
    else {
        return Ok(());
    };
    let axis = axis.1;
    if axis.indices.len() > 1 && labels.iter().any(|label| label.dimension == axis.name) {
        let reason = format!("chooses {} runs; totals are of one", axis.indices.len());
        return Err(Error::argument("selection along 'time'", reason));
    }
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
pub(super) fn amount_units(array: &StoredArray) -> (f64, String) {
    let units = array.attributes().get("units").and_then(|it| it.as_str()).unwrap_or_default();
    match units {
        "m" => (1000.0, "mm".to_owned()),
        "kg m-2" | "kg m**-2" | "mm" => (1.0, "mm".to_owned()),
        other => (1.0, other.to_owned()),
    }
}
