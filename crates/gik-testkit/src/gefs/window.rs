//! The time of a message, as GEFS cuts it and wgrib2 spells it.

use crate::grib::Statistic;

/// Start of the window that ends at `lead`: the last multiple of 6 hours before it.
///
/// 3 → 0, 6 → 0, 9 → 6, 12 → 6, 240 → 234, 246 → 240; at 0 the window is empty.
pub(super) const fn start(lead: u32) -> u32 {
    lead.saturating_sub(1) / 6 * 6
}

/// The sixth field of an index line: `anl`, `9 hour fcst`, `6-9 hour acc fcst`.
///
/// wgrib2 writes a window in days when both its start and its length are whole days, which
/// for GEFS is only the empty one of step 0, and an instant always in hours.
pub(super) fn spelling(statistic: Option<Statistic>, start: u32, lead: u32) -> String {
    let Some(statistic) = statistic else {
        return if lead == 0 { "anl".to_owned() } else { format!("{lead} hour fcst") };
    };
    let kind = match statistic {
        Statistic::Average => "ave",
        Statistic::Accumulation => "acc",
        Statistic::Maximum => "max",
        Statistic::Minimum => "min",
    };
    if start.is_multiple_of(24) && (lead - start).is_multiple_of(24) {
        format!("{}-{} day {kind} fcst", start / 24, lead / 24)
    } else {
        format!("{start}-{lead} hour {kind} fcst")
    }
}
