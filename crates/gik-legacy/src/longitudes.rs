//! Longitudes as a message has them, and as a store has them.
//!
//! A store's fields run from −180°, to which its codec turns them. Kerchunk's codec turns
//! nothing: references go with the longitudes of the message itself.

use gik_core::{Error, Result};

/// The columns of a store's axis in the order of the message, which begins at `first` (0…360):
/// ascending, from the place of `first` on.
///
/// # Errors
/// When `first` is no longitude of the axis.
pub(crate) fn of_message(axis: &[f64], first: f64) -> Result<Vec<f64>> {
    let distance = |longitude: f64| {
        let apart = (longitude - first).rem_euclid(360.0);
        apart.min(360.0 - apart)
    };
    let begins = axis.iter().position(|&it| distance(it) < 1e-5).ok_or_else(|| {
        Error::mismatch(
            "first longitude of the messages (GRIB_longitudeOfFirstGridPointInDegrees)",
            "one of the longitudes",
            first.to_string(),
        )
    })?;
    let (west, east) = axis.split_at(begins);
    Ok(east.iter().copied().chain(west.iter().map(|it| it + 360.0)).collect())
}

/// The longitudes that the codec makes of a message's with `adjust_longitude_range`: those
/// around the globe from −180° on, others as they are.
pub(crate) fn of_store(axis: &[f64]) -> Vec<f64> {
    let mut turned = axis.to_vec();
    let (Some(&first), Some(&second)) = (axis.first(), axis.get(1)) else { return turned };
    let count = u32::try_from(axis.len()).map_or(f64::INFINITY, f64::from);
    let step = second - first;
    if step <= 0.0 || (step * count - 360.0).abs() >= step / 4.0 {
        return turned;
    }
    for longitude in &mut turned {
        if *longitude >= 180.0 {
            *longitude -= 360.0;
        }
    }
    turned.sort_by(f64::total_cmp);
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let store = [-180.0, -90.0, 0.0, 90.0];
        let message = of_message(&store, 0.0).unwrap();
        assert_eq!(message, [0.0, 90.0, 180.0, 270.0]);
        assert_eq!(of_store(&message), store);
        // ECMWF's begin at the date line.
        assert_eq!(of_message(&store, 180.0).unwrap(), store);
        assert_eq!(of_store(&store), store);
        assert!(of_message(&store, 45.0).is_err());
        // A part of the globe is not turned.
        assert_eq!(of_store(&[170.0, 180.0, 190.0]), [170.0, 180.0, 190.0]);
    }
}
