//! HTTP requests of plugins through the gateway: in every export, two at once, offline, stopped, called back.

mod boat;
mod guests;

use std::time::Duration;

use boat::{Boat, fetching};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{FetchError, FetchMethod, Key, Storage};
use skiff_runtime::plugin::PluginState;

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
    assert_eq!(boat.plugin("all").state(), PluginState::Starting);
    assert_eq!(boat.plugin("all").status_message(), "waits for the answer to GET http://sea.example/a");
    boat.pass(1);
    assert_eq!(boat.plugin("all").status_message(), "waits for the answer to GET http://sea.example/b");
    boat.pass(2);
    assert_eq!((boat.value("a").as_deref(), boat.value("b").as_deref()), (Some("201"), Some("202")));
    assert_eq!(boat.plugin("all").state(), PluginState::Running);
    boat.pass(3);
    assert_eq!(boat.value("c").as_deref(), Some("203"), "in poll");
    assert_eq!(boat.plugin("all").state(), PluginState::Running);
}

/// A guest whose `poll` fetches the letter `p` each time.
const POLLS: &str =
    r#"(func (export "poll") (result i32) (call $emit (i32.const 112) (call $fetch (i32.const 112))) (i32.const 0))"#;

#[test]
fn a_handler_and_a_delta_wait_while_others_queue() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/h", Duration::from_secs(2), 200, b"301");
    boat.web.serve_after("http://sea.example/d", Duration::from_secs(2), 200, b"302");
    let endpoints = r#"[{"method":"GET","path":"/h","handler":"web"}]"#;
    let utf16: String = endpoints
        .bytes()
        .map(|byte| if byte == b'"' { "\\22\\00".to_owned() } else { format!("{}\\00", char::from(byte)) })
        .collect();
    let length = endpoints.len() * 2;
    boat.install(
        "web",
        &fetching(&format!(
            r#"{STARTS}
               (data (i32.const 2000) "\02\00\00\00\{length:02x}\00\00\00{utf16}")
               (func (export "http_endpoints") (result i32) (i32.const 2008))
               (func (export "web") (param i32 i32) (result i32)
                   (call $emit (i32.const 104) (call $fetch (i32.const 104))) (local.get 0))
               (func (export "delta_handler") (param i32)
                   (call $emit (i32.const 100) (call $fetch (i32.const 100))))"#
        )),
    );
    boat.settle();
    assert_eq!(boat.plugin("web").state(), PluginState::Running);
    let (first, second) = (boat.get("/plugins/web/h"), boat.get("/plugins/web/h"));
    assert!(boat.answer(first).is_none(), "it waits");
    assert_eq!(boat.web.counts().0, 1, "the second call queues");
    let other = boat.get("/signalk");
    assert_eq!(boat.answer(other).map(|response| response.status), Some(200), "the gateway goes on");
    boat.pass(2);
    assert_eq!(boat.answer(first).map(|response| response.status), Some(200));
    assert_eq!(boat.value("h").as_deref(), Some("301"));
    boat.pass(2);
    assert_eq!(boat.answer(second).map(|response| response.status), Some(200));
    // What the handler emitted came back as a delta, whose handler fetches too; its own delta goes on from there.
    boat.pass(3);
    assert_eq!(boat.value("d").as_deref(), Some("302"));
    assert_eq!(boat.plugin("web").state(), PluginState::Running);
}

#[test]
fn two_plugins_fetch_at_the_same_time() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/x", Duration::from_secs(3), 200, b"401");
    boat.web.serve_after("http://sea.example/y", Duration::from_secs(1), 200, b"402");
    for (name, letter) in [("one", 120), ("two", 121)] {
        let start = format!(
            r#"(func (export "plugin_start") (param i32 i32) (result i32)
                   (call $emit (i32.const {letter}) (call $fetch (i32.const {letter}))) (i32.const 0))"#
        );
        boat.install(name, &fetching(&start));
    }
    boat.settle();
    assert_eq!(boat.web.counts().0, 2);
    boat.pass(1);
    assert_eq!((boat.value("y").as_deref(), boat.value("x")), (Some("402"), None));
    assert_eq!((boat.plugin("one").state(), boat.plugin("two").state()), (PluginState::Starting, PluginState::Running));
    boat.pass(2);
    assert_eq!(boat.value("x").as_deref(), Some("401"));
}

#[test]
fn a_request_waits_for_its_place_and_fails_after_that() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/p", Duration::from_secs(3), 200, b"401");
    boat.web.set_places(1);
    for name in ["one", "two"] {
        boat.install(name, &fetching(&format!("{STARTS} {POLLS}")));
    }
    boat.settle();
    boat.pass(1);
    assert_eq!((boat.web.counts().0, boat.web.requests().len()), (1, 1), "the other waits");
    boat.pass(4);
    assert_eq!(boat.value("p").as_deref(), Some("401"));
    assert!(boat.web.requests().len() >= 2, "it has come to its turn");
    boat.web.set_places(0);
    boat.pass(45);
    let gave_up = |name: &str| {
        let lines: Vec<String> = boat.plugin(name).log_lines().map(ToString::to_string).collect();
        lines.iter().any(|line| line.starts_with("WARN GET http://sea.example/p: "))
    };
    assert!(gave_up("one") && gave_up("two"), "after 30 s it fails");
}

#[test]
fn a_plugin_started_offline_waits_visibly_and_works_when_online() {
    let mut boat = Boat::new();
    boat.web.set_offline(true);
    boat.web.serve("http://sea.example/s", 200, b"501");
    boat.install(
        "net",
        &fetching(
            r#"(func (export "plugin_start") (param i32 i32) (result i32)
                   (call $emit (i32.const 115) (call $fetch (i32.const 115))) (i32.const 0))"#,
        ),
    );
    boat.pass(60);
    let status = boat.get("/signalk");
    assert_eq!(boat.answer(status).map(|response| response.status), Some(200));
    let plugin = boat.plugin("net");
    assert_eq!(plugin.state(), PluginState::Starting);
    assert_eq!(plugin.status_message(), "waits for the network: GET http://sea.example/s: the network is not there");
    assert_eq!(plugin.log_lines().filter(|line| line.contains("waits for the network")).count(), 1, "said once");
    boat.web.set_offline(false);
    boat.pass(6);
    assert_eq!((boat.plugin("net").state(), boat.value("s").as_deref()), (PluginState::Running, Some("501")));
    assert_eq!(boat.plugin("net").status_message(), "");
}

#[test]
fn a_start_that_failed_for_a_request_is_tried_again() {
    let mut boat = Boat::new();
    boat.install(
        "net",
        // Fails unless there is a body; -1 as an error code.
        &fetching(
            r#"(func (export "plugin_start") (param i32 i32) (result i32)
                   (i32.sub (i32.eqz (i32.eqz (i32.load (i32.sub (call $fetch (i32.const 115)) (i32.const 4))))) (i32.const 1)))"#,
        ),
    );
    boat.settle();
    assert_eq!(boat.plugin("net").state(), PluginState::Error);
    let message = boat.plugin("net").status_message().to_owned();
    assert!(message.contains("error code: -1") && message.contains("started again in 30 s"), "{message}");
    boat.web.serve("http://sea.example/s", 200, b"x");
    boat.pass(31);
    assert_eq!(boat.plugin("net").state(), PluginState::Running);
}

#[test]
fn what_fails_gives_an_empty_body_and_a_line_in_the_log() {
    let mut boat = Boat::new();
    boat.web.fail("http://sea.example/p", FetchError::Tls);
    boat.install("net", &fetching(&format!("{STARTS}{POLLS}")));
    boat.pass(2);
    assert_eq!(boat.value("p").as_deref(), Some("100"), "the guest saw no body");
    assert_eq!(boat.plugin("net").state(), PluginState::Running);
    let logged =
        boat.plugin("net").log_lines().any(|line| line == "WARN GET http://sea.example/p: the TLS connection failed");
    assert!(logged, "{:?}", boat.plugin("net").log_lines().collect::<Vec<_>>());
}

#[test]
fn stopping_ends_a_request_that_is_waited_for() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/p", Duration::from_secs(20), 200, b"601");
    boat.install(
        "net",
        &fetching(&format!(
            r#"{STARTS}{POLLS}(func (export "plugin_stop") (result i32)
                   (call $emit (i32.const 122) (call $fetch (i32.const 122))) (i32.const 0))"#
        )),
    );
    boat.pass(2);
    assert_eq!(boat.web.counts(), (1, 0));
    boat.gateway.stop();
    boat.settle();
    assert!(boat.gateway.is_stopped());
    boat.settle();
    assert_eq!(boat.web.counts(), (0, 1), "given up, and nothing new was asked while stopping");
    assert_eq!((boat.value("p").as_deref(), boat.value("z").as_deref()), (Some("100"), Some("100")));
}

#[test]
fn the_operator_opens_loopback_and_the_author_narrows() {
    let storage = SimStorage::new();
    let key = Key::parse("skiff/plugins.json").unwrap();
    storage.clone().replace(&key, br#"{"open":{"fetch":["sea.example"]}}"#).unwrap();
    let mut boat = Boat::with_storage(storage);
    boat.web.name("sea.example", "127.0.0.1".parse().unwrap());
    boat.web.serve("http://sea.example/p", 200, b"701");
    let guest = fetching(&format!("{STARTS}{POLLS}"));
    boat.install("open", &guest);
    boat.install("closed", &guest);
    boat.pass(2);
    assert_eq!(boat.plugin("open").log_lines().count(), 0);
    let denied = "WARN GET http://sea.example/p: this destination is not allowed for plugins";
    assert!(boat.plugin("closed").log_lines().any(|line| line == denied));

    let mut boat = Boat::new();
    boat.web.serve("http://sea.example/p", 200, b"701");
    boat.install_declaring("narrow", &guest, r#","skiff":{"fetch":["shore.example"]}"#);
    boat.pass(2);
    assert!(boat.plugin("narrow").log_lines().any(|line| line == denied));
}

#[test]
fn callbacks_get_body_status_and_their_number() {
    let mut boat = Boat::new();
    boat.web.serve_after("http://sea.example/q", Duration::from_secs(1), 404, b"801");
    boat.install(
        "later",
        &fetching(
            r#"(func (export "plugin_start") (param i32 i32) (result i32)
                   (i32.store16 (i32.const 54) (i32.const 113))
                   (call $later (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 65))
                   (i32.store16 (i32.const 54) (i32.const 114))
                   (call $later (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 66))
                   (call $later (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 67))
                   (i32.const 0))
               (func (export "responseHandler") (param $body i32) (param $status i32) (param $redirected i32) (param $id i32)
                   ;; 404 answers under the letter of their number, no answer under the small letter.
                   (if (i32.eq (local.get $status) (i32.const 404))
                       (then (call $emit (local.get $id) (local.get $body)))
                       (else (if (i32.eqz (local.get $status))
                           (then (call $emit (i32.add (local.get $id) (i32.const 32)) (local.get $body)))))))"#,
        ),
    );
    boat.settle();
    assert_eq!(boat.plugin("later").state(), PluginState::Running, "it does not wait");
    assert!(boat.value("b").is_some() && boat.value("c").is_some(), "refused and unreadable: status 0");
    boat.pass(1);
    assert_eq!((boat.value("A").as_deref(), boat.value("a")), (Some("801"), None));
}

#[test]
fn a_post_sends_headers_and_body_as_given() {
    let mut boat = Boat::new();
    boat.web.serve("http://sea.example/o", 201, b"901");
    boat.install(
        "post",
        &fetching(
            r#";; [["K","v"]]: strings at 3008 and 3028, pair at 3040, its elements at 3056, list at 3072, its element at 3088
               (data (i32.const 3000) "\02\00\00\00\02\00\00\00K\00")
               (data (i32.const 3020) "\02\00\00\00\02\00\00\00v\00")
               (data (i32.const 3040) "\f0\0b\00\00\f0\0b\00\00\08\00\00\00\02\00\00\00\c0\0b\00\00\d4\0b\00\00")
               (data (i32.const 3072) "\10\0c\00\00\10\0c\00\00\04\00\00\00\01\00\00\00\e0\0b\00\00")
               (data (i32.const 3200) "\01\00\00\00\04\00\00\00\00\ff{}")
               (func (export "plugin_start") (param i32 i32) (result i32)
                   (i32.store16 (i32.const 54) (i32.const 111))
                   (call $emit (i32.const 111)
                       (call $post (i32.const 16) (i32.const 1) (i32.const 3072) (i32.const 3208)))
                   (i32.const 0))"#,
        ),
    );
    boat.settle();
    assert_eq!(boat.value("o").as_deref(), Some("901"));
    let asked = boat.web.requests().pop().unwrap();
    assert_eq!((asked.method, asked.body.as_slice()), (FetchMethod::Post, b"\0\xff{}".as_slice()));
    assert_eq!(asked.headers, [("K".to_owned(), "v".to_owned())]);
}

#[test]
fn nothing_a_guest_hands_over_is_trusted() {
    for arguments in [
        "(i32.const -1) (i32.const 1) (i32.const 0) (i32.const 0)",
        "(i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)",
        "(i32.const 16) (i32.const 1) (i32.const -4) (i32.const 0)",
        "(i32.const 16) (i32.const 1) (i32.const 65530) (i32.const 0)",
        "(i32.const 16) (i32.const 1) (i32.const 0) (i32.const 65532)",
        "(i32.const 16) (i32.const 1) (i32.const 16) (i32.const 16)",
        "(i32.const 16) (i32.const -1) (i32.const 0) (i32.const 3208)",
    ] {
        let mut boat = Boat::new();
        boat.install(
            "bad",
            &fetching(&format!(
                r#"(data (i32.const 3200) "\01\00\00\00\ff\ff\ff\7f")
                   (func (export "plugin_start") (param i32 i32) (result i32) (drop (call $post {arguments})) (i32.const 0))"#
            )),
        );
        boat.settle();
        assert_eq!(boat.plugin("bad").state(), PluginState::Running, "{arguments}");
        assert!(boat.web.requests().is_empty(), "{arguments}");
    }
}
