//! Which row of a template each message of an index belongs to.

use std::num::NonZeroU32;

use gik_core::{Diagnostic, Level, Names, VariableTable, Window};
use gik_index::noaa::{Entry, Qualifier};

use super::period;

/// An entry of an index that is understood.
pub(super) struct Message<'i> {
    pub(super) entry: &'i Entry<'i>,
    pub(super) level: Level,
    pub(super) window: Window,
    pub(super) offset: u64,
    /// None where it is not known.
    pub(super) length: Option<NonZeroU32>,
}

/// What an index tells of the messages of a file.
pub(super) struct Located {
    /// Of each row of the table, where its message begins, and its length where that is known.
    pub(super) rows: Vec<Option<(u64, Option<NonZeroU32>)>>,
    /// Messages that no row is of.
    pub(super) unknown: Names,
    /// Messages that rows are of, but not of their windows.
    pub(super) misfits: Names,
    pub(super) lines: u64,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What became of the messages of a file.
pub(super) struct Placed<'m> {
    /// Of each row of the table, its message.
    pub(super) rows: Vec<Option<&'m Message<'m>>>,
    /// Messages that no row is of.
    pub(super) unknown: Names,
    /// Messages that rows are of, but not of their windows.
    pub(super) misfits: Names,
}

impl<'m> Placed<'m> {
    /// A row whose rule is known takes the message over that window, which may be another row's,
    /// too. A row that may follow several rules takes of the others the first over a window of
    /// any of them; if there is no other, it shares that of a row whose rule is known. What
    /// follows no rule takes what is left.
    pub(super) fn of(
        table: &VariableTable,
        qualifier: Option<&str>,
        messages: &'m [Message<'m>],
    ) -> Self {
        let mut placed = Self {
            rows: vec![None; table.rows().len()],
            unknown: Names::default(),
            misfits: Names::default(),
        };
        let rules: Vec<_> = table.rows().iter().map(period::rules).collect();
        let rows_of = |message: &'m Message<'m>| {
            let (text, statistic) = (message.entry.variable.text, message.window.statistic());
            table.rows_at("x", text, message.level, statistic)
        };
        let mut taken = vec![false; messages.len()];
        let is_round = |round: Round, row: usize, window: &Window| {
            rules.get(row).is_some_and(|rules| {
                // What is empty, or an instant, tells nothing of rules.
                let is_plain = window.end_seconds() == 0 || window.statistic().is_none();
                let is_round = match round {
                    Round::Known => rules.len() == 1 || is_plain,
                    Round::Open | Round::Shared => rules.len() > 1,
                    Round::NoRule => rules.is_empty(),
                };
                is_round && period::fits(rules, window)
            })
        };
        for round in [Round::Known, Round::Open, Round::NoRule, Round::Shared] {
            for (message, taken) in messages.iter().zip(&mut taken) {
                if !is_of(message.entry, qualifier) || (*taken && round != Round::Shared) {
                    continue;
                }
                for &row in rows_of(message) {
                    let Some(place) = placed.rows.get_mut(row) else { continue };
                    if !is_round(round, row, &message.window) {
                        continue;
                    }
                    match place {
                        // What is there twice is there once: the first counts.
                        Some(first) if first.window == message.window => *taken = true,
                        Some(_) => {}
                        None => {
                            *place = Some(message);
                            *taken = true;
                            if round == Round::NoRule {
                                break;
                            }
                        }
                    }
                }
            }
        }
        for (message, _) in messages.iter().zip(taken).filter(|(_, taken)| !taken) {
            let entry = message.entry;
            let name =
                || format!("{}:{}:{}", entry.variable.text, entry.level.text, entry.window.text);
            if is_of(entry, qualifier) && !rows_of(message).is_empty() {
                placed.misfits.add(name);
            } else {
                placed.unknown.add(name);
            }
        }
        placed
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// Rows of one rule.
    Known,
    /// Rows of several.
    Open,
    /// Rows of none.
    NoRule,
    /// Rows of several that have no message yet.
    Shared,
}

/// Whether a message says of itself what those of the template do, and its member perhaps: a
/// probability of the same variable is another field.
fn is_of(entry: &Entry<'_>, qualifier: Option<&str>) -> bool {
    let is_member = |it: &Qualifier<'_>| matches!(it, Qualifier::Ensemble(_));
    match qualifier {
        None => entry.qualifiers().all(|it| is_member(&it)),
        Some(qualifier) => entry.qualifiers_text().trim_end_matches(':') == qualifier,
    }
}
