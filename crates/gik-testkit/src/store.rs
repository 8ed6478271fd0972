//! Faults around any object store, without a network.

use std::fmt;
use std::future::pending;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt as _, StreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, RenameOptions, Result, UploadPart, coalesce_ranges,
};

use crate::counters::{Counters, Operation, Request, UnderWay};
use crate::faults::{Answer, Faults, Plan};
use crate::latency::shape;

const STORE: &str = "FaultyStore";

/// An object store between a test and another store, which injects [`Faults`] and counts.
///
/// It fails as a network store does *after* it gave up retrying: a 503, a dropped
/// connection and a lost answer are [`Error::Generic`], and a cut body is an error in the
/// stream; a hanging request waits until it is dropped. Listings, which have no body here,
/// can be late, refused and hang, but not be cut; a deletion or listing whose answer would
/// be lost is refused. Ranges close to each other become one request, as with the network
/// stores.
#[derive(Clone, Debug)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Faults,
    counters: Counters,
}

impl FaultyStore {
    /// Wraps a store; `faults` may be shared with others.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, faults: Faults) -> Self {
        Self { inner, faults, counters: Counters::default() }
    }

    /// The faults of this store, to add to and to read.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked of this store.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a request, waits, and refuses it if the rules say so. What is then done is
    /// ended with [`settle`].
    async fn admit(
        &self,
        operation: Operation,
        path: &Path,
        detail: impl Into<String>,
    ) -> Result<(Plan, UnderWay)> {
        let request = Request::new(operation, path.as_ref(), detail);
        let plan = self.faults.plan(&request);
        let under_way = self.counters.begin(request);
        tokio::time::sleep(plan.latency).await;
        match plan.answer {
            Answer::Serve | Answer::Lose => Ok((plan, under_way)),
            Answer::SlowDown { .. } => Err(error(io::ErrorKind::ResourceBusy, "503 SlowDown")),
            Answer::Full => {
                Err(error(io::ErrorKind::StorageFull, "No space left on device (os error 28)"))
            }
            Answer::Drop => Err(error(io::ErrorKind::ConnectionReset, "connection dropped")),
            Answer::Hang => pending().await,
        }
    }

    /// A listing that may be refused before its first entry.
    fn listing<S>(
        &self,
        prefix: Option<&Path>,
        detail: String,
        list: impl FnOnce(&dyn ObjectStore) -> S + Send + 'static,
    ) -> BoxStream<'static, Result<ObjectMeta>>
    where
        S: futures::Stream<Item = Result<ObjectMeta>> + Send + 'static,
    {
        let store = self.clone();
        let prefix = prefix.cloned().unwrap_or_default();
        let start = async move {
            let admitted = store.admit(Operation::List, &prefix, detail).await;
            match admitted.and_then(|(plan, under_way)| settle(plan, Ok(under_way))) {
                Ok(under_way) => list(store.inner.as_ref())
                    .inspect(move |_| {
                        // Under way to the end of the stream.
                        let _ = &under_way;
                    })
                    .boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        };
        start.flatten_stream().boxed()
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{STORE}({})", self.inner)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let (plan, under_way) = self.admit(Operation::Put, location, "").await?;
        under_way.received(wide(payload.content_length()));
        settle(plan, self.inner.put_opts(location, payload, opts).await)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let (plan, _under_way) = self.admit(Operation::Multipart, location, "create").await?;
        let inner = settle(plan, self.inner.put_multipart_opts(location, opts).await)?;
        Ok(Box::new(FaultyUpload { inner, store: self.clone(), path: location.clone(), parts: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head { Operation::Head } else { Operation::Get };
        let detail = options.range.as_ref().map(ToString::to_string).unwrap_or_default();
        let (plan, under_way) = self.admit(operation, location, detail).await?;
        let result = settle(plan, self.inner.get_opts(location, options).await)?;
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let (attributes, extensions) = (result.attributes.clone(), result.extensions.clone());
        let body = shape(result.into_stream(), plan, self.faults.clone(), under_way, || {
            error(io::ErrorKind::UnexpectedEof, "body cut")
        });
        let payload = GetResultPayload::Stream(body.boxed());
        Ok(GetResult { payload, meta, range, attributes, extensions })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        coalesce_ranges(
            ranges,
            |range| async move {
                let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
                self.get_opts(location, options).await?.bytes().await
            },
            OBJECT_STORE_COALESCE_DEFAULT,
        )
        .await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let admitted = locations.then(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                let (plan, _under_way) = store.admit(Operation::Delete, &location, "").await?;
                settle(plan, Ok(location))
            }
        });
        self.inner.delete_stream(admitted.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let owned = prefix.cloned();
        self.listing(prefix, String::new(), move |inner| inner.list(owned.as_ref()))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (owned, offset) = (prefix.cloned(), offset.clone());
        self.listing(prefix, offset.to_string(), move |inner| {
            inner.list_with_offset(owned.as_ref(), &offset)
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let path = prefix.cloned().unwrap_or_default();
        let (plan, _under_way) = self.admit(Operation::List, &path, "/").await?;
        settle(plan, self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (plan, _under_way) = self.admit(Operation::Copy, to, from.as_ref()).await?;
        settle(plan, self.inner.copy_opts(from, to, options).await)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let (plan, _under_way) = self.admit(Operation::Copy, to, from.as_ref()).await?;
        settle(plan, self.inner.rename_opts(from, to, options).await)
    }
}

/// A multipart upload whose every step may be refused.
#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    store: FaultyStore,
    path: Path,
    parts: u64,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts += 1;
        let (store, path) = (self.store.clone(), self.path.clone());
        let detail = format!("part {}", self.parts);
        let length = wide(data.content_length());
        let part = self.inner.put_part(data);
        Box::pin(async move {
            let (plan, under_way) = store.admit(Operation::Multipart, &path, detail).await?;
            under_way.received(length);
            settle(plan, part.await)
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (plan, _under_way) =
            self.store.admit(Operation::Multipart, &self.path, "complete").await?;
        settle(plan, self.inner.complete().await)
    }

    async fn abort(&mut self) -> Result<()> {
        let (plan, _under_way) =
            self.store.admit(Operation::Multipart, &self.path, "abort").await?;
        settle(plan, self.inner.abort().await)
    }
}

/// The outcome of what was done, unless the answer gets lost.
fn settle<T>(plan: Plan, outcome: Result<T>) -> Result<T> {
    match plan.answer {
        Answer::Lose => Err(error(io::ErrorKind::ConnectionReset, "answer lost")),
        _ => outcome,
    }
}

fn error(kind: io::ErrorKind, what: &str) -> Error {
    let source = io::Error::new(kind, format!("injected: {what}"));
    Error::Generic { store: STORE, source: Box::new(source) }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
