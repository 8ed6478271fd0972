//! A plain web server over a directory, such as many mirrors of forecasts are: ranges
//! and conditions, but no listing.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, RANGE,
};
use hyper::{Method, StatusCode, http};

use crate::counters::{Counters, Operation, Request};
use crate::faults::Faults;
use crate::files::{
    ByteRange, Conditions, Opened, Tags, Verdict, content_range, http_date, open, parse_http_date,
    percent_decode,
};
use crate::server::{BoxError, BoxFuture, Handler, Response, Server, full};

/// Serves the files of a directory on 127.0.0.1, HTTP/1.1 with connections kept alive.
///
/// `GET` and `HEAD` of files, with one range (`a-b`, `a-`, `-n`) and the conditions of
/// RFC 9110; whatever else is asked of it is `405 Method Not Allowed`, and a directory is
/// `404 Not Found`. Paths are percent-decoded and stay below the root; symbolic links are
/// followed. Files may be added, replaced and removed while it runs. It runs on threads of
/// its own and stops when dropped.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// std::fs::write(dir.path().join("a.idx"), "1:0:d=2025010600:TMP:surface:anl:\n")?;
/// let server = gik_testkit::http::HttpServer::start(dir.path())?;
/// let url = format!("{}/a.idx", server.url());
/// # assert!(url.starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct HttpServer {
    root: PathBuf,
    faults: Faults,
    counters: Counters,
    server: Server,
}

impl HttpServer {
    /// Starts serving `root` on a free port.
    ///
    /// # Errors
    ///
    /// When the port or the thread cannot be had.
    pub fn start(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::of_site(root.into(), Vec::new())
    }

    /// The same without `ETag` and `Last-Modified`: nothing tells versions of a file apart.
    ///
    /// # Errors
    ///
    /// When the port or the thread cannot be had.
    pub fn without_versions(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::of_site(root.into(), vec![ETAG, LAST_MODIFIED])
    }

    /// The same without `Last-Modified`: only entity tags tell versions apart.
    ///
    /// # Errors
    ///
    /// When the port or the thread cannot be had.
    pub fn with_tags_alone(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::of_site(root.into(), vec![LAST_MODIFIED])
    }

    fn of_site(root: PathBuf, unsaid: Vec<HeaderName>) -> io::Result<Self> {
        let (faults, counters) = (Faults::none(), Counters::default());
        let handler = Arc::new(Site { root: root.clone(), unsaid });
        let server = Server::start("gik-http", handler, faults.clone(), counters.clone())?;
        Ok(Self { root, faults, counters, server })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The directory that is served.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The faults of this server, to add to and to read.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked of this server.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

struct Site {
    root: PathBuf,
    unsaid: Vec<HeaderName>,
}

impl Handler for Site {
    fn describe(&self, request: &http::request::Parts) -> Request {
        let operation = match request.method {
            Method::GET => Operation::Get,
            Method::HEAD => Operation::Head,
            _ => Operation::Other,
        };
        let path = request.uri.path().trim_start_matches('/');
        let path = percent_decode(path).unwrap_or_else(|| path.to_owned());
        Request::new(operation, path, header(request, &RANGE).unwrap_or_default())
    }

    fn serve(&self, request: http::Request<Incoming>) -> BoxFuture<'_, Result<Response, BoxError>> {
        Box::pin(async move { self.answer(&request.into_parts().0).await })
    }
}

impl Site {
    async fn answer(&self, request: &http::request::Parts) -> Result<Response, BoxError> {
        if request.method != Method::GET && request.method != Method::HEAD {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Ok(response);
        }
        let Some(path) = inside(&self.root, request.uri.path()) else {
            return Ok(plain(StatusCode::NOT_FOUND));
        };
        let Some(opened) = tokio::task::spawn_blocking(move || open(&path)).await?? else {
            return Ok(plain(StatusCode::NOT_FOUND));
        };
        let mut response = respond(request, opened)?;
        for header in &self.unsaid {
            response.headers_mut().remove(header);
        }
        Ok(response)
    }
}

/// The file that a request path names. `None` if it would leave the root, or no file
/// could have this name.
fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(path)?;
    let relative = Path::new(decoded.trim_start_matches('/'));
    relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        .then(|| root.join(relative))
}

fn respond(request: &http::request::Parts, opened: Opened) -> Result<Response, BoxError> {
    let version = opened.version;
    let etag = format!("\"{}\"", version.etag());
    let mut response = match conditions(request).judge(&version) {
        Verdict::Failed => plain(StatusCode::PRECONDITION_FAILED),
        Verdict::NotModified => {
            http::Response::builder().status(StatusCode::NOT_MODIFIED).body(full(""))?
        }
        Verdict::Met => match range(request, &etag, &version) {
            Some(range) => match range.within(version.size) {
                Some(range) => {
                    let value = content_range(&range, version.size);
                    let mut response = contents(request, opened, range)?;
                    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                    response.headers_mut().insert(CONTENT_RANGE, HeaderValue::try_from(value)?);
                    response
                }
                None => {
                    let mut response = plain(StatusCode::RANGE_NOT_SATISFIABLE);
                    let value = format!("bytes */{}", version.size);
                    response.headers_mut().insert(CONTENT_RANGE, HeaderValue::try_from(value)?);
                    response
                }
            },
            None => contents(request, opened, 0..version.size)?,
        },
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::try_from(etag)?);
    headers.insert(LAST_MODIFIED, HeaderValue::try_from(http_date(version.modified))?);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(response)
}

/// The range to honour: of a `GET`, and with `If-Range` only of the version it names.
fn range(
    request: &http::request::Parts,
    etag: &str,
    version: &crate::files::Version,
) -> Option<ByteRange> {
    if request.method != Method::GET {
        return None;
    }
    let same = header(request, &IF_RANGE).is_none_or(|known| {
        known == etag || parse_http_date(known).is_some_and(|date| date == version.seconds())
    });
    header(request, &RANGE).filter(|_| same).and_then(ByteRange::parse)
}

fn conditions(request: &http::request::Parts) -> Conditions {
    let tags = |name| header(request, name).map(Tags::parse);
    let date = |name| header(request, name).and_then(parse_http_date);
    Conditions {
        if_match: tags(&IF_MATCH),
        if_unmodified_since: date(&IF_UNMODIFIED_SINCE),
        if_none_match: tags(&IF_NONE_MATCH),
        if_modified_since: date(&IF_MODIFIED_SINCE),
    }
}

fn contents(
    request: &http::request::Parts,
    opened: Opened,
    range: std::ops::Range<u64>,
) -> Result<Response, BoxError> {
    let length = range.end.saturating_sub(range.start);
    let body = if request.method == Method::HEAD {
        full("")
    } else {
        let frames = opened.read(range).map_ok(Frame::data).map_err(BoxError::from);
        StreamBody::new(frames).boxed_unsync()
    };
    Ok(http::Response::builder()
        .header(CONTENT_LENGTH, length)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(body)?)
}

fn header<'a>(request: &'a http::request::Parts, name: &HeaderName) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// A status that explains itself.
fn plain(status: StatusCode) -> Response {
    let mut response = http::Response::new(full(format!("{status}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let root = Path::new("root");
        let inside = |path| inside(root, path);
        assert_eq!(inside("/a/b%20c.idx"), Some(root.join("a/b c.idx")));
        assert_eq!(inside("//a"), Some(root.join("a")));
        for outside in ["/../a", "/a/../../b", "/%2e%2e/a", "/a/%2e%2e%2fb", "/a%00b", "/%zz"] {
            assert_eq!(inside(outside), None, "{outside}");
        }
    }
}
