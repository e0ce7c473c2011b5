//! PGN to Signal K paths and values.
//!
//! The rules are those of the npm package @signalk/n2k-signalk 4.6.0 with the PGNs that 4.7.0 added; where
//! they are at fault the sane value is given, and `docs/n2k-differences.md` lists each case. A PGN's rule is
//! a row of `rule::Mapping`: a table of fields and paths, code only for what no table says. Values go
//! straight from the payload into the sink, nothing is allocated on the way. Codes are compared as numbers;
//! texts of lookups are read only where they become values or parts of paths.

mod ais;
mod ais_names;
mod alerts;
mod batteries;
mod course;
mod displays;
mod entertainment;
mod environment;
mod faults;
pub(super) mod memory;
mod navigation;
mod power;
mod propulsion;
mod radio;
mod rule;
mod steering;
mod switches;
mod tanks;
mod target;
mod text;
mod watermaker;

use self::memory::Memory;
use super::decode::Decoded;
use super::id::{Id, Pgn};
use crate::delta::{Value, ValueSink};
use crate::time::UnixMillis;

pub(crate) use self::ais_names::{aton_type, ship_type};
pub(super) use self::environment::temperature_source;
pub use self::memory::{ALERT_TEXT_BYTES_MAX, ALERT_TEXTS_MAX};
pub(crate) use self::radio::nature_of_distress;
pub(super) use self::rule::{Mapping, Target};
pub(super) use self::tanks::FLUIDS;
pub(super) use self::target::DeltaContext;
pub(super) use self::text::digits;

/// What a rule reads and writes.
pub(super) struct Scene<'a> {
    pub decoded: &'a Decoded<'a>,
    pub id: Id,
    /// Time of the message, where it is known.
    pub time: UnixMillis,
    pub memory: &'a mut Memory,
    pub sink: &'a mut dyn ValueSink,
    /// A bit for each leaf that has a value since the last message that had none for it.
    pub given: u32,
}

/// Path of a value.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// A constant.
    Fixed(&'static str),
    /// Root and leaf, in one.
    Below(&'a str, &'static str),
}

impl<'a> Place<'a> {
    /// A path that was put together.
    fn at(path: &'a str) -> Self {
        Self::Below(path, "")
    }
}

impl Scene<'_> {
    /// Returns the scene of one group of a repeating set.
    fn of<'b>(&'b mut self, group: &'b Decoded<'b>) -> Scene<'b> {
        Scene { decoded: group, id: self.id, time: self.time, memory: self.memory, sink: self.sink, given: 0 }
    }

    /// Gives the value of leaf number `bit`. One that is not available any more is null, once: what went away must be
    /// seen to go, and a device that never has it must not speak over another one that does.
    #[inline]
    fn tell(&mut self, bit: u8, place: Place<'_>, value: Option<Value<'_>>) {
        let mask = 1_u32 << (bit & 31);
        let value = match value {
            Some(value) => {
                self.given |= mask;
                value
            }
            None if self.given & mask != 0 => {
                self.given &= !mask;
                Value::Null
            }
            None => return,
        };
        match place {
            Place::Fixed(path) => self.sink.fixed(path, value),
            Place::Below(root, leaf) => self.sink.value_below(root, leaf, value),
        }
    }

    fn value(&mut self, path: &'static str, value: Value<'_>) {
        self.sink.fixed(path, value);
    }

    /// Gives a value at a path that was put together.
    fn value_at(&mut self, path: &str, value: Value<'_>) {
        self.sink.value(path, value);
    }
}

/// All rules, by what they are about.
const GROUPS: [&[Mapping]; 15] = [
    ais::MAPPINGS,
    alerts::MAPPINGS,
    batteries::MAPPINGS,
    course::MAPPINGS,
    displays::MAPPINGS,
    entertainment::MAPPINGS,
    environment::MAPPINGS,
    navigation::MAPPINGS,
    power::MAPPINGS,
    propulsion::MAPPINGS,
    radio::MAPPINGS,
    steering::MAPPINGS,
    switches::MAPPINGS,
    tanks::MAPPINGS,
    watermaker::MAPPINGS,
];

#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
const COUNT: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// The rules by PGN, ascending; sorted when this is compiled.
#[expect(clippy::indexing_slicing, reason = "evaluated when this is compiled")]
static BY_PGN: [&Mapping; COUNT] = {
    let mut sorted: [&Mapping; COUNT] = [&GROUPS[0][0]; COUNT];
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut row = 0;
        while row < GROUPS[group].len() {
            let mapping = &GROUPS[group][row];
            let mut at = count;
            while at > 0 && sorted[at - 1].pgn > mapping.pgn {
                sorted[at] = sorted[at - 1];
                at -= 1;
            }
            sorted[at] = mapping;
            count += 1;
            row += 1;
        }
        group += 1;
    }
    sorted
};

/// Finds the rule of `pgn`, and its number among all.
pub(super) fn find(pgn: Pgn) -> Option<(u8, &'static Mapping)> {
    // There are fewer than 256.
    const { assert!(COUNT <= 256) };
    let at = BY_PGN.binary_search_by_key(&pgn.0, |mapping| mapping.pgn).ok()?;
    Some((at.to_le_bytes()[0], BY_PGN.get(at)?))
}

/// Tells whether `pgn` has a rule.
#[must_use]
pub fn is_mapped(pgn: Pgn) -> bool {
    find(pgn).is_some()
}

#[cfg(test)]
mod tests;
