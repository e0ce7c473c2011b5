//! The plugin: configuration and deltas in, deltas out.

use serde_json::{Value, json};

/// The id, for people.
pub const ID: &str = "anchor-watch";
/// The name.
pub const NAME: &str = "Anchor watch (component)";
/// Schema of the configuration.
pub const SCHEMA: &str = r#"{"type":"object","properties":{"radius":{"type":"number","title":"Radius in metres","default":30}}}"#;

/// Mean radius of the earth, metres.
const EARTH: f64 = 6_371_008.8;

/// What is known of the anchor.
#[derive(Debug)]
pub struct Watch {
    radius: f64,
    anchor: Option<(f64, f64)>,
    is_dragging: bool,
}

impl Watch {
    /// Starts with a configuration; the error says what is wrong with it.
    pub fn start(config: &str) -> Result<Self, &'static str> {
        let config: Value = serde_json::from_str(config).map_err(|_| "the configuration is no JSON")?;
        let radius = match &config["radius"] {
            Value::Null => 30.0,
            value => value.as_f64().filter(|radius| *radius > 0.0).ok_or("radius must be a number above 0")?,
        };
        Ok(Self { radius, anchor: None, is_dragging: false })
    }

    /// Takes a delta; returns what is to be emitted, if anything.
    pub fn delta(&mut self, delta: &str) -> Option<String> {
        let delta: Value = serde_json::from_str(delta).ok()?;
        let updates = delta["updates"].as_array()?;
        let values = updates.iter().filter_map(|update| update["values"].as_array()).flatten();
        let position = values.filter(|value| value["path"] == "navigation.position").last()?;
        let here = (position["value"]["latitude"].as_f64()?, position["value"]["longitude"].as_f64()?);
        let anchor = *self.anchor.get_or_insert(here);
        let distance = (distance(anchor, here) * 10.0).round() / 10.0;
        let mut values = vec![json!({"path": "navigation.anchor.currentRadius", "value": distance})];
        let is_dragging = distance > self.radius;
        if is_dragging != self.is_dragging {
            self.is_dragging = is_dragging;
            let (state, message) = if is_dragging { ("emergency", "the anchor drags") } else { ("normal", "back in the circle") };
            let note = json!({"state": state, "method": ["visual", "sound"], "message": message});
            values.push(json!({"path": "notifications.navigation.anchor", "value": note}));
        }
        Some(json!({"updates": [{"values": values}]}).to_string())
    }
}

/// Distance of two places by latitude and longitude, degrees; metres. Good within a bay.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let north = (other.0 - one.0).to_radians();
    let east = (other.1 - one.1).to_radians() * one.0.to_radians().cos();
    EARTH * (north * north + east * east).sqrt()
}
