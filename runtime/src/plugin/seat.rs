//! A plugin's place in the registry. While it has nothing to do it rests, and turns pass it over; while all rest, they are
//! not even looked at.

use alloc::vec::Vec;

use super::context::{Turn, TurnContext};
use super::installed::Plugin;
use super::offers::PutOffer;
use super::values::Offer;
use crate::time::Instant;

/// How long there is nothing to do.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Instant,
    /// What its last turn asked for.
    wake: Option<Instant>,
}

impl Rest {
    /// Returns what is left to do meanwhile; `None` when it is over.
    fn turn(self, now: Instant) -> Option<Turn> {
        (now < self.until).then_some(Turn { busy: false, wake: self.wake })
    }

    /// Joins how long two have nothing to do.
    fn and(self, other: Self) -> Self {
        let wake = [self.wake, other.wake].into_iter().flatten().min();
        Self { until: self.until.min(other.until), wake }
    }
}

/// A plugin and whether it rests.
pub(super) struct Seat {
    plugin: Plugin,
    rest: Option<Rest>,
}

impl Seat {
    pub(super) fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Returns the plugin to be changed: there may be something to do then.
    pub(super) fn stirred(&mut self) -> &mut Plugin {
        self.rest = None;
        &mut self.plugin
    }

    /// Returns what is left to do while it rests; `None` when it is to have a turn.
    pub(super) fn resting(&self, now: Instant) -> Option<Turn> {
        self.rest?.turn(now)
    }

    /// Takes the PUT handlers that its turn left behind for good.
    pub(super) fn take_withdrawn_puts(&mut self) -> Vec<PutOffer> {
        self.plugin.take_withdrawn_puts()
    }

    /// Gives it a turn.
    pub(super) fn turn(&mut self, cx: &mut TurnContext<'_, '_>) -> Turn {
        let turn = self.plugin.turn(cx);
        // Though it has nothing to do, what it loses is told.
        let latest = self.plugin.look_due();
        let until = turn.wake.map_or(latest, |wake| wake.min(latest));
        self.rest = (!turn.busy && self.plugin.may_rest()).then_some(Rest { until, wake: turn.wake });
        turn
    }
}

/// The places of all plugins, sorted by package name.
#[derive(Default)]
pub(super) struct Seats {
    seats: Vec<Seat>,
    /// All of them rest; nothing that could stir one leaves it here.
    rest: Option<Rest>,
}

impl Seats {
    /// Chips have few plugins: looking at each costs less than this.
    const ARE_JOINED: bool = cfg!(any(test, feature = "std"));

    /// Returns the places.
    pub(super) fn list(&self) -> &[Seat] {
        &self.seats
    }

    /// Returns the places to be changed: there may be something to do then.
    pub(super) fn all_mut(&mut self) -> &mut Vec<Seat> {
        self.rest = None;
        &mut self.seats
    }

    /// Finds a plugin to be changed.
    pub(super) fn find_mut(&mut self, is_it: impl Fn(&Plugin) -> bool) -> Option<&mut Plugin> {
        self.all_mut().iter_mut().find(|seat| is_it(seat.plugin())).map(Seat::stirred)
    }

    /// Takes a plugin in.
    pub(super) fn insert(&mut self, plugin: Plugin) {
        let at = self.seats.partition_point(|other| other.plugin().package_name() < plugin.package_name());
        self.all_mut().insert(at, Seat { plugin, rest: None });
    }

    /// Gives a delta to the plugin at a place, which wants it; false where there is no such place.
    pub(super) fn offer(&mut self, index: usize, offer: &Offer<'_>) -> bool {
        let Some(seat) = self.seats.get_mut(index) else { return false };
        if seat.plugin.offer(offer) {
            (seat.rest, self.rest) = (None, None);
        }
        true
    }

    /// Returns what is left to do while all rest; `None` when each is to be looked at.
    pub(super) fn resting(&self, now: Instant) -> Option<Turn> {
        self.rest?.turn(now)
    }

    /// Each was looked at: takes note of how long all rest.
    pub(super) fn note_rest(&mut self) {
        let nobody = Rest { until: Instant(u64::MAX), wake: None };
        let mut rests = self.seats.iter().map(|seat| seat.rest).filter(|_| Self::ARE_JOINED);
        self.rest = rests.try_fold(nobody, |all, rest| Some(all.and(rest?))).filter(|_| Self::ARE_JOINED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rest_as_long_as_the_first_of_them() {
        let at = Instant::from_millis;
        let rests = [
            Rest { until: at(10), wake: None },
            Rest { until: at(5), wake: Some(at(5)) },
            Rest { until: at(7), wake: Some(at(6)) },
        ];
        let all = rests.into_iter().reduce(Rest::and).unwrap();
        assert_eq!(all.turn(at(4)), Some(Turn { busy: false, wake: Some(at(5)) }));
        assert_eq!(all.turn(at(5)), None, "one of them has something to do");
        let mut seats = Seats::default();
        seats.note_rest();
        assert_eq!(seats.resting(at(1)), Some(Turn::default()), "nobody is there");
        let _ = seats.all_mut();
        assert_eq!(seats.resting(at(1)), None, "somebody may have been stirred");
    }
}
