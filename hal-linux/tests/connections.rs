//! Connections that come and go while the gateway runs: from Skiff's own routes, and from the forms of the admin UI.

mod support;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::Gateway;
use tempfile::{TempDir, tempdir};

const DEPTH: &str = "/signalk/v1/api/vessels/self/environment/depth/belowTransducer";
const SENTENCE: &[u8] = b"$IIDBT,32.0,f,9.8,M,5.3,F*27\r\n";

/// A gateway and its owner.
struct Boat {
    home: TempDir,
    gateway: Gateway,
    token: String,
}

fn config(home: &Path) -> PathBuf {
    home.join("config")
}

impl Boat {
    fn start(settings: &str, flags: &[&str]) -> Self {
        let home = tempdir().unwrap();
        std::fs::create_dir(config(home.path())).unwrap();
        std::fs::write(config(home.path()).join("settings.json"), settings).unwrap();
        let gateway = run(home.path(), flags);
        let token = gateway.token();
        Self { home, gateway, token }
    }

    /// The same after a restart.
    fn restarted(self, flags: &[&str]) -> Self {
        let Self { home, gateway, token } = self;
        assert_eq!(gateway.terminate(), Some(0));
        let gateway = run(home.path(), flags);
        Self { home, gateway, token }
    }

    fn ask(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", &*bearer), ("Content-Type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.gateway.ask(method, target, &headers, &body);
        (status, serde_json::from_str(&answer).unwrap_or(Value::String(answer)))
    }

    fn connections(&self) -> Vec<Value> {
        self.ask("GET", "/skiff/v1/connections", &Value::Null).1.as_array().unwrap().clone()
    }

    /// Waits until a connection is as wanted.
    fn until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let find = |body: &str| -> Option<Value> {
            let rows: Vec<Value> = serde_json::from_str(body).unwrap();
            rows.into_iter().find(|row| row["id"] == id && is_so(row))
        };
        let body = self.gateway.owner_gets_until(&self.token, "/skiff/v1/connections", |body| find(body).is_some());
        find(&body).unwrap()
    }

    fn stored(&self) -> Value {
        let text = std::fs::read_to_string(config(self.home.path()).join("skiff/settings.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn run(home: &Path, flags: &[&str]) -> Gateway {
    let config = config(home);
    let mut arguments = vec!["--config", config.to_str().unwrap(), "--admin-listen", "none"];
    arguments.extend(flags);
    Gateway::start(home, &arguments)
}

/// A port that is free for the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn an_input_is_added_sends_is_found_after_a_restart_and_is_gone_when_it_is_removed() {
    let boat = Boat::start("{}", &[]);
    let port = free_port();
    let url = format!("tcp-listen://127.0.0.1:{port}");
    let wanted = json!({ "direction": "input", "url": url, "name": "gps" });
    let (status, row) = boat.ask("POST", "/skiff/v1/connections", &wanted);
    assert_eq!((status, &row["id"], &row["state"]), (201, &json!("input.gps"), &json!("open")), "{row}");
    assert_eq!((&row["from"], &row["editable"], &row["url"]), (&json!("skiff.inputs"), &json!(true), &json!(url)));
    boat.until("input.gps", |row| row["reason"] == "no client is connected");
    let mut wire = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    wire.write_all(SENTENCE).unwrap();
    boat.gateway.get_until(DEPTH, |body| body.contains("gps.II"));
    let row = boat.until("input.gps", |row| row["status"]["sentences"] == 1);
    assert!(row["status"]["age_ms"].is_u64(), "{row}");
    // The same name, and the same port under another one: what is there stays.
    assert_eq!(boat.ask("POST", "/skiff/v1/connections", &wanted).0, 409);
    let same_port = json!({ "direction": "input", "url": url, "name": "other" });
    let (status, refused) = boat.ask("POST", "/skiff/v1/connections", &same_port);
    assert!(status == 409 && refused["error"].as_str().unwrap().contains(&port.to_string()), "{refused}");
    assert_eq!(boat.connections().len(), 1);
    let boat = boat.restarted(&[]);
    boat.until("input.gps", |row| row["reason"] == "no client is connected");
    // Called otherwise on the same port, off and on again.
    let mut wire = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    wire.write_all(SENTENCE).unwrap();
    boat.gateway.get_until(DEPTH, |body| body.contains("gps.II"));
    let (status, row) = boat.ask("PUT", "/skiff/v1/connections/input.gps", &json!({ "name": "sounder" }));
    assert_eq!((status, &row["id"]), (200, &json!("input.sounder")), "{row}");
    assert_eq!(wire.read(&mut [0; 8]).unwrap_or(0), 0, "its clients are closed");
    assert_eq!(boat.gateway.ask("GET", DEPTH, &[], "").0, 404, "what it told is gone");
    let (_, row) = boat.ask("PUT", "/skiff/v1/connections/input.sounder", &json!({ "enabled": false }));
    assert_eq!((&row["state"], &row["enabled"]), (&json!("off"), &json!(false)));
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "its port is free");
    assert_eq!(boat.stored()["skiff"]["inputs"], json!([{ "url": url, "name": "sounder", "enabled": false }]));
    boat.ask("PUT", "/skiff/v1/connections/input.sounder", &json!({ "enabled": true }));
    let mut wire = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    wire.write_all(SENTENCE).unwrap();
    boat.gateway.get_until(DEPTH, |body| body.contains("sounder.II"));
    // It goes while it sends.
    assert_eq!(boat.ask("DELETE", "/skiff/v1/connections/input.sounder", &Value::Null).0, 204);
    while wire.write_all(SENTENCE).is_ok() {}
    assert_eq!(boat.gateway.ask("GET", DEPTH, &[], "").0, 404);
    assert_eq!((boat.connections(), boat.stored()["skiff"]["inputs"].clone()), (vec![], json!([])));
    assert_eq!(boat.ask("DELETE", "/skiff/v1/connections/input.sounder", &Value::Null).0, 404);
}

#[test]
fn datagrams_and_outputs_give_their_ports_back_at_once() {
    let boat = Boat::start("{}", &[]);
    let (port, out) = (udp_port(), free_port());
    let input = json!({ "direction": "input", "url": format!("udp://127.0.0.1:{port}"), "name": "wifi" });
    let output =
        json!({ "direction": "output", "url": format!("tcp-listen://127.0.0.1:{out}?every=50"), "name": "plotter" });
    for _ in 0..3 {
        assert_eq!(boat.ask("POST", "/skiff/v1/connections", &input).0, 201);
        let (status, row) = boat.ask("POST", "/skiff/v1/connections", &output);
        assert_eq!((status, &row["state"], &row["format"]), (201, &json!("open"), &json!("nmea0183")), "{row}");
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(SENTENCE, (Ipv4Addr::LOCALHOST, port)).unwrap();
        let mut plotter = TcpStream::connect((Ipv4Addr::LOCALHOST, out)).unwrap();
        boat.until("output.plotter", |row| row["status"]["clients"] == 1);
        let mut first = [0; 6];
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(SENTENCE, (Ipv4Addr::LOCALHOST, port)).unwrap();
        plotter.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"$II"), "{first:?}");
        for id in ["input.wifi", "output.plotter"] {
            assert_eq!(boat.ask("DELETE", &format!("/skiff/v1/connections/{id}"), &Value::Null).0, 204);
        }
        // Its client is closed: to the end.
        plotter.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!(boat.gateway.terminate(), Some(0));
}

#[test]
fn each_kind_of_form_makes_an_input_or_says_why_not() {
    let boat = Boat::start("{}", &[]);
    let form = |id: &str, kind: &str, options: Value| json!({ "id": id, "type": kind, "enabled": true, "logging": false, "options": options, "isNew": true, "editable": true });
    let udp = |at: u16| json!({ "port": at.to_string() });
    for (id, kind, options, url) in [
        ("can", "NMEA2000", json!({"type":"canbus-canboatjs","interface":"skiffnone0"}), "can://skiffnone0"),
        (
            "ngt",
            "NMEA2000",
            json!({"type":"ngt-1-canboatjs","device":"/dev/skiff-none"}),
            "serial:///dev/skiff-none?baud=115200",
        ),
        ("yd", "NMEA2000", json!({"type":"ydwg02-canboatjs","host":"127.0.0.1","port":"1"}), "tcp://127.0.0.1:1"),
        (
            "w2k",
            "NMEA2000",
            json!({"type":"w2k-1-n2k-ascii-canboatjs","host":"127.0.0.1","port":"1"}),
            "tcp://127.0.0.1:1",
        ),
        (
            "tcp",
            "NMEA0183",
            json!({"type":"tcp","host":"127.0.0.1","port":"1","suppress0183event":false}),
            "tcp://127.0.0.1:1",
        ),
        (
            "serial",
            "NMEA0183",
            json!({"type":"serial","device":"/dev/skiff-none","baudrate":4800}),
            "serial:///dev/skiff-none?baud=4800",
        ),
        ("ws", "SignalK", json!({"type":"ws","host":"127.0.0.1","port":"1","token":"a.b.c"}), "ws://127.0.0.1:1"),
        ("sktcp", "SignalK", json!({"type":"tcp","host":"127.0.0.1","port":1}), "tcp://127.0.0.1:1"),
    ] {
        let (status, said) = boat.ask("POST", "/skServer/providers/", &form(id, kind, options.clone()));
        assert_eq!((status, said), (200, json!("Connection added")), "{id}");
        let row = boat.until(&format!("input.{id}"), |_| true);
        assert_eq!((&row["address"], &row["from"]), (&json!(url), &json!("pipedProviders")), "{row}");
        assert!(row.get("url").is_none() && !row.to_string().contains("a.b.c"), "{row}");
        let rows = boat.ask("GET", "/skServer/providers", &Value::Null).1;
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
        assert_eq!((&row["type"], &row["options"], &row["editable"]), (&json!(kind), &options, &json!(true)), "{row}");
    }
    // One that never opens says so.
    boat.until("input.serial", |row| {
        row["state"] == "waiting" && row["reason"].as_str().unwrap().contains("No such file")
    });
    for (id, kind, options, status, wanted) in [
        ("x", "Seatalk", json!({"type":"gpiod","gpio":"GPIO04"}), 400, "no input of type Seatalk"),
        ("x", "NMEA0183", json!({"type":"gpsd","host":"x","port":2947}), 400, "NMEA0183 gpsd"),
        ("x", "NMEA0183", json!({"type":"tcp","port":"1"}), 400, "host is missing"),
        ("x", "NMEA0183", json!({"type":"tcp","host":"x","port":"1e9"}), 400, "host and port"),
        ("x", "NMEA0183", json!({}), 400, "NMEA0183"),
        ("x", "NMEA2000", json!({"type":"none"}), 400, "NMEA2000 none"),
        ("x", "SignalK", json!({"type":"wss","host":"x","port":1,"selfsignedcert":true}), 400, "fingerprint="),
        ("x", "FileStream", json!({"dataType":"NMEA0183","filename":"none.log"}), 409, "no such file"),
        ("", "NMEA0183", udp(1), 400, "provider ID"),
        ("a/b", "NMEA0183", udp(1), 400, "provider ID"),
        ("tcp", "NMEA0183", json!({"type":"tcp","host":"x","port":"1"}), 409, "already exists"),
        ("can2", "NMEA2000", json!({"type":"canbus-canboatjs","interface":"skiffnone0"}), 409, "is read already"),
    ] {
        let (found, said) = boat.ask("POST", "/skServer/providers/", &form(id, kind, options));
        assert!(found == status && said.as_str().is_some_and(|said| said.contains(wanted)), "{wanted}: {found} {said}");
    }
    let logging = json!({ "id": "x", "type": "NMEA0183", "logging": true, "options": udp(1) });
    assert!(boat.ask("POST", "/skServer/providers/", &logging).1.as_str().unwrap().contains("Data Logging"));
    for bad in [json!([]), json!({ "id": 7, "type": "NMEA0183", "options": {} }), json!({ "id": "x", "options": [] })] {
        assert_eq!(boat.ask("POST", "/skServer/providers/", &bad).0, 400, "{bad}");
    }
    // Changed, switched off, removed, and found again after a restart.
    let port = udp_port();
    let change = form("tcp", "NMEA0183", json!({ "type": "udp", "port": port.to_string() }));
    assert_eq!(boat.ask("PUT", "/skServer/providers/tcp", &change), (200, json!("Connection updated")));
    boat.until("input.tcp", |row| row["address"] == format!("udp://0.0.0.0:{port}") && row["state"] == "open");
    let mut off = form("ws", "SignalK", json!({"type":"ws","host":"127.0.0.1","port":"1"}));
    off["enabled"] = false.into();
    assert_eq!(boat.ask("PUT", "/skServer/providers/ws", &off).0, 200);
    assert_eq!(boat.ask("DELETE", "/skServer/providers/can", &Value::Null), (200, json!("Connection deleted")));
    assert_eq!(boat.ask("DELETE", "/skServer/providers/can", &Value::Null).0, 404);
    let boat = boat.restarted(&[]);
    let rows = boat.ask("GET", "/skServer/providers", &Value::Null).1;
    let ids: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, ["ngt", "yd", "w2k", "tcp", "serial", "ws", "sktcp"]);
    boat.until("input.ws", |row| row["state"] == "off" && row["enabled"] == false);
    boat.until("input.tcp", |row| row["state"] == "open");
}

#[test]
fn what_the_command_line_names_is_shown_and_stays() {
    let (port, out) = (free_port(), free_port());
    let settings = format!(
        r#"{{"skiff":{{"inputs":[{{"url":"tcp-listen://127.0.0.1:{port}","name":"late"}}]}},"pipedProviders":[{{"id":"js","enabled":true,"pipeElements":[{{"type":"a"}},{{"type":"b"}}]}}]}}"#
    );
    // The port of a row of the settings is taken: the gateway starts all the same, and says so.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let flags = ["--input", "serial:///dev/skiff-none", "--output", &format!("tcp-listen://127.0.0.1:{out}")];
    let boat = Boat::start(&settings, &flags);
    let row = boat.until("input.late", |row| row["state"] == "waiting");
    assert!(row["reason"].as_str().unwrap().contains("in use"), "{row}");
    boat.until("input.js", |row| row["state"] == "refused" && row["reason"].as_str().unwrap().contains("chain"));
    let rows = boat.ask("GET", "/skServer/providers", &Value::Null).1;
    let of = |id: &str| rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!((&of("skiff-none")["editable"], &of("js")["editable"]), (&json!(false), &json!(false)));
    let output = format!("output.tcp-listen:%2F%2F127.0.0.1:{out}");
    for (id, body) in
        [("input.skiff-none", json!({ "enabled": false })), (&output, json!({ "url": "udp://127.0.0.1:9" }))]
    {
        let target = format!("/skiff/v1/connections/{id}");
        for method in ["PUT", "DELETE"] {
            let (status, refused) = boat.ask(method, &target, &body);
            assert!(status == 409 && refused["error"].as_str().unwrap().contains("command line"), "{id}: {refused}");
        }
    }
    assert_eq!(boat.ask("DELETE", "/skServer/providers/skiff-none", &Value::Null).0, 409);
    // What it holds is not for JavaScript chains to lose: a change keeps them.
    let form = json!({ "id": "n", "type": "NMEA0183", "options": { "type": "udp", "port": udp_port() } });
    assert_eq!(boat.ask("POST", "/skServer/providers", &form).0, 200);
    assert_eq!(boat.stored()["pipedProviders"][0]["pipeElements"], json!([{ "type": "a" }, { "type": "b" }]));
    assert_eq!(boat.stored()["skiff"], Value::Null, "the other lists are those of settings.json");
    // Another name for what had a form: a row of its own.
    let target = "/skiff/v1/connections/input.n";
    let url = format!("udp://127.0.0.1:{}", udp_port());
    let (status, row) = boat.ask("PUT", target, &json!({ "url": url }));
    assert_eq!((status, &row["from"], &row["name"]), (200, &json!("skiff.inputs"), &json!("n")), "{row}");
    assert_eq!(boat.stored()["pipedProviders"].as_array().unwrap().len(), 1);
    // It is tried again by itself once its port is free.
    drop(taken);
    boat.until("input.late", |row| row["state"] == "open" || row["reason"] == "no client is connected");
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_reason() {
    let boat = Boat::start("{}", &[]);
    for (body, wanted) in [
        (json!([]), "object"),
        (json!({}), "direction and url are needed"),
        (json!({ "direction": "both", "url": "-" }), "input or output"),
        (json!({ "direction": "input", "url": "ftp://x" }), "no kind of input"),
        (json!({ "direction": "input", "url": "-" }), "command line"),
        (json!({ "direction": "input", "url": "a.log" }), "whole path"),
        (json!({ "direction": "input", "url": "ws://x:1?token-file=/etc/passwd" }), "the token itself"),
        (json!({ "direction": "output", "url": "influx://x:1?db=a&token_file=/etc/passwd" }), "skiff/secrets"),
        (json!({ "direction": "output", "url": "mqtt://me@x?password_file=/etc/passwd" }), "skiff/secrets"),
        (json!({ "direction": "input", "url": 7 }), "url must be a text"),
        (json!({ "direction": "input", "url": "udp://0.0.0.0:1", "name": "a/b" }), "name must be"),
        (json!({ "direction": "input", "url": "udp://0.0.0.0:1", "enabled": "yes" }), "true or false"),
        (json!({ "direction": "input", "url": "udp://0.0.0.0:1", "baud": 1 }), "no member"),
        (json!({ "direction": "output", "url": "can://can0" }), "no kind of output"),
        (json!({ "direction": "output", "url": "x".repeat(9000) }), "at most 8192 bytes"),
    ] {
        for target in ["/skiff/v1/connections", "/skiff/v1/connections/test"] {
            let (status, refused) = boat.ask("POST", target, &body);
            assert!(status == 400 && refused["error"].as_str().unwrap().contains(wanted), "{wanted}: {refused}");
        }
    }
    // A pipe would hold the bus up until somebody writes.
    let pipe = boat.home.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let body = json!({ "direction": "input", "url": pipe.to_str().unwrap() });
    let (status, refused) = boat.ask("POST", "/skiff/v1/connections", &body);
    assert!(status == 409 && refused["error"].as_str().unwrap().contains("no such file"), "{refused}");
    assert_eq!(boat.connections(), Vec::<Value>::new());
    // As many as there may be.
    for number in 0..33 {
        let body =
            json!({ "direction": "input", "url": "tcp://127.0.0.1:1", "name": format!("n{number}"), "enabled": false });
        assert_eq!(boat.ask("POST", "/skiff/v1/connections", &body).0, if number < 32 { 201 } else { 409 });
    }
    // In the sample nothing is kept.
    let sample = Gateway::start(boat.home.path(), &["--sample"]);
    let token = sample.token();
    let bearer = format!("Bearer {token}");
    let body = json!({ "direction": "input", "url": "tcp://127.0.0.1:1" }).to_string();
    let (status, _, refused) = sample.ask("POST", "/skiff/v1/connections", &[("Authorization", &bearer)], &body);
    assert!(status == 409 && refused.contains("no configuration folder"), "{refused}");
}

#[test]
fn an_address_is_tried_and_what_is_heard_is_told_and_nothing_of_it_reaches_the_boat() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sends = std::thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        client.write_all(SENTENCE).unwrap();
        client.write_all(b"$IIDBT,32.0,f,9.8,M,5.3,F*00\r\n").unwrap();
        // To its end.
        let _ = client.read_to_end(&mut Vec::new());
    });
    let boat = Boat::start("{}", &[]);
    let test = |url: &str, direction: &str| {
        boat.ask("POST", "/skiff/v1/connections/test", &json!({ "direction": direction, "url": url }))
    };
    let (status, heard) = test(&format!("tcp://127.0.0.1:{port}"), "input");
    assert_eq!((status, &heard["opens"], &heard["reason"]), (200, &json!(true), &Value::Null), "{heard}");
    assert_eq!(
        (&heard["heard"]["sentences"], &heard["paths"]),
        (&json!(2), &json!(["environment.depth.belowTransducer"]))
    );
    sends.join().unwrap();
    assert_eq!(boat.gateway.ask("GET", DEPTH, &[], "").0, 404);
    assert_eq!(boat.connections(), Vec::<Value>::new());
    let refused = free_port();
    let (_, heard) = test(&format!("tcp://127.0.0.1:{refused}"), "output");
    assert!(heard["opens"] == false && heard["reason"].as_str().unwrap().contains("refused"), "{heard}");
    let (_, heard) = test(&format!("udp://127.0.0.1:{refused}"), "output");
    assert_eq!(heard["opens"], true, "{heard}");
}

#[test]
fn another_server_is_asked_who_it_is_and_to_let_this_one_in() {
    let there = Boat::start("{}", &[]);
    let boat = Boat::start("{}", &[]);
    let port = there.gateway.authority.rsplit(':').next().unwrap().to_owned();
    let peer = |more: Value| {
        let mut body = json!({ "host": "127.0.0.1", "port": port, "useTLS": false });
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        body
    };
    let (_, answer) = boat.ask("POST", "/skServer/testSignalKConnection", &peer(json!({})));
    assert_eq!((&answer["success"], &answer["authenticated"]), (&json!(true), &json!(false)), "{answer}");
    assert!(answer["server"]["id"].is_string(), "{answer}");
    let (_, answer) = boat.ask("POST", "/skServer/testSignalKConnection", &peer(json!({ "token": there.token })));
    assert_eq!((&answer["success"], &answer["authenticated"]), (&json!(true), &json!(true)), "{answer}");
    let (_, answer) = boat.ask("POST", "/skServer/testSignalKConnection", &peer(json!({ "token": "none" })));
    assert_eq!((&answer["success"], &answer["connected"]), (&json!(false), &json!(true)), "{answer}");
    let wish = peer(json!({ "clientId": "skiff-1", "description": "Skiff" }));
    let (_, asked) = boat.ask("POST", "/skServer/requestAccess", &wish);
    assert_eq!(asked["state"], "PENDING", "{asked}");
    let check = peer(json!({ "requestId": asked["requestId"] }));
    assert_eq!(boat.ask("POST", "/skServer/checkAccessRequest", &check).1["state"], "PENDING");
    there.ask("PUT", "/skServer/security/access/requests/skiff-1/approved", &json!({ "permissions": "readonly" }));
    let (_, answer) = boat.ask("POST", "/skServer/checkAccessRequest", &check);
    assert_eq!(
        (&answer["state"], answer["accessRequest"]["token"].is_string()),
        (&json!("COMPLETED"), true),
        "{answer}"
    );
    for (route, body) in [
        ("checkAccessRequest", peer(json!({ "requestId": "../../x" }))),
        ("requestAccess", json!({ "host": "127.0.0.1" })),
    ] {
        assert_eq!(boat.ask("POST", &format!("/skServer/{route}"), &body).0, 400, "{route}");
    }
    let nobody = json!({ "host": "127.0.0.1", "port": free_port() });
    assert_eq!(boat.ask("POST", "/skServer/testSignalKConnection", &nobody).1["success"], false);
    let any = json!({ "host": "127.0.0.1", "port": 1, "useTLS": true, "selfsignedcert": true });
    let (_, answer) = boat.ask("POST", "/skServer/testSignalKConnection", &any);
    assert!(answer["error"].as_str().unwrap().contains("fingerprint="), "{answer}");
}
