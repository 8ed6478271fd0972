//! The places that a repository's references may reach.

use std::collections::HashMap;

use gik_core::{Error, Result};
use icechunk::ObjectStoreConfig;
use icechunk::config::{Credentials, S3Credentials};
use icechunk::virtual_chunks::VirtualChunkContainer;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::S3Settings;
use crate::location::is_region;

/// How a place is reached. It is kept in the repository; credentials never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Files of the reader's machine.
    Local,
    /// A web server.
    Http,
    /// A bucket.
    S3(S3Settings),
}

/// A place that references may reach. References name it, so that a mirror can take its
/// place when a repository is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name in references: `vcc://NAME/key`.
    pub name: String,
    /// The urls it covers, percent-encoded as urls are; ends with `/`.
    pub url_prefix: String,
    /// How it is reached.
    pub access: Access,
}

impl Container {
    /// The location that a reference to `url` is written with, if this container has it.
    pub(crate) fn location(&self, url: &str) -> Option<String> {
        let key = url.strip_prefix(self.url_prefix.as_str())?;
        Some(format!("vcc://{}/{key}", self.name))
    }

    /// The prefix as Icechunk keeps and compares it, without percent-encoding: what is to
    /// be authorised when the repository is opened.
    #[must_use]
    pub fn icechunk_prefix(&self) -> String {
        percent_decode_str(&self.url_prefix).decode_utf8_lossy().into_owned()
    }

    pub(crate) fn config(&self) -> Result<VirtualChunkContainer> {
        // Icechunk parses the decoded prefix once more. What changes by that is not found
        // again when it is read.
        let decoded = self.icechunk_prefix();
        let survives = Url::parse(&decoded).is_ok_and(|url| {
            let again = percent_decode_str(url.as_str()).decode_utf8_lossy().into_owned();
            again == decoded && url.query().is_none() && url.fragment().is_none()
        });
        if !survives {
            return Err(Error::argument(
                format!("source '{decoded}'"),
                "has characters in its path (%, #, ? or the like) that references cannot have; \
                 rename the folder or name it by a link",
            ));
        }
        let store = match &self.access {
            // Icechunk takes the folder from the url prefix.
            Access::Local => ObjectStoreConfig::LocalFileSystem(Default::default()),
            Access::Http => {
                let mut http = icechunk::config::HttpConfig::default();
                if self.url_prefix.starts_with("http://") {
                    http.opts.insert("allow_http".to_owned(), "true".to_owned());
                }
                ObjectStoreConfig::Http(http)
            }
            Access::S3(settings) if settings.endpoint.is_some() => {
                ObjectStoreConfig::S3Compatible(settings.options())
            }
            Access::S3(settings) => ObjectStoreConfig::S3(settings.options()),
        };
        VirtualChunkContainer::new_named(self.name.clone(), self.icechunk_prefix(), store)
            .map_err(|reason| Error::argument(self.url_prefix.as_str(), reason))
    }

    /// What a repository's configuration says about a container; none for kinds that this
    /// build cannot reach.
    pub(crate) fn of_config(config: &VirtualChunkContainer) -> Option<Self> {
        let access = match &config.store {
            ObjectStoreConfig::LocalFileSystem(_) => Access::Local,
            ObjectStoreConfig::Http(_) => Access::Http,
            ObjectStoreConfig::S3(options) | ObjectStoreConfig::S3Compatible(options) => {
                Access::S3(S3Settings {
                    region: options.region.clone(),
                    endpoint: options.endpoint_url.clone(),
                    anonymous: options.anonymous,
                })
            }
            _ => return None,
        };
        Some(Self {
            name: config.name.clone().unwrap_or_default(),
            url_prefix: Url::parse(config.url_prefix()).ok()?.into(),
            access,
        })
    }

    /// Whether it lies at or below one of the urls of `allowed`, on a service that may be told
    /// the reader's credentials.
    pub(crate) fn may_be_read(&self, allowed: &[String], s3: &S3Settings) -> bool {
        is_allowed(&self.icechunk_prefix(), allowed) && is_own_service(self, s3)
    }

    fn credentials(&self) -> Credentials {
        match &self.access {
            Access::Local => Credentials::LocalFileSystemAccess,
            Access::Http => Credentials::HttpAccess,
            Access::S3(settings) if settings.anonymous => Credentials::S3(S3Credentials::Anonymous),
            Access::S3(_) => Credentials::S3(S3Credentials::FromEnv),
        }
    }
}

/// Icechunk's authorisation for exactly these containers.
pub(crate) fn authorize<'a>(
    containers: impl IntoIterator<Item = &'a Container>,
) -> HashMap<String, Option<Credentials>> {
    containers
        .into_iter()
        .map(|container| (container.icechunk_prefix(), Some(container.credentials())))
        .collect()
}

/// Whether a bucket lies on AWS or on the service that the reader's own settings name. Endpoint
/// and region in a repository are whatever its author wrote: they decide which host is asked, and
/// would be sent credentials.
fn is_own_service(container: &Container, s3: &S3Settings) -> bool {
    match &container.access {
        Access::S3(settings) => {
            settings.region.as_ref().is_none_or(|region| is_region(region))
                && (settings.endpoint.is_none() || settings.endpoint == s3.endpoint)
        }
        Access::Http | Access::Local => true,
    }
}

fn is_allowed(prefix: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|url| {
        // Compared as Icechunk keeps it: a `%` in a folder's name has two encodings.
        let url = percent_decode_str(url).decode_utf8_lossy();
        // `s3://bucket` means the bucket, not every bucket whose name begins so.
        prefix.strip_prefix(url.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn an_allowed_place_covers_what_lies_below_it() {
        let allowed = ["s3://noaa-gefs-pds".to_owned(), "file:///data/gefs/".to_owned()];
        assert!(is_allowed("s3://noaa-gefs-pds/", &allowed));
        assert!(is_allowed("file:///data/gefs/2025/", &allowed));
        assert!(!is_allowed("s3://noaa-gefs-pds-evil/", &allowed));
        assert!(!is_allowed("file:///data/", &allowed));
        let odd = ["file:///100%25%20x/".to_owned()];
        assert!(is_allowed("file:///100% x/deep/", &odd));
    }
}
