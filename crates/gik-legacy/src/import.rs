//! From reference sets of one or many files to the manifests of the runs that they are about.

mod urls;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;
use gik_core::{Error, Parser, ReferenceTime, Registry, Result, Selection};
use url::Url;

use self::urls::UrlFacts;
use crate::catalogue::{Catalogue, Found, Slot, Subject};
use crate::claims::{Claim, ClaimedLevel, Target, each_claim};
use crate::findings::{Finding, Findings};
use crate::{HeaderFacts, KeyValueFile, Mapping, ReferenceSet};

/// What is to be imported.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The model's id; any that knows the urls without.
    pub model: Option<String>,
    /// The product, where files are of several.
    pub product: Option<String>,
    /// Members, or those that are found.
    pub members: Option<Selection>,
    /// Steps, or those that are found.
    pub steps: Option<Selection>,
    /// Arrays, or those that are found.
    pub variables: Option<Vec<String>>,
    /// Where the references shall point instead: a place with the layout of the bucket.
    pub source: Option<Url>,
}

/// A reference with its place in words that hold in all runs of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) member: u32,
    pub(crate) step: u32,
    pub(crate) slot: Slot,
    /// Position in the sources of the run; of an inline message in those.
    pub(crate) source: u32,
    pub(crate) offset: u64,
    /// 0 for an inline message.
    pub(crate) length: u32,
    /// Whether the place is known but for the level, or the array.
    pub(crate) is_open: bool,
    /// How much of what the key and the url say had to be corrected. Of several references to one
    /// place, that with the least counts.
    pub(crate) corrections: u8,
}

/// The place along an axis that only the header of the message tells.
const UNKNOWN: u32 = u32::MAX;

/// A run that references are about.
#[derive(Debug)]
pub(crate) struct RunReferences {
    pub(crate) parser: Arc<dyn Parser>,
    pub(crate) catalogue: Catalogue,
    pub(crate) sources: Vec<Arc<str>>,
    source_ids: HashMap<Arc<str>, u32>,
    pub(crate) placed: Vec<Placed>,
    pub(crate) inline: Vec<Bytes>,
}

type RunKey = (&'static str, &'static str, ReferenceTime, Url);

/// Reads the header of a message.
pub type ReadHeader<'h> = dyn Fn(&Bytes) -> Result<HeaderFacts> + Send + Sync + 'h;

/// Gathers references, file by file.
pub struct Importer<'h> {
    parsers: Vec<Arc<dyn Parser>>,
    pub(crate) request: ImportRequest,
    read_header: &'h ReadHeader<'h>,
    keeps_open: bool,
    pub(crate) runs: Vec<RunReferences>,
    run_ids: HashMap<RunKey, usize>,
    findings: Findings,
    references: u64,
    /// Messages that stand in the files, with where.
    inline: Vec<(String, Bytes)>,
}

impl std::fmt::Debug for Importer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer").field("runs", &self.runs.len()).finish_non_exhaustive()
    }
}

impl<'h> Importer<'h> {
    /// Imports what the models of `registry` know. Messages that stand in files are placed by
    /// what `read_header` says of them. With `keeps_open`, references whose level or array is
    /// not known are kept for [`judge`](Self::judge).
    ///
    /// # Errors
    /// When there is no such model.
    pub fn new(
        registry: &Registry,
        request: ImportRequest,
        read_header: &'h ReadHeader<'h>,
        keeps_open: bool,
    ) -> Result<Self> {
        let parsers = match &request.model {
            Some(id) => vec![Arc::clone(registry.get(id)?)],
            None => registry.iter().map(|(_, parser)| Arc::clone(parser)).collect(),
        };
        Ok(Self {
            parsers,
            request,
            read_header,
            keeps_open,
            runs: Vec::new(),
            run_ids: HashMap::new(),
            findings: Findings::default(),
            references: 0,
            inline: Vec::new(),
        })
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// To add what was found elsewhere.
    pub fn findings_mut(&mut self) -> &mut Findings {
        &mut self.findings
    }

    /// The references that were met so far, whatever became of them.
    #[must_use]
    pub fn references(&self) -> u64 {
        self.references
    }

    /// Adds a file that was read, or why it could not be.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_file(&mut self, name: &str, file: Result<&KeyValueFile>) -> Result<()> {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|it| format!(": {it}"));
                let text = format!("{name}: {error}{}", cause.unwrap_or_default());
                self.findings.add(Finding::BadFile, || text);
                return Ok(());
            }
        };
        for problem in &file.problems {
            self.findings.add(Finding::BadRow, || format!("{name}: {problem}"));
        }
        let rest = file.problem_count.saturating_sub(file.problems.len() as u64);
        self.findings.add_many(Finding::BadRow, rest, || format!("{rest} more of {name}"));
        self.add(name, &file.references)
    }

    /// Adds what a file holds. `name` is its name: for reports, and to compare its run with that
    /// of its urls.
    ///
    /// # Errors
    /// When a model's tables cannot be read, or there are more references than can be held.
    pub fn add(&mut self, name: &str, set: &ReferenceSet) -> Result<()> {
        let mut facts: HashMap<Arc<str>, Option<UrlFacts>> = HashMap::new();
        let mut runs = BTreeSet::new();
        // The findings are apart while the claims are met.
        let mut findings = std::mem::take(&mut self.findings);
        let keeps_open = self.keeps_open;
        let met = each_claim(set, name, keeps_open, &mut findings, |claim, findings| {
            self.references += 1;
            let Target::Range { url, offset, length } = claim.target else {
                if let Target::Inline(bytes) = claim.target {
                    self.inline.push((format!("{name}: {}", claim.key), bytes.clone()));
                }
                return Ok(());
            };
            if !facts.contains_key(url) {
                let found = self.facts_of(url)?;
                if let Some(finding) = found.as_ref().and_then(|facts| facts.finding) {
                    findings.add(finding, || url.to_string());
                }
                facts.insert(Arc::clone(url), found);
            }
            match facts.get(url) {
                Some(Some(known)) => {
                    runs.insert(known.run);
                    self.place(name, &claim, known, (offset, length), findings);
                }
                _ => findings.add(Finding::ForeignUrl, || url.to_string()),
            }
            Ok(())
        });
        self.findings = findings;
        met?;
        self.compare_name(name, &runs);
        Ok(())
    }

    /// Adds the messages of a file, by its index and the table of a template that says what each
    /// line is about. `size` is that of the file.
    ///
    /// # Errors
    /// As [`add`](Self::add), and when the url is not of the model.
    pub fn add_mapped(
        &mut self,
        url: &str,
        index: &[u8],
        size: u64,
        mapping: &Mapping,
    ) -> Result<()> {
        let Some(facts) = self.facts_of(url)? else {
            return Err(Error::mismatch("url", "one of a model's files", url));
        };
        let url: Arc<str> = url.into();
        let mut findings = std::mem::take(&mut self.findings);
        let parsed = gik_index::noaa::parse(index);
        let lines: Vec<&[u8]> = index.split(|&byte| byte == b'\n').collect();
        let mut met = BTreeSet::new();
        for (entry, range) in parsed.entries.iter().zip(parsed.ranges(Some(size))) {
            let line = entry.line.checked_sub(1).and_then(|line| lines.get(line));
            let text = line.and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
            let text = text.trim_end_matches('\r').splitn(4, ':').nth(3).unwrap_or_default();
            let place = || format!("{url}: {text}");
            let Some(mapped) = mapping.lines.get(text) else {
                findings.add(Finding::NotInTemplate, place);
                continue;
            };
            // Of lines with one text the first counts.
            if !met.insert(text) {
                continue;
            }
            let Some(mapped) = mapped else {
                findings.add(Finding::NotInTemplate, place);
                continue;
            };
            self.references += 1;
            let length = range.length.and_then(|length| NonZeroU32::try_from(length).ok());
            let Some(length) = length else {
                findings.add(Finding::BadRow, place);
                continue;
            };
            let subject = Subject::Group {
                name: &mapped.name,
                level_type: &mapped.level_type,
                step_type: &mapped.step_type,
            };
            let claim = Claim {
                key: text,
                target: Target::Range { url: &url, offset: range.offset, length },
                subjects: [subject, subject],
                member: None,
                step_seconds: None,
                // The template's own levels are members' numbers, as often as not.
                level: entry
                    .level
                    .value
                    .and_then(|level| level.value())
                    .map(|value| ClaimedLevel { value, is_dimension: true }),
                is_first: false,
                is_outside: false,
            };
            self.place(&url, &claim, &facts, (range.offset, length), &mut findings);
        }
        for text in mapping.lines.keys().filter(|text| !met.contains(text.as_str())) {
            findings.add(Finding::NotInIndex, || format!("{url}: {text}"));
        }
        self.findings = findings;
        Ok(())
    }

    fn place(
        &mut self,
        name: &str,
        claim: &Claim<'_>,
        facts: &UrlFacts,
        (offset, length): (u64, NonZeroU32),
        findings: &mut Findings,
    ) {
        let at = || format!("{name}: {}", claim.key);
        let Some(run) = self.runs.get_mut(facts.run) else { return };
        let unit = run.catalogue.run.step_unit.seconds();
        let claimed_step = claim.step_seconds.map(|seconds| seconds / unit);
        let claimed_step = claimed_step.and_then(|step| u32::try_from(step).ok());
        let mut corrections = u8::from(facts.finding.is_some());
        let step = match (facts.steps.as_slice(), claimed_step) {
            ([only], Some(claimed)) if *only != claimed => {
                corrections += 1;
                findings.add(Finding::StepOfUrl, at);
                *only
            }
            ([only], _) => *only,
            (several, Some(claimed)) if several.contains(&claimed) => claimed,
            _ if self.keeps_open => UNKNOWN,
            _ => {
                findings.add(Finding::StepUnknown, at);
                return;
            }
        };
        let member = match (&run.catalogue.run.members, facts.member, claim.member) {
            (None, ..) => 0,
            (Some(_), Some(of_url), claimed) => {
                if claimed.is_some_and(|claimed| claimed != of_url) {
                    corrections += 1;
                    findings.add(Finding::MemberOfUrl, at);
                }
                of_url
            }
            (Some(members), None, Some(claimed)) if members.contains(&claimed) => claimed,
            _ if self.keeps_open => UNKNOWN,
            _ => {
                findings.add(Finding::MemberUnknown, at);
                return;
            }
        };
        // Where members are coordinates, kerchunk wrote their numbers over the levels.
        let level =
            claim.level.filter(|level| level.is_dimension || run.catalogue.run.members.is_none());
        let (slot, is_open) = match find(&run.catalogue, &claim.subjects, level.map(|it| it.value))
        {
            Found::One(slot, value) => {
                if claim.is_first
                    && claim
                        .level
                        .is_some_and(|claimed| value.is_some_and(|it| it != claimed.value))
                {
                    corrections += 1;
                    findings.add(Finding::LevelCorrected, at);
                }
                (slot, false)
            }
            unknown => {
                let finding = match unknown {
                    Found::LevelUnknown => Finding::LevelUnknown,
                    Found::Ambiguous => Finding::Ambiguous,
                    _ => Finding::UnknownVariable,
                };
                if !self.keeps_open {
                    findings.add(finding, at);
                    return;
                }
                (Slot { variable: UNKNOWN, level: 0 }, true)
            }
        };
        let is_open = is_open || claim.is_outside || step == UNKNOWN || member == UNKNOWN;
        let source = facts.source;
        run.placed.push(Placed {
            member,
            step,
            slot,
            source,
            offset,
            length: length.get(),
            is_open,
            corrections,
        });
    }

    /// Places the messages that stand in the files themselves, when all runs have been met: their
    /// headers say all but the product.
    pub(crate) fn place_inline(&mut self) {
        let mut findings = std::mem::take(&mut self.findings);
        for (place, bytes) in std::mem::take(&mut self.inline) {
            self.place_message(&place, bytes, &mut findings);
        }
        self.findings = findings;
    }

    fn place_message(&mut self, place: &str, bytes: Bytes, findings: &mut Findings) {
        let at = || place.to_owned();
        let Ok(header) = (self.read_header)(&bytes) else {
            findings.add(Finding::WrongMessage, at);
            return;
        };
        // Of all runs that there are, the one of its time; the header says no product.
        let run = self
            .runs
            .iter_mut()
            .find(|it| it.catalogue.run.reference_time == header.reference_time);
        let Some(run) = run else {
            findings.add(Finding::ForeignUrl, at);
            return;
        };
        let unit = run.catalogue.run.step_unit.seconds();
        let step = u32::try_from(header.window.end_seconds() / unit).unwrap_or(u32::MAX);
        let member = run.catalogue.run.members.as_ref().map_or(Some(0), |_| header.member);
        let slot = header.level.and_then(|level| {
            run.catalogue.find_header(&header.parameter, level, &header.window, step)
        });
        let (Some(slot), Some(member)) = (slot, member) else {
            findings.add(Finding::UnknownVariable, at);
            return;
        };
        findings.add(Finding::InlineMessage, at);
        let source = u32::try_from(run.inline.len()).unwrap_or(u32::MAX);
        run.inline.push(bytes);
        run.placed.push(Placed {
            member,
            step,
            slot,
            source,
            offset: 0,
            length: 0,
            is_open: false,
            corrections: 0,
        });
    }

    /// Compares the run in a file's name with those of its urls.
    fn compare_name(&mut self, name: &str, runs: &BTreeSet<usize>) {
        let Some(named) = run_of_name(name) else { return };
        let times: BTreeSet<ReferenceTime> = runs
            .iter()
            .filter_map(|&run| self.runs.get(run))
            .map(|run| run.catalogue.run.reference_time)
            .collect();
        if !times.is_empty() && !times.contains(&named) {
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            self.findings
                .add(Finding::FileNameOfOtherRun, || format!("{name} of {}", times.join(", ")));
        }
    }
}

impl RunReferences {
    /// The position of a url in the sources.
    pub(crate) fn source(&mut self, url: &str) -> Result<u32> {
        if let Some(&known) = self.source_ids.get(url) {
            return Ok(known);
        }
        let id = u32::try_from(self.sources.len())
            .map_err(|_| Error::mismatch("files of a run", "less than 2^32", "more"))?;
        let url: Arc<str> = url.into();
        self.sources.push(Arc::clone(&url));
        self.source_ids.insert(url, id);
        Ok(id)
    }
}

/// What is known of the first of these subjects that the model has.
fn find(catalogue: &Catalogue, subjects: &[Subject<'_>], level: Option<f64>) -> Found {
    subjects
        .iter()
        .map(|subject| catalogue.find(subject, level))
        .find(|found| *found != Found::Nothing)
        .unwrap_or(Found::Nothing)
}

/// The run in the name of a file: `2025010600z-gep01.parquet`, `gep01_20250106_00z.parquet`.
fn run_of_name(name: &str) -> Option<ReferenceTime> {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|it| it.is_ascii_digit());
    let mut parts: Vec<&str> = name.split(['_', '-', '.', '/']).collect();
    parts.reverse();
    let mut after: Option<&str> = None;
    for part in parts {
        let bare = part.strip_suffix('z').unwrap_or(part);
        if digits(bare, 10) && bare.starts_with("20") {
            return bare.parse().ok();
        }
        if digits(part, 8) && part.starts_with("20") {
            let hour = after.map(|hour| hour.strip_suffix('z').unwrap_or(hour));
            return format!("{part}{}", hour.filter(|hour| digits(hour, 2))?).parse().ok();
        }
        after = Some(part);
    }
    None
}

/// What is used of a run: the labels of its axes.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    pub(crate) members: BTreeSet<u32>,
    pub(crate) steps: BTreeSet<u32>,
    pub(crate) variables: BTreeSet<String>,
}

impl Labels {
    pub(crate) fn add(&mut self, run: &RunReferences) {
        let mut seen: BTreeMap<u32, ()> = BTreeMap::new();
        for placed in &run.placed {
            self.members.insert(placed.member);
            self.steps.insert(placed.step);
            seen.insert(placed.slot.variable, ());
        }
        let names = &run.catalogue.run.variables;
        self.variables.extend(seen.keys().filter_map(|&at| names.get(at as usize).cloned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_in_names() {
        for name in [
            "2025010606z-gep01.parquet",
            "gep01_20250106_06z.parquet",
            "gefs_gep01_20250106_06z_fixed.par",
            "ecmwf_three_stage_20250106_06z/stage3_control_final.parquet",
            "20250106_06/gep01.par",
        ] {
            assert_eq!(run_of_name(name), Some("2025-01-06T06".parse().unwrap()), "{name}");
        }
        for name in ["stage3_control_final.parquet", "gefs-time-20241112-gep01-rt006.parquet", ""] {
            assert_eq!(run_of_name(name), None, "{name}");
        }
    }
}
