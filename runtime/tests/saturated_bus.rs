//! A saturated bus and one plugin that is busy all the time: no frame is lost.
//!
//! Time is virtual and made of bounds: each poll takes what its frames, a whole fuel slice and, where it loaded the
//! plugin, the predicted load take on a chip of 160 MHz (measured on the emulated board, `docs/memory.md`). Frames come
//! meanwhile, into a receive queue as long as the board's.

mod guests;

use core::time::Duration;

use guests::buffer_guest;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::Vessel;
use skiff_runtime::gateway::{Gateway, Setup};
use skiff_runtime::hal::sim::{SimCan, SimClock, SimRng, SimStorage};
use skiff_runtime::hal::{Can, CanFrame, CanPort, Clock, Hal};
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::n2k::sample::Sample;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Enabled;
use skiff_runtime::replay::SELF_CONTEXT;
use skiff_runtime::server::Access;
use skiff_runtime::time::UnixMillis;

/// Frames of 131 bits at 250 kbit/s.
const FRAMES_PER_SECOND: u64 = 1908;
/// Instructions of a frame from the queue to the model: 40,000, to which `cargo xtask qemu` holds the board.
const FRAME_NS: u64 = 250_000;
/// Instructions of a unit of fuel: 18.
const FUEL_NS_TENTHS: u64 = 1125;
/// Frames a poll takes at most.
const FRAMES_PER_POLL: u64 = 64;
const SECONDS: u64 = 12;

struct World {
    gateway: Gateway,
    bus: SimCan,
    clock: SimClock,
    sample: Sample,
    limits: Limits,
    /// Bytes of code of the plugin: what a load costs.
    load_us: u64,
    injected: u64,
    ns: u64,
    loads: u64,
    /// Polls that ended with the plugin inside a call or being loaded.
    busy_polls: u64,
    polls: u64,
}

impl World {
    fn new(guest: &str) -> Self {
        let limits = Limits::of(Board::QemuRiscv32);
        let (clock, bus) = (SimClock::new(UnixMillis(0)), SimCan::with_queue(usize::from(limits.can_queue_len)));
        let hal = Hal {
            clock: Box::new(clock.clone()),
            rng: Box::new(SimRng::new(1)),
            storage: Box::new(SimStorage::new()),
            network: None,
            fetch: None,
            serial: None,
            can: vec![CanPort { label: "can0".into(), can: Box::new(bus.clone()) }],
        };
        let setup = Setup {
            limits,
            vessel: Vessel::default(),
            self_context: SELF_CONTEXT.into(),
            access: Access::with_new_token(&mut SimRng::new(1)).0,
            strict: false,
            version: "0",
            events: false,
            poll_on_whole_seconds: false,
        };
        let wasm = wat::parse_str(guest).expect("the test's own module is well formed");
        let facts = ModuleFacts::read(&wasm, &limits.plugin).expect("the module is admitted");
        let mut package = Package::from_wasm("busy", wasm).expect("a module");
        package.capabilities = skiff_runtime::host::Capabilities::parse(r#"{"dataRead":true}"#);
        let mut gateway = Gateway::new(setup, hal);
        gateway.install(package, Enabled::Always { config: None }).expect("installs");
        Self {
            gateway,
            bus,
            clock,
            sample: Sample::new(1),
            load_us: facts.predicted_load_us(&limits.plugin),
            limits,
            injected: 0,
            ns: 0,
            loads: 0,
            busy_polls: 0,
            polls: 0,
        }
    }

    fn is_up(&self) -> bool {
        self.gateway.plugins().find("busy").is_some_and(|plugin| plugin.instance().is_some())
    }

    /// Polls once and lets the time pass that this takes on the board.
    fn poll(&mut self) {
        let (was_up, waiting) = (self.is_up(), self.frames());
        let busy = self.gateway.poll().busy;
        let taken = self.frames() - waiting;
        assert!(taken <= FRAMES_PER_POLL);
        let mut ns = taken * FRAME_NS + self.limits.plugin.fuel_per_slice * FUEL_NS_TENTHS / 10;
        if !was_up && self.is_up() {
            self.loads += 1;
            ns += self.load_us * 1000;
        }
        self.polls += 1;
        self.busy_polls += u64::from(busy);
        self.pass(ns);
    }

    fn pass(&mut self, ns: u64) {
        self.ns += ns;
        while self.injected * 1_000_000_000 / FRAMES_PER_SECOND <= self.ns {
            let (_, frame): (_, CanFrame) = self.sample.next_frame();
            self.bus.inject(frame, self.clock.now());
            self.injected += 1;
        }
        self.clock.advance(Duration::from_nanos(ns));
    }

    /// Frames the gateway has taken so far.
    fn frames(&self) -> u64 {
        let status = self.gateway.status_json();
        let from = status.find("\"frames\":").expect("the status counts frames") + 9;
        status[from..].split(',').next().and_then(|number| number.parse().ok()).expect("a number")
    }

    fn run(mut self) -> Self {
        while self.ns < SECONDS * 1_000_000_000 {
            self.poll();
        }
        assert_eq!(self.bus.lost(), 0, "frames were lost of {}", self.injected);
        let waiting = self.injected - self.frames();
        assert!(waiting <= u64::from(self.limits.can_queue_len), "{waiting} frames are neither taken nor waiting");
        self
    }
}

/// A function body that takes about so much fuel.
fn spin(fuel: u32) -> String {
    format!(
        "(local $left i32) (local.set $left (i32.const {}))
         (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))",
        fuel / 5
    )
}

fn started(body: &str) -> String {
    buffer_guest("", &format!(r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0)) {body}"#))
}

#[test]
fn a_plugin_that_is_always_inside_delta_handler_costs_no_frame() {
    let world =
        World::new(&started(&format!(r#"(func (export "delta_handler") (param i32 i32) {})"#, spin(15_000_000)))).run();
    assert!(world.busy_polls * 10 > world.polls * 9, "busy in {} polls of {}", world.busy_polls, world.polls);
}

#[test]
fn a_plugin_that_is_always_inside_poll_costs_no_frame() {
    let poll = format!(r#"(func (export "poll") (result i32) {} (i32.const 0))"#, spin(15_000_000));
    let world = World::new(&started(&poll)).run();
    assert!(world.busy_polls * 10 > world.polls * 6, "busy in {} polls of {}", world.busy_polls, world.polls);
}

#[test]
fn a_long_start_section_costs_no_frame() {
    let start = format!("(func $begin {}) (start $begin)", spin(25_000_000));
    let world = World::new(&started(&start)).run();
    assert!(world.busy_polls > 500, "busy in {} polls of {}", world.busy_polls, world.polls);
    assert!(world.is_up() && world.loads == 1);
}

#[test]
fn loads_of_the_largest_module_that_is_admitted_cost_no_frame() {
    // Each delta is a trap, so it is loaded again after one, two and four seconds.
    let limits = Limits::of(Board::QemuRiscv32).plugin;
    let bytes = limits.load_us_max as usize * 1000 / limits.load_ns_per_code_byte as usize;
    let filler = |bytes: usize| {
        // Four bytes each, in functions of no more than a thousand.
        let body = "(drop (i32.const 100))".repeat(220);
        format!("(func {body})").repeat(bytes / 1000)
    };
    let guest = |bytes: usize| {
        started(&format!(r#"(func (export "delta_handler") (param i32 i32) (unreachable)) {}"#, filler(bytes)))
    };
    let world = World::new(&guest(bytes * 8 / 10)).run();
    assert_eq!(world.loads, 4, "first load and three restarts");
    assert!(world.load_us * 10 > u64::from(limits.load_us_max) * 6, "{} us", world.load_us);
    let too_large = wat::parse_str(guest(bytes * 2)).unwrap();
    let refusal = ModuleFacts::read(&too_large, &limits).unwrap_err().to_string();
    assert!(refusal.contains("load time"), "{refusal}");
}

#[test]
fn the_slice_is_the_bound_of_wall_time_and_a_queue_that_is_too_short_loses() {
    let limits = Limits::of(Board::QemuRiscv32);
    let poll_ns = FRAMES_PER_POLL * FRAME_NS + limits.plugin.fuel_per_slice * FUEL_NS_TENTHS / 10;
    // What admission leaves of the queue beside the longest load is for a poll.
    let left_ns = u64::from(limits.can_queue_len) * 1_000_000_000 / FRAMES_PER_SECOND
        - u64::from(limits.plugin.load_us_max) * 1000;
    assert!(poll_ns < left_ns, "{poll_ns} of {left_ns} ns");
    // The same world with a bus that is not served for longer than its queue holds out does lose frames.
    let mut world = World::new(&started(""));
    world.pass(u64::from(limits.can_queue_len) * 1_000_000_000 / FRAMES_PER_SECOND + 10_000_000);
    assert!(world.bus.lost() > 0, "this test can fail");
}
