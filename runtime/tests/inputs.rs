//! Inputs of a gateway: NMEA 0183 beside NMEA 2000, and what the status tells of them.

use serde_json::Value;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::gateway::InputState;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

const START: UnixMillis = UnixMillis(1_780_308_000_000);

fn status(replay: &Replay) -> Value {
    serde_json::from_str(&replay.gateway().status_json()).unwrap()
}

#[test]
fn both_buses_feed_one_model_and_are_counted_apart() {
    let mut replay = Replay::new(Limits::of(Board::Linux), "boat", START, false);
    replay.sentence(1, None, "$IIMTW,17.75,C*27");
    replay.sentence(2, None, "$IIMTW,17.75,C*00");
    let frame = CanFrame::new(0x09f8_0107, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    replay.record(3, &Record { time: Some(START), item: Item::Frame(frame) });
    let lines: Vec<String> = std::iter::from_fn(|| replay.next_line()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("\"value\":290.9") && lines[1].contains("navigation.position"), "{lines:?}");
    let status = status(&replay);
    assert_eq!((&status["deltas"]["nmea0183"], &status["deltas"]["n2k"]), (&1.into(), &1.into()));
    assert_eq!(status["drops"]["nmea0183_checksum"], 1);
    let input = &status["inputs"][0];
    assert_eq!((&input["label"], &input["state"], &input["sentences"]), (&"boat".into(), &"open".into(), &2.into()));
    assert_eq!((&input["frames"], &input["deltas"]), (&1.into(), &2.into()));
}

#[test]
fn sentences_and_logged_deltas_move_the_clock_and_what_is_not_mapped_is_counted() {
    let mut replay = Replay::new(Limits::of(Board::Linux), "boat", START, false);
    let at = |seconds: i64| Some(UnixMillis(START.0 + seconds * 1000));
    replay.sentence(1, at(0), "$GPGSA,A,3");
    replay.sentence(2, at(3), "$GPGSA,A,3");
    replay.sentence(3, at(3), "$PGRME,1.0,M");
    let logged = r#"{"updates":[{"source":{"label":"i2c"},"values":[{"path":"a.b","value":1}]}]}"#;
    replay.delta(4, at(5), logged);
    replay.delta(5, at(5), "{\"updates\":7}");
    let lines: Vec<String> = std::iter::from_fn(|| replay.next_line()).collect();
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((lines.len(), &line["_line"], &line["context"]), (1, &4.into(), &Value::Null), "{lines:?}");
    assert_eq!(line["updates"][0]["timestamp"], at(5).unwrap().text().as_str());
    let status = status(&replay);
    assert_eq!(status["uptime_ms"], 5000);
    let input = &status["inputs"][0];
    assert_eq!(input["unmapped_kinds"], serde_json::json!({ "GSA": 2, "PGRME": 1 }));
    assert_eq!((&input["bad_lines"], &status["drops"]["nmea0183_malformed"]), (&1.into(), &0.into()));
    // Times without a date are none.
    let mut undated = Replay::new(Limits::of(Board::Linux), "boat", UnixMillis::default(), false);
    undated.sentence(1, None, "$IIMTW,17.75,C*27");
    assert!(!undated.next_line().unwrap().contains("timestamp"));
}

#[test]
fn the_state_of_an_input_is_told_with_its_reason() {
    let mut replay = Replay::new(Limits::of(Board::Linux), "boat", START, false);
    let gateway = replay.gateway_mut();
    let input = gateway.input("tcp-2000");
    gateway.set_input_state(input, InputState::Connecting);
    gateway.set_input_state(input, InputState::Waiting(format!("no \"route\" {}", "é".repeat(300))));
    gateway.count_bad_line(input);
    gateway.set_input_lost(input, 7);
    let status_told = status(&replay);
    let told = &status_told["inputs"][1];
    assert_eq!((&told["lost"], &status_told["drops"]["input_receive"]), (&7.into(), &7.into()));
    assert_eq!((&told["state"], &told["drops"], &told["bad_lines"]), (&"waiting".into(), &1.into(), &1.into()));
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.starts_with("no \"route\" é") && reason.len() <= 200, "{reason}");
    let gateway = replay.gateway_mut();
    gateway.set_input_state(input, InputState::Open);
    let told = &status(&replay)["inputs"][1];
    assert_eq!((&told["state"], &told["reason"], &told["drops"]), (&"open".into(), &Value::Null, &1.into()));
}
