//! Fields that lie elsewhere than a run's.

use bytes::Bytes;
use gik_core::{Grid, Names};

use super::{Scan, ScanProblem, ScannedField};
use crate::grid_of_section;

impl Scan {
    /// Takes out the fields on another grid than `grid`, and names them by their first bytes.
    /// Where they lie is kept: they end the messages before them.
    pub(super) fn leave_out_strays(&mut self, grid: &Grid) -> Names {
        let mut names = Names::default();
        // As a rule all messages have the same bytes here.
        let mut accepted: Option<Bytes> = None;
        let mut is_stray = |field: &ScannedField| {
            let section = &field.grid.section;
            if accepted.as_ref() == Some(section) {
                return false;
            }
            let is_like = grid_of_section(section).is_ok_and(|other| grid.is_like(&other));
            if is_like {
                accepted = Some(section.clone());
            }
            !is_like
        };
        let (strays, fields): (Vec<ScannedField>, _) =
            std::mem::take(&mut self.fields).into_iter().partition(|field| is_stray(field));
        self.fields = fields;
        for field in &strays {
            let text = format!("{} at byte {} ({})", field.parameter, field.offset, field.grid);
            names.add(|| text.clone());
            let ScannedField { offset, length, .. } = *field;
            self.problems.push(ScanProblem { offset, length, text });
        }
        names
    }
}
