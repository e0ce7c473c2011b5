//! What the mapping remembers from one message to the next, per source address.
//!
//! All of it is bounded: a bus has 252 addresses, a real one at most some fifty devices. When more than
//! [`SOURCES_MAX`] speak, the one that was heard longest ago is forgotten; it is known again with its next
//! address claim.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::json::Decimal;
use crate::n2k::id::{Pgn, SourceAddress};

/// Sources that are remembered at once; 32 bytes each.
pub const SOURCES_MAX: usize = 64;
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

/// Power factors that are remembered at once; one meter has up to four.
pub const POWER_FACTORS_MAX: usize = 16;

/// The memory of one source address.
#[derive(Clone, Debug, Default)]
pub(in crate::n2k) struct Source {
    address: u8,
    /// Increases with each message; the lowest is the oldest.
    heard: u32,
    claim: Option<Name>,
    course: Option<Course>,
    /// Source that a Fusion stereo plays (130820).
    playing: Option<u8>,
}

/// The NAME of an address claim (ISO 11783-5, PGN 60928): 64 bits, lowest byte first on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::n2k) struct Name(pub u64);

impl Name {
    /// Returns the device instance: upper five and lower three bits, side by side in byte 4.
    pub fn device_instance(self) -> u8 {
        let [_, _, _, _, instance, ..] = self.0.to_le_bytes();
        instance
    }
}

/// The memory of all sources of one input.
#[derive(Clone, Debug)]
pub(in crate::n2k) struct Memory {
    sources: heapless::Vec<Source, SOURCES_MAX>,
    /// Place in `sources` by address, so that a message finds its source at once.
    places: [u8; 256],
    clock: u32,
    alerts: Vec<Alert>,
    power_factors: heapless::Vec<PowerFactor, POWER_FACTORS_MAX>,
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
        Self {
            sources: heapless::Vec::new(),
            places: [NOWHERE; 256],
            clock: 0,
            alerts: Vec::new(),
            power_factors: heapless::Vec::new(),
        }
    }
}

impl Source {
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
        let place = match self.sources.push(source) {
            Ok(()) => place,
            Err(source) => {
                let clock = self.clock;
                let age = |source: &Source| clock.wrapping_sub(source.heard);
                let (place, oldest) = self.sources.iter_mut().enumerate().max_by_key(|(_, source)| age(source))?;
                let gone = core::mem::replace(oldest, source).address;
                if let Some(slot) = self.places.get_mut(usize::from(gone)) {
                    *slot = NOWHERE;
                }
                self.forget(gone);
                place
            }
        };
        *self.places.get_mut(usize::from(address.0))? = u8::try_from(place).ok()?;
        Some(place)
    }

    /// Takes the address claim of `address`; what was known of another device there is forgotten, and a
    /// device that moved takes its address along.
    pub fn claim(&mut self, address: SourceAddress, name: Name) {
        let Some(source) = self.source_mut(address) else { return };
        if source.claim.is_some_and(|known| known != name) {
            *source = Source { address: address.0, heard: source.heard, ..Source::default() };
            source.claim = Some(name);
            self.forget(address.0);
        } else {
            source.claim = Some(name);
        }
    }

    fn forget(&mut self, address: u8) {
        self.alerts.retain(|alert| alert.address != address);
        self.power_factors.retain(|factor| factor.address != address);
    }

    /// Remembers a power factor; the oldest is forgotten when there are too many.
    pub(super) fn keep_power_factor(&mut self, address: SourceAddress, pgn: Pgn, factor: Decimal) {
        let known = |kept: &&mut PowerFactor| (kept.address, kept.pgn) == (address.0, pgn);
        if let Some(kept) = self.power_factors.iter_mut().find(known) {
            kept.factor = factor;
            return;
        }
        if self.power_factors.is_full() {
            self.power_factors.remove(0);
        }
        let _ = self.power_factors.push(PowerFactor { address: address.0, pgn, factor });
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

/// Returns the part of an alert's text that is kept.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(ALERT_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
