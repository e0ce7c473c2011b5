//! The Course API: clients and plotters set where the vessel goes, and what follows from that is told.

mod boat;
mod guests;

use boat::Boat;
use skiff_runtime::gateway::{StreamId, StreamOut};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::json;

const ROOT: &str = "/signalk/v2/api/vessels/self/navigation/course";
const ROUTE_HREF: &str = "/resources/routes/ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";
const WAYPOINT_HREF: &str = "/resources/waypoints/ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a";
const ROUTE: &str = r#"{"name":"Round","feature":{"type":"Feature","geometry":{"type":"LineString","coordinates":[[10,54.1],[10,54.2],[10,54.3]]},"properties":{"coordinatesMeta":[{"name":"A"},{"name":"B"},{"name":"C"}]}}}"#;
const WAYPOINT: &str = r#"{"name":"Buoy","feature":{"type":"Feature","geometry":{"type":"Point","coordinates":[10,54.1]},"properties":{}}}"#;
const DONE: &str = r#"{"state":"COMPLETED","statusCode":200,"message":"OK"}"#;

fn ask(boat: &mut Boat, method: Method, target: &str, body: &str) -> (u16, String) {
    let mut request = Request::new(method, target);
    request.body = body.into();
    let exchange = boat.gateway.request(&request);
    // Whoever keeps a resource may need a moment.
    let response = boat.answer(exchange).or_else(|| {
        boat.pass(1);
        boat.answer(exchange)
    });
    let response = response.expect("an answer");
    (response.status, String::from_utf8(response.body.into_owned()).unwrap())
}

fn put(boat: &mut Boat, below: &str, body: &str) -> (u16, String) {
    ask(boat, Method::Put, &format!("{ROOT}{below}"), body)
}

fn done(boat: &mut Boat, below: &str, body: &str) {
    assert_eq!(put(boat, below, body), (200, DONE.into()), "{below} {body}");
}

fn get(boat: &mut Boat, below: &str) -> String {
    ask(boat, Method::Get, &format!("{ROOT}{below}"), "").1
}

/// The value at `path`, steps parted by dots, of what `below` answers.
fn at(boat: &mut Boat, below: &str, path: &str) -> String {
    let text = get(boat, below);
    path.split('.').fold(text, |text, step| json::member(&text, step).unwrap_or("missing").to_owned())
}

/// The vessel is at `latitude`, 10 degrees east, and goes north with 5 m/s.
fn sail_to(boat: &mut Boat, latitude: f64) {
    let input = boat.gateway.input("gps");
    let position = format!(r#"{{"path":"navigation.position","value":{{"latitude":{latitude},"longitude":10}}}}"#);
    let values = [
        position.as_str(),
        r#"{"path":"navigation.courseOverGroundTrue","value":0}"#,
        r#"{"path":"navigation.speedOverGround","value":5}"#,
        r#"{"path":"navigation.magneticVariation","value":0.05}"#,
    ];
    boat.gateway.receive_delta(input, &format!(r#"{{"updates":[{{"values":[{}]}}]}}"#, values.join(",")), None);
    boat.settle();
}

fn listen(boat: &mut Boat) -> StreamId {
    let target = "/signalk/v1/stream?subscribe=self&sendCachedValues=false";
    let stream = boat.gateway.open_stream(&Request::new(Method::Get, target)).unwrap();
    heard(boat, stream);
    stream
}

/// All that a client was told since it asked last.
fn heard(boat: &mut Boat, stream: StreamId) -> String {
    let mut told = String::new();
    boat.settle();
    while let StreamOut::Text(text) = boat.gateway.stream_next(stream) {
        told.push_str(&text);
        told.push('\n');
    }
    told
}

fn count(told: &str, path: &str) -> usize {
    told.matches(&format!("\"{path}\"")).count()
}

/// A plugin that keeps resources of one type; each has this text.
fn keeper(kind: &str, resource: &str) -> String {
    let escaped = resource.replace('"', "\\\"");
    format!(
        r#"(module
            (import "env" "sk_register_resource_provider" (func $resources (param i32 i32) (result i32)))
            (memory (export "memory") 4)
            (data (i32.const 64) "{kind}")
            (data (i32.const 1024) "{escaped}")
            (global $next (mut i32) (i32.const 65536))
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param $bytes i32) (result i32)
                (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                    (then (drop (memory.grow (i32.const 4)))))
                (i32.sub (global.get $next) (local.get $bytes)))
            (func (export "deallocate") (param i32 i32)
                (global.set $next (i32.sub (global.get $next) (local.get 1))))
            (func (export "plugin_start") (param i32 i32) (result i32)
                (drop (call $resources (i32.const 64) (i32.const {kind_len}))) (i32.const 0))
            (func (export "plugin_stop") (result i32) (i32.const 0))
            (func (export "resources_get_resource") (param i32 i32 i32 i32) (result i32)
                (memory.copy (local.get 2) (i32.const 1024) (i32.const {len})) (i32.const {len}))
            (func (export "resources_set_resource") (param i32 i32 i32 i32) (result i32) (i32.const 0)))"#,
        kind_len = kind.len(),
        len = resource.len(),
    )
}

#[test]
fn a_destination_is_told_kept_and_there_after_a_restart() {
    let storage = SimStorage::new();
    let mut boat = Boat::with_storage(storage.clone());
    sail_to(&mut boat, 54.0);
    let stream = listen(&mut boat);
    let position = r#"{"latitude":54.10000000000001,"longitude":10.000000000000002,"altitude":1.5}"#;
    done(&mut boat, "/destination", &format!(r#"{{"position":{position},"arrivalCircle":0.1}}"#));
    let told = heard(&mut boat, stream);
    for path in ["startTime", "targetArrivalTime", "activeRoute", "arrivalCircle", "previousPoint", "nextPoint"] {
        assert_eq!(count(&told, &format!("navigation.course.{path}")), 1, "{path}: {told}");
    }
    for method in ["GreatCircle", "Rhumbline"] {
        let next = format!(r#"{{"path":"navigation.course{method}.nextPoint.position","value":{position}}}"#);
        assert!(told.contains(&next), "{told}");
    }
    assert!(told.contains(r#""$source":"courseApi""#), "{told}");
    done(&mut boat, "/targetArrivalTime", r#"{"value":"2026-12-24T18:00:00Z"}"#);
    let course = get(&mut boat, "");
    assert!(course.contains(&format!(r#""position":{position},"type":"Location","name":"DP""#)), "{course}");
    let mut again = Boat::with_storage(storage);
    assert_eq!(get(&mut again, ""), course);
    let old = "/signalk/v1/api/vessels/self/navigation/courseRhumbline/nextPoint/position/value";
    assert_eq!(ask(&mut again, Method::Get, old, ""), (200, position.into()));
    assert_eq!(ask(&mut again, Method::Delete, ROOT, ""), (200, DONE.into()));
    let cleared = r#"{"startTime":null,"targetArrivalTime":null,"arrivalCircle":0.1,"activeRoute":null,"nextPoint":null,"previousPoint":null}"#;
    assert_eq!(get(&mut again, ""), cleared);
    assert_eq!(ask(&mut again, Method::Get, old, "").1, "null");
}

#[test]
fn a_route_that_a_plugin_keeps_is_sailed_and_followed() {
    let mut boat = Boat::new();
    boat.install("routes", &keeper("routes", ROUTE));
    boat.pass(1);
    sail_to(&mut boat, 54.0);
    done(&mut boat, "/activeRoute", &format!(r#"{{"href":"{ROUTE_HREF}","pointIndex":1,"arrivalCircle":30}}"#));
    let route = format!(r#"{{"href":"{ROUTE_HREF}","name":"Round","reverse":false,"pointIndex":1,"pointTotal":3}}"#);
    assert_eq!(at(&mut boat, "", "activeRoute"), route);
    assert_eq!(at(&mut boat, "", "previousPoint.name"), "\"A\"");
    let metres: f64 = at(&mut boat, "/calcValues", "route.distance").parse().unwrap();
    assert!((metres - 0.3 * 111_194.927).abs() < 1.0, "{metres}");
    done(&mut boat, "/activeRoute/nextPoint", "");
    assert_eq!(at(&mut boat, "", "nextPoint.name"), "\"C\"");
    done(&mut boat, "/activeRoute/reverse", "");
    assert_eq!(
        (at(&mut boat, "", "activeRoute.pointIndex"), at(&mut boat, "", "nextPoint.name")),
        ("0".into(), "\"C\"".into())
    );
    done(&mut boat, "/activeRoute/pointIndex", r#"{"value":2}"#);
    done(&mut boat, "/activeRoute/refresh", "");
    assert_eq!(at(&mut boat, "", "nextPoint.name"), "\"A\"");
    // The route is changed under way.
    let changed = ROUTE.replace("[10,54.1]", "[10,54.05]");
    let resource = format!("/signalk/v2/api{ROUTE_HREF}");
    assert_eq!(ask(&mut boat, Method::Put, &resource, &changed).0, 200);
    assert_eq!(at(&mut boat, "", "nextPoint.position.latitude"), "54.05");
}

#[test]
fn a_waypoint_is_a_destination_and_one_that_nobody_has_is_none() {
    let mut boat = Boat::new();
    boat.install("waypoints", &keeper("waypoints", WAYPOINT));
    boat.pass(1);
    sail_to(&mut boat, 54.0);
    done(&mut boat, "/destination", &format!(r#"{{"href":"{WAYPOINT_HREF}"}}"#));
    let point = format!(
        r#"{{"position":{{"latitude":54.1,"longitude":10}},"href":"{WAYPOINT_HREF}","type":"Waypoint","name":"Buoy"}}"#
    );
    assert_eq!(at(&mut boat, "", "nextPoint"), point);
    let (status, body) = put(&mut boat, "/activeRoute", &format!(r#"{{"href":"{ROUTE_HREF}"}}"#));
    assert_eq!((status, body.contains("FAILED")), (400, true), "{body}");
    assert_eq!(at(&mut boat, "", "nextPoint"), point, "the course stays");
}

#[test]
fn what_follows_is_told_each_second_and_alarms_come_and_go() {
    let mut boat = Boat::new();
    sail_to(&mut boat, 54.0);
    done(&mut boat, "/destination", r#"{"position":{"latitude":54.1,"longitude":10},"arrivalCircle":1000}"#);
    let stream = listen(&mut boat);
    for step in 1..=10 {
        boat.pass(1);
        sail_to(&mut boat, 54.0 + 0.001 * f64::from(step));
    }
    boat.pass(1);
    let told = heard(&mut boat, stream);
    assert_eq!(count(&told, "navigation.course.calcValues.distance"), 10, "{told}");
    assert_eq!(count(&told, "navigation.courseGreatCircle.nextPoint.distance"), 10);
    assert!(told.contains(r#""$source":"course-provider""#) && !told.contains("arrivalCircleEntered"), "{told}");
    let metres: f64 = at(&mut boat, "/calcValues", "distance").parse().unwrap();
    assert!((metres - 0.09 * 111_194.927).abs() < 0.1, "{metres}");
    let magnetic: f64 = at(&mut boat, "/calcValues", "bearingMagnetic").parse().unwrap();
    assert!((magnetic - (core::f64::consts::TAU - 0.05)).abs() < 1e-9, "variation is east: {magnetic}");
    boat.pass(5);
    assert_eq!(heard(&mut boat, stream), "", "the position is the same");
    for (latitude, arrived, passed) in [(54.095, 1, 0), (54.096, 0, 0), (54.105, 0, 1), (54.15, 1, 0)] {
        sail_to(&mut boat, latitude);
        boat.pass(1);
        let told = heard(&mut boat, stream);
        let alarms = [
            count(&told, "notifications.navigation.course.arrivalCircleEntered"),
            count(&told, "notifications.navigation.course.perpendicularPassed"),
        ];
        assert_eq!(alarms, [arrived, passed], "{latitude}: {told}");
    }
    ask(&mut boat, Method::Delete, ROOT, "");
    boat.pass(1);
    let told = heard(&mut boat, stream);
    assert!(told.contains(r#"{"path":"navigation.course.calcValues.distance","value":null}"#), "{told}");
    let calm = r#"{"path":"notifications.navigation.course.perpendicularPassed","value":{"state":"normal","method":[]"#;
    assert!(told.contains(calm), "{told}");
    let refused = put(&mut boat, "/restart", "");
    assert_eq!((refused.0, refused.1.contains("No active destination!")), (400, true));
}

#[test]
fn the_options_of_the_plugin_that_derives_elsewhere_are_obeyed() {
    let mut storage = SimStorage::new();
    let options = br#"{"enabled":true,"configuration":{"notifications":{"enableArrival":false,"sound":true},"calculations":{"method":"Rhumbline"}}}"#;
    storage.replace(&Key::parse("plugin-config-data/course-provider.json").unwrap(), options).unwrap();
    let mut boat = Boat::with_storage(storage);
    sail_to(&mut boat, 54.2);
    done(&mut boat, "/destination", r#"{"position":{"latitude":54.3,"longitude":10},"arrivalCircle":50000}"#);
    let stream = listen(&mut boat);
    sail_to(&mut boat, 54.31);
    boat.pass(1);
    let told = heard(&mut boat, stream);
    assert!(told.contains("perpendicularPassed") && told.contains(r#"["sound","visual"]"#), "{told}");
    assert!(!told.contains("arrivalCircleEntered") && told.contains("courseRhumbline.crossTrackError"), "{told}");
    assert_eq!(at(&mut boat, "/calcValues", "calcMethod"), "\"Rhumbline\"");
}

#[test]
fn a_signal_k_folder_that_keeps_plotters_out_is_obeyed() {
    let mut storage = SimStorage::new();
    storage.replace(&Key::parse("settings.json").unwrap(), br#"{"courseApi":{"apiOnly":true}}"#).unwrap();
    let mut boat = Boat::with_storage(storage);
    assert_eq!(get(&mut boat, "/_config"), r#"{"apiOnly":true}"#);
}

#[test]
fn a_plotter_sets_the_course_until_it_is_silent() {
    let storage = SimStorage::new();
    let mut boat = Boat::with_storage(storage.clone());
    sail_to(&mut boat, 54.0);
    let input = boat.gateway.input("plotter");
    let bottom = "$GPRMB,A,0.66,L,003,004,4917.24,N,12309.57,W,001.3,052.5,000.5,V*20";
    boat.gateway.receive_sentence(input, bottom, None);
    boat.settle();
    assert!(at(&mut boat, "", "nextPoint.position.latitude").starts_with("49.287"), "{}", get(&mut boat, ""));
    let is_kept = || storage.clone().read_all(&Key::parse("skiff/course.json").unwrap(), 1000).is_ok();
    assert!(!is_kept());
    let stream = listen(&mut boat);
    boat.pass(14);
    assert_ne!(at(&mut boat, "", "nextPoint"), "null");
    boat.pass(2);
    assert_eq!(at(&mut boat, "", "nextPoint"), "null", "the plotter is not heard");
    assert!(!is_kept(), "a plotter that comes and goes wears no storage");
    assert!(heard(&mut boat, stream).contains(r#"{"path":"navigation.course.nextPoint","value":null}"#));
    // A client keeps plotters out, also after a restart.
    assert_eq!(ask(&mut boat, Method::Post, &format!("{ROOT}/_config/apiOnly"), "").0, 200);
    let mut boat = Boat::with_storage(storage);
    assert_eq!(get(&mut boat, "/_config"), r#"{"apiOnly":true}"#);
    sail_to(&mut boat, 54.0);
    let input = boat.gateway.input("plotter");
    boat.gateway.receive_sentence(input, bottom, None);
    boat.settle();
    assert_eq!(at(&mut boat, "", "nextPoint"), "null");
    assert_eq!(ask(&mut boat, Method::Delete, &format!("{ROOT}/_config/apiOnly"), "").0, 200);
    boat.gateway.receive_sentence(input, bottom, None);
    boat.settle();
    assert_ne!(at(&mut boat, "", "nextPoint"), "null");
    // A client's course is not the plotter's to change.
    done(&mut boat, "/destination", r#"{"position":{"latitude":1,"longitude":2}}"#);
    boat.gateway.receive_sentence(input, bottom, None);
    boat.pass(20);
    assert_eq!(at(&mut boat, "", "nextPoint.position.latitude"), "1");
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let mut boat = Boat::new();
    let position = r#"{"position":{"latitude":1,"longitude":2}}"#;
    assert_eq!(put(&mut boat, "/destination", position).0, 400, "where the vessel is, is not known");
    sail_to(&mut boat, 54.0);
    let before = get(&mut boat, "");
    for (below, body, status) in [
        ("/destination", "{", 400),
        ("/destination", "{}", 400),
        ("/destination", "[]", 400),
        ("/destination", r#"{"position":{"latitude":91,"longitude":2}}"#, 400),
        ("/destination", r#"{"href":"/resources/routes/x"}"#, 400),
        ("/activeRoute", "{}", 400),
        ("/activeRoute", r#"{"href":"nowhere"}"#, 400),
        ("/activeRoute/nextPoint", "", 400),
        ("/activeRoute/sideways", "", 404),
        ("/arrivalCircle", r#"{"value":-1}"#, 400),
        ("/arrivalCircle", r#"{"value":"1"}"#, 400),
        ("/targetArrivalTime", r#"{"value":"tomorrow"}"#, 400),
        ("/restart", "", 400),
        ("/nextPoint", "{}", 404),
        ("/calcValues", "{}", 405),
    ] {
        assert_eq!(put(&mut boat, below, body).0, status, "{below} {body}");
    }
    for (below, status) in
        [("/calcValues", 400), ("/destination", 405), ("/nextPoint", 404), ("/arrivalCircle/meta", 200)]
    {
        assert_eq!(ask(&mut boat, Method::Get, &format!("{ROOT}{below}"), "").0, status, "{below}");
    }
    assert_eq!(ask(&mut boat, Method::Post, ROOT, "{}").0, 405);
    assert_eq!(get(&mut boat, ""), before);
    let (mut boat, _) = Boat::guarded(SimStorage::new());
    assert_eq!(put(&mut boat, "/destination", position).0, 401);
}

#[test]
fn a_damaged_file_is_no_course() {
    let mut storage = SimStorage::new();
    let key = Key::parse("skiff/course.json").unwrap();
    for damaged in
        [&b"{\"apiOnly\":"[..], b"{}", b"\xff", br#"{"apiOnly":true,"course":{"arrivalCircle":"x"},"points":[]}"#]
    {
        storage.replace(&key, damaged).unwrap();
        let mut boat = Boat::with_storage(storage.clone());
        assert_eq!(at(&mut boat, "", "nextPoint"), "null");
        assert_eq!(storage.read_all(&key, 1000).unwrap(), damaged, "it is left until the next change");
    }
}

#[test]
fn who_comes_later_is_told_at_once() {
    let mut boat = Boat::new();
    sail_to(&mut boat, 54.0);
    done(&mut boat, "/destination", r#"{"position":{"latitude":54.1,"longitude":10}}"#);
    boat.settle();
    let stream = boat.gateway.open_stream(&Request::new(Method::Get, "/signalk/v1/stream?subscribe=self")).unwrap();
    let told = heard(&mut boat, stream);
    for path in ["navigation.course.nextPoint", "navigation.course.calcValues.distance"] {
        assert_eq!(count(&told, path), 1, "{path}: {told}");
    }
    let target = "/signalk/v1/api/vessels/self/navigation/course/calcValues/distance";
    let shown = ask(&mut boat, Method::Get, target, "").1;
    assert_eq!(json::member(&shown, "meta").and_then(|meta| json::member(meta, "units")), Some("\"m\""), "{shown}");
}

#[cfg(feature = "stores")]
#[test]
fn a_waypoint_that_the_gateway_keeps_is_a_destination() {
    let mut boat = Boat::with_storage(SimStorage::new());
    boat.gateway.keep_resources(Box::new(Vec::new));
    sail_to(&mut boat, 54.0);
    let kept = ask(&mut boat, Method::Put, &format!("/signalk/v2/api{WAYPOINT_HREF}"), WAYPOINT);
    assert_eq!(kept.0, 200, "{}", kept.1);
    done(&mut boat, "/destination", &format!(r#"{{"href":"{WAYPOINT_HREF}"}}"#));
    assert_eq!(at(&mut boat, "", "nextPoint.position"), r#"{"latitude":54.1,"longitude":10}"#);
    let other = WAYPOINT_HREF.replace("ac3a3b2d", "ac3a3b2e");
    let missing = put(&mut boat, "/destination", &format!(r#"{{"href":"{other}"}}"#));
    assert_eq!(missing.0, 400, "{}", missing.1);
}
