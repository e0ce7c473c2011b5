//! The default autopilot, told to clients and plugins when it is another.

use alloc::sync::Arc;

use super::Gateway;
use crate::delta::{Delta, Stamp};
use crate::json;
use crate::server::providers::default_pilot;

/// Path of its id.
const PATH: &str = "steering.autopilot.defaultPilot";
/// `$source` of that, as Signal K Server has it.
const SOURCE: &str = "autopilotApi";

impl Gateway {
    /// Tells which autopilot is the default, when that changed.
    pub(super) fn tell_default_pilot(&mut self) {
        let default = default_pilot(&self.plugins.registry, &self.clients.defaults);
        if default == self.default_pilot {
            return;
        }
        let value = default.as_deref().map_or("null".into(), json::quoted);
        self.default_pilot = default;
        let stamp = Stamp { source_ref: SOURCE, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::of_value("", PATH, &value, &stamp) {
            Ok(delta) => self.take_in(Arc::new(delta), 0),
            Err(error) => log::warn!("the default autopilot is not told: {error}"),
        }
    }
}
