//! Whatever datagrams come, a responder answers in messages that can be read and that fit, keeps its name from those who ask
//! only, and answers a good question afterwards.

#![no_main]

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use skiff_runtime::discovery::service::Offer;
use skiff_runtime::discovery::wire::{CLASS_IN, Entry, Message, Writer, kind};
use skiff_runtime::discovery::{Announced, AnyName, PORT, Responder};
use skiff_runtime::hal::Network;
use skiff_runtime::hal::sim::SimNetwork;
use skiff_runtime::time::Instant;

const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

fn read(message: &[u8]) -> usize {
    let entries = Message::read(message).into_iter().flat_map(Message::entries);
    let labels = |entry: Entry<'_>| match entry {
        Entry::Question(question) => question.name.labels().count(),
        Entry::Record(_, record) => {
            record.name.labels().count() + record.name_inside(0).map_or(0, |n| n.labels().count())
        }
    };
    entries.map(labels).inspect(|count| assert!(*count < 256)).count()
}

fuzz_target!(|datagrams: Vec<&[u8]>| {
    let mut network = SimNetwork::new();
    network.give_address(Some((OWN, 24)));
    let announced = Announced {
        host: "skiff".into(),
        name: "Boat".into(),
        port: 80,
        kinds: Offer::Plain.kinds(),
        texts: vec![("txtvers", "1".into())],
    };
    let mut responder = Responder::open(&mut network, announced, 1).expect("the port is free");
    let mut names = AnyName::open(&mut network).expect("the port is free");
    let asker = network.bind_udp(SocketAddr::from(([10, 0, 0, 9], 40_000))).expect("the port is free");
    let mut now = Instant(0);
    for _ in 0..200 {
        now = now + Duration::from_millis(50);
        responder.poll(&mut network, now);
    }
    let mut good = Vec::new();
    Writer::begin(&mut good, 512, 7, 0).entry(0, |writer| {
        writer.name(["skiff", "local"].into_iter());
        writer.words(&[kind::A, CLASS_IN]);
    });
    let mut buffer = [0; 1500];
    for datagram in datagrams.into_iter().filter(|datagram| datagram.len() <= 1472).chain([&*good]) {
        read(datagram);
        for port in [PORT, 53] {
            network.send_to(asker, SocketAddr::from((OWN, port)), datagram).expect("sent");
        }
        now = now + Duration::from_millis(50);
        responder.poll(&mut network, now);
        names.poll(&mut network);
        let mut last = None;
        while let Ok(Some((bytes, from))) = network.receive_from(asker, &mut buffer) {
            assert!(bytes <= 1472 && (from.port() == PORT || bytes <= 512));
            last = Some((from.port(), read(&buffer[..bytes])));
        }
        if datagram == &*good {
            assert!(last.is_some_and(|(_, entries)| entries >= 2), "a good question is answered");
        }
    }
    assert_eq!(responder.name(), Some("skiff"));
});
