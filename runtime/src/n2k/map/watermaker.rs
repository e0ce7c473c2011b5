//! Watermakers: 130567, which n2k-signalk maps from 4.7.0 on.

use super::Scene;
use super::rule::{How, Mapping, Root, leaf};
use super::text::join;
use crate::delta::Value;
use crate::n2k::tables::Field;

/// The PGN has no instance, so all paths say 0. Salinity is parts per million, flows are litres per hour.
pub(super) const MAPPINGS: &[Mapping] = &[Mapping::fields(
    130_567,
    Root::None,
    &[
        leaf(Field::WatermakerOperatingState, "watermaker.0.state", How::Same),
        leaf(Field::ProductionStartStop, "watermaker.0.production", How::Switch),
        leaf(Field::RinseStartStop, "watermaker.0.rinsing", How::Switch),
        leaf(Field::LowPressurePumpStatus, "watermaker.0.lowPressurePump", How::Switch),
        leaf(Field::HighPressurePumpStatus, "watermaker.0.highPressurePump", How::Switch),
        leaf(Field::EmergencyStop, "watermaker.0.emergencyStop", How::Switch),
        leaf(Field::FlushModeStatus, "watermaker.0.flushMode", How::Switch),
        leaf(Field::Salinity, "watermaker.0.salinity", How::Shift(-6)),
        leaf(Field::ProductWaterTemperature, "watermaker.0.productWaterTemperature", How::Same),
        leaf(Field::PreFilterPressure, "watermaker.0.preFilterPressure", How::Same),
        leaf(Field::PostFilterPressure, "watermaker.0.postFilterPressure", How::Same),
        leaf(Field::FeedPressure, "watermaker.0.feedPressure", How::Same),
        leaf(Field::SystemHighPressure, "watermaker.0.systemHighPressure", How::Same),
        leaf(Field::ProductWaterFlow, "watermaker.0.productWaterFlow", How::Per(LITRES_PER_HOUR)),
        leaf(Field::BrineWaterFlow, "watermaker.0.brineWaterFlow", How::Per(LITRES_PER_HOUR)),
        leaf(Field::RunTime, "watermaker.0.runTime", How::Same),
    ],
)
.and(notifications)];

/// Litres per hour in one cubic metre per second.
const LITRES_PER_HOUR: f64 = 3_600_000.0;

/// Fields of lookup OK_WARNING, the end of the path and what the message says.
const WARNINGS: [(Field, &str, &str); 6] = [
    (Field::ProductSolenoidValveStatus, "productSolenoidValve", "Watermaker Product Solenoid Valve"),
    (Field::SalinityStatus, "salinity", "Watermaker Salinity"),
    (Field::SensorStatus, "sensor", "Watermaker Sensor"),
    (Field::OilChangeIndicatorStatus, "oilChange", "Watermaker Oil Change"),
    (Field::FilterStatus, "filter", "Watermaker Filter"),
    (Field::SystemStatus, "system", "Watermaker System"),
];

/// One notification for each status that is there, raised or normal.
fn notifications(scene: &mut Scene<'_>) {
    let visual: &[Value<'_>] = &[Value::Text("visual")];
    for (field, name, message) in WARNINGS {
        notify(scene, field, name, message, (" Warning", "alert", visual));
    }
    let loud = &[Value::Text("visual"), Value::Text("sound")];
    notify(scene, Field::EmergencyStop, "emergencyStop", "Watermaker Emergency Stop", ("", "emergency", loud));
}

/// `raised` is the end of the message, the state and the method for code 1.
fn notify(scene: &mut Scene<'_>, field: Field, name: &str, message: &str, raised: (&str, &str, &[Value<'_>])) {
    let Some(code) = scene.decoded.raw(field) else { return };
    let (end, state, method) = if code == 1 { raised } else { (" is Normal", "normal", &[][..]) };
    let message = join(&[message, end]);
    let members = [("state", Value::Text(state)), ("method", Value::List(method)), ("message", Value::Text(&message))];
    scene.value_at(&join(&["notifications.watermaker.0.", name]), Value::Object(&members));
}
