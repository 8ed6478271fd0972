//! Real indexes of all eras: every line becomes a reference, and nothing is missed.

use gik_core::{Parser, SchemaOptions};
use gik_gefs::GefsParser;
use gik_testkit::conformance;

use gik_testkit::mirror::{Mirror, runtime};

use crate::{Fixture, put};

/// The size of the last message, which no index tells.
const LAST: u64 = 4321;

#[test]
fn every_line_becomes_a_reference() {
    let fixtures = Fixture::all();
    assert_eq!(fixtures.len(), 20);
    for fixture in fixtures {
        let mirror = Mirror::new().unwrap();
        put(&mirror, &fixture.path, fixture.text.as_bytes(), fixture.last_offset + LAST);
        let run = fixture.run(&mirror);
        let source = &GefsParser.sources(&run).unwrap()[0];
        let reader = mirror.reader().unwrap();
        let file =
            runtime().unwrap().block_on(GefsParser.references(&run, source, &reader)).unwrap();
        assert!(file.diagnostics.is_empty(), "{}: {:?}", fixture.path, file.diagnostics);
        assert_eq!(file.references.len(), fixture.lines, "{}", fixture.path);
        assert_eq!(source.expected as usize, fixture.lines, "{}", fixture.path);
        assert_eq!(file.lines as usize, fixture.lines);

        // Ranges cover the file, each line once.
        let mut ranges: Vec<(u64, u64)> =
            file.references.iter().map(|it| (it.offset, it.length.get().into())).collect();
        ranges.sort_unstable();
        let mut end = 0;
        for (offset, length) in ranges {
            assert_eq!(offset, end, "{}", fixture.path);
            end += length;
        }
        assert_eq!(end, fixture.last_offset + LAST);
    }
}

#[test]
fn a_known_message_lies_where_the_index_says() {
    let fixture = Fixture::read("gep01.20250801.t00z.pgrb2s.0p25.f015.idx");
    let mirror = Mirror::new().unwrap();
    put(&mirror, &fixture.path, fixture.text.as_bytes(), fixture.last_offset + LAST);
    let run = fixture.run(&mirror);
    let source = &GefsParser.sources(&run).unwrap()[0];
    let file = runtime()
        .unwrap()
        .block_on(GefsParser.references(&run, source, &mirror.reader().unwrap()))
        .unwrap();
    let find = |name: &str| {
        let position = run.variables.iter().position(|it| it == name).unwrap();
        let found = file.references.iter().find(|it| it.variable as usize == position).unwrap();
        (found.offset, found.length.get())
    };
    // 18:8838298:…:APCP:surface:12-15 hour acc fcst, 19:9080634:…
    assert_eq!(find("tp"), (8_838_298, 242_336));
    assert_eq!(find("prmsl"), (17_007_489, 4321));
    assert_eq!(find("cape"), (10_549_059, 527_771));
    assert_eq!(find("cape_180_0mb"), (16_084_881, 536_060));
}

#[test]
fn a_variable_of_both_files_is_one_array() {
    let mirror = Mirror::new().unwrap();
    let a = Fixture::read("gec00.20201001.t00z.pgrb2a.0p50.f000.idx");
    let b = Fixture::read("gec00.20201001.t00z.pgrb2b.0p50.f000.idx");
    for fixture in [&a, &b] {
        put(&mirror, &fixture.path, fixture.text.as_bytes(), fixture.last_offset + LAST);
    }
    let mut request = a.request(&mirror);
    request.product = Some("pgrb2abp5".into());
    request.variables = Some(vec!["gh".into(), "soilw".into()]);
    let run = GefsParser.run(&request).unwrap();
    let build = async {
        let options = gik_core::BuildOptions::default();
        gik_core::build_manifest(
            &GefsParser,
            &run,
            &options,
            &mut mirror.reader().unwrap(),
            &|_, _| {},
        )
        .await
    };
    let (store, report) = runtime().unwrap().block_on(build).unwrap();
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    // 11 levels in a and 20 in b; 1 and 3 of the soil.
    assert_eq!(store.group.array("gh").unwrap().chunks.virtual_count(), 31);
    assert_eq!(store.group.array("soilw").unwrap().chunks.virtual_count(), 4);
    assert_eq!(store.sources.len(), 2);
}

#[test]
fn the_parser_keeps_its_promises() {
    for fixture in Fixture::all() {
        let mirror = Mirror::new().unwrap();
        put(&mirror, &fixture.path, fixture.text.as_bytes(), fixture.last_offset + LAST);
        let request = fixture.request(&mirror);
        runtime()
            .unwrap()
            .block_on(conformance::check(&GefsParser, &request, &mirror.stores().unwrap()))
            .unwrap_or_else(|broken| panic!("{}: {broken}", fixture.path));
    }
}

#[test]
fn no_byte_of_a_data_file_is_read() {
    // A sparse file has no byte to read; its time of access says whether anyone tried.
    let fixture = Fixture::read("gep01.20250801.t00z.pgrb2s.0p25.f015.idx");
    let mirror = Mirror::new().unwrap();
    put(&mirror, &fixture.path, fixture.text.as_bytes(), 1 << 34);
    let run = fixture.run(&mirror);
    let source = &GefsParser.sources(&run).unwrap()[0];
    let reader = mirror.reader().unwrap();
    // The last message would be 16 GiB: its length is refused, the others stand.
    let file = runtime().unwrap().block_on(GefsParser.references(&run, source, &reader)).unwrap();
    assert_eq!(file.references.len(), fixture.lines - 1);
    assert_eq!(reader.requests(), 2, "one for the index, one for the size of its file");
    let group = GefsParser.schema(&run, &SchemaOptions::default()).unwrap();
    assert_eq!(group.virtual_count(), 0);
}
