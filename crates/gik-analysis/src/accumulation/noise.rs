//! What below zero is packing noise, what is wrong, and what is as it should be.
//!
//! A total of packed amounts may come out a little negative where nothing fell: each term is
//! off by half a quantum of its packing. That is raised to zero, and counted. What is further
//! below zero than that comes of wrong windows, wrong units or damage: it is NaN, and counted
//! apart. Amounts that have either sign by nature, such as momentum and net radiation, are
//! left alone.

use gik_core::Attributes;

/// Values below zero where none can be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BelowZero {
    /// How many there were.
    pub count: u64,
    /// The lowest of them, in the units of the totals; 0 if there was none.
    pub lowest: f32,
}

impl BelowZero {
    fn add(&mut self, value: f32) {
        self.count += 1;
        self.lowest = self.lowest.min(value);
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        let lowest = if other.lowest < self.lowest { other.lowest } else { self.lowest };
        Self { count: self.count + other.count, lowest }
    }
}

/// What was below zero in totals of an amount that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Negative {
    /// Packing noise, which was raised to 0.
    pub noise: BelowZero,
    /// What packing does not explain, which was made NaN.
    pub wrong: BelowZero,
}

impl Negative {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { noise: self.noise.and(other.noise), wrong: self.wrong.and(other.wrong) }
    }
}

/// A value is off by half a quantum. Centres interpolate and pack fields that had been packed
/// before, more coarsely perhaps: eight times that is still no rain.
const QUANTA: f64 = 4.0;

/// Rounding in single precision, as a part of the largest amount.
const ROUNDING: f64 = 1e-6;

/// How far below zero the packing of one term can take a total. `largest` is the greatest
/// amount in the term.
pub(super) fn noise(quantum: f64, largest: f64) -> f64 {
    QUANTA * quantum.abs() + ROUNDING * largest.abs()
}

/// The largest of some amounts.
pub(super) fn largest(values: &[f32]) -> f64 {
    values.iter().copied().filter(|it| it.is_finite()).fold(0.0_f32, |a, b| a.max(b.abs())).into()
}

/// Raises values down to `-noise` to zero and makes what is below that NaN; says how much that
/// was.
pub(super) fn clip(values: &mut [f32], noise: f64) -> Negative {
    let mut found = Negative::default();
    for value in values {
        if *value < 0.0 {
            if f64::from(*value) >= -noise {
                found.noise.add(*value);
                *value = 0.0;
            } else {
                found.wrong.add(*value);
                *value = f32::NAN;
            }
        }
    }
    found
}

/// Names (of CF or, without one, long names) of amounts of water that have either sign:
/// evaporation is negative where water leaves the ground, in ECMWF's convention.
const SIGNED_WATER: [&str; 6] =
    ["evapo", "sublimation", "flux", "convergence", "transport", "tendency"];

/// Standard names of energy that goes one way only.
const UNSIGNED_ENERGY: [&str; 3] =
    ["downwelling_shortwave", "downwelling_longwave", "net_downward_shortwave"];

/// Whether amounts of these attributes cannot be negative: water that falls or runs off, and
/// radiation that comes down. Everything else may have either sign.
pub(super) fn is_never_negative(attributes: &Attributes) -> bool {
    let text = |name: &str| attributes.get(name).and_then(|it| it.as_str()).unwrap_or_default();
    let has = |parts: &[&str]| {
        let names = format!("{} {}", text("standard_name"), text("long_name").to_lowercase());
        parts.iter().any(|part| names.contains(part))
    };
    match text("units") {
        "m" | "kg m-2" | "kg m**-2" | "mm" => !has(&SIGNED_WATER),
        _ => has(&UNSIGNED_ENERGY),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn noise_is_raised_and_what_is_lower_is_missing() {
        let mut values = [1.0, -0.01, f32::NAN, -0.3, 0.0, -0.02];
        let found = clip(&mut values, noise(0.01, 1.0));
        assert_eq!((values[0], values[1], values[4], values[5]), (1.0, 0.0, 0.0, 0.0));
        assert!(values[2].is_nan() && values[3].is_nan());
        assert_eq!(found.noise, BelowZero { count: 2, lowest: -0.02 });
        assert_eq!(found.wrong, BelowZero { count: 1, lowest: -0.3 });
        assert_eq!(found.and(found).noise, BelowZero { count: 4, lowest: -0.02 });
    }

    #[test]
    fn which_amounts_have_either_sign() {
        for (units, standard, long, expected) in [
            ("kg m-2", "precipitation_amount", "Total Precipitation", true),
            ("m", "", "Runoff", true),
            ("kg m-2", "", "Frozen Rain", true),
            ("m", "thickness_of_snowfall_amount", "Total Snowfall", true),
            ("m", "lwe_thickness_of_water_evaporation_amount", "Evaporation", false),
            ("m", "", "Potential evaporation", false),
            ("J m-2", "integral_wrt_time_of_surface_net_downward_shortwave_flux", "", true),
            ("J m-2", "integral_wrt_time_of_surface_downwelling_longwave_flux_in_air", "", true),
            ("J m-2", "integral_wrt_time_of_surface_net_downward_longwave_flux", "", false),
            ("J m-2", "", "Top net long-wave (thermal) radiation", false),
            ("N m-2 s", "integral_wrt_time_of_surface_downward_eastward_stress", "", false),
            ("", "", "", false),
        ] {
            let mut attributes = Attributes::new();
            for (name, value) in [("units", units), ("standard_name", standard)] {
                attributes.insert(name.into(), json!(value));
            }
            attributes.insert("long_name".into(), json!(long));
            assert_eq!(is_never_negative(&attributes), expected, "{standard} {long}");
        }
    }
}
