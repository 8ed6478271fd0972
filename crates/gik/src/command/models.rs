//! `gik models`.

use serde_json::json;

use super::{Outcome, output};

#[derive(Debug, clap::Args)]
pub(super) struct Models {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Models {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let registry = gik::registry()?;
        if self.json {
            let models: Vec<_> = registry
                .iter()
                .map(|(plugin, parser)| {
                    let info = parser.info();
                    let products: Vec<_> = info
                        .products
                        .iter()
                        .map(|product| json!({"id": product.id, "title": product.title}))
                        .collect();
                    let hosts: Vec<_> = info
                        .hosts
                        .iter()
                        .map(|host| json!({"name": host.name, "root": host.root, "region": host.region}))
                        .collect();
                    json!({
                        "id": plugin.id,
                        "title": info.title,
                        "crate": plugin.crate_name,
                        "codec": info.codec,
                        "products": products,
                        "hosts": hosts,
                    })
                })
                .collect();
            output::print_json(&json!({"models": models}))?;
            return Ok(Outcome::Complete);
        }
        for (plugin, parser) in registry.iter() {
            let info = parser.info();
            output::print(&format!("{}  {}", plugin.id, info.title))?;
            let rows: Vec<Vec<String>> = info
                .products
                .iter()
                .map(|product| vec![format!("  {}", product.id), product.title.to_owned()])
                .collect();
            output::print(&output::table(&rows))?;
            for host in info.hosts {
                output::print(&format!("  from {}", host.root))?;
            }
        }
        Ok(Outcome::Complete)
    }
}
