//! A manifest as the files of the legacy workflow: one for each member of a run.
//!
//! Each holds a Zarr v2 hierarchy, `VARIABLE/STEPTYPE/TYPEOFLEVEL/ARRAY`, over the valid times of
//! the run; those of an ECMWF ensemble also the flat keys `step_HHH/PARAM/LEVTYPE/MEMBER/0.0.0`.

mod hierarchy;
mod names;

use gik_core::{
    Chunk, CoordinateValues, Error, ManifestArray, ManifestStore, ReferenceTime, Result,
};
use serde_json::Value;

use crate::ReferenceSet;
use crate::from_manifest::{floats, turned_longitudes, urls};
use hierarchy::Hierarchy;
use names::Naming;

/// What of the legacy workflow's own ways to keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberOptions {
    /// For programs that read nothing else: a bare `NaN` as fill value, scalar levels also under
    /// a key that ends with `/`, and of the variables on pressure levels the flat keys too,
    /// which have no place for the level and stand for 700 hPa.
    pub compat_legacy: bool,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberFile {
    /// Its name, with the folder that the legacy workflow gives it, if it does.
    pub path: String,
    run: usize,
    member: Option<usize>,
}

/// The files of a manifest.
#[derive(Debug)]
pub struct MemberFiles<'m> {
    manifest: &'m ManifestStore,
    options: MemberOptions,
    naming: Naming,
    /// Seconds since 1970, one a run.
    runs: Vec<i64>,
    members: Option<Vec<i64>>,
    /// Seconds since the reference time.
    steps: Vec<i64>,
    longitudes: Option<Vec<f64>>,
}

impl<'m> MemberFiles<'m> {
    /// The files of a forecast store's manifest, of whatever layout.
    ///
    /// # Errors
    /// When it has no `time` and `step`, or its longitudes are not told.
    pub fn new(manifest: &'m ManifestStore, options: MemberOptions) -> Result<Self> {
        let group = &manifest.group;
        // In the layout of one run, `time` is the valid time and goes along with `step`.
        let runs = match integers(manifest, "reference_time")? {
            Some(runs) => runs,
            None => integers(manifest, "time")?.ok_or_else(|| missing("time"))?,
        };
        let unit = group.array("step").and_then(|it| it.metadata.attributes.get("units"));
        let unit = match unit.and_then(Value::as_str) {
            Some("minutes") => 60,
            Some("hours") | None => 3600,
            Some(other) => return Err(Error::unsupported("unit of step", other)),
        };
        let steps = integers(manifest, "step")?.ok_or_else(|| missing("step"))?;
        Ok(Self {
            manifest,
            options,
            naming: Naming::of(&group.attributes),
            runs,
            members: integers(manifest, "member")?,
            steps: steps.iter().map(|step| step.saturating_mul(unit)).collect(),
            longitudes: turned_longitudes(group)?,
        })
    }

    /// All files, run by run.
    #[must_use]
    pub fn files(&self) -> Vec<MemberFile> {
        let mut files = Vec::new();
        for (run, &seconds) in self.runs.iter().enumerate() {
            let time = ReferenceTime::from_seconds(seconds);
            match &self.members {
                Some(members) => {
                    files.extend(members.iter().enumerate().map(|(index, &number)| {
                        let path = self.naming.path(time, Some(number));
                        MemberFile { path, run, member: Some(index) }
                    }))
                }
                None => {
                    files.push(MemberFile { path: self.naming.path(time, None), run, member: None })
                }
            }
        }
        files
    }

    /// The references of a file.
    ///
    /// # Errors
    /// When an array cannot be written as references.
    pub fn references(&self, file: &MemberFile) -> Result<ReferenceSet> {
        let reference = self.runs.get(file.run).copied().unwrap_or_default();
        let member = file.member.and_then(|member| self.members.as_ref()?.get(member).copied());
        let mut hierarchy = Hierarchy {
            files: self,
            file,
            reference,
            member,
            urls: urls(&self.manifest.sources),
            set: ReferenceSet::default(),
        };
        hierarchy.root();
        for (name, array) in &self.manifest.group.data {
            hierarchy.variable(name, array).map_err(|error| error.in_url(name))?;
        }
        Ok(hierarchy.set)
    }
}

fn missing(name: &str) -> Error {
    Error::mismatch(
        "coordinates of a store that is written as files of members",
        name,
        "none; write it as kerchunk-json or kerchunk-parquet",
    )
}

/// The values of a coordinate of integers; none when there is no such array.
fn integers(manifest: &ManifestStore, name: &str) -> Result<Option<Vec<i64>>> {
    let Some(array) = manifest.group.array(name) else { return Ok(None) };
    let values = match coordinate(array) {
        Some(CoordinateValues::Int64(values)) => Some(values),
        _ => None,
    };
    values.map(Some).ok_or_else(|| {
        Error::mismatch(format!("coordinate {name}"), "integers in one chunk", "something else")
    })
}

/// The values of a coordinate that lies in one inline chunk of plain numbers.
fn coordinate(array: &ManifestArray) -> Option<CoordinateValues> {
    let Chunk::Inline(bytes) = array.chunks.get(0) else { return None };
    let count: u64 = array.metadata.shape.iter().product();
    if array.metadata.chunk_count() != 1 {
        return None;
    }
    let count = usize::try_from(count).ok()?;
    match array.metadata.data_type {
        gik_core::DataType::Int64 => {
            let words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok());
            Some(CoordinateValues::Int64(words.map(i64::from_le_bytes).take(count).collect()))
        }
        gik_core::DataType::Float64 => {
            let mut values = floats(bytes);
            values.truncate(count);
            Some(CoordinateValues::Float64(values))
        }
        gik_core::DataType::Float32 => None,
    }
}
