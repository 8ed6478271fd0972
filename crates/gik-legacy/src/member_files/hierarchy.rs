//! The keys of one member's file.

use std::sync::Arc;

use bytes::Bytes;
use gik_core::{Attributes, Chunk, CoordinateValues, ManifestArray, Result};
use serde_json::{Value, json};

use super::names::levtype;
use super::{MemberFile, MemberFiles, coordinate};
use crate::from_manifest::{range, zarr_array};
use crate::zarr_v2::{DIMENSIONS, ZarrArray, chunk_id};
use crate::{ReferenceSet, Value as Entry};

/// The dimension of a member's file, as kerchunk names it.
const VALID_TIMES: &str = "valid_times";
/// The level that flat keys without a place for it stand for: the legacy programs ask for it.
const FLAT_LEVEL: f64 = 700.0;

/// The references of a file, while they are made.
pub(super) struct Hierarchy<'f, 'm> {
    pub(super) files: &'f MemberFiles<'m>,
    pub(super) file: &'f MemberFile,
    /// The reference time in seconds since 1970.
    pub(super) reference: i64,
    /// The number of the member.
    pub(super) member: Option<i64>,
    pub(super) urls: Vec<Arc<str>>,
    pub(super) set: ReferenceSet,
}

/// What a dimension of a store's array is in a member's file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// One position of it.
    Fixed(u64),
    /// The valid times.
    Steps,
    /// A level.
    Level,
    /// Rows or columns.
    Grid,
}

impl Hierarchy<'_, '_> {
    pub(super) fn root(&mut self) {
        self.group("", Attributes::new());
        // What tells one's own files from those of the legacy workflow, and what they are of.
        let attributes = self.files.manifest.group.attributes.clone();
        self.set.set_metadata(".zattrs", &Value::Object(attributes));
    }

    fn group(&mut self, path: &str, attributes: Attributes) {
        let key = |name: &str| {
            if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
        };
        self.set.set_metadata(&key(".zgroup"), &json!({"zarr_format": 2}));
        if !attributes.is_empty() {
            self.set.set_metadata(&key(".zattrs"), &Value::Object(attributes));
        }
    }

    /// Adds a variable with its groups and coordinates.
    pub(super) fn variable(&mut self, name: &str, array: &ManifestArray) -> Result<()> {
        let own = &array.metadata.attributes;
        let text = |key: &str, other: &str| {
            own.get(key)
                .and_then(Value::as_str)
                .filter(|it| !it.is_empty())
                .unwrap_or(other)
                .to_owned()
        };
        let step_type = text("GRIB_stepType", "instant");
        let type_of_level = text("GRIB_typeOfLevel", "surface");
        let roles = self.roles(array);
        let leaf = format!("{name}/{step_type}/{type_of_level}");
        self.group(name, attributes([("name", json!(text("GRIB_name", name)))]));
        self.group(&format!("{name}/{step_type}"), attributes([("stepType", json!(step_type))]));
        let names = format!("{type_of_level} latitude longitude number step time valid_time");
        self.group(
            &leaf,
            attributes([("coordinates", json!(names)), ("typeOfLevel", json!(type_of_level))]),
        );
        self.data(&leaf, name, array, &roles)?;
        self.times(&leaf);
        self.level(&leaf, &type_of_level, array, &roles);
        if let Some(member) = self.member {
            self.scalar(
                &leaf,
                "number",
                "<i8",
                &member.to_le_bytes(),
                &[("standard_name", json!("realization"))],
            );
        }
        self.grid(&leaf, array)?;
        if let Some(flat) = self.files.naming.flat_member(self.member) {
            let param = text("GRIB_shortName", name);
            self.flat(&format!("{param}/{}/{flat}", levtype(&type_of_level)), array, &roles);
        }
        Ok(())
    }

    fn roles(&self, array: &ManifestArray) -> Vec<Role> {
        let is_run = self.files.manifest.group.array("reference_time").is_some();
        let role = |name: &String| match name.as_str() {
            "time" if !is_run => Role::Fixed(self.file.run as u64),
            "member" => Role::Fixed(self.file.member.unwrap_or_default() as u64),
            "time" | "step" => Role::Steps,
            "latitude" | "longitude" | "y" | "x" => Role::Grid,
            _ => Role::Level,
        };
        array.metadata.dimension_names.iter().map(role).collect()
    }

    fn data(
        &mut self,
        leaf: &str,
        name: &str,
        array: &ManifestArray,
        roles: &[Role],
    ) -> Result<()> {
        let (whole, _) = zarr_array(name, array)?;
        let kept = |list: &[u64]| -> Vec<u64> {
            let kept = list.iter().zip(roles).filter(|(_, role)| !matches!(role, Role::Fixed(_)));
            kept.map(|(&it, _)| it).collect()
        };
        let metadata =
            ZarrArray { shape: kept(&whole.shape), chunks: kept(&whole.chunks), ..whole };
        let mut own = array.metadata.attributes.clone();
        let dimensions: Vec<&str> = array
            .metadata
            .dimension_names
            .iter()
            .zip(roles)
            .filter(|(_, role)| !matches!(role, Role::Fixed(_)))
            .map(|(name, role)| if *role == Role::Steps { VALID_TIMES } else { name })
            .collect();
        own.insert(DIMENSIONS.to_owned(), json!(dimensions));
        // The groups name the coordinates.
        own.remove("coordinates");
        if let Some(method) = own.get("cell_methods").and_then(Value::as_str)
            && let Some((_, method)) = method.split_once(": ")
        {
            let method = format!("{VALID_TIMES}: {method}");
            own.insert("cell_methods".to_owned(), json!(method));
        }
        self.array(&format!("{leaf}/{name}"), &metadata, own);
        let grid = metadata.grid();
        for index in 0..metadata.chunk_count() {
            let key = || format!("{leaf}/{name}/{}", chunk_id(&grid, index));
            if let Some(entry) = self.chunk(array, roles, &grid, index) {
                self.set.entries.insert(key(), entry);
            }
        }
        Ok(())
    }

    /// A chunk of the member, by its position in the grid of the member's array.
    fn chunk(
        &self,
        array: &ManifestArray,
        roles: &[Role],
        grid: &[u64],
        index: u64,
    ) -> Option<Entry> {
        // From the last dimension on, as the remainder of the position tells.
        let (mut rest, mut flat, mut stride) = (index, 0_u64, 1_u64);
        let mut lengths = grid.iter().rev();
        for (role, &length) in roles.iter().zip(&array.metadata.grid()).rev() {
            let at = match role {
                Role::Fixed(at) => *at,
                _ => {
                    let own = lengths.next().copied().unwrap_or(1).max(1);
                    let at = rest % own;
                    rest /= own;
                    at
                }
            };
            flat += at * stride;
            stride = stride.saturating_mul(length);
        }
        match array.chunks.get(flat) {
            Chunk::Virtual(entry) => range(&self.urls, entry),
            Chunk::Inline(bytes) => Some(Entry::Inline(bytes.clone())),
            Chunk::Missing => None,
        }
    }

    /// `time`, `valid_time` and `step`, each over the valid times.
    fn times(&mut self, leaf: &str) {
        let steps = &self.files.steps;
        let seconds = |of: &dyn Fn(i64) -> i64| -> Vec<u8> {
            steps.iter().flat_map(|&step| of(step).to_le_bytes()).collect()
        };
        let reference = self.reference;
        let time = seconds(&|_| reference);
        let valid = seconds(&|step| reference + step);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a forecast lie below 2^53")]
        let hours = steps.iter().flat_map(|&step| (step as f64 / 3600.0).to_le_bytes()).collect();
        let epoch = "seconds since 1970-01-01T00:00:00";
        for (name, dtype, bytes, standard_name, long_name, units) in [
            ("time", "<i8", time, "forecast_reference_time", "initial time of forecast", epoch),
            ("valid_time", "<i8", valid, "time", "time", epoch),
            (
                "step",
                "<f8",
                hours,
                "forecast_period",
                "time since forecast_reference_time",
                "hours",
            ),
        ] {
            let mut own = attributes([
                ("standard_name", json!(standard_name)),
                ("long_name", json!(long_name)),
                ("units", json!(units)),
                (DIMENSIONS, json!([VALID_TIMES])),
            ]);
            if units == epoch {
                own.insert("calendar".to_owned(), json!("proleptic_gregorian"));
            }
            let count = self.files.steps.len() as u64;
            self.plain(&format!("{leaf}/{name}"), dtype, &[count], bytes, own);
        }
    }

    /// The level: a dimension, or the one level of a variable.
    fn level(&mut self, leaf: &str, type_of_level: &str, array: &ManifestArray, roles: &[Role]) {
        let group = &self.files.manifest.group;
        let own = &array.metadata;
        let dimension = own.dimension_names.iter().zip(roles).find(|(_, it)| **it == Role::Level);
        if let Some((dimension, _)) = dimension {
            let Some(levels) = group.array(dimension) else { return };
            let Some(CoordinateValues::Float64(values)) = coordinate(levels) else { return };
            let bytes = values.iter().flat_map(|it| it.to_le_bytes()).collect();
            let mut attributes = levels.metadata.attributes.clone();
            attributes.insert(DIMENSIONS.to_owned(), json!([dimension]));
            let key = format!("{leaf}/{dimension}");
            self.plain(&key, "<f8", &[values.len() as u64], bytes, attributes);
            return;
        }
        let value = own.attributes.get("GRIB_level").and_then(Value::as_f64).unwrap_or_default();
        let key = format!("{leaf}/{type_of_level}");
        self.scalar(leaf, type_of_level, "<f8", &value.to_le_bytes(), &[]);
        if self.files.options.compat_legacy {
            let bytes = Bytes::copy_from_slice(&value.to_le_bytes());
            self.set.entries.insert(format!("{key}/"), Entry::Inline(bytes));
        }
    }

    /// The coordinates of rows and columns, and what describes their map.
    fn grid(&mut self, leaf: &str, array: &ManifestArray) -> Result<()> {
        let group = &self.files.manifest.group;
        for name in ["latitude", "longitude", "y", "x", "spatial_ref"] {
            let Some(coordinate) = group.array(name) else { continue };
            let dimensions = &coordinate.metadata.dimension_names;
            if !dimensions.iter().all(|it| array.metadata.dimension_names.contains(it)) {
                continue;
            }
            let (metadata, _) = zarr_array(name, coordinate)?;
            let mut own = coordinate.metadata.attributes.clone();
            own.insert(DIMENSIONS.to_owned(), json!(dimensions));
            let key = format!("{leaf}/{name}");
            self.array(&key, &metadata, own);
            let mut bytes = match coordinate.chunks.get(0) {
                Chunk::Inline(bytes) => bytes.clone(),
                _ => continue,
            };
            if let (1, "longitude", Some(turned)) = (dimensions.len(), name, &self.files.longitudes)
            {
                bytes = turned.iter().flat_map(|it| it.to_le_bytes()).collect();
            }
            let id = chunk_id(&metadata.grid(), 0);
            self.set.entries.insert(format!("{key}/{id}"), Entry::Inline(bytes));
        }
        Ok(())
    }

    /// The flat keys of a variable of an ECMWF ensemble.
    fn flat(&mut self, middle: &str, array: &ManifestArray, roles: &[Role]) {
        let own = &array.metadata;
        let mut level = 0;
        if let Some(axis) = roles.iter().position(|role| *role == Role::Level) {
            let dimension = own.dimension_names.get(axis);
            let levels = dimension.and_then(|it| self.files.manifest.group.array(it));
            let Some(CoordinateValues::Float64(levels)) = levels.and_then(coordinate) else {
                return;
            };
            let asked = levels.iter().position(|&it| it.to_bits() == FLAT_LEVEL.to_bits());
            match asked {
                Some(asked) if self.files.options.compat_legacy => level = asked as u64,
                _ => return,
            }
        }
        let grid: Vec<u64> = own
            .grid()
            .iter()
            .zip(roles)
            .filter(|(_, role)| !matches!(role, Role::Fixed(_)))
            .map(|(&length, _)| length)
            .collect();
        let has_level = roles.contains(&Role::Level);
        let levels = if has_level { grid.get(1).copied().unwrap_or(1) } else { 1 };
        for (index, seconds) in (0_u64..).zip(&self.files.steps) {
            let hours = seconds / 3600;
            if let Some(entry) = self.chunk(array, roles, &grid, index * levels + level) {
                self.set.entries.insert(format!("step_{hours:03}/{middle}/0.0.0"), entry);
            }
        }
    }

    fn scalar(&mut self, leaf: &str, name: &str, dtype: &str, bytes: &[u8], own: &[(&str, Value)]) {
        let mut attributes = attributes([(DIMENSIONS, json!([]))]);
        attributes.extend(own.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.plain(&format!("{leaf}/{name}"), dtype, &[], bytes.to_vec(), attributes);
    }

    /// An array of plain numbers in one chunk.
    fn plain(&mut self, key: &str, dtype: &str, shape: &[u64], bytes: Vec<u8>, own: Attributes) {
        let metadata = ZarrArray {
            shape: shape.to_vec(),
            chunks: shape.iter().map(|&length| length.max(1)).collect(),
            dtype: dtype.to_owned(),
            fill_value: Value::Null,
            filters: Vec::new(),
            compressor: None,
        };
        self.array(key, &metadata, own);
        self.set.entries.insert(format!("{key}/0"), Entry::Inline(bytes.into()));
    }

    fn array(&mut self, key: &str, metadata: &ZarrArray, own: Attributes) {
        let mut text = metadata.to_json().to_string();
        if self.files.options.compat_legacy {
            text = text.replace("\"fill_value\":\"NaN\"", "\"fill_value\":NaN");
        }
        self.set.entries.insert(format!("{key}/.zarray"), Entry::Metadata(text));
        self.set.set_metadata(&format!("{key}/.zattrs"), &Value::Object(own));
    }
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
