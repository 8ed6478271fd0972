//! Stores written as references of other formats.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use gik_core::{
    CoordinateValues, Error, ErrorKind, ManifestStore, ReferenceTime, Result, Selection,
};
use gik_icechunk::{Opened, Repository};
use gik_legacy::{MemberFiles, MemberOptions, ReferenceSet, kerchunk, write_key_value};
use serde_json::{Value, json};

use crate::whole::{check_absent, failed, whole_file, whole_folder};

/// A format of references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `[key, value]` parquet of the Grib-Index-Kerchunk workflow, one file for each member.
    Parquet,
    /// Kerchunk's JSON, version 1.
    KerchunkJson,
    /// Kerchunk's directory of parquet.
    KerchunkParquet,
}

/// References in a record of kerchunk parquet.
const RECORD_SIZE: u32 = 10_000;

/// Names of formats.
const FORMATS: [(&str, ExportFormat); 3] = [
    ("parquet", ExportFormat::Parquet),
    ("kerchunk-json", ExportFormat::KerchunkJson),
    ("kerchunk-parquet", ExportFormat::KerchunkParquet),
];

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FORMATS.iter().find(|(_, format)| format == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl FromStr for ExportFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = FORMATS.iter().find(|(name, _)| *name == text);
        found.map(|&(_, format)| format).ok_or_else(|| {
            let reason = "is none of parquet, kerchunk-json, kerchunk-parquet";
            Error::argument(format!("format '{text}'"), reason)
        })
    }
}

/// What to write, and where.
#[derive(Debug, Clone)]
pub struct Export {
    /// The format.
    pub format: ExportFormat,
    /// One run; all of them without.
    pub run: Option<ReferenceTime>,
    /// The members; all of them without.
    pub members: Option<Selection>,
    /// The data arrays; all of them without.
    pub variables: Option<Vec<String>>,
    /// Of the format [`Parquet`](ExportFormat::Parquet), what only the legacy programs need.
    pub compat_legacy: bool,
    /// References in a record of [`KerchunkParquet`](ExportFormat::KerchunkParquet), and of
    /// nothing else; 10,000 unless told otherwise, as fsspec has it.
    pub record_size: Option<u32>,
    /// The file or folder. A file is replaced, a folder must not be there.
    pub output: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The files with references.
    pub files: Vec<PathBuf>,
    /// References to byte ranges that the selection has.
    pub references: u64,
    /// Data arrays.
    pub arrays: u64,
    /// Seconds to read the store.
    pub read_seconds: f64,
    /// Seconds from start to end.
    pub total_seconds: f64,
}

impl Exported {
    /// Everything about it, for machines. The keys are stable.
    #[must_use]
    pub fn to_json(&self, export: &Export) -> Value {
        json!({
            "format": export.format.to_string(),
            "output": export.output,
            "files": self.files,
            "arrays": self.arrays,
            "references": self.references,
            "seconds": {"read": self.read_seconds, "total": self.total_seconds},
            "peak_memory_bytes": crate::peak_memory(),
        })
    }
}

/// Writes the references of a state of a store. `progress` is called with the number of files
/// done and their total. The output is put in place when it is whole.
///
/// # Errors
/// When the selection is not in the store, the store cannot be read, or the output not written;
/// nothing is left of it then.
pub async fn export(
    repository: &Repository,
    opened: &Opened,
    export: &Export,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Exported> {
    let started = Instant::now();
    if export.compat_legacy && export.format != ExportFormat::Parquet {
        let reason = "is for --format parquet; nothing else was read by the legacy programs";
        return Err(Error::argument("--compat-legacy", reason));
    }
    if export.record_size.is_some() && export.format != ExportFormat::KerchunkParquet {
        let reason = "is for --format kerchunk-parquet; the others have no records";
        return Err(Error::argument("--record-size", reason));
    }
    if export.format != ExportFormat::KerchunkJson && !is_one_file(export) {
        check_absent(&export.output)?;
    }
    let selection = select(opened, export).await?;
    let manifest = repository.manifest(opened, &selection).await?;
    let references = manifest.group.virtual_count();
    let inline =
        manifest.group.data.iter().any(|(_, it)| it.chunks.inline_chunks().next().is_some());
    if references == 0 && !inline {
        let found = Error::new(ErrorKind::NotFound);
        return Err(found.with_source(std::io::Error::other(
            "the store has no reference to what was chosen; gik info shows what it has",
        )));
    }
    let read_seconds = started.elapsed().as_secs_f64();
    let files = write(&manifest, export, progress)?;
    Ok(Exported {
        files,
        references,
        arrays: manifest.group.data.len() as u64,
        read_seconds,
        total_seconds: started.elapsed().as_secs_f64(),
    })
}

/// The positions in the store of what was chosen.
async fn select(opened: &Opened, export: &Export) -> Result<gik_icechunk::Selection> {
    let mut positions = BTreeMap::new();
    if let Some(run) = export.run {
        let layout = opened.attributes().await?;
        if layout.get("gik_layout").and_then(Value::as_str) == Some("run") {
            let reason = "cannot be chosen: the store is of one run; leave it out";
            return Err(Error::argument("--run", reason));
        }
        let times = labels(opened, "time").await?;
        let position = times.iter().position(|&it| it == run.seconds()).ok_or_else(|| {
            let there: Vec<String> =
                times.iter().map(|&it| ReferenceTime::from_seconds(it).to_string()).collect();
            let (first, last) = (there.first(), there.last());
            let none = "none".to_owned();
            Error::argument(
                format!("run {run}"),
                format!(
                    "is not in the store, which has {}, {} to {}",
                    there.len(),
                    first.unwrap_or(&none),
                    last.unwrap_or(&none)
                ),
            )
        })?;
        positions.insert("time".to_owned(), vec![position as u64]);
    }
    if let Some(members) = &export.members {
        let there = labels(opened, "member").await?;
        let numbers: Vec<u32> =
            there.iter().filter_map(|&number| u32::try_from(number).ok()).collect();
        let picked = members.pick("member", &numbers)?;
        let chosen = (0..).zip(&there).filter(|(_, number)| {
            u32::try_from(**number).is_ok_and(|number| picked.contains(&number))
        });
        positions.insert("member".to_owned(), chosen.map(|(position, _)| position).collect());
    }
    Ok(gik_icechunk::Selection { variables: export.variables.clone(), positions })
}

async fn labels(opened: &Opened, name: &str) -> Result<Vec<i64>> {
    if !opened.array_names().await?.iter().any(|other| other == name) {
        return Err(Error::argument(format!("--{name}"), format!("the store has no {name}")));
    }
    match opened.array(name).await?.coordinate().await? {
        CoordinateValues::Int64(values) => Ok(values),
        CoordinateValues::Float64(_) => {
            Err(Error::mismatch(format!("labels of {name}"), "integers", "other numbers"))
        }
    }
}

/// Whether the members' files are one, named by the user.
fn is_one_file(export: &Export) -> bool {
    let ending = export.output.extension().and_then(|it| it.to_str());
    export.format == ExportFormat::Parquet && matches!(ending, Some("parquet" | "par"))
}

fn write(
    manifest: &ManifestStore,
    export: &Export,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<PathBuf>> {
    let output = &export.output;
    match export.format {
        ExportFormat::KerchunkJson => {
            progress(0, 1);
            let set = ReferenceSet::from_manifest(manifest)?;
            whole_file(output, |to| kerchunk::write_json(&set, to))?;
            progress(1, 1);
            Ok(vec![output.clone()])
        }
        ExportFormat::KerchunkParquet => {
            let set = ReferenceSet::from_manifest(manifest)?;
            whole_folder(output, |folder| {
                let records = export.record_size.unwrap_or(RECORD_SIZE);
                kerchunk::write_parquet(&set, folder, records, progress)
            })?;
            Ok(vec![output.clone()])
        }
        ExportFormat::Parquet => {
            let options = MemberOptions { compat_legacy: export.compat_legacy };
            let members = MemberFiles::new(manifest, options)?;
            let files = members.files();
            if is_one_file(export) {
                let [only] = files.as_slice() else {
                    return Err(Error::argument(
                        format!("output '{}'", output.display()),
                        format!(
                            "is one file, and there are {} of members and runs; name a folder, or \
                             choose with --run and --members",
                            files.len()
                        ),
                    ));
                };
                let set = members.references(only)?;
                whole_file(output, |to| write_key_value(&set, to))?;
                return Ok(vec![output.clone()]);
            }
            whole_folder(output, |folder| {
                for (done, member) in files.iter().enumerate() {
                    progress(done, files.len());
                    let path = folder.join(&member.path);
                    if let Some(parent) = path.parent() {
                        std::fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
                    }
                    let to = File::create(&path).map_err(|error| failed(&path, error))?;
                    write_key_value(&members.references(member)?, BufWriter::new(to))
                        .map_err(|error| error.in_url(path.display().to_string()))?;
                }
                progress(files.len(), files.len());
                Ok(())
            })?;
            Ok(files.iter().map(|member| output.join(&member.path)).collect())
        }
    }
}
