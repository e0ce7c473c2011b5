//! Tracks as Freeboard-SK asks for them.

mod boat;
mod guests;

use std::time::Duration;

use boat::Boat;
use serde_json::{Value, json};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::time::UnixMillis;

/// Says where a vessel is, at the time of the boat's clock.
fn place(boat: &mut Boat, context: &str, latitude: f64) {
    let input = boat.gateway.input("test");
    let value = json!({ "latitude": latitude, "longitude": 20.5 });
    let time = boat.gateway.wall_clock().unwrap();
    let delta = json!({ "context": context, "updates": [{
        "source": { "label": "test" }, "timestamp": time.text().to_string(),
        "values": [{ "path": "navigation.position", "value": value }] }] });
    boat.gateway.receive_delta(input, &delta.to_string(), Some(UnixMillis(time.0)));
    boat.settle();
}

fn get(boat: &mut Boat, target: &str) -> (u16, Value) {
    let exchange = boat.get(target);
    let response = boat.answer(exchange).unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

#[test]
fn a_point_a_minute_is_kept_and_told_by_place_and_by_time() {
    let storage = SimStorage::new();
    let mut boat = Boat::with_storage(storage.clone());
    for minute in 0..5 {
        place(&mut boat, "vessels.self", 60.125 + f64::from(minute) * 0.25);
        place(&mut boat, "vessels.urn:mrn:imo:mmsi:230000001", 61.5);
        place(&mut boat, "atons.urn:mrn:imo:mmsi:992300001", 60.0);
        boat.pass(60);
    }
    let (status, own) = get(&mut boat, "/signalk/v1/api/self/track");
    assert_eq!((status, &own["type"]), (200, &"MultiLineString".into()));
    assert_eq!(
        own["coordinates"],
        json!([[[20.5, 60.125], [20.5, 60.375], [20.5, 60.625], [20.5, 60.875], [20.5, 61.125]]])
    );
    assert_eq!(get(&mut boat, "/signalk/v1/api/vessels/self/track").1, own);
    let recent = get(&mut boat, "/signalk/v1/api/self/track?timespan=3m&resolution=2m").1;
    assert_eq!(recent["coordinates"], json!([[[20.5, 60.625], [20.5, 61.125]]]), "{recent}");
    let before = get(&mut boat, "/signalk/v1/api/self/track?timespan=1h&resolution=1m&timespanOffset=3m").1;
    assert_eq!(before["coordinates"], json!([[[20.5, 60.125], [20.5, 60.375], [20.5, 60.625]]]));
    let near = get(&mut boat, "/signalk/v1/api/tracks?radius=10000").1;
    assert_eq!(near.as_object().unwrap().len(), 1, "the own one");
    let all = get(&mut boat, "/signalk/v1/api/tracks?radius=100000").1;
    assert!(all["vessels.urn:mrn:imo:mmsi:230000001"]["coordinates"][0].as_array().unwrap().len() >= 4);
    assert_eq!(all.as_object().unwrap().len(), 2, "what cannot move has no track");
    let boxed = get(&mut boat, "/signalk/v1/api/tracks?bbox=20,61.2,21,62").1;
    assert_eq!(boxed.as_object().unwrap().keys().collect::<Vec<_>>(), ["vessels.urn:mrn:imo:mmsi:230000001"]);
    assert_eq!(get(&mut boat, "/signalk/v1/api/vessels/urn:mrn:imo:mmsi:1/track").0, 404);
    for wrong in ["tracks?radius=x", "tracks?bbox=1,2", "self/track?timespan=long", "self/track?resolution=-1s"] {
        assert_eq!(get(&mut boat, &format!("/signalk/v1/api/{wrong}")).0, 400, "{wrong}");
    }
    // A gateway that stops keeps the own one.
    boat.gateway.stop();
    let mut again = Boat::with_storage(storage);
    again.clock.advance(Duration::from_secs(300));
    assert_eq!(get(&mut again, "/signalk/v1/api/self/track").1, own);
}

#[test]
fn a_boat_that_has_been_nowhere_has_an_empty_track() {
    let mut boat = Boat::new();
    assert_eq!(get(&mut boat, "/signalk/v1/api/self/track").1["coordinates"], json!([]));
    assert_eq!(get(&mut boat, "/signalk/v1/api/tracks"), (200, json!({})));
}
