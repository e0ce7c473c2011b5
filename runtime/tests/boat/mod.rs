//! A gateway on a virtual clock with a scripted web, shared by tests.
#![allow(dead_code)] // each test file uses its part

use std::time::Duration;

use skiff_runtime::accounts::Accounts;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::Vessel;
use skiff_runtime::gateway::{Event, Gateway, Setup};
use skiff_runtime::hal::Hal;
use skiff_runtime::hal::sim::{SimClock, SimFetch, SimRng, SimStorage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{Enabled, ExchangeId, Plugin};
use skiff_runtime::server::{Access, Response};
use skiff_runtime::time::UnixMillis;

use crate::guests::managed_guest;

/// A gateway on a virtual clock with a scripted web.
pub struct Boat {
    pub gateway: Gateway,
    pub clock: SimClock,
    pub web: SimFetch,
    pub emitted: Vec<String>,
}

impl Boat {
    pub fn new() -> Self {
        Self::with_storage(SimStorage::new())
    }

    pub fn with_storage(storage: SimStorage) -> Self {
        Self::with_access(storage, Access::with_new_token(&mut SimRng::new(7)).0.allow_anyone())
    }

    /// A gateway that asks for its token, and the token.
    pub fn guarded(storage: SimStorage) -> (Self, String) {
        let (access, token) = Access::with_new_token(&mut SimRng::new(7));
        (Self::with_access(storage, access), token.as_str().to_owned())
    }

    /// The same after a restart, with the accounts that were stored.
    pub fn guarded_with(storage: SimStorage, accounts: Accounts) -> (Self, String) {
        let (mut access, token) = Access::with_new_token(&mut SimRng::new(7));
        access.set_accounts(accounts);
        (Self::with_access(storage, access), token.as_str().to_owned())
    }

    pub fn with_access(storage: SimStorage, access: Access) -> Self {
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
            access,
            strict: false,
            version: "test",
            events: true,
            poll_on_whole_seconds: false,
        };
        Self { gateway: Gateway::new(setup, hal), clock, web, emitted: Vec::new() }
    }

    pub fn install(&mut self, name: &str, guest: &str) {
        self.install_declaring(name, guest, "");
    }

    /// Installs a package; `members` are added to its `package.json`.
    pub fn install_declaring(&mut self, name: &str, guest: &str, members: &str) {
        let package = package(name, guest, members);
        self.gateway.install(package, Enabled::Always { config: None }).unwrap();
    }

    /// Puts another version in the place of an installed package, and waits until it is there or given up.
    pub fn replace(&mut self, name: &str, guest: &str) {
        self.gateway.replace(package(name, guest, "")).unwrap();
        self.settle();
    }

    /// Polls until nothing is left to do now.
    pub fn settle(&mut self) {
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
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.clock.advance(Duration::from_millis(100));
            self.settle();
        }
    }

    pub fn plugin(&self, id: &str) -> &Plugin {
        self.gateway.plugins().find(id).unwrap()
    }

    pub fn get(&mut self, target: &str) -> ExchangeId {
        self.gateway.request(&Request::new(Method::Get, target))
    }

    pub fn answer(&mut self, exchange: ExchangeId) -> Option<Response> {
        self.settle();
        while let Some((id, response)) = self.gateway.next_response() {
            if id == exchange {
                return Some(response);
            }
        }
        None
    }

    /// Returns the last value emitted for `path`.
    pub fn value(&self, path: &str) -> Option<String> {
        let marker = format!("{{\"path\":\"{path}\",\"value\":");
        self.emitted.iter().rev().find_map(|text| {
            let (_, rest) = text.split_once(&marker)?;
            Some(rest.split_once('}')?.0.to_owned())
        })
    }
}

/// Makes a package of a guest; `members` are added to its `package.json`.
fn package(name: &str, guest: &str, members: &str) -> Package {
    let manifest = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "wasmCapabilities":{{"network":true,"putHandlers":true,"resourceProvider":true}}{members}}}"#
    );
    let wasm = wat::parse_str(guest).expect("the test's own module is well formed");
    Package::from_parts(manifest.as_bytes(), wasm).unwrap()
}

/// A guest that can fetch `http://sea.example/<letter>` and emit the first three bytes of a body as a number.
///
/// `$fetch(letter) -> body`, `$emit(letter, body)`: emits `{"path":"<letter>","value":<3 bytes of the body>}`.
pub fn fetching(body: &str) -> String {
    managed_guest(
        r#"(import "as-fetch" "_fetchGETSync" (func $get (param i32 i32 i32) (result i32)))
           (import "as-fetch" "_fetchPOSTSync" (func $post (param i32 i32 i32 i32) (result i32)))
           (import "as-fetch" "_fetchGET" (func $later (param i32 i32 i32 i32)))
           (import "as-fetch" "_initAsyncify" (func $init (param i32 i32)))
           (import "env" "sk_handle_message" (func $message (param i32 i32)))
           (import "env" "sk_set_status" (func $status (param i32 i32)))
           (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
           (import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))"#,
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
