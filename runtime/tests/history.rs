//! The past: kept once a minute, asked for by the History API, as snapshots and played again.

mod boat;
mod guests;

use std::time::Duration;

use boat::Boat;
use serde_json::{Value, json};
use skiff_runtime::config::Settings;
use skiff_runtime::gateway::{StreamId, StreamOut};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Clock, Key, Storage};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::time::UnixMillis;

const SELF: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";
const HISTORY: &str = r#"{"paths":["navigation.*","environment.depth.belowKeel"]}"#;

/// A boat that keeps history as its settings say.
fn boat(storage: &SimStorage, history: &str) -> Boat {
    let mut storage = storage.clone();
    let text = format!(r#"{{"skiff":{{"history":{history}}}}}"#);
    storage.replace(&Key::parse("settings.json").unwrap(), text.as_bytes()).unwrap();
    let settings = Settings::load(&mut storage).unwrap();
    let mut boat = Boat::with_storage(storage);
    boat.gateway.keep_history(settings.history.as_ref());
    boat
}

fn tell(boat: &mut Boat, path: &str, value: &Value) {
    let input = boat.gateway.input("test");
    let time = boat.gateway.wall_clock().unwrap();
    let delta = json!({ "context": "vessels.self", "updates": [{
        "$source": "can0.7", "timestamp": time.text().to_string(), "values": [{ "path": path, "value": value }] }] });
    boat.gateway.receive_delta(input, &delta.to_string(), Some(UnixMillis(time.0)));
    boat.settle();
}

/// Lets seconds pass; in each, speed, course, depth and place are told.
fn sail(boat: &mut Boat, seconds: u32) {
    for second in 0..seconds {
        tell(boat, "navigation.speedOverGround", &json!(f64::from(second % 60) / 10.0));
        tell(boat, "navigation.courseOverGroundTrue", &json!(if second % 2 == 0 { 6.2 } else { 0.1 }));
        tell(
            boat,
            "navigation.position",
            &json!({ "latitude": 60.5 + f64::from(second) / 1000.0, "longitude": 20.25 }),
        );
        tell(boat, "environment.depth.belowKeel", &json!(4.5));
        tell(boat, "environment.depth.belowSurface", &json!(6.5));
        boat.clock.advance(Duration::from_secs(1));
        boat.settle();
    }
}

fn get(boat: &mut Boat, target: &str) -> (u16, Value) {
    let exchange = boat.get(target);
    let response = boat.answer(exchange).unwrap_or_else(|| panic!("{target} is not answered"));
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn values(boat: &mut Boat, query: &str) -> Value {
    let (status, body) = get(boat, &format!("/signalk/v2/api/history/values?{query}"));
    assert_eq!(status, 200, "{query}: {body}");
    body
}

#[test]
fn values_come_in_rows_by_the_methods_asked_for() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 150);
    let start = "2025-11-24T16:00:00.000Z";
    let body = values(
        &mut boat,
        &format!(
            "from={start}&duration=PT2M&resolution=60&paths=navigation.speedOverGround,navigation.speedOverGround:max,\
             navigation.position,navigation.courseOverGroundTrue,environment.depth.belowSurface"
        ),
    );
    assert_eq!(body["context"], SELF);
    assert_eq!(body["range"], json!({ "from": start, "to": "2025-11-24T16:02:00.000Z" }));
    assert_eq!(body["values"][1], json!({ "path": "navigation.speedOverGround", "method": "max" }));
    let rows = body["data"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{body}");
    assert_eq!((&rows[0][0], &rows[1][0]), (&json!(start), &json!("2025-11-24T16:01:00.000Z")));
    assert!((rows[0][1].as_f64().unwrap() - 2.95).abs() < 1e-9 && rows[0][2] == json!(5.9), "{body}");
    assert_eq!(
        (&rows[0][3], &rows[1][3]),
        (&json!([20.25, 60.5]), &json!([20.25, 60.56])),
        "the first, longitude first"
    );
    let course = rows[0][4].as_f64().unwrap();
    assert!(!(0.2..=6.1).contains(&course), "the mean of two northerly courses is north: {course}");
    assert_eq!(rows[0][5], Value::Null, "the path is not listed");
    // What is not written yet is told, too.
    let last = values(&mut boat, "duration=60&resolution=1&paths=navigation.speedOverGround:last");
    assert_eq!(last["data"].as_array().unwrap().len(), 60, "{last}");
    let (_, status) = get(&mut boat, "/skiff/v1/status");
    assert_eq!((&status["history"]["writes"], &status["history"]["values"]), (&json!(2), &json!(600)), "{status}");
}

#[test]
fn contexts_and_paths_are_listed_where_they_have_values() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 70);
    let (status, paths) = get(&mut boat, "/signalk/v2/api/history/paths?duration=PT1H");
    let expected = json!([
        "environment.depth.belowKeel",
        "navigation.courseOverGroundTrue",
        "navigation.position",
        "navigation.speedOverGround"
    ]);
    assert_eq!((status, paths), (200, expected));
    assert_eq!(get(&mut boat, "/signalk/v2/api/history/contexts?duration=PT1H").1, json!([SELF]));
    let before = "from=2025-11-24T10:00:00Z&to=2025-11-24T11:00:00Z";
    for list in ["paths", "contexts"] {
        assert_eq!(get(&mut boat, &format!("/signalk/v2/api/history/{list}?{before}")), (200, json!([])));
    }
    let other = values(&mut boat, "duration=PT1H&paths=navigation.position&context=vessels.urn:mrn:imo:mmsi:230000001");
    assert_eq!(other["data"], json!([]), "of another vessel nothing is kept");
    let own = values(&mut boat, "duration=PT1H&paths=navigation.position&context=vessels.self");
    assert_eq!(own["data"].as_array().unwrap().len(), 7, "ten seconds a row were chosen: {own}");
}

#[test]
fn sources_are_told_apart_where_asked() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    let input = boat.gateway.input("test");
    for (source, value) in [("b.1", 2.0), ("a.1", 1.0)] {
        let time = boat.gateway.wall_clock().unwrap();
        let delta = json!({ "context": "vessels.self", "updates": [{ "$source": source,
            "timestamp": time.text().to_string(),
            "values": [{ "path": "navigation.speedOverGround", "value": value }] }] });
        boat.gateway.receive_delta(input, &delta.to_string(), Some(time));
    }
    boat.pass(61);
    let all = values(&mut boat, "duration=PT5M&resolution=1h&sourcePolicy=all&paths=navigation.speedOverGround");
    let sources: Vec<&Value> = all["values"].as_array().unwrap().iter().map(|value| &value["$source"]).collect();
    assert_eq!(sources, ["a.1", "b.1"]);
    assert_eq!((&all["data"][0][1], &all["data"][0][2]), (&json!(1), &json!(2)));
    let one = values(&mut boat, "duration=PT5M&resolution=1h&paths=navigation.speedOverGround|b.1");
    assert_eq!((&one["data"][0][1], &one["values"][0]["$source"]), (&json!(2), &json!("b.1")));
    let both = values(&mut boat, "duration=PT5M&resolution=1h&paths=navigation.speedOverGround");
    assert_eq!(both["data"][0][1], json!(1.5));
}

#[test]
fn the_past_outlives_a_restart_and_a_cut_tail() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 130);
    boat.gateway.stop();
    let query = "from=2025-11-24T16:00:00Z&duration=PT5M&resolution=1&paths=navigation.speedOverGround:last";
    let before = values(&mut boat, query)["data"].clone();
    assert_eq!(before.as_array().unwrap().len(), 130);
    let mut again = self::boat(&storage, HISTORY);
    assert_eq!(values(&mut again, query)["data"], before);
    // The record as a power cut during its last append leaves it.
    let mut files = storage.clone();
    let mut keys = Vec::new();
    files
        .list("skiff/history/", &mut |key, _| {
            keys.push(key.clone());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(keys.len(), 1);
    let bytes = files.read_all(&keys[0], u32::MAX).unwrap();
    files.replace(&keys[0], &bytes[..bytes.len() - 20]).unwrap();
    let mut cut = self::boat(&storage, HISTORY);
    cut.clock.advance(Duration::from_secs(200));
    sail(&mut cut, 61);
    let rows = values(&mut cut, query)["data"].as_array().unwrap().len();
    assert_eq!(rows, 120 + 61, "two minutes, and what came after the restart");
}

#[test]
fn a_full_disk_costs_history_and_nothing_else() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 61);
    storage.set_read_only(true);
    sail(&mut boat, 60);
    storage.set_read_only(false);
    sail(&mut boat, 60);
    let (_, status) = get(&mut boat, "/skiff/v1/status");
    assert_eq!((&status["history"]["writes"], &status["history"]["lost"]), (&json!(2), &json!(240)), "{status}");
    let speed = get(&mut boat, "/signalk/v1/api/vessels/self/navigation/speedOverGround/value").1;
    assert_eq!(speed, json!(5.9), "the model goes on");
    let query = "from=2025-11-24T16:00:00Z&duration=PT5M&resolution=1&paths=navigation.speedOverGround";
    assert_eq!(values(&mut boat, query)["data"].as_array().unwrap().len(), 121);
}

#[test]
fn a_clock_that_goes_back_leaves_both_times() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 61);
    boat.clock.set_wall(UnixMillis(1_764_000_000_000 - 7_200_000));
    sail(&mut boat, 61);
    for from in ["2025-11-24T16:00:00Z", "2025-11-24T14:00:00Z"] {
        let query = format!("from={from}&duration=PT5M&resolution=1&paths=navigation.speedOverGround");
        assert_eq!(values(&mut boat, &query)["data"].as_array().unwrap().len(), 61, "{from}");
    }
}

#[test]
fn a_snapshot_is_the_tree_of_its_time() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 90);
    let time = "time=2025-11-24T16:00:30Z";
    let (status, tree) = get(&mut boat, &format!("/signalk/v1/snapshot?{time}"));
    assert_eq!(status, 200);
    let own = &tree["vessels"][SELF.trim_start_matches("vessels.")];
    assert_eq!(own["navigation"]["speedOverGround"]["value"], json!(3));
    assert_eq!(own["navigation"]["speedOverGround"]["$source"], "can0.7");
    assert_eq!(own["navigation"]["position"]["timestamp"], "2025-11-24T16:00:30.000Z");
    let speed = "/signalk/v1/snapshot/vessels/self/navigation/speedOverGround/value";
    assert_eq!(get(&mut boat, &format!("{speed}?{time}")), (200, json!(3)));
    assert_eq!(get(&mut boat, &format!("/signalk/v1/api/snapshot/vessels/self/navigation/nothing?{time}")).0, 404);
    assert_eq!(get(&mut boat, "/signalk/v1/snapshot?time=2025-11-24T10:00:00Z").0, 404);
    assert_eq!(get(&mut boat, "/signalk/v1/snapshot").0, 400);
    assert_eq!(get(&mut boat, "/signalk/v1/snapshot?time=today").0, 400);
}

fn texts(boat: &mut Boat, id: StreamId) -> (Vec<Value>, bool) {
    let mut texts = Vec::new();
    loop {
        boat.settle();
        match boat.gateway.stream_next(id) {
            StreamOut::Text(text) => texts.push(serde_json::from_str(&text).unwrap()),
            StreamOut::Idle => return (texts, false),
            StreamOut::Closed => return (texts, true),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_past_is_played_at_its_rate() {
    let storage = SimStorage::new();
    let mut boat = boat(&storage, HISTORY);
    sail(&mut boat, 70);
    let target = "/signalk/v1/playback?startTime=2025-11-24T16:00:10Z&playbackRate=2&subscribe=all";
    let id = boat.gateway.open_stream(&Request::new(Method::Get, target)).unwrap();
    let (texts_now, _) = texts(&mut boat, id);
    assert_eq!(
        (&texts_now[0]["startTime"], &texts_now[0]["playbackRate"]),
        (&json!("2025-11-24T16:00:10Z"), &json!(2))
    );
    assert_eq!(texts_now.len(), 2, "what was at that second, of one source: {texts_now:?}");
    assert_eq!(texts_now[1]["updates"][0]["timestamp"], "2025-11-24T16:00:10.000Z");
    assert_eq!(texts_now[1]["updates"][0]["values"].as_array().unwrap().len(), 4);
    // What happens now is not told.
    tell(&mut boat, "environment.outside.temperature", &json!(290));
    assert_eq!(texts(&mut boat, id).0.len(), 0);
    boat.clock.advance(Duration::from_secs(5));
    let seconds: Vec<Value> =
        texts(&mut boat, id).0.iter().map(|delta| delta["updates"][0]["timestamp"].clone()).collect();
    assert_eq!((seconds.len(), &seconds[9]), (10, &json!("2025-11-24T16:00:20.000Z")));
    let mut more = 0;
    let mut is_over = false;
    for _ in 0..60 {
        boat.clock.advance(Duration::from_secs(1));
        let (texts, over) = texts(&mut boat, id);
        more += texts.len();
        is_over |= over;
    }
    assert!(is_over, "it ends where the past ended when it began");
    assert_eq!(more, 49, "up to the seventieth second");
    for (query, status) in [
        ("", 400),
        ("?startTime=x", 400),
        ("?startTime=2025-11-24T16:00:10Z&playbackRate=0", 400),
        ("?startTime=2025-11-24T16:00:10Z&playbackRate=fast", 400),
    ] {
        let request = Request::new(Method::Get, &format!("/signalk/v1/playback{query}"));
        assert_eq!(boat.gateway.open_stream(&request).unwrap_err().status, status, "{query}");
    }
}

#[test]
fn where_nothing_is_kept_the_answer_says_how_to_begin() {
    let mut boat = Boat::new();
    for target in [
        "/signalk/v2/api/history/values?duration=60&paths=a.b",
        "/signalk/v2/api/history/contexts?duration=60",
        "/signalk/v2/api/history/paths?duration=60",
        "/signalk/v1/snapshot?time=2025-11-24T16:00:30Z",
    ] {
        let (status, body) = get(&mut boat, target);
        assert_eq!(status, 501, "{target}");
        assert!(body["error"].as_str().unwrap().contains("skiff.history.paths in settings.json"), "{body}");
    }
    let request = Request::new(Method::Get, "/signalk/v1/playback?startTime=2025-11-24T16:00:10Z");
    assert_eq!(boat.gateway.open_stream(&request).unwrap_err().status, 501);
    assert_eq!(get(&mut boat, "/signalk/v2/api/history/_providers"), (200, json!({})));
    assert_eq!(get(&mut boat, "/signalk/v2/api/history/_providers/_default"), (200, json!({})));
}

#[test]
fn the_gateway_is_its_own_provider() {
    let mut boat = boat(&SimStorage::new(), HISTORY);
    let (_, providers) = get(&mut boat, "/signalk/v2/api/history/_providers");
    assert_eq!(providers, json!({ "skiff-history": { "isDefault": true } }));
    assert_eq!(get(&mut boat, "/signalk/v2/api/history/_providers/_default").1, json!({ "id": "skiff-history" }));
    for (id, status) in [("skiff-history", 200), ("other", 400)] {
        let target = format!("/signalk/v2/api/history/_providers/_default/{id}");
        let exchange = boat.gateway.request(&Request::new(Method::Post, &target));
        assert_eq!(boat.answer(exchange).unwrap().status, status, "{id}");
        let target = format!("/signalk/v2/api/history/paths?duration=60&provider={id}");
        assert_eq!(get(&mut boat, &target).0, status, "{id}");
    }
}

#[test]
fn what_is_asked_wrongly_or_for_too_much_is_refused() {
    let mut boat = boat(&SimStorage::new(), HISTORY);
    for (query, clause) in [
        ("", "from or duration is required"),
        ("duration=60", "paths must name"),
        ("duration=P7D&resolution=1&paths=a.b", "too long"),
        ("duration=60&paths=a.b:median", "a.b:median is not"),
    ] {
        let (status, body) = get(&mut boat, &format!("/signalk/v2/api/history/values?{query}"));
        assert_eq!(status, 400, "{query}");
        assert!(body["error"].as_str().unwrap().contains(clause), "{query}: {body}");
    }
    assert_eq!(get(&mut boat, "/signalk/v2/api/history/other").0, 404);
    let exchange = boat.gateway.request(&Request::new(Method::Post, "/signalk/v2/api/history/values"));
    assert_eq!(boat.answer(exchange).unwrap().status, 405);
    let target = "/signalk/v2/api/history/paths?duration=60";
    let exchanges: Vec<_> = (0..5).map(|_| boat.get(target)).collect();
    let mut statuses = Vec::new();
    boat.settle();
    while let Some((id, response)) = boat.gateway.next_response() {
        assert!(exchanges.contains(&id));
        statuses.push(response.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 503], "four are worked at");
}
