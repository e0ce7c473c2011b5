//! A plugin with real sockets and a real serial line: the gateway on a virtual clock, the kernel below.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use skiff_gateway::hal::{DeviceFiles, StdNetwork};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::Vessel;
use skiff_runtime::gateway::{Gateway, Setup};
use skiff_runtime::hal::sim::{SimClock, SimRng, SimStorage};
use skiff_runtime::hal::{Hal, Key, Storage};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{Enabled, PluginState};
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

/// Looks until something has happened; each lets the kernel go on for a millisecond.
const TRIES: u32 = 5000;

/// Opens a UDP socket, a TCP connection and a serial port, and gives back what comes in at each `poll`.
fn echo(udp: u16, tcp: u16, device: &str) -> String {
    format!(
        r#"(module
            (import "env" "sk_udp_create" (func $udp (param i32) (result i32)))
            (import "env" "sk_udp_bind" (func $bind (param i32 i32) (result i32)))
            (import "env" "sk_udp_send" (func $send_to (param i32 i32 i32 i32 i32 i32) (result i32)))
            (import "env" "sk_udp_recv" (func $receive_from (param i32 i32 i32 i32 i32) (result i32)))
            (import "env" "sk_tcp_create" (func $tcp (result i32)))
            (import "env" "sk_tcp_connect" (func $connect (param i32 i32 i32 i32) (result i32)))
            (import "env" "sk_tcp_recv_line" (func $line (param i32 i32 i32) (result i32)))
            (import "env" "sk_tcp_send" (func $send (param i32 i32 i32) (result i32)))
            (import "env" "sk_serial_open" (func $open (param i32 i32 i32) (result i32)))
            (import "env" "sk_serial_read" (func $read (param i32 i32 i32) (result i32)))
            (import "env" "sk_serial_write" (func $write (param i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 16) "127.0.0.1") (data (i32.const 32) "{device}") (data (i32.const 160) "ready")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 8192))
            ;; 0 when every number is the expected one and nothing failed.
            (func (export "plugin_start") (param i32 i32) (result i32)
                (i32.or (i32.or (i32.or
                    (i32.ne (call $udp (i32.const 0)) (i32.const 1))
                    (i32.ne (call $tcp) (i32.const 2)))
                    (i32.or (i32.ne (call $open (i32.const 32) (i32.const {length}) (i32.const 4800)) (i32.const 1))
                    (i32.ne (call $open (i32.const 32) (i32.const {length}) (i32.const 4800)) (i32.const -1))))
                    (i32.or (i32.or (call $bind (i32.const 1) (i32.const 0))
                    (call $connect (i32.const 2) (i32.const 16) (i32.const 9) (i32.const {tcp})))
                    (i32.ne (call $send_to (i32.const 1) (i32.const 16) (i32.const 9) (i32.const {udp}) (i32.const 160) (i32.const 5)) (i32.const 5)))))
            (func (export "poll") (result i32) (local $count i32)
                (if (i32.gt_s (local.tee $count (call $receive_from (i32.const 1) (i32.const 1024) (i32.const 512) (i32.const 2048) (i32.const 2112))) (i32.const 0))
                    (then (drop (call $send_to (i32.const 1) (i32.const 2048) (i32.const 9) (i32.load16_u (i32.const 2112)) (i32.const 1024) (local.get $count)))))
                (if (i32.gt_s (local.tee $count (call $line (i32.const 2) (i32.const 1024) (i32.const 511))) (i32.const 0))
                    (then (i32.store8 (i32.add (i32.const 1024) (local.get $count)) (i32.const 10))
                          (drop (call $send (i32.const 2) (i32.const 1024) (i32.add (local.get $count) (i32.const 1))))))
                (if (i32.gt_s (local.tee $count (call $read (i32.const 1) (i32.const 1024) (i32.const 512))) (i32.const 0))
                    (then (drop (call $write (i32.const 1) (i32.const 1024) (local.get $count)))))
                (i32.const 0)))"#,
        length = device.len()
    )
}

struct Boat {
    gateway: Gateway,
    clock: SimClock,
}

impl Boat {
    /// Lets a virtual 50 ms and a real one pass.
    fn pass(&mut self) {
        self.clock.advance(Duration::from_millis(50));
        while self.gateway.poll().busy {}
        std::thread::park_timeout(Duration::from_millis(1));
    }

    fn until<T>(&mut self, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
        for _ in 0..TRIES {
            if let Some(done) = attempt() {
                return done;
            }
            self.pass();
        }
        panic!("{what} did not happen");
    }
}

#[test]
fn what_comes_in_by_socket_and_serial_line_goes_back_the_same_way() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&far).unwrap();
    unlockpt(&far).unwrap();
    let device = ptsname(&far, Vec::new()).unwrap().into_string().unwrap();
    rustix::io::ioctl_fionbio(&far, true).unwrap();
    udp.set_nonblocking(true).unwrap();
    tcp.set_nonblocking(true).unwrap();

    let guest = echo(udp.local_addr().unwrap().port(), tcp.local_addr().unwrap().port(), &device);
    let manifest = br#"{"name":"echo","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
        "wasmCapabilities":{"rawSockets":true,"serialPorts":true}}"#;
    let mut storage = SimStorage::new();
    let allowed = format!(r#"{{"echo":{{"serialPorts":["{device}"],"sockets":["127.0.0.1"]}}}}"#);
    storage.replace(&Key::parse("skiff/plugins.json").unwrap(), allowed.as_bytes()).unwrap();
    let clock = SimClock::new(UnixMillis(1_764_000_000_000));
    let hal = Hal {
        clock: Box::new(clock.clone()),
        rng: Box::new(SimRng::new(1)),
        storage: Box::new(storage),
        network: Some(Box::new(StdNetwork::new())),
        fetch: None,
        serial: Some(Box::new(DeviceFiles)),
        can: Vec::new(),
    };
    let setup = Setup {
        limits: Limits::of(Board::Linux),
        vessel: Vessel::default(),
        self_context: "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001".into(),
        access: Access::with_new_token(&mut SimRng::new(1)).0.allow_anyone(),
        strict: false,
        version: "test",
        events: false,
        poll_on_whole_seconds: false,
    };
    let mut gateway = Gateway::new(setup, hal);
    let package = Package::from_parts(manifest, wat::parse_str(guest).unwrap()).unwrap();
    gateway.install(package, Enabled::Always { config: None }).unwrap();
    let mut boat = Boat { gateway, clock };

    let mut buffer = [0; 64];
    let (count, plugin) = boat.until("first datagram", || udp.recv_from(&mut buffer).ok());
    assert_eq!(&buffer[..count], b"ready");
    let (mut stream, _) = boat.until("connection", || tcp.accept().ok());
    stream.set_nonblocking(true).unwrap();
    let shown = boat.gateway.plugins().find("echo").unwrap();
    assert_eq!(shown.state(), PluginState::Running, "{}", shown.status_message());

    udp.send_to(b"depth", plugin).unwrap();
    stream.write_all(b"$IIDPT,4.2\r\n").unwrap();
    rustix::io::write(&far, b"$PAMTC\r\n").unwrap();
    let count = boat.until("datagram", || udp.recv(&mut buffer).ok());
    assert_eq!(&buffer[..count], b"depth");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    boat.until("line", || reader.read_line(&mut line).ok());
    assert_eq!(line, "$IIDPT,4.2\n");
    let count = boat.until("sentence", || rustix::io::read(&far, &mut buffer).ok());
    assert_eq!(&buffer[..count], b"$PAMTC\r\n");

    boat.gateway.stop();
    let closed = boat.until("end of the connection", || reader.read_line(&mut line).ok());
    assert_eq!(closed, 0, "closed when the plugin stopped");
    assert!(boat.gateway.is_stopped());
}
