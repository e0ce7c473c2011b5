//! What one crossing costs: host to guest with an empty export, guest to host with an import that does nothing.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use skiff_benches::{call, load, native, quiet};
use skiff_runtime::host::Call;
use skiff_runtime::package::Package;

/// Imports called in one measured export call.
const IMPORT_CALLS: u32 = 1000;

fn module(poll: &str) -> Package {
    let text = format!(
        r#"(module
            (import "env" "sk_has_capability" (func $capability (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 8) "network")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "poll") (result i32) (local $left i32) {poll} (i32.const 0)))"#
    );
    Package::from_wasm("bench", wat::parse_str(text).expect("the bench's own module")).expect("a package")
}

fn crossings(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    let mut services = quiet();

    let mut empty = load(&module(""));
    group.bench_function("empty export", |bencher| bencher.iter(|| call(&mut empty, &mut services, Call::Poll)));

    group.throughput(Throughput::Elements(IMPORT_CALLS.into()));
    let text = format!(
        "(local.set $left (i32.const {IMPORT_CALLS}))
         (loop $again (drop (call $capability (i32.const 8) (i32.const 7)))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"
    );
    let mut importing = load(&module(&text));
    group.bench_function("import, 1000 times", |bencher| {
        bencher.iter(|| call(&mut importing, &mut services, Call::Poll));
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("native function", |bencher| bencher.iter(|| native::empty(black_box(0))));
    group.finish();
}

criterion_group!(benches, crossings);
criterion_main!(benches);
