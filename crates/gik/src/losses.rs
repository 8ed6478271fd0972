//! What reads did not get, for machines.

use gik_analysis::Losses;
use gik_analysis::accumulation::{Account, BelowZero};
use serde_json::{Value, json};

use crate::explain;

/// Messages that are missing or damaged, with the reasons. The keys are stable.
#[must_use]
pub fn losses_json(losses: &Losses) -> Value {
    let errors: Vec<String> = losses.errors.iter().map(|error| explain(error)).collect();
    json!({
        "wanted": losses.messages,
        "missing": losses.missing,
        "damaged": losses.damaged,
        "errors": errors,
    })
}

/// What was below zero: raised to zero, and rejected.
#[must_use]
pub fn negative_json(account: &Account) -> (Value, Value) {
    let negative = account.negative();
    let of = |part: BelowZero| json!({"values": part.count, "lowest": part.lowest});
    (of(negative.noise), of(negative.wrong))
}
