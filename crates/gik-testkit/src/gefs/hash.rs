//! Numbers that look drawn by lot but follow from what they are for, and a cosine that is
//! the same on every machine (that of the system's library is not).

/// A number in 0…1 that `parts` determine.
pub(super) fn unit(parts: &[u64]) -> f64 {
    // 53 bits: every such number is a double.
    #[expect(clippy::cast_precision_loss, reason = "shifted to 53 bits")]
    let number = (bits(parts) >> 11) as f64;
    number / 9_007_199_254_740_992.0
}

/// A number between `range.0` and `range.1`.
pub(super) fn between(range: (f64, f64), parts: &[u64]) -> f64 {
    range.0 + (range.1 - range.0) * unit(parts)
}

/// 64 bits that `parts` determine (the mixing function of `SplitMix64` on each).
pub(crate) fn bits(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = state.wrapping_add(*part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A wave of period 1: 1 at whole numbers, −1 halfway, within 0.06 of the cosine.
///
/// Two parabolas that meet smoothly, of exact operations only.
pub(crate) fn wave(turns: f64) -> f64 {
    let phase = turns + 0.25 - (turns + 0.25).floor();
    if phase < 0.5 { 16.0 * phase * (0.5 - phase) } else { -16.0 * (phase - 0.5) * (1.0 - phase) }
}

/// A bump with a flat end: 1 at 0, falling to 0 at 1 and beyond; of the squared distance.
pub(super) fn bump(squared: f64) -> f64 {
    let rest = (1.0 - squared).max(0.0);
    rest * rest
}
