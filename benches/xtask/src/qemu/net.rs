//! The emulated board with a network: clients on this machine reach it through the emulator's user network.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use skiff_runtime::http::handshake;
use skiff_runtime::http::websocket::{Decoder, Message, Opcode, Peer, write_frame};

use super::board::{self, Live};
use super::partition::Partition;
use crate::process;

/// Requests between the two looks at the heap.
const REQUESTS: usize = 10_000;
/// So many of them share a connection.
const PER_CONNECTION: usize = 50;
/// Deltas a stream client waits for.
const DELTAS: usize = 100;
/// Bytes that the heap may differ by: what happens to be on its way at the moment of the look.
const DRIFT_BYTES_MAX: u64 = 1024;
/// A closed connection keeps its buffers for ten seconds (RFC 9293 §3.6.1, TIME-WAIT; smoltcp's length of it).
const CLOSING: Duration = Duration::from_secs(11);
/// Time for anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Its configuration in the sample.
const CONFIG: &str = include_str!("../../../../plugins/assemblyscript/shallow-water-alarm/sample-config.json");
/// A value from the bus, and one that the plugin gives out.
const FROM_BUS: &str = "/signalk/v1/api/vessels/self/environment/wind/angleApparent";
const FROM_PLUGIN: &str = "/signalk/v1/api/vessels/self/notifications/environment/depth/belowTransducer";
/// An endpoint of the package `@skiff/shallow-water-alarm`.
const ENDPOINT: &str = "/plugins/_skiff_shallow-water-alarm/api/status";

/// Boots the board with a network and uses it as clients do.
///
/// # Errors
/// What does not work.
pub fn run(image: &Path) -> Result<(), String> {
    let port = free_port()?;
    let partition =
        Partition::sample().words("net").package(&read("package.json")?, &read("plugin.wasm")?, Some(CONFIG));
    let mut live = board::boot_live(image, &partition, port)?;
    let result = use_it(&mut live, port);
    if result.is_err() {
        eprintln!("the board said:\n  {}", live.talk().join("\n  "));
    }
    result
}

/// Reads a file of the package that has an endpoint. It is the only one: network, clients and two plugins of today's
/// size do not fit the board, and admission says so.
fn read(file: &str) -> Result<Vec<u8>, String> {
    let path = process::top().join("plugins/assemblyscript/shallow-water-alarm").join(file);
    std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn use_it(live: &mut Live, port: u16) -> Result<(), String> {
    let token = live.wait_for("token for this run: ", PATIENCE)?;
    let address = live.wait_for("network address ", PATIENCE)?;
    println!("the board has the address {address} and is reached at http://127.0.0.1:{port}");
    let client = Client { port, token };
    client.value(FROM_BUS)?;
    client.hosts()?;
    client.curl(FROM_BUS)?;
    client.value(FROM_PLUGIN)?;
    client.curl(ENDPOINT)?;
    client.follows(DELTAS)?;
    hostile(&client)?;

    client.requests(REQUESTS / 10)?;
    let before = heap_at_rest(live)?;
    let began = Instant::now();
    client.requests(REQUESTS)?;
    let took = began.elapsed();
    let after = heap_at_rest(live)?;
    let rate = REQUESTS as f64 / took.as_secs_f64();
    println!("{REQUESTS} requests in {:.1} s ({rate:.0}/s in the emulator)", took.as_secs_f64());
    println!("heap in use before them {before}, after them {after} bytes");
    if before.abs_diff(after) > DRIFT_BYTES_MAX {
        return Err(format!("the heap is not where it was: {before} bytes before, {after} after"));
    }
    let status = client.get("/skiff/v1/status")?.1;
    println!("status {status}");
    live.send(b'q')?;
    live.wait_for("= heap peak ", PATIENCE)?;
    let ended = live.end(PATIENCE)?;
    ended.expect_exit(0)?;
    for name in ["stack used", "heap peak", "heap arena", "allocations refused"] {
        println!("{name:<28} {:>12}", ended.measure(name).ok_or_else(|| format!("{name} was not measured"))?);
    }
    match ended.measure("allocations refused") {
        Some(0) => Ok(()),
        count => Err(format!("{count:?} allocations found no room")),
    }
}

/// Clients that do not behave, and one that does afterwards.
fn hostile(client: &Client) -> Result<(), String> {
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = client.connect()?;
        // A board that has no connection left may have closed it.
        let _ = stream.write_all(b"GET /signalk HT");
        slow.push(stream);
    }
    let giant = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(20_000));
    match client.exchange(giant.as_bytes()) {
        Ok((431 | 503, _)) => {}
        Ok((status, _)) => return Err(format!("a giant request was answered with {status}")),
        // No socket was left to say so with: the connection was refused.
        Err(why) => println!("a giant request beside eight unfinished ones: {why}"),
    }
    drop(slow);
    let began = Instant::now();
    loop {
        match client.exchange(giant.as_bytes()) {
            Ok((431, _)) => break,
            Ok((503, _)) | Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(50)),
            other => return Err(format!("a giant request alone is not refused with 431: {other:?}")),
        }
    }
    while client.get("/signalk").map_or(true, |(status, _)| status != 200) {
        if began.elapsed() > PATIENCE {
            return Err("the board does not answer after hostile clients".into());
        }
    }
    println!("eight unfinished and one giant request later the board still answers");
    Ok(())
}

/// Waits until the heap has not changed for as long as closed connections last, and returns its bytes.
fn heap_at_rest(live: &mut Live) -> Result<u64, String> {
    let began = Instant::now();
    let (mut rest, mut since) = (heap_used(live)?, Instant::now());
    while since.elapsed() < CLOSING {
        if began.elapsed() > PATIENCE {
            return Err(format!("the heap does not come to rest: now {rest} bytes"));
        }
        std::thread::sleep(Duration::from_millis(500));
        let now = heap_used(live)?;
        if now.abs_diff(rest) > DRIFT_BYTES_MAX {
            (rest, since) = (now, Instant::now());
        }
    }
    Ok(rest)
}

fn heap_used(live: &mut Live) -> Result<u64, String> {
    live.send(b'r')?;
    let line = live.wait_for("heap: asked: used ", PATIENCE)?;
    let number = line.split(',').next().unwrap_or_default();
    number.parse().map_err(|_| format!("no number of bytes: {line}"))
}

pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

pub(super) struct Client {
    pub port: u16,
    pub token: String,
}

impl Client {
    fn connect(&self) -> Result<TcpStream, String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| format!("connect: {error}"))?;
        let timeouts = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_nodelay(true));
        timeouts.map_err(|error| format!("connect: {error}"))?;
        Ok(stream)
    }

    fn request(&self, path: &str, host: &str, fields: &str) -> String {
        let token = &self.token;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n")
    }

    /// Sends bytes and reads one response.
    pub fn exchange(&self, bytes: &[u8]) -> Result<(u16, String), String> {
        let mut stream = self.connect()?;
        // A refusal can come before everything was sent.
        let _ = stream.write_all(bytes);
        response(&mut stream)
    }

    pub fn get(&self, path: &str) -> Result<(u16, String), String> {
        self.exchange(self.request(path, "localhost", "Connection: close\r\n").as_bytes())
    }

    /// Waits until an address has a value.
    fn value(&self, path: &str) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let (status, body) = self.get(path)?;
            if status == 200 && body.contains("\"value\":") {
                println!("{path}: {body}");
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("{path}: {status} {body}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Own address, `*.local` and `localhost` are names of the board, others are not; without a token nothing is told.
    fn hosts(&self) -> Result<(), String> {
        for (host, expected) in
            [("10.0.2.15", 200), ("skiff.local", 200), ("localhost", 200), ("127.0.0.1", 200), ("evil.example", 403)]
        {
            let (status, body) = self.exchange(self.request("/signalk/v1/api/self", host, "").as_bytes())?;
            if status != expected {
                return Err(format!("with Host {host} the board answers {status}: {body}"));
            }
        }
        let stranger = Self { port: self.port, token: "guessed".into() };
        match stranger.get("/signalk/v1/api/self")?.0 {
            401 => Ok(()),
            status => Err(format!("with a wrong token the board answers {status}")),
        }
    }

    /// Reads an address with the program everybody has.
    fn curl(&self, path: &str) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let token = format!("Authorization: Bearer {}", self.token);
        let body = process::output(&mut process::command("curl", ["-sS", "--fail", "-m", "60", "-H", &token, &url]))?;
        println!("curl {path}: {body}");
        Ok(())
    }

    /// Follows the stream until so many deltas came.
    fn follows(&self, wanted: usize) -> Result<(), String> {
        let mut stream = self.connect()?;
        let target = "/signalk/v1/stream?subscribe=self";
        let request = self.request(target, "localhost", &handshake::request_fields(&[7; 16]));
        stream.write_all(request.as_bytes()).map_err(|error| format!("stream: {error}"))?;
        let (head, mut rest) = head(&mut stream)?;
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(format!("the stream was not opened: {head}"));
        }
        let (mut decoder, mut deltas, mut buffer) = (Decoder::new(Peer::Server, 1 << 16), 0, [0; 4096]);
        while deltas < wanted {
            let mut input = rest.as_slice();
            while let Some(message) = decoder.decode(&mut input).map_err(|error| format!("stream: {error}"))? {
                deltas += usize::from(matches!(message, Message::Text(text) if text.contains("\"updates\":")));
            }
            let count = stream.read(&mut buffer).map_err(|error| format!("stream after {deltas} deltas: {error}"))?;
            if count == 0 {
                return Err(format!("the stream ended after {deltas} deltas"));
            }
            rest = buffer[..count].to_vec();
        }
        let mut close = Vec::new();
        write_frame(&mut close, Opcode::Close, true, &1000_u16.to_be_bytes(), Some([1, 2, 3, 4]));
        let closed = stream.write_all(&close).and_then(|()| stream.read_to_end(&mut Vec::new()));
        closed.map_err(|error| format!("closing the stream: {error}"))?;
        println!("{deltas} deltas came over the WebSocket");
        Ok(())
    }

    /// Asks so many times, a handful over each connection.
    fn requests(&self, count: usize) -> Result<(), String> {
        let request = self.request("/signalk/v1/api/vessels/self/environment/wind", "localhost", "");
        for _ in 0..count.div_ceil(PER_CONNECTION) {
            let mut stream = self.connect()?;
            for _ in 0..PER_CONNECTION {
                stream.write_all(request.as_bytes()).map_err(|error| format!("request: {error}"))?;
                let (status, body) = response(&mut stream)?;
                if status != 200 {
                    return Err(format!("{status} {body}"));
                }
            }
        }
        Ok(())
    }
}

/// Reads up to the empty line; returns the head and what came behind it.
fn head(stream: &mut TcpStream) -> Result<(String, Vec<u8>), String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(format!("the answer broke off: {}", String::from_utf8_lossy(&bytes))),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(format!("no answer: {error}")),
        }
    }
}

/// Reads one response of known length.
fn response(stream: &mut TcpStream) -> Result<(u16, String), String> {
    let (head, mut body) = head(stream)?;
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or(0);
    let have = body.len();
    if have < length {
        body.resize(length, 0);
        stream.read_exact(&mut body[have..]).map_err(|error| format!("the body broke off: {error}"))?;
    }
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
