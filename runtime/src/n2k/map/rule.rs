//! The table form of a rule: which field goes to which path, and how.

use super::faults;
use super::memory::GivenKey;
use super::text::{ShortText, digits, join, lower};
use super::{Place, Scene};
use crate::delta::{BusInstance, Value};
use crate::json::Decimal;
use crate::n2k::decode::Decoded;
use crate::n2k::id::Id;
use crate::n2k::tables::Field;

/// The mapping of one PGN.
pub(in crate::n2k) struct Mapping {
    pub pgn: u32,
    pub root: Root,
    pub leaves: &'static [Leaf],
    /// What no table says, after the leaves.
    pub code: Option<fn(&mut Scene<'_>)>,
    pub target: Target,
    pub instance: Instance,
}

/// Prefix of all paths of a PGN; nothing is mapped when a part of it is missing.
#[derive(Clone, Copy)]
pub(in crate::n2k) enum Root {
    /// Nothing: leaves are whole paths.
    None,
    /// The text and field `instance`.
    Instance(&'static str),
    /// The text, the source address, a point and field `connectionNumber`.
    Connection(&'static str),
    /// `propulsion.` and the engine that field `instance` names.
    Engine,
    /// Two sides of the device instance of the sender's address claim.
    Device(&'static str, &'static str),
}

/// Whose data a PGN holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::n2k) enum Target {
    /// The own vessel.
    Own,
    /// `vessels`, by field `userId`.
    Vessel,
    /// `atons`, by field `userId`.
    Aton,
    /// `shore.basestations`, by field `userId` with zeros in front.
    Station,
    /// `sar`, by field `userId` with zeros in front.
    Aircraft,
    /// `vessels`, by field `sourceId` with zeros in front.
    Sender,
    /// `vessels`, by the first nine digits of field `dscMessageAddress`.
    Caller,
}

/// What `source.instance` of a PGN is: those that carry one single reading name its instance.
#[derive(Clone, Copy)]
pub(in crate::n2k) enum Instance {
    /// Left out.
    None,
    /// The field, left out when it is absent.
    Known(Field),
    /// The field, the word `undefined` when it is absent, as the peer has it.
    Named(Field),
    /// The word `undefined`: the database has no such field.
    Undefined,
    /// Left out; the field tells apart what one device sends of several things.
    Picks(Field),
}

/// One field and the path that it goes to.
pub(in crate::n2k) struct Leaf {
    pub field: Field,
    pub path: &'static str,
    pub how: How,
}

/// How a field becomes a value. Without a field there is none, except where it says so.
#[derive(Clone, Copy)]
pub(in crate::n2k) enum How {
    /// As decoded: a number, or the text of a code, or a code that has no text.
    Same,
    /// As decoded, but zero stands for "no sensor" and gives nothing.
    UnlessZero,
    /// A span of 16 bits of minutes, `null` when it is absent: a value that goes away must be seen to go. The two
    /// codes below "not available" are spans as well, as the peer has it.
    MinutesOrNull,
    /// Times a power of ten: percent to ratio is -2.
    Shift(i8),
    /// Times a power of ten when it is above zero, else as decoded; one of the peer's faults.
    ShiftAboveZero(i8),
    /// Times a power of ten, `null` when it is absent.
    ShiftOrNull(i8),
    /// Times an integer: kilowatt hours to joule.
    Times(i64),
    /// Divided by a number that gives no exact decimal.
    Per(f64),
    /// Divided, `null` when it is absent.
    PerOrNull(f64),
    /// Code 1 is true, 0 false, others ("error") nothing.
    Switch,
    /// The text of a code; nothing for a code without one.
    Text,
    /// The same in lower case.
    LowerText,
    /// The text of a code, texts in the list replaced.
    Renamed(&'static [(&'static str, &'static str)]),
}

/// What the peer multiplies where there is nothing.
const ABSENT_IS_ZERO: Option<Decimal> = if faults::ON { Some(Decimal::new(0, 0)) } else { None };

/// Short form of a [`Leaf`].
pub(super) const fn leaf(field: Field, path: &'static str, how: How) -> Leaf {
    Leaf { field, path, how }
}

impl Mapping {
    /// A PGN that its leaves say all of.
    pub const fn fields(pgn: u32, root: Root, leaves: &'static [Leaf]) -> Self {
        Self { pgn, root, leaves, code: None, target: Target::Own, instance: Instance::None }
    }

    /// A PGN that needs code.
    pub const fn code(pgn: u32, code: fn(&mut Scene<'_>)) -> Self {
        Self { pgn, root: Root::None, leaves: &[], code: Some(code), target: Target::Own, instance: Instance::None }
    }

    /// Adds code that runs after the leaves.
    pub const fn and(mut self, code: fn(&mut Scene<'_>)) -> Self {
        self.code = Some(code);
        self
    }

    /// Returns the context whose data the PGN holds.
    pub const fn of(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Says what `source.instance` is.
    pub const fn instance(mut self, instance: Instance) -> Self {
        self.instance = instance;
        self
    }

    /// Returns `source.instance` of a delta.
    pub fn source_instance(&self, decoded: &Decoded<'_>) -> Option<BusInstance> {
        let number = |field| decoded.raw(field).and_then(|raw| u32::try_from(raw).ok()).map(BusInstance::Number);
        match self.instance {
            Instance::None | Instance::Picks(_) => None,
            Instance::Known(field) => number(field),
            Instance::Named(field) => number(field).or(Some(BusInstance::Undefined)),
            Instance::Undefined => Some(BusInstance::Undefined),
        }
    }

    /// Returns what its messages from one device are known by, apart from those that go to other paths; `None` where a
    /// value that is gone is not told of: other vessels send what they have.
    pub fn key(&self, rule: u8, id: Id, decoded: &Decoded<'_>) -> Option<GivenKey> {
        if self.target != Target::Own || faults::ON {
            return None;
        }
        let byte = |field| decoded.raw(field).map_or(u8::MAX, |raw| raw.to_le_bytes()[0]);
        let picks = match (self.root, self.instance) {
            (Root::Instance(_) | Root::Engine, _) => [byte(Field::Instance), 0],
            (Root::Connection(_), _) => [byte(Field::ConnectionNumber), 0],
            (_, Instance::Known(field) | Instance::Named(field)) => [byte(field), byte(Field::Source)],
            (_, Instance::Undefined) => [0, byte(Field::TemperatureSource)],
            (_, Instance::Picks(field)) => [0, byte(field)],
            _ => [0, 0],
        };
        Some(GivenKey::new(id.source, rule, picks))
    }

    /// Gives every value of the payload to the sink.
    pub fn run(&self, scene: &mut Scene<'_>) {
        if !self.leaves.is_empty()
            && let Some(root) = self.root.text(scene)
        {
            told_leaves(scene, &root, self.leaves);
        }
        if let Some(code) = self.code {
            code(scene);
        }
    }
}

impl Root {
    /// Returns the text, `None` when a part of it is missing.
    pub fn text(self, scene: &Scene<'_>) -> Option<ShortText> {
        Some(match self {
            Self::None => ShortText::new(),
            Self::Instance(base) => join(&[base, &faults::named(scene.decoded.raw(Field::Instance))?]),
            Self::Connection(base) => {
                let connection = faults::named(scene.decoded.raw(Field::ConnectionNumber))?;
                join(&[base, &digits(scene.id.source.0.into()), ".", &connection])
            }
            Self::Engine => join(&["propulsion.", &super::propulsion::Engine::of(scene.decoded)?.id]),
            Self::Device(before, after) => {
                join(&[before, &digits(scene.memory.source(scene.id.source)?.device_instance()?.into()), after])
            }
        })
    }
}

/// Gives the values of `leaves` below `root` to the sink, and tells which of them are gone.
pub(super) fn told_leaves(scene: &mut Scene<'_>, root: &str, leaves: &[Leaf]) {
    for (bit, leaf) in (0..).zip(leaves) {
        leaf.how.tell_at(scene, bit, leaf.field, place(root, leaf.path));
    }
}

/// Gives the values of `leaves` below `root` to the sink.
pub(super) fn leaves(scene: &mut Scene<'_>, root: &str, leaves: &[Leaf]) {
    for leaf in leaves {
        leaf.how.give_at(scene, leaf.field, place(root, leaf.path));
    }
}

fn place<'a>(root: &'a str, leaf: &'static str) -> Place<'a> {
    if root.is_empty() { Place::Fixed(leaf) } else { Place::Below(root, leaf) }
}

impl How {
    /// Gives the value of `field`, if there is one, to the sink.
    pub fn give(self, scene: &mut Scene<'_>, field: Field, path: &str) {
        self.give_at(scene, field, Place::at(path));
    }

    fn give_at(self, scene: &mut Scene<'_>, field: Field, place: Place<'_>) {
        let given = core::mem::take(&mut scene.given);
        self.tell_at(scene, 0, field, place);
        scene.given = given;
    }

    /// As [`give`](Self::give), and tells when it is gone; `bit` is the leaf's own among those of its PGN.
    pub fn tell(self, scene: &mut Scene<'_>, bit: u8, field: Field, path: &'static str) {
        self.tell_at(scene, bit, field, Place::Fixed(path));
    }

    /// As [`tell`](Self::tell), wherever the value goes.
    pub(super) fn tell_at(self, scene: &mut Scene<'_>, bit: u8, field: Field, place: Place<'_>) {
        let lowered;
        let decoded = scene.decoded;
        let number = || decoded.number(field);
        let value = match self {
            Self::Same => same(decoded, field),
            // It says neither that there is a value nor that it is gone.
            Self::UnlessZero if decoded.raw(field) == Some(0) => return,
            Self::UnlessZero => same(decoded, field),
            Self::MinutesOrNull => Some(number().or_else(|| beyond(decoded, field)).map_or(Value::Null, Value::Number)),
            Self::Shift(power) => number().map(|value| Value::Number(shifted(value, power))),
            Self::ShiftAboveZero(power) => {
                number().map(|value| Value::Number(shifted(value, if value.mantissa > 0 { power } else { 0 })))
            }
            Self::ShiftOrNull(power) => {
                Some(number().map_or(Value::Null, |value| Value::Number(shifted(value, power))))
            }
            Self::Times(factor) => number()
                .or(ABSENT_IS_ZERO
                    .filter(|_| decoded.bits(field).is_some_and(|bits| !matches!(bits, 0xffff | 0xffff_ffff))))
                .and_then(|value| times(value, factor))
                .map(Value::Number),
            Self::Per(divisor) => number().map(|value| per(value, divisor)),
            Self::PerOrNull(divisor) => Some(number().map_or(Value::Null, |value| per(value, divisor))),
            Self::Switch => match decoded.raw(field) {
                Some(0) => Some(Value::Bool(false)),
                Some(1) => Some(Value::Bool(true)),
                _ => None,
            },
            Self::Text => decoded.text(field).map(Value::Text),
            Self::LowerText => match decoded.text(field) {
                Some(text) => {
                    lowered = lower(text);
                    Some(Value::Text(&lowered))
                }
                None => None,
            },
            Self::Renamed(names) => match same(decoded, field) {
                Some(Value::Text(text)) => {
                    let renamed = names.iter().find(|(from, _)| *from == text).map_or(text, |(_, to)| *to);
                    Some(Value::Text(renamed))
                }
                other => other,
            },
        };
        scene.tell(bit, place, value);
    }
}

/// Returns a field as decoded: the text of a code, or the number.
pub(super) fn same(decoded: &Decoded<'_>, field: Field) -> Option<Value<'static>> {
    Some(match decoded.text_or_number(field)? {
        Ok(text) => Value::Text(text),
        Err(number) => Value::Number(number),
    })
}

/// Returns the seconds of the codes 0xFFFD and 0xFFFE of a span of 16 bits of minutes, which the database's range ends
/// before.
fn beyond(decoded: &Decoded<'_>, field: Field) -> Option<Decimal> {
    let minutes = decoded.bits(field).filter(|bits| matches!(bits, 0xfffd | 0xfffe))?;
    Some(Decimal::new(i64::try_from(minutes).ok()?.checked_mul(60)?, 0))
}

/// Returns `value` × 10^`power`.
pub(super) fn shifted(value: Decimal, power: i8) -> Decimal {
    Decimal::new(value.mantissa, value.exponent.saturating_add(power))
}

/// Returns `value` × `factor`; `None` when it does not fit.
pub(super) fn times(value: Decimal, factor: i64) -> Option<Decimal> {
    Some(Decimal::new(value.mantissa.checked_mul(factor)?, value.exponent))
}

/// Returns `value` / `divisor`, which has no exact decimal.
pub(super) fn per(value: Decimal, divisor: f64) -> Value<'static> {
    Value::Float(value.to_f64() / divisor)
}

/// Returns the exact sum; `None` when it does not fit.
pub(super) fn sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    let exponent = left.exponent.min(right.exponent);
    let aligned = |value: Decimal| {
        let scale = 10_i64.checked_pow(u32::from(value.exponent.abs_diff(exponent)))?;
        value.mantissa.checked_mul(scale)
    };
    Some(Decimal::new(aligned(left)?.checked_add(aligned(right)?)?, exponent))
}
