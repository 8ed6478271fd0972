//! `gik template`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use gik::codec::scan::{Scan, scan};
use gik::core::{Error, SourceReader};
use gik::template::{Template, learn};

use super::{Outcome, output, s3_settings};

#[derive(Debug, clap::Args)]
pub(super) struct Templates {
    #[command(subcommand)]
    command: TemplateCommand,
}

#[derive(Debug, Subcommand)]
enum TemplateCommand {
    /// Make a template of a product from the headers of some of its files: of step 0, and of one
    /// or more later steps.
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
        /// A GRIB2 file.
        file: String,
    },
}

impl Templates {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        match &self.command {
            TemplateCommand::Build { files, pattern, output } => {
                let mut scans = Vec::new();
                for file in files {
                    scans.push(scanned(file).await?);
                }
                let text = learn(&scans, pattern.as_deref())?;
                let template = Template::read(text)?;
                std::fs::write(output, template.text)?;
                output::remark(&format!(
                    "{}: {} messages in {} arrays",
                    output.display(),
                    template.table.rows().len(),
                    template.table.variables().len()
                ));
                Ok(Outcome::Complete)
            }
            TemplateCommand::Show { template } => {
                output::print(read(template)?.text.trim_end())?;
                Ok(Outcome::Complete)
            }
            TemplateCommand::Check { template, file } => {
                let differences = read(template)?.differences(&scanned(file).await?)?;
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

/// The template in a file, or a compiled-in one.
pub(super) fn read(name: &str) -> anyhow::Result<Template> {
    if Path::new(name).is_file() {
        return Ok(Template::read(std::fs::read_to_string(name)?)?);
    }
    let compiled = || {
        let (model, product) = name.split_once('/')?;
        let registry = gik::registry().ok()?;
        registry.get(model).ok()?.template(product)
    };
    let Some(text) = compiled() else {
        let reason = "is neither a file nor a MODEL/PRODUCT of this build, like hrrr/wrfsfc";
        return Err(Error::argument(format!("template '{name}'"), reason).into());
    };
    Ok(Template::read(text.to_owned())?)
}

async fn scanned(file: &str) -> anyhow::Result<Scan> {
    let (url, stores) = gik::open_file(&gik::registry()?, file, &s3_settings())?;
    let reader = SourceReader::new(stores);
    let mut folder = url.clone();
    if let Ok(mut segments) = folder.path_segments_mut() {
        segments.pop().push("");
    }
    let size = reader.stat(&folder, &url).await?.size;
    let found = scan(&reader, &url, size, &[]).await?;
    for problem in &found.problems {
        output::remark(&format!("{url} at byte {}: {}", problem.offset, problem.text));
    }
    Ok(found)
}
