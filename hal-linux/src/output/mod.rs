//! Outputs beside the web server: what `--output` names, and how it is written.
//!
//! The gateway thread makes the lines and never waits: every client, port and connection has a queue and a thread.

mod address;
mod back;
mod hub;
#[cfg(feature = "influx")]
mod influx;
mod links;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(any(feature = "influx", feature = "mqtt"))]
mod series;
#[cfg(any(feature = "influx", feature = "mqtt"))]
mod store;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use skiff_runtime::gateway::{Gateway, OutputStatus, Relayed, Wake};
use skiff_runtime::json;
use skiff_runtime::n2k::N2kMessage;
use skiff_runtime::n2k::log::{LogWriter, To};
use skiff_runtime::nmea0183::out::Sentences;
use skiff_runtime::time::{Instant, UnixMillis};

use back::Back;
use hub::{Hub, State};

use crate::input::stop::Stop;
use crate::wake::Waker;

pub use address::{Address, Format, Output};
pub use hub::LOST_MAX;
pub use links::{CLIENTS_MAX, Opened};

/// What makes the lines of an output.
enum Maker {
    Sentences(Box<Sentences>),
    Deltas,
    Raw(Box<LogWriter>, To),
    #[cfg(feature = "influx")]
    Influx(Box<influx::Lines>),
    #[cfg(feature = "mqtt")]
    Mqtt(Box<mqtt::Values>),
}

/// Number of an output; none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputId(u64);

/// An output that runs.
struct Running {
    id: OutputId,
    stop: Stop,
    name: String,
    address: String,
    format: Format,
    maker: Maker,
    hub: Arc<Hub>,
    /// What a broker's clients want to be put.
    #[cfg(feature = "mqtt")]
    puts: Option<mqtt::Puts>,
    /// Keeps what was not sent yet, and ends then.
    keeps: Option<JoinHandle<()>>,
}

/// Time between two looks at the counters.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// All outputs of a gateway.
#[derive(Default)]
pub struct Outputs {
    list: Vec<Running>,
    next: u64,
    /// What clients of raw outputs want on the bus, in and out.
    back: Option<(SyncSender<N2kMessage>, Receiver<N2kMessage>)>,
    /// That it is not put there has been said.
    is_said: bool,
    tell_at: Instant,
    /// Where lines wait for servers that are gone.
    folder: Option<PathBuf>,
}

impl Outputs {
    /// Has none yet; `folder` is where lines wait for servers that are gone, without one in memory alone.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        let mut outputs = Self::default();
        outputs.folder = folder;
        outputs
    }

    /// Begins to write; what was opened says where.
    ///
    /// # Errors
    /// What the system said: no more threads.
    pub fn add(&mut self, opened: Opened, gateway: &mut Gateway, waker: &Waker) -> io::Result<OutputId> {
        #[cfg(feature = "mqtt")]
        let (mut opened, mut puts) = (opened, None);
        let (name, format) = (opened.name(), opened.format());
        warn_of(&name, opened.local_address(), format);
        let (maker, greeting) = match format {
            Format::Nmea0183(config) => {
                (Maker::Sentences(Box::new(Sentences::new(config, gateway.self_context()))), None)
            }
            Format::Deltas => (Maker::Deltas, Some(greeting(gateway.self_context()))),
            Format::Raw(to) => (Maker::Raw(Box::new(LogWriter::new(to)), to), None),
            #[cfg(feature = "influx")]
            Format::Influx => (opened.influx_lines(gateway.self_context()), None),
            #[cfg(feature = "mqtt")]
            Format::Mqtt => {
                let (maker, orders) = opened.mqtt_values(gateway.self_context(), waker);
                puts = orders;
                (maker, None)
            }
        };
        let (hub, stop) = (Arc::new(Hub::default()), Stop::new()?);
        let (messages, _) = self.back.get_or_insert_with(back::place);
        let back = format.back().map(|format| Back::new(format, &hub, messages.clone(), waker.clone()));
        let address = opened.address();
        let keeps = opened.start(&hub, &stop, greeting, back, self.folder.as_deref())?;
        match &maker {
            Maker::Raw(..) => gateway.listen_raw(),
            _ => gateway.listen(),
        }
        let id = OutputId(self.next);
        self.next = self.next.wrapping_add(1);
        self.list.push(Running {
            id,
            stop,
            name,
            address,
            format,
            maker,
            hub,
            #[cfg(feature = "mqtt")]
            puts,
            keeps,
        });
        // It is told of at once.
        self.tell_at = Instant::default();
        Ok(id)
    }

    /// Ends an output: its clients are closed, its port is free again.
    pub fn remove(&mut self, id: OutputId, gateway: &mut Gateway) {
        self.list.retain_mut(|output| {
            let stays = output.id != id;
            if !stays {
                #[cfg(feature = "mqtt")]
                output.puts.iter_mut().for_each(|puts| puts.end(gateway));
                output.end();
            }
            stays
        });
        if self.list.is_empty() {
            gateway.stop_listening();
        }
        gateway.tell_outputs(self.list.iter().map(Running::status).collect());
    }

    /// Returns how an output is.
    #[must_use]
    pub fn status(&self, id: OutputId) -> Option<OutputStatus> {
        self.list.iter().find(|output| output.id == id).map(Running::status)
    }

    /// Gives out what the gateway has handed out; returns when to call it again although nothing new came.
    pub fn drive(&mut self, gateway: &mut Gateway, now: Instant) -> Wake {
        if self.list.is_empty() {
            return Wake::default();
        }
        self.take_back(gateway);
        self.give_raw(gateway);
        #[cfg(feature = "mqtt")]
        for Running { puts, hub, .. } in &mut self.list {
            puts.iter_mut().for_each(|puts| puts.drive(gateway, hub));
        }
        self.tell(gateway, now);
        while let Some(delta) = gateway.next_output() {
            for output in &mut self.list {
                match &mut output.maker {
                    Maker::Raw(..) => {}
                    Maker::Sentences(sentences) => sentences.hear(&delta, now),
                    Maker::Deltas if output.hub.is_empty() => {}
                    Maker::Deltas => output.put(&format!("{}\n", delta.text())),
                    #[cfg(feature = "influx")]
                    Maker::Influx(lines) => {
                        let hub = &output.hub;
                        lines.of(&delta, now, |line| _ = hub.put(&line.into()));
                    }
                    #[cfg(feature = "mqtt")]
                    Maker::Mqtt(values) => {
                        let (hub, own) = (&output.hub, gateway.self_context());
                        let meta = |path: &str| gateway.model().meta_at(own, path);
                        values.of(&delta, now, meta, |line| _ = hub.put(&line.into()));
                    }
                }
            }
        }
        let mut wake = Wake::default();
        for output in &mut self.list {
            let Maker::Sentences(sentences) = &mut output.maker else { continue };
            let due = sentences.poll(now);
            let lines: Vec<_> = std::iter::from_fn(|| sentences.next_line()).collect();
            lines.iter().for_each(|line| output.put(line));
            wake.busy |= due.is_some_and(|due| due <= now);
            wake.at = [wake.at, due].into_iter().flatten().min();
        }
        wake
    }

    /// Gives out the frames and messages of the bus.
    fn give_raw(&mut self, gateway: &mut Gateway) {
        let mut lines = String::new();
        while let Some(passed) = gateway.next_passed() {
            for output in &mut self.list {
                let Maker::Raw(writer, to) = &mut output.maker else { continue };
                lines.clear();
                writer.set_sent(passed.is_sent);
                // What no frame can carry is none, and a message whose frames are missing is not there.
                if writer.write(&passed.record, &mut lines).is_err() {
                    continue;
                }
                // Yacht Devices and Actisense end a line so, can-utils and canboat by the last of the two.
                let end = if matches!(to, To::Ydwg | To::N2kAscii) { "\r\n" } else { "\n" };
                for line in lines.lines() {
                    output.put(&format!("{line}{end}"));
                }
            }
        }
    }

    /// Puts what clients want on the bus there, where they may.
    fn take_back(&mut self, gateway: &mut Gateway) {
        let Some((_, back)) = &self.back else { return };
        for message in back.try_iter() {
            let reason = match gateway.relay(&message) {
                Relayed::NotAllowed => "relay of skiff/n2k.json does not allow it",
                Relayed::NoAddress => "no interface has a node with an address (--node)",
                Relayed::Sent | Relayed::Full => continue,
            };
            if !std::mem::replace(&mut self.is_said, true) {
                let pgn = message.id.pgn.0;
                log::warn!("a client of an output sends PGN {pgn}, which is not put on the bus: {reason}; said once");
            }
        }
    }

    /// Tells the gateway what became of the outputs, once a second.
    fn tell(&mut self, gateway: &mut Gateway, now: Instant) {
        if now < self.tell_at {
            return;
        }
        self.tell_at = now + TELL_EVERY;
        gateway.tell_outputs(self.list.iter().map(Running::status).collect());
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        self.list.iter_mut().for_each(Running::end);
    }
}

impl Running {
    fn end(&mut self) {
        self.stop.end();
        self.hub.close();
        // It writes a few files; a fault of its own was told by then.
        let _ = self.keeps.take().map(JoinHandle::join);
    }

    fn status(&self) -> OutputStatus {
        let (takers, no_room) = self.hub.load();
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.hub.counters;
        let (state, reason) = match self.hub.state() {
            State::Open => ("open", None),
            State::Connecting => ("connecting", None),
            State::Waiting(reason) => ("waiting", Some(reason)),
        };
        OutputStatus {
            name: self.name.clone(),
            address: self.address.clone(),
            format: self.format.name(),
            state,
            reason,
            clients: if state == "open" { u64::try_from(takers).unwrap_or(u64::MAX) } else { 0 },
            lines: of(&counters.lines),
            bytes: of(&counters.bytes),
            dropped: [
                ("no_room", no_room),
                ("not_sent", of(&counters.failed)),
                ("clients_too_slow", of(&counters.slow)),
                ("clients_refused", of(&counters.refused)),
            ],
            received: of(&counters.received),
            overrun: of(&counters.overrun),
        }
    }

    fn put(&self, line: &str) {
        let closed = self.hub.put(&line.into());
        if closed > 0 {
            log::warn!("{}: {closed} closed: took too little, and lost more than {LOST_MAX} lines", self.name);
        }
    }
}

/// Says that who listens off loopback gives to everyone: neither form has a login, and the flag is the owner's choice.
fn warn_of(name: &str, listens: Option<SocketAddr>, format: Format) {
    let what = match format {
        Format::Nmea0183(_) => "NMEA 0183",
        Format::Deltas => "deltas",
        Format::Raw(_) => "NMEA 2000",
        #[cfg(feature = "influx")]
        Format::Influx => "values",
        #[cfg(feature = "mqtt")]
        Format::Mqtt => "messages",
    };
    match listens {
        Some(address) if !address.ip().is_loopback() => {
            log::warn!("{name}: {what} for everyone who reaches this port; there is no login");
        }
        _ => log::info!("{name}: gives {what}"),
    }
}

/// Returns the first line of a stream of deltas, as the server of Signal K greets on its port 8375.
fn greeting(self_context: &str) -> String {
    let hello = json::object(|hello| {
        hello.text("name", "skiff").text("version", env!("CARGO_PKG_VERSION")).text("self", self_context);
        hello.list("roles", |roles| {
            roles.text("master").text("main");
        });
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        hello.text("timestamp", &UnixMillis(i64::try_from(wall.as_millis()).unwrap_or(0)).text());
    });
    format!("{hello}\n")
}
