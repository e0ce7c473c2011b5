//! Signal K plugin `@skiff/anchor-watch`: rings when the boat leaves the circle around its anchor.
//!
//! Every position gives `navigation.anchor.currentRadius`; the first one tells where the anchor lies and how large the
//! circle is, too. `notifications.navigation.anchor` changes with the state only.
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod settings;

use settings::{Anchor, Settings};
use skiff_plugin::{Host, Json, Method, Plugin, Refused, Rows, State, Text};

skiff_plugin::values! {
    /// Inputs and outputs; degrees and metres.
    pub struct Values {
        inputs {
            /// Latitude of the boat.
            latitude: number("navigation.position#latitude"),
            /// Longitude of the boat.
            longitude: number("navigation.position#longitude").quiet(),
        }
        outputs {
            /// Latitude of the anchor.
            anchor_latitude: number("navigation.anchor.position#latitude", 7),
            /// Longitude of the anchor.
            anchor_longitude: number("navigation.anchor.position#longitude", 7),
            /// Radius of the circle.
            max_radius: number("navigation.anchor.maxRadius", 1),
            /// Distance between boat and anchor.
            current_radius: number("navigation.anchor.currentRadius", 1),
            /// Rings when the boat is outside.
            note: notification("notifications.navigation.anchor", 80),
        }
    }
}

/// The plugin.
pub struct AnchorWatch {
    values: Values,
    settings: Settings,
    /// Where the anchor lies: as configured, else where the boat was first.
    anchor: Option<Anchor>,
    is_told: bool,
    is_dragging: bool,
}

impl AnchorWatch {
    /// Returns a plugin that knows no position yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: Values::new(), settings: Settings::DEFAULT, anchor: None, is_told: false, is_dragging: false }
    }
}

impl Default for AnchorWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Plugin for AnchorWatch {
    const ID: &'static str = "@skiff/anchor-watch";
    const NAME: &'static str = "Anchor watch";
    const SCHEMA: &'static str = settings::SCHEMA;

    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        self.settings = Settings::read(config).map_err(|reason| {
            host.set_error(reason);
            Refused
        })?;
        self.anchor = self.settings.anchor;
        (self.is_told, self.is_dragging) = (false, false);
        host.set_status("waiting for navigation.position");
        Ok(())
    }

    fn rows(&mut self) -> Option<Rows<'_>> {
        Some(self.values.rows())
    }

    fn update<H: Host>(&mut self, host: &mut H) {
        let (latitude, longitude) = (self.values.latitude().get(), self.values.longitude().get());
        let Some(boat) = latitude.zip(longitude).and_then(|(latitude, longitude)| Anchor::new(latitude, longitude))
        else {
            return;
        };
        let radius = self.settings.radius;
        let anchor = *self.anchor.get_or_insert(boat);
        if !self.is_told {
            self.values.anchor_latitude().set(anchor.latitude);
            self.values.anchor_longitude().set(anchor.longitude);
            self.values.max_radius().set(radius);
        }
        let distance = anchor.distance(boat);
        self.values.current_radius().set(distance);
        // Back to normal a tenth inside of the circle, so that swinging on its edge does not ring again and again.
        let drags = distance > if self.is_dragging { radius * 0.9 } else { radius };
        if self.is_told && drags == self.is_dragging {
            return;
        }
        (self.is_told, self.is_dragging) = (true, drags);
        let mut buffer = [0; 80];
        let mut message = Text::new(&mut buffer);
        message.push_str(if drags { "Anchor drags: " } else { "At anchor: " });
        message.push_fixed(distance, 1);
        message.push_str(" m from the anchor, limit ");
        message.push_fixed(radius, 1);
        message.push_str(" m");
        let (state, method) = if drags { (State::Emergency, Method::Both) } else { (State::Normal, Method::None) };
        self.values.note().write(state, method, |text| text.push_str(message.as_str()));
        host.set_status(message.as_str());
    }
}

skiff_plugin::plugin!(AnchorWatch, AnchorWatch::new(), values);

#[cfg(test)]
mod tests {
    use super::AnchorWatch;
    use skiff_plugin::Refused;
    use skiff_plugin::bench::Boat;

    fn at(boat: &mut Boat<AnchorWatch>, latitude: &str, longitude: &str) -> String {
        boat.set("navigation.position#longitude", longitude);
        boat.set("navigation.position#latitude", latitude);
        boat.update();
        boat.told().join("\n")
    }

    #[test]
    fn rings_outside_of_the_circle_and_ends_a_tenth_inside() {
        let mut boat = Boat::new(AnchorWatch::new());
        boat.start("{}").unwrap();
        assert!(
            at(&mut boat, "54.5", "10")
                .contains(r#""path":"navigation.anchor.position","value":{"latitude":54.5,"longitude":10}"#)
        );
        assert!(!at(&mut boat, "54.5002", "10").contains("state"), "22 m");
        assert!(at(&mut boat, "54.5003", "10").contains(r#""state":"emergency","method":["visual","sound"]"#), "33 m");
        assert!(!at(&mut boat, "54.50026", "10").contains("state"), "29 m");
        assert!(at(&mut boat, "54.5002", "10").contains(r#""state":"normal","method":[]"#));
    }

    #[test]
    fn no_position_says_nothing() {
        let mut boat = Boat::new(AnchorWatch::new());
        boat.start("{}").unwrap();
        for (latitude, longitude) in [("null", "null"), ("91", "10"), ("\"54\"", "10"), ("54", "181")] {
            assert_eq!(at(&mut boat, latitude, longitude), "", "{latitude} {longitude}");
        }
    }

    #[test]
    fn a_bad_configuration_refuses_to_start_and_says_why() {
        let mut boat = Boat::new(AnchorWatch::new());
        assert_eq!(boat.start(r#"{"latitude":1}"#), Err(Refused));
        assert_eq!(boat.host.errors, ["latitude and longitude must be degrees, both or none"]);
    }
}
