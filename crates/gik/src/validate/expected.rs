//! What each run of a store should have: by the model's own tables, or by what its build said.

use gik_core::{Attributes, Parser, ReferenceTime, Registry, Result, Run, RunRequest};
use gik_icechunk::Commit;
use serde_json::Value;

use super::{Labels, RunState};

/// Fills in what each run should have: what its model says or, of a product that no model of this
/// build knows, what the build that added it counted.
pub(super) fn expect(
    registry: &Registry,
    attributes: &Attributes,
    history: &[Commit],
    names: &[String],
    labels: &Labels,
    runs: &mut [RunState],
) {
    let text = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default();
    let Ok(parser) = registry.get(text("gik_model")) else {
        for state in runs {
            // The build counted what its table did not know with the rest.
            let said = said(history, state.time);
            state.expected = said.map(|count| count.saturating_sub(state.unknown));
        }
        return;
    };
    for state in runs {
        let wanted = expected(parser.as_ref(), text("gik_product"), names, labels, state.time);
        if let Ok(wanted) = wanted {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a sum of counts of references"
            )]
            let sum = wanted.iter().flatten().sum::<f64>().round() as u64;
            state.expected = Some(sum);
            state.wanted = Some(wanted);
        }
    }
}

/// The references that a run should have, as its commits say.
fn said(history: &[Commit], time: ReferenceTime) -> Option<u64> {
    let time = time.to_string();
    let fact = |commit: &Commit, key: &str| commit.properties.get(key).cloned();
    let of_run = history
        .iter()
        .filter(|commit| fact(commit, "run").is_some_and(|run| run.as_str() == Some(&time)));
    of_run.filter_map(|commit| fact(commit, "references_expected")?.as_u64()).max()
}

/// For each member and step of the store, the references that a run should have.
fn expected(
    parser: &dyn Parser,
    product: &str,
    names: &[String],
    labels: &Labels,
    time: ReferenceTime,
) -> Result<Vec<Vec<f64>>> {
    let mut request = RunRequest::new(time);
    request.product = Some(product.to_owned());
    // What the cycle has, of what the store has.
    let all = parser.run(&request)?;
    let list = |wanted: &[i64], there: &[u32]| {
        let both = there.iter().filter(|&&number| wanted.contains(&i64::from(number)));
        both.map(u32::to_string).collect::<Vec<_>>().join(",")
    };
    if let (Some(members), Some(there)) = (&labels.members, &all.members) {
        request.members = Some(list(members, there).parse()?);
    }
    request.steps = Some(list(&labels.steps, &all.steps).parse()?);
    request.variables =
        Some(names.iter().filter(|name| all.variables.contains(name)).cloned().collect());
    let run: Run = parser.run(&request)?;
    let row = |position: usize| {
        let number = run.members.as_ref().and_then(|members| members.get(position));
        match (number, &labels.members) {
            (Some(&number), Some(members)) => {
                members.iter().position(|&member| member == i64::from(number))
            }
            _ => Some(0),
        }
    };
    let column = |position: u32| {
        let step = run.steps.get(position as usize)?;
        labels.steps.iter().position(|&other| other == i64::from(*step))
    };
    let sources = parser.sources(&run)?;
    let mut wanted = vec![vec![0.0; labels.steps.len()]; labels.rows()];
    for source in &sources {
        // A file of several members is shared by those that have none of their own.
        let own: Vec<u32> = sources
            .iter()
            .filter(|other| other.step == source.step)
            .filter_map(|other| other.member)
            .collect();
        let members: Vec<u32> = match (source.member, &run.members) {
            (Some(member), _) => vec![member],
            (None, Some(members)) => {
                (0..).take(members.len()).filter(|member| !own.contains(member)).collect()
            }
            (None, None) => vec![0],
        };
        let sharers = u32::try_from(members.len()).unwrap_or(u32::MAX).max(1);
        let share = f64::from(source.expected) / f64::from(sharers);
        for member in members {
            let cell = row(member as usize).zip(column(source.step));
            let cell = cell.and_then(|(row, column)| wanted.get_mut(row)?.get_mut(column));
            if let Some(cell) = cell {
                *cell += share;
            }
        }
    }
    Ok(wanted)
}
