//! `gik scan`.

use std::time::{Duration, Instant};

use gik::codec::scan::{ScannedField, scan};
use gik::core::SourceReader;
use serde_json::{Value, json};
use url::Url;

use super::job::Span;
use super::{Outcome, output, s3_settings};

#[derive(Debug, clap::Args)]
pub(super) struct Scan {
    /// The GRIB2 file: a path, s3://, https:// or http://.
    file: String,
    /// Print one line of JSON: offset, length, parameter, level, window, member, grid and
    /// packing of each field.
    #[arg(long, conflicts_with = "idx")]
    json: bool,
    /// Print an index as wgrib2 -s writes it, to be kept beside the file.
    #[arg(long)]
    idx: bool,
    /// Give up after this time, like 30s, whatever is waited for.
    #[arg(long, value_name = "SPAN")]
    deadline: Option<Span>,
}

impl Scan {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let (url, stores) = gik::open_file(&gik::registry()?, &self.file, &s3_settings())?;
        let reader = SourceReader::new(stores);
        let started = Instant::now();
        let mut folder = url.clone();
        if let Ok(mut segments) = folder.path_segments_mut() {
            segments.pop().push("");
        }
        let work = async {
            let (stat, hints) = tokio::join!(reader.stat(&folder, &url), hints(&reader, &url));
            scan(&reader, &url, stat?.size, &hints).await
        };
        let work = gik::scan_within(self.deadline.map(|span| span.0), work);
        let found = output::patiently(url.as_str(), || reader.range_bytes() > 0, work).await?;
        let size = found.size;
        let seconds = started.elapsed().as_secs_f64();
        for problem in &found.problems {
            output::remark(&format!("{url} at byte {}: {}", problem.offset, problem.text));
        }
        if self.json {
            let mut json = found.to_json();
            if let Value::Object(map) = &mut json {
                map.insert("url".into(), json!(url.as_str()));
                map.insert("requests".into(), json!(reader.requests()));
                map.insert("bytes_read".into(), json!(reader.range_bytes()));
                map.insert("seconds".into(), json!(seconds));
            }
            output::print_json(&json)?;
        } else if self.idx {
            output::print(found.to_wgrib2(|_| None).trim_end())?;
        } else {
            output::print(&table(&found.fields))?;
            output::remark(&format!(
                "{} messages, {} fields of {} kB; {} kB read in {} requests, {seconds:.2} s",
                output::count(found.messages),
                output::count(found.fields.len() as u64),
                output::count(size.div_ceil(1000)),
                output::count(reader.range_bytes().div_ceil(1000)),
                output::count(reader.requests()),
            ));
        }
        Ok(if found.problems.is_empty() { Outcome::Complete } else { Outcome::Incomplete })
    }
}

/// More than the largest index has.
const INDEX_LIMIT: u64 = 4 << 20;

/// How long an index is waited for.
const HINT_PATIENCE: Duration = Duration::from_secs(2);

/// Where an index beside a distant file says that its messages begin. Without one the scan
/// takes longer.
async fn hints(reader: &SourceReader, url: &Url) -> Vec<u64> {
    if url.scheme() == "file" {
        return Vec::new();
    }
    let mut index = url.clone();
    match url
        .path()
        .strip_suffix(".grib2")
        .filter(|stem| stem.ends_with("-fc") || stem.ends_with("-ef"))
    {
        Some(stem) => index.set_path(&format!("{stem}.index")),
        None => index.set_path(&format!("{}.idx", url.path())),
    }
    // A server that does not answer this soon would cost more than it saves.
    let answer = tokio::time::timeout(HINT_PATIENCE, reader.range(&index, 0..INDEX_LIMIT)).await;
    let Ok(Ok(bytes)) = answer else { return Vec::new() };
    let offset = |line: &str| match line.strip_prefix('{') {
        None => line.split(':').nth(1)?.parse().ok(),
        Some(_) => serde_json::from_str::<Value>(line).ok()?.get("_offset")?.as_u64(),
    };
    let mut offsets: Vec<u64> =
        String::from_utf8_lossy(&bytes).lines().filter_map(offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// One row a field.
fn table(fields: &[ScannedField]) -> String {
    let has_members = fields.iter().any(|field| !field.qualifiers.is_empty());
    let mut header: Vec<String> =
        ["message", "offset", "length", "parameter", "level", "window"].map(str::to_owned).into();
    if has_members {
        header.push("member".to_owned());
    }
    header.extend(["grid", "packing"].map(str::to_owned));
    let rows = fields.iter().map(|field| {
        let message = match field.submessage {
            Some(submessage) => format!("{}.{submessage}", field.message),
            None => field.message.to_string(),
        };
        let text = |value: Option<String>| value.unwrap_or_else(|| "?".to_owned());
        let mut row = vec![
            message,
            field.offset.to_string(),
            field.length.to_string(),
            field.parameter.to_string(),
            text(field.level.map(|level| level.to_string())),
            text(field.window.map(|window| window.to_string())),
        ];
        if has_members {
            row.push(field.qualifiers.clone());
        }
        row.extend([field.grid.to_string(), packing(field)]);
        row
    });
    output::table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

/// `5.3 16 bits`.
fn packing(field: &ScannedField) -> String {
    let packing = &field.packing;
    let mut text = format!("5.{}", packing.template);
    match packing.bits {
        Some(0) => text.push_str(" constant"),
        Some(bits) => text.push_str(&format!(" {bits} bits")),
        None => {}
    }
    if packing.has_bitmap {
        text.push_str(", bitmap");
    }
    text
}
