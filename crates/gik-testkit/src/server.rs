//! An HTTP/1.1 server on a thread of its own, with faults between it and its clients.

use std::future::{Future, pending};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::service::service_fn;
use hyper::{StatusCode, http};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use crate::counters::{Counters, Request, UnderWay};
use crate::faults::{Answer, Faults, Plan};
use crate::latency::shape;

/// Connections and file reads under way get this long to end when a server stops.
const GRACE: Duration = Duration::from_secs(2);

/// Of a request that is refused, at most so many bytes of body are read.
const DRAIN: u64 = 16 * 1024 * 1024;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
pub(crate) type Response = http::Response<Body>;
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a server does with a request, once no fault stands in its way.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The request as rules and counters see it.
    fn describe(&self, request: &http::request::Parts) -> Request;

    /// Answers. An error ends the connection without a response.
    fn serve(&self, request: http::Request<Incoming>) -> BoxFuture<'_, Result<Response, BoxError>>;
}

/// A running server; stops when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1; requests are accepted when this returns.
    pub(crate) fn start(
        name: &str,
        handler: Arc<dyn Handler>,
        faults: Faults,
        counters: Counters,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(name)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let front = Arc::new(Front { handler, faults, counters });
        // A runtime must not be dropped from within another one, as a test's may be:
        // this thread starts, owns and ends it.
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, front) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_timeout(GRACE);
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, front: Arc<Front>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some will be closed soon.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without effect on what is sent, only on when.
        let _ = stream.set_nodelay(true);
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            let service = service_fn(move |request| Arc::clone(&front).answer(request));
            // Ends with an error whenever a client leaves early or a fault says so.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Stands before a handler: counts, and injects faults.
struct Front {
    handler: Arc<dyn Handler>,
    faults: Faults,
    counters: Counters,
}

impl Front {
    async fn answer(
        self: Arc<Self>,
        request: http::Request<Incoming>,
    ) -> Result<Response, BoxError> {
        let (parts, body) = request.into_parts();
        let described = self.handler.describe(&parts);
        let plan = self.faults.plan(&described);
        let under_way = self.counters.begin(described);
        under_way.received(announced(&parts.headers, &body));
        tokio::time::sleep(plan.latency).await;
        let request = || http::Request::from_parts(parts, body);
        let response = match plan.answer {
            Answer::Serve => self.handler.serve(request()).await?,
            Answer::Lose => {
                self.handler.serve(request()).await?;
                return Err("injected: answer lost".into());
            }
            Answer::Drop => return Err("injected: connection dropped".into()),
            Answer::Hang => pending().await,
            Answer::SlowDown { retry_after } => {
                drain(request().into_body()).await;
                slow_down(retry_after)
            }
            Answer::Full => {
                drain(request().into_body()).await;
                no_room()
            }
        };
        Ok(self.let_through(response, plan, under_way))
    }

    fn let_through(&self, response: Response, plan: Plan, under_way: UnderWay) -> Response {
        let (mut parts, body) = response.into_parts();
        // Known before, unknown behind the stream: said here, so that a cut shows.
        if let Some(length) = body.size_hint().exact()
            && length > 0
            && !parts.headers.contains_key(CONTENT_LENGTH)
        {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if body.is_end_stream() {
            return http::Response::from_parts(parts, body);
        }
        let frames =
            shape(body.into_data_stream(), plan, self.faults.clone(), under_way, || -> BoxError {
                "injected: body cut".into()
            });
        let body = StreamBody::new(frames.map_ok(Frame::data)).boxed_unsync();
        http::Response::from_parts(parts, body)
    }
}

/// Bytes of object in a request: a signed stream says so apart from its own length.
fn announced(headers: &http::HeaderMap, body: &Incoming) -> u64 {
    headers
        .get("x-amz-decoded-content-length")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .or(body.size_hint().exact())
        .unwrap_or(0)
}

/// Takes in what the client is still sending, so that it listens to the answer.
async fn drain(mut body: Incoming) {
    let mut taken = 0;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        taken += u64::try_from(bytes).unwrap_or(u64::MAX);
        if taken > DRAIN {
            return;
        }
    }
}

/// A body at once.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

fn no_room() -> Response {
    let mut response = http::Response::new(full(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>XMinioStorageFull</Code>\
         <Message>Storage backend has reached its minimum free drive threshold.</Message></Error>",
    ));
    *response.status_mut() = StatusCode::INSUFFICIENT_STORAGE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

fn slow_down(retry_after: Option<u64>) -> Response {
    let mut response = http::Response::new(full(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code>\
         <Message>Please reduce your request rate.</Message></Error>",
    ));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
