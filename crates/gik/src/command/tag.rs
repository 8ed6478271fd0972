//! `gik tag`.

use serde_json::json;

use super::{Outcome, StateArguments, output};

#[derive(Debug, clap::Args)]
pub(super) struct Tag {
    #[command(flatten)]
    state: StateArguments,
    /// The name.
    name: String,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Tag {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let repository = self.state.store.open().await?;
        let snapshot = repository.tag(&self.name, self.state.at.as_deref()).await?;
        if self.json {
            output::print_json(&json!({"tag": self.name, "snapshot": snapshot}))?;
        } else {
            output::print(&format!("{}: {snapshot} is {}", self.state.store.store, self.name))?;
        }
        Ok(Outcome::Complete)
    }
}
