//! Generated files: with indexes and without, values and headers.

use gik_core::{BuildOptions, Headers, ManifestStore, Parser, Report, build_manifest};
use gik_hrrr::HrrrParser;
use gik_testkit::hrrr::{HrrrRun, Product};
use gik_testkit::mirror::{Mirror, runtime};

fn build(mirror: &Mirror, product: &str, steps: &str, no_index: bool) -> (ManifestStore, Report) {
    let mut request = mirror.request(product, "2025-08-01T00").unwrap();
    request.steps = Some(steps.parse().unwrap());
    let run = HrrrParser.run(&request).unwrap();
    let headers = if no_index { Headers::Always } else { Headers::WhereNeeded };
    let options = BuildOptions { headers, ..BuildOptions::default() };
    let mut reader = mirror.reader().unwrap();
    let build = build_manifest(&HrrrParser, &run, &options, &mut reader, &|_, _| {});
    runtime().unwrap().block_on(build).unwrap()
}

/// Every chunk of a store as (array, position, url, offset, length).
fn chunks(store: &ManifestStore) -> Vec<(String, u64, String, u64, u32)> {
    let mut all = Vec::new();
    for (name, array) in &store.group.data {
        for (index, entry) in array.chunks.virtual_chunks() {
            let url = store.sources.get(entry.source).unwrap().url.clone();
            all.push((name.clone(), index, url, entry.offset, entry.length.get()));
        }
    }
    all
}

#[test]
fn without_an_index_the_store_is_the_same() {
    for (product, name, steps, references) in [
        (Product::Sfc, "wrfsfc", "0-3", 170 + 173 + 173 + 173),
        (Product::Subh, "wrfsubh", "0-120", 49 + 8 * 49),
        (Product::Prs, "wrfprs", "3", 560),
        (Product::Nat, "wrfnat", "3", 1000),
    ] {
        let mirror = Mirror::new().unwrap();
        let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).product(product).hours(0..=3);
        run.write_headers(mirror.folder()).unwrap();
        let (indexed, report) = build(&mirror, name, steps, false);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(report.references, references, "{name}");
        for hour in 0..=3 {
            std::fs::remove_file(mirror.path(&format!("{}.idx", run.path(hour)))).unwrap();
        }
        let (scanned, report) = build(&mirror, name, steps, true);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(chunks(&indexed), chunks(&scanned), "{name}");
        // Without being told it does the same, and says so.
        let (fallen_back, report) = build(&mirror, name, steps, false);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(chunks(&indexed), chunks(&fallen_back));
        assert_eq!(report.diagnostics.len() as u64, report.files_used);
        assert!(report.diagnostics[0].text.contains("headers"), "{:?}", report.diagnostics[0]);
    }
}

#[test]
fn a_wrong_index_is_passed_over() {
    let mirror = Mirror::new().unwrap();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=3);
    run.write_headers(mirror.folder()).unwrap();
    let (whole, _) = build(&mirror, "wrfsfc", "2-3", false);
    let index = |hour| mirror.path(&format!("{}.idx", run.path(hour)));
    // One of another hour, and one cut off in the middle of a line.
    let cut = std::fs::read(index(3)).unwrap();
    std::fs::copy(index(3), index(2)).unwrap();
    std::fs::write(index(3), &cut[..cut.len() / 2]).unwrap();
    let (mended, report) = build(&mirror, "wrfsfc", "2-3", false);
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    assert_eq!(chunks(&whole), chunks(&mended));
    assert_eq!(report.diagnostics.len(), 2);
}

#[test]
fn alaska_lacks_what_is_not_known_to_be_there() {
    let mirror = Mirror::new().unwrap();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).alaska().hours(3..=3);
    run.write_headers(mirror.folder()).unwrap();
    let (_, report) = build(&mirror, "wrfsfc-ak", "3", false);
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    assert_eq!((report.references, report.references_expected), (173, 173));
}
