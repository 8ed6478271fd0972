//! The plain web server.

use std::fs;

use futures::TryStreamExt as _;
use gik_testkit::counters::Operation;
use gik_testkit::http::HttpServer;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore as _, ObjectStoreExt as _};

use crate::clients::{self, options, quick};
use crate::raw::Connection;

const BODY: &[u8] = b"0123456789";

fn site() -> (tempfile::TempDir, HttpServer) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("gefs.20250106/00")).unwrap();
    fs::write(dir.path().join("gefs.20250106/00/a b.idx"), BODY).unwrap();
    fs::write(dir.path().join("empty"), b"").unwrap();
    let server = HttpServer::start(dir.path()).unwrap();
    (dir, server)
}

const FILE: &str = "/gefs.20250106/00/a%20b.idx";

#[test]
fn one_connection_carries_every_kind_of_answer() {
    let (dir, server) = site();
    let mut connection = Connection::open(&server.url());
    let whole = connection.ask("GET", FILE, &[]);
    assert_eq!((whole.status, whole.body.as_slice()), (200, BODY));
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let (etag, modified) = (whole.header("etag"), whole.header("last-modified"));
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    assert!(modified.ends_with(" GMT"), "{modified}");

    let head = connection.ask("HEAD", FILE, &["Range: bytes=0-1"]);
    assert_eq!(
        (head.status, head.header("content-length"), head.header("etag")),
        (200, "10", etag)
    );

    let mut ranges = |range: &str, status: u16, content_range: &str, body: &[u8]| {
        let reply = connection.ask("GET", FILE, &[&format!("Range: {range}")]);
        assert_eq!(reply.status, status, "{range}");
        assert_eq!(reply.header("content-range"), content_range, "{range}");
        if status != 416 {
            assert_eq!(reply.body, body, "{range}");
        }
    };
    ranges("bytes=2-4", 206, "bytes 2-4/10", b"234");
    ranges("bytes=8-", 206, "bytes 8-9/10", b"89");
    ranges("bytes=-3", 206, "bytes 7-9/10", b"789");
    ranges("bytes=8-99", 206, "bytes 8-9/10", b"89");
    ranges("bytes=10-", 416, "bytes */10", b"");
    ranges("bytes=-0", 416, "bytes */10", b"");
    ranges("bytes=0-1,4-5", 200, "", BODY);
    ranges("bytes=nonsense", 200, "", BODY);

    let long_ago = "Thu, 01 Jan 1970 00:00:00 GMT";
    let mut conditions = |header: String, status: u16| {
        assert_eq!(connection.ask("GET", FILE, &[&header]).status, status, "{header}");
    };
    conditions(format!("If-Match: {etag}"), 200);
    conditions("If-Match: \"other\"".into(), 412);
    conditions(format!("If-None-Match: {etag}"), 304);
    conditions("If-None-Match: \"other\"".into(), 200);
    conditions(format!("If-Modified-Since: {modified}"), 304);
    conditions(format!("If-Modified-Since: {long_ago}"), 200);
    conditions(format!("If-Unmodified-Since: {modified}"), 200);
    conditions(format!("If-Unmodified-Since: {long_ago}"), 412);
    // A range of another version than the client knows is not what it wants.
    let ranged = |known: &str| [format!("If-Range: {known}"), "Range: bytes=0-0".to_owned()];
    let same = ranged(etag);
    assert_eq!(connection.ask("GET", FILE, &[&same[0], &same[1]]).status, 206);
    let other = ranged("\"other\"");
    assert_eq!(connection.ask("GET", FILE, &[&other[0], &other[1]]).status, 200);

    let empty = connection.ask("GET", "/empty", &[]);
    assert_eq!((empty.status, empty.header("content-length")), (200, "0"));
    assert_eq!(connection.ask("GET", "/empty", &["Range: bytes=0-0"]).status, 416);

    // The file is another version at once when it is replaced.
    fs::write(dir.path().join("gefs.20250106/00/a b.idx"), b"new").unwrap();
    let replaced = connection.ask("GET", FILE, &[]);
    assert_eq!(replaced.body, b"new");
    assert_ne!(replaced.header("etag"), etag);
}

#[test]
fn what_is_not_a_file_below_the_root_is_not_served() {
    let outer = tempfile::tempdir().unwrap();
    fs::write(outer.path().join("secret"), "secret").unwrap();
    fs::create_dir_all(outer.path().join("root/inner")).unwrap();
    let server = HttpServer::start(outer.path().join("root")).unwrap();
    let mut connection = Connection::open(&server.url());
    let missing = [
        "/",
        "/inner",
        "/inner/",
        "/nothing",
        "/../secret",
        "/inner/../../secret",
        "/%2e%2e/secret",
        "/inner/%2e%2e/%2e%2e/secret",
        "/..%2fsecret",
        "/%00",
        "/%zz",
    ];
    for path in missing {
        assert_eq!(connection.ask("GET", path, &[]).status, 404, "{path}");
    }
    for method in ["PROPFIND", "PUT", "POST", "DELETE", "OPTIONS"] {
        let reply = connection.ask(method, "/inner/", &["Content-Length: 0"]);
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD"), "{method}");
    }
    assert_eq!(server.counters().of(Operation::Get), missing.len());
    assert_eq!(server.counters().of(Operation::Other), 5);
}

#[tokio::test]
async fn the_http_client_reads_it() {
    let (_dir, server) = site();
    let store = clients::http(&server, quick(2), options());
    let path = Path::from("gefs.20250106/00/a b.idx");
    let result = store.get(&path).await.unwrap();
    let etag = result.meta.e_tag.clone();
    assert_eq!(result.meta.size, 10);
    assert_eq!(result.bytes().await.unwrap(), BODY);
    assert_eq!(store.get_range(&path, 2..5).await.unwrap(), &BODY[2..5]);
    assert_eq!(store.head(&path).await.unwrap().e_tag, etag);
    let known = GetOptions { if_none_match: etag, ..GetOptions::default() };
    let error = store.get_opts(&path, known).await.unwrap_err();
    assert!(matches!(error, Error::NotModified { .. }), "{error:?}");
    let other = GetOptions { if_match: Some("\"other\"".into()), ..GetOptions::default() };
    let error = store.get_opts(&path, other).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
    let error = store.get(&Path::from("nothing")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert_eq!(
        server.counters().bytes_sent(),
        13 + "412 Precondition Failed\n".len() as u64 + "404 Not Found\n".len() as u64
    );
}

#[tokio::test]
async fn listing_it_fails_at_once_and_says_why() {
    let (_dir, server) = site();
    let store = clients::http(&server, quick(2), options());
    let error = store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
    assert!(matches!(error, Error::Generic { store: "HTTP", .. }), "{error:?}");
    assert!(error.to_string().contains("405 Method Not Allowed"), "{error}");
    assert_eq!(server.counters().requests(), 1, "not tried again");
}
