//! The names and shapes of all products, as a snapshot: a change is a change for users.

use gik_core::{ManifestGroup, Parser, RunRequest, SchemaOptions};
use gik_ecmwf::EcmwfParser;
use gik_testkit::listing::listing;

fn group(product: &str, time: &str) -> ManifestGroup {
    let mut request = RunRequest::new(time.parse().unwrap());
    request.product = Some(product.to_owned());
    let run = EcmwfParser.run(&request).unwrap();
    EcmwfParser.schema(&run, &SchemaOptions::default()).unwrap()
}

fn names(product: &str) -> String {
    listing(&group(product, "2026-02-05T00"))
}

#[test]
fn names_of_the_ensemble() {
    insta::assert_snapshot!(names("enfo"));
}

#[test]
fn names_of_the_high_resolution_forecast() {
    insta::assert_snapshot!(names("oper"));
}

#[test]
fn names_of_the_waves() {
    insta::assert_snapshot!(names("waef"));
}

#[test]
fn names_of_aifs() {
    insta::assert_snapshot!(names("aifs-single"));
}

#[test]
fn metadata_of_one_array() {
    let json = group("enfo", "2026-02-05T00").array("fg10").unwrap().metadata.to_json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn units_are_those_of_the_product_and_the_era() {
    let of = |product: &str, time: &str, name: &str| {
        let attributes = group(product, time).array(name).unwrap().metadata.attributes.clone();
        let text = |key: &str| attributes[key].as_str().unwrap().to_owned();
        (text("units"), text("standard_name"))
    };
    let depth = ("m".to_owned(), "lwe_thickness_of_precipitation_amount".to_owned());
    let mass = ("kg m-2".to_owned(), "precipitation_amount".to_owned());
    assert_eq!(of("enfo", "2026-02-05T00", "tp"), depth);
    assert_eq!(of("oper", "2026-02-05T00", "tp"), depth);
    assert_eq!(of("aifs-single", "2024-06-01T00", "tp"), depth);
    assert_eq!(of("aifs-single", "2025-02-24T06", "tp"), mass);
    assert_eq!(of("aifs-ens", "2026-02-05T00", "tp"), mass);
    assert_eq!(of("enfo", "2026-02-05T00", "tcc").0, "1");
    assert_eq!(of("aifs-ens", "2026-02-05T00", "tcc").0, "%");
}

#[test]
fn one_name_means_one_thing_in_all_products() {
    let enfo = group("enfo", "2026-02-05T00");
    for product in ["oper", "aifs-single", "aifs-ens"] {
        for (name, array) in group(product, "2026-02-05T00").data {
            let Some(other) = enfo.array(&name) else { continue };
            for key in ["GRIB_paramId", "GRIB_typeOfLevel", "GRIB_stepType"] {
                let (ours, theirs) =
                    (array.metadata.attributes.get(key), other.metadata.attributes.get(key));
                assert_eq!(ours, theirs, "{key} of {name} in {product}");
            }
        }
    }
}
