//! Real indexes: every line becomes a reference, and nothing is missed.

use std::collections::BTreeSet;

use gik_core::Parser;
use gik_ecmwf::EcmwfParser;
use gik_testkit::conformance;

use gik_testkit::mirror::{Mirror, runtime};

use crate::{fixture, put};

const SIZE: [u64; 2] = [79_888_489, 77_642_846];

fn mirror() -> Mirror {
    let mirror = Mirror::new().unwrap();
    for (step, size) in [0, 6].into_iter().zip(SIZE) {
        let folder = "20250301/00z/aifs-single/0p25/oper";
        let text = fixture(&format!("aifs_single_20250301_00z_{step}h.index"));
        let path = format!("{folder}/20250301000000-{step}h-oper-fc.grib2");
        put(&mirror, &path, text.as_bytes(), size);
    }
    mirror
}

#[test]
fn every_line_becomes_a_reference() {
    let mirror = mirror();
    let mut request = mirror.request("aifs-single", "2025-03-01T00").unwrap();
    request.steps = Some("0-6".parse().unwrap());
    let (store, report) = mirror.build(&EcmwfParser, &request).unwrap();
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    assert!(report.diagnostics.is_empty(), "{:?}", report.diagnostics);
    assert_eq!((report.references, report.lines), (208, 208));
    assert_eq!(store.group.array("z").unwrap().metadata.shape, [1, 2, 14, 721, 1440]);
    assert_eq!(store.group.array("z_surface").unwrap().chunks.virtual_count(), 1);
}

#[test]
fn ranges_cover_the_file() {
    let mirror = mirror();
    let mut request = mirror.request("aifs-single", "2025-03-01T00").unwrap();
    request.steps = Some("6".parse().unwrap());
    let run = EcmwfParser.run(&request).unwrap();
    let file = mirror.read(&EcmwfParser, &run).unwrap();
    let ranges: BTreeSet<(u64, u64)> =
        file.references.iter().map(|it| (it.offset, it.length.get().into())).collect();
    let mut end = 0;
    for (offset, length) in ranges {
        assert_eq!(offset, end);
        end += length;
    }
    assert_eq!(end, SIZE[1]);
    // {"step": "6", "levelist": "1", "levtype": "sol", "param": "vsw", "_offset": 0, …}
    let position = run.variables.iter().position(|name| name == "vsw").unwrap();
    let soil = file.references.iter().find(|it| it.offset == 0).unwrap();
    assert_eq!((soil.variable as usize, soil.level, soil.length.get()), (position, 0, 712_117));
}

#[test]
fn the_parser_keeps_its_promises() {
    let mirror = mirror();
    let mut request = mirror.request("aifs-single", "2025-03-01T00").unwrap();
    request.steps = Some("0-6".parse().unwrap());
    let stores = mirror.stores().unwrap();
    let check = conformance::check(&EcmwfParser, &request, &stores);
    runtime().unwrap().block_on(check).unwrap();
}
