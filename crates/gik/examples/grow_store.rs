//! What appending costs while a store grows: full GEFS runs, one commit each.
//!
//! ```text
//! cargo run --release -p gik --example grow_store -- DIR RUNS > growth.csv
//! ```
//!
//! The first run is built from real messages of one member and two steps. The others have all
//! 95,046 references of a cycle of `pgrb2sp25`, to files of their own names that are not there.
//! A row for each append: the number of runs and references, seconds, seconds of the processor
//! (which other programs do not lengthen), the memory in use (resident
//! set) after it and the most so far, the size of the store; then what it takes to open the store
//! anew and read one message of the first run.

use std::collections::HashSet;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Instant;

use gik::core::{
    ChunkEntry, Error, Expected, ManifestStore, Parser, ReferenceTime, Result, RunRequest,
    SchemaOptions, SourceObject, SourceTable,
};
use gik::icechunk::{Repository, S3Settings, StoreLocation, WriteOptions, Writer};
use gik::{Job, Source};
use gik_testkit::gefs::{Detail, GefsRun};

const FIRST: &str = "2024-01-01T00";
const CYCLE: i64 = 6 * 3600;

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(runs)) = (args.next(), args.next().and_then(|it| it.parse().ok()))
    else {
        let _ = writeln!(std::io::stderr(), "usage: grow_store DIR RUNS");
        return std::process::ExitCode::FAILURE;
    };
    let grown = tokio::runtime::Runtime::new()
        .map_err(|error| Error::argument("runtime", error.to_string()))
        .and_then(|runtime| runtime.block_on(grow(Path::new(&folder), runs)));
    match grown {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}: {:?}", std::error::Error::source(&error));
            std::process::ExitCode::FAILURE
        }
    }
}

async fn grow(folder: &Path, runs: i64) -> Result<()> {
    let first: ReferenceTime = FIRST.parse()?;
    let bucket = folder.join("bucket");
    GefsRun::new(first)
        .members(0..=0)
        .steps(0..=3)
        .detail(Detail::Coarse)
        .write_messages(&bucket, &["t2m", "tp"])?;
    let store: StoreLocation = folder.join("store").display().to_string().parse()?;
    let registry = gik::registry()?;
    let parser = registry.get("gefs")?.as_ref();
    let root = gik::source_url(&bucket.display().to_string())?;
    let mut request = RunRequest::new(first);
    request.source = Some(root.clone());
    let s3 = S3Settings::default();
    let job = Job {
        model: "gefs".to_owned(),
        request: request.clone(),
        options: gik::core::BuildOptions::default(),
        store: store.clone(),
        s3: s3.clone(),
    };
    gik::build(&registry, &job, &|_, _| {}).await?;

    let container = Source::named(parser, &root, &s3)?.container;
    let mut out = std::io::stdout().lock();
    let header = "runs,references,append_seconds,processor_seconds,resident_bytes,peak_bytes,store_bytes,open_seconds";
    let _ = writeln!(out, "{header}");
    let mut references = 3;
    for number in 1..runs {
        request.reference_time = ReferenceTime::from_seconds(first.seconds() + number * CYCLE);
        let manifest = full_run(parser, &request)?;
        references += manifest.group.virtual_count();
        let (started, processor) = (Instant::now(), processor_seconds());
        let writer = Writer::open(&store, &s3, std::time::Duration::ZERO).await?;
        let options = WriteOptions { message: format!("run {number}"), ..WriteOptions::default() };
        writer.add(&[&manifest], std::slice::from_ref(&container), &options).await?;
        drop(writer);
        let seconds = started.elapsed().as_secs_f64();
        let processor = processor_seconds() - processor;
        let started = Instant::now();
        read_one(&store, &s3, root.as_str()).await?;
        let opened = started.elapsed().as_secs_f64();
        let _ = writeln!(
            out,
            "{},{references},{seconds:.4},{processor:.2},{},{},{},{opened:.4}",
            number + 1,
            memory("VmRSS:"),
            memory("VmHWM:"),
            size(&folder.join("store")),
        );
        let _ = out.flush();
    }
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
    let array = opened.array("t2m").await?;
    let at = [0; 5];
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
