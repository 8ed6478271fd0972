//! The arguments of commands that write runs.

use clap::ValueEnum;
use gik::Job;
use gik::core::{
    BuildOptions, Headers, Layout, ReferenceTime, RunRequest, SchemaOptions, Selection,
};
use gik::icechunk::StoreLocation;

use super::s3_settings;

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
pub(super) struct JobArguments {
    /// The store, created or added to: a path, file:// or s3:// (endpoint, region and
    /// credentials from the usual AWS variables).
    #[arg(long)]
    pub(super) store: StoreLocation,
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
    /// The codec that the arrays name.
    #[arg(long, value_enum, default_value_t = Codec::Gribberish)]
    codec: Codec,
    /// The element type of the data arrays.
    #[arg(long, value_enum, default_value_t = Precision::Float32)]
    data_type: Precision,
    /// Print one line of JSON about what was done.
    #[arg(long)]
    pub(super) json: bool,
}

impl JobArguments {
    /// What to write of a model's run of this time, and how.
    pub(super) fn job(
        &self,
        model: &str,
        time: ReferenceTime,
        layout: Layout,
    ) -> gik::core::Result<Job> {
        Ok(Job {
            model: model.to_owned(),
            request: RunRequest {
                product: self.product.clone(),
                reference_time: time,
                members: self.members.clone(),
                steps: self.steps.clone(),
                variables: self.variables.clone(),
                source: self.source.as_deref().map(gik::source_url).transpose()?,
            },
            options: BuildOptions {
                schema: SchemaOptions {
                    layout,
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
        })
    }
}

/// A time span: `90s`, `5m`, `12h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) std::time::Duration);

impl Span {
    /// At least a second: what is done again and again needs a pause.
    pub(super) fn pause(text: &str) -> gik::core::Result<Self> {
        match text.parse()? {
            Self(span) if span.is_zero() => Err(gik::core::Error::argument(
                format!("'{text}'"),
                "is no pause; a second is the least",
            )),
            span => Ok(span),
        }
    }
}

impl std::str::FromStr for Span {
    type Err = gik::core::Error;

    fn from_str(text: &str) -> gik::core::Result<Self> {
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
        let seconds = units.iter().find_map(|(unit, seconds)| {
            text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*seconds)
        });
        seconds.map(|seconds| Self(std::time::Duration::from_secs(seconds))).ok_or_else(|| {
            gik::core::Error::argument(
                format!("'{text}'"),
                "is no span of time; write 90s, 5m, 12h or 30d",
            )
        })
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            _ if seconds >= 86_400 && seconds.is_multiple_of(86_400) => {
                write!(f, "{}d", seconds / 86_400)
            }
            _ if seconds >= 3600 && seconds.is_multiple_of(3600) => {
                write!(f, "{}h", seconds / 3600)
            }
            _ if seconds >= 60 && seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            _ => write!(f, "{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_they_are_written() {
        for text in ["90s", "5m", "12h", "30d", "0s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for wrong in ["", "5", "h", "-1h", "1.5h", "99999999999999999999d"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
