//! The degree grid: where its lines are and what is written beside them.

use super::palette::nice_step;

/// Steps of whole degrees that divide the globe, beside the decimal ones below 1.
const WHOLE: [f64; 7] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0];

/// Lines of one direction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lines {
    /// Degrees, ascending; longitudes may exceed 180.
    pub(super) at: Vec<f64>,
    /// Digits after the point that tell them apart.
    decimals: usize,
}

impl Lines {
    /// Round degrees from `low` to `high`, at most so many.
    pub(super) fn between(low: f64, high: f64, most: u32) -> Self {
        let least = (high - low) / f64::from(most.max(1));
        let step = if least > 0.5 {
            WHOLE.into_iter().find(|step| *step >= least * 0.999).unwrap_or(90.0)
        } else {
            nice_step(least.max(1e-6))
        };
        let mut at = Vec::new();
        let mut count = (low / step - 1e-6).ceil();
        while count * step <= high + step * 1e-6 {
            at.push(count * step);
            count += 1.0;
        }
        let decimals = (0..7).find(|&n| step * 10_f64.powi(n) >= 0.999).unwrap_or(7);
        Self { at, decimals: usize::try_from(decimals).unwrap_or(0) }
    }

    /// `36°E`, `12.5°W`, `0°`, `180°`.
    pub(super) fn longitude(&self, degrees: f64) -> String {
        let turned = (degrees + 180.0).rem_euclid(360.0) - 180.0;
        if (turned.abs() - 180.0).abs() < 1e-7 {
            "180°".into()
        } else {
            self.label(turned, 'E', 'W')
        }
    }

    /// `12°S`, `0°`, `7.5°N`.
    pub(super) fn latitude(&self, degrees: f64) -> String {
        self.label(degrees, 'N', 'S')
    }

    fn label(&self, degrees: f64, positive: char, negative: char) -> String {
        let number = format!("{:.*}", self.decimals, degrees.abs());
        if degrees.abs() < 1e-7 {
            "0°".into()
        } else {
            format!("{number}°{}", if degrees > 0.0 { positive } else { negative })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_degrees() {
        assert_eq!(Lines::between(21.0, 53.0, 9).at, [25.0, 30.0, 35.0, 40.0, 45.0, 50.0]);
        assert_eq!(Lines::between(-180.0, 180.0, 12).at.len(), 13);
        assert_eq!(Lines::between(-90.0, 90.0, 7).at, [-90.0, -60.0, -30.0, 0.0, 30.0, 60.0, 90.0]);
        assert_eq!(Lines::between(170.0, 190.0, 5).at, [170.0, 175.0, 180.0, 185.0, 190.0]);
        let fine = Lines::between(36.0, 36.5, 5);
        assert_eq!(fine.at.len(), 6);
        assert_eq!(fine.longitude(fine.at[1]), "36.1°E");
        assert_eq!(Lines::between(5.0, 5.0, 4).at, [5.0]);
    }

    #[test]
    fn labels() {
        let whole = Lines::between(-60.0, 60.0, 6);
        let longitudes = [0.0, 20.0, -20.0, 180.0, -180.0, 190.0, 340.0, 360.0];
        let labels = longitudes.map(|degrees| whole.longitude(degrees));
        assert_eq!(labels, ["0°", "20°E", "20°W", "180°", "180°", "170°W", "20°W", "0°"]);
        assert_eq!([-40.0, 0.0, 20.0].map(|d| whole.latitude(d)), ["40°S", "0°", "20°N"]);
    }
}
