//! What is missing of a store's runs, and how to say so.

use std::collections::{BTreeMap, HashMap};

use super::{Grid, Labels, RunState};

/// Lines about what is missing; there may be as many as files.
const LINES: usize = 20;
/// Numbers named of a list.
const NUMBERS: usize = 8;

/// Messages of which it is kept what they are: a store may lack millions.
const KEPT: usize = 1 << 20;

/// Run, step and member, by position.
type Place = (usize, usize, usize);

/// What is missing of which run, step and member.
#[derive(Default)]
pub(super) struct Holes {
    /// The arrays that lack messages.
    lacking: BTreeMap<Place, Vec<usize>>,
    /// How many there are in that.
    kept: usize,
    /// Of each run, the arrays that lack all that it must have of them.
    absent: BTreeMap<usize, Vec<usize>>,
}

impl Holes {
    /// Takes note of what a run lacks of the array `number`: the member and step of each message;
    /// `all` if that is everything.
    pub(super) fn lacks(
        &mut self,
        number: usize,
        time: usize,
        missing: &[(usize, usize)],
        all: bool,
    ) {
        if all {
            self.absent.entry(time).or_default().push(number);
            return;
        }
        for &(member, step) in missing {
            self.keep(number, (time, step, member));
        }
    }

    fn keep(&mut self, number: usize, place: Place) {
        if self.kept >= KEPT {
            return;
        }
        let arrays = self.lacking.entry(place).or_default();
        if arrays.last() != Some(&number) {
            arrays.push(number);
            self.kept += 1;
        }
    }

    /// Finds the messages of the array `number` that most members of a run have and some do not,
    /// in runs of which nothing else `is_known`: `there` are the positions of its chunks,
    /// ascending.
    pub(super) fn compare_members(
        &mut self,
        number: usize,
        grid: &Grid,
        there: &[u64],
        members: usize,
        is_known: impl Fn(usize) -> bool,
        runs: &mut [RunState],
    ) {
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
            let Some(run) = runs.get_mut(time).filter(|_| !is_known(time)) else { continue };
            for member in 0..members {
                if there.binary_search(&grid.of_member(first, member as u64)).is_err() {
                    run.holes += 1;
                    self.keep(number, (time, step, member));
                }
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
            if let Some(absent) = self.absent.get(&time).filter(|_| run.there > 0) {
                lines.push(format!("{}: all of {}", run.time, listed(absent, names)));
            }
            for (member, counts) in run.counts.iter().enumerate() {
                for (step, &there) in counts.iter().enumerate() {
                    let cell = run.cells.as_ref().and_then(|it| it.get(member)?.get(step));
                    let missing = cell.map_or(0, |cell| cell.missing);
                    if let Some(what) = self.lost((time, step, member), there, missing, names) {
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

    /// What one member lacks at one step of a run; none if nothing, or nothing but what the run
    /// has nothing of.
    fn lost(&self, place: Place, there: u64, missing: u32, names: &[String]) -> Option<String> {
        let arrays = self.lacking.get(&place);
        if there == 0 && (missing > 0 || arrays.is_some()) {
            return Some("all variables".to_owned());
        }
        match arrays {
            Some(arrays) => Some(listed(arrays, names)),
            None if self.kept >= KEPT && missing > 0 => Some(format!("{missing} messages")),
            None => None,
        }
    }
}

/// The names of some arrays, the first of them.
fn listed(arrays: &[usize], names: &[String]) -> String {
    let list = arrays.iter().filter_map(|&number| names.get(number));
    let mut list: Vec<&str> = list.map(String::as_str).take(NUMBERS + 1).collect();
    if list.len() > NUMBERS {
        list.truncate(NUMBERS);
        list.push("…");
    }
    list.join(", ")
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
