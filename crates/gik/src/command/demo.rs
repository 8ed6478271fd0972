//! `gik demo`: the whole way on a small run that lies in the program itself.

use std::path::{Path, PathBuf};

use anyhow::Context;
use gik::Job;
use gik::analysis::accumulation::{Request, accumulate};
use gik::analysis::exceedance::{Exceedance, Plane};
use gik::analysis::{BoundingBox, Field, Map, Palette, ProbabilitySheet, Query, read_field};
use gik::core::{BuildOptions, Error, ErrorKind, RunRequest};
use gik::icechunk::{Container, Opened, Repository, S3Settings, StoreLocation};
use url::Url;

mod ecmwf;

use super::read::Statistics;
use super::{Outcome, build, output};

/// Five members of a GEFS run, 0 to 24 h, rain and temperature; see demo/README.md.
const BUNDLE: &[u8] = include_bytes!("../../demo/gefs-demo.tar");
const RUN: &str = "2025-01-06T00";
const MEMBERS: &str = "0-4";
const STEPS: &str = "0-24";
const VARIABLES: [&str; 2] = ["tp", "t2m"];
/// East Africa: west, south, east, north.
const REGION: &str = "21,-12,53,23";
/// Millimetres of a day.
const THRESHOLDS: [f32; 4] = [5.0, 10.0, 25.0, 50.0];

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// The folder to make for the bundled files, the store and the map.
    #[arg(default_value = "gik-demo")]
    folder: PathBuf,
}

impl Demo {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        if self.folder.exists() {
            let error = Error::new(ErrorKind::AlreadyExists {
                what: "the demo's folder".to_owned(),
                hint: "name another one (gik demo FOLDER), or remove it first".to_owned(),
            });
            return Err(error.in_url(self.folder.display().to_string()).into());
        }
        let outcome = self.play().await;
        if outcome.is_err() {
            // The failure is what is reported.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
        outcome
    }

    async fn play(&self) -> anyhow::Result<Outcome> {
        let bucket = self.folder.join("bucket");
        unpack(BUNDLE, &bucket)?;
        let source = gik::source_url(&bucket.display().to_string())?;
        let store: StoreLocation = self.folder.join("store").display().to_string().parse()?;

        output::print(&format!(
            "1. Building a virtual Zarr store from the indexes in {}",
            bucket.display()
        ))?;
        let job = job(&source, &store)?;
        let built = gik::build(&gik::registry()?, &job, &|_, _| {}).await?;
        output::print(&format!("   {}", build::summary(&built, &store).replace('\n', "\n   ")))?;

        let region: BoundingBox = REGION.parse()?;
        output::print(&format!("2. Reading East Africa ({REGION}) back through Zarr"))?;
        let repository =
            Repository::open(&store, &S3Settings::default(), &[source.to_string()]).await?;
        let opened = repository.main().await?;
        let query = Query {
            labels: vec!["time=2025-01-06T00".parse()?],
            region: Some(region),
            ..Query::default()
        };
        let (rain, _) = read_field(&opened, "tp", &query, &|_, _| {}).await?;
        let (temperature, _) = read_field(&opened, "t2m", &query, &|_, _| {}).await?;
        for field in [&rain, &temperature] {
            output::print(&format!("   {}", describe(field)))?;
        }

        output::print("3. Adding up the rain of the first 24 hours, and counting members")?;
        draw(&opened, region, &self.folder).await?;

        output::print("4. Another model: the ECMWF ensemble, one file for all members of a step")?;
        ecmwf::play(&self.folder, &region).await?;

        output::print(
            "5. The first store in Python (pip install icechunk zarr xarray gribberish)",
        )?;
        output::print(&python(&store, repository.containers()))?;
        Ok(Outcome::Complete)
    }
}

fn unpack(bundle: &[u8], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    tar::Archive::new(bundle)
        .unpack(folder)
        .with_context(|| format!("cannot unpack the bundled run into {}", folder.display()))
}

fn job(source: &Url, store: &StoreLocation) -> gik::core::Result<Job> {
    let mut request = RunRequest::new(RUN.parse()?);
    request.members = Some(MEMBERS.parse()?);
    request.steps = Some(STEPS.parse()?);
    request.variables = Some(VARIABLES.map(str::to_owned).to_vec());
    request.source = Some(source.clone());
    Ok(Job {
        model: "gefs".to_owned(),
        request,
        options: BuildOptions::default(),
        store: store.clone(),
        s3: S3Settings::default(),
    })
}

fn describe(field: &Field) -> String {
    let dimensions: Vec<String> =
        field.dimensions().iter().map(|it| format!("{} {}", it.name, it.length)).collect();
    let statistics = Statistics::of(field.values());
    let number = |value: Option<f32>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    format!(
        "{} ({}): {} … {} {}",
        field.name(),
        dimensions.join(", "),
        number(statistics.minimum),
        number(statistics.maximum),
        field.text("units").unwrap_or_default()
    )
}

/// Maps of the day: its mean over the members, and how probable amounts are.
async fn draw(opened: &Opened, region: BoundingBox, folder: &Path) -> anyhow::Result<()> {
    let request = Request { region: Some(region), ..Request::new("tp") };
    let (rain, _) = accumulate(opened, &request, &|_, _| {}).await?;
    let mean = rain.reduce(&"member=mean".parse()?)?;
    output::print(&format!("   {}", describe(&mean)))?;
    let map = folder.join("rainfall-24h.png");
    Map::new(&mean, None)?
        .title("Rainfall of 24 hours, mean of 5 members")
        .subtitle("GEFS demo run 2025-01-06 00 UTC, valid to 2025-01-07 00 UTC (synthetic data)")
        .palette(Palette::rainfall())
        .write_png(&map)?;
    output::print(&format!("   map: {}", map.display()))?;

    let job = Exceedance::open(opened, &request, &THRESHOLDS).await?;
    let mut sheet = ProbabilitySheet::new(&job, Some(region), "Africa/Nairobi".parse()?)?;
    let mut take = |plane: Plane<'_>| sheet.draw(&plane);
    let summary = job.run(&|_, _| {}, &mut take).await?;
    let path = folder.join("exceedance-24h.png");
    sheet.write_png(&path, &summary)?;
    output::print(&format!("   probabilities: {}", path.display()))?;
    Ok(())
}

fn python(store: &StoreLocation, containers: &[Container]) -> String {
    let prefix = containers.first().map(Container::icechunk_prefix).unwrap_or_default();
    format!(
        "
   import icechunk, xarray as xr
   repo = icechunk.Repository.open(
       icechunk.local_filesystem_storage({store:?}),
       authorize_virtual_chunk_access={{{prefix:?}: icechunk.credentials.LocalFileSystemAccess}},
   )
   ds = xr.open_zarr(repo.readonly_session(\"main\").store, consolidated=False)
   print(ds.t2m.sel(member=1, step=\"24h\", latitude=slice(23, -12), longitude=slice(21, 53)).mean().values)",
        store = store.to_string(),
    )
}
