use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use skiff_runtime::delta::DELTA_BYTES_MAX;
use skiff_runtime::n2k::log::{Format, bst};

use super::*;

const LONG: Duration = Duration::from_secs(60);
const LINE: &[u8] = b"10:00:00.012 R 09F11207 FF 10 3B\r\n";

/// Plays a link on a thread; short pauses, so that no test waits.
fn started(link: Link, format: Format) -> Receiver<InputEvent> {
    started_with(link, Wire::Records(format))
}

fn started_with(link: Link, wire: Wire) -> Receiver<InputEvent> {
    let (sender, events) = sync_channel(100);
    let send: Send = Arc::new(move |event| sender.send(event).is_ok());
    let back_off = BackOff { first: Duration::from_millis(1), max: Duration::from_millis(20) };
    let about = About { name: "test".into(), wire, own: "urn".into(), stop: Stop::new().unwrap() };
    thread::spawn(move || play(link, about, back_off, &send));
    events
}

/// Plays a link until it is ended, once `is_time` has come; returns when nothing of it is left.
fn ended(link: Link, is_time: impl Fn(&InputEvent) -> bool) {
    let (sender, events) = sync_channel(100);
    let send: Send = Arc::new(move |event| sender.send(event).is_ok());
    let stop = Stop::new().unwrap();
    let about = About { name: "test".into(), wire: Wire::Records(Format::Auto), own: "urn".into(), stop: stop.clone() };
    let back_off = BackOff { first: LONG, max: LONG };
    let thread = thread::spawn(move || play(link, about, back_off, &send));
    until(&events, |event| is_time(&event).then_some(()));
    stop.end();
    thread.join().unwrap();
    // The other end of the channel went with the threads: of clients, too.
    while let Ok(event) = events.recv_timeout(LONG) {
        assert!(!matches!(event, InputEvent::Record(_)), "it was over");
    }
}

#[test]
fn a_connection_ends_when_it_is_told_to_wherever_it_waits() {
    let waits = |event: &InputEvent| matches!(event, InputEvent::State(InputState::Waiting(_)));
    let is_open = |event: &InputEvent| matches!(event, InputEvent::State(InputState::Open));
    // For the next attempt, for clients, for datagrams, for bytes of a silent server, of a serial port.
    ended(Link::Serial { path: "/dev/there-is-none".into(), baud: 4800 }, waits);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    ended(Link::TcpListen(listener), waits);
    let listener = TcpListener::bind(address).expect("the port is free again");
    let client = TcpStream::connect(address).unwrap();
    ended(Link::TcpListen(listener), is_open);
    drop(client);
    let listener = TcpListener::bind(address).expect("the port is free again");
    ended(Link::Tcp(address.to_string()), is_open);
    drop(listener);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (address, sender) = (socket.local_addr().unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    sender.send_to(LINE, address).unwrap();
    ended(Link::Udp(socket), |event| matches!(event, InputEvent::Record(_)));
    UdpSocket::bind(address).expect("the port is free again");
}

/// Waits for an event of one kind, whatever comes before.
fn until<T>(events: &Receiver<InputEvent>, pick: impl Fn(InputEvent) -> Option<T>) -> T {
    loop {
        let event = events.recv_timeout(LONG).expect("it never happened");
        if let Some(found) = pick(event) {
            return found;
        }
    }
}

fn record(event: InputEvent) -> Option<Record> {
    match event {
        InputEvent::Record(record) => Some(record),
        _ => None,
    }
}

fn reason(event: InputEvent) -> Option<String> {
    match event {
        InputEvent::State(InputState::Waiting(reason)) => Some(reason),
        _ => None,
    }
}

fn open(event: InputEvent) -> Option<()> {
    matches!(event, InputEvent::State(InputState::Open)).then_some(())
}

#[test]
fn a_server_that_drops_is_connected_to_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let events = started(Link::Tcp(address.to_string()), Format::Auto);
    for _ in 0..3 {
        let (mut server, _) = listener.accept().unwrap();
        until(&events, open);
        server.write_all(LINE).unwrap();
        // Live data happen when they come, whatever the gateway says of the time.
        assert_eq!(until(&events, record).time, None);
        drop(server);
        assert!(until(&events, reason).contains("ended the connection"));
    }
    // Nobody listens for a while, and then again.
    drop(listener);
    for _ in 0..3 {
        assert!(!until(&events, reason).is_empty());
    }
    let listener = TcpListener::bind(address).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"$IIMTW,17.75,C\r\nnonsense\r\n").unwrap();
    let text = until(&events, |event| match event {
        InputEvent::Sentence { text, time: None } => Some(text),
        _ => None,
    });
    assert_eq!(text, "$IIMTW,17.75,C");
    until(&events, |event| matches!(event, InputEvent::Bad).then_some(()));
}

#[test]
fn clients_come_and_go_and_there_are_not_too_many() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let events = started(Link::TcpListen(listener), Format::Ydwg);
    assert_eq!(until(&events, reason), "no client is connected");
    let mut clients: Vec<_> = (0..CLIENTS_MAX).map(|_| TcpStream::connect(address).unwrap()).collect();
    for client in &mut clients {
        client.write_all(LINE).unwrap();
        until(&events, record);
    }
    // One more is refused: its end is closed.
    let mut refused = TcpStream::connect(address).unwrap();
    assert!(matches!(refused.read(&mut [0; 1]), Ok(0) | Err(_)));
    drop(clients);
    assert_eq!(until(&events, reason), "no client is connected");
    TcpStream::connect(address).unwrap().write_all(LINE).unwrap();
    until(&events, record);
}

#[test]
fn datagrams_need_no_end_of_line() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = socket.local_addr().unwrap();
    let events = started(Link::Udp(socket), Format::Auto);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..2 {
        sender.send_to(LINE.trim_ascii_end(), address).unwrap();
        until(&events, record);
    }
}

/// Makes a pair of serial ends, and links `path` to the far one.
fn adapter(path: &Path) -> File {
    let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&end).unwrap();
    unlockpt(&end).unwrap();
    let name = ptsname(&end, Vec::new()).unwrap();
    let _ = std::fs::remove_file(path);
    symlink(name.to_str().unwrap(), path).unwrap();
    File::from(end)
}

#[test]
fn an_adapter_that_is_unplugged_comes_back_and_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB0");
    let events = started(Link::Serial { path: path.clone(), baud: 115_200 }, Format::Ngt1);
    // Not there yet.
    assert!(until(&events, reason).contains("No such file"));
    for _ in 0..2 {
        let mut end = adapter(&path);
        until(&events, open);
        let mut command = vec![0; bst::start_command().len()];
        end.read_exact(&mut command).unwrap();
        assert_eq!(command, bst::start_command());
        // A heading from the bus, as the gateway sends it; the line must be raw for these bytes to pass.
        end.write_all(&[0x10, 2, 0x93, 0x13, 2, 0x12, 0xf1, 1, 0xff, 0xcc, 0xb1, 0x5d, 0x0a, 0, 8]).unwrap();
        end.write_all(&[0xff, 0x4b, 0xed, 0xff, 0x7f, 0xff, 0x7f, 0xfd, 0x39, 0x10, 3]).unwrap();
        until(&events, record);
        drop(end);
        assert!(!until(&events, reason).is_empty());
    }
}

fn remote(event: InputEvent) -> Option<String> {
    match event {
        InputEvent::Remote(text) => Some(text),
        _ => None,
    }
}

#[test]
fn deltas_are_lines_whatever_the_pieces_and_a_datagram_ends_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let events = started_with(Link::Tcp(listener.local_addr().unwrap().to_string()), Wire::Deltas);
    let (mut server, _) = listener.accept().unwrap();
    for piece in ["{\"self\":", "\"x\"}\r\n\r\n{\"updates\":[]}\n{", "}\n"] {
        server.write_all(piece.as_bytes()).unwrap();
        server.flush().unwrap();
    }
    let texts: Vec<String> = (0..3).map(|_| until(&events, remote).trim().to_owned()).collect();
    assert_eq!(texts, ["{\"self\":\"x\"}", "{\"updates\":[]}", "{}"]);
    // One that is too long is passed over, to its end.
    server.write_all(&[b'x'; DELTA_BYTES_MAX + 1]).unwrap();
    server.write_all(b"xx\n{\"a\":1}\n").unwrap();
    until(&events, |event| matches!(event, InputEvent::Bad).then_some(()));
    assert_eq!(until(&events, remote), "{\"a\":1}");

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let events = started_with(Link::Udp(socket), Wire::Deltas);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for text in ["{\"a\":1}", "{\"b\":2}\n{\"c\":3}"] {
        sender.send_to(text.as_bytes(), address).unwrap();
    }
    let texts: Vec<String> = (0..3).map(|_| until(&events, remote)).collect();
    assert_eq!(texts, ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
}
