//! Opening the places where a model's files lie.

use std::sync::Arc;
use std::time::Duration;

use gik_core::{Error, ObjectStoreRegistry, Parser, Registry, Result};
use gik_icechunk::{Access, Container, S3Settings};
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

/// A place opened for reading indexes, and what a store says about it.
#[derive(Debug)]
pub struct Source {
    /// For reading.
    pub stores: ObjectStoreRegistry,
    /// For the store's references.
    pub container: Container,
}

/// Where a model's files lie, by scheme of `root`.
enum Place<'a> {
    Public(Option<&'static str>),
    Named(&'a S3Settings),
}

impl Source {
    /// The model's public bucket, read without credentials.
    ///
    /// # Errors
    /// When `root` is none of the model's hosts.
    pub fn public(parser: &dyn Parser, root: &Url) -> Result<Self> {
        let host = parser.info().hosts.iter().find(|host| host.root == root.as_str());
        let host = host.ok_or_else(|| {
            Error::argument(root.as_str(), format!("is no public place of {}", parser.info().id))
        })?;
        Self::open(parser, root, &Place::Public(host.region))
    }

    /// A place that the user named: a folder, a web server, or a bucket reached as `s3`
    /// says. Without a key in the usual AWS variables the bucket is read anonymously.
    ///
    /// # Errors
    /// When the scheme is none of `file`, `http`, `https`, `s3`, or the folder is not there.
    pub fn named(parser: &dyn Parser, root: &Url, s3: &S3Settings) -> Result<Self> {
        Self::open(parser, root, &Place::Named(s3))
    }

    /// The place below which references lie that no model knows.
    ///
    /// # Errors
    /// As [`named`](Self::named).
    #[cfg(feature = "legacy")]
    pub(crate) fn foreign(
        registry: &Registry,
        name: &str,
        root: &Url,
        s3: &S3Settings,
    ) -> Result<Container> {
        let hosts = registry.iter().flat_map(|(_, parser)| parser.info().hosts);
        let public = hosts.into_iter().find(|host| host.root == root.as_str());
        let place = public.map_or(Place::Named(s3), |host| Place::Public(host.region));
        let (_, access) = open(root, &place)?;
        Ok(Container { name: name.to_owned(), url_prefix: root.as_str().to_owned(), access })
    }

    fn open(parser: &dyn Parser, root: &Url, place: &Place<'_>) -> Result<Self> {
        let (store, access) = open(root, place)?;
        let mut stores = ObjectStoreRegistry::default();
        stores.register(root, store)?;
        let container = Container {
            name: parser.info().id.to_owned(),
            url_prefix: root.as_str().to_owned(),
            access,
        };
        Ok(Self { stores, container })
    }
}

/// A single file that a person names: a path or a url, and the stores to read it from. Files
/// of the models' public buckets are read without credentials.
///
/// # Errors
/// As [`Source::named`], and when `text` is neither a path nor a url.
pub fn open_file(
    registry: &Registry,
    text: &str,
    s3: &S3Settings,
) -> Result<(Url, ObjectStoreRegistry)> {
    let wrong = || Error::argument(format!("file '{text}'"), "is neither a url nor a path");
    let folder = match text.rsplit_once('/') {
        Some((folder, _)) if text.contains("://") => format!("{folder}/"),
        Some((folder, _)) => format!("{folder}/"),
        None => ".".to_owned(),
    };
    let name = text.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || (!text.contains("://") && std::path::Path::new(text).is_dir()) {
        return Err(Error::argument(format!("file '{text}'"), "is a folder; name a file"));
    }
    let folder = source_url(&folder)?;
    let mut url = folder.clone();
    if text.contains("://") {
        url = folder.join(name).map_err(|error| wrong().with_source(error))?;
    } else {
        // A path is not percent-encoded.
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().push(name);
    }
    let hosts = registry.iter().flat_map(|(_, parser)| parser.info().hosts);
    let public = hosts.into_iter().find(|host| folder.as_str().starts_with(host.root));
    let place = match public {
        Some(host) => Place::Public(host.region),
        None => Place::Named(s3),
    };
    let (store, _) = open(&folder, &place)?;
    let mut stores = ObjectStoreRegistry::default();
    stores.register(&folder, store)?;
    Ok((url, stores))
}

fn open(root: &Url, place: &Place<'_>) -> Result<(Arc<dyn ObjectStore>, Access)> {
    let unusable = |error: object_store::Error| {
        Error::argument(format!("source '{root}'"), "cannot be opened").with_source(error)
    };
    Ok(match (root.scheme(), place) {
        ("s3", Place::Public(region)) => {
            let settings =
                S3Settings { region: region.map(str::to_owned), endpoint: None, anonymous: true };
            (Arc::new(bucket(root, &settings).map_err(unusable)?), Access::S3(settings))
        }
        ("s3", Place::Named(s3)) => {
            s3.check()?;
            let settings =
                S3Settings { anonymous: s3.anonymous || !has_credentials(), ..(*s3).clone() };
            (Arc::new(bucket(root, &settings).map_err(unusable)?), Access::S3(settings))
        }
        ("file", _) => {
            let folder = root.to_file_path().map_err(|()| {
                Error::argument(format!("source '{root}'"), "is no url of a local folder")
            })?;
            if !folder.is_dir() {
                return Err(Error::argument(
                    format!("source '{}'", folder.display()),
                    "is no folder; name the one that holds the bucket's layout",
                ));
            }
            let store = LocalFileSystem::new_with_prefix(folder).map_err(unusable)?;
            (Arc::new(store), Access::Local)
        }
        ("http" | "https", _) => {
            let store = HttpBuilder::new()
                // The paths below it bring their own slash.
                .with_url(root.as_str().trim_end_matches('/'))
                .with_client_options(client_options().with_allow_http(root.scheme() == "http"))
                .with_retry(retries())
                .build()
                .map_err(unusable)?;
            (Arc::new(store), Access::Http)
        }
        (scheme, _) => {
            return Err(Error::argument(
                format!("source '{root}'"),
                format!("has the scheme {scheme}; a path, s3://, https:// or http:// can be read"),
            ));
        }
    })
}

/// The url that a person means by `--source`: a url or a path, made absolute, ending with `/`.
///
/// # Errors
/// When it is neither.
pub fn source_url(text: &str) -> Result<Url> {
    let wrong = || Error::argument(format!("source '{text}'"), "is neither a url nor a path");
    if text.contains("://") {
        let mut url = Url::parse(text).map_err(|error| wrong().with_source(error))?;
        let reason = if !url.username().is_empty() || url.password().is_some() {
            Some("names a user, who would be kept in the store; leave it out")
        } else if url.query().is_some() || url.fragment().is_some() {
            Some("has a query or fragment; name a folder of a server")
        } else if url.scheme() == "s3" && url.host_str().unwrap_or_default().is_empty() {
            Some("names no bucket; write s3://bucket/ or s3://bucket/path/")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(Error::argument(format!("source '{}'", url.path()), reason));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        return Ok(url);
    }
    let path = std::path::absolute(text).map_err(|error| wrong().with_source(error))?;
    // `..` and links resolved, so that the reader's permission covers what is read.
    let path = path.canonicalize().unwrap_or(path);
    Url::from_directory_path(path).map_err(|()| wrong())
}

/// The public places of all models: what a reader may always reach.
#[must_use]
pub fn public_places(registry: &Registry) -> Vec<String> {
    registry
        .iter()
        .flat_map(|(_, parser)| parser.info().hosts)
        .map(|host| host.root.to_owned())
        .collect()
}

/// Whether the usual AWS variables name credentials.
fn has_credentials() -> bool {
    ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"]
        .iter()
        .chain(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        .any(|name| std::env::var_os(name).is_some())
}

fn bucket(root: &Url, settings: &S3Settings) -> object_store::Result<impl ObjectStore> {
    let mut builder = if settings.anonymous {
        AmazonS3Builder::new().with_skip_signature(true)
    } else {
        AmazonS3Builder::from_env()
    };
    builder = builder
        .with_bucket_name(root.host_str().unwrap_or_default())
        .with_region(settings.region.as_deref().unwrap_or("us-east-1"))
        .with_retry(retries());
    let mut client = client_options();
    if let Some(endpoint) = &settings.endpoint {
        client = client.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint).with_virtual_hosted_style_request(false);
    }
    let store = builder.with_client_options(client).build()?;
    // A url is percent-encoded, a key is not.
    let prefix = object_store::path::Path::from_url_path(root.path())?;
    Ok(object_store::prefix::PrefixStore::new(store, prefix))
}

/// Public buckets answer bursts of requests with 503 for some seconds at a time. The
/// waiting grows by chance up to the base: with 2, all tries could be over in a second.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(10),
            base: 3.0,
        },
        max_retries: 20,
        retry_timeout: Duration::from_secs(60),
    }
}

/// An index is small: a server that takes longer than this has gone.
fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout(Duration::from_secs(30))
        .with_connect_timeout(Duration::from_secs(5))
}
