//! Files without indexes, by the headers of their messages.

use gik_core::{Headers, Problem, RunRequest};
use gik_gefs::GefsParser;
use gik_testkit::gefs::{GefsRun, Product};
use gik_testkit::grib::renumber;
use gik_testkit::mirror::{Mirror, difference};

const TIME: &str = "2025-01-06T00";

/// Two members and three steps, with every variable that can be generated.
fn mirror() -> (Mirror, GefsRun) {
    let mirror = Mirror::new().unwrap();
    let run = GefsRun::new(TIME.parse().unwrap()).product(Product::A).members(0..=1).steps(0..=6);
    run.write_messages(mirror.folder(), &run.variables()).unwrap();
    (mirror, run)
}

fn request(mirror: &Mirror) -> RunRequest {
    let mut request = mirror.request("pgrb2ap5", TIME).unwrap();
    request.members = Some("0-1".parse().unwrap());
    request.steps = Some("0-6".parse().unwrap());
    request
}

#[test]
fn without_an_index_the_store_is_the_same() {
    let (mirror, _) = mirror();
    let request = request(&mirror);
    let (indexed, before) = mirror.build_from(&GefsParser, &request, Headers::Never).unwrap();
    assert!(before.references > 6 * 10, "{}", before.references);
    assert_eq!(mirror.remove(".idx").unwrap(), 6);
    for headers in [Headers::Always, Headers::WhereNeeded] {
        let (scanned, report) = mirror.build_from(&GefsParser, &request, headers).unwrap();
        assert_eq!(difference(&indexed, &scanned), None);
        assert_eq!((report.references, report.unknown_arrays), (before.references, 0));
    }
    assert!(mirror.build_from(&GefsParser, &request, Headers::Never).is_err());
}

#[test]
fn parameters_that_the_table_does_not_know_are_kept() {
    let (mirror, run) = mirror();
    for member in 0..=1 {
        let path = mirror.path(&run.path(member, 3));
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(renumber(&mut bytes, 250, 200));
        std::fs::write(&path, bytes).unwrap();
    }
    mirror.remove(".idx").unwrap();
    let (store, report) =
        mirror.build_from(&GefsParser, &request(&mirror), Headers::Always).unwrap();
    let (name, array) = store.group.data.last().unwrap();
    assert!(name.starts_with("param_0_250_200_"), "{name}");
    let places: Vec<u64> = array.chunks.virtual_chunks().map(|(index, _)| index).collect();
    // Members and steps in C order: the second of three steps of each.
    assert_eq!(places, [1, 4]);
    let dimensions = ["time", "member", "step", "latitude", "longitude"];
    assert_eq!(array.metadata.dimension_names, dimensions);
    assert_eq!(report.unknown_arrays, 1);
    assert!(report.counts().contains_key(&Problem::UnknownMessage));
}
