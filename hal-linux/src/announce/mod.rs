//! How machines on the boat's network find the gateway: multicast DNS (RFC 6762) and services on it (RFC 6763).

pub mod reach;
pub mod service;
mod setting;

use std::net::SocketAddr;
use std::time::Duration;

use mdns_sd::{DaemonEvent, DnsNameChange, IfKind, Receiver, ServiceDaemon, ServiceInfo};

pub use setting::is_on;

/// Time that the farewell gets when the gateway ends.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announced {
    /// Where the web server listens.
    pub listen: SocketAddr,
    /// The machine's name, `boat.local`.
    pub host: String,
    /// What the services are called.
    pub name: String,
    /// Kinds of service.
    pub kinds: &'static [&'static str],
    /// Their texts.
    pub texts: Vec<(&'static str, String)>,
}

/// Answers for the gateway on the network, in a thread of its own; says farewell when dropped.
pub struct Announcer {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
    /// What was told last: a name is changed once for each of its records.
    told: String,
    /// The first trouble was told.
    has_complained: bool,
}

impl Announcer {
    /// Begins to announce; interfaces and addresses that come later are announced on when they are there.
    ///
    /// # Errors
    /// A clause with what the system said.
    pub fn start(announced: &Announced) -> Result<Self, String> {
        let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
        let announcer =
            Self { events: daemon.monitor().map_err(told)?, daemon, told: String::new(), has_complained: false };
        announcer.announce(announced).map_err(told)?;
        Ok(announcer)
    }

    fn announce(&self, announced: &Announced) -> mdns_sd::Result<()> {
        let ip = announced.listen.ip().to_canonical();
        self.daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        if !ip.is_unspecified() {
            self.daemon.disable_interface(IfKind::All)?;
            self.daemon.enable_interface(IfKind::Addr(ip))?;
        } else if ip.is_ipv4() {
            // Nobody is answered at an address that the server does not listen on.
            self.daemon.disable_interface(IfKind::IPv6)?;
        }
        let (host, port) = (format!("{}.", announced.host), announced.listen.port());
        for kind in announced.kinds {
            let kind = format!("{kind}.local.");
            let own = if ip.is_unspecified() { String::new() } else { ip.to_string() };
            let service = ServiceInfo::new(&kind, &announced.name, &host, own, port, &*announced.texts)?;
            let service = if ip.is_unspecified() { service.enable_addr_auto() } else { service };
            self.daemon.register(service)?;
        }
        Ok(())
    }

    /// Tells what happened since: names that another machine had already, and the first trouble.
    pub fn tell(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            match event {
                DaemonEvent::NameChange(change) => {
                    let DnsNameChange { original, new_name, intf_name, .. } = change;
                    let line =
                        format!("{original} is another machine's already: announced as {new_name} on {intf_name}");
                    if line != self.told {
                        log::warn!("{line}");
                        self.told = line;
                    }
                }
                DaemonEvent::Error(error) if !self.has_complained => {
                    self.has_complained = true;
                    log::warn!("announcing on the network: {error}; told once");
                }
                _ => {}
            }
        }
    }
}

fn told(error: mdns_sd::Error) -> String {
    error.to_string()
}

impl Drop for Announcer {
    fn drop(&mut self) {
        // Without it the network would keep asking a gateway that is gone for an hour.
        if let Ok(over) = self.daemon.shutdown() {
            let _ = over.recv_timeout(FAREWELL_TIMEOUT);
        }
    }
}
