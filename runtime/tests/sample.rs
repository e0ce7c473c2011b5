//! The sample end to end: what the two packages say, beside what the simulated boat knows.

mod sample_world;

use sample_world::{Sample, small_shallow_water_alarm};
use skiff_runtime::json;
use skiff_runtime::plugin::PluginState;

const SECONDS: i64 = 120;

fn value(line: &str, path: &str) -> Option<f64> {
    let rest = line.split_once(&format!("\"path\":\"{path}\",\"value\":"))?.1;
    json::number(rest.split(['}', ',']).next()?)
}

/// Difference of two angles, -π to π.
fn turn(a: f64, b: f64) -> f64 {
    (a - b).sin().atan2((a - b).cos())
}

#[test]
fn the_same_sample_gives_the_same_bytes() {
    let (first, second) = (Sample::new().play(SECONDS), Sample::new().play(SECONDS));
    assert!(first == second, "two runs differ");
    for package in ["@skiff/true-wind", "@skiff/shallow-water-alarm"] {
        assert!(
            first.iter().any(|line| line.starts_with(&format!("{{\"_plugin\":\"{package}\""))),
            "{package} says nothing"
        );
    }
}

/// The bound: speeds arrive in steps of 0.01 m/s and angles in steps of 0.0001 rad, so each input is off by half
/// a step: 0.005 m/s twice and 12 m/s × 0.00005 rad make at most 0.011 m/s. The inputs are of different age: the
/// boat's speed and heading change by less than 0.03 m/s and 0.005 rad between two of their messages. Together
/// below 0.05 m/s, and below 0.02 rad for a true wind of 2 m/s and more (0.011 + 0.03) / 2.1.
#[test]
fn true_wind_agrees_with_what_the_boat_knows() {
    let mut compared = 0;
    Sample::new().play_with(SECONDS, |truth, line| {
        if !line.contains("\"_plugin\":\"@skiff/true-wind\"") {
            return;
        }
        let Some(speed) = value(&line, "environment.wind.speedTrue") else { return };
        assert!((speed - truth.wind_speed).abs() <= 0.05, "{line} but {truth:?}");
        if truth.wind_speed < 2.0 {
            return;
        }
        let angle = value(&line, "environment.wind.angleTrueWater").expect("an angle with every speed");
        assert!(turn(angle, truth.wind_angle).abs() <= 0.02, "{line} but {truth:?}");
        if let Some(direction) = value(&line, "environment.wind.directionTrue") {
            assert!(turn(direction, truth.wind_direction).abs() <= 0.02, "{line} but {truth:?}");
            compared += 1;
        }
    });
    assert!(compared > 100, "only {compared} true winds were emitted");
}

#[test]
fn the_shallow_water_alarm_rises_once_and_clears_again() {
    let lines = Sample::new().play(SECONDS);
    let states: Vec<&str> = lines
        .iter()
        .filter(|line| {
            line.contains("\"_plugin\":\"@skiff/shallow-water-alarm\"") && line.contains("\"path\":\"notifications.")
        })
        .filter_map(|line| line.split_once("\"state\":\"")?.1.split('"').next())
        .collect();
    assert!(states.len() >= 2, "no alarm within the sample: {states:?}");
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "a state was told twice: {states:?}");
    assert!(states.contains(&"normal"), "{states:?}");
}

#[test]
fn rest_shows_the_plugin_as_the_source_of_its_values() {
    let mut sample = Sample::new();
    sample.play(10);
    let node = sample.get("/signalk/v1/api/vessels/self/environment/wind/speedTrue");
    assert_eq!(json::member(&node, "$source"), Some("\"@skiff/true-wind\""), "{node}");
    assert!(json::member(&node, "value").and_then(json::number).is_some(), "{node}");
}

#[test]
fn the_alarm_answers_at_its_endpoint() {
    let mut sample = Sample::new();
    sample.play(10);
    let status = sample.get("/plugins/_skiff_shallow-water-alarm/api/status");
    assert!(json::member(&status, "limit").is_some(), "{status}");
}

/// Its memory runtime has no collector: what a request makes is gone with its answer (`toolkit/small/memory.ts`).
#[test]
fn the_small_alarm_answers_again_and_again_in_the_same_memory() {
    const ID: &str = "_skiff_shallow-water-alarm";
    let mut sample = Sample::bare();
    let (package, config) = small_shallow_water_alarm();
    sample.install(package, config);
    sample.play(10);
    let path = format!("/plugins/{ID}/api/status?word={}", "x".repeat(500));
    let first = sample.get(&path);
    assert!(first.contains(r#""depth":"#) && first.contains(r#""limit":4,"#), "{first}");
    let memory = |sample: &mut Sample| {
        let rows = sample.get("/skServer/plugins");
        let used = rows.split_once(r#""row":"linear memory","used":"#).and_then(|(_, rest)| rest.split(',').next());
        used.and_then(json::number).expect("a plugin has linear memory")
    };
    let took = memory(&mut sample);
    assert!(took <= 20_000.0, "{took} bytes");
    for _ in 0..1000 {
        assert_eq!(sample.get(&path), first);
    }
    let plugin = sample.plugin(ID);
    assert_eq!((plugin.state(), plugin.recycled(), plugin.restarts()), (PluginState::Running, 0, 0));
    assert_eq!(memory(&mut sample), took, "bytes");
}
