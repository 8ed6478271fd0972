//! How commands that read tell what they did not get.

use gik::analysis::Losses;
use gik::analysis::accumulation::{Account, Accumulation, MissingWindows};

use super::output;

/// Windows that lack steps, of which so many are named.
const NAMED: usize = 5;

/// Messages that are missing or damaged, with the reasons.
pub(super) fn remark(losses: &Losses) {
    if losses.is_none() {
        return;
    }
    output::remark(&format!(
        "incomplete: of {} messages {} {} not in the store and {} could not be read",
        output::count(losses.messages),
        output::count(losses.missing),
        if losses.missing == 1 { "is" } else { "are" },
        output::count(losses.damaged)
    ));
    for error in &losses.errors {
        output::remark(&format!("  {}", gik::explain(error).replace('\n', "\n  ")));
    }
    let named = losses.errors.len() as u64;
    if losses.damaged > named {
        output::remark(&format!("  … and {} more", output::count(losses.damaged - named)));
    }
}

/// Windows without totals, and what was below zero.
pub(super) fn remark_totals(job: &Accumulation, account: &Account) {
    remark(&account.losses);
    let impossible: Vec<&MissingWindows> = job.impossible().collect();
    if !impossible.is_empty() {
        output::remark(&format!(
            "incomplete: {} of {} windows are missing, for lack of steps in the store",
            impossible.len(),
            job.windows().len()
        ));
        for missing in impossible.iter().take(NAMED) {
            let spans: Vec<String> = missing.missing.iter().map(ToString::to_string).collect();
            output::remark(&format!(
                "  {}: nothing that spans {}",
                missing.period,
                spans.join(", ")
            ));
        }
        if impossible.len() > NAMED {
            output::remark(&format!("  … and {} more", impossible.len() - NAMED));
        }
    }
    let (negative, units) = (account.negative(), job.units());
    if negative.noise.count > 0 {
        output::remark(&format!(
            "{} values below zero (packing noise, the lowest {} {units}) were raised to 0",
            output::count(negative.noise.count),
            negative.noise.lowest
        ));
    }
    if negative.wrong.count > 0 {
        output::remark(&format!(
            "incomplete: {} values are further below zero than packing explains (the lowest {} \
             {units}) and are missing; wrong windows or units, or damage",
            output::count(negative.wrong.count),
            negative.wrong.lowest
        ));
    }
}
