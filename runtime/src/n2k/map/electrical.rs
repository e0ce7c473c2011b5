//! Batteries: 127508.

use super::{copy, digits, join};
use crate::delta::ValueSink;
use crate::n2k::decode::Decoded;
use crate::n2k::tables::Field;

/// PGN 127508.
pub(super) fn battery(decoded: &Decoded, sink: &mut dyn ValueSink) {
    let Some(instance) = decoded.raw(Field::Instance) else { return };
    let instance = digits(instance);
    let leaves = [(Field::Voltage, ".voltage"), (Field::Current, ".current"), (Field::Temperature, ".temperature")];
    for (field, leaf) in leaves {
        copy(decoded, field, &join(&["electrical.batteries.", &instance, leaf]), sink);
    }
}
