//! Members of an ensemble, and what is derived from all of them.

use std::fmt;

/// Which member of an ensemble, or what of the ensemble, a message is: code tables 4.6
/// and 4.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberSpec {
    /// One member.
    Member(Member),
    /// Something computed from the members.
    Derived(Derived),
}

/// One member of an ensemble, code table 4.6. Its number counts from 1 within its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Member {
    /// `ENS=hi-res ctl`: the unperturbed high-resolution control.
    HighResolutionControl,
    /// `ENS=low-res ctl`: the unperturbed low-resolution control (`gec00`).
    LowResolutionControl,
    /// `ENS=-N`: negatively perturbed.
    Negative(u32),
    /// `ENS=+N`: positively perturbed (`gep01` is 1).
    Positive(u32),
    /// `ENS=N`: NCEP's own kind, without a sign.
    Unsigned(u32),
    /// `MM-ENS=N`: of a multi-model ensemble.
    MultiModel(u32),
    /// `NP-ENS=N`: not perturbed.
    NotPerturbed(u32),
    /// `P-ENS=N`: perturbed.
    Perturbed(u32),
    /// `IC-ENS=N`: perturbed initial condition.
    InitialCondition(u32),
    /// `MP-ENS=N`: perturbed model physics.
    ModelPhysics(u32),
    /// `ICMP-ENS=N`: both perturbed.
    InitialConditionAndPhysics(u32),
}

/// Before the number, and what it makes of it.
type Prefixed = (&'static str, fn(u32) -> Member);

/// The controls, which have no number.
const CONTROLS: [(&str, Member); 2] = [
    ("ENS=hi-res ctl", Member::HighResolutionControl),
    ("ENS=low-res ctl", Member::LowResolutionControl),
];

/// A prefix comes before those that begin like it.
const NUMBERED: [Prefixed; 9] = [
    ("ENS=-", Member::Negative),
    ("ENS=+", Member::Positive),
    ("ENS=", Member::Unsigned),
    ("MM-ENS=", Member::MultiModel),
    ("NP-ENS=", Member::NotPerturbed),
    ("P-ENS=", Member::Perturbed),
    ("IC-ENS=", Member::InitialCondition),
    ("MP-ENS=", Member::ModelPhysics),
    ("ICMP-ENS=", Member::InitialConditionAndPhysics),
];

impl Member {
    const fn number(self) -> Option<u32> {
        match self {
            Self::HighResolutionControl | Self::LowResolutionControl => None,
            Self::Negative(number)
            | Self::Positive(number)
            | Self::Unsigned(number)
            | Self::MultiModel(number)
            | Self::NotPerturbed(number)
            | Self::Perturbed(number)
            | Self::InitialCondition(number)
            | Self::ModelPhysics(number)
            | Self::InitialConditionAndPhysics(number) => Some(number),
        }
    }
}

/// A forecast derived from all members, code table 4.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Derived {
    /// `ens mean`.
    Mean,
    /// `wt ens mean`: weighted.
    WeightedMean,
    /// `ens std dev`.
    StandardDeviation,
    /// `cluster std dev`.
    ClusterStandardDeviation,
    /// `normalized ens std dev`.
    NormalizedStandardDeviation,
    /// `normalized cluster std dev`.
    NormalizedClusterStandardDeviation,
    /// `ens spread`.
    Spread,
    /// `ens large anom index`.
    LargeAnomalyIndex,
    /// `unwt ens mean`: unweighted.
    UnweightedMean,
    /// `unwt cluster mean`.
    UnweightedClusterMean,
    /// `25%-75% range`.
    InterquartileRange,
    /// `min all members`.
    Minimum,
    /// `max all members`.
    Maximum,
    /// `unwt mode all members`.
    Mode,
    /// `NN% all members`: NCEP's percentiles.
    Percentile(u8),
}

/// wgrib2's words, without those that hold a number.
const DERIVED: [(&str, Derived); 14] = [
    ("ens mean", Derived::Mean),
    ("wt ens mean", Derived::WeightedMean),
    ("ens std dev", Derived::StandardDeviation),
    ("cluster std dev", Derived::ClusterStandardDeviation),
    ("normalized ens std dev", Derived::NormalizedStandardDeviation),
    ("normalized cluster std dev", Derived::NormalizedClusterStandardDeviation),
    ("ens spread", Derived::Spread),
    ("ens large anom index", Derived::LargeAnomalyIndex),
    ("unwt ens mean", Derived::UnweightedMean),
    ("unwt cluster mean", Derived::UnweightedClusterMean),
    ("25%-75% range", Derived::InterquartileRange),
    ("min all members", Derived::Minimum),
    ("max all members", Derived::Maximum),
    ("unwt mode all members", Derived::Mode),
];

impl MemberSpec {
    /// Reads wgrib2's spelling.
    #[must_use]
    pub fn from_wgrib2(text: &str) -> Option<Self> {
        if text.contains("ENS=") {
            if let Some((_, member)) = CONTROLS.iter().find(|(words, _)| *words == text) {
                return Some(Self::Member(*member));
            }
            let (digits, member) = NUMBERED
                .iter()
                .find_map(|(prefix, member)| Some((text.strip_prefix(prefix)?, member)))?;
            return number(digits).map(|number| Self::Member(member(number)));
        }
        if let Some((_, derived)) = DERIVED.iter().find(|(words, _)| *words == text) {
            return Some(Self::Derived(*derived));
        }
        let percent = u8::try_from(number(text.strip_suffix("% all members")?)?).ok()?;
        Some(Self::Derived(Derived::Percentile(percent)))
    }
}

/// Digits only: `FromStr` would take a sign, too.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl From<Member> for MemberSpec {
    fn from(member: Member) -> Self {
        Self::Member(member)
    }
}

impl From<Derived> for MemberSpec {
    fn from(derived: Derived) -> Self {
        Self::Derived(derived)
    }
}

impl fmt::Display for MemberSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(member) => member.fmt(f),
            Self::Derived(derived) => derived.fmt(f),
        }
    }
}

/// wgrib2's spelling.
impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number() {
            let is_it = |(_, kind): &&Prefixed| kind(number) == *self;
            let prefix = NUMBERED.iter().find(is_it).map_or("ENS=?", |(prefix, _)| prefix);
            return write!(f, "{prefix}{number}");
        }
        let words = CONTROLS.iter().find(|(_, member)| member == self);
        f.write_str(words.map_or("ENS=?", |(words, _)| words))
    }
}

/// wgrib2's spelling.
impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Percentile(percent) = self {
            return write!(f, "{percent}% all members");
        }
        let words = DERIVED.iter().find(|(_, derived)| derived == self);
        f.write_str(words.map_or("unknown derived fcst", |(words, _)| words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let mut texts: Vec<String> = Vec::new();
        texts.extend(CONTROLS.iter().map(|(words, _)| (*words).to_owned()));
        texts.extend(NUMBERED.iter().map(|(prefix, _)| format!("{prefix}19")));
        texts.extend(DERIVED.iter().map(|(words, _)| (*words).to_owned()));
        texts.push("95% all members".to_owned());
        let mut seen = Vec::new();
        for text in texts {
            let spec = MemberSpec::from_wgrib2(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(spec.to_string(), text);
            assert!(!seen.contains(&spec), "{text}");
            seen.push(spec);
        }
        assert_eq!(
            MemberSpec::from_wgrib2("ENS=+30"),
            Some(MemberSpec::Member(Member::Positive(30)))
        );
        for text in ["", "ENS=", "ENS=+", "ENS=++1", "ENS=low-res", "ens", "+1", "x% all members"] {
            assert_eq!(MemberSpec::from_wgrib2(text), None, "{text}");
        }
    }
}
