//! Runs of a product that only a template describes.

use std::num::NonZeroU32;
use std::time::Instant;

use async_trait::async_trait;
use gik_codec::grid_of_section;
use gik_codec::scan::{ScannedField, scanned_file};
use gik_core::{
    Attributes, Diagnostic, Error, Expected, FileReferences, ForecastSchema, Grid, Host,
    IndexedFile, ManifestGroup, Names, Offer, Parser, ParserInfo, Problem, Product, Reference,
    ReferenceTime, Result, Run, RunRequest, SchemaOptions, SourceFile, SourceReader, StepUnit,
    join_url,
};
use gik_index::noaa::{Expectations, parse};
use serde_json::json;
use url::Url;

use super::place::{Located, Message, Placed};
use super::{Template, ecmwf, from_hexadecimal};

/// Hours at which runs may start, and the last hour that they may have: nothing tells.
const CYCLES: [u32; 24] =
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23];
const LAST: u32 = 1000;

static INFO: ParserInfo = ParserInfo {
    id: "template",
    title: "a product described by a template",
    products: &[Product { id: "template", title: "what the template describes" }],
    hosts: &[Host { name: "none", root: "file:///", region: None }],
    codec: "gribberish",
};

/// What stands for a part of a path.
const PLACEHOLDERS: [&str; 7] =
    ["{date}", "{hour}", "{step}", "{step:1}", "{step:2}", "{step:3}", "{step:4}"];

/// Whether a pattern says where the file of each step lies.
///
/// # Errors
/// When it has no step, or something else in braces.
pub(super) fn check_pattern(pattern: &str) -> Result<()> {
    let rest = PLACEHOLDERS.iter().fold(pattern.to_owned(), |rest, it| rest.replace(it, ""));
    let has_step = pattern.contains("{step}") || pattern.contains("{step:");
    if has_step && !rest.contains(['{', '}']) && !rest.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::argument(
        format!("pattern '{}'", pattern.escape_debug()),
        "does not say where the file of each step lies: a path with {date}, {hour} and {step} or, \
         of three digits, {step:3}",
    ))
}

/// Answers for the product of a template.
#[derive(Debug)]
pub struct TemplateParser {
    template: Template,
    pattern: &'static str,
    grid: Grid,
}

impl TemplateParser {
    pub(super) fn new(template: Template) -> Result<Self> {
        let fact = |key: &'static str| {
            template.fact(key).ok_or_else(|| {
                Error::argument(
                    "template",
                    format!(
                        "has no line '# {key}: …', without which no run can be built with it; \
                         those that are compiled in belong to models: gik build MODEL"
                    ),
                )
            })
        };
        if let Some(kind) = template.fact("index").filter(|&kind| kind != ecmwf::KIND) {
            let reason = format!(
                "names indexes of the kind '{}'; there is '{}'",
                kind.escape_debug(),
                ecmwf::KIND
            );
            return Err(Error::argument("template", reason));
        }
        let pattern = fact("files")?;
        check_pattern(pattern)?;
        let grid = grid_of_section(&from_hexadecimal(fact("grid")?)?)?;
        Ok(Self { template, pattern, grid })
    }

    /// The path of the file of a step: `{date}`, `{hour}`, `{step}` and `{step:3}` replaced.
    fn path(&self, time: ReferenceTime, step: u32) -> String {
        let mut path = self
            .pattern
            .replace("{date}", &time.yyyymmdd())
            .replace("{hour}", &format!("{:02}", time.hour()))
            .replace("{step}", &step.to_string());
        for width in 1..=4 {
            path = path.replace(&format!("{{step:{width}}}"), &format!("{step:0width$}"));
        }
        path
    }

    /// Whether the indexes of the product are of ECMWF's kind.
    fn lists_as_ecmwf(&self) -> bool {
        self.template.fact("index") == Some(ecmwf::KIND)
    }

    /// What an index of NOAA's kind, or one made of headers, tells.
    fn located(&self, run: &Run, url: &str, step: u32, file: &IndexedFile) -> Result<Located> {
        let index = parse(&file.index);
        let expectations = Expectations {
            reference_time: Some(run.reference_time),
            lead_seconds: Some(i64::from(step) * run.step_unit.seconds()),
            object_size: Some(file.data.size),
            ..Expectations::default()
        };
        let diagnostics = index.problems(&expectations, url)?;
        let messages: Vec<Message<'_>> = index
            .entries
            .iter()
            .zip(index.ranges(Some(file.data.size)))
            .filter_map(|(entry, range)| {
                let length = range.length.and_then(|length| NonZeroU32::try_from(length).ok());
                let (level, window) = (entry.level.value?, entry.window.value?);
                Some(Message { entry, level, window, offset: range.offset, length })
            })
            .collect();
        let table = &self.template.table;
        let placed = Placed::of(table, self.template.fact("qualifier"), &messages);
        let place = |message: &Option<&Message<'_>>| message.map(|it| (it.offset, it.length));
        Ok(Located {
            rows: placed.rows.iter().map(place).collect(),
            unknown: placed.unknown,
            misfits: placed.misfits,
            lines: index.entries.len() as u64,
            diagnostics,
        })
    }

    fn references_of(
        &self,
        run: &Run,
        source: &SourceFile,
        file: &IndexedFile,
    ) -> Result<FileReferences> {
        let started = Instant::now();
        file.check_age(source)?;
        let table = &self.template.table;
        let url = source.index.as_str();
        let step = run.steps.get(source.step as usize).copied().unwrap_or_default();
        let is_ecmwf = self.lists_as_ecmwf() && !file.is_scanned;
        let located = if is_ecmwf {
            ecmwf::located(table, run, source, &file.index, file.data.size)?
        } else {
            self.located(run, url, step, file)?
        };
        let Located { rows: found, unknown, misfits, lines, mut diagnostics } = located;
        let mut report = |problem, text: String| {
            diagnostics.push(Diagnostic { problem, url: url.to_owned(), text });
        };
        let wanted = table.positions(run);
        let (mut references, mut optional) = (Vec::new(), 0);
        for (row, message) in (0..).zip(&found) {
            let place = table.place_of_row(row);
            let variable =
                place.and_then(|place| wanted.get(place.variable as usize).copied().flatten());
            let (Some(place), Some(variable), Some(message)) = (place, variable, *message) else {
                continue;
            };
            let (offset, Some(length)) = message else { continue };
            let is_sure = table.rows().get(row).is_some_and(|row| row.leads.include(step));
            optional += u32::from(!is_sure);
            references.push(Reference {
                member: 0,
                step: source.step,
                variable,
                level: place.level,
                offset,
                length,
            });
        }
        // In the order of the file, as the index of a model gives them.
        references.sort_by_key(|reference| reference.offset);
        // Of a file that is read by its headers, they are kept under their numbers.
        if misfits.count() > 0 && !(file.is_scanned && table.is_whole(run)) {
            let text = format!(
                "{} messages are over windows that the template does not tell, and are left out: \
                 {misfits}; make it anew with this file",
                misfits.count()
            );
            report(Problem::OtherWindow, text);
        }
        if unknown.count() > 0 {
            let text = format!("{} messages are not in the template: {unknown}", unknown.count());
            report(Problem::UnknownMessage, text);
        }
        let missing: Names = table
            .rows()
            .iter()
            .zip(&found)
            .filter(|(row, found)| {
                found.is_none()
                    && row.leads.include(step)
                    && run.variables.iter().any(|name| name == row.name)
            })
            .map(|(row, _)| format!("{}:{}", row.abbreviation, row.level_text))
            .collect();
        if missing.count() > 0 {
            let text = format!(
                "{} of {} messages are missing: {missing}",
                missing.count(),
                source.expected
            );
            report(Problem::MissingMessage, text);
        }
        Ok(FileReferences {
            references,
            unknown: Vec::new(),
            optional,
            last_modified: Some(file.data.last_modified),
            etag: file.data.etag.clone(),
            lines,
            bytes: file.index_bytes(),
            parse_seconds: started.elapsed().as_secs_f64(),
            diagnostics,
        })
    }
}

#[async_trait]
impl Parser for TemplateParser {
    fn info(&self) -> &'static ParserInfo {
        &INFO
    }

    fn run(&self, request: &RunRequest) -> Result<Run> {
        if request.product.as_ref().is_some_and(|product| product != INFO.id) {
            let reason = "is for models; a template describes one product";
            return Err(Error::argument("--product", reason));
        }
        if request.source.is_none() {
            let reason = "is needed: a template does not say whose files they are";
            return Err(Error::argument("--source", reason));
        }
        if request.steps.is_none() {
            let reason = "are needed, like 0-120: a template does not say which there are";
            return Err(Error::argument("--steps", reason));
        }
        let offer = Offer {
            product: INFO.product(None)?,
            cycles: &CYCLES,
            first: ReferenceTime::from_seconds(0),
            members: None,
            steps: (0..=LAST).collect(),
            step_unit: StepUnit::Hours,
            table: &self.template.table,
        };
        INFO.run(request, &offer)
    }

    fn request_of_url(&self, url: &Url) -> Result<RunRequest> {
        Err(Error::argument(url.as_str(), "cannot be told to be of a template's run; name the run"))
    }

    fn template(&self, _product: &str) -> Option<&'static str> {
        Some(self.template.text)
    }

    fn schema(&self, run: &Run, options: &SchemaOptions) -> Result<ManifestGroup> {
        let shared = match &self.grid {
            Grid::LatLon(grid) => grid.attributes(),
            Grid::Projected { grid, .. } => grid.attributes(),
        };
        let (variables, levels) =
            self.template.table.arrays(run, &shared, |row| match row.fact("window") {
                "" => "as the file says",
                words => words,
            });
        let mut attributes = Attributes::new();
        attributes.insert("gik_model".into(), json!(run.model));
        attributes.insert("source".into(), json!(self.pattern));
        let grid = self.grid.clone();
        let model_codec = INFO.codec;
        ForecastSchema { run, options: *options, grid, levels, variables, model_codec, attributes }
            .group()
    }

    fn grid(&self, _run: &Run) -> Result<Grid> {
        Ok(self.grid.clone())
    }

    fn sources(&self, run: &Run) -> Result<Vec<SourceFile>> {
        let rows = self.template.table.rows();
        let wanted: Vec<_> =
            rows.iter().filter(|row| run.variables.iter().any(|name| name == row.name)).collect();
        let mut sources = Vec::with_capacity(run.steps.len());
        for (position, &step) in (0..).zip(&run.steps) {
            let path = self.path(run.reference_time, step);
            let data = join_url(&run.root, &path)?;
            let expected = wanted.iter().filter(|row| row.leads.include(step)).count();
            let index = if self.lists_as_ecmwf() {
                ecmwf::index_path(&path)
            } else {
                format!("{path}.idx")
            };
            sources.push(SourceFile {
                index: join_url(&run.root, &index)?,
                folder: join_url(&data, ".")?,
                data,
                member: None,
                step: position,
                part: 0,
                expected: u32::try_from(expected).unwrap_or(u32::MAX),
            });
        }
        Ok(sources)
    }

    fn expected(&self, run: &Run) -> Result<Vec<Expected>> {
        Ok(self.template.table.expected(run, |row, step| row.leads.include(step)))
    }

    async fn references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences> {
        let file = reader.read(source).await?;
        self.references_of(run, source, &file)
    }

    async fn scanned_references(
        &self,
        run: &Run,
        source: &SourceFile,
        reader: &SourceReader,
    ) -> Result<FileReferences> {
        let scanned =
            scanned_file(reader, source, &self.grid, |scan| scan.to_wgrib2(|_| None)).await?;
        let mut found = self.references_of(run, &scanned.source, &scanned.index)?;
        scanned.report_strays(&mut found);
        if self.template.table.is_whole(run) {
            let is_known = |field: &ScannedField| !self.template.rows_of(field).is_empty();
            scanned.keep_unknown(run, &mut found, is_known);
        }
        Ok(found)
    }
}
