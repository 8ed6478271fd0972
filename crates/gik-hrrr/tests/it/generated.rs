//! Generated files: with indexes and without, values and headers.

use gik_core::{Headers, ManifestStore, Problem, Report};
use gik_hrrr::HrrrParser;
use gik_testkit::grib::renumber;
use gik_testkit::hrrr::{HrrrRun, Product};
use gik_testkit::mirror::{Mirror, difference};
use serde_json::json;

fn build(mirror: &Mirror, product: &str, steps: &str, headers: Headers) -> (ManifestStore, Report) {
    let mut request = mirror.request(product, "2025-08-01T00").unwrap();
    request.steps = Some(steps.parse().unwrap());
    mirror.build_from(&HrrrParser, &request, headers).unwrap()
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
        let (indexed, report) = build(&mirror, name, steps, Headers::WhereNeeded);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(report.references, references, "{name}");
        assert_eq!(mirror.remove(".idx").unwrap(), 4);
        let (scanned, report) = build(&mirror, name, steps, Headers::Always);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(difference(&indexed, &scanned), None, "{name}");
        // Without being told it does the same, and says so.
        let (fallen_back, report) = build(&mirror, name, steps, Headers::WhereNeeded);
        assert!(report.is_complete(), "{name}: {:?}", report.diagnostics);
        assert_eq!(difference(&indexed, &fallen_back), None);
        assert_eq!(report.diagnostics.len() as u64, report.files_used);
        assert!(report.diagnostics[0].text.contains("headers"), "{:?}", report.diagnostics[0]);
    }
}

#[test]
fn a_wrong_index_is_passed_over() {
    let mirror = Mirror::new().unwrap();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(2..=3);
    run.write_headers(mirror.folder()).unwrap();
    let (whole, _) = build(&mirror, "wrfsfc", "2-3", Headers::WhereNeeded);
    let index = |hour| mirror.path(&format!("{}.idx", run.path(hour)));
    // One of another hour, and one cut off in the middle of a line.
    let cut = std::fs::read(index(3)).unwrap();
    std::fs::copy(index(3), index(2)).unwrap();
    std::fs::write(index(3), &cut[..cut.len() / 2]).unwrap();
    let (mended, report) = build(&mirror, "wrfsfc", "2-3", Headers::WhereNeeded);
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    assert_eq!(difference(&whole, &mended), None);
    assert_eq!(report.diagnostics.len(), 2);
}

#[test]
fn alaska_lacks_what_is_not_known_to_be_there() {
    let mirror = Mirror::new().unwrap();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).alaska().hours(3..=3);
    run.write_headers(mirror.folder()).unwrap();
    let (_, report) = build(&mirror, "wrfsfc-ak", "3", Headers::WhereNeeded);
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    assert_eq!((report.references, report.references_expected), (173, 173));
}

/// Changes the parameter of the messages whose index lines contain one of these.
fn disguise(mirror: &Mirror, path: &str, lines: &[&str]) {
    let index = std::fs::read_to_string(mirror.path(&format!("{path}.idx"))).unwrap();
    let mut data = std::fs::read(mirror.path(path)).unwrap();
    for (number, line) in (200..).zip(lines) {
        let line = index.lines().find(|it| it.contains(line)).unwrap();
        let offset: usize = line.split(':').nth(1).unwrap().parse().unwrap();
        assert!(renumber(data.get_mut(offset..).unwrap(), 250, number));
    }
    std::fs::write(mirror.path(path), data).unwrap();
}

#[test]
fn parameters_that_the_table_does_not_know_are_kept() {
    let mirror = Mirror::new().unwrap();
    let run = HrrrRun::new("2025-08-01T00".parse().unwrap()).hours(1..=3);
    run.write_headers(mirror.folder()).unwrap();
    let lines = [":TMP:2 m above ground:", ":APCP:surface:0-", ":APCP:surface:1-2 hour acc"];
    disguise(&mirror, &run.path(2), &lines);
    disguise(&mirror, &run.path(3), &lines[..2]);
    mirror.remove(".idx").unwrap();
    let (store, report) = build(&mirror, "wrfsfc", "1-3", Headers::WhereNeeded);
    let places = |name: &str| -> Vec<u64> {
        let array = store.group.array(name).unwrap();
        assert_eq!(array.metadata.dimension_names, ["time", "step", "y", "x"]);
        assert_eq!(array.metadata.codecs[0]["configuration"]["var"], json!(name));
        array.chunks.virtual_chunks().map(|(index, _)| index).collect()
    };
    assert_eq!(places("param_0_250_200_2_m_above_ground"), [1, 2]);
    assert_eq!(places("param_0_250_201_surface_accum_run"), [1, 2]);
    assert_eq!(places("param_0_250_202_surface_accum_1h"), [1]);
    assert_eq!(places("t2m"), [0]);
    let extra: Vec<_> = store.group.data.iter().map(|(name, _)| name.as_str()).collect();
    let extra = &extra[extra.len() - 3..];
    assert!(extra.is_sorted() && extra[0].starts_with("param_0_250_200"), "{extra:?}");
    let attributes =
        &store.group.array("param_0_250_202_surface_accum_1h").unwrap().metadata.attributes;
    assert_eq!(attributes["cell_methods"], json!("step: sum (comment: over the last hour)"));
    assert_eq!(attributes["GRIB_parameterNumber"], json!(202));
    assert_eq!(attributes["grid_mapping"], json!("spatial_ref"));
    assert!(!attributes.contains_key("standard_name"));

    assert_eq!(report.unknown_arrays, 3);
    // Nothing is lost but what the files no longer have under its name.
    assert_eq!(report.references, 3 * 173);
    let told = |part: &str| report.diagnostics.iter().any(|it| it.text.contains(part));
    assert!(told("3 of them are kept under names") && told("param_0_250_202_surface_accum_1h"));
    assert!(report.counts().contains_key(&Problem::UnknownMessage));

    // Who asks for some variables gets those.
    let mut request = mirror.request("wrfsfc", "2025-08-01T00").unwrap();
    request.steps = Some("2".parse().unwrap());
    request.variables = Some(vec!["sp".to_owned()]);
    let (store, report) = mirror.build_from(&HrrrParser, &request, Headers::Always).unwrap();
    assert_eq!((store.group.data.len(), report.unknown_arrays), (1, 0));
}
