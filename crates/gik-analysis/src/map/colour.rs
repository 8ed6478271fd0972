//! Colours, and mixing them so that equal steps look equal.

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    pub(super) const WHITE: Self = Self(255, 255, 255);
    /// Text and the map's frame.
    pub(super) const INK: Self = Self(28, 30, 34);
    /// Text of lesser weight.
    pub(super) const PALE_INK: Self = Self(88, 93, 101);

    /// The colour between `self` (`part` 0) and `other` (`part` 1), mixed in the `OKLab` space
    /// (B. Ottosson, 2020), in which lightness and hue change evenly.
    pub(super) fn mix(self, other: Self, part: f64) -> Self {
        let (a, b) = (self.to_oklab(), other.to_oklab());
        let part = part.clamp(0.0, 1.0);
        let [l, m, s] = [0, 1, 2].map(|i| {
            let (from, to) = (a.get(i).copied().unwrap_or(0.0), b.get(i).copied().unwrap_or(0.0));
            from + (to - from) * part
        });
        Self::from_oklab([l, m, s])
    }

    fn to_oklab(self) -> [f64; 3] {
        let [r, g, b] = [self.0, self.1, self.2].map(linear);
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    fn from_oklab([lightness, a, b]: [f64; 3]) -> Self {
        let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
        Self(
            encoded(4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s),
            encoded(-1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s),
            encoded(-0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s),
        )
    }
}

/// sRGB (IEC 61966-2-1) to linear light.
fn linear(encoded: u8) -> f64 {
    let value = f64::from(encoded) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Linear light to sRGB.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0…255 before"
)]
fn encoded(linear: f64) -> u8 {
    let value =
        if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_mix_are_its_colours() {
        let (a, b) = (Rgb(12, 200, 99), Rgb(250, 3, 128));
        assert_eq!((a.mix(b, 0.0), a.mix(b, 1.0), a.mix(b, 7.0)), (a, b, b));
    }

    #[test]
    fn half_way_from_black_to_white_is_a_middle_grey() {
        // OKLab lightness 0.5 is sRGB 99.
        assert_eq!(Rgb(0, 0, 0).mix(Rgb::WHITE, 0.5), Rgb(99, 99, 99));
    }
}
