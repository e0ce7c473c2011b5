//! What an address gives: whether it opens, and what is heard there in a few seconds. Nothing of it reaches the boat's data.

use std::collections::BTreeSet;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::gateway::InputState;
use skiff_runtime::hal::{Can, CanState};
use skiff_runtime::json;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::{DeltaForm, N2kMessage, Receiver as N2kReceiver, ReceiverLimits};
use skiff_runtime::nmea0183::Sentences;
use skiff_runtime::time::UnixMillis;

use super::connection::Opened;
use crate::hal::SocketCan;
use crate::input::Wire;
use crate::input::live::{self, About, BackOff, Link};
use crate::input::serial;
use crate::input::stop::Stop;
use crate::output::Address;
use crate::run::feed::{InputEvent, Track};

/// Time that is listened.
const LISTEN: Duration = Duration::from_secs(5);
/// Time between two looks at a CAN interface.
const CAN_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for a connection of an output.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Paths and PGNs that are told.
const TOLD_MAX: usize = 64;
/// The context of a vessel that nobody is.
const OWN: &str = "vessels.self";

/// What was heard.
struct Heard {
    receiver: N2kReceiver,
    sentences: Sentences,
    frames: u64,
    lines: u64,
    deltas: u64,
    bad: u64,
    paths: BTreeSet<String>,
    pgns: BTreeSet<u32>,
    is_open: bool,
    reason: Option<String>,
}

/// Listens to what was opened, and returns what is told of it.
pub(super) fn heard(opened: Result<Opened, String>) -> String {
    let mut heard = Heard::new();
    match opened {
        Err(reason) => heard.reason = Some(reason),
        Ok(Opened::Can(can)) => heard.interface(can),
        Ok(Opened::Track(Track::Live { link, name, wire })) => heard.link(link, name, wire),
        // A file is there, and is played once it is an input.
        Ok(Opened::Track(_)) => heard.is_open = true,
        Ok(Opened::Output(output)) => match reached(output.output_address()) {
            Ok(()) => heard.is_open = true,
            Err(error) => heard.reason = Some(error.to_string()),
        },
    }
    heard.json()
}

/// Tells whether an output reaches whom it is for, as far as that can be known.
fn reached(address: &Address) -> io::Result<()> {
    match address {
        Address::Tcp(host) => {
            let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            for address in host.to_socket_addrs()? {
                match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                    Ok(_) => return Ok(()),
                    Err(error) => last = error,
                }
            }
            Err(last)
        }
        Address::Serial { path, baud } => serial::raw(path, *baud).map(drop),
        #[cfg(feature = "influx")]
        Address::Influx(server) => server.try_it().map_err(io::Error::other),
        #[cfg(feature = "mqtt")]
        Address::Mqtt(destination) => destination.broker.try_it().map_err(io::Error::other),
        // Opened already.
        Address::TcpListen(_) | Address::Udp(_) => Ok(()),
    }
}

impl Heard {
    fn new() -> Self {
        Self {
            receiver: N2kReceiver::with_limits("", ReceiverLimits::CHIP),
            sentences: Sentences::new(""),
            frames: 0,
            lines: 0,
            deltas: 0,
            bad: 0,
            paths: BTreeSet::new(),
            pgns: BTreeSet::new(),
            is_open: false,
            reason: None,
        }
    }

    fn interface(&mut self, mut can: SocketCan) {
        let until = Instant::now() + LISTEN;
        if can.state() == CanState::Down {
            self.reason = Some("the interface is not there, or down".into());
            return;
        }
        self.is_open = true;
        while Instant::now() < until {
            while let Some((frame, _)) = can.receive() {
                self.item(&Item::Frame(frame));
            }
            thread::sleep(CAN_PAUSE);
        }
    }

    fn link(&mut self, link: Link, name: String, wire: Wire) {
        let Ok(stop) = Stop::new() else { return };
        let about = About { name, wire, own: "".into(), stop: stop.clone() };
        let shared = Arc::new(Mutex::new(std::mem::replace(self, Self::new())));
        let other = Arc::clone(&shared);
        let send: live::Send = Arc::new(move |event| {
            other.lock().unwrap_or_else(PoisonError::into_inner).event(event);
            true
        });
        let play = move || live::play(link, about, BackOff::default(), &send);
        let started = thread::Builder::new().name("test".into()).spawn(play);
        if started.is_ok() {
            thread::sleep(LISTEN);
        }
        stop.end();
        std::mem::swap(self, &mut shared.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = started {
            self.reason = Some(error.to_string());
        }
    }

    fn event(&mut self, event: InputEvent) {
        match event {
            InputEvent::Record(Record { item, .. }) => self.item(&item),
            InputEvent::Sentence { text, .. } => {
                self.lines = self.lines.saturating_add(1);
                let form = DeltaForm::Stamped { self_context: OWN };
                if let Ok(Some(delta)) = self.sentences.delta(&text, UnixMillis::UNKNOWN, form) {
                    self.delta(&delta);
                }
            }
            InputEvent::Delta { text, .. } | InputEvent::Remote(text) => {
                let stamp = Stamp { source_ref: "", self_context: OWN, now: UnixMillis::UNKNOWN };
                // The hello of a server is none.
                if let Ok(delta) = Delta::parse(&text, &stamp) {
                    self.delta(&delta);
                }
            }
            InputEvent::Bad => self.bad = self.bad.saturating_add(1),
            InputEvent::Lost(_) => {}
            InputEvent::State(InputState::Open) => (self.is_open, self.reason) = (true, None),
            // A port of our own is open, and waits for whoever sends.
            InputEvent::State(InputState::Waiting(reason)) => {
                self.is_open |= reason.starts_with("no client");
                self.reason = Some(reason);
            }
            InputEvent::State(InputState::Connecting | InputState::Ended) => {}
        }
    }

    fn item(&mut self, item: &Item) {
        self.frames = self.frames.saturating_add(1);
        let mut message = N2kMessage::default();
        if !self.receiver.item_into(item, skiff_runtime::time::Instant::default(), &mut message) {
            return;
        }
        if self.pgns.len() < TOLD_MAX {
            self.pgns.insert(message.id.pgn.0);
        }
        let form = DeltaForm::Stamped { self_context: OWN };
        if let Some(delta) = self.receiver.delta(&message, UnixMillis::UNKNOWN, form) {
            self.delta(&delta);
        }
    }

    fn delta(&mut self, delta: &Delta) {
        self.deltas = self.deltas.saturating_add(1);
        for path in delta.updates().flat_map(|update| update.paths()) {
            if self.paths.len() < TOLD_MAX {
                self.paths.insert(path.to_owned());
            }
        }
    }

    fn json(&self) -> String {
        json::object(|out| {
            out.boolean("opens", self.is_open).text_or_null("reason", self.reason.as_deref());
            out.number("seconds", LISTEN.as_secs());
            out.object("heard", |out| {
                out.number("frames", self.frames).number("sentences", self.lines).number("deltas", self.deltas);
                out.number("bad_lines", self.bad);
            });
            out.list("pgns", |out| self.pgns.iter().for_each(|pgn| _ = out.number(*pgn)));
            out.list("paths", |out| self.paths.iter().for_each(|path| _ = out.text(path)));
        })
    }
}
