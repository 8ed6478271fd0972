//! Urls as references spell them: fsspec takes the path of a file or an object literally, where
//! manifests have it percent-encoded.

use gik_core::{Error, Result};
use percent_encoding::percent_decode_str;
use url::Url;

/// Schemes whose paths are names, not urls.
const LITERAL: [&str; 4] = ["file://", "s3://", "gs://", "gcs://"];

/// A manifest's url, as fsspec reads it.
pub(crate) fn literal(url: &str) -> String {
    let is_literal = LITERAL.iter().any(|scheme| url.starts_with(scheme));
    match percent_decode_str(url).decode_utf8() {
        Ok(text) if is_literal => text.into_owned(),
        _ => url.to_owned(),
    }
}

/// A reference's url, as a manifest has it. A path without a scheme is that of a local file.
///
/// # Errors
/// When it is no absolute url or path.
pub(crate) fn encoded(text: &str) -> Result<String> {
    let wrong =
        || Error::malformed("url of a reference", "an absolute url like s3://bucket/key", text);
    if text.starts_with('/') {
        return Url::from_file_path(text).map(Into::into).map_err(|()| wrong());
    }
    let is_literal = LITERAL.iter().any(|scheme| text.starts_with(scheme));
    let escaped;
    let mut parsed = text;
    if is_literal && text.contains(['%', '?', '#']) {
        escaped = text.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        parsed = &escaped;
    }
    let url = Url::parse(parsed).map_err(|error| wrong().with_source(error))?;
    if !text.contains("://") {
        return Err(wrong());
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for url in [
            "s3://noaa-gefs-pds/gefs.20250106/00/a.f003",
            "file:///tmp/with%20space/100%25/a%23b",
            "https://host.example/a%20b",
        ] {
            assert_eq!(encoded(&literal(url)).unwrap(), url);
        }
        assert_eq!(literal("file:///tmp/with%20space"), "file:///tmp/with space");
        assert_eq!(encoded("/tmp/a b").unwrap(), "file:///tmp/a%20b");
        for wrong in ["", "a/b", "../x", "://", "c:x"] {
            assert!(encoded(wrong).is_err(), "{wrong}");
        }
    }
}
