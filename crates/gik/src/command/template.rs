//! `gik template`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use gik::codec::scan::{Scan, scan};
use gik::core::{Error, ErrorKind, Names, Parser, Registry, SourceFile, SourceReader};
use gik::template::{OpenArray, Sample, Template, ecmwf_index_path, ecmwf_listed, learn};
use serde_json::{Value, json};
use url::Url;

use super::job::Span;
use super::{Outcome, output, s3_settings};

#[derive(Debug, clap::Args)]
pub(super) struct Templates {
    #[command(subcommand)]
    command: TemplateCommand,
}

#[derive(Debug, Subcommand)]
enum TemplateCommand {
    /// Make a template of a product from the headers of some of its files: of step 0, and of
    /// later steps that tell over what sums extend (GFS: 0, 3, 6, 9, 15).
    ///
    /// With it runs are built from indexes of NOAA's kind (FILE.idx), or of ECMWF's if such indexes
    /// (x.index of x.grib2) lie beside these files; of files without, the headers are read.
    /// A template describes files of one step, one member and one grid. Files that hold several
    /// steps (sub-hourly ones), several members, probabilities, quantiles or aerosols are refused;
    /// ensembles are built member by member, each with its own --pattern.
    Build {
        /// GRIB2 files: paths, s3://, https:// or http://.
        #[arg(required = true)]
        files: Vec<String>,
        /// Where the files of a run lie below --source of gik build, with {date}, {hour}, {step}
        /// or {step:3}: gfs.{date}/{hour}/atmos/gfs.t{hour}z.pgrb2.0p25.f{step:3}
        #[arg(long)]
        pattern: Option<String>,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
        /// Print one line of JSON: messages, arrays, and what the files did not tell.
        #[arg(long)]
        json: bool,
        /// Give up on a file after this time, like 30s, whatever is waited for.
        #[arg(long, value_name = "SPAN")]
        deadline: Option<Span>,
    },
    /// Show a template: a file, or MODEL/PRODUCT for one that is compiled in.
    Show {
        /// The template.
        template: String,
    },
    /// Compare a template with a file: exit code 3 and one line each if they differ.
    Check {
        /// The template: a file, or MODEL/PRODUCT.
        template: String,
        /// A GRIB2 file: a path, s3://, https:// or http://.
        file: String,
        /// Give up after this time, like 30s, whatever is waited for.
        #[arg(long, value_name = "SPAN")]
        deadline: Option<Span>,
    },
}

impl Templates {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            TemplateCommand::Build { files, pattern, output, json, deadline } => {
                build(files, pattern.as_deref(), output, *json, *deadline).await
            }
            TemplateCommand::Show { template } => {
                output::print(read(template)?.text.trim_end())?;
                Ok(Outcome::Complete)
            }
            TemplateCommand::Check { template, file, deadline } => {
                let registry = gik::registry()?;
                let model = compiled(&registry, template);
                let model = model.as_ref().map(|(parser, product)| (&***parser, *product));
                let differences =
                    read(template)?.differences(&scanned(file, *deadline).await?, model)?;
                if differences.is_empty() {
                    output::remark(&format!("{file} is as {template} says"));
                    return Ok(Outcome::Complete);
                }
                output::print(&differences.join("\n"))?;
                Ok(Outcome::Incomplete)
            }
        }
    }
}

async fn build(
    files: &[String],
    pattern: Option<&str>,
    path: &Path,
    json: bool,
    deadline: Option<Span>,
) -> anyhow::Result<Outcome> {
    // A name in the wrong place must not cost a file of data.
    if let Ok(there) = std::fs::read(path)
        && String::from_utf8(there).ok().and_then(|text| Template::read(text).ok()).is_none()
    {
        let reason = "is there and is no template; name another file";
        return Err(Error::argument(format!("output '{}'", path.display()), reason).into());
    }
    let mut samples = Vec::new();
    for file in files {
        let (scan, listed) = opened(file, deadline, true).await?;
        samples.push(Sample { name: file.clone(), scan, listed });
    }
    let learned = learn(&samples, pattern)?;
    let template = Template::read(learned.text.clone())?;
    let failed = |error| Error::argument("template", "cannot be written").with_source(error);
    gik::whole_file(path, |to| to.write_all(learned.text.as_bytes()).map_err(failed))?;
    let (rows, arrays) = (template.table.rows().len(), template.table.variables().len());
    for text in &learned.left_out {
        output::remark(&format!("left out, since its level or window is not understood: {text}"));
    }
    for arrays in alike(&learned.open) {
        output::remark(&words(&arrays));
    }
    let summary = format!("{}: {rows} messages in {arrays} arrays", path.display());
    match json {
        true => output::print_json(&json!({
            "template": path.display().to_string(),
            "messages": rows,
            "arrays": arrays,
            "open": learned.open.iter().map(open_json).collect::<Vec<_>>(),
            "left_out": learned.left_out,
        }))?,
        false => output::remark(&summary),
    }
    let has_problems = samples.iter().any(|sample| !sample.scan.problems.is_empty());
    let is_whole = learned.left_out.is_empty() && !has_problems;
    Ok(if is_whole { Outcome::Complete } else { Outcome::Incomplete })
}

/// The arrays of each set of rules.
fn alike(open: &[OpenArray]) -> Vec<Vec<&OpenArray>> {
    let mut sets = Vec::<Vec<&OpenArray>>::new();
    for array in open {
        let is_alike = |other: &&OpenArray| other.rules == array.rules;
        match sets.iter_mut().find(|set| set.first().is_some_and(is_alike)) {
            Some(set) => set.push(array),
            None => sets.push(vec![array]),
        }
    }
    sets
}

/// What the files did not tell of arrays that are alike, and what became of them.
fn words(arrays: &[&OpenArray]) -> String {
    let names: Names =
        arrays.iter().map(|it| format!("{} ({})", it.name, it.windows.join(", "))).collect();
    let Some(OpenArray { rules, told_by, .. }) = arrays.first() else { return String::new() };
    if rules.is_empty() {
        return format!(
            "these files tell no rule of the windows of {names}; such an array takes what no \
             other does"
        );
    }
    let rules = rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(", or ");
    let told_by = match told_by {
        Some((first, last)) if first == last => format!("the file of step {first} tells"),
        Some((first, last)) => {
            format!("the file of step {first} may tell, that of step {last} does")
        }
        None => "no later file tells".to_owned(),
    };
    format!(
        "values of {names} are {rules}: {told_by}; without it such an array takes what is over any \
         of these windows, and no totals are made of it"
    )
}

fn open_json(array: &OpenArray) -> Value {
    json!({
        "array": array.name,
        "windows": array.windows,
        "rules": array.rules.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "told_by_step": array.told_by.map(|(first, last)| json!({"first": first, "last": last})),
    })
}

/// The model and product of the name of a compiled-in template.
fn compiled<'r, 'n>(
    registry: &'r Registry,
    name: &'n str,
) -> Option<(&'r Arc<dyn Parser>, &'n str)> {
    if Path::new(name).is_file() {
        return None;
    }
    let (model, product) = name.split_once('/')?;
    registry.get(model).ok().map(|parser| (parser, product))
}

/// The template in a file, or a compiled-in one.
pub(super) fn read(name: &str) -> anyhow::Result<Template> {
    if Path::new(name).is_file() {
        let text = std::fs::read(name).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        let text = String::from_utf8(text).map_err(|_| {
            let reason = "is no text; gik template build makes a template of GRIB files";
            Error::argument(format!("template '{name}'"), reason)
        })?;
        return Ok(Template::read(text).map_err(|error| error.in_url(name))?);
    }
    let registry = gik::registry()?;
    let text = compiled(&registry, name).and_then(|(parser, product)| parser.template(product));
    let Some(text) = text else {
        let reason = "is neither a file nor a MODEL/PRODUCT of this build, like hrrr/wrfsfc";
        return Err(Error::argument(format!("template '{name}'"), reason).into());
    };
    Ok(Template::read(text.to_owned())?)
}

async fn scanned(file: &str, deadline: Option<Span>) -> anyhow::Result<Scan> {
    Ok(opened(file, deadline, false).await?.0)
}

type Listed = Option<BTreeMap<u64, String>>;

/// What is in a file, and, if it is asked for, under which names ECMWF's index of it lists its
/// messages; none if there is an index of NOAA's.
async fn opened(
    file: &str,
    deadline: Option<Span>,
    with_index: bool,
) -> anyhow::Result<(Scan, Listed)> {
    let (url, stores) = gik::open_file(&gik::registry()?, file, &s3_settings())?;
    let reader = SourceReader::new(stores);
    let mut folder = url.clone();
    if let Ok(mut segments) = folder.path_segments_mut() {
        segments.pop().push("");
    }
    let work = async {
        let found = scan(&reader, &url, reader.stat(&folder, &url).await?.size, &[]).await?;
        let listed = if with_index { listed(&reader, &url, &folder).await? } else { None };
        Ok((found, listed))
    };
    let work = gik::scan_within(deadline.map(|span| span.0), work);
    let (found, listed) =
        output::patiently(url.as_str(), || reader.range_bytes() > 0, work).await?;
    for problem in &found.problems {
        output::remark(&format!("{url} at byte {}: {}", problem.offset, problem.text));
    }
    Ok((found, listed))
}

async fn listed(reader: &SourceReader, data: &Url, folder: &Url) -> Result<Listed, Error> {
    // Of an object that is not there a bucket that may not be listed says that it is forbidden.
    let is_absent = |error: &Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Denied);
    let mut noaa = data.clone();
    noaa.set_path(&format!("{}.idx", data.path()));
    match reader.stat(folder, &noaa).await {
        Ok(_) => return Ok(None),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(error),
    }
    let mut index = data.clone();
    index.set_path(&ecmwf_index_path(data.path()));
    let source = SourceFile {
        data: data.clone(),
        index,
        folder: folder.clone(),
        member: None,
        step: 0,
        part: 0,
        expected: 0,
    };
    match reader.read(&source).await {
        Ok(file) => {
            file.check_age(&source)?;
            Ok(ecmwf_listed(&file.index))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
