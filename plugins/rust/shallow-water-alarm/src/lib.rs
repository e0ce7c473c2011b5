//! Signal K plugin `@skiff/shallow-water-alarm-rust`: rings when the depth falls below a limit.
//!
//! `notifications.<path>` changes with the state only. Below the limit the alarm is on; it goes off at the limit and the
//! hysteresis, so that waves around the limit do not ring it again and again.
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod settings;

use settings::{DEFAULT_PATH, DEPTH_MAX, PATH_BYTES_MAX, Settings};
use skiff_plugin::{Host, Json, Method, Plugin, Refused, Rows, State, Text};

/// In front of the path of a value stands its notification.
const NOTIFICATIONS: &str = "notifications.";
const NOTE_BYTES_MAX: u16 = PATH_BYTES_MAX + NOTIFICATIONS.len() as u16;

skiff_plugin::values! {
    /// Inputs and outputs.
    pub struct Values {
        inputs {
            /// m; the path is the configured one.
            depth: number(DEFAULT_PATH).configured(PATH_BYTES_MAX),
        }
        outputs {
            /// Rings below the limit.
            note: notification("notifications.environment.depth.belowTransducer", 100).configured(NOTE_BYTES_MAX),
        }
    }
}

/// The plugin.
pub struct ShallowWaterAlarm {
    values: Values,
    settings: Settings,
    /// Whether the alarm is on; `None` until it was told.
    is_on: Option<bool>,
}

impl ShallowWaterAlarm {
    /// Returns a plugin that knows no depth yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { values: Values::new(), settings: Settings::DEFAULT, is_on: None }
    }
}

impl Default for ShallowWaterAlarm {
    fn default() -> Self {
        Self::new()
    }
}

impl Plugin for ShallowWaterAlarm {
    const ID: &'static str = "@skiff/shallow-water-alarm-rust";
    const NAME: &'static str = "Shallow water alarm";
    const SCHEMA: &'static str = settings::SCHEMA;

    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        let (settings, path) = Settings::read(config).map_err(|reason| {
            host.set_error(reason);
            Refused
        })?;
        (self.settings, self.is_on) = (settings, None);
        self.values.paths().depth(&[path]);
        self.values.paths().note(&[NOTIFICATIONS, path]);
        let mut buffer = [0; PATH_BYTES_MAX as usize + 16];
        let mut status = Text::new(&mut buffer);
        status.push_str("waiting for ");
        status.push_str(path);
        host.set_status(status.as_str());
        Ok(())
    }

    fn rows(&mut self) -> Option<Rows<'_>> {
        Some(self.values.rows())
    }

    fn update<H: Host>(&mut self, host: &mut H) {
        let Some(depth) = self.values.depth().get().filter(|depth| (0.0..=DEPTH_MAX).contains(depth)) else { return };
        let Settings { limit, hysteresis } = self.settings;
        let is_on = depth < if self.is_on == Some(true) { limit + hysteresis } else { limit };
        if self.is_on == Some(is_on) {
            return;
        }
        self.is_on = Some(is_on);
        let mut buffer = [0; 100];
        let mut message = Text::new(&mut buffer);
        message.push_str(if is_on { "Shallow water: depth " } else { "Depth " });
        message.push_fixed(depth, 2);
        message.push_str(" m, limit ");
        message.push_fixed(limit, 2);
        message.push_str(" m");
        let (state, method) = if is_on { (State::Alarm, Method::Both) } else { (State::Normal, Method::None) };
        self.values.note().write(state, method, |text| text.push_str(message.as_str()));
        host.set_status(message.as_str());
    }
}

skiff_plugin::plugin!(ShallowWaterAlarm, ShallowWaterAlarm::new(), values);

#[cfg(test)]
mod tests {
    use super::ShallowWaterAlarm;
    use skiff_plugin::Refused;
    use skiff_plugin::bench::Boat;

    const DEPTH: &str = "environment.depth.belowTransducer";

    fn on_a_boat(config: &str) -> Boat<ShallowWaterAlarm> {
        let mut boat = Boat::new(ShallowWaterAlarm::new());
        boat.start(config).unwrap();
        boat
    }

    fn at(boat: &mut Boat<ShallowWaterAlarm>, path: &str, depth: &str) -> String {
        boat.set(path, depth);
        boat.update();
        boat.told().join("\n")
    }

    #[test]
    fn rings_below_the_limit_and_ends_at_limit_and_hysteresis() {
        let mut boat = on_a_boat(r#"{"limit":4}"#);
        assert!(
            at(&mut boat, DEPTH, "9").contains(r#""state":"normal","method":[]"#),
            "the first depth tells the state"
        );
        let rung = at(&mut boat, DEPTH, "3.714");
        assert!(rung.contains(r#""state":"alarm","method":["visual","sound"]"#), "{rung}");
        assert!(rung.contains(r#""message":"Shallow water: depth 3.71 m, limit 4 m""#), "{rung}");
        assert_eq!(at(&mut boat, DEPTH, "3.2"), "", "the alarm is on");
        assert_eq!(at(&mut boat, DEPTH, "4.49"), "", "between limit and hysteresis");
        assert!(at(&mut boat, DEPTH, "4.5").contains(r#""state":"normal""#));
    }

    #[test]
    fn what_is_no_depth_says_nothing() {
        let mut boat = on_a_boat("{}");
        for depth in ["null", "-1", "12000.5", "\"deep\""] {
            assert_eq!(at(&mut boat, DEPTH, depth), "", "{depth}");
        }
    }

    #[test]
    fn another_path_is_heard_and_told() {
        let mut boat = on_a_boat(r#"{"path":"environment.depth.belowKeel"}"#);
        assert_eq!(boat.host.status, ["waiting for environment.depth.belowKeel"]);
        let told = at(&mut boat, "environment.depth.belowKeel", "1");
        assert!(told.contains(r#""path":"notifications.environment.depth.belowKeel""#), "{told}");
    }

    #[test]
    fn the_longest_path_fits_everywhere() {
        let path = "a".repeat(239);
        let mut boat = on_a_boat(&format!(r#"{{"path":"{path}"}}"#));
        assert_eq!(boat.host.status, [format!("waiting for {path}")]);
        assert!(at(&mut boat, &path, "1").contains(&format!(r#""notifications.{path}""#)));
    }

    #[test]
    fn a_bad_configuration_refuses_to_start_and_says_why() {
        for (config, reason) in [
            (r#"{"limit":-1}"#, "limit must be a depth in m, 0 to 12000"),
            (r#"{"hysteresis":1001}"#, "hysteresis must be a number of m, 0 to 1000"),
            (r#"{"path":"a b"}"#, "path must be a Signal K path"),
        ] {
            let mut boat = Boat::new(ShallowWaterAlarm::new());
            assert_eq!(boat.start(config), Err(Refused), "{config}");
            assert_eq!(boat.host.errors, [reason], "{config}");
        }
    }
}
