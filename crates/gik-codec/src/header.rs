//! Values that a message's headers tell: reference time, lead and level.

use gik_core::{DecodeOptions, Error, Quantity, Result};

use crate::message::Field;
use crate::scale::Value;
use crate::scan::{Product, reference_time};

const HOUR: f64 = 3600.0;

/// Fills `out` with the values from number `first` on, of a coordinate of `count`.
pub(crate) fn values<T: Value>(
    field: &Field<'_>,
    options: &DecodeOptions,
    count: usize,
    first: usize,
    out: &mut [T],
) -> Result<()> {
    let steps = options.steps.map_or(1, |steps| steps as usize).max(1);
    let expected = if options.quantity == Quantity::Step { steps } else { 1 };
    if count != expected {
        let what = "number of coordinates of the message and the chunk";
        return Err(Error::mismatch(what, count.to_string(), expected.to_string()));
    }
    if options.quantity == Quantity::Step && steps > 1 {
        let hours = (0..=u32::MAX).skip(first);
        for (target, hour) in out.iter_mut().zip(hours) {
            *target = T::from_f64(f64::from(hour) * HOUR);
        }
        return Ok(());
    }
    #[expect(clippy::cast_precision_loss, reason = "times lie below 2^53 seconds")]
    let value = match options.quantity {
        Quantity::ReferenceTime => reference_time(&field.identification)?.seconds() as f64,
        Quantity::Step => match Product::read(&field.product)?.window {
            Some(window) => window.end_seconds() as f64,
            None => {
                let template = format!("4.{}", field.product_template()?);
                return Err(field.product.unsupported(8, "time of product template", template));
            }
        },
        _ => {
            let level = Product::read(&field.product)?.level;
            level.and_then(|level| level.first().value()).map_or(0.0, |value| value.to_f64())
        }
    };
    out.fill(T::from_f64(value));
    Ok(())
}
