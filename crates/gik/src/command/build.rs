//! `gik build`.

use clap::ValueEnum;
use gik::Job;
use gik::core::{
    BuildOptions, Headers, Layout, ReferenceTime, RunRequest, SchemaOptions, Selection,
};
use gik::icechunk::StoreLocation;

use super::{Outcome, output, s3_settings, template};

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Codec {
    /// `gribberish`, which stock Python packages read.
    Gribberish,
    /// The model's own id.
    Model,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Precision {
    Float32,
    Float64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// The model: see gik models. Without it, --template.
    #[arg(required_unless_present = "template", conflicts_with = "template")]
    model: Option<String>,
    /// Build a product that no model knows, as a template describes it: see gik template.
    #[arg(long, value_name = "FILE")]
    template: Option<String>,
    /// The initialisation time in UTC, like 2025-01-06T00.
    #[arg(long)]
    run: ReferenceTime,
    /// The store to create: a path, file:// or s3:// (endpoint, region and credentials from
    /// the usual AWS variables).
    #[arg(long)]
    store: StoreLocation,
    /// The product; the model's first one without it.
    #[arg(long)]
    product: Option<String>,
    /// Members, like 0-30 or 0,5,10-14; 0 is the control. All without it.
    #[arg(long)]
    members: Option<Selection>,
    /// Steps in hours (of sub-hourly products in minutes), like 0-240 or 24,48; all of the cycle
    /// without it.
    #[arg(long)]
    steps: Option<Selection>,
    /// Array names, like tp,t2m; all of the product without it.
    #[arg(long, value_delimiter = ',')]
    variables: Option<Vec<String>>,
    /// Read the model's files from a mirror with the bucket's layout below it: a path,
    /// s3://, https:// or http://. The references point there.
    #[arg(long, value_name = "URL|PATH")]
    source: Option<String>,
    /// Leave indexes alone and read the headers of all files instead. Without it that is done for
    /// files whose index is missing or wrong.
    #[arg(long)]
    no_index: bool,
    /// Read no byte of a data file, also where its index is missing or wrong.
    #[arg(long, conflicts_with = "no_index")]
    index_only: bool,
    /// How the run is laid out: forecast is (time, member, step, …) and grows run by run,
    /// run is (member, time, …) with the valid time.
    #[arg(long, default_value_t = Layout::Forecast)]
    layout: Layout,
    /// The codec that the arrays name.
    #[arg(long, value_enum, default_value_t = Codec::Gribberish)]
    codec: Codec,
    /// The element type of the data arrays.
    #[arg(long, value_enum, default_value_t = Precision::Float32)]
    data_type: Precision,
    /// Print one line of JSON about what was done.
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let registry = gik::registry()?;
        let job = Job {
            model: self.model.clone().unwrap_or_default(),
            request: RunRequest {
                product: self.product.clone(),
                reference_time: self.run,
                members: self.members.clone(),
                steps: self.steps.clone(),
                variables: self.variables.clone(),
                source: self.source.as_deref().map(gik::source_url).transpose()?,
            },
            options: BuildOptions {
                schema: SchemaOptions {
                    layout: self.layout,
                    model_codec: matches!(self.codec, Codec::Model),
                    float64: matches!(self.data_type, Precision::Float64),
                },
                headers: match (self.no_index, self.index_only) {
                    (true, _) => Headers::Always,
                    (_, true) => Headers::Never,
                    _ => Headers::WhereNeeded,
                },
                ..BuildOptions::default()
            },
            store: self.store.clone(),
            s3: s3_settings(),
        };
        let bar = output::progress_bar("reading indexes");
        let built = match &self.template {
            Some(template) => {
                let parser = template::read(template)?.parser()?;
                gik::build_with(&parser, &job, &output::advance(&bar)).await
            }
            None => gik::build(&registry, &job, &output::advance(&bar)).await,
        };
        bar.finish_and_clear();
        let built = built?;
        let complete = built.report.is_complete();
        if self.json {
            output::print_json(&built.to_json(&self.store))?;
        } else {
            output::problems(&built.report);
            output::print(&summary(&built, &self.store))?;
        }
        Ok(if complete { Outcome::Complete } else { Outcome::Incomplete })
    }
}

/// What was built, on a few lines.
pub(super) fn summary(built: &gik::Built, store: &StoreLocation) -> String {
    let (run, report) = (&built.run, &built.report);
    let members = run.members.as_ref().map_or(1, Vec::len);
    let mut text = format!(
        "{store}: {} {} {}\n  {members} members × {} steps × {} variables, {} references of {} \
         files\n  {} index lines, {} kB, {} requests, {:.2} s",
        run.model,
        run.product,
        run.reference_time,
        run.steps.len(),
        run.variables.len(),
        output::count(built.created.references),
        output::count(report.files_used),
        output::count(report.lines),
        output::count(report.index_bytes.div_ceil(1000)),
        output::count(report.requests),
        built.total_seconds,
    );
    if !report.is_complete() {
        let missing = report.references_expected.saturating_sub(report.references);
        text.push_str(&format!(
            "\n  incomplete: {} of {} references are missing and read as NaN",
            output::count(missing),
            output::count(report.references_expected)
        ));
    }
    text
}
