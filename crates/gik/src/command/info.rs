//! `gik info`.

use gik::core::CoordinateValues;
use gik::core::ReferenceTime;
use gik::icechunk::{Access, Opened, StoredArray};
use serde_json::{Value, json};

use super::{Outcome, StateArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct Info {
    #[command(flatten)]
    state: StateArguments,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// A dimension with its labels, or a data array with its completeness.
struct Described {
    array: StoredArray,
    chunks: u64,
}

impl Info {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let repository = self.state.store.open().await?;
        let opened = self.state.of(&repository).await?;
        let attributes = opened.attributes().await?;
        let commits = repository.history_of(&opened, 1).await?;
        let (mut data, mut coordinates) = (Vec::new(), Vec::new());
        for name in opened.array_names().await? {
            let array = opened.array(&name).await?;
            let dimensions = array.dimension_names();
            // A data array is one that covers the grid with more than itself.
            let is_data =
                dimensions.len() > 2 && dimensions.iter().any(|it| it == "latitude" || it == "y");
            if is_data {
                let chunks = opened.chunk_count(&name).await?;
                data.push(Described { array, chunks });
            } else {
                coordinates.push(array);
            }
        }
        let manifests = repository.manifests(&opened).await?;
        let references: u64 = manifests.iter().map(|it| it.references).sum();
        let bytes: u64 = manifests.iter().map(|it| it.bytes).sum();
        let containers: Vec<Value> = repository
            .containers()
            .iter()
            .map(|container| {
                let access = match &container.access {
                    Access::Local => "local files",
                    Access::Http => "http",
                    Access::S3(settings) if settings.anonymous => "s3, anonymous",
                    Access::S3(_) => "s3, with credentials",
                };
                json!({"name": container.name, "url": container.url_prefix, "access": access})
            })
            .collect();
        if self.json {
            let arrays = data.iter().map(describe).collect::<Vec<_>>();
            let mut labels = serde_json::Map::new();
            for array in &coordinates {
                labels.insert(
                    array.name().to_owned(),
                    json!({"dimensions": array.dimension_names(), "shape": array.shape()}),
                );
            }
            output::print_json(&json!({
                "store": self.state.store.store.to_string(),
                "snapshot": opened.snapshot(),
                "attributes": attributes,
                "commit": commits.first().map(|it| json!({"message": it.message, "seconds": it.seconds, "properties": it.properties})),
                "containers": containers,
                "manifests": {"files": manifests.len(), "references": references, "bytes": bytes},
                "coordinates": labels,
                "variables": arrays,
            }))?;
            return Ok(Outcome::Complete);
        }
        output::print(&format!("{}", self.state.store.store))?;
        if let Some(title) = attributes.get("title").and_then(Value::as_str) {
            output::print(&format!("  {title}"))?;
        }
        if let Some(commit) = commits.first() {
            let time = ReferenceTime::from_seconds(commit.seconds);
            output::print(&format!("  last commit {time} UTC: {}", commit.message))?;
        }
        for container in &containers {
            let text = |key: &str| {
                container.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            output::print(&format!("  references read from {} ({})", text("url"), text("access")))?;
        }
        output::print(&format!(
            "  {} chunks in {} manifests of {} kB together, {} bytes a chunk",
            output::count(references),
            output::count(manifests.len() as u64),
            output::count(bytes.div_ceil(1000)),
            bytes.checked_div(references).unwrap_or_default(),
        ))?;
        output::print("")?;
        output::print(&output::table(&dimensions(&opened, &coordinates).await?))?;
        output::print("")?;
        let mut rows = vec![
            ["variable", "units", "references", "dimensions", "long name"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for described in &data {
            let array = &described.array;
            let text = |key: &str| {
                array.attributes().get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            rows.push(vec![
                array.name().to_owned(),
                text("units"),
                output::count(described.chunks),
                array.dimension_names().join(" "),
                text("long_name"),
            ]);
        }
        output::print(&output::table(&rows))?;
        Ok(Outcome::Complete)
    }
}

fn describe(described: &Described) -> Value {
    let array = &described.array;
    let attribute = |key: &str| array.attributes().get(key).cloned().unwrap_or_default();
    json!({
        "name": array.name(),
        "dimensions": array.dimension_names(),
        "shape": array.shape(),
        "references": described.chunks,
        "units": attribute("units"),
        "long_name": attribute("long_name"),
    })
}

/// A row for each dimension: its length, and its first and last label.
async fn dimensions(
    opened: &Opened,
    coordinates: &[StoredArray],
) -> anyhow::Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for array in coordinates {
        let own = array.dimension_names();
        if own.len() != 1 || own.first().map(String::as_str) != Some(array.name()) {
            continue;
        }
        let values = opened.array(array.name()).await?.coordinate().await?;
        let units = array.attributes().get("units").and_then(Value::as_str).unwrap_or_default();
        let is_time = units.starts_with("seconds since 1970-01-01");
        let label = |index: usize| match &values {
            CoordinateValues::Int64(values) if is_time => values
                .get(index)
                .map(|&seconds| ReferenceTime::from_seconds(seconds).to_string())
                .unwrap_or_default(),
            values => values.get(index).map(|value| value.to_string()).unwrap_or_default(),
        };
        let (first, last) = (label(0), label(values.len().saturating_sub(1)));
        let range = if first == last { first } else { format!("{first} … {last}") };
        let units = if is_time || units == "1" { "" } else { units };
        rows.push(vec![
            array.name().to_owned(),
            values.len().to_string(),
            format!("{range} {units}"),
        ]);
    }
    Ok(rows)
}
