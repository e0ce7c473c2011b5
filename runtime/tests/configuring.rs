//! A configuration that cannot be used is not stored: it is held against the plugin's schema, and the plugin has a say.

mod boat;
mod guests;

use guests::buffer_guest;
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::plugin::PluginState;
use skiff_runtime::server::Response;

use boat::Boat;

const SCHEMA: &str = r#"{"type":"object","required":["depth"],"properties":{"depth":{"type":"number","minimum":0}}}"#;
const GOOD: &str = r#"{"enabled":true,"configuration":{"depth":3}}"#;

/// A guest whose `plugin_start` returns 1 for a configuration with an X in it, and traps for one with a Z.
fn choosy() -> String {
    buffer_guest(
        "",
        &format!(
            r#"(data (i32.const 1024) "{}")
            (func (export "plugin_schema") (param $into i32) (param $room i32) (result i32)
                (memory.copy (local.get $into) (i32.const 1024) (i32.const {length}))
                (i32.const {length}))
            (func (export "plugin_start") (param $at i32) (param $bytes i32) (result i32)
                (local $end i32)
                (local.set $end (i32.add (local.get $at) (local.get $bytes)))
                (block $out
                    (loop $next
                        (br_if $out (i32.ge_u (local.get $at) (local.get $end)))
                        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 88)) (then (return (i32.const 1))))
                        (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 90)) (then (unreachable)))
                        (local.set $at (i32.add (local.get $at) (i32.const 1)))
                        (br $next)))
                (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))"#,
            SCHEMA.replace('"', "\\\""),
            length = SCHEMA.len()
        ),
    )
}

struct Harbour {
    boat: Boat,
    storage: SimStorage,
}

impl Harbour {
    fn new() -> Self {
        let storage = SimStorage::new();
        let mut boat = Boat::with_storage(storage.clone());
        boat.install("choosy", &choosy());
        boat.settle();
        Self { boat, storage }
    }

    fn post(&mut self, body: &str) -> Response {
        let mut request = Request::new(Method::Post, "/plugins/choosy/config");
        request.body = body.as_bytes().to_vec();
        let asked = self.boat.gateway.request(&request);
        for _ in 0..20 {
            if let Some(response) = self.boat.answer(asked) {
                return response;
            }
            self.boat.pass(1);
        }
        panic!("no answer");
    }

    fn stored(&mut self) -> String {
        let key = Key::parse("plugin-config-data/choosy.json").unwrap();
        let text = String::from_utf8(self.storage.read_all(&key, 1000).unwrap()).unwrap();
        skiff_runtime::json::compact(&text).unwrap()
    }

    fn state(&self) -> PluginState {
        self.boat.plugin("choosy").state()
    }
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn what_does_not_fit_the_schema_is_not_stored() {
    let mut harbour = Harbour::new();
    assert_eq!(harbour.post(GOOD).status, 200);
    let stored = harbour.stored();
    for (body, clause) in [
        (r#"{"enabled":true,"configuration":{"depth":-1}}"#, "depth must be at least 0"),
        (r#"{"configuration":{"depth":"deep"}}"#, "depth must be of type number"),
        (r#"{"configuration":{}}"#, "depth is required"),
    ] {
        let refused = harbour.post(body);
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains(clause) && text(&refused).contains("not saved"), "{}", text(&refused));
        assert_eq!((harbour.stored(), harbour.state()), (stored.clone(), PluginState::Running));
    }
    // What is in doubt, and what says nothing of the configuration, is.
    assert_eq!(harbour.post(r#"{"configuration":{"depth":null,"more":[]}}"#).status, 200);
    assert_eq!(harbour.post(r#"{"enabled":false}"#).status, 200);
    assert_eq!(harbour.state(), PluginState::Stopped);
}

#[test]
fn a_running_plugin_goes_on_with_what_it_ran_with_when_it_refuses_the_new_one() {
    for (letter, reason) in [("X", "Plugin start() returned error code: 1"), ("Z", "unreachable")] {
        let mut harbour = Harbour::new();
        assert_eq!(harbour.post(GOOD).status, 200);
        let stored = harbour.stored();
        let refused = harbour.post(&format!(r#"{{"configuration":{{"depth":4,"note":"{letter}"}}}}"#));
        assert_eq!(refused.status, 500);
        let said = text(&refused);
        assert!(said.contains(reason) && said.contains("the configuration before is in force again"), "{said}");
        assert!(!said.contains("restart"), "{said}");
        harbour.boat.pass(10);
        assert_eq!((harbour.stored(), harbour.state()), (stored, PluginState::Running));
        let plugin = harbour.boat.plugin("choosy");
        assert_eq!((plugin.reason(), plugin.restarts()), (None, 0));
        assert_eq!(plugin.config().unwrap().configuration.as_deref(), Some(r#"{"depth":3}"#));
        // And it takes one that is good.
        assert_eq!(harbour.post(r#"{"configuration":{"depth":5}}"#).status, 200);
        assert!(harbour.stored().contains(r#"{"depth":5}"#));
    }
}

#[test]
fn one_that_did_not_run_keeps_the_configuration_that_failed_to_be_mended() {
    let mut harbour = Harbour::new();
    assert_eq!(harbour.post(r#"{"enabled":false}"#).status, 200);
    let bad = r#"{"enabled":true,"configuration":{"depth":1,"note":"X"}}"#;
    let failed = harbour.post(bad);
    assert!(failed.status == 500 && !text(&failed).contains("before"), "{}", text(&failed));
    assert_eq!(harbour.state(), PluginState::Error);
    assert!(harbour.stored().contains(r#""note":"X""#));
    assert_eq!(harbour.post(r#"{"configuration":{"depth":1}}"#).status, 200);
    assert_eq!(harbour.state(), PluginState::Running);
}
