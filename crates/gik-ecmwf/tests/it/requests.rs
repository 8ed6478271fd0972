//! What is asked of the store: one index a step, for all members.

use std::sync::Arc;

use gik_core::{
    BuildOptions, ObjectStoreRegistry, Parser, Problem, Report, SourceReader, build_manifest,
};
use gik_ecmwf::EcmwfParser;
use gik_testkit::counters::Operation;
use gik_testkit::ecmwf::{EcmwfRun, Product};
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::store::FaultyStore;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use gik_testkit::mirror::{Mirror, runtime};

const TIME: &str = "2026-02-05T00";

/// Builds the run's first eleven steps through a store that counts and fails as told.
fn build(faults: Faults) -> (Arc<FaultyStore>, Report) {
    let mirror = Mirror::new().unwrap();
    let run = EcmwfRun::new(TIME.parse().unwrap(), Product::Enfo).steps(0..=30);
    run.write_indexes(mirror.folder()).unwrap();
    let local = LocalFileSystem::new_with_prefix(mirror.folder()).unwrap();
    let store = Arc::new(FaultyStore::new(Arc::new(local), faults));
    let mut stores = ObjectStoreRegistry::default();
    let shared: Arc<dyn ObjectStore> = Arc::<FaultyStore>::clone(&store);
    stores.register(mirror.root(), shared).unwrap();

    let mut request = mirror.request("enfo", TIME).unwrap();
    request.steps = Some("0-30".parse().unwrap());
    let run = EcmwfParser.run(&request).unwrap();
    let options = BuildOptions::default();
    let mut reader = SourceReader::new(stores);
    let built = build_manifest(&EcmwfParser, &run, &options, &mut reader, &|_, _| {});
    let (_, report) = runtime().unwrap().block_on(built).unwrap();
    (store, report)
}

#[test]
fn each_index_is_fetched_once_for_all_members() {
    let (store, report) = build(Faults::none());
    assert!(report.is_complete());
    assert_eq!((report.files_used, report.references), (11, 11 * 8160));
    // One listing of the folder, and one request for each of 11 indexes.
    let counters = store.counters();
    let of = |operation| counters.of(operation);
    assert_eq!((of(Operation::List), of(Operation::Get), of(Operation::Head)), (1, 11, 0));
    assert_eq!((counters.on(".grib2"), report.requests), (0, 12));
}

#[test]
fn an_index_that_is_refused_costs_its_step() {
    let faults = Faults::none();
    faults.add(Rule::new(Fault::SlowDown { retry_after: None }).on_path("-12h-enfo-ef.index"));
    let (_, report) = build(faults);
    assert_eq!((report.files_used, report.references), (10, 10 * 8160));
    assert!(!report.is_complete());
    assert_eq!(report.counts(), [(Problem::Unreadable, 1)].into());
    assert!(report.diagnostics[0].url.ends_with("-12h-enfo-ef.index"));
}
