//! From real numbers to the integers that a message holds, and back.

use gik_core::{Error, Result};

use super::bits::width_of;

/// The layout of the integers in section 7 (data representation template).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// Template 5.0: all integers with one width.
    Simple,
    /// Template 5.3: groups of spatial differences.
    Complex {
        /// Order of the differences, 1 or 2 (code table 5.6).
        order: u8,
    },
    /// Template 5.42: compressed as CCSDS 121.0-B (AEC), in the parameters of ECMWF.
    Ccsds,
}

/// How finely values are represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Steps of `2^binary × 10^-decimal`; as many bits as the range needs.
    Step {
        /// Binary scale factor `E`.
        binary: i16,
    },
    /// This many bits a value, 0 to 32; the binary scale factor is the smallest that fits.
    /// Zero bits only hold a constant field.
    Bits(u8),
}

/// How a field is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    /// Layout in section 7.
    pub template: Template,
    /// Decimal scale factor `D`.
    pub decimal: i16,
    /// Fineness.
    pub precision: Precision,
}

impl Packing {
    /// Template 5.0 with `decimal` digits after the point.
    #[must_use]
    pub const fn simple(decimal: i16) -> Self {
        Self { template: Template::Simple, decimal, precision: Precision::Step { binary: 0 } }
    }

    /// Template 5.3, second order, with `decimal` digits after the point: what GEFS uses.
    #[must_use]
    pub const fn complex(decimal: i16) -> Self {
        Self { template: Template::Complex { order: 2 }, ..Self::simple(decimal) }
    }

    /// Template 5.42 with `decimal` digits after the point: what ECMWF uses.
    #[must_use]
    pub const fn ccsds(decimal: i16) -> Self {
        Self { template: Template::Ccsds, ..Self::simple(decimal) }
    }

    /// The same with this fineness.
    #[must_use]
    pub const fn with(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Whether a constant field takes zero bits a value.
    fn keeps_no_bits(&self) -> bool {
        matches!(self.precision, Precision::Step { .. } | Precision::Bits(0))
    }
}

/// A field as a message holds it: point `i` has the value `(X[i] × 2^E + R) × 10^-D`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantised {
    /// `R`.
    pub reference: f32,
    /// `E`.
    pub binary: i16,
    /// `D`.
    pub decimal: i16,
    /// Bits that the largest integer needs, or that were asked for.
    pub bits: u32,
    /// `X` of each point that has a value.
    pub integers: Vec<u32>,
    /// Which points have a value; none when all do.
    pub present: Option<Vec<bool>>,
}

impl Quantised {
    /// Rounds each value to the nearest that `packing` can represent.
    ///
    /// A constant field in template 5.0 with zero bits is held exactly, with `D` 0.
    ///
    /// # Errors
    /// An infinity, scale factors beyond ±127, more than 32 bits, or zero bits for a field
    /// that is not constant.
    pub fn new(values: &[f32], packing: Packing) -> Result<Self> {
        let mut here = Vec::with_capacity(values.len());
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for &value in values {
            if !value.is_nan() {
                low = low.min(value);
                high = high.max(value);
                here.push(value);
            }
        }
        if here.is_empty() {
            (low, high) = (0.0, 0.0);
        }
        if !low.is_finite() || !high.is_finite() {
            return Err(Error::argument("field", "holds an infinity: use NaN for no value"));
        }
        if packing.decimal.unsigned_abs() > 127 {
            return Err(Error::argument("decimal scale factor", "must lie within ±127"));
        }
        let constant = low.to_bits() == high.to_bits();
        let keeps = matches!(packing.template, Template::Simple | Template::Ccsds);
        if constant && keeps && packing.keeps_no_bits() {
            // Decoders give R itself then, whatever D says: so D is 0 and R the value.
            return Ok(Self::constant(low, here.len(), values));
        }
        let up = power(packing.decimal, 10.0);
        let (low, high) = (f64::from(low) * up, f64::from(high) * up);
        let (binary, reference) = scale(low, high, packing.precision)?;
        let (step, base) = (power(-binary, 2.0), f64::from(reference));
        let largest = ((high - base) * step).round();
        if largest > f64::from(u32::MAX) {
            return Err(Error::argument(
                "precision",
                format!("needs integers up to {largest}; take a coarser step"),
            ));
        }
        let integer = |value: f32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the largest was checked against u32; a cast of a negative rest gives 0"
            )]
            let integer = ((f64::from(value) * up - base) * step + 0.5) as u32;
            integer
        };
        let integers: Vec<u32> = here.iter().map(|&value| integer(value)).collect();
        let needed = width_of(u64::from(integers.iter().copied().max().unwrap_or(0)));
        let bits = match packing.precision {
            Precision::Step { .. } => needed,
            Precision::Bits(bits) => u32::from(bits).max(needed),
        };
        let present = present(values, here.len());
        Ok(Self { reference, binary, decimal: packing.decimal, bits, integers, present })
    }

    /// A constant field in template 5.0, exact.
    fn constant(value: f32, count: usize, values: &[f32]) -> Self {
        Self {
            reference: value,
            binary: 0,
            decimal: 0,
            bits: 0,
            integers: vec![0; count],
            present: present(values, count),
        }
    }

    /// The values, NaN where missing, evaluated in double precision in the order
    /// `(X × 2^E + R) × 10^-D`, the last factor by repeated division: as ecCodes does.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        let (step, base) = (power(self.binary, 2.0), f64::from(self.reference));
        let down = power(-self.decimal, 10.0);
        let mut values = self.integers.iter().map(|&x| (f64::from(x) * step + base) * down);
        match &self.present {
            None => values.collect(),
            Some(present) => present
                .iter()
                .map(|&here| if here { values.next().unwrap_or(f64::NAN) } else { f64::NAN })
                .collect(),
        }
    }

    /// Half the distance of two neighbouring values: the largest rounding error.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        0.5 * power(self.binary, 2.0) * power(-self.decimal, 10.0)
    }
}

/// Which points have a value, when `count` of them do and not all.
fn present(values: &[f32], count: usize) -> Option<Vec<bool>> {
    (count < values.len()).then(|| values.iter().map(|value| !value.is_nan()).collect())
}

/// Binary scale factor and reference value for a range of scaled values.
fn scale(low: f64, high: f64, precision: Precision) -> Result<(i16, f32)> {
    match precision {
        Precision::Step { binary } if binary.unsigned_abs() > 127 => {
            Err(Error::argument("binary scale factor", "must lie within ±127"))
        }
        Precision::Step { binary } => {
            // On a multiple of the step where single precision can hold one: 0 stays 0.
            let step = power(binary, 2.0);
            let aligned = (low / step).round() * step;
            #[expect(clippy::cast_possible_truncation, reason = "checked by the way back")]
            let single = aligned as f32;
            let exact = f64::from(single).to_bits() == aligned.to_bits();
            Ok((binary, if exact { single } else { below(low) }))
        }
        Precision::Bits(bits) if bits > 32 => {
            Err(Error::argument("bits a value", "must be 0 to 32"))
        }
        Precision::Bits(bits) => {
            let reference = below(low);
            let range = high - low;
            let largest = f64::from(u32::MAX >> (32 - u32::from(bits).max(1)));
            if range <= 0.0 {
                return Ok((0, reference));
            }
            if bits == 0 {
                return Err(Error::argument("bits a value", "zero bits only hold a constant"));
            }
            let range = high - f64::from(reference);
            let mut binary = 0;
            while binary < 127 && range / power(binary, 2.0) > largest {
                binary += 1;
            }
            while binary > -127 && range / power(binary - 1, 2.0) <= largest {
                binary -= 1;
            }
            Ok((binary, reference))
        }
    }
}

/// The largest single-precision number not above `value`.
fn below(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what this is about")]
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

/// `base^exponent` by repeated multiplication or division, so that it is the same number
/// everywhere.
fn power(exponent: i16, base: f64) -> f64 {
    (0..exponent.unsigned_abs())
        .fold(1.0, |power, _| if exponent < 0 { power / base } else { power * base })
}
