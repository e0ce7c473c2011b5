//! Who sent values: the `sources` tree.
//!
//! What a plugin calls a source is the plugin's own, whatever it says: `can0.7` of a plugin and `can0.7` of the bus are
//! two, and `sources` lists the first below the plugin's package.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::ops::Bound;

use super::by_path::hash;
use super::context::{ContextTree, Node};
use super::leaf::Reading;
use super::room::{Full, Owner, Room, SHARE};
use crate::delta::{Origin, Time};
use crate::json::{self, JsonError, Value};
use crate::sorted;
use crate::time::UnixMillis;

/// Sources known at the same time; an NMEA 2000 network has at most 252 addresses.
const SOURCES_MAX: usize = 512;
/// PGNs listed for one source.
const PGNS_PER_SOURCE_MAX: usize = 64;
/// Bytes that a source is counted with beside its reference: the row, its texts and the entry in the map.
const ROW_BYTES: usize = size_of::<Row>() + 96;
/// Bytes that a listed PGN is counted with; a growing list has up to half its room free.
const PGN_BYTES: usize = 2 * size_of::<(u32, UnixMillis)>();
/// Sources that are found at once; a boat has some twenty devices that tell.
const RECENT: usize = 32;
/// Deltas between two looks for sources that can be forgotten.
const SWEEP_DELTAS: u64 = 1000;

/// Parts what a plugin calls a source from its package; no `$source` has it in it.
const BY: char = '\0';

/// Returns what a source of a plugin is known by: what it is called, and by which package.
pub(super) fn called_by(package: &str, said: &str) -> String {
    let mut known_by = String::with_capacity(said.len().saturating_add(package.len()).saturating_add(1));
    known_by.push_str(said);
    known_by.push(BY);
    known_by.push_str(package);
    known_by
}

/// Returns what a source is called, and by which package; `None` for the boat.
fn parts(known_by: &str) -> (&str, Option<&str>) {
    known_by.split_once(BY).map_or((known_by, None), |(said, package)| (said, Some(package)))
}

/// Every source, by number.
#[derive(Debug, Default)]
pub(super) struct Sources {
    rows: Vec<Option<Row>>,
    by_reference: BTreeMap<Box<str>, u16>,
    /// Numbers of those that told last, each at the place that its reference gives: devices tell again and again.
    recent: [u16; RECENT],
    next_sweep: u64,
}

#[derive(Debug)]
struct Row {
    owner: Owner,
    /// What it is known by: its `$source`, that of a plugin with the package.
    reference: Box<str>,
    /// The package, for a source of a plugin.
    label: Box<str>,
    kind: Option<Box<str>>,
    /// Source address on an NMEA 2000 network.
    src: Option<Box<str>>,
    /// That address, when a bus said all of it last.
    noted: Option<u8>,
    /// When each PGN was last seen.
    pgns: Vec<(u32, UnixMillis)>,
    /// What the device says of itself, a JSON object.
    #[cfg(any(test, feature = "devices"))]
    about: Box<str>,
}

impl Sources {
    /// Tells whether `reference` is new and there is no room, and it is time to look for some.
    pub(super) fn is_full_for(&self, reference: &str, sequence: u64) -> bool {
        self.by_reference.len() >= SOURCES_MAX
            && sequence >= self.next_sweep
            && !self.by_reference.contains_key(reference)
    }

    /// Forgets the sources whose number is not marked in `used`.
    pub(super) fn keep_only(&mut self, used: &[bool], sequence: u64, room: &mut Room) {
        self.next_sweep = sequence.saturating_add(SWEEP_DELTAS);
        let is_used = |number: usize| used.get(number).is_some_and(|used| *used);
        self.by_reference.retain(|_, number| is_used(usize::from(*number)));
        for (number, row) in self.rows.iter_mut().enumerate() {
            if !is_used(number)
                && let Some(row) = row.take()
            {
                room.give(row.owner, row.counted_bytes() as u64);
            }
        }
    }

    /// Forgets the sources of an owner that is gone, with all values.
    pub(super) fn forget(&mut self, gone: Owner, room: &mut Room) {
        for slot in &mut self.rows {
            if let Some(row) = slot.take_if(|row| row.owner == gone) {
                room.give(gone, row.counted_bytes() as u64);
                self.by_reference.remove(&row.reference);
            }
        }
    }

    /// Finds or adds a source, `reference` as [`called_by`] has it, and notes what its `source` object says; gives its
    /// number and the PGN (0: none).
    ///
    /// # Errors
    /// [`Full::Entry`] when the table is full, [`Full::Model`] when the model is.
    pub(super) fn seen(
        &mut self,
        reference: &str,
        origin: Option<Origin<'_>>,
        time: Time<'_>,
        room: &mut Room,
    ) -> Result<(u16, u32), Full> {
        let place = hash(reference.as_bytes()) % RECENT;
        let recent = self.recent.get(place).copied().unwrap_or(0);
        let row = self.rows.get(usize::from(recent)).and_then(Option::as_ref);
        let number = if row.is_some_and(|row| *row.reference == *reference) {
            recent
        } else {
            match self.by_reference.get(reference) {
                Some(number) => *number,
                None => self.add(reference, room)?,
            }
        };
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = number;
        }
        let row = self.rows.get_mut(usize::from(number)).and_then(Option::as_mut).ok_or(Full::Entry)?;
        Ok((number, origin.map_or(0, |origin| row.note(origin, time, room))))
    }

    /// Notes what a device of the bus says of itself, a JSON object; `label` is its input's.
    ///
    /// # Errors
    /// As [`seen`](Self::seen); it is not told then.
    #[cfg(any(test, feature = "devices"))]
    pub(super) fn describe(
        &mut self,
        reference: &str,
        (label, address): (&str, u8),
        about: &str,
        room: &mut Room,
    ) -> Result<(), Full> {
        let (number, _) = self.seen(reference, None, Time::Text(""), room)?;
        let row = self.rows.get_mut(usize::from(number)).and_then(Option::as_mut).ok_or(Full::Entry)?;
        let before = row.counted_bytes();
        (row.label, row.kind) = (label.into(), Some("NMEA2000".into()));
        (row.src, row.noted) = (Some(address.to_string().into()), None);
        let told = core::mem::replace(&mut row.about, about.into());
        room.change(row.owner, before, row.counted_bytes()).inspect_err(|_| row.about = told)
    }

    /// Returns what a source of the boat told of a path.
    pub(super) fn told<'c>(&self, tree: &'c ContextTree, path: &str, reference: &str) -> Option<Value<'c>> {
        let Node::Leaf(leaf) = tree.node(path)? else { return None };
        let is_its = |reading: &&Reading| {
            let row = self.rows.get(usize::from(reading.source)).and_then(Option::as_ref);
            row.is_some_and(|row| *row.reference == *reference)
        };
        leaf.readings().iter().find(is_its).map(Reading::value)
    }

    fn add(&mut self, reference: &str, room: &mut Room) -> Result<u16, Full> {
        let free = self.rows.iter().position(Option::is_none).unwrap_or(self.rows.len());
        if free >= SOURCES_MAX {
            return Err(Full::Entry);
        }
        let of_writer = self.rows.iter().flatten().filter(|row| row.owner == room.writer).count();
        if room.writer != Owner::BOAT && of_writer >= SOURCES_MAX / SHARE as usize {
            return Err(Full::Share);
        }
        let number = u16::try_from(free).map_err(|_| Full::Entry)?;
        let owner = room.writer;
        let row = Row {
            owner,
            reference: reference.into(),
            label: room.package().unwrap_or(reference).into(),
            kind: None,
            src: None,
            noted: None,
            pgns: Vec::new(),
            #[cfg(any(test, feature = "devices"))]
            about: Box::default(),
        };
        room.take(row.counted_bytes())?;
        match self.rows.get_mut(free) {
            Some(slot) => *slot = Some(row),
            None => self.rows.push(Some(row)),
        }
        self.by_reference.insert(reference.into(), number);
        Ok(number)
    }

    /// Calls a source otherwise; gives both numbers when there is one of the new name already. In a full model it keeps
    /// its old name.
    pub(super) fn rename(&mut self, from: &str, to: &str, room: &mut Room) -> Option<(u16, u16)> {
        let old = *self.by_reference.get(from)?;
        if let Some(new) = self.by_reference.get(to) {
            return (*new != old).then_some((old, *new));
        }
        let row = self.rows.get_mut(usize::from(old))?.as_mut()?;
        let before = row.counted_bytes();
        let other = core::mem::replace(&mut row.reference, to.into());
        if room.change(row.owner, before, row.counted_bytes()).is_err() {
            row.reference = other;
            return None;
        }
        self.by_reference.remove(from);
        self.by_reference.insert(to.into(), old);
        None
    }

    /// Forgets a source that has no value any more.
    pub(super) fn remove(&mut self, number: u16, room: &mut Room) {
        if let Some(row) = self.rows.get_mut(usize::from(number)).and_then(Option::take) {
            room.give(row.owner, row.counted_bytes() as u64);
            self.by_reference.remove(&*row.reference);
        }
    }

    /// Returns the numbers of the boat's sources whose reference is `meant`.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn numbers_of_boat(&self, meant: impl Fn(&str) -> bool) -> Vec<u16> {
        let is_meant = |row: &Row| row.owner == Owner::BOAT && meant(&row.reference);
        let rows = (0_u16..).zip(&self.rows);
        rows.filter(|(_, row)| row.as_ref().is_some_and(is_meant)).map(|(number, _)| number).collect()
    }

    /// Returns the bytes all sources are counted with.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.rows.iter().flatten().map(|row| row.counted_bytes() as u64).sum()
    }

    /// Returns the `$source` of a number: as it was said, but that a plugin's is `package/said` where another one is
    /// called so, too.
    pub(super) fn reference(&self, number: u16) -> Cow<'_, str> {
        let row = self.rows.get(usize::from(number)).and_then(Option::as_ref);
        let (said, package) = parts(row.map_or("", |row| &row.reference));
        let Some(package) = package else { return Cow::Borrowed(said) };
        let from = (Bound::Included(said), Bound::Unbounded);
        let same = self.by_reference.range::<str, _>(from).map(|(known_by, _)| parts(known_by));
        let mut others = same.take_while(|(other, _)| *other == said).filter(|(_, of)| *of != Some(package));
        // Its own name is a plugin's before that of other plugins.
        let is_its_own = |of: Option<&str>| of.is_some() && said == package;
        if others.all(|(_, of)| is_its_own(of)) { Cow::Borrowed(said) } else { [package, "/", said].concat().into() }
    }

    /// Returns the `sources` tree: `{label:{label,type,<src>:{n2k:{src,pgns}}}}`, and for plugins
    /// `{package:{label,type:"plugin",<$source>:{…}}}`.
    pub(super) fn json(&self) -> String {
        let row = |number: &u16| self.rows.get(usize::from(*number)).and_then(Option::as_ref);
        let mut rows: Vec<&Row> = self.by_reference.values().filter_map(row).collect();
        // In order already but for labels that are not what their reference begins with.
        sorted::sort_by(&mut rows, |a, b| (&a.label, a.owner, &a.reference) < (&b.label, b.owner, &b.reference));
        json::nested(|tree| {
            let mut open: Option<&Row> = None;
            for row in rows {
                let (said, package) = parts(&row.reference);
                if open.is_none_or(|open| open.label != row.label) {
                    tree.close();
                    open = Some(row);
                    tree.open(&row.label);
                    tree.members().text("label", &row.label);
                    if let Some(kind) = package.map_or(row.kind.as_deref(), |_| Some("plugin")) {
                        tree.members().text("type", kind);
                    }
                }
                let member = match package {
                    None => said.strip_prefix(&*row.label).and_then(|rest| rest.strip_prefix('.')).map(Cow::Borrowed),
                    Some(package) if package == said => None,
                    // A package that is called as an input is.
                    Some(_) if open.is_some_and(|open| open.owner != row.owner) => {
                        Some(Cow::Owned([&row.label, "/", said].concat()))
                    }
                    Some(_) => Some(Cow::Borrowed(said)),
                };
                if let Some(member) = member.filter(|member| !matches!(&**member, "label" | "type")) {
                    tree.members().object(&member, |out| row.write_n2k(out));
                }
            }
        })
    }
}

impl Row {
    fn about(&self) -> &str {
        #[cfg(any(test, feature = "devices"))]
        return &self.about;
        #[cfg(not(any(test, feature = "devices")))]
        ""
    }

    fn counted_bytes(&self) -> usize {
        let texts = self.reference.len().saturating_mul(3);
        let pgns = self.pgns.len().saturating_mul(PGN_BYTES);
        ROW_BYTES.saturating_add(texts).saturating_add(pgns).saturating_add(self.about().len())
    }

    /// Notes the members of a `source` object, gives its PGN or 0.
    fn note(&mut self, origin: Origin<'_>, time: Time<'_>, room: &mut Room) -> u32 {
        let pgn = match origin {
            Origin::Bus(source) => {
                // Its label stands in its reference.
                if self.noted != Some(source.address) {
                    let mut text = String::new();
                    // Writing into a String cannot fail.
                    let _ = source.write(&mut text);
                    self.note_members(&text);
                    self.noted = Some(source.address);
                }
                source.pgn
            }
            Origin::Object(source) => self.known_pgn(source).unwrap_or_else(|| self.note_members(source)),
        };
        if pgn != 0 {
            self.saw(pgn, time, room);
        }
        pgn
    }

    /// Returns the PGN of a `source` object that says nothing else that is new. This is on the way of each frame, and
    /// reading the object would be a tenth of it.
    fn known_pgn(&self, source: &str) -> Option<u32> {
        let label = source.strip_prefix("{\"label\":\"")?.strip_prefix(&*self.label)?;
        let kind = label.strip_prefix("\",\"type\":\"")?.strip_prefix(self.kind.as_deref()?)?;
        let (pgn, src) = kind.strip_prefix("\",\"pgn\":")?.split_once(',')?;
        let rest = src.strip_prefix("\"src\":\"")?.strip_prefix(self.src.as_deref()?)?;
        if rest == "\"}" { pgn.parse().ok() } else { None }
    }

    fn note_members(&mut self, source: &str) -> u32 {
        self.noted = None;
        let mut pgn = 0;
        let is_boats = self.owner == Owner::BOAT;
        let update = |slot: &mut Box<str>, value: &str| {
            if let Some(text) = inside(value)
                && !text.is_empty()
                && **slot != *text
            {
                *slot = text.into();
            }
        };
        // A source object that is no object says nothing; the index of the delta only holds objects.
        let _ = json::members::<JsonError>(source, |key, value| {
            match key {
                "label" if is_boats => update(&mut self.label, value),
                "type" => update(self.kind.get_or_insert_default(), value),
                "src" => update(self.src.get_or_insert_default(), value),
                "pgn" => pgn = value.parse().unwrap_or(0),
                _ => {}
            }
            Ok(())
        });
        pgn
    }

    /// Lists a PGN; one that finds no room is not listed.
    fn saw(&mut self, pgn: u32, time: Time<'_>, room: &mut Room) {
        let time = time.millis().unwrap_or(UnixMillis::UNKNOWN);
        if let Some((_, seen)) = self.pgns.iter_mut().find(|(known, _)| *known == pgn) {
            *seen = time;
        } else if self.pgns.len() < PGNS_PER_SOURCE_MAX && self.owner == room.writer && room.take(PGN_BYTES).is_ok() {
            self.pgns.push((pgn, time));
        }
    }

    fn write_n2k(&self, out: &mut json::Object<'_>) {
        let Some(src) = &self.src else { return };
        let mut pgns = self.pgns.clone();
        sorted::sort(&mut pgns);
        out.object("n2k", |n2k| {
            n2k.text("src", src);
            let _ = json::members::<JsonError>(self.about(), |name, value| {
                n2k.json(name, value);
                Ok(())
            });
            n2k.object("pgns", |rows| {
                for (pgn, time) in &pgns {
                    rows.text(&pgn.to_string(), &time.to_string());
                }
            });
        });
    }
}

/// Returns a JSON string without escapes, or a number, as text of at most 64 bytes.
fn inside(value: &str) -> Option<&str> {
    let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let plain = text.len() <= 64 && crate::delta::is_plain(text) && !value.starts_with(['{', '[', 'n', 't', 'f']);
    plain.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-22T00:00:00.000Z";

    #[test]
    fn lists_sources_with_their_pgns() {
        let (mut sources, mut room) = (Sources::default(), Room::new(1, 1_000_000));
        let n2k = |pgn: u32, src: u8| std::format!(r#"{{"label":"can0","type":"NMEA2000","pgn":{pgn},"src":"{src}"}}"#);
        assert_eq!(
            sources.seen("can0.7", Some(Origin::Object(&n2k(128_267, 7))), Time::Text(TIME), &mut room),
            Ok((0, 128_267))
        );
        assert_eq!(sources.seen("@acme/tide", None, Time::Text(TIME), &mut room), Ok((1, 0)));
        assert_eq!(
            sources.seen("can0.35", Some(Origin::Object(&n2k(127_250, 35))), Time::Text(TIME), &mut room),
            Ok((2, 127_250))
        );
        assert_eq!(
            sources.seen("can0.7", Some(Origin::Object(&n2k(127_250, 7))), Time::Text(TIME), &mut room),
            Ok((0, 127_250))
        );
        let expected = r#"{"@acme/tide":{"label":"@acme/tide"},"can0":{"label":"can0","type":"NMEA2000","35":{"n2k":{"src":"35","pgns":{"127250":"2026-11-22T00:00:00.000Z"}}},"7":{"n2k":{"src":"7","pgns":{"127250":"2026-11-22T00:00:00.000Z","128267":"2026-11-22T00:00:00.000Z"}}}}}"#;
        assert_eq!(sources.json(), expected);
        assert_eq!(Sources::default().json(), "{}");
    }

    #[test]
    fn is_bounded_and_forgets_the_unused() {
        let (mut sources, mut room) = (Sources::default(), Room::new(1, 1_000_000));
        for number in 0..SOURCES_MAX {
            assert!(sources.seen(&std::format!("s.{number}"), None, Time::Text(TIME), &mut room).is_ok());
        }
        assert_eq!(sources.seen("new", None, Time::Text(TIME), &mut room), Err(Full::Entry));
        assert!(sources.is_full_for("new", 1) && !sources.is_full_for("s.1", 1));
        sources.keep_only(&[false, false, false, true], 1, &mut room);
        assert_eq!(&*sources.reference(3), "s.3");
        assert_eq!(sources.seen("new", None, Time::Text(TIME), &mut room), Ok((0, 0)));
        assert!(!sources.is_full_for("x", 2), "a full sweep is not repeated at once");
    }

    #[test]
    fn room_is_taken_and_given_back() {
        let (mut sources, mut room) = (Sources::default(), Room::new(1, 1000));
        let n2k = |pgn: u32| std::format!(r#"{{"label":"can0","pgn":{pgn},"src":"7"}}"#);
        for pgn in 1..1000 {
            assert_eq!(
                sources.seen("can0.7", Some(Origin::Object(&n2k(pgn))), Time::Text(TIME), &mut room),
                Ok((0, pgn))
            );
            assert!(room.bytes() <= 1000);
        }
        for number in 0..100 {
            assert_eq!(sources.seen(&std::format!("s.{number}"), None, Time::Text(TIME), &mut room), Err(Full::Model));
        }
        sources.keep_only(&[], 1, &mut room);
        assert_eq!(room.bytes(), 0);
    }
}
