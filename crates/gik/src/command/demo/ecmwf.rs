//! The demo's ECMWF run: an ensemble in five files, built and read back.

use std::path::Path;

use gik::Job;
use gik::analysis::{BoundingBox, Query, read_field};
use gik::core::{BuildOptions, RunRequest};
use gik::icechunk::{Repository, S3Settings, StoreLocation};

use super::{build, describe, output, unpack};

/// Three members of an ECMWF ensemble, 0 to 3 h, rain, temperature and two pressure levels;
/// see demo/README.md.
const BUNDLE: &[u8] = include_bytes!("../../../demo/ecmwf-demo.tar");
const RUN: &str = "2025-09-30T00";
const MEMBERS: &str = "0-2";
const STEPS: &str = "0-3";
const VARIABLES: [&str; 4] = ["tp", "t2m", "t", "gh"];

pub(super) async fn play(folder: &Path, region: &BoundingBox) -> anyhow::Result<()> {
    let bucket = folder.join("ecmwf-bucket");
    unpack(BUNDLE, &bucket)?;
    let source = gik::source_url(&bucket.display().to_string())?;
    let store: StoreLocation = folder.join("ecmwf-store").display().to_string().parse()?;
    let mut request = RunRequest::new(RUN.parse()?);
    request.members = Some(MEMBERS.parse()?);
    request.steps = Some(STEPS.parse()?);
    request.variables = Some(VARIABLES.map(str::to_owned).to_vec());
    request.source = Some(source.clone());
    let job = Job {
        model: "ecmwf".to_owned(),
        request,
        options: BuildOptions::default(),
        store: store.clone(),
        s3: S3Settings::default(),
    };
    let built = gik::build(&gik::registry()?, &job, &|_, _| {}).await?;
    output::print(&format!("   {}", build::summary(&built, &store).replace('\n', "\n   ")))?;
    output::print("     (the bundle has two of the pressure levels of t and gh)")?;

    let repository =
        Repository::open(&store, &S3Settings::default(), &[source.to_string()]).await?;
    let opened = repository.main().await?;
    for name in ["tp", "t2m", "t"] {
        let labels = vec!["time=2025-09-30T00".parse()?, "step=3".parse()?];
        let query = Query { labels, region: Some(*region), ..Query::default() };
        let (field, _) = read_field(&opened, name, &query, &|_, _| {}).await?;
        output::print(&format!("   {}", describe(&field)))?;
    }
    Ok(())
}
