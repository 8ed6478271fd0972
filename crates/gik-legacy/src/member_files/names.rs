//! How the legacy workflow names files and members.

use gik_core::{Attributes, ReferenceTime};
use serde_json::Value;

/// The names of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Naming {
    /// `gep01_20250106_00z.parquet`; the control is `gec00`.
    Gefs,
    /// `ecmwf_three_stage_20260106_00z/stage3_ens_01_final.parquet`; the control is `control`.
    Ecmwf,
    /// Of a model that the legacy workflow does not know.
    Other(String),
}

impl Naming {
    /// The names of the model that a store is of.
    pub(super) fn of(attributes: &Attributes) -> Self {
        match attributes.get("gik_model").and_then(Value::as_str) {
            Some("gefs") => Self::Gefs,
            Some("ecmwf") => Self::Ecmwf,
            Some(model) if model.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-') => {
                Self::Other(model.to_owned())
            }
            _ => Self::Other("store".to_owned()),
        }
    }

    pub(super) fn path(&self, time: ReferenceTime, member: Option<i64>) -> String {
        // `2025-01-06T00` without the minutes that no run has.
        let time = time.to_string();
        let (date, hour) = time.split_once('T').unwrap_or((&time, "00"));
        let run = format!("{}_{}z", date.replace('-', ""), hour.replace(':', ""));
        match (self, member) {
            (Self::Gefs, Some(0)) => format!("gec00_{run}.parquet"),
            (Self::Gefs, Some(number)) => format!("gep{number:02}_{run}.parquet"),
            (Self::Ecmwf, Some(0)) => {
                format!("ecmwf_three_stage_{run}/stage3_control_final.parquet")
            }
            (Self::Ecmwf, Some(number)) => {
                format!("ecmwf_three_stage_{run}/stage3_ens_{number:02}_final.parquet")
            }
            (Self::Other(model), Some(number)) => format!("{model}_{number:02}_{run}.parquet"),
            (Self::Gefs, None) => format!("gefs_{run}.parquet"),
            (Self::Ecmwf, None) => format!("ecmwf_{run}.parquet"),
            (Self::Other(model), None) => format!("{model}_{run}.parquet"),
        }
    }

    /// The member in the flat keys of an ECMWF ensemble; none of other models.
    pub(super) fn flat_member(&self, member: Option<i64>) -> Option<String> {
        match (self, member?) {
            (Self::Ecmwf, 0) => Some("control".to_owned()),
            (Self::Ecmwf, number) => Some(format!("ens{number:02}")),
            _ => None,
        }
    }
}

/// ECMWF's type of level in the flat keys, of ecCodes' `typeOfLevel`.
pub(super) fn levtype(type_of_level: &str) -> &'static str {
    match type_of_level {
        "isobaricInhPa" => "pl",
        "soilLayer" | "depthBelowLandLayer" => "sol",
        _ => "sfc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_before() {
        let time: ReferenceTime = "2025-01-06T12".parse().unwrap();
        let path = |naming: &Naming, member| naming.path(time, member);
        assert_eq!(path(&Naming::Gefs, Some(7)), "gep07_20250106_12z.parquet");
        assert_eq!(path(&Naming::Gefs, Some(0)), "gec00_20250106_12z.parquet");
        assert_eq!(
            path(&Naming::Ecmwf, Some(50)),
            "ecmwf_three_stage_20250106_12z/stage3_ens_50_final.parquet"
        );
        assert_eq!(path(&Naming::Other("hrrr".into()), None), "hrrr_20250106_12z.parquet");
        assert_eq!(Naming::Ecmwf.flat_member(Some(1)).as_deref(), Some("ens01"));
        let odd = Naming::of(&[("gik_model".to_owned(), "../x".into())].into_iter().collect());
        assert_eq!(path(&odd, None), "store_20250106_12z.parquet");
    }
}
