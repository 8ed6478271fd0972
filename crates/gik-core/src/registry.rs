//! Models as plug-ins.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Error, ErrorKind, Parser, Result};

/// A model's entry in the registry: one `static` in the model's crate.
#[derive(Debug)]
pub struct ModelPlugin {
    /// The id people type, lowercase: `gefs`.
    pub id: &'static str,
    /// The crate, for error messages.
    pub crate_name: &'static str,
    /// Makes the parser; called once for each registry.
    pub parser: fn() -> Arc<dyn Parser>,
}

/// A plug-in's entry in the list that `inventory` collects from the linked crates.
///
/// A crate offers its model with
/// `gik_core::inventory::submit! { gik_core::ModelRegistration(&PLUGIN) }`; a program that
/// uses an out-of-tree crate names it once, `use their_crate as _;`, so that it is linked.
#[derive(Debug)]
pub struct ModelRegistration(pub &'static ModelPlugin);

inventory::collect!(ModelRegistration);

/// The models a program can parse. A value to pass around: there is no global one.
#[derive(Debug)]
pub struct Registry {
    models: BTreeMap<&'static str, Model>,
}

#[derive(Debug)]
struct Model {
    plugin: &'static ModelPlugin,
    parser: Arc<dyn Parser>,
}

impl Registry {
    /// The models of `named` and those that the linked crates have submitted.
    ///
    /// # Errors
    /// When two different plug-ins claim one id.
    pub fn new(named: &[&'static ModelPlugin]) -> Result<Self> {
        let linked = inventory::iter::<ModelRegistration>.into_iter().map(|entry| entry.0);
        Self::of(named.iter().copied().chain(linked))
    }

    /// Exactly these models; one listed twice counts once.
    ///
    /// # Errors
    /// When two different plug-ins claim one id.
    pub fn of(plugins: impl IntoIterator<Item = &'static ModelPlugin>) -> Result<Self> {
        let mut models = BTreeMap::<&'static str, Model>::new();
        for plugin in plugins {
            match models.get(plugin.id) {
                Some(model) if std::ptr::eq(model.plugin, plugin) => {}
                Some(model) => {
                    return Err(Error::new(ErrorKind::DuplicatePlugin {
                        role: "model",
                        id: plugin.id.to_owned(),
                        first: model.plugin.crate_name.to_owned(),
                        second: plugin.crate_name.to_owned(),
                    }));
                }
                None => {
                    models.insert(plugin.id, Model { plugin, parser: (plugin.parser)() });
                }
            }
        }
        Ok(Self { models })
    }

    /// The parser of the model `id`.
    ///
    /// # Errors
    /// When there is no such model; the text lists those there are.
    pub fn get(&self, id: &str) -> Result<&Arc<dyn Parser>> {
        self.models.get(id).map(|model| &model.parser).ok_or_else(|| {
            Error::new(ErrorKind::UnknownPlugin {
                role: "model",
                id: id.to_owned(),
                available: self.models.keys().copied().collect::<Vec<_>>().join(", "),
            })
        })
    }

    /// The models, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = (&'static ModelPlugin, &Arc<dyn Parser>)> {
        self.models.values().map(|model| (model.plugin, &model.parser))
    }
}
