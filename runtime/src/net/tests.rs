use super::*;
use crate::budget::{Board, NetLimits};
use crate::hal::sim::contract;
use crate::hal::{NetError, Network, Received, Socket};
use crate::time::Instant;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Poll;
use core::time::Duration;
use smoltcp::phy::{Device, FaultInjector, Loopback, Medium};
use std::vec::Vec;

const HOST: StaticAddress = StaticAddress { address: Ipv4Addr::LOCALHOST, prefix: 8, gateway: None, name_server: None };

fn setup(limits: NetLimits) -> NetSetup {
    NetSetup { limits, hardware_address: [2, 0, 0, 0, 0, 1], addressing: Addressing::Static(HOST), seed: 7 }
}

fn small() -> NetLimits {
    NetLimits::of(Board::QemuRiscv32)
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A stack and its clock.
struct Bench<D: Device> {
    net: SmolNet<D>,
    now: Instant,
}

impl<D: Device> Bench<D> {
    fn on(device: D, limits: NetLimits) -> Self {
        Self { net: SmolNet::new(device, &setup(limits), Instant(0)), now: Instant(0) }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.now = self.now + Duration::from_millis(1);
            self.net.poll(self.now);
        }
    }

    fn pair(&mut self, listener: Socket) -> (Socket, Socket) {
        let to = self.net.local_address(listener).unwrap();
        let client = self.net.connect(to).unwrap();
        for _ in 0..5000 {
            self.run(1);
            if let Some((served, _)) = self.net.accept(listener) {
                return (client, served);
            }
        }
        panic!("no connection");
    }

    /// Sends everything one way and returns what arrived.
    fn carry(&mut self, from: Socket, to: Socket, data: &[u8]) -> Vec<u8> {
        let (mut sent, mut arrived) = (0, Vec::new());
        let mut buffer = [0; 500];
        for _ in 0..60_000 {
            sent += self.net.send(from, &data[sent..]).unwrap();
            self.run(1);
            if let Received::Bytes(count) = self.net.receive(to, &mut buffer).unwrap() {
                arrived.extend_from_slice(&buffer[..count]);
            }
            if arrived.len() >= data.len() {
                return arrived;
            }
        }
        panic!("{} of {} bytes arrived", arrived.len(), data.len());
    }
}

fn loopback(limits: NetLimits) -> Bench<Loopback> {
    Bench::on(Loopback::new(Medium::Ethernet), limits)
}

#[test]
fn keeps_the_network_contract() {
    for limits in [small(), NetLimits::of(Board::Linux)] {
        let mut bench = loopback(limits);
        let mut now = Instant(0);
        let mut wait = |network: &mut dyn Network| {
            now = now + Duration::from_millis(1);
            network.poll(now);
        };
        contract::network(&mut bench.net, &mut wait).unwrap();
    }
}

#[test]
fn a_bad_line_loses_nothing() {
    let mut device = FaultInjector::new(Loopback::new(Medium::Ethernet), 9);
    device.set_drop_chance(10);
    let mut bench = Bench::on(device, small());
    let listener = bench.net.listen(address(80)).unwrap();
    let (client, served) = bench.pair(listener);
    let data: Vec<u8> = (0..30_000_u32).map(|index| (index % 251) as u8).collect();
    assert_eq!(bench.carry(client, served, &data), data);
    assert_eq!(bench.carry(served, client, &data[..5000]), data[..5000]);
}

#[test]
fn a_send_buffer_takes_no_more_than_it_has() {
    let mut bench = loopback(small());
    let listener = bench.net.listen(address(80)).unwrap();
    let (client, _) = bench.pair(listener);
    let mut taken = 0;
    for _ in 0..100 {
        taken += bench.net.send(client, &[1; 1000]).unwrap();
        bench.run(1);
    }
    // The peer reads nothing: its receive buffer and our send buffer are what fits.
    assert_eq!(taken, usize::from(small().tcp_receive_bytes) + usize::from(small().tcp_send_bytes));
}

#[test]
fn sockets_are_counted_and_come_back() {
    let limits = NetLimits { tcp_sockets_max: 4, backlog: 2, ..small() };
    let mut bench = loopback(limits);
    let listener = bench.net.listen(address(80)).unwrap();
    for round in 0..200 {
        let (client, served) = bench.pair(listener);
        assert!(bench.net.connect(address(80)).is_err(), "all four are in use in round {round}");
        assert_eq!(bench.carry(client, served, b"x"), b"x");
        bench.net.close(served);
        bench.net.close(client);
        bench.run(50);
    }
    assert!(bench.net.closing.len() <= 2, "{} sockets linger", bench.net.closing.len());
}

#[test]
fn a_client_that_is_still_sending_reads_the_answer_and_the_end() {
    let mut bench = loopback(small());
    let listener = bench.net.listen(address(80)).unwrap();
    let (client, served) = bench.pair(listener);
    let (giant, mut sent) = ([b'x'; 20_000], 0);
    sent += bench.net.send(client, &giant).unwrap();
    bench.run(5);
    assert_eq!(bench.net.send(served, b"too large"), Ok(9));
    bench.net.close(served);
    for _ in 0..1000 {
        sent += bench.net.send(client, &giant[sent..]).unwrap();
        bench.run(1);
    }
    assert_eq!(sent, giant.len(), "the client is not stuck at a full window");
    let mut buffer = [0; 64];
    assert_eq!(bench.net.receive(client, &mut buffer), Ok(Received::Bytes(9)));
    assert_eq!(bench.net.receive(client, &mut buffer), Ok(Received::Closed));
}

#[test]
fn a_closing_connection_that_owes_data_makes_room_last() {
    let limits = NetLimits { tcp_sockets_max: 5, connects_max: 3, backlog: 1, ..small() };
    let mut bench = loopback(limits);
    let listener = bench.net.listen(address(80)).unwrap();
    let (reader, owing) = bench.pair(listener);
    let (_idle, done) = bench.pair(listener);
    // More than the reader takes without reading, so that something is still here when the other one is finished.
    let mut answer = 0;
    for _ in 0..100 {
        answer += bench.net.send(owing, &[1; 1000]).unwrap();
        bench.run(1);
    }
    bench.net.close(owing);
    bench.net.close(done);
    bench.run(5);
    assert_eq!(bench.net.closing.len(), 2);
    // Of five sockets two are clients, two closing, one listens.
    bench.net.connect(address(80)).unwrap();
    assert_eq!(bench.net.closing.len(), 1, "one made room");
    let (mut buffer, mut arrived) = ([0; 500], 0);
    for _ in 0..1000 {
        bench.run(1);
        if let Ok(Received::Bytes(count)) = bench.net.receive(reader, &mut buffer) {
            arrived += count;
        }
    }
    assert_eq!(arrived, answer, "what was owed arrived");
}

#[test]
fn a_burst_of_clients_finds_more_sockets_than_those_that_wait() {
    let limits = NetLimits { connects_max: 5, tcp_sockets_max: 12, backlog: 1, packets_per_poll: 64, ..small() };
    let mut bench = loopback(limits);
    let listener = bench.net.listen(address(80)).unwrap();
    // All of them knock before anybody looks.
    let clients: Vec<_> = (0..3).map(|_| bench.net.connect(address(80)).unwrap()).collect();
    bench.run(20);
    for client in clients {
        assert_eq!(bench.net.is_connected(client), Ok(true));
    }
    let served: Vec<_> = core::iter::from_fn(|| bench.net.accept(listener)).collect();
    assert_eq!(served.len(), 3);
    assert_eq!(bench.net.tcp_count(), 3 + 3 + 1, "one waits again");
    let flood = (0..2).map(|_| bench.net.connect(address(80)).unwrap()).last().unwrap();
    bench.run(20);
    assert_eq!(bench.net.is_connected(flood), Err(NetError::Unreachable), "sockets for plugins stay free");
}

#[test]
fn outgoing_connections_leave_sockets_for_the_server() {
    let mut bench = loopback(small());
    let listener = bench.net.listen(address(80)).unwrap();
    let pairs: Vec<_> = (0..small().connects_max).map(|_| bench.pair(listener)).collect();
    assert_eq!(bench.net.connect(address(80)), Err(NetError::TooMany));
    bench.net.close(pairs[0].0);
    assert!(bench.net.connect(address(80)).is_ok());
}

#[test]
fn udp_sockets_are_counted() {
    let mut bench = loopback(small());
    let one = bench.net.bind_udp(address(2000)).unwrap();
    for _ in 1..small().udp_sockets_max {
        bench.net.bind_udp(address(0)).unwrap();
    }
    assert_eq!(bench.net.bind_udp(address(0)), Err(NetError::TooMany));
    bench.net.close(one);
    assert!(bench.net.bind_udp(address(2000)).is_ok());
}

#[test]
fn a_flood_of_datagrams_is_dropped_not_kept() {
    let mut bench = loopback(small());
    let from = bench.net.bind_udp(address(0)).unwrap();
    let to = bench.net.bind_udp(address(2000)).unwrap();
    for _ in 0..50 {
        let sent = bench.net.send_to(from, address(2000), &[7; 100]);
        assert!(matches!(sent, Ok(()) | Err(NetError::Pending)), "{sent:?}");
        bench.run(1);
    }
    let mut buffer = [0; 200];
    let mut count = 0;
    while bench.net.receive_from(to, &mut buffer).unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, small().udp_datagrams_max);
}

#[test]
fn a_silent_peer_is_given_up() {
    let mut device = FaultInjector::new(Loopback::new(Medium::Ethernet), 1);
    device.set_drop_chance(0);
    let mut bench = Bench::on(device, small());
    let listener = bench.net.listen(address(80)).unwrap();
    let (client, served) = bench.pair(listener);
    bench.net.device_mut().set_drop_chance(100);
    bench.net.send(client, b"anybody there?").unwrap();
    bench.run(40_000);
    assert_eq!(bench.net.receive(client, &mut [0; 4]), Err(NetError::Reset));
    assert_eq!(bench.net.receive(served, &mut [0; 4]), Err(NetError::Reset));
    assert_eq!(bench.net.receive(client, &mut [0; 4]), Err(NetError::Closed));
}

#[test]
fn one_poll_takes_a_bounded_number_of_packets() {
    let limits = NetLimits { packets_per_poll: 1, ..small() };
    let mut bench = loopback(limits);
    let from = bench.net.bind_udp(address(0)).unwrap();
    bench.net.bind_udp(address(2000)).unwrap();
    bench.net.send_to(from, address(2000), &[7; 100]).unwrap();
    let mut busy = 0;
    for _ in 0..20 {
        bench.now = bench.now + Duration::from_millis(1);
        busy += u32::from(bench.net.poll(bench.now) == Some(bench.now));
    }
    assert!(busy > 0, "a poll that stopped early wants to run again at once");
}

#[test]
fn without_an_address_nothing_is_reachable() {
    let device = Loopback::new(Medium::Ethernet);
    let setup = NetSetup { addressing: Addressing::Dhcp, ..setup(small()) };
    let mut net = SmolNet::new(device, &setup, Instant(0));
    net.poll(Instant(1000));
    assert_eq!(net.lease(), None);
    assert_eq!(net.connect(SocketAddr::from(([10, 0, 0, 1], 80))), Err(NetError::Unreachable));
    let socket = net.bind_udp(SocketAddr::from(([0, 0, 0, 0], 0))).unwrap();
    assert_eq!(net.send_to(socket, SocketAddr::from(([10, 0, 0, 1], 53)), b"x"), Err(NetError::Unreachable));
}

#[test]
fn ipv6_is_not_spoken() {
    let mut bench = loopback(small());
    let six: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(bench.net.listen(six), Err(NetError::Unsupported));
    assert_eq!(bench.net.connect(six), Err(NetError::Unsupported));
    assert_eq!(bench.net.bind_udp(six), Err(NetError::Unsupported));
}

#[test]
fn names_are_asked_and_given_up() {
    let mut bench = loopback(small());
    assert_eq!(bench.net.resolve("10.1.2.3"), Poll::Ready(Ok("10.1.2.3".parse().unwrap())));
    assert_eq!(bench.net.resolve("boat.local"), Poll::Ready(Err(NetError::UnknownHost)));
    assert_eq!(bench.net.resolve("two..dots"), Poll::Ready(Err(NetError::UnknownHost)));
    assert_eq!(bench.net.resolve(&"x".repeat(300)), Poll::Ready(Err(NetError::UnknownHost)));
    assert_eq!(bench.net.resolve("example.com"), Poll::Pending);
    // There is no name server: the first question fails and makes room for the second.
    bench.run(20_000);
    assert_eq!(bench.net.resolve("other.example.com"), Poll::Pending);
    bench.run(20_000);
    assert_eq!(bench.net.resolve("other.example.com"), Poll::Ready(Err(NetError::UnknownHost)));
}

#[test]
fn multicast_groups_are_left_with_their_socket() {
    let mut bench = loopback(small());
    for _ in 0..10 {
        let socket = bench.net.bind_udp(SocketAddr::from(([0, 0, 0, 0], 60_001))).unwrap();
        for last in 1..=3 {
            bench.net.join(socket, IpAddr::from([239, 2, 1, last])).unwrap();
            bench.net.join(socket, IpAddr::from([239, 2, 1, last])).unwrap();
        }
        bench.run(2);
        bench.net.close(socket);
        bench.run(2);
    }
}
