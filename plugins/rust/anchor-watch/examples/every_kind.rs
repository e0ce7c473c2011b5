//! A plugin with an input and an output of every kind, for the tests of the toolkit: `plugins/every-kind` has the same in
//! other languages.
#![cfg_attr(target_arch = "wasm32", no_std)]

use skiff_plugin::{Host, Json, Method, Plugin, Refused, Rows, State};

#[allow(missing_docs)]
mod values {
    skiff_plugin::values! {
        /// One of each.
        pub struct Values {
            inputs {
                depth: number("environment.depth.belowKeel"),
                latitude: number("navigation.position#latitude"),
                longitude: number("navigation.position#longitude").quiet(),
                name: text("#name", 5).quiet(),
                engine: boolean("propulsion.port.on"),
            }
            outputs {
                label: text("x.label", 40),
                list: json("x.list", 40),
                running: boolean("x.on"),
                ratio: shortest("x.ratio"),
                north: number("x.position#latitude", 3),
                east: number("x.position#longitude", 3),
                note: notification("notifications.x", 40),
            }
        }
    }
}
use values::Values;

/// Rows, and whether the age is told: only where the clock moves between two deltas.
struct EveryKind(Values, bool);

impl Plugin for EveryKind {
    const ID: &'static str = "every-kind";
    const NAME: &'static str = "Every kind";

    fn start<H: Host>(&mut self, config: Json<'_>, _: &mut H) -> Result<(), Refused> {
        let interval = config.member("interval").and_then(Json::number).unwrap_or(0.0);
        self.0.set_interval_ms(interval as u32);
        self.1 = interval > 0.0;
        Ok(())
    }

    fn rows(&mut self) -> Option<Rows<'_>> {
        Some(self.0.rows())
    }

    fn update<H: Host>(&mut self, host: &mut H) {
        let values = &mut self.0;
        let (depth, age) = (values.depth().get(), if self.1 { values.depth().age_ms() } else { 0 });
        if let Some(depth) = depth.filter(|_| values.depth().is_new()) {
            values.ratio().set(depth);
            values.list().write(|text| {
                text.push_str("[");
                text.push_fixed(depth, 3);
                text.push_str(",null]");
            });
        }
        if values.engine().is_new() {
            match values.engine().get() {
                Some(on) => values.running().set(on),
                None => values.running().withdraw(),
            }
        }
        if values.latitude().is_new() {
            let (latitude, longitude) = (values.latitude().get(), values.longitude().get());
            values.east().set(longitude.unwrap_or(f64::NAN));
            values.north().set(latitude.unwrap_or(f64::NAN));
        }
        let mut kept = [0; 5];
        let name = values.name().get().unwrap_or("nobody").as_bytes();
        let bytes = name.len().min(kept.len());
        kept[..bytes].copy_from_slice(&name[..bytes]);
        let name = core::str::from_utf8(&kept[..bytes]).unwrap_or_default();
        values.label().write(|text| {
            text.push_str(name);
            text.push_str(" \"\\\n");
        });
        values.note().write(State::Alert, Method::Visual, |text| {
            text.push_str(name);
            text.push_str(" at ");
            text.push_fixed(f64::from(age), 0);
        });
        host.set_status("updated");
    }
}

skiff_plugin::plugin!(EveryKind, EveryKind(Values::new(), false), values);
