//! The S3 server: writing, alone and against each other. Icechunk's safety rests on
//! creating what must not exist and replacing only what was read.

use std::sync::Arc;

use futures::future::join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Rule};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    UpdateVersion,
};
use tokio::sync::Barrier;

use crate::clients::{self, BUCKET, options, quick, s3_server};

fn update(e_tag: Option<String>) -> PutOptions {
    PutMode::Update(UpdateVersion { e_tag, version: None }).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_creators_exactly_one_wins() {
    let server = s3_server();
    let store = Arc::new(clients::s3(&server, quick(2), options()));
    for round in 0..25 {
        let path = Path::from(format!("refs/{round}"));
        let start = Arc::new(Barrier::new(6));
        let writers = (0..6).map(|writer| {
            let (store, path, start) = (Arc::clone(&store), path.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let text = format!("writer {writer}");
                let result = store.put_opts(&path, text.clone().into(), PutMode::Create.into());
                (text, result.await)
            })
        });
        let mut won = Vec::new();
        for outcome in join_all(writers).await {
            match outcome.unwrap() {
                (text, Ok(_)) => won.push(text),
                (_, Err(Error::AlreadyExists { .. })) => {}
                (text, Err(error)) => panic!("{text}: {error:?}"),
            }
        }
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), won[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_updates_of_one_version_exactly_one_wins() {
    let server = s3_server();
    let store = Arc::new(clients::s3(&server, quick(2), options()));
    let path = Path::from("repo");
    let mut known = store.put(&path, "start".into()).await.unwrap().e_tag;
    for round in 0..50 {
        let start = Arc::new(Barrier::new(2));
        let writers = (0..2).map(|_| {
            let (store, path, start) = (Arc::clone(&store), path.clone(), Arc::clone(&start));
            let known = known.clone();
            tokio::spawn(async move {
                start.wait().await;
                // The same bytes each time: a version is more than its contents.
                store.put_opts(&path, "same".into(), update(known)).await
            })
        });
        let mut won = Vec::new();
        for outcome in join_all(writers).await {
            match outcome.unwrap() {
                Ok(put) => won.push(put.e_tag),
                Err(Error::Precondition { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won.len(), 1, "round {round}");
        assert_ne!(won[0], known);
        known.clone_from(&won[0]);
        assert_eq!(store.head(&path).await.unwrap().e_tag, known);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_among_many() {
    let server = s3_server();
    let store = Arc::new(clients::s3(&server, quick(5), options()));
    let path = Path::from("count");
    store.put(&path, "0".into()).await.unwrap();
    // A 503 here and there must not count twice or not at all.
    server.faults().add(Rule::new(Fault::SlowDown { retry_after: None }).every(9));
    let writers = (0..4).map(|_| {
        let (store, path) = (Arc::clone(&store), path.clone());
        tokio::spawn(async move {
            for _ in 0..15 {
                loop {
                    let read = store.get(&path).await.unwrap();
                    let known = read.meta.e_tag.clone();
                    let count: u32 =
                        String::from_utf8_lossy(&read.bytes().await.unwrap()).parse().unwrap();
                    let next = (count + 1).to_string();
                    match store.put_opts(&path, next.into(), update(known)).await {
                        Ok(_) => break,
                        Err(Error::Precondition { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    server.faults().clear();
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "60");
    assert!(server.faults().injected().slow_downs > 10);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_updated() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    let path = Path::from("repo");
    let error = store.put_opts(&path, "x".into(), update(Some("\"1\"".into()))).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
    let old = store.put(&path, "x".into()).await.unwrap().e_tag;
    store.delete(&path).await.unwrap();
    let new = store.put_opts(&path, "x".into(), PutMode::Create.into()).await.unwrap().e_tag;
    assert_ne!(old, new, "another object of this name");
    let error = store.put_opts(&path, "y".into(), update(old)).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
}

/// The client takes a connection that ends before an answer for a request never sent, and
/// tries again even what must not be done twice: the second try meets the first.
#[tokio::test]
async fn a_lost_answer_makes_a_writer_meet_itself() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    let path = Path::from("repo");
    server.faults().add(Rule::new(Fault::LoseAnswer).on(Operation::Put).first(1));
    let error = store.put_opts(&path, "mine".into(), PutMode::Create.into()).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "mine");
    assert_eq!(server.faults().injected().answers_lost, 1);
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    let paths: Vec<_> = (0..1200).map(|n| Path::from(format!("chunks/{}/{n}", n % 7))).collect();
    for path in &paths {
        server.put(BUCKET, path.as_ref(), "x").unwrap();
    }
    // One that is not there is gone as well.
    let gone = paths.iter().skip(1).chain([&paths[5]]).cloned().map(Ok);
    let gone: Vec<_> = gone.collect();
    let deleted: Vec<_> =
        store.delete_stream(stream::iter(gone).boxed()).try_collect().await.unwrap();
    assert_eq!(deleted.len(), 1200);
    assert_eq!(server.counters().of(Operation::DeleteMany), 2, "a thousand at once");
    let left: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert_eq!(left.into_iter().map(|meta| meta.location).collect::<Vec<_>>(), [paths[0].clone()]);
    // No directory is left that would stand in the way of an object.
    store.put(&Path::from("chunks/5"), "x".into()).await.unwrap();
    store.delete(&Path::from("nothing")).await.unwrap();
}

#[tokio::test]
async fn headers_of_an_object_are_kept_with_its_version() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "application/json".into());
    attributes.insert(Attribute::ContentEncoding, "zstd".into());
    attributes.insert(Attribute::Metadata("spec-version".into()), "2".into());
    let path = Path::from("zarr.json");
    store.put_opts(&path, "{}".into(), attributes.clone().into()).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().attributes, attributes);

    let copy = Path::from("copy/zarr.json");
    store.copy(&path, &copy).await.unwrap();
    let copied = store.get(&copy).await.unwrap();
    assert_eq!(copied.attributes, attributes);
    assert_eq!(copied.bytes().await.unwrap(), "{}");
    assert_eq!(server.counters().of(Operation::Copy), 1);

    std::fs::write(server.root().join(BUCKET).join("zarr.json"), "other").unwrap();
    assert_eq!(store.get(&path).await.unwrap().attributes, Attributes::new());
}

#[tokio::test]
async fn large_objects_come_in_parts() {
    let server = s3_server();
    let store = clients::s3(&server, quick(2), options());
    let (path, part) = (Path::from("large"), 5 * 1024 * 1024);
    let mut upload = store.put_multipart(&path).await.unwrap();
    upload.put_part(vec![1; part].into()).await.unwrap();
    upload.put_part(vec![2; part].into()).await.unwrap();
    upload.put_part(vec![3; 10].into()).await.unwrap();
    assert!(store.head(&path).await.is_err(), "not there before it is complete");
    let put = upload.complete().await.unwrap();
    let meta = store.head(&path).await.unwrap();
    assert_eq!((meta.size, meta.e_tag), (part as u64 * 2 + 10, put.e_tag));
    let seam = store.get_range(&path, part as u64 - 1..part as u64 + 1).await.unwrap();
    assert_eq!(&seam[..], [1, 2]);
    assert_eq!(server.counters().of(Operation::Multipart), 5);

    // S3 allows only the last part to be small.
    let mut upload = store.put_multipart(&Path::from("small")).await.unwrap();
    upload.put_part(vec![1; 10].into()).await.unwrap();
    upload.put_part(vec![2; 10].into()).await.unwrap();
    let error = upload.complete().await.unwrap_err();
    assert!(error.to_string().contains("EntityTooSmall"), "{error}");
    upload.abort().await.unwrap();
    assert!(upload.abort().await.is_err(), "there is no such upload any more");
}
