//! A client on this machine, which reaches the board through the emulator's user network.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use skiff_runtime::http::handshake;
use skiff_runtime::http::websocket::{Decoder, Opcode, Peer, WebSocketMessage, write_frame};

/// Time for anything that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// A value from the bus.
pub const FROM_BUS: &str = "/signalk/v1/api/vessels/self/environment/wind/angleApparent";
/// Requests that share a connection.
const PER_CONNECTION: usize = 50;

/// Returns a port of the loopback address that is free now.
///
/// # Errors
/// That there is none.
pub fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

/// A client with a token.
#[derive(Clone, Debug)]
pub struct BoardClient {
    /// Where the board is reached on the loopback address.
    pub port: u16,
    /// What it shows.
    pub token: String,
}

impl BoardClient {
    /// Opens a connection.
    ///
    /// # Errors
    /// That the board takes none.
    pub fn connect(&self) -> Result<TcpStream, String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| format!("connect: {error}"))?;
        let timeouts = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_nodelay(true));
        timeouts.map_err(|error| format!("connect: {error}"))?;
        Ok(stream)
    }

    /// Returns a client of the same board with a token that is wrong.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self { port: self.port, token: "guessed".into() }
    }

    /// Returns a GET request with further `fields`, each with its end of line.
    #[must_use]
    pub fn request(&self, path: &str, host: &str, fields: &str) -> String {
        let token = &self.token;
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{fields}\r\n")
    }

    /// Sends bytes and reads one response: status and body.
    ///
    /// # Errors
    /// What came instead.
    pub fn exchange(&self, bytes: &[u8]) -> Result<(u16, String), String> {
        let mut stream = self.connect()?;
        // A refusal can come before everything was sent.
        let _ = stream.write_all(bytes);
        response(&mut stream)
    }

    /// Asks for an address.
    ///
    /// # Errors
    /// As [`BoardClient::exchange`].
    pub fn get(&self, path: &str) -> Result<(u16, String), String> {
        self.exchange(self.request(path, "localhost", "Connection: close\r\n").as_bytes())
    }

    /// Waits until the board answers.
    ///
    /// # Errors
    /// That it did not in [`PATIENCE`].
    pub fn answered(&self) -> Result<(), String> {
        let began = Instant::now();
        while self.get("/signalk").map_or(true, |(status, _)| status != 200) {
            if began.elapsed() > PATIENCE {
                return Err("the board does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Waits until an address has a value.
    ///
    /// # Errors
    /// What it has instead.
    pub fn value(&self, path: &str) -> Result<(), String> {
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

    /// Reads an address with the program everybody has.
    ///
    /// # Errors
    /// What it said.
    pub fn curl(&self, path: &str) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let token = format!("Authorization: Bearer {}", self.token);
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail", "-m", "60", "-H", &token, &url]);
        let output = curl.output().map_err(|error| format!("cannot start curl: {error}"))?;
        if !output.status.success() {
            return Err(format!("curl {path}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        println!("curl {path}: {}", String::from_utf8_lossy(&output.stdout).trim());
        Ok(())
    }

    /// Reads a text that is sent compressed.
    ///
    /// # Errors
    /// What curl said.
    pub fn unpacked(&self, path: &str) -> Result<String, String> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let token = format!("Authorization: Bearer {}", self.token);
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail", "--compressed", "-m", "60", "-H", &token, &url]);
        let output = curl.output().map_err(|error| format!("cannot start curl: {error}"))?;
        if !output.status.success() {
            return Err(format!("curl {path}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("{path} is no text"))
    }

    /// Follows the stream until this many deltas came.
    ///
    /// # Errors
    /// What came instead.
    pub fn follows(&self, wanted: usize) -> Result<(), String> {
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
                deltas += usize::from(matches!(message, WebSocketMessage::Text(text) if text.contains("\"updates\":")));
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

    /// Asks this many times, a handful over each connection.
    ///
    /// # Errors
    /// The first answer that is not 200.
    pub fn requests(&self, count: usize) -> Result<(), String> {
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
