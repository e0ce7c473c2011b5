//! Sensors of Home Assistant: what it is told of a path, so that it shows the value by itself.
//!
//! A message that the broker keeps, in `PREFIX/sensor/VESSEL/PATH/config` (<https://www.home-assistant.io/integrations/mqtt/>, "MQTT
//! Discovery"). Home Assistant turns the unit into the one that its owner has chosen where it knows the class of device.

use skiff_runtime::json;

use super::destination::{Destination, Payload};
use super::template::Place;

/// What a unit of Signal K is in Home Assistant: its unit there, the class of device or none, and by what a value is multiplied.
struct Unit {
    signalk: &'static str,
    shown: &'static str,
    class: &'static str,
    factor: f64,
}

/// Degrees of a radian.
const DEGREES: f64 = 180.0 / std::f64::consts::PI;

const fn unit(signalk: &'static str, shown: &'static str, class: &'static str, factor: f64) -> Unit {
    Unit { signalk, shown, class, factor }
}

/// Units of Signal K's schema; classes only where Home Assistant takes that unit, and a measurement, for them.
const UNITS: [Unit; 16] = [
    unit("K", "K", "temperature", 1.0),
    unit("Pa", "Pa", "pressure", 1.0),
    unit("m/s", "m/s", "speed", 1.0),
    unit("m", "m", "distance", 1.0),
    unit("V", "V", "voltage", 1.0),
    unit("A", "A", "current", 1.0),
    unit("W", "W", "power", 1.0),
    unit("Hz", "Hz", "frequency", 1.0),
    unit("s", "s", "duration", 1.0),
    unit("m3", "m³", "volume_storage", 1.0),
    unit("m3/s", "m³/s", "volume_flow_rate", 1.0),
    unit("kg", "kg", "weight", 1.0),
    unit("ratio", "%", "", 100.0),
    unit("rad", "°", "", DEGREES),
    unit("rad/s", "°/s", "", DEGREES),
    unit("deg", "°", "", 1.0),
];

/// What tells of sensors.
pub struct Sensors {
    prefix: String,
    /// The vessel, as a level of a topic and part of a name.
    node: String,
    status: String,
    payload: Payload,
}

impl Sensors {
    /// Tells of those of a destination.
    pub fn new(prefix: &str, destination: &Destination, self_context: &str) -> Self {
        let place = Place { context: self_context, is_own: true, path: "", source: "" };
        let urn = self_context.strip_prefix("vessels.").unwrap_or(self_context);
        Self {
            prefix: prefix.to_owned(),
            node: format!("skiff_{}", plain(urn.rsplit(':').next().unwrap_or(urn))),
            status: destination.base.of(&place) + super::STATUS,
            payload: destination.payload,
        }
    }

    /// Returns topic and payload for a path whose values come in `topic`; `meta` is what is known of it.
    pub fn of(&self, path: &str, topic: &str, meta: Option<&str>) -> (String, String) {
        let known = |name: &str| meta.and_then(|meta| json::member(meta, name)).and_then(json::string);
        let signalk = known("units").unwrap_or_default();
        let unit = UNITS.iter().find(|unit| unit.signalk == signalk);
        let (mut shown, mut class, mut factor) =
            unit.map_or((&*signalk, "", 1.0), |unit| (unit.shown, unit.class, unit.factor));
        let last = path.rsplit('.').next().unwrap_or_default();
        match &*signalk {
            "m/s" if path.starts_with("environment.wind.") => class = "wind_speed",
            "Hz" if last == "revolutions" => (shown, class, factor) = ("rpm", "", 60.0),
            "ratio" if last == "stateOfCharge" => class = "battery",
            "ratio" if last.to_ascii_lowercase().ends_with("humidity") => class = "humidity",
            _ => {}
        }
        let name = known("displayName").map_or_else(|| words(path), std::borrow::Cow::into_owned);
        let object = plain(path);
        let value = if self.payload == Payload::Value { "value_json" } else { "value_json.value" };
        let template = if factor == 1.0 {
            format!("{{{{ {value} }}}}")
        } else {
            format!("{{{{ (({value}) * {factor}) | round(2) if {value} is number else none }}}}")
        };
        let payload = json::object(|out| {
            out.text("name", &name).text("unique_id", &format!("{}_{object}", self.node));
            out.text("state_topic", topic).text("value_template", &template);
            if !shown.is_empty() {
                out.text("unit_of_measurement", shown);
            }
            if !class.is_empty() {
                out.text("device_class", class);
            }
            out.text("state_class", "measurement").text("availability_topic", &self.status);
            out.object("device", |out| {
                out.list("identifiers", |list| _ = list.text(&self.node));
                out.text("name", &self.node).text("manufacturer", "Skiff");
            });
            out.object("origin", |out| _ = out.text("name", "Skiff").text("sw_version", env!("CARGO_PKG_VERSION")));
        });
        (format!("{}/sensor/{}/{object}/config", self.prefix, self.node), payload)
    }
}

/// Writes what Home Assistant takes in an identifier: letters, digits, `_` and `-`.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

/// Makes words of a path: `environment.wind.speedTrue` is `Environment wind speed true`.
fn words(path: &str) -> String {
    let mut words = String::new();
    for letter in path.chars() {
        match letter {
            '.' => words.push(' '),
            _ if letter.is_ascii_uppercase() => words.extend([' ', letter.to_ascii_lowercase()]),
            _ if words.is_empty() => words.push(letter.to_ascii_uppercase()),
            _ => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn sensor(options: &str, path: &str, meta: Option<&str>) -> (String, Value) {
        let destination = Destination::parse(false, "nas", options).unwrap();
        let sensors = Sensors::new("homeassistant", &destination, "vessels.urn:mrn:imo:mmsi:211000000");
        let (topic, payload) = sensors.of(path, "the/topic", meta);
        (topic, serde_json::from_str(&payload).unwrap())
    }

    #[test]
    fn a_sensor_has_unit_class_and_where_it_hears_of_the_boat() {
        let (topic, wind) = sensor("", "environment.wind.speedTrue", Some(r#"{"units":"m/s"}"#));
        assert_eq!(topic, "homeassistant/sensor/skiff_211000000/environment_wind_speedTrue/config");
        for (member, expected) in [
            ("name", "Environment wind speed true"),
            ("unique_id", "skiff_211000000_environment_wind_speedTrue"),
            ("state_topic", "the/topic"),
            ("value_template", "{{ value_json.value }}"),
            ("unit_of_measurement", "m/s"),
            ("device_class", "wind_speed"),
            ("state_class", "measurement"),
            ("availability_topic", "signalk/vessels/urn:mrn:imo:mmsi:211000000/status"),
        ] {
            assert_eq!(wind[member], expected, "{member}");
        }
        assert_eq!(wind["device"]["identifiers"][0], "skiff_211000000");
    }

    #[test]
    fn what_home_assistant_has_no_unit_for_is_converted() {
        for (path, units, unit, class, part) in [
            ("navigation.headingTrue", "rad", "°", Value::Null, "57.29"),
            ("propulsion.port.revolutions", "Hz", "rpm", Value::Null, "* 60"),
            ("electrical.batteries.0.capacity.stateOfCharge", "ratio", "%", "battery".into(), "* 100"),
            ("environment.outside.relativeHumidity", "ratio", "%", "humidity".into(), "* 100"),
            ("tanks.fuel.0.currentLevel", "ratio", "%", Value::Null, "* 100"),
            ("electrical.batteries.0.capacity.remaining", "C", "C", Value::Null, "value_json.value }}"),
        ] {
            let (_, sensor) = sensor("", path, Some(&format!(r#"{{"units":"{units}"}}"#)));
            assert_eq!((&sensor["unit_of_measurement"], &sensor["device_class"]), (&unit.into(), &class), "{path}");
            assert!(sensor["value_template"].as_str().unwrap().contains(part), "{sensor}");
        }
        let (_, named) = sensor("payload=value", "a.bC", Some(r#"{"displayName":"Depth"}"#));
        assert_eq!((&named["name"], &named["value_template"]), (&"Depth".into(), &"{{ value_json }}".into()));
        assert_eq!(
            (&named["unit_of_measurement"], sensor("", "a.bC", None).1["name"].as_str()),
            (&Value::Null, Some("A b c"))
        );
    }
}
