//! The clients under test, as a command line tool would configure them.

use std::time::Duration;

use gik_testkit::http::HttpServer;
use gik_testkit::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::http::{HttpBuilder, HttpStore};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

pub(crate) const BUCKET: &str = "forecasts";

/// Retries as by default, but without the long waits.
pub(crate) fn quick(max_retries: usize) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(2),
            max_backoff: Duration::from_millis(20),
            base: 2.0,
        },
        max_retries,
        retry_timeout: Duration::from_secs(60),
    }
}

pub(crate) fn options() -> ClientOptions {
    ClientOptions::new().with_allow_http(true)
}

/// A server with the bucket [`BUCKET`].
pub(crate) fn s3_server() -> S3Server {
    let server = S3Server::start().unwrap();
    server.create_bucket(BUCKET).unwrap();
    server
}

/// A client that may write.
pub(crate) fn s3(server: &S3Server, retry: RetryConfig, options: ClientOptions) -> AmazonS3 {
    let keys =
        AmazonS3Builder::new().with_access_key_id(ACCESS_KEY).with_secret_access_key(SECRET_KEY);
    finish(keys, server, retry, options)
}

/// A client without keys.
pub(crate) fn anonymous(server: &S3Server) -> AmazonS3 {
    finish(AmazonS3Builder::new().with_skip_signature(true), server, quick(10), options())
}

pub(crate) fn finish(
    builder: AmazonS3Builder,
    server: &S3Server,
    retry: RetryConfig,
    options: ClientOptions,
) -> AmazonS3 {
    builder
        .with_endpoint(server.endpoint())
        .with_region(REGION)
        .with_bucket_name(BUCKET)
        .with_retry(retry)
        .with_client_options(options)
        .build()
        .unwrap()
}

/// A client of a web server.
pub(crate) fn http(server: &HttpServer, retry: RetryConfig, options: ClientOptions) -> HttpStore {
    HttpBuilder::new()
        .with_url(server.url())
        .with_retry(retry)
        .with_client_options(options)
        .build()
        .unwrap()
}
