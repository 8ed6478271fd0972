//! The names and shapes of all products, as a snapshot: a change is a change for users.

use gik_core::{Parser, RunRequest, SchemaOptions};
use gik_gefs::GefsParser;
use gik_testkit::listing::listing;

fn names(product: &str) -> String {
    let mut request = RunRequest::new("2025-01-06T00".parse().unwrap());
    request.product = Some(product.to_owned());
    let run = GefsParser.run(&request).unwrap();
    listing(&GefsParser.schema(&run, &SchemaOptions::default()).unwrap())
}

#[test]
fn names_of_the_surface_product() {
    insta::assert_snapshot!(names("pgrb2sp25"));
}

#[test]
fn names_of_the_common_product() {
    insta::assert_snapshot!(names("pgrb2ap5"));
}

#[test]
fn names_of_the_other_product() {
    insta::assert_snapshot!(names("pgrb2bp5"));
}

#[test]
fn names_of_both_together() {
    insta::assert_snapshot!(names("pgrb2abp5"));
}

#[test]
fn metadata_of_one_array() {
    let mut request = RunRequest::new("2025-01-06T00".parse().unwrap());
    request.variables = Some(vec!["tp".into()]);
    let run = GefsParser.run(&request).unwrap();
    let group = GefsParser.schema(&run, &SchemaOptions::default()).unwrap();
    let json = group.array("tp").unwrap().metadata.to_json();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn one_name_means_one_thing_in_all_products() {
    let arrays = |product: &str| {
        let mut request = RunRequest::new("2025-01-06T00".parse().unwrap());
        request.product = Some(product.to_owned());
        let run = GefsParser.run(&request).unwrap();
        GefsParser.schema(&run, &SchemaOptions::default()).unwrap().data
    };
    let both = arrays("pgrb2abp5");
    for product in ["pgrb2sp25", "pgrb2ap5", "pgrb2bp5"] {
        for (name, array) in arrays(product) {
            let Some((_, other)) = both.iter().find(|(other, _)| *other == name) else { continue };
            for key in ["units", "GRIB_paramId", "GRIB_typeOfLevel", "GRIB_stepType"] {
                let (ours, theirs) =
                    (array.metadata.attributes.get(key), other.metadata.attributes.get(key));
                assert_eq!(ours, theirs, "{key} of {name} in {product}");
            }
        }
    }
}
