//! `skiff run --output`: NMEA 0183 and deltas over TCP and UDP, and clients that take nothing.

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use serde_json::Value;
use skiff_runtime::n2k::DeltaForm;
use skiff_runtime::n2k::log::{Format, LogReader, Mode};
use skiff_runtime::nmea0183::Sentences;
use skiff_runtime::time::UnixMillis;
use support::{Gateway, PATIENCE, assert_refused, run};
use tempfile::tempdir;

/// A client of an output: the lines it reads.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self.0.read_line(&mut line).unwrap();
        assert!(count > 0 && line.ends_with('\n'), "{line}");
        line
    }

    /// Reads until a line has `part` in it.
    fn line_with(&mut self, part: &str) -> String {
        self.line_with_all(&[part])
    }

    /// Reads until a line has each of `parts` in it.
    fn line_with_all(&mut self, parts: &[&str]) -> String {
        let started = std::time::Instant::now();
        loop {
            let line = self.line();
            if parts.iter().all(|part| line.contains(part)) {
                return line;
            }
            assert!(started.elapsed() < PATIENCE, "no {parts:?}");
        }
    }
}

/// Returns the address that an output says it gives data on.
fn address(gateway: &Gateway) -> String {
    // Not what is said of a client that came meanwhile.
    let line = loop {
        let line = gateway.said("tcp-listen://127.0.0.1:");
        if line.contains(": gives ") {
            break line;
        }
    };
    line.split("tcp-listen://").nth(1).unwrap().split(": ").next().unwrap().to_owned()
}

/// Path and value of what our own parser reads of a line.
fn read(line: &str) -> Vec<(String, Value)> {
    assert!(line.ends_with("\r\n"), "{line}");
    let form = DeltaForm::Stamped { self_context: "vessels.urn:mrn:signalk:uuid:0" };
    let delta = Sentences::new("out").delta(line, UnixMillis(1_780_308_000_000), form).unwrap().unwrap();
    let values = delta.updates().flat_map(|update| update.values().collect::<Vec<_>>()).collect::<Vec<_>>();
    values.into_iter().map(|(path, value)| (path.to_owned(), serde_json::from_str(value).unwrap())).collect()
}

fn value(line: &str, path: &str) -> Value {
    let values = read(line);
    values.iter().find(|(known, _)| known == path).unwrap_or_else(|| panic!("{path} is not in {line}")).1.clone()
}

#[test]
fn a_client_reads_position_and_wind_of_the_boat() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample", "--output", "tcp-listen://127.0.0.1:0?every=100"]);
    let address = address(&gateway);
    let mut client = Client::connect(&address);
    let position = value(&client.line_with("$IIRMC,"), "navigation.position");
    assert!(position["latitude"].is_number() && position["longitude"].is_number(), "{position}");
    assert!(value(&client.line_with_all(&["$IIMWV,", ",R,"]), "environment.wind.angleApparent").is_number());
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn only_the_sentences_asked_for_come_from_the_talker_given() {
    let home = tempdir().unwrap();
    let options = "tcp-listen://127.0.0.1:0?sentences=HDT,MWVR&talker=GP&every=100";
    let gateway = Gateway::start(home.path(), &["--sample", "--output", options]);
    let mut client = Client::connect(&address(&gateway));
    for _ in 0..20 {
        let line = client.line();
        assert!(line.starts_with("$GPHDT,") || line.starts_with("$GPMWV,"), "{line}");
    }
}

#[test]
fn datagrams_carry_a_sentence_each() {
    let home = tempdir().unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("udp://{}?sentences=DBT&every=100", receiver.local_addr().unwrap());
    let _gateway = Gateway::start(home.path(), &["--sample", "--output", &url]);
    let mut datagram = [0; 256];
    for _ in 0..3 {
        let count = receiver.recv(&mut datagram).unwrap();
        let line = std::str::from_utf8(&datagram[..count]).unwrap();
        assert!(value(line, "environment.depth.belowTransducer").is_number());
    }
}

#[test]
fn a_stream_of_deltas_begins_with_a_greeting() {
    let home = tempdir().unwrap();
    let options = ["--sample", "--output", "tcp-listen://127.0.0.1:0?format=deltas"];
    let gateway = Gateway::start(home.path(), &options);
    let mut client = Client::connect(&address(&gateway));
    // What a client says is not listened to.
    client.0.get_mut().write_all(b"{\"context\":\"*\"}\n").unwrap();
    let hello: Value = serde_json::from_str(&client.line()).unwrap();
    assert_eq!((&hello["name"], &hello["roles"]), (&Value::from("skiff"), &serde_json::json!(["master", "main"])));
    assert!(hello["self"].as_str().unwrap().starts_with("vessels."), "{hello}");
    let delta: Value = serde_json::from_str(&client.line_with("environment.wind")).unwrap();
    assert!(delta["context"].is_string() && delta["updates"][0]["values"].is_array(), "{delta}");
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody_and_no_more_than_sixteen_are_served() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample", "--output", "tcp-listen://127.0.0.1:0?every=50"]);
    let address = address(&gateway);
    let idle: Vec<_> = (0..15).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let mut client = Client::connect(&address);
    for _ in 0..50 {
        client.line();
    }
    // One more is refused: its connection ends.
    let mut refused = String::new();
    let more = TcpStream::connect(&address).unwrap();
    more.set_read_timeout(Some(PATIENCE)).unwrap();
    let count = BufReader::new(more).read_line(&mut refused).unwrap_or(0);
    assert_eq!((count, &*refused), (0, ""));
    gateway.said("refused, 16 clients are connected");
    client.line();
    drop(idle);
    assert_eq!(gateway.terminate(), Some(0));
}

#[test]
fn a_server_is_connected_to_again_when_it_went() {
    let home = tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}?sentences=HDT&every=50", listener.local_addr().unwrap());
    let _gateway = Gateway::start(home.path(), &["--sample", "--output", &url]);
    for _ in 0..2 {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(Client(BufReader::new(stream)).line().starts_with("$IIHDT,"));
    }
}

#[test]
fn who_listens_for_everyone_is_told_and_a_wrong_url_is_refused() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start(home.path(), &["--sample", "--output", "tcp-listen://0.0.0.0:0"]);
    gateway.said("NMEA 0183 for everyone who reaches this port; there is no login");
    let refused = |url: &str| run(home.path(), &["run", "--sample", "--listen", "127.0.0.1:0", "--output", url]);
    assert_refused(&refused("ftp://127.0.0.1:1"), 2, &["no kind of output", "tcp-listen://ADDR:PORT", "udp://"]);
    assert_refused(&refused("udp://127.0.0.1:1?sentences=XYZ"), 2, &["sentences are RMC, GGA", "MWV, XDR, AIS"]);
    assert_refused(&refused("udp://127.0.0.1:1?format=deltas"), 2, &["tcp-listen:// and tcp:// only"]);
}

#[test]
fn a_serial_port_gets_sentences_and_is_opened_again_when_it_was_unplugged() {
    let home = tempdir().unwrap();
    let path = home.path().join("ttyUSB0");
    let url = format!("serial://{}?sentences=HDT&every=50&baud=38400", path.display());
    let gateway = Gateway::start(home.path(), &["--sample", "--output", &url]);
    gateway.said("No such file");
    for _ in 0..2 {
        // Both ends of a line; the far one is the port.
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let name = ptsname(&end, Vec::new()).unwrap();
        let _ = std::fs::remove_file(&path);
        symlink(name.to_str().unwrap(), &path).unwrap();
        gateway.said(": open");
        let mut reader = BufReader::new(File::from(end));
        let mut line = String::new();
        // The first one can be a part.
        reader.read_line(&mut line).unwrap();
        line.clear();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("$IIHDT,") && line.ends_with("\r\n"), "{line:?}");
        drop(reader);
    }
}

#[test]
fn raw_frames_go_out_in_each_format_and_what_comes_back_is_not_put_on_a_bus() {
    let home = tempdir().unwrap();
    let outputs = ["ydwg", "candump", "n2kascii"].map(|format| format!("tcp-listen://127.0.0.1:0?format={format}"));
    let mut arguments = vec!["--sample"];
    outputs.iter().for_each(|url| arguments.extend(["--output", url]));
    let gateway = Gateway::start(home.path(), &arguments);
    let mut clients = outputs.each_ref().map(|_| Client::connect(&address(&gateway)));
    for (client, format) in clients.iter_mut().zip([Format::Ydwg, Format::Candump, Format::N2kAscii]) {
        let mut reader = LogReader::new(format, Mode::Fast);
        for _ in 0..20 {
            let line = client.line();
            assert!(reader.line(line.trim_end().as_bytes()).unwrap().is_some(), "{line}");
            assert_eq!(line.ends_with("\r\n"), format != Format::Candump, "{line:?}");
        }
    }
    let ydwg = clients[0].line();
    assert_eq!(ydwg.get(12..15), Some(" R "), "{ydwg}");
    clients[0].0.get_mut().write_all(b"09F11207 FF 10 3B 00 00 00 00 01\r\n").unwrap();
    gateway.said("PGN 127250, which is not put on the bus: relay of skiff/n2k.json does not allow it");
    let status = gateway.get_until("/skiff/v1/status", |body| body.contains("\"not_allowed\":1"));
    let status: Value = serde_json::from_str(&status).unwrap();
    let status = match &status["outputs"][0]["received"] {
        Value::Number(count) if count.as_u64() == Some(1) => status,
        // It is told once a second.
        _ => serde_json::from_str(&gateway.get_until("/skiff/v1/status", |body| body.contains("\"received\":1")))
            .unwrap(),
    };
    let output = &status["outputs"][0];
    assert_eq!((&output["format"], &output["state"], &output["clients"]), (&"ydwg".into(), &"open".into(), &1.into()));
    assert!(output["lines"].as_u64() > Some(20) && output["bytes"].as_u64() > Some(20 * 40), "{output}");
    assert_eq!(output["dropped"]["no_room"], 0);
    // A client that has gone is none any more.
    drop(clients);
    gateway.get_until("/skiff/v1/status", |body| {
        let status: Value = serde_json::from_str(body).unwrap();
        status["outputs"].as_array().unwrap().iter().all(|output| output["clients"] == 0)
    });
}

#[test]
fn datagrams_and_servers_get_frames_and_are_heard_too() {
    let home = tempdir().unwrap();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = format!("udp://{}?format=ydwg", receiver.local_addr().unwrap());
    let tcp = format!("tcp://{}?format=candump", listener.local_addr().unwrap());
    let gateway = Gateway::start(home.path(), &["--sample", "--output", &udp, "--output", &tcp]);
    let (mut server, _) = listener.accept().unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = [0; 64];
    assert!(server.read(&mut bytes).unwrap() > 0 && bytes[0] == b'(');
    let (count, from) = receiver.recv_from(&mut bytes).unwrap();
    assert!(bytes[..count].ends_with(b"\r\n"));
    receiver.send_to(b"09F11207 FF 10 3B 00 00 00 00 01", from).unwrap();
    server.write_all(b"can0 09F11207#FF103B0000000001\n").unwrap();
    gateway.get_until("/skiff/v1/status", |body| body.contains("\"not_allowed\":2"));
}
