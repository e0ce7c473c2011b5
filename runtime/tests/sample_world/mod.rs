//! The sample boat with the project's two plugins on the simulated HAL, shared by tests.
#![allow(dead_code)] // each test file uses its part

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample;
use skiff_runtime::package::Package;
use skiff_runtime::plugin::Plugin;
use skiff_runtime::replay::Replay;
use skiff_runtime::server::Response;
use skiff_runtime::time::UnixMillis;

/// Package of the true wind plugin as it is committed.
pub fn true_wind() -> (Package, &'static str) {
    let json = include_bytes!("../../../plugins/rust/true-wind/package.json");
    let wasm = include_bytes!("../../../plugins/rust/true-wind/plugin.wasm");
    let config = include_str!("../../../plugins/rust/true-wind/sample-config.json");
    (Package::from_parts(json, wasm.to_vec()).unwrap(), config)
}

/// Package of the shallow water alarm as it is committed.
pub fn shallow_water_alarm() -> (Package, &'static str) {
    let json = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/package.json");
    let wasm = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
    let config = include_str!("../../../plugins/assemblyscript/shallow-water-alarm/sample-config.json");
    (Package::from_parts(json, wasm.to_vec()).unwrap(), config)
}

/// The same with the module for Skiff alone, which a gateway takes.
pub fn small_shallow_water_alarm() -> (Package, &'static str) {
    let json = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/package.json");
    let wasm = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin-small.wasm");
    (Package::from_parts(json, wasm.to_vec()).unwrap(), shallow_water_alarm().1)
}

/// A bare module as a package.
pub fn bare_package(name: &str, wasm: Vec<u8>) -> Package {
    Package::from_wasm(name, wasm).unwrap()
}

/// A request as a client on the same machine makes it; `body` is JSON or empty.
pub fn request(method: Method, target: &str, body: &str) -> Request {
    let mut headers = vec![("host".to_string(), "localhost:3000".to_string())];
    if !body.is_empty() {
        headers.push(("content-type".to_string(), "application/json".to_string()));
    }
    Request { method, target: target.into(), headers, body: body.into(), peer: None, ..Request::new(method, target) }
}

/// The sample, played on a virtual clock.
pub struct Sample {
    replay: Replay,
    boat: sample::Sample,
    /// A frame beyond the time that was to be played.
    next: Option<(UnixMillis, CanFrame)>,
    now: UnixMillis,
    until: i64,
    line: u64,
}

impl Sample {
    /// Starts the sample with both plugins.
    pub fn new() -> Self {
        Self::new_with(Limits::of(Board::Linux))
    }

    /// Starts the sample with both plugins and limits of the test's own.
    pub fn new_with(limits: Limits) -> Self {
        let mut sample = Self::bare_with(limits);
        for (package, config) in [true_wind(), shallow_water_alarm()] {
            sample.install(package, config);
        }
        sample
    }

    /// Starts the sample without plugins.
    pub fn bare() -> Self {
        Self::bare_with(Limits::of(Board::Linux))
    }

    /// Starts the sample without plugins, with limits of the test's own.
    pub fn bare_with(limits: Limits) -> Self {
        let replay = Replay::new(limits, "sample", sample::START, false);
        Self {
            replay,
            boat: sample::Sample::new(sample::SEED),
            next: None,
            now: sample::START,
            until: sample::START.0,
            line: 0,
        }
    }

    /// Installs a package with a configuration.
    pub fn install(&mut self, package: Package, config: &str) {
        self.replay.install(package, Some(config.to_string())).unwrap();
    }

    /// Plays this many seconds and returns the lines.
    pub fn play(&mut self, seconds: i64) -> Vec<String> {
        let mut lines = Vec::new();
        self.play_with(seconds, |_, line| lines.push(line));
        lines
    }

    /// Plays this many seconds; `each` gets every line with the boat's state at that time.
    pub fn play_with(&mut self, seconds: i64, mut each: impl FnMut(sample::Truth, String)) {
        let end = self.until + seconds * 1000;
        self.until = end;
        while let Some((time, frame)) = self.next.take().or_else(|| self.boat.next()) {
            if time.0 >= end {
                self.next = Some((time, frame));
                break;
            }
            self.now = time;
            self.line += 1;
            self.replay.record(self.line, &Record { time: Some(time), item: Item::Frame(frame) });
            while let Some(line) = self.replay.next_line() {
                each(self.boat.truth_at(self.now), line);
            }
        }
    }

    /// Returns a plugin.
    pub fn plugin(&self, id: &str) -> &Plugin {
        self.replay.gateway().plugins().find(id).unwrap()
    }

    /// Returns the player.
    pub fn replay(&mut self) -> &mut Replay {
        &mut self.replay
    }

    /// Asks the gateway as a client on the same machine would, and returns the body of a 200.
    pub fn get(&mut self, path: &str) -> String {
        let response = self.ask(&request(Method::Get, path, ""));
        assert_eq!(response.status, 200, "{path}");
        String::from_utf8(response.body.into_owned()).unwrap()
    }

    /// Asks the gateway.
    pub fn ask(&mut self, request: &Request) -> Response {
        let exchange = self.replay.gateway_mut().request(request);
        for _ in 0..100_000 {
            self.replay.gateway_mut().poll();
            if let Some((id, response)) = self.replay.gateway_mut().next_response() {
                assert_eq!(id, exchange);
                return response;
            }
        }
        panic!("no answer to {request:?}");
    }
}
