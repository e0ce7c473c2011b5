//! Tanks: 127505.

use super::{digits, join, shifted};
use crate::delta::{Value, ValueSink};
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

/// PGN 127505: the level always, null when absent; the capacity in cubic metres.
pub(super) fn level(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let Some(instance) = decoded.raw(Field::Instance) else { return };
    let fluid = match decoded.text(Field::Type) {
        Some("Fuel") => "fuel",
        Some("Water") => "freshWater",
        Some("Gray water") => "wasteWater",
        Some("Live well") => "liveWell",
        Some("Oil") => "lubrication",
        Some("Black water") => "blackWater",
        _ => "undefined",
    };
    let instance = digits(instance);
    let level = decoded.number(Field::Level).map_or(Value::Null, |percent| Value::Number(shifted(percent, -2)));
    sink.value(&join(&["tanks.", fluid, ".", &instance, ".currentLevel"]), level);
    if let Some(litres) = decoded.number(Field::Capacity) {
        sink.value(&join(&["tanks.", fluid, ".", &instance, ".capacity"]), Value::Number(shifted(litres, -3)));
    }
}
