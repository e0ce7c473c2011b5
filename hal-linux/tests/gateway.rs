//! `skiff run` over real HTTP and WebSocket.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::{Gateway, PATIENCE, assert_refused, data, exchange, run, skiff, talk};
use tempfile::tempdir;
use tungstenite::protocol::CloseFrame;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

const WIND: &str = "/signalk/v1/api/vessels/self/environment/wind/speedTrue";
const CONFIG: &str = "/skServer/plugins/_skiff_true-wind/config";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn the_sample_needs_nothing_and_leaves_nothing() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    let line = gateway.stdout.recv_timeout(PATIENCE).unwrap();
    assert!(line.starts_with("{\"_plugin\":\"@skiff/"), "{line}");
    let node = gateway.get_until(WIND, |body| body.contains("\"value\""));
    assert!(node.contains("\"$source\":\"@skiff/true-wind\""), "{node}");
    let status = gateway.get_until("/skiff/v1/status", |_| true);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status["frames"].as_u64() > Some(0), "{status}");
    assert_eq!(gateway.terminate(), Some(0));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "the sample wrote files");
}

#[test]
fn a_stream_client_gets_hello_and_deltas() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    let url = format!("ws://{}/signalk/v1/stream?subscribe=self", gateway.authority);
    let stream = TcpStream::connect(&gateway.authority).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut socket, _) = tungstenite::client(url.as_str(), MaybeTlsStream::Plain(stream)).unwrap();
    let hello = text(&mut socket);
    assert!(
        hello.contains("\"self\":\"vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001\""),
        "{hello}"
    );
    let delta = text(&mut socket);
    assert!(delta.contains("\"updates\":["), "{delta}");
    // The client's own words reach the core: after this nothing comes any more but what was on its way.
    socket.send(Message::text("{\"context\":\"*\",\"unsubscribe\":[{\"path\":\"*\"}]}")).unwrap();
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
    gateway.get_until("/skiff/v1/status", |body| body.contains("\"streams\":0"));
}

fn text(socket: &mut WebSocket<MaybeTlsStream<TcpStream>>) -> String {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return text.as_str().to_owned();
        }
    }
}

/// A stream client that has heard hello.
fn stream(gateway: &Gateway) -> WebSocket<MaybeTlsStream<TcpStream>> {
    let url = format!("ws://{}/signalk/v1/stream?subscribe=none", gateway.authority);
    let stream = TcpStream::connect(&gateway.authority).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut socket, _) = tungstenite::client(url.as_str(), MaybeTlsStream::Plain(stream)).unwrap();
    text(&mut socket);
    socket
}

/// Reads to the end of a stream; the code of the close frame, when one came.
fn close_code(socket: &mut WebSocket<MaybeTlsStream<TcpStream>>) -> Option<u16> {
    let mut code = None;
    while let Ok(message) = socket.read() {
        if let Message::Close(frame) = message {
            code = frame.map(|frame| frame.code.into());
        }
    }
    code
}

#[test]
fn a_stream_ends_with_the_closing_handshake_and_its_code() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    let mut socket = stream(&gateway);
    socket.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).unwrap();
    assert_eq!(close_code(&mut socket), Some(1000));
    // RFC 6455 §5.2: final, opcode, masked with a key of zeros.
    let frame = |opcode: u8, payload: &[u8]| {
        let head = [0x80 | opcode, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        [&head, payload].concat()
    };
    let mut long = vec![0x81, 0xff];
    long.extend(100_000_u64.to_be_bytes());
    long.extend([0; 4]);
    for (sent, expected) in
        [(frame(3, b""), 1002), (frame(1, b"\xff\xfe"), 1007), (frame(2, b"\xff\xfe"), 1003), (long, 1009)]
    {
        let mut socket = stream(&gateway);
        socket.get_mut().write_all(&sent).unwrap();
        assert_eq!(close_code(&mut socket), Some(expected));
    }
    // JSON as bytes is JSON.
    let mut socket = stream(&gateway);
    socket.send(Message::binary(b"{}".as_slice())).unwrap();
    assert!(text(&mut socket).contains("message not understood"));
}

#[test]
fn pages_from_elsewhere_get_no_stream() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Origin", "https://elsewhere.example"),
    ];
    assert_eq!(gateway.ask("GET", "/signalk/v1/stream", &upgrade, "").0, 403);
    let plain = gateway.ask("GET", "/signalk/v1/stream", &[], "");
    assert_eq!(plain.0, 426, "{plain:?}");
}

#[test]
fn changes_need_the_token() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    let token = gateway.token();
    let disable = "{\"enabled\":false}";
    assert_eq!(gateway.ask("POST", CONFIG, &[], disable).0, 401);
    assert_eq!(gateway.ask("POST", CONFIG, &[("Authorization", "Bearer wrong")], disable).0, 401);
    assert_eq!(gateway.ask("GET", "/skServer/plugins", &[("Host", "elsewhere.example")], "").0, 403);
    let foreign = ("Origin", "https://elsewhere.example");
    assert_eq!(gateway.ask("POST", CONFIG, &[foreign], disable).0, 403);
    assert_eq!(gateway.ask("POST", CONFIG, &[foreign, ("Authorization", "Bearer wrong")], disable).0, 401);
    gateway.get_until("/skServer/plugins", |body| !body.contains("\"state\":\"stopped\""));
    let (status, _, body) = gateway.ask("POST", CONFIG, &[("Authorization", &*bearer(&token))], disable);
    assert_eq!((status, body.as_str()), (200, "\"Saved configuration for plugin @skiff/true-wind\""));
    gateway.get_until("/skServer/plugins", |body| body.contains("\"state\":\"stopped\""));
}

#[test]
fn requests_are_bounded() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample", "--board", "linux"]);
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert!(exchange(&gateway.authority, long.as_bytes()).starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X-A: b\r\n".repeat(100));
    assert!(exchange(&gateway.authority, many.as_bytes()).starts_with("HTTP/1.1 431"));
    let body = "x".repeat(11 * 1024 * 1024);
    let token = bearer(&gateway.token());
    assert_eq!(gateway.ask("POST", CONFIG, &[("Authorization", &token)], &body).0, 413);
    assert_eq!(gateway.ask("GET", "/signalk", &[], &"x".repeat(9000)).0, 413, "a body nobody asked for");
    // One whose length is not announced, and a client that asks before it sends.
    let head = format!("POST {CONFIG} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {token}\r\n");
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert!(exchange(&gateway.authority, chunked.as_bytes()).starts_with("HTTP/1.1 413"));
    let asking = format!("{head}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len());
    assert!(exchange(&gateway.authority, asking.as_bytes()).starts_with("HTTP/1.1 413"));
    assert!(exchange(&gateway.authority, b"\x16\x03\x01garbage\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert_eq!(gateway.ask("GET", "/skiff/v1/status", &[], "").0, 200);
}

#[test]
fn a_head_is_judged_before_its_body_is_read() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    // Not one byte of the body is sent: it is not waited for.
    for (path, more, status) in [
        ("/skiff/v1/plugins", "", 401),
        ("/skiff/v1/plugins", "Expect: 100-continue\r\n", 401),
        ("/skiff/v1/plugins", "Origin: http://evil.example\r\n", 403),
        ("/nowhere", "Transfer-Encoding: chunked\r\n", 401),
    ] {
        let length = if more.contains("chunked") { "" } else { "Content-Length: 9000000\r\n" };
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n{length}{more}\r\n", gateway.authority);
        let mut client = TcpStream::connect(&gateway.authority).unwrap();
        client.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 13];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status} "), "{path} {more}");
    }
    // Who sends it all the same reads the refusal, and the connection goes on.
    let body = "x".repeat(9_000_000);
    assert_eq!(gateway.ask("POST", "/skiff/v1/plugins", &[], &body).0, 401);
}

#[test]
fn half_requests_shut_nobody_out() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    // More than there are places, all at once.
    let half: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut client = TcpStream::connect(&gateway.authority).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
            client
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(gateway.ask("GET", "/signalk", &[], "").0, 200);
    }
    drop(half);
}

#[test]
fn a_folder_has_one_gateway() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let config = config.to_str().unwrap();
    let gateway = Gateway::start(home.path(), &["--config", config]);
    let second = run(home.path(), &["run", "--listen", "127.0.0.1:0", "--config", config]);
    assert_refused(&second, 5, &["another gateway runs on this folder", &gateway.authority]);
    let marker = fs::read_to_string(Path::new(config).join("skiff/gateway.json")).unwrap();
    assert!(marker.contains(&gateway.authority), "{marker}");
    assert_eq!(gateway.signal("-KILL"), None);
    // Nothing of it keeps the folder locked; a terminal that goes away stops it as an interrupt does.
    let next = Gateway::start(home.path(), &["--config", config]);
    assert_eq!(next.signal("-HUP"), Some(0));
    assert!(!Path::new(config).join("skiff/gateway.json").exists());
}

#[test]
fn a_token_is_made_anew_while_no_gateway_runs() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &[]);
    let before = gateway.token();
    assert_refused(&run(home.path(), &["token", "new"]), 5, &["a gateway runs on this folder"]);
    drop(gateway);
    fs::write(home.path().join(".skiff/skiff/auth.json"), "{").unwrap();
    assert_refused(&run(home.path(), &["run", "--listen", "127.0.0.1:0"]), 4, &["`skiff token new`"]);
    let made = run(home.path(), &["token", "new"]);
    assert_eq!(made.status.code(), Some(0), "{}", talk(&made));
    let token = data(&made).concat();
    assert!(token.len() == 64 && token != before);
    let gateway = Gateway::start(home.path(), &[]);
    let change = |token: &str| {
        gateway.ask("POST", CONFIG, &[("Authorization", &bearer(token)), ("Content-Type", "application/json")], "{}").0
    };
    assert_eq!((change(&before), change(&token)), (401, 404), "no such plugin is installed");
}

#[test]
fn an_occupied_port_is_named_and_nothing_is_written() {
    let home = tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_refused(&run(home.path(), &["run", "--listen", &address]), 5, &[&address, "--listen"]);
    assert!(!home.path().join(".skiff").exists());
}

#[test]
fn a_log_is_served_on_after_its_end() {
    let home = tempdir().unwrap();
    let log = home.path().join("race day.log");
    fs::write(&log, "(1700000000.000000) can0 09F80107#0102030405060708\n").unwrap();
    let gateway = Gateway::start(home.path(), &["--input", log.to_str().unwrap(), "--speed", "max"]);
    gateway.said("played to its end");
    let node = gateway.get_until("/signalk/v1/api/vessels/self/navigation/position", |body| body.contains("\"value\""));
    assert!(node.contains("\"$source\":\"race day.7\""), "{node}");
    assert!(node.contains("2023-11-14T22:13:20.000Z"), "{node}");
    assert_eq!(gateway.terminate(), Some(0));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_command_line_administers_a_running_gateway() {
    let home = tempdir().unwrap();
    let config = home.path().join(".skiff");
    let package = config.join("node_modules/@skiff/true-wind");
    fs::create_dir_all(&package).unwrap();
    for file in ["package.json", "plugin.wasm", "plugin-small.wasm"] {
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/rust/true-wind").join(file),
            package.join(file),
        )
        .unwrap();
    }
    fs::create_dir_all(config.join("node_modules/broken")).unwrap();
    fs::write(config.join("node_modules/broken/package.json"), "{").unwrap();
    fs::write(config.join("settings.json"), "{\"vessel\":{\"name\":\"Möwe\",\"mmsi\":\"211234560\"}}").unwrap();

    let gateway = Gateway::start(home.path(), &[]);
    for (file, wanted) in
        [("skiff/auth.json", 0o600), ("skiff/token", 0o600), ("skiff/identity.json", 0o600), ("skiff", 0o700)]
    {
        assert_eq!(mode(&config.join(file)), wanted, "{file}");
    }
    let token = gateway.token();
    assert_eq!(fs::read_to_string(config.join("skiff/token")).unwrap(), token);
    assert!(
        !fs::read_to_string(config.join("skiff/auth.json")).unwrap().contains(&token),
        "the token is kept in the clear"
    );
    assert_eq!(gateway.get_until("/signalk/v1/api/vessels/self/name", |_| true), "\"Möwe\"");

    let listed = run(home.path(), &["plugin", "list"]);
    assert!(data(&listed)[1].contains("stopped"), "{:?} {}", data(&listed), talk(&listed));
    let enabled = run(home.path(), &["plugin", "enable", "@skiff/true-wind"]);
    assert_eq!(enabled.status.code(), Some(0), "{}", talk(&enabled));
    gateway.get_until("/skServer/plugins", |body| body.contains("\"state\":\"running\""));
    let file = home.path().join("new.json");
    fs::write(&file, "{ \"speed\" : \"ground\" }").unwrap();
    let set = run(home.path(), &["plugin", "config", "@skiff/true-wind", "--set", file.to_str().unwrap()]);
    assert_eq!(set.status.code(), Some(0), "{}", talk(&set));
    assert_eq!(
        data(&run(home.path(), &["plugin", "config", "@skiff/true-wind", "--get"])),
        ["{", "  \"speed\": \"ground\"", "}"]
    );
    let stored = fs::read_to_string(config.join("plugin-config-data/_skiff_true-wind.json")).unwrap();
    assert!(stored.contains("\"enabled\": true") && stored.contains("\"speed\": \"ground\""), "{stored}");

    let url = format!("http://{}", gateway.authority);
    let wrong = skiff(home.path(), &["plugin", "disable", "@skiff/true-wind", "--url", &url])
        .env("SKIFF_TOKEN", "wrong")
        .output()
        .unwrap();
    assert_refused(&wrong, 6, &["token"]);
    assert_eq!(gateway.terminate(), Some(0));
    assert!(!config.join("skiff/gateway.json").exists(), "the address outlived the gateway");
    // The next start keeps token and identity, and is silent about the token.
    let identity = fs::read(config.join("skiff/identity.json")).unwrap();
    let gateway = Gateway::start(home.path(), &[]);
    assert_eq!(gateway.ask("POST", CONFIG, &[("Authorization", &*bearer(&token))], "{\"enabled\":false}").0, 200);
    assert_eq!(fs::read(config.join("skiff/identity.json")).unwrap(), identity);
    let said: Vec<String> = gateway.stderr.try_iter().collect();
    assert!(said.iter().all(|line| !line.contains(&token)), "{said:?}");
}

#[test]
fn corrupt_files_of_the_folder_are_named_and_kept() {
    for file in ["settings.json", "skiff/auth.json", "skiff/identity.json"] {
        let home = tempdir().unwrap();
        let config = home.path().join("config");
        fs::create_dir_all(config.join("skiff")).unwrap();
        fs::write(config.join(file), "{\"").unwrap();
        let output = run(home.path(), &["run", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()]);
        assert_refused(&output, 4, &[file]);
        assert_eq!(fs::read_to_string(config.join(file)).unwrap(), "{\"", "{file}");
    }
}

#[test]
fn other_addresses_need_the_token_for_everything_and_anyone_can_be_allowed() {
    let home = tempdir().unwrap();
    let start = |arguments: &[&str]| {
        let mut all = vec!["--sample", "--listen", "0.0.0.0:0"];
        all.extend(arguments);
        Gateway::start_on(home.path(), &all)
    };
    let gateway = start(&[]);
    let token = gateway.token();
    assert_eq!(gateway.ask("GET", "/skiff/v1/status", &[], "").0, 401);
    assert_eq!(gateway.ask("GET", "/skiff/v1/status", &[("Authorization", &*bearer(&token))], "").0, 200);
    drop(gateway);
    let gateway = start(&["--allow-anyone"]);
    assert_eq!(gateway.ask("POST", CONFIG, &[], "{\"enabled\":false}").0, 200);
}

#[test]
fn an_interrupt_stops_the_plugins_and_ends_with_0() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample"]);
    gateway.stdout.recv_timeout(PATIENCE).unwrap();
    assert_eq!(gateway.signal("-INT"), Some(0));
}
