//! Multipart uploads under way; their parts wait in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};

use super::objects::Kept;

/// Every part but the last has at least so many bytes, as at S3.
const LEAST: usize = 5 * 1024 * 1024;

#[derive(Debug)]
struct Upload {
    bucket: String,
    key: String,
    kept: Kept,
    parts: BTreeMap<i32, (String, Bytes)>,
}

#[derive(Debug, Default)]
struct State {
    /// Given out so far: ids and tags of parts are numbers.
    count: u64,
    open: HashMap<String, Upload>,
}

/// The uploads of a server.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<State>);

impl Uploads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an upload and returns its id.
    pub(super) fn begin(&self, bucket: &str, key: &str, kept: Kept) -> String {
        let mut state = self.lock();
        let id = state.number();
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        state.open.insert(id.clone(), Upload { bucket, key, kept, parts: BTreeMap::new() });
        id
    }

    /// Takes in a part and returns its tag.
    pub(super) fn part(
        &self,
        id: &str,
        (bucket, key): (&str, &str),
        number: i32,
        bytes: Bytes,
    ) -> S3Result<String> {
        let mut state = self.lock();
        let tag = state.number();
        let upload = state.find(id, bucket, key)?;
        upload.parts.insert(number, (tag.clone(), bytes));
        Ok(tag)
    }

    /// The bytes of an upload as the client lists its parts; the upload stays open, since
    /// the write may still be refused.
    pub(super) fn assemble(
        &self,
        id: &str,
        (bucket, key): (&str, &str),
        listed: &[CompletedPart],
    ) -> S3Result<(Vec<Bytes>, Kept)> {
        let mut state = self.lock();
        let upload = state.find(id, bucket, key)?;
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut last = 0;
        for part in listed {
            let number = part.part_number.ok_or_else(|| s3_error!(InvalidPart))?;
            if number <= last {
                return Err(s3_error!(InvalidPartOrder));
            }
            last = number;
            let (tag, bytes) = upload.parts.get(&number).ok_or_else(|| s3_error!(InvalidPart))?;
            if part.e_tag.as_ref().is_none_or(|known| known.value() != tag) {
                return Err(s3_error!(InvalidPart));
            }
            if pieces.last().is_some_and(|before| before.len() < LEAST) {
                return Err(s3_error!(EntityTooSmall));
            }
            pieces.push(bytes.clone());
        }
        if pieces.is_empty() {
            return Err(s3_error!(InvalidRequest, "an upload has at least one part"));
        }
        Ok((pieces, upload.kept.clone()))
    }

    /// Forgets an upload, complete or given up.
    pub(super) fn end(&self, id: &str, (bucket, key): (&str, &str)) -> S3Result<()> {
        let mut state = self.lock();
        state.find(id, bucket, key)?;
        state.open.remove(id);
        Ok(())
    }
}

impl State {
    fn number(&mut self) -> String {
        self.count += 1;
        format!("{:016x}", self.count)
    }

    fn find(&mut self, id: &str, bucket: &str, key: &str) -> S3Result<&mut Upload> {
        let upload = self.open.get_mut(id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        if upload.bucket == bucket && upload.key == key {
            Ok(upload)
        } else {
            Err(s3_error!(NoSuchUpload))
        }
    }
}
