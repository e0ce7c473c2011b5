//! Runs the binary; every wait for it is bounded.
#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Longest wait for anything; reached only when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Builds a command line of the binary with a home folder of its own.
pub fn skiff(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skiff"));
    command.args(arguments).env("HOME", home).env_remove("SKIFF_TOKEN").stdin(Stdio::null());
    command
}

/// Runs a command to its end, with something on standard input.
pub fn run_with(home: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        skiff(home, arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A command that fails early does not read all of it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs a command to its end.
pub fn run(home: &Path, arguments: &[&str]) -> Output {
    run_with(home, arguments, b"")
}

/// Returns what a command said.
pub fn talk(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Returns the lines a command gave.
pub fn data(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

/// Returns the `package.json` of the alarm as other hosts read it, for packages that have its `plugin.wasm` alone.
pub fn alarm_json() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/assemblyscript/shallow-water-alarm/package.json");
    let text = std::fs::read_to_string(path).unwrap();
    let json = text.replace("\"wasmManifest\": \"plugin-small.wasm\",", "");
    assert_ne!(json, text, "there is no module for Skiff alone");
    json
}

/// Asserts exit code and that stderr is one line with all of `parts` in it.
pub fn assert_refused(output: &Output, code: i32, parts: &[&str]) {
    let talk = talk(output);
    assert_eq!(output.status.code(), Some(code), "{talk}");
    for part in parts {
        assert!(talk.contains(part), "{part} is not in: {talk}");
    }
}

/// A running gateway.
pub struct Gateway {
    child: Child,
    /// Lines of stdout and stderr, as they come.
    pub stdout: Receiver<String>,
    pub stderr: Receiver<String>,
    /// `127.0.0.1:port`.
    pub authority: String,
}

impl Gateway {
    /// Starts `skiff run` on any free port and waits until it listens.
    pub fn start(home: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        all.extend(arguments);
        Self::start_on(home, &all)
    }

    /// Starts `skiff run` with these arguments and waits until it listens.
    pub fn start_on(home: &Path, arguments: &[&str]) -> Self {
        let mut all = vec!["run"];
        all.extend(arguments);
        let mut child = skiff(home, &all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        let mut gateway = Self { child, stdout, stderr, authority: String::new() };
        let line = gateway.said("Skiff listens on http://");
        gateway.authority = line.rsplit("http://").next().unwrap().to_owned();
        gateway
    }

    /// Waits for a line of stderr with `part` in it.
    pub fn said(&self, part: &str) -> String {
        loop {
            let line =
                self.stderr.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{part} was not said: {error}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Returns the token, which is said once.
    pub fn token(&self) -> String {
        self.said("token for changes").rsplit(' ').next().unwrap().to_owned()
    }

    /// Sends a request and returns status line with headers, and body.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push_str(&format!("Host: {}\r\n", self.authority));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let reply = exchange(&self.authority, format!("{text}\r\n{body}").as_bytes());
        let (head, body) =
            reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {path}: {reply}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        (status, head.to_owned(), body.to_owned())
    }

    /// Reads an address until the body satisfies `until`.
    pub fn get_until(&self, path: &str, until: impl Fn(&str) -> bool) -> String {
        self.ask_until(path, &[], until)
    }

    /// As [`get_until`](Self::get_until), with the owner's token.
    pub fn owner_gets_until(&self, token: &str, path: &str, until: impl Fn(&str) -> bool) -> String {
        self.ask_until(path, &[("Authorization", &format!("Bearer {token}"))], until)
    }

    fn ask_until(&self, path: &str, headers: &[(&str, &str)], until: impl Fn(&str) -> bool) -> String {
        let started = std::time::Instant::now();
        loop {
            let (status, _, body) = self.ask("GET", path, headers, "");
            if status == 200 && until(&body) {
                return body;
            }
            assert!(started.elapsed() < PATIENCE, "{path}: {status} {body}");
            // Let something happen meanwhile: the next line of stdout, when there is one.
            let _ = self.stdout.recv_timeout(Duration::from_millis(20));
        }
    }

    /// Sends SIGTERM and returns the exit code.
    pub fn terminate(self) -> Option<i32> {
        self.signal("-TERM")
    }

    /// Sends a signal and returns the exit code.
    pub fn signal(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        // Ends when the process does; a process that hangs is caught by the lines that do not end.
        while self.stderr.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends bytes and reads the answer to its end.
pub fn exchange(authority: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reply = Vec::new();
    // A refusal before the whole request was read can end in a reset, of either; what was answered until then counts.
    let _ = stream.write_all(bytes);
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // The test has seen enough.
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
