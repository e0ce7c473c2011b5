//! Units and meaning of the paths that instruments send most.
//!
//! Facts of the Signal K 1.7 schema, in short own words; units are those of SI that the schema uses
//! (`rad`, `m/s`, `K`, `Pa`, `ratio`, `Hz`). A `*` stands for one segment.

use alloc::string::String;

use crate::json;

/// Meta of a path from the Signal K schema, before any source sends its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathMeta {
    /// Unit of the value; empty for texts, times and objects.
    pub units: &'static str,
    /// What the value is, one clause.
    pub description: &'static str,
}

impl PathMeta {
    /// Returns the meta object.
    #[must_use]
    pub fn json(&self) -> String {
        json::object(|meta| {
            if !self.units.is_empty() {
                meta.text("units", self.units);
            }
            meta.text("description", self.description);
        })
    }
}

/// Returns what the schema says about a path.
#[must_use]
pub fn known(path: &str) -> Option<PathMeta> {
    let matches = |pattern: &str| {
        let mut segments = path.split('.');
        pattern.split('.').all(|wanted| segments.next().is_some_and(|segment| wanted == "*" || wanted == segment))
            && segments.next().is_none()
    };
    #[cfg(any(test, feature = "course"))]
    if let Some((units, description)) = crate::course::meta(path) {
        return Some(PathMeta { units, description });
    }
    let (_, units, description) = TABLE.iter().find(|(pattern, ..)| matches(pattern))?;
    Some(PathMeta { units, description })
}

/// Visits the paths that the schema knows here, a `*` for one segment, with their units.
#[cfg(any(test, feature = "server-routes"))]
pub fn schema() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().map(|(path, units, _)| (*path, *units))
}

const TABLE: &[(&str, &str, &str)] = &[
    ("navigation.position", "", "position of the vessel, longitude and latitude in degrees, WGS 84"),
    ("navigation.speedOverGround", "m/s", "speed over ground"),
    ("navigation.speedThroughWater", "m/s", "speed through the water along the keel"),
    ("navigation.speedThroughWaterTransverse", "m/s", "speed through the water across the keel, to starboard"),
    ("navigation.courseOverGroundTrue", "rad", "course over ground from true north"),
    ("navigation.courseOverGroundMagnetic", "rad", "course over ground from magnetic north"),
    ("navigation.headingTrue", "rad", "heading from true north"),
    ("navigation.headingMagnetic", "rad", "heading from magnetic north"),
    ("navigation.headingCompass", "rad", "heading as the compass shows it"),
    ("navigation.magneticVariation", "rad", "magnetic variation, east positive"),
    ("navigation.magneticDeviation", "rad", "deviation of the compass, east positive"),
    ("navigation.rateOfTurn", "rad/s", "rate of turn, to starboard positive"),
    ("navigation.attitude", "", "roll, pitch and yaw in radians"),
    ("navigation.leewayAngle", "rad", "angle between heading and course through the water"),
    ("navigation.log", "m", "distance travelled through the water"),
    ("navigation.trip.log", "m", "distance travelled through the water since the last reset"),
    ("navigation.datetime", "", "date and time of the navigation source, UTC"),
    ("navigation.state", "", "navigational status as told by AIS"),
    ("navigation.gnss.satellites", "", "satellites used for the position"),
    ("navigation.gnss.methodQuality", "", "method of the position fix"),
    ("navigation.gnss.integrity", "", "integrity check of the receiver"),
    ("navigation.gnss.type", "", "satellite systems in use"),
    ("navigation.gnss.antennaAltitude", "m", "altitude of the antenna above the ellipsoid"),
    ("navigation.gnss.geoidalSeparation", "m", "geoid above the WGS 84 ellipsoid"),
    ("navigation.gnss.horizontalDilution", "", "horizontal dilution of precision"),
    ("navigation.gnss.positionDilution", "", "dilution of precision of the position"),
    ("navigation.gnss.differentialAge", "s", "age of the differential corrections"),
    ("environment.depth.belowTransducer", "m", "depth of the water below the transducer"),
    ("environment.depth.belowKeel", "m", "depth of the water below the keel"),
    ("environment.depth.belowSurface", "m", "depth of the water below the surface"),
    ("environment.depth.surfaceToTransducer", "m", "distance from the surface down to the transducer"),
    ("environment.depth.transducerToKeel", "m", "distance from the transducer down to the keel"),
    ("environment.wind.speedApparent", "m/s", "apparent wind speed"),
    ("environment.wind.speedTrue", "m/s", "wind speed relative to the water"),
    ("environment.wind.speedOverGround", "m/s", "wind speed relative to the ground"),
    ("environment.wind.angleApparent", "rad", "apparent wind angle from the bow, to port negative"),
    (
        "environment.wind.angleTrueWater",
        "rad",
        "angle of the wind relative to the water from the bow, to port negative",
    ),
    (
        "environment.wind.angleTrueGround",
        "rad",
        "angle of the wind relative to the ground from the bow, to port negative",
    ),
    ("environment.wind.directionTrue", "rad", "direction the wind comes from, from true north"),
    ("environment.wind.directionMagnetic", "rad", "direction the wind comes from, from magnetic north"),
    ("environment.current", "", "set in radians and drift in metres per second of the water"),
    ("environment.water.temperature", "K", "temperature of the water"),
    ("environment.outside.temperature", "K", "temperature of the outside air"),
    ("environment.outside.pressure", "Pa", "pressure of the outside air"),
    ("environment.outside.humidity", "ratio", "relative humidity of the outside air"),
    ("environment.outside.relativeHumidity", "ratio", "relative humidity of the outside air"),
    ("environment.outside.dewPointTemperature", "K", "dew point of the outside air"),
    ("environment.outside.apparentWindChillTemperature", "K", "wind chill by apparent wind"),
    ("environment.outside.theoreticalWindChillTemperature", "K", "wind chill by true wind"),
    ("environment.outside.heatIndexTemperature", "K", "heat index of the outside air"),
    ("environment.inside.temperature", "K", "temperature inside the vessel"),
    ("environment.inside.relativeHumidity", "ratio", "relative humidity inside the vessel"),
    ("environment.inside.*.temperature", "K", "temperature of a room"),
    ("environment.inside.*.relativeHumidity", "ratio", "relative humidity of a room"),
    ("propulsion.*.revolutions", "Hz", "revolutions of the engine"),
    ("propulsion.*.temperature", "K", "temperature of the engine"),
    ("propulsion.*.oilTemperature", "K", "temperature of the engine's oil"),
    ("propulsion.*.oilPressure", "Pa", "pressure of the engine's oil"),
    ("propulsion.*.boostPressure", "Pa", "boost pressure of the engine"),
    ("propulsion.*.coolantPressure", "Pa", "pressure of the engine's coolant"),
    ("propulsion.*.coolantTemperature", "K", "temperature of the engine's coolant"),
    ("propulsion.*.exhaustTemperature", "K", "temperature of the exhaust"),
    ("propulsion.*.alternatorVoltage", "V", "voltage of the engine's alternator"),
    ("propulsion.*.runTime", "s", "time the engine has run"),
    ("propulsion.*.engineLoad", "ratio", "load of the engine"),
    ("propulsion.*.engineTorque", "ratio", "torque of the engine"),
    ("propulsion.*.fuel.rate", "m3/s", "fuel the engine uses"),
    ("propulsion.*.fuel.pressure", "Pa", "pressure of the fuel"),
    ("propulsion.*.drive.trimState", "ratio", "trim of the drive"),
    ("propulsion.*.transmission.gear", "", "gear engaged"),
    ("propulsion.*.transmission.oilPressure", "Pa", "pressure of the transmission's oil"),
    ("propulsion.*.transmission.oilTemperature", "K", "temperature of the transmission's oil"),
    ("electrical.batteries.*.voltage", "V", "voltage at the battery"),
    ("electrical.batteries.*.current", "A", "current of the battery, charging positive"),
    ("electrical.batteries.*.temperature", "K", "temperature of the battery"),
    ("electrical.batteries.*.capacity.stateOfCharge", "ratio", "charge of the battery"),
    ("electrical.batteries.*.capacity.stateOfHealth", "ratio", "health of the battery"),
    ("electrical.batteries.*.capacity.remaining", "C", "charge left in the battery"),
    ("electrical.batteries.*.capacity.timeRemaining", "s", "time until the battery is empty"),
    ("tanks.*.*.currentLevel", "ratio", "level of the tank, 1 is full"),
    ("tanks.*.*.capacity", "m3", "capacity of the tank"),
    ("steering.rudderAngle", "rad", "rudder angle, to starboard positive"),
    ("steering.rudderAngleTarget", "rad", "rudder angle that is asked for, to starboard positive"),
    ("steering.autopilot.state", "", "mode of the autopilot"),
    ("steering.autopilot.target.headingTrue", "rad", "heading to steer, from true north"),
    ("steering.autopilot.target.headingMagnetic", "rad", "heading to steer, from magnetic north"),
    ("steering.autopilot.target.windAngleApparent", "rad", "apparent wind angle to steer"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn finds_paths_with_and_without_an_instance() {
        assert_eq!(known("environment.wind.speedTrue").map(|known| known.units), Some("m/s"));
        assert_eq!(known("propulsion.port.revolutions").map(|known| known.units), Some("Hz"));
        assert_eq!(known("tanks.fuel.0.currentLevel").map(|known| known.units), Some("ratio"));
        assert_eq!(known("navigation.position").map(|known| known.units), Some(""));
    }

    #[test]
    fn a_wildcard_is_one_segment() {
        for path in [
            "",
            "propulsion.revolutions",
            "propulsion.a.b.revolutions",
            "environment.wind",
            "environment.wind.speedTrue.value",
        ] {
            assert_eq!(known(path), None, "{path}");
        }
    }

    #[test]
    fn meta_is_an_object_with_the_unit_first() {
        let json = known("navigation.headingTrue").map(|known| known.json());
        assert_eq!(json, Some(r#"{"units":"rad","description":"heading from true north"}"#.to_string()));
        assert_eq!(known("navigation.state").map(|known| known.json().starts_with("{\"description\"")), Some(true));
    }

    #[test]
    fn no_path_stands_twice() {
        for (index, (path, ..)) in TABLE.iter().enumerate() {
            assert!(TABLE[index + 1..].iter().all(|(other, ..)| other != path), "{path}");
        }
    }
}
