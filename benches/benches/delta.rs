//! One apparent wind in, one true wind out: the plugin beside the same work in native Rust.

use criterion::{Criterion, criterion_group, criterion_main};
use skiff_benches::native::TrueWind;
use skiff_benches::{Quiet, call, delta, load, true_wind, wind_input};
use skiff_runtime::host::Call;

fn one_wind(criterion: &mut Criterion) {
    let input = wind_input();
    let mut services = Quiet::default();
    let mut plugin = load(&true_wind());
    for step in [Call::Name, Call::Schema, Call::Start { config: String::from("{}") }] {
        call(&mut plugin, &mut services, step);
    }
    for delta in &input {
        call(&mut plugin, &mut services, Call::Delta(delta.clone()));
    }
    assert_eq!(services.emitted.len(), 1, "one wind in, one wind out");
    let matched = plugin.usage().fuel_in_call;
    let other = delta(r#"{"path":"tanks.fuel.0.currentLevel","value":0.42}"#);
    call(&mut plugin, &mut services, Call::Delta(other.clone()));
    let unmatched = plugin.usage().fuel_in_call;
    println!("fuel per delta: {matched} (wind in, true wind out), {unmatched} (not for this plugin)");

    let mut group = criterion.benchmark_group("delta");
    let [.., wind] = &input;
    group.bench_function("true wind, plugin", |bencher| {
        bencher.iter(|| {
            services.emitted.clear();
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

criterion_group!(benches, one_wind);
criterion_main!(benches);
