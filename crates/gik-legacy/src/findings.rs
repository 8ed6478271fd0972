//! What reference files say wrongly, and what was done about it.

use std::collections::BTreeMap;

/// One kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// A url without the ending of its file: added.
    SuffixAdded,
    /// A url of a file that the model does not have, beside the one that is meant: replaced.
    UrlCorrected,
    /// A url of a place that a store cannot refer to: the model's public bucket, which has the same
    /// files, was taken.
    PlaceReplaced,
    /// The step of a key is another than that of its url: the url's was taken.
    StepOfUrl,
    /// The member of a key is another than that of its url: the url's was taken.
    MemberOfUrl,
    /// The valid time is stored as the reference time: the url's run was taken.
    TimeIsValidTime,
    /// A level is stored that is none, a member's number for example: the table's was taken.
    LevelCorrected,
    /// The name of the file says another run than its urls: the urls' was taken.
    FileNameOfOtherRun,
    /// The bytes of a message stand in the place of a reference: kept, placed by its header.
    InlineMessage,
    /// The header says another place than the key: the header's was taken.
    HeaderCorrected,
    /// The key does not say the place, the header does: placed.
    PlacedByHeader,
    /// Arrays that hold no references, or those of two scanned files beside the references of all
    /// files: left out.
    Placeholder,
    /// The message is none that the model's table has: left out.
    UnknownVariable,
    /// Which of several levels it is of nobody knows: left out.
    LevelUnknown,
    /// Which of several arrays it belongs to nobody knows: left out.
    Ambiguous,
    /// The step cannot be told: left out.
    StepUnknown,
    /// The member cannot be told: left out.
    MemberUnknown,
    /// The url is of no model: left out.
    ForeignUrl,
    /// A chunk outside of its array: left out.
    OutsideArray,
    /// A row that cannot be used: left out.
    BadRow,
    /// Two references for one place: the first was taken.
    Conflict,
    /// There is no message at the place of the reference, or it is of another run: left out.
    WrongMessage,
    /// The message could not be read to verify it: left out.
    Unreadable,
    /// A file that could not be read at all.
    BadFile,
    /// Lines of a fresh index that the template does not know: left out.
    NotInTemplate,
    /// Rows of the template that no line of the fresh index has.
    NotInIndex,
}

impl Finding {
    /// Whether something is lost by it that was meant to be in the store.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::LevelUnknown
                | Self::Ambiguous
                | Self::StepUnknown
                | Self::MemberUnknown
                | Self::ForeignUrl
                | Self::BadRow
                | Self::Conflict
                | Self::WrongMessage
                | Self::Unreadable
                | Self::BadFile
                | Self::NotInIndex
                | Self::UnknownVariable
                | Self::OutsideArray
                | Self::NotInTemplate
        )
    }

    /// The name in `--json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    /// What it is, in a sentence with a count before it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.texts().1
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::SuffixAdded => ("suffix_added", "urls lacked the ending of their file; added"),
            Self::UrlCorrected => {
                ("url_corrected", "urls name a file that there is none of; the one beside it taken")
            }
            Self::PlaceReplaced => (
                "place_replaced",
                "urls lie where stores cannot refer to; the model's public bucket taken",
            ),
            Self::StepOfUrl => {
                ("step_of_url", "keys say another step than their url; the url's taken")
            }
            Self::MemberOfUrl => {
                ("member_of_url", "keys say another member than their url; the url's taken")
            }
            Self::TimeIsValidTime => (
                "time_is_valid_time",
                "arrays have the valid time as reference time; the urls' run taken",
            ),
            Self::LevelCorrected => {
                ("level_corrected", "arrays have a level that is none of theirs; the model's taken")
            }
            Self::FileNameOfOtherRun => (
                "file_name_of_other_run",
                "file names say another run than their urls; the urls' taken",
            ),
            Self::InlineMessage => {
                ("inline_message", "whole messages stand in place of references; kept")
            }
            Self::HeaderCorrected => {
                ("header_corrected", "references moved to where their message's header says")
            }
            Self::PlacedByHeader => (
                "placed_by_header",
                "references without a known place; put where their header says",
            ),
            Self::Placeholder => (
                "placeholder",
                "arrays of a template or of two scanned files beside the references; left out",
            ),
            Self::UnknownVariable => {
                ("unknown_variable", "references to what the model's table does not have; left out")
            }
            Self::LevelUnknown => (
                "level_unknown",
                "references whose level nobody knows; left out (--verify reads it)",
            ),
            Self::Ambiguous => (
                "ambiguous",
                "references that several arrays could have; left out (--verify tells)",
            ),
            Self::StepUnknown => ("step_unknown", "references without a step; left out"),
            Self::MemberUnknown => ("member_unknown", "references without a member; left out"),
            Self::ForeignUrl => ("foreign_url", "references to files of no model's run; left out"),
            Self::OutsideArray => ("outside_array", "chunks outside of their array; left out"),
            Self::BadRow => ("bad_row", "rows that cannot be used; left out"),
            Self::Conflict => ("conflict", "references for a place that has another; left out"),
            Self::WrongMessage => {
                ("wrong_message", "references with no message, or another run's; left out")
            }
            Self::Unreadable => ("unreadable", "references that could not be verified; left out"),
            Self::BadFile => ("bad_file", "files that could not be read"),
            Self::NotInTemplate => {
                ("not_in_template", "messages that the template does not know; left out")
            }
            Self::NotInIndex => {
                ("not_in_index", "messages of the template that the index does not have")
            }
        }
    }
}

/// Places that are kept of each kind.
const PLACES_KEPT: usize = 3;

/// How often each kind was found, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    counts: BTreeMap<Finding, (u64, Vec<String>)>,
}

impl Findings {
    /// Counts one more; `place` says where, for the first few.
    pub fn add(&mut self, finding: Finding, place: impl FnOnce() -> String) {
        self.add_many(finding, 1, place);
    }

    /// Counts `count` more at one place.
    pub fn add_many(&mut self, finding: Finding, count: u64, place: impl FnOnce() -> String) {
        if count == 0 {
            return;
        }
        let (total, places) = self.counts.entry(finding).or_default();
        *total += count;
        if places.len() < PLACES_KEPT {
            places.push(place());
        }
    }

    /// How often a kind was found.
    #[must_use]
    pub fn count(&self, finding: Finding) -> u64 {
        self.counts.get(&finding).map_or(0, |(count, _)| *count)
    }

    /// Each kind that was found: how often, and the first places.
    pub fn iter(&self) -> impl Iterator<Item = (Finding, u64, &[String])> {
        self.counts.iter().map(|(&finding, (count, places))| (finding, *count, &places[..]))
    }

    /// Whether something was lost.
    #[must_use]
    pub fn has_loss(&self) -> bool {
        self.counts.keys().any(|finding| finding.is_loss())
    }
}
