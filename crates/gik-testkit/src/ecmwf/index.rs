//! Indexes in ECMWF's form, and data files of nothing but the right size.

use std::fmt::Write as _;
use std::path::Path;

use gik_core::Result;

use super::run::{EcmwfRun, Kind};
use super::table::{Parameter, parameters};
use crate::gefs::hash;
use crate::generated::{Counts, write, write_sparse};

/// One message of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) member: u8,
    pub(super) parameter: &'static Parameter,
    pub(super) level: Option<u32>,
}

impl EcmwfRun {
    /// The messages of a file in the order in which they lie there: no order.
    pub(super) fn targets(
        &self,
        kind: &Kind,
        step: u32,
        wanted: impl Fn(&Parameter) -> bool,
    ) -> Vec<Target> {
        let here = parameters().iter().filter(|it| {
            it.products.contains(kind.products) && it.occurs_at(self.reference, step) && wanted(it)
        });
        let mut targets = Vec::new();
        for parameter in here {
            for &level in &parameter.levels {
                for member in kind.members.clone() {
                    targets.push(Target { member, parameter, level });
                }
            }
        }
        targets.sort_by_cached_key(|it| {
            let name = it.parameter.param.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
            let level = u64::from(it.level.unwrap_or_default());
            hash::bits(&[u64::from(step), u64::from(it.member), name, level])
        });
        targets
    }

    /// Appends the line of one message.
    pub(super) fn write_line(
        &self,
        out: &mut String,
        kind: &Kind,
        step: u32,
        target: &Target,
        (offset, length): (u64, u64),
    ) {
        let (class, model) = self.class();
        let Target { member, parameter, level } = *target;
        let [control, perturbed] = kind.types;
        let field_type = if member == 0 { control } else { perturbed };
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#"{{"domain": "g", "date": "{}", "time": "{:02}00", "expver": "0001", "class": "{class}", "#,
            self.reference.civil().format("%Y%m%d"),
            self.reference.hour(),
        );
        if let Some(model) = model {
            let _ = write!(out, r#""model": "{model}", "#);
        }
        let stream = kind.stream;
        let _ = write!(out, r#""type": "{field_type}", "stream": "{stream}", "step": "{step}", "#);
        if let Some(level) = level {
            let _ = write!(out, r#""levelist": "{level}", "#);
        }
        let _ = write!(out, r#""levtype": "{}", "#, parameter.levtype);
        if field_type == "pf" {
            let _ = write!(out, r#""number": "{member}", "#);
        }
        let _ = writeln!(
            out,
            r#""param": "{}", "_offset": {offset}, "_length": {length}}}"#,
            parameter.param
        );
    }

    /// The full index of a file, the size of the data file that it describes, and its lines.
    fn index(&self, kind: &Kind, step: u32) -> (String, u64, u64) {
        let targets = self.targets(kind, step, |_| true);
        let mut text = String::with_capacity(targets.len() * 260);
        let mut offset = 0;
        for (number, target) in (0..).zip(&targets) {
            // 0.85 to 1.15 in steps of a thousandth.
            let thousandths = 850 + hash::bits(&[u64::from(step), number]) % 301;
            let is_empty = target.parameter.statistic == "accum" && step == 0;
            let length = if is_empty { 243 } else { target.parameter.bytes * thousandths / 1000 };
            self.write_line(&mut text, kind, step, target, (offset, length));
            offset += length;
        }
        (text, offset, targets.len() as u64)
    }

    /// Writes the full index of every file below `bucket`, and data files of the right size
    /// without content.
    ///
    /// # Errors
    /// A folder or file cannot be written.
    pub fn write_indexes(&self, bucket: &Path) -> Result<Counts> {
        let mut counts = Counts::default();
        for kind in self.kinds() {
            for step in self.published_steps() {
                let (text, size, lines) = self.index(&kind, step);
                let path = bucket.join(self.path(&kind, step));
                write(&path.with_extension("index"), text.as_bytes())?;
                write_sparse(&path, size)?;
                counts.files += 1;
                counts.messages += lines;
                counts.bytes += size;
            }
        }
        Ok(counts)
    }
}
