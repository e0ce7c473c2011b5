//! Depth, wind, temperature, humidity and pressure.

use core::f64::consts::{PI, TAU};

use super::{copy, copy_percent, copy_unless_zero, digits, join, sum};
use crate::delta::{Value, ValueSink};
use crate::json::Decimal;
use crate::n2k::decode::{Decoded, Lookup};
use crate::n2k::tables::Field;

/// PGN 128267: an offset above zero reaches up to the surface, below zero down to the keel.
pub(super) fn depth(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy(decoded, Field::Depth, "environment.depth.belowTransducer", sink);
    let Some(offset) = decoded.number(Field::Offset).filter(|offset| offset.mantissa != 0) else { return };
    let (offset_path, depth_path) = if offset.mantissa > 0 {
        ("environment.depth.surfaceToTransducer", "environment.depth.belowSurface")
    } else {
        ("environment.depth.transducerToKeel", "environment.depth.belowKeel")
    };
    sink.value(offset_path, Value::Number(offset));
    if let Some(depth) = decoded.number(Field::Depth).and_then(|depth| sum(depth, offset)) {
        sink.value(depth_path, Value::Number(depth));
    }
}

/// PGN 130306: the reference picks the paths, an absent one means apparent.
pub(super) fn wind(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let angle = decoded.number(Field::WindAngle);
    match decoded.lookup(Field::Reference) {
        None | Some(Lookup::Text("Apparent")) => {
            copy(decoded, Field::WindSpeed, "environment.wind.speedApparent", sink);
            sink.value("environment.wind.angleApparent", angle.map_or(Value::Null, folded));
        }
        Some(Lookup::Text("True (boat referenced)")) => {
            copy(decoded, Field::WindSpeed, "environment.wind.speedTrue", sink);
            if let Some(angle) = angle {
                sink.value("environment.wind.angleTrueWater", folded(angle));
            }
        }
        Some(Lookup::Text("True (ground referenced to North)")) => {
            copy(decoded, Field::WindSpeed, "environment.wind.speedOverGround", sink);
            copy(decoded, Field::WindAngle, "environment.wind.directionTrue", sink);
        }
        Some(Lookup::Text("Magnetic (ground referenced to Magnetic North)")) => {
            copy(decoded, Field::WindAngle, "environment.wind.directionMagnetic", sink);
        }
        Some(_) => {}
    }
}

/// Returns an angle of 0 to 2 pi as one of -pi to pi: port is negative in Signal K.
fn folded(angle: Decimal) -> Value<'static> {
    let radians = angle.to_f64();
    if radians <= PI { Value::Number(angle) } else { Value::Float(radians - TAU) }
}

/// PGN 130310.
pub(super) fn outside(decoded: &Decoded, sink: &mut dyn ValueSink) {
    copy_unless_zero(decoded, Field::OutsideAmbientAirTemperature, "environment.outside.temperature", sink);
    copy_unless_zero(decoded, Field::AtmosphericPressure, "environment.outside.pressure", sink);
    copy_unless_zero(decoded, Field::WaterTemperature, "environment.water.temperature", sink);
}

/// PGN 130311, which has no instance: paths that need one say `default`.
pub(super) fn climate(decoded: &Decoded, sink: &mut dyn ValueSink) {
    if let Some(path) = decoded.text(Field::TemperatureSource).and_then(temperature_path) {
        copy(
            decoded,
            Field::Temperature,
            &join(&[path.before, if path.after.is_empty() { "" } else { "default" }, path.after]),
            sink,
        );
    }
    let inside = decoded.text(Field::HumiditySource) == Some("Inside");
    let path = if inside { "environment.inside.default.relativeHumidity" } else { "environment.outside.humidity" };
    copy_percent(decoded, Field::Humidity, path, sink);
    copy_unless_zero(decoded, Field::AtmosphericPressure, "environment.outside.pressure", sink);
}

/// PGN 130312: sources without a path of their own go to `generic`, no source to nowhere.
pub(super) fn temperature(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let instance = digits(decoded.raw(Field::Instance).unwrap_or(0));
    let path = match decoded.lookup(Field::Source) {
        None => return,
        Some(Lookup::Text(text)) => match temperature_path(text) {
            Some(path) if path.after.is_empty() => join(&[path.before]),
            Some(path) => join(&[path.before, &instance, path.after]),
            None => {
                let mut path = join(&["generic.temperatures.userDefined"]);
                for letter in text.chars() {
                    // Texts of this lookup have at most 34 letters.
                    let _ = path.push(if letter == ' ' { '_' } else { letter });
                }
                join(&[&path, ".", &instance, ".temperature"])
            }
        },
        Some(Lookup::Code(code)) => {
            join(&["generic.temperatures.userDefined", &digits(code), ".", &instance, ".temperature"])
        }
    };
    copy(decoded, Field::ActualTemperature, &path, sink);
}

/// A path, or the two sides of one that has an instance in it.
struct TemperaturePath {
    before: &'static str,
    after: &'static str,
}

/// Returns where a temperature of a source goes (lookup TEMPERATURE_SOURCE).
fn temperature_path(source: &str) -> Option<TemperaturePath> {
    let (before, after) = match source {
        "Sea Temperature" => ("environment.water.temperature", ""),
        "Outside Temperature" => ("environment.outside.temperature", ""),
        "Inside Temperature" => ("environment.inside.", ".temperature"),
        "Engine Room Temperature" => ("environment.inside.engineRoom.temperature", ""),
        "Main Cabin Temperature" => ("environment.inside.mainCabin.temperature", ""),
        "Live Well Temperature" => ("tanks.liveWell.", ".temperature"),
        "Bait Well Temperature" => ("tanks.baitWell.", ".temperature"),
        "Refrigeration Temperature" => ("environment.inside.refrigerator.temperature", ""),
        "Heating System Temperature" => ("environment.inside.heating.temperature", ""),
        "Dew Point Temperature" => ("environment.outside.dewPointTemperature", ""),
        "Apparent Wind Chill Temperature" => ("environment.outside.apparentWindChillTemperature", ""),
        "Theoretical Wind Chill Temperature" => ("environment.outside.theoreticalWindChillTemperature", ""),
        "Heat Index Temperature" => ("environment.outside.heatIndexTemperature", ""),
        "Freezer Temperature" => ("environment.inside.freezer.temperature", ""),
        "Exhaust Gas Temperature" => ("propulsion.", ".exhaustTemperature"),
        _ => return None,
    };
    Some(TemperaturePath { before, after })
}
