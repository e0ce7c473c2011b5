//! `skiff run --net tap:NAME`: the stack, HTTP and WebSocket of the chips, driven by the kernel's own TCP.
//!
//! In a network namespace of its own; where this machine does not allow one, the test says so and passes.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use skiff_runtime::http::handshake;
use skiff_runtime::http::websocket::{Decoder, Opcode, Peer, WebSocketMessage, write_frame};
use support::{Gateway, PATIENCE};

/// Set in the namespace.
const INSIDE: &str = "SKIFF_TEST_INSIDE_NAMESPACE";
const PREPARE: &str = "ip link set lo up && ip tuntap add dev tap0 mode tap && ip addr add 10.9.0.1/24 dev tap0 && \
                       ip link set tap0 up";

fn in_namespace(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "sh", "-c", script]);
    command
}

#[test]
fn the_chips_stack_serves_the_kernels_clients() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let tried = in_namespace(PREPARE).output();
    if !tried.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no network namespace with a tap interface on this machine: {tried:?}");
        return;
    }
    let this = std::env::current_exe().unwrap();
    let name = "the_chips_stack_serves_the_kernels_clients";
    let script = format!("{PREPARE} && exec '{}' --exact {name} --nocapture", this.display());
    let status = in_namespace(&script).env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "{status}");
}

fn inside() {
    let home = tempfile::tempdir().unwrap();
    let gateway = Gateway::start_on(
        home.path(),
        &["--sample", "--net", "tap:tap0", "--address", "10.9.0.2/24", "--listen", "0.0.0.0:80"],
    );
    assert_eq!(gateway.authority, "10.9.0.2:80");
    let client = Client { authority: gateway.authority.clone(), token: gateway.token() };
    client.waits_for_a_value(&gateway);
    client.needs_its_token();
    client.pipelines();
    client.closes_its_half_first();
    client.follows_the_stream();
    client.comes_in_crowds();
    client.is_slow_without_harm();
    client.comes_again_and_again(1000);
    let status = client.get("/skiff/v1/status");
    assert!(status.contains("\"malformed\":0,\"no_memory\":0"), "{status}");
    another_program_has_the_interface(home.path());
}

fn another_program_has_the_interface(home: &std::path::Path) {
    let output = support::run(home, &["run", "--sample", "--net", "tap:tap0", "--address", "10.9.0.3/24"]);
    support::assert_refused(&output, 5, &["tap0", "another program"]);
}

struct Client {
    authority: String,
    token: String,
}

impl Client {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn request(&self, path: &str, fields: &str) -> String {
        let Self { authority, token } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n")
    }

    /// Asks on a connection of its own and returns everything that came.
    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(self.request(path, "Connection: close\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn waits_for_a_value(&self, gateway: &Gateway) {
        let began = Instant::now();
        loop {
            let text = self.get("/signalk/v1/api/vessels/self/environment/wind/speedTrue");
            if text.starts_with("HTTP/1.1 200 ") {
                return assert!(text.contains("\"value\":"), "{text}");
            }
            assert!(began.elapsed() < PATIENCE, "{text}");
            // Let something happen meanwhile: the next line of stdout, when there is one.
            let _ = gateway.stdout.recv_timeout(Duration::from_millis(20));
        }
    }

    fn needs_its_token(&self) {
        let stranger = Self { authority: self.authority.clone(), token: "guessed".into() };
        assert!(stranger.get("/signalk/v1/api/self").starts_with("HTTP/1.1 401 "));
    }

    fn pipelines(&self) {
        let mut stream = self.connect();
        let mut together = self.request("/signalk", "").repeat(20);
        together += &self.request("/signalk", "Connection: close\r\n");
        stream.write_all(together.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 21);
    }

    fn closes_its_half_first(&self) {
        let mut stream = self.connect();
        stream.write_all(self.request("/signalk/v1/api", "").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with('}'), "{text}");
    }

    fn follows_the_stream(&self) {
        let mut stream = self.connect();
        let request = self.request("/signalk/v1/stream?subscribe=all", &handshake::request_fields(&[3; 16]));
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..count]);
        }
        assert!(bytes.starts_with(b"HTTP/1.1 101 "));
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let mut rest = bytes.split_off(end);
        let (mut decoder, mut deltas) = (Decoder::new(Peer::Server, 1 << 20), 0);
        while deltas < 100 {
            let mut input = rest.as_slice();
            while let Some(message) = decoder.decode(&mut input).unwrap() {
                deltas += u32::from(matches!(message, WebSocketMessage::Text(text) if text.contains("\"updates\":")));
            }
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the stream ended after {deltas} deltas");
            rest = buffer[..count].to_vec();
        }
        let mut close = Vec::new();
        write_frame(&mut close, Opcode::Close, true, &1000_u16.to_be_bytes(), Some([1, 2, 3, 4]));
        stream.write_all(&close).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }

    fn comes_in_crowds(&self) {
        let mut crowd: Vec<TcpStream> = (0..64).map(|_| self.connect()).collect();
        for stream in &mut crowd {
            stream.write_all(self.request("/signalk", "Connection: close\r\n").as_bytes()).unwrap();
        }
        for mut stream in crowd {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
        }
    }

    fn is_slow_without_harm(&self) {
        let mut slow: Vec<TcpStream> = (0..16).map(|_| self.connect()).collect();
        for stream in &mut slow {
            stream.write_all(b"GET /signalk HT").unwrap();
        }
        let began = Instant::now();
        self.comes_again_and_again(50);
        assert!(began.elapsed() < Duration::from_secs(20), "50 requests took {:?}", began.elapsed());
    }

    fn comes_again_and_again(&self, times: usize) {
        for _ in 0..times {
            assert!(self.get("/signalk").starts_with("HTTP/1.1 200 OK"));
        }
    }
}
