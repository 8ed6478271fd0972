//! The real index files; see `tests/fixtures/PROVENANCE.md`.

use gik_core::ReferenceTime;
use gik_index::noaa::{Derived, Expectations, Member, MemberSpec};

/// A real index and what its name says.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) lines: usize,
    run: &'static str,
    pub(crate) member: Option<MemberSpec>,
    first_lead_minutes: i64,
    lead_minutes: i64,
}

impl Fixture {
    pub(crate) fn text(&self) -> &'static str {
        str::from_utf8(self.bytes).unwrap()
    }

    pub(crate) fn expectations(&self) -> Expectations {
        Expectations {
            reference_time: Some(self.run.parse::<ReferenceTime>().unwrap()),
            member: self.member,
            lead_seconds: Some(self.lead_minutes * 60),
            first_lead_seconds: Some(self.first_lead_minutes * 60),
            object_size: None,
        }
    }
}

macro_rules! fixture {
    ($name:literal, $lines:literal, $run:literal, $member:expr, $first:expr, $last:expr) => {
        Fixture {
            name: $name,
            bytes: include_bytes!(concat!("../fixtures/", $name)),
            lines: $lines,
            run: $run,
            member: $member,
            first_lead_minutes: $first,
            lead_minutes: $last,
        }
    };
}

const MEAN: Option<MemberSpec> = Some(MemberSpec::Derived(Derived::Mean));
const CONTROL: Option<MemberSpec> = Some(MemberSpec::Member(Member::LowResolutionControl));
const FIRST: Option<MemberSpec> = Some(MemberSpec::Member(Member::Positive(1)));

/// Whole files of one run and lead.
#[rustfmt::skip]
pub(crate) static FILES: [Fixture; 15] = [
    fixture!("geavg.t00z.pgrb2s.0p25.f000.idx", 26, "2025-08-01T00", MEAN, 0, 0),
    fixture!("geavg.t00z.pgrb2s.0p25.f009.idx", 38, "2025-08-01T00", MEAN, 540, 540),
    fixture!("gec00.20260828.t00z.pgrb2s.0p25.f000.idx", 26, "2026-08-28T00", CONTROL, 0, 0),
    fixture!("gec00.t00z.pgrb2a.0p50.f432.idx", 85, "2025-08-01T00", CONTROL, 432 * 60, 432 * 60),
    fixture!("gec00.t00z.pgrb2b.0p50.f003.idx", 505, "2025-08-01T00", CONTROL, 180, 180),
    fixture!("gep01.t00z.pgrb2s.0p25.f015.idx", 38, "2025-08-01T00", FIRST, 900, 900),
    fixture!("gefs.chem.20260919.t00z.a2d_0p25.f003.excerpt.idx", 5, "2026-09-19T00", None, 180, 180),
    fixture!("gfs.t00z.pgrb2.0p25.f000.idx", 696, "2025-08-01T00", None, 0, 0),
    fixture!("gfs.t00z.pgrb2.0p25.f007.idx", 743, "2025-08-01T00", None, 420, 420),
    fixture!("gfswave.t18z.atlocn.0p16.f001.grib2.idx", 19, "2023-08-23T18", None, 60, 60),
    fixture!("hrrr.t00z.wrfsfcf00.grib2.idx", 170, "2025-08-01T00", None, 0, 0),
    fixture!("hrrr.t00z.wrfsfcf08.grib2.idx", 173, "2025-08-01T00", None, 480, 480),
    fixture!("hrrr.t00z.wrfsfcf24.grib2.idx", 173, "2025-08-01T00", None, 1440, 1440),
    fixture!("20231104_hrrr.t01z.wrfsubhf00.grib2.idx", 49, "2023-11-04T01", None, 0, 0),
    fixture!("20231104_hrrr.t01z.wrfsubhf09.grib2.idx", 196, "2023-11-04T01", None, 495, 540),
];

/// Lines of many files.
pub(crate) static TORTURE: &[u8] = include_bytes!("../fixtures/grammar_torture.idx");

pub(crate) fn fixture(name: &str) -> &'static Fixture {
    FILES.iter().find(|file| file.name == name).unwrap()
}
