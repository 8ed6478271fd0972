//! `gik history`.

use std::collections::BTreeMap;

use gik::core::ReferenceTime;
use serde_json::{Value, json};

use super::{Outcome, StoreArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct History {
    #[command(flatten)]
    store: StoreArguments,
    /// The newest commits, at most.
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: usize,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl History {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let repository = self.store.open().await?;
        let commits = repository.history(self.limit).await?;
        let mut tags = BTreeMap::<String, Vec<String>>::new();
        for (name, snapshot) in repository.tags().await? {
            tags.entry(snapshot).or_default().push(name);
        }
        if self.json {
            let commits: Vec<Value> = commits
                .iter()
                .map(|it| {
                    json!({
                        "snapshot": it.snapshot,
                        "time": ReferenceTime::from_seconds(it.seconds).to_string(),
                        "seconds_since_1970": it.seconds,
                        "message": it.message,
                        "tags": tags.get(&it.snapshot).cloned().unwrap_or_default(),
                        "properties": it.properties,
                    })
                })
                .collect();
            output::print_json(
                &json!({"store": self.store.store.to_string(), "commits": commits}),
            )?;
            return Ok(Outcome::Complete);
        }
        let heads =
            ["commit", "time (UTC)", "what", "added", "replaced", "seconds", "from", "tags"];
        let mut rows = vec![heads.map(str::to_owned).to_vec()];
        for commit in &commits {
            let fact = |key: &str| commit.properties.get(key).cloned().unwrap_or_default();
            let count = |key: &str| fact(key).as_u64().map(output::count).unwrap_or_default();
            rows.push(vec![
                commit.snapshot.clone(),
                ReferenceTime::from_seconds(commit.seconds).to_string(),
                commit.message.clone(),
                count("added"),
                count("replaced"),
                fact("seconds").as_f64().map(|it| format!("{it:.1}")).unwrap_or_default(),
                fact("source").as_str().unwrap_or_default().to_owned(),
                tags.get(&commit.snapshot).map(|names| names.join(", ")).unwrap_or_default(),
            ]);
        }
        output::print(&output::table(&rows))?;
        Ok(Outcome::Complete)
    }
}
