//! What the mapping remembers from one message to the next, per source address.
//!
//! All of it is bounded ([`ReceiverLimits`]): a bus has 252 addresses, a real one at most some fifty devices. When more
//! speak than are remembered, the one that was heard longest ago is forgotten and counted; it is known again with its
//! next address claim.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use crate::json::Decimal;
use crate::n2k::id::{Pgn, SourceAddress};
use crate::n2k::receiver::ReceiverLimits;

/// Alert texts (126985) that are remembered at once, of all sources together.
pub const ALERT_TEXTS_MAX: usize = 32;
/// Bytes of an alert text that are kept; longer ones are cut.
pub const ALERT_TEXT_BYTES_MAX: usize = 223;

/// How a plotter calculates the course that it sends (129284).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    GreatCircle,
    Rhumbline,
}

/// The memory of one source address.
#[derive(Clone, Debug, Default)]
pub(in crate::n2k) struct Source {
    /// Increases with each message; the lowest is the oldest.
    heard: u32,
    claim: Option<Name>,
    address: u8,
    course: Option<Course>,
    /// Source that a Fusion stereo plays (130820).
    playing: Option<u8>,
    /// Its `$source`, once a delta has had it.
    reference: Option<Arc<str>>,
}

// Multiplied by the addresses of a bus.
const _: () = assert!(size_of::<Source>() == 16 + size_of::<Option<Arc<str>>>());

/// The NAME of an address claim (ISO 11783-5, PGN 60928): 64 bits, lowest byte first on the wire. All ones are none, so
/// it is kept turned over: a source has it or not in the same eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::n2k) struct Name(NonZeroU64);

impl Name {
    /// Takes the bits of a claim; `None` when they are no NAME.
    pub fn new(bits: u64) -> Option<Self> {
        NonZeroU64::new(!bits).map(Self)
    }

    /// Returns its 64 bits.
    pub fn bits(self) -> u64 {
        !self.0.get()
    }

    /// Returns the device instance: upper five and lower three bits, side by side in byte 4.
    pub fn device_instance(self) -> u8 {
        let [_, _, _, _, instance, ..] = self.bits().to_le_bytes();
        instance
    }
}

/// What had to be forgotten because there is a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::n2k) struct Forgotten {
    pub sources: u64,
    pub power_factors: u64,
    pub alert_texts: u64,
    pub given: u64,
}

/// The memory of all sources of one input.
#[derive(Clone, Debug)]
pub(in crate::n2k) struct Memory {
    limits: ReceiverLimits,
    sources: Vec<Source>,
    /// Place in `sources` by address, so that a message finds its source at once.
    places: [u8; 256],
    clock: u32,
    alerts: Vec<Alert>,
    /// The one that was renewed last stands last.
    power_factors: Vec<PowerFactor>,
    /// By key, ascending.
    given: Vec<Given>,
    forgotten: Forgotten,
}

/// Which leaves a message gave values for: those that its next one must tell when they are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given {
    key: GivenKey,
    /// A bit for each leaf.
    leaves: u32,
}

/// What a message that comes again and again is known by: source address, rule, and what picks its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::n2k) struct GivenKey(u32);

impl GivenKey {
    /// Builds the key of a message of the rule with that number; `picks` are the bytes that choose its paths.
    pub fn new(address: SourceAddress, rule: u8, picks: [u8; 2]) -> Self {
        Self(u32::from_be_bytes([address.0, rule, picks[0], picks[1]]))
    }

    fn address(self) -> u8 {
        self.0.to_be_bytes()[0]
    }
}

/// The last power factor of one phase of one meter.
#[derive(Clone, Copy, Debug)]
struct PowerFactor {
    address: u8,
    /// The PGN that its apparent power comes in.
    pgn: Pgn,
    factor: Decimal,
}

/// One remembered alert text.
#[derive(Clone, Debug)]
struct Alert {
    address: u8,
    id: i64,
    text: Option<Box<str>>,
}

/// Mark in [`Memory::places`] for an address that is not known.
const NOWHERE: u8 = u8::MAX;

impl Default for Memory {
    fn default() -> Self {
        Self::new(ReceiverLimits::default())
    }
}

impl Source {
    /// Tells whether more is remembered of it than its `$source`, which can be made again.
    fn is_known(&self) -> bool {
        self.claim.is_some() || self.course.is_some() || self.playing.is_some()
    }

    /// Returns the device instance when an address claim was seen.
    pub fn device_instance(&self) -> Option<u8> {
        self.claim.map(Name::device_instance)
    }

    /// Returns the NAME when an address claim was seen.
    pub fn name(&self) -> Option<Name> {
        self.claim
    }

    pub(super) fn course(&self) -> Option<Course> {
        self.course
    }

    pub(super) fn playing(&self) -> Option<u8> {
        self.playing
    }

    pub(super) fn set_course(&mut self, course: Course) {
        self.course = Some(course);
    }

    pub(super) fn set_playing(&mut self, source: u8) {
        self.playing = Some(source);
    }
}

impl Memory {
    /// Builds an empty one with room for that much.
    pub fn new(limits: ReceiverLimits) -> Self {
        Self {
            limits,
            sources: Vec::new(),
            places: [NOWHERE; 256],
            clock: 0,
            alerts: Vec::new(),
            power_factors: Vec::new(),
            given: Vec::new(),
            forgotten: Forgotten::default(),
        }
    }

    /// Returns what had to be forgotten so far.
    pub fn forgotten(&self) -> Forgotten {
        self.forgotten
    }

    /// Returns the `$source` of `address`, made once; nothing is forgotten for it.
    pub fn reference(&mut self, address: SourceAddress, make: impl FnOnce() -> Arc<str>) -> Arc<str> {
        let known = self.places.get(usize::from(address.0)).copied().map_or(usize::MAX, usize::from);
        let has_room = self.sources.len() < usize::from(self.limits.sources_max);
        let place = if known < self.sources.len() || !has_room { Some(known) } else { self.place(address) };
        match place.and_then(|place| self.sources.get_mut(place)) {
            Some(source) => source.reference.get_or_insert_with(make).clone(),
            None => make(),
        }
    }

    /// Forgets every `$source`: devices are named otherwise now.
    pub fn forget_references(&mut self) {
        self.sources.iter_mut().for_each(|source| source.reference = None);
    }

    /// Returns what is known of `address`.
    pub fn source(&self, address: SourceAddress) -> Option<&Source> {
        let place = self.places.get(usize::from(address.0))?;
        self.sources.get(usize::from(*place))
    }

    /// Visits the addresses whose NAME is known.
    pub fn claims(&self) -> impl Iterator<Item = (SourceAddress, Name)> {
        self.sources.iter().filter_map(|source| Some((SourceAddress(source.address), source.claim?)))
    }

    /// Returns the memory of `address`, a new one when it was not known.
    pub(super) fn source_mut(&mut self, address: SourceAddress) -> Option<&mut Source> {
        self.clock = self.clock.wrapping_add(1);
        let known = self.places.get(usize::from(address.0)).copied().map_or(usize::MAX, usize::from);
        let place = if known < self.sources.len() { known } else { self.place(address)? };
        let source = self.sources.get_mut(place)?;
        source.heard = self.clock;
        Some(source)
    }

    fn place(&mut self, address: SourceAddress) -> Option<usize> {
        let source = Source { address: address.0, ..Source::default() };
        let place = self.sources.len();
        let place = if place < usize::from(self.limits.sources_max) {
            self.sources.push(source);
            place
        } else {
            let clock = self.clock;
            let age = |source: &Source| clock.wrapping_sub(source.heard);
            let (place, oldest) = self.sources.iter_mut().enumerate().max_by_key(|(_, source)| age(source))?;
            let gone = core::mem::replace(oldest, source);
            if let Some(slot) = self.places.get_mut(usize::from(gone.address)) {
                *slot = NOWHERE;
            }
            // Of one that had its `$source` alone nothing is lost.
            if gone.is_known() {
                self.forget(gone.address);
                count(&mut self.forgotten.sources);
            }
            place
        };
        *self.places.get_mut(usize::from(address.0))? = u8::try_from(place).ok()?;
        Some(place)
    }

    /// Takes the address claim of `address`; what was known of another device there is forgotten, and a
    /// device that moved takes its address along. Tells whether the device had no NAME before.
    pub fn claim(&mut self, address: SourceAddress, name: Name) -> bool {
        let Some(source) = self.source_mut(address) else { return false };
        match source.claim.replace(name) {
            None => {
                source.reference = None;
                true
            }
            Some(known) if known == name => false,
            Some(_) => {
                *source = Source { address: address.0, heard: source.heard, claim: Some(name), ..Source::default() };
                self.forget(address.0);
                false
            }
        }
    }

    fn forget(&mut self, address: u8) {
        self.alerts.retain(|alert| alert.address != address);
        self.power_factors.retain(|factor| factor.address != address);
        self.given.retain(|given| given.key.address() != address);
    }

    /// Returns the leaves that the last message of `key` gave.
    pub fn given(&self, key: GivenKey) -> u32 {
        let place = self.given.binary_search_by_key(&key, |given| given.key).ok();
        place.and_then(|place| self.given.get(place)).map_or(0, |given| given.leaves)
    }

    /// Remembers the leaves that a message gave; when there are too many messages, those that are known stay.
    pub fn keep_given(&mut self, key: GivenKey, leaves: u32) {
        match self.given.binary_search_by_key(&key, |given| given.key) {
            Ok(place) => {
                if let Some(given) = self.given.get_mut(place) {
                    given.leaves = leaves;
                }
            }
            Err(_) if leaves == 0 => {}
            Err(place) if self.given.len() < usize::from(self.limits.given_max) => {
                self.given.insert(place, Given { key, leaves });
            }
            Err(_) => count(&mut self.forgotten.given),
        }
    }

    /// Remembers a power factor; the one that was renewed longest ago is forgotten when there are too many.
    pub(super) fn keep_power_factor(&mut self, address: SourceAddress, pgn: Pgn, factor: Decimal) {
        let known = self.power_factors.iter().position(|kept| (kept.address, kept.pgn) == (address.0, pgn));
        if let Some(known) = known {
            self.power_factors.remove(known);
        } else if self.power_factors.len() >= usize::from(self.limits.power_factors_max) {
            self.power_factors.remove(0);
            count(&mut self.forgotten.power_factors);
        }
        self.power_factors.push(PowerFactor { address: address.0, pgn, factor });
    }

    /// Returns the last power factor for the apparent power in `pgn`.
    pub(super) fn power_factor(&self, address: SourceAddress, pgn: Pgn) -> Option<Decimal> {
        self.power_factors.iter().find(|kept| (kept.address, kept.pgn) == (address.0, pgn)).map(|kept| kept.factor)
    }

    /// Remembers the text of an alert; the oldest is forgotten when there are too many.
    pub(super) fn keep_alert(&mut self, address: SourceAddress, id: i64, text: Option<&str>) {
        let text = text.map(cut);
        let known = self.alerts.iter_mut().find(|alert| (alert.address, alert.id) == (address.0, id));
        match known {
            Some(alert) if alert.text.as_deref() == text => {}
            Some(alert) => alert.text = text.map(Box::from),
            None => {
                if self.alerts.len() >= ALERT_TEXTS_MAX {
                    self.alerts.remove(0);
                    count(&mut self.forgotten.alert_texts);
                }
                self.alerts.push(Alert { address: address.0, id, text: text.map(Box::from) });
            }
        }
    }

    /// Returns the text of an alert that `address` sent before, which can have been absent.
    pub(super) fn alert(&self, address: SourceAddress, id: i64) -> Option<Option<&str>> {
        let known = self.alerts.iter().find(|alert| (alert.address, alert.id) == (address.0, id));
        known.map(|alert| alert.text.as_deref())
    }
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// Returns the part of an alert's text that is kept.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(ALERT_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
