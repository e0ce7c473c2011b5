//! Plugins behind the APIs: PUT, resources, weather, radar, binary streams, endpoints with long answers.

mod sample_world;

use sample_world::{Sample, request};
use skiff_runtime::gateway::{StreamId, StreamOut};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::PluginState;
use skiff_runtime::server::Response;

/// Builds a guest of the buffer dialect. `texts` are `(name, text)`: each becomes a function `$name` that writes the
/// text to the buffer at its third parameter. `body` adds exports, `start` is what `plugin_start` does.
fn package(name: &str, start: &str, texts: &[(&str, &str)], body: &str) -> Package {
    let (mut data, mut functions, mut at) = (String::new(), String::new(), 1024_usize);
    for (name, text) in texts {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data.push_str(&format!("(data (i32.const {at}) \"{escaped}\")"));
        functions.push_str(&format!(
            "(func ${name} (param i32 i32 i32 i32) (result i32)
                (memory.copy (local.get 2) (i32.const {at}) (i32.const {len})) (i32.const {len}))",
            len = text.len()
        ));
        at += text.len();
    }
    let wasm = wat::parse_str(format!(
        r#"(module
            (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
            (import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))
            (import "env" "sk_register_weather_provider" (func $weather (param i32 i32) (result i32)))
            (import "env" "sk_register_radar_provider" (func $radar (param i32 i32) (result i32)))
            (import "env" "sk_radar_emit_spokes" (func $spokes (param i32 i32 i32 i32) (result i32)))
            (import "env" "sk_emit_binary_stream" (func $stream (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 8)
            (data (i32.const 16) "vessels.selfsteering.rudderAngle")
            (data (i32.const 64) "routes")
            (data (i32.const 80) "north")
            (data (i32.const 96) "r1")
            (data (i32.const 112) "plugins/{name}/raw")
            {data}
            (global $next (mut i32) (i32.const 65536))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                    (then (drop (memory.grow (i32.const 20)))))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32)
                (global.set $next (i32.sub (global.get $next) (local.get 1))))
            (func (export "plugin_start") (param i32 i32) (result i32) {start} (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            {functions}
            {body})"#
    ))
    .expect("the test's own module is well formed");
    let manifest = format!(
        r#"{{"name":"{name}","version":"1.0.0","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm",
            "wasmCapabilities":{{"putHandlers":true,"resourceProvider":true,"weatherProvider":true,"radarProvider":true,"httpEndpoints":true}}}}"#
    );
    Package::from_parts(manifest.as_bytes(), wasm).unwrap()
}

const PUT: &str = "(drop (call $put (i32.const 16) (i32.const 12) (i32.const 28) (i32.const 20)))";
const PUT_PATH: &str = "/signalk/v1/api/vessels/self/steering/rudderAngle";
const PUT_EXPORT: &str = "handle_put_vessels_self_steering_rudderAngle";

fn export(name: &str, function: &str) -> String {
    format!("(export \"{name}\" (func ${function}))")
}

fn world(packages: Vec<Package>) -> Sample {
    let mut sample = Sample::bare();
    for package in packages {
        sample.install(package, "{}");
    }
    sample.play(2);
    sample
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.to_vec()).unwrap()
}

fn ask(sample: &mut Sample, method: Method, path: &str, body: &str) -> (u16, String) {
    let response = sample.ask(&request(method, path, body));
    (response.status, text(&response))
}

fn member(json: &str, name: &str) -> String {
    skiff_runtime::json::member(json, name).unwrap_or_default().trim_matches('"').to_string()
}

#[test]
fn a_put_is_answered_with_the_plugins_answer_and_can_be_asked_for() {
    let answer = ("ok", r#"{"state":"COMPLETED","statusCode":200,"message":"turned"}"#);
    let mut sample = world(vec![package("@acme/pilot", PUT, &[answer], &export(PUT_EXPORT, "ok"))]);
    let (status, body) = ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":0.1}"#);
    assert_eq!((status, &*member(&body, "state"), &*member(&body, "message")), (200, "COMPLETED", "turned"), "{body}");
    let state = sample.get(&member(&body, "href"));
    assert_eq!((member(&state, "requestId"), member(&state, "statusCode")), (member(&body, "requestId"), "200".into()));
    assert_eq!(ask(&mut sample, Method::Get, "/signalk/v1/requests/none", "").0, 404);
    // Clients learn of the handler by the path's metadata (plugin ABI §3.3).
    assert_eq!(sample.get(&format!("{PUT_PATH}/meta/supportsPut")), "true");
    assert_eq!(ask(&mut sample, Method::Put, PUT_PATH, "{}").0, 400);
    assert_eq!(ask(&mut sample, Method::Put, "/signalk/v1/api/vessels/self/x/y", r#"{"value":1}"#).0, 405);
}

#[test]
fn pending_missing_trapping_and_nonsense_handlers_have_their_states() {
    for (body, expected) in [
        (export(PUT_EXPORT, "pending"), (202, "PENDING")),
        (export(PUT_EXPORT, "nonsense"), (500, "COMPLETED")),
        (String::new(), (501, "COMPLETED")),
        (
            format!("(func (export \"{PUT_EXPORT}\") (param i32 i32 i32 i32) (result i32) (unreachable))"),
            (500, "COMPLETED"),
        ),
    ] {
        let texts = [("pending", r#"{"state":"PENDING"}"#), ("nonsense", "sure")];
        let mut sample = world(vec![package("pilot", PUT, &texts, &body)]);
        let (status, answer) = ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":0.1}"#);
        assert_eq!((status, &*member(&answer, "state")), expected, "{answer}");
    }
}

#[test]
fn a_refused_put_has_a_state_that_can_be_asked_for() {
    let mut sample = world(vec![]);
    let address = "/signalk/v1/api/vessels/self/nobody/handles";
    for (body, status) in [(r#"{"value":1}"#, 405), (r#"{"vale":1}"#, 400)] {
        let (answered, text) = ask(&mut sample, Method::Put, address, body);
        assert_eq!(answered, status, "{text}");
        let href = member(&text, "href");
        assert!(href.starts_with("/signalk/v1/requests/"), "{text}");
        assert!(sample.get(&href).contains(&format!(r#""statusCode":{status}"#)), "{text}");
    }
}

#[test]
fn of_several_handlers_the_source_chooses() {
    let one =
        package("@acme/one", PUT, &[("ok", r#"{"state":"COMPLETED","message":"one"}"#)], &export(PUT_EXPORT, "ok"));
    let two =
        package("@acme/two", PUT, &[("ok", r#"{"state":"COMPLETED","message":"two"}"#)], &export(PUT_EXPORT, "ok"));
    let mut sample = world(vec![one, two]);
    assert_eq!(ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":1}"#).0, 400);
    let (status, body) = ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":1,"source":"@acme/two"}"#);
    assert_eq!((status, &*member(&body, "message")), (200, "two"));
    assert_eq!(ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":1,"source":"three"}"#).0, 405);
}

#[test]
fn a_stopped_plugin_handles_nothing_any_more() {
    let answer = ("ok", r#"{"state":"COMPLETED"}"#);
    let start = format!("{PUT} (drop (call $resources (i32.const 64) (i32.const 6)))");
    let mut sample = world(vec![package("pilot", &start, &[answer], &export(PUT_EXPORT, "ok"))]);
    assert!(sample.get("/signalk/v2/api/resources").contains("\"routes\""));
    assert_eq!(ask(&mut sample, Method::Post, "/plugins/pilot/config", r#"{"enabled":false}"#).0, 200);
    assert_eq!(sample.plugin("pilot").state(), PluginState::Stopped);
    assert_eq!(ask(&mut sample, Method::Put, PUT_PATH, r#"{"value":1}"#).0, 405);
    assert_eq!(sample.get("/signalk/v2/api/resources"), "{}");
}

fn open(sample: &mut Sample, target: &str) -> StreamId {
    sample.replay().gateway_mut().open_stream(&request(Method::Get, target, "")).unwrap()
}

/// Takes everything that waits for a stream client.
fn drain(sample: &mut Sample, stream: StreamId) -> Vec<StreamOut> {
    let mut out = Vec::new();
    loop {
        match sample.replay().gateway_mut().stream_next(stream) {
            StreamOut::Idle => return out,
            StreamOut::Closed | StreamOut::TooSlow => panic!("the stream is over"),
            message => out.push(message),
        }
    }
}

#[test]
fn a_put_over_a_stream_gets_exactly_one_reply() {
    let answer = ("ok", r#"{"state":"COMPLETED","statusCode":200}"#);
    let mut sample = world(vec![package("pilot", PUT, &[answer], &export(PUT_EXPORT, "ok"))]);
    let stream = open(&mut sample, "/signalk/v1/stream?subscribe=none");
    drain(&mut sample, stream);
    let put = r#"{"requestId":"p1","context":"vessels.self","put":{"path":"steering.rudderAngle","value":0.2}}"#;
    for (text, expected) in [
        (put, r#"{"state":"COMPLETED","requestId":"p1","statusCode":200}"#),
        (
            put,
            r#"{"state":"COMPLETED","requestId":"p1","statusCode":400,"message":"there is a request with this requestId already"}"#,
        ),
        (r#"{"requestId":"p1","query":true}"#, r#"{"state":"COMPLETED","requestId":"p1","statusCode":200}"#),
        (
            r#"{"requestId":"p2","put":{"path":"a.b","value":1}}"#,
            r#"{"state":"COMPLETED","requestId":"p2","statusCode":405,"message":"nothing handles PUT for a.b"}"#,
        ),
    ] {
        sample.replay().gateway_mut().stream_receive(stream, text);
        for _ in 0..100 {
            sample.replay().gateway_mut().poll();
        }
        assert_eq!(drain(&mut sample, stream), [StreamOut::Text(expected.into())], "{text}");
    }
}

const ROUTE: &str = "/signalk/v2/api/resources/routes/ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";
const ROUTE_BODY: &str =
    r#"{"name":"x","feature":{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,2],[3,4]]}}}"#;
const ROUTES: &str = "(drop (call $resources (i32.const 64) (i32.const 6)))";

fn keeper(name: &str, get: &str, set: &str) -> Package {
    let texts = [("list", r#"{"ac3a":{"name":"harbour"}}"#), ("get", get), ("set", set)];
    let exports = [
        export("resources_list_resources", "list"),
        export("resources_get_resource", "get"),
        export("resources_set_resource", "set"),
        export("resources_delete_resource", "set"),
    ];
    package(name, ROUTES, &texts, &exports.concat())
}

#[test]
fn resources_are_listed_read_written_and_deleted() {
    let mut sample = world(vec![keeper("@acme/routes", r#"{"name":"harbour"}"#, "")]);
    let base = "/signalk/v2/api/resources/routes";
    assert_eq!(sample.get(base), r#"{"ac3a":{"name":"harbour"}}"#);
    assert_eq!(sample.get(&format!("{base}/_providers")), r#"["@acme/routes"]"#);
    assert_eq!(sample.get(&format!("{base}/_providers/_default")), r#""@acme/routes""#);
    assert_eq!(sample.get(ROUTE), r#"{"name":"harbour"}"#);
    let stream = open(&mut sample, "/signalk/v1/stream?sendCachedValues=false");
    drain(&mut sample, stream);
    assert_eq!(ask(&mut sample, Method::Put, ROUTE, ROUTE_BODY).0, 200);
    let told = format!("{:?}", drain(&mut sample, stream));
    assert!(told.contains("resources.routes.ac3a3b2d") && told.contains("@acme/routes"), "{told}");
    let (status, body) = ask(&mut sample, Method::Post, base, ROUTE_BODY);
    assert_eq!((status, member(&body, "id").len()), (201, 36), "{body}");
    assert_eq!(ask(&mut sample, Method::Delete, ROUTE, "").0, 200);
    assert!(format!("{:?}", drain(&mut sample, stream)).contains("null"));
    assert_eq!(ask(&mut sample, Method::Put, ROUTE, "{}").0, 400);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/x"), "").0, 400);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}?provider=none"), "").0, 400);
    assert_eq!(ask(&mut sample, Method::Get, "/signalk/v2/api/resources/notes", "").0, 404);
}

#[test]
fn a_provider_that_knows_nothing_owns_nothing() {
    // Upstream such a provider draws the writes meant for others (plugin ABI L-26).
    let empty = keeper("@acme/a", "{}", r#"{"error":"not mine"}"#);
    let owner = keeper("@acme/b", r#"{"name":"harbour"}"#, "");
    let mut sample = world(vec![empty, owner]);
    assert_eq!(ask(&mut sample, Method::Put, ROUTE, ROUTE_BODY).0, 200);
    let (status, body) = ask(&mut sample, Method::Post, "/signalk/v2/api/resources/routes", ROUTE_BODY);
    assert_eq!((status, &*member(&body, "message")), (400, "not mine"), "the first is the default");
    let default = "/signalk/v2/api/resources/routes/_providers/_default/@acme/b";
    assert_eq!(ask(&mut sample, Method::Post, default, "").0, 201);
    assert_eq!(ask(&mut sample, Method::Post, "/signalk/v2/api/resources/routes", ROUTE_BODY).0, 201);
    let mut sample = world(vec![keeper("@acme/a", r#"{"error":"no such route"}"#, "")]);
    assert_eq!(ask(&mut sample, Method::Get, ROUTE, "").0, 404);
    assert_eq!(ask(&mut sample, Method::Delete, ROUTE, "").0, 404);
}

#[test]
fn weather_comes_from_its_provider() {
    let start = "(drop (call $weather (i32.const 80) (i32.const 5)))";
    let texts = [("now", r#"[{"type":"observation"}]"#), ("later", r#"[{"type":"daily"},{"type":"point","wind":{}}]"#)];
    let exports = [export("weather_get_observations", "now"), export("weather_get_forecasts", "later")].concat();
    let mut sample = world(vec![package("@acme/met", start, &texts, &exports)]);
    let base = "/signalk/v2/api/weather";
    assert_eq!(sample.get(&format!("{base}/observations?lat=54&lon=10")), r#"[{"type":"observation"}]"#);
    assert_eq!(sample.get(&format!("{base}/forecasts/point?lat=54&lon=10")), r#"[{"type":"point","wind":{}}]"#);
    assert_eq!(sample.get(&format!("{base}/warnings?lat=54&lon=10")), "[]", "no such export");
    assert_eq!(sample.get(&format!("{base}/_providers")), r#"{"@acme/met":{"name":"north","isDefault":true}}"#);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/observations?lat=54"), "").0, 400);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/observations?lat=1&lon=1&provider=x"), "").0, 400);
    let mut none = world(vec![]);
    assert_eq!(ask(&mut none, Method::Get, &format!("{base}/observations?lat=54&lon=10"), "").0, 400);
}

const RADAR: &str = "(drop (call $radar (i32.const 80) (i32.const 5)))";

fn radar(body: &str) -> Package {
    let texts = [
        ("info", r#"{"name":"Halo","brand":"x","radarIpAddress":"10.0.0.1"}"#),
        ("state", r#"{"controls":{"gain":{"auto":true}}}"#),
        ("yes", r#"{"success":true}"#),
        ("true", "true"),
    ];
    let ids: String = r#"["r1"]"#.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let exports = format!(
        "(data (i32.const 900) \"{ids}\")
         (func (export \"radar_get_radars\") (param i32 i32) (result i32)
            (memory.copy (local.get 0) (i32.const 900) (i32.const 6)) (i32.const 6)) {} {} {body}",
        export("radar_get_radar_info", "info"),
        export("radar_get_state", "state")
    );
    package("@acme/radar", RADAR, &texts, &exports)
}

#[test]
fn radars_are_found_read_and_set() {
    let mut sample = world(vec![radar(&(export("radar_set_control", "yes") + &export("radar_cancel_target", "true")))]);
    let base = "/signalk/v2/api/vessels/self/radars";
    let all = sample.get(base);
    assert_eq!(all, r#"{"version":"3.4.0","radars":{"r1":{"name":"Halo","brand":"x","radarIpAddress":"10.0.0.1"}}}"#);
    assert_eq!(sample.get(&format!("{base}/r1/controls")), r#"{"gain":{"auto":true}}"#);
    let response = sample.ask(&request(Method::Get, &format!("{base}/r1/state"), ""));
    assert_eq!(response.header("cache-control"), Some("no-cache"));
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/r2"), "").0, 404);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/r1/targets"), "").0, 400, "no such export");
    let (status, body) = ask(&mut sample, Method::Put, &format!("{base}/r1/power"), r#"{"value":"transmit"}"#);
    assert_eq!((status, &*member(&body, "message")), (200, "OK"));
    assert_eq!(ask(&mut sample, Method::Put, &format!("{base}/r1/power"), r#"{"value":"max"}"#).0, 400);
    assert_eq!(ask(&mut sample, Method::Delete, &format!("{base}/r1/targets/3"), "").0, 200);
}

#[test]
fn a_radar_without_the_general_setter_is_set_by_the_typed_one() {
    let mut sample = world(vec![radar(&export("radar_set_power", "true"))]);
    let path = "/signalk/v2/api/vessels/self/radars/r1/power";
    assert_eq!(ask(&mut sample, Method::Put, path, r#"{"value":"standby"}"#).0, 200);
}

#[test]
fn binary_frames_reach_the_clients_of_their_stream_and_the_slow_lose_the_oldest() {
    let emit = "(drop (call $spokes (i32.const 96) (i32.const 2) (i32.const 80) (i32.const 5)))
                (drop (call $stream (i32.const 112) (i32.const 23) (i32.const 64) (i32.const 6)))";
    let body = format!("(func (export \"poll\") (result i32) {emit} (i32.const 0))");
    let mut sample = world(vec![package("@acme/radar", RADAR, &[], &body)]);
    let spokes = open(&mut sample, "/signalk/v2/api/vessels/self/radars/r1/spokes");
    let raw = open(&mut sample, "/signalk/v2/api/streams/plugins/%40acme%2Fradar/raw");
    let silent = open(&mut sample, "/signalk/v2/api/streams/nobody");
    sample.play(3);
    let frame = |bytes: &[u8]| StreamOut::Binary(bytes.into());
    assert_eq!(drain(&mut sample, spokes), vec![frame(b"north"); 3]);
    assert_eq!(drain(&mut sample, raw), vec![frame(b"routes"); 3]);
    assert!(drain(&mut sample, silent).is_empty());
    sample.play(256 + 20);
    assert_eq!(drain(&mut sample, spokes).len(), 256, "bounded");
    sample.play(256 + 31);
    assert_eq!(sample.replay().gateway_mut().stream_next(spokes), StreamOut::TooSlow);
    sample.replay().gateway_mut().close_stream(spokes);
    assert_eq!(sample.replay().gateway_mut().stream_next(spokes), StreamOut::Closed);
}

#[test]
fn plain_requests_to_streams_are_told_so() {
    let mut sample = world(vec![]);
    assert_eq!(ask(&mut sample, Method::Get, "/signalk/v2/api/streams/radars/r1", "").0, 426);
}

/// An endpoint whose answer has this many letters in its body.
fn long_answer(method: &str, letters: usize) -> Package {
    let endpoints = format!(r#"[{{"method":"{method}","path":"/long","handler":"long"}}]"#);
    let escaped: String = endpoints.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let head = r#"{"body":""#;
    let total = head.len() + letters + 2;
    let body = format!(
        "(data (i32.const 512) \"{escaped}\")
         (data (i32.const 600) \"{{\\22body\\22:\\22\")
         (data (i32.const 620) \"\\22}}\")
         (func (export \"http_endpoints\") (param i32 i32) (result i32)
            (memory.copy (local.get 0) (i32.const 512) (i32.const {elen})) (i32.const {elen}))
         (func (export \"long\") (param i32 i32 i32 i32) (result i32)
            (if (i32.lt_u (local.get 3) (i32.const {total})) (then
                (memory.copy (local.get 2) (i32.const 600) (i32.const {hlen}))
                (return (local.get 3))))
            (memory.copy (local.get 2) (i32.const 600) (i32.const {hlen}))
            (memory.fill (i32.add (local.get 2) (i32.const {hlen})) (i32.const 120) (i32.const {letters}))
            (memory.copy (i32.add (local.get 2) (i32.const {end})) (i32.const 620) (i32.const 2))
            (i32.const {total}))",
        elen = endpoints.len(),
        hlen = head.len(),
        end = head.len() + letters,
    );
    package("long", "", &[], &body)
}

#[test]
fn answers_beyond_64_kib_work_where_asking_twice_is_safe() {
    for letters in [10, 65_525, 65_526, 200_000] {
        let mut sample = world(vec![long_answer("GET", letters)]);
        let (status, body) = ask(&mut sample, Method::Get, "/plugins/long/long", "");
        assert_eq!((status, body.len()), (200, letters), "{letters}");
    }
    // A change is not made twice, so its long answer is an error.
    let mut sample = world(vec![long_answer("POST", 70_000)]);
    assert_eq!(ask(&mut sample, Method::Post, "/plugins/long/long", "{}").0, 500);
}

#[test]
fn a_request_for_nobody_is_a_404() {
    let mut sample = world(vec![]);
    let missing: Request = request(Method::Get, "/signalk/v2/api/nothing", "");
    assert_eq!(sample.ask(&missing).status, 404);
}

#[test]
fn notifications_are_raised_silenced_updated_and_cleared() {
    let mut sample = world(vec![]);
    let base = "/signalk/v2/api/notifications";
    let raised = r#"{"state":"alarm","message":"bilge","method":["visual","sound"],"path":"bilge.high"}"#;
    let (status, body) = ask(&mut sample, Method::Post, base, raised);
    let id = member(&body, "id");
    assert_eq!((status, id.len()), (200, 36), "{body}");
    let value = "/signalk/v1/api/vessels/self/notifications/bilge/high/value";
    assert_eq!(sample.get(&format!("{value}/id")), format!("\"{id}\""));
    assert_eq!(ask(&mut sample, Method::Post, &format!("{base}/{id}/silence"), "").0, 200);
    assert_eq!(sample.get(&format!("{value}/method")), r#"["visual"]"#);
    assert!(sample.get(&format!("{base}/{id}")).contains(r#""silenced":true"#));
    assert_eq!(ask(&mut sample, Method::Put, &format!("{base}/{id}"), r#"{"state":"emergency"}"#).0, 200);
    assert_eq!(sample.get(&format!("{value}/method")), r#"["visual","sound"]"#, "a new state sounds again");
    assert_eq!(ask(&mut sample, Method::Post, &format!("{base}/{id}/silence"), "").0, 400, "an emergency is loud");
    assert_eq!(ask(&mut sample, Method::Post, &format!("{base}/silenceAll"), "").0, 200);
    assert_eq!(sample.get(&format!("{value}/method")), r#"["visual","sound"]"#);
    assert_eq!(ask(&mut sample, Method::Post, &format!("{base}/acknowledgeAll"), "").0, 200);
    assert_eq!(sample.get(&format!("{value}/method")), r#"["visual"]"#, "and stays in sight");
    assert_eq!(ask(&mut sample, Method::Delete, &format!("{base}/{id}"), "").0, 200);
    assert_eq!(sample.get(&format!("{value}/state")), r#""normal""#);
    assert_eq!(ask(&mut sample, Method::Get, &format!("{base}/{id}"), "").0, 404);
    let (status, body) = ask(&mut sample, Method::Post, &format!("{base}/mob"), "");
    assert_eq!(status, 200);
    assert!(sample.get(&format!("{base}/{}", member(&body, "id"))).contains("emergency"));
    for (method, path, body, status) in [
        (Method::Post, base.to_string(), r#"{"message":"no state"}"#, 400),
        (Method::Post, base.to_string(), r#"{"state":"bad"}"#, 400),
        (Method::Post, base.to_string(), r#"{"state":"warn","method":["smell"]}"#, 400),
        (Method::Post, base.to_string(), r#"{"state":"warn","path":"a..b"}"#, 400),
        (Method::Put, format!("{base}/none"), "{}", 404),
        (Method::Post, format!("{base}/none/silence"), "", 404),
        (Method::Delete, format!("{base}/none"), "", 404),
        (Method::Patch, base.to_string(), "", 405),
    ] {
        assert_eq!(ask(&mut sample, method, &path, body).0, status, "{method} {path} {body}");
    }
}

#[test]
fn a_raised_notification_has_what_signal_k_servers_give_it() {
    let mut sample = world(vec![]);
    let base = "/signalk/v2/api/notifications";
    let mut raise = |body: &str| {
        let (status, answer) = ask(&mut sample, Method::Post, base, body);
        assert_eq!((status, member(&answer, "message")), (200, "OK".into()), "{answer}");
        let id = member(&answer, "id");
        let row = sample.get(&format!("{base}/{id}"));
        (id, row)
    };
    let (_, row) = raise(r#"{"state":"alarm","message":"m","path":"a.b","data":{"level":3}}"#);
    assert!(row.contains(r#""path":"notifications.a.b""#) && row.contains(r#""method":["visual","sound"]"#), "{row}");
    assert!(row.contains(r#""data":{"level":3}"#) && row.contains(r#""$source":"notificationsApi""#), "{row}");
    assert!(!row.contains("createdAt") && !row.contains("position"), "{row}");
    let (id, row) = raise(
        r#"{"state":"warn","message":"m","path":"a","idInPath":true,"includePosition":true,"includeCreatedAt":true}"#,
    );
    assert!(row.contains(&format!(r#""path":"notifications.a.{id}""#)), "{row}");
    assert!(row.contains(r#""createdAt":"2"#) && row.contains(r#""position":"#), "{row}");
    let (id, row) = raise(r#"{"state":"emergency","message":"fire"}"#);
    assert!(row.contains("createdAt") && row.contains("position") && !row.contains("acknowledgedAt"), "{row}");
    assert_eq!(ask(&mut sample, Method::Post, &format!("{base}/{id}/acknowledge"), "").0, 200);
    let row = sample.get(&format!("{base}/{id}"));
    assert!(row.contains(r#""acknowledgedAt":"2"#) && row.contains(r#""method":["visual"]"#), "{row}");
    for refused in [r#"{"state":"warn"}"#, r#"{"state":"warn","message":"m","data":7}"#] {
        assert_eq!(ask(&mut sample, Method::Post, base, refused).0, 400, "{refused}");
    }
}

#[test]
fn a_plugin_with_a_path_filter_is_told_of_its_paths_only() {
    let emit = "(drop (call $stream (i32.const 112) (i32.const 11) (i32.const 64) (i32.const 6)))";
    let body = format!("(func (export \"delta_handler\") (param i32 i32) {emit})");
    let mut sample = world(vec![package("p", "", &[], &body.replace("(i32.const 11)", "(i32.const 13)"))]);
    let raw = open(&mut sample, "/signalk/v2/api/streams/plugins/p/raw");
    sample.play(2);
    let all = drain(&mut sample, raw).len();
    let mut told = |section: &str| {
        let body = format!(r#"{{"enabled":true,"skiff":{section}}}"#);
        assert_eq!(ask(&mut sample, Method::Post, "/plugins/p/config", &body).0, 200);
        drain(&mut sample, raw);
        sample.play(2);
        drain(&mut sample, raw).len()
    };
    let some = told(r#"{"subscribe":["navigation.position"]}"#);
    assert!(some > 0 && some < all, "{some} of {all}");
    assert_eq!(told(r#"{"subscribe":["nothing.*"]}"#), 0);
    assert!(told("null") > some, "without a filter it gets every delta again");
}
