//! Starts a CAN controller again that went off the bus: the one netlink message that this takes.
//!
//! The same as `ip link set NAME type can restart`; it needs the right to administer the network (CAP_NET_ADMIN).

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// linux/rtnetlink.h RTM_NEWLINK, linux/netlink.h NLM_F_REQUEST | NLM_F_ACK, NLMSG_ERROR.
const NEW_LINK: u16 = 16;
const REQUEST_ACK: u16 = 0x01 | 0x04;
const ERROR: u16 = 2;
/// linux/if_link.h IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA; linux/can/netlink.h IFLA_CAN_RESTART.
const LINK_INFO: u16 = 18;
const INFO_KIND: u16 = 1;
const INFO_DATA: u16 = 2;
const CAN_RESTART: u16 = 7;
/// Head of a message (`struct nlmsghdr`) and of a link (`struct ifinfomsg`), bytes.
const HEAD_BYTES: usize = 16;

/// Appends an attribute, filled up to four bytes.
fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    out.extend(length.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Builds the message for the interface of this number.
fn message(index: u32) -> Vec<u8> {
    let (mut data, mut info) = (Vec::new(), Vec::new());
    attribute(&mut data, CAN_RESTART, &1_u32.to_ne_bytes());
    attribute(&mut info, INFO_KIND, b"can");
    attribute(&mut info, INFO_DATA, &data);
    let mut body = vec![0; HEAD_BYTES];
    if let Some(place) = body.get_mut(4..8) {
        place.copy_from_slice(&index.to_ne_bytes());
    }
    attribute(&mut body, LINK_INFO, &info);
    let mut out = Vec::new();
    out.extend(u32::try_from(HEAD_BYTES + body.len()).unwrap_or(u32::MAX).to_ne_bytes());
    out.extend(NEW_LINK.to_ne_bytes());
    out.extend(REQUEST_ACK.to_ne_bytes());
    // Sequence number and sender: one message, from the kernel's choice of a port.
    out.extend([1_u32.to_ne_bytes(), 0_u32.to_ne_bytes()].concat());
    out.extend(body);
    out
}

/// Reads the kernel's answer: an error number, zero when it was done.
fn verdict(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let code = answer.get(HEAD_BYTES..HEAD_BYTES + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, code) {
        (Some(ERROR), Some(0)) => Ok(()),
        (Some(ERROR), Some(code)) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Asks the kernel to start the controller of the interface `name` again.
///
/// # Errors
/// What the system said: no such interface, no right to do it, a controller that is not off the bus.
pub(super) fn restart(name: &str) -> io::Result<()> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        // NETLINK_ROUTE is protocol 0.
        None,
    )?;
    let index = rustix::net::netdevice::name_to_index(&socket, name)?;
    rustix::net::sendto(&socket, &message(index), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 512];
    // The kernel answers within the call that sends.
    let (count, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    verdict(answer.get(..count).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_what_ip_sends() {
        let bytes = message(7);
        assert_eq!(bytes.len(), 56);
        let half = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        assert_eq!((word(0), half(4), half(6), word(20)), (56, 16, 5, 7));
        assert_eq!((half(32), half(34)), (24, LINK_INFO));
        assert_eq!((half(36), half(38), &bytes[40..44]), (7, INFO_KIND, b"can\0".as_slice()));
        assert_eq!((half(44), half(46), half(48), half(50), word(52)), (12, INFO_DATA, 8, 7, 1));
    }

    #[test]
    fn answers_are_errors_of_the_system() {
        let answer = |kind: u16, code: i32| {
            let mut bytes = vec![0; 36];
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[16..20].copy_from_slice(&code.to_ne_bytes());
            verdict(&bytes).map_err(|error| error.raw_os_error())
        };
        assert_eq!((answer(ERROR, 0), answer(ERROR, -1), answer(3, 0)), (Ok(()), Err(Some(1)), Err(None)));
        assert!(verdict(&[]).is_err());
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        assert!(restart("nocan9").is_err());
    }
}
