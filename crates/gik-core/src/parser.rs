//! What a model's plug-in answers.

use std::fmt::Debug;
use std::num::NonZeroU32;

use async_trait::async_trait;
use url::Url;

use crate::{
    Diagnostic, Grid, ManifestGroup, Result, Run, RunRequest, SchemaOptions, SourceReader,
    UnknownMessage,
};

/// A place where a model's files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// A short name, unique within the model: `aws`.
    pub name: &'static str,
    /// The root of the layout, ending with `/`: `s3://noaa-gefs-pds/`.
    pub root: &'static str,
    /// The region, for S3.
    pub region: Option<&'static str>,
}

/// A product of a model, for lists and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// The id people type.
    pub id: &'static str,
    /// One line of what it is.
    pub title: &'static str,
}

/// Facts about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParserInfo {
    /// The id people type, lowercase.
    pub id: &'static str,
    /// The model's full name.
    pub title: &'static str,
    /// Its products, the default one first.
    pub products: &'static [Product],
    /// Where its files are published, the default place first. All are public: they are
    /// read without credentials.
    pub hosts: &'static [Host],
    /// The id of its Zarr codec.
    pub codec: &'static str,
}

/// A data file that a run should have, and its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The GRIB file.
    pub data: Url,
    /// Its index.
    pub index: Url,
    /// The folder to list for sizes and times; ends with `/`.
    pub folder: Url,
    /// Position in [`Run::members`], of a file that holds one member; none where a file holds
    /// several, and for a model without members.
    pub member: Option<u32>,
    /// Position in [`Run::steps`]; of a file that holds several steps, of the last one wanted.
    pub step: u32,
    /// The model's own number for the kind of file, where a product has several.
    pub part: u16,
    /// The number of references it should contribute.
    pub expected: u32,
}

/// The place of a message that every member of a run must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expected {
    /// Position in [`Run::steps`].
    pub step: u32,
    /// Position in [`Run::variables`].
    pub variable: u32,
    /// Position in the level coordinate of the array; 0 without one.
    pub level: u32,
}

/// Where one message belongs and lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Position in [`Run::members`]; 0 for a model without members.
    pub member: u32,
    /// Position in [`Run::steps`].
    pub step: u32,
    /// Position in [`Run::variables`].
    pub variable: u32,
    /// Position in the level coordinate of the array; 0 without one.
    pub level: u32,
    /// The first byte of the message, counted from the start of the data file.
    pub offset: u64,
    /// The length of the message in bytes.
    pub length: NonZeroU32,
}

/// What one file contributes.
#[derive(Debug, Default)]
pub struct FileReferences {
    /// Its messages, in any order.
    pub references: Vec<Reference>,
    /// Messages that the model's table does not know, where their headers were read: of each of
    /// them nothing but its numbers is known.
    pub unknown: Vec<UnknownMessage>,
    /// How many of the references are beyond [`SourceFile::expected`]: messages that a file may have but
    /// need not.
    pub optional: u32,
    /// When the data file was last modified, in seconds since 1970, if known.
    pub last_modified: Option<i64>,
    /// The data file's entity tag, if known.
    pub etag: Option<String>,
    /// The lines of the index.
    pub lines: u64,
    /// The bytes of the index.
    pub bytes: u64,
    /// The seconds spent on parsing and matching, without waiting for bytes.
    pub parse_seconds: f64,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// A model: answers what a run looks like, which files it has, and what is in a file.
///
/// # Contract
/// - [`run`](Self::run), [`schema`](Self::schema), [`sources`](Self::sources) and
///   [`expected`](Self::expected) are pure: the same arguments give the same answer, whatever any
///   bucket contains.
/// - Every reference's position lies inside the array that `schema` describes for it.
/// - [`references`](Self::references) reads indexes only, never a data file's bytes. What
///   the bytes of an index are, it neither panics nor refuses more than that file.
/// - [`scanned_references`](Self::scanned_references) of a whole file are those that its right
///   index gives. Messages that the table does not know come on top, if the run has all of the
///   product's variables.
#[async_trait]
pub trait Parser: Debug + Send + Sync + 'static {
    /// Facts about the model.
    fn info(&self) -> &'static ParserInfo;

    /// Checks a request and makes every "all" in it explicit.
    ///
    /// # Errors
    /// When product, member, step, variable or time are not the model's; the text says
    /// what would be right.
    fn run(&self, request: &RunRequest) -> Result<Run>;

    /// The request that a url of the model's layout stands for: the folder of a run or one
    /// of its files.
    ///
    /// # Errors
    /// When the url is not of the model's layout.
    fn request_of_url(&self, url: &Url) -> Result<RunRequest>;

    /// The variable table of a product, as text: a template like those that people make of a file.
    fn template(&self, product: &str) -> Option<&'static str>;

    /// The store's group: arrays, dimensions, coordinates, attributes, without references.
    /// The data arrays come in the order of [`Run::variables`].
    ///
    /// # Errors
    /// When the run is not one of this model.
    fn schema(&self, run: &Run, options: &SchemaOptions) -> Result<ManifestGroup>;

    /// The grid of the run's fields: a message on another one is no part of the run.
    ///
    /// # Errors
    /// When the run is not one of this model.
    fn grid(&self, run: &Run) -> Result<Grid>;

    /// The files that should exist.
    ///
    /// # Errors
    /// When the run is not one of this model.
    fn sources(&self, run: &Run) -> Result<Vec<SourceFile>>;

    /// The messages that the files of a run must have of each member, once each: those that
    /// [`SourceFile::expected`] counts.
    ///
    /// # Errors
    /// When the run is not one of this model.
    fn expected(&self, run: &Run) -> Result<Vec<Expected>>;

    /// The references that one file contributes.
    ///
    /// # Errors
    /// When the file as a whole cannot be used: it is not there, cannot be read, or its
    /// index is about something else. What is wrong with single lines is in the
    /// diagnostics.
    async fn references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences>;

    /// The references that one file contributes, from the headers of its messages: of a file
    /// without an index, or with one that is not to be trusted.
    ///
    /// # Errors
    /// When the file is not there, cannot be read, is no GRIB file, or is about something else.
    async fn scanned_references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences>;
}
