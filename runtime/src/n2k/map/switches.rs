//! Switch banks: 127501.

use super::Scene;
use super::faults;
use super::rule::Mapping;
use super::text::{digits, join};
use crate::delta::Value;
use crate::json::Decimal;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[Mapping::code(127_501, bank)];

/// The switches of a bank, in order.
const INDICATORS: [Field; 28] = [
    Field::Indicator1,
    Field::Indicator2,
    Field::Indicator3,
    Field::Indicator4,
    Field::Indicator5,
    Field::Indicator6,
    Field::Indicator7,
    Field::Indicator8,
    Field::Indicator9,
    Field::Indicator10,
    Field::Indicator11,
    Field::Indicator12,
    Field::Indicator13,
    Field::Indicator14,
    Field::Indicator15,
    Field::Indicator16,
    Field::Indicator17,
    Field::Indicator18,
    Field::Indicator19,
    Field::Indicator20,
    Field::Indicator21,
    Field::Indicator22,
    Field::Indicator23,
    Field::Indicator24,
    Field::Indicator25,
    Field::Indicator26,
    Field::Indicator27,
    Field::Indicator28,
];

/// PGN 127501: 1 when on, 0 for anything else that is there, and the number of the switch beside it.
fn bank(scene: &mut Scene<'_>) {
    let Some(instance) = faults::named(scene.decoded.raw(Field::Instance)) else { return };
    let root = join(&["electrical.switches.bank.", &instance, "."]);
    for (number, field) in (1..).zip(INDICATORS) {
        let Some(raw) = scene.decoded.raw(field) else { continue };
        let switch = digits(number);
        scene.value_at(&join(&[&root, &switch, ".state"]), Value::Number(Decimal::new(i64::from(raw == 1), 0)));
        scene.value_at(&join(&[&root, &switch, ".order"]), Value::Number(Decimal::new(number, 0)));
    }
}
