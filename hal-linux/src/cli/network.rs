//! `skiff run`: how other machines find the gateway, and by what they are served.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use clap::Args as ClapArgs;
use skiff_runtime::config::Settings;
use skiff_runtime::gateway::Gateway;

use super::exit::{self, Failure};
use crate::announce::service::{self, Offer};
use crate::announce::{self, Announced, Announcer, reach};
use crate::hal::Folder;
use crate::tls::{Choice, Names, Tls, TlsError};

/// Name of a gateway on our own stack, which is a machine beside this one, unless another has it.
pub(super) const OWN_STACK: &str = "skiff";

/// What the command line says of it.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Address and port of the admin's door, or none [default: loopback, the port after that of --listen]
    ///
    /// Packages, configurations, users and settings are administrated there, signed in as admin; web apps and the pages
    /// of plugins are not served there, so that none of them can act for the admin. From elsewhere: an SSH tunnel, or
    /// an address of the boat's network with --tls.
    #[arg(long, value_name = "ADDR:PORT|none", value_parser = AdminListen::parse)]
    admin_listen: Option<AdminListen>,

    /// Do not tell the network of the gateway [default: told by multicast DNS off loopback, unless skiff.mdns of
    /// settings.json is false]
    ///
    /// Phones, displays, sensors and autopilots find the gateway by what it tells, its name and the vessel's; nobody gets
    /// more of it than before.
    #[arg(long)]
    no_mdns: bool,

    /// Serve HTTPS, too, on the same port: self with a certificate that Skiff makes and keeps in skiff/tls, or with your own
    ///
    /// Browsers on other machines are sent on to https://; they warn once of a certificate that Skiff has made. Programs and
    /// devices can go on with http:// on the same port (SensESP, pypilot and OpenCPN take no such certificate), unless
    /// --tls-only. This machine is served by http:// in any case.
    #[arg(long, value_name = "self|CERT.pem,KEY.pem", value_parser = Choice::parse)]
    tls: Option<Choice>,

    /// Refuse other machines that come by http://, devices among them
    #[arg(long, requires = "tls")]
    tls_only: bool,
}

/// Where the admin's door is asked to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminListen {
    Nowhere,
    At(SocketAddr),
}

impl AdminListen {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::Nowhere);
        }
        let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse().map(Self::At).map_err(|_| "write none, or address and port, for example 127.0.0.1:3001".into())
    }
}

/// Opens the admin's door; where nobody asked for one and its port is taken, the gateway goes without.
pub(super) fn open_admin(args: &Args, listen: SocketAddr, is_host: bool) -> Result<Option<TcpListener>, Failure> {
    let asked = match args.admin_listen {
        Some(AdminListen::Nowhere) => return Ok(None),
        Some(AdminListen::At(_)) if !is_host => {
            return Err(Failure::new(exit::USAGE, "--admin-listen is for --net host: the own stack has one door"));
        }
        Some(AdminListen::At(address)) => Some(address),
        None if !is_host => return Ok(None),
        None => None,
    };
    // Port 0 is any free one, for both.
    let next = if listen.port() == 0 { 0 } else { listen.port().checked_add(1).unwrap_or(0) };
    let address = asked.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, next)));
    match TcpListener::bind(address) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if asked.is_some() => {
            let clause = format_args!("cannot listen on {address}: {error}; choose another: --admin-listen");
            Err(Failure::new(exit::UNAVAILABLE, clause))
        }
        Err(error) => {
            log::warn!("no admin's door, {address} cannot be listened on: {error}; choose one by --admin-listen");
            Ok(None)
        }
    }
}

impl Args {
    /// Tells whether TLS is asked for.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }
}

/// Opens certificate and key.
pub(super) fn open_tls(args: &Args, home: Option<&Path>) -> Result<Option<Arc<Tls>>, Failure> {
    let Some(choice) = args.tls.clone() else { return Ok(None) };
    let hosts = home.map(|folder| Settings::load(&mut Folder::new(folder)).unwrap_or_default().hosts);
    let addresses = reach::addresses().unwrap_or_default();
    let names = Names::of(&reach::host_name(), &hosts.unwrap_or_default(), &addresses);
    let tls = Tls::open(choice, args.tls_only, home.map(Path::to_owned), names).map_err(|error| {
        let code = if matches!(error, TlsError::Unreadable(..)) { exit::INPUT_MISSING } else { exit::INPUT_CORRUPT };
        Failure::new(code, error)
    })?;
    Ok(Some(Arc::new(tls)))
}

/// Makes the certificate that is to be made, and tells by what its owner knows it.
pub(super) fn look_at_certificate(tls: &Tls) {
    tls.look();
    if let Some(made) = tls.certificate().filter(|_| tls.is_made()) {
        log::info!("TLS by a certificate of Skiff's own; compare what a browser shows: SHA-256 {}", made.fingerprint());
    }
}

/// Returns what other machines are told to take.
fn offer(tls: Option<&Tls>) -> Offer {
    match tls {
        None => Offer::Plain,
        Some(tls) if tls.is_only() => Offer::TlsOnly,
        Some(tls) if tls.is_made() => Offer::PagesByTls,
        Some(_) => Offer::Both,
    }
}

/// Tells whether other machines are told of the gateway: on our own stack (`None`) all of them reach it.
pub(super) fn is_announced(args: &Args, listen: Option<SocketAddr>, home: Option<&Path>) -> Result<bool, Failure> {
    let Some(folder) = home else { return Ok(false) };
    let wanted = announce::is_on(folder).map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?;
    Ok(wanted && !args.no_mdns && !listen.is_some_and(|listen| listen.ip().to_canonical().is_loopback()))
}

/// Begins to tell other machines of the gateway; it runs on where that cannot be.
pub(super) fn announce(gateway: &Gateway, folder: &Path, listen: SocketAddr, tls: Option<&Tls>) -> Option<Announcer> {
    let vessel = Settings::load(&mut Folder::new(folder)).unwrap_or_default().vessel;
    let host = reach::host_name();
    let announced = Announced {
        listen,
        name: service::name(&vessel, &host),
        host: reach::own_name(),
        kinds: offer(tls).kinds(),
        texts: service::texts(env!("CARGO_PKG_VERSION"), gateway.self_context(), &vessel),
    };
    match Announcer::start(&announced) {
        Ok(announcer) => {
            log::info!("announced on the network as {} ({})", announced.name, announced.host);
            Some(announcer)
        }
        Err(error) => {
            log::warn!("not announced on the network: {error}; clients need the address");
            None
        }
    }
}

/// Returns the URLs under which other machines reach the web server.
pub(super) fn others(listen: SocketAddr, is_announced: bool, tls: Option<&Tls>) -> Vec<String> {
    if listen.ip().to_canonical().is_loopback() {
        return Vec::new();
    }
    let own = reach::addresses().unwrap_or_else(|error| {
        log::warn!("the addresses of this machine cannot be read: {error}");
        Vec::new()
    });
    let name = is_announced.then(reach::own_name);
    let is_secure = tls.is_some_and(|tls| tls.is_only() || tls.certificate().is_some());
    reach::urls(if is_secure { "https" } else { "http" }, listen, &own, name.as_deref())
}

/// Returns the URL under which this machine reaches the listener.
pub(super) fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admins_door_is_somewhere_or_nowhere() {
        assert_eq!(AdminListen::parse("none"), Ok(AdminListen::Nowhere));
        assert_eq!(AdminListen::parse("localhost:7"), Ok(AdminListen::At(SocketAddr::from(([127, 0, 0, 1], 7)))));
        assert!(AdminListen::parse("3001").unwrap_err().contains("127.0.0.1:3001"));
    }

    #[test]
    fn this_machine_reaches_every_listener_by_loopback() {
        assert_eq!(url(SocketAddr::from(([0, 0, 0, 0], 80))), "http://127.0.0.1:80");
        assert_eq!(url("[::]:80".parse().unwrap()), "http://[::1]:80");
    }

    #[test]
    fn other_machines_are_told_of_what_they_can_take() {
        let made = |only| Tls::open(Choice::Made, only, None, Names::default()).unwrap();
        assert_eq!(offer(None), Offer::Plain);
        assert_eq!(offer(Some(&made(false))), Offer::PagesByTls);
        assert_eq!(offer(Some(&made(true))), Offer::TlsOnly);
    }
}
