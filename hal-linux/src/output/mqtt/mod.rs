//! Values and deltas to an MQTT broker.
//!
//! One thread takes the lines and keeps them in a [`Store`], another publishes them at QoS 1, batch by batch: a broker that is slow or
//! gone holds up nobody. What was not acknowledged when a connection ended is published again by the next one, from the oldest on;
//! a reader knows what came twice by time and path.

mod destination;
mod discovery;
mod puts;
mod template;
mod values;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use skiff_runtime::crc32::crc32;

pub use self::destination::Destination;
pub use self::puts::Puts;
pub use self::values::Values;

use self::puts::{ORDER_BYTES_MAX, Order, Orders};
use self::template::Place;
use super::hub::{Hub, State, Taker, count};
use super::store::{Batch, Next, Store};
use crate::input::live::BackOff;
use crate::input::stop::Stop;
use crate::mqtt::packet::Message;
use crate::mqtt::{Heard, NO_ANSWER, Session};
use crate::wake::Waker;

/// Time after which a batch is published that is not full: what is switched is to be seen.
const BATCH_TIME: Duration = Duration::from_millis(50);
/// Connections that end with the same line as the oldest, until it is passed over.
const ENDS_MAX: u32 = 5;
/// Refusals of one connection that are told.
const REFUSALS_TOLD_MAX: u32 = 5;
/// Time that a broker must stay for the next pause to be the first again.
const STEADY: Duration = Duration::from_secs(10);
/// Levels below the base.
const STATUS: &str = "/status";
const PUT: &str = "/put/";
const ANSWERS: &str = "/answers";

/// What an output needs besides its hub.
pub struct Output {
    destination: Destination,
    name: String,
    /// What it is called at the broker where nothing else is said.
    client: String,
    base: String,
    orders: Option<Orders>,
}

/// Makes what publishes, and what the gateway's thread does with the orders that come.
pub fn prepare(destination: &Destination, name: &str, self_context: &str, waker: &Waker) -> (Output, Option<Puts>) {
    let base = destination.base.of(&Place { context: self_context, is_own: true, path: "", source: "" });
    let made = destination.put_token_file.clone().map(|file| puts::puts(file, format!("{base}{ANSWERS}"), waker));
    let (orders, puts) = made.map_or((None, None), |(orders, puts)| (Some(orders), Some(puts)));
    let output = Output {
        destination: destination.clone(),
        name: name.to_owned(),
        client: client(self_context, name),
        base,
        orders,
    };
    (output, puts)
}

/// Names a client by its vessel and output: two with one name end each other's connections.
fn client(self_context: &str, name: &str) -> String {
    format!("skiff-{:08x}{:08x}", crc32(self_context.as_bytes()), crc32(name.as_bytes()))
}

/// Begins to publish what the hub gets; `folder` is where lines wait. The thread that is returned ends once they lie there.
///
/// # Errors
/// What the system said: the folder, or no more threads.
pub fn start(output: Output, hub: &Arc<Hub>, stop: &Stop, folder: Option<PathBuf>) -> io::Result<JoinHandle<()>> {
    if output.destination.broker.is_open_to_all() {
        log::warn!("{}: the password goes over the network in the clear; mqtts:// hides it", output.name);
    }
    let store = Arc::new(Store::open(folder, output.destination.keep_bytes, BATCH_TIME)?);
    let waker = Waker::new()?;
    // The only one of its hub.
    let taker = Taker::new(None);
    hub.join(&taker, 1);
    let (kept, counted, wakes) = (Arc::clone(&store), Arc::clone(hub), waker.clone());
    let keeps = spawn("output store", move || {
        while let Some(lines) = taker.take() {
            let lost = kept.push(&lines);
            count(&counted.counters.failed, usize::try_from(lost).unwrap_or(usize::MAX));
            wakes.wake();
        }
        kept.push(&taker.rest());
        kept.close();
        wakes.wake();
    })?;
    let publisher = Publisher {
        output,
        store,
        hub: Arc::clone(hub),
        stop: stop.clone(),
        waker,
        under_way: None,
        ends_in_a_row: 0,
        refusals: 0,
    };
    spawn("output", move || publisher.run(BackOff::SERVERS))?;
    Ok(keeps)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}

/// A batch, and how far it is.
struct UnderWay {
    batch: Batch,
    /// Bytes of it that were acknowledged, and that were published on this connection.
    taken: usize,
    published: usize,
}

impl UnderWay {
    /// Returns the line that begins at `at`, with its end.
    fn line(&self, at: usize) -> Option<&str> {
        self.batch.text.get(at..)?.split_inclusive('\n').next()
    }
}

/// Who publishes.
struct Publisher {
    output: Output,
    store: Arc<Store>,
    hub: Arc<Hub>,
    stop: Stop,
    waker: Waker,
    under_way: Option<UnderWay>,
    /// Connections that ended, one after the other, with the same line as the oldest.
    ends_in_a_row: u32,
    /// Messages that were refused on this connection.
    refusals: u32,
}

impl Publisher {
    /// Connects and publishes, again and again, until it is over.
    fn run(mut self, back_off: BackOff) {
        let (mut pause, mut is_told, mut since) = (back_off.first, false, Instant::now());
        loop {
            self.hub.set_state(State::Connecting);
            let reason = match self.open() {
                Ok(session) => {
                    let name = &self.output.name;
                    log::info!("{name}: {}", if is_told { "takes messages again" } else { "open" });
                    self.hub.set_state(State::Open);
                    (is_told, since) = (false, Instant::now());
                    let before = self.under_way.as_ref().map(|under_way| (under_way.batch.clone(), under_way.taken));
                    match self.publish(session) {
                        Some(reason) => {
                            self.look_at_oldest(before, &reason);
                            reason
                        }
                        None => return,
                    }
                }
                Err(reason) => reason,
            };
            // One that ends each connection at once is not asked ever faster.
            if since.elapsed() >= STEADY {
                pause = back_off.first;
            }
            if self.stop.is_over() {
                return;
            }
            // Not each attempt of a day without a network.
            if !std::mem::replace(&mut is_told, true) {
                log::warn!("{}: {reason}; messages are kept, and sent when it takes them", self.output.name);
            }
            let trouble = self.store.trouble().map(|trouble| format!("; kept in memory alone: {trouble}"));
            self.hub.set_state(State::Waiting(reason + &trouble.unwrap_or_default()));
            if !self.stop.sleep(pause) {
                return;
            }
            pause = pause.saturating_mul(2).min(back_off.max);
        }
    }

    /// Passes over a line for which the broker ends the connection, time and again: brokers of 3.1.1 have no other word for one that they
    /// will not take, and everything else waits behind it.
    fn look_at_oldest(&mut self, before: Option<(Batch, usize)>, reason: &str) {
        let now = self.under_way.as_ref().filter(|under_way| under_way.published > under_way.taken);
        let is_same =
            now.is_some_and(|now| before.is_some_and(|(batch, taken)| batch == now.batch && taken == now.taken));
        self.ends_in_a_row = if is_same && reason != NO_ANSWER { self.ends_in_a_row.saturating_add(1) } else { 0 };
        if self.ends_in_a_row >= ENDS_MAX {
            self.ends_in_a_row = 0;
            self.taken(Some("the broker ends the connection for it"));
        }
    }

    fn open(&self) -> Result<Session, String> {
        let topic = format!("{}{STATUS}", self.output.base);
        let status = |payload| Message { topic: &topic, payload, is_retained: true };
        let Output { destination, client, .. } = &self.output;
        let mut session = Session::open(&destination.broker, client, Some(status(&b"offline"[..])))?;
        session.publish(&status(&b"online"[..]))?;
        if self.output.orders.is_some() {
            session.subscribe(std::iter::once(&*format!("{}{PUT}#", self.output.base)))?;
        }
        Ok(session)
    }

    /// Publishes until the connection ends, and returns why; `None` when it is over.
    fn publish(&mut self, mut session: Session) -> Option<String> {
        let held = match self.stop.hold(session.socket()) {
            Ok(held) => held,
            Err(error) => return Some(error.to_string()),
        };
        self.refusals = 0;
        // That it is online.
        let mut own = 1_usize;
        if let Some(under_way) = &mut self.under_way {
            under_way.published = under_way.taken;
        }
        let reason = loop {
            match self.step(&mut session, &mut own) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(reason) => break reason,
            }
        };
        drop(held);
        Some(reason)
    }

    /// Takes what the broker says, publishes what there is room for, and waits; false when it is over.
    fn step(&mut self, session: &mut Session, own: &mut usize) -> Result<bool, String> {
        while let Some(heard) = session.hear()? {
            match heard {
                Heard::Message { topic, payload, is_retained } => self.order(&topic, &payload, is_retained),
                Heard::Taken(refused) if *own > 0 => {
                    *own -= 1;
                    self.tell_refused(refused);
                }
                Heard::Taken(refused) => self.taken(refused),
            }
        }
        let mut time = None;
        while session.has_room() {
            let Some(under_way) = &mut self.under_way else {
                match self.store.next() {
                    Next::Batch(batch) => self.under_way = Some(UnderWay { batch, taken: 0, published: 0 }),
                    Next::Later(later) => {
                        time = later;
                        break;
                    }
                    Next::Over => return Ok(false),
                }
                continue;
            };
            let Some(line) = under_way.line(under_way.published).map(str::len) else { break };
            if !self.publish_line(session, line)? {
                break;
            }
        }
        session.wait(&self.waker, time)?;
        Ok(!self.stop.is_over())
    }

    /// Publishes the next line, of so many bytes; one that the broker would never take is passed over, behind those that are under way:
    /// false until then.
    fn publish_line(&mut self, session: &mut Session, length: usize) -> Result<bool, String> {
        let Some(under_way) = &mut self.under_way else { return Ok(false) };
        let begin = under_way.published;
        let line = under_way.batch.text.get(begin..begin.saturating_add(length)).unwrap_or_default();
        let message = values::message(line.trim_end_matches('\n')).filter(|message| session.takes(message));
        if message.is_none() && !session.is_idle() {
            return Ok(false);
        }
        under_way.published = under_way.published.saturating_add(length);
        match message {
            Some(message) => session.publish(&message)?,
            None => self.taken(Some("it is too large for the broker")),
        }
        Ok(true)
    }

    /// Takes note that the oldest line that was published is there, or never will be.
    fn taken(&mut self, refused: Option<&'static str>) {
        let Some(under_way) = &mut self.under_way else { return };
        let length = under_way.line(under_way.taken).map_or(0, str::len);
        under_way.taken = under_way.taken.saturating_add(length);
        match refused {
            None => count(&self.hub.counters.bytes, length),
            Some(_) => count(&self.hub.counters.failed, 1),
        }
        if under_way.taken >= under_way.batch.text.len() {
            self.store.done(&under_way.batch);
            self.under_way = None;
        }
        self.tell_refused(refused);
    }

    /// Says so of the first ones of a connection: with no right to a topic it would be each value.
    fn tell_refused(&mut self, refused: Option<&'static str>) {
        let Some(reason) = refused else { return };
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals <= REFUSALS_TOLD_MAX {
            let more = if self.refusals == REFUSALS_TOLD_MAX { "; more are only counted" } else { "" };
            log::warn!("{}: a message is refused for good: {reason}{more}", self.output.name);
        }
    }

    /// Hands on what somebody wants to be put.
    fn order(&self, topic: &str, payload: &[u8], is_retained: bool) {
        let (Some(orders), false) = (&self.output.orders, is_retained) else { return };
        let levels = topic.strip_prefix(&*self.output.base).and_then(|rest| rest.strip_prefix(PUT));
        let (Some(levels), Ok(payload)) = (levels, str::from_utf8(payload)) else { return };
        let order = Order { path: levels.replace('/', "."), payload: payload.to_owned() };
        if payload.len() > ORDER_BYTES_MAX || !orders.give(order) {
            count(&self.hub.counters.overrun, 1);
        }
    }
}

#[cfg(test)]
mod tests;
