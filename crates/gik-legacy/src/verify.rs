//! Placing references by what the headers of their messages say.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use gik_core::Parser;
use url::Url;

use crate::HeaderFacts;
use crate::findings::Finding;
use crate::import::{Importer, Placed, RunReferences};

/// A message that references point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    run: usize,
    source: u32,
    /// The file.
    pub url: Arc<str>,
    /// The first byte, counted from the start of the file.
    pub offset: u64,
    /// The number of bytes.
    pub length: u32,
}

/// What became of reading a message's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What it says.
    Message(HeaderFacts),
    /// There is no such message: why.
    NoMessage(String),
    /// It could not be read: why.
    Unreadable(String),
}

impl Importer<'_> {
    /// The messages that references point at, each once.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for (position, run) in self.runs.iter().enumerate() {
            let places: BTreeSet<_> = run
                .placed
                .iter()
                .filter(|it| it.length > 0)
                .map(|it| (it.source, it.offset, it.length))
                .collect();
            messages.extend(places.into_iter().filter_map(|(source, offset, length)| {
                let url = Arc::clone(run.sources.get(source as usize)?);
                Some(Message { run: position, source, url, offset, length })
            }));
        }
        messages
    }

    /// The models whose files are referred to, and where these lie.
    #[must_use]
    pub fn places(&self) -> Vec<(Arc<dyn Parser>, Url)> {
        self.runs
            .iter()
            .map(|run| (Arc::clone(&run.parser), run.catalogue.run.root.clone()))
            .collect()
    }

    /// Places the references by the headers of their messages; those without one are left out.
    pub fn judge(&mut self, verdicts: Vec<(Message, Verdict)>) {
        let verdicts: HashMap<(usize, u32, u64, u32), Verdict> = verdicts
            .into_iter()
            .map(|(it, verdict)| ((it.run, it.source, it.offset, it.length), verdict))
            .collect();
        let mut findings = std::mem::take(self.findings_mut());
        for (position, run) in self.runs.iter_mut().enumerate() {
            let placed = std::mem::take(&mut run.placed);
            let mut kept = Vec::with_capacity(placed.len());
            for reference in placed {
                if reference.length == 0 {
                    kept.push(reference);
                    continue;
                }
                let key = (position, reference.source, reference.offset, reference.length);
                let verdict = verdicts.get(&key);
                let place = || {
                    let url = run.sources.get(reference.source as usize);
                    let reason = match verdict {
                        Some(Verdict::NoMessage(text) | Verdict::Unreadable(text)) => text.as_str(),
                        _ => "",
                    };
                    format!(
                        "{} at byte {}{}{reason}",
                        url.map_or("", |url| url),
                        reference.offset,
                        if reason.is_empty() { "" } else { ": " },
                    )
                };
                let outcome = match verdict {
                    Some(Verdict::Message(header)) => run.replaced(&reference, header),
                    Some(Verdict::NoMessage(_)) => Err(Finding::WrongMessage),
                    Some(Verdict::Unreadable(_)) | None => Err(Finding::Unreadable),
                };
                match outcome {
                    Ok((replaced, finding)) => {
                        if let Some(finding) = finding {
                            findings.add(finding, place);
                        }
                        kept.push(replaced);
                    }
                    Err(finding) => findings.add(finding, place),
                }
            }
            run.placed = kept;
        }
        *self.findings_mut() = findings;
    }
}

impl RunReferences {
    /// A reference at the place that the header of its message says, and what that tells of the
    /// file.
    fn replaced(
        &self,
        reference: &Placed,
        header: &HeaderFacts,
    ) -> Result<(Placed, Option<Finding>), Finding> {
        let run = &self.catalogue.run;
        if header.reference_time != run.reference_time {
            return Err(Finding::WrongMessage);
        }
        let step = u32::try_from(header.window.end_seconds() / run.step_unit.seconds())
            .ok()
            .filter(|step| run.steps.binary_search(step).is_ok())
            .ok_or(Finding::StepUnknown)?;
        let member = match (&run.members, header.member) {
            (None, _) => 0,
            (Some(members), Some(member)) if members.contains(&member) => member,
            // Deterministic forecasts are the control of an ensemble.
            (Some(members), None) if members.contains(&0) => 0,
            _ => return Err(Finding::MemberUnknown),
        };
        let slot = header.level.and_then(|level| {
            self.catalogue.find_header(&header.parameter, level, &header.window, step)
        });
        let slot = slot.ok_or(Finding::UnknownVariable)?;
        let is_same = (reference.member, reference.step, reference.slot) == (member, step, slot);
        let finding = match (reference.is_open, is_same) {
            (true, _) => Some(Finding::PlacedByHeader),
            (false, true) => None,
            (false, false) => Some(Finding::HeaderCorrected),
        };
        let corrections = u8::from(!is_same);
        let placed = Placed { member, step, slot, is_open: false, corrections, ..*reference };
        Ok((placed, finding))
    }
}
