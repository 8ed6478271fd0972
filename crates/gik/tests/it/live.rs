//! The public bucket itself, when asked for: `GIK_NET=1 cargo test -p gik live`.

use crate::desk::Desk;

/// Variables that say how this machine reaches the internet.
const NETWORK: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

#[test]
fn the_public_bucket() {
    if std::env::var_os("GIK_NET").is_none_or(|value| value != "1") {
        eprintln!("skipped: reads s3://noaa-gefs-pds over the internet; set GIK_NET=1 to run it");
        return;
    }
    let variables = NETWORK.into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    let desk = Desk::with(variables.collect());
    let report = desk.build("--members 0-2 --steps 0-6 --store store --json").exits(0).json();
    assert_eq!(report["source"], "s3://noaa-gefs-pds/");
    assert_eq!(report["complete"], true);
    assert_eq!(report["files"]["used"], 9);
    for (line, low, high) in [
        ("read store t2m --sel member=2 --sel step=6", 180.0, 340.0),
        ("read store tp --sel member=0 --sel step=6", 0.0, 1000.0),
        ("read store prmsl --sel member=1 --sel step=0", 85_000.0, 110_000.0),
    ] {
        let json = desk.gik(&format!("{line} --json")).exits(0).json();
        assert_eq!((&json["values"], &json["missing"]), (&(721 * 1440).into(), &0.into()));
        let number = |key: &str| json[key].as_f64().unwrap();
        assert!(low <= number("minimum") && number("maximum") <= high, "{json}");
        assert!(number("minimum") < number("maximum"), "{json}");
    }
}
