//! What is in a GRIB2 file, from its headers alone.
//!
//! [`scan`] reads sections 0 to 6 of each message with range requests, no bitmap and no data:
//! of a file of 150 MB less than 2 %. Each field of a message that has several is listed.
//! Damage costs the messages that it touches: they are in [`Scan::problems`], and the next
//! message is searched for.

mod chain;
mod field;
mod heads;
mod inventory;
mod parameter;
mod product;
mod single;
mod stray;
mod unknown;

use bytes::Bytes;
use futures::StreamExt;
use gik_core::{
    Error, Grid, IndexedFile, Level, ReferenceTime, Result, SourceFile, SourceReader, Window,
};
use url::Url;

pub(crate) use field::reference_time;
use heads::{File, Link};
pub use parameter::{Parameter, ParameterNames};
pub use product::Member;
pub(crate) use product::Product;
pub use single::{scan_bytes, scan_message};
pub use unknown::ScannedFile;

/// What a scan found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The size of the file in bytes.
    pub size: u64,
    /// The messages, whether or not they could be read.
    pub messages: u64,
    /// The fields, in the file's order.
    pub fields: Vec<ScannedField>,
    /// What could not be used.
    pub problems: Vec<ScanProblem>,
}

/// A stretch of the file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProblem {
    /// Where it begins.
    pub offset: u64,
    /// How long it is; of a message cut off by the file's end, as it says.
    pub length: u64,
    /// What is wrong, and what was done.
    pub text: String,
}

/// One field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedField {
    /// The number of the message in the file, from 1.
    pub message: u32,
    /// The number of the field in its message, from 1, where that has several.
    pub submessage: Option<u32>,
    /// The first byte of the message.
    pub offset: u64,
    /// The bytes of the message, `GRIB` to `7777`.
    pub length: u64,
    /// The reference time, in UTC.
    pub reference_time: ReferenceTime,
    /// The sub-centre.
    pub sub_centre: u16,
    /// What it is of; the centre is part of it.
    pub parameter: Parameter,
    /// The product definition template (code table 4.0).
    pub product_template: u16,
    /// Where; none where the template says it in no known way.
    pub level: Option<Level>,
    /// When; none where it is no window of one run.
    pub window: Option<Window>,
    /// The member of an ensemble.
    pub member: Option<Member>,
    /// What else tells it from others, in wgrib2's words, colon separated; the member too.
    pub qualifiers: String,
    /// The grid.
    pub grid: GridSummary,
    /// How its values are packed.
    pub packing: PackingSummary,
}

/// A field's grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridSummary {
    /// Section 3, whole.
    pub section: Bytes,
    /// The grid definition template (code table 3.1).
    pub template: u16,
    /// Its points.
    pub points: u32,
    /// Rows and columns, if its rows are of one length.
    pub shape: Option<[u32; 2]>,
}

/// How a field is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackingSummary {
    /// The data representation template (code table 5.0).
    pub template: u16,
    /// Bits of each integer; 0 is a constant field.
    pub bits: Option<u8>,
    /// Values in the data section.
    pub values: u32,
    /// Whether a bitmap marks the points that have one.
    pub has_bitmap: bool,
}

/// Messages whose sections are read at the same time, beyond what finding them brought.
const CONCURRENCY: usize = 16;
/// Problems kept: more would tell no more.
const PROBLEMS_KEPT: usize = 100;

/// Scans the file `url` of `size` bytes. `hints` are offsets at which messages may begin, of an
/// index for example, ascending: over a network they save time. They are not believed, so that
/// what they are changes nothing but that.
///
/// # Errors
/// When it is no GRIB file or cannot be read. Damaged messages are no error: see
/// [`Scan::problems`].
pub async fn scan(reader: &SourceReader, url: &Url, size: u64, hints: &[u64]) -> Result<Scan> {
    if size == 0 {
        return Err(Error::truncated(16, 0).in_url(url.as_str()).at(0));
    }
    let file = File { reader, url, size };
    let links = chain::walk(&file, hints).await.map_err(|error| error.in_url(url.as_str()))?;
    let mut found = Scan { size, messages: 0, fields: Vec::new(), problems: Vec::new() };
    let mut numbers = 0_u32..;
    let numbered = links.into_iter().map(|link| match link {
        Link::Junk { .. } => (0, link),
        _ => (numbers.next().unwrap_or(u32::MAX).saturating_add(1), link),
    });
    let mut described = futures::stream::iter(numbered)
        .map(|(number, link)| describe(&file, number, link))
        .buffered(CONCURRENCY);
    while let Some(described) = described.next().await {
        match described {
            Described::Fields(fields) => {
                found.messages += 1;
                found.fields.extend(fields);
            }
            Described::Problem { is_message, problem } => {
                found.messages += u64::from(is_message);
                if found.problems.len() < PROBLEMS_KEPT {
                    found.problems.push(problem);
                }
            }
            Described::Failed(error) => return Err(error.in_url(url.as_str())),
        }
    }
    Ok(found)
}

/// A file and what its headers say, in the form in which its index would say it: `to_index`
/// writes that. Fields on another grid than `grid` are left out.
///
/// # Errors
/// Those of [`scan`], and when the file is not there.
pub async fn scanned_file(
    reader: &SourceReader,
    source: &SourceFile,
    grid: &Grid,
    to_index: impl FnOnce(&Scan) -> String,
) -> Result<ScannedFile> {
    let data = reader.stat(&source.folder, &source.data).await?;
    let mut scan = scan(reader, &source.data, data.size, &[]).await?;
    let strays = scan.leave_out_strays(grid);
    let index = to_index(&scan).into();
    let index = IndexedFile { index, index_info: data.clone(), data, is_scanned: true };
    let source = SourceFile { index: source.data.clone(), ..source.clone() };
    Ok(ScannedFile { index, source, scan, strays })
}

enum Described {
    Fields(Vec<ScannedField>),
    Problem { is_message: bool, problem: ScanProblem },
    Failed(Error),
}

async fn describe(file: &File<'_>, number: u32, link: Link) -> Described {
    let (is_message, offset, length, text) = match link {
        Link::Junk { offset, end } => {
            let length = end - offset;
            (false, offset, length, format!("{length} bytes are no GRIB message and passed over"))
        }
        Link::Cut { offset, length } => {
            let there = file.size - offset;
            let text = format!(
                "message {number} has {length} bytes, of which the file has {there}; it is cut, or \
                 still being written"
            );
            (true, offset, length, text)
        }
        Link::Message(head) if head.edition != 2 => {
            let text = format!(
                "message {number} is of GRIB edition {}; only edition 2 is listed",
                head.edition
            );
            (true, head.offset, head.length, text)
        }
        Link::Message(head) => match field::fields(file, &head, number).await {
            Ok(fields) => return Described::Fields(fields),
            Err(error) if matches!(error.kind(), gik_core::ErrorKind::Io { .. }) => {
                return Described::Failed(error);
            }
            Err(error) => {
                let text = format!("message {number} cannot be used: {error}");
                (true, head.offset, head.length, text)
            }
        },
    };
    Described::Problem { is_message, problem: ScanProblem { offset, length, text } }
}
