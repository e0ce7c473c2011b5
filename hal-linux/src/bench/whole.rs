//! The whole gateway on the simulated machine: frames to plugins and back, an endpoint, a reload.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use skiff_measure::clock::{busy_ns, timed};
use skiff_measure::rounds::{Done, Work};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::gateway::{Event, InputId};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::json;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample::{SEED, START, Sample};
use skiff_runtime::n2k::{DeltaForm, N2kMessage, Receiver};
use skiff_runtime::package::Package;
use skiff_runtime::plugin::{Plugin, PluginState};
use skiff_runtime::replay::Replay;
use skiff_runtime::server::Response;
use skiff_runtime::time::{Instant, UnixMillis};

use super::workloads::{Handed, Subject};

/// Frames that are decoded, about half a minute of the boat.
const FRAMES: usize = 4096;
/// Time of the boat that one step plays, milliseconds.
const STEP_MS: i64 = 200;
/// Polls without an answer after which none is to be expected.
const POLLS_MAX: u32 = 100_000;
/// A path that nothing sends.
const NOWHERE: &str = "skiff.bench.nothing";

/// What a work adds up beside its time.
#[derive(Debug, Default)]
pub struct Tally {
    fuel: AtomicU64,
    bytes: AtomicU64,
    units: AtomicU64,
    lost: AtomicU64,
}

impl Tally {
    fn add(&self, fuel: u64, bytes: u64, units: u64) {
        self.fuel.fetch_add(fuel, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.units.fetch_add(units, Ordering::Relaxed);
    }

    /// Returns fuel and bytes a unit.
    pub fn each(&self) -> (u64, u64) {
        let units = self.units.load(Ordering::Relaxed).max(1);
        (self.fuel.load(Ordering::Relaxed) / units, self.bytes.load(Ordering::Relaxed) / units)
    }

    /// Returns what was dropped on the way.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

fn replay() -> Replay {
    let mut replay = Replay::new(Limits::of(Board::Linux), "can0", START, false);
    replay.plugin_lines_only();
    replay
}

fn install(replay: &mut Replay, package: Package, config: &str) -> Result<(), String> {
    let id = package.id();
    replay.install(package, Some(config.to_owned())).map_err(|error| error.to_string())?;
    let plugin = replay.gateway().plugins().find(&id).ok_or("is not installed")?;
    match plugin.state() {
        PluginState::Running => Ok(()),
        _ => Err(plugin.reason().unwrap_or("does not run").to_owned()),
    }
}

/// Filters a plugin as an operator does: what its package wishes does not hold for inputs of a plugin that takes values.
fn subscribe_only(replay: &mut Replay, id: &str, config: &str, paths: &[String]) -> Result<(), String> {
    let paths = serde_json::json!({ "subscribe": paths });
    let body = json::object(|body| {
        body.boolean("enabled", true).json("configuration", config).json("skiff", &paths.to_string());
    });
    let mut request = Request::new(Method::Post, &format!("/plugins/{id}/config"));
    request.body = body.into_bytes();
    let response = answer(replay, &request)?;
    let runs = replay.gateway().plugins().find(id).is_some_and(|plugin| plugin.state() == PluginState::Running);
    if response.status >= 300 || !runs {
        return Err(format!("is not filtered: {}", response.status));
    }
    Ok(())
}

/// Lets the gateway work until it answers.
fn answer(replay: &mut Replay, request: &Request) -> Result<Response, String> {
    let exchange = replay.gateway_mut().request(request);
    for _ in 0..POLLS_MAX {
        match replay.gateway_mut().next_response() {
            Some((of, response)) if of == exchange => return Ok(response),
            _ => replay.gateway_mut().poll(),
        };
    }
    Err(String::from("is not answered"))
}

/// Frames of the simulated boat to delta texts, without a gateway: the same [`FRAMES`] in a circle, so that the boat itself
/// is no part of it.
pub fn frames_to_deltas<'w>(tally: &Arc<Tally>) -> Work<'w> {
    let (mut boat, mut receiver, tally) = (Sample::new(SEED), Receiver::new(""), Arc::clone(tally));
    let frames: Vec<(UnixMillis, CanFrame)> = (0..FRAMES).map(|_| boat.next_frame()).collect();
    let (mut message, mut from) = (N2kMessage::default(), 0_usize);
    Box::new(move |times| {
        let times = times.max(64) as usize;
        let (bytes, nanos) = timed(|| {
            let mut bytes = 0_u64;
            for (line, (time, frame)) in (1..).zip(frames.iter().cycle().skip(from).take(times)) {
                if receiver.frame_into(frame, Instant(0), &mut message) {
                    let text = receiver.delta_text(&message, *time, DeltaForm::Line { line });
                    bytes = bytes.saturating_add(std::hint::black_box(text).map_or(0, str::len) as u64);
                }
            }
            bytes
        });
        from = from.wrapping_add(times) % FRAMES;
        tally.add(0, bytes, times as u64);
        Done { nanos, units: times as u64 }
    })
}

/// Frames through the gateway with so many copies of a plugin; the unit is a frame.
pub fn boat<'w>(subject: &Subject, plugins: u32, handed: Handed, tally: &Arc<Tally>) -> Result<Work<'w>, String> {
    let (mut replay, tally) = (replay(), Arc::clone(tally));
    let subscribe = match handed {
        Handed::Filtered => Some(subject.filter.clone().ok_or("the package names no paths and answers no delta")?),
        Handed::Uninterested => Some(vec![NOWHERE.to_owned()]),
        Handed::Unfiltered => None,
    };
    for number in 0..plugins {
        let name = format!("@bench/copy-{number}");
        let package = Package { name, subscribe: None, ..subject.package.clone() };
        let id = package.id();
        install(&mut replay, package, &subject.config)?;
        if let Some(paths) = &subscribe {
            subscribe_only(&mut replay, &id, &subject.config, paths)?;
        }
    }
    let (mut boat, mut ahead, mut line, mut until) = (Sample::new(SEED), None, 0_u64, START.0);
    let mut step = move |tally: &Tally| {
        until = until.saturating_add(STEP_MS);
        let mut records = Vec::new();
        loop {
            let (time, frame): (UnixMillis, CanFrame) = ahead.take().unwrap_or_else(|| boat.next_frame());
            if time.0 >= until {
                ahead = Some((time, frame));
                break;
            }
            records.push(Record { time: Some(time), item: Item::Frame(frame) });
        }
        let spent = |replay: &Replay| replay.gateway().plugins().plugins().map(Plugin::fuel_spent).sum();
        let before: u64 = spent(&replay);
        let (bytes, nanos) = timed(|| {
            let mut bytes = 0_u64;
            for record in &records {
                line = line.saturating_add(1);
                replay.record(line, record);
                while let Some(text) = replay.next_line() {
                    bytes = bytes.saturating_add(text.len() as u64);
                }
            }
            bytes
        });
        let after: u64 = spent(&replay);
        let lost = replay.gateway().plugins().plugins().map(|plugin| plugin.drops().total()).sum();
        tally.lost.store(lost, Ordering::Relaxed);
        tally.add(after.saturating_sub(before), bytes, records.len() as u64);
        Done { nanos, units: records.len() as u64 }
    };
    // The first ten seconds bring every path and source into the model.
    for _ in 0..if plugins > 5 { 5 } else { 50 } {
        step(&Tally::default());
    }
    Ok(Box::new(move |times| {
        (0..times).fold(Done::default(), |sum, _| {
            let done = step(&tally);
            Done { nanos: sum.nanos.saturating_add(done.nanos), units: sum.units.saturating_add(done.units) }
        })
    }))
}

/// A request to the plugin's first endpoint, from the router to the answer, without a socket.
pub fn endpoint<'w>(subject: &Subject, tally: &Arc<Tally>) -> Result<Work<'w>, String> {
    let (mut replay, tally) = (replay(), Arc::clone(tally));
    let id = subject.package.id();
    install(&mut replay, subject.package.clone(), &subject.config)?;
    let plugin = replay.gateway().plugins().find(&id).ok_or("is not installed")?;
    let path =
        plugin.endpoints().and_then(|(text, _)| first_endpoint(text)).ok_or("has no endpoint that can be read")?;
    let request = Request::new(Method::Get, &format!("/plugins/{id}{path}"));
    let mut ask = move || -> Result<(u64, u64), String> {
        let fuel = |replay: &Replay| replay.gateway().plugins().find(&id).map_or(0, Plugin::fuel_spent);
        let before = fuel(&replay);
        let response = answer(&mut replay, &request).map_err(|error| format!("GET {path} {error}"))?;
        if response.status >= 300 {
            return Err(format!("GET {path} is answered with {}", response.status));
        }
        Ok((fuel(&replay).saturating_sub(before), response.body.len() as u64))
    };
    ask()?;
    Ok(Box::new(move |times| {
        let ((fuel, bytes, units), nanos) = timed(|| {
            let answered = (0..times).map_while(|_| ask().ok());
            answered.fold((0_u64, 0_u64, 0_u64), |(fuel, bytes, units), one| {
                (fuel.saturating_add(one.0), bytes.saturating_add(one.1), units.saturating_add(1))
            })
        });
        tally.add(fuel, bytes, units);
        Done { nanos, units }
    }))
}

/// The path of the first endpoint that is only read and has no parameter (plugin ABI §9.1).
fn first_endpoint(text: &str) -> Option<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    rows.iter().find_map(|row| {
        let path = row["path"].as_str()?;
        let reads = row["method"].as_str().is_none_or(|method| method.eq_ignore_ascii_case("GET"));
        (reads && !path.contains([':', '*'])).then(|| path.to_owned())
    })
}

/// How long a plugin answers nothing while another version takes over: the longest time between two of its answers.
///
/// Deltas that it answers come without a pause. Each time is one unit.
pub fn reload_gap<'w>(subject: &Subject) -> Result<Work<'w>, String> {
    if subject.answered.is_empty() {
        return Err("answers no delta of the simulated boat".into());
    }
    let mut replay = replay();
    install(&mut replay, subject.package.clone(), &subject.config)?;
    let input = replay.gateway_mut().input("bench");
    let mut feed = subject.before.iter().chain(&subject.answered).cloned().collect::<Vec<_>>().into_iter().cycle();
    let package = subject.package.clone();
    let mut reload = move || -> Result<u64, String> {
        let mut one = |replay: &mut Replay| feed.next().is_some_and(|text| answers(replay, input, &text));
        // It has answered before.
        (0..POLLS_MAX).find(|_| one(&mut replay)).ok_or("answers nothing")?;
        let (mut last, mut gap) = (busy_ns(), 0);
        replay.gateway_mut().replace(package.clone()).map_err(|error| error.to_string())?;
        let mut answers = 0_u32;
        for _ in 0..POLLS_MAX {
            if one(&mut replay) {
                let now = busy_ns();
                gap = gap.max(now.saturating_sub(last));
                last = now;
                answers = answers.saturating_add(1);
            }
            // Long enough behind the new version's first answer.
            if answers > 64 && !replay.gateway().is_starting() {
                return Ok(gap);
            }
        }
        Err("does not answer after a reload".into())
    };
    reload()?;
    Ok(Box::new(move |times| {
        (0..times).map_while(|_| reload().ok()).fold(Done::default(), |sum, gap| Done {
            nanos: sum.nanos.saturating_add(gap),
            units: sum.units.saturating_add(1),
        })
    }))
}

/// Gives the gateway a delta and lets it work once; tells whether the plugin has emitted something.
fn answers(replay: &mut Replay, input: InputId, text: &str) -> bool {
    replay.gateway_mut().receive_delta(input, text, Some(super::guest::NOW));
    replay.gateway_mut().poll();
    let mut emitted = false;
    while let Some(Event::Emitted { .. }) = replay.gateway_mut().next_event() {
        emitted = true;
    }
    emitted
}

/// The texts of the simulated boat's deltas, those of its first seconds.
pub fn sample_deltas(seconds: i64) -> Vec<String> {
    let (mut boat, mut receiver) = (Sample::new(SEED), Receiver::new("can0"));
    let mut texts = Vec::new();
    loop {
        let (time, frame) = boat.next_frame();
        if time.0.saturating_sub(START.0) >= seconds.saturating_mul(1000) {
            return texts;
        }
        let form = DeltaForm::Stamped { self_context: skiff_measure::input::SELF };
        if let Some(message) = receiver.frame(&frame, Instant(0))
            && let Some(delta) = receiver.delta(&message, time, form)
        {
            texts.push(delta.text().to_owned());
        }
    }
}

/// The paths that a delta has values for.
pub fn paths_of(text: &str) -> Vec<String> {
    let updates = json::member(text, "updates").unwrap_or_default();
    let rows: Vec<serde_json::Value> = serde_json::from_str(updates).unwrap_or_default();
    let values = rows.iter().filter_map(|update| update["values"].as_array()).flatten();
    values.filter_map(|value| value["path"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_endpoint_that_can_be_read_is_asked() {
        let text = r#"[{"method":"POST","path":"/a"},{"method":"GET","path":"/b/:id"},{"method":"get","path":"/c"}]"#;
        assert_eq!(first_endpoint(text).as_deref(), Some("/c"));
        assert_eq!(first_endpoint("[]"), None);
        assert_eq!(first_endpoint("no"), None);
    }

    #[test]
    fn the_boat_has_deltas_with_paths() {
        let deltas = sample_deltas(2);
        assert!(deltas.iter().flat_map(|text| paths_of(text)).any(|path| path == "environment.wind.speedApparent"));
        assert!(paths_of("no").is_empty());
    }
}
