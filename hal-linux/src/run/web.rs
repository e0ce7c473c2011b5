//! Who carries HTTP: the kernel's stack with axum, or our own stack with the core's carrier, as on a chip.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use skiff_runtime::budget::{Board, Limits, NetLimits};
use skiff_runtime::carrier as own;
use skiff_runtime::discovery::{Announced, Responder};
use skiff_runtime::gateway::{self, Gateway, Wake};
use skiff_runtime::hal::{Clock, Network, Rng};
use skiff_runtime::net::{self, Addressing, SmolNet, StaticAddress};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;

use crate::carrier::{Carrier, CarrierEvent, CarrierLimits, Doors, WebApps};
use crate::hal::{StdNetwork, SystemClock, SystemRng, Tap};
use crate::tls::Tls;
use crate::wake::Waker;

/// A tap interface and what our stack is called on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapSetup {
    /// Name of the interface.
    pub name: String,
    /// Own address; `None` asks DHCP.
    pub address: Option<StaticAddress>,
}

/// The network, opened before anything is written.
pub struct Opened {
    /// The sockets, which the gateway gets.
    pub network: Box<dyn Network>,
    /// Wakes the gateway thread when our own stack has something.
    pub waiter: Option<OwnedFd>,
    /// What serves clients once the gateway is there.
    pub listener: Listener,
    /// What serves who administrates.
    pub admin: Option<TcpListener>,
}

/// Where clients will be served.
pub enum Listener {
    /// A port of the kernel's stack.
    Axum(TcpListener),
    /// A port of our own stack.
    Own {
        /// Own address and port.
        address: SocketAddr,
        /// The address is not known before DHCP gave it.
        is_asked: bool,
    },
}

impl Opened {
    /// Opens the kernel's stack; no plugin reaches its doors.
    ///
    /// # Errors
    /// What the system said.
    pub fn host(listener: TcpListener, admin: Option<TcpListener>) -> io::Result<Self> {
        let doors = std::iter::once(&listener).chain(&admin);
        let own_ports = doors.map(|door| Ok(door.local_addr()?.port())).collect::<io::Result<Vec<u16>>>()?;
        let network = Box::new(StdNetwork::beside(own_ports));
        Ok(Self { network, waiter: None, listener: Listener::Axum(listener), admin })
    }

    /// Opens a stack of our own on a tap interface. Of `listen` the port counts.
    ///
    /// # Errors
    /// A clause with what to do.
    pub fn tap(setup: &TapSetup, listen: SocketAddr, rng: &mut SystemRng, clock: &SystemClock) -> Result<Self, String> {
        let tap = Tap::open(&setup.name).map_err(|error| error.to_string())?;
        let waiter = tap.waiter().map_err(|error| format!("tap interface {}: {error}", setup.name))?;
        let (mut hardware_address, mut seed) = ([0; 6], [0; 8]);
        rng.fill(&mut hardware_address);
        rng.fill(&mut seed);
        // An individual address that nobody else was given (IEEE 802, §8).
        hardware_address[0] = hardware_address[0] & 0xfc | 2;
        let stack = net::NetSetup {
            limits: NetLimits::of(Board::Linux),
            hardware_address,
            addressing: setup.address.map_or(Addressing::Dhcp, Addressing::Static),
            seed: u64::from_ne_bytes(seed),
        };
        let ip = setup.address.map_or(Ipv4Addr::UNSPECIFIED, |fixed| fixed.address);
        Ok(Self {
            network: Box::new(SmolNet::new(tap, &stack, clock.now())),
            waiter: Some(waiter),
            listener: Listener::Own {
                address: SocketAddr::new(IpAddr::V4(ip), listen.port()),
                is_asked: setup.address.is_none(),
            },
            admin: None,
        })
    }
}

/// A running web server; dropping it closes its port and ends its threads.
pub enum Web {
    /// axum, with threads of its own.
    Axum {
        /// What its clients ask; dropped first, so that who still waits is told while there is a socket.
        events: mpsc::Receiver<CarrierEvent>,
        /// Its sockets.
        carrier: Carrier,
    },
    /// The core's carrier, polled by the gateway thread.
    Own {
        /// Its connections.
        carrier: own::Carrier,
        /// Where clients reach it; `None` while DHCP has given no address.
        address: Option<SocketAddr>,
        /// Tells other machines of it, where that is wanted.
        responder: Option<Box<Responder>>,
        /// A thread for signals.
        signals: Runtime,
    },
}

impl Listener {
    /// Returns where the two doors are, if there are two; a page of the one leads to the other.
    #[must_use]
    pub fn doors(&self, admin: Option<&TcpListener>) -> Option<gateway::Doors> {
        let (Self::Axum(boat), Some(admin)) = (self, admin) else { return None };
        let (boat, admin) = (boat.local_addr().ok()?, admin.local_addr().ok()?);
        Some(gateway::Doors { boat: boat.port(), admin: admin.port(), admin_is_local: admin.ip().is_loopback() })
    }

    /// Starts to serve; TLS and the `admin`'s door are the kernel's stack's alone.
    ///
    /// # Errors
    /// What the system said.
    pub fn serve(
        self,
        admin: Option<TcpListener>,
        gateway: &mut Gateway,
        limits: &Limits,
        waker: &Waker,
        webapps: Option<WebApps>,
        tls: Option<Arc<Tls>>,
    ) -> io::Result<Web> {
        match self {
            Self::Axum(listener) => {
                let carrier_limits = CarrierLimits {
                    exchanges_max: limits.exchanges_max.into(),
                    streams_max: limits.clients_max.into(),
                    request_bytes_max: usize::try_from(limits.request_bytes_max).unwrap_or(usize::MAX),
                };
                let (carrier, events) =
                    Carrier::start(Doors { boat: listener, admin }, carrier_limits, waker.clone(), webapps, tls)?;
                Ok(Web::Axum { events, carrier })
            }
            Self::Own { address, is_asked } => {
                let carrier_limits = own::CarrierLimits::new(&NetLimits::of(Board::Linux), limits);
                let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
                let carrier = own::Carrier::listen(gateway, any, carrier_limits).map_err(io::Error::other)?;
                let address = SocketAddr::new(address.ip(), carrier.address().port());
                let signals = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
                Ok(Web::Own { carrier, address: (!is_asked).then_some(address), responder: None, signals })
            }
        }
    }
}

impl Web {
    /// Returns where clients reach it; `None` while DHCP has given no address.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Axum { carrier, .. } => Some(carrier.address()),
            Self::Own { address, .. } => *address,
        }
    }

    /// Returns the address of the admin's door, where it is open.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Axum { carrier, .. } => carrier.admin_address(),
            Self::Own { .. } => None,
        }
    }

    /// Begins to tell other machines of a gateway on our own stack; those of the kernel's are told by a thread.
    pub fn announce(&mut self, gateway: &mut Gateway, announced: Announced, rng: &mut dyn Rng) {
        let (Self::Own { responder, .. }, Some(network)) = (self, gateway.network_mut()) else { return };
        let mut chance = [0; 4];
        rng.fill(&mut chance);
        match Responder::open(network, announced, u32::from_ne_bytes(chance)) {
            Ok(opened) => *responder = Some(Box::new(opened)),
            Err(error) => log::warn!("not announced on the network: {error}; clients need the address"),
        }
    }

    /// Lets the server of our own stack work, and what tells of it.
    pub fn poll(&mut self, gateway: &mut Gateway) -> Wake {
        let Self::Own { carrier, responder, .. } = self else { return Wake::default() };
        let carried = carrier.poll(gateway);
        let now = gateway.now();
        let told = responder.as_mut().zip(gateway.network_mut());
        let told = told.and_then(|(responder, network)| responder.poll(network, now));
        Wake { at: [carried.at, told].into_iter().flatten().min(), ..carried }
    }

    /// Tells other machines that the gateway on our own stack goes.
    pub fn farewell(&mut self, gateway: &mut Gateway) {
        let now = gateway.now();
        if let (Self::Own { responder, .. }, Some(network)) = (self, gateway.network_mut())
            && let Some(responder) = responder.take()
        {
            responder.close(network, now);
        }
    }

    /// Returns the handle of the threads beside the gateway's, for signals.
    #[must_use]
    pub fn handle(&self) -> Option<&Handle> {
        match self {
            Self::Axum { carrier, .. } => carrier.handle(),
            Self::Own { signals, .. } => Some(signals.handle()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skiff_runtime::hal::Reach;

    #[test]
    fn no_plugin_reaches_either_door() {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (boat, admin) = (bind(), bind());
        let doors = [boat.local_addr().unwrap(), admin.local_addr().unwrap()];
        let opened = Opened::host(boat, Some(admin)).unwrap();
        assert_eq!(doors.map(|door| opened.network.reach(door)), [Reach::Gateway; 2]);
    }
}
