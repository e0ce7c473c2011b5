//! The power goes while a plugin's configuration is written: at the next start it is the old or the new one.

mod boat;
mod guests;

use boat::Boat;
use guests::buffer_guest;
use skiff_runtime::hal::sim::{PowerCut, SimStorage, Survivor};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::plugin::PluginState;

/// Shows its configuration as its status, and saves another one when it is asked to.
fn keeper() -> String {
    buffer_guest(
        r#"(import "env" "sk_set_status" (func $status (param i32 i32)))
           (import "env" "sk_save_config" (func $save (param i32 i32) (result i32)))"#,
        r#"(data (i32.const 16) "{\"n\":3}")
           (data (i32.const 64) "[{\"method\":\"GET\",\"path\":\"/save\",\"handler\":\"save\"}]")
           (data (i32.const 128) "{\"body\":\"saved\"}")
           (func (export "plugin_start") (param i32 i32) (result i32)
               (call $status (local.get 0) (local.get 1)) (i32.const 0))
           (func (export "plugin_stop") (result i32) (i32.const 0))
           (func (export "http_endpoints") (param i32 i32) (result i32)
               (memory.copy (local.get 0) (i32.const 64) (i32.const 50)) (i32.const 50))
           (func (export "save") (param i32 i32 i32 i32) (result i32)
               (drop (call $save (i32.const 16) (i32.const 7)))
               (memory.copy (local.get 2) (i32.const 128) (i32.const 16)) (i32.const 16))"#,
    )
}

/// Starts a gateway on what the medium holds and returns the configuration its plugin got.
fn started(storage: &SimStorage) -> (Boat, String) {
    let mut boat = Boat::with_storage(storage.clone());
    boat.install("keeper", &keeper());
    boat.settle();
    assert_eq!(boat.plugin("keeper").state(), PluginState::Running, "{:?}", boat.plugin("keeper").reason());
    let status = boat.plugin("keeper").status().unwrap_or_default().to_owned();
    (boat, status)
}

fn post(boat: &mut Boat, body: &str) {
    let mut request = Request::new(Method::Post, "/plugins/keeper/config");
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = body.into();
    request.local = true;
    boat.gateway.request(&request);
    boat.settle();
}

/// Cuts the power at every write of an act, in every way, and returns what the next start found.
fn after_every_cut(act: impl Fn(&mut Boat)) -> Vec<String> {
    let mut found = Vec::new();
    for leaves in [Survivor::Old, Survivor::New] {
        for after_writes in 0.. {
            let storage = SimStorage::new();
            let (mut boat, first) = started(&storage);
            assert_eq!(first, r#"{"enableDebug":false}"#);
            post(&mut boat, r#"{"enabled":true,"configuration":{"n":1}}"#);
            storage.cut_power(PowerCut { after_writes, leaves });
            act(&mut boat);
            let was_cut = storage.is_without_power();
            drop(boat);
            storage.power_on();
            found.push(started(&storage).1);
            if !was_cut {
                break;
            }
        }
    }
    found
}

const OLD: &str = r#"{"n":1,"enableDebug":false}"#;

#[test]
fn a_configuration_of_the_user_is_the_old_or_the_new_one() {
    let new = r#"{"n":2,"enableDebug":false}"#;
    let found = after_every_cut(|boat| post(boat, r#"{"enabled":true,"configuration":{"n":2}}"#));
    assert!(found.iter().all(|text| text == OLD || text == new), "{found:?}");
    assert!(found.iter().any(|text| text == OLD) && found.iter().any(|text| text == new), "{found:?}");
}

#[test]
fn a_configuration_that_the_plugin_saves_is_the_old_or_the_new_one() {
    let new = r#"{"n":3,"enableDebug":false}"#;
    let found = after_every_cut(|boat| {
        boat.get("/plugins/keeper/save");
        boat.settle();
    });
    assert!(found.iter().all(|text| text == OLD || text == new), "{found:?}");
    assert!(found.iter().any(|text| text == OLD) && found.iter().any(|text| text == new), "{found:?}");
}
