//! `gik expire`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gik::icechunk::{StoreLocation, Writer};
use serde_json::json;

use super::job::Span;
use super::{Outcome, output, s3_settings};

#[derive(Debug, clap::Args)]
pub(super) struct Expire {
    /// The store: a path, file:// or s3://.
    store: StoreLocation,
    /// Forget states older than this; the newest and those with a tag stay.
    #[arg(long)]
    older_than: Span,
    /// Remove unused objects only if they are older than this: longer than any commit takes that
    /// may be under way.
    #[arg(long, default_value_t = Span(Duration::from_secs(86_400)))]
    grace: Span,
    /// Remove nothing; count objects that are unused already.
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// How long another writer of a local store is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

impl Expire {
    pub(super) async fn run(&self) -> anyhow::Result<Outcome> {
        let ago = |span: Span| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(now.saturating_sub(span.0).as_secs()).unwrap_or_default()
        };
        let writer = Writer::open(&self.store, &s3_settings(), PATIENCE).await?;
        let removed = writer.expire(ago(self.older_than), ago(self.grace), self.dry_run).await?;
        if self.json {
            output::print_json(&json!({
                "store": self.store.to_string(),
                "dry_run": self.dry_run,
                "commits": removed.commits,
                "objects": removed.objects,
                "bytes": removed.bytes,
            }))?;
            return Ok(Outcome::Complete);
        }
        let verb = if self.dry_run { "would be removed" } else { "removed" };
        output::print(&format!(
            "{}: {} states forgotten, {} unused objects ({} kB) {verb}",
            self.store,
            output::count(removed.commits),
            output::count(removed.objects),
            output::count(removed.bytes.div_ceil(1000)),
        ))?;
        Ok(Outcome::Complete)
    }
}
