//! Files of the older workflow come to the manifests that the models' own indexes give.

use std::collections::BTreeSet;

use bytes::Bytes;
use gik_core::{Chunk, Error, ManifestStore, Registry, Run};
use gik_legacy::{
    Finding, Findings, ImportRequest, ImportedRun, Importer, KeyValueFile, ReferenceSet, Value,
};

use crate::fixture;

fn registry() -> Registry {
    Registry::new(&[&gik_gefs::PLUGIN, &gik_ecmwf::PLUGIN, &gik_hrrr::PLUGIN]).unwrap()
}

fn table(name: &str) -> ReferenceSet {
    KeyValueFile::read(fixture(name)).unwrap().references
}

/// Imports these sets, without a way to read headers.
fn import(
    request: ImportRequest,
    sets: &[(&str, ReferenceSet)],
) -> gik_core::Result<(Vec<ImportedRun>, Findings)> {
    let read = |_: &Bytes| Err(Error::unsupported("header", "in this test"));
    let mut importer = Importer::new(&registry(), request, &read, false)?;
    for (name, set) in sets {
        importer.add(name, set)?;
    }
    let plan = importer.plan()?;
    let mut runs = Vec::new();
    for position in 0..plan.len() {
        runs.extend(importer.run(&plan, position)?);
    }
    Ok((runs, importer.findings().clone()))
}

fn files(names: &[&str]) -> (Vec<ImportedRun>, Findings) {
    let sets: Vec<_> = names.iter().map(|name| (*name, table(name))).collect();
    import(ImportRequest::default(), &sets).unwrap()
}

/// Where a message is: file name, offset, length.
fn place(
    run: &Run,
    manifest: &ManifestStore,
    name: &str,
    member: u32,
    step: u32,
    level: usize,
) -> Option<(String, u64, u32)> {
    let array = manifest.group.array(name)?;
    let at = |list: &[u32], label| list.iter().position(|&it| it == label);
    let members = run.members.as_deref().unwrap_or(&[0]);
    let field = at(members, member)? * run.steps.len() + at(&run.steps, step)?;
    let levels = array.chunks.len() as usize / (members.len() * run.steps.len());
    match array.chunks.get((field * levels + level) as u64) {
        Chunk::Virtual(entry) => {
            let url = &manifest.sources.get(entry.source).unwrap().url;
            let file = url.rsplit('/').next().unwrap().to_owned();
            Some((file, entry.offset, entry.length.get()))
        }
        _ => None,
    }
}

#[test]
fn members_of_gefs_are_joined() {
    let names = ["gefs/gep01_20250106_00z.parquet", "gefs/gep02_20250106_00z.parquet"];
    let (runs, findings) = files(&names);
    let [ImportedRun { run, manifest }] = &runs[..] else { panic!("{} runs", runs.len()) };
    assert_eq!((run.model, run.product), ("gefs", "pgrb2sp25"));
    assert_eq!(run.reference_time, "2025-01-06T00".parse().unwrap());
    assert_eq!(run.members, Some(vec![1, 2]));
    assert_eq!(run.steps, (0..=27).step_by(3).collect::<Vec<_>>());
    let variables: BTreeSet<&str> = run.variables.iter().map(String::as_str).collect();
    let expected = ["cape", "mslet", "pwat", "sp", "t2m", "tp", "u10", "v10"];
    assert_eq!(variables, BTreeSet::from(expected));
    assert_eq!(manifest.group.virtual_count(), 79 + 71);
    let at = |name, member, step| place(run, manifest, name, member, step, 0);
    let file = |step: &str| format!("gep01.t00z.pgrb2s.0p25.{step}");
    assert_eq!(at("tp", 1, 3), Some((file("f003"), 25_324, 10_493)));
    assert_eq!(at("t2m", 1, 0), Some((file("f000"), 12_645, 2529)));
    assert_eq!((at("tp", 1, 0), at("tp", 2, 12)), (None, None));
    // What the files say wrongly.
    assert_eq!(findings.count(Finding::TimeIsValidTime), 2 * 8);
    assert!(findings.count(Finding::LevelCorrected) > 0);
    assert!(!findings.has_loss(), "{findings:?}");
}

#[test]
fn the_old_layout_holds_the_same() {
    let (old, _) = files(&["gefs/gep02_old2row.par"]);
    let (new, _) = files(&["gefs/gep02_20250106_00z.parquet"]);
    assert_eq!((&old[0].run, &old[0].manifest), (&new[0].run, &new[0].manifest));
}

#[test]
fn a_run_that_is_named_wrongly_is_that_of_its_urls() {
    let set = table("gefs/gep01_20250106_00z.parquet");
    let (runs, findings) =
        import(ImportRequest::default(), &[("2025010612z-gep01.parquet", set)]).unwrap();
    assert_eq!(runs[0].run.reference_time, "2025-01-06T00".parse().unwrap());
    assert_eq!(findings.count(Finding::FileNameOfOtherRun), 1);
}

#[test]
fn the_references_of_ecmwf_without_its_levels() {
    let names = ["control", "ens_01", "ens_13"]
        .map(|name| format!("ecmwf/fast/stage3_{name}_final.parquet"));
    let (runs, findings) = files(&names.each_ref().map(String::as_str));
    let ImportedRun { run, manifest } = &runs[0];
    assert_eq!((run.model, run.product), ("ecmwf", "enfo"));
    assert_eq!(run.members, Some(vec![0, 1, 13]));
    let file = "20260106000000-24h-enfo-ef.grib2".to_owned();
    assert_eq!(place(run, manifest, "tp", 0, 24, 0), Some((file, 0, 10_878)));
    assert_eq!(place(run, manifest, "tp", 13, 18, 0), None);
    assert!(findings.count(Finding::SuffixAdded) > 0);
    assert!(findings.count(Finding::Placeholder) > 0);
    // Of several levels one key was left, and nobody knows which.
    assert!(findings.count(Finding::LevelUnknown) > 0);
    assert!(manifest.group.array("t").is_none());
    assert_eq!(
        manifest.group.virtual_count() + findings.count(Finding::LevelUnknown),
        27 + 27 + 24
    );
    // The other way gives the same: what it has more is not to be trusted.
    let names = names.map(|name| name.replace("fast", "zip"));
    let (zip, findings) = files(&names.each_ref().map(String::as_str));
    assert_eq!((&zip[0].run, &zip[0].manifest), (run, manifest));
    assert!(findings.count(Finding::Placeholder) > 0);
}

#[test]
fn a_url_of_another_cycle_is_mended() {
    // The older tools wrote the file of 00 UTC into the urls of all cycles.
    let mut set = ReferenceSet::default();
    let folder = "s3://ecmwf-forecasts/20260106/12z/ifs/0p25/enfo/20260106000000";
    for (key, url, offset) in [
        ("step_024/tp/sfc/ens05/0.0.0", format!("{folder}-24h-enfo-ef"), 5),
        ("step_027/tp/surface/ens_05/0.0.0", format!("{folder}-30h-enfo-ef"), 6),
        ("step_024/2t/sfc/ens05/0.0.0", "s3://elsewhere/x.grib2".to_owned(), 7),
        ("step_024/spam/sfc/ens05/0.0.0", format!("{folder}-24h-enfo-ef"), 8),
        ("step_024/2t/sfc/ens99/0.0.0", format!("{folder}-24h-enfo-ef"), 9),
    ] {
        let value = Value::Range { url: url.into(), offset, length: 10 };
        set.entries.insert(key.to_owned(), value);
    }
    let (runs, findings) = import(ImportRequest::default(), &[("x", set)]).unwrap();
    let ImportedRun { run, manifest } = &runs[0];
    assert_eq!(run.reference_time, "2026-01-06T12".parse().unwrap());
    let file = |step| format!("20260106120000-{step}h-enfo-ef.grib2");
    assert_eq!(place(run, manifest, "tp", 5, 24, 0), Some((file(24), 5, 10)));
    assert_eq!(place(run, manifest, "tp", 5, 30, 0), Some((file(30), 6, 10)));
    for (finding, count) in [
        (Finding::UrlCorrected, 2),
        (Finding::StepOfUrl, 1),
        (Finding::ForeignUrl, 1),
        (Finding::UnknownVariable, 1),
        (Finding::MemberUnknown, 1),
    ] {
        assert_eq!(findings.count(finding), count, "{finding:?}");
    }
}

#[test]
fn a_hierarchy_of_hrrr_with_levels() {
    let set = table("hrrr_tree.parquet");
    let references =
        set.entries.values().filter(|value| matches!(value, Value::Range { .. })).count();
    let (runs, findings) = import(ImportRequest::default(), &[("hrrr_tree.parquet", set)]).unwrap();
    let imported: u64 = runs.iter().map(|it| it.manifest.group.virtual_count()).sum();
    assert!(runs.iter().all(|it| it.run.model == "hrrr" && it.run.root.scheme() == "s3"));
    assert!(imported > 0 && findings.count(Finding::PlaceReplaced) > 0, "{findings:?}");
    // Nothing is lost without being counted; latitudes and longitudes are no fields.
    let left_out: u64 = [
        Finding::UnknownVariable,
        Finding::Ambiguous,
        Finding::LevelUnknown,
        Finding::StepUnknown,
        Finding::ForeignUrl,
        Finding::Conflict,
    ]
    .map(|finding| findings.count(finding))
    .iter()
    .sum();
    assert!(imported + left_out <= references as u64);
}

#[test]
fn references_may_point_to_a_mirror() {
    let request = ImportRequest {
        source: Some("https://mirror.example/gefs/".parse().unwrap()),
        variables: Some(vec!["tp".to_owned()]),
        steps: Some("0-240".parse().unwrap()),
        ..ImportRequest::default()
    };
    let set = table("gefs/gep01_20250106_00z.parquet");
    let (runs, _) = import(request, &[("gep01", set)]).unwrap();
    let ImportedRun { run, manifest } = &runs[0];
    assert_eq!((run.steps.len(), &run.variables[..]), (81, &["tp".to_owned()][..]));
    let urls: Vec<&str> = manifest.sources.iter().map(|(_, it)| it.url.as_str()).collect();
    assert_eq!(urls.len(), 9);
    assert!(urls.iter().all(|url| url.starts_with("https://mirror.example/gefs/gefs.20250106/")));
}

#[test]
fn several_models_do_not_fit_one_store() {
    let sets = [
        ("a", table("gefs/gep01_20250106_00z.parquet")),
        ("b", table("ecmwf/fast/stage3_control_final.parquet")),
    ];
    let error = import(ImportRequest::default(), &sets).unwrap_err().to_string();
    assert!(error.contains("choose one with --model"), "{error}");
    let request = ImportRequest { model: Some("gefs".to_owned()), ..ImportRequest::default() };
    let (runs, findings) = import(request, &sets).unwrap();
    assert_eq!((runs.len(), runs[0].run.model), (1, "gefs"));
    assert!(findings.count(Finding::ForeignUrl) > 0);
}

#[test]
fn two_references_for_one_place_are_told() {
    let mut other = table("gefs/gep01_20250106_00z.parquet");
    let key = "tp/accum/surface/tp/1.0.0";
    if let Some(Value::Range { offset, .. }) = other.entries.get_mut(key) {
        *offset += 1;
    }
    let sets = [("a", table("gefs/gep01_20250106_00z.parquet")), ("b", other)];
    let (runs, findings) = import(ImportRequest::default(), &sets).unwrap();
    assert_eq!(findings.count(Finding::Conflict), 1);
    let ImportedRun { run, manifest } = &runs[0];
    assert_eq!(place(run, manifest, "tp", 1, 3, 0).unwrap().1, 25_324);
}

#[test]
fn a_reference_that_agrees_with_itself_counts_before_one_that_does_not() {
    let mut set = ReferenceSet::default();
    let file = "s3://ecmwf-forecasts/20260106/00z/ifs/0p25/enfo/20260106000000-12h-enfo-ef.grib2";
    for (key, offset) in [("step_009/tp/sfc/ens05/0.0.0", 1), ("step_012/tp/sfc/ens05/0.0.0", 2)] {
        let value = Value::Range { url: file.into(), offset, length: 10 };
        set.entries.insert(key.to_owned(), value);
    }
    let (runs, findings) = import(ImportRequest::default(), &[("x", set)]).unwrap();
    let ImportedRun { run, manifest } = &runs[0];
    assert_eq!(place(run, manifest, "tp", 5, 12, 0).unwrap().1, 2);
    assert_eq!((findings.count(Finding::StepOfUrl), findings.count(Finding::Conflict)), (1, 1));
}
