//! What stores look like: a change here is a change for users.

use gik_core::{ManifestGroup, Parser, RunRequest, SchemaOptions};
use gik_hrrr::HrrrParser;
use gik_testkit::listing::listing;

fn group(product: &str, steps: &str, options: SchemaOptions) -> ManifestGroup {
    let mut request = RunRequest::new("2025-08-01T00".parse().unwrap());
    request.product = Some(product.to_owned());
    request.steps = Some(steps.parse().unwrap());
    HrrrParser.schema(&HrrrParser.run(&request).unwrap(), &options).unwrap()
}

#[test]
fn names_of_each_product() {
    for product in ["wrfsfc", "wrfprs", "wrfnat", "wrfsubh"] {
        let group = group(product, "0-18", SchemaOptions::default());
        let name = format!("names_of_{product}");
        insta::assert_snapshot!(name, listing(&group));
    }
}

#[test]
fn metadata_of_one_array() {
    let options = SchemaOptions { model_codec: true, ..SchemaOptions::default() };
    let group = group("wrfsfc-ak", "3", options);
    let json = |name: &str| {
        serde_json::to_string_pretty(&group.array(name).unwrap().metadata.to_json()).unwrap()
    };
    insta::assert_snapshot!("u10", json("u10"));
    insta::assert_snapshot!("spatial_ref", json("spatial_ref"));
    insta::assert_snapshot!("latitude", json("latitude"));
}

#[test]
fn names_are_unique_and_levels_shared() {
    let group = group("wrfsfc", "0-48", SchemaOptions::default());
    assert_eq!(group.data.len(), 141);
    let shape = |name: &str| group.array(name).unwrap().metadata.shape.clone();
    assert_eq!(shape("t"), [1, 49, 7, 1059, 1799]);
    assert_eq!(shape("mxuphl"), [1, 49, 4, 1059, 1799]);
    assert_eq!(shape("tp"), [1, 49, 1059, 1799]);
    assert_eq!(shape("latitude"), [1059, 1799]);
}
