//! From bytes to a plugin that can be called, and only the reading that admission needs.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use skiff_benches::{load, shallow_water_alarm, true_wind};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::host::ModuleFacts;

fn loads(criterion: &mut Criterion) {
    let limits = Limits::of(Board::Linux).plugin;
    let mut group = criterion.benchmark_group("load");
    for (name, package) in [("AssemblyScript", shallow_water_alarm()), ("Rust", true_wind())] {
        let bytes = package.wasm.len();
        println!("{name}: {} of {bytes} bytes", package.name);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("{name}, translate and link"), |bencher| bencher.iter(|| load(&package)));
        group.bench_function(format!("{name}, admission"), |bencher| {
            bencher.iter(|| ModuleFacts::read(&package.wasm, &limits).is_ok());
        });
        // Native code is loaded by the kernel page by page; reading every byte once is the least a loader does.
        group.bench_function(format!("{name}, native: read every byte"), |bencher| {
            bencher.iter(|| {
                black_box(&package.wasm).iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(*byte))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, loads);
criterion_main!(benches);
