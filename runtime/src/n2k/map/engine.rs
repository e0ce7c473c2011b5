//! Engines: 127488 and 127489.

use super::{Digits, copy_percent, digits, join};
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::n2k::decode::{Decoded, Lookup};
use crate::n2k::tables::Field;

/// One engine: the part of the path and how messages call it.
struct Engine {
    id: Digits,
    title: Digits,
}

impl Engine {
    /// Reads the instance: 0 is port, 1 starboard, others stay numbers; `None` when it is absent.
    fn of(decoded: &Decoded) -> Option<Self> {
        let name = |id: &str, title: &str| Some(Self { id: id.try_into().ok()?, title: title.try_into().ok()? });
        match decoded.lookup(Field::Instance)? {
            Lookup::Text("Single Engine or Dual Engine Port") => name("port", "Port"),
            Lookup::Text(_) => name("starboard", "Starboard"),
            Lookup::Code(code) => name(&digits(code), &digits(code)),
        }
    }

    fn value(&self, leaf: &str, value: Value<'_>, sink: &mut dyn ValueSink) {
        sink.value(&join(&["propulsion.", &self.id, ".", leaf]), value);
    }

    fn copy(&self, decoded: &Decoded, field: Field, leaf: &str, sink: &mut dyn ValueSink) {
        if let Some(value) = decoded.number(field) {
            self.value(leaf, Value::Number(value), sink);
        }
    }

    fn percent(&self, decoded: &Decoded, field: Field, leaf: &str, sink: &mut dyn ValueSink) {
        copy_percent(decoded, field, &join(&["propulsion.", &self.id, ".", leaf]), sink);
    }

    /// Gives one notification for each flag of `field`, set or not.
    fn flags(&self, decoded: &Decoded, field: Field, flags: &[Flag], sink: &mut dyn ValueSink) {
        let Some(bits) = decoded.raw(field) else { return };
        for (bit, flag) in flags.iter().enumerate() {
            let set = bits >> bit & 1 == 1;
            let message = join(&[flag.before, &self.title, flag.after, if set { "" } else { " is Normal" }]);
            let (state, method): (_, &[Value<'_>]) =
                if set { ("alarm", &[Value::Text("visual"), Value::Text("sound")]) } else { ("normal", &[]) };
            let members =
                [("state", Value::Text(state)), ("method", Value::List(method)), ("message", Value::Text(&message))];
            sink.value(&join(&["notifications.propulsion.", &self.id, ".", flag.leaf]), Value::Object(&members));
        }
    }
}

/// PGN 127488.
pub(super) fn rapid(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let Some(engine) = Engine::of(decoded) else { return };
    let revolutions = decoded.number(Field::Speed).map_or(Value::Null, |rpm| per(rpm, RPM_PER_HERTZ));
    engine.value("revolutions", revolutions, sink);
    engine.percent(decoded, Field::TiltTrim, "drive.trimState", sink);
    engine.copy(decoded, Field::BoostPressure, "boostPressure", sink);
}

/// PGN 127489.
pub(super) fn dynamic(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let Some(engine) = Engine::of(decoded) else { return };
    engine.copy(decoded, Field::Temperature, "temperature", sink);
    engine.copy(decoded, Field::AlternatorPotential, "alternatorVoltage", sink);
    if let Some(rate) = decoded.number(Field::FuelRate) {
        engine.value("fuel.rate", per(rate, LITRES_PER_HOUR), sink);
    }
    engine.copy(decoded, Field::OilPressure, "oilPressure", sink);
    engine.copy(decoded, Field::TotalEngineHours, "runTime", sink);
    engine.copy(decoded, Field::OilTemperature, "oilTemperature", sink);
    engine.copy(decoded, Field::CoolantPressure, "coolantPressure", sink);
    engine.percent(decoded, Field::EngineLoad, "engineLoad", sink);
    engine.percent(decoded, Field::EngineTorque, "engineTorque", sink);
    engine.copy(decoded, Field::FuelPressure, "fuel.pressure", sink);
    engine.flags(decoded, Field::DiscreteStatus1, &STATUS_1, sink);
    engine.flags(decoded, Field::DiscreteStatus2, &STATUS_2, sink);
}

/// Revolutions per minute in one hertz.
const RPM_PER_HERTZ: f64 = 60.0;
/// Litres per hour in one cubic metre per second.
const LITRES_PER_HOUR: f64 = 3_600_000.0;

/// Returns `value` / `divisor`, which has no exact decimal.
fn per(value: Decimal, divisor: f64) -> Value<'static> {
    Value::Float(value.to_f64() / divisor)
}

/// A flag of a status field: the end of its path and what its message says around the engine's name.
struct Flag {
    leaf: &'static str,
    before: &'static str,
    after: &'static str,
}

/// A message that begins with the engine's name.
const fn flag(leaf: &'static str, after: &'static str) -> Flag {
    Flag { leaf, before: "", after }
}

/// Lookup ENGINE_STATUS_1, by bit.
static STATUS_1: [Flag; 16] = [
    Flag { leaf: "checkEngine", before: "Check ", after: " Engine" },
    flag("overTemperature", " Engine Over Temperature"),
    flag("lowOilPressure", " Engine Low Oil Pressure"),
    flag("lowOilLevel", " Engine Low Oil Level"),
    flag("lowFuelPressure", " Engine Low Fuel Pressure"),
    flag("lowSystemVoltage", " Low System Voltage"),
    flag("lowCoolantLevel", " Engine Low Coolant Level"),
    flag("waterFlow", " Engine Water Flow"),
    flag("waterInFuel", " Water in Fuel"),
    flag("chargeIndicator", " Engine Charge Indicator"),
    flag("preheatIndicator", " Preheat Indicator"),
    flag("highBoostPressure", " Engine High Boost Pressure"),
    flag("revLimitExceeded", " Engine Rev Limit Exceeded"),
    flag("eGRSystem", " Engine EGR System"),
    flag("throttlePositionSensor", " Engine Throttle Position Sensor"),
    flag("emergencyStopMode", " Engine Emergency Stop Mode"),
];

/// Lookup ENGINE_STATUS_2, by bit; the upper eight bits belong to the maker.
static STATUS_2: [Flag; 8] = [
    flag("warningLevel1", " Engine Warning Level 1"),
    flag("warningLevel2", " Engine Warning Level 2"),
    flag("powerReduction", " Engine Power Reduction"),
    flag("maintenanceNeeded", " Engine Maintenance Needed"),
    flag("commError", " Engine Comm Error"),
    flag("subOrSecondaryThrottle", " Engine Sub or Secondary Throttle"),
    flag("neutralStartProtect", " Neutral Start Protect"),
    flag("shuttingDown", " Engine Shutting Down"),
];
