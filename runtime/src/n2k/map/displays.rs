//! Brightness and colours of displays: Raymarine (126720) and Navico (130845).

use super::Scene;
use super::rule::Mapping;
use super::text::{ShortText, camel_case, digits, join};
use crate::delta::Value;
use crate::json::Decimal;
use crate::n2k::decode::Lookup;
use crate::n2k::tables::{Definition, Field};

pub(super) const MAPPINGS: &[Mapping] = &[Mapping::code(126_720, raymarine), Mapping::code(130_845, navico)];

/// Returns a code as part of a path: its text in one word, or its number.
fn word(scene: &Scene<'_>, field: Field) -> Option<ShortText> {
    Some(match scene.decoded.lookup(field)? {
        Lookup::Text(text) => camel_case(text),
        Lookup::Code(code) => join(&[&digits(code)]),
    })
}

/// PGN 126720 of Raymarine: displays, and the autopilots behind a Seatalk converter.
fn raymarine(scene: &mut Scene<'_>) {
    match scene.decoded.definition() {
        Definition::Seatalk1DisplayBrightness => {
            let Some(group) = word(scene, Field::Group) else { return };
            let value = scene.decoded.raw(Field::Brightness).map_or(Value::Null, percent);
            scene.value_at(&join(&["electrical.displays.raymarine.", &group, ".brightness"]), value);
        }
        Definition::Seatalk1DisplayColor => {
            let (Some(group), Some(color)) = (word(scene, Field::Group), word(scene, Field::Color)) else { return };
            scene.value_at(&join(&["electrical.displays.raymarine.", &group, ".color"]), Value::Text(&color));
        }
        definition => super::steering::seatalk(scene, definition),
    }
}

fn percent(raw: i64) -> Value<'static> {
    Value::Number(Decimal::new(raw, -2))
}

/// Keys of 130845 (lookup SIMNET_KEY_VALUE) that have paths.
const BACKLIGHT_LEVEL: i64 = 4863;
const NIGHT_MODE: i64 = 9983;
const NIGHT_MODE_COLOR: i64 = 44_079;

/// PGN 130845 of Simrad; a group without a name has no path.
fn navico(scene: &mut Scene<'_>) {
    if scene.decoded.definition() != Definition::SimnetKeyValue {
        return;
    }
    let (Some(Lookup::Text(group)), Some(key)) =
        (scene.decoded.lookup(Field::DisplayGroup), scene.decoded.raw(Field::Key))
    else {
        return;
    };
    let raw = scene.decoded.raw(Field::Value);
    let (leaf, value) = match key {
        BACKLIGHT_LEVEL => (".brightness", raw.map_or(Value::Null, percent)),
        NIGHT_MODE => (".nightMode.state", Value::Number(Decimal::new(i64::from(raw == Some(4)), 0))),
        NIGHT_MODE_COLOR => {
            let color = raw.and_then(|raw| usize::try_from(raw).ok()).and_then(|raw| COLORS.get(raw));
            (".nightModeColor", Value::Text(color.unwrap_or(&"unknown")))
        }
        _ => return,
    };
    scene.value_at(&join(&["electrical.displays.navico.", &camel_case(group), leaf]), value);
}

/// By code of lookup SIMNET_NIGHT_MODE_COLOR.
const COLORS: [&str; 5] = ["red", "green", "blue", "white", "magenta"];
