//! Files as a web server sees them: a version to compare, conditions on it, ranges of
//! bytes. Both servers serve the same directories by these rules (RFC 9110, sections 8,
//! 13 and 14).

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, stream};

/// Bodies are read in pieces of at most so many bytes.
const PIECE: u64 = 256 * 1024;

/// What tells two contents of one path apart: the moment of the write, and the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
}

impl Version {
    pub(crate) fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self { size: metadata.len(), modified: metadata.modified()? })
    }

    /// The entity tag without quotes. Letters, digits and a hyphen only, since some
    /// clients drop the quotes; the `-1` of a multipart upload, since some take a tag of
    /// 32 digits for an MD5.
    pub(crate) fn etag(&self) -> String {
        let since = self.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{:x}{:08x}{:x}-1", since.as_secs(), since.subsec_nanos(), self.size)
    }

    /// Whole seconds since 1970, as `Last-Modified` tells them.
    pub(crate) fn seconds(&self) -> i64 {
        DateTime::<Utc>::from(self.modified).timestamp()
    }

    /// The moment of the write as S3 tells it in listings.
    pub(crate) fn whole_second(&self) -> SystemTime {
        let since = self.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        UNIX_EPOCH + Duration::from_secs(since.as_secs())
    }
}

/// An open file: what is read from it stays this version, whatever replaces its path.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) version: Version,
}

/// Opens a regular file, links followed. `None`: there is none at this path.
pub(crate) fn open(path: &Path) -> io::Result<Option<Opened>> {
    use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound};
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            return match error.kind() {
                NotFound | NotADirectory | IsADirectory | InvalidFilename => Ok(None),
                _ => Err(error),
            };
        }
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    Ok(Some(Opened { version: Version::of(&metadata)?, file }))
}

impl Opened {
    /// These bytes, read piece by piece on the blocking pool. A file that shrank
    /// meanwhile ends with an error, never with fewer bytes.
    pub(crate) fn read(
        self,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        stream::try_unfold((self.file, range), |(mut file, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let step = tokio::task::spawn_blocking(move || {
                let end = range.end.min(range.start.saturating_add(PIECE));
                let length = usize::try_from(end - range.start).unwrap_or(0);
                let mut piece = vec![0; length];
                file.seek(SeekFrom::Start(range.start))?;
                file.read_exact(&mut piece)?;
                Ok((Bytes::from(piece), (file, end..range.end)))
            });
            step.await.map_err(io::Error::other)?.map(Some)
        })
    }
}

/// One range of bytes, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From `first` to `last` inclusive, or to the end.
    From { first: u64, last: Option<u64> },
    /// So many bytes at the end.
    Suffix(u64),
}

impl ByteRange {
    /// Reads `bytes=…`. `None` for other units, several ranges, or nonsense: a server
    /// ignores these and sends the whole.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let number = |text: &str| -> Option<u64> {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
        if first.is_empty() {
            return Some(Self::Suffix(number(last)?));
        }
        let first = number(first)?;
        let last = if last.is_empty() { None } else { Some(number(last)?) };
        last.is_none_or(|last| first <= last).then_some(Self::From { first, last })
    }

    /// The bytes of an object of `size`; `None` if there are none (status 416).
    pub(crate) fn within(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From { first, last } => {
                first..last.map_or(size, |last| last.saturating_add(1).min(size))
            }
            Self::Suffix(length) => size.saturating_sub(length)..size,
        };
        (!range.is_empty()).then_some(range)
    }
}

/// The value of `Content-Range` for a range that is not empty.
pub(crate) fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

/// The entity tags of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: any version.
    Any,
    /// Tags without quotes, and whether each is weak.
    List(Vec<(String, bool)>),
}

impl Tags {
    /// Reads a header value; tags without quotes are taken as they are.
    pub(crate) fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Self::Any;
        }
        let tag = |text: &str| {
            let text = text.trim();
            let (text, weak) = text.strip_prefix("W/").map_or((text, false), |rest| (rest, true));
            (text.trim_matches('"').to_owned(), weak)
        };
        Self::List(header.split(',').map(tag).collect())
    }

    /// Whether the tag is among them; weak ones count only `weakly`.
    pub(crate) fn contain(&self, etag: &str, weakly: bool) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|(tag, weak)| tag == etag && (weakly || !weak)),
        }
    }
}

/// The conditions of a request for an existing object; times in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<Tags>,
    pub(crate) if_unmodified_since: Option<i64>,
    pub(crate) if_none_match: Option<Tags>,
    pub(crate) if_modified_since: Option<i64>,
}

/// What the conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it.
    Met,
    /// Status 412.
    Failed,
    /// Status 304.
    NotModified,
}

impl Conditions {
    /// Judges in the order of RFC 9110, section 13.2.2: a tag outranks a date.
    pub(crate) fn judge(&self, version: &Version) -> Verdict {
        let etag = version.etag();
        let unchanged = |since: i64| version.seconds() <= since;
        let wanted = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => tags.contain(&etag, false),
            (None, Some(since)) => unchanged(since),
            (None, None) => true,
        };
        let known = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => tags.contain(&etag, true),
            (None, Some(since)) => unchanged(since),
            (None, None) => false,
        };
        match (wanted, known) {
            (false, _) => Verdict::Failed,
            (true, true) => Verdict::NotModified,
            (true, false) => Verdict::Met,
        }
    }
}

/// A date of an HTTP header in seconds since 1970; other forms than the preferred one
/// (RFC 9110, section 5.6.7) count as absent.
pub(crate) fn parse_http_date(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp())
}

/// A date as HTTP headers carry it.
pub(crate) fn http_date(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Undoes `%XX`. `None` for a broken escape or what is not UTF-8 or holds a NUL.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                u8::try_from(value).ok()?
            }
            0 => return None,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let check = |header: &str, size: u64, expected: Option<Range<u64>>| {
            let range = ByteRange::parse(header).unwrap_or_else(|| panic!("{header}"));
            assert_eq!(range.within(size), expected, "{header} of {size}");
        };
        check("bytes=0-0", 10, Some(0..1));
        check("bytes=2-5", 10, Some(2..6));
        check("bytes=2-99", 10, Some(2..10));
        check("bytes=9-", 10, Some(9..10));
        check("bytes=10-", 10, None);
        check("bytes=-3", 10, Some(7..10));
        check("bytes=-30", 10, Some(0..10));
        check("bytes=-0", 10, None);
        check("bytes=0-", 0, None);
        check("bytes=3-18446744073709551615", 10, Some(3..10));
        for ignored in ["bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=+1-"]
        {
            assert_eq!(ByteRange::parse(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn conditions() {
        let modified = UNIX_EPOCH + Duration::from_millis(1_736_121_600_700);
        let version = Version { size: 5, modified };
        let etag = version.etag();
        assert_eq!(etag, "677b1d0029b927005-1");
        let quoted = format!("\"{etag}\"");
        let (tags, other) = (Some(Tags::parse(&quoted)), Some(Tags::parse("\"x\", W/\"y\"")));
        let weak = Some(Tags::parse(&format!("W/{quoted}")));
        let conditions = Conditions::default;
        let cases = [
            (conditions(), Verdict::Met),
            (Conditions { if_match: tags.clone(), ..conditions() }, Verdict::Met),
            (Conditions { if_match: other.clone(), ..conditions() }, Verdict::Failed),
            (Conditions { if_match: weak.clone(), ..conditions() }, Verdict::Failed),
            (Conditions { if_match: Some(Tags::Any), ..conditions() }, Verdict::Met),
            (Conditions { if_none_match: tags.clone(), ..conditions() }, Verdict::NotModified),
            (Conditions { if_none_match: weak, ..conditions() }, Verdict::NotModified),
            (Conditions { if_none_match: other.clone(), ..conditions() }, Verdict::Met),
            // The fraction of the second is not part of the comparison.
            (
                Conditions { if_modified_since: Some(1_736_121_600), ..conditions() },
                Verdict::NotModified,
            ),
            (Conditions { if_modified_since: Some(1_736_121_599), ..conditions() }, Verdict::Met),
            (Conditions { if_unmodified_since: Some(1_736_121_600), ..conditions() }, Verdict::Met),
            (
                Conditions { if_unmodified_since: Some(1_736_121_599), ..conditions() },
                Verdict::Failed,
            ),
            // A tag outranks a date.
            (
                Conditions { if_match: tags, if_unmodified_since: Some(0), ..conditions() },
                Verdict::Met,
            ),
            (
                Conditions {
                    if_none_match: other,
                    if_modified_since: Some(i64::MAX),
                    ..conditions()
                },
                Verdict::Met,
            ),
        ];
        for (conditions, expected) in cases {
            assert_eq!(conditions.judge(&version), expected, "{conditions:?}");
        }
    }

    #[test]
    fn dates_and_escapes() {
        let time = UNIX_EPOCH + Duration::from_millis(784_111_777_900);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse_http_date("yesterday"), None);
        assert_eq!(percent_decode("a%20b%2Fc+d").as_deref(), Some("a b/c+d"));
        assert_eq!(percent_decode("%C3%A9").as_deref(), Some("é"));
        for broken in ["%", "%4", "%zz", "%ff", "a%00b"] {
            assert_eq!(percent_decode(broken), None, "{broken}");
        }
    }
}
