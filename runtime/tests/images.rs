//! Plugins on the engine for chips, on a board whose flash is simulated: translated between ticks of the gateway, started from
//! flash, promised their memory; and what they may not do to each other.

mod guests;
mod tarball;

use std::time::Duration;

use guests::buffer_guest;
use skiff_runtime::budget::{Board, Engine, Fixed, Limits};
use skiff_runtime::flash::nor::{NorSim, Torn};
use skiff_runtime::flash::{FlashStorage, Layout, SECTOR_BYTES};
use skiff_runtime::gateway::{Boot, Gateway};
use skiff_runtime::hal::sim::{SimCan, SimClock, SimRng};
use skiff_runtime::hal::{CanFrame, CanPort, Clock, Hal, IMAGES_MADE, Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{Enabled, ExchangeId, Plugin, PluginState};
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

const ALARM: &[u8] = include_bytes!("../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
const WIND: &[u8] = include_bytes!("../../plugins/rust/true-wind/plugin.wasm");
/// Sectors of records, and of packages with their images: those of the ESP32-C6.
const RECORDS: u32 = 16;
const IMAGES: u32 = 64;
/// Polls in which everything on these boards comes to rest.
const POLLS_MAX: u32 = 20_000;

/// A board whose power can be cut and brought back.
struct Chip {
    flash: NorSim,
    clock: SimClock,
    can: SimCan,
    limits: Limits,
    records: u32,
    gateway: Gateway,
}

fn limits() -> Limits {
    let mut limits = Limits::of(Board::Esp32C6);
    limits.plugin.engine = Engine::Skiff;
    limits
}

fn flash(images: u32) -> NorSim {
    let flash = NorSim::new(u16::try_from(RECORDS + images).unwrap());
    flash.map();
    flash
}

fn mounted(flash: &NorSim) -> FlashStorage<NorSim> {
    let bytes = u32::try_from(flash.content().len()).unwrap();
    let layout = Layout { records: 0..RECORDS * SECTOR_BYTES, images: RECORDS * SECTOR_BYTES..bytes };
    FlashStorage::mount_or_format(flash.clone(), &layout).unwrap()
}

fn boot(flash: &NorSim, clock: &SimClock, can: &SimCan, limits: Limits) -> Gateway {
    let hal = Hal {
        clock: Box::new(clock.clone()),
        rng: Box::new(SimRng::new(5)),
        storage: Box::new(mounted(flash)),
        network: None,
        fetch: None,
        serial: None,
        can: vec![CanPort { label: "can0".into(), can: Box::new(can.clone()) }],
    };
    let access = Access::with_new_token(&mut SimRng::new(7)).0.allow_anyone();
    Gateway::boot(hal, Boot { access: Some(access), unattended: true, ..Boot::new(limits, "1.0.0") }).unwrap().gateway
}

impl Chip {
    fn new() -> Self {
        Self::with(limits(), IMAGES)
    }

    fn with(limits: Limits, images: u32) -> Self {
        let (flash, clock) = (flash(images), SimClock::new(UnixMillis::from_civil(2026, 6, 1, 0)));
        let can = SimCan::with_queue(usize::from(limits.can_queue_len));
        let gateway = boot(&flash, &clock, &can, limits);
        Self { flash, clock, can, limits, records: 0, gateway }
    }

    /// Starts again on what the flash holds.
    fn restart(&mut self) {
        self.flash.power_on();
        self.gateway = boot(&self.flash, &self.clock, &self.can, self.limits);
    }

    /// A plugin that lies in flash, as one of the firmware's own does.
    fn install(&mut self, name: &str, wasm: &[u8]) {
        let package =
            Package::from_parts(manifest(name, "1.0.0").as_bytes(), Vec::leak(wasm.to_vec()) as &[u8]).unwrap();
        self.gateway.install(package, Enabled::Always { config: None }).unwrap();
    }

    /// Polls once a millisecond, with a frame on the bus each time, until nothing is on its way up.
    fn settle(&mut self) {
        for _ in 0..POLLS_MAX {
            self.hear_depth();
            self.gateway.poll();
            self.clock.advance(Duration::from_millis(1));
            if !self.gateway.is_starting() {
                return;
            }
        }
        panic!("plugins are on their way up still");
    }

    fn pass(&mut self, millis: u64) {
        for _ in 0..millis {
            self.gateway.poll();
            self.clock.advance(Duration::from_millis(1));
        }
    }

    /// A device says its depth of water, PGN 128267.
    fn hear_depth(&mut self) {
        let data = [0xff, 0xf4, 0x01, 0, 0, 0, 0, 0xff];
        self.can.inject(CanFrame::new(0x0df5_0b07, &data).unwrap(), self.clock.now());
        self.records += 1;
    }

    fn plugin(&self, id: &str) -> &Plugin {
        self.gateway.plugins().find(id).unwrap()
    }

    fn state(&self, id: &str) -> (PluginState, String) {
        let plugin = self.plugin(id);
        (plugin.state(), plugin.reason().unwrap_or_default().to_owned())
    }

    /// Reserved and used, of the budget's row.
    fn row(&self, name: &str) -> (u64, Option<u64>) {
        let row = self.gateway.budget().into_iter().find(|row| row.name == name).unwrap();
        (row.reserved, row.used)
    }

    fn images(&self) -> usize {
        let mut count = 0;
        let mut visit = |_: &Key, _| {
            count += 1;
            core::ops::ControlFlow::Continue(())
        };
        mounted(&self.flash).list(IMAGES_MADE, &mut visit).unwrap();
        count
    }

    fn ask(&mut self, method: Method, target: &str, body: Vec<u8>) -> (u16, String) {
        let mut request = Request::new(method, target);
        (request.body, request.local) = (body, true);
        let exchange = self.gateway.request(&request);
        self.answer(exchange)
    }

    fn answer(&mut self, exchange: ExchangeId) -> (u16, String) {
        for _ in 0..POLLS_MAX {
            self.pass(1);
            while let Some((of, response)) = self.gateway.next_response() {
                if of == exchange {
                    return (response.status, String::from_utf8_lossy(&response.body).into_owned());
                }
            }
        }
        panic!("nobody answers");
    }
}

fn manifest(name: &str, version: &str) -> String {
    format!(
        r#"{{"name":"{name}","version":"{version}","keywords":["signalk-wasm-plugin"],"wasmManifest":"plugin.wasm"}}"#
    )
}

/// A plugin that writes to `first` chunks at its start, and to `more` each second.
fn writer(first: u32, more: u32) -> Vec<u8> {
    let text = format!(
        r#"(module (memory (export "memory") 1) (global $next (mut i32) (i32.const 0))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 0))
            (func $write (param $count i32)
                (block $done (loop $more
                    (br_if $done (i32.eqz (local.get $count)))
                    (i32.store (global.get $next) (i32.const 1))
                    (global.set $next (i32.add (global.get $next) (i32.const 1024)))
                    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                    (br $more))))
            (func (export "plugin_start") (param i32 i32) (result i32) (call $write (i32.const {first})) (i32.const 0))
            (func (export "poll") (result i32) (call $write (i32.const {more})) (i32.const 0)))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_plugin_is_translated_between_ticks_and_starts_from_flash() {
    let mut chip = Chip::new();
    chip.install("alarm", ALARM);
    let mut polls = 0;
    while chip.gateway.is_starting() {
        chip.hear_depth();
        chip.gateway.poll();
        chip.clock.advance(Duration::from_millis(1));
        polls += 1;
        if polls == 5 {
            let (state, reason) = chip.state("alarm");
            assert_eq!((state, reason.as_str()), (PluginState::Starting, "its module is being translated"));
            let (reserved, used) = chip.row("alarm");
            assert_eq!((reserved, used), (0, None), "it has no memory yet");
        }
        assert!(polls < POLLS_MAX);
    }
    assert!(polls > 20, "{polls} polls only: the bus had to wait");
    assert_eq!(chip.state("alarm"), (PluginState::Running, String::new()));
    chip.pass(5);
    let status = chip.gateway.status_json();
    assert!(status.contains(&format!("\"frames\":{}", chip.records)), "a frame was lost: {status}");
    let (reserved, used) = chip.row("alarm");
    let used = used.unwrap();
    assert!(used > 16 * 1024 && used <= reserved && reserved < 40 * 1024, "{used} of {reserved}");
    assert_eq!(chip.images(), 1);
    assert_eq!(chip.plugin("alarm").memory_used(), Some(used));

    // What is there is not written again, and takes no time.
    chip.restart();
    chip.install("alarm", ALARM);
    let steps = chip.flash.steps();
    chip.settle();
    assert_eq!((chip.state("alarm").0, chip.flash.steps()), (PluginState::Running, steps));
}

#[test]
fn an_image_lives_as_long_as_its_package() {
    let mut chip = Chip::new();
    let packed = |version, wasm: &[u8]| tarball::npm_pack(&manifest("@acme/tide", version), wasm);
    let (status, body) = chip.ask(Method::Post, "/skiff/v1/plugins", packed("1.0.0", WIND));
    assert!(status == 201 && body.contains("\"state\":\"running\""), "{status} {body}");
    chip.pass(5);
    assert_eq!(chip.images(), 1);
    let (status, body) = chip.ask(Method::Post, "/skiff/v1/plugins", packed("1.1.0", ALARM));
    assert!(status == 201 && body.contains("1.1.0"), "{status} {body}");
    chip.pass(2000);
    assert_eq!((chip.images(), chip.state("_acme_tide").0), (1, PluginState::Running), "the image before has gone");
    // A start finds package and image.
    chip.restart();
    let steps = chip.flash.steps();
    chip.settle();
    assert_eq!((chip.state("_acme_tide").0, chip.flash.steps()), (PluginState::Running, steps));
    let (status, body) = chip.ask(Method::Delete, "/skiff/v1/plugins/_acme_tide", Vec::new());
    assert_eq!(status, 200, "{body}");
    chip.pass(5);
    assert_eq!(chip.images(), 0);
}

#[test]
fn what_gets_no_image_says_why_and_the_others_run() {
    // Room for one image, not for both.
    let mut chip = Chip::with(limits(), 9);
    chip.install("alarm", ALARM);
    chip.settle();
    chip.install("wind", WIND);
    // The body of `plugin_start` gives no result.
    let body = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#;
    let mut invalid = wat::parse_str(buffer_guest("", body)).unwrap();
    let constant = invalid.windows(4).rposition(|bytes| bytes == [0x00, 0x41, 0x00, 0x0b]).unwrap();
    (invalid[constant + 1], invalid[constant + 2]) = (0x01, 0x01);
    chip.install("invalid", &invalid);
    chip.settle();
    assert_eq!(chip.state("alarm"), (PluginState::Running, String::new()));
    let (state, reason) = chip.state("wind");
    assert_eq!(state, PluginState::Error);
    assert!(reason.starts_with("does not fit: its image has 2") && reason.contains(" bytes, 0 are free"), "{reason}");
    let (state, reason) = chip.state("invalid");
    assert!(state == PluginState::Error && !reason.is_empty() && !reason.contains("does not fit"), "{reason}");
    chip.pass(10);
    let status = chip.gateway.status_json();
    assert!(status.contains(&format!("\"frames\":{}", chip.records)), "the gateway goes on: {status}");
}

#[test]
fn a_heap_too_small_for_the_translator_or_the_start_is_said_with_both_numbers() {
    let fixed = Fixed::of(&limits()).total();
    for (free, words) in [(6 * 1024, "does not fit: translating it may take "), (24 * 1024, "does not fit: ")] {
        let small = Limits { total_bytes: fixed + free, ..limits() };
        let mut chip = Chip::with(small, IMAGES);
        chip.install("alarm", ALARM);
        chip.settle();
        let (state, reason) = chip.state("alarm");
        assert_eq!(state, PluginState::Error);
        assert!(reason.starts_with(words) && reason.contains(&format!("{free}")), "{free}: {reason}");
        assert_eq!(chip.row("alarm"), (0, None));
        assert_eq!(chip.gateway.plugins().ledger().free(), free, "nothing is kept of a refused one");
    }
}

#[test]
fn a_power_cut_while_a_module_is_translated_costs_nothing_but_time() {
    let steps = {
        let mut chip = Chip::new();
        let before = chip.flash.steps();
        chip.install("wind", WIND);
        chip.settle();
        u32::try_from(chip.flash.steps() - before).unwrap()
    };
    assert!(steps > 1000, "{steps} words were written");
    for torn in [Torn::Nothing, Torn::Half, Torn::All] {
        for cut in (0..steps).step_by(usize::try_from(steps / 12).unwrap()) {
            let mut chip = Chip::new();
            chip.install("wind", WIND);
            chip.flash.cut_power_after(cut, torn);
            for _ in 0..POLLS_MAX {
                chip.pass(1);
                if chip.flash.is_without_power() || !chip.gateway.is_starting() {
                    break;
                }
            }
            chip.pass(3);
            chip.restart();
            chip.install("wind", WIND);
            chip.settle();
            assert_eq!(chip.state("wind"), (PluginState::Running, String::new()), "cut at {cut}, {torn:?}");
        }
    }
}

#[test]
fn three_share_a_pool_and_one_that_finds_no_chunk_ends_alone() {
    let mut chip = Chip::new();
    chip.install("alarm", ALARM);
    chip.install("modest", &writer(4, 0));
    chip.install("greedy", &writer(2, 3));
    chip.settle();
    for id in ["alarm", "modest", "greedy"] {
        assert_eq!(chip.state(id), (PluginState::Running, String::new()), "{id}");
    }
    let promised = ["alarm", "modest"].map(|name| chip.row(name).0);
    let total = chip.gateway.plugins().ledger().total();
    let mut most = 0;
    for _ in 0..60 {
        chip.hear_depth();
        chip.pass(1000);
        let reserved: u64 = chip.gateway.plugins().ledger().accounts().map(|(_, bytes)| bytes).sum();
        assert!(reserved <= total, "{reserved} of {total}");
        most = most.max(chip.row("greedy").1.unwrap_or(0));
        if chip.state("greedy").0 == PluginState::Crashed {
            break;
        }
    }
    let (state, reason) = chip.state("greedy");
    assert_eq!(state, PluginState::Crashed);
    assert!(reason.contains("poll: memory: none is left for what the plugin wrote"), "{reason}");
    assert!(most > 20 * 1024, "it got what nobody was promised: {most}");
    for (id, promised) in ["alarm", "modest"].into_iter().zip(promised) {
        assert_eq!(chip.state(id), (PluginState::Running, String::new()), "{id}");
        assert!(chip.row(id).0 >= promised, "{id} keeps what it was promised");
    }
}

#[test]
fn what_was_promised_is_there_whatever_another_one_takes() {
    let mut chip = Chip::new();
    // Takes all there is at once, chunk by chunk, and stays below its ceiling of 64.
    chip.install("first", &writer(1, 0));
    chip.install("late", &writer(2, 12));
    chip.install("greedy", &writer(40, 0));
    chip.settle();
    let late = chip.row("late");
    assert!(late.0 > late.1.unwrap() + 12 * 1024, "twelve chunks are promised: {late:?}");
    chip.pass(1100);
    assert_eq!(chip.state("late"), (PluginState::Running, String::new()));
    assert!(chip.row("late").1.unwrap() > 16 * 1024);
}

#[test]
fn the_operator_sets_what_a_plugin_is_promised() {
    let mut chip = Chip::new();
    let key = Key::parse("skiff/plugins.json").unwrap();
    mounted(&chip.flash).replace(&key, br#"{"modest":{"memoryBytes":50000}}"#).unwrap();
    chip.restart();
    chip.install("modest", &writer(1, 0));
    chip.settle();
    assert_eq!((chip.state("modest").0, chip.row("modest").0), (PluginState::Running, 50_000));
    // More than there is.
    mounted(&chip.flash).replace(&key, br#"{"modest":{"memoryBytes":500000}}"#).unwrap();
    chip.restart();
    chip.install("modest", &writer(1, 0));
    chip.settle();
    let (state, reason) = chip.state("modest");
    assert!(state == PluginState::Error && reason.starts_with("does not fit: 500000 bytes needed, "), "{reason}");
}
