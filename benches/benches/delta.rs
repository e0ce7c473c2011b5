//! One apparent wind in, one true wind out: the plugin beside the same work in native Rust; and what reading the delta
//! of a plugin costs.

use criterion::{Criterion, criterion_group, criterion_main};
use skiff_benches::native::TrueWind;
use skiff_benches::{call, delta, load, quiet, true_wind, wind_input};
use skiff_runtime::delta::{Delta, Stamp};
use skiff_runtime::host::Call;
use skiff_runtime::time::UnixMillis;

fn one_wind(criterion: &mut Criterion) {
    let input = wind_input();
    let mut services = quiet();
    let mut plugin = load(&true_wind());
    for step in [Call::Name, Call::Schema, Call::Start { config: String::from("{}") }] {
        call(&mut plugin, &mut services, step);
    }
    for delta in &input {
        call(&mut plugin, &mut services, Call::Delta(delta.clone()));
    }
    assert_eq!(services.heard.len(), 1, "one wind in, one wind out");
    let matched = plugin.usage().fuel_in_call;
    let other = delta(r#"{"path":"tanks.fuel.0.currentLevel","value":0.42}"#);
    call(&mut plugin, &mut services, Call::Delta(other.clone()));
    let unmatched = plugin.usage().fuel_in_call;
    println!("fuel per delta: {matched} (wind in, true wind out), {unmatched} (not for this plugin)");

    let mut group = criterion.benchmark_group("delta");
    let [.., wind] = &input;
    group.bench_function("true wind, plugin", |bencher| {
        bencher.iter(|| {
            services.heard.clear();
            call(&mut plugin, &mut services, Call::Delta(wind.clone()))
        });
    });
    group.bench_function("other delta, plugin", |bencher| {
        bencher.iter(|| call(&mut plugin, &mut services, Call::Delta(other.clone())));
    });
    let mut native = TrueWind::default();
    for delta in &input {
        let _ = native.delta(delta);
    }
    assert!(native.delta(wind).is_some());
    group.bench_function("true wind, native", |bencher| bencher.iter(|| native.delta(wind)));
    group.bench_function("other delta, native", |bencher| bencher.iter(|| native.delta(&other)));
    group.finish();
}

fn foreign_text(criterion: &mut Criterion) {
    let wind = r#"{"updates":[{"values":[{"path":"environment.wind.speedTrue","value":6.2831},{"path":"environment.wind.angleTrueWater","value":0.9273},{"path":"environment.wind.directionTrue","value":2.4612}]}]}"#;
    let notice = |number: usize| {
        format!(
            r#"{{"path":"notifications.bench.{number}","value":{{"state":"normal","method":[],"message":"bench {number}"}}}}"#
        )
    };
    let notices: Vec<String> = (0..40).map(notice).collect();
    let notices = format!(r#"{{"updates":[{{"values":[{}]}}]}}"#, notices.join(","));
    let stamp =
        Stamp { source_ref: "@skiff/true-wind", self_context: "vessels.urn:x", now: UnixMillis(1_780_308_000_000) };
    let mut group = criterion.benchmark_group("read");
    for (name, text) in [("wind", wind), ("40 notifications", &notices)] {
        println!("{name}: {} bytes", text.len());
        group.bench_function(name, |bencher| bencher.iter(|| Delta::parse(text, &stamp)));
    }
    group.finish();
}

criterion_group!(benches, one_wind, foreign_text);
criterion_main!(benches);
