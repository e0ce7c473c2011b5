//! Which hosts a plugin's HTTP requests may go to.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Entries of one list.
pub const DESTINATIONS_MAX: usize = 64;
/// Bytes of one entry.
pub const DESTINATION_BYTES_MAX: usize = 255;

/// Addresses at which cloud providers serve credentials without a check, beyond the link-local ones.
const METADATA: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)),
];

/// Destinations that a plugin may reach.
///
/// Without lists: every public and private address; never loopback, link-local, metadata, multicast and unspecified
/// ones. `only` narrows that (the author's promise in `package.json`); `also` opens what is closed by default (the
/// operator's word). An entry is a host name, `*.` and a domain, or an address, each optionally with `:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    only: Option<Arc<[Entry]>>,
    also: Option<Arc<[Entry]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
    /// Every name below this domain; stored with its leading dot.
    Below(String),
}

impl Destinations {
    /// Builds a policy; entries that cannot be read are returned, not ignored silently.
    #[must_use]
    pub fn new(only: Option<&[String]>, also: &[String]) -> (Self, Vec<String>) {
        let mut wrong = Vec::new();
        let mut read = |list: &[String]| -> Arc<[Entry]> {
            let entries = list.iter().take(DESTINATIONS_MAX).filter_map(|text| {
                let entry = Entry::parse(text);
                if entry.is_none() {
                    wrong.push(text.clone());
                }
                entry
            });
            entries.collect()
        };
        let only = only.map(&mut read);
        let also = (!also.is_empty()).then(|| read(also));
        (Self { only, also }, wrong)
    }

    /// Tells whether a connection to `address`, which `host` (as the URL names it) resolved to, is allowed.
    ///
    /// Ask this with the very address that is connected to, after the name was resolved and again for each redirect:
    /// a name says nothing about where it leads.
    #[must_use]
    pub fn allow(&self, host: &str, address: IpAddr, port: u16) -> bool {
        let listed = |list: &Arc<[Entry]>| list.iter().any(|entry| entry.matches(host, address, port));
        if self.opens(host, address, port) {
            return true;
        }
        self.only.as_ref().is_none_or(listed) && !is_closed(address)
    }
}

impl Destinations {
    /// Tells whether the operator's list names a destination.
    #[must_use]
    pub fn opens(&self, host: &str, address: IpAddr, port: u16) -> bool {
        self.also.as_ref().is_some_and(|list| list.iter().any(|entry| entry.matches(host, address, port)))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text.len() > DESTINATION_BYTES_MAX {
            return None;
        }
        if let Ok(address) = text.parse() {
            return Some(Self { host: Host::Address(canonical(address)), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let host = match (bare.parse(), bare.strip_prefix('*')) {
            (Ok(address), _) => Host::Address(canonical(address)),
            (Err(_), Some(domain)) if domain.starts_with('.') && is_name(domain.get(1..)?) => {
                Host::Below(domain.to_ascii_lowercase())
            }
            (Err(_), None) if is_name(bare) => Host::Name(bare.to_ascii_lowercase()),
            _ => return None,
        };
        Some(Self { host, port })
    }

    fn matches(&self, host: &str, address: IpAddr, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match &self.host {
            Host::Address(own) => *own == canonical(address),
            Host::Name(name) => *name == host,
            Host::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Returns the IPv4 address inside an IPv6 one that only carries it (RFC 4291 §2.5.5.2).
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Tells whether an address is out of reach unless the operator opens it.
fn is_closed(address: IpAddr) -> bool {
    let address = canonical(address);
    METADATA.contains(&address)
        || match address {
            IpAddr::V4(four) => is_closed_v4(four),
            IpAddr::V6(six) => is_closed_v6(six),
        }
}

fn is_closed_v4(address: Ipv4Addr) -> bool {
    // 0.0.0.0/8 is "this host" (RFC 1122 §3.2.1.3), which kernels take for loopback; 240.0.0.0/4 is reserved.
    address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.octets()[0] == 0
        || address.octets()[0] >= 240
}

fn is_closed_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, .., last_but_one, last] = address.segments();
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_closed(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
    };
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        // fe80::/10, and the deprecated site-local fec0::/10.
        || (first & 0xff80) == 0xfe80
        // NAT64 (RFC 6052), 6to4 (RFC 3056) and IPv4-compatible addresses lead to the IPv4 address they carry.
        || (first == 0x64 && second == 0xff9b && carried(last_but_one, last))
        || (first == 0x2002 && carried(second, third))
        || (address.segments().iter().take(6).all(|&segment| segment == 0) && carried(last_but_one, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn allow(policy: &Destinations, host: &str, address: &str) -> bool {
        policy.allow(host, address.parse().unwrap(), 80)
    }

    #[test]
    fn what_belongs_to_this_machine_or_to_nobody_is_closed() {
        let policy = Destinations::default();
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "100.100.100.200",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "fec0::1",
            "fd00:ec2::254",
            "ff02::1",
        ] {
            assert!(!allow(&policy, "sea.example", address), "{address}");
        }
        for address in
            ["192.168.4.1", "10.0.0.5", "172.16.0.9", "203.0.113.9", "2001:db8::1", "fd12::1", "64:ff9b::c000:201"]
        {
            assert!(allow(&policy, "sea.example", address), "{address}");
        }
    }

    #[test]
    fn the_authors_list_narrows_and_opens_nothing() {
        let only = vec!["api.example".into(), "*.tiles.example:80".into(), "127.0.0.1".into()];
        let (policy, wrong) = Destinations::new(Some(&only), &[]);
        assert_eq!(wrong, [""; 0]);
        for (host, allowed) in [
            ("api.example", true),
            ("API.example.", true),
            ("a.tiles.example", true),
            ("tiles.example", false),
            ("eviltiles.example", false),
            ("api.example.evil", false),
        ] {
            assert_eq!(allow(&policy, host, "203.0.113.9"), allowed, "{host}");
        }
        assert!(!policy.allow("a.tiles.example", "203.0.113.9".parse().unwrap(), 8080));
        assert!(!allow(&policy, "api.example", "127.0.0.1"), "a name that leads home");
        assert!(!allow(&policy, "127.0.0.1", "127.0.0.1"));
        assert!(
            !allow(&Destinations::new(Some(&[]), &[]).0, "api.example", "203.0.113.9"),
            "an empty list allows none"
        );
    }

    #[test]
    fn the_operator_opens_one_door() {
        let also = vec!["127.0.0.1:8080".into(), "[::1]:8080".into()];
        let (policy, _) = Destinations::new(None, &also);
        let open = |address: &str, port| policy.allow("localhost", address.parse().unwrap(), port);
        assert!(open("127.0.0.1", 8080) && open("::1", 8080) && open("::ffff:127.0.0.1", 8080));
        assert!(!open("127.0.0.1", 80) && !open("127.0.0.2", 8080));
        assert!(open("203.0.113.9", 80), "what was open stays open");
    }

    #[test]
    fn entries_that_mean_nothing_are_told() {
        let entries: Vec<String> =
            ["", "*", "*example", "http://x", "a b", "x:99999", "*.*.x"].map(String::from).into();
        assert_eq!(Destinations::new(Some(&entries), &[]).1, entries);
    }
}
