//! A scan as an index: the lines that `wgrib2 -s` writes, and JSON.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::{GridSummary, Scan, ScannedField};

/// Grid definition templates as ecCodes names them (`gridType`).
const GRID_TYPES: &[(u16, &str)] = &[
    (0, "regular_ll"),
    (1, "rotated_ll"),
    (10, "mercator"),
    (20, "polar_stereographic"),
    (30, "lambert"),
    (40, "gaussian"),
    (90, "space_view"),
    (101, "unstructured_grid"),
    (140, "lambert_azimuthal_equal_area"),
];
/// Data representation templates as ecCodes names them (`packingType`).
const PACKING_TYPES: &[(u16, &str)] = &[
    (0, "grid_simple"),
    (2, "grid_complex"),
    (3, "grid_complex_spatial_differencing"),
    (4, "grid_ieee"),
    (40, "grid_jpeg"),
    (41, "grid_png"),
    (42, "grid_ccsds"),
];

fn name(names: &[(u16, &'static str)], template: u16) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == template).map(|&(_, name)| name)
}

/// `lambert 60×40`.
impl fmt::Display for GridSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(GRID_TYPES, self.template) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "3.{}", self.template)?,
        }
        match self.shape {
            Some([rows, columns]) => write!(f, " {columns}×{rows}"),
            None => write!(f, " {} points", self.points),
        }
    }
}

impl Scan {
    /// An index of the file, as `wgrib2 -s` writes it, with the abbreviations that `name`
    /// gives, or the general ones.
    ///
    /// A message that could not be used has a line that is no entry: it still ends the message
    /// before it.
    #[must_use]
    pub fn to_wgrib2(&self, name: impl Fn(&ScannedField) -> Option<&'static str>) -> String {
        let mut lines: Vec<(u64, String)> = self
            .fields
            .iter()
            .map(|field| (field.offset, field.to_wgrib2(name(field))))
            .chain(self.problems.iter().map(|problem| {
                (problem.offset, format!("0:{}:unusable: {}", problem.offset, problem.text))
            }))
            .collect();
        // Fields of one message stay in their order.
        lines.sort_by_key(|&(offset, _)| offset);
        let mut text = String::with_capacity(lines.len() * 80);
        for (_, line) in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    /// Everything about it. The keys are stable.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let problems: Vec<_> = self
            .problems
            .iter()
            .map(|it| json!({"offset": it.offset, "length": it.length, "text": it.text}))
            .collect();
        json!({
            "size": self.size,
            "messages": self.messages,
            "fields": self.fields.iter().map(ScannedField::to_json).collect::<Vec<_>>(),
            "problems": problems,
        })
    }
}

impl ScannedField {
    /// A line of an index, without its newline: `1:0:d=2025010600:TMP:surface:anl:`.
    #[must_use]
    pub fn to_wgrib2(&self, abbreviation: Option<&str>) -> String {
        let mut line = self.message.to_string();
        // Writing to a string does not fail.
        let _ = self.write_line(&mut line, abbreviation);
        line
    }

    fn write_line(&self, line: &mut String, abbreviation: Option<&str>) -> fmt::Result {
        if let Some(submessage) = self.submessage {
            write!(line, ".{submessage}")?;
        }
        let civil = self.reference_time.civil();
        let digits =
            if self.reference_time.seconds() % 3600 == 0 { "%Y%m%d%H" } else { "%Y%m%d%H%M" };
        write!(line, ":{}:d={}:", self.offset, civil.format(digits))?;
        match abbreviation {
            Some(abbreviation) => line.push_str(abbreviation),
            None => write!(line, "{}", self.parameter)?,
        }
        match &self.level {
            Some(level) => write!(line, ":{level}")?,
            None => write!(line, ":product template 4.{}", self.product_template)?,
        }
        match &self.window {
            Some(window) => write!(line, ":{window}")?,
            None => line.push_str(":? fcst"),
        }
        write!(line, ":{}", self.qualifiers)
    }

    /// Everything about it. The keys are stable.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parameter = &self.parameter;
        let names = parameter.names();
        let level = self.level.map(|level| {
            json!({
                "text": level.to_string(),
                "type": level.type_of_level(),
                "value": level.value(),
                "bounds": level.bounds(),
                "units": level.units(),
            })
        });
        let window = self.window.map(|window| {
            json!({
                "text": window.to_string(),
                "step_type": window.step_type(),
                "start_seconds": window.start_seconds(),
                "end_seconds": window.end_seconds(),
            })
        });
        let member = self.member.map(|member| {
            json!({
                "number": member.position(),
                "perturbation": member.number,
                "type": member.kind,
                "ensemble_size": member.size,
            })
        });
        let (grid, packing) = (&self.grid, &self.packing);
        json!({
            "message": self.message,
            "submessage": self.submessage,
            "offset": self.offset,
            "length": self.length,
            "reference_time": self.reference_time.to_string(),
            "centre": parameter.centre,
            "sub_centre": self.sub_centre,
            "parameter": {
                "discipline": parameter.discipline,
                "category": parameter.category,
                "number": parameter.number,
                "abbreviation": names.map(|names| names.abbreviation),
                "name": names.map(|names| names.name),
                "units": names.map(|names| names.units),
            },
            "product_template": self.product_template,
            "name": self.name_of_numbers(),
            "level": level,
            "window": window,
            "member": member,
            "qualifiers": self.qualifiers,
            "grid": {
                "template": grid.template,
                "type": self.grid_type(),
                "points": grid.points,
                "rows": grid.shape.map(|[rows, _]| rows),
                "columns": grid.shape.map(|[_, columns]| columns),
            },
            "packing": {
                "template": packing.template,
                "type": self.packing_type(),
                "bits": packing.bits,
                "values": packing.values,
                "bitmap": packing.has_bitmap,
            },
        })
    }

    /// ecCodes' `gridType`, if it is known.
    #[must_use]
    pub fn grid_type(&self) -> Option<&'static str> {
        name(GRID_TYPES, self.grid.template)
    }

    /// ecCodes' `packingType`, if it is known.
    #[must_use]
    pub fn packing_type(&self) -> Option<&'static str> {
        name(PACKING_TYPES, self.packing.template)
    }
}
