//! One way to start a gateway: what its storage says holds on every board.

mod guests;
mod tarball;

use std::time::Duration;

use guests::buffer_guest;
use skiff_runtime::budget::{Board, Fixed, Limits};
use skiff_runtime::gateway::{Boot, BootError, Booted, BusPart, Gateway};
use skiff_runtime::hal::sim::{SimCan, SimClock, SimRng, SimStorage};
use skiff_runtime::hal::{CanFrame, CanPort, Clock, Hal, Key, Storage};
use skiff_runtime::host::{Fit, ModuleFacts};
use skiff_runtime::package::{Incoming, Package};
use skiff_runtime::plugin::{Enabled, Plugin, PluginState};
use skiff_runtime::time::UnixMillis;

/// A board, before it starts.
struct Bench {
    clock: SimClock,
    can: SimCan,
    storage: SimStorage,
}

impl Bench {
    fn new() -> Self {
        let clock = SimClock::new(UnixMillis::from_civil(2026, 6, 1, 0));
        Self { clock, can: SimCan::with_queue(64), storage: SimStorage::new() }
    }

    fn with(self, file: &str, text: &str) -> Self {
        self.storage.clone().replace(&Key::parse(file).unwrap(), text.as_bytes()).unwrap();
        self
    }

    fn hal(&self) -> Hal {
        Hal {
            clock: Box::new(self.clock.clone()),
            rng: Box::new(SimRng::new(5)),
            storage: Box::new(self.storage.clone()),
            network: None,
            fetch: None,
            serial: None,
            can: vec![CanPort { label: "can0".into(), can: Box::new(self.can.clone()) }],
        }
    }

    fn boot(&self, board: Board, bus: BusPart) -> Result<Booted, BootError> {
        Gateway::boot(self.hal(), Boot { bus, ..Boot::new(Limits::of(board), "1.0.0") })
    }

    fn run(&self, gateway: &mut Gateway, millis: u64) {
        for _ in 0..millis {
            gateway.poll();
            self.clock.advance(Duration::from_millis(1));
        }
    }

    /// A device says its depth of water, PGN 128267, in metres.
    fn hear_depth(&self, source: u32, metres: u32) {
        let mut data = [0xff; 8];
        data[1..5].copy_from_slice(&(metres * 100).to_le_bytes());
        data[5..7].copy_from_slice(&[0, 0]);
        self.can.inject(CanFrame::new(0x0df5_0b00 | source, &data).unwrap(), self.clock.now());
    }
}

const NODE: &str = r#"{"node":{"enabled":true,"address":42}}"#;

#[test]
fn every_board_takes_the_part_in_the_bus_that_its_file_says() {
    for board in Board::ALL {
        let bench = Bench::new().with("skiff/n2k.json", NODE);
        let mut gateway = bench.boot(board, BusPart::AsConfigured).unwrap().gateway;
        bench.run(&mut gateway, 1000);
        let status = gateway.status_json();
        assert!(status.contains(r#""node":{"state":"claimed","address":42,"#), "{board:?}: {status}");
        let silent = Bench::new();
        let mut gateway = silent.boot(board, BusPart::AsConfigured).unwrap().gateway;
        silent.run(&mut gateway, 1000);
        assert_eq!(silent.can.take_sent(), [], "{board:?}");
        let status = gateway.status_json();
        assert!(status.contains(r#""node":null,"devices""#), "{board:?}: {status}");
    }
}

#[test]
fn the_command_line_switches_the_node_on_where_the_file_does_not_speak_of_it() {
    let bench = Bench::new();
    let mut gateway = bench.boot(Board::Linux, BusPart::Node).unwrap().gateway;
    bench.run(&mut gateway, 1000);
    assert!(gateway.status_json().contains(r#""state":"claimed""#));
}

#[test]
fn a_firmware_that_only_listens_says_so_and_sends_nothing() {
    let file = r#"{"node":{"enabled":true},"send":["environment.wind.*"]}"#;
    let bench = Bench::new().with("skiff/n2k.json", file);
    let mut gateway = bench.boot(Board::Esp32C6, BusPart::ListenOnly).unwrap().gateway;
    bench.run(&mut gateway, 1000);
    assert_eq!(bench.can.take_sent(), []);
    let status = gateway.status_json();
    assert!(status.contains(r#""node":null,"only_listens":true,"#) && !status.contains("\"sending\""), "{status}");
}

#[test]
fn every_board_prefers_the_sources_that_its_settings_name() {
    let settings = r#"{"sourcePriorities":{"environment.depth.belowTransducer":[
        {"sourceRef":"can0.7","timeout":0},{"sourceRef":"can0.8","timeout":60000}]}}"#;
    for board in Board::ALL {
        let bench = Bench::new().with("settings.json", settings);
        let mut gateway = bench.boot(board, BusPart::AsConfigured).unwrap().gateway;
        for (source, metres) in [(7, 5), (8, 90)] {
            bench.hear_depth(source, metres);
            bench.run(&mut gateway, 10);
        }
        let status = gateway.status_json();
        assert!(status.contains(r#""not_preferred":1"#), "{board:?}: {status}");
    }
}

#[test]
fn every_board_tells_the_call_sign_of_its_settings() {
    for board in Board::ALL {
        let bench = Bench::new().with("settings.json", r#"{"vessel":{"callsignVhf":"OH1234"}}"#);
        let gateway = bench.boot(board, BusPart::AsConfigured).unwrap().gateway;
        let sign = gateway.model().json_at(&["vessels", "self", "communication", "callsignVhf"]);
        assert_eq!(sign.map(|text| text.to_string()).as_deref(), Some("\"OH1234\""), "{board:?}");
    }
}

#[test]
fn who_it_is_and_who_may_change_it_are_made_once() {
    let bench = Bench::new().with("settings.json", r#"{"vessel":{"name":"Pinta"}}"#);
    let first = bench.boot(Board::Esp32C6, BusPart::AsConfigured).unwrap();
    assert!(first.token.is_some_and(|token| token.as_str().len() == 64));
    let second = bench.boot(Board::Esp32C6, BusPart::AsConfigured).unwrap();
    assert!(second.token.is_none());
    assert_eq!(first.gateway.self_context(), second.gateway.self_context());
    let name = second.gateway.model().json_at(&["vessels", "self", "name"]);
    assert_eq!(name.map(|text| text.to_string()).as_deref(), Some("\"Pinta\""));
}

#[test]
fn a_file_that_cannot_be_meant_is_named_and_nothing_is_made_before() {
    for (file, text, clause) in [
        ("settings.json", "{", "settings.json: not a JSON object"),
        ("settings.json", r#"{"sourcePriorities":7}"#, "settings.json: sourcePriorities must be"),
        ("skiff/n2k.json", r#"{"node":7}"#, "skiff/n2k.json: node must be"),
    ] {
        let bench = Bench::new().with(file, text);
        let error = bench.boot(Board::Esp32C6, BusPart::AsConfigured).err().unwrap().to_string();
        assert!(error.starts_with(clause), "{error}");
        for made in ["skiff/identity.json", "skiff/auth.json"] {
            assert!(bench.storage.clone().len(&Key::parse(made).unwrap()).is_err(), "{clause}: {made}");
        }
    }
}

#[test]
fn where_nobody_could_mend_a_file_the_board_starts_with_the_defaults() {
    for (file, text) in [
        ("skiff/n2k.json", "{"),
        ("skiff/n2k.json", r#"{"node":7}"#),
        ("skiff/n2k.json", r#"{"node":{"enabled":true,"address":999}}"#),
        ("skiff/n2k.json", r#"{"send":["environment.*"]}"#),
        ("settings.json", r#"{"sourcePriorities":7}"#),
    ] {
        let bench = Bench::new().with(file, text);
        let boot = Boot { unattended: true, ..Boot::new(Limits::of(Board::Esp32C6), "1.0.0") };
        let mut gateway = Gateway::boot(bench.hal(), boot).unwrap().gateway;
        bench.hear_depth(7, 5);
        bench.run(&mut gateway, 1000);
        let status = gateway.status_json();
        assert!(
            status.contains(r#""node":null,"devices""#) && status.contains(r#""not_preferred":0"#),
            "{file} {text}: {status}"
        );
        assert_eq!(bench.can.take_sent(), [], "{file} {text}");
        let depth = gateway.model().json_at(&["vessels", "self", "environment", "depth", "belowTransducer", "value"]);
        assert_eq!(depth.map(|value| value.to_string()).as_deref(), Some("5"), "{file} {text}");
        // The file is left as it is, for its owner to mend.
        assert_eq!(bench.storage.clone().read_all(&Key::parse(file).unwrap(), 100).unwrap(), text.as_bytes());
    }
    // What says who the vessel is, or whether plugins may run, is not guessed anywhere.
    let bench = Bench::new().with("settings.json", "{");
    let boot = Boot { unattended: true, ..Boot::new(Limits::of(Board::Esp32C6), "1.0.0") };
    assert!(Gateway::boot(bench.hal(), boot).is_err());
}

/// A guest that starts, with this many functions that take heap when they are translated.
fn guest(functions: usize) -> Vec<u8> {
    let own = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
        (func (export "plugin_stop") (result i32) (i32.const 0))"#;
    let others = "(func (result i32) (i32.add (i32.const 1) (i32.const 2)))".repeat(functions);
    wat::parse_str(buffer_guest("", &format!("{own}{others}"))).unwrap()
}

fn stored(bench: &Bench, name: &str) {
    let json = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#
    );
    let tgz = tarball::npm_pack(&json, &guest(0));
    let incoming = Incoming::read(&tgz, &Limits::of(Board::Linux)).unwrap();
    incoming.save(&mut bench.storage.clone()).unwrap();
}

#[test]
fn stored_packages_run_unless_the_settings_switch_plugins_off() {
    let bench = Bench::new().with("skiff/packages/broken.pkg", "no record");
    stored(&bench, "@acme/tide");
    let Booted { mut gateway, runs_plugins, .. } = bench.boot(Board::QemuRiscv32, BusPart::AsConfigured).unwrap();
    assert!(runs_plugins);
    bench.run(&mut gateway, 100);
    let states: Vec<_> = gateway.plugins().plugins().map(|plugin| (plugin.package_name(), plugin.state())).collect();
    assert_eq!(states, [("@acme/tide", PluginState::Running)]);
    let off = bench.with("settings.json", r#"{"interfaces":{"wasm":false}}"#);
    let Booted { gateway, runs_plugins, .. } = off.boot(Board::QemuRiscv32, BusPart::AsConfigured).unwrap();
    assert_eq!((runs_plugins, gateway.plugins().plugins().count()), (false, 0));
}

#[test]
fn a_stored_package_without_a_configuration_waits_where_the_host_wants_that() {
    let bench = Bench::new();
    stored(&bench, "@acme/tide");
    let boot = Boot { stored: Enabled::FromConfig, ..Boot::new(Limits::of(Board::Linux), "1.0.0") };
    let mut gateway = Gateway::boot(bench.hal(), boot).unwrap().gateway;
    bench.run(&mut gateway, 100);
    assert_eq!(gateway.plugins().find("_acme_tide").map(Plugin::state), Some(PluginState::Stopped));
}

#[test]
fn what_check_refuses_on_an_empty_board_is_a_row_with_the_state_error() {
    for board in Board::ALL {
        let limits = Limits::of(board);
        let fixed = Fixed::of(&limits);
        let mut seen = [false; 2];
        for functions in [0, 40, 160, 400] {
            let package = Package::from_wasm("guest", guest(functions)).unwrap();
            let fits = Fit::of(&ModuleFacts::survey(&package.wasm).unwrap(), &package.capabilities, &limits).fits();
            let bench = Bench::new();
            let mut gateway = bench.boot(board, BusPart::AsConfigured).unwrap().gateway;
            assert_eq!(gateway.plugins().ledger().free(), limits.total_bytes - fixed.total(), "{board:?}");
            gateway.install(package, Enabled::Always { config: None }).unwrap();
            bench.run(&mut gateway, 50);
            let plugin = gateway.plugins().find("guest").unwrap();
            assert_eq!(plugin.state() == PluginState::Error, !fits, "{board:?}, {functions}: {:?}", plugin.reason());
            seen[usize::from(fits)] = true;
        }
        if board == Board::Esp32C6 {
            assert_eq!(seen, [true; 2], "both verdicts were tried");
        }
    }
}
