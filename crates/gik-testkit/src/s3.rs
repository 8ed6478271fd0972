//! An S3 server for tests: the real protocol and real signatures over a directory.

mod backend;
mod list;
mod objects;
mod uploads;

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::RANGE;
use hyper::{Method, http};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;

use self::backend::{Backend, PublicRead};
use self::objects::{Condition, Kept, Objects};
use self::uploads::Uploads;
use crate::counters::{Counters, Operation, Request};
use crate::faults::Faults;
use crate::files::percent_decode;
use crate::server::{BoxError, BoxFuture, Handler, Response, Server};

/// The access key that the server accepts.
pub const ACCESS_KEY: &str = "gik-test";
/// Its secret key.
pub const SECRET_KEY: &str = "gik-test-secret";
/// The region to sign for; the server accepts any.
pub const REGION: &str = "us-east-1";

/// An S3 server on 127.0.0.1 whose buckets are directories below [`root`](Self::root).
///
/// - Objects: `GET` and `HEAD` with ranges and conditions, `PUT`, copy, `DELETE`, many at
///   once, multipart uploads (parts of 5 MiB at least); `ListObjectsV2` with prefix,
///   delimiter, `start-after` and pages of up to 1000.
/// - Conditional writes are atomic: of several writers with `If-None-Match: *`, or with
///   `If-Match` and the same tag, exactly one wins; the others get `412`.
/// - A tag is unique to one write of one object, as if every object were versioned; it is
///   no MD5. `Last-Modified` is the file's.
/// - Requests signed with [`ACCESS_KEY`] may do anything; unsigned ones may read and list,
///   as with public buckets. Buckets are named in the path, not in the host.
/// - Files that a test writes, replaces or removes below the root by other means are
///   objects like any other. Keys are paths: `a` and `a/b` cannot both exist.
///
/// Checksums that a client sends along are not verified, and versions, lifecycles and
/// policies do not exist: what is not implemented is answered with `501`. The server runs
/// on threads of its own, so that tests of any kind may use it, and stops when dropped,
/// which removes the directory.
///
/// ```
/// let server = gik_testkit::s3::S3Server::start()?;
/// server.create_bucket("forecasts")?;
/// server.put("forecasts", "gefs/a.idx", "1:0:d=2025010600:TMP:surface:anl:\n")?;
/// assert!(server.root().join("forecasts/gefs/a.idx").is_file());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct S3Server {
    objects: Arc<Objects>,
    faults: Faults,
    counters: Counters,
    // Before the directory, which must not go while requests run.
    server: Server,
    _directory: TempDir,
}

impl S3Server {
    /// Starts a server without buckets on a free port.
    ///
    /// # Errors
    ///
    /// When the directory, the port or the thread cannot be had.
    pub fn start() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("gik-s3-").tempdir()?;
        let (root, scratch) = (directory.path().join("buckets"), directory.path().join("scratch"));
        std::fs::create_dir(&root)?;
        std::fs::create_dir(&scratch)?;
        let objects = Arc::new(Objects::new(root, scratch));
        let backend = Backend { objects: Arc::clone(&objects), uploads: Uploads::default() };
        let mut service = S3ServiceBuilder::new(backend);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        service.set_access(PublicRead);
        let handler = Arc::new(Gate { service: service.build() });
        let (faults, counters) = (Faults::none(), Counters::default());
        let server = Server::start("gik-s3", handler, faults.clone(), counters.clone())?;
        Ok(Self { objects, faults, counters, server, _directory: directory })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.server.url()
    }

    /// The directory that holds a directory for each bucket.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.objects.root()
    }

    /// The faults of this server, to add to and to read.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked of this server; [`create_bucket`](Self::create_bucket) and
    /// [`put`](Self::put) are no requests.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Creates a bucket.
    ///
    /// # Errors
    ///
    /// When it exists, or S3 would not allow its name.
    pub fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        self.objects.create_bucket(bucket).map_err(io::Error::other)
    }

    /// Writes an object, replacing the one before it.
    ///
    /// # Errors
    ///
    /// When there is no such bucket, or the key cannot be a path below it.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> io::Result<()> {
        let written =
            self.objects.put(bucket, key, &[bytes.into()], Kept::default(), &Condition::default());
        written.map(drop).map_err(io::Error::other)
    }

    /// The environment that points the usual clients here, with the right to write.
    #[must_use]
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = self.env_without_keys();
        env.push(("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()));
        env.push(("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()));
        env
    }

    /// The environment for unsigned requests, which may only read. Start a process with
    /// it from a clean environment: keys that are inherited would be used.
    #[must_use]
    pub fn env_anonymous(&self) -> Vec<(&'static str, String)> {
        let mut env = self.env_without_keys();
        env.push(("AWS_SKIP_SIGNATURE", "true".to_owned()));
        env
    }

    fn env_without_keys(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            // A proxy of the machine is not for the machine itself.
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ]
    }
}

struct Gate {
    service: S3Service,
}

impl Handler for Gate {
    fn describe(&self, request: &http::request::Parts) -> Request {
        describe(request)
    }

    fn serve(&self, request: http::Request<Incoming>) -> BoxFuture<'_, Result<Response, BoxError>> {
        let answer = self.service.call(request.map(s3s::Body::from));
        answer
            .map(|answer| match answer {
                Ok(response) => {
                    Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
                }
                Err(error) => Err(BoxError::from(error)),
            })
            .boxed()
    }
}

/// What a request of the protocol asks for: method, bucket or key, and what its query
/// says.
fn describe(request: &http::request::Parts) -> Request {
    let path = request.uri.path().trim_start_matches('/');
    let mut path = percent_decode(path).unwrap_or_else(|| path.to_owned());
    let query = request.uri.query().unwrap_or("");
    let (has, get) = (
        |name| parameter(query, name).is_some(),
        |name| parameter(query, name).unwrap_or_default(),
    );
    let is_object = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let copies = request.headers.contains_key("x-amz-copy-source");
    let multipart = has("uploads") || has("uploadId");
    let operation = match (request.method.clone(), is_object) {
        (_, true) if multipart => Operation::Multipart,
        (Method::GET, true) => Operation::Get,
        (Method::HEAD, true) => Operation::Head,
        (Method::PUT, true) if copies => Operation::Copy,
        (Method::PUT, true) => Operation::Put,
        (Method::DELETE, true) => Operation::Delete,
        (Method::POST, false) if has("delete") => Operation::DeleteMany,
        (Method::GET, false) if has("list-type") || has("prefix") => Operation::List,
        (Method::GET | Method::HEAD | Method::PUT | Method::DELETE, false) => Operation::Bucket,
        _ => Operation::Other,
    };
    let detail = match operation {
        Operation::List => {
            path = format!("{}/{}", path.trim_end_matches('/'), get("prefix"));
            format!("{} {} {}", get("delimiter"), get("start-after"), get("continuation-token"))
        }
        Operation::Multipart => format!("{} {}", request.method, get("partNumber")),
        _ => request
            .headers
            .get(RANGE)
            .and_then(|range| range.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
    };
    Request::new(operation, path, detail.trim())
}

/// A parameter of a query; empty if it has no value.
fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
        (found == name).then(|| percent_decode(&value.replace('+', " ")).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_recognised() {
        let check = |method: &str, uri: &str, expected: (Operation, &str, &str)| {
            let request = http::Request::builder().method(method).uri(uri).body(()).unwrap();
            let (operation, path, detail) = expected;
            let expected = Request::new(operation, path, detail);
            assert_eq!(describe(&request.into_parts().0), expected, "{method} {uri}");
        };
        use Operation::{Bucket, Delete, DeleteMany, Get, Head, List, Multipart, Other, Put};
        check("GET", "/b/k%20x", (Get, "b/k x", ""));
        check("HEAD", "/b/k", (Head, "b/k", ""));
        check("PUT", "/b/k?x-id=PutObject", (Put, "b/k", ""));
        check("DELETE", "/b/k", (Delete, "b/k", ""));
        check("POST", "/b?delete", (DeleteMany, "b", ""));
        check("GET", "/b?list-type=2&prefix=a%2Fb+c&delimiter=%2F", (List, "b/a/b c", "/"));
        check("GET", "/b/?list-type=2&continuation-token=key:z", (List, "b/", "key:z"));
        check("POST", "/b/k?uploads", (Multipart, "b/k", "POST"));
        check("PUT", "/b/k?partNumber=2&uploadId=1", (Multipart, "b/k", "PUT 2"));
        check("PUT", "/b", (Bucket, "b", ""));
        check("GET", "/", (Bucket, "", ""));
        check("PATCH", "/b/k", (Other, "b/k", ""));
    }
}
