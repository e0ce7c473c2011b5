//! What a value costs on its way through a guest: by rows, and as text that the guest does not even read.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use skiff_benches::{ARRIVAL, Quiet, call, delta, load};
use skiff_runtime::host::{Call, Instance};
use skiff_runtime::package::Package;

/// Takes the depth and gives it twice as large, where `gives`; emits the same as text for each delta it gets as text.
fn module(gives: bool) -> Package {
    let publish = "(f64.store (i32.const 176) (f64.mul (f64.load (i32.const 136)) (f64.const 2)))
        (i32.store (i32.const 192) (i32.add (i32.load (i32.const 192)) (i32.const 1)))";
    let text = format!(
        r#"(module (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 64) "SKV1\01\00\01\00\80\00\00\00\a8\00\00\00\00\00\00\00\00\00\00\00")
            (data (i32.const 128) "\00\02\00\00\21\00\01") (data (i32.const 168) "\21\02\00\00\06\00\01")
            (data (i32.const 512) "environment.depth.belowTransducer")
            (data (i32.const 545) "double")
            (data (i32.const 600) "{{\"updates\":[{{\"values\":[{{\"path\":\"double\",\"value\":8.4}}]}}]}}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "delta_handler") (param i32 i32) {})
            (func (export "skiff_values") (result i32) (i32.const 64))
            (func (export "skiff_update") (result i32) {} (i32.const 0)))"#,
        if gives { "(call $emit (i32.const 600) (i32.const 55))" } else { "" },
        if gives { publish } else { "" },
    );
    Package::from_wasm("bench", wat::parse_str(text).expect("the bench's own module")).expect("a package")
}

fn started(gives: bool, services: &mut Quiet) -> Instance {
    let mut instance = load(&module(gives));
    call(&mut instance, services, Call::Start { config: "{}".into() });
    assert!(instance.values().is_some(), "the bench's own rows");
    instance
}

fn values(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("value");
    let mut services = Quiet::default();
    let delta = delta(r#"{"path":"environment.depth.belowTransducer","value":4.2}"#);
    for (gives, what) in [(false, "nothing out"), (true, "one value out")] {
        let mut instance = started(gives, &mut services);
        group.bench_function(format!("in rows, {what}"), |bencher| {
            bencher.iter(|| {
                services.heard.clear();
                if let Some(values) = instance.values_mut() {
                    black_box(values.take_in(&delta, &ARRIVAL));
                }
                call(&mut instance, &mut services, Call::Update)
            });
        });
        let mut instance = started(gives, &mut services);
        group.bench_function(format!("as text nobody reads, {what}"), |bencher| {
            bencher.iter(|| {
                services.heard.clear();
                call(&mut instance, &mut services, Call::Delta(delta.clone()))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, values);
criterion_main!(benches);
