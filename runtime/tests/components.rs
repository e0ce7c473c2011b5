//! Plugins that are WebAssembly components: linked at load, called by the canonical ABI (`host/component`).

mod guests;

use guests::{limits, try_load_binary};
use skiff_runtime::budget::{Board, Limits, PluginLimits};
use skiff_runtime::host::{Answer, Call, Dialect, Failure, ModuleFacts};

/// What a plugin of the text format is made of: `WORLD`, what it imports, `LOWER` as core functions, `FUNCS` of its core
/// module, `LIFT` as exports beside those of `signalk:plugin/plugin`.
///
/// Its allocator puts one thing behind the other from 4096 on. Its texts lie at fixed places: the answer's address and length
/// at 16.
const PLUGIN: &str = r#"(component
  (import "signalk:plugin/signalk-api@1.0.0" (instance $api
    (export "sk-debug" (func (param "message" string)))
    (export "sk-set-status" (func (param "message" string)))
    (export "sk-handle-message" (func (param "delta-json" string)))
    (export "sk-register-put-handler" (func (param "context" string) (param "path" string) (result s32)))))
  WORLD
  (core module $libc
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (global.set $top (i32.and (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1))) (i32.sub (i32.const 0) (local.get 2))))
      (local.set $at (global.get $top))
      (global.set $top (i32.add (global.get $top) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $debug (canon lower (func $api "sk-debug") (memory $memory)))
  (core func $status (canon lower (func $api "sk-set-status") (memory $memory)))
  (core func $emit (canon lower (func $api "sk-handle-message") (memory $memory)))
  (core func $put (canon lower (func $api "sk-register-put-handler") (memory $memory)))
  LOWER
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "api" "status" (func $status (param i32 i32)))
    (import "api" "emit" (func $emit (param i32 i32)))
    (import "api" "put" (func $put (param i32 i32 i32 i32) (result i32)))
    CORE_IMPORTS
    (data (i32.const 16) "\20\00\00\00\04\00\00\00")
    (data (i32.const 32) "tide")
    (global $cleaned (mut i32) (i32.const 0))
    (func (export "text") (result i32) (i32.const 16))
    (func (export "cleaned") (param i32) (global.set $cleaned (i32.add (global.get $cleaned) (i32.const 1))))
    FUNCS)
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "api" (instance (export "status" (func $status)) (export "emit" (func $emit)) (export "put" (func $put)) GIVEN))))
  (func $text (result string) (canon lift (core func $main "text") (memory $memory) (realloc $realloc) (post-return (core func $main "cleaned"))))
  (func $start (param "config" string) (result s32) (canon lift (core func $main "start") (memory $memory) (realloc $realloc)))
  (func $stop (result s32) (canon lift (core func $main "stop")))
  (component $renamed
    (import "id" (func $id (result string)))
    (import "start" (func $start (param "config" string) (result s32)))
    (import "stop" (func $stop (result s32)))
    (export "plugin-id" (func $id))
    (export "plugin-name" (func $id))
    (export "plugin-schema" (func $id))
    (export "plugin-start" (func $start))
    (export "plugin-stop" (func $stop)))
  (instance $plugin (instantiate $renamed (with "id" (func $text)) (with "start" (func $start)) (with "stop" (func $stop))))
  (export "signalk:plugin/plugin@1.0.0" (instance $plugin))
  LIFT)"#;

/// Functions of a plugin that says its configuration as its status and emits each delta it is given.
const PLAIN: &str = r#"
    (func (export "start") (param i32 i32) (result i32) (call $status (local.get 0) (local.get 1)) (i32.const 0))
    (func (export "stop") (result i32) (i32.const 7))
    (func (export "delta") (param i32 i32) (call $emit (local.get 0) (local.get 1)))"#;

const DELTAS: &str = r#"
  (func $delta (param "delta-json" string) (canon lift (core func $main "delta") (memory $memory) (realloc $realloc)))
  (instance $deltas (export "on-delta" (func $delta)))
  (export "skiff:plugin/deltas@0.1.0" (instance $deltas))"#;

/// Fills the places of [`PLUGIN`]; those that are not named stay empty.
fn text(places: &[(&str, &str)]) -> String {
    let mut text = PLUGIN.to_owned();
    for (place, filled) in places {
        assert!(text.contains(place), "{place}");
        text = text.replace(place, filled);
    }
    ["WORLD", "CORE_IMPORTS", "LOWER", "FUNCS", "GIVEN", "LIFT"]
        .iter()
        .fold(text, |text, place| text.replace(place, ""))
}

fn binary(places: &[(&str, &str)]) -> Vec<u8> {
    wat::parse_str(text(places)).unwrap_or_else(|error| panic!("the test's own component: {error}"))
}

fn load(places: &[(&str, &str)]) -> guests::Guest {
    try_load_binary(&binary(places), "{}", &limits()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_component_is_a_plugin_with_id_start_deltas_and_stop() {
    let places = [("FUNCS", PLAIN), ("LIFT", DELTAS)];
    let facts = ModuleFacts::read(&binary(&places), &limits()).unwrap();
    assert_eq!(facts.dialect, Dialect::Component);
    assert_eq!((facts.memory.pages, facts.unknown_imports.len()), (2, 0));
    let mut guest = load(&places);
    assert_eq!(guest.call(Call::Id), Ok(Answer::Text(Some("tide".into()))));
    assert_eq!(guest.call(Call::Start { config: r#"{"a":1}"#.into() }), Ok(Answer::Code(Some(0))));
    for number in 0..3 {
        let delta = format!(r#"{{"updates":[{{"values":[{{"path":"a","value":{number}}}]}}]}}"#);
        assert_eq!(guest.call(Call::DeltaText(delta.into())), Ok(Answer::Unit));
    }
    assert_eq!(guest.call(Call::Stop), Ok(Answer::Code(Some(7))));
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Absent));
    let said = [
        r#"status {"a":1}"#,
        r#"emit V1 {"updates":[{"values":[{"path":"a","value":0}]}]}"#,
        r#"emit V1 {"updates":[{"values":[{"path":"a","value":1}]}]}"#,
        r#"emit V1 {"updates":[{"values":[{"path":"a","value":2}]}]}"#,
    ];
    assert_eq!(guest.record.events, said);
}

#[test]
fn empty_texts_cross_both_ways() {
    let mut guest = load(&[("FUNCS", PLAIN), ("LIFT", DELTAS)]);
    assert_eq!(guest.call(Call::Start { config: String::new() }), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.record.events, ["status "]);
}

/// A component that asks for a path of the model, and emits what it gets; nothing where there is nothing.
const ASKS: [(&str, &str); 5] = [
    ("CORE_IMPORTS", r#"(import "api" "node" (func $node (param i32 i32 i32)))"#),
    (
        "WORLD",
        r#"(import "skiff:plugin/model@0.1.0" (instance $model (export "get-self-path" (func (param "path" string) (result (option string))))))"#,
    ),
    ("LOWER", r#"(core func $node (canon lower (func $model "get-self-path") (memory $memory) (realloc $realloc)))"#),
    ("GIVEN", r#"(export "node" (func $node))"#),
    (
        "FUNCS",
        r#"
    (func (export "start") (param i32 i32) (result i32)
      (call $node (local.get 0) (local.get 1) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (call $emit (i32.load (i32.const 68)) (i32.load (i32.const 72)))))
      (i32.load8_u (i32.const 64)))
    (func (export "stop") (result i32) (i32.const 0))"#,
    ),
];

#[test]
fn an_answer_of_the_model_is_put_where_realloc_says() {
    let mut guest = load(&ASKS);
    guest.record.nodes.push(("navigation.position".into(), r#"{"value":{"latitude":54.5}}"#.into()));
    assert_eq!(guest.call(Call::Start { config: "navigation.position".into() }), Ok(Answer::Code(Some(1))));
    assert_eq!(guest.record.events, [r#"emit V1 {"value":{"latitude":54.5}}"#]);
    assert_eq!(guest.call(Call::Start { config: "navigation.speed".into() }), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.record.events.len(), 1);
}

#[test]
fn without_data_read_the_model_has_nothing() {
    let mut guest = try_load_binary(&binary(&ASKS), r#"{"dataRead":false}"#, &limits()).unwrap();
    guest.record.nodes.push(("a".into(), "1".into()));
    assert_eq!(guest.call(Call::Start { config: "a".into() }), Ok(Answer::Code(Some(0))));
}

/// A component that serves every interface of `skiff:plugin` it may export, and says what it is told.
const OFFERS: [(&str, &str); 6] = [
    (
        "WORLD",
        r#"
  (import "skiff:plugin/config@0.1.0" (instance $config
    (export "read" (func (result (option string))))
    (export "save" (func (param "config-json" string) (result (result (error string)))))))
  (import "skiff:plugin/notify@0.1.0" (instance $notify
    (export "publish" (func (param "path" string) (param "notification-json" string) (result (result (error string)))))))
  (import "skiff:plugin/log@0.1.0" (instance $log
    (type $level' (enum "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "text" string)))))"#,
    ),
    (
        "LOWER",
        r#"
  (core func $read (canon lower (func $config "read") (memory $memory) (realloc $realloc)))
  (core func $save (canon lower (func $config "save") (memory $memory) (realloc $realloc)))
  (core func $publish (canon lower (func $notify "publish") (memory $memory) (realloc $realloc)))
  (core func $log (canon lower (func $log "log") (memory $memory)))"#,
    ),
    (
        "CORE_IMPORTS",
        r#"
    (import "api" "read" (func $read (param i32)))
    (import "api" "save" (func $save (param i32 i32 i32)))
    (import "api" "publish" (func $publish (param i32 i32 i32 i32 i32)))
    (import "api" "log" (func $log (param i32 i32 i32)))"#,
    ),
    (
        "GIVEN",
        r#"(export "read" (func $read)) (export "save" (func $save)) (export "publish" (func $publish)) (export "log" (func $log))"#,
    ),
    (
        "FUNCS",
        r#"
    (func (export "start") (param i32 i32) (result i32)
      (call $save (local.get 0) (local.get 1) (i32.const 64))
      (i32.load8_u (i32.const 64)))
    (func (export "stop") (result i32) (i32.const 0))
    (func (export "poll") (result i32)
      (call $read (i32.const 64))
      (if (i32.load8_u (i32.const 64))
        (then (call $log (i32.const 2) (i32.load (i32.const 68)) (i32.load (i32.const 72)))))
      (i32.const 3))
    ;; The handler is published at as a path, the request as its notification: an error is the answer.
    (func (export "handle") (param i32 i32 i32 i32) (result i32)
      (call $publish (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 64))
      (select (i32.const 68) (i32.const 16) (i32.load8_u (i32.const 64))))"#,
    ),
    (
        "LIFT",
        r#"
  (func $poll (result s32) (canon lift (core func $main "poll")))
  (func $handle (param "handler" string) (param "text" string) (result string)
    (canon lift (core func $main "handle") (memory $memory) (realloc $realloc)))
  (instance $polls (export "poll" (func $poll)))
  (export "skiff:plugin/poll@0.1.0" (instance $polls))
  (instance $http (export "endpoints" (func $text)) (export "handle" (func $handle)))
  (export "skiff:plugin/http@0.1.0" (instance $http))
  (instance $puts (export "handle" (func $handle)))
  (export "skiff:plugin/put@0.1.0" (instance $puts))"#,
    ),
];

#[test]
fn optional_interfaces_are_found_by_their_names() {
    let mut guest = load(&OFFERS);
    assert_eq!(guest.call(Call::Start { config: r#"{"a":1}"#.into() }), Ok(Answer::Code(Some(0))));
    assert_eq!(guest.call(Call::Start { config: "no object".into() }), Ok(Answer::Code(Some(1))), "it was not saved");
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(3))));
    guest.record.config = Some(r#"{"b":2}"#.into());
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Code(Some(3))));
    assert_eq!(guest.call(Call::Endpoints), Ok(Answer::Text(Some("tide".into()))));
    let alarm = r#"{"state":"alarm","message":"m"}"#;
    let http = |handler: &str| Call::Http { handler: handler.into(), request: alarm.into() };
    assert_eq!(guest.call(http("notifications.a")), Ok(Answer::Text(Some("tide".into()))));
    let Ok(Answer::Text(Some(error))) = guest.call(http("navigation.a")) else { panic!("no answer") };
    assert!(error.starts_with("it was refused"), "{error}");
    let put = Call::Put { handler: "notifications.b".into(), value: alarm.into() };
    assert_eq!(guest.call(put), Ok(Answer::Text(Some("tide".into()))));
    let said = [
        r#"save {"a":1}"#.into(),
        "save no object".into(),
        r#"log WARN {"b":2}"#.into(),
        format!("notify notifications.a {alarm}"),
        format!("notify navigation.a {alarm}"),
        format!("notify notifications.b {alarm}"),
    ];
    assert_eq!(guest.record.events, said);
}

#[test]
fn without_data_write_nothing_is_published() {
    let mut guest = try_load_binary(&binary(&OFFERS), r#"{"dataWrite":false}"#, &limits()).unwrap();
    let request = r#"{"state":"alarm","message":"m"}"#.to_owned();
    let answer = guest.call(Call::Http { handler: "notifications.a".into(), request });
    assert_eq!(answer, Ok(Answer::Text(Some("the package has not the capability dataWrite".into()))));
    assert!(guest.record.events.is_empty());
}

/// A component that sleeps and writes by WASI: a second, then a line on standard error.
const SLEEPS: [(&str, &str); 5] = [
    (
        "WORLD",
        r#"
  (import "wasi:io/poll@0.2.6" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock
    (export "now" (func (result u64)))
    (alias outer 1 $pollable (type $pollable))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))"#,
    ),
    (
        "LOWER",
        r#"
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $now (canon lower (func $clock "now")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $drop (canon resource.drop $pollable))"#,
    ),
    (
        "CORE_IMPORTS",
        r#"
    (import "api" "block" (func $block (param i32)))
    (import "api" "now" (func $now (result i64)))
    (import "api" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "api" "drop" (func $drop (param i32)))"#,
    ),
    (
        "GIVEN",
        r#"(export "block" (func $block)) (export "now" (func $now)) (export "subscribe" (func $subscribe)) (export "drop" (func $drop))"#,
    ),
    (
        "FUNCS",
        r#"
    (func (export "start") (param i32 i32) (result i32)
      (local $from i64) (local $handle i32)
      (local.set $from (call $now))
      (local.set $handle (call $subscribe (i64.const 2500000000)))
      (call $block (local.get $handle))
      (call $drop (local.get $handle))
      ;; Milliseconds that have gone by.
      (i32.wrap_i64 (i64.div_u (i64.sub (call $now) (local.get $from)) (i64.const 1000000))))
    (func (export "stop") (result i32) (call $drop (i32.const 9)) (i32.const 0))"#,
    ),
];

#[test]
fn sleeping_is_a_suspension_and_handles_end() {
    let mut guest = load(&SLEEPS);
    // Each time the guest waits a second passes.
    assert_eq!(guest.start(), Ok(Answer::Code(Some(3000))));
    let failure = guest.call(Call::Stop).unwrap_err().to_string();
    assert!(failure.contains("it ended a handle that is not there"), "{failure}");
}

#[test]
fn a_call_costs_the_same_fuel_each_time_and_goes_in_slices() {
    let long = "x".repeat(50_000);
    let run = |limits: &PluginLimits| {
        let mut guest = try_load_binary(&binary(&ASKS), "{}", limits).unwrap();
        guest.record.nodes.push(("a".into(), format!("\"{long}\"")));
        let (answer, slices) = guest.call_in_slices(Call::Start { config: "a".into() });
        assert_eq!(answer, Ok(Answer::Code(Some(1))));
        (guest.instance.usage().fuel_in_call, slices, guest.record.events)
    };
    let (fuel, few, events) = run(&limits());
    assert_eq!((fuel, few), (run(&limits()).0, run(&limits()).1));
    // Each slice is too short for a call of `realloc`: it stops and goes on.
    let (fuel_in_slices, slices, in_slices) = run(&PluginLimits { fuel_per_slice: 8, ..limits() });
    assert!(slices > few, "{slices}");
    assert_eq!((fuel, events), (fuel_in_slices, in_slices));
}

#[test]
fn an_endless_loop_ends_with_its_fuel() {
    for (place, call) in [
        ("(func (export \"text\") (result i32) (i32.const 16))", Call::Id),
        (
            "(func (export \"cleaned\") (param i32) (global.set $cleaned (i32.add (global.get $cleaned) (i32.const 1))))",
            Call::Name,
        ),
    ] {
        let endless = match call {
            Call::Id => r#"(func (export "text") (result i32) (loop (br 0)) (unreachable))"#,
            _ => r#"(func (export "cleaned") (param i32) (loop (br 0)))"#,
        };
        let mut guest = load(&[(place, endless), ("FUNCS", PLAIN)]);
        assert!(matches!(guest.call(call), Err(Failure::OutOfFuel { .. })));
        assert!(matches!(guest.call(Call::Stop), Err(Failure::OutOfFuel { .. })), "it is not called again");
    }
}

#[test]
fn what_realloc_gives_is_not_believed() {
    let realloc = |body: &str| text(&ASKS).replace("(local.get $at)))\n", &format!("{body}))\n"));
    for (answer, said) in [
        ("(i32.const 0x7fffffff)", "realloc gave no room for 1 bytes in the linear memory"),
        ("(i32.const -1)", "realloc gave no room for 1 bytes in the linear memory"),
        ("(i32.const 0)", "the plugin's allocator gave no buffer of 1 bytes"),
        ("(unreachable)", "trap: unreachable code executed"),
        ("(loop (br 0)) (unreachable)", "did not return within its fuel limit"),
    ] {
        let wasm = wat::parse_str(realloc(answer)).unwrap();
        let mut guest = try_load_binary(&wasm, "{}", &limits()).unwrap();
        let failure = guest.call(Call::Start { config: "a".into() }).unwrap_err().to_string();
        assert!(failure.contains(said), "{answer}: {failure}");
        assert!(guest.record.events.is_empty());
    }
}

#[test]
fn realloc_and_post_return_may_ask_nothing() {
    // `post-return` emits; what it is to emit is a good text.
    let asks = r#"(func (export "cleaned") (param i32) (call $emit (i32.const 32) (i32.const 4)))"#;
    let cleaned =
        r#"(func (export "cleaned") (param i32) (global.set $cleaned (i32.add (global.get $cleaned) (i32.const 1))))"#;
    let mut guest = load(&[(cleaned, asks), ("FUNCS", PLAIN)]);
    let failure = guest.call(Call::Id).unwrap_err();
    assert!(failure.to_string().contains("an import was called by realloc or post-return"), "{failure}");
    assert!(guest.record.events.is_empty());
    assert_eq!(guest.call(Call::Stop), Err(failure), "it is not called again");
}

#[test]
fn texts_outside_of_the_memory_are_read_by_nobody() {
    let place = r#"(data (i32.const 16) "\20\00\00\00\04\00\00\00")"#;
    for (bytes, said) in [
        (r"\20\00\00\00\ff\ff\ff\ff", "the answer is longer than an answer may be"),
        (r"\00\00\02\00\01\00\00\00", "the answer lies outside the linear memory"),
        (r"\ff\ff\ff\ff\04\00\00\00", "the answer lies outside the linear memory"),
    ] {
        let mut guest = load(&[(place, &format!(r#"(data (i32.const 16) "{bytes}")"#)), ("FUNCS", PLAIN)]);
        assert!(guest.call(Call::Id).unwrap_err().to_string().contains(said), "{bytes}");
    }
    // A guest that says a status from outside of its memory has said nothing.
    let outside =
        PLAIN.replace("(call $status (local.get 0) (local.get 1))", "(call $status (i32.const -8) (i32.const 16))");
    let mut guest = load(&[("FUNCS", &outside)]);
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    assert!(guest.record.events.is_empty());
}

#[test]
fn an_answer_that_is_wanted_outside_of_the_memory_is_a_trap() {
    let functions = ASKS[4].1.replace("(i32.const 64))\n", "(i32.const 131070))\n");
    let mut places = ASKS;
    places[4].1 = &functions;
    let failure = load(&places).call(Call::Start { config: "a".into() }).unwrap_err();
    assert_eq!(failure, Failure::Trap("an import is to answer outside of the memory".into()));
}

#[test]
fn an_unknown_import_is_a_trap_only_where_it_is_called() {
    let places = [
        ("WORLD", r#"(import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "connect" (func (param "to" u32)))))"#),
        ("LOWER", r#"(core func $connect (canon lower (func $tcp "connect")))"#),
        ("CORE_IMPORTS", r#"(import "api" "connect" (func $connect (param i32)))"#),
        ("GIVEN", r#"(export "connect" (func $connect))"#),
        ("FUNCS", PLAIN),
        ("LIFT", DELTAS),
    ];
    let calls = PLAIN.replace("(i32.const 7)", "(call $connect (i32.const 1)) (i32.const 7)");
    let mut places = places;
    places[4].1 = &calls;
    let mut guest = load(&places);
    assert_eq!(guest.instance.unknown_imports(), ["wasi:sockets/tcp@0.2.0.connect"]);
    assert_eq!(guest.start(), Ok(Answer::Code(Some(0))));
    let failure = guest.call(Call::Stop).unwrap_err().to_string();
    assert!(
        failure.contains("called the import wasi:sockets/tcp@0.2.0.connect, which this host does not know"),
        "{failure}"
    );
}

#[test]
fn what_cannot_run_is_refused_with_one_line() {
    let lift = |text: &'static str| [("FUNCS", PLAIN), ("LIFT", text)];
    for (places, said) in [
        (lift(r#"(component (core module))"#), None),
        (
            lift(r#"(component $c (core module)) (instance (instantiate $c))"#),
            Some("a component that does not run here: it is composed of components with code of their own"),
        ),
        (
            lift(r#"(type $mine (resource (rep i32)))"#),
            Some("a component that does not run here: it defines resources of its own"),
        ),
        (
            lift(
                r#"(func (result string) (canon lift (core func $main "text") (memory $memory) string-encoding=utf16))"#,
            ),
            Some("a component that does not run here: its texts are UTF-16"),
        ),
        (
            lift(r#"(core instance (instantiate $libc))"#),
            Some("a component that does not run here: it makes two instances of one core module"),
        ),
        (
            lift(r#"(core module (memory 1))"#),
            Some("a component that does not run here: it has more than one linear memory"),
        ),
        (
            lift(r#"(instance $of (export "poll" (func $text))) (export "skiff:plugin/poll@0.1.0" (instance $of))"#),
            Some(
                "no plugin: a component exports signalk:plugin/plugin@1.0.0, this one poll of skiff:plugin/poll@0.1.0 with another type",
            ),
        ),
    ] {
        let read = ModuleFacts::read(&binary(&places), &limits()).map_err(|refusal| refusal.to_string());
        match (read, said) {
            (Ok(_), None) => {}
            (Err(refusal), Some(said)) => assert!(refusal.starts_with(said), "{refusal}"),
            (read, said) => panic!("{said:?}: {read:?}"),
        }
    }
    let other = text(&[("FUNCS", PLAIN)]).replace("signalk:plugin/plugin@1.0.0", "signalk:plugin/plugin@2.0.0");
    let refusal = try_load_binary(&wat::parse_str(other).unwrap(), "{}", &limits()).err().unwrap();
    assert_eq!(
        refusal,
        "no plugin: a component exports signalk:plugin/plugin@1.0.0, this one signalk:plugin/plugin@2.0.0"
    );
}

#[test]
fn an_import_of_another_type_is_refused() {
    let places = [("FUNCS", PLAIN)];
    let other = text(&places)
        .replace(
            r#"(export "sk-debug" (func (param "message" string)))"#,
            r#"(export "sk-debug" (func (param "level" u32)))"#,
        )
        .replace(
            r#"(export "status" (func $status))"#,
            r#"(export "status" (func $status)) (export "debug" (func $debug))"#,
        )
        .replace(r#"(import "api" "emit""#, r#"(import "api" "debug" (func (param i32))) (import "api" "emit""#);
    let refusal = try_load_binary(&wat::parse_str(other).unwrap(), "{}", &limits()).err().unwrap();
    assert_eq!(
        refusal,
        "module cannot be set up: imports sk-debug of signalk:plugin/signalk-api@1.0.0 with another type than its WIT has"
    );
}

#[test]
fn no_chip_runs_a_component() {
    let wasm = binary(&[("FUNCS", PLAIN)]);
    for board in Board::ALL {
        let facts = ModuleFacts::survey(&wasm).unwrap();
        let refusals = facts.refusals(&Limits::of(board).plugin);
        let said = refusals.iter().any(|refusal| refusal.to_string().contains("components run on Linux only"));
        assert_eq!(said, board != Board::Linux, "{}", board.name());
    }
}

/// Bytes of a component that has a type section with these bytes and nothing else.
fn with_types(types: &[u8]) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let mut length = types.len();
    while length >= 0x80 {
        wasm.push(length as u8 & 0x7f | 0x80);
        length >>= 7;
    }
    wasm.push(length as u8);
    wasm.extend(types);
    wasm
}

#[test]
fn bombs_of_types_and_counts_are_refused_before_they_cost_anything() {
    // A million instance types, each within the one before: more than the stack of a reader that calls itself holds.
    let mut nested = vec![1];
    (0..1_000_000).for_each(|_| nested.extend([0x42, 1, 1]));
    let refusal = ModuleFacts::survey(&with_types(&nested)).unwrap_err().to_string();
    assert_eq!(refusal, "nesting of the component: the module needs 9, the limit is 8");
    // Four billion types that are said to follow.
    let refusal = ModuleFacts::survey(&with_types(&[0xff, 0xff, 0xff, 0xff, 0x0f])).unwrap_err().to_string();
    assert!(refusal.starts_with("entries of the component: the module needs 42949"), "{refusal}");
}

#[test]
fn an_instance_that_is_exported_again_and_again_counts_each_time() {
    let functions: String = (0..300).map(|index| format!(r#"(export "f{index}" (func $text))"#)).collect();
    let exports: String = (0..300).map(|index| format!(r#"(export "e{index}" (instance $many))"#)).collect();
    let lift = format!("(instance $many {functions}) {exports}");
    let refusal = ModuleFacts::survey(&binary(&[("FUNCS", PLAIN), ("LIFT", &lift)])).unwrap_err().to_string();
    assert_eq!(refusal, "entries of the component: the module needs 32769, the limit is 32768");
}

#[test]
fn changed_bytes_never_bring_the_host_down() {
    let good = binary(&ASKS);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let (mut read, mut loaded) = (0, 0);
    for _ in 0..20_000 {
        let mut wasm = good.clone();
        for _ in 0..=(next() % 3) {
            let at = (next() % wasm.len() as u64) as usize;
            wasm[at] = next() as u8;
        }
        if ModuleFacts::read(&wasm, &limits()).is_err() {
            continue;
        }
        read += 1;
        let Ok(mut guest) = try_load_binary(&wasm, "{}", &limits()) else { continue };
        loaded += 1;
        guest.record.nodes.push(("a".into(), "1".into()));
        let _ = guest.call(Call::Id);
        let _ = guest.call(Call::Start { config: "a".into() });
        let usage = guest.instance.usage();
        assert!(usage.linear_bytes <= u64::from(limits().linear_bytes_max));
    }
    assert!(read > 100 && loaded > 100, "{read} were read, {loaded} loaded: the test changes too much");
}

#[test]
fn a_start_section_runs_in_one_piece_and_within_its_fuel() {
    let starts = |body: &str| format!("{PLAIN} (func $begin {body}) (start $begin)");
    let good = starts("(i32.store (i32.const 20) (i32.const 2))");
    let mut guest = load(&[("FUNCS", &good)]);
    assert_eq!(guest.call(Call::Id), Ok(Answer::Text(Some("ti".into()))), "it has made the name shorter");
    for (body, said) in [
        ("(loop (br 0))", "trap in start: did not return within its fuel limit"),
        ("(unreachable)", "trap in start: trap: unreachable"),
    ] {
        let functions = starts(body);
        let wasm = binary(&[("FUNCS", &functions)]);
        let reason = try_load_binary(&wasm, "{}", &limits()).err().unwrap();
        assert!(reason.starts_with(said), "{reason}");
    }
    // There is no memory to read from yet: what it says is heard by nobody.
    let talks = starts("(call $emit (i32.const 32) (i32.const 4))");
    assert!(load(&[("FUNCS", &talks)]).record.events.is_empty());
}

#[test]
fn tables_and_memory_grow_to_their_limits_and_no_further() {
    let grows = r#"
    (table $t 1 funcref)
    (func (export "start") (param i32 i32) (result i32)
      (drop (table.grow $t (ref.null func) (i32.const 200000)))
      (drop (memory.grow (i32.const 1000)))
      (i32.add (table.size $t) (memory.size)))
    (func (export "stop") (result i32) (memory.grow (i32.const 1)))"#;
    let mut guest = load(&[("FUNCS", grows)]);
    assert_eq!(guest.start(), Ok(Answer::Code(Some(3))), "one element and two pages, as before");
    assert_eq!(guest.call(Call::Stop), Ok(Answer::Code(Some(2))), "a page is there");
    guest.instance.allow_growth(0);
    assert_eq!(guest.call(Call::Stop), Ok(Answer::Code(Some(-1))), "and none where the gateway has none");
}
