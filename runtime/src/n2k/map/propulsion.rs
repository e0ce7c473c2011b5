//! Engines and their gears.

use core::fmt::Write;

use super::Scene;
use super::faults;
use super::rule::{How, Mapping, Root, leaf};
use super::text::{Digits, digits, join};
use crate::delta::{Value, Written};
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::fields(
        127_488,
        Root::Engine,
        &[
            leaf(Field::Speed, ".revolutions", How::PerOrNull(RPM_PER_HERTZ)),
            leaf(Field::TiltTrim, ".drive.trimState", faults::TRIM),
            leaf(Field::BoostPressure, ".boostPressure", How::Same),
        ],
    ),
    Mapping::fields(
        127_489,
        Root::Engine,
        &[
            leaf(Field::Temperature, ".temperature", How::Same),
            leaf(Field::AlternatorPotential, ".alternatorVoltage", How::Same),
            leaf(Field::FuelRate, ".fuel.rate", How::Per(LITRES_PER_HOUR)),
            leaf(Field::OilPressure, ".oilPressure", How::Same),
            leaf(Field::TotalEngineHours, ".runTime", How::Same),
            leaf(Field::OilTemperature, ".oilTemperature", How::Same),
            leaf(Field::CoolantPressure, ".coolantPressure", faults::PRESSURE),
            leaf(Field::EngineLoad, ".engineLoad", How::Shift(-2)),
            leaf(Field::EngineTorque, ".engineTorque", How::Shift(-2)),
            leaf(Field::FuelPressure, ".fuel.pressure", faults::PRESSURE),
        ],
    )
    .and(engine_status),
    Mapping::fields(
        127_493,
        Root::Engine,
        &[
            leaf(Field::OilTemperature, ".transmission.oilTemperature", How::Same),
            leaf(Field::TransmissionGear, ".transmission.gear", How::Same),
            leaf(Field::OilPressure, ".transmission.oilPressure", How::Same),
        ],
    )
    .and(transmission_status),
    Mapping::fields(
        127_497,
        Root::Engine,
        &[
            leaf(Field::TripFuelUsed, ".trip.fuelUsed", How::Shift(-3)),
            leaf(Field::FuelRateAverage, ".trip.fuelRate.average", How::Shift(-3)),
            leaf(Field::FuelRateEconomy, ".trip.fuelRate.economy", How::Shift(-3)),
            leaf(Field::InstantaneousFuelEconomy, ".trip.fuelRate.instantaneousEconomy", How::Shift(-3)),
        ],
    ),
];

/// Revolutions per minute in one hertz.
const RPM_PER_HERTZ: f64 = 60.0;
/// Litres per hour in one cubic metre per second.
const LITRES_PER_HOUR: f64 = 3_600_000.0;

/// One engine: the part of the path and how messages call it.
pub(super) struct Engine {
    pub id: Digits,
    pub title: Digits,
}

impl Engine {
    /// Reads the instance (lookup ENGINE_INSTANCE): 0 is port, 1 starboard, others stay numbers; `None` when it
    /// is absent.
    pub fn of(decoded: &Decoded<'_>) -> Option<Self> {
        let named = |id: &str, title: &str| Some(Self { id: id.try_into().ok()?, title: title.try_into().ok()? });
        match decoded.raw(Field::Instance).or(faults::ON.then_some(1))? {
            0 => named("port", "Port"),
            1 => named("starboard", "Starboard"),
            other => Some(Self { id: digits(other), title: digits(other) }),
        }
    }
}

/// PGN 127489, its status fields.
fn engine_status(scene: &mut Scene<'_>) {
    flags(scene, Field::DiscreteStatus1, ".", NOT_SET, &STATUS_1);
    flags(scene, Field::DiscreteStatus2, ".", NOT_SET, &STATUS_2);
}

/// PGN 127493, its status field; what is normal is still shown.
fn transmission_status(scene: &mut Scene<'_>) {
    flags(scene, Field::DiscreteStatus1, ".transmission.", SHOWN, &TRANSMISSION);
}

/// Gives one notification for each flag of `field`, set or not; `quiet` is how the value of one that is not begins.
///
/// Engines send forty of them with each message, so that the JSON is put together from parts that need no escapes, where
/// it stays.
fn flags(scene: &mut Scene<'_>, field: Field, branch: &str, quiet: &str, flags: &[Flag]) {
    let (Some(engine), Some(bits)) = (Engine::of(scene.decoded), scene.decoded.raw(field)) else { return };
    let root = join(&["notifications.propulsion.", &engine.id, branch]);
    for (bit, flag) in flags.iter().enumerate() {
        let (begin, end) = if bits >> bit & 1 == 1 { (SET, "\"}") } else { (quiet, " is Normal\"}") };
        let write = |out: &mut dyn Write| {
            [begin, flag.before, &engine.title, flag.after, end].iter().try_for_each(|part| out.write_str(part))
        };
        scene.sink.value_below(&root, flag.leaf, Value::Written(Written(&write)));
    }
}

/// How the value of a flag begins that is set, up to its message.
const SET: &str = "{\"state\":\"alarm\",\"method\":[\"visual\",\"sound\"],\"message\":\"";
/// As [`SET`], of one that is not, which nobody has to look at.
const NOT_SET: &str = "{\"state\":\"normal\",\"method\":[],\"message\":\"";
/// As [`NOT_SET`], but still shown.
const SHOWN: &str = "{\"state\":\"normal\",\"method\":[\"visual\"],\"message\":\"";

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

/// The status of a gear (127493), by bit; the database has a number there.
static TRANSMISSION: [Flag; 5] = [
    Flag { leaf: "checkTransmission", before: "Check ", after: faults::CHECKED },
    flag("overTemperature", " Transmission Over Temperature"),
    flag("lowOilPressure", " Transmission Low Oil Pressure"),
    flag("lowOilLevel", " Transmission Low Oil Level"),
    flag("sailDrive", " Transmission Sail Drive"),
];
