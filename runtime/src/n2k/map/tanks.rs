//! Tanks: 127505.

use super::Scene;
use super::faults;
use super::rule::{How, Mapping, leaf, leaves};
use super::text::join;
use crate::n2k::tables::Field;

pub(super) const MAPPINGS: &[Mapping] = &[Mapping::code(127_505, level)];

/// By code of lookup TANK_TYPE.
pub(in crate::n2k) const FLUIDS: [&str; 6] =
    ["fuel", "freshWater", "wasteWater", "liveWell", "lubrication", "blackWater"];

/// PGN 127505: the level always, null when absent; the capacity in cubic metres.
fn level(scene: &mut Scene<'_>) {
    let Some(instance) = faults::named(scene.decoded.raw(Field::Instance)) else { return };
    let fluid = scene.decoded.raw(Field::Type).and_then(|code| usize::try_from(code).ok());
    let fluid = fluid.and_then(|code| FLUIDS.get(code)).unwrap_or(&"undefined");
    let root = join(&["tanks.", fluid, ".", &instance]);
    leaves(
        scene,
        &root,
        &[
            leaf(Field::Level, ".currentLevel", How::ShiftOrNull(-2)),
            leaf(Field::Capacity, ".capacity", How::Shift(-3)),
        ],
    );
}
