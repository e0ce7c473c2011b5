//! Where lines go: clients that connect, servers, datagrams, serial ports; each written by a thread of its own.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[cfg(any(feature = "influx", feature = "mqtt"))]
use super::Maker;
use super::address::{Address, Format, Output};
use super::back::Back;
use super::hub::{Hub, State, Taker, count};
#[cfg(feature = "influx")]
use super::influx::{self, Server};
#[cfg(feature = "mqtt")]
use super::mqtt::{self, Destination};
#[cfg(any(feature = "influx", feature = "mqtt"))]
use super::store;
use crate::input::live::BackOff;
use crate::input::serial;
use crate::input::stop::{Ending, Held, Stop};
#[cfg(feature = "mqtt")]
use crate::wake::Waker;

/// Clients of one output; more are refused.
pub const CLIENTS_MAX: usize = 16;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time that a write may take: who takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the lines go.
enum Link {
    TcpListen(TcpListener),
    Tcp(String),
    Udp(UdpSocket),
    Serial {
        path: PathBuf,
        baud: u32,
    },
    #[cfg(feature = "influx")]
    Influx(Box<Server>),
    /// What publishes is made when the own vessel is known.
    #[cfg(feature = "mqtt")]
    Mqtt(Box<Destination>, Option<Box<mqtt::Output>>),
}

/// An output whose own ports are open.
pub struct Opened {
    output: Output,
    link: Link,
}

impl Opened {
    /// Opens what must be there from the start: our own ports. Others are connected to later, again and again.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(output: &Output) -> io::Result<Self> {
        let mut output = output.clone();
        let link = match &mut output.address {
            Address::TcpListen(address) => {
                let listener = TcpListener::bind(*address)?;
                // Port 0 took any free one.
                *address = listener.local_addr()?;
                Link::TcpListen(listener)
            }
            Address::Tcp(host) => Link::Tcp(host.clone()),
            Address::Udp(address) => Link::Udp(udp(*address)?),
            Address::Serial { path, baud } => Link::Serial { path: path.clone(), baud: *baud },
            #[cfg(feature = "influx")]
            Address::Influx(server) => Link::Influx(server.clone()),
            #[cfg(feature = "mqtt")]
            Address::Mqtt(destination) => Link::Mqtt(destination.clone(), None),
        };
        Ok(Self { output, link })
    }

    /// Returns what it is called, for messages.
    pub fn name(&self) -> String {
        self.output.name()
    }

    /// Returns where it goes.
    pub fn address(&self) -> String {
        self.output.to_string()
    }

    /// Returns where it goes.
    pub fn output_address(&self) -> &Address {
        &self.output.address
    }

    /// Returns what makes the lines of a server of time series.
    #[cfg(feature = "influx")]
    pub(super) fn influx_lines(&self, self_context: &str) -> Maker {
        match &self.link {
            Link::Influx(server) => {
                Maker::Influx(Box::new(influx::Lines::new(self_context, server.is_for_all, server.every)))
            }
            _ => Maker::Deltas,
        }
    }

    /// Returns what makes the messages of a broker, and what does with orders that come from there.
    #[cfg(feature = "mqtt")]
    pub(super) fn mqtt_values(&mut self, self_context: &str, waker: &Waker) -> (Maker, Option<mqtt::Puts>) {
        let name = self.name();
        let Link::Mqtt(destination, output) = &mut self.link else { return (Maker::Deltas, None) };
        let (made, puts) = mqtt::prepare(destination, &name, self_context, waker);
        *output = Some(Box::new(made));
        (Maker::Mqtt(Box::new(mqtt::Values::new(destination, self_context))), puts)
    }

    /// Returns how it is written.
    pub fn format(&self) -> Format {
        self.output.format
    }

    /// Returns the address that others connect to.
    pub fn local_address(&self) -> Option<SocketAddr> {
        if let Address::TcpListen(address) = self.output.address { Some(address) } else { None }
    }

    /// Begins to write what the hub gets; `greeting` comes first. What comes back is read where somebody wants it. `folder` is
    /// where lines wait for a server that is gone; the thread that is returned ends once they lie there.
    ///
    /// # Errors
    /// What the system said: no more threads.
    pub fn start(
        self,
        hub: &Arc<Hub>,
        stop: &Stop,
        greeting: Option<String>,
        back: Option<Back>,
        folder: Option<&Path>,
    ) -> io::Result<Option<JoinHandle<()>>> {
        #[cfg(feature = "influx")]
        if let Link::Influx(server) = &self.link {
            let name = self.name();
            let folder = folder.map(|folder| folder.join(store::folder_of(&name)));
            return influx::start(server, &name, hub, stop, folder).map(Some);
        }
        #[cfg(feature = "mqtt")]
        if let Link::Mqtt(_, Some(output)) = self.link {
            let folder = folder.map(|folder| folder.join(store::folder_of(&self.output.name())));
            return mqtt::start(*output, hub, stop, folder).map(Some);
        }
        #[cfg(not(any(feature = "influx", feature = "mqtt")))]
        let _ = folder;
        let (name, hub, stop) = (self.name(), Arc::clone(hub), stop.clone());
        let greeting = greeting.unwrap_or_default();
        let link = self.link;
        if let Link::TcpListen(listener) = link {
            // Before the thread has begun: its end gives the port back in any case.
            let held = stop.hold(&listener)?;
            return spawn("output", move || {
                accept(&listener, &name, &hub, &stop, &greeting, back.as_ref());
                drop(held);
            })
            .map(|()| None);
        }
        // The only one of its hub.
        let taker = Taker::new(None);
        hub.join(&taker, 1);
        spawn("output", move || match link {
            Link::Udp(socket) => {
                // Who waits for what comes back wakes up with the end.
                let _held = stop.hold(&socket);
                if let Some(back) = back {
                    let end = stop.clone();
                    back.read(socket.try_clone().map(|socket| Datagrams { socket, end }), &name);
                }
                send(&socket, &name, &taker, &hub);
            }
            Link::Tcp(host) => {
                let open = || {
                    let stream = connect(&host)?;
                    let held = stop.hold(&stream)?;
                    if let Some(back) = &back {
                        back.clone().read(stream.try_clone(), &name);
                    }
                    Ok((stream, Some(held)))
                };
                keep_up(&name, &taker, &hub, &stop, &greeting, open);
            }
            Link::Serial { path, baud } => {
                let open = || {
                    let file = serial::raw(&path, baud)?;
                    if let Some(back) = &back {
                        back.clone().read(file.try_clone().map(|file| Ending::new(&stop, file)), &name);
                    }
                    Ok((file, None))
                };
                keep_up(&name, &taker, &hub, &stop, "", open);
            }
            Link::TcpListen(_) => {}
            #[cfg(feature = "influx")]
            Link::Influx(_) => {}
            #[cfg(feature = "mqtt")]
            Link::Mqtt(..) => {}
        })?;
        Ok(None)
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

fn udp(to: SocketAddr) -> io::Result<UdpSocket> {
    let own: SocketAddr =
        if to.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(own)?;
    socket.set_broadcast(true)?;
    socket.connect(to)?;
    Ok(socket)
}

/// Connects to the first address of a name that answers.
fn connect(host: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Takes clients in, each with a thread that writes.
fn accept(listener: &TcpListener, name: &str, hub: &Arc<Hub>, stop: &Stop, greeting: &str, back: Option<&Back>) {
    loop {
        let taken = listener.accept().and_then(|(stream, from)| {
            stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
            stream.set_nodelay(true)?;
            Ok((stream.try_clone()?, stream, from))
        });
        let (other, mut stream, from) = match taken {
            Ok(taken) => taken,
            Err(_) if stop.is_over() => return,
            Err(error) => {
                log::warn!("{name}: {error}");
                if stop.sleep(BackOff::default().first) {
                    continue;
                }
                return;
            }
        };
        let taker = Taker::new(Some(other));
        if !hub.join(&taker, CLIENTS_MAX) {
            log::warn!("{name}: {from} refused, {CLIENTS_MAX} clients are connected");
            count(&hub.counters.refused, 1);
            continue;
        }
        log::info!("{name}: {from} is connected");
        if let Some(back) = back {
            let own = Arc::clone(&taker);
            // One that has gone is not written to any more.
            back.clone().read_until(stream.try_clone(), name, move || own.close());
        }
        let (named, served, greeting, own) =
            (name.to_owned(), Arc::clone(hub), greeting.to_owned(), Arc::clone(&taker));
        let serve = move || {
            let reason = write(&mut stream, &own, &served, &greeting);
            own.close();
            served.leave(&own);
            log::info!("{named}: {from}: {reason}");
        };
        if let Err(error) = spawn("output client", serve) {
            taker.close();
            hub.leave(&taker);
            log::warn!("{name}: {error}");
        }
    }
}

/// Writes a greeting and what waits until it cannot; returns why.
fn write(out: &mut dyn Write, taker: &Taker, hub: &Hub, greeting: &str) -> String {
    let mut text = greeting.to_owned();
    loop {
        if let Err(error) = out.write_all(text.as_bytes()) {
            return error.to_string();
        }
        count(&hub.counters.bytes, text.len());
        match taker.take() {
            Some(more) => text = more,
            None => return "closed".into(),
        }
    }
}

/// Opens, writes, and opens again, with a pause that grows.
fn keep_up<W: Write>(
    name: &str,
    taker: &Taker,
    hub: &Hub,
    stop: &Stop,
    greeting: &str,
    open: impl Fn() -> io::Result<(W, Option<Held>)>,
) {
    let back_off = BackOff::default();
    let mut pause = back_off.first;
    loop {
        hub.set_state(State::Connecting);
        let reason = match open() {
            Ok((mut out, _held)) => {
                hub.set_state(State::Open);
                log::info!("{name}: open");
                pause = back_off.first;
                // Nobody wants what was.
                taker.clear();
                write(&mut out, taker, hub, greeting)
            }
            Err(error) => error.to_string(),
        };
        if taker.is_closed() {
            return;
        }
        log::warn!("{name}: {reason}; next attempt in {:.1} s", pause.as_secs_f64());
        hub.set_state(State::Waiting(reason));
        if !stop.sleep(pause) {
            return;
        }
        pause = pause.saturating_mul(2).min(back_off.max);
    }
}

/// Sends each sentence as a datagram.
fn send(socket: &UdpSocket, name: &str, taker: &Taker, hub: &Hub) {
    let mut is_told = false;
    while let Some(text) = taker.take() {
        for line in text.split_inclusive('\n') {
            // Nobody need be there: a refusal of the last one is told by the next.
            match socket.send(line.as_bytes()) {
                Err(error) if !is_told && error.kind() != io::ErrorKind::ConnectionRefused => {
                    log::warn!("{name}: {error}");
                    is_told = true;
                    count(&hub.counters.failed, 1);
                }
                Err(_) => count(&hub.counters.failed, 1),
                Ok(sent) => {
                    is_told = false;
                    count(&hub.counters.bytes, sent);
                }
            }
        }
    }
}

/// Datagrams that come back, as bytes.
struct Datagrams {
    socket: UdpSocket,
    end: Stop,
}

impl io::Read for Datagrams {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Room for the end of a line that a datagram does not have.
        let room = buffer.len().saturating_sub(1);
        let count = loop {
            match self.socket.recv(buffer.get_mut(..room).unwrap_or_default()) {
                // As if empty ones came without end.
                _ if self.end.is_over() => return Ok(0),
                // Nobody need be there, and an empty one is no end.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Ok(0) => {}
                received => break received?,
            }
        };
        match buffer.get_mut(count) {
            Some(end) => *end = b'\n',
            None => return Ok(count),
        }
        Ok(count.saturating_add(1))
    }
}
