//! Faults around a store, without a network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gik_testkit::counters::Operation;
use gik_testkit::faults::{Fault, Faults, Rule};
use gik_testkit::store::FaultyStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode};

const DOWN: Fault = Fault::SlowDown { retry_after: None };

async fn store() -> (Arc<InMemory>, FaultyStore) {
    let inner = Arc::new(InMemory::new());
    for (key, text) in [("run/a.idx", "index a"), ("run/b.idx", "index b"), ("c", "0123456789")] {
        inner.put(&Path::from(key), text.into()).await.unwrap();
    }
    let store = FaultyStore::new(Arc::clone(&inner) as _, Faults::seeded(3));
    (inner, store)
}

async fn read(store: &FaultyStore, key: &str) -> object_store::Result<String> {
    let bytes = store.get(&Path::from(key)).await?.bytes().await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn without_rules_it_is_the_store_it_wraps() {
    let (_, store) = store().await;
    assert_eq!(read(&store, "run/a.idx").await.unwrap(), "index a");
    assert_eq!(store.head(&Path::from("c")).await.unwrap().size, 10);
    let (run, a) = (Path::from("run"), Path::from("run/a.idx"));
    assert_eq!(store.list(Some(&run)).count().await, 2);
    assert_eq!(store.list_with_offset(Some(&run), &a).count().await, 1);
    assert_eq!(store.list_with_delimiter(None).await.unwrap().common_prefixes, [run]);
    store.copy(&a, &Path::from("d")).await.unwrap();
    store.rename(&Path::from("d"), &Path::from("e")).await.unwrap();
    assert_eq!(read(&store, "e").await.unwrap(), "index a");
    store.delete(&Path::from("e")).await.unwrap();
    assert!(matches!(read(&store, "e").await.unwrap_err(), Error::NotFound { .. }));
    let mut upload = store.put_multipart(&Path::from("f")).await.unwrap();
    upload.put_part("part".into()).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(read(&store, "f").await.unwrap(), "part");

    let counters = store.counters();
    assert_eq!(counters.of(Operation::Get), 4);
    assert_eq!(counters.of(Operation::Head), 1);
    assert_eq!(counters.of(Operation::List), 3);
    assert_eq!(counters.of(Operation::Copy), 2);
    assert_eq!(counters.of(Operation::Delete), 1);
    assert_eq!(counters.of(Operation::Multipart), 3);
    assert_eq!((counters.bytes_sent(), counters.bytes_received()), (18, 4));
    assert_eq!(counters.in_flight(), 0);
    assert_eq!(store.faults().injected(), Faults::none().injected());
    assert_eq!(store.to_string(), "FaultyStore(InMemory)");
}

#[tokio::test]
async fn near_ranges_are_one_request() {
    let (_, store) = store().await;
    let found = store.get_ranges(&Path::from("c"), &[0..2, 8..10, 4..5]).await.unwrap();
    assert_eq!(found, ["01", "89", "4"]);
    assert_eq!(store.counters().of(Operation::Get), 1);
    assert_eq!(store.counters().bytes_sent(), 10);
}

#[tokio::test]
async fn every_operation_can_be_refused() {
    let (inner, store) = store().await;
    store.faults().add(Rule::new(DOWN));
    let path = Path::from("c");
    let refused = |error: Error| {
        assert!(matches!(error, Error::Generic { store: "FaultyStore", .. }), "{error:?}");
        assert!(error.to_string().contains("503 SlowDown"), "{error}");
    };
    refused(store.get(&path).await.unwrap_err());
    refused(store.head(&path).await.unwrap_err());
    refused(store.get_ranges(&path, &[0..1, 4..5]).await.unwrap_err());
    refused(store.put(&path, "new".into()).await.unwrap_err());
    refused(store.delete(&path).await.unwrap_err());
    refused(store.copy(&path, &Path::from("d")).await.unwrap_err());
    refused(store.rename(&path, &Path::from("d")).await.unwrap_err());
    refused(store.put_multipart(&path).await.unwrap_err());
    refused(store.list(None).try_collect::<Vec<_>>().await.unwrap_err());
    refused(store.list_with_offset(None, &path).try_collect::<Vec<_>>().await.unwrap_err());
    refused(store.list_with_delimiter(None).await.unwrap_err());
    let paths = stream::iter([Ok(path.clone())]).boxed();
    refused(store.delete_stream(paths).try_collect::<Vec<_>>().await.unwrap_err());
    assert_eq!(store.faults().injected().slow_downs, 12);
    store.faults().clear();
    assert_eq!(read(&store, "c").await.unwrap(), "0123456789");
    assert_eq!(inner.list(None).count().await, 3);
}

#[tokio::test]
async fn bodies_are_cut_and_answers_get_lost() {
    let (inner, store) = store().await;
    store.faults().add(Rule::new(Fault::CutBody { after: 4 }).on_path("c"));
    let mut body = store.get(&Path::from("c")).await.unwrap().into_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "0123");
    assert!(body.next().await.unwrap().unwrap_err().to_string().contains("body cut"));
    assert!(body.next().await.is_none());
    assert_eq!(read(&store, "run/a.idx").await.unwrap(), "index a");
    assert_eq!(store.faults().injected().cut, 1);

    store.faults().add(Rule::new(Fault::LoseAnswer).on(Operation::Put).first(1));
    let new = Path::from("new");
    let create = || store.put_opts(&new, "x".into(), PutMode::Create.into());
    assert!(matches!(create().await.unwrap_err(), Error::Generic { .. }));
    assert!(matches!(create().await.unwrap_err(), Error::AlreadyExists { .. }));
    assert_eq!(inner.head(&new).await.unwrap().size, 1);
}

#[tokio::test]
async fn latency_adds_up_and_hanging_ends_with_patience() {
    let (_, store) = store().await;
    store.faults().add(Rule::new(Fault::Latency(Duration::from_millis(30))));
    let start = Instant::now();
    read(&store, "run/a.idx").await.unwrap();
    read(&store, "run/b.idx").await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
    assert_eq!(store.faults().injected().delayed, 2);
    store.faults().add(Rule::new(Fault::Hang).on_path("a.idx"));
    let patience = Duration::from_millis(100);
    assert!(tokio::time::timeout(patience, read(&store, "run/a.idx")).await.is_err());
    assert_eq!(store.faults().injected().hung, 1);
    assert_eq!(store.counters().in_flight(), 0, "given up");
}
