//! The S3 server: reading, listing, and who may do what.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Rule};
use gik_testkit::s3::{ACCESS_KEY, S3Server};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

use crate::clients::{self, BUCKET, anonymous, finish, options, quick, s3_server};
use crate::raw::Connection;

#[tokio::test]
async fn objects_are_read_as_they_were_written() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    // Larger than one piece of a body, and every position recognisable.
    let body: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    let path = Path::from("gefs.20250106/00/atmos/a b+c=é.grib2");
    let put = store.put(&path, body.clone().into()).await.unwrap();
    assert_eq!(fs::read(server.root().join(BUCKET).join(path.as_ref())).unwrap(), body);

    let head = store.head(&path).await.unwrap();
    assert_eq!((head.size, &head.e_tag), (1_200_000, &put.e_tag));
    let age = chrono::Utc::now() - head.last_modified;
    assert!((0..60).contains(&age.num_seconds()), "{age}");
    let result = store.get(&path).await.unwrap();
    assert_eq!(result.meta.e_tag, put.e_tag);
    assert_eq!(result.bytes().await.unwrap(), body);
    let range = store.get_range(&path, 500_000..900_001).await.unwrap();
    assert_eq!(range, &body[500_000..900_001]);
    let suffix = GetOptions { range: Some(GetRange::Suffix(7)), ..GetOptions::default() };
    let suffix = store.get_opts(&path, suffix).await.unwrap();
    assert_eq!(suffix.range, 1_199_993..1_200_000);
    assert_eq!(suffix.bytes().await.unwrap(), &body[1_199_993..]);
    // The end of an object is the end of a range; behind it there is nothing to read.
    assert_eq!(store.get_range(&path, 1_199_999..1_300_000).await.unwrap().len(), 1);
    let error = store.get_range(&path, 1_200_000..1_200_001).await.unwrap_err();
    assert!(error.to_string().contains("416"), "{error}");

    let error = store.get(&Path::from("nothing")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let error = store.get(&Path::from("gefs.20250106/00")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "a directory: {error:?}");

    let known = GetOptions { if_none_match: put.e_tag.clone(), ..GetOptions::default() };
    let error = store.get_opts(&path, known).await.unwrap_err();
    assert!(matches!(error, Error::NotModified { .. }), "{error:?}");
    // Icechunk compares tags without their quotes.
    let bare = put.e_tag.unwrap().trim_matches('"').to_owned();
    let same = GetOptions { if_match: Some(bare), ..GetOptions::default() };
    assert_eq!(store.get_opts(&path, same).await.unwrap().meta.size, 1_200_000);
    let later = head.last_modified;
    let unmodified = GetOptions { if_unmodified_since: Some(later), ..GetOptions::default() };
    assert_eq!(store.get_opts(&path, unmodified).await.unwrap().meta.size, 1_200_000);
    let earlier = Some(later - Duration::from_secs(1));
    let modified = GetOptions { if_unmodified_since: earlier, ..GetOptions::default() };
    let error = store.get_opts(&path, modified).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
}

#[tokio::test]
async fn thousands_of_keys_are_listed_page_by_page() {
    let server = s3_server();
    let mut expected = BTreeMap::new();
    for step in 0..100_u64 {
        for member in 0..25 {
            let key = format!("gefs.20250106/00/gep{member:02}.t00z.f{step:03}.idx");
            server.put(BUCKET, &key, vec![b'x'; usize::try_from(step).unwrap()]).unwrap();
            expected.insert(key, step);
        }
    }
    // Written behind the server's back, and beside the prefix.
    let extra = server.root().join(BUCKET).join("gefs.20250107/00");
    fs::create_dir_all(&extra).unwrap();
    fs::write(extra.join("other.idx"), "other").unwrap();
    server.counters().reset();

    let store = clients::s3(&server, quick(2), options());
    let prefix = Path::from("gefs.20250106/00");
    let listed: Vec<_> = store.list(Some(&prefix)).try_collect().await.unwrap();
    let found: BTreeMap<_, _> =
        listed.iter().map(|meta| (meta.location.to_string(), meta.size)).collect();
    assert_eq!(found, expected);
    assert_eq!(listed.len(), 2500);
    assert!(listed.is_sorted_by_key(|meta| &meta.location));
    assert_eq!(server.counters().of(Operation::List), 3, "pages of 1000");
    // A listing tells the tags, as a request for the object would.
    let last = listed.last().unwrap();
    assert_eq!(store.head(&last.location).await.unwrap(), *last);

    let offset = Path::from("gefs.20250106/00/gep24.t00z.f097.idx");
    let after: Vec<_> = store.list_with_offset(Some(&prefix), &offset).try_collect().await.unwrap();
    assert_eq!(after.len(), 2);

    let top = store.list_with_delimiter(None).await.unwrap();
    assert_eq!(top.common_prefixes, ["gefs.20250106", "gefs.20250107"].map(Path::from));
    assert_eq!(top.objects, []);
    let day = store.list_with_delimiter(Some(&Path::from("gefs.20250107"))).await.unwrap();
    assert_eq!(day.common_prefixes, [Path::from("gefs.20250107/00")]);
    assert_eq!(store.list(Some(&Path::from("gefs.20250108"))).count().await, 0);
}

#[tokio::test]
async fn anybody_may_read_and_nobody_else_may_write() {
    let server = s3_server();
    server.put(BUCKET, "a.idx", "abc").unwrap();
    let path = Path::from("a.idx");
    let public = anonymous(&server);
    assert_eq!(public.get(&path).await.unwrap().bytes().await.unwrap(), "abc");
    assert_eq!(public.head(&path).await.unwrap().size, 3);
    let listed: Vec<_> = public.list(None).try_collect().await.unwrap();
    assert_eq!(listed[0].location, path);
    let error = public.put(&path, "new".into()).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    let error = public.delete(&path).await.unwrap_err();
    assert!(error.to_string().contains("AccessDenied"), "{error:?}");

    // A wrong signature is worse than none.
    let wrong =
        AmazonS3Builder::new().with_access_key_id(ACCESS_KEY).with_secret_access_key("wrong");
    let unknown =
        AmazonS3Builder::new().with_access_key_id("unknown").with_secret_access_key("wrong");
    for builder in [wrong, unknown] {
        let store = finish(builder, &server, quick(2), options());
        let error = store.get(&path).await.unwrap_err();
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    }
    assert_eq!(fs::read(server.root().join(BUCKET).join("a.idx")).unwrap(), b"abc");
}

#[tokio::test]
async fn the_environment_is_all_that_a_client_needs() {
    let server = s3_server();
    let from = |env: Vec<(&'static str, String)>| {
        env.into_iter()
            .filter_map(|(name, value)| {
                let key: AmazonS3ConfigKey = name.to_ascii_lowercase().parse().ok()?;
                Some((key, value))
            })
            .fold(AmazonS3Builder::new().with_bucket_name(BUCKET), |builder, (key, value)| {
                builder.with_config(key, value)
            })
            .build()
            .unwrap()
    };
    let path = Path::from("a");
    from(server.env()).put(&path, "abc".into()).await.unwrap();
    let anonymous = from(server.env_anonymous());
    assert_eq!(anonymous.get(&path).await.unwrap().bytes().await.unwrap(), "abc");
    let error = anonymous.put(&path, "new".into()).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
}

#[test]
fn a_test_without_a_runtime_may_use_it() {
    let server = s3_server();
    server.put(BUCKET, "a", "abc").unwrap();
    let mut connection = Connection::open(&server.endpoint());
    let reply = connection.ask("GET", "/forecasts/a", &["Range: bytes=1-"]);
    assert_eq!((reply.status, reply.body.as_slice()), (206, &b"bc"[..]));
    assert_eq!(reply.header("content-range"), "bytes 1-2/3");
    let reply = connection.ask("GET", "/nowhere/a", &[]);
    assert_eq!(reply.status, 404);
    assert!(String::from_utf8_lossy(&reply.body).contains("<Code>NoSuchBucket</Code>"));
    assert_eq!(connection.ask("GET", "/forecasts/../../etc/passwd", &[]).status, 400);
    assert!(server.create_bucket(BUCKET).is_err(), "it exists");
    assert!(server.create_bucket("..").is_err(), "no name of a bucket");
    assert!(server.put("nowhere", "a", "").is_err(), "no such bucket");
    assert!(server.put(BUCKET, "a/b", "").is_err(), "a file stands in the way");
}

#[test]
fn stopping_ends_what_hangs_and_removes_the_directory() {
    let server = s3_server();
    let root = server.root().to_owned();
    server.faults().add(Rule::new(Fault::Hang));
    let mut connection = Connection::open(&server.endpoint());
    connection.send("GET", "/forecasts/a", &[]);
    while server.counters().in_flight() == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(server.faults().injected().hung, 1);
    drop(server);
    assert_eq!(connection.rest(), b"");
    assert!(!root.exists());
}

#[tokio::test]
async fn it_may_be_dropped_within_a_runtime() {
    let server = S3Server::start().unwrap();
    let endpoint = server.endpoint();
    drop(server);
    assert!(std::net::TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).is_err());
}
