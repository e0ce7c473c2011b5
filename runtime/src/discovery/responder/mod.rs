//! When what is said: probing, announcing, answering, farewell (RFC 6762 §6 to §10).
//!
//! ```text
//!            address                     3 probes unanswered        2 announcements
//! Silent ───────────────▶ Probing ─────────────────────▶ Announcing ───────────────▶ Known
//!    ▲                     ▲   ▲ └─ taken: another name ─┘                              │
//!    └─ address gone ──────┘   └────────── somebody else's record of our name ──────────┘
//! ```

mod speech;

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use super::own::{Announced, Form, Own, RECORDS_MAX, Records, Taken};
use super::wire::{Entry, Message, Section, TOP_BIT, flags};
use crate::hal::{NetError, Network, Socket};
use crate::time::Instant;

/// Port of multicast DNS (RFC 6762 §3).
pub const PORT: u16 = 5353;
/// Its group.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// Bytes of a message: what an Ethernet packet carries (RFC 6762 §17).
const MESSAGE_BYTES_MAX: usize = 1472;
/// Messages taken in one poll.
const MESSAGES_PER_POLL: usize = 4;
/// Questions and records looked at in a message.
const ENTRIES_MAX: usize = 128;
/// Askers who are answered later at the same time; beyond them all are answered at once.
const WAITING_MAX: usize = 4;
/// Messages that an answer is spread over.
const PIECES_MAX: usize = 4;
/// Probes, and the time between them (RFC 6762 §8.1).
const PROBES: u8 = 3;
const BETWEEN_PROBES: Duration = Duration::from_millis(250);
/// Time before the probes after one that another machine went before with (RFC 6762 §8.2).
const AFTER_DEFEAT: Duration = Duration::from_secs(1);
/// Names that were taken, after which each further one waits (RFC 6762 §8.1).
const TAKEN_MAX: u8 = 15;
const AFTER_MANY_TAKEN: Duration = Duration::from_secs(5);
/// Announcements, and the time between them (RFC 6762 §8.3).
const ANNOUNCEMENTS: u8 = 2;
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_secs(1);
/// Time in which a record is not told to all again (RFC 6762 §6).
const TOLD_RECENTLY: Duration = Duration::from_secs(1);
/// The same where somebody is about to take the name (RFC 6762 §6).
const DEFENDED_RECENTLY: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no address.
    Silent,
    /// The next probe goes at this time.
    Probing { sent: u8, at: Instant },
    /// The names are ours; the next announcement goes at this time.
    Announcing { sent: u8, at: Instant },
    /// Questions are answered.
    Known,
}

/// Answers for somebody that wait for others, or for more of what the asker knows.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    asker: SocketAddr,
    answers: Records,
    due: Instant,
    /// Time in which what was told to all is not told again.
    told_recently: Duration,
}

/// Answers for the gateway on the network.
///
/// Poll it after the network. It needs one UDP socket and one multicast group.
#[derive(Debug)]
pub struct Responder {
    socket: Socket,
    own: Own,
    state: State,
    waiting: heapless::Vec<Waiting, WAITING_MAX>,
    /// When each record was told to all.
    told: [Option<Instant>; RECORDS_MAX],
    names_taken: u8,
    /// Of no other use than to spread delays.
    chance: u32,
    /// Something was said that the network still has to send.
    has_spoken: bool,
    received: Vec<u8>,
    sending: Vec<u8>,
}

impl Responder {
    /// Opens the port of multicast DNS. `chance` spreads delays, so that machines that start together do not speak at once.
    ///
    /// # Errors
    /// [`NetError`] of the port or the group.
    pub fn open(network: &mut dyn Network, announced: Announced, chance: u32) -> Result<Self, NetError> {
        let socket = network.bind_udp(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT))?;
        if let Err(error) = network.join(socket, GROUP.into()) {
            network.close(socket);
            return Err(error);
        }
        Ok(Self {
            socket,
            own: Own::new(announced),
            state: State::Silent,
            waiting: heapless::Vec::new(),
            told: [None; RECORDS_MAX],
            names_taken: 0,
            chance,
            has_spoken: false,
            received: vec![0; MESSAGE_BYTES_MAX],
            sending: Vec::with_capacity(MESSAGE_BYTES_MAX),
        })
    }

    /// Returns the host's name as others find it, without `.local`; `None` until it is ours.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        matches!(self.state, State::Announcing { .. } | State::Known).then(|| self.own.host())
    }

    /// Answers what came, and says what is due; returns when it wants to run again.
    pub fn poll(&mut self, network: &mut dyn Network, now: Instant) -> Option<Instant> {
        let address = network.own_network().map(|(address, _)| address);
        if address != (self.state != State::Silent).then_some(self.own.address) {
            self.move_to(address, now);
        }
        let is_more = self.listen(network, now);
        self.speak(network, now);
        let state = match self.state {
            State::Probing { at, .. } | State::Announcing { at, .. } => Some(at),
            State::Silent | State::Known => None,
        };
        let is_more = core::mem::take(&mut self.has_spoken) || is_more;
        let waiting = self.waiting.iter().map(|waiting| waiting.due);
        waiting.chain(state).chain(is_more.then_some(now)).min()
    }

    /// Says that nothing of ours is valid any more, and closes the port.
    pub fn close(mut self, network: &mut dyn Network, now: Instant) {
        if self.name().is_some() {
            let all = self.own.told();
            self.tell(network, all, Records::default(), Form::Farewell);
            // What a socket still has to send goes with it.
            network.poll(now);
        }
        network.close(self.socket);
    }

    fn move_to(&mut self, address: Option<Ipv4Addr>, now: Instant) {
        self.waiting.clear();
        self.told = [None; RECORDS_MAX];
        self.names_taken = 0;
        self.state = State::Silent;
        if let Some(address) = address {
            self.own.address = address;
            self.probe(now);
        }
    }

    /// Begins to probe, after a pause that is not the same on every machine.
    fn probe(&mut self, from: Instant) {
        let pause = self.pause(0, 250);
        self.state = State::Probing { sent: 0, at: from + pause };
    }

    /// Returns a time between two numbers of milliseconds.
    fn pause(&mut self, least: u32, most: u32) -> Duration {
        // Numerical Recipes' ranqd1: the upper bits are good enough to spread delays.
        self.chance = self.chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let span = most.saturating_sub(least).max(1);
        Duration::from_millis(u64::from(least.saturating_add((self.chance >> 16) % span)))
    }

    /// Takes what came; true when there can be more.
    fn listen(&mut self, network: &mut dyn Network, now: Instant) -> bool {
        for _ in 0..MESSAGES_PER_POLL {
            let mut received = core::mem::take(&mut self.received);
            let got = network.receive_from(self.socket, &mut received);
            if let Ok(Some((bytes, from))) = got
                && self.state != State::Silent
                && is_near(network, from.ip())
                && let Some(message) = received.get(..bytes).and_then(Message::read)
                && !message.has(flags::OPCODE | flags::CODE)
            {
                if !message.has(flags::RESPONSE) {
                    self.take_query(&message, from, network, now);
                } else if from.port() == PORT {
                    self.take_response(&message, now);
                }
            }
            self.received = received;
            if !matches!(got, Ok(Some(_))) {
                return false;
            }
        }
        true
    }

    fn take_response(&mut self, message: &Message<'_>, now: Instant) {
        let is_probing = matches!(self.state, State::Probing { .. });
        let mut taken = None;
        for entry in message.entries().take(ENTRIES_MAX) {
            if let Entry::Record(_, record) = entry {
                taken = taken.or_else(|| self.own.conflict(&record, is_probing));
            }
        }
        let Some(taken) = taken else { return };
        if is_probing {
            self.own.rename(taken);
            self.names_taken = self.names_taken.saturating_add(1);
        }
        // Of one that was ours the probes find out whose it is.
        let pause = if self.names_taken >= TAKEN_MAX { AFTER_MANY_TAKEN } else { Duration::ZERO };
        self.probe(now + pause);
    }

    fn take_query(&mut self, message: &Message<'_>, from: SocketAddr, network: &mut dyn Network, now: Instant) {
        let (mut answers, mut to_all, mut known) = (Records::default(), Records::default(), Records::default());
        let mut rival = [(0_u16, None); 2];
        for entry in message.entries().take(ENTRIES_MAX) {
            match entry {
                Entry::Question(question) => {
                    let found = self.own.answers(&question);
                    answers = answers.with(found);
                    if question.class & TOP_BIT == 0 {
                        to_all = to_all.with(found);
                    }
                }
                Entry::Record(Section::Answer, record) => known = known.with(self.own.known(&record)),
                Entry::Record(Section::Authority, record) => {
                    if let Some((taken, ordering)) = self.own.compare(&record)
                        && let Some((count, most)) = rival.get_mut(usize::from(taken == Taken::Services))
                    {
                        *count = count.saturating_add(1);
                        *most = (*most).max(Some(ordering));
                    }
                }
                Entry::Record(Section::Additional, _) => {}
            }
        }
        if let State::Probing { sent, .. } = self.state {
            // Theirs goes before ours where it is greater, or has the same and more. Before the first probe there is no rival.
            let is_defeat = |(count, most): &(u16, _)| {
                *most == Some(Ordering::Less) || *count > 1 && *most == Some(Ordering::Equal)
            };
            if sent > 0 && rival.iter().any(is_defeat) {
                self.probe(now + AFTER_DEFEAT);
            }
            return;
        }
        if from.port() != PORT {
            self.answer_legacy(message, from, answers, network);
            return;
        }
        let answers = answers.without(known);
        if message.question_count() == 0 {
            // More of what an asker knows (RFC 6762 §7.2).
            for waiting in self.waiting.iter_mut().filter(|waiting| waiting.asker == from) {
                waiting.answers = waiting.answers.without(known);
            }
        }
        // Where all have not heard it for long, all hear it (RFC 6762 §5.4).
        let is_fresh = |index: usize| {
            let quarter = Duration::from_secs(u64::from(Own::ttl(index)) / 4);
            self.told.get(index).is_some_and(|told| told.is_some_and(|told| now.since(told) < quarter))
        };
        let to_asker = answers.without(to_all).filter(is_fresh);
        let to_all = answers.without(to_asker);
        if !to_asker.is_empty() {
            self.tell_one(network, to_asker, from);
        }
        if !to_all.is_empty() {
            let due = now + self.delay(message, to_all);
            let told_recently = if message.is_probe() { DEFENDED_RECENTLY } else { TOLD_RECENTLY };
            let waiting = Waiting { asker: from, answers: to_all, due, told_recently };
            if let Err(waiting) = self.waiting.push(waiting)
                && let Some(first) = self.waiting.first_mut()
            {
                // No place is left: they are answered together, and now.
                *first = Waiting { answers: first.answers.with(waiting.answers), due: now, ..waiting };
            }
        }
    }

    /// Returns how long an answer waits: for more of what the asker knows, for others who may have one, or not at all.
    fn delay(&mut self, message: &Message<'_>, answers: Records) -> Duration {
        if message.is_probe() {
            Duration::ZERO
        } else if message.has(flags::TRUNCATED) {
            self.pause(400, 500)
        } else if answers.indexes().any(Own::is_shared) {
            self.pause(20, 120)
        } else {
            Duration::ZERO
        }
    }
}

/// Tells whether an address is of the own network: nobody else is answered (RFC 6762 §11).
fn is_near(network: &dyn Network, address: IpAddr) -> bool {
    let (Some((own, prefix)), IpAddr::V4(address)) = (network.own_network(), address) else { return false };
    let apart = own.to_bits() ^ address.to_bits();
    apart.checked_shr(32_u32.saturating_sub(prefix.into())).unwrap_or(0) == 0
}
