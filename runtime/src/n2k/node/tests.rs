use super::*;
use crate::n2k::{Payload, Receiver};

const OTHER: SourceAddress = SourceAddress(35);

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn node(unique_number: u32) -> Node {
    let name = Name::new(&NameParts { unique_number, ..NameParts::default() });
    let information = Information {
        model: "Skiff".into(),
        serial: std::format!("{unique_number}"),
        transmits: Vec::from([Pgn(130_306)]),
        ..Information::default()
    };
    Node::new(name, SourceAddress(100), information)
}

fn drain(node: &mut Node) -> Vec<CanFrame> {
    core::iter::from_fn(|| {
        let frame = node.front().copied();
        node.pop();
        frame
    })
    .collect()
}

/// Identifiers and data of everything that waits.
fn texts(node: &mut Node) -> Vec<String> {
    let hex = |data: &[u8]| data.iter().map(|byte| std::format!("{byte:02X}")).collect::<String>();
    drain(node).iter().map(|frame| std::format!("{:08X}#{}", frame.id(), hex(frame.data()))).collect()
}

/// A node with the address 100 at 500 ms, whose heartbeat was taken.
fn claimed() -> Node {
    let mut node = node(42);
    node.start(ms(0));
    node.poll(ms(250));
    node.poll(ms(500));
    drain(&mut node);
    node
}

fn message(pgn: u32, source: SourceAddress, destination: u8, data: &[u8]) -> N2kMessage {
    let id = Id { priority: 6, pgn: Pgn(pgn), source, destination };
    N2kMessage { id, payload: Payload::from_slice(data).unwrap() }
}

fn ask(node: &mut Node, pgn: u32, destination: u8) -> Vec<String> {
    let [low, middle, high, _] = pgn.to_le_bytes();
    node.take(&message(59_904, OTHER, destination, &[low, middle, high]), ms(1000));
    texts(node)
}

#[test]
fn nothing_is_said_before_the_start() {
    let mut node = node(42);
    assert_eq!((node.poll(ms(100_000)), node.claim()), (None, Claim::Off));
    assert_eq!(ask(&mut node, 60_928, 255), [""; 0]);
    assert_eq!(node.send(Pgn(127_250), 2, 255, &[0; 8]), Err(SendError::NoAddress));
    assert_eq!(texts(&mut node), [""; 0]);
}

#[test]
fn the_start_is_request_claim_and_heartbeat() {
    let mut node = node(42);
    node.start(ms(0));
    assert_eq!(texts(&mut node), ["18EAFFFE#00EE00"]);
    assert_eq!(node.poll(ms(10)), Some(ms(250)));
    assert_eq!(node.send(Pgn(127_250), 2, 255, &[0; 8]), Err(SendError::NoAddress));
    node.poll(ms(250));
    assert_eq!(texts(&mut node), ["18EEFF64#2A00C0FF008232C0"]);
    assert_eq!(node.poll(ms(500)), Some(ms(60_500)));
    assert_eq!(texts(&mut node), ["1DF01164#60EA00FFFFFFFFFF"]);
    node.poll(ms(60_500));
    assert_eq!(texts(&mut node), ["1DF01164#60EA01FFFFFFFFFF"]);
}

#[test]
fn requests_are_answered_with_exact_frames() {
    let mut node = claimed();
    assert_eq!(ask(&mut node, 60_928, 255), ["18EEFF64#2A00C0FF008232C0"]);
    assert_eq!(ask(&mut node, 60_928, 100), ["18EEFF64#2A00C0FF008232C0"]);
    let product = ask(&mut node, 126_996, 100);
    assert_eq!((product.len(), &*product[0]), (20, "19F01464#008634080000536B"));
    assert_eq!(ask(&mut node, 126_998, 255), ["19F01664#0006020102010201"]);
    let lists = ask(&mut node, 126_464, 100);
    assert_eq!(lists.first().map(String::as_str), Some("19EE2364#001F0000E80000EA"));
    assert_eq!(lists.iter().filter(|frame| frame.as_bytes()[9] == b'0').count(), 5, "31 bytes: {lists:?}");
    assert_eq!(ask(&mut node, 126_993, 100), ["1DF01164#60EA01FFFFFFFFFF"]);
}

#[test]
fn unknown_requests_get_a_nak_when_they_are_for_this_node_alone() {
    let mut node = claimed();
    assert_eq!(ask(&mut node, 127_250, 100), ["18E82364#01FFFFFFFF12F101"]);
    assert_eq!(ask(&mut node, 127_250, 255), [""; 0]);
    assert_eq!(ask(&mut node, 127_250, 99), [""; 0]);
    assert_eq!(node.counters().refused, 1);
    node.take(&message(59_904, OTHER, 100, &[0, 0xee]), ms(1000));
    assert_eq!(texts(&mut node), [""; 0], "a request that is cut");
}

fn group(node: &mut Node, destination: u8, payload: &[u8]) -> Vec<String> {
    node.take(&message(126_208, OTHER, destination, payload), ms(1000));
    texts(node)
}

#[test]
fn group_functions_are_refused_with_the_right_codes() {
    let mut node = claimed();
    // A command to a PGN that is not known, and to one that is, with two parameters.
    assert_eq!(
        group(&mut node, 100, &[1, 0x0d, 0xf2, 1, 0xf8, 2, 1, 0, 2, 1]),
        ["0DED2364#0007020DF2010102", "0DED2364#0100FFFFFFFFFFFF"]
    );
    let name = group(&mut node, 100, &[1, 0x00, 0xee, 0, 0xf8, 1, 3, 1]);
    assert_eq!(name, ["0DED2364#2007020 0EE000401".replace(' ', ""), "0DED2364#21F0FFFFFFFFFFFF".into()]);
    // A priority that is to change, reading of fields, an interval for what has none, one that is too short.
    assert_eq!(group(&mut node, 100, &[1, 0x14, 0xf0, 1, 0xf3, 0])[0], "0DED2364#40060214F0011400");
    assert_eq!(group(&mut node, 100, &[3, 0x14, 0xf0, 1, 0xff, 0, 1, 4])[0], "0DED2364#60060214F0010600");
    assert_eq!(
        group(&mut node, 100, &[0, 0x14, 0xf0, 1, 0xe8, 3, 0, 0, 0xff, 0xff, 0])[0],
        "0DED2364#80060214F0011000"
    );
    assert_eq!(group(&mut node, 100, &[0, 0x11, 0xf0, 1, 10, 0, 0, 0, 0xff, 0xff, 0])[0], "0DED2364#A0060211F0012000");
    assert_eq!(group(&mut node, 255, &[1, 0x0d, 0xf2, 1, 0xf8, 0]), [""; 0], "to all");
    assert_eq!(group(&mut node, 100, &[2, 0x0d, 0xf2, 1, 0, 0]), [""; 0], "an acknowledgement");
    assert_eq!(node.counters().refused, 6);
}

#[test]
fn a_request_group_function_without_conditions_is_a_request() {
    let mut node = claimed();
    let request = |pgn: [u8; 3]| [&[0], &pgn[..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]].concat();
    assert_eq!(group(&mut node, 100, &request([0x00, 0xee, 0])), ["18EEFF64#2A00C0FF008232C0"]);
    assert_eq!(group(&mut node, 100, &request([0x14, 0xf0, 1])).len(), 20);
}

#[test]
fn the_period_of_the_heartbeat_can_be_asked_for() {
    let mut node = claimed();
    let ask = |millis: [u8; 4]| [&[0, 0x11, 0xf0, 1], &millis[..], &[0xff, 0xff, 0]].concat();
    assert_eq!(group(&mut node, 100, &ask([0xd0, 7, 0, 0])), ["1DF01164#D00701FFFFFFFFFF"]);
    assert_eq!(node.poll(ms(2999)), Some(ms(3000)));
    node.poll(ms(3000));
    assert_eq!(texts(&mut node), ["1DF01164#D00702FFFFFFFFFF"]);
    assert_eq!(group(&mut node, 100, &ask([0xfe, 0xff, 0xff, 0xff])), ["1DF01164#60EA03FFFFFFFFFF"]);
}

#[test]
fn a_commanded_address_is_taken_and_told() {
    let mut node = claimed();
    let name = node.name().payload();
    node.take(&message(65_240, OTHER, 255, &[&name[..], &[30]].concat()), ms(1000));
    assert_eq!(texts(&mut node), ["18EEFF1E#2A00C0FF008232C0"]);
    assert_eq!(node.address(), None);
    node.poll(ms(1250));
    assert_eq!(node.address(), Some(SourceAddress(30)));
    node.take(&message(65_240, OTHER, 255, &[&[0; 8][..], &[31]].concat()), ms(2000));
    assert_eq!(node.claim(), Claim::Claimed(SourceAddress(30)), "meant another device");
}

#[test]
fn what_waits_is_forgotten_with_the_address() {
    let mut node = claimed();
    node.send(Pgn(127_250), 2, 255, &[0; 8]).unwrap();
    let lower = Name(node.name().0 - 1).payload();
    node.take(&message(60_928, SourceAddress(100), 255, &lower), ms(1000));
    assert_eq!(texts(&mut node), ["18EEFF65#2A00C0FF008232C0"]);
    node.poll(ms(1250));
    drain(&mut node);
    node.send(Pgn(127_250), 2, 255, &[0; 8]).unwrap();
    node.stop();
    assert_eq!((texts(&mut node).len(), node.claim()), (0, Claim::Off));
}

/// Nodes on one bus: each frame reaches all others, 1 ms after another.
struct Bus {
    nodes: Vec<(Node, Receiver)>,
    now: u64,
}

impl Bus {
    fn new(nodes: Vec<Node>) -> Self {
        let mut bus = Self { nodes: nodes.into_iter().map(|node| (node, Receiver::new("bus"))).collect(), now: 0 };
        bus.nodes.iter_mut().for_each(|(node, _)| node.start(ms(0)));
        bus
    }

    fn run(&mut self, until: u64) {
        while self.now < until {
            let now = ms(self.now);
            let mut sent = Vec::new();
            for (index, (node, _)) in self.nodes.iter_mut().enumerate() {
                node.poll(now);
                sent.extend(node.front().copied().map(|frame| (index, frame)));
                node.pop();
            }
            for (from, frame) in sent {
                for (index, (node, receiver)) in self.nodes.iter_mut().enumerate() {
                    if index != from
                        && let Some(message) = receiver.frame(&frame, now)
                    {
                        node.take(&message, now);
                    }
                }
            }
            self.now += 1;
        }
    }

    fn addresses(&self) -> Vec<Option<u8>> {
        self.nodes.iter().map(|(node, _)| node.address().map(|address| address.0)).collect()
    }
}

#[test]
fn two_nodes_that_want_one_address_share_the_bus() {
    let mut bus = Bus::new(std::vec![node(2), node(1)]);
    bus.run(2000);
    assert_eq!(bus.addresses(), [Some(101), Some(100)], "the lower NAME has it");
}

#[test]
fn a_late_node_takes_a_free_address_first_and_disturbs_nobody() {
    let mut bus = Bus::new(std::vec![node(2)]);
    bus.run(1000);
    let mut late = node(1);
    late.start(ms(1000));
    bus.nodes.push((late, Receiver::new("bus")));
    bus.run(3000);
    assert_eq!(bus.addresses(), [Some(100), Some(101)], "it asked before, though its NAME is lower");
}

proptest::proptest! {
    #[test]
    fn any_nodes_come_to_different_addresses(
        nodes in proptest::collection::btree_map(0_u32..1000, 0_u8..=253, 1..12),
    ) {
        let build = |(unique, address): (&u32, &u8)| {
            let name = Name::new(&NameParts { unique_number: *unique, ..NameParts::default() });
            Node::new(name, SourceAddress(*address), Information::default())
        };
        let mut bus = Bus::new(nodes.iter().map(build).collect());
        bus.run(8000);
        let mut addresses: Vec<u8> = bus.addresses().into_iter().flatten().collect();
        addresses.sort_unstable();
        addresses.dedup();
        proptest::prop_assert_eq!(addresses.len(), nodes.len());
    }

    #[test]
    fn any_message_is_survived_and_the_queue_stays_bounded(
        messages in proptest::collection::vec(
            (
                proptest::sample::select(std::vec![59_904_u32, 60_928, 65_240, 126_208, 127_250, 59_392]),
                0_u8..=255,
                proptest::sample::select(std::vec![100_u8, 255, 101]),
                proptest::collection::vec(0_u8..=255, 0..30),
            ),
            0..60,
        ),
    ) {
        let mut node = claimed();
        for (pgn, source, destination, data) in messages {
            node.take(&message(pgn, SourceAddress(source), destination, &data), ms(1000));
            node.poll(ms(1000));
        }
        proptest::prop_assert!(drain(&mut node).len() <= outbox::FRAMES_MAX);
    }
}
