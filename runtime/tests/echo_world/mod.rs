//! A gateway with one plugin that answers each delta of the test with its number, so that loss and doubling are seen.

#![allow(dead_code, reason = "each test uses its part")]

use crate::sample_world::{bare_package, request};
use skiff_runtime::budget::Limits;
use skiff_runtime::gateway::{Event, StreamId};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::http::Method;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample::START;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Plugin;
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

/// Digits of a number that is fed in.
pub const DIGITS: usize = 7;

/// A plugin that answers each delta of the test with its number, once for each time it is called with it.
///
/// `version` is its status; `start` the body of `plugin_start`; `pages` its memory.
pub fn echo(version: char, start: &str, pages: u32) -> Package {
    echo_with(version, start, pages, TIDY)
}

/// Gives back what it took.
const TIDY: &str = r#"
    (func (export "allocate") (param $bytes i32) (result i32)
        (global.set $next (i32.add (global.get $next) (local.get $bytes)))
        (i32.sub (global.get $next) (local.get $bytes)))
    (func (export "deallocate") (param $p i32) (param $n i32)
        (global.set $next (i32.sub (global.get $next) (local.get $n))))"#;

/// The same with an allocator of its own: functions in text form, with the global `$next` as the first free byte.
pub fn echo_with(version: char, start: &str, pages: u32, allocator: &str) -> Package {
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
            {allocator}
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

pub struct World {
    pub replay: Replay,
    client: StreamId,
    now: UnixMillis,
    pub fed: u32,
    pub echoed: Vec<u32>,
}

impl World {
    pub fn new(limits: Limits, package: Package) -> Self {
        let mut replay = Replay::new(limits, "test", START, false);
        replay.install(package, None).unwrap();
        let client = replay.gateway_mut().open_stream(&request(Method::Get, "/signalk/v1/stream", "")).unwrap();
        let mut world = Self { replay, client, now: START, fed: 0, echoed: Vec::new() };
        world.settle();
        world
    }

    /// Feeds the next number and lets the gateway work once: reloads and deltas overlap.
    pub fn feed(&mut self) {
        self.fed += 1;
        let delta = format!(
            "{{\"updates\":[{{\"$source\":\"test\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"values\":[{{\"path\":\"test\",\"value\":{:07}}}]}}]}}",
            1_000_000 + self.fed
        );
        self.replay.gateway_mut().stream_receive(self.client, &delta);
        self.poll();
    }

    pub fn poll(&mut self) -> bool {
        let wake = self.replay.gateway_mut().poll();
        while let Some(event) = self.replay.gateway_mut().next_event() {
            let Event::Emitted { delta, .. } = event;
            let value = delta.updates().flat_map(|update| update.values().collect::<Vec<_>>()).next();
            self.echoed.extend(value.filter(|(path, _)| *path == "echo").and_then(|(_, raw)| raw.parse::<u32>().ok()));
        }
        wake.busy
    }

    pub fn settle(&mut self) {
        while self.poll() {}
    }

    /// Lets time pass: a frame that nobody maps carries it.
    pub fn pass(&mut self, millis: i64) {
        self.now.0 += millis;
        let frame = CanFrame::new(0x1DEF_FF00 & 0x1FFF_FFFF, &[0; 8]).unwrap();
        self.replay.record(1, &Record { time: Some(self.now), item: Item::Frame(frame) });
        while self.replay.next_line().is_some() {}
    }

    pub fn plugin(&self) -> &Plugin {
        self.replay.gateway().plugins().find("echo").unwrap()
    }

    pub fn all_numbers(&self) -> Vec<u32> {
        (1..=self.fed).map(|number| 1_000_000 + number).collect()
    }
}
