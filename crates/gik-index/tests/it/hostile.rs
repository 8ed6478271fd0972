//! Bytes that no wgrib2 wrote.

use gik_index::noaa::{self, DIAGNOSTICS_KEPT, Derived, Expectations, Member, MemberSpec};
use proptest::prelude::*;

use crate::fixtures::{FILES, TORTURE};

/// Whatever the bytes are: no panic, and nothing that contradicts itself.
fn survive(bytes: &[u8], size: Option<u64>) {
    let index = noaa::parse(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').count();
    assert!(index.entries.len() <= lines);
    assert!(index.diagnostics.len() <= DIAGNOSTICS_KEPT);
    for diagnostic in &index.diagnostics {
        assert!((1..=lines).contains(&diagnostic.line) && diagnostic.byte < bytes.len());
        assert!(diagnostic.to_string().len() < 2000);
    }
    for entry in &index.entries {
        assert!(entry.qualifiers().count() <= entry.qualifiers_text().len());
        if let Some(window) = entry.window.value {
            assert!(window.start_seconds() >= 0 && window.length_seconds() >= 0);
        }
    }
    let ranges = index.ranges(size);
    assert_eq!(ranges.len(), index.entries.len());
    for (range, entry) in ranges.iter().zip(&index.entries) {
        assert_eq!(range.offset, entry.offset);
        if let Some(length) = range.length {
            let end = range.offset.checked_add(length.get()).unwrap();
            assert!(size.is_none_or(|size| end <= size));
        }
    }
    let member: Option<MemberSpec> = match bytes.len() % 3 {
        0 => None,
        1 => Some(Member::LowResolutionControl.into()),
        _ => Some(Derived::Mean.into()),
    };
    let expectations = Expectations {
        reference_time: index.entries.first().map(|entry| entry.reference_time),
        member,
        lead_seconds: Some(10_800),
        first_lead_seconds: None,
        object_size: size,
    };
    for problem in index.check(&expectations) {
        assert!(problem.to_string().len() < 2000);
    }
}

fn sizes() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), Just(Some(0)), Just(Some(u64::MAX)), (0..30_000_000_u64).prop_map(Some)]
}

fn files() -> impl Strategy<Value = Vec<u8>> {
    // The larger files hold nothing that these do not.
    let small = FILES.iter().map(|file| file.bytes).filter(|bytes| bytes.len() < 11_000);
    proptest::sample::select(small.chain([TORTURE]).collect::<Vec<_>>()).prop_map(<[u8]>::to_vec)
}

#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Replace(usize, Vec<u8>),
    DropLine(usize),
    SwapLines(usize, usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![
        Just("18446744073709551615".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just("-9223372036854775808".to_owned()),
        Just("4294967296".to_owned()),
        "-?[0-9]{1,40}",
        "[0-9]e-?[0-9]{1,12}",
    ];
    prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (any::<usize>(), number).prop_map(|(at, text)| Damage::Replace(at, text.into_bytes())),
        (any::<usize>(), "[:\\r\\n. =+-]{1,3}")
            .prop_map(|(at, t)| Damage::Replace(at, t.into_bytes())),
        any::<usize>().prop_map(Damage::DropLine),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Cut(at) => bytes.truncate(at % bytes.len()),
            Self::Flip(at, bits) => {
                let at = at % bytes.len();
                bytes[at] ^= bits;
            }
            // A number at `at`, if there is one, or nothing gives way to the new text.
            Self::Replace(at, text) => {
                let at = at % bytes.len();
                let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                bytes.splice(at..at + digits, text.iter().copied());
            }
            Self::DropLine(at) => self.reorder(bytes, |lines| {
                lines.remove(at % lines.len());
            }),
            Self::SwapLines(one, other) => self.reorder(bytes, |lines| {
                let count = lines.len();
                lines.swap(one % count, other % count);
            }),
        }
    }

    fn reorder(&self, bytes: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut lines: Vec<Vec<u8>> =
            bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
        change(&mut lines);
        *bytes = lines.concat();
    }
}

proptest! {
    #[test]
    fn damaged_files(
        mut bytes in files(),
        damages in proptest::collection::vec(damages(), 1..8),
        size in sizes(),
    ) {
        for damage in damages {
            damage.apply(&mut bytes);
        }
        survive(&bytes, size);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600), size in sizes()) {
        survive(&bytes, size);
    }

    #[test]
    fn nearly_lines(
        lines in proptest::collection::vec("[0-9.]{0,3}:[0-9]{0,21}:[dD]=[0-9]{8,14}:.{0,9}:.{0,9}:.{0,9}(:.{0,9}){0,3}", 0..9),
        ending in "(\n|\r\n|\r)",
        size in sizes(),
    ) {
        survive(lines.join(&ending).as_bytes(), size);
    }
}

#[test]
fn much_of_nothing() {
    for unit in ["x\n", "\n", ":", "1:", ":\n", "\r", "1:0:d=2025010600:A:surface:anl:::::", "0"] {
        survive(unit.repeat(200_000).as_bytes(), Some(1));
    }
    let index = noaa::parse("x\n".repeat(1000).as_bytes()).diagnostics_left_off;
    assert_eq!(index, 1000 - DIAGNOSTICS_KEPT);
}
