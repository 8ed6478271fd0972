//! What is missing of a store's runs, and how to say so.

use std::collections::{BTreeMap, HashMap};

use super::{Grid, Labels, RunState};

/// Lines about what is missing; there may be as many as files.
const LINES: usize = 20;
/// Numbers named of a list.
const NUMBERS: usize = 8;

/// Run, step and member, by position.
type Cell = (usize, usize, usize);

/// Messages that most members of a run have and some do not.
#[derive(Default)]
pub(super) struct Holes {
    /// For each cell the arrays that lack messages, and how many of them.
    lacking: BTreeMap<Cell, Vec<(usize, u64)>>,
}

impl Holes {
    /// Finds those of the array `number`: `there` are the positions of its chunks, ascending.
    pub(super) fn add(&mut self, number: usize, grid: &Grid, there: &[u64], members: usize) {
        if grid.member.is_none() {
            return;
        }
        let mut present = HashMap::<u64, usize>::new();
        for &position in there {
            *present.entry(grid.of_member(position, 0)).or_default() += 1;
        }
        for (first, count) in present {
            let missing = members.saturating_sub(count);
            if missing == 0 || count <= missing {
                continue;
            }
            let (time, step) = (grid.along(grid.time, first), grid.along(grid.step, first));
            for member in 0..members {
                if there.binary_search(&grid.of_member(first, member as u64)).is_ok() {
                    continue;
                }
                let arrays = self.lacking.entry((time, step, member)).or_default();
                match arrays.last_mut() {
                    Some((last, messages)) if *last == number => *messages += 1,
                    _ => arrays.push((number, 1)),
                }
            }
        }
    }

    /// Counts them by run.
    pub(super) fn count(&self, runs: &mut [RunState]) {
        for (&(time, _, _), arrays) in &self.lacking {
            if let Some(run) = runs.get_mut(time) {
                run.holes += arrays.iter().map(|(_, messages)| messages).sum::<u64>();
            }
        }
    }

    /// What is missing, one line for each thing that happened: a file that is lost is one line,
    /// not one for each variable.
    pub(super) fn words(
        &self,
        runs: &[RunState],
        names: &[String],
        labels: &Labels,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for (time, run) in runs.iter().enumerate() {
            // By what is missing: steps, and for each the members.
            let mut losses = BTreeMap::<String, BTreeMap<usize, Vec<usize>>>::new();
            for (member, counts) in run.counts.iter().enumerate() {
                for (step, &there) in counts.iter().enumerate() {
                    let wanted =
                        run.wanted.as_ref().and_then(|it| it.get(member)?.get(step).copied());
                    if let Some(what) = self.lost((time, step, member), there, wanted, names) {
                        losses.entry(what).or_default().entry(step).or_default().push(member);
                    }
                }
            }
            for (what, steps) in losses {
                let mut together = BTreeMap::<Vec<usize>, Vec<usize>>::new();
                for (step, members) in steps {
                    together.entry(members).or_default().push(step);
                }
                for (members, steps) in together {
                    let who = who(&members, labels);
                    let steps = list("step", &labels.steps, &steps);
                    lines.push(format!("{}: {who}{steps}: {what}", run.time));
                }
            }
        }
        let more = lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        if more > 0 {
            lines.push(format!("and {more} more like these"));
        }
        lines
    }

    /// What one member lacks at one step of a run; none if nothing.
    fn lost(
        &self,
        cell: Cell,
        there: u64,
        wanted: Option<f64>,
        names: &[String],
    ) -> Option<String> {
        let arrays = self.lacking.get(&cell);
        if there == 0 && (wanted.is_some_and(|wanted| wanted >= 0.5) || arrays.is_some()) {
            return Some("all variables".to_owned());
        }
        if let Some(arrays) = arrays {
            let list = arrays.iter().filter_map(|(number, _)| names.get(*number));
            let mut list: Vec<&str> = list.map(String::as_str).take(NUMBERS + 1).collect();
            if list.len() > NUMBERS {
                list.truncate(NUMBERS);
                list.push("…");
            }
            return Some(list.join(", "));
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of messages of one file")]
        let missing = wanted.map_or(0.0, |wanted| wanted - there as f64);
        (missing >= 0.5).then(|| format!("{missing:.0} messages"))
    }
}

/// `member 3 at `, `members 3, 4 at `; nothing for models without members.
fn who(members: &[usize], labels: &Labels) -> String {
    match &labels.members {
        None => String::new(),
        Some(all) if members.len() == all.len() => "all members at ".to_owned(),
        Some(all) => format!("{} at ", list("member", all, members)),
    }
}

/// `step 3`, `steps 3, 6, 9 … (20 of them)`, `all steps`.
fn list(name: &str, labels: &[i64], positions: &[usize]) -> String {
    if positions.len() == labels.len() && labels.len() > 1 {
        return format!("all {name}s");
    }
    let plural = if positions.len() == 1 { "" } else { "s" };
    let numbers = positions.iter().filter_map(|&position| labels.get(position));
    let numbers: Vec<String> = numbers.take(NUMBERS).map(i64::to_string).collect();
    let more = match positions.len() {
        count if count > NUMBERS => format!(" … ({count} of them)"),
        _ => String::new(),
    };
    format!("{name}{plural} {}{more}", numbers.join(", "))
}
