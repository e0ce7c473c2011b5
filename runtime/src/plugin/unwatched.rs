//! Stands for `watched` where nobody can ask for it.

use super::version::Version;
use crate::host::{Instance, InstanceSpec, LoadError, ModuleFacts};

impl Version {
    pub(super) fn instance(&self, facts: &ModuleFacts, spec: &InstanceSpec) -> Result<Instance, LoadError> {
        Instance::load(facts, &self.package.wasm, spec)
    }

    #[expect(clippy::unused_self, reason = "where plugins can be watched, one of them may be")]
    pub(super) fn is_watched(&self) -> bool {
        false
    }
}
