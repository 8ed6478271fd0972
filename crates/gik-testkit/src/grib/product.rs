//! Section 4: what the field is, templates 4.0, 4.1, 4.8 and 4.11.

use gik_core::ReferenceTime;

use super::bits::{signed8, signed32};
use super::message::time_octets;

/// A fixed surface (code table 4.5): `value × 10^-factor` in the unit of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surface {
    /// Code table 4.5.
    pub kind: u8,
    /// Decimal scale factor of the value.
    pub factor: i8,
    /// Scaled value.
    pub value: i32,
}

impl Surface {
    /// Ground or water surface.
    pub const GROUND: Self = Self { kind: 1, factor: 0, value: 0 };
    /// Mean sea level.
    pub const MEAN_SEA: Self = Self { kind: 101, factor: 0, value: 0 };
    /// What NCEP writes where there is no second surface.
    const NONE: Self = Self { kind: 255, factor: 0, value: 0 };

    /// A height above the ground, in metres.
    #[must_use]
    pub const fn height(metres: i32) -> Self {
        Self { kind: 103, factor: 0, value: metres }
    }

    /// A pressure level, in Pa.
    #[must_use]
    pub const fn isobaric(pascal: i32) -> Self {
        Self { kind: 100, factor: 0, value: pascal }
    }

    pub(crate) fn octets(self) -> [u8; 6] {
        let [a, b, c, d] = signed32(self.value);
        [self.kind, signed8(self.factor), a, b, c, d]
    }
}

/// What is computed over a time interval (code table 4.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The mean over the interval.
    Average,
    /// The sum over the interval.
    Accumulation,
    /// The highest value in it.
    Maximum,
    /// The lowest value in it.
    Minimum,
}

impl Statistic {
    const fn code(self) -> u8 {
        match self {
            Self::Average => 0,
            Self::Accumulation => 1,
            Self::Maximum => 2,
            Self::Minimum => 3,
        }
    }
}

/// The interval of a statistic: it ends at the product's lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// What is computed.
    pub statistic: Statistic,
    /// Start of the interval, hours after the reference time.
    pub start: u32,
}

/// A member of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ensemble {
    /// 0: the control; others: positively perturbed forecasts.
    pub member: u8,
    /// Number of forecasts in the ensemble, as the producer writes it (GEFS: 30).
    pub size: u8,
}

/// What the field is, when and at which level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Parameter category (code table 4.1).
    pub category: u8,
    /// Parameter number (code table 4.2).
    pub number: u8,
    /// The surface, or the first of the two that bound a layer.
    pub first: Surface,
    /// The second surface of a layer.
    pub second: Option<Surface>,
    /// Hours from the reference time to the valid time, or to the window's end.
    pub lead: u32,
    /// The interval of a statistic; none for an instant.
    pub window: Option<Window>,
    /// The member; none for a deterministic forecast.
    pub ensemble: Option<Ensemble>,
}

impl Product {
    /// A deterministic field of one instant.
    #[must_use]
    pub const fn instant(category: u8, number: u8, first: Surface, lead: u32) -> Self {
        Self { category, number, first, second: None, lead, window: None, ensemble: None }
    }

    /// The same over the interval from `start` to the lead.
    #[must_use]
    pub const fn over(mut self, statistic: Statistic, start: u32) -> Self {
        self.window = Some(Window { statistic, start });
        self
    }

    /// The same as one member of an ensemble.
    #[must_use]
    pub const fn of_ensemble(mut self, member: u8, size: u8) -> Self {
        self.ensemble = Some(Ensemble { member, size });
        self
    }

    /// Product definition template (code table 4.0).
    #[must_use]
    pub const fn template(&self) -> u16 {
        match (self.ensemble, self.window) {
            (None, None) => 0,
            (Some(_), None) => 1,
            (None, Some(_)) => 8,
            (Some(_), Some(_)) => 11,
        }
    }

    /// Type of processed data (code table 1.4): control, perturbed or forecast products.
    pub(super) const fn data_type(&self) -> u8 {
        match self.ensemble {
            None => 1,
            Some(Ensemble { member: 0, .. }) => 3,
            Some(_) => 4,
        }
    }

    /// Section 4: 34, 37, 58 or 61 octets.
    pub(super) fn section(&self, reference: ReferenceTime) -> Vec<u8> {
        // Generating process: 4 ensemble forecast by model 107 (GEFS), 2 forecast by 96 (GFS).
        let (process, model) = if self.ensemble.is_some() { (4, 107) } else { (2, 96) };
        let mut out = vec![0, 0, 0, 0, 4, 0, 0];
        out.extend(self.template().to_be_bytes());
        out.extend([self.category, self.number, process, 0, model]);
        out.extend([0, 0, 0]); // no data cut-off
        out.push(1); // the unit of time is the hour
        out.extend(self.window.map_or(self.lead, |window| window.start).to_be_bytes());
        out.extend(self.first.octets());
        out.extend(self.second.unwrap_or(Surface::NONE).octets());
        if let Some(ensemble) = self.ensemble {
            // Code table 4.6: 1 unperturbed low-resolution control, 3 positively perturbed.
            out.extend([if ensemble.member == 0 { 1 } else { 3 }, ensemble.member, ensemble.size]);
        }
        if let Some(window) = self.window {
            let end = reference.seconds() + i64::from(self.lead) * 3600;
            out.extend(time_octets(ReferenceTime::from_seconds(end)));
            out.push(1); // one time range
            out.extend([0; 4]); // no value missing in the process
            out.push(window.statistic.code());
            out.extend([2, 1]); // same start, growing forecast time; hours
            out.extend(self.lead.saturating_sub(window.start).to_be_bytes());
            out.push(255); // continuous process: no increment
            out.extend([0; 4]);
        }
        if let (Ok(length), Some(octets)) = (u32::try_from(out.len()), out.first_chunk_mut()) {
            *octets = length.to_be_bytes();
        }
        out
    }
}
