//! What the options of `gik build` change about a store.

use gik::icechunk::Opened;
use gik_testkit::gefs::Product;
use serde_json::{Value, json};
use zarrs::storage::{AsyncReadableStorageTraits as _, StoreKey};

use crate::desk::{Desk, assert_same};
use crate::run::{Run, T2M, TP};

/// The Zarr metadata of an array.
async fn metadata(opened: &Opened, array: &str) -> Value {
    let key = StoreKey::new(format!("{array}/zarr.json")).unwrap();
    let bytes = opened.zarr().get(&key).await.unwrap().unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A bucket with a run, and its stores by options.
struct Stores {
    desk: Desk,
    run: Run,
}

impl Stores {
    fn of(run: Run) -> Self {
        let desk = Desk::new();
        run.write(&desk.path("bucket"));
        Self { desk, run }
    }

    fn build(&self, store: &str, options: &str) -> Value {
        let line = format!("--product pgrb2ap5 --source bucket --store {store} --json {options}");
        self.desk.build(&line).exits(0).json()
    }

    fn read(&self, line: &str) -> (Vec<usize>, Vec<f32>) {
        self.desk.gik(&format!("read {line} --allow bucket -o out.npy")).exits(0);
        self.desk.npy("out.npy")
    }
}

#[tokio::test]
async fn members_steps_and_variables_choose() {
    let stores = Stores::of(Run::new(&[0, 3, 4], &[0, 3, 6, 9]));
    let report =
        stores.build("store", "--members 0,3-4 --steps 3-6 --variables tp,t2m --layout forecast");
    assert_eq!(
        (&report["members"], &report["steps"], &report["variables"]),
        (&json!(3), &json!(2), &json!(2))
    );
    assert_eq!(
        report["references"],
        json!({"expected": 12, "written": 12, "replaced": 0, "unchanged": 0})
    );
    assert_eq!(report["files"], json!({"expected": 6, "used": 6}));
    assert_eq!(
        (&report["complete"], &report["problems"], &report["diagnostics"]),
        (&json!(true), &json!({}), &json!([]))
    );
    let info = stores.desk.gik("info store --json").exits(0).json();
    assert_eq!(info["coordinates"]["member"]["shape"], json!([3]));
    assert_eq!(info["coordinates"]["step"]["shape"], json!([2]));
    assert_eq!(info["commit"]["properties"]["references"], 12);
    let variables = info["variables"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["t2m", "tp"]);
    assert_eq!(
        variables[1]["dimensions"],
        json!(["time", "member", "step", "latitude", "longitude"])
    );
    assert_eq!(variables[1]["shape"], json!([1, 3, 2, 361, 720]));
    assert_eq!(
        (&variables[1]["references"], &variables[1]["units"]),
        (&json!(6), &json!("kg m-2"))
    );
    for member in [0, 3, 4] {
        let (shape, values) = stores.read(&format!("store t2m --sel member={member} --sel step=6"));
        assert_eq!(shape, [1, 361, 720]);
        assert_same(&values, &stores.run.values(T2M, member, 6));
    }
    // Rain has no step 0: a store of nothing else does not expect that file.
    let report = stores.build("rain", "--members 3 --steps 0-9 --variables tp");
    assert_eq!(report["files"], json!({"expected": 3, "used": 3}));
    let (_, values) = stores.read("rain tp --sel member=3 --sel step=0");
    assert_same(&values, &stores.run.missing());
}

#[tokio::test]
async fn the_layout_run_has_valid_times() {
    let stores = Stores::of(Run::new(&[0, 1], &[0, 3, 6]));
    let options = "--members 0-1 --steps 0-6 --variables t2m,tp,soilw --layout run";
    stores.build("store", options);
    let info = stores.desk.gik("info store --json").exits(0).json();
    assert_eq!(info["attributes"]["gik_layout"], "run");
    assert_eq!(info["coordinates"]["time"]["shape"], json!([3]));
    assert_eq!(info["coordinates"]["step"]["dimensions"], json!(["time"]));
    assert_eq!(info["coordinates"]["reference_time"]["shape"], json!([]));
    assert_eq!(info["variables"][0]["dimensions"][2], "depthBelowLandLayer");
    for variable in &info["variables"].as_array().unwrap()[1..] {
        assert_eq!(variable["dimensions"], json!(["member", "time", "latitude", "longitude"]));
        assert_eq!(variable["shape"], json!([2, 3, 361, 720]));
    }
    let text = stores.desk.gik("info store").exits(0).stdout;
    assert!(text.contains("2025-01-06T00 … 2025-01-06T06"), "{text}");
    let (shape, values) = stores.read("store tp --sel member=1 --sel time=2025-01-06T06");
    assert_eq!(shape, [361, 720]);
    assert_same(&values, &stores.run.values(TP, 1, 6));
}

#[tokio::test]
async fn codec_and_data_type_are_what_was_asked_for() {
    let stores = Stores::of(Run::new(&[0], &[0, 3]));
    let options = "--members 0 --steps 0-3 --variables t2m,tp,soilw";
    let expected = stores.run.values(TP, 0, 3);
    for (store, more, codec, data_type) in [
        ("plain", "", "gribberish", "float32"),
        ("model", "--codec model", "gefs_gribberish", "float32"),
        ("double", "--data-type float64", "gribberish", "float64"),
        ("both", "--codec model --data-type float64", "gefs_gribberish", "float64"),
    ] {
        stores.build(store, &format!("{options} {more}"));
        let metadata = metadata(&stores.desk.open(store).await, "tp").await;
        assert_eq!(metadata["codecs"][0]["name"], codec, "{store}");
        assert_eq!(metadata["data_type"], data_type, "{store}");
        assert_same(&stores.read(&format!("{store} tp --sel step=3")).1, &expected);
    }
}

/// Half of the levels of geopotential height are in one file, the others in another.
#[tokio::test]
async fn levels_of_two_files_are_one_array() {
    fn heights(field: &str) -> bool {
        field.starts_with("HGT:") && field.ends_with(" mb")
    }
    let desk = Desk::new();
    let [a, b] = [Product::A, Product::B].map(|it| Run::of(it, &[0, 1], &[3], heights));
    let messages = [&a, &b].map(|run| run.write(&desk.path("bucket")));
    assert_eq!(messages, [2 * 11, 2 * 20]);
    let options = "--product pgrb2abp5 --members 0-1 --steps 3 --variables gh --source bucket";
    let report = desk.build(&format!("{options} --store store --json")).exits(0).json();
    assert_eq!(
        report["references"],
        json!({"expected": 62, "written": 62, "replaced": 0, "unchanged": 0})
    );
    assert_eq!(report["files"], json!({"expected": 4, "used": 4}));
    let info = desk.gik("info store --json").exits(0).json();
    // All levels of the product, those that other variables have alone too.
    assert_eq!(info["coordinates"]["isobaricInhPa"]["shape"], json!([33]));
    for (run, level) in [(&a, 1000), (&b, 975), (&b, 950), (&a, 925), (&a, 10), (&b, 1)] {
        desk.gik(&format!(
            "read store gh --sel isobaricInhPa={level} --sel member=1 --allow bucket -o gh.npy"
        ))
        .exits(0);
        assert_same(&desk.npy("gh.npy").1, &run.values(&format!("HGT:{level} mb"), 1, 3));
    }
    desk.gik("read store gh --sel isobaricInhPa=960 --allow bucket").exits(2).says(&["1000"]);

    // Without one of the files its levels are missing, and the others are there.
    std::fs::remove_file(desk.path("bucket").join(b.path(1, 3))).unwrap();
    let report = desk.build(&format!("{options} --store half --json")).exits(3).json();
    assert_eq!(
        report["references"],
        json!({"expected": 62, "written": 42, "replaced": 0, "unchanged": 0})
    );
    assert_eq!(report["problems"], json!({"missing_file": 1}));
    let line = "read half gh --sel isobaricInhPa=975:1000 --sel member=1 --allow bucket -o gh.npy";
    desk.gik(line).exits(3);
    let (shape, values) = desk.npy("gh.npy");
    assert_eq!(shape, [1, 1, 2, 361, 720]);
    let (first, second) = values.split_at(361 * 720);
    assert_same(first, &a.values("HGT:1000 mb", 1, 3));
    assert_same(second, &b.missing());
}
