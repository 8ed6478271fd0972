//! The operations of S3 that object stores use, over [`Objects`].

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopySource, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, ETagCondition, GetBucketLocationInput, GetBucketLocationOutput, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    PutObjectInput, PutObjectOutput, Range, StreamingBlob, Timestamp, TimestampFormat,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::list::{After, Entry, Query, list};
use super::objects::{Condition, Kept, Objects, tags};
use super::uploads::Uploads;
use crate::files::{ByteRange, Conditions, Opened, Verdict, content_range, parse_http_date};

/// What anybody may do without a signature, as with a public bucket.
const PUBLIC: [&str; 5] =
    ["GetObject", "HeadObject", "ListObjectsV2", "HeadBucket", "GetBucketLocation"];

/// Reads are public; anything else needs a signature, which was verified before.
pub(super) struct PublicRead;

#[async_trait]
impl S3Access for PublicRead {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_some() || PUBLIC.contains(&cx.s3_op().name()) {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied, "only reads are allowed without a signature"))
        }
    }
}

pub(super) struct Backend {
    pub(super) objects: Arc<Objects>,
    pub(super) uploads: Uploads,
}

/// An answer to an operation.
type Reply<T> = S3Result<S3Response<T>>;

impl Backend {
    /// Runs what touches files on the blocking pool.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Objects) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let objects = Arc::clone(&self.objects);
        let work = tokio::task::spawn_blocking(move || work(&objects));
        work.await.map_err(S3Error::internal_error)?
    }

    async fn open(
        &self,
        bucket: String,
        key: String,
        conditions: Conditions,
    ) -> S3Result<(Opened, Kept)> {
        let (opened, kept) = self.blocking(move |objects| objects.get(&bucket, &key)).await?;
        match conditions.judge(&opened.version) {
            Verdict::Met => Ok((opened, kept)),
            Verdict::Failed => Err(s3_error!(PreconditionFailed)),
            Verdict::NotModified => Err(S3Error::new(S3ErrorCode::NotModified)),
        }
    }
}

#[async_trait]
impl S3 for Backend {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Reply<CreateBucketOutput> {
        self.blocking(move |objects| objects.create_bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> Reply<DeleteBucketOutput> {
        self.blocking(move |objects| {
            let path = objects.bucket(&req.input.bucket)?;
            if !page(&path, &Query { limit: 1, ..Query::default() })?.entries.is_empty() {
                return Err(s3_error!(BucketNotEmpty));
            }
            std::fs::remove_dir_all(path).map_err(S3Error::internal_error)
        })
        .await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Reply<HeadBucketOutput> {
        self.blocking(move |objects| objects.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Reply<GetBucketLocationOutput> {
        self.blocking(move |objects| objects.bucket(&req.input.bucket)).await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Reply<ListBucketsOutput> {
        let query = Query { delimiter: Some("/".into()), limit: 1000, ..Query::default() };
        let page = self.blocking(move |objects| page(objects.root(), &query)).await?;
        let bucket = |entry| match entry {
            Entry::Prefix(prefix) => {
                let name = prefix.trim_end_matches('/').to_owned();
                Some(Bucket { name: Some(name), ..Bucket::default() })
            }
            Entry::Object { .. } => None,
        };
        let buckets = Some(page.entries.into_iter().filter_map(bucket).collect());
        Ok(S3Response::new(ListBucketsOutput { buckets, ..ListBucketsOutput::default() }))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Reply<GetObjectOutput> {
        let input = req.input;
        let conditions = conditions(
            input.if_match.as_ref(),
            input.if_unmodified_since.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
        );
        let (opened, kept) = self.open(input.bucket, input.key, conditions).await?;
        let version = opened.version;
        let range = match input.range.map(byte_range) {
            None => None,
            Some(range) => Some(range.within(version.size).ok_or_else(|| s3_error!(InvalidRange))?),
        };
        let content_range = range.as_ref().map(|range| content_range(range, version.size));
        let range = range.unwrap_or(0..version.size);
        let length = length(range.end.saturating_sub(range.start))?;
        Ok(S3Response::new(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(StreamingBlob::wrap(opened.read(range))),
            content_length: Some(length),
            content_range,
            e_tag: Some(ETag::Strong(version.etag())),
            last_modified: Some(version.modified.into()),
            content_type: kept.content_type,
            content_encoding: kept.content_encoding,
            content_disposition: kept.content_disposition,
            content_language: kept.content_language,
            cache_control: kept.cache_control,
            metadata: kept.metadata,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Reply<HeadObjectOutput> {
        let input = req.input;
        let conditions = conditions(
            input.if_match.as_ref(),
            input.if_unmodified_since.as_ref(),
            input.if_none_match.as_ref(),
            input.if_modified_since.as_ref(),
        );
        let (opened, kept) = self.open(input.bucket, input.key, conditions).await?;
        let version = opened.version;
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(length(version.size)?),
            e_tag: Some(ETag::Strong(version.etag())),
            last_modified: Some(version.modified.into()),
            content_type: kept.content_type,
            content_encoding: kept.content_encoding,
            content_disposition: kept.content_disposition,
            content_language: kept.content_language,
            cache_control: kept.cache_control,
            metadata: kept.metadata,
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Reply<ListObjectsV2Output> {
        let input = req.input;
        let after = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => {
                After::from_token(token).ok_or_else(|| s3_error!(InvalidArgument))?
            }
            (None, Some(key)) => After::Key(key.clone()),
            (None, None) => After::Nothing,
        };
        let limit = input.max_keys.unwrap_or(1000).clamp(0, 1000);
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after,
            limit: usize::try_from(limit).unwrap_or(0),
        };
        let bucket = input.bucket.clone();
        let page = self.blocking(move |objects| page(&objects.bucket(&bucket)?, &query)).await?;
        let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
        for entry in page.entries {
            match entry {
                Entry::Object { key, version } => contents.push(Object {
                    key: Some(key),
                    size: Some(length(version.size)?),
                    e_tag: Some(ETag::Strong(version.etag())),
                    last_modified: Some(version.whole_second().into()),
                    ..Object::default()
                }),
                Entry::Prefix(prefix) => {
                    common_prefixes.push(CommonPrefix { prefix: Some(prefix) })
                }
            }
        }
        let count = contents.len() + common_prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            max_keys: Some(limit),
            key_count: Some(i32::try_from(count).map_err(S3Error::internal_error)?),
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_ref().map(After::to_token),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Reply<PutObjectOutput> {
        let input = req.input;
        let pieces = collect(input.body).await?;
        let kept = Kept {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata,
        };
        let condition = Condition { if_match: input.if_match, if_none_match: input.if_none_match };
        let version = self
            .blocking(move |objects| {
                objects.put(&input.bucket, &input.key, &pieces, kept, &condition)
            })
            .await?;
        let e_tag = Some(ETag::Strong(version.etag()));
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Reply<CopyObjectOutput> {
        let input = req.input;
        let CopySource::Bucket { bucket, key, .. } = input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let (opened, kept) = self.open(bucket.into(), key.into(), Conditions::default()).await?;
        let size = opened.version.size;
        let pieces: Vec<Bytes> =
            opened.read(0..size).try_collect().await.map_err(S3Error::internal_error)?;
        let version = self
            .blocking(move |objects| {
                let condition = Condition::default();
                objects.put(&input.bucket, &input.key, &pieces, kept, &condition)
            })
            .await?;
        let result = CopyObjectResult {
            e_tag: Some(ETag::Strong(version.etag())),
            last_modified: Some(version.whole_second().into()),
            ..CopyObjectResult::default()
        };
        let output =
            CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() };
        Ok(S3Response::new(output))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Reply<DeleteObjectOutput> {
        let input = req.input;
        let condition = Condition { if_match: input.if_match, if_none_match: None };
        self.blocking(move |objects| objects.delete(&input.bucket, &input.key, &condition)).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Reply<DeleteObjectsOutput> {
        let (bucket, delete) = (req.input.bucket, req.input.delete);
        let quiet = delete.quiet.unwrap_or(false);
        let (deleted, errors) = self
            .blocking(move |objects| {
                objects.bucket(&bucket)?;
                let (mut deleted, mut errors) = (Vec::new(), Vec::new());
                for object in delete.objects {
                    match objects.delete(&bucket, &object.key, &Condition::default()) {
                        Ok(()) => deleted.push(DeletedObject {
                            key: Some(object.key),
                            ..DeletedObject::default()
                        }),
                        Err(error) => errors.push(s3s::dto::Error {
                            key: Some(object.key),
                            code: Some(error.code().as_str().to_owned()),
                            message: error.message().map(str::to_owned),
                            ..s3s::dto::Error::default()
                        }),
                    }
                }
                Ok((deleted, errors))
            })
            .await?;
        let deleted = (!quiet).then_some(deleted);
        let output =
            DeleteObjectsOutput { deleted, errors: Some(errors), ..DeleteObjectsOutput::default() };
        Ok(S3Response::new(output))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Reply<CreateMultipartUploadOutput> {
        let input = req.input;
        let bucket = input.bucket.clone();
        self.blocking(move |objects| objects.bucket(&bucket)).await?;
        let kept = Kept {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata,
        };
        let upload_id = self.uploads.begin(&input.bucket, &input.key, kept);
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload_id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Reply<UploadPartOutput> {
        let input = req.input;
        let bytes: Bytes = collect(input.body).await?.concat().into();
        let place = (input.bucket.as_str(), input.key.as_str());
        let tag = self.uploads.part(&input.upload_id, place, input.part_number, bytes)?;
        let e_tag = Some(ETag::Strong(tag));
        Ok(S3Response::new(UploadPartOutput { e_tag, ..UploadPartOutput::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Reply<CompleteMultipartUploadOutput> {
        let input = req.input;
        let (bucket, key) = (input.bucket, input.key);
        let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let (pieces, kept) = self.uploads.assemble(&input.upload_id, (&bucket, &key), &listed)?;
        let condition = Condition { if_match: input.if_match, if_none_match: input.if_none_match };
        let place = (bucket.clone(), key.clone());
        let version = self
            .blocking(move |objects| objects.put(&place.0, &place.1, &pieces, kept, &condition))
            .await?;
        self.uploads.end(&input.upload_id, (&bucket, &key))?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(ETag::Strong(version.etag())),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Reply<AbortMultipartUploadOutput> {
        let input = req.input;
        self.uploads.end(&input.upload_id, (&input.bucket, &input.key))?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

fn page(bucket: &Path, query: &Query) -> S3Result<super::list::Page> {
    list(bucket, query).map_err(S3Error::internal_error)
}

async fn collect(body: Option<StreamingBlob>) -> S3Result<Vec<Bytes>> {
    let Some(body) = body else { return Ok(Vec::new()) };
    // Breaks off when the client does, or when a signature of a piece is wrong.
    body.try_collect()
        .await
        .map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))
}

fn byte_range(range: Range) -> ByteRange {
    match range {
        Range::Int { first, last } => ByteRange::From { first, last },
        Range::Suffix { length } => ByteRange::Suffix(length),
    }
}

fn length(bytes: u64) -> S3Result<i64> {
    i64::try_from(bytes).map_err(S3Error::internal_error)
}

fn conditions(
    if_match: Option<&ETagCondition>,
    if_unmodified_since: Option<&Timestamp>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<&Timestamp>,
) -> Conditions {
    Conditions {
        if_match: if_match.map(tags),
        if_unmodified_since: if_unmodified_since.and_then(whole_seconds),
        if_none_match: if_none_match.map(tags),
        if_modified_since: if_modified_since.and_then(whole_seconds),
    }
}

fn whole_seconds(time: &Timestamp) -> Option<i64> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    parse_http_date(std::str::from_utf8(&text).ok()?)
}
