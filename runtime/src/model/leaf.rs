//! The values of one path, one per source, and its meta.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::room::{Full, Owner, Room};
use crate::delta::Time;
use crate::json::{self, Decimal, JsonError, Value};
use crate::time::UnixMillis;

/// Sources kept for one path; a boat has two or three of a kind.
pub(super) const SOURCES_PER_PATH_MAX: usize = 8;
/// Bytes of the merged meta of one path.
pub(super) const META_BYTES_MAX: usize = 4096;
/// Bytes of a reading beside its text.
const READING_BYTES: usize = size_of::<Reading>();
/// Text that is this much longer than needed is given back.
const SLACK_BYTES: usize = 64;

/// Values by source, and what is known about them.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    readings: Vec<Reading>,
    meta: Option<Box<str>>,
    /// Place of the latest reading.
    latest: u8,
    /// Who described it last.
    described_by: Owner,
    /// Others described it too: it stays when that one goes.
    is_described_by_many: bool,
}

/// The latest value of one source.
///
/// What came as a number and a point in time stays one; what came as text keeps its text.
#[derive(Debug)]
pub(super) struct Reading {
    /// Time stamp, where it came as one.
    time: UnixMillis,
    /// Number, bits of a quotient, 0 or 1 for a boolean.
    mantissa: i64,
    /// Time stamp and value as they were written, in one text, so that a new value needs no allocation.
    text: String,
    /// Bytes of the time stamp in it.
    timestamp_len: Option<u8>,
    kind: Kind,
    exponent: i8,
    /// Who sent it.
    owner: Owner,
    /// Number of the source.
    pub(super) source: u16,
    /// PGN it came from, 0 for none.
    pub(super) pgn: u32,
}

/// What a value is held as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Null,
    Bool,
    Number,
    Float,
}

/// What a source tells of a path.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) value: &'a Value<'a>,
    pub(super) time: Time<'a>,
    /// Number of the source.
    pub(super) source: u16,
    /// PGN it came from, 0 for none.
    pub(super) pgn: u32,
}

impl Reading {
    fn new(owner: Owner) -> Self {
        Self {
            time: UnixMillis::UNKNOWN,
            mantissa: 0,
            text: String::new(),
            timestamp_len: None,
            kind: Kind::Null,
            exponent: 0,
            owner,
            source: 0,
            pgn: 0,
        }
    }

    /// Returns the time stamp.
    pub(super) fn time(&self) -> Time<'_> {
        match self.timestamp_len {
            Some(length) => Time::Text(self.text.get(..length.into()).unwrap_or_default()),
            None => Time::At(self.time),
        }
    }

    /// Returns the value.
    pub(super) fn value(&self) -> Value<'_> {
        match self.kind {
            Kind::Null => Value::Null,
            Kind::Bool => Value::Bool(self.mantissa != 0),
            Kind::Number => Value::Number(Decimal::new(self.mantissa, self.exponent)),
            Kind::Float => Value::Float(f64::from_bits(self.mantissa.cast_unsigned())),
            Kind::Json => Value::Json(self.text.get(self.timestamp_len.unwrap_or(0).into()..).unwrap_or_default()),
        }
    }

    /// Takes over what is told; its text is empty and has the room.
    fn set(&mut self, told: &Told<'_>) {
        (self.timestamp_len, self.time) = match told.time {
            Time::At(time) => (None, time),
            Time::Text(text) => {
                self.text.push_str(text);
                (u8::try_from(text.len()).ok(), UnixMillis::UNKNOWN)
            }
        };
        (self.kind, self.mantissa, self.exponent) = match *told.value {
            Value::Null => (Kind::Null, 0, 0),
            Value::Bool(value) => (Kind::Bool, value.into(), 0),
            Value::Number(Decimal { mantissa, exponent }) => (Kind::Number, mantissa, exponent),
            Value::Float(value) if value.is_finite() => (Kind::Float, value.to_bits().cast_signed(), 0),
            Value::Json(text) => {
                self.text.push_str(text);
                (Kind::Json, 0, 0)
            }
            _ => {
                self.text.push_str(&told.value.shown());
                (Kind::Json, 0, 0)
            }
        };
        (self.source, self.pgn) = (told.source, told.pgn);
    }

    fn heap_bytes(&self) -> u64 {
        READING_BYTES.saturating_add(self.text.capacity()) as u64
    }
}

impl Leaf {
    /// Returns the value that came last.
    pub(super) fn latest(&self) -> Option<&Reading> {
        self.readings.get(usize::from(self.latest))
    }

    /// Returns the latest value of each source.
    pub(super) fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Returns the meta that was sent, a compact JSON object.
    pub(super) fn meta(&self) -> Option<&str> {
        self.meta.as_deref()
    }

    /// Returns who has a value here, or else who described it; `None` where nothing is.
    pub(super) fn owner(&self) -> Option<Owner> {
        let described = self.meta.as_ref().map(|_| self.described_by);
        self.latest().or_else(|| self.readings.first()).map(|reading| reading.owner).or(described)
    }

    /// Gives back the room of everything in it.
    pub(super) fn release(&self, room: &mut Room) {
        for reading in &self.readings {
            room.give(reading.owner, reading.heap_bytes());
        }
        room.give(self.described_by, self.meta.as_ref().map_or(0, |meta| meta.len()) as u64);
    }

    /// Drops what an owner sent.
    pub(super) fn forget(&mut self, gone: Owner, room: &mut Room) {
        let latest = self.latest().map(|reading| reading.source);
        self.readings.retain(|reading| {
            let stays = reading.owner != gone;
            if !stays {
                room.give(gone, reading.heap_bytes());
            }
            stays
        });
        let latest = self.readings.iter().position(|reading| Some(reading.source) == latest).unwrap_or(0);
        self.latest = u8::try_from(latest).unwrap_or(0);
        if self.described_by == gone {
            let bytes = self.meta.as_ref().map_or(0, |meta| meta.len()) as u64;
            if self.is_described_by_many {
                room.inherit(gone, Owner::BOAT, bytes);
            } else {
                room.give(gone, bytes);
                self.meta = None;
            }
            self.described_by = Owner::BOAT;
        }
    }

    /// Drops one reading.
    pub(super) fn remove(&mut self, place: usize, room: &mut Room) {
        if place >= self.readings.len() {
            return;
        }
        let latest = self.latest().map(|reading| reading.source);
        let gone = self.readings.remove(place);
        room.give(gone.owner, gone.heap_bytes());
        let latest = self.readings.iter().position(|reading| Some(reading.source) == latest).unwrap_or(0);
        self.latest = u8::try_from(latest).unwrap_or(0);
    }

    /// Gives the readings of a source to another number.
    pub(super) fn set_source(&mut self, old: u16, new: u16) {
        self.readings.iter_mut().filter(|reading| reading.source == old).for_each(|reading| reading.source = new);
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> u64 {
        let meta = self.meta.as_ref().map_or(0, |meta| meta.len() as u64);
        self.readings.iter().map(Reading::heap_bytes).fold(meta, u64::saturating_add)
    }

    /// Takes the value of a source; beyond [`SOURCES_PER_PATH_MAX`] one of the others is replaced.
    pub(super) fn read(&mut self, told: &Told<'_>, room: &mut Room) -> Result<(), Full> {
        let of_time = match told.time {
            Time::At(_) => 0,
            Time::Text(text) if text.len() <= usize::from(u8::MAX) => text.len(),
            Time::Text(_) => return Err(Full::Entry),
        };
        let of_value = match told.value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::Float(value) if value.is_finite() => 0,
            Value::Json(text) => text.len(),
            _ => told.value.shown().len(),
        };
        let index = match self.readings.iter().position(|reading| reading.source == told.source) {
            Some(index) => index,
            None if self.readings.len() < SOURCES_PER_PATH_MAX => self.readings.len(),
            None => self.to_replace(room)?,
        };
        // An engine tells forty notifications with each message, which are what they were.
        if let (Time::At(time), Value::Json(text), Some(reading)) =
            (told.time, told.value, self.readings.get_mut(index))
            && (reading.kind, reading.timestamp_len) == (Kind::Json, None)
            && (reading.source, reading.owner) == (told.source, room.writer)
            && reading.text == **text
        {
            (reading.time, reading.pgn) = (time, told.pgn);
            self.latest = u8::try_from(index).unwrap_or(0);
            return Ok(());
        }
        let needed = of_time.saturating_add(of_value);
        let (held, owner) = self.readings.get(index).map_or((0, None), |old| (old.text.capacity(), Some(old.owner)));
        let before = if owner.is_some() { READING_BYTES.saturating_add(held) } else { 0 };
        // A number in the place of a number changes nothing.
        if owner != Some(room.writer) || needed > held {
            room.change(owner.unwrap_or(room.writer), before, READING_BYTES.saturating_add(needed.max(held)))?;
        }
        if owner.is_none() {
            self.readings.reserve_exact(1);
            self.readings.push(Reading::new(room.writer));
        }
        let Some(reading) = self.readings.get_mut(index) else {
            return Err(Full::Entry);
        };
        reading.text.clear();
        if held > needed.saturating_mul(2).saturating_add(SLACK_BYTES) {
            reading.text.shrink_to(needed);
            room.give(room.writer, held.saturating_sub(reading.text.capacity()) as u64);
        }
        if needed > held {
            reading.text.reserve_exact(needed);
        }
        reading.set(told);
        reading.owner = room.writer;
        self.latest = u8::try_from(index).unwrap_or(0);
        Ok(())
    }

    /// Takes the value of a source that another one is preferred to: it stands among the others, and replaces no latest.
    #[cold]
    pub(super) fn read_lesser(&mut self, told: &Told<'_>, room: &mut Room) -> Result<(), Full> {
        let latest = self.latest;
        let is_full = self.readings.len() >= SOURCES_PER_PATH_MAX;
        if is_full
            && self.readings.iter().all(|reading| reading.source != told.source)
            && self.to_replace(room)? == usize::from(latest)
        {
            return Err(Full::Entry);
        }
        self.read(told, room)?;
        self.latest = latest;
        Ok(())
    }

    /// Returns the reading that a further source takes the place of: a plugin replaces its own only, the boat those of
    /// plugins first.
    fn to_replace(&self, room: &mut Room) -> Result<usize, Full> {
        let next = usize::from(self.latest).saturating_add(1);
        let order = (next..next.saturating_add(SOURCES_PER_PATH_MAX)).map(|index| index % SOURCES_PER_PATH_MAX);
        let writer = room.writer;
        let may = |index: &usize| {
            let owner = self.readings.get(*index).map_or(Owner::BOAT, |reading| reading.owner);
            if writer == Owner::BOAT { owner != Owner::BOAT } else { owner == writer }
        };
        match order.clone().find(may) {
            Some(index) => Ok(index),
            None if writer == Owner::BOAT => Ok(next % SOURCES_PER_PATH_MAX),
            None => {
                room.over_share();
                Err(Full::Entry)
            }
        }
    }

    /// Merges meta members; a later one wins (plugin ABI §11.4).
    pub(super) fn describe(&mut self, meta: &str, room: &mut Room) -> Result<(), Full> {
        let merged = merge(self.meta.as_deref().unwrap_or("{}"), meta).map_err(|_| Full::Entry)?;
        if merged.len() > META_BYTES_MAX {
            return Err(Full::Entry);
        }
        if self.meta.as_deref() == Some(&*merged) {
            return Ok(());
        }
        let before = self.meta.as_ref().map_or(0, |meta| meta.len());
        room.change(if before > 0 { self.described_by } else { room.writer }, before, merged.len())?;
        self.is_described_by_many |= before > 0 && self.described_by != room.writer;
        self.described_by = room.writer;
        self.meta = Some(merged.into_boxed_str());
        Ok(())
    }
}

impl Leaf {
    /// Takes members of the meta away.
    pub(super) fn undescribe(&mut self, names: &[String], room: &mut Room) {
        let Some(meta) = self.meta.take() else { return };
        let rest = json::object(|rest| {
            // It was read before.
            let _ = json::members::<JsonError>(&meta, |name, value| {
                if !names.iter().any(|gone| gone == name) {
                    rest.json(name, value);
                }
                Ok(())
            });
        });
        let before = meta.len();
        if rest == "{}" {
            room.give(self.described_by, before as u64);
            return;
        }
        // It is shorter than before, so there is room.
        let _ = room.change(self.described_by, before, rest.len());
        self.meta = Some(rest.into_boxed_str());
    }
}

/// Returns the members of `under`, overlaid with those of `over`; both compact objects.
pub(super) fn merge(under: &str, over: &str) -> Result<String, JsonError> {
    let mut text = String::with_capacity(under.len().saturating_add(over.len()));
    let mut read = Ok(());
    json::write_object(&mut text, |out| {
        read = json::members::<JsonError>(under, |key, value| {
            if json::member(over, key).is_none() {
                out.json(key, value);
            }
            Ok(())
        });
        let over = json::members::<JsonError>(over, |key, value| {
            out.json(key, value);
            Ok(())
        });
        read = read.and(over);
    });
    read.map(|()| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn told<'a>(value: &'a Value<'a>, time: &'a str, source: u16, pgn: u32) -> Told<'a> {
        Told { value, time: Time::Text(time), source, pgn }
    }

    #[test]
    fn a_number_and_a_point_in_time_take_no_text() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        leaf.read(
            &told(&Value::Json(r#"{"a":"a longer text than the next"}"#), "2026-01-01T00:00:00.000Z", 0, 0),
            &mut room,
        )
        .unwrap();
        let number = Value::Number(Decimal::new(-15, -1));
        for value in [number, Value::Null, Value::Bool(true), Value::Bool(false)] {
            let time = Time::At(UnixMillis(7));
            leaf.read(&Told { value: &value, time, source: 0, pgn: 0 }, &mut room).unwrap();
            assert_eq!(leaf.latest().map(|latest| (latest.time(), latest.value())), Some((time, value)));
            assert_eq!(leaf.heap_bytes(), room.bytes());
        }
        let time = Time::Text("2027");
        leaf.read(&Told { value: &number, time, source: 0, pgn: 0 }, &mut room).unwrap();
        assert_eq!(leaf.latest().map(|latest| (latest.time(), latest.value())), Some((time, number)));
        let text = Told { value: &Value::Text("a\"b"), time: Time::At(UnixMillis(7)), source: 0, pgn: 0 };
        leaf.read(&text, &mut room).unwrap();
        assert_eq!(leaf.latest().map(Reading::value), Some(Value::Json(r#""a\"b""#)));
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn a_reading_is_overwritten_in_place() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        leaf.read(&told(&Value::Json("1.25"), "2026", 3, 128_259), &mut room).unwrap();
        let bytes = room.bytes();
        leaf.read(&told(&Value::Json("7"), "2027", 3, 128_259), &mut room).unwrap();
        assert_eq!((room.bytes(), leaf.readings().len()), (bytes, 1));
        let latest = leaf.latest().unwrap();
        assert_eq!((latest.time(), latest.value()), (Time::Text("2027"), Value::Json("7")));
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn room_is_given_back_when_a_long_value_shrinks() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        let long = std::format!("\"{}\"", "x".repeat(5000));
        leaf.read(&told(&Value::Json(&long), "2026", 0, 0), &mut room).unwrap();
        assert!(room.bytes() > 5000);
        leaf.read(&told(&Value::Json("1"), "2026", 0, 0), &mut room).unwrap();
        assert!(room.bytes() < 200);
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn sources_of_a_path_are_bounded() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        for source in 0..50 {
            leaf.read(&told(&Value::Json("1"), "2026", source, 0), &mut room).unwrap();
        }
        assert_eq!(leaf.readings().len(), SOURCES_PER_PATH_MAX);
        assert_eq!(leaf.latest().unwrap().source, 49);
    }

    #[test]
    fn a_lesser_value_stands_among_the_others_and_replaces_no_latest() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 100_000));
        room.writer = room.owner(&Arc::from("p"));
        leaf.read(&told(&Value::Json("1"), "2026", 0, 0), &mut room).unwrap();
        room.writer = Owner::BOAT;
        for source in 1..50 {
            leaf.read_lesser(&told(&Value::Json("2"), "2027", source, 0), &mut room).ok();
            assert_eq!(leaf.latest().map(|latest| (latest.source, latest.value())), Some((0, Value::Json("1"))));
        }
        assert_eq!(leaf.readings().len(), SOURCES_PER_PATH_MAX);
        leaf.read_lesser(&told(&Value::Json("3"), "2028", 7, 0), &mut room).unwrap();
        assert!(leaf.readings().iter().any(|reading| (reading.source, reading.value()) == (7, Value::Json("3"))));
    }

    #[test]
    fn meta_is_merged_and_bounded() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        leaf.describe(r#"{"units":"m","zones":[]}"#, &mut room).unwrap();
        leaf.describe(r#"{"zones":[1],"supportsPut":true}"#, &mut room).unwrap();
        assert_eq!(leaf.meta(), Some(r#"{"units":"m","zones":[1],"supportsPut":true}"#));
        assert_eq!(leaf.describe("7", &mut room), Err(Full::Entry));
        let long = std::format!(r#"{{"description":"{}"}}"#, "x".repeat(META_BYTES_MAX));
        assert_eq!(leaf.describe(&long, &mut room), Err(Full::Entry));
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn a_full_model_refuses_and_changes_nothing() {
        // Sizes of the structures differ between targets, so the room is made for one value and a little.
        let mut ample = Room::new(1, 10_000);
        Leaf::default().read(&told(&Value::Json("1"), "2026", 0, 0), &mut ample).unwrap();
        let bytes_max = u32::try_from(ample.bytes()).unwrap() + 100;
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, bytes_max));
        leaf.read(&told(&Value::Json("1"), "2026", 0, 0), &mut room).unwrap();
        room.take(60).unwrap();
        let long = |bytes| std::format!("\"{}\"", "x".repeat(bytes));
        assert_eq!(leaf.read(&told(&Value::Json(&long(60)), "2027", 0, 0), &mut room), Err(Full::Model));
        assert_eq!(leaf.read(&told(&Value::Json(&long(200)), "2027", 0, 0), &mut room), Err(Full::Entry));
        assert_eq!(leaf.latest().unwrap().value(), Value::Json("1"));
    }
}
