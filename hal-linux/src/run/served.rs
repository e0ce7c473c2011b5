//! Who carries HTTP: the kernel's stack with axum, or our own stack with the core's carrier, as on a chip.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use skiff_runtime::budget::{Board, Limits, NetLimits};
use skiff_runtime::carrier as own;
use skiff_runtime::gateway::Gateway;
use skiff_runtime::hal::{Clock, Network, Rng};
use skiff_runtime::net::{self, Addressing, SmolNet, StaticAddress};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;

use crate::carrier::{Carrier, CarrierLimits, Letter, WebApps};
use crate::hal::{StdNetwork, SystemClock, SystemRng, Tap};
use crate::wake::Waker;

/// A tap interface and what our stack is called on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapSetup {
    /// Name of the interface.
    pub name: String,
    /// Own address; `None` asks DHCP.
    pub address: Option<StaticAddress>,
}

/// Sockets and listener, opened before anything is written.
pub struct Opened {
    network: Box<dyn Network>,
    listener: Option<TcpListener>,
    waiter: Option<OwnedFd>,
    address: SocketAddr,
    /// The address is not known before DHCP gave it.
    is_asked: bool,
}

impl Opened {
    /// Opens the kernel's stack.
    ///
    /// # Errors
    /// What the system said.
    pub fn host(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let network = Box::new(StdNetwork::new());
        Ok(Self { network, listener: Some(listener), waiter: None, address, is_asked: false })
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
        let stack = net::Setup {
            limits: NetLimits::of(Board::Linux),
            hardware_address,
            addressing: setup.address.map_or(Addressing::Dhcp, Addressing::Static),
            seed: u64::from_ne_bytes(seed),
        };
        let ip = setup.address.map_or(Ipv4Addr::UNSPECIFIED, |fixed| fixed.address);
        Ok(Self {
            network: Box::new(SmolNet::new(tap, &stack, clock.now())),
            listener: None,
            waiter: Some(waiter),
            address: SocketAddr::new(IpAddr::V4(ip), listen.port()),
            is_asked: setup.address.is_none(),
        })
    }

    /// Parts the sockets, which the gateway gets, from what serves clients.
    pub fn part(self) -> (Box<dyn Network>, Serving) {
        let Self { network, listener, waiter, address, is_asked } = self;
        (network, Serving { listener, waiter, address, is_asked })
    }
}

/// What is still to be started.
pub struct Serving {
    listener: Option<TcpListener>,
    waiter: Option<OwnedFd>,
    address: SocketAddr,
    is_asked: bool,
}

/// A running web server.
pub struct Served {
    /// What axum's clients ask; nothing where our own stack serves.
    pub letters: mpsc::Receiver<Letter>,
    /// The core's carrier, where our own stack serves.
    pub own: Option<own::Carrier>,
    /// Wakes the gateway thread when our own stack has something.
    pub waiter: Option<OwnedFd>,
    /// Where clients reach it; `None` while DHCP has given no address.
    pub address: Option<SocketAddr>,
    keeper: Keeper,
}

/// Keeps threads and ports until it is dropped.
pub enum Keeper {
    /// axum and its threads.
    Axum(Carrier),
    /// A thread for signals.
    Signals(Runtime),
}

impl Served {
    /// Returns the handle of the threads beside the gateway's, for signals.
    #[must_use]
    pub fn handle(&self) -> Option<&Handle> {
        match &self.keeper {
            Keeper::Axum(carrier) => carrier.handle(),
            Keeper::Signals(runtime) => Some(runtime.handle()),
        }
    }

    /// Parts what the gateway thread takes from what has to live as long as it.
    pub fn part(self) -> (mpsc::Receiver<Letter>, Option<own::Carrier>, Option<OwnedFd>, Keeper) {
        (self.letters, self.own, self.waiter, self.keeper)
    }
}

impl Serving {
    /// Starts to serve.
    ///
    /// # Errors
    /// What the system said.
    pub fn start(
        self,
        gateway: &mut Gateway,
        limits: &Limits,
        waker: &Waker,
        webapps: Option<WebApps>,
    ) -> io::Result<Served> {
        if let Some(listener) = self.listener {
            let carrier_limits = CarrierLimits {
                exchanges_max: limits.exchanges_max.into(),
                streams_max: limits.clients_max.into(),
                request_bytes_max: usize::try_from(limits.request_bytes_max).unwrap_or(usize::MAX),
            };
            let (carrier, letters) = Carrier::start(listener, carrier_limits, waker.clone(), webapps)?;
            let address = Some(carrier.address());
            return Ok(Served { letters, own: None, waiter: None, address, keeper: Keeper::Axum(carrier) });
        }
        let carrier_limits = own::CarrierLimits::new(&NetLimits::of(Board::Linux), limits);
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), self.address.port());
        let carrier = own::Carrier::listen(gateway, any, carrier_limits).map_err(io::Error::other)?;
        let address = SocketAddr::new(self.address.ip(), carrier.address().port());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
        // Nobody sends a letter.
        let (_, letters) = mpsc::channel(1);
        Ok(Served {
            letters,
            own: Some(carrier),
            waiter: self.waiter,
            address: (!self.is_asked).then_some(address),
            keeper: Keeper::Signals(runtime),
        })
    }
}
