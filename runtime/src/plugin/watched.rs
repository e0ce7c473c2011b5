//! A plugin that is watched: it is told of every delta, and what its calls did is kept for who asks.

use alloc::vec::Vec;

use super::registry::Registry;
use super::version::Version;
use crate::host::{Acted, Instance, InstanceSpec, LoadError, ModuleFacts};

/// Calls that are kept until somebody takes them; `replay` does after each record.
const ACTED_MAX: usize = 4096;

/// What calls of `delta_handler` did.
#[derive(Debug, Default)]
pub(super) struct Watched {
    acted: Vec<Acted>,
}

impl Watched {
    pub(super) fn push(&mut self, acted: Acted) {
        if self.acted.len() < ACTED_MAX {
            self.acted.push(acted);
        }
    }
}

impl Version {
    /// Builds a fresh instance, as somebody watches or not.
    pub(super) fn instance(&self, facts: &ModuleFacts, spec: &InstanceSpec) -> Result<Instance, LoadError> {
        match self.view.watched {
            Some(_) => Instance::load_watched(facts, &self.package.wasm, spec),
            None => Instance::load(facts, &self.package.wasm, spec),
        }
    }

    /// Tells whether it is given every delta, whatever filter holds.
    pub(super) fn is_watched(&self) -> bool {
        self.view.watched.is_some()
    }
}

impl Registry {
    /// Watches a plugin from its next start on: no filter holds, and what its calls of `delta_handler` do is kept.
    pub fn watch(&mut self, id: &str) {
        if let Some(plugin) = self.find_mut(id) {
            plugin.version.view.watched = Some(Watched::default());
        }
    }

    /// Takes what the calls of a plugin that is watched did since this was last asked.
    pub fn take_acted(&mut self, id: &str) -> Vec<Acted> {
        let watched = self.find_mut(id).and_then(|plugin| plugin.version.view.watched.as_mut());
        watched.map(|watched| core::mem::take(&mut watched.acted)).unwrap_or_default()
    }
}
