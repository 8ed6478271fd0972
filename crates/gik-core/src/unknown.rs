//! Messages that a model's table does not know: each belongs to an array of its own, named by
//! its numbers and made like the model's.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use crate::{DataVariable, Layout, ManifestArray, Result};

/// How the names of arrays of messages that no table knows begin; those of tables never do.
pub const UNKNOWN_PREFIX: &str = "param_";

/// A message that no table knows, with the array that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownMessage {
    /// The array. All about it follows from the message, so that the same message of another
    /// step or member has the same.
    pub variable: DataVariable,
    /// Position in [`Run::members`](crate::Run::members); 0 for a model without members.
    pub member: u32,
    /// Position in [`Run::steps`](crate::Run::steps).
    pub step: u32,
    /// The first byte of the message, counted from the start of the data file.
    pub offset: u64,
    /// The length of the message in bytes.
    pub length: NonZeroU32,
}

/// Dimensions before the level.
const RUN_DIMENSIONS: [&str; 3] = ["time", "member", "step"];
/// Those of the grid, behind it.
const GRID_DIMENSIONS: usize = 2;

/// Attributes that an array has for itself; the others are the grid's and the store's.
const OWN: [&str; 15] = [
    "long_name",
    "standard_name",
    "units",
    "comment",
    "level",
    "cell_methods",
    "GRIB_paramId",
    "GRIB_shortName",
    "GRIB_name",
    "GRIB_cfName",
    "GRIB_cfVarName",
    "GRIB_units",
    "GRIB_typeOfLevel",
    "GRIB_stepType",
    "GRIB_level",
];

/// An empty array of `variable`, without levels, on the grid and with the codec of another of
/// the store's arrays.
pub(crate) fn array_like(
    pattern: &ManifestArray,
    variable: &DataVariable,
    layout: Layout,
) -> Result<ManifestArray> {
    let mut metadata = pattern.metadata.clone();
    let grid = metadata.dimension_names.len().saturating_sub(GRID_DIMENSIONS);
    let keep: Vec<bool> = (0..)
        .zip(&metadata.dimension_names)
        .map(|(axis, name)| axis >= grid || RUN_DIMENSIONS.contains(&name.as_str()))
        .collect();
    retain(&mut metadata.shape, &keep);
    retain(&mut metadata.chunk_shape, &keep);
    retain(&mut metadata.dimension_names, &keep);
    metadata.attributes.retain(|key, _| !OWN.contains(&key.as_str()));
    metadata.attributes.extend(variable.attributes.clone());
    if let Some(method) = &variable.cell_method {
        let dimension = layout.window_dimension();
        let text = format!("{dimension}: {method}");
        metadata.attributes.insert("cell_methods".to_owned(), json!(text));
    }
    let configurations = metadata.codecs.as_array_mut().into_iter().flatten();
    for configuration in configurations.filter_map(|codec| codec.get_mut("configuration")) {
        if let Some(var) = configuration.get_mut("var") {
            *var = Value::String(variable.name.clone());
        }
    }
    ManifestArray::empty(metadata)
}

fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    list.retain(|_| keep.next() == Some(&true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArrayMetadata, Attributes, DataType};

    #[test]
    fn levels_and_names_are_left_behind() {
        let attributes = |value: Value| value.as_object().cloned().unwrap();
        let pattern = ManifestArray::empty(ArrayMetadata {
            shape: vec![1, 3, 13, 4, 5],
            chunk_shape: vec![1, 1, 1, 4, 5],
            dimension_names: ["time", "step", "isobaricInhPa", "y", "x"].map(str::to_owned).into(),
            data_type: DataType::Float32,
            codecs: json!([{"name": "gribberish", "configuration": {"var": "t"}}]),
            attributes: attributes(json!({"units": "K", "grid_mapping": "spatial_ref"})),
        })
        .unwrap();
        let variable = DataVariable {
            name: "param_0_1_2_surface_accum_run".to_owned(),
            level_dimension: None,
            cell_method: Some("sum (comment: since the start of the forecast)".to_owned()),
            attributes: Attributes::new(),
        };
        let array = array_like(&pattern, &variable, Layout::Forecast).unwrap();
        let metadata = &array.metadata;
        assert_eq!(metadata.dimension_names, ["time", "step", "y", "x"]);
        assert_eq!(
            (&metadata.shape[..], &metadata.chunk_shape[..]),
            (&[1, 3, 4, 5][..], &[1, 1, 4, 5][..])
        );
        let expected = json!({
            "grid_mapping": "spatial_ref",
            "cell_methods": "step: sum (comment: since the start of the forecast)",
        });
        assert_eq!(Value::Object(metadata.attributes.clone()), expected);
        assert_eq!(metadata.codecs[0]["configuration"]["var"], json!(variable.name));
        assert_eq!(array.chunks.len(), 3);
    }
}
