//! Where messages end.

use gik_index::noaa::{self, Index};

use crate::fixtures::{FILES, fixture};

fn ranges(index: &Index<'_>, size: Option<u64>) -> Vec<(u64, Option<u64>)> {
    index.ranges(size).iter().map(|r| (r.offset, r.length.map(std::num::NonZeroU64::get))).collect()
}

#[test]
fn whole_files_are_covered() {
    for file in &FILES {
        let index = noaa::parse(file.bytes);
        let size = index.entries.last().unwrap().offset + 1000;
        let ranges = ranges(&index, Some(size));
        let mut at = 0;
        for (offset, length) in ranges {
            assert_eq!(offset, at, "{}", file.name);
            at += length.unwrap();
        }
        assert_eq!(at, size);
        assert_eq!(index.ranges(None).last().unwrap().length, None);
    }
}

/// The GRIB file of this index has 690 200 bytes.
#[test]
fn last_message_of_a_real_file() {
    let index = noaa::parse(fixture("gfswave.t18z.atlocn.0p16.f001.grib2.idx").bytes);
    assert_eq!(ranges(&index, Some(690_200)).last(), Some(&(657_151, Some(33_049))));
}

#[test]
fn submessages_duplicates_and_disorder() {
    let line =
        |message: &str, offset: u64| format!("{message}:{offset}:d=2025010600:A:surface:anl:\n");
    let text = [
        line("2.1", 50),
        line("2.2", 50),
        line("1", 0),
        line("4", 90),
        line("3", 70),
        line("3", 70),
    ]
    .concat();
    let index = noaa::parse(text.as_bytes());
    assert_eq!(
        ranges(&index, Some(100)),
        [
            (50, Some(20)),
            (50, Some(20)),
            (0, Some(50)),
            (90, Some(10)),
            (70, Some(20)),
            (70, Some(20))
        ]
    );
    let sorted = [line("1.1", 0), line("1.2", 0), line("2.1", 7), line("2.2", 7)].concat();
    let index = noaa::parse(sorted.as_bytes());
    assert_eq!(ranges(&index, Some(9)), [(0, Some(7)), (0, Some(7)), (7, Some(2)), (7, Some(2))]);
    assert_eq!(ranges(&index, None), [(0, Some(7)), (0, Some(7)), (7, None), (7, None)]);
}

#[test]
fn nothing_past_the_end() {
    let text = "1:0:d=2025010600:A:surface:anl:\n\
                2:50:d=2025010600:A:surface:anl:\n\
                3:80:d=2025010600:A:surface:anl:\n\
                4:18446744073709551615:d=2025010600:A:surface:anl:\n";
    let index = noaa::parse(text.as_bytes());
    let last = u64::MAX;
    for (size, expected) in [
        (None, [Some(50), Some(30), Some(last - 80), None]),
        (Some(last), [Some(50), Some(30), Some(last - 80), None]),
        (Some(100), [Some(50), Some(30), None, None]),
        (Some(80), [Some(50), Some(30), None, None]),
        (Some(60), [Some(50), None, None, None]),
        (Some(0), [None; 4]),
    ] {
        let lengths: Vec<_> = ranges(&index, size).into_iter().map(|(_, length)| length).collect();
        assert_eq!(lengths, expected, "{size:?}");
    }
}

#[test]
fn last_message_of_a_cut_index() {
    let head = "1:0:d=2025010600:A:surface:anl:\n2:50:d=2025010600:A:surface:anl:\n";
    // Cut inside an offset: it may be 8, 80, 800, …, so the second message has no end.
    let cut = format!("{head}3:8");
    let index = noaa::parse(cut.as_bytes());
    assert!(index.is_truncated());
    assert_eq!(ranges(&index, Some(1000)), [(0, Some(50)), (50, None)]);
    // Cut after it.
    let cut = format!("{head}3:80:d=20");
    let index = noaa::parse(cut.as_bytes());
    assert!(index.is_truncated());
    assert_eq!(ranges(&index, Some(1000)), [(0, Some(50)), (50, Some(30))]);
}
