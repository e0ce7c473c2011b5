//! What the board answers beside its web server, so that it is found.
//!
//! On a network that it has joined it answers for its name and its services (multicast DNS). On its own network it gives
//! addresses, and is every name there is, which brings who joins to the set-up page.

use skiff_runtime::device::wifi::WifiMode;
use skiff_runtime::discovery::{AnyName, Responder};
use skiff_runtime::gateway::{Gateway, Wake};
use skiff_runtime::hal::NetError;
use skiff_runtime::net::{DhcpServer, StaticAddress};
use skiff_runtime::time::Instant;

/// What is answered.
#[derive(Debug, Default)]
pub struct Neighbours {
    responder: Option<Responder>,
    addresses: Option<DhcpServer>,
    names: Option<AnyName>,
}

impl Neighbours {
    /// Opens what the mode of the radio asks for: `own` is the address on the own network. On any other one the board is
    /// called `name`, its web server has this port, and `chance` spreads delays.
    ///
    /// # Errors
    /// [`NetError`] of a port; [`NetError::Unsupported`] without a network.
    pub fn open(
        gateway: &mut Gateway,
        mode: WifiMode,
        own: StaticAddress,
        (name, port): (&str, u16),
        chance: u32,
    ) -> Result<Self, NetError> {
        let announced = gateway.announced(name, port);
        let network = gateway.network_mut().ok_or(NetError::Unsupported)?;
        Ok(match mode {
            WifiMode::Join => Self { responder: Some(Responder::open(network, announced, chance)?), ..Self::default() },
            WifiMode::SetUp => Self {
                addresses: Some(DhcpServer::open(network, own)?),
                names: Some(AnyName::open(network)?),
                ..Self::default()
            },
        })
    }

    /// Answers what came; poll it after the gateway.
    pub fn poll(&mut self, gateway: &mut Gateway, now: Instant) -> Wake {
        let mut wake = Wake::default();
        let Some(network) = gateway.network_mut() else { return wake };
        if let Some(addresses) = &mut self.addresses {
            addresses.poll(network, now);
        }
        if let Some(names) = &mut self.names {
            wake.busy = names.poll(network);
        }
        if let Some(responder) = &mut self.responder {
            wake.at = responder.poll(network, now);
        }
        wake
    }

    /// Says that the board goes.
    pub fn farewell(&mut self, gateway: &mut Gateway, now: Instant) {
        if let (Some(responder), Some(network)) = (self.responder.take(), gateway.network_mut()) {
            responder.close(network, now);
        }
    }
}
