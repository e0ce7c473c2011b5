//! The address of the interface: from DHCP or fixed.

use core::fmt;
use core::net::Ipv4Addr;
use core::str::FromStr;

use smoltcp::iface::Interface;
use smoltcp::socket::{dhcpv4, dns};
use smoltcp::wire::{IpCidr, Ipv4Cidr};

/// How the interface gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// From the network (RFC 2131).
    Dhcp,
    /// Fixed.
    Static(StaticAddress),
}

/// A fixed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// IPv4 address of the interface.
    pub address: Ipv4Addr,
    /// Bits of the network's prefix, 0 to 32.
    pub prefix: u8,
    /// Router to everything else.
    pub gateway: Option<Ipv4Addr>,
    /// DNS server; `None` where names cannot be looked up.
    pub name_server: Option<Ipv4Addr>,
}

/// The current address of the interface, for status pages and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// IPv4 address of the interface.
    pub address: Ipv4Addr,
    /// Bits of the network's prefix.
    pub prefix: u8,
    /// Router to everything else.
    pub gateway: Option<Ipv4Addr>,
}

/// Why a text is no address with its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError;

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write an IPv4 address with its prefix, for example 192.168.7.2/24")
    }
}

impl core::error::Error for AddressError {}

impl FromStr for StaticAddress {
    type Err = AddressError;

    /// Reads `192.168.7.2/24`.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (address, prefix) = text.split_once('/').ok_or(AddressError)?;
        let address: Ipv4Addr = address.parse().map_err(|_| AddressError)?;
        let prefix = prefix.parse().ok().filter(|bits| *bits <= 32).ok_or(AddressError)?;
        if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
            return Err(AddressError);
        }
        Ok(Self { address, prefix, gateway: None, name_server: None })
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        Ok(())
    }
}

/// Gives the interface an address, or takes it away.
pub(super) fn apply(
    interface: &mut Interface,
    names: &mut dns::Socket<'static>,
    lease: Option<Lease>,
    name_server: Option<Ipv4Addr>,
) {
    interface.update_ip_addrs(|addresses| {
        addresses.clear();
        if let Some(lease) = lease {
            // Room for two: it was just cleared.
            let _ = addresses.push(IpCidr::Ipv4(Ipv4Cidr::new(lease.address, lease.prefix.min(32))));
        }
    });
    interface.routes_mut().remove_default_ipv4_route();
    if let Some(gateway) = lease.and_then(|lease| lease.gateway) {
        // Room for two routes, of which this is the only one.
        let _ = interface.routes_mut().add_default_ipv4_route(gateway);
    }
    match name_server {
        Some(server) => names.update_servers(&[server.into()]),
        None => names.update_servers(&[]),
    }
}

/// What a DHCP server said last.
pub(super) enum DhcpNews {
    /// Use this.
    Configured(Lease, Option<Ipv4Addr>),
    /// The lease is over.
    Lost,
}

/// Asks the DHCP client for news.
pub(super) fn dhcp_news(client: &mut dhcpv4::Socket<'static>) -> Option<DhcpNews> {
    Some(match client.poll()? {
        dhcpv4::Event::Configured(config) => DhcpNews::Configured(
            Lease { address: config.address.address(), prefix: config.address.prefix_len(), gateway: config.router },
            config.dns_servers.first().copied(),
        ),
        dhcpv4::Event::Deconfigured => DhcpNews::Lost,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn fixed_addresses_have_a_prefix() {
        let parsed: StaticAddress = "192.168.7.2/24".parse().unwrap();
        assert_eq!((parsed.address.to_string(), parsed.prefix), ("192.168.7.2".to_string(), 24));
        for text in ["192.168.7.2", "192.168.7.2/33", "192.168.7/24", "::1/64", "0.0.0.0/0", "224.0.0.1/4", "x/8", "/8"]
        {
            assert_eq!(text.parse::<StaticAddress>(), Err(AddressError), "{text}");
        }
    }
}
