//! Signal K servers of the network, found by multicast DNS (Signal K 1.7.0, "Discovery and Connection Establishment").

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};

use super::{STREAM_PATH, Site};

/// Services of streams, and whether with TLS.
const KINDS: [(&str, bool); 2] = [("_signalk-ws._tcp.local.", false), ("_signalk-wss._tcp.local.", true)];
/// Time that servers get to answer a connection that looks for one.
const LOOK_TIME: Duration = Duration::from_secs(4);
/// Servers that are listed.
const FOUND_MAX: usize = 64;

/// A server that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the service is called.
    pub name: String,
    /// The machine's name, `boat.local`.
    pub host: String,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// TCP port.
    pub port: u16,
    /// With TLS.
    pub is_secure: bool,
    /// URN of its own vessel.
    pub vessel: Option<String>,
    /// Name of that.
    pub vessel_name: Option<String>,
    /// Name and version of its software.
    pub software: String,
}

impl Found {
    fn of(service: &ResolvedService, kind: &str, is_secure: bool) -> Self {
        let text = |key: &str| service.get_property_val_str(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut addresses: Vec<IpAddr> = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr).collect();
        addresses.sort_by_key(|address| (address.is_ipv6(), *address));
        let full = service.get_fullname();
        let name = full.strip_suffix(kind).unwrap_or(full).trim_end_matches('.');
        Self {
            name: name.to_owned(),
            host: service.get_hostname().trim_end_matches('.').to_owned(),
            addresses,
            port: service.get_port(),
            is_secure,
            vessel: text("self").or_else(|| text("vuuid")),
            vessel_name: text("vname"),
            software: [text("swname"), text("swvers")].into_iter().flatten().collect::<Vec<_>>().join(" "),
        }
    }

    /// Returns what to type as input.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.is_secure { "wss" } else { "ws" }, self.site().authority())
    }

    fn site(&self) -> Site {
        // A certificate is for the name; without TLS the address needs nobody who knows the name.
        let address = self.addresses.first().filter(|_| !self.is_secure);
        let host = address.map_or_else(|| self.host.clone(), IpAddr::to_string);
        Site { is_secure: self.is_secure, host, port: self.port, path: STREAM_PATH.to_owned() }
    }

    fn is_called(&self, name: &str) -> bool {
        let host = self.host.strip_suffix(".local").unwrap_or(&self.host);
        let names =
            [Some(&*self.name), Some(&*self.host), Some(host), self.vessel.as_deref(), self.vessel_name.as_deref()];
        names.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Looks for servers for so long, or until `enough` says that one is.
///
/// # Errors
/// A clause with what the system said.
pub fn look(time: Duration, enough: &dyn Fn(&Found) -> bool) -> Result<Vec<Found>, String> {
    let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
    let mut watched = Vec::new();
    for (kind, is_secure) in KINDS {
        watched.push((kind, is_secure, daemon.browse(kind).map_err(|error| error.to_string())?));
    }
    let until = Instant::now() + time;
    let mut found = BTreeMap::new();
    'looking: loop {
        let mut came = false;
        for (kind, is_secure, events) in &watched {
            while let Ok(event) = events.try_recv() {
                came = true;
                let ServiceEvent::ServiceResolved(service) = event else { continue };
                let server = Found::of(&service, kind, *is_secure);
                let is_enough = enough(&server);
                if found.len() < FOUND_MAX {
                    found.insert((server.name.clone(), server.is_secure), server);
                }
                if is_enough {
                    break 'looking;
                }
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        if !came && let Some((_, _, events)) = watched.first() {
            // Either can bring one: looked at again soon.
            let wait = left.min(Duration::from_millis(100));
            if events.is_empty() {
                std::thread::sleep(wait);
            }
        }
    }
    let _ = daemon.shutdown();
    Ok(found.into_values().collect())
}

/// Looks for one server: of that name, else any that is not the one of the vessel `own`.
///
/// # Errors
/// A clause that says what was found instead.
pub(super) fn one(name: Option<&str>, own: &str) -> Result<Site, String> {
    let is_it =
        |server: &Found| server.vessel.as_deref() != Some(own) && name.is_none_or(|name| server.is_called(name));
    let found = look(LOOK_TIME, &is_it)?;
    if let Some(server) = found.iter().find(|server| is_it(server)) {
        return Ok(server.site());
    }
    let others: Vec<_> =
        found.iter().filter(|server| server.vessel.as_deref() != Some(own)).map(|it| &*it.name).collect();
    Err(match (name, others.as_slice()) {
        (_, []) => "no Signal K server is announced on the network".into(),
        (Some(name), others) => {
            format!("no Signal K server on the network is called {name}; there are {}", others.join(", "))
        }
        (None, _) => "no Signal K server is announced on the network".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_each_of_its_names() {
        let found = Found {
            name: "Möwe".into(),
            host: "nav.local".into(),
            addresses: vec!["10.9.0.1".parse().unwrap()],
            port: 3000,
            is_secure: false,
            vessel: Some("urn:mrn:signalk:uuid:1".into()),
            vessel_name: Some("Seemöwe".into()),
            software: "signalk-server 2.32.0".into(),
        };
        for name in ["Möwe", "nav", "NAV.local", "urn:mrn:signalk:uuid:1", "Seemöwe"] {
            assert!(found.is_called(name), "{name}");
        }
        assert!(!found.is_called("Mö"));
        assert_eq!(found.url(), "ws://10.9.0.1:3000");
        let secure = Found { is_secure: true, port: 3443, ..found };
        assert_eq!(secure.url(), "wss://nav.local:3443");
    }
}
