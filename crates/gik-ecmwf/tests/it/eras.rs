//! All products in several eras, generated: complete, with the same names and members.

use gik_core::{Parser, SchemaOptions};
use gik_ecmwf::EcmwfParser;
use gik_testkit::conformance;
use gik_testkit::ecmwf::{EcmwfRun, Product};

use gik_testkit::mirror::{Mirror, runtime};

const PRODUCTS: [(Product, &str); 6] = [
    (Product::Enfo, "enfo"),
    (Product::Oper, "oper"),
    (Product::Waef, "waef"),
    (Product::Wave, "wave"),
    (Product::AifsSingle, "aifs-single"),
    (Product::AifsEns, "aifs-ens"),
];

/// The grid of 0.4°, the folders of 2024, before and after cycles 49r1 and 50r1, the folders of
/// AIFS; long and short runs.
const TIMES: [&str; 11] = [
    "2022-01-25T00",
    "2024-02-15T06",
    "2024-06-01T12",
    "2024-11-12T06",
    "2025-02-24T18",
    "2025-02-25T12",
    "2025-07-02T00",
    "2026-02-05T00",
    "2026-02-05T06",
    "2026-06-01T12",
    "2026-06-01T18",
];

fn run_has_members(id: &str) -> bool {
    ["enfo", "waef", "aifs-ens"].contains(&id)
}

#[test]
fn every_product_is_complete_and_keeps_its_promises() {
    for (product, id) in PRODUCTS {
        for time in TIMES {
            let mirror = Mirror::new().unwrap();
            // Few members: the builds of all of them are elsewhere.
            let members = [0..=50, 0..=2][usize::from(time != TIMES[7])].clone();
            let run = EcmwfRun::new(time.parse().unwrap(), product).members(members).steps(0..=6);
            let counts = run.write_indexes(mirror.folder()).unwrap();
            let mut request = mirror.request(id, time).unwrap();
            if id.starts_with("aifs") && EcmwfParser.run(&request).is_err() {
                // Older than the model; another test holds the dates.
                continue;
            }
            request.steps = Some("0-6".parse().unwrap());
            if time != TIMES[7] && run_has_members(id) {
                request.members = Some("0-2".parse().unwrap());
            }
            let (_, report) = mirror.build(&EcmwfParser, &request).unwrap();
            assert!(report.is_complete(), "{id} {time}: {:?}", report.diagnostics);
            assert_eq!(report.lines, counts.messages);
            assert_eq!(report.files_used, counts.files);
            let stores = mirror.stores().unwrap();
            let check = conformance::check(&EcmwfParser, &request, &stores);
            runtime()
                .unwrap()
                .block_on(check)
                .unwrap_or_else(|broken| panic!("{id} {time}: {broken}"));
        }
    }
}

#[test]
fn steps_with_other_names_for_one_quantity_are_complete() {
    let mirror = Mirror::new().unwrap();
    let time = "2026-02-05T00";
    let run = EcmwfRun::new(time.parse().unwrap(), Product::Enfo).members(0..=1).steps(90..=150);
    run.write_indexes(mirror.folder()).unwrap();
    let mut request = mirror.request("enfo", time).unwrap();
    request.members = Some("0-1".parse().unwrap());
    request.steps = Some("90-150".parse().unwrap());
    let (store, report) = mirror.build(&EcmwfParser, &request).unwrap();
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    let count = |name: &str| store.group.array(name).unwrap().chunks.virtual_count();
    // Steps 90, 93 … 144, 150.
    assert_eq!((count("fg10"), count("mx2t3"), count("mx2t6")), (40, 38, 2));
}

#[test]
fn a_run_of_50r1_looks_like_an_earlier_one() {
    let mirror = Mirror::new().unwrap();
    let group = |id: &str, time: &str| {
        let run = EcmwfParser.run(&mirror.request(id, time).unwrap()).unwrap();
        assert_eq!(run.members.as_deref(), Some(&(0..=50).collect::<Vec<u32>>()[..]));
        let group = EcmwfParser.schema(&run, &SchemaOptions::default()).unwrap();
        group
            .arrays()
            .map(|(name, array)| {
                let metadata = &array.metadata;
                (name.to_owned(), metadata.dimension_names.clone(), metadata.shape.clone())
            })
            .collect::<Vec<_>>()
    };
    for id in ["enfo", "waef"] {
        assert_eq!(group(id, "2026-05-12T00"), group(id, "2026-06-01T00"));
        assert_eq!(group(id, "2024-06-01T00"), group(id, "2026-06-01T00"));
    }
    assert_eq!(group("aifs-ens", "2025-09-30T00"), group("aifs-ens", "2026-06-01T00"));

    // The control's chunks come from its own file, the others' from theirs.
    let time = "2026-06-01T00";
    let run = EcmwfRun::new(time.parse().unwrap(), Product::Enfo).steps(0..=0);
    run.write_indexes(mirror.folder()).unwrap();
    let mut request = mirror.request("enfo", time).unwrap();
    request.steps = Some("0".parse().unwrap());
    request.variables = Some(vec!["t2m".into()]);
    let (store, report) = mirror.build(&EcmwfParser, &request).unwrap();
    assert!(report.is_complete(), "{:?}", report.diagnostics);
    let array = store.group.array("t2m").unwrap();
    assert_eq!(array.chunks.virtual_count(), 51);
    for member in 0..51 {
        let gik_core::Chunk::Virtual(entry) = array.chunks.get(member) else { panic!("{member}") };
        let url = &store.sources.get(entry.source).unwrap().url;
        let ending = if member == 0 { "-0h-oper-fc.grib2" } else { "-0h-enfo-ef.grib2" };
        assert!(url.ends_with(ending), "{member}: {url}");
    }
}
