use super::*;
use crate::budget::{Board, NetLimits};
use crate::net::{Addressing, NetSetup, SmolNet};
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use proptest::prelude::*;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use std::vec;

type Packets = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a cable.
struct End {
    from: Packets,
    to: Packets,
}

struct Packet(Vec<u8>);
struct Room(Packets);

impl RxToken for Packet {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Room {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut packet = vec![0; length];
        let result = f(&mut packet);
        self.0.borrow_mut().push_back(packet);
        result
    }
}

impl Device for End {
    type RxToken<'a> = Packet;
    type TxToken<'a> = Room;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Packet, Room)> {
        let packet = self.from.borrow_mut().pop_front()?;
        Some((Packet(packet), Room(self.to.clone())))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Room> {
        Some(Room(self.to.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

fn own() -> StaticAddress {
    "192.168.4.1/24".parse().unwrap()
}

fn net(end: End, address: u8, addressing: Addressing) -> SmolNet<End> {
    let limits = NetLimits::of(Board::Esp32C6);
    let setup = NetSetup { limits, hardware_address: [2, 0, 0, 0, 0, address], addressing, seed: address.into() };
    SmolNet::new(end, &setup, Instant(0))
}

/// A board and a phone on one cable.
fn pair() -> (SmolNet<End>, SmolNet<End>) {
    let (up, down) = (Packets::default(), Packets::default());
    let board = net(End { from: up.clone(), to: down.clone() }, 1, Addressing::Static(own()));
    (board, net(End { from: down, to: up }, 9, Addressing::Dhcp))
}

fn message(kind: DhcpMessageType, client: u8) -> DhcpRepr<'static> {
    DhcpRepr {
        message_type: kind,
        transaction_id: 7,
        secs: 0,
        client_hardware_address: EthernetAddress([2, 0, 0, 0, 1, client]),
        client_ip: Ipv4Addr::UNSPECIFIED,
        your_ip: Ipv4Addr::UNSPECIFIED,
        server_ip: Ipv4Addr::UNSPECIFIED,
        router: None,
        subnet_mask: None,
        relay_agent_ip: Ipv4Addr::UNSPECIFIED,
        broadcast: true,
        requested_ip: None,
        client_identifier: None,
        server_identifier: None,
        parameter_request_list: None,
        dns_servers: None,
        max_size: None,
        lease_duration: None,
        renew_duration: None,
        rebind_duration: None,
        additional_options: &[],
    }
}

fn server() -> DhcpServer {
    let (mut board, _) = pair();
    DhcpServer::open(&mut board, own()).unwrap()
}

/// Sends a message; returns kind, address and destination of the answer.
fn ask(server: &mut DhcpServer, message: &DhcpRepr<'_>, seconds: u64) -> Option<(DhcpMessageType, Ipv4Addr, Ipv4Addr)> {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut DhcpPacket::new_unchecked(&mut bytes[..])).unwrap();
    let packet = DhcpPacket::new_checked(&bytes[..]).unwrap();
    let (answer, to) = server.answer(&packet, Instant(seconds * 1_000_000))?;
    assert_eq!((answer.transaction_id, answer.server_identifier), (7, Some(own().address)));
    Some((answer.message_type, answer.your_ip, to))
}

fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 4, last)
}

#[test]
fn a_phone_gets_an_address_and_talks_to_the_board() {
    let (mut board, mut phone) = pair();
    let mut server = DhcpServer::open(&mut board, own()).unwrap();
    let listener = board.listen("0.0.0.0:80".parse().unwrap()).unwrap();
    let mut now = Instant(0);
    let mut connection = None;
    for _ in 0..60_000 {
        now = now + Duration::from_millis(1);
        board.poll(now);
        server.poll(&mut board, now);
        phone.poll(now);
        if phone.lease().is_some() && connection.is_none() {
            connection = Some(phone.connect("192.168.4.1:80".parse().unwrap()).unwrap());
        }
        if let Some((_, peer)) = board.accept(listener) {
            assert_eq!(peer.ip(), at(2));
            let lease = phone.lease().map(|lease| (lease.address, lease.prefix, lease.gateway));
            assert_eq!(lease, Some((at(2), 24, Some(at(1)))), "a phone without a router calls itself not connected");
            return;
        }
    }
    panic!("no connection within a minute: {:?}", phone.lease());
}

#[test]
fn offers_are_kept_and_requests_acknowledged() {
    let mut server = server();
    let (offer, ack) = (DhcpMessageType::Offer, DhcpMessageType::Ack);
    assert_eq!(ask(&mut server, &message(DhcpMessageType::Discover, 1), 0), Some((offer, at(2), Ipv4Addr::BROADCAST)));
    assert_eq!(ask(&mut server, &message(DhcpMessageType::Discover, 2), 0), Some((offer, at(3), Ipv4Addr::BROADCAST)));
    let request = DhcpRepr {
        requested_ip: Some(at(2)),
        server_identifier: Some(own().address),
        ..message(DhcpMessageType::Request, 1)
    };
    assert_eq!(ask(&mut server, &request, 1), Some((ack, at(2), Ipv4Addr::BROADCAST)));
    // It renews by its address.
    let renewal = DhcpRepr { client_ip: at(2), ..message(DhcpMessageType::Request, 1) };
    assert_eq!(ask(&mut server, &renewal, 1800), Some((ack, at(2), at(2))));
    // A client that comes back asks for what it had, and gets it although it was never seen here.
    let again = DhcpRepr { requested_ip: Some(at(7)), ..message(DhcpMessageType::Request, 7) };
    assert_eq!(ask(&mut server, &again, 1800), Some((ack, at(7), Ipv4Addr::BROADCAST)));
}

#[test]
fn what_cannot_be_given_is_refused() {
    let mut server = server();
    let ask_for =
        |address, client| DhcpRepr { requested_ip: Some(address), ..message(DhcpMessageType::Request, client) };
    let nak = Some((DhcpMessageType::Nak, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST));
    for address in [at(1), at(200), at(255), Ipv4Addr::new(10, 0, 0, 2)] {
        assert_eq!(ask(&mut server, &ask_for(address, 1), 0), nak, "{address}");
    }
    assert!(ask(&mut server, &ask_for(at(2), 1), 0).is_some_and(|(kind, ..)| kind == DhcpMessageType::Ack));
    assert_eq!(ask(&mut server, &ask_for(at(2), 2), 0), nak, "it is another's");
    let elsewhere = DhcpRepr { server_identifier: Some(at(77)), ..ask_for(at(4), 4) };
    assert_eq!(ask(&mut server, &elsewhere, 0), None, "it chose another server");
    let group = DhcpRepr {
        client_hardware_address: EthernetAddress([1, 0, 0, 0, 0, 1]),
        ..message(DhcpMessageType::Discover, 0)
    };
    assert_eq!(ask(&mut server, &group, 0), None);
}

#[test]
fn addresses_come_back() {
    let mut server = server();
    let discover = |client| message(DhcpMessageType::Discover, client);
    for client in 1..=8 {
        assert!(ask(&mut server, &discover(client), 0).is_some());
    }
    assert_eq!(ask(&mut server, &discover(9), 59), None, "all are offered");
    assert!(ask(&mut server, &discover(9), 60).is_some(), "nobody took them");
    let taken = DhcpRepr { requested_ip: Some(at(2)), ..message(DhcpMessageType::Decline, 9) };
    assert_eq!(ask(&mut server, &taken, 61), None);
    assert_eq!(ask(&mut server, &discover(9), 61).map(|(_, address, _)| address), Some(at(3)));
    assert_eq!(ask(&mut server, &message(DhcpMessageType::Release, 9), 62), None);
    assert_eq!(ask(&mut server, &discover(10), 63).map(|(_, address, _)| address), Some(at(3)));
    assert_eq!(ask(&mut server, &discover(11), 661).map(|(_, address, _)| address), Some(at(2)), "ten minutes later");
}

#[test]
fn a_network_that_is_too_small_is_refused() {
    for text in ["192.168.4.1/30", "192.168.4.250/24", "192.168.4.247/24"] {
        let (mut board, _) = pair();
        assert_eq!(DhcpServer::open(&mut board, text.parse().unwrap()).err(), Some(NetError::Unsupported), "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 0..20)) {
        let mut server = server();
        for (second, bytes) in messages.iter().enumerate() {
            if let Ok(packet) = DhcpPacket::new_checked(&bytes[..]) {
                let _ = server.answer(&packet, Instant(second as u64 * 1_000_000));
            }
        }
    }
}
