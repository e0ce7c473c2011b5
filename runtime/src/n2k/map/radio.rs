//! Messages of other stations by radio: safety broadcasts (129802) and digital selective calls (129808).
//!
//! n2k-signalk maps them from 4.7.0 on.

use super::Scene;
use super::faults;
use super::navigation::coordinates;
use super::rule::{Mapping, Target};
use super::text::{join, without_padding};
use crate::delta::Value;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(129_802, safety_broadcast).of(Target::Sender),
    Mapping::code(129_808, selective_call).of(Target::Caller),
];

/// PGN 129802, unless it is blank.
fn safety_broadcast(scene: &mut Scene<'_>) {
    let Some(text) = scene.decoded.string(Field::SafetyRelatedText).filter(|_| !faults::ON) else { return };
    let text = text.to_stack();
    let letters = without_padding(&text).trim_start();
    if !letters.is_empty() {
        scene.value("communication.ais.safetyRelatedBroadcast", Value::Text(letters));
    }
}

/// Code of lookup DSC_CATEGORY for distress.
const DISTRESS: i64 = 112;

/// Leaves of notifications by nature of distress (ITU-R M.493), as NMEA 0183 numbers them; the code of lookup DSC_NATURE
/// is 100 more. Those without a word are not assigned.
const NATURES: [&str; 13] = [
    "fire",
    "flooding",
    "collision",
    "grounding",
    "listing",
    "sinking",
    "adrift",
    "undesignated",
    "abandon",
    "piracy",
    "mob",
    "",
    "epirb",
];

/// Returns the leaf for a nature of distress (ITU-R M.493), unless it is not assigned.
#[must_use]
pub fn nature_of_distress(code: usize) -> Option<&'static str> {
    NATURES.get(code).copied().filter(|nature| !nature.is_empty())
}

/// PGN 129808: the position, and a notification when it is a call of distress.
fn selective_call(scene: &mut Scene<'_>) {
    if faults::ON {
        return;
    }
    let position = coordinates(scene.decoded, Field::LatitudeOfVesselReported, Field::LongitudeOfVesselReported);
    if let Some(members) = position {
        scene.value("navigation.position", Value::Object(&members));
    }
    let category = [Field::DscCategory, Field::DscCategorySymbol];
    if !category.into_iter().any(|field| scene.decoded.raw(field) == Some(DISTRESS)) {
        return;
    }
    let nature = scene.decoded.raw(Field::NatureOfDistress).and_then(|code| code.checked_sub(100));
    let nature = nature.and_then(|code| nature_of_distress(usize::try_from(code).ok()?)).unwrap_or("undesignated");
    let message = join(&["DSC Distress Received! Nature of distress: ", nature]);
    scene.value_at(&join(&["notifications.", nature]), Value::Object(&[("message", Value::Text(&message))]));
}
