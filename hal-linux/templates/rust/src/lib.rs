//! Signal K plugin `{{name}}`: tells the smallest depth since it was started.
#![cfg_attr(target_arch = "wasm32", no_std)]

use skiff_plugin::{Host, Json, Plugin, Refused, Rows};

skiff_plugin::values! {
    /// What the plugin reads and gives.
    pub struct Values {
        inputs {
            /// m.
            depth: number("environment.depth.belowTransducer"),
        }
        outputs {
            /// m, in whole centimetres.
            smallest: number("environment.depth.smallest", 2),
        }
    }
}

skiff_plugin::settings! {
    /// What the operator sets.
    pub struct Settings("{{title}}") {
        /// m; what lies below the transducer, negative for the keel.
        pub offset: number("offset", "Offset in m that is added to each depth", -20.0, 20.0, 0.0),
    }
}

/// The plugin; its fields live as long as it runs.
pub struct Smallest {
    values: Values,
    settings: Settings,
    depth: f64,
}

impl Smallest {
    /// Returns a plugin that has heard nothing yet.
    pub const fn new() -> Self {
        Self { values: Values::new(), settings: Settings::DEFAULT, depth: f64::INFINITY }
    }
}

impl Plugin for Smallest {
    const ID: &'static str = "{{name}}";
    const NAME: &'static str = "{{title}}";
    const SCHEMA: &'static str = Settings::SCHEMA;

    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        self.depth = f64::INFINITY;
        self.settings = Settings::read(config).map_err(|reason| {
            host.set_error(reason);
            Refused
        })?;
        host.set_status("waiting for environment.depth.belowTransducer");
        Ok(())
    }

    fn rows(&mut self) -> Option<Rows<'_>> {
        Some(self.values.rows())
    }

    // A value has arrived; what is set here is published afterwards.
    fn update<H: Host>(&mut self, host: &mut H) {
        let Some(depth) = self.values.depth().get().map(|depth| depth + self.settings.offset) else { return };
        if depth < self.depth {
            self.depth = depth;
            self.values.smallest().set(depth);
            host.set_status("runs");
        }
    }
}

// The parts are what the host calls: `values`, `poll`, and names of HTTP handlers.
skiff_plugin::plugin!(Smallest, Smallest::new(), values);

#[cfg(test)]
mod tests {
    use super::Smallest;
    use skiff_plugin::bench::Boat;

    #[test]
    fn only_a_smaller_depth_is_told() {
        let mut boat = Boat::new(Smallest::new());
        boat.start(r#"{"offset":-0.5}"#).unwrap();
        for depth in ["4", "3.5", "3.75", "null"] {
            boat.set("environment.depth.belowTransducer", depth);
            boat.update();
        }
        let told = boat.told();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains(r#""value":3}"#), "{told:?}");
    }
}
