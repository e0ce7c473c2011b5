//! Connections and serial ports, which come and go: kept up with growing pauses, their state told.

mod back_off;
#[cfg(feature = "mqtt")]
mod broker;
mod reader;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use skiff_runtime::gateway::InputState;
use skiff_runtime::n2k::log::{LogEntry, LogStream, Record};

pub use self::back_off::BackOff;
use self::reader::Reader;
use super::Wire;
#[cfg(feature = "mqtt")]
use super::broker::Listener;
use super::serial::SerialPort;
use super::server::{Heard, Server};
use super::stop::{Held, Stop};
use crate::hal::queue;
use crate::run::feed::InputEvent;

/// Silence after which a connection is taken for dead: a bus that is on is never silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Clients of one `tcp-listen://`.
const CLIENTS_MAX: usize = 4;
/// Bytes read at once; no datagram is longer.
const CHUNK_BYTES: usize = 64 * 1024;
/// Time between two looks at what the kernel lost.
const COUNT_PERIOD: Duration = Duration::from_millis(200);
/// Bad lines of one connection that are told one by one.
const TOLD_MAX: u64 = 5;
/// Time that a server must stay for the next pause to be the first again: one that ends each connection at once is not
/// asked ever faster.
const STEADY: Duration = Duration::from_secs(10);

/// Where the bytes come from.
pub enum Link {
    /// A server to connect to.
    Tcp(String),
    /// Clients that connect to us.
    TcpListen(TcpListener),
    /// Datagrams.
    Udp(UdpSocket),
    /// A serial port.
    Serial {
        /// The device.
        path: PathBuf,
        /// Bits per second.
        baud: u32,
    },
    /// Another Signal K server.
    Server(Box<Server>),
    /// A broker.
    #[cfg(feature = "mqtt")]
    Broker(Box<Listener>),
}

impl Link {
    /// Tells whether others depend on whom it connects to.
    #[must_use]
    pub fn is_of_servers(&self) -> bool {
        match self {
            Self::Server(_) => true,
            #[cfg(feature = "mqtt")]
            Self::Broker(_) => true,
            Self::Tcp(_) | Self::TcpListen(_) | Self::Udp(_) | Self::Serial { .. } => false,
        }
    }

    /// Keeps its own port in reach of its end, before the thread that reads it has begun.
    ///
    /// # Errors
    /// What the system said: out of file descriptors.
    pub fn hold(&self, stop: &Stop) -> io::Result<Option<Held>> {
        Ok(match self {
            Self::TcpListen(listener) => Some(stop.hold(listener)?),
            Self::Udp(socket) => Some(stop.hold(socket)?),
            #[cfg(feature = "mqtt")]
            Self::Broker(_) => None,
            Self::Tcp(_) | Self::Serial { .. } | Self::Server(_) => None,
        })
    }
}

/// Takes an event; false when the receiver is gone.
pub type Send = Arc<dyn Fn(InputEvent) -> bool + std::marker::Send + Sync>;

/// Why reading ended.
enum Over {
    /// The receiver is gone.
    Unwanted,
    /// The source is gone; whether anything came before.
    Gone(String, bool),
}

/// What is read, and how.
#[derive(Clone)]
struct Feed {
    name: String,
    wire: Wire,
    send: Send,
    stop: Stop,
}

/// What a link is called, and how it is read.
#[derive(Clone, Debug)]
pub struct About {
    /// For messages.
    pub name: String,
    /// How it is written.
    pub wire: Wire,
    /// URN of the own vessel.
    pub own: Arc<str>,
    /// Ends it.
    pub stop: Stop,
}

/// Reads a link until it is ended, or the receiver is gone.
pub fn play(link: Link, about: About, back_off: BackOff, send: &Send) {
    let About { name, wire, own, stop } = about;
    let feed = Feed { name, wire, send: Arc::clone(send), stop };
    match link {
        Link::Tcp(host) => feed.keep_up(back_off, || match connect(&host) {
            Ok(stream) => feed.read_socket(stream),
            Err(error) => Over::Gone(error.to_string(), false),
        }),
        Link::Serial { path, baud } => {
            feed.keep_up(back_off, || feed.read(SerialPort::open(&path, baud, wire.format(), &feed.stop)));
        }
        Link::Server(server) => feed.keep_up(back_off, || feed.listen(&server, &own)),
        #[cfg(feature = "mqtt")]
        Link::Broker(listener) => feed.keep_up(back_off, || feed.listen_to_broker(&listener, &own)),
        Link::TcpListen(listener) => feed.accept(&listener, back_off),
        Link::Udp(socket) => feed.receive(&socket, back_off),
    }
}

/// Connects to the first address of a name that answers.
fn connect(host: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(SILENCE_MAX))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Feed {
    /// Opens and reads, again and again, with a pause that grows until something comes.
    fn keep_up(&self, back_off: BackOff, read: impl Fn() -> Over) {
        let mut pause = back_off.first;
        loop {
            if !self.tell(InputEvent::State(InputState::Connecting)) {
                return;
            }
            let reason = match read() {
                Over::Unwanted => return,
                Over::Gone(..) if self.stop.is_over() => return,
                Over::Gone(reason, came) => {
                    pause = if came { back_off.first } else { pause };
                    reason
                }
            };
            log::warn!("{}: {reason}; next attempt in {:.1} s", self.name, pause.as_secs_f64());
            if !self.tell(InputEvent::State(InputState::Waiting(reason))) || !self.stop.sleep(pause) {
                return;
            }
            pause = pause.saturating_mul(2).min(back_off.max);
        }
    }

    /// Hands an event on; false when it is over, or without a receiver.
    fn tell(&self, event: InputEvent) -> bool {
        !self.stop.is_over() && (self.send)(event)
    }

    /// Reads a connection to its end.
    fn read_socket(&self, stream: TcpStream) -> Over {
        match self.stop.hold(&stream) {
            Ok(_held) => self.read(Ok(stream)),
            Err(error) => Over::Gone(error.to_string(), false),
        }
    }

    /// Reads what was opened to its end.
    fn read<R: Read>(&self, opened: io::Result<R>) -> Over {
        match opened {
            Ok(mut input) if self.is_open() => self.pump(&mut input),
            Ok(_) => Over::Unwanted,
            Err(error) => Over::Gone(error.to_string(), false),
        }
    }

    /// Tells that it is open; false without a receiver.
    fn is_open(&self) -> bool {
        log::info!("{}: open", self.name);
        self.tell(InputEvent::State(InputState::Open))
    }

    /// Listens to a server until it is gone.
    fn listen(&self, server: &Server, own: &str) -> Over {
        let mut connection = match server.connect(own) {
            Ok(connection) => connection,
            Err(reason) => return Over::Gone(reason, false),
        };
        let _held = match self.stop.hold(connection.socket()) {
            Ok(held) => held,
            Err(error) => return Over::Gone(error.to_string(), false),
        };
        let since = Instant::now();
        if !self.is_open() {
            return Over::Unwanted;
        }
        loop {
            let event = match connection.hear() {
                Ok(Heard::Text(text)) => InputEvent::Remote(text),
                Ok(Heard::TooLong) => InputEvent::Bad,
                Err(reason) => return Over::Gone(reason, since.elapsed() >= STEADY),
            };
            if !self.tell(event) {
                return Over::Unwanted;
            }
        }
    }

    /// Reads a connection to its end.
    fn pump(&self, input: &mut dyn Read) -> Over {
        let mut reader = Reader::new(self.wire);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut came = false;
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return Over::Gone("the other side ended the connection".into(), came),
                Ok(count) => {
                    came = true;
                    if !reader.read(chunk.get(..count).unwrap_or_default(), false, self) {
                        return Over::Unwanted;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Over::Gone(format!("nothing came for {} s", SILENCE_MAX.as_secs()), came);
                }
                Err(error) => return Over::Gone(error.to_string(), came),
            }
        }
    }

    /// Gives the entries of the stream; false without a receiver. Times are those of arrival: gateways send the time of
    /// day at most.
    fn give(&self, stream: &mut LogStream, bad: &mut u64) -> bool {
        while let Some(entry) = stream.next_entry() {
            let event = match entry {
                LogEntry::Record { record, .. } => InputEvent::Record(Record { time: None, ..record }),
                LogEntry::Sentence { text, .. } => InputEvent::Sentence { text, time: None },
                // Whoever sends on a line of sensors is not asked for its rights.
                LogEntry::Delta { .. } => InputEvent::Bad,
                LogEntry::Bad { number, error, .. } => {
                    *bad = bad.saturating_add(1);
                    if *bad <= TOLD_MAX {
                        log::warn!("{}: line {number}: {error}", self.name);
                    }
                    InputEvent::Bad
                }
            };
            if !self.tell(event) {
                return false;
            }
        }
        true
    }

    /// Reads every client that connects, up to [`CLIENTS_MAX`] at a time.
    fn accept(&self, listener: &TcpListener, back_off: BackOff) {
        let clients = Arc::new(AtomicUsize::new(0));
        let nobody = || InputState::Waiting("no client is connected".into());
        let _held = match self.stop.hold(listener) {
            Ok(held) if self.tell(InputEvent::State(nobody())) => held,
            Ok(_) => return,
            Err(error) => return log::warn!("{}: {error}", self.name),
        };
        loop {
            let (client, from) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(_) if self.stop.is_over() => return,
                Err(error) => {
                    log::warn!("{}: {error}", self.name);
                    if self.stop.sleep(back_off.first) {
                        continue;
                    }
                    return;
                }
            };
            if clients.fetch_add(1, Ordering::SeqCst) >= CLIENTS_MAX {
                clients.fetch_sub(1, Ordering::SeqCst);
                log::warn!("{}: {from} refused, {CLIENTS_MAX} clients are connected", self.name);
                continue;
            }
            if !self.tell(InputEvent::State(InputState::Open)) {
                return;
            }
            let (feed, count) = (self.clone(), Arc::clone(&clients));
            let read = move || {
                log::info!("{}: {from} is connected", feed.name);
                let mut client = client;
                // Without a limit the connection ends when the client says so.
                let _ = client.set_read_timeout(Some(SILENCE_MAX));
                let over = match feed.stop.hold(&client) {
                    Ok(_held) => feed.pump(&mut client),
                    Err(error) => Over::Gone(error.to_string(), false),
                };
                if let Over::Gone(reason, _) = over {
                    log::info!("{}: {from}: {reason}", feed.name);
                }
                if count.fetch_sub(1, Ordering::SeqCst) == 1 {
                    feed.tell(InputEvent::State(nobody()));
                }
            };
            if let Err(error) = thread::Builder::new().name("input client".into()).spawn(read) {
                clients.fetch_sub(1, Ordering::SeqCst);
                log::warn!("{}: {error}", self.name);
            }
        }
    }

    /// Reads datagrams; each ends its last line.
    fn receive(&self, socket: &UdpSocket, back_off: BackOff) {
        let mut reader = Reader::new(self.wire);
        let mut chunk = vec![0; CHUNK_BYTES];
        let (mut lost, mut counted_at) = (0, Instant::now());
        let _held = match self.stop.hold(socket) {
            Ok(held) => held,
            Err(error) => return log::warn!("{}: {error}", self.name),
        };
        loop {
            match socket.recv(&mut chunk) {
                // As if an empty datagram had come.
                _ if self.stop.is_over() => return,
                Ok(count) => {
                    if counted_at.elapsed() >= COUNT_PERIOD {
                        counted_at = Instant::now();
                        // A kernel that does not count says 0.
                        let dropped = queue::dropped(socket).unwrap_or(0);
                        if dropped != lost {
                            lost = dropped;
                            self.tell(InputEvent::Lost(lost.into()));
                        }
                    }
                    if !reader.read(chunk.get(..count).unwrap_or_default(), true, self) {
                        return;
                    }
                }
                Err(error) => {
                    log::warn!("{}: {error}", self.name);
                    let waits = InputEvent::State(InputState::Waiting(error.to_string()));
                    if !self.tell(waits) || !self.stop.sleep(back_off.first) {
                        return;
                    }
                    if !self.tell(InputEvent::State(InputState::Open)) {
                        return;
                    }
                }
            }
        }
    }
}
