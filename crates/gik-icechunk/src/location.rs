//! Where a repository lies.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use gik_core::{Error, ErrorKind, Result};
use icechunk::Storage;
use icechunk::config::{S3Credentials, S3Options};
use url::Url;

use crate::fault;

/// How an S3 service is reached, from the usual AWS variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct S3Settings {
    /// The region; none for services that have no regions.
    pub region: Option<String>,
    /// The endpoint of a service other than AWS, `http://` included.
    pub endpoint: Option<String>,
    /// Whether requests are sent without credentials.
    pub anonymous: bool,
}

impl S3Settings {
    /// What `AWS_REGION` (or `AWS_DEFAULT_REGION`), `AWS_ENDPOINT_URL_S3` (or
    /// `AWS_ENDPOINT_URL`), `AWS_ACCESS_KEY_ID` and `AWS_SKIP_SIGNATURE` say, looked up
    /// with `variable`.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            region: set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")),
            endpoint: set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL")),
            anonymous: set("AWS_SKIP_SIGNATURE").is_some_and(|value| value == "true"),
        }
    }

    /// Checks what comes from variables or from a repository's author before it becomes part of
    /// a url.
    ///
    /// # Errors
    /// When the endpoint is no url, or the region is no name of one.
    pub fn check(&self) -> Result<()> {
        let is_url = |text: &String| {
            Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https") && url.host_str().is_some()
            })
        };
        if let Some(endpoint) = self.endpoint.as_ref().filter(|endpoint| !is_url(endpoint)) {
            return Err(Error::argument(
                format!("S3 endpoint '{endpoint}' (AWS_ENDPOINT_URL)"),
                "is no url; write https://host or http://host:port",
            ));
        }
        if let Some(region) = self.region.as_ref().filter(|region| !is_region(region)) {
            return Err(Error::argument(
                format!("S3 region '{region}' (AWS_REGION)"),
                "is no name of a region, like eu-central-1",
            ));
        }
        Ok(())
    }

    pub(crate) fn options(&self) -> S3Options {
        let mut options = S3Options::default().with_anonymous(self.anonymous);
        // Services that have no regions accept any; requests are signed for one.
        options = options.with_region(self.region.as_deref().unwrap_or("us-east-1"));
        if let Some(endpoint) = &self.endpoint {
            options = options
                .with_endpoint_url(endpoint)
                .with_allow_http(endpoint.starts_with("http://"))
                .with_force_path_style(true);
        }
        options
    }
}

/// Whether a text can be a region. It becomes a part of the host that requests go to.
pub(crate) fn is_region(text: &str) -> bool {
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(of_a_name)
}

/// The place of a repository: a local folder, or a prefix of an S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// A folder of this machine, absolute.
    Folder(PathBuf),
    /// A prefix of a bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix in it, without slashes at its ends; never empty.
        prefix: String,
    },
}

impl StoreLocation {
    /// Icechunk's storage for this place.
    ///
    /// # Errors
    /// When the folder's parent does not exist or may not be written, or the settings are
    /// unusable.
    pub(crate) async fn storage(&self, s3: &S3Settings) -> Result<Arc<dyn Storage + Send + Sync>> {
        let failed = |error: icechunk::StorageError| fault::io(self, &error.kind);
        match self {
            Self::Folder(path) => {
                icechunk::new_local_filesystem_storage(path).await.map_err(failed)
            }
            Self::S3 { bucket, prefix } => {
                s3.check()?;
                let credentials =
                    if s3.anonymous { S3Credentials::Anonymous } else { S3Credentials::FromEnv };
                icechunk::new_s3_object_store_storage(
                    s3.options(),
                    bucket.clone(),
                    Some(prefix.clone()),
                    Some(credentials),
                    Vec::new(),
                    Vec::new(),
                )
                .await
                .map_err(failed)
            }
        }
    }

    /// The folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(path) => Some(path),
            Self::S3 { .. } => None,
        }
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for StoreLocation {
    type Err = Error;

    /// A path, a `file://` url or an `s3://bucket/prefix` url.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |reason: &str| Error::argument(format!("store '{text}'"), reason);
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let prefix = prefix.trim_matches('/');
            if bucket.is_empty() || prefix.is_empty() {
                return Err(wrong("needs a bucket and a prefix in it: s3://bucket/path/to/store"));
            }
            return Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        }
        let path = if text.starts_with("file://") {
            Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| wrong("is no url of a local folder; write file:///absolute/path"))?
        } else if text.contains("://") {
            return Err(wrong(
                "has a scheme that stores cannot have; use a path, file:// or s3://",
            ));
        } else if text.is_empty() {
            return Err(wrong("is empty; give a path, file:// or s3:// url"));
        } else {
            PathBuf::from(text)
        };
        let path = std::path::absolute(&path).map_err(|error| {
            Error::new(ErrorKind::Io { retryable: false }).with_source(error).in_url(text)
        })?;
        Ok(Self::Folder(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls() {
        let s3: StoreLocation = "s3://b/a/c/".parse().unwrap();
        assert_eq!(s3, StoreLocation::S3 { bucket: "b".into(), prefix: "a/c".into() });
        let file: StoreLocation = "file:///a%20b/c".parse().unwrap();
        assert_eq!(file.folder().unwrap(), Path::new("/a b/c"));
        assert!("x/y".parse::<StoreLocation>().unwrap().folder().unwrap().is_absolute());
        for wrong in ["", "s3://b", "s3:///x", "gs://b/x", "http://h/x"] {
            let error = wrong.parse::<StoreLocation>().unwrap_err().to_string();
            assert!(error.contains("s3://") || error.contains("path"), "{error}");
        }
    }

    #[test]
    fn endpoints_and_regions_are_checked() {
        let endpoint =
            |text: &str| S3Settings { endpoint: Some(text.to_owned()), ..S3Settings::default() };
        for good in ["http://127.0.0.1:9000", "https://minio.example/"] {
            assert!(endpoint(good).check().is_ok(), "{good}");
        }
        for wrong in ["127.0.0.1:9000", "localhost:9000", "minio", "ftp://x", "http://"] {
            let error = endpoint(wrong).check().unwrap_err().to_string();
            assert!(error.contains("write https://host"), "{error}");
        }
        assert!(is_region("us-east-1") && is_region("auto"));
        for wrong in ["", "@127.0.0.1:5125/?", "a.b", "a/b", "x".repeat(41).as_str()] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }

    #[test]
    fn variables_make_settings() {
        let settings = S3Settings::from_variables(|name| match name {
            "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:9000".to_owned()),
            "AWS_DEFAULT_REGION" => Some("eu-central-1".to_owned()),
            "AWS_REGION" => Some(String::new()),
            _ => None,
        });
        let options = settings.options();
        assert_eq!(options.region.as_deref(), Some("eu-central-1"));
        assert!(options.allow_http && options.force_path_style && !options.anonymous);
    }
}
