use super::any_name::answer;
use super::own::RECORDS_MAX;
use super::service::Offer;
use super::wire::{CLASS_IN, Entry, Message, TOP_BIT, Writer, flags, kind};
use super::*;
use crate::hal::{NetError, Network, Received, Socket};
use crate::time::Instant;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Poll;
use core::time::Duration;
use std::borrow::ToOwned;
use std::collections::VecDeque;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
const OTHER: &str = "10.0.0.9:5353";

/// One link on which everything that is sent is kept, and what a test says arrives.
#[derive(Default)]
struct Link {
    address: Option<Ipv4Addr>,
    arriving: VecDeque<(Vec<u8>, SocketAddr)>,
    sent: Vec<(SocketAddr, Vec<u8>)>,
    joined: Vec<IpAddr>,
    closed: bool,
}

impl Network for Link {
    fn poll(&mut self, _: Instant) -> Option<Instant> {
        None
    }
    fn listen(&mut self, _: SocketAddr) -> Result<Socket, NetError> {
        Err(NetError::Unsupported)
    }
    fn local_address(&self, _: Socket) -> Result<SocketAddr, NetError> {
        Err(NetError::Closed)
    }
    fn accept(&mut self, _: Socket) -> Option<(Socket, SocketAddr)> {
        None
    }
    fn connect(&mut self, _: SocketAddr) -> Result<Socket, NetError> {
        Err(NetError::Unsupported)
    }
    fn is_connected(&mut self, _: Socket) -> Result<bool, NetError> {
        Err(NetError::Closed)
    }
    fn receive(&mut self, _: Socket, _: &mut [u8]) -> Result<Received, NetError> {
        Err(NetError::Closed)
    }
    fn send(&mut self, _: Socket, _: &[u8]) -> Result<usize, NetError> {
        Err(NetError::Closed)
    }
    fn close(&mut self, _: Socket) {
        self.closed = true;
    }
    fn bind_udp(&mut self, address: SocketAddr) -> Result<Socket, NetError> {
        assert!([53, PORT].contains(&address.port()));
        Ok(Socket(1))
    }
    fn join(&mut self, _: Socket, group: IpAddr) -> Result<(), NetError> {
        self.joined.push(group);
        Ok(())
    }
    fn receive_from(&mut self, _: Socket, buffer: &mut [u8]) -> Result<Option<(usize, SocketAddr)>, NetError> {
        let Some((data, from)) = self.arriving.pop_front() else { return Ok(None) };
        buffer[..data.len()].copy_from_slice(&data);
        Ok(Some((data.len(), from)))
    }
    fn send_to(&mut self, _: Socket, to: SocketAddr, data: &[u8]) -> Result<(), NetError> {
        self.sent.push((to, data.to_vec()));
        Ok(())
    }
    fn own_network(&self) -> Option<(Ipv4Addr, u8)> {
        self.address.map(|address| (address, 24))
    }
    fn resolve(&mut self, _: &str) -> Poll<Result<IpAddr, NetError>> {
        Poll::Ready(Err(NetError::UnknownHost))
    }
}

fn announced() -> Announced {
    Announced {
        host: "skiff-ab12".into(),
        name: "Möwe".into(),
        port: 80,
        kinds: Offer::Plain.kinds(),
        texts: [("txtvers", "1".to_owned()), ("swname", "signalk-server".to_owned())].into(),
    }
}

/// A responder on a link, and the time.
struct Bench {
    link: Link,
    responder: Responder,
    now: Instant,
}

impl Bench {
    fn silent() -> Self {
        let mut link = Link::default();
        let responder = Responder::open(&mut link, announced(), 7).unwrap();
        assert_eq!(link.joined, [IpAddr::from([224, 0, 0, 251])]);
        Self { link, responder, now: Instant(0) }
    }

    /// It has an address, and nobody objected.
    fn known() -> Self {
        let mut bench = Self::silent();
        bench.link.address = Some(OWN);
        bench.run(10_000);
        bench.link.sent.clear();
        bench
    }

    /// Lets time pass, as the responder asks for it.
    fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        loop {
            let wake = self.responder.poll(&mut self.link, self.now);
            if !self.link.arriving.is_empty() {
                continue;
            }
            match wake.filter(|wake| *wake < end) {
                Some(wake) => self.now = wake.max(self.now),
                None => break,
            }
        }
        self.now = end;
        self.responder.poll(&mut self.link, self.now);
    }

    fn hear(&mut self, from: &str, message: Vec<u8>) {
        self.link.arriving.push_back((message, from.parse().unwrap()));
    }

    /// What was sent since the last look, in lines.
    fn said(&mut self) -> Vec<String> {
        self.link.sent.drain(..).flat_map(|(to, message)| lines(&to, &message)).collect()
    }
}

fn text(name: wire::Name<'_>) -> String {
    name.labels().map(|label| String::from_utf8(label.to_vec()).unwrap()).collect::<Vec<_>>().join(".")
}

fn lines(to: &SocketAddr, message: &[u8]) -> Vec<String> {
    let message = Message::read(message).unwrap();
    let to = if to.ip().is_multicast() { "all".to_owned() } else { to.to_string() };
    let line = |entry: Entry<'_>| match entry {
        Entry::Question(question) => {
            let top = if question.class & TOP_BIT == 0 { "" } else { " unicast" };
            format!("{to}: {} {}?{top}", text(question.name), question.kind)
        }
        Entry::Record(section, record) => {
            let flush = if record.class & TOP_BIT == 0 { "" } else { " flush" };
            let data = match record.kind {
                kind::A => Ipv4Addr::from(<[u8; 4]>::try_from(record.data).unwrap()).to_string(),
                kind::PTR => text(record.name_inside(0).unwrap()),
                kind::SRV => format!("{:?} {}", &record.data[..6], text(record.name_inside(6).unwrap())),
                kind::NSEC => "no other".to_owned(),
                _ => String::from_utf8_lossy(record.data).into_owned(),
            };
            format!("{to}: {section:?} {} {} {}{flush} {data}", text(record.name), record.kind, record.ttl)
        }
    };
    message.entries().map(line).collect()
}

fn query(questions: &[(&str, u16, bool)], set: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::begin(&mut out, 1472, 0, set);
    for (name, kind, is_unicast) in questions {
        writer.entry(0, |writer| {
            writer.name(name.split('/'));
            writer.words(&[*kind, CLASS_IN | if *is_unicast { TOP_BIT } else { 0 }]);
        });
    }
    out
}

/// A message with records of one section: name, type, seconds, data.
fn records(set: u16, section: usize, records: &[(&str, u16, u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::begin(&mut out, 1472, 0, set);
    for (name, kind, ttl, data) in records {
        writer.entry(section, |writer| {
            writer.record(name.split('/'), (*kind, CLASS_IN, *ttl), |writer| writer.bytes(data));
        });
    }
    out
}

const HTTP: &str = "_http/_tcp/local";
const HOST: &str = "skiff-ab12/local";

#[test]
fn a_name_is_probed_three_times_and_then_announced_twice() {
    let mut bench = Bench::silent();
    bench.run(5000);
    assert!(bench.said().is_empty() && bench.responder.name().is_none(), "without an address there is nothing to say");
    bench.link.address = Some(OWN);
    // The third probe has gone by then, and a name is ours 250 ms after it.
    bench.run(749);
    let said = bench.said();
    let asked = |said: &[String]| said.iter().filter(|line| *line == "all: skiff-ab12.local 255? unicast").count();
    assert_eq!(asked(&said), 3);
    assert!(said.contains(&"all: Authority skiff-ab12.local 1 120 10.0.0.5".to_owned()), "{said:#?}");
    assert!(
        said.contains(&"all: Authority Möwe._http._tcp.local 33 120 [0, 0, 0, 0, 0, 80] skiff-ab12.local".to_owned())
    );
    bench.run(9000);
    let said = bench.said();
    assert_eq!((asked(&said), bench.responder.name()), (0, Some("skiff-ab12")));
    for record in [
        "skiff-ab12.local 1 120 flush 10.0.0.5",
        "_signalk-ws._tcp.local 12 4500 Möwe._signalk-ws._tcp.local",
        "Möwe._http._tcp.local 33 120 flush [0, 0, 0, 0, 0, 80] skiff-ab12.local",
        "Möwe._http._tcp.local 16 4500 flush \ttxtvers=1\x15swname=signalk-server",
        "_services._dns-sd._udp.local 12 4500 _http._tcp.local",
    ] {
        let line = format!("all: Answer {record}");
        assert_eq!(said.iter().filter(|said| **said == line).count(), 2, "{line}: {said:#?}");
    }
    bench.run(100_000);
    assert!(bench.said().is_empty(), "nobody asked");
}

#[test]
fn what_is_ours_alone_is_told_at_once_and_what_others_may_have_later() {
    let mut bench = Bench::known();
    bench.hear(OTHER, query(&[(HOST, kind::A, false)], 0));
    bench.run(0);
    assert_eq!(
        bench.said(),
        ["all: Answer skiff-ab12.local 1 120 flush 10.0.0.5", "all: Additional skiff-ab12.local 47 120 flush no other"]
    );
    bench.run(2000);
    bench.hear(OTHER, query(&[("_HTTP/_tcp/LOCAL", kind::PTR, false)], 0));
    bench.run(19);
    assert!(bench.said().is_empty());
    bench.run(102);
    let said = bench.said();
    assert_eq!(said[0], "all: Answer _http._tcp.local 12 4500 Möwe._http._tcp.local");
    assert_eq!(said.iter().filter(|line| line.starts_with("all: Additional")).count(), 4, "{said:#?}");
}

#[test]
fn who_asks_for_a_type_that_is_not_there_is_told_so() {
    let mut bench = Bench::known();
    bench.hear(OTHER, query(&[(HOST, 28, false), ("Möwe/_http/_tcp/local", kind::A, false)], 0));
    bench.run(0);
    assert_eq!(
        bench.said(),
        [
            "all: Answer skiff-ab12.local 47 120 flush no other",
            "all: Answer Möwe._http._tcp.local 47 120 flush no other"
        ]
    );
    for (name, kind) in [("other/local", kind::A), ("_ipp/_tcp/local", kind::PTR), ("_tcp/local", kind::PTR)] {
        bench.hear(OTHER, query(&[(name, kind, false)], 0));
    }
    bench.run(1000);
    assert!(bench.said().is_empty(), "that is for others to say");
}

#[test]
fn what_an_asker_knows_is_not_said() {
    let known: &[u8] = b"\x05M\xc3\xb6we\x05_http\x04_tcp\x05local\0";
    let asked = |ttl: u32, set: u16| {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, 1472, 0, set);
        writer.entry(0, |writer| {
            writer.name(HTTP.split('/'));
            writer.words(&[kind::PTR, CLASS_IN]);
        });
        writer.entry(1, |writer| {
            writer.record(HTTP.split('/'), (kind::PTR, CLASS_IN, ttl), |writer| writer.bytes(known));
        });
        out
    };
    let mut bench = Bench::known();
    bench.hear(OTHER, asked(2250, 0));
    bench.run(500);
    assert!(bench.said().is_empty());
    bench.hear(OTHER, asked(2249, 0));
    bench.run(500);
    assert!(!bench.said().is_empty(), "it would not last");
    // More of what is known follows the question.
    bench.run(2000);
    bench.hear(OTHER, query(&[(HTTP, kind::PTR, false)], flags::TRUNCATED));
    bench.run(300);
    bench.hear(OTHER, records(0, 1, &[(HTTP, kind::PTR, 4500, known)]));
    bench.run(1000);
    assert!(bench.said().is_empty());
    bench.hear(OTHER, query(&[(HTTP, kind::PTR, false)], flags::TRUNCATED));
    bench.run(399);
    assert!(bench.said().is_empty());
    bench.run(101);
    assert!(!bench.said().is_empty());
}

#[test]
fn who_wants_it_alone_gets_it_alone_while_the_others_know_it() {
    let mut bench = Bench::known();
    bench.hear(OTHER, query(&[(HOST, kind::A, true)], 0));
    bench.run(0);
    assert_eq!(bench.said()[0], format!("{OTHER}: Answer skiff-ab12.local 1 120 flush 10.0.0.5"));
    bench.run(40_000);
    bench.hear(OTHER, query(&[(HOST, kind::A, true)], 0));
    bench.run(0);
    assert_eq!(bench.said()[0], "all: Answer skiff-ab12.local 1 120 flush 10.0.0.5", "all had forgotten half of it");
}

#[test]
fn a_plain_resolver_is_answered_as_by_any_name_server() {
    let mut bench = Bench::known();
    let mut asked = query(&[(HOST, kind::A, false)], flags::RECURSION_DESIRED);
    asked[..2].copy_from_slice(&[0x12, 0x34]);
    bench.hear("10.0.0.9:40000", asked);
    bench.run(0);
    let (to, message) = bench.link.sent[0].clone();
    assert_eq!((to.to_string(), &message[..4]), ("10.0.0.9:40000".to_owned(), &[0x12, 0x34, 0x85, 0][..]));
    let said = bench.said();
    assert_eq!(said[0], "10.0.0.9:40000: skiff-ab12.local 1?");
    assert_eq!(said[1], "10.0.0.9:40000: Answer skiff-ab12.local 1 10 10.0.0.5");
}

#[test]
fn nobody_beyond_the_own_network_is_answered() {
    let mut bench = Bench::known();
    for from in ["10.0.1.9:5353", "192.168.0.1:40000"] {
        bench.hear(from, query(&[(HOST, kind::A, false)], 0));
    }
    bench.hear("10.0.1.9:5353", records(flags::RESPONSE, 1, &[(HOST, kind::A, 120, &[10, 0, 0, 9])]));
    bench.hear("10.0.0.9:999", records(flags::RESPONSE, 1, &[(HOST, kind::A, 120, &[10, 0, 0, 9])]));
    bench.run(3000);
    assert!(bench.said().is_empty() && bench.responder.name() == Some("skiff-ab12"));
}

#[test]
fn nothing_is_told_to_all_twice_in_a_second() {
    let mut bench = Bench::known();
    for _ in 0..50 {
        bench.hear(OTHER, query(&[(HOST, kind::A, false)], 0));
        bench.run(19);
    }
    assert_eq!(bench.link.sent.len(), 1);
    // Who is about to take the name hears it all the same.
    let mut probe = query(&[(HOST, kind::ANY, false)], 0);
    probe.extend(&records(0, 2, &[(HOST, kind::A, 120, &[10, 0, 0, 9])])[12..]);
    probe[9] = 1;
    bench.hear(OTHER, probe);
    bench.run(0);
    assert_eq!(bench.link.sent.len(), 2);
}

#[test]
fn many_askers_are_answered_together() {
    let mut bench = Bench::known();
    for last in 1..40 {
        bench.hear(&format!("10.0.0.{last}:5353"), query(&[(HTTP, kind::PTR, false)], flags::TRUNCATED));
    }
    bench.run(1000);
    assert!((1..=2).contains(&bench.link.sent.len()), "{}", bench.link.sent.len());
}

#[test]
fn a_name_that_another_machine_has_is_left_to_it() {
    let mut bench = Bench::silent();
    bench.link.address = Some(OWN);
    bench.run(300);
    // An IPv6 address says that the name is taken just as well.
    bench.hear(OTHER, records(flags::RESPONSE, 1, &[(HOST, 28, 120, &[0; 16])]));
    bench.run(10_000);
    assert_eq!(bench.responder.name(), Some("skiff-ab12-2"));
    let said = bench.said();
    assert!(said.contains(&"all: Answer skiff-ab12-2.local 1 120 flush 10.0.0.5".to_owned()));
    assert!(
        said.contains(&"all: Answer Möwe._http._tcp.local 33 120 flush [0, 0, 0, 0, 0, 80] skiff-ab12-2.local".into())
    );
    assert!(!said.iter().any(|line| line.contains("Answer skiff-ab12.local")), "{said:#?}");
    // The same of a service.
    let mut bench = Bench::silent();
    bench.link.address = Some(OWN);
    bench.run(300);
    let place = b"\0\0\0\0\x0b\xb8\x04boat\x05local\0";
    bench.hear(OTHER, records(flags::RESPONSE, 1, &[("Möwe/_http/_tcp/local", kind::SRV, 120, place)]));
    bench.run(10_000);
    assert_eq!(bench.responder.name(), Some("skiff-ab12"));
    assert!(bench.said().iter().any(|line| line.starts_with("all: Answer Möwe (2)._signalk-ws._tcp.local 33")));
}

#[test]
fn who_is_known_defends_its_name_and_asks_anew_when_another_says_it_is_its_own() {
    let mut bench = Bench::known();
    // Somebody probes for it.
    let mut probe = query(&[(HOST, kind::ANY, true)], 0);
    let claim = records(0, 2, &[(HOST, kind::A, 120, &[10, 0, 0, 9])]);
    probe.extend(&claim[12..]);
    probe[9] = 1;
    bench.hear(OTHER, probe);
    bench.run(0);
    assert!(bench.said()[0].contains("Answer skiff-ab12.local 1 120 flush 10.0.0.5"));
    // It says what we say: a bridge brings our own words back.
    bench.hear(OTHER, records(flags::RESPONSE, 1, &[(HOST, kind::A, 120, &OWN.octets())]));
    bench.run(2000);
    assert!(bench.said().is_empty() && bench.responder.name().is_some());
    bench.hear(OTHER, records(flags::RESPONSE, 1, &[(HOST, kind::A, 120, &[10, 0, 0, 9])]));
    bench.run(0);
    assert_eq!(bench.responder.name(), None);
    bench.run(10_000);
    assert_eq!(bench.responder.name(), Some("skiff-ab12"), "nobody answered the probes");
}

#[test]
fn of_two_that_claim_a_name_at_once_the_later_in_the_alphabet_gets_it() {
    for (theirs, expected) in [([10, 0, 0, 4], 3), ([10, 0, 0, 5], 3), ([10, 0, 0, 6], 2)] {
        let mut bench = Bench::silent();
        bench.link.address = Some(OWN);
        while bench.link.sent.len() < 2 {
            bench.run(1);
        }
        bench.hear(OTHER, records(0, 2, &[(HOST, kind::A, 120, &theirs)]));
        bench.run(800);
        assert_eq!(bench.link.sent.iter().filter(|(_, message)| message[3] == 0 && message[2] == 0).count(), expected);
        // The other one had it for itself, or went away.
        bench.run(5000);
        assert_eq!(bench.responder.name(), Some("skiff-ab12"));
    }
}

#[test]
fn a_machine_that_objects_to_every_name_does_not_make_it_speak_for_ever() {
    let mut bench = Bench::silent();
    bench.link.address = Some(OWN);
    for _ in 0..300 {
        bench.run(200);
        let asked =
            lines(&"1.1.1.1:1".parse().unwrap(), &bench.link.sent.last().map_or(query(&[], 0), |(_, m)| m.clone()));
        if let Some(name) = asked.iter().find_map(|line| line.split_once(": skiff")?.1.split_once(".local 255")) {
            let name = format!("skiff{}/local", name.0);
            bench.hear(OTHER, records(flags::RESPONSE, 1, &[(&name, kind::A, 120, &[10, 0, 0, 9])]));
        }
    }
    assert!(bench.link.sent.len() < 45, "{} in a minute", bench.link.sent.len());
    assert_eq!(bench.responder.name(), None);
}

#[test]
fn another_address_is_told_and_an_end_too() {
    let mut bench = Bench::known();
    bench.link.address = None;
    bench.run(100);
    bench.hear(OTHER, query(&[(HOST, kind::A, false)], 0));
    bench.run(100);
    assert!(bench.said().is_empty() && bench.responder.name().is_none());
    bench.link.address = Some(Ipv4Addr::new(10, 0, 0, 77));
    bench.run(5000);
    assert!(bench.said().contains(&"all: Answer skiff-ab12.local 1 120 flush 10.0.0.77".to_owned()));
    bench.responder.close(&mut bench.link, bench.now);
    let said: Vec<String> = bench.link.sent.drain(..).flat_map(|(to, message)| lines(&to, &message)).collect();
    assert!(said.contains(&"all: Answer skiff-ab12.local 1 0 flush 10.0.0.77".to_owned()), "{said:#?}");
    assert!(said.iter().all(|line| line.contains(" 0 ")) && bench.link.closed);
}

#[test]
fn long_names_and_texts_are_cut_to_what_a_record_takes() {
    let mut link = Link { address: Some(OWN), ..Link::default() };
    let long = Announced {
        host: "h".repeat(80),
        name: "ö".repeat(60),
        kinds: Offer::Both.kinds(),
        texts: (0..9).map(|_| ("text", "x".repeat(249))).chain([("gone", "x".repeat(250))]).collect(),
        ..announced()
    };
    let mut responder = Responder::open(&mut link, long, 1).unwrap();
    for millis in 0..5000 {
        responder.poll(&mut link, Instant::from_millis(millis));
    }
    assert_eq!(responder.name(), Some(&*"h".repeat(63)));
    let said: Vec<String> = link.sent.iter().flat_map(|(to, message)| lines(to, message)).collect();
    assert!(said.iter().any(|line| line.contains(&format!("Answer {}._http._tcp.local 33", "ö".repeat(31)))));
    assert!(said.iter().all(|line| !line.contains("gone=")));
    assert!(link.sent.iter().all(|(_, message)| message.len() <= 1472));
    const { assert!(RECORDS_MAX <= 32) };
}

#[test]
fn any_bytes_from_anybody_leave_it_answering() {
    let mut bench = Bench::known();
    let mut chance = 1_u32;
    let whole = query(&[(HOST, kind::A, true), (HTTP, kind::PTR, false)], 0);
    for round in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..round % 5 {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (chance >> 8) as usize % bytes.len();
            bytes[at] = (chance >> 24) as u8;
        }
        bytes.truncate(bytes.len() - round % 7);
        bench.hear(if round % 2 == 0 { OTHER } else { "10.0.0.9:40000" }, bytes);
        bench.run(1);
    }
    bench.run(10_000);
    bench.link.sent.clear();
    bench.hear(OTHER, query(&[(HOST, kind::A, false)], 0));
    bench.run(1);
    assert!(bench.said()[0].contains("skiff-ab12.local 1 120"));
}

#[test]
fn on_the_set_up_network_every_name_is_the_gateway() {
    let mut link = Link { address: Some(OWN), ..Link::default() };
    let mut server = AnyName::open(&mut link).unwrap();
    let from: SocketAddr = "10.0.0.9:40000".parse().unwrap();
    for (name, kind) in [("captive/apple/com", kind::A), ("x/y", 28), ("x/y", 65)] {
        let mut asked = query(&[(name, kind, false)], flags::RECURSION_DESIRED);
        asked[..2].copy_from_slice(&[9, 8]);
        link.arriving.push_back((asked, from));
    }
    assert!(server.poll(&mut link) && !server.poll(&mut link));
    assert!(link.sent.iter().all(|(to, message)| *to == from && message[..4] == [9, 8, 0x85, 0]));
    let said: Vec<String> = link.sent.iter().flat_map(|(to, message)| lines(to, message)).collect();
    let from = "10.0.0.9:40000";
    assert_eq!(
        said,
        [
            format!("{from}: captive.apple.com 1?"),
            format!("{from}: Answer captive.apple.com 1 0 10.0.0.5"),
            format!("{from}: x.y 28?"),
            format!("{from}: x.y 65?")
        ]
    );
}

#[test]
fn what_is_no_question_of_the_usual_kind_is_refused_by_the_set_up_name_server() {
    let mut out = Vec::new();
    let mut code = |asked: &[u8]| answer(asked, OWN, &mut out).then(|| out[3] & 15);
    let good = query(&[("a/b", kind::A, false)], 0);
    assert_eq!(code(&good), Some(0));
    assert_eq!(code(&query(&[("a/b", kind::A, false)], 0x2000)), Some(4), "another opcode");
    assert_eq!(code(&query(&[("a", 1, false), ("b", 1, false)], 0)), Some(1), "two questions");
    assert_eq!(code(&query(&[], 0)), Some(1), "none");
    assert_eq!(code(&good[..good.len() - 1]), Some(1), "cut");
    assert_eq!(code(&query(&[("a/b", kind::A, false)], flags::RESPONSE)), None, "an answer");
    assert_eq!(code(&good[..11]), None);
    assert_eq!(code(&[]), None);
}

#[test]
fn a_flood_of_questions_is_answered_some_at_a_time() {
    let mut link = Link { address: Some(OWN), ..Link::default() };
    let mut server = AnyName::open(&mut link).unwrap();
    for _ in 0..20 {
        link.arriving.push_back((query(&[("a/b", kind::A, false)], 0), "10.0.0.9:1".parse().unwrap()));
    }
    assert!(server.poll(&mut link) && link.sent.len() < 20);
    while server.poll(&mut link) {}
    assert_eq!(link.sent.len(), 20);
}
