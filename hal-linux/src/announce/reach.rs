//! The URLs under which other machines reach a listener.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// URLs that are told; a machine with many bridges and containers has more addresses than anyone reads.
const URLS_MAX: usize = 16;
/// Longest label of a host name (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Returns the URLs under which other machines reach a listener on `listen`: its address, or where it listens on all of
/// them those of `own`, and the machine's `.local` name. None for a listener on loopback.
#[must_use]
pub fn urls(scheme: &str, listen: SocketAddr, own: &[IpAddr], name: Option<&str>) -> Vec<String> {
    let ip = listen.ip().to_canonical();
    if ip.is_loopback() {
        return Vec::new();
    }
    let mut addresses: Vec<IpAddr> = if ip.is_unspecified() {
        let is_heard = |address: &&IpAddr| listen.is_ipv6() || address.is_ipv4();
        own.iter().filter(is_heard).copied().collect()
    } else {
        vec![ip]
    };
    // The shorter ones first, as people type them.
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    let port = listen.port();
    let by_address = addresses.into_iter().map(|ip| format!("{scheme}://{}", SocketAddr::new(ip, port)));
    let by_name = name.map(|name| format!("{scheme}://{name}:{port}"));
    by_address.take(URLS_MAX).chain(by_name).collect()
}

/// Returns the addresses of this machine at which another one can reach it without more than the address itself: not
/// loopback, and of IPv6 no link-local one, whose zone no browser takes.
///
/// # Errors
/// What the system said.
pub fn addresses() -> io::Result<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    Ok(interfaces.iter().map(if_addrs::Interface::ip).filter(is_reached).collect())
}

fn is_reached(address: &IpAddr) -> bool {
    let is_link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
    !(address.is_loopback() || address.is_unspecified() || is_link_local)
}

/// Returns the name under which multicast DNS knows a machine of this host name, without the final dot; `None` for a name
/// that is no label of its own.
#[must_use]
pub fn local_name(host: &str) -> Option<String> {
    let label = host.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_label = !label.is_empty()
        && label.len() <= LABEL_BYTES_MAX
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_label && label != "localhost").then(|| format!("{label}.local"))
}

/// Returns the name under which this machine is announced.
#[must_use]
pub fn own_name() -> String {
    local_name(&host_name()).unwrap_or_else(|| "skiff.local".to_owned())
}

/// Returns the host name of this machine.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(listen: &str, own: &[&str]) -> Vec<String> {
        let own: Vec<IpAddr> = own.iter().map(|ip| ip.parse().unwrap()).filter(is_reached).collect();
        urls("http", listen.parse().unwrap(), &own, Some("boat.local"))
    }

    #[test]
    fn a_listener_on_all_addresses_tells_each_that_others_can_type() {
        let own = ["127.0.0.1", "fd00::5", "fe80::1", "192.168.1.5", "::1", "10.0.0.2"];
        let v4 = ["http://192.168.1.5:80", "http://10.0.0.2:80"];
        assert_eq!(of("0.0.0.0:80", &own), [&v4[..], &["http://boat.local:80"]].concat());
        assert_eq!(of("[::]:80", &own), [&v4[..], &["http://[fd00::5]:80", "http://boat.local:80"]].concat());
        assert_eq!(of("0.0.0.0:80", &[]), ["http://boat.local:80"]);
    }

    #[test]
    fn a_listener_on_one_address_tells_that_and_one_on_loopback_none() {
        assert_eq!(of("192.168.1.5:80", &["10.0.0.2"]), ["http://192.168.1.5:80", "http://boat.local:80"]);
        for listen in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(of(listen, &["10.0.0.2"]).is_empty(), "{listen}");
        }
    }

    #[test]
    fn many_addresses_are_cut() {
        let own: Vec<String> = (1..=40).map(|last| format!("10.0.0.{last}")).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        assert_eq!(of("0.0.0.0:80", &own).len(), URLS_MAX + 1);
    }

    #[test]
    fn a_local_name_is_the_first_label_of_the_host_name() {
        assert_eq!(local_name("Boat-1.example.org").as_deref(), Some("boat-1.local"));
        for host in ["", "localhost", "my boat", "höhe", &"x".repeat(64)] {
            assert_eq!(local_name(host), None, "{host}");
        }
    }
}
