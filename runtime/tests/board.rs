//! What a board does beside data, on the simulated HAL: clock from the bus, log, firmware, factory reset, health.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::clock::BUILT_AFTER;
use skiff_runtime::config::Vessel;
use skiff_runtime::device::firmware::{HEADER_BYTES, Header, Start, Trial};
use skiff_runtime::device::wifi::{Station, WifiMode};
use skiff_runtime::device::{Health, LogRing, ResetReason, factory_reset};
use skiff_runtime::gateway::{BoardParts, Gateway, InputId, Restart, Setup, StreamOut};
use skiff_runtime::hal::sim::{SimClock, SimFirmware, SimRng, SimStorage};
use skiff_runtime::hal::{Clock, Hal, Logs};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::{Id, Payload, Pgn, SourceAddress};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Enabled;
use skiff_runtime::replay::SELF_CONTEXT;
use skiff_runtime::server::{Access, Response};
use skiff_runtime::time::{Instant, UnixMillis};

/// A board at its start, with what a test holds of it.
struct World {
    gateway: Gateway,
    clock: SimClock,
    input: InputId,
    token: String,
    storage: SimStorage,
}

#[derive(Clone)]
struct Ring(Arc<Mutex<LogRing>>);

impl Logs for Ring {
    fn tail(&mut self, lines: usize) -> String {
        self.0.lock().expect("no thread panicked").tail(lines)
    }
}

impl World {
    fn new(clock: SimClock, storage: SimStorage, parts: BoardParts) -> Self {
        let hal = Hal {
            clock: Box::new(clock.clone()),
            rng: Box::new(SimRng::new(1)),
            storage: Box::new(storage.clone()),
            network: None,
            fetch: None,
            serial: None,
            can: Vec::new(),
        };
        let (access, token) = Access::with_new_token(&mut SimRng::new(2));
        let setup = Setup {
            limits: Limits::of(Board::QemuRiscv32),
            vessel: Vessel::default(),
            self_context: SELF_CONTEXT.into(),
            access,
            strict: false,
            version: "1.0.0",
            events: false,
            poll_on_whole_seconds: false,
        };
        let mut gateway = Gateway::new(setup, hal);
        let input = gateway.input("can0");
        gateway.attach(parts);
        Self { gateway, clock, input, token: token.as_str().into(), storage }
    }

    fn without_wall(parts: BoardParts) -> Self {
        Self::new(SimClock::without_wall(), SimStorage::new(), parts)
    }

    fn hear(&mut self, pgn: u32, payload: &[u8]) {
        let id = Id { priority: 3, pgn: Pgn(pgn), source: SourceAddress(7), destination: 255 };
        let item = Item::Whole { id, payload: Payload::from_slice(payload).expect("short") };
        self.gateway.receive(self.input, &Record { time: None, item });
    }

    /// PGN 126992 from satellites; the boat's time is noon of the day after [`BUILT_AFTER`] at the start of the board.
    fn hear_time(&mut self) {
        let time = noon().0 + i64::try_from(self.clock.now().as_millis()).expect("soon");
        let days = u16::try_from(time / 86_400_000).expect("days");
        let tenths = u32::try_from(time % 86_400_000 * 10).expect("tenths");
        let payload = [&[1, 0xf0][..], &days.to_le_bytes(), &tenths.to_le_bytes()].concat();
        self.hear(126_992, &payload);
    }

    /// PGN 127251, rate of turn.
    fn hear_turn(&mut self) {
        self.hear(127_251, &[1, 0x10, 0x27, 0, 0, 0xff, 0xff, 0xff]);
    }

    fn run(&mut self, seconds: u64, mut each: impl FnMut(&mut Self)) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            each(self);
            self.gateway.poll();
        }
    }

    fn ask(&mut self, method: Method, target: &str, body: &[u8], token: bool) -> Response {
        let mut request = Request { body: body.to_vec(), ..Request::new(method, target) };
        if token {
            request.headers.push(("authorization".into(), format!("Bearer {}", self.token)));
        }
        let exchange = self.gateway.request(&request);
        self.gateway.poll();
        let (answered, response) = self.gateway.next_response().expect("an answer");
        assert_eq!(answered, exchange);
        response
    }

    fn get(&mut self, target: &str) -> (u16, String) {
        text(self.ask(Method::Get, target, &[], SECRETS.iter().any(|secret| target.starts_with(secret))))
    }

    fn post(&mut self, target: &str, body: &[u8]) -> (u16, String) {
        text(self.ask(Method::Post, target, body, true))
    }
}

fn text(response: Response) -> (u16, String) {
    (response.status, String::from_utf8(response.body.into_owned()).expect("text"))
}

/// What is read with the token only.
const SECRETS: [&str; 3] = ["/skiff/v1/log", "/skiff/v1/plugins/", "/plugins/signalk-logviewer/api/logs"];

fn noon() -> UnixMillis {
    UnixMillis(BUILT_AFTER.0 + 129_600_000)
}

const TURN: &str = "/signalk/v1/api/vessels/self/navigation/rateOfTurn";

#[test]
fn nothing_is_stamped_before_the_time_is_known() {
    let mut world = World::without_wall(BoardParts::default());
    let stream =
        world.gateway.open_stream(&Request::new(Method::Get, "/signalk/v1/stream?subscribe=all")).expect("open");
    world.run(2, World::hear_turn);
    let mut sent = String::new();
    while let StreamOut::Text(text) = world.gateway.stream_next(stream) {
        sent.push_str(&text);
    }
    assert!(sent.contains("rateOfTurn") && !sent.contains("timestamp"), "{sent}");
    let (status, leaf) = world.get(TURN);
    assert!(status == 200 && leaf.contains("\"value\"") && !leaf.contains("timestamp"), "{leaf}");
    assert!(world.get("/skiff/v1/status").1.contains(r#""clock":{"state":"unknown","jumps":0,"implausible":0}"#));

    world.run(6, World::hear_time);
    world.run(1, World::hear_turn);
    let (_, leaf) = world.get(TURN);
    assert!(leaf.contains("\"timestamp\":\"2026-11-02T12:00:09.000Z\""), "{leaf}");
    let (_, status) = world.get("/skiff/v1/status");
    assert!(status.contains(r#""clock":{"state":"followed","source":"can0.7","origin":"gnss""#), "{status}");
    assert_eq!(world.gateway.wall_clock(), Some(UnixMillis(noon().0 + 9_000)));
}

#[test]
fn sentences_set_the_clock_too() {
    let mut world = World::without_wall(BoardParts::default());
    for second in 0..6 {
        world.clock.advance(Duration::from_secs(1));
        let line = format!("$GPRMC,1200{second:02},A,6000.00,N,02400.00,E,0.0,0.0,021126,,");
        world.gateway.receive_sentence(world.input, &line, None);
    }
    assert_eq!(world.gateway.wall_clock(), Some(UnixMillis(noon().0 + 5_000)));
}

#[test]
fn a_hal_that_knows_the_time_is_left_alone() {
    let mut world = World::new(SimClock::new(UnixMillis(1_000)), SimStorage::new(), BoardParts::default());
    world.run(60, World::hear_time);
    assert_eq!(world.gateway.wall_clock(), Some(UnixMillis(61_000)));
    assert!(world.get("/skiff/v1/status").1.contains(r#""clock":{"state":"system"}"#));
}

#[test]
fn a_log_file_does_not_set_the_clock() {
    let mut world = World::without_wall(BoardParts::default());
    for second in 0..60_i64 {
        world.clock.advance(Duration::from_secs(1));
        let line = format!("$GPRMC,1200{second:02},A,6000.00,N,02400.00,E,0.0,0.0,021126,,");
        world.gateway.receive_sentence(world.input, &line, Some(UnixMillis(second)));
    }
    assert_eq!(world.gateway.wall_clock(), None);
}

#[test]
fn the_log_is_read_over_http() {
    let ring = Ring(Arc::new(Mutex::new(LogRing::new(4096))));
    let mut world = World::without_wall(BoardParts { log: Some(Box::new(ring.clone())), ..BoardParts::default() });
    assert_eq!(world.get("/skiff/v1/log"), (200, String::new()));
    for number in 0..10 {
        let line = format!("line {number}");
        ring.0.lock().expect("a lock").push(Instant(0), None, log::Level::Info, &line);
    }
    assert_eq!(world.get("/skiff/v1/log").1.lines().count(), 10);
    assert_eq!(world.get("/skiff/v1/log?lines=2"), (200, "[0.000] info: line 8\n[0.000] info: line 9\n".into()));
    assert_eq!(world.get("/skiff/v1/log?lines=many").0, 400);
    let away = Request { local: false, ..Request::new(Method::Get, "/skiff/v1/log") };
    world.gateway.request(&away);
    assert_eq!(world.gateway.next_response().expect("an answer").1.status, 401, "as every address, not for strangers");
    // Nobody has installed the log viewer.
    assert_eq!(world.get("/plugins/signalk-logviewer/api/logs").0, 404);
}

/// A plugin that emits one delta when it starts.
fn guest(name: &str) -> Package {
    let wasm = wat::parse_str(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 16) "{\"updates\":[{\"values\":[{\"path\":\"a.b\",\"value\":1}]}]}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "deallocate") (param i32 i32))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (call $emit (i32.const 16) (i32.const 51)) (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0)))"#,
    )
    .expect("the test's own module is well formed");
    let manifest = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "wasmCapabilities":{{"dataWrite":true}}}}"#
    );
    Package::from_parts(manifest.as_bytes(), wasm).expect("a package")
}

#[test]
fn the_log_viewer_is_answered_by_the_host() {
    let ring = Ring(Arc::new(Mutex::new(LogRing::new(4096))));
    let mut world = World::without_wall(BoardParts { log: Some(Box::new(ring.clone())), ..BoardParts::default() });
    world.gateway.install(guest("signalk-logviewer"), Enabled::Always { config: None }).expect("installed");
    world.run(3, |_| {});
    let address = "/plugins/signalk-logviewer/api/logs";
    assert_eq!(world.get(address).0, 404, "nothing was logged");
    for text in ["first", "say \"second\""] {
        ring.0.lock().expect("a lock").push(Instant(0), None, log::Level::Warn, &text);
    }
    let both = r#"{"lines":["[0.000] warning: first","[0.000] warning: say \"second\""],"count":2,"source":"skiff","format":"text"}"#;
    assert_eq!(world.get(address), (200, both.into()));
    assert!(world.get(&format!("{address}?lines=1")).1.contains(r#""count":1"#));
    assert_eq!(world.get(&format!("{address}?lines=x")).0, 400);
    assert_eq!(world.get("/plugins/signalk-logviewer/api/other").0, 404);
}

#[test]
fn what_a_plugin_emits_is_not_stamped_before_the_time_is_known() {
    let mut world = World::without_wall(BoardParts::default());
    world.gateway.install(guest("@acme/early"), Enabled::Always { config: None }).expect("installed");
    world.run(3, |_| {});
    let (status, leaf) = world.get("/signalk/v1/api/vessels/self/a/b");
    assert_eq!((status, leaf.as_str()), (200, r#"{"value":1,"$source":"@acme/early"}"#));
}

#[test]
fn what_a_board_does_not_have_says_so() {
    let mut world = World::without_wall(BoardParts::default());
    for (status, body) in [
        world.get("/skiff/v1/log"),
        world.get("/skiff/v1/firmware"),
        world.post("/skiff/v1/firmware?offset=0", &[0; 200]),
        world.post("/skiff/v1/factory-reset", &[]),
        world.get("/skiff/v1/wifi"),
        text(world.ask(Method::Put, "/skiff/v1/wifi", br#"{"ssid":"boat"}"#, true)),
        text(world.ask(Method::Delete, "/skiff/v1/wifi", &[], true)),
    ] {
        assert!(status == 501 && body.contains("this gateway"), "{status} {body}");
    }
}

fn image(letter: u8) -> Vec<u8> {
    (0..3000).map(|index: u32| letter ^ u8::try_from(index % 251).expect("a byte")).collect()
}

fn firmware_parts(flash: &SimFirmware, start: Start) -> BoardParts {
    BoardParts { firmware: Some(Box::new(flash.clone())), start: Some(start), ..BoardParts::default() }
}

#[test]
fn firmware_comes_in_pieces_is_tried_and_confirmed() {
    let flash = SimFirmware::new(4096, &image(1));
    let mut world = World::without_wall(firmware_parts(&flash, Start::Normal));
    let new = image(2);
    let file = [&Header::of(&new, 13, "2.0.0").expect("short").encode()[..], &new].concat();
    assert_eq!(text(world.ask(Method::Post, "/skiff/v1/firmware?offset=0", &file[..512], false)).0, 401);
    assert_eq!(world.post("/skiff/v1/firmware?offset=512", &file[512..1024]).0, 409);
    for (index, piece) in file.chunks(512).enumerate() {
        let (status, body) = world.post(&format!("/skiff/v1/firmware?offset={}", index * 512), piece);
        if (index + 1) * 512 < file.len() {
            assert_eq!(
                (status, body),
                (200, format!("{{\"received\":{},\"total\":{}}}", (index + 1) * 512, file.len()))
            );
            assert!(world.get("/skiff/v1/firmware").1.contains(r#""state":"receiving""#));
            assert_eq!(world.gateway.health(), Health::Updating);
            // A piece that comes twice is told where to go on, and the update is not lost.
            assert_eq!(world.post(&format!("/skiff/v1/firmware?offset={}", index * 512 + 1), piece).0, 409);
        } else {
            assert!(status == 202 && body.contains(r#""state":"restarting""#), "{status} {body}");
        }
    }
    assert_eq!(world.gateway.restart_due(), None);
    assert_eq!(world.post("/skiff/v1/firmware?offset=0", &file[..512]).0, 409);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.gateway.restart_due(), Some(Restart::Update));

    // The board restarts into it.
    flash.start();
    let mut storage = world.storage.clone();
    let start = Trial::start(&mut flash.clone(), &mut storage).expect("storage");
    let mut world = World::new(SimClock::without_wall(), storage, firmware_parts(&flash, start));
    assert!(world.get("/skiff/v1/firmware").1.contains(r#""state":"on-trial""#));
    world.run(70, World::hear_turn);
    assert!(world.get("/skiff/v1/firmware").1.contains(r#""state":"confirmed""#));
    assert_eq!((flash.bootable(new.len()), world.gateway.restart_due()), (new, None));
}

#[test]
fn firmware_that_nobody_hears_goes_back() {
    let (flash, storage) = (SimFirmware::new(4096, &image(1)), SimStorage::new());
    let mut world = World::new(SimClock::without_wall(), storage.clone(), firmware_parts(&flash, Start::Normal));
    let new = image(2);
    let file = [&Header::of(&new, 13, "2.0.0").expect("short").encode()[..], &new].concat();
    assert_eq!(world.post("/skiff/v1/firmware", &file).0, 202);
    flash.start();
    let start = Trial::start(&mut flash.clone(), &mut storage.clone()).expect("storage");
    let mut world = World::new(SimClock::without_wall(), storage.clone(), firmware_parts(&flash, start));
    world.gateway.set_network_up(false);
    world.run(599, World::hear_turn);
    assert_eq!(world.gateway.restart_due(), None);
    world.run(1, World::hear_turn);
    assert_eq!(world.gateway.restart_due(), Some(Restart::RollBack));
    flash.start();
    let start = Trial::start(&mut flash.clone(), &mut storage.clone()).expect("storage");
    let mut world = World::new(SimClock::without_wall(), storage, firmware_parts(&flash, start));
    let (_, state) = world.get("/skiff/v1/firmware");
    assert!(state.contains(r#""rolled_back":"2.0.0""#) && state.contains(r#""slot":0"#), "{state}");
    assert_eq!(flash.bootable(3000), image(1));
}

#[test]
fn an_update_that_stops_is_given_up() {
    let flash = SimFirmware::new(4096, &image(1));
    let mut world = World::without_wall(firmware_parts(&flash, Start::Normal));
    let file = [&Header::of(&image(2), 13, "2.0.0").expect("short").encode()[..], &image(2)].concat();
    assert_eq!(world.post("/skiff/v1/firmware", &file[..HEADER_BYTES + 100]).0, 200);
    world.run(121, |_| {});
    assert!(world.get("/skiff/v1/firmware").1.contains(r#""state":"confirmed""#));
    let mut damaged = file;
    damaged[HEADER_BYTES + 7] ^= 1;
    let (status, body) = world.post("/skiff/v1/firmware", &damaged);
    assert!(status == 400 && body.contains("SHA-256"), "{status} {body}");
}

#[test]
fn a_factory_reset_needs_the_token_and_happens_at_the_next_start() {
    let parts = BoardParts { factory_reset: true, reset_reason: Some(ResetReason::BrownOut), ..BoardParts::default() };
    let mut world = World::without_wall(parts);
    let (mut storage, mut rng) = (world.storage.clone(), SimRng::new(3));
    let (_, first) = Access::open_or_create(&mut storage, &mut rng).expect("written");
    assert!(first.is_some() && Access::open_or_create(&mut storage, &mut rng).expect("read").1.is_none());
    assert!(world.get("/skiff/v1/status").1.contains(r#""reset_reason":"brown-out""#));
    assert_eq!(text(world.ask(Method::Post, "/skiff/v1/factory-reset", &[], false)).0, 401);
    assert_eq!(factory_reset::finish(&mut storage), Ok(None));
    assert_eq!(world.post("/skiff/v1/factory-reset", &[]).0, 202);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.gateway.restart_due(), Some(Restart::FactoryReset));
    assert!(factory_reset::finish(&mut storage).expect("storage").expect("asked for").records >= 1);
    let (_, second) = Access::open_or_create(&mut storage, &mut rng).expect("written");
    assert!(second.is_some_and(|second| Some(second) != first), "a new token is made and told");
}

#[test]
fn the_network_to_join_is_set_with_the_token_and_its_password_is_never_told() {
    let parts = || BoardParts { wifi: Some(WifiMode::SetUp), ..BoardParts::default() };
    let mut world = World::without_wall(parts());
    let unset = (200, r#"{"ssid":null,"mode":"set-up","up":true}"#.to_owned());
    assert_eq!(text(world.ask(Method::Get, "/skiff/v1/wifi", &[], true)), unset);
    let body = br#"{"ssid":"boat \u2693","password":"fathoms-deep"}"#;
    assert_eq!(text(world.ask(Method::Put, "/skiff/v1/wifi", body, false)).0, 401);
    for wrong in [&b""[..], b"[]", br#"{"ssid":""}"#, br#"{"ssid":"a","password":"short"}"#, &[0xff; 8]] {
        assert_eq!(text(world.ask(Method::Put, "/skiff/v1/wifi", wrong, true)).0, 400, "{wrong:?}");
    }
    assert_eq!(world.gateway.restart_due(), None);
    assert_eq!(text(world.ask(Method::Put, "/skiff/v1/wifi", body, true)).0, 202);
    world.run(3, |_| {});
    assert_eq!(world.gateway.restart_due(), Some(Restart::Network));
    let stored = Station::load(&mut world.storage.clone()).unwrap();
    assert_eq!((stored.ssid.as_str(), stored.password.as_deref()), ("boat ⚓", Some("fathoms-deep")));
    // After the restart.
    let joined = BoardParts { wifi: Some(WifiMode::Join), ..parts() };
    let mut world = World::new(SimClock::without_wall(), world.storage, joined);
    world.gateway.set_network_up(false);
    let (status, told) = text(world.ask(Method::Get, "/skiff/v1/wifi", &[], true));
    assert_eq!((status, told.as_str()), (200, r#"{"ssid":"boat ⚓","mode":"join","up":false}"#));
    assert_eq!(text(world.ask(Method::Delete, "/skiff/v1/wifi", &[], false)).0, 401);
    assert_eq!(text(world.ask(Method::Delete, "/skiff/v1/wifi", &[], true)).0, 202);
    assert!(Station::load(&mut world.storage).is_none());
}

#[test]
fn the_light_shows_what_is_wrong() {
    let mut world = World::without_wall(BoardParts::default());
    assert_eq!(world.gateway.health(), Health::NoBus);
    world.run(1, World::hear_turn);
    assert_eq!(world.gateway.health(), Health::Good);
    world.gateway.set_network_up(false);
    assert_eq!(world.gateway.health(), Health::NoNetwork);
    world.run(30, |_| {});
    assert_eq!(world.gateway.health(), Health::NoBus);
    assert!(world.get("/skiff/v1/status").1.contains(r#""health":"no-bus""#));
}
