use super::*;
use crate::budget::{Board, Limits};
use crate::hal::Reach;
use crate::hal::sim::SimNetwork;
use core::net::SocketAddr;
use std::string::String;
use std::vec;

const LIMITS: SocketLimits = SocketLimits { count: 4, datagrams: 3, receive_bytes: 64, send_bytes: 16 };

struct Boat {
    network: SimNetwork,
    table: SocketTable,
    orphans: Orphans,
}

impl Boat {
    fn new() -> Self {
        let orphans = Orphans::default();
        Self { network: SimNetwork::new(), table: SocketTable::new(LIMITS, orphans.clone()), orphans }
    }

    fn sockets(&mut self) -> Plugged<'_> {
        Plugged { table: &mut self.table, network: &mut self.network }
    }

    /// A connection of the plugin to a peer; returns the plugin's number and the peer's socket.
    fn connected(&mut self) -> (u32, Socket) {
        let listener = self.network.listen(at("10.0.0.9:10110")).unwrap();
        let id = self.sockets().tcp_create().unwrap();
        assert!(self.sockets().tcp_connect(id, "10.0.0.9", 10110));
        let (peer, _) = self.network.accept(listener).unwrap();
        self.network.close(listener);
        (id, peer)
    }

    fn line(&mut self, id: u32, max: usize) -> Option<String> {
        self.sockets().tcp_receive_line(id, max).map(|line| String::from_utf8(line).unwrap())
    }
}

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap()
}

#[test]
fn numbers_count_from_one_over_both_kinds_and_are_limited() {
    let mut boat = Boat::new();
    let mut sockets = boat.sockets();
    assert_eq!(
        (sockets.udp_create(false), sockets.tcp_create(), sockets.udp_create(true)),
        (Some(1), Some(2), Some(3))
    );
    sockets.close(2);
    assert_eq!((sockets.tcp_create(), sockets.tcp_create(), sockets.tcp_create()), (Some(4), Some(5), None));
    sockets.close(4);
    assert_eq!(sockets.udp_create(false), Some(6), "numbers are not used twice");
    // A number of the other kind, of nobody, and 0 are all unknown.
    for id in [5, 99, 0, u32::MAX] {
        assert!(!sockets.udp_bind(id, 1000) && !sockets.udp_send(id, "10.0.0.1", 1, vec![1]), "{id}");
        assert_eq!((sockets.udp_pending(id), sockets.udp_receive(id)), (0, None));
    }
    assert_eq!((sockets.tcp_connected(1), sockets.tcp_pending(1)), (None, 0));
    boat.table.release();
    assert_eq!(boat.sockets().tcp_create(), Some(1), "a fresh instance counts afresh");
}

#[test]
fn datagrams_keep_their_sender_and_the_oldest_makes_room() {
    let mut boat = Boat::new();
    let peer = boat.network.bind_udp(at("10.0.0.9:4000")).unwrap();
    let id = boat.sockets().udp_create(false).unwrap();
    assert!(boat.sockets().udp_bind(id, 2000));
    assert!(!boat.sockets().udp_bind(id, 2001), "it is bound");
    for byte in 1..=5 {
        boat.network.send_to(peer, at("10.0.0.1:2000"), &[byte; 3]).unwrap();
    }
    assert_eq!(boat.sockets().udp_pending(id), 3);
    let datagram = boat.sockets().udp_receive(id).unwrap();
    assert_eq!((datagram.data, datagram.from), (vec![3; 3], at("10.0.0.9:4000")));
    for byte in 6..=8 {
        boat.network.send_to(peer, at("10.0.0.1:2000"), &[byte; 30]).unwrap();
    }
    assert_eq!(boat.sockets().udp_pending(id), 2, "64 bytes hold two of 30");
    assert_eq!(boat.sockets().udp_receive(id).unwrap().data, vec![7; 30]);
}

#[test]
fn what_is_set_before_the_bind_counts_after_it() {
    let mut boat = Boat::new();
    let peer = boat.network.bind_udp(at("10.0.0.9:0")).unwrap();
    let mut sockets = boat.sockets();
    let id = sockets.udp_create(false).unwrap();
    assert!(sockets.udp_group(id, "239.2.1.1", "", true));
    assert!(
        sockets.udp_option(id, UdpOption::MulticastTtl(4))
            && sockets.udp_option(id, UdpOption::MulticastLoopback(true))
    );
    assert!(!sockets.udp_group(id, "10.0.0.1", "", true), "no group");
    assert!(!sockets.udp_group(id, "ff02::1", "", true), "the other family");
    assert!(!sockets.udp_group(id, "239.2.1.1", "eth0", true), "interfaces are named by their address");
    assert!(sockets.udp_bind(id, 60_001));
    boat.network.send_to(peer, at("239.2.1.1:60001"), b"group").unwrap();
    assert_eq!(boat.sockets().udp_receive(id).unwrap().data, b"group");
    assert!(boat.sockets().udp_group(id, "239.2.1.1", "", false));
    boat.network.send_to(peer, at("239.2.1.1:60001"), b"left").unwrap();
    assert_eq!(boat.sockets().udp_receive(id), None);
}

#[test]
fn names_are_looked_up_and_broadcast_has_to_be_asked_for() {
    let mut boat = Boat::new();
    boat.network.name("chart.local", "10.0.0.9".parse().unwrap());
    let peer = boat.network.bind_udp(at("10.0.0.9:4000")).unwrap();
    let mut sockets = boat.sockets();
    let id = sockets.udp_create(false).unwrap();
    assert!(sockets.udp_send(id, "chart.local", 4000, b"hello".to_vec()), "an unbound socket is bound");
    assert!(!sockets.udp_send(id, "nobody.local", 4000, b"hello".to_vec()));
    assert!(!sockets.udp_send(id, "255.255.255.255", 4000, b"all".to_vec()));
    assert!(sockets.udp_option(id, UdpOption::Broadcast(true)));
    assert!(sockets.udp_send(id, "255.255.255.255", 4000, b"all".to_vec()));
    assert!(!sockets.udp_send(id, "10.0.0.9", 4000, vec![0; 70_000]), "no datagram has 70,000 bytes");
    let mut buffer = [0; 8];
    assert_eq!(boat.network.receive_from(peer, &mut buffer).unwrap().unwrap().0, 5);
}

#[test]
fn this_machine_is_closed_where_its_operator_does_not_open_it() {
    let mut boat = Boat::new();
    let places = ["127.0.0.1:2947", "10.0.0.2:80", "127.0.0.1:3000"].map(at);
    boat.network.lead_back(places[0], Reach::ThisMachine);
    boat.network.lead_back(places[1], Reach::ThisMachine);
    boat.network.lead_back(places[2], Reach::Gateway);
    let listeners = places.map(|place| boat.network.listen(place).unwrap());
    let listed = ["127.0.0.1:2947", "127.0.0.1:3000"].map(String::from);
    boat.table.open(Destinations::new(None, &listed).0);
    boat.network.name("gps.local", "127.0.0.1".parse().unwrap());
    for (host, port, reached) in [("gps.local", 2947, true), ("10.0.0.2", 80, false), ("127.0.0.1", 3000, false)] {
        let id = boat.sockets().tcp_create().unwrap();
        assert!(boat.sockets().tcp_connect(id, host, port));
        assert_eq!(boat.sockets().tcp_connected(id), reached.then_some(true), "{host}:{port}");
        boat.sockets().close(id);
    }
    let accepted = listeners.map(|listener| boat.network.accept(listener).is_some());
    assert_eq!(accepted, [true, false, false], "a refused connection is not begun");
    let id = boat.sockets().udp_create(false).unwrap();
    assert!(!boat.sockets().udp_send(id, "10.0.0.2", 80, vec![1]));
    let told: Vec<SocketAddr> = core::iter::from_fn(|| boat.table.next_refused()).collect();
    assert_eq!(told, [places[1], places[2]], "each is told once");
}

#[test]
fn a_plugin_has_few_names_looked_up_at_a_time() {
    let mut boat = Boat::new();
    for host in ["a.slow", "b.slow"] {
        boat.network.leave_unanswered(host);
    }
    boat.network.name("fast", "10.0.0.9".parse().unwrap());
    let listener = boat.network.listen(at("10.0.0.9:1")).unwrap();
    let ids = ["a.slow", "b.slow", "fast", "10.0.0.9"].map(|host| {
        let id = boat.sockets().tcp_create().unwrap();
        assert!(boat.sockets().tcp_connect(id, host, 1));
        id
    });
    let Boat { network, table, .. } = &mut boat;
    table.run(network);
    let connected = ids.map(|id| boat.sockets().tcp_connected(id));
    assert_eq!(connected, [Some(false), Some(false), Some(false), Some(true)], "an address needs no look-up");
    assert!(boat.network.accept(listener).is_some());
    boat.sockets().close(ids[0]);
    let Boat { network, table, .. } = &mut boat;
    table.run(network);
    assert_eq!(boat.sockets().tcp_connected(ids[2]), Some(true), "its turn has come");
}

#[test]
fn lines_come_without_their_ends_and_empty_ones_are_dropped() {
    let mut boat = Boat::new();
    let (id, peer) = boat.connected();
    assert_eq!(boat.sockets().tcp_connected(id), Some(true));
    boat.network.send(peer, b"$GP").unwrap();
    assert_eq!((boat.sockets().tcp_pending(id), boat.line(id, 64)), (0, None));
    boat.network.send(peer, "A,µ\r\n\r\n\nsecond line\nthi".as_bytes()).unwrap();
    assert_eq!(boat.sockets().tcp_pending(id), 2);
    assert_eq!(boat.line(id, 64).as_deref(), Some("$GPA,µ"));
    assert_eq!(boat.line(id, 6).as_deref(), Some("second"), "the rest of a line that is cut is gone");
    assert_eq!(boat.line(id, 64), None);
    assert_eq!(boat.sockets().tcp_receive_raw(id, 64), None, "raw bytes are for raw mode");
    boat.network.close(peer);
    assert_eq!(boat.sockets().tcp_connected(id), Some(true), "there is something to read");
    assert_eq!((boat.sockets().tcp_pending(id), boat.line(id, 64).as_deref()), (1, Some("thi")));
    assert_eq!(boat.sockets().tcp_connected(id), None, "over and read to its end");
    assert_eq!(boat.sockets().tcp_pending(id), 0);
}

#[test]
fn raw_bytes_are_kept_until_they_are_read_and_the_peer_waits() {
    let mut boat = Boat::new();
    let (id, peer) = boat.connected();
    assert!(boat.sockets().tcp_set_lines(id, false));
    boat.network.send(peer, &[7; 200]).unwrap();
    boat.network.send(peer, b"end").unwrap();
    boat.network.close(peer);
    let mut all = Vec::new();
    while let Some(part) = boat.sockets().tcp_receive_raw(id, 10) {
        assert!(part.len() <= 10 && boat.table.tcp(id).unwrap().0.pending(&LIMITS) <= 64);
        all.extend(part);
    }
    assert_eq!((all.len(), &all[200..]), (203, b"end".as_slice()), "nothing is lost for want of room");
    assert_eq!(boat.line(id, 10), None);
}

#[test]
fn a_line_that_never_ends_is_cut_and_the_next_is_whole() {
    let mut boat = Boat::new();
    let (id, peer) = boat.connected();
    boat.network.send(peer, &[b'x'; 150]).unwrap();
    boat.network.send(peer, b"\nnext\n").unwrap();
    assert_eq!(boat.line(id, 1000).map(|line| line.len()), Some(64));
    let later: Vec<String> = (0..4).filter_map(|_| boat.line(id, 1000)).collect();
    assert_eq!(later, ["next"], "the rest of it passes by, a bufferful at each look");
}

#[test]
fn sending_waits_for_the_connection_and_has_an_end() {
    let mut boat = Boat::new();
    let id = boat.sockets().tcp_create().unwrap();
    assert_eq!(boat.sockets().tcp_connected(id), Some(false));
    assert!(boat.sockets().tcp_send(id, b"early"));
    assert!(!boat.sockets().tcp_send(id, &[0; 12]), "16 bytes wait at most, all or none");
    let listener = boat.network.listen(at("10.0.0.9:10110")).unwrap();
    assert!(boat.sockets().tcp_connect(id, "10.0.0.9", 10110));
    assert!(!boat.sockets().tcp_connect(id, "10.0.0.9", 10110), "once");
    let (peer, _) = boat.network.accept(listener).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(boat.network.receive(peer, &mut buffer), Ok(crate::hal::Received::Bytes(5)));
    boat.network.reset(peer);
    assert_eq!(boat.sockets().tcp_connected(id), None);
    assert!(!boat.sockets().tcp_send(id, b"late"));

    let refused = boat.sockets().tcp_create().unwrap();
    assert!(boat.sockets().tcp_connect(refused, "10.0.0.9", 1));
    assert_eq!(boat.sockets().tcp_connected(refused), None);
    let unknown = boat.sockets().tcp_create().unwrap();
    assert!(boat.sockets().tcp_connect(unknown, "nobody.local", 1));
    assert_eq!(boat.sockets().tcp_connected(unknown), None);
}

#[test]
fn whatever_way_a_plugin_goes_its_sockets_are_closed() {
    let mut boat = Boat::new();
    let (_, peer) = boat.connected();
    let id = boat.sockets().udp_create(false).unwrap();
    assert!(boat.sockets().udp_bind(id, 2000));
    boat.table = SocketTable::new(SocketLimits::of(&Limits::of(Board::Linux).plugin), Orphans::default());
    let mut plain = crate::fetch::plain::PlainHttp::default();
    let mut net = super::super::Net { network: Some(&mut boat.network), fetch: None, plain: &mut plain, serial: None };
    boat.orphans.close(&mut net, crate::time::Instant::default());
    assert_eq!(boat.network.receive(peer, &mut [0; 4]), Ok(crate::hal::Received::Closed));
    assert!(boat.network.bind_udp(at("10.0.0.1:2000")).is_ok(), "the port is free");
}
