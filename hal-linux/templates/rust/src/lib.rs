//! Signal K plugin `{{name}}`: tells the smallest depth since it was started.
#![cfg_attr(target_arch = "wasm32", no_std)]

use skiff_plugin::{Host, Json, Plugin, Refused, Text};

const DEPTH: &str = "environment.depth.belowTransducer";

/// The plugin; its fields live as long as it runs.
pub struct Smallest {
    depth: f64,
}

impl Plugin for Smallest {
    const ID: &'static str = "{{name}}";
    const NAME: &'static str = "{{title}}";
    const SCHEMA: &'static str = r#"{"type":"object","properties":{}}"#;

    fn start<H: Host>(&mut self, _config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        self.depth = f64::INFINITY;
        host.set_status("waiting for environment.depth.belowTransducer");
        Ok(())
    }

    fn delta<H: Host>(&mut self, delta: Json<'_>, host: &mut H) {
        for (path, value) in delta.values() {
            let Some(depth) = value.number().filter(|depth| path == DEPTH && *depth < self.depth) else { continue };
            self.depth = depth;
            let mut buffer = [0; 128];
            let mut text = Text::new(&mut buffer);
            text.push_str(r#"{"updates":[{"values":[{"path":"environment.depth.smallest","value":"#);
            text.push_fixed(depth, 2);
            text.push_str("}]}]}");
            host.emit(text.as_str());
            host.set_status("runs");
        }
    }
}

// The parts are what the host calls: `delta`, `poll`, and names of HTTP handlers.
skiff_plugin::plugin!(Smallest, Smallest { depth: f64::INFINITY }, delta);
