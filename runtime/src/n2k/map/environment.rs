//! Depth, wind, current, temperature, humidity and pressure.

use core::f64::consts::{PI, TAU};

use super::faults;
use super::rule::{How, Instance, Mapping, Root, leaf, sum};
use super::text::{ShortText, digits, join};
use super::{Place, Scene};
use crate::delta::Value;
use crate::json::Decimal;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(65_285, lowrance).instance(Instance::Undefined),
    Mapping::fields(128_267, Root::None, &[leaf(Field::Depth, "environment.depth.belowTransducer", How::Same)])
        .and(depth),
    Mapping::code(129_291, current_by_reference),
    Mapping::code(130_306, wind),
    Mapping::fields(
        130_310,
        Root::None,
        &[
            leaf(Field::OutsideAmbientAirTemperature, "environment.outside.temperature", How::UnlessZero),
            leaf(Field::AtmosphericPressure, "environment.outside.pressure", How::UnlessZero),
            leaf(Field::WaterTemperature, "environment.water.temperature", How::UnlessZero),
        ],
    ),
    Mapping::code(130_311, climate).instance(Instance::Picks(Field::TemperatureSource)),
    Mapping::code(130_312, temperature).instance(Instance::Known(Field::Instance)),
    Mapping::code(130_313, humidity).instance(Instance::Named(Field::Instance)),
    Mapping::code(130_314, pressure).instance(Instance::Named(Field::Instance)),
    Mapping::code(130_316, extended_temperature).instance(Instance::Named(Field::Instance)),
];

/// PGN 128267: an offset above zero reaches up to the surface, below zero down to the keel.
fn depth(scene: &mut Scene<'_>) {
    let (depth, offset) = (scene.decoded.number(Field::Depth), scene.decoded.number(Field::Offset));
    let offset = offset.filter(|offset| offset.mantissa != 0);
    let shifted = depth.zip(offset).and_then(|(depth, offset)| sum(depth, offset)).map(Value::Number);
    let is_above = offset.map(|offset| offset.mantissa > 0);
    if let Some(offset) = offset {
        let path = if is_above == Some(true) { SURFACE.0 } else { KEEL.0 };
        // Both are distances; below zero is only where the offset says which of them it is.
        let distance =
            if faults::ON { offset } else { Decimal::new(offset.mantissa.saturating_abs(), offset.exponent) };
        scene.value(path, Value::Number(distance));
    }
    // Without an offset both are gone.
    for (bit, (_, path), side) in [(16, SURFACE, true), (17, KEEL, false)] {
        if is_above.is_none_or(|above| above == side) {
            scene.tell(bit, Place::Fixed(path), shifted);
        }
    }
}

/// Paths of the transducer's distance and of the depth from there.
const SURFACE: (&str, &str) = ("environment.depth.surfaceToTransducer", "environment.depth.belowSurface");
const KEEL: (&str, &str) = ("environment.depth.transducerToKeel", "environment.depth.belowKeel");

/// PGN 129291: true and magnetic both give `setTrue`, as the peer has it; "error" gives nothing.
fn current_by_reference(scene: &mut Scene<'_>) {
    if matches!(scene.decoded.raw(Field::SetReference), Some(0 | 1)) {
        current(scene);
    }
}

/// Set and drift; an absent one is null.
pub(super) fn current(scene: &mut Scene<'_>) {
    let member = |field| scene.decoded.number(field).map_or(Value::Null, Value::Number);
    let members = [("setTrue", member(Field::Set)), ("drift", member(Field::Drift))];
    scene.value("environment.current", Value::Object(&members));
}

/// PGN 130306: the reference (lookup WIND_REFERENCE) picks the paths, an absent one means apparent.
fn wind(scene: &mut Scene<'_>) {
    let angle = scene.decoded.number(Field::WindAngle);
    let reference = scene.decoded.raw(Field::Reference);
    let is_gone = reference.is_none() && angle.is_none() && scene.decoded.raw(Field::WindSpeed).is_none();
    if matches!(reference, None | Some(2)) {
        How::Same.tell(scene, 0, Field::WindSpeed, "environment.wind.speedApparent");
        scene.value("environment.wind.angleApparent", angle.map_or(Value::Null, folded));
    }
    // Boat referenced.
    if is_gone || reference == Some(3) {
        How::Same.tell(scene, 1, Field::WindSpeed, "environment.wind.speedTrue");
        let folded = angle.map(|angle| if faults::ON { Value::Number(angle) } else { folded(angle) });
        scene.tell(2, Place::Fixed("environment.wind.angleTrueWater"), folded);
    }
    // Ground referenced to north.
    if is_gone || reference == Some(0) {
        How::Same.tell(scene, 3, Field::WindSpeed, "environment.wind.speedOverGround");
        How::Same.tell(scene, 4, Field::WindAngle, "environment.wind.directionTrue");
    }
    // Ground referenced to magnetic north; water referenced fits no path, other codes have no meaning.
    if is_gone || reference == Some(1) {
        How::Same.tell(scene, 5, Field::WindAngle, "environment.wind.directionMagnetic");
    }
}

/// Returns an angle of 0 to 2 pi as one of -pi to pi: port is negative in Signal K.
pub(super) fn folded(angle: Decimal) -> Value<'static> {
    let radians = angle.to_f64();
    if radians <= PI { Value::Number(angle) } else { Value::Float(radians - TAU) }
}

/// PGN 65285 of Lowrance, which has no instance: paths that need one say `default`.
fn lowrance(scene: &mut Scene<'_>) {
    let source = scene.decoded.raw(Field::TemperatureSource).and_then(temperature_path);
    if let Some(path) = source {
        How::UnlessZero.tell_at(scene, 0, Field::ActualTemperature, Place::at(&path.with("default")));
    }
}

/// PGN 130311, which has no instance: paths that need one say `default`.
fn climate(scene: &mut Scene<'_>) {
    let source = scene.decoded.raw(Field::TemperatureSource).and_then(temperature_path);
    if let Some(path) = source {
        How::Same.tell_at(scene, 0, Field::Temperature, Place::at(&path.with("default")));
    }
    let inside = scene.decoded.raw(Field::HumiditySource) == Some(0);
    let path = if inside { "environment.inside.default.relativeHumidity" } else { "environment.outside.humidity" };
    How::Shift(-2).tell(scene, if inside { 1 } else { 2 }, Field::Humidity, path);
    How::UnlessZero.tell(scene, 3, Field::AtmosphericPressure, "environment.outside.pressure");
}

/// PGN 130312: sources without a path of their own go to `generic`, no source to nowhere.
fn temperature(scene: &mut Scene<'_>) {
    let instance = digits(scene.decoded.raw(Field::Instance).unwrap_or(0));
    if let Some(path) = temperature_or_generic(scene, &instance, '_') {
        How::Same.tell_at(scene, 0, Field::ActualTemperature, Place::at(&path));
    }
}

/// PGN 130316: as 130312, but blanks in the name of a source stay.
fn extended_temperature(scene: &mut Scene<'_>) {
    let source = scene.decoded.raw(Field::Source).and_then(temperature_path);
    // Some paths need no instance.
    let path = match source.and_then(TemperaturePath::without) {
        Some(path) => Some(path),
        None => faults::named(scene.decoded.raw(Field::Instance))
            .and_then(|instance| temperature_or_generic(scene, &instance, ' ')),
    };
    if let Some(path) = path {
        How::Same.tell_at(scene, 0, Field::Temperature, Place::at(&path));
    }
}

/// Returns where a temperature goes; blanks in the name of a generic source become `blank`.
fn temperature_or_generic(scene: &Scene<'_>, instance: &str, blank: char) -> Option<ShortText> {
    let source = scene.decoded.raw(Field::Source)?;
    if let Some(path) = temperature_path(source) {
        return Some(path.with(instance));
    }
    let mut path = join(&["generic.temperatures.userDefined"]);
    match scene.decoded.text(Field::Source) {
        // Texts of this lookup have at most 34 letters.
        Some(text) => text.chars().for_each(|letter| {
            let _ = path.push(if letter == ' ' { blank } else { letter });
        }),
        None => path = join(&[&path, &digits(source)]),
    }
    Some(join(&[&path, ".", instance, ".temperature"]))
}

/// PGN 130313.
fn humidity(scene: &mut Scene<'_>) {
    let Some(source) = scene.decoded.raw(Field::Source) else { return };
    let path = match (source, faults::named(scene.decoded.raw(Field::Instance))) {
        (1, _) => join(&["environment.outside.humidity"]),
        (0, Some(instance)) => join(&["environment.inside.", &instance, ".relativeHumidity"]),
        (_, Some(instance)) => join(&["environment.userDefined", &digits(source), ".", &instance, ".relativeHumidity"]),
        (_, None) => return,
    };
    How::Shift(-2).tell_at(scene, 0, Field::ActualHumidity, Place::at(&path));
}

/// PGN 130314.
fn pressure(scene: &mut Scene<'_>) {
    let path = match (scene.decoded.raw(Field::Source), faults::named(scene.decoded.raw(Field::Instance))) {
        (Some(0), _) => join(&["environment.outside.pressure"]),
        (Some(source), Some(instance)) => {
            let base = usize::try_from(source - 1).ok().and_then(|at| PRESSURES.get(at));
            let Some(base) = base else { return };
            join(&[base, ".", &instance, ".pressure"])
        }
        _ => return,
    };
    How::Same.tell_at(scene, 0, Field::Pressure, Place::at(&path));
}

/// What paths of lookup PRESSURE_SOURCE begin with, from code 1 on.
const PRESSURES: [&str; 8] =
    ["water", "steam", "compressedAir", "hydraulic", "filter", "altimetersetting", "oil", "fuel"];

/// A path, or the two sides of one that has an instance in it.
#[derive(Clone, Copy)]
pub(super) struct TemperaturePath {
    before: &'static str,
    after: &'static str,
}

impl TemperaturePath {
    /// Returns a path that has no instance in it.
    fn without(self) -> Option<ShortText> {
        self.after.is_empty().then(|| self.with(""))
    }

    /// Returns the path of `instance`.
    pub fn with(self, instance: &str) -> ShortText {
        join(&[self.before, if self.after.is_empty() { "" } else { instance }, self.after])
    }
}

/// Returns where a temperature of a source (lookup TEMPERATURE_SOURCE) goes.
pub(super) fn temperature_path(source: i64) -> Option<TemperaturePath> {
    let (before, after) = *usize::try_from(source).ok().and_then(|source| TEMPERATURES.get(source))?;
    Some(TemperaturePath { before, after })
}

/// Returns code and instance of the source that a path is the temperature of, the reverse of what is mapped.
///
/// `environment.inside.temperature` is the first of its kind; the instance of an exhaust is the engine's.
pub(in crate::n2k) fn temperature_source(path: &str) -> Option<(u8, &str)> {
    let codes = || (0_u8..).zip(TEMPERATURES);
    if let Some((code, _)) = codes().find(|(_, (before, after))| after.is_empty() && *before == path) {
        return Some((code, "0"));
    }
    if path == "environment.inside.temperature" {
        return Some((2, "0"));
    }
    codes().filter(|(_, (_, after))| !after.is_empty()).find_map(|(code, (before, after))| {
        let instance = path.strip_prefix(before)?.strip_suffix(after)?;
        (!instance.is_empty() && !instance.contains('.')).then_some((code, instance))
    })
}

/// By code of lookup TEMPERATURE_SOURCE.
const TEMPERATURES: [(&str, &str); 15] = [
    ("environment.water.temperature", ""),
    ("environment.outside.temperature", ""),
    ("environment.inside.", ".temperature"),
    ("environment.inside.engineRoom.temperature", ""),
    ("environment.inside.mainCabin.temperature", ""),
    ("tanks.liveWell.", ".temperature"),
    ("tanks.baitWell.", ".temperature"),
    ("environment.inside.refrigerator.temperature", ""),
    ("environment.inside.heating.temperature", ""),
    ("environment.outside.dewPointTemperature", ""),
    ("environment.outside.apparentWindChillTemperature", ""),
    ("environment.outside.theoreticalWindChillTemperature", ""),
    ("environment.outside.heatIndexTemperature", ""),
    ("environment.inside.freezer.temperature", ""),
    ("propulsion.", ".exhaustTemperature"),
];
