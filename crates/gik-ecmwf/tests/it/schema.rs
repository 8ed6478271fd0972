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
    for (product, time, others) in [
        ("oper", "2026-02-05T00", &[][..]),
        ("aifs-single", "2024-06-01T00", &[]),
        // The same quantities in other units, which are parameters of their own.
        ("aifs-single", "2026-02-05T00", &["cp", "hcc", "lcc", "mcc", "sf", "tcc", "tp"]),
        ("aifs-ens", "2026-02-05T00", &["cp", "hcc", "lcc", "mcc", "sf", "tcc", "tp"]),
    ] {
        let mut found = Vec::new();
        for (name, array) in group(product, time).data {
            let Some(other) = enfo.array(&name) else { continue };
            let differs = |key: &str| {
                array.metadata.attributes.get(key) != other.metadata.attributes.get(key)
            };
            for key in ["GRIB_typeOfLevel", "GRIB_stepType"] {
                assert!(!differs(key), "{key} of {name} in {product}");
            }
            assert_eq!(differs("units"), differs("GRIB_paramId"), "{name} in {product}");
            if differs("GRIB_paramId") {
                found.push(name);
            }
        }
        found.sort();
        assert_eq!(found, others, "{product} {time}");
    }
}

/// As ecCodes 2.50.0 reports them for messages of centre `ecmf`.
#[test]
fn masses_and_percentages_are_parameters_of_their_own() {
    let of = |time: &str, name: &str| {
        let attributes =
            group("aifs-single", time).array(name).unwrap().metadata.attributes.clone();
        ["GRIB_paramId", "GRIB_shortName", "GRIB_name", "GRIB_cfName", "GRIB_units"]
            .map(|key| attributes[key].to_string().trim_matches('"').to_owned())
    };
    for (name, id, title, units) in [
        ("tp", "228228", "Total Precipitation", "kg m**-2"),
        ("cp", "228143", "Convective precipitation", "kg m**-2"),
        ("sf", "228144", "Snowfall water equivalent", "kg m**-2"),
        ("tcc", "228164", "Total Cloud Cover", "%"),
        ("lcc", "3073", "Low cloud cover", "%"),
        ("mcc", "3074", "Medium cloud cover", "%"),
        ("hcc", "3075", "High cloud cover", "%"),
    ] {
        assert_eq!(of("2026-02-05T00", name), [id, name, title, "unknown", units]);
    }
    let snowfall = "lwe_thickness_of_snowfall_amount";
    let depth = ["144", "sf", "Snowfall", snowfall, "m of water equivalent"];
    assert_eq!(of("2025-02-24T00", "sf"), depth);
    let fraction = ["164", "tcc", "Total cloud cover", "cloud_area_fraction", "(0 - 1)"];
    assert_eq!(of("2025-02-24T00", "tcc"), fraction);
    // It is a mass by its definition, in all eras.
    assert_eq!(of("2025-02-24T00", "rowe"), of("2025-02-24T06", "rowe"));
}
