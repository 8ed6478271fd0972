//! Listings: the files of a bucket in key order, a page at a time.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;

use crate::files::Version;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) prefix: String,
    /// Keys that contain it after the prefix are rolled up; never empty.
    pub(super) delimiter: Option<String>,
    pub(super) after: After,
    /// Entries on a page.
    pub(super) limit: usize,
}

/// Where a page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum After {
    /// At the beginning.
    #[default]
    Nothing,
    /// Behind this key.
    Key(String),
    /// Behind all keys of this rolled-up prefix.
    Prefix(String),
}

/// An object or a rolled-up prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Object { key: String, version: Version },
    Prefix(String),
}

/// Some entries in key order, and where the next page starts, if there is one.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<After>,
}

impl After {
    /// As an opaque token of the protocol.
    pub(super) fn to_token(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Key(key) => format!("key:{key}"),
            Self::Prefix(prefix) => format!("prefix:{prefix}"),
        }
    }

    /// `None` for a token that this server did not make.
    pub(super) fn from_token(token: &str) -> Option<Self> {
        let (kind, value) = token.split_once(':')?;
        match kind {
            "key" => Some(Self::Key(value.to_owned())),
            "prefix" => Some(Self::Prefix(value.to_owned())),
            _ => None,
        }
    }

    fn skips_key(&self, key: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Key(after) => key <= after.as_str(),
            Self::Prefix(after) => key <= after.as_str() || key.starts_with(after),
        }
    }

    /// Whether every key that starts with `start` is skipped.
    fn skips_all(&self, start: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Key(after) => start < after.as_str() && !after.starts_with(start),
            Self::Prefix(after) => {
                start.starts_with(after) || (start < after.as_str() && !after.starts_with(start))
            }
        }
    }
}

/// One page of the files below `bucket`. Directories that cannot contribute are not
/// read, and only files on the page are looked at.
pub(super) fn list(bucket: &Path, query: &Query) -> io::Result<Page> {
    let start = query.prefix.rfind('/').map_or("", |end| query.prefix.get(..=end).unwrap_or(""));
    let mut walk = vec![children(bucket, start)?];
    let mut entries: Vec<Entry> = Vec::new();
    let mut after = query.after.clone();
    while let Some(directory) = walk.last_mut() {
        let Some(key) = directory.pop_front() else {
            walk.pop();
            continue;
        };
        if key.ends_with('/') {
            let related = key.starts_with(&query.prefix) || query.prefix.starts_with(&key);
            if related && !after.skips_all(&key) {
                walk.push(children(bucket, &key)?);
            }
            continue;
        }
        if !key.starts_with(&query.prefix) || after.skips_key(&key) {
            continue;
        }
        let entry = match query.rolled_up(&key) {
            Some(prefix) => Entry::Prefix(prefix.to_owned()),
            // Removed since its directory was read, or not a file.
            None => match fs::metadata(bucket.join(&key)) {
                Ok(metadata) if metadata.is_file() => {
                    Entry::Object { version: Version::of(&metadata)?, key }
                }
                _ => continue,
            },
        };
        if entries.len() >= query.limit {
            return Ok(Page { next: (query.limit > 0).then_some(after), entries });
        }
        after = match &entry {
            Entry::Object { key, .. } => After::Key(key.clone()),
            Entry::Prefix(prefix) => After::Prefix(prefix.clone()),
        };
        entries.push(entry);
    }
    Ok(Page { entries, next: None })
}

impl Query {
    /// The key up to and with the first delimiter after the prefix.
    fn rolled_up<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_deref()?;
        let at = key.get(self.prefix.len()..)?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }
}

/// The keys of a directory in order, directories with a slash at the end. The slash is
/// part of the order, as it is in the keys below: `a-b` comes before `a/b`.
fn children(bucket: &Path, directory: &str) -> io::Result<VecDeque<String>> {
    let mut keys = Vec::new();
    let found = match fs::read_dir(bucket.join(directory)) {
        Ok(found) => found,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(VecDeque::new()),
                _ => Err(error),
            };
        }
    };
    for child in found {
        let child = child?;
        // A name that is not UTF-8 is no key.
        let Ok(name) = child.file_name().into_string() else { continue };
        let kind = child.file_type()?;
        let is_directory = kind.is_dir() || (kind.is_symlink() && child.path().is_dir());
        keys.push(format!("{directory}{name}{}", if is_directory { "/" } else { "" }));
    }
    keys.sort_unstable();
    Ok(keys.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 8] =
        ["a", "b-c", "b/1", "b/2", "b/d/3", "b0", "gefs.1/00/x.idx", "gefs.2/00/x.idx"];

    /// All pages of a listing of [`KEYS`], prefixes marked.
    fn pages(prefix: &str, delimiter: Option<&str>, after: After, limit: usize) -> Vec<String> {
        let bucket = tempfile::tempdir().unwrap();
        for key in KEYS {
            let path = bucket.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, key).unwrap();
        }
        fs::create_dir(bucket.path().join("c")).unwrap();
        let mut query =
            Query { prefix: prefix.into(), delimiter: delimiter.map(str::to_owned), after, limit };
        let mut found = Vec::new();
        loop {
            let page = list(bucket.path(), &query).unwrap();
            assert!(page.entries.len() <= limit);
            found.extend(page.entries.into_iter().map(|entry| match entry {
                Entry::Object { key, version } => {
                    assert_eq!(version.size, key.len() as u64);
                    key
                }
                Entry::Prefix(prefix) => format!("<{prefix}>"),
            }));
            let Some(next) = page.next else { return found };
            query.after = After::from_token(&next.to_token()).unwrap();
        }
    }

    #[test]
    fn pages_of_any_size_list_the_same() {
        for limit in [1, 2, 3, 1000] {
            let check = |prefix: &str, delimiter: Option<&str>, expected: &[&str]| {
                let found = pages(prefix, delimiter, After::Nothing, limit);
                assert_eq!(found, expected, "{prefix} {delimiter:?} by {limit}");
            };
            check("", None, &KEYS);
            check("", Some("/"), &["a", "b-c", "<b/>", "b0", "<gefs.1/>", "<gefs.2/>"]);
            check("b", None, &["b-c", "b/1", "b/2", "b/d/3", "b0"]);
            check("b/", Some("/"), &["b/1", "b/2", "<b/d/>"]);
            check("ge", Some("/"), &["<gefs.1/>", "<gefs.2/>"]);
            check("gefs.2/00/", None, &["gefs.2/00/x.idx"]);
            check("b", Some("-"), &["<b->", "b/1", "b/2", "b/d/3", "b0"]);
        }
    }

    #[test]
    fn starts_behind_a_key() {
        let after = |key: &str| After::Key(key.into());
        assert_eq!(pages("", None, after("b/2"), 2), &KEYS[4..]);
        assert_eq!(pages("", None, after("b/"), 9), &KEYS[2..]);
        assert_eq!(pages("b", Some("/"), after("b/1"), 9), ["<b/>", "b0"]);
        assert_eq!(pages("", None, after("z"), 9), [""; 0]);
        assert_eq!(After::from_token("else"), None);
    }
}
