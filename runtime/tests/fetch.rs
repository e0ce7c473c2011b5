//! HTTP requests of plugins through the gateway: in every export, two at once, offline, stopped, called back.

#[path = "guests/mod.rs"]
mod guests;

use std::time::Duration;

use guests::managed_guest;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::Vessel;
use skiff_runtime::gateway::{Event, Gateway, Setup};
use skiff_runtime::hal::sim::{SimClock, SimFetch, SimRng, SimStorage};
use skiff_runtime::hal::{FetchError, FetchMethod, Hal, Key, Storage};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{Enabled, ExchangeId, Plugin, State};
use skiff_runtime::server::{Access, Method, Request, Response};
use skiff_runtime::time::UnixMillis;

/// A gateway on a virtual clock with a scripted web.
struct Boat {
    gateway: Gateway,
    clock: SimClock,
    web: SimFetch,
    emitted: Vec<String>,
}

impl Boat {
    fn new() -> Self {
        Self::with_storage(SimStorage::new())
    }

    fn with_storage(storage: SimStorage) -> Self {
        let clock = SimClock::new(UnixMillis(1_764_000_000_000));
        let web = SimFetch::new(clock.clone());
        let hal = Hal {
            clock: Box::new(clock.clone()),
            rng: Box::new(SimRng::new(7)),
            storage: Box::new(storage),
            network: None,
            fetch: Some(Box::new(web.clone())),
            serial: None,
            can: Vec::new(),
        };
        let setup = Setup {
            limits: Limits::of(Board::Linux),
            vessel: Vessel::default(),
            self_context: "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001".into(),
            access: Access::with_new_token(&mut SimRng::new(7)).0.allow_anyone(),
            strict: false,
            version: "test",
            events: true,
            poll_on_whole_seconds: false,
        };
        Self { gateway: Gateway::new(setup, hal), clock, web, emitted: Vec::new() }
    }

    fn install(&mut self, name: &str, guest: &str) {
        self.install_declaring(name, guest, "");
    }

    /// Installs a package; `members` are added to its `package.json`.
    fn install_declaring(&mut self, name: &str, guest: &str, members: &str) {
        let manifest = format!(
            r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
                "wasmCapabilities":{{"network":true}}{members}}}"#
        );
        let wasm = wat::parse_str(guest).expect("the test's own module is well formed");
        let package = Package::from_parts(manifest.as_bytes(), wasm).unwrap();
        self.gateway.install(package, Enabled::Always { config: None }).unwrap();
    }

    /// Polls until nothing is left to do now.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let busy = self.gateway.poll().busy;
            while let Some(Event::Emitted { delta, .. }) = self.gateway.next_event() {
                self.emitted.push(delta.text().to_owned());
            }
            if !busy {
                return;
            }
        }
        panic!("the gateway does not come to rest");
    }

    /// Lets time pass in steps of 100 ms.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.clock.advance(Duration::from_millis(100));
            self.settle();
        }
    }

    fn plugin(&self, id: &str) -> &Plugin {
        self.gateway.plugins().find(id).unwrap()
    }

    fn get(&mut self, target: &str) -> ExchangeId {
        self.gateway.request(&Request::new(Method::Get, target))
    }

    fn answer(&mut self, exchange: ExchangeId) -> Option<Response> {
        self.settle();
        while let Some((id, response)) = self.gateway.next_response() {
            if id == exchange {
                return Some(response);
            }
        }
        None
    }

    /// Returns the last value emitted for `path`.
    fn value(&self, path: &str) -> Option<String> {
        let marker = format!("{{\"path\":\"{path}\",\"value\":");
        self.emitted.iter().rev().find_map(|text| {
            let (_, rest) = text.split_once(&marker)?;
            Some(rest.split_once('}')?.0.to_owned())
        })
    }
}

/// A guest that can fetch `http://sea.example/<letter>` and emit the first three bytes of a body as a number.
///
/// `$fetch(letter) -> body`, `$emit(letter, body)`: emits `{"path":"<letter>","value":<3 bytes of the body>}`.
fn fetching(body: &str) -> String {
    managed_guest(
        r#"(import "as-fetch" "_fetchGETSync" (func $get (param i32 i32 i32) (result i32)))
           (import "as-fetch" "_fetchPOSTSync" (func $post (param i32 i32 i32 i32) (result i32)))
           (import "as-fetch" "_fetchGET" (func $later (param i32 i32 i32 i32)))
           (import "as-fetch" "_initAsyncify" (func $init (param i32 i32)))
           (import "env" "sk_handle_message" (func $message (param i32 i32)))
           (import "env" "sk_set_status" (func $status (param i32 i32)))"#,
        &format!(
            r#"(data (i32.const 8) "\02\00\00\00\28\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00?\00")
               (data (i32.const 100) "{{\"updates\":[{{\"values\":[{{\"path\":\"?\",\"value\":100}}]}}]}}")
               (func $fetch (param $letter i32) (result i32)
                   (i32.store16 (i32.const 54) (local.get $letter))
                   (call $get (i32.const 16) (i32.const 1) (i32.const 0)))
               (func $emit (param $letter i32) (param $body i32)
                   (i32.store8 (i32.const 132) (local.get $letter))
                   (if (i32.load (i32.sub (local.get $body) (i32.const 4)))
                       (then (memory.copy (i32.const 143) (local.get $body) (i32.const 3))))
                   (call $message (i32.const 100) (i32.const 51)))
               (func (export "plugin_name") (result i32) (i32.const 0))
               (func (export "plugin_schema") (result i32) (i32.const 0))
               {body}"#
        ),
    )
}

const STARTS: &str = r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#;

#[test]
fn a_request_works_in_every_export_and_more_than_once() {
    let mut boat = Boat::new();
    for (letter, body) in [("a", "201"), ("b", "202"), ("c", "203"), ("d", "204"), ("e", "205"), ("f", "206")] {
        boat.web.serve_after(&format!("http://sea.example/{letter}"), Duration::from_secs(1), 200, body.as_bytes());
    }
    boat.install(
        "all",
        &fetching(
            r#"(func $both (param $letter i32) (call $emit (local.get $letter) (call $fetch (local.get $letter))))
               (func (export "plugin_start") (param i32 i32) (result i32)
                   (call $init (i32.const 2048) (i32.const 4096))
                   (call $both (i32.const 97)) (call $both (i32.const 98)) (i32.const 0))
               (func (export "poll") (result i32) (call $both (i32.const 99)) (i32.const 0))"#,
        ),
    );
    boat.settle();
    assert_eq!(boat.plugin("all").state(), State::Starting);
    assert_eq!(boat.plugin("all").status_message(), "waits for the answer to GET http://sea.example/a");
    boat.pass(1);
    assert_eq!(boat.plugin("all").status_message(), "waits for the answer to GET http://sea.example/b");
    boat.pass(2);
    assert_eq!((boat.value("a").as_deref(), boat.value("b").as_deref()), (Some("201"), Some("202")));
    assert_eq!(boat.plugin("all").state(), State::Running);
    boat.pass(3);
    assert_eq!(boat.value("c").as_deref(), Some("203"), "in poll");
    assert_eq!(boat.plugin("all").state(), State::Running);
}
