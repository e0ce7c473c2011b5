//! The values of one path, one per source, and its meta.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::room::{Full, Owner, Room};
use crate::json::{self, JsonError};

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
#[derive(Debug)]
pub(super) struct Reading {
    /// Time stamp and value in one text, so that a new value needs no allocation.
    text: String,
    timestamp_len: u8,
    /// Who sent it.
    owner: Owner,
    /// Number of the source.
    pub(super) source: u16,
    /// PGN it came from, 0 for none.
    pub(super) pgn: u32,
}

impl Reading {
    /// Returns the time stamp, ISO 8601.
    pub(super) fn timestamp(&self) -> &str {
        self.text.get(..usize::from(self.timestamp_len)).unwrap_or_default()
    }

    /// Returns the value, compact JSON.
    pub(super) fn value(&self) -> &str {
        self.text.get(usize::from(self.timestamp_len)..).unwrap_or_default()
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
    pub(super) fn read(
        &mut self,
        value: &str,
        timestamp: &str,
        source: u16,
        pgn: u32,
        room: &mut Room,
    ) -> Result<(), Full> {
        let timestamp_len = u8::try_from(timestamp.len()).map_err(|_| Full::Entry)?;
        let index = match self.readings.iter().position(|reading| reading.source == source) {
            Some(index) => index,
            None if self.readings.len() < SOURCES_PER_PATH_MAX => self.readings.len(),
            None => self.to_replace(room)?,
        };
        let needed = timestamp.len().saturating_add(value.len());
        let (held, owner) = self.readings.get(index).map_or((0, None), |old| (old.text.capacity(), Some(old.owner)));
        let before = if owner.is_some() { READING_BYTES.saturating_add(held) } else { 0 };
        room.change(owner.unwrap_or(room.writer), before, READING_BYTES.saturating_add(needed.max(held)))?;
        if owner.is_none() {
            self.readings.reserve_exact(1);
            self.readings.push(Reading { text: String::new(), timestamp_len, owner: room.writer, source, pgn });
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
        reading.text.push_str(timestamp);
        reading.text.push_str(value);
        (reading.timestamp_len, reading.source, reading.pgn) = (timestamp_len, source, pgn);
        reading.owner = room.writer;
        self.latest = u8::try_from(index).unwrap_or(0);
        Ok(())
    }

    /// Takes the value of a source that another one is preferred to: it stands among the others, and replaces no latest.
    #[cold]
    pub(super) fn read_lesser(
        &mut self,
        value: &str,
        timestamp: &str,
        source: u16,
        pgn: u32,
        room: &mut Room,
    ) -> Result<(), Full> {
        let latest = self.latest;
        let is_full = self.readings.len() >= SOURCES_PER_PATH_MAX;
        if is_full
            && self.readings.iter().all(|reading| reading.source != source)
            && self.to_replace(room)? == usize::from(latest)
        {
            return Err(Full::Entry);
        }
        self.read(value, timestamp, source, pgn, room)?;
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

    #[test]
    fn a_reading_is_overwritten_in_place() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        leaf.read("1.25", "2026", 3, 128_259, &mut room).unwrap();
        let bytes = room.bytes();
        leaf.read("7", "2027", 3, 128_259, &mut room).unwrap();
        assert_eq!((room.bytes(), leaf.readings().len()), (bytes, 1));
        let latest = leaf.latest().unwrap();
        assert_eq!((latest.timestamp(), latest.value()), ("2027", "7"));
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn room_is_given_back_when_a_long_value_shrinks() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        let long = std::format!("\"{}\"", "x".repeat(5000));
        leaf.read(&long, "2026", 0, 0, &mut room).unwrap();
        assert!(room.bytes() > 5000);
        leaf.read("1", "2026", 0, 0, &mut room).unwrap();
        assert!(room.bytes() < 200);
        assert_eq!(leaf.heap_bytes(), room.bytes());
    }

    #[test]
    fn sources_of_a_path_are_bounded() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 10_000));
        for source in 0..50 {
            leaf.read("1", "2026", source, 0, &mut room).unwrap();
        }
        assert_eq!(leaf.readings().len(), SOURCES_PER_PATH_MAX);
        assert_eq!(leaf.latest().unwrap().source, 49);
    }

    #[test]
    fn a_lesser_value_stands_among_the_others_and_replaces_no_latest() {
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, 100_000));
        room.writer = room.owner(&Arc::from("p"));
        leaf.read("1", "2026", 0, 0, &mut room).unwrap();
        room.writer = Owner::BOAT;
        for source in 1..50 {
            leaf.read_lesser("2", "2027", source, 0, &mut room).ok();
            assert_eq!(leaf.latest().map(|latest| (latest.source, latest.value())), Some((0, "1")));
        }
        assert_eq!(leaf.readings().len(), SOURCES_PER_PATH_MAX);
        leaf.read_lesser("3", "2028", 7, 0, &mut room).unwrap();
        assert!(leaf.readings().iter().any(|reading| (reading.source, reading.value()) == (7, "3")));
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
        Leaf::default().read("1", "2026", 0, 0, &mut ample).unwrap();
        let bytes_max = u32::try_from(ample.bytes()).unwrap() + 100;
        let (mut leaf, mut room) = (Leaf::default(), Room::new(1, bytes_max));
        leaf.read("1", "2026", 0, 0, &mut room).unwrap();
        room.take(60).unwrap();
        let long = |bytes| std::format!("\"{}\"", "x".repeat(bytes));
        assert_eq!(leaf.read(&long(60), "2027", 0, 0, &mut room), Err(Full::Model));
        assert_eq!(leaf.read(&long(200), "2027", 0, 0, &mut room), Err(Full::Entry));
        assert_eq!(leaf.latest().unwrap().value(), "1");
    }
}
