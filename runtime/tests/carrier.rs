//! The chip's web server on a simulated network and a virtual clock: honest, slow and hostile clients.

use std::time::Duration;

use skiff_runtime::accounts::IS_KEPT;
use skiff_runtime::budget::{Board, Limits, NetLimits};
use skiff_runtime::carrier::{Carrier, CarrierLimits};
use skiff_runtime::config::{SAMPLE_SELF_CONTEXT, Vessel};
use skiff_runtime::gateway::{Gateway, InputId, Setup};
use skiff_runtime::hal::sim::{SimClock, SimNetwork, SimRng, SimStorage};
use skiff_runtime::hal::{Hal, NetError, Network, Received, Socket};
use skiff_runtime::http::handshake;
use skiff_runtime::http::websocket::{Decoder, Opcode, Peer, WebSocketMessage, write_frame};
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample::Sample;
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

const START: UnixMillis = UnixMillis(1_764_000_000_000);

/// A gateway with the limits of a board, its network, and a clock that moves only when told.
struct World {
    clock: SimClock,
    net: SimNetwork,
    gateway: Gateway,
    carrier: Carrier,
    input: InputId,
    boat: Sample,
    token: String,
}

impl World {
    fn new(board: Board) -> Self {
        Self::listening(board, "127.0.0.1:3000", |_| {})
    }

    fn listening(board: Board, address: &str, change: impl FnOnce(&mut CarrierLimits)) -> Self {
        let (clock, net, limits) = (SimClock::new(START), SimNetwork::new(), Limits::of(board));
        net.set_sockets_max(1000);
        let (access, token) = Access::with_new_token(&mut SimRng::new(1));
        let setup = Setup {
            limits,
            vessel: Vessel::default(),
            self_context: SAMPLE_SELF_CONTEXT.into(),
            access,
            strict: false,
            version: "0.0.0",
            events: false,
            poll_on_whole_seconds: false,
        };
        let hal = Hal {
            clock: Box::new(clock.clone()),
            rng: Box::new(SimRng::new(2)),
            storage: Box::new(SimStorage::new()),
            network: Some(Box::new(net.clone())),
            fetch: None,
            serial: None,
            can: Vec::new(),
        };
        let mut gateway = Gateway::new(setup, hal);
        let input = gateway.input("can0");
        let mut carrier_limits = CarrierLimits::new(&NetLimits::of(board), &limits);
        change(&mut carrier_limits);
        let carrier = Carrier::listen(&mut gateway, address.parse().unwrap(), carrier_limits).unwrap();
        Self { clock, net, gateway, carrier, input, boat: Sample::new(1), token: token.as_str().into() }
    }

    /// Lets this many milliseconds pass, polling after each.
    fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.clock.advance(Duration::from_millis(1));
            self.settle();
        }
    }

    /// Lets seconds pass without a poll for each of them.
    fn skip(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.settle();
        }
    }

    /// Polls until there is nothing to do at this moment.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let busy = self.gateway.poll().busy;
            if !self.carrier.poll(&mut self.gateway).busy && !busy {
                return;
            }
        }
        panic!("a carrier that is always busy");
    }

    fn frames(&mut self, count: usize) {
        for _ in 0..count {
            let (_, frame) = self.boat.next_frame();
            self.gateway.receive(self.input, &Record { time: None, item: Item::Frame(frame) });
        }
    }

    fn connect(&mut self) -> Socket {
        self.net.connect(self.carrier.address()).unwrap()
    }

    fn send(&mut self, client: Socket, bytes: &[u8]) {
        let mut rest = bytes;
        for _ in 0..10_000 {
            // A server that has refused the request reads no more of it.
            let Ok(count) = self.net.send(client, rest) else { return };
            rest = &rest[count..];
            if rest.is_empty() {
                return;
            }
            self.run(1);
        }
        panic!("{} bytes were not taken", rest.len());
    }

    /// Takes what is there now.
    fn receive(&mut self, client: Socket) -> (Vec<u8>, bool) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match self.net.receive(client, &mut buffer) {
                Ok(Received::Bytes(count)) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    self.settle();
                }
                Ok(Received::Pending) => return (bytes, false),
                Ok(Received::Closed) | Err(_) => return (bytes, true),
            }
        }
    }

    /// Sends a request on a connection of its own and returns status and body.
    fn ask(&mut self, request: &str) -> (u16, String) {
        let client = self.connect();
        self.send(client, request.as_bytes());
        self.run(2);
        let (bytes, _) = self.receive(client);
        self.net.close(client);
        self.run(1);
        let text = String::from_utf8_lossy(&bytes);
        (status(&text), text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.into()))
    }

    fn get(&mut self, path: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn open_stream(&mut self, query: &str) -> WsClient {
        let socket = self.connect();
        let fields = handshake::request_fields(&[9; 16]);
        let target = format!("/signalk/v1/stream{query}");
        self.send(socket, format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes());
        self.run(2);
        let (bytes, _) = self.receive(socket);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        assert_eq!(status(std::str::from_utf8(&bytes[..end]).unwrap()), 101);
        let mut client = WsClient { socket, decoder: Decoder::new(Peer::Server, 1 << 20), messages: Vec::new() };
        client.take(&bytes[end..]);
        client
    }

    /// Returns the head of a change whose body has so many bytes.
    fn change(&self, bytes: usize) -> String {
        let host = format!("Host: localhost\r\nAuthorization: Bearer {}", self.token);
        format!("POST /plugins/x/config HTTP/1.1\r\n{host}\r\nContent-Length: {bytes}\r\n\r\n")
    }

    fn is_healthy(&mut self) -> bool {
        self.get("/signalk").0 == 200
    }
}

fn status(text: &str) -> u16 {
    text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0)
}

struct WsClient {
    socket: Socket,
    decoder: Decoder,
    messages: Vec<WebSocketMessage>,
}

impl WsClient {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(message) = self.decoder.decode(&mut bytes).unwrap() {
            self.messages.push(message);
        }
    }

    fn receive(&mut self, world: &mut World) -> bool {
        let (bytes, is_over) = world.receive(self.socket);
        self.take(&bytes);
        is_over
    }

    fn send(&self, world: &mut World, opcode: Opcode, payload: &[u8]) {
        let mut frame = Vec::new();
        write_frame(&mut frame, opcode, true, payload, Some([1, 2, 3, 4]));
        world.send(self.socket, &frame);
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().filter_map(|message| match message {
            WebSocketMessage::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

#[test]
fn values_are_read_over_one_connection() {
    let mut world = World::new(Board::QemuRiscv32);
    world.frames(500);
    let client = world.connect();
    for _ in 0..20 {
        let request =
            b"GET /signalk/v1/api/vessels/self/navigation/speedThroughWater HTTP/1.1\r\nHost: localhost\r\n\r\n";
        world.send(client, request);
        world.run(2);
        let (bytes, is_over) = world.receive(client);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\"value\":"), "{text}");
        assert!(!is_over);
    }
    let counters = world.carrier.counters();
    assert_eq!((counters.accepted, counters.requests, counters.connections), (1, 20, 1));
    // Nobody asks any more: the connection is closed, and not as an error.
    world.skip(20);
    assert_eq!((world.carrier.connections(), world.carrier.counters().slow), (0, 0));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut world = World::new(Board::QemuRiscv32);
    let client = world.connect();
    let mut stream = String::new();
    for path in ["/signalk", "/nothing", "/signalk/v1/api/self", "/plugins"] {
        stream += &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    stream += "HEAD /signalk HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\nGET /never HTTP/1.1\r\n\r\n";
    world.send(client, stream.as_bytes());
    world.run(20);
    let (bytes, is_over) = world.receive(client);
    let text = String::from_utf8(bytes).unwrap();
    let found: Vec<u16> = text.match_indices("HTTP/1.1 ").map(|(at, _)| status(&text[at..])).collect();
    assert_eq!(found, [200, 404, 200, 200, 200], "{text}");
    assert!(is_over && text.ends_with("connection: close\r\n\r\n"), "HEAD has no body, and nothing follows close");
}

#[test]
fn a_client_that_sends_byte_by_byte_is_told_that_it_is_late() {
    let mut world = World::new(Board::QemuRiscv32);
    let client = world.connect();
    for byte in b"GET /signalk HTTP/1.1\r\nHost: localhost\r\nX: ".iter().cycle().take(200) {
        if world.net.send(client, &[*byte]).is_err() {
            break;
        }
        world.skip(1);
    }
    let (bytes, is_over) = world.receive(client);
    assert_eq!((status(std::str::from_utf8(&bytes).unwrap()), is_over), (408, true));
    assert_eq!(world.carrier.counters().slow, 1);
    assert_eq!(world.carrier.connections(), 0);
}

#[test]
fn a_body_that_stays_away_is_late_too() {
    let mut world = World::new(Board::QemuRiscv32);
    let client = world.connect();
    let head = world.change(9);
    world.send(client, format!("{head}half").as_bytes());
    world.skip(29);
    assert_eq!(world.receive(client), (vec![], false));
    world.skip(2);
    assert!(world.receive(client).0.starts_with(b"HTTP/1.1 408 "));
}

#[test]
fn slow_clients_do_not_keep_others_out() {
    let mut world = World::new(Board::QemuRiscv32);
    let slow: Vec<Socket> = (0..3).map(|_| world.connect()).collect();
    world.run(1);
    for client in &slow {
        world.send(*client, b"GET / HTT");
    }
    world.run(1);
    for _ in 0..50 {
        assert!(world.is_healthy());
    }
    world.skip(11);
    assert_eq!(world.carrier.counters().slow, 3);
}

#[test]
fn late_clients_make_room_when_all_connections_are_in_use() {
    let mut world = World::new(Board::QemuRiscv32);
    let slow: Vec<Socket> = (0..4).map(|_| world.connect()).collect();
    world.run(1);
    for client in &slow {
        world.send(*client, b"GET / HTT");
    }
    world.run(1);
    assert_eq!(world.get("/signalk").0, 503, "they have their time");
    world.skip(3);
    assert!(world.is_healthy());
    assert_eq!((world.carrier.counters().evicted, world.carrier.counters().slow), (1, 1));
}

#[test]
fn giant_heads_and_bodies_are_refused() {
    let mut world = World::new(Board::QemuRiscv32);
    let long = "y".repeat(10_000);
    assert_eq!(world.ask(&format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n")).0, 431);
    assert_eq!(world.ask(&format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n")).0, 431);
    let many = "A: b\r\n".repeat(40);
    assert_eq!(world.ask(&format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")).0, 431);
    assert_eq!(world.ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n").0, 413);
    let bearer = format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", world.token);
    let chunks = format!("POST / HTTP/1.1\r\n{bearer}Transfer-Encoding: chunked\r\n\r\n2000\r\n{long}");
    assert_eq!(world.ask(&format!("{chunks}\r\n{}", "x".repeat(3000))).0, 400, "a chunk that lies");
    assert_eq!(world.ask("\x16\x03\x01\x02\x00\x01").0, 400, "tls");
    assert_eq!(world.carrier.counters().malformed, 6);
    assert!(world.is_healthy());
    assert_eq!(world.carrier.connections(), 0);
}

#[test]
fn what_the_head_refuses_is_answered_before_its_body_comes() {
    let mut world = World::new(Board::QemuRiscv32);
    let host = "Host: localhost\r\nContent-Length: 4000\r\n";
    for (method, more, status) in [
        ("POST", "", 401),
        ("POST", "Expect: 100-continue\r\n", 401),
        ("POST", "Origin: http://evil.example\r\n", 403),
        ("GET", "Authorization: Bearer wrong\r\n", 401),
    ] {
        let client = world.connect();
        world.send(client, format!("{method} /plugins/none/config HTTP/1.1\r\n{host}{more}\r\n{{").as_bytes());
        world.run(2);
        let (answer, _) = world.receive(client);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {more}: {answer}");
    }
    assert!(world.is_healthy());
    assert_eq!(world.carrier.connections(), 0);
}

#[test]
fn a_body_is_asked_for_before_it_is_sent() {
    let mut world = World::new(Board::QemuRiscv32);
    let client = world.connect();
    let head = "POST /plugins/none/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n";
    world.send(client, format!("{head}Authorization: Bearer {}\r\n\r\n", world.token.clone()).as_bytes());
    world.run(2);
    assert_eq!(world.receive(client).0, b"HTTP/1.1 100 Continue\r\n\r\n");
    world.send(client, b"{}");
    world.run(2);
    assert!(world.receive(client).0.starts_with(b"HTTP/1.1 404 "), "there is no such plugin");
}

#[test]
fn access_rules_are_the_gateways() {
    let mut world = World::new(Board::QemuRiscv32);
    assert_eq!(world.ask("GET /signalk HTTP/1.1\r\nHost: evil.example\r\n\r\n").0, 403);
    assert_eq!(world.ask("GET /signalk HTTP/1.1\r\n\r\n").0, 400);
    assert_eq!(world.ask("POST /plugins/x/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").0, 401);

    let mut world = World::listening(Board::QemuRiscv32, "0.0.0.0:3000", |_| {});
    for (host, expected) in [("10.0.2.15", 401), ("skiff.local:3000", 401), ("localhost", 401), ("evil.example", 403)] {
        let request = |token: &str| format!("GET /signalk/v1/api/self HTTP/1.1\r\nHost: {host}\r\n{token}\r\n");
        assert_eq!(world.ask(&request("")).0, expected, "{host}");
        let token = format!("Authorization: Bearer {}\r\n", world.token);
        let with_token = world.ask(&request(&token)).0;
        assert_eq!(with_token, if expected == 401 { 200 } else { expected }, "{host}");
    }
}

#[test]
fn a_client_that_leaves_early_is_forgotten() {
    let mut world = World::new(Board::QemuRiscv32);
    for rest in ["", "GET / HT", "GET /signalk HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let client = world.connect();
        world.send(client, rest.as_bytes());
        world.net.close(client);
        world.run(3);
        assert_eq!(world.carrier.connections(), 0, "{rest}");
    }
    let client = world.connect();
    world.send(client, b"GET /signalk HT");
    world.run(1);
    world.net.reset(client);
    world.run(1);
    assert_eq!(world.carrier.connections(), 0);
    assert!(world.is_healthy());
}

#[test]
fn sixty_four_clients_are_served_on_linux() {
    let mut world = World::new(Board::Linux);
    let mut clients = Vec::new();
    for _ in 0..64 {
        clients.push(world.connect());
        world.run(1);
    }
    for client in &clients {
        world.send(*client, b"GET /signalk HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    world.run(5);
    for client in &clients {
        assert!(world.receive(*client).0.starts_with(b"HTTP/1.1 200 "));
    }
    assert_eq!(world.carrier.connections(), 64);
}

#[test]
fn sixty_four_clients_at_a_chip_are_served_or_told() {
    let mut world = World::new(Board::QemuRiscv32);
    let (mut served, mut told) = (0, 0);
    let mut clients = Vec::new();
    for _ in 0..64 {
        let client = world.connect();
        world.send(client, b"GET /signalk HTTP/1.1\r\n");
        world.settle();
        clients.push(client);
    }
    for client in &clients {
        // Those that were told are closed.
        let _ = world.net.send(*client, b"Host: localhost\r\n\r\n");
    }
    world.run(10);
    assert!(world.carrier.connections() <= 4);
    for client in &clients {
        let (bytes, _) = world.receive(*client);
        match status(std::str::from_utf8(&bytes).unwrap()) {
            200 => served += 1,
            503 => told += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((served, told), (4, 60));
    assert_eq!(world.carrier.counters().refused, 60);
    assert!(world.is_healthy(), "an idle connection makes room");
    assert!(world.carrier.counters().evicted > 0);
}

#[test]
fn all_clients_together_hold_only_so_much() {
    let mut world = World::listening(Board::QemuRiscv32, "127.0.0.1:3000", |limits| limits.held_bytes_max = 8 * 1024);
    let clients: Vec<Socket> = (0..3).map(|_| world.connect()).collect();
    world.run(1);
    for client in &clients {
        let head = world.change(7000);
        world.send(*client, head.as_bytes());
        let _ = world.net.send(*client, &[b'x'; 3500]);
        world.run(2);
    }
    let answers: Vec<u16> =
        clients.iter().map(|client| status(&String::from_utf8_lossy(&world.receive(*client).0))).collect();
    assert!(answers.contains(&503) && answers.contains(&0), "{answers:?}");
    assert!(world.carrier.counters().no_memory > 0);
}

#[test]
fn a_stream_follows_the_bus() {
    let mut world = World::new(Board::QemuRiscv32);
    let mut client = world.open_stream("?subscribe=self");
    for _ in 0..100 {
        world.frames(10);
        world.run(5);
        assert!(!client.receive(&mut world));
    }
    let texts: Vec<&str> = client.texts().collect();
    assert!(texts[0].starts_with("{\"name\":\"skiff\""), "{}", texts[0]);
    assert!(texts.len() > 100, "{} texts", texts.len());
    assert!(texts[1..].iter().all(|text| text.contains("\"updates\":")));
    client.send(&mut world, Opcode::Ping, b"are you there");
    world.run(3);
    client.receive(&mut world);
    assert!(
        client
            .messages
            .iter()
            .any(|message| matches!(message, WebSocketMessage::Pong(payload) if payload == b"are you there"))
    );
    client.send(&mut world, Opcode::Close, &1000_u16.to_be_bytes());
    world.run(3);
    assert!(client.receive(&mut world));
    assert_eq!(client.messages.last(), Some(&WebSocketMessage::Close(Some(1000))));
    assert_eq!((world.carrier.connections(), world.carrier.counters().slow), (0, 0));
    assert!(world.gateway.status_json().contains("\"streams\":0,\"exchanges\""), "{}", world.gateway.status_json());
}

#[test]
fn a_stream_client_that_does_not_read_gets_the_latest_values_only() {
    let mut world = World::new(Board::QemuRiscv32);
    let mut client = world.open_stream("?subscribe=self");
    // Less than the time after which it is given up.
    for _ in 0..250 {
        world.frames(20);
        world.run(100);
    }
    let started = client.messages.len();
    assert!(!client.receive(&mut world));
    for _ in 0..50 {
        world.run(2);
        client.receive(&mut world);
    }
    let texts: Vec<&str> = client.texts().skip(started).collect();
    assert!(texts.iter().any(|text| text.contains("$backpressure")), "{} texts", texts.len());
    assert!(texts.len() < 500, "{} texts for 5000 frames", texts.len());
    assert!(world.gateway.status_json().contains("\"stream_collapsed\":"));
}

#[test]
fn a_stream_client_that_takes_nothing_is_given_up() {
    let mut world = World::new(Board::QemuRiscv32);
    let _client = world.open_stream("?subscribe=self");
    for _ in 0..40 {
        world.frames(500);
        world.skip(1);
    }
    assert_eq!((world.carrier.connections(), world.carrier.counters().slow), (0, 1));
    assert!(world.is_healthy());
}

#[test]
fn a_stream_client_that_answers_no_ping_is_given_up() {
    let mut world = World::new(Board::QemuRiscv32);
    let mut client = world.open_stream("?subscribe=none");
    world.skip(31);
    client.receive(&mut world);
    assert!(matches!(client.messages.last(), Some(WebSocketMessage::Ping(_))), "{:?}", client.messages);
    client.send(&mut world, Opcode::Pong, b"");
    world.skip(31);
    assert_eq!(world.carrier.connections(), 1);
    world.skip(31);
    assert_eq!((world.carrier.connections(), world.carrier.counters().slow), (0, 1));
}

#[test]
fn what_breaks_the_websocket_protocol_ends_the_stream() {
    for (frame, code) in [
        (vec![0x81, 0x00], 1002),
        (vec![0xf1, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x82, 0xff, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0], 1009),
        (vec![0x81, 0x81, 0, 0, 0, 0, 0xff], 1007),
    ] {
        let mut world = World::new(Board::QemuRiscv32);
        let mut client = world.open_stream("?subscribe=none");
        world.send(client.socket, &frame);
        world.run(3);
        assert!(client.receive(&mut world), "closed after {code}");
        assert_eq!(client.messages.last(), Some(&WebSocketMessage::Close(Some(code))));
        assert_eq!(world.carrier.counters().malformed, 1);
    }
}

#[test]
fn subscriptions_sent_right_behind_the_request_count() {
    let mut world = World::new(Board::QemuRiscv32);
    let socket = world.connect();
    let fields = handshake::request_fields(&[9; 16]);
    let target = "/signalk/v1/stream?subscribe=none";
    let mut bytes = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes();
    let subscribe = br#"{"context":"vessels.self","subscribe":[{"path":"navigation.speedThroughWater"}]}"#;
    write_frame(&mut bytes, Opcode::Text, true, subscribe, Some([5, 6, 7, 8]));
    world.send(socket, &bytes);
    world.run(2);
    world.frames(500);
    world.run(2000);
    let (bytes, _) = world.receive(socket);
    assert!(String::from_utf8_lossy(&bytes).contains("navigation.speedThroughWater"));
}

#[test]
fn handshakes_that_are_wrong_are_refused() {
    let mut world = World::new(Board::QemuRiscv32);
    let ask = |world: &mut World, target: &str, fields: &str| {
        world
            .ask(&format!(
                "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{fields}\r\n"
            ))
            .0
    };
    let key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let good = format!("{key}Sec-WebSocket-Version: 13\r\n");
    assert_eq!(ask(&mut world, "/signalk/v1/stream", &good), 101);
    assert_eq!(ask(&mut world, "/signalk", &good), 404);
    assert_eq!(ask(&mut world, "/signalk/v1/stream?subscribe=x", &good), 400);
    assert_eq!(ask(&mut world, "/signalk/v1/stream", key), 426);
    assert_eq!(ask(&mut world, "/signalk/v1/stream", "Sec-WebSocket-Version: 13\r\n"), 400);
    // A page of another origin may log in on a stream, where somebody can log in; until then it hears nothing.
    let elsewhere = if IS_KEPT { 101 } else { 403 };
    assert_eq!(ask(&mut world, "/signalk/v1/stream", &format!("{good}Origin: http://evil.example\r\n")), elsewhere);
    assert_eq!(world.get("/signalk/v1/stream").0, 426);
}

#[test]
fn more_stream_clients_than_allowed_are_refused() {
    let mut world = World::new(Board::QemuRiscv32);
    let _streams = [world.open_stream(""), world.open_stream("")];
    let fields = handshake::request_fields(&[9; 16]);
    let (status, _) = world.ask(&format!("GET /signalk/v1/stream HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
    assert_eq!(status, 503);
    assert!(world.is_healthy());
}

#[test]
fn status_shows_the_counters() {
    let mut world = World::new(Board::QemuRiscv32);
    world.get("/nothing");
    let status = world.get("/skiff/v1/status").1;
    let status: serde_json::Value = serde_json::from_str(&status).expect("status is JSON");
    assert_eq!(status["clients"]["requests"], 1, "counted up to the last poll: {status}");
    assert!(status["memory"]["limit"].is_u64(), "{status}");
}

#[test]
fn a_port_is_listened_on_once() {
    let mut world = World::new(Board::QemuRiscv32);
    let (address, limits) = (world.carrier.address(), Limits::of(Board::QemuRiscv32));
    let limits = CarrierLimits::new(&NetLimits::of(Board::QemuRiscv32), &limits);
    assert!(matches!(Carrier::listen(&mut world.gateway, address, limits), Err(NetError::InUse)));
    let World { carrier, mut gateway, .. } = world;
    carrier.close(&mut gateway);
    assert!(Carrier::listen(&mut gateway, address, limits).is_ok());
}

/// Everything a hostile client can do, in any order: the server goes on and nothing is left behind.
mod any_clients {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Act {
        Connect,
        Send(usize, Vec<u8>),
        Good(usize),
        Upgrade(usize),
        Frame(usize, u8, Vec<u8>),
        Close(usize),
        Reset(usize),
        Frames(usize),
        Wait(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        let who = 0_usize..8;
        let bytes = || proptest::collection::vec(any::<u8>(), 0..80);
        prop_oneof![
            3 => Just(Act::Connect),
            1 => (who.clone(), bytes()).prop_map(|(who, bytes)| Act::Send(who, bytes)),
            3 => who.clone().prop_map(Act::Good),
            2 => who.clone().prop_map(Act::Upgrade),
            3 => (who.clone(), 0_u8..16, bytes()).prop_map(|(who, bits, bytes)| Act::Frame(who, bits, bytes)),
            1 => who.clone().prop_map(Act::Close),
            1 => who.prop_map(Act::Reset),
            2 => (0_usize..200).prop_map(Act::Frames),
            1 => (1_u64..20).prop_map(Act::Wait),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn never_harm_the_server(acts in proptest::collection::vec(act(), 1..60)) {
            let mut world = World::new(Board::QemuRiscv32);
            let mut clients = Vec::new();
            for act in acts {
                let one = |who: usize, clients: &[Socket]| clients.get(who % clients.len().max(1)).copied();
                let mut send = |who: usize, bytes: &[u8]| {
                    if let Some(client) = one(who, &clients) {
                        let _ = world.net.send(client, bytes);
                    }
                };
                match act {
                    Act::Connect => clients.push(world.connect()),
                    Act::Send(who, bytes) => send(who, &bytes),
                    Act::Good(who) => send(who, b"GET /signalk/v1/api HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                    Act::Upgrade(who) => {
                        let fields = handshake::request_fields(&[1; 16]);
                        send(who, format!("GET /signalk/v1/stream HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes());
                    }
                    Act::Frame(who, bits, payload) => {
                        let mut frame = Vec::new();
                        write_frame(&mut frame, Opcode::Text, true, &payload, Some([1, 2, 3, 4]));
                        frame[0] = 0x80 | bits;
                        send(who, &frame);
                    }
                    Act::Close(who) => one(who, &clients).into_iter().for_each(|client| world.net.close(client)),
                    Act::Reset(who) => one(who, &clients).into_iter().for_each(|client| world.net.reset(client)),
                    Act::Frames(count) => world.frames(count),
                    Act::Wait(seconds) => world.skip(seconds),
                }
                world.run(1);
                prop_assert!(world.carrier.connections() <= 4);
            }
            // Whoever is left has said its last word.
            world.skip(200);
            prop_assert_eq!(world.carrier.connections(), 0);
            prop_assert!(world.is_healthy());
        }
    }
}
