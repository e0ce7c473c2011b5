//! What a running plugin offers to clients, and the binary frames it sends them.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::host::Registration;
use crate::sorted::SortedMap;
use crate::time::Instant;

/// Autopilots of one plugin.
#[cfg(any(test, feature = "std"))]
pub const AUTOPILOTS_MAX: usize = 8;

/// A PUT handler of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOffer {
    /// Context as the plugin registered it.
    pub context: String,
    /// Signal K path that clients change.
    pub path: String,
}

/// The registrations of one plugin since its start; empty again when it stops.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    puts: Vec<PutOffer>,
    resources: Vec<(String, Instant)>,
    weather: Option<(String, Instant)>,
    radar: Option<(String, Instant)>,
    /// Ids of its autopilots.
    #[cfg(any(test, feature = "std"))]
    autopilots: Vec<(String, Instant)>,
    /// PUT handlers that are gone, which clients are still to be told.
    withdrawn: Vec<PutOffer>,
}

impl Offers {
    /// Takes a registration; a repeated one replaces the first. False when there is no room.
    pub(super) fn register(&mut self, registration: Registration, limit: usize, now: Instant) -> bool {
        let has_room = self.puts.len().saturating_add(self.resources.len()) < limit;
        match registration {
            Registration::Put { context, path } => {
                let offer = PutOffer { context, path };
                self.withdrawn.retain(|gone| *gone != offer);
                if !self.puts.contains(&offer) {
                    if !has_room {
                        return false;
                    }
                    self.puts.push(offer);
                }
            }
            Registration::Resources { kind } => {
                if kind.is_empty() || kind.starts_with('_') || kind.contains(['/', '.']) {
                    return false;
                }
                if !self.resources.iter().any(|(known, _)| *known == kind) {
                    if !has_room {
                        return false;
                    }
                    self.resources.push((kind, now));
                }
            }
            Registration::Weather { name } => self.weather = Some((name, now)),
            Registration::Radar { name } => self.radar = Some((name, now)),
            #[cfg(any(test, feature = "std"))]
            Registration::Autopilots { devices } => {
                for device in devices {
                    let is_known = self.autopilots.iter().any(|(known, _)| *known == device);
                    // They stand in addresses, where one that begins so is the default.
                    let is_id = !device.is_empty() && !device.starts_with('_') && !device.contains('/');
                    if !is_known && (!is_id || self.autopilots.len() >= AUTOPILOTS_MAX) {
                        return false;
                    }
                    if !is_known {
                        self.autopilots.push((device, now));
                    }
                }
            }
        }
        true
    }

    /// Forgets everything; the handlers wait to be taken by [`take_withdrawn`](Self::take_withdrawn).
    pub(super) fn clear(&mut self) {
        let mut withdrawn = core::mem::take(&mut self.withdrawn);
        withdrawn.append(&mut self.puts);
        *self = Self { withdrawn, ..Self::default() };
    }

    /// Takes on what clients know of the version before: its PUT handlers are gone, but for those that this one has or
    /// is still to register.
    pub(super) fn succeed(&mut self, before: &mut Self) {
        for offer in before.withdrawn.drain(..).chain(before.puts.iter().cloned()) {
            if !self.puts.contains(&offer) && !self.withdrawn.contains(&offer) {
                self.withdrawn.push(offer);
            }
        }
    }

    /// Takes the PUT handlers that ended with the instance.
    pub(super) fn take_withdrawn(&mut self) -> Vec<PutOffer> {
        core::mem::take(&mut self.withdrawn)
    }

    /// Visits its PUT handlers.
    pub fn puts(&self) -> impl Iterator<Item = &PutOffer> {
        self.puts.iter()
    }

    /// Visits the resource types it stores.
    pub fn resource_kinds(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|(kind, _)| kind.as_str())
    }

    /// Returns when it registered for a resource type, `None` when it did not.
    #[must_use]
    pub fn resources_since(&self, kind: &str) -> Option<Instant> {
        self.resources.iter().find(|(known, _)| known == kind).map(|(_, since)| *since)
    }

    /// Returns name and time of registration of its weather provider.
    #[must_use]
    pub fn weather(&self) -> Option<(&str, Instant)> {
        self.weather.as_ref().map(|(name, since)| (name.as_str(), *since))
    }

    /// Visits the ids of its autopilots, and when each was registered.
    #[cfg(any(test, feature = "std"))]
    pub fn autopilots(&self) -> impl Iterator<Item = (&str, Instant)> {
        self.autopilots.iter().map(|(device, since)| (device.as_str(), *since))
    }

    /// Returns name and time of registration of its radar provider.
    #[must_use]
    pub fn radar(&self) -> Option<(&str, Instant)> {
        self.radar.as_ref().map(|(name, since)| (name.as_str(), *since))
    }
}

/// One frame of a binary stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Stream id, `radars/<id>` or `plugins/<package>/…`.
    pub stream: String,
    /// Bytes.
    pub data: Arc<[u8]>,
}

/// Frames on their way from plugins to clients. A frame without a listener is not kept.
#[derive(Debug, Default)]
pub struct Frames {
    /// Clients by stream id.
    listeners: SortedMap<String, u32>,
    frames: VecDeque<Frame>,
}

impl Frames {
    /// Counts one more client of a stream.
    pub fn listen(&mut self, stream: &str) {
        match self.listeners.get_mut(stream) {
            Some(count) => *count = count.saturating_add(1),
            None => _ = self.listeners.insert(String::from(stream), 1),
        }
    }

    /// Counts one client less.
    pub fn leave(&mut self, stream: &str) {
        if let Some(count) = self.listeners.get_mut(stream) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.listeners.remove(stream);
            }
        }
    }

    /// Tells whether a stream has a listener.
    #[must_use]
    pub fn is_heard(&self, stream: &str) -> bool {
        self.listeners.contains_key(stream)
    }

    /// Takes the oldest frame.
    pub fn take(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn push(&mut self, stream: &str, data: &[u8]) {
        self.frames.push_back(Frame { stream: String::from(stream), data: Arc::from(data) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &str) -> Registration {
        Registration::Put { context: "vessels.self".into(), path: path.into() }
    }

    #[test]
    fn a_repeated_registration_takes_no_room() {
        let mut offers = Offers::default();
        assert!(offers.register(put("a.b"), 1, Instant(0)));
        assert!(offers.register(put("a.b"), 1, Instant(1)));
        assert!(!offers.register(put("a.c"), 1, Instant(2)), "beyond the limit");
        assert!(!offers.register(Registration::Resources { kind: "routes".into() }, 1, Instant(2)));
        assert_eq!(offers.puts().count(), 1);
    }

    #[test]
    fn resource_types_that_cannot_stand_in_an_address_are_refused() {
        let mut offers = Offers::default();
        for kind in ["", "_providers", "a/b", "a.b"] {
            assert!(!offers.register(Registration::Resources { kind: kind.into() }, 9, Instant(0)), "{kind}");
        }
        assert!(offers.register(Registration::Resources { kind: "routes".into() }, 9, Instant(7)));
        assert_eq!(offers.resources_since("routes"), Some(Instant(7)));
    }

    #[test]
    fn a_stream_is_heard_until_its_last_client_leaves() {
        let mut frames = Frames::default();
        frames.listen("radars/a");
        frames.listen("radars/a");
        frames.leave("radars/a");
        assert!(frames.is_heard("radars/a"));
        frames.leave("radars/a");
        frames.leave("radars/a");
        assert!(!frames.is_heard("radars/a"));
    }
}
