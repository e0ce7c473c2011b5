//! One connection to a broker, from its greeting to its end.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use super::Broker;
use super::packet::{self, Connect, Message, Packet, Terms, Version};
use crate::input::server::Line;
use crate::wake::Waker;

/// Bytes read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Messages under way, where the broker allows as many: a link of 100 ms carries 1,280 a second then.
const UNDER_WAY_MAX: usize = 128;
/// Longest wait for an answer: a broker that takes and does not acknowledge is gone.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// Bytes that are written at once.
const WRITE_BYTES: usize = 16 * 1024;

/// Why a connection to a broker that says nothing is over.
pub const NO_ANSWER: &str = "the broker does not answer";

/// What a broker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something that was subscribed to.
    Message {
        /// Where.
        topic: String,
        /// What.
        payload: Vec<u8>,
        /// It was there before.
        is_retained: bool,
    },
    /// The oldest message under way has come; or is refused, for this reason.
    Taken(Option<&'static str>),
}

/// A message under way.
struct UnderWay {
    id: u16,
    /// What became of it, once that is known.
    ended: Option<Option<u8>>,
}

/// A connection that a broker has let in.
pub struct Session {
    line: Line,
    /// The same, to wait for.
    waited: [OwnedFd; 1],
    version: Version,
    terms: Terms,
    keep_alive: Duration,
    inbox: Vec<u8>,
    /// Bytes of it that were taken.
    taken: usize,
    outbox: Vec<u8>,
    under_way: VecDeque<UnderWay>,
    next_id: u16,
    written_at: Instant,
    /// Since when something is owed: an acknowledgement, the answer to a question.
    asked_at: Option<Instant>,
}

impl Session {
    /// Connects and logs in as `own` where no other name is given; `will` is said when the connection ends without a word.
    ///
    /// # Errors
    /// Why not.
    pub fn open(broker: &Broker, own: &str, will: Option<Message<'_>>) -> Result<Self, String> {
        let (user, password) = broker.login()?;
        let line = Line::open(&broker.site, &broker.trust, broker.identity().as_ref())?;
        // What is small is not to wait for more.
        line.socket().set_nodelay(true).map_err(|error| error.to_string())?;
        let waited = [line.socket().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?];
        let mut session = Self {
            line,
            waited,
            version: broker.version,
            terms: Terms::default(),
            keep_alive: Duration::from_secs(broker.keep_alive_s.into()),
            inbox: Vec::new(),
            taken: 0,
            outbox: Vec::new(),
            under_way: VecDeque::new(),
            next_id: 0,
            written_at: Instant::now(),
            asked_at: None,
        };
        let who = Connect {
            client: broker.client(own),
            keep_alive_s: broker.keep_alive_s,
            user,
            password: password.as_deref(),
            will,
        };
        packet::connect(&mut session.outbox, session.version, &who);
        session.flush()?;
        session.greeted()?;
        Ok(session)
    }

    /// Waits until the broker has let us in.
    fn greeted(&mut self) -> Result<(), String> {
        let until = Instant::now() + ANSWER_TIME;
        loop {
            match packet::next(&self.inbox, self.version).map_err(|fault| fault.to_string())? {
                Some((Packet::Accepted(terms), taken)) => {
                    self.terms = terms;
                    if let Some(seconds) = terms.keep_alive_s {
                        self.keep_alive = Duration::from_secs(seconds.into());
                    }
                    self.taken = taken;
                    return Ok(());
                }
                Some((Packet::Refused(code), _)) => return Err(packet::meaning(code).into()),
                Some(_) => return Err("the broker says something else than who it is".into()),
                None if Instant::now() >= until => return Err(NO_ANSWER.into()),
                None => self.read()?,
            }
        }
    }

    /// Ends it as who needs no last will.
    pub fn leave(mut self) {
        packet::disconnect(&mut self.outbox);
        // It is over in any case.
        let _ = self.flush();
    }

    /// Returns its socket, to be shut down.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        self.line.socket()
    }

    /// Tells whether one more message may be under way.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.under_way.len() < UNDER_WAY_MAX.min(self.terms.receive_max.into())
    }

    /// Tells whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Tells whether the broker would take a message of that size.
    #[must_use]
    pub fn takes(&self, message: &Message<'_>) -> bool {
        // Kind, length, length of the topic, number, properties.
        let bytes = message.topic.len().saturating_add(message.payload.len()).saturating_add(10);
        u32::try_from(bytes).is_ok_and(|bytes| bytes <= self.terms.packet_bytes_max)
            && bytes <= packet::PACKET_BYTES_MAX
    }

    /// Publishes at QoS 1; [`Heard::Taken`] tells what became of it, in the order in which they were published.
    ///
    /// # Errors
    /// The connection is over.
    pub fn publish(&mut self, message: &Message<'_>) -> Result<(), String> {
        let id = self.new_id();
        packet::publish(&mut self.outbox, self.version, message, Some(id));
        self.under_way.push_back(UnderWay { id, ended: None });
        self.asked_at.get_or_insert_with(Instant::now);
        if self.outbox.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Asks for topics.
    ///
    /// # Errors
    /// The connection is over.
    pub fn subscribe<'f>(&mut self, filters: impl Iterator<Item = &'f str>) -> Result<(), String> {
        let id = self.new_id();
        packet::subscribe(&mut self.outbox, self.version, id, filters);
        self.flush()
    }

    /// Returns a number that nothing under way has.
    fn new_id(&mut self) -> u16 {
        loop {
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            if self.under_way.iter().all(|other| other.id != self.next_id) {
                return self.next_id;
            }
        }
    }

    /// Writes what was not written yet.
    ///
    /// # Errors
    /// The connection is over: closed, or nothing was taken for ten seconds.
    pub fn flush(&mut self) -> Result<(), String> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let written = self.line.write_all(&self.outbox).and_then(|()| self.line.flush());
        self.outbox.clear();
        self.written_at = Instant::now();
        written.map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "the broker takes nothing".into(),
            _ => error.to_string(),
        })
    }

    /// Waits until the broker says something, `waker` wakes, or `time` is over; and keeps the connection alive.
    ///
    /// # Errors
    /// The connection is over, or the broker owes an answer for too long.
    pub fn wait(&mut self, waker: &Waker, time: Option<Duration>) -> Result<(), String> {
        self.flush()?;
        if !self.line.has_more() {
            let left = self.left();
            waker.wait(&self.waited, Some(time.map_or(left, |time| time.min(left))));
        }
        if self.line.is_readable() {
            self.read()?;
        }
        if self.asked_at.is_some_and(|at| at.elapsed() >= ANSWER_TIME) {
            return Err(NO_ANSWER.into());
        }
        if !self.keep_alive.is_zero() && self.written_at.elapsed() >= self.keep_alive / 2 {
            packet::ping(&mut self.outbox);
            self.asked_at.get_or_insert_with(Instant::now);
            self.flush()?;
        }
        Ok(())
    }

    /// Returns the time until something is to be done although nothing comes.
    fn left(&self) -> Duration {
        let answer = self.asked_at.map_or(ANSWER_TIME, |at| ANSWER_TIME.saturating_sub(at.elapsed()));
        let ping = (self.keep_alive / 2).saturating_sub(self.written_at.elapsed());
        if self.keep_alive.is_zero() { answer } else { answer.min(ping) }
    }

    /// Reads what is there.
    fn read(&mut self) -> Result<(), String> {
        self.inbox.drain(..std::mem::take(&mut self.taken).min(self.inbox.len()));
        let begin = self.inbox.len();
        self.inbox.resize(begin.saturating_add(CHUNK_BYTES), 0);
        let read = self.line.read(self.inbox.get_mut(begin..).unwrap_or_default());
        self.inbox.truncate(begin.saturating_add(*read.as_ref().unwrap_or(&0)));
        match read {
            Ok(0) => Err("the broker ended the connection".into()),
            Ok(_) => Ok(()),
            // Half a record of TLS; the rest comes.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes the next thing that the broker has said.
    ///
    /// # Errors
    /// It has ended the connection, refuses a subscription, or says what is no MQTT.
    pub fn hear(&mut self) -> Result<Option<Heard>, String> {
        loop {
            if let Some(ended) = self.under_way.front().and_then(|first| first.ended) {
                self.under_way.pop_front();
                self.asked_at = self.asked_at.filter(|_| !self.under_way.is_empty()).map(|_| Instant::now());
                return Ok(Some(Heard::Taken(ended.map(packet::meaning))));
            }
            let rest = self.inbox.get(self.taken..).unwrap_or_default();
            let Some((packet, taken)) = packet::next(rest, self.version).map_err(|fault| fault.to_string())? else {
                return Ok(None);
            };
            let heard = match packet {
                Packet::Publish { message, id } => {
                    id.iter().for_each(|id| packet::acknowledge(&mut self.outbox, *id));
                    Some(Heard::Message {
                        topic: message.topic.to_owned(),
                        payload: message.payload.to_vec(),
                        is_retained: message.is_retained,
                    })
                }
                Packet::Acknowledged(id, code) => {
                    if let Some(known) = self.under_way.iter_mut().find(|known| known.id == id) {
                        known.ended = Some(code);
                    }
                    None
                }
                Packet::Pong => {
                    self.asked_at = self.asked_at.filter(|_| !self.under_way.is_empty());
                    None
                }
                Packet::Subscribed(_, false) => None,
                Packet::Subscribed(_, true) => return Err("the broker refuses a topic that is subscribed to".into()),
                Packet::Ended(code) => return Err(packet::meaning(code).into()),
                Packet::Accepted(_) | Packet::Refused(_) => return Err("the broker greets twice".into()),
            };
            self.taken = self.taken.saturating_add(taken);
            if heard.is_some() {
                return Ok(heard);
            }
        }
    }
}
