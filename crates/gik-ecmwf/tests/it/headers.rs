//! Files without indexes, by the headers of their messages.

use gik_core::{Headers, Problem, RunRequest};
use gik_ecmwf::EcmwfParser;
use gik_testkit::ecmwf::{EcmwfRun, Product};
use gik_testkit::grib::renumber;
use gik_testkit::mirror::{Mirror, difference};

const TIME: &str = "2026-02-05T00";
/// On the surface and on levels, instants and totals.
const PARAMETERS: &[&str] = &["2t", "tp", "t", "gh"];

fn mirror(product: Product) -> Mirror {
    let mirror = Mirror::new().unwrap();
    let run = EcmwfRun::new(TIME.parse().unwrap(), product).members(0..=1).steps(3..=6);
    run.write_messages(mirror.folder(), PARAMETERS).unwrap();
    mirror
}

fn request(mirror: &Mirror, product: &str) -> RunRequest {
    let mut request = mirror.request(product, TIME).unwrap();
    if product == "enfo" {
        request.members = Some("0-1".parse().unwrap());
    }
    request.steps = Some("3-6".parse().unwrap());
    request
}

#[test]
fn without_an_index_the_store_is_the_same() {
    for (product, name) in [(Product::Enfo, "enfo"), (Product::Oper, "oper")] {
        let mirror = mirror(product);
        let request = request(&mirror, name);
        let (indexed, before) = mirror.build_from(&EcmwfParser, &request, Headers::Never).unwrap();
        assert!(before.references >= 12, "{name}: {}", before.references);
        assert_eq!(mirror.remove(".index").unwrap(), 2, "{name}");
        for headers in [Headers::Always, Headers::WhereNeeded] {
            let (scanned, report) = mirror.build_from(&EcmwfParser, &request, headers).unwrap();
            assert_eq!(difference(&indexed, &scanned), None, "{name}");
            assert_eq!((report.references, report.unknown_arrays), (before.references, 0));
        }
        assert!(mirror.build_from(&EcmwfParser, &request, Headers::Never).is_err(), "{name}");
    }
}

#[test]
fn parameters_that_the_table_does_not_know_are_kept() {
    let mirror = mirror(Product::Enfo);
    let path = mirror.path("20260205/00z/ifs/0p25/enfo/20260205000000-6h-enfo-ef.grib2");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = u64::from_be_bytes(bytes[8..16].try_into().unwrap());
    let places = [0, length];
    for offset in places {
        assert!(renumber(bytes.get_mut(usize::try_from(offset).unwrap()..).unwrap(), 250, 200));
    }
    std::fs::write(&path, bytes).unwrap();
    mirror.remove(".index").unwrap();
    let (store, report) =
        mirror.build_from(&EcmwfParser, &request(&mirror, "enfo"), Headers::Always).unwrap();
    let extra: Vec<_> =
        store.group.data.iter().filter(|(name, _)| name.starts_with("param_")).collect();
    assert_eq!(report.unknown_arrays, extra.len() as u64);
    let mut offsets = Vec::new();
    for (name, array) in extra {
        assert!(name.starts_with("param_0_250_200_"), "{name}");
        let dimensions = ["time", "member", "step", "latitude", "longitude"];
        assert_eq!(array.metadata.dimension_names, dimensions);
        offsets.extend(array.chunks.virtual_chunks().map(|(_, entry)| entry.offset));
    }
    offsets.sort_unstable();
    assert_eq!(offsets, places);
    assert!(report.counts().contains_key(&Problem::UnknownMessage));
}
