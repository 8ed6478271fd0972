//! A schema as text, for snapshots: a change of names or shapes is a change for users.

use std::fmt::Write;

use gik_core::ManifestGroup;

/// One line an array: name, dimensions, units, what it is.
#[must_use]
pub fn listing(group: &ManifestGroup) -> String {
    let mut text = String::new();
    for (name, array) in group.arrays() {
        let attribute = |key: &str| {
            array.metadata.attributes.get(key).and_then(|value| value.as_str()).unwrap_or("-")
        };
        let sizes: Vec<String> = array
            .metadata
            .dimension_names
            .iter()
            .zip(&array.metadata.shape)
            .map(|(name, length)| format!("{name} {length}"))
            .collect();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{name} ({}) [{}] {} | {} | {}",
            sizes.join(", "),
            attribute("units"),
            attribute("long_name"),
            attribute("standard_name"),
            attribute("cell_methods"),
        );
    }
    text
}
