//! Frames in, deltas through the model and the plugins, plugin deltas out: the whole gateway on the simulated HAL.
//!
//! The time of one second of the sample boat's bus; beside it, printed once, what that makes in messages a second. The
//! plugins are copies of `@skiff/true-wind`, which is handed every delta, and the same behind a path filter.

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use skiff_benches::true_wind;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::n2k::log::{Item, Record};
use skiff_runtime::n2k::sample::{SEED, START, Sample};
use skiff_runtime::package::Package;
use skiff_runtime::replay::Replay;
use skiff_runtime::time::UnixMillis;

/// Seconds of the boat that one round plays.
const SECONDS: i64 = 10;
/// What the plugin reads, as an operator's path filter.
const WIND: [&str; 4] = [
    "environment.wind.speedApparent",
    "environment.wind.angleApparent",
    "navigation.headingTrue",
    "navigation.speedThroughWater",
];

/// The whole gateway with this many copies of the plugin.
struct Boat {
    replay: Replay,
    frames: Sample,
    line: u64,
    ahead: Option<(UnixMillis, CanFrame)>,
    until: i64,
}

impl Boat {
    fn new(plugins: usize, filtered: bool) -> Self {
        let mut replay = Replay::new(Limits::of(Board::Linux), "sample", START, false);
        replay.plugin_lines_only();
        for number in 0..plugins {
            let filter = filtered.then(|| WIND.map(String::from).to_vec());
            let package = Package { name: format!("@bench/wind-{number}"), subscribe: filter, ..true_wind() };
            replay.install(package, Some("{}".into())).expect("a working plugin");
        }
        let mut boat = Self { replay, frames: Sample::new(SEED), line: 0, ahead: None, until: START.0 };
        boat.play();
        boat
    }

    /// Plays the next seconds; returns messages in, plugin deltas out.
    fn play(&mut self) -> (u64, u64) {
        self.until += SECONDS * 1000;
        let (mut frames, mut emitted) = (0, 0);
        while let Some((time, frame)) = self.ahead.take().or_else(|| self.frames.next()) {
            if time.0 >= self.until {
                self.ahead = Some((time, frame));
                break;
            }
            self.line += 1;
            frames += 1;
            self.replay.record(self.line, &Record { time: Some(time), item: Item::Frame(frame) });
            while self.replay.next_line().is_some() {
                emitted += 1;
            }
        }
        (frames, emitted)
    }
}

fn whole_gateway(criterion: &mut Criterion) {
    let cases = [(0, false), (1, false), (5, false), (20, false), (20, true)];
    let mut group = criterion.benchmark_group("gateway, 10 s of the sample boat");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(200));
    for (plugins, filtered) in cases {
        let name = format!("{plugins} plugins{}", if filtered { " behind a path filter" } else { "" });
        let mut boat = Boat::new(plugins, filtered);
        let began = Instant::now();
        let (frames, emitted) = boat.play();
        assert_eq!(emitted > 0, plugins > 0, "{name}: {emitted} deltas of plugins");
        let rate = 1e6 / began.elapsed().as_micros().max(1) as f64;
        println!("{name}: {frames} frames in, {emitted} plugin deltas out, {:.0} frames/s", frames as f64 * rate);
        group.bench_function(&name, |bencher| {
            bencher.iter_batched(|| (), |()| boat.play(), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, whole_gateway);
criterion_main!(benches);
