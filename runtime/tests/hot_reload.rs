//! A new version takes the place of the old one: nothing lost, nothing doubled, and back when it fails.

mod counting;
mod sample_world;

use counting::Counting;
use sample_world::{bare_package, request};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::gateway::{Event, StreamId};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample::START;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{ReplaceError, State};
use skiff_runtime::replay::Replay;
use skiff_runtime::server::Method;
use skiff_runtime::time::UnixMillis;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Digits of a number that is fed in.
const DIGITS: usize = 7;

/// A plugin that answers each delta of the test with its number, once for each time it is called with it.
///
/// `version` is its status; `start` the body of `plugin_start`; `pages` its memory.
fn echo(version: char, start: &str, pages: u32) -> Package {
    let head = r#"{"updates":[{"values":[{"path":"echo","value":"#;
    let tail = "}]}]}";
    let (digits_at, length, from_end) = (64 + head.len(), head.len() + DIGITS + tail.len(), DIGITS + tail.len());
    let template = format!("{head}{:0DIGITS$}{tail}", 0).replace('"', "\\\"");
    let wasm = wat::parse_str(format!(
        r#"(module
            (import "env" "sk_handle_message" (func $emit (param i32 i32 i32)))
            (import "env" "sk_set_status" (func $status (param i32 i32)))
            (memory (export "memory") {pages})
            (data (i32.const 16) "{version}")
            (data (i32.const 64) "{template}")
            (data (i32.const 200) "\"test\"")
            (global $next (mut i32) (i32.const 4096))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param $p i32) (param $n i32)
                (global.set $next (i32.sub (global.get $next) (local.get $n))))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (call $status (i32.const 16) (i32.const 1)) {start} (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "delta_handler") (param $p i32) (param $n i32)
                (local $at i32)
                ;; only deltas with the path "test": six bytes, then ,"value":
                (local.set $at (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const {from_end})))
                (if (i32.eq (i32.load (i32.sub (local.get $at) (i32.const 15))) (i32.load (i32.const 200)))
                    (then
                        (memory.copy (i32.const {digits_at}) (local.get $at) (i32.const {DIGITS}))
                        (call $emit (i32.const 64) (i32.const {length}) (i32.const 1))))))"#
    ))
    .unwrap_or_else(|error| panic!("{error}"));
    bare_package("echo", wasm)
}

struct World {
    replay: Replay,
    client: StreamId,
    now: UnixMillis,
    fed: u32,
    echoed: Vec<u32>,
}

impl World {
    fn new(limits: Limits, package: Package) -> Self {
        let mut replay = Replay::new(limits, "test", START, false);
        replay.install(package, None).unwrap();
        let client = replay.gateway_mut().open_stream(&request(Method::Get, "/signalk/v1/stream", "")).unwrap();
        let mut world = Self { replay, client, now: START, fed: 0, echoed: Vec::new() };
        world.settle();
        world
    }

    /// Feeds the next number and lets the gateway work once: reloads and deltas overlap.
    fn feed(&mut self) {
        self.fed += 1;
        let delta = format!(
            "{{\"updates\":[{{\"$source\":\"test\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"values\":[{{\"path\":\"test\",\"value\":{:07}}}]}}]}}",
            1_000_000 + self.fed
        );
        self.replay.gateway_mut().stream_receive(self.client, &delta);
        self.poll();
    }

    fn poll(&mut self) -> bool {
        let wake = self.replay.gateway_mut().poll();
        while let Some(event) = self.replay.gateway_mut().next_event() {
            let Event::Emitted { delta, .. } = event;
            let value = delta.updates().flat_map(|update| update.values().collect::<Vec<_>>()).next();
            self.echoed.extend(value.filter(|(path, _)| *path == "echo").and_then(|(_, raw)| raw.parse::<u32>().ok()));
        }
        wake.busy
    }

    fn settle(&mut self) {
        while self.poll() {}
    }

    /// Lets time pass: a frame that nobody maps carries it.
    fn pass(&mut self, millis: i64) {
        self.now.0 += millis;
        let frame = CanFrame::new(0x1DEF_FF00 & 0x1FFF_FFFF, &[0; 8]).unwrap();
        self.replay.record(1, &Record { time: Some(self.now), item: Item::Frame(frame) });
        while self.replay.next_line().is_some() {}
    }

    fn plugin(&self) -> &skiff_runtime::plugin::Plugin {
        self.replay.gateway().plugins().find("echo").unwrap()
    }

    fn all_numbers(&self) -> Vec<u32> {
        (1..=self.fed).map(|number| 1_000_000 + number).collect()
    }
}

#[test]
fn a_thousand_reloads_under_two_thousand_deltas_a_second_lose_and_double_nothing() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    assert_eq!(world.plugin().state(), State::Running, "{:?}", world.plugin().reason());
    let versions = [echo('b', "", 1), echo('a', "", 1)];
    let mut heap = Vec::with_capacity(1000);
    for reload in 0..1000 {
        let version = versions[reload % 2].clone();
        world.replay.gateway_mut().replace(version).unwrap_or_else(|error| panic!("reload {reload}: {error}"));
        for _ in 0..10 {
            world.feed();
        }
        world.settle();
        world.pass(5);
        assert_eq!(world.plugin().status(), Some(["b", "a"][reload % 2]));
        assert_eq!(world.echoed.len(), world.fed as usize, "after reload {reload}");
        heap.push(counting::now() - (world.echoed.capacity() * size_of::<u32>()) as i64);
    }
    assert_eq!(world.echoed, world.all_numbers());
    assert_eq!(world.plugin().drops().total(), 0);
    let (early, late) = (heap[200], heap[999]);
    assert!(late - early < 4096, "heap grew from {early} to {late} bytes over 800 reloads");
}

#[test]
fn a_version_that_fails_to_start_leaves_the_old_one_at_work() {
    for (start, reason) in [("(return (i32.const 7))", "error code: 7"), ("(unreachable)", "unreachable")] {
        let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
        world.replay.gateway_mut().replace(echo('b', start, 1)).unwrap();
        for _ in 0..20 {
            world.feed();
        }
        world.settle();
        assert_eq!((world.plugin().state(), world.plugin().status()), (State::Running, Some("a")));
        assert_eq!(world.echoed, world.all_numbers());
        let log: Vec<&str> = world.plugin().log_lines().collect();
        assert!(log.iter().any(|line| line.contains("new version refused") && line.contains(reason)), "{log:?}");
        // The next good one is taken.
        world.replay.gateway_mut().replace(echo('c', "", 1)).unwrap();
        world.settle();
        assert_eq!(world.plugin().status(), Some("c"));
    }
}

#[test]
fn a_module_that_is_refused_changes_nothing() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    let no_plugin = bare_package("echo", b"\0asm\x01\0\0\0".to_vec());
    assert!(matches!(world.replay.gateway_mut().replace(no_plugin), Err(ReplaceError::Refused(_))));
    let stranger = bare_package("stranger", echo('b', "", 1).wasm.to_vec());
    assert_eq!(world.replay.gateway_mut().replace(stranger), Err(ReplaceError::NotFound));
    world.replay.gateway_mut().replace(echo('b', "", 1)).unwrap();
    assert_eq!(world.replay.gateway_mut().replace(echo('c', "", 1)), Err(ReplaceError::Busy));
    world.feed();
    world.settle();
    assert_eq!((world.echoed.len(), world.plugin().status()), (1, Some("b")));
}

/// A board where two instances of `echo` with two pages do not fit at the same time.
fn narrow() -> Limits {
    let package = echo('a', "", 2);
    let facts = skiff_runtime::host::ModuleFacts::read(&package.wasm, &Limits::of(Board::Linux).plugin).unwrap();
    Limits { total_bytes: facts.reserved_bytes(&Limits::of(Board::Linux).plugin) * 3 / 2, ..Limits::of(Board::Linux) }
}

#[test]
fn where_two_do_not_fit_the_old_one_stops_first_and_deltas_wait() {
    let mut world = World::new(narrow(), echo('a', "", 2));
    for reload in 0..50 {
        let version = if reload % 2 == 0 { 'b' } else { 'a' };
        world.replay.gateway_mut().replace(echo(version, "", 2)).unwrap();
        for _ in 0..10 {
            world.feed();
        }
        world.settle();
        assert_eq!(world.plugin().state(), State::Running, "{:?}", world.plugin().reason());
    }
    assert_eq!(world.echoed, world.all_numbers());
}

#[test]
fn where_two_do_not_fit_the_old_one_comes_back_when_the_new_one_fails() {
    let mut world = World::new(narrow(), echo('a', "", 2));
    world.replay.gateway_mut().replace(echo('b', "(unreachable)", 2)).unwrap();
    for _ in 0..20 {
        world.feed();
    }
    world.settle();
    assert_eq!((world.plugin().state(), world.plugin().status()), (State::Running, Some("a")));
    assert_eq!(world.echoed, world.all_numbers());
    let larger = world.replay.gateway_mut().replace(echo('c', "", 20));
    assert!(matches!(larger, Err(ReplaceError::Shortage(_))), "{larger:?}");
}

#[test]
fn a_stop_of_the_gateway_ends_both_versions() {
    let mut world = World::new(Limits::of(Board::Linux), echo('a', "", 1));
    world.replay.gateway_mut().replace(echo('b', "", 1)).unwrap();
    world.replay.gateway_mut().stop();
    world.settle();
    assert!(world.replay.gateway().is_stopped());
    assert_eq!(world.replay.gateway().plugins().ledger().accounts().count(), 0);
}
