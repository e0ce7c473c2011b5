//! Values of Signal K to messages on the bus, not oftener than the PGN's own period.
//!
//! [`Outgoing`] keeps the latest values; what they come from, and whether a path may be sent at all, is judged by
//! whoever gives them. A message is sent when one of its main values was given again, and no value older than
//! [`AGE_MAX`] stands for the present.

mod build;
mod paths;
mod switches;

use alloc::vec::Vec;
use core::time::Duration;

use self::paths::{PARTS_MAX, Subject, subjects};
pub use self::paths::{SENT_PGNS, switch};
pub use self::switches::{BANKS_MAX, Banks, OutboundMessage};
use crate::json;
use crate::n2k::id::BROADCAST;
use crate::time::Instant;

/// Messages that are prepared at once; a boat has some twenty tanks, batteries and temperatures.
pub const SUBJECTS_MAX: usize = 64;
/// Age at which a value of its own is not sent any more.
pub const AGE_MAX: Duration = Duration::from_secs(10);

/// Counters of the values given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutgoingCounters {
    /// Messages built.
    pub built: u64,
    /// Values that no field can hold.
    pub out_of_range: u64,
    /// Values of one message too many.
    pub full: u64,
}

#[derive(Clone, Debug)]
struct Slot {
    subject: Subject,
    /// Part, value, when it was given.
    parts: Vec<(u8, f64, Instant)>,
    is_due: bool,
    last: Option<Instant>,
}

/// The messages that are prepared.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    slots: Vec<Slot>,
    counters: OutgoingCounters,
}

/// Reads a value: a number, or a switch that is on or off.
fn number(text: &str) -> Option<f64> {
    match text {
        "true" | "\"on\"" => Some(1.0),
        "false" | "\"off\"" => Some(0.0),
        _ => json::number(text).filter(|number| number.is_finite()),
    }
}

/// Reads what a switch is to be: a boolean, 0 or 1, `"on"` or `"off"`.
#[must_use]
pub fn switch_state(text: &str) -> Option<bool> {
    match number(text)? {
        0.0 => Some(false),
        1.0 => Some(true),
        _ => None,
    }
}

impl Outgoing {
    /// Takes the value of a path, JSON text; false when no message has it.
    pub fn offer(&mut self, path: &str, value: &str, now: Instant) -> bool {
        if path == "navigation.position" {
            let mut taken = false;
            for name in ["latitude", "longitude"] {
                let path =
                    if name == "latitude" { "navigation.position.latitude" } else { "navigation.position.longitude" };
                taken |= self.offer_number(path, json::member(value, name).and_then(json::number), now);
            }
            return taken;
        }
        self.offer_number(path, number(value), now)
    }

    fn offer_number(&mut self, path: &str, value: Option<f64>, now: Instant) -> bool {
        let mut taken = false;
        subjects(path, |subject, part| {
            taken = true;
            self.keep(subject, part, value, now);
        });
        taken
    }

    fn keep(&mut self, subject: Subject, part: u8, value: Option<f64>, now: Instant) {
        let known = self.slots.iter().position(|slot| slot.subject == subject);
        if known.is_none() {
            if self.slots.len() >= SUBJECTS_MAX {
                self.counters.full = self.counters.full.saturating_add(1);
                return;
            }
            self.slots.push(Slot { subject, parts: Vec::new(), is_due: false, last: None });
        }
        let at = known.unwrap_or(self.slots.len().saturating_sub(1));
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(value) = value else {
            // A value that ends is not repeated.
            slot.parts.retain(|(known, _, _)| *known != part);
            return;
        };
        if let Some(kept) = slot.parts.iter_mut().find(|(known, _, _)| *known == part) {
            *kept = (part, value, now);
        } else if slot.parts.len() < PARTS_MAX {
            slot.parts.push((part, value, now));
        }
        slot.is_due |= subject.is_main(part);
    }

    /// Calls `send` with each message that is due: PGN, priority, destination, payload.
    pub fn poll(&mut self, now: Instant, mut send: impl FnMut(&OutboundMessage)) {
        for slot in &mut self.slots {
            let (pgn, priority, millis) = slot.subject.schedule();
            let is_early = slot.last.is_some_and(|last| now < last + Duration::from_millis(millis));
            if !slot.is_due || is_early {
                continue;
            }
            slot.is_due = false;
            let (subject, parts) = (slot.subject, &slot.parts);
            let part = |wanted: u8| {
                let (_, value, at) = parts.iter().find(|(part, _, _)| *part == wanted)?;
                (!subject.is_main(wanted) || now.since(*at) <= AGE_MAX).then_some(*value)
            };
            match build::payload(subject, part) {
                None => {}
                Some(Ok(payload)) => {
                    slot.last = Some(now);
                    self.counters.built = self.counters.built.saturating_add(1);
                    send(&(pgn, priority, BROADCAST, payload));
                }
                Some(Err(_)) => self.counters.out_of_range = self.counters.out_of_range.saturating_add(1),
            }
        }
    }

    /// Returns when [`poll`](Self::poll) has something to send.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let due = |slot: &Slot| {
            let (_, _, millis) = slot.subject.schedule();
            slot.last.map_or(now, |last| (last + Duration::from_millis(millis)).max(now))
        };
        self.slots.iter().filter(|slot| slot.is_due).map(due).min()
    }

    /// Returns what happened so far.
    #[must_use]
    pub fn counters(&self) -> OutgoingCounters {
        self.counters
    }
}

#[cfg(test)]
mod tests;
