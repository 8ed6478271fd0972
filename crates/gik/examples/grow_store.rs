//! What appending costs while a store grows: full GEFS runs, one commit and one process each,
//! as a scheduler would start them.
//!
//! ```text
//! cargo run --release -p gik --example grow_store -- DIR RUNS > growth.csv
//! cargo run --release -p gik --example grow_store -- DIR --only NUMBER
//! ```
//!
//! The first run is built from real messages of one member and two steps. The others have all
//! 95,046 references of a cycle of `pgrb2sp25`, to files of their own names that are not there.
//! A row for each append: the number of the run, its references, seconds, seconds of the
//! processor (which other programs do not lengthen), the peak of memory (resident set) of
//! making the references and of appending them, the size of the store; then what it takes to open
//! the store anew and read one message of the first run. `--only` adds a single run to a store
//! that is there: a number below 0 is one before all others.

use std::collections::HashSet;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Instant;

use gik::core::{
    ChunkEntry, CoordinateValues, Error, Expected, ManifestStore, Parser, ReferenceTime, Result,
    RunRequest, SchemaOptions, SourceObject, SourceTable,
};
use gik::icechunk::{Repository, S3Settings, StoreLocation, WriteOptions, Writer};
use gik::{Job, Source};
use gik_testkit::gefs::{Detail, GefsRun};

const FIRST: &str = "2024-01-01T00";
const CYCLE: i64 = 6 * 3600;

const USAGE: &str = "usage: grow_store DIR RUNS, or grow_store DIR --only NUMBER";

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [folder, "--only", number] => match number.parse() {
            Ok(number) => block_on(append(Path::new(folder), number)),
            Err(_) => Err(Error::argument(*number, USAGE)),
        },
        [folder, runs] => match runs.parse() {
            Ok(runs) => grow(folder, runs),
            Err(_) => Err(Error::argument(*runs, USAGE)),
        },
        _ => Err(Error::argument("arguments", USAGE)),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}: {:?}", std::error::Error::source(&error));
            std::process::ExitCode::FAILURE
        }
    }
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Runtime::new()
        .map_err(|error| Error::argument("runtime", error.to_string()))
        .and_then(|runtime| runtime.block_on(work))
}

fn grow(folder: &str, runs: i64) -> Result<()> {
    block_on(start(Path::new(folder)))?;
    let header = "run,references,append_seconds,processor_seconds,made_peak_bytes,peak_bytes,store_bytes,open_seconds";
    let _ = writeln!(std::io::stdout(), "{header}");
    let failed = |error: std::io::Error| Error::argument("process of an append", error.to_string());
    let program = std::env::current_exe().map_err(failed)?;
    for number in 1..runs {
        let mut process = std::process::Command::new(&program);
        process.args([folder, "--only", &number.to_string()]);
        if !process.status().map_err(failed)?.success() {
            return Err(Error::argument(format!("run {number}"), "was not added"));
        }
    }
    Ok(())
}

/// The first run, of real messages.
async fn start(folder: &Path) -> Result<()> {
    let first: ReferenceTime = FIRST.parse()?;
    let bucket = folder.join("bucket");
    GefsRun::new(first)
        .members(0..=0)
        .steps(0..=3)
        .detail(Detail::Coarse)
        .write_messages(&bucket, &["t2m", "tp"])?;
    let mut request = RunRequest::new(first);
    request.source = Some(gik::source_url(&bucket.display().to_string())?);
    let job = Job {
        model: "gefs".to_owned(),
        request,
        options: gik::core::BuildOptions::default(),
        store: store_of(folder)?,
        s3: S3Settings::default(),
    };
    gik::build(&gik::registry()?, &job, &|_, _| {}).await?;
    Ok(())
}

fn store_of(folder: &Path) -> Result<StoreLocation> {
    folder.join("store").display().to_string().parse()
}

/// Adds a run and prints its row.
async fn append(folder: &Path, number: i64) -> Result<()> {
    let registry = gik::registry()?;
    let parser = registry.get("gefs")?.as_ref();
    let (store, s3) = (store_of(folder)?, S3Settings::default());
    let root = gik::source_url(&folder.join("bucket").display().to_string())?;
    let container = Source::named(parser, &root, &s3)?.container;
    let first: ReferenceTime = FIRST.parse()?;
    let mut request =
        RunRequest::new(ReferenceTime::from_seconds(first.seconds() + number * CYCLE));
    request.source = Some(root.clone());

    let manifest = full_run(parser, &request)?;
    let references = manifest.group.virtual_count();
    let made = memory("VmHWM:");
    let (started, processor) = (Instant::now(), processor_seconds());
    let writer = Writer::open(&store, &s3, std::time::Duration::ZERO).await?;
    let options = WriteOptions { message: format!("run {number}"), ..WriteOptions::default() };
    writer.add(&[&manifest], std::slice::from_ref(&container), &options).await?;
    drop(writer);
    let seconds = started.elapsed().as_secs_f64();
    let processor = processor_seconds() - processor;
    let peak = memory("VmHWM:");
    drop(manifest);
    let started = Instant::now();
    read_one(&store, &s3, root.as_str()).await?;
    let opened = started.elapsed().as_secs_f64();
    let bytes = size(&folder.join("store"));
    let _ = writeln!(
        std::io::stdout(),
        "{number},{references},{seconds:.4},{processor:.2},{made},{peak},{bytes},{opened:.4}",
    );
    Ok(())
}

/// All references of a run, to files that are not there.
fn full_run(parser: &dyn Parser, request: &RunRequest) -> Result<ManifestStore> {
    let run = parser.run(request)?;
    let mut group = parser.schema(&run, &SchemaOptions::default())?;
    let mut sources = SourceTable::default();
    let members = run.members.as_ref().map_or(1, Vec::len) as u64;
    let steps = run.steps.len() as u64;
    let expected: HashSet<Expected> = parser.expected(&run)?.into_iter().collect();
    for source in parser.sources(&run)? {
        let id = sources.intern(SourceObject {
            url: source.data.as_str().to_owned(),
            last_modified: Some(run.reference_time.seconds() + 20_000),
            etag: None,
        })?;
        let at = u64::from(source.member.unwrap_or_default()) * steps + u64::from(source.step);
        let mut offset = 0;
        for (variable, (_, array)) in (0..).zip(&mut group.data) {
            let levels = array.chunks.len() / (members * steps).max(1);
            for level in 0..u32::try_from(levels).unwrap_or_default() {
                let length = 200_000 + u32::try_from(at * 7919 % 90_000).unwrap_or_default();
                let is_there = expected.contains(&Expected { step: source.step, variable, level });
                if let Some(length) = NonZeroU32::new(length).filter(|_| is_there) {
                    array.chunks.set_virtual(
                        at * levels + u64::from(level),
                        ChunkEntry { source: id, offset, length },
                    )?;
                    offset += u64::from(length.get());
                }
            }
        }
    }
    Ok(ManifestStore { group, sources })
}

/// Opens the store anew and decodes one message.
async fn read_one(store: &StoreLocation, s3: &S3Settings, allowed: &str) -> Result<()> {
    let repository = Repository::open(store, s3, &[allowed.to_owned()]).await?;
    let opened = repository.main().await?;
    // Runs may have been added before it.
    let first = FIRST.parse::<ReferenceTime>()?.seconds();
    let CoordinateValues::Int64(times) = opened.array("time").await?.coordinate().await? else {
        return Err(Error::argument("time", "has no integers"));
    };
    let run = times.iter().position(|&time| time == first).unwrap_or_default();
    let array = opened.array("t2m").await?;
    let at = [run as u64, 0, 0, 0, 0];
    let Some(bytes) = array.fetch(&at).await? else {
        return Err(Error::argument("t2m", "has no first message"));
    };
    let values = array.decode(&at, bytes, &[0..1, 0..1, 0..1, 0..721, 0..1440])?;
    if values.len() != 721 * 1440 {
        return Err(Error::argument("t2m", "has another grid"));
    }
    Ok(())
}

/// Seconds that this process has had the processor, by Linux's clock of hundredths.
fn processor_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted behind the name, which is in parentheses.
    let fields = status.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// A line of what Linux says about this process, in bytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status.lines().find_map(|it| it.strip_prefix(line));
    let kilobytes = kilobytes.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
