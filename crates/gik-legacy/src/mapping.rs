//! Template archives: tables that say which array a line of an index belongs to.
//!
//! The older workflow scanned one run, kept for each member and step a table with the text of each
//! index line (`attrs`) and the array of its message, and joined the tables with the indexes of
//! later runs. An archive holds the tables as
//! `…/gefs-time-20241112-gep01-rt006.parquet` or `…/gefs-mapping-gep01-006.parquet`; the folder
//! does not matter.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use bytes::Bytes;
use gik_core::{Error, Result};

use crate::archive::each_entry;
use crate::claims::member_of_name;
use crate::inputs::{is_table, read_file, tables_below};
use crate::{KeyValueFile, Table};

/// What a line of an index is about, in the words of ecCodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MappedLine {
    pub(crate) name: String,
    pub(crate) level_type: String,
    pub(crate) step_type: String,
}

/// The table of a member and step: what each line of the index is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// By the text of the line after its third colon. `None`: the message could not be read
    /// when the table was made.
    pub(crate) lines: HashMap<String, Option<MappedLine>>,
    /// Rows with the text of another row: the first one counts.
    pub duplicates: u64,
}

/// The tables of an archive, by member (0 for a control) and step in hours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappingArchive {
    mappings: BTreeMap<(u32, u32), Mapping>,
    /// A file that the tables were made from.
    sample_url: Option<String>,
    /// Tables that could not be read, and why.
    pub problems: Vec<String>,
}

impl Mapping {
    /// Reads a table of which these are the bytes; and the file that it was made from.
    ///
    /// # Errors
    /// When it is no parquet file or no such table.
    pub fn read(file: Bytes) -> Result<(Self, Option<String>)> {
        let table = Table::open(file)?;
        if table.has("key") && !table.has("attrs") {
            return Err(Error::unsupported(
                "template",
                "tables of ECMWF hold placeholders, no line of an index; nothing of them is \
                 needed: gik build ecmwf --product enfo",
            ));
        }
        let texts = table.text("attrs")?;
        let names = table.text("varname")?;
        let level_types = table.text("typeOfLevel")?;
        let step_types = table.text("stepType")?;
        let url = match table.has("grib_uri") {
            true => table.text("grib_uri")?.into_iter().flatten().next(),
            false => None,
        };
        let mut mapping = Self::default();
        let rows = texts.into_iter().zip(names).zip(level_types).zip(step_types);
        for (((text, name), level_type), step_type) in rows {
            let Some(text) = text else { continue };
            let line = match (name, level_type, step_type) {
                (Some(name), Some(level_type), Some(step_type)) if name != "unknown" => {
                    Some(MappedLine { name, level_type, step_type })
                }
                _ => None,
            };
            if mapping.lines.contains_key(&text) {
                mapping.duplicates += 1;
                continue;
            }
            mapping.lines.insert(text, line);
        }
        Ok((mapping, url))
    }

    /// The number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines whose message could not be read when the table was made.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.lines.values().filter(|line| line.is_none()).count()
    }
}

impl MappingArchive {
    /// Reads a tar.gz or zip archive, or a folder. Of tables for the same member and step the
    /// last one counts.
    ///
    /// # Errors
    /// When it is none of these, hostile, or has no such table.
    pub fn read(path: &Path) -> Result<Self> {
        let mut archive = Self::default();
        if path.extension().is_some_and(|ending| ending == "tsv") {
            return Err(Error::argument(
                format!("'{}'", path.display()),
                "is no template archive; tables of gik template are for gik build --template",
            ));
        }
        if path.is_dir() {
            for file in tables_below(path)? {
                let name = file.display().to_string();
                archive.add(&name, read_file(&file))?;
            }
        } else {
            each_entry(path, &is_table, &mut |name, bytes| archive.add(name, Ok(bytes)))?;
        }
        if archive.mappings.is_empty() {
            let found = archive.problems.first().cloned();
            return Err(Error::mismatch(
                "template archive",
                "tables named like gefs-time-20241112-gep01-rt006.parquet",
                found.unwrap_or_else(|| "none".to_owned()),
            )
            .in_url(path.display().to_string()));
        }
        Ok(archive)
    }

    fn add(&mut self, name: &str, bytes: Result<Bytes>) -> Result<()> {
        let Some(key) = member_and_hour(name) else { return Ok(()) };
        match bytes.and_then(Mapping::read) {
            Ok((mapping, url)) => {
                self.sample_url = self.sample_url.take().or(url);
                self.mappings.insert(key, mapping);
                Ok(())
            }
            // All of the archive is of this kind.
            Err(error) if matches!(error.kind(), gik_core::ErrorKind::Unsupported { .. }) => {
                Err(error)
            }
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                Ok(())
            }
        }
    }

    /// The table of a member and step.
    #[must_use]
    pub fn mapping(&self, member: u32, hour: u32) -> Option<&Mapping> {
        self.mappings.get(&(member, hour))
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> BTreeSet<u32> {
        self.mappings.keys().map(|&(member, _)| member).collect()
    }

    /// The steps in hours, of all members.
    #[must_use]
    pub fn hours(&self) -> BTreeSet<u32> {
        self.mappings.keys().map(|&(_, hour)| hour).collect()
    }

    /// The number of tables.
    #[must_use]
    pub fn len(&self) -> usize {
        self.mappings.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mappings.is_empty()
    }

    /// A file that the tables were made from: of which model and product they are.
    #[must_use]
    pub fn sample_url(&self) -> Option<&str> {
        self.sample_url.as_deref()
    }
}

/// The member and step in a table's name, as the older workflow finds them: the parts between
/// hyphens.
fn member_and_hour(path: &str) -> Option<(u32, u32)> {
    let name = path.rsplit(['/', '\\']).next()?;
    let stem = name.strip_suffix(".parquet").or_else(|| name.strip_suffix(".par"))?;
    let parts: Vec<&str> = stem.split('-').collect();
    let (member, hour) = match parts.as_slice() {
        [_, "mapping", member, hour] => (*member, *hour),
        [_, _, _, member, .., last] => (*member, last.strip_prefix("rt")?),
        // Of ECMWF: without the word in the middle.
        [_, _, member, last] => (*member, last.strip_prefix("rt")?),
        _ => return None,
    };
    Some((member_of_name(member)?, hour.parse().ok()?))
}

/// Whether a table is one of these, and no store: for a hint.
pub(crate) fn is_mapping(table: &Table) -> bool {
    table.has("attrs") && table.has("varname")
}

impl KeyValueFile {
    /// The error for a table of a template archive in the place of a store.
    pub(crate) fn refused_mapping() -> Error {
        Error::unsupported(
            "table",
            "it is one of a template archive; gik import --template ARCHIVE --run TIME joins that \
             with the indexes of a run",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_steps_are_in_the_names() {
        for (name, expected) in [
            ("gik-fmrc/gefs/gep01/gefs-time-20241112-gep01-rt006.parquet", Some((1, 6))),
            ("gefs-time-20241112-gep30-rt240.parquet", Some((30, 240))),
            ("x/gefs-mapping-gep02-006.parquet", Some((2, 6))),
            ("ens_01/ecmwf-2024052900-ens01-rt000.par", Some((1, 0))),
            ("gefs-time-20241112-gep01.parquet", None),
            ("gefs-time-20241112-gep01-rtx.parquet", None),
            ("gep01-rt006.txt", None),
        ] {
            assert_eq!(member_and_hour(name), expected, "{name}");
        }
    }
}
