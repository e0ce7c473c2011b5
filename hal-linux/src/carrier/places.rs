//! Places for connections: a share for each peer, some kept for this machine, and who makes room when all are taken.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Of all places a peer that is not this machine has at most this part.
const SHARE: usize = 4;
/// Of all places this part is kept for this machine: the skipper's own display, and commands.
const KEPT: usize = 8;
/// A connection that was answered has this long for its next request before another client may have its place; much
/// of an answer can still be on its way.
const REST: Duration = Duration::from_secs(10);

/// TLS handshakes at the same time; each takes some 50 KB, and work of the processor that a boat computer feels.
const GREETINGS_MAX: usize = 16;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Nothing whole has come from it yet.
    Beginning,
    /// It is in its TLS handshake.
    Greeting,
    /// A request of it is read or answered.
    Asking,
    /// It was answered.
    Resting { since: Instant },
}

#[derive(Debug)]
struct Seat {
    peer: IpAddr,
    doing: Doing,
    leave: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Taken {
    /// By number; the oldest come first.
    seats: BTreeMap<u64, Seat>,
    next: u64,
}

/// All places.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    taken: Mutex<Taken>,
    /// A handshake is over, or its connection.
    greeted: Notify,
}

/// A place of one connection, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    leave: Arc<Notify>,
}

impl Places {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::new(Taken::default()), greeted: Notify::new() })
    }

    /// Takes a place; where there is none, a connection makes room that has no whole request to show for itself.
    /// `None` when nobody can.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Option<Place> {
        let mut taken = self.taken();
        let is_own = peer.is_loopback();
        let of_peer = taken.seats.values().filter(|seat| seat.peer == peer).count();
        let kept = if is_own { 0 } else { self.max / KEPT };
        let has_share = is_own || of_peer < (self.max / SHARE).max(1);
        if !has_share {
            // It makes room for itself.
            let number = taken.to_leave(now, |seat| seat.peer == peer)?;
            taken.send_away(number);
        } else if taken.seats.len().saturating_add(kept) >= self.max {
            let number = taken.to_leave(now, |_| true)?;
            taken.send_away(number);
        }
        let number = taken.next;
        taken.next = taken.next.saturating_add(1);
        let leave = Arc::new(Notify::new());
        taken.seats.insert(number, Seat { peer, doing: Doing::Beginning, leave: Arc::clone(&leave) });
        Some(Place { places: Arc::clone(self), number, leave })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing under the lock leaves it half done.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Returns who has to leave: of the peer with most of them the oldest that shows no request.
    fn to_leave(&self, now: Instant, may: impl Fn(&Seat) -> bool) -> Option<u64> {
        let is_idle = |seat: &Seat| match seat.doing {
            Doing::Beginning | Doing::Greeting => true,
            Doing::Asking => false,
            Doing::Resting { since } => now.saturating_duration_since(since) >= REST,
        };
        let mut of_peers: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for seat in self.seats.values().filter(|seat| is_idle(seat)) {
            *of_peers.entry(seat.peer).or_default() += 1;
        }
        let idle = self.seats.iter().filter(|(_, seat)| is_idle(seat) && may(seat));
        // Among equals `max_by_key` takes the last, so the numbers are counted down.
        idle.max_by_key(|(number, seat)| (of_peers.get(&seat.peer).copied(), u64::MAX - **number))
            .map(|(number, _)| *number)
    }

    fn send_away(&mut self, number: u64) {
        if let Some(seat) = self.seats.remove(&number) {
            // Kept for a connection that does not listen yet.
            seat.leave.notify_one();
        }
    }
}

impl Place {
    /// Begins a TLS handshake when it is its turn: a browser begins six at once.
    pub(super) async fn greets(&self) {
        loop {
            let mut over = std::pin::pin!(self.places.greeted.notified());
            // From here on none is missed.
            over.as_mut().enable();
            if self.may_greet() {
                return;
            }
            over.await;
        }
    }

    /// Begins a TLS handshake; false while there are too many, of this peer or of all.
    fn may_greet(&self) -> bool {
        let mut taken = self.places.taken();
        let Some(peer) = taken.seats.get(&self.number).map(|seat| seat.peer) else { return false };
        let greeting = taken.seats.values().filter(|seat| seat.doing == Doing::Greeting);
        let (all, of_peer) = greeting.fold((0_usize, 0_usize), |(all, of_peer), seat| {
            (all.saturating_add(1), of_peer.saturating_add(usize::from(seat.peer == peer)))
        });
        let may = all < GREETINGS_MAX && of_peer < GREETINGS_MAX / SHARE;
        if let Some(seat) = taken.seats.get_mut(&self.number).filter(|_| may) {
            seat.doing = Doing::Greeting;
        }
        may
    }

    /// The handshake is over.
    pub(super) fn has_greeted(&self) {
        self.set(Doing::Beginning);
        self.places.greeted.notify_waiters();
    }

    /// A whole head has come.
    pub(super) fn asks(&self) {
        self.set(Doing::Asking);
    }

    /// The answer is given.
    pub(super) fn rests(&self, now: Instant) {
        self.set(Doing::Resting { since: now });
    }

    /// Waits until another connection has the place.
    pub(super) async fn is_gone(&self) {
        self.leave.notified().await;
    }

    fn set(&self, doing: Doing) {
        if let Some(seat) = self.places.taken().seats.get_mut(&self.number) {
            seat.doing = doing;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().seats.remove(&self.number);
        self.places.greeted.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn is_away(place: &Place) -> bool {
        !place.places.taken().seats.contains_key(&place.number)
    }

    #[test]
    fn a_peer_has_a_share_and_makes_room_for_itself() {
        let (places, now) = (Places::new(16), Instant::now());
        let first: Vec<Place> = (0..4).map(|_| places.take(peer(1), now).unwrap()).collect();
        let fifth = places.take(peer(1), now).unwrap();
        assert!(is_away(&first[0]) && !is_away(&first[1]) && !is_away(&fifth));
        first[1..].iter().chain([&fifth]).for_each(Place::asks);
        assert!(places.take(peer(1), now).is_none(), "all of its places are at work");
        assert!(places.take(peer(2), now).is_some());
    }

    #[test]
    fn handshakes_have_a_share_for_each_peer() {
        let (places, now) = (Places::new(400), Instant::now());
        let all: Vec<Place> = (0..40).filter_map(|at| places.take(peer(at / 8), now)).collect();
        let greeting: Vec<&Place> = all.iter().filter(|place| place.may_greet()).collect();
        assert_eq!(greeting.len(), GREETINGS_MAX);
        let of_first =
            all.iter().take(8).filter(|place| greeting.iter().any(|greeting| greeting.number == place.number));
        assert_eq!(of_first.count(), GREETINGS_MAX / SHARE);
        let waits = all.last().unwrap();
        assert!(!waits.may_greet());
        let mut turn = Box::pin(waits.greets());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(turn.as_mut().poll(&mut context).is_pending());
        greeting[0].has_greeted();
        assert!(turn.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn places_are_kept_for_this_machine() {
        let (places, now) = (Places::new(16), Instant::now());
        let busy: Vec<Place> = (0..14).filter_map(|at| places.take(peer(at / 4), now)).collect();
        busy.iter().for_each(Place::asks);
        assert_eq!(busy.len(), 14);
        assert!(places.take(peer(9), now).is_none());
        assert!(places.take(OWN, now).is_some());
    }

    #[test]
    fn the_peer_with_most_unfinished_heads_makes_room_and_a_request_stays() {
        let (places, now) = (Places::new(8), Instant::now());
        let asking = places.take(OWN, now).unwrap();
        asking.asks();
        let begun = places.take(peer(1), now).unwrap();
        let own: Vec<Place> = (0..6).map(|_| places.take(OWN, now).unwrap()).collect();
        let last = places.take(OWN, now).unwrap();
        assert!(is_away(&own[0]) && !is_away(&own[1]) && !is_away(&begun) && !is_away(&asking) && !is_away(&last));
    }

    #[test]
    fn who_was_answered_rests_for_a_while_before_it_makes_room() {
        let (places, now) = (Places::new(2), Instant::now());
        let all: Vec<Place> = (0..2).map(|_| places.take(OWN, now).unwrap()).collect();
        all.iter().for_each(|place| place.rests(now));
        assert!(places.take(OWN, now + REST / 2).is_none());
        assert!(places.take(OWN, now + REST).is_some() && is_away(&all[0]));
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_is_over() {
        let (places, now) = (Places::new(1), Instant::now());
        let one = places.take(OWN, now).unwrap();
        one.asks();
        assert!(places.take(OWN, now).is_none());
        drop(one);
        assert!(places.take(OWN, now).is_some());
    }
}
