//! The generator against what is known of the real files.

use super::{EcmwfRun, Product};
use crate::ecmwf::table::parameters;

fn run(product: Product, time: &str) -> EcmwfRun {
    EcmwfRun::new(time.parse().unwrap(), product)
}

/// Messages of the file of a step, of all kinds together.
fn count(run: &EcmwfRun, step: u32) -> usize {
    run.kinds().iter().map(|kind| run.targets(kind, step, |_| true).len()).sum()
}

#[test]
fn files_have_as_many_messages_as_the_real_ones() {
    assert_eq!(parameters().len(), 118);
    // 51 members of 160 fields: 9 variables on 13 levels, 8 of the soil, 35 of the surface.
    assert_eq!(count(&run(Product::Enfo, "2026-02-05T00"), 0), 8160);
    // 2025-03-01: 106 and 102.
    let aifs = run(Product::AifsSingle, "2025-03-01T00");
    assert_eq!((count(&aifs, 0), count(&aifs, 6)), (106, 102));
    assert_eq!(run(Product::Enfo, "2026-02-05T00").published_steps().count(), 85);
}

#[test]
fn files_lie_where_they_lay() {
    let path = |product, time| {
        let run = run(product, time).members(0..=0).steps(6..=6);
        run.files(&["2t"]).unwrap()[0].path.split_once('z').unwrap().1.to_owned()
    };
    let of = |product, time, folder: &str| {
        let path = path(product, time);
        assert!(path.starts_with(folder), "{path}");
    };
    of(Product::Enfo, "2022-01-25T00", "/0p4-beta/enfo/");
    of(Product::Oper, "2024-02-01T06", "/0p25/scda/");
    of(Product::Enfo, "2024-02-28T06", "/ifs/0p25/enfo/");
    of(Product::AifsSingle, "2025-02-24T00", "/aifs/0p25/oper/");
    of(Product::AifsSingle, "2025-02-25T06", "/aifs-single/0p25/experimental/oper/");
    of(Product::AifsSingle, "2025-02-25T12", "/aifs-single/0p25/oper/");
}

#[test]
fn the_control_moves_at_50r1() {
    let members = |time: &str| {
        let kinds = run(Product::Enfo, time).kinds();
        kinds.iter().map(|kind| (kind.stream, kind.members.clone())).collect::<Vec<_>>()
    };
    assert_eq!(members("2026-05-12T00"), [("enfo", 0..=50)]);
    assert_eq!(members("2026-05-12T06"), [("enfo", 1..=50), ("oper", 0..=0)]);
}

#[test]
fn lines_are_those_of_the_bucket() {
    let run = run(Product::Enfo, "2025-09-30T06").members(29..=29).steps(135..=135);
    let files = run.files(&["2t"]).unwrap();
    let line = files[0].index.lines().next().unwrap();
    let start = r#"{"domain": "g", "date": "20250930", "time": "0600", "expver": "0001", "class": "od", "type": "pf", "stream": "enfo", "step": "135", "levtype": "sfc", "number": "29", "param": "2t", "_offset": 0, "_length": "#;
    assert!(line.starts_with(start), "{line}");
}

#[test]
fn the_demo_bundle_is_what_the_generator_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../gik/demo/ecmwf-demo.tar");
    assert!(std::fs::read(path).unwrap() == super::demo_bundle().unwrap());
}
